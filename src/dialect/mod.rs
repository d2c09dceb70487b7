//! Where the dialects of the protocol differ, as data.
//!
//! T10/06-449r3 and SPC-4 do not interoperate. Every number in which they differ is a field of one structure, `Rules`, filled once
//! in the dialect's own file; the rooms to the right read the field and hold no `if dialect`. [`Profile`] is what an
//! embedder chooses for a logical unit.
//!
//! What lives here: payload codes, counts and orders, header bits, exchange types, message identifiers, algorithm numbers,
//! the offsets and sizes in which layouts differ, additional sense codes. What does not: algorithms (room `algorithm`) and
//! layouts (room `wire`).

mod numbers;
mod payloads;
mod r3;
mod sense_codes;
#[cfg_attr(not(feature = "spc4"), allow(dead_code, reason = "what only SPC-4 uses is in the build and goes unused"))]
mod spc4;

#[cfg(test)]
mod tests;

pub(crate) use numbers::{AlgorithmNumbers, Identifier, Order, Padding, Side};
pub use payloads::PayloadType;
pub(crate) use payloads::{Count, PayloadCodes, Slot, Slots};
pub use sense_codes::{Asc, SenseCodes};

/// Whether this build speaks SPC-4: without the feature nothing can ask for it, and what only it has is left out. Unit tests have it
/// always.
pub(crate) const HAS_SPC4: bool = cfg!(any(test, feature = "spc4"));

/// Which text of the protocol a logical unit speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// T10/06-449r3.
    #[default]
    R3,
    /// SPC-4 (INCITS 513), as of its ballot draft r36f (feature `spc4`).
    #[cfg(any(test, feature = "spc4"))]
    Spc4,
}

/// Bit positions of byte 19 of the IKEv2-SCSI header (reading R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderFlags {
    /// As r3 Table E1 prints them: INTTR 10h, VERSION 08h, RSPNS 04h.
    #[default]
    T10,
    /// As RFC 4306 3.1 has them: Initiator 08h, Version 10h, Response 20h; for peers made from an IKEv2 stack.
    Rfc4306,
}

impl HeaderFlags {
    /// Bit number of the INTTR bit.
    pub(crate) const fn initiator_bit(self) -> u8 {
        match self {
            Self::T10 => 4,
            Self::Rfc4306 => 3,
        }
    }

    /// Bit number of the VERSION bit.
    pub(crate) const fn version_bit(self) -> u8 {
        match self {
            Self::T10 => 3,
            Self::Rfc4306 => 4,
        }
    }

    /// Bit number of the RSPNS bit.
    pub(crate) const fn response_bit(self) -> u8 {
        match self {
            Self::T10 => 2,
            Self::Rfc4306 => 5,
        }
    }
}

/// How one logical unit speaks: a dialect, and what its text leaves to the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Profile {
    /// The text.
    pub dialect: Dialect,
    /// Header bit positions (reading R1).
    pub header_flags: HeaderFlags,
    /// Additional sense codes (reading R20).
    pub sense_codes: SenseCodes,
}

impl Profile {
    /// T10/06-449r3 with its own header bits and the sense codes that it recommends.
    pub const R3: Self = Self { dialect: Dialect::R3, header_flags: HeaderFlags::T10, sense_codes: SenseCodes::R3 };

    /// SPC-4 with its own header bits and the sense codes that were assigned, the only ones that it knows (feature `spc4`).
    #[cfg(any(test, feature = "spc4"))]
    pub const SPC4: Self =
        Self { dialect: Dialect::Spc4, header_flags: HeaderFlags::T10, sense_codes: SenseCodes::Spc4 };

    pub(crate) const fn rules(self) -> &'static Rules {
        match self.dialect {
            Dialect::R3 => &r3::RULES,
            #[cfg(any(test, feature = "spc4"))]
            Dialect::Spc4 => &spc4::RULES,
        }
    }

    /// The additional sense codes to answer with: those chosen, in a dialect that leaves the choice.
    pub(crate) const fn codes(self) -> SenseCodes {
        match (self.rules().sense_codes, self.sense_codes) {
            (Some(codes), _) => codes,
            // Of one class of errors SPC-4 has the assigned codes.
            (None, SenseCodes::Spc4) => SenseCodes::Assigned,
            (None, codes) => codes,
        }
    }
}

/// The messages of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exchange {
    /// Key Exchange phase SECURITY PROTOCOL OUT (r3 5.13.4.3.2, SPC-4 5.14.4.6.2).
    KeyExchangeOut,
    /// Key Exchange phase SECURITY PROTOCOL IN (r3 5.13.4.3.3).
    KeyExchangeIn,
    /// Authentication phase SECURITY PROTOCOL OUT (r3 5.13.4.4.2).
    AuthenticationOut,
    /// Authentication phase SECURITY PROTOCOL IN (r3 5.13.4.4.3).
    AuthenticationIn,
    /// Delete (r3 5.13.5).
    DeleteOut,
}

impl Exchange {
    /// True for parameter data that the application client sends.
    #[must_use]
    pub const fn is_out(self) -> bool {
        matches!(self, Self::KeyExchangeOut | Self::AuthenticationOut | Self::DeleteOut)
    }

    /// Which of three values for key exchange, authentication and delete is this message's.
    const fn of_three<T>(self, [key_exchange, authentication, delete]: &[T; 3]) -> &T {
        match self {
            Self::KeyExchangeOut | Self::KeyExchangeIn => key_exchange,
            Self::AuthenticationOut | Self::AuthenticationIn => authentication,
            Self::DeleteOut => delete,
        }
    }
}

/// One algorithm of a set: ALGORITHM TYPE, ALGORITHM IDENTIFIER, KEY LENGTH in bytes.
pub(crate) type Row = (u8, u32, u16);

/// Into how many classes a dialect divides what is wrong with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClasses {
    /// One: the sequence stays where it is, whatever is wrong (r3 5.13.4.6).
    One,
    /// Two: what anybody could have sent leaves the sequence alone, what its owner has sent ends it (SPC-4 7.7.3.8).
    Two,
}

/// The numbers of one dialect.
#[derive(Debug)]
pub(crate) struct Rules {
    /// NEXT PAYLOAD codes (r3 Table G1, SPC-4 7.7.3.4).
    pub(crate) payload_codes: PayloadCodes,
    /// What the dialect calls codes for which [`PayloadType::name`] is not right.
    pub(crate) payload_names: &'static [(u8, &'static str)],
    /// EXCHANGE TYPE of key exchange, authentication, delete (r3 7.7.3.1.1); `None` where the field is reserved: sent as
    /// zero and not looked at (question Q21).
    pub(crate) exchange_types: Option<[u8; 3]>,
    /// MESSAGE ID of key exchange, authentication, delete, where the dialect fixes them (SPC-4 7.7.3.4).
    pub(crate) message_ids: Option<[u32; 3]>,
    /// Where a SAI stands in its eight-byte field, whose other bytes are restricted: sent as zero and not looked at
    /// (question Q26).
    pub(crate) sai_offset: usize,
    /// Those bits of the eight bytes that are the SAI.
    pub(crate) sai_mask: u64,
    /// Least value of a SAI in a header; lower ones are reserved (question Q25, reading S5).
    pub(crate) least_sai: u64,
    /// True where the device server's SAI is reserved in a key exchange OUT, and not looked at.
    pub(crate) first_ds_sai_is_reserved: bool,
    /// Offset of the number of descriptors from the first byte of a capabilities payload.
    pub(crate) capabilities_count_at: usize,
    /// Bytes that may stand before the descriptors of a received capabilities payload (reading R3).
    pub(crate) capabilities_gap: usize,
    /// True where a number of descriptors is called NUMBER OF TRANSFORMS.
    pub(crate) counts_transforms: bool,
    /// NUMBER OF SAIS in a Delete payload.
    pub(crate) number_of_sais: u16,
    /// Most TIMEOUT VALUES that a payload may have; two are required, and further ones are not looked at.
    pub(crate) most_timeout_values: u8,
    /// Which padding a receiver accepts.
    pub(crate) padding: Padding,
    /// In which order payloads may stand on receipt.
    pub(crate) order: Order,
    /// ALGORITHM TYPE and ALGORITHM IDENTIFIER values.
    pub(crate) algorithms: &'static [AlgorithmNumbers],
    /// The additional sense codes, where the dialect knows only one list.
    pub(crate) sense_codes: Option<SenseCodes>,
    /// What is added to a PRF's identifier to make KDF_ID (r3 5.13.4.5 d, reading R33; SPC-4 5.14.4.9).
    pub(crate) kdf_id_base: u32,
    /// The pad string of shared key authentication (r3 7.7.4.6 d).
    pub(crate) key_pad: &'static [u8],
    /// From which byte of the capabilities parameter data on the octets of an authentication OUT and of an authentication IN
    /// begin with it; `None` where they do not (reading R29; SPC-4 7.7.3.5.7, reading S8).
    pub(crate) signed_capabilities_from: [Option<usize>; 2],
    /// ALGORITHM TYPEs of the descriptors with which an application client selects, in their order.
    pub(crate) selected_types: &'static [u8],
    /// The payload in which it does.
    pub(crate) algorithms_payload: PayloadType,
    /// Whether ENCR_NULL may be selected for the exchange itself (SPC-4 7.7.3.5.13 refuses it).
    pub(crate) null_protects_exchanges: bool,
    /// Sets of algorithms of which one is to be reported whole (SPC-4 table 82); none where there is no such rule.
    pub(crate) complete_rows: &'static [&'static [Row]],
    /// Whether application clients may be offered different algorithms (r3 7.7.4.11; question Q16).
    pub(crate) offers_differ: bool,
    /// Whether changed capabilities take effect only when somebody has read them (SPC-4 5.14.4.1).
    pub(crate) capabilities_wait_to_be_read: bool,
    /// Seconds that a timeout of zero stands for; `None` where zero is an error (reading R28; SPC-4 7.7.3.5.15).
    pub(crate) zero_timeout: Option<u32>,
    /// The uses of an SA that have no USAGE DATA (SPC-4 table 74).
    pub(crate) usage_without_data: &'static [u16],
    /// The least and the greatest SA TYPE that takes an Authentication step (SPC-4 7.7.3.5.14).
    pub(crate) usage_after_authentication: Option<(u16, u16)>,
    /// What a refusal does to the sequence.
    pub(crate) classes: ErrorClasses,
    /// Whether a Delete also ends a running sequence, and what is kept for repetition (SPC-4 5.14.4.11, reading S9).
    pub(crate) delete_ends_sequences: bool,
    /// Whether REQUEST SENSE restarts the protocol timeout (SPC-4 5.14.4.1).
    pub(crate) waiting_prolongs: bool,
    /// Whether what is kept for repetition is kept from the authentication OUT on, and not from the last IN on (SPC-4 table 556).
    pub(crate) repeats_from_last_out: bool,
    /// Whether an Initial Contact acts when the authentication OUT has succeeded, and not only with the new SA (readings R31a,
    /// S11).
    pub(crate) contact_counts_at_once: bool,
    /// Whether ID_DER_ASN1_DN and ID_DER_ASN1_GN take a certificate (r3 7.7.4.4).
    pub(crate) names_need_certificates: bool,
    /// Whether one nexus's sequence may be the logical unit's only one (SPC-4 5.14.4.1).
    pub(crate) may_be_exclusive: bool,
    /// Whether the formats of the capabilities can be asked for (SPC-4 7.7.2.3.1).
    pub(crate) lists_formats: bool,
    /// Bytes of the field that says what an SA is for.
    pub(crate) usage_type_length: usize,
    /// Whether a Certificate Request makes a certificate mandatory (SPC-4 5.14.4.3.3.4).
    pub(crate) requests_demand: bool,
    /// Payloads of each message in their order, those of [`Rules::inner`] excepted.
    pub(crate) outer: fn(Exchange) -> &'static Slots,
    /// Payloads inside the Encrypted payload in their order.
    pub(crate) inner: fn(Exchange) -> &'static Slots,
}

impl Rules {
    /// EXCHANGE TYPE as it is sent.
    pub(crate) const fn exchange_type(&self, exchange: Exchange) -> u8 {
        match self.exchange_types {
            Some(types) => *exchange.of_three(&types),
            None => 0,
        }
    }

    /// MESSAGE ID, where the dialect fixes it.
    pub(crate) const fn message_id(&self, exchange: Exchange) -> Option<u32> {
        match self.message_ids {
            Some(identifiers) => Some(*exchange.of_three(&identifiers)),
            None => None,
        }
    }

    /// What the dialect calls a NEXT PAYLOAD code, where [`PayloadType::name`] is not right.
    pub(crate) fn payload_name(&self, code: u8) -> Option<&'static str> {
        self.payload_names.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
    }

    /// Bytes of a SAI where keys are derived from it (reading S6).
    pub(crate) const fn sai_length(&self) -> usize {
        8_usize.saturating_sub(self.sai_offset)
    }

    /// The part of the capabilities parameter data with which the octets of an authentication begin; nothing where they begin
    /// with something else, and in other messages.
    pub(crate) fn signed_capabilities<'a>(&self, exchange: Exchange, parameter_data: &'a [u8]) -> &'a [u8] {
        let [of_client, of_server] = self.signed_capabilities_from;
        let from = match exchange {
            Exchange::AuthenticationOut => of_client,
            Exchange::AuthenticationIn => of_server,
            _ => None,
        };
        from.and_then(|from| parameter_data.get(from..)).unwrap_or(&[])
    }

    /// The ALGORITHM TYPE with this code.
    pub(crate) fn algorithm_type(&self, code: u8) -> Option<&'static AlgorithmNumbers> {
        self.algorithms.iter().find(|numbers| numbers.code == code)
    }

    /// The payload type of a NEXT PAYLOAD code; `None` if the dialect does not recognise the code.
    #[inline]
    pub(crate) fn payload_type(&self, code: u8) -> Option<PayloadType> {
        self.payload_codes.of(code)
    }

    /// The NEXT PAYLOAD code of a payload type; 00h (No Next Payload) for one that the dialect does not have.
    pub(crate) fn payload_code(&self, payload: PayloadType) -> u8 {
        self.payload_codes.code_of(payload)
    }
}
