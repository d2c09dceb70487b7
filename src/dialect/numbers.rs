//! The kinds of data that a dialect's rules are made of, payloads excepted.

/// In which order the payloads of a message may stand on receipt. Every dialect sends them in one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// In the order of the message's list (reading R6).
    Listed,
    /// In any order, as often as the list says; the header names one of the list first (question Q12, reading S3).
    Free,
}

/// Which padding of an Encrypted payload a receiver accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// Any bytes (reading R13).
    Any,
    /// 01h, 02h, 03h and so on (SPC-4 7.7.3.5.11).
    Counted,
}

/// The numbers of one ALGORITHM TYPE in a dialect.
#[derive(Debug)]
pub(crate) struct AlgorithmNumbers {
    /// ALGORITHM TYPE.
    pub(crate) code: u8,
    /// The abbreviation that the text prints.
    pub(crate) name: &'static str,
    /// The type under which room `algorithm` has the rows: r3's code.
    pub(crate) table: u8,
    /// The identifiers that there are; `None` for exactly those of the rows.
    pub(crate) identifiers: Option<&'static [Identifier]>,
    /// What a descriptor of the type says of ways to authenticate.
    pub(crate) side: Side,
    /// The upper half of the identifiers that vendors may assign, and the least and the greatest of their lower halves, which are
    /// those of the rows; `None` where every identifier is one of the rows anyway.
    pub(crate) vendor: Option<(u32, u16, u16)>,
}

/// Whose way to authenticate an algorithm descriptor names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Nobody's: the algorithm is of another type.
    None,
    /// Whose, the USE and ACCEPT bits of the first attribute byte tell (r3 Table K7).
    Attributes,
    /// The application client's: SA_AUTH_OUT (SPC-4 7.7.3.6.6).
    ApplicationClient,
    /// The device server's: SA_AUTH_IN (SPC-4 7.7.3.6.6).
    DeviceServer,
}

/// One ALGORITHM IDENTIFIER.
#[derive(Debug)]
pub(crate) struct Identifier {
    /// The value on the wire.
    pub(crate) wire: u32,
    /// The row's identifier: r3's.
    pub(crate) table: u32,
    /// The name that the text prints, where it is not the row's.
    pub(crate) name: Option<&'static str>,
}
