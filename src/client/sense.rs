//! Sense data as an application client reads it: fixed and descriptor format (SPC-4 4.5; r3 5.13.4.6, 5.13.7), and what it
//! says of a running sequence (SPC-4 table 83, 5.14.4.5).
//!
//! What lives here: decoding. What does not: making sense data, which is the device server's half (room `sense`).

use core::fmt;

use super::error::Step;
use crate::dialect::{Asc, ErrorClasses, Profile};

/// Sense key specific sense data that came with a CHECK CONDITION.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceSenseSpecific {
    /// SKSV zero, or a sense key for which this crate knows none.
    None,
    /// ILLEGAL REQUEST: the field at fault.
    Field {
        /// C/D: the field is in the CDB, not in the parameter list.
        in_cdb: bool,
        /// FIELD POINTER.
        byte: u16,
        /// BIT POINTER, if BPV is set to one.
        bit: Option<u8>,
    },
    /// NOT READY, NO SENSE: PROGRESS INDICATION in 65 536ths.
    Progress(u16),
}

/// Sense data that a device server returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceSense {
    /// SENSE KEY, 0h to Fh.
    pub key: u8,
    /// ADDITIONAL SENSE CODE and its qualifier; zero where the sense data ended before them.
    pub asc: Asc,
    /// Sense key specific sense data.
    pub specific: DeviceSenseSpecific,
    /// A deferred error: it belongs to an earlier command, and this one was not processed.
    pub is_deferred: bool,
}

const NO_SENSE: u8 = 0x0;
const NOT_READY: u8 = 0x2;
const ILLEGAL_REQUEST: u8 = 0x5;
const UNIT_ATTENTION: u8 = 0x6;
const ABORTED_COMMAND: u8 = 0xB;

/// UNABLE TO DECRYPT PARAMETER LIST, which SPC-4 table 83 lists and this project never sends (reading S7).
const UNABLE_TO_DECRYPT: Asc = Asc::new(0x74, 0x0C);

impl DeviceSense {
    /// Reads sense data in fixed format (70h, 71h) or descriptor format (72h, 73h); `None` for anything else.
    ///
    /// Sense data may be cut at any byte: what is not there counts as zero.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let response_code = bytes.first()? & 0x7F;
        let (key, asc, specific) = match response_code {
            0x70 | 0x71 => (bytes.get(2)?, Asc::new(at(12), at(13)), [at(15), at(16), at(17)]),
            0x72 | 0x73 => (bytes.get(1)?, Asc::new(at(2), at(3)), descriptor_specific(bytes)),
            _ => return None,
        };
        let key = key & 0x0F;
        Some(Self { key, asc, specific: specific_of(key, specific), is_deferred: response_code & 1 == 1 })
    }

    /// PROGRESS INDICATION in 65 536ths, if there is one.
    #[must_use]
    pub const fn progress(&self) -> Option<u16> {
        match self.specific {
            DeviceSenseSpecific::Progress(progress) => Some(progress),
            DeviceSenseSpecific::None | DeviceSenseSpecific::Field { .. } => None,
        }
    }

    /// True if the command was not judged, only put off: NOT READY, UNIT ATTENTION, or a deferred error.
    const fn is_put_off(&self) -> bool {
        self.is_deferred || matches!(self.key, NOT_READY | UNIT_ATTENTION)
    }

    /// What becomes of the command.
    pub(super) fn verdict(&self, profile: Profile, step: Step) -> Verdict {
        let (rules, codes) = (profile.rules(), profile.codes());
        let changed = self.key == UNIT_ATTENTION && self.asc == codes.capabilities_changed();
        let conflicts = self.key == ABORTED_COMMAND && self.asc == codes.conflicting_request();
        match step {
            _ if self.is_deferred => Verdict::PutOff,
            Step::KeyExchangeOut if changed && rules.capabilities_wait_to_be_read => Verdict::CapabilitiesChanged,
            _ if self.is_put_off() => Verdict::PutOff,
            Step::KeyExchangeOut if conflicts && rules.may_be_exclusive => Verdict::PutOff,
            Step::AuthenticationOut | Step::KeyExchangeIn if rules.classes == ErrorClasses::Two => {
                let not_ended_by = match step {
                    Step::KeyExchangeIn => [codes.invalid_field_in_cdb(); 2],
                    _ => [codes.parameter_value_rejected(), UNABLE_TO_DECRYPT],
                };
                match self.key == ILLEGAL_REQUEST && not_ended_by.contains(&self.asc) {
                    true => Verdict::RefusedAlone,
                    false => Verdict::Refused,
                }
            }
            _ => Verdict::Refused,
        }
    }
}

/// What a CHECK CONDITION does to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was not judged: again, after a while.
    PutOff,
    /// It was not judged, and what it was made of no longer holds (SPC-4 5.14.4.5).
    CapabilitiesChanged,
    /// It is refused; in SPC-4 the sequence is over (SPC-4 table 83).
    Refused,
    /// It is refused, and in SPC-4 the sequence goes on without it (SPC-4 7.7.3.8.2, table 83).
    RefusedAlone,
}

/// The three bytes of the sense key specific descriptor (type 02h); zeros without one.
fn descriptor_specific(bytes: &[u8]) -> [u8; 3] {
    let mut rest = bytes.get(8..).unwrap_or(&[]);
    while let Some((&[kind, length], body)) = rest.split_first_chunk() {
        if kind == 0x02 {
            return body.get(2..5).and_then(|found| found.try_into().ok()).unwrap_or([0; 3]);
        }
        rest = body.get(usize::from(length)..).unwrap_or(&[]);
    }
    [0; 3]
}

fn specific_of(key: u8, [flags, high, low]: [u8; 3]) -> DeviceSenseSpecific {
    let value = u16::from_be_bytes([high, low]);
    match key {
        _ if flags & 0x80 == 0 => DeviceSenseSpecific::None,
        NO_SENSE | NOT_READY => DeviceSenseSpecific::Progress(value),
        ILLEGAL_REQUEST => DeviceSenseSpecific::Field {
            in_cdb: flags & 0x40 != 0,
            byte: value,
            bit: (flags & 0x08 != 0).then_some(flags & 0x07),
        },
        _ => DeviceSenseSpecific::None,
    }
}

impl fmt::Display for DeviceSense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deferred = if self.is_deferred { "deferred, " } else { "" };
        write!(f, "{deferred}sense key {:X}h, {}", self.key, self.asc)?;
        match self.specific {
            DeviceSenseSpecific::None => Ok(()),
            DeviceSenseSpecific::Field { in_cdb, byte, bit } => {
                write!(f, ", {} byte {byte}", if in_cdb { "CDB" } else { "parameter list" })?;
                bit.map_or(Ok(()), |bit| write!(f, " bit {bit}"))
            }
            DeviceSenseSpecific::Progress(progress) => {
                let percent = u32::from(progress).saturating_mul(100).unbounded_shr(16);
                write!(f, ", progress {percent} %")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: [u8; 18] = [0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x04, 0x07, 0, 0x80, 0x40, 0x00];
    const POINTER: [u8; 18] = [0xF0, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x74, 0x30, 0, 0xCC, 0x00, 0x13];

    #[test]
    fn fixed_format() {
        let sense = DeviceSense::parse(&FIXED).unwrap();
        assert_eq!((sense.key, sense.asc, sense.progress()), (2, Asc::new(0x04, 0x07), Some(0x4000)));
        assert!(sense.is_put_off() && !sense.is_deferred);
        let sense = DeviceSense::parse(&POINTER).unwrap();
        assert_eq!(sense.specific, DeviceSenseSpecific::Field { in_cdb: true, byte: 19, bit: Some(4) });
        assert!(!sense.is_put_off());
        assert_eq!(alloc::format!("{sense}"), "sense key 5h, 74h/30h, CDB byte 19 bit 4");
    }

    #[test]
    fn descriptor_format_with_another_descriptor_before_ours() {
        let bytes = [
            0x72, 0x02, 0x00, 0x1E, 0, 0, 0, 20, 0x00, 0x0A, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x06, 0, 0, 0x80,
            0x80, 0x00, 0,
        ];
        let sense = DeviceSense::parse(&bytes).unwrap();
        assert_eq!((sense.key, sense.asc, sense.progress()), (2, Asc::new(0x00, 0x1E), Some(0x8000)));
        assert_eq!(alloc::format!("{sense}"), "sense key 2h, 00h/1Eh, progress 50 %");
    }

    #[test]
    fn a_deferred_error_and_a_unit_attention_put_a_command_off() {
        let deferred = DeviceSense::parse(&[0x71, 0, 3]).unwrap();
        assert!(deferred.is_deferred && deferred.is_put_off());
        assert!(DeviceSense::parse(&[0x72, 0x06, 0x29, 0]).unwrap().is_put_off());
        assert!(!DeviceSense::parse(&[0x72, 0x04, 0x44, 0]).unwrap().is_put_off());
    }

    /// SPC-4 table 83, and 5.14.4.5 of the unit attention; r3 knows put off and refused only.
    #[test]
    fn what_a_check_condition_does_to_a_command() {
        use Step::{AuthenticationIn, AuthenticationOut, Capabilities, Delete, KeyExchangeIn, KeyExchangeOut};
        use Verdict::{CapabilitiesChanged, PutOff, Refused, RefusedAlone};
        let all = [Capabilities, KeyExchangeOut, KeyExchangeIn, AuthenticationOut, AuthenticationIn, Delete];
        let verdicts =
            |profile, sense: [u8; 4]| all.map(|step| DeviceSense::parse(&sense).unwrap().verdict(profile, step));
        let except = |step, verdict, others| all.map(|each| if each == step { verdict } else { others });
        let spc4: [([u8; 4], [Verdict; 6]); 13] = [
            ([0x72, 0x5, 0x24, 0x00], except(KeyExchangeIn, RefusedAlone, Refused)),
            ([0x72, 0x2, 0x04, 0x13], [PutOff; 6]),
            ([0x72, 0x6, 0x29, 0x00], [PutOff; 6]),
            ([0x72, 0x6, 0x2A, 0x14], except(KeyExchangeOut, CapabilitiesChanged, PutOff)),
            ([0x73, 0x6, 0x2A, 0x14], [PutOff; 6]),
            ([0x73, 0x5, 0x74, 0x11], [PutOff; 6]),
            ([0x72, 0xB, 0x00, 0x1E], except(KeyExchangeOut, PutOff, Refused)),
            ([0x72, 0x5, 0x74, 0x11], except(AuthenticationOut, RefusedAlone, Refused)),
            ([0x72, 0x5, 0x74, 0x0C], except(AuthenticationOut, RefusedAlone, Refused)),
            ([0x72, 0xB, 0x74, 0x11], [Refused; 6]),
            ([0x72, 0x5, 0x74, 0x10], [Refused; 6]),
            ([0x72, 0xB, 0x74, 0x40], [Refused; 6]),
            ([0x72, 0x4, 0x44, 0x00], [Refused; 6]),
        ];
        for (sense, expected) in spc4 {
            assert_eq!(verdicts(Profile::SPC4, sense), expected, "{sense:02X?}");
            let [_, key, ..] = sense;
            let deferred_or_not_judged = sense[0] == 0x73 || [2, 6].contains(&key);
            let r3 = if deferred_or_not_judged { PutOff } else { Refused };
            assert_eq!(verdicts(Profile::R3, sense), [r3; 6], "{sense:02X?}");
        }
    }

    #[test]
    fn every_truncation_is_read_without_what_is_cut_off() {
        for length in 0..FIXED.len() {
            let sense = DeviceSense::parse(&FIXED[..length]);
            assert_eq!(sense.is_some(), length >= 3);
            assert_eq!(sense.and_then(|s| s.progress()).is_some(), length >= 16);
        }
        for bytes in [&[][..], &[0x00, 0, 0], &[0x7F; 18], &[0x72]] {
            assert_eq!(DeviceSense::parse(bytes), None);
        }
        assert_eq!(DeviceSense::parse(&[0x72, 2, 4, 7, 0, 0, 0, 8, 2, 6, 0, 0]).unwrap().progress(), None);
    }
}
