//! Payload types and how often each may stand in a message (r3 7.7.4.1, Table G1, reading R6; SPC-4 7.7.3.4).

use core::fmt;

/// A payload that the protocol defines, whatever its code in a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PayloadType {
    /// KE, r3 7.7.4.3.
    KeyExchange,
    /// ID of the application client, r3 7.7.4.4.
    IdApplicationClient,
    /// ID of the device server, r3 7.7.4.4.
    IdDeviceServer,
    /// CERT, r3 7.7.4.5.
    Certificate,
    /// CERTREQ, r3 7.7.4.5.
    CertificateRequest,
    /// AUTH, r3 7.7.4.6.
    Authentication,
    /// NONCE, r3 7.7.4.7.
    Nonce,
    /// N, r3 7.7.4.8a.
    Notify,
    /// D, r3 7.7.4.8b.
    Delete,
    /// V, r3 7.7.4.9.
    VendorId,
    /// E, r3 7.7.4.10.
    Encrypted,
    /// SSCC, r3 7.7.4.11.
    Capabilities,
    /// SCA, r3 7.7.4.12.
    Algorithms,
    /// STV, r3 7.7.4.13; the timeouts of SPC-4, 7.7.3.5.15.
    Timeouts,
    /// The algorithms that make and manage an SA, SPC-4 7.7.3.5.13.
    SaAlgorithms,
    /// What an SA is for, and the algorithms that use it (SAUT), SPC-4 7.7.3.5.14.
    SaUsage,
    /// A payload of RFC 4306 that the dialect prohibits: it is known, and may stand nowhere.
    Prohibited,
}

impl PayloadType {
    /// The description in r3 Table G1; of payloads that r3 does not have, SPC-4's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyExchange => "Key Exchange",
            Self::IdApplicationClient => "Identification - Application Client",
            Self::IdDeviceServer => "Identification - Device Server",
            Self::Certificate => "Certificate",
            Self::CertificateRequest => "Certificate Request",
            Self::Authentication => "Authentication",
            Self::Nonce => "Nonce",
            Self::Notify => "Notify",
            Self::Delete => "Delete",
            Self::VendorId => "Vendor ID",
            Self::Encrypted => "Encrypted",
            Self::Capabilities => "SCSI SA Creation Capabilities",
            Self::Algorithms => "SCSI Cryptographic Algorithms",
            Self::Timeouts => "SCSI Timeout Values",
            Self::SaAlgorithms => "IKEv2-SCSI SA Cryptographic Algorithms",
            Self::SaUsage => "IKEv2-SCSI SAUT Cryptographic Algorithms",
            Self::Prohibited => "prohibited payload",
        }
    }

    /// The notation in r3 Table G1; empty for a payload that r3 does not have.
    #[must_use]
    pub const fn notation(self) -> &'static str {
        match self {
            Self::SaAlgorithms | Self::SaUsage | Self::Prohibited => "",
            Self::KeyExchange => "KE",
            Self::IdApplicationClient | Self::IdDeviceServer => "ID",
            Self::Certificate => "CERT",
            Self::CertificateRequest => "CERTREQ",
            Self::Authentication => "AUTH",
            Self::Nonce => "NONCE",
            Self::Notify => "N",
            Self::Delete => "D",
            Self::VendorId => "V",
            Self::Encrypted => "E",
            Self::Capabilities => "SSCC",
            Self::Algorithms => "SCA",
            Self::Timeouts => "STV",
        }
    }
}

impl PayloadType {
    /// The bit of this type in a set of types.
    #[inline]
    pub(crate) const fn bit(self) -> u32 {
        1_u32.unbounded_shl(self as u32)
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.notation() {
            "" => f.write_str(self.name()),
            notation => write!(f, "{} ({notation})", self.name()),
        }
    }
}

/// The NEXT PAYLOAD codes of a dialect.
///
/// Every payload of every message is looked up here, so that what a code means is found by its place.
#[derive(Debug)]
pub(crate) struct PayloadCodes {
    list: &'static [(u8, PayloadType)],
    by_code: [Option<PayloadType>; 0x84],
}

impl PayloadCodes {
    pub(super) const fn new(list: &'static [(u8, PayloadType)]) -> Self {
        let mut by_code = [None; 0x84];
        let mut left = list;
        while let [(code, payload), rest @ ..] = left {
            // A code without a place does not compile.
            assert!((*code as usize) < by_code.len(), "there is no place for this code");
            if let Some((_, [place, ..])) = by_code.split_at_mut_checked(*code as usize) {
                *place = Some(*payload);
            }
            left = rest;
        }
        Self { list, by_code }
    }

    /// The payload type of a code; `None` for one that the dialect does not recognise.
    #[inline]
    pub(super) fn of(&self, code: u8) -> Option<PayloadType> {
        self.by_code.get(usize::from(code)).copied().flatten()
    }

    /// The code of a payload type; 00h for one that the dialect does not have.
    pub(super) fn code_of(&self, payload: PayloadType) -> u8 {
        self.list.iter().find(|(_, known)| *known == payload).map_or(0, |(code, _)| *code)
    }
}

/// How often a payload may stand in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    One,
    Optional,
    Any,
    /// One in a message of an exchange without authentication, else none.
    Unauthenticated,
}

/// One place in the order of a message's payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) payload: PayloadType,
    pub(crate) count: Count,
}

impl Slot {
    pub(crate) const fn one(payload: PayloadType) -> Self {
        Self { payload, count: Count::One }
    }

    pub(crate) const fn optional(payload: PayloadType) -> Self {
        Self { payload, count: Count::Optional }
    }

    pub(crate) const fn any(payload: PayloadType) -> Self {
        Self { payload, count: Count::Any }
    }

    pub(crate) const fn unauthenticated(payload: PayloadType) -> Self {
        Self { payload, count: Count::Unauthenticated }
    }
}

/// The places of a message's payloads in their order, and what follows from them for each type: sets with a bit for each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) list: &'static [Slot],
    /// Types of which there shall be one.
    pub(crate) required: u32,
    /// Types that have a place in every such message.
    pub(crate) allowed: u32,
    /// Types of which there may be more than one.
    pub(crate) any: u32,
    /// Types that have a place in exchanges without authentication, and are required there.
    pub(crate) open: u32,
}

impl Slots {
    pub(super) const NONE: &Self = &Self::new(&[]);

    pub(super) const fn new(list: &'static [Slot]) -> Self {
        let mut slots = Self { list, required: 0, allowed: 0, any: 0, open: 0 };
        let mut left = list;
        while let [slot, rest @ ..] = left {
            let bit = slot.payload.bit();
            match slot.count {
                Count::One => slots.required |= bit,
                Count::Any => slots.any |= bit,
                Count::Unauthenticated => slots.open |= bit,
                Count::Optional => slots.allowed |= bit,
            }
            left = rest;
        }
        slots.allowed |= slots.required | slots.any;
        slots
    }
}
