//! What is wrong with received bytes, and where.

use core::fmt;

use thiserror::Error;

use crate::dialect::Profile;

/// A fault in received bytes, with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("byte {byte}: {field}: {kind}")]
pub struct WireError {
    /// Offset of the first byte of the field, counted from the first byte of the parameter list or of the CDB.
    pub byte: usize,
    /// The field's most significant bit, where the field is a bit or a part of a byte.
    pub bit: Option<u8>,
    /// The field.
    pub field: Field,
    /// What is wrong with it.
    pub kind: WireErrorKind,
}

impl WireError {
    /// A fault of a field of whole bytes.
    #[must_use]
    pub const fn new(byte: usize, field: Field, kind: WireErrorKind) -> Self {
        Self { byte, bit: None, field, kind }
    }

    /// A fault of a bit or of a part of a byte, whose most significant bit is `bit`.
    #[must_use]
    pub const fn at_bit(byte: usize, bit: u8, field: Field, kind: WireErrorKind) -> Self {
        Self { byte, bit: Some(bit), field, kind }
    }
}

/// What is wrong with a field; the sense data follow from it (room `sense`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// The value is not allowed here.
    #[error("the value is not allowed")]
    Invalid,
    /// A length or a count does not fit what it describes.
    #[error("does not fit what follows")]
    Length,
    /// A value that the capabilities do not offer, or that the policy forbids.
    #[error("the value is not offered")]
    NotOffered,
    /// A payload that is not recognised, with CRIT set to one (r3 7.7.3.1.1).
    #[error("names a payload that is not recognised, with CRIT set to one")]
    UnrecognisedCritical,
    /// A required payload, or a required descriptor, is absent (reading R34).
    #[error("something required is absent")]
    Missing,
    /// A payload or descriptor out of its place or repeated (reading R6).
    #[error("names something out of its place")]
    OutOfPlace,
    /// The bytes end before the 28-byte header does (reading R36).
    #[error("shorter than the 28-byte header")]
    NoHeader,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A field, by the name that the standard prints.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $(#[doc = concat!("`", $text, "`")] $(#[$doc])* $name,)*
        }

        impl Field {
            /// Every field.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name that the standard prints.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

fields! {
    OperationCode = "OPERATION CODE",
    SecurityProtocol = "SECURITY PROTOCOL",
    SecurityProtocolSpecific = "SECURITY PROTOCOL SPECIFIC",
    Inc512 = "INC_512",
    AllocationLength = "ALLOCATION LENGTH",
    TransferLength = "TRANSFER LENGTH",
    ParameterDataLength = "PARAMETER DATA LENGTH",
    AcSai = "IKE_SA APPLICATION CLIENT SAI",
    DsSai = "IKE_SA DEVICE SERVER SAI",
    NextPayload = "NEXT PAYLOAD",
    MajorVersion = "MAJOR VERSION",
    ExchangeType = "EXCHANGE TYPE",
    Inttr = "INTTR",
    Rspns = "RSPNS",
    MessageId = "MESSAGE ID",
    Length = "LENGTH",
    PayloadLength = "PAYLOAD LENGTH",
    NumberOfTransforms = "NUMBER OF TRANSFORMS",
    NumberOfDescriptors = "NUMBER OF ALGORITHM DESCRIPTORS",
    SecurityAssociationType = "SECURITY ASSOCIATION TYPE",
    UsageDataLength = "USAGE DATA LENGTH",
    Said = "SAID",
    UsageData = "USAGE DATA",
    AlgorithmType = "ALGORITHM TYPE",
    DescriptorLength = "DESCRIPTOR LENGTH",
    AlgorithmIdentifier = "ALGORITHM IDENTIFIER",
    KeyLength = "KEY LENGTH",
    NumberOfTimeoutValues = "NUMBER OF TIMEOUT VALUES",
    ProtocolTimeout = "IKEV2-SCSI PROTOCOL TIMEOUT",
    InactivityTimeout = "IKEV2-SCSI SA INACTIVITY TIMEOUT",
    GroupNumber = "DIFFIE-HELLMAN GROUP NUMBER",
    KeyExchangeData = "KEY EXCHANGE DATA",
    IdType = "ID TYPE",
    IdentificationData = "IDENTIFICATION DATA",
    CertificateEncoding = "CERTIFICATE ENCODING",
    AuthMethod = "AUTH METHOD",
    AuthenticationData = "AUTHENTICATION DATA",
    NonceData = "NONCE DATA",
    ProtocolId = "PROTOCOL ID",
    SaiSize = "SAI SIZE",
    NotifyMessageType = "NOTIFY MESSAGE TYPE",
    Sai = "SAI",
    NumberOfSais = "NUMBER OF SAIS",
    DeletedSai = "APPLICATION CLIENT SECURITY ASSOCIATION INDEX",
    SaType = "SA TYPE",
    DeletedAcSai = "AC_SAI",
    DeletedDsSai = "DS_SAI",
    InitializationVector = "INITIALIZATION VECTOR",
    Padding = "PADDING",
    PadLength = "PAD LENGTH",
    IntegrityChecksumData = "INTEGRITY CHECKSUM DATA",
}

impl Field {
    /// What a dialect calls the number of descriptors in a capabilities payload.
    pub(super) const fn count_of_descriptors(profile: Profile) -> Self {
        if profile.rules().counts_transforms { Self::NumberOfTransforms } else { Self::NumberOfDescriptors }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
