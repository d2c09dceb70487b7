//! From a refusal to status, sense key, additional sense code, field pointer and progress: the one map
//! (r3 7.7.5 and throughout; readings R20-R25, R32, R34, R36, R39, R40; SPC-4 7.7.3.8, readings S2, S3, S7, S10).
//!
//! | refusal | sense key | additional sense code | pointer |
//! | --- | --- | --- | --- |
//! | a field of the parameter list | ILLEGAL REQUEST | IKEv2-SCSI PARAMETER VALUE INVALID | the field |
//! | something required is absent | ILLEGAL REQUEST | PARAMETER LIST INCOMPLETE | R39 |
//! | unknown payload with CRIT | ILLEGAL REQUEST | IKEv2-SCSI PARAMETER NOT SUPPORTED | the NEXT PAYLOAD field |
//! | a list under 28 bytes | ILLEGAL REQUEST | IKEv2-SCSI PARAMETER VALUE INVALID | CDB byte 6 |
//! | a field of the CDB | ILLEGAL REQUEST | INVALID FIELD IN CDB or INVALID COMMAND OPERATION CODE | the field |
//! | authentication | ILLEGAL REQUEST | AUTHENTICATION FAILED | the Encrypted payload |
//! | out of its turn, another sequence runs | NOT READY | IKEv2-SCSI OPERATION IN PROGRESS | progress by commands |
//! | a calculation runs | NOT READY | LOGICAL UNIT NOT READY, OPERATION IN PROGRESS | progress by the clock |
//! | nothing in progress | ILLEGAL REQUEST | IKEv2-SCSI INVALID COMMAND SEQUENCE | R39 |
//! | a limit | ILLEGAL REQUEST | INSUFFICIENT RESOURCES | CDB byte 2 |
//! | random source, provider, key store | HARDWARE ERROR | INTERNAL TARGET FAILURE | none |
//!
//! SPC-4 has these besides, and answers a failed authentication with ABORTED COMMAND and no pointer:
//!
//! | refusal | sense key | additional sense code | pointer |
//! | --- | --- | --- | --- |
//! | a field of a list that anybody could have sent | ILLEGAL REQUEST | SA CREATION PARAMETER VALUE REJECTED | the field |
//! | a Delete of nothing | ILLEGAL REQUEST | INVALID FIELD IN PARAMETER LIST | the field |
//! | an authentication without a sequence | ILLEGAL REQUEST | INVALID FIELD IN CDB | CDB byte 2 |
//! | a sequence of another nexus has the logical unit | ABORTED COMMAND | CONFLICTING SA CREATION REQUEST | none |
//! | an authentication OUT that cannot be judged | ABORTED COMMAND | INTERNAL TARGET FAILURE | none |
//!
//! There a refusal also ends the sequence of its nexus, but for those that SPC-4 table 83 names: [`Sense::keeps_sequence`].

mod abandonment;
mod esp;
mod report;
mod report_spc4;

pub use abandonment::SequenceCommand;
pub(crate) use report::told_width;
pub use report::{Allowed, Rule};

use core::fmt;

use crate::crypto::{CryptoError, Identity, RandomError};
use crate::dialect::{Asc, ErrorClasses, Profile, SenseCodes};
use crate::keys::{Denial, ProtectError};
use crate::memory::OutOfMemory;
use crate::wire::{EmitError, Field, Header, WireError, WireErrorKind};

/// SENSE KEY values that this crate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SenseKey {
    /// 0h.
    NoSense,
    /// 2h.
    NotReady,
    /// 4h.
    HardwareError,
    /// 5h.
    IllegalRequest,
    /// 6h.
    UnitAttention,
    /// Bh.
    AbortedCommand,
}

impl SenseKey {
    /// The value in sense data.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NoSense => 0x0,
            Self::NotReady => 0x2,
            Self::HardwareError => 0x4,
            Self::IllegalRequest => 0x5,
            Self::UnitAttention => 0x6,
            Self::AbortedCommand => 0xB,
        }
    }
}

/// Sense key specific sense data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SenseKeySpecific {
    /// SKSV zero.
    None,
    /// A field pointer.
    Field {
        /// C/D: the field is in the CDB, not in the parameter list.
        in_cdb: bool,
        /// FIELD POINTER.
        byte: u16,
        /// BIT POINTER, with BPV set to one.
        bit: Option<u8>,
    },
    /// PROGRESS INDICATION in 65 536ths.
    Progress(u16),
}

impl SenseKeySpecific {
    const fn to_bytes(self) -> Option<[u8; 3]> {
        let (flags, value) = match self {
            Self::None => return None,
            Self::Field { in_cdb, byte, bit } => {
                let bit_pointer = match bit {
                    Some(bit) => 0x08 | (bit & 0x07),
                    None => 0,
                };
                (if in_cdb { 0xC0 } else { 0x80 } | bit_pointer, byte)
            }
            Self::Progress(progress) => (0x80, progress),
        };
        let [high, low] = value.to_be_bytes();
        Some([flags, high, low])
    }
}

/// Sense data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sense {
    /// SENSE KEY.
    pub key: SenseKey,
    /// ADDITIONAL SENSE CODE and its qualifier.
    pub asc: Asc,
    /// Sense key specific sense data.
    pub specific: SenseKeySpecific,
}

/// Sense data as bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SenseBytes {
    bytes: [u8; 18],
    len: u8,
}

impl AsRef<[u8]> for SenseBytes {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl fmt::Debug for SenseBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_ref())
    }
}

impl Sense {
    /// NO SENSE, NO ADDITIONAL SENSE INFORMATION.
    pub const NONE: Self = Self { key: SenseKey::NoSense, asc: Asc::new(0, 0), specific: SenseKeySpecific::None };

    /// UNIT ATTENTION, SA CREATION CAPABILITIES DATA HAS CHANGED: what an embedder tells the other nexuses when one has read
    /// changed capabilities (SPC-4 5.14.4.5).
    pub const CAPABILITIES_CHANGED: Self = Self {
        key: SenseKey::UnitAttention,
        asc: SenseCodes::Spc4.capabilities_changed(),
        specific: SenseKeySpecific::None,
    };

    /// NOT READY, LOGICAL UNIT NOT READY, SA CREATION IN PROGRESS without progress: what an embedder that speaks SPC-4 tells a
    /// command that has to wait for the end of a sequence (SPC-4 5.13.4).
    pub const SA_CREATION_IN_PROGRESS: Self = Self {
        key: SenseKey::NotReady,
        asc: SenseCodes::Spc4.operation_in_progress(),
        specific: SenseKeySpecific::None,
    };

    /// Fixed format, 18 bytes.
    #[must_use]
    pub fn to_fixed(&self) -> SenseBytes {
        let [s0, s1, s2] = self.specific.to_bytes().unwrap_or([0; 3]);
        let Asc { code, qualifier } = self.asc;
        let bytes = [0x70, 0, self.key.code(), 0, 0, 0, 0, 10, 0, 0, 0, 0, code, qualifier, 0, s0, s1, s2];
        SenseBytes { bytes, len: 18 }
    }

    /// Descriptor format, 8 bytes, or 16 with a sense key specific descriptor.
    #[must_use]
    pub fn to_descriptor(&self) -> SenseBytes {
        let Asc { code, qualifier } = self.asc;
        let specific = self.specific.to_bytes();
        let [s0, s1, s2] = specific.unwrap_or([0; 3]);
        let (kind, length, added, len) = if specific.is_some() { (2, 6, 8, 16) } else { (0, 0, 0, 8) };
        let bytes = [0x72, self.key.code(), code, qualifier, 0, 0, 0, added, kind, length, 0, 0, s0, s1, s2, 0, 0, 0];
        SenseBytes { bytes, len }
    }
}

impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match self.key {
            SenseKey::NoSense => "NO SENSE",
            SenseKey::NotReady => "NOT READY",
            SenseKey::HardwareError => "HARDWARE ERROR",
            SenseKey::IllegalRequest => "ILLEGAL REQUEST",
            SenseKey::UnitAttention => "UNIT ATTENTION",
            SenseKey::AbortedCommand => "ABORTED COMMAND",
        };
        write!(f, "{key}, {}", self.asc)?;
        match self.specific {
            SenseKeySpecific::None => Ok(()),
            SenseKeySpecific::Field { in_cdb, byte, bit } => {
                write!(f, ", {} byte {byte}", if in_cdb { "CDB" } else { "parameter list" })?;
                bit.map_or(Ok(()), |bit| write!(f, " bit {bit}"))
            }
            SenseKeySpecific::Progress(progress) => {
                let percent = u32::from(progress).saturating_mul(100).unbounded_shr(16);
                write!(f, ", progress {percent} %")
            }
        }
    }
}

/// What a refusal does to the command sequence besides leaving it where it was (reading R23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Consequence {
    /// Nothing.
    None,
    /// One more authentication failure; at the limit the sequence is abandoned.
    CountFailure,
    /// The sequence is abandoned (SPC-4 5.14.4.10).
    Abandon,
}

/// A bound on what a device server keeps or takes (reading R40). Their values are `server::Limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Nexuses with a command sequence.
    Nexuses,
    /// Running command sequences.
    Sequences,
    /// Security associations.
    Sas,
    /// Security associations of one identity.
    SasPerIdentity,
    /// Bytes that a running sequence keeps.
    Retained,
    /// Bytes of a parameter list.
    ParameterList,
    /// Payloads of a message.
    Payloads,
    /// CERT payloads of an authentication OUT.
    Certificates,
    /// Jobs.
    Jobs,
    /// Failed authentications in one sequence (reading R23).
    AuthenticationFailures,
    /// Memory: an allocation failed. It is the machine's bound, and no field of `server::Limits`.
    Memory,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nexuses => "nexuses with a command sequence",
            Self::Sequences => "running command sequences",
            Self::Sas => "security associations",
            Self::SasPerIdentity => "security associations of one identity",
            Self::Retained => "bytes kept by one command sequence",
            Self::Payloads => "payloads of a message",
            Self::Certificates => "certificates of an authentication",
            Self::Jobs => "jobs",
            Self::ParameterList => "bytes of a parameter list",
            Self::AuthenticationFailures => "failed authentications in one sequence",
            Self::Memory => "memory",
        })
    }
}

/// Who an application client said it is, and how it wanted to prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The identity asserted.
    pub identity: Identity,
    /// AUTH METHOD.
    pub method: u8,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A field of the parameter list.
    List(WireError),
    /// A field of a list that anybody could have sent, since nothing in it has been proved (SPC-4 7.7.3.8.2).
    Rejected(WireError),
    /// A Delete, or its check value, that belongs to no sequence and no association (SPC-4 table 523, reading S7).
    NothingToDelete(WireError),
    /// A field of the CDB.
    Cdb(WireError),
    /// Authentication failed, for whatever reason. Whose it was is told apart.
    Authentication {
        /// Offset of the Encrypted payload.
        at: usize,
        /// For the embedder alone.
        why: Denial,
    },
    /// The command is out of its turn, or belongs to another command sequence than the one that runs.
    OperationInProgress {
        /// Commands of the running sequence that are done.
        done: u8,
        /// Commands that the running sequence has.
        of: u8,
    },
    /// The command waits for a calculation.
    Calculating {
        /// PROGRESS INDICATION, from the clock alone.
        progress: u16,
    },
    /// Nothing is in progress.
    InvalidSequence {
        /// The command is a Delete, whose SAIs in the parameter list are at fault.
        is_delete: bool,
    },
    /// An authentication without a sequence to belong to (SPC-4 table 556).
    NoSequence,
    /// Another nexus's sequence has the logical unit (SPC-4 5.14.4.1).
    Conflict,
    /// An authentication OUT that cannot be judged: the provider or the key store failed (SPC-4 5.14.4.7.2).
    Unable,
    /// A limit of what is kept.
    InsufficientResources {
        /// Which.
        limit: Limit,
    },
    /// The random source, the provider or the key store failed.
    Internal,
}

impl From<ProtectError> for Refusal {
    fn from(error: ProtectError) -> Self {
        match error {
            ProtectError::Wire(error) => Self::List(error),
            ProtectError::Crypto(error) => error.into(),
        }
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self::List(error)
    }
}

impl From<CryptoError> for Refusal {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Memory => OutOfMemory.into(),
            _ => Self::Internal,
        }
    }
}

impl From<OutOfMemory> for Refusal {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::InsufficientResources { limit: Limit::Memory }
    }
}

impl From<RandomError> for Refusal {
    fn from(_: RandomError) -> Self {
        Self::Internal
    }
}

impl From<EmitError> for Refusal {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::Memory => OutOfMemory.into(),
            _ => Self::Internal,
        }
    }
}

impl Refusal {
    /// The sense data.
    #[must_use]
    pub fn sense(&self, codes: SenseCodes) -> Sense {
        let illegal = |asc, specific| Sense { key: SenseKey::IllegalRequest, asc, specific };
        let not_ready =
            |asc, progress| Sense { key: SenseKey::NotReady, asc, specific: SenseKeySpecific::Progress(progress) };
        let aborted = |asc| Sense { key: SenseKey::AbortedCommand, asc, specific: SenseKeySpecific::None };
        match self {
            Self::List(error) => illegal(list_asc(codes, error.kind), list_pointer(codes, error)),
            Self::Rejected(error) => illegal(codes.parameter_value_rejected(), list_pointer(codes, error)),
            Self::NothingToDelete(error) => {
                illegal(codes.invalid_field_in_parameter_list(), list_pointer(codes, error))
            }
            Self::Cdb(error) => illegal(cdb_asc(codes, error.field), pointer(true, error)),
            Self::Authentication { .. } if codes.aborts() => aborted(codes.authentication_failed()),
            Self::Authentication { at, .. } => illegal(codes.authentication_failed(), field(false, *at)),
            Self::OperationInProgress { done, of } => not_ready(codes.operation_in_progress(), fraction(*done, *of)),
            Self::Calculating { progress } => not_ready(codes.calculation_in_progress(), *progress),
            Self::InvalidSequence { is_delete: true } => illegal(codes.invalid_command_sequence(), field(false, 0)),
            Self::InvalidSequence { is_delete: false } => {
                illegal(codes.invalid_command_sequence(), field(true, SPECIFIC_AT))
            }
            Self::NoSequence => illegal(codes.invalid_field_in_cdb(), field(true, SPECIFIC_AT)),
            Self::Conflict => aborted(codes.conflicting_request()),
            Self::Unable => aborted(codes.internal_target_failure()),
            Self::InsufficientResources { .. } => illegal(codes.insufficient_resources(), field(true, SPECIFIC_AT)),
            Self::Internal => Sense {
                key: SenseKey::HardwareError,
                asc: codes.internal_target_failure(),
                specific: SenseKeySpecific::None,
            },
        }
    }

    /// The limit that the command met, if one is why it is refused.
    #[must_use]
    pub const fn limit(&self) -> Option<Limit> {
        match self {
            Self::InsufficientResources { limit } => Some(*limit),
            Self::Authentication { why: Denial::TooManyAssociations, .. } => Some(Limit::SasPerIdentity),
            Self::Authentication { why: Denial::TooManyCertificates, .. } => Some(Limit::Certificates),
            Self::Cdb(WireError { field: Field::TransferLength, .. }) => Some(Limit::ParameterList),
            _ => None,
        }
    }

    /// What else the refusal of a command does; `command` is `None` for a command that has nothing to do with sequences.
    #[must_use]
    pub fn consequence(&self, profile: Profile, command: Option<SequenceCommand>) -> Consequence {
        match profile.rules().classes {
            ErrorClasses::One if matches!(self, Self::Authentication { .. }) => Consequence::CountFailure,
            ErrorClasses::One => Consequence::None,
            ErrorClasses::Two => match command {
                Some(command) if !self.sense(profile.codes()).keeps_sequence(command) => Consequence::Abandon,
                _ => Consequence::None,
            },
        }
    }
}

/// Offset in the CDB of SECURITY PROTOCOL SPECIFIC.
const SPECIFIC_AT: usize = 2;
/// Offset in the CDB of TRANSFER LENGTH.
const TRANSFER_LENGTH_AT: usize = 6;

const fn list_asc(codes: SenseCodes, kind: WireErrorKind) -> Asc {
    match kind {
        WireErrorKind::UnrecognisedCritical => codes.parameter_not_supported(),
        WireErrorKind::Missing => codes.parameter_list_incomplete(),
        WireErrorKind::Invalid
        | WireErrorKind::Length
        | WireErrorKind::NotOffered
        | WireErrorKind::OutOfPlace
        | WireErrorKind::NoHeader => codes.parameter_value_invalid(),
    }
}

const fn cdb_asc(codes: SenseCodes, field: Field) -> Asc {
    match field {
        Field::OperationCode => codes.invalid_operation_code(),
        _ => codes.invalid_field_in_cdb(),
    }
}

fn list_pointer(codes: SenseCodes, error: &WireError) -> SenseKeySpecific {
    match error.kind {
        WireErrorKind::NoHeader if codes.blames_length() => field(false, Header::LENGTH_AT),
        WireErrorKind::NoHeader => field(true, TRANSFER_LENGTH_AT),
        _ => pointer(false, error),
    }
}

fn pointer(in_cdb: bool, error: &WireError) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb, byte: saturate(error.byte), bit: error.bit }
}

fn field(in_cdb: bool, byte: usize) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb, byte: saturate(byte), bit: None }
}

fn saturate(byte: usize) -> u16 {
    u16::try_from(byte).unwrap_or(u16::MAX)
}

/// `done` of `of` in 65 536ths.
fn fraction(done: u8, of: u8) -> u16 {
    let parts = u32::from(done).saturating_mul(65_536).checked_div(u32::from(of)).unwrap_or(0);
    u16::try_from(parts).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
