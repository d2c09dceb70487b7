//! What is wrong with a descriptor, and where; why an association cannot be used.

use core::fmt;

use thiserror::Error;

use crate::algorithm::AlgorithmType;
use crate::crypto::{CryptoError, RandomError};

/// A fault in a received descriptor, with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("descriptor byte {byte}: {field}: {kind}")]
pub struct Fault {
    /// Offset of the field's first byte from the descriptor's first byte; of a fault in the padding, of the last byte of
    /// ENCRYPTED OR AUTHENTICATED DATA, as the standard asks (SPC-4 5.14.7.3).
    pub byte: usize,
    /// The field.
    pub field: Field,
    /// What is wrong with it.
    pub kind: FaultKind,
}

impl Fault {
    pub(super) const fn new(byte: usize, field: Field, kind: FaultKind) -> Self {
        Self { byte, field, kind }
    }

    /// True when the ICV was right: the peer has sent it so, and its sequence number has been kept.
    #[must_use]
    pub const fn is_authentic(&self) -> bool {
        matches!(self.kind, FaultKind::Padding | FaultKind::NotZero)
    }
}

/// A field of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The whole descriptor, whose length is told elsewhere.
    Descriptor,
    /// DESCRIPTOR LENGTH.
    DescriptorLength,
    /// DS_SAI.
    DsSai,
    /// AC_SAI.
    AcSai,
    /// DS_SQN.
    DsSqn,
    /// AC_SQN.
    AcSqn,
    /// PADDING BYTES and PAD LENGTH.
    Padding,
    /// MUST BE ZERO.
    MustBeZero,
    /// INTEGRITY CHECK VALUE.
    IntegrityCheckValue,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptor => "ESP-SCSI descriptor",
            Self::DescriptorLength => "DESCRIPTOR LENGTH",
            Self::DsSai => "DS_SAI",
            Self::AcSai => "AC_SAI",
            Self::DsSqn => "DS_SQN",
            Self::AcSqn => "AC_SQN",
            Self::Padding => "PADDING BYTES",
            Self::MustBeZero => "MUST BE ZERO",
            Self::IntegrityCheckValue => "INTEGRITY CHECK VALUE",
        })
    }
}

/// What is wrong with a field of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// It does not fit the bytes that there are, or the algorithms.
    #[error("does not fit the descriptor or the algorithms")]
    Length,
    /// It is not the association's SAI, or no association's.
    #[error("names no association that is known here")]
    UnknownSai,
    /// A sequence number of zero.
    #[error("is zero")]
    Zero,
    /// A sequence number that is not above the last one.
    #[error("is not above the last one")]
    Replayed,
    /// A sequence number more than [`WINDOW`](super::WINDOW) above the last one.
    #[error("is more than 32 above the last one")]
    TooFarAhead,
    /// The ICV does not match.
    #[error("does not match")]
    Mismatch,
    /// Padding that is not 01h, 02h, 03h and so on, or longer than what there is.
    #[error("is not 01h, 02h, 03h and so on")]
    Padding,
    /// MUST BE ZERO is not.
    #[error("is not zero")]
    NotZero,
}

/// Why an association cannot be used with ESP-SCSI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// USAGE_TYPE is none of those that the command is for.
    #[error("an association of USAGE_TYPE {0:04X}h is not for this")]
    UsageType(u16),
    /// It has no algorithms for its use, as one that r3 made.
    #[error("the association has no algorithms for its use")]
    NoAlgorithms,
    /// The provider does not have an algorithm of this type, or no longer.
    #[error("the {} algorithm is not there", .0.name())]
    Algorithm(AlgorithmType),
    /// Encryption without integrity, or a combined mode with another integrity algorithm: ESP-SCSI has neither.
    #[error("the encryption algorithm does not go with the integrity algorithm")]
    Pairing,
    /// KEYMAT is not as long as the algorithms have it.
    #[error("KEYMAT does not fit the algorithms")]
    Keymat,
    /// A SAI does not fit into four bytes.
    #[error("the SAI has more than four bytes")]
    Sai,
}

/// Why a descriptor was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The descriptor's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The association's.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The provider's; nothing was changed.
    #[error(transparent)]
    Crypto(CryptoError),
}

/// Why a descriptor was not built. The association is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The association's fault.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The last sequence number has been used: the association is to be deleted.
    #[error("the association has no sequence number left")]
    Exhausted,
    /// The descriptor would be longer than DESCRIPTOR LENGTH can tell, which is 65 535 bytes behind it.
    #[error("the data are longer than a descriptor can be")]
    TooLong,
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The provider failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Where a descriptor stands, or where a request names an association: for the field pointer of sense data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the parameter list, its first byte at this offset.
    ParameterList(usize),
    /// In the CDB, its first byte at this offset.
    Cdb(usize),
}
