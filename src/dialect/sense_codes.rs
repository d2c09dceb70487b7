//! Additional sense codes, as data (reading R20).

use core::fmt;

/// ADDITIONAL SENSE CODE and ADDITIONAL SENSE CODE QUALIFIER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asc {
    /// ADDITIONAL SENSE CODE.
    pub code: u8,
    /// ADDITIONAL SENSE CODE QUALIFIER.
    pub qualifier: u8,
}

impl Asc {
    /// A pair of code and qualifier.
    #[must_use]
    pub const fn new(code: u8, qualifier: u8) -> Self {
        Self { code, qualifier }
    }
}

impl fmt::Display for Asc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}h/{:02X}h", self.code, self.qualifier)
    }
}

/// The additional sense codes of a logical unit (reading R20).
///
/// r3 recommends codes for its new conditions; later some were assigned to other conditions, and hosts' tables of today
/// know the assigned ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SenseCodes {
    /// The codes that r3 recommends.
    #[default]
    R3,
    /// The codes that were assigned afterwards, under which hosts know the same conditions.
    Assigned,
    /// Those of SPC-4, which tells two classes of errors apart; with r3 the same as [`SenseCodes::Assigned`].
    Spc4,
}

impl SenseCodes {
    /// IKEv2-SCSI PARAMETER VALUE INVALID.
    #[must_use]
    pub const fn parameter_value_invalid(self) -> Asc {
        match self {
            Self::R3 => Asc::new(0x74, 0x30),
            Self::Assigned | Self::Spc4 => Asc::new(0x74, 0x10),
        }
    }

    /// SA CREATION PARAMETER VALUE REJECTED, for what anybody could have sent; elsewhere the same as
    /// [`SenseCodes::parameter_value_invalid`].
    #[must_use]
    pub const fn parameter_value_rejected(self) -> Asc {
        match self {
            Self::R3 | Self::Assigned => self.parameter_value_invalid(),
            Self::Spc4 => Asc::new(0x74, 0x11),
        }
    }

    /// INVALID FIELD IN PARAMETER LIST (SPC-4): the SAIs of a Delete name nothing.
    #[must_use]
    pub const fn invalid_field_in_parameter_list(self) -> Asc {
        Asc::new(0x26, 0x00)
    }

    /// Whether a failed authentication is ABORTED COMMAND, and not ILLEGAL REQUEST (reading R21; SPC-4 7.7.3.5.7).
    pub(crate) const fn aborts(self) -> bool {
        matches!(self, Self::Spc4)
    }

    /// Whether a list that is too short is blamed on its LENGTH field, and not on the CDB (reading R36; question Q18).
    pub(crate) const fn blames_length(self) -> bool {
        matches!(self, Self::Spc4)
    }

    /// CONFLICTING SA CREATION REQUEST (SPC-4).
    #[must_use]
    pub const fn conflicting_request(self) -> Asc {
        Asc::new(0x00, 0x1E)
    }

    /// SA CREATION CAPABILITIES DATA HAS CHANGED (SPC-4), a unit attention.
    #[must_use]
    pub const fn capabilities_changed(self) -> Asc {
        Asc::new(0x2A, 0x14)
    }

    /// IKEv2-SCSI PARAMETER NOT SUPPORTED.
    #[must_use]
    pub const fn parameter_not_supported(self) -> Asc {
        match self {
            Self::R3 => Asc::new(0x74, 0x31),
            Self::Assigned | Self::Spc4 => Asc::new(0x74, 0x30),
        }
    }

    /// PARAMETER LIST INCOMPLETE.
    #[must_use]
    pub const fn parameter_list_incomplete(self) -> Asc {
        match self {
            Self::R3 => Asc::new(0x26, 0x13),
            Self::Assigned | Self::Spc4 => Asc::new(0x74, 0x10),
        }
    }

    /// IKEv2-SCSI OPERATION IN PROGRESS.
    #[must_use]
    pub const fn operation_in_progress(self) -> Asc {
        match self {
            Self::R3 => Asc::new(0x00, 0x1E),
            Self::Assigned | Self::Spc4 => Asc::new(0x04, 0x13),
        }
    }

    /// AUTHENTICATION FAILED.
    #[must_use]
    pub const fn authentication_failed(self) -> Asc {
        Asc::new(0x74, 0x40)
    }

    /// IKEv2-SCSI INVALID COMMAND SEQUENCE.
    #[must_use]
    pub const fn invalid_command_sequence(self) -> Asc {
        Asc::new(0x2C, 0x00)
    }

    /// LOGICAL UNIT NOT READY, OPERATION IN PROGRESS: a calculation is running.
    #[must_use]
    pub const fn calculation_in_progress(self) -> Asc {
        match self {
            Self::R3 | Self::Assigned => Asc::new(0x04, 0x07),
            Self::Spc4 => self.operation_in_progress(),
        }
    }

    /// INVALID COMMAND OPERATION CODE.
    #[must_use]
    pub const fn invalid_operation_code(self) -> Asc {
        Asc::new(0x20, 0x00)
    }

    /// INVALID FIELD IN CDB.
    #[must_use]
    pub const fn invalid_field_in_cdb(self) -> Asc {
        Asc::new(0x24, 0x00)
    }

    /// INSUFFICIENT RESOURCES (reading R40).
    #[must_use]
    pub const fn insufficient_resources(self) -> Asc {
        Asc::new(0x55, 0x03)
    }

    /// INTERNAL TARGET FAILURE (reading R40).
    #[must_use]
    pub const fn internal_target_failure(self) -> Asc {
        Asc::new(0x44, 0x00)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reading R20's table and the sentence below it.
    #[test]
    fn codes_are_those_of_reading_r20() {
        let r3 = SenseCodes::R3;
        assert_eq!(r3.parameter_value_invalid(), Asc::new(0x74, 0x30));
        assert_eq!(r3.parameter_not_supported(), Asc::new(0x74, 0x31));
        assert_eq!(r3.parameter_list_incomplete(), Asc::new(0x26, 0x13));
        assert_eq!(r3.operation_in_progress(), Asc::new(0x00, 0x1E));
        let assigned = SenseCodes::Assigned;
        assert_eq!(assigned.parameter_value_invalid(), Asc::new(0x74, 0x10));
        assert_eq!(assigned.parameter_not_supported(), Asc::new(0x74, 0x30));
        assert_eq!(assigned.parameter_list_incomplete(), Asc::new(0x74, 0x10));
        assert_eq!(assigned.operation_in_progress(), Asc::new(0x04, 0x13));
        for codes in [r3, assigned] {
            assert_eq!(codes.authentication_failed(), Asc::new(0x74, 0x40));
            assert_eq!(codes.invalid_command_sequence(), Asc::new(0x2C, 0x00));
            assert_eq!(codes.calculation_in_progress(), Asc::new(0x04, 0x07));
            assert_eq!(codes.invalid_field_in_cdb(), Asc::new(0x24, 0x00));
        }
    }
}
