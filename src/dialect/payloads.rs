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

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.notation() {
            "" => f.write_str(self.name()),
            notation => write!(f, "{} ({notation})", self.name()),
        }
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
