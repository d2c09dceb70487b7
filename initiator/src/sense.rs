//! Sense data in words: sense keys, and additional sense codes as both dialects name them (readings R20, R40; SPC-4 4.5.6
//! and its annex of codes).
//!
//! The two dialects gave some codes two meanings. Where the dialect is not known, both are told.

use std::fmt;

use ikev2_scsi::Dialect;
use ikev2_scsi::client::{DeviceSense, DeviceSenseSpecific};
use ikev2_scsi::dialect::Asc;

/// Names of the sense keys.
const KEYS: [&str; 16] = [
    "NO SENSE",
    "RECOVERED ERROR",
    "NOT READY",
    "MEDIUM ERROR",
    "HARDWARE ERROR",
    "ILLEGAL REQUEST",
    "UNIT ATTENTION",
    "DATA PROTECT",
    "BLANK CHECK",
    "VENDOR SPECIFIC",
    "COPY ABORTED",
    "ABORTED COMMAND",
    "reserved sense key",
    "VOLUME OVERFLOW",
    "MISCOMPARE",
    "COMPLETED",
];

/// Codes as r3 recommends them, where SPC-4 has none or another meaning.
const R3: [(u8, u8, &str); 5] = [
    (0x00, 0x1E, "IKEv2-SCSI OPERATION IN PROGRESS"),
    (0x26, 0x13, "PARAMETER LIST INCOMPLETE"),
    (0x2C, 0x00, "IKEv2-SCSI INVALID COMMAND SEQUENCE"),
    (0x74, 0x30, "IKEv2-SCSI PARAMETER VALUE INVALID"),
    (0x74, 0x31, "IKEv2-SCSI PARAMETER NOT SUPPORTED"),
];

/// Assigned codes that an application client may meet.
pub const ASSIGNED: [(u8, u8, &str); 41] = [
    (0x00, 0x00, "NO ADDITIONAL SENSE INFORMATION"),
    (0x00, 0x16, "OPERATION IN PROGRESS"),
    (0x00, 0x1E, "CONFLICTING SA CREATION REQUEST"),
    (0x04, 0x00, "LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE"),
    (0x04, 0x01, "LOGICAL UNIT IS IN PROCESS OF BECOMING READY"),
    (0x04, 0x02, "LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED"),
    (0x04, 0x03, "LOGICAL UNIT NOT READY, MANUAL INTERVENTION REQUIRED"),
    (0x04, 0x07, "LOGICAL UNIT NOT READY, OPERATION IN PROGRESS"),
    (0x04, 0x13, "LOGICAL UNIT NOT READY, SA CREATION IN PROGRESS"),
    (0x1A, 0x00, "PARAMETER LIST LENGTH ERROR"),
    (0x20, 0x00, "INVALID COMMAND OPERATION CODE"),
    (0x20, 0x02, "ACCESS DENIED - NO ACCESS RIGHTS"),
    (0x24, 0x00, "INVALID FIELD IN CDB"),
    (0x25, 0x00, "LOGICAL UNIT NOT SUPPORTED"),
    (0x26, 0x00, "INVALID FIELD IN PARAMETER LIST"),
    (0x26, 0x13, "APPLICATION TAG MODE PAGE IS INVALID"),
    (0x28, 0x00, "NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED"),
    (0x29, 0x00, "POWER ON, RESET, OR BUS DEVICE RESET OCCURRED"),
    (0x29, 0x01, "POWER ON OCCURRED"),
    (0x29, 0x02, "SCSI BUS RESET OCCURRED"),
    (0x29, 0x03, "BUS DEVICE RESET FUNCTION OCCURRED"),
    (0x29, 0x04, "DEVICE INTERNAL RESET"),
    (0x29, 0x07, "I_T NEXUS LOSS OCCURRED"),
    (0x2A, 0x01, "MODE PARAMETERS CHANGED"),
    (0x2A, 0x03, "RESERVATIONS PREEMPTED"),
    (0x2A, 0x14, "SA CREATION CAPABILITIES DATA HAS CHANGED"),
    (0x2C, 0x00, "COMMAND SEQUENCE ERROR"),
    (0x2F, 0x00, "COMMANDS CLEARED BY ANOTHER INITIATOR"),
    (0x3A, 0x00, "MEDIUM NOT PRESENT"),
    (0x3F, 0x0E, "REPORTED LUNS DATA HAS CHANGED"),
    (0x44, 0x00, "INTERNAL TARGET FAILURE"),
    (0x55, 0x03, "INSUFFICIENT RESOURCES"),
    (0x74, 0x00, "SECURITY ERROR"),
    (0x74, 0x01, "UNABLE TO DECRYPT DATA"),
    (0x74, 0x0C, "UNABLE TO DECRYPT PARAMETER LIST"),
    (0x74, 0x10, "SA CREATION PARAMETER VALUE INVALID"),
    (0x74, 0x11, "SA CREATION PARAMETER VALUE REJECTED"),
    (0x74, 0x12, "INVALID SA USAGE"),
    (0x74, 0x30, "SA CREATION PARAMETER NOT SUPPORTED"),
    (0x74, 0x40, "AUTHENTICATION FAILED"),
    (0x74, 0x71, "LOGICAL UNIT ACCESS NOT AUTHORIZED"),
];

/// The name of a sense key, of its four lower bits.
#[must_use]
pub fn key_name(key: u8) -> &'static str {
    KEYS.get(usize::from(key & 0x0F)).copied().unwrap_or_default()
}

fn find(table: &[(u8, u8, &'static str)], asc: Asc) -> Option<&'static str> {
    let row = table.iter().find(|(code, qualifier, _)| (*code, *qualifier) == (asc.code, asc.qualifier));
    row.map(|(_, _, name)| *name)
}

/// Sense data, to be shown in words.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// What the device server returned.
    pub sense: DeviceSense,
    /// The dialect it speaks, if that is known.
    pub dialect: Option<Dialect>,
}

impl Named {
    /// What the additional sense code is called: by the dialect; where it is not known, by r3 and by SPC-4.
    #[must_use]
    pub fn asc_name(&self) -> Option<String> {
        let (r3, assigned) = (find(&R3, self.sense.asc), find(&ASSIGNED, self.sense.asc));
        match (self.dialect, r3, assigned) {
            (Some(Dialect::R3) | None, Some(name), None) => Some(name.to_owned()),
            (Some(Dialect::R3), Some(name), Some(assigned)) => Some(format!("{name} (as assigned later: {assigned})")),
            (None, Some(name), Some(assigned)) => Some(format!("{assigned} (in r3: {name})")),
            (_, _, name) => name.map(str::to_owned),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sense, .. } = self;
        let deferred = if sense.is_deferred { "deferred error, " } else { "" };
        write!(f, "{deferred}{}", key_name(sense.key))?;
        match self.asc_name() {
            Some(name) => write!(f, ", {name} ({})", sense.asc)?,
            None => write!(f, ", additional sense code {}", sense.asc)?,
        }
        match sense.specific {
            DeviceSenseSpecific::None => Ok(()),
            DeviceSenseSpecific::Field { in_cdb, byte, bit } => {
                write!(f, ", in byte {byte}")?;
                if let Some(bit) = bit {
                    write!(f, " bit {bit}")?;
                }
                write!(f, " of the {}", if in_cdb { "CDB" } else { "parameter list" })
            }
            DeviceSenseSpecific::Progress(progress) => write!(f, ", {} % done", percent(progress)),
        }
    }
}

/// A PROGRESS INDICATION of 65 536ths as a percentage, 0 to 99.
#[must_use]
pub fn percent(progress: u16) -> u8 {
    let percent = u32::from(progress).saturating_mul(100).unbounded_shr(16);
    u8::try_from(percent).unwrap_or(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bytes: &[u8], dialect: Option<Dialect>) -> String {
        Named { sense: DeviceSense::parse(bytes).unwrap(), dialect }.to_string()
    }

    /// r3's editor's notes recommend 74h/30h and 00h/1Eh for what was assigned other meanings afterwards.
    #[test]
    fn codes_of_two_meanings_by_dialect() {
        let value = [0xF0, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x74, 0x30, 0, 0x8C, 0x00, 0x13];
        let end = " in byte 19 bit 4 of the parameter list";
        assert_eq!(
            named(&value, Some(Dialect::R3)),
            format!(
                "ILLEGAL REQUEST, IKEv2-SCSI PARAMETER VALUE INVALID (as assigned later: SA CREATION PARAMETER NOT \
                 SUPPORTED) (74h/30h),{end}"
            )
        );
        assert_eq!(
            named(&value, Some(Dialect::Spc4)),
            format!("ILLEGAL REQUEST, SA CREATION PARAMETER NOT SUPPORTED (74h/30h),{end}")
        );
        assert_eq!(
            named(&[0x72, 0xB, 0x00, 0x1E], None),
            "ABORTED COMMAND, CONFLICTING SA CREATION REQUEST (in r3: IKEv2-SCSI OPERATION IN PROGRESS) (00h/1Eh)"
        );
    }

    #[test]
    fn progress_deferred_errors_and_codes_without_a_name() {
        let busy = [0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x04, 0x07, 0, 0x80, 0x40, 0x00];
        assert_eq!(named(&busy, None), "NOT READY, LOGICAL UNIT NOT READY, OPERATION IN PROGRESS (04h/07h), 25 % done");
        assert_eq!(named(&[0x73, 4, 0x99, 1], None), "deferred error, HARDWARE ERROR, additional sense code 99h/01h");
        assert_eq!((percent(0), percent(0x8000), percent(u16::MAX)), (0, 50, 99));
        let in_cdb = [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0xC0, 0, 2];
        assert_eq!(
            named(&in_cdb, Some(Dialect::Spc4)),
            "ILLEGAL REQUEST, INVALID FIELD IN CDB (24h/00h), in byte 2 of the CDB"
        );
    }

    #[test]
    fn no_code_is_named_twice() {
        for table in [&R3[..], &ASSIGNED[..]] {
            let mut codes: Vec<_> = table.iter().map(|(code, qualifier, _)| (code, qualifier)).collect();
            codes.dedup();
            assert!(codes.len() == table.len() && codes.is_sorted());
        }
    }
}
