//! What an assertion expects of a command, what it saw, and how it ended.

use std::fmt;

use ikev2_scsi::client::{DeviceSense, DeviceSenseSpecific};
use ikev2_scsi::dialect::Asc;
use ikev2_scsi::{Dialect, Profile, SenseCodes};

use crate::status;

/// Why an assertion did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The device server did something else.
    Failed {
        /// What the clause has it do.
        expected: String,
        /// What it did.
        seen: String,
    },
    /// It cannot be seen here.
    Skipped(String),
    /// The transport failed, or something of our own.
    Broken(String),
}

impl Stop {
    /// A failure.
    pub(super) fn failed(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Failed { expected: expected.into(), seen: seen.into() }
    }

    /// A skipped assertion.
    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }
}

/// How an assertion's run ends.
pub(super) type Ended = Result<(), Stop>;

/// Fails unless two values are the same.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, expected: T, seen: T) -> Ended {
    if expected == seen { Ok(()) } else { Err(Stop::failed(format!("{what} {expected:02X?}"), format!("{seen:02X?}"))) }
}

/// Fails unless something holds.
pub(super) fn holds(expected: &str, is_so: bool, seen: impl FnOnce() -> String) -> Ended {
    if is_so { Ok(()) } else { Err(Stop::failed(expected, seen())) }
}

/// Why a command is refused, as far as the dialects name causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A value is wrong: IKEv2-SCSI PARAMETER VALUE INVALID, SA CREATION PARAMETER VALUE INVALID.
    Value,
    /// The same where anybody could have sent it: in SPC-4 SA CREATION PARAMETER VALUE REJECTED.
    Rejected,
    /// Something required is absent.
    Incomplete,
    /// A payload that is not recognised has CRIT set to one.
    NotSupported,
    /// AUTHENTICATION FAILED.
    Denied,
    /// NOT READY: a command out of its turn, or of another sequence.
    Busy,
    /// There is no sequence that the key exchange IN could belong to.
    Sequence,
    /// There is no sequence that an authentication command could belong to.
    NoSequence,
    /// A Delete names nothing.
    NothingToDelete,
    /// INVALID FIELD IN CDB.
    Cdb,
}

impl Cause {
    /// SENSE KEY, ADDITIONAL SENSE CODE and qualifier.
    pub(super) const fn code(self, profile: Profile) -> (u8, Asc) {
        let is_r3 = matches!(profile.dialect, Dialect::R3);
        let codes = match (profile.dialect, profile.sense_codes) {
            (Dialect::R3, SenseCodes::Spc4) => SenseCodes::Assigned,
            (Dialect::R3, codes) => codes,
            _ => SenseCodes::Spc4,
        };
        match self {
            Self::Value => (5, codes.parameter_value_invalid()),
            Self::Rejected => (5, codes.parameter_value_rejected()),
            Self::Incomplete => (5, codes.parameter_list_incomplete()),
            Self::NotSupported => (5, codes.parameter_not_supported()),
            Self::Denied => (if is_r3 { 5 } else { 0xB }, codes.authentication_failed()),
            Self::Busy => (2, codes.operation_in_progress()),
            Self::Sequence => (5, codes.invalid_command_sequence()),
            Self::NoSequence if is_r3 => (5, codes.invalid_command_sequence()),
            Self::NothingToDelete if is_r3 => (5, codes.invalid_command_sequence()),
            Self::NothingToDelete => (5, codes.invalid_field_in_parameter_list()),
            Self::NoSequence | Self::Cdb => (5, codes.invalid_field_in_cdb()),
        }
    }
}

/// Where sense data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointer {
    /// No dialect fixes it.
    Any,
    /// There is none.
    Absent,
    /// A byte of the parameter list.
    List(usize),
    /// A bit of it.
    ListBit(usize, u8),
    /// A byte of the CDB.
    Cdb(usize),
    /// A bit of it.
    CdbBit(usize, u8),
}

impl Pointer {
    fn is_told_by(self, specific: DeviceSenseSpecific) -> bool {
        let place = match self {
            Self::Any => return true,
            Self::Absent => return !matches!(specific, DeviceSenseSpecific::Field { .. }),
            Self::List(byte) => (false, byte, None),
            Self::ListBit(byte, bit) => (false, byte, Some(bit)),
            Self::Cdb(byte) => (true, byte, None),
            Self::CdbBit(byte, bit) => (true, byte, Some(bit)),
        };
        let (in_cdb, byte, bit) = place;
        u16::try_from(byte).is_ok_and(|byte| specific == DeviceSenseSpecific::Field { in_cdb, byte, bit })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Absent => write!(f, ", no field pointer"),
            Self::List(byte) => write!(f, ", parameter list byte {byte}"),
            Self::ListBit(byte, bit) => write!(f, ", parameter list byte {byte} bit {bit}"),
            Self::Cdb(byte) => write!(f, ", CDB byte {byte}"),
            Self::CdbBit(byte, bit) => write!(f, ", CDB byte {byte} bit {bit}"),
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: u8,
    pub(super) data: Vec<u8>,
    pub(super) sense: Vec<u8>,
}

impl Seen {
    pub(super) const fn is_good(&self) -> bool {
        self.status == status::GOOD
    }

    pub(super) fn told(&self) -> Option<DeviceSense> {
        DeviceSense::parse(&self.sense)
    }

    /// Whether it is CHECK CONDITION with this cause's sense key and code.
    pub(super) fn is(&self, profile: Profile, cause: Cause) -> bool {
        let (key, asc) = cause.code(profile);
        self.status == status::CHECK_CONDITION && self.told().is_some_and(|sense| (sense.key, sense.asc) == (key, asc))
    }

    /// Fails unless the status is GOOD.
    pub(super) fn good(&self, what: &str) -> Ended {
        if self.is_good() { Ok(()) } else { Err(Stop::failed(format!("{what}: GOOD"), self.to_string())) }
    }

    /// Fails unless it is CHECK CONDITION with these sense data.
    pub(super) fn refused(&self, profile: Profile, what: &str, cause: Cause, pointer: Pointer) -> Ended {
        let told = self.told().map(|sense| sense.specific);
        if self.is(profile, cause) && told.is_some_and(|specific| pointer.is_told_by(specific)) {
            return Ok(());
        }
        let (key, asc) = cause.code(profile);
        let expected = format!("{what}: CHECK CONDITION, sense key {key:X}h, {asc}{pointer}");
        Err(Stop::failed(expected, self.to_string()))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.told()) {
            (status::GOOD, _) => write!(f, "GOOD, {} bytes of Data-In", self.data.len()),
            (status::CHECK_CONDITION, Some(sense)) => write!(f, "CHECK CONDITION, {sense}"),
            (status::CHECK_CONDITION, None) => write!(f, "CHECK CONDITION without sense data that can be read"),
            (other, _) => write!(f, "status {other:02X}h, {}", status::name(other)),
        }
    }
}
