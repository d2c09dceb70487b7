//! The STV payload (r3 7.7.4.13, Table M1; SPC-4 7.7.3.5.15).
//!
//! ```text
//! byte  4..6      7          8..11             12..15
//!       reserved  COUNT (2)  PROTOCOL TIMEOUT  SA INACTIVITY TIMEOUT
//! ```
//!
//! What lives here: the layout. What does not: zero and maxima, which the dialect and the policy judge (reading R28).

use super::{Body, EmitError, Field, Reader, WireError, WireErrorKind, Writer};
use crate::dialect::Profile;

/// The data of an STV payload: 12 bytes. In SPC-4 four more for each further value, which nobody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// IKEV2-SCSI PROTOCOL TIMEOUT in seconds.
    pub protocol: u32,
    /// IKEV2-SCSI SA INACTIVITY TIMEOUT in seconds.
    pub inactivity: u32,
}

impl Timeouts {
    /// Offset of IKEV2-SCSI PROTOCOL TIMEOUT from the payload's first byte.
    pub const PROTOCOL_AT: usize = 8;
    /// Offset of IKEV2-SCSI SA INACTIVITY TIMEOUT from the payload's first byte.
    pub const INACTIVITY_AT: usize = 12;
    /// NUMBER OF TIMEOUT VALUES that are written.
    pub(super) const COUNT: u8 = 2;
}

impl<'a> Body<'a> for Timeouts {
    #[inline]
    fn parse(profile: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let [_, _, _, count] = reader.array()?;
        if count < Self::COUNT || count > profile.rules().most_timeout_values {
            let count_at = reader.at().saturating_sub(1);
            return Err(WireError::new(count_at, Field::NumberOfTimeoutValues, WireErrorKind::Invalid));
        }
        let timeouts = Self { protocol: reader.u32()?, inactivity: reader.u32()? };
        reader.take(usize::from(count).saturating_sub(2).saturating_mul(4))?;
        reader.end()?;
        Ok(timeouts)
    }

    fn len(&self) -> usize {
        12
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(&[0, 0, 0, Self::COUNT])?;
        writer.u32(self.protocol)?;
        writer.u32(self.inactivity)
    }
}
