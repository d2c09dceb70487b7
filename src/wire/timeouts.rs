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
    fn parse(profile: Profile, reader: Reader<'a>) -> Result<Self, WireError> {
        let Some(&count) = reader.rest.get(3) else { return Err(reader.length_error()) };
        if count < Self::COUNT || count > profile.rules().most_timeout_values {
            let count_at = reader.at().wrapping_add(3);
            return Err(WireError::new(count_at, Field::NumberOfTimeoutValues, WireErrorKind::Invalid));
        }
        match reader.rest.split_first_chunk() {
            Some((&[_, _, _, _, p0, p1, p2, p3, i0, i1, i2, i3], further))
                if further.len() == usize::from(count.wrapping_sub(Self::COUNT)).wrapping_mul(4) =>
            {
                let (protocol, inactivity) =
                    (u32::from_be_bytes([p0, p1, p2, p3]), u32::from_be_bytes([i0, i1, i2, i3]));
                Ok(Self { protocol, inactivity })
            }
            _ => Err(reader.length_error()),
        }
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
