//! Device Server Capabilities parameter data and the SSCC payload (r3 7.7.2.2 Table ROW1, 7.7.4.11 Table 11; reading R3).
//!
//! ```text
//! byte  0..3                   4            5              6..7            8      9..11     12..
//!       PARAMETER DATA LENGTH  NEXT (00h)   CRIT|reserved  PAYLOAD LENGTH  COUNT  reserved  descriptors
//! ```

use super::{Body, Descriptors, EmitError, Field, RawPayload, Reader, WireError, WireErrorKind, Writer};
use crate::dialect::Profile;

/// The data of an SSCC payload: 4 bytes and 12 for each descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities<'a> {
    /// ALGORITHM DESCRIPTORS.
    pub descriptors: Descriptors<'a>,
}

impl<'a> Body<'a> for Capabilities<'a> {
    /// Accepts descriptors from byte 8 of the payload on and, as Table 11 prints it, from byte 12 on; the length tells
    /// which (reading R3).
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let count_at = reader.at();
        let [count, ..] = reader.array::<4>()?;
        if reader.remaining().checked_rem(Descriptors::EACH) == Some(4) {
            reader.take(4)?;
        }
        let descriptors = Descriptors::parse(count, count_at, reader)?;
        Ok(Self { descriptors })
    }

    fn len(&self) -> usize {
        self.descriptors.as_bytes().len().saturating_add(4)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.u8(self.descriptors.count()?)?;
        writer.zeros(3)?;
        writer.bytes(self.descriptors.as_bytes())
    }
}

impl<'a> Capabilities<'a> {
    /// Offset of the SSCC payload in the parameter data; it is what the device server signs (reading R29).
    pub const PAYLOAD_AT: usize = 4;

    /// Bytes of the whole parameter data.
    #[must_use]
    pub fn parameter_data_len(&self) -> usize {
        Body::len(self).saturating_add(Self::PAYLOAD_AT).saturating_add(RawPayload::HEADER_LEN)
    }

    /// Reads the parameter data of a SECURITY PROTOCOL IN command of protocol 40h, SPECIFIC 0101h.
    ///
    /// # Errors
    /// [`WireError`] with the first wrong byte.
    pub fn parse_parameter_data(profile: Profile, bytes: &'a [u8]) -> Result<Self, WireError> {
        let wrong_length = WireError::new(0, Field::ParameterDataLength, WireErrorKind::Length);
        let (length, rest) = bytes.split_first_chunk().ok_or(wrong_length)?;
        if usize::try_from(u32::from_be_bytes(*length)) != Ok(rest.len()) {
            return Err(wrong_length);
        }
        let (&[next, _, l0, l1], data) = rest.split_first_chunk::<4>().ok_or(wrong_length)?;
        if next != 0 {
            return Err(WireError::new(Self::PAYLOAD_AT, Field::NextPayload, WireErrorKind::Invalid));
        }
        if usize::from(u16::from_be_bytes([l0, l1])) != rest.len() {
            return Err(WireError::new(6, Field::PayloadLength, WireErrorKind::Length));
        }
        Self::parse(profile, Reader::new(data, 8, 6, Field::PayloadLength))
    }

    /// Writes the parameter data.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit_parameter_data(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        let start = writer.at();
        writer.zeros(4)?;
        let payload_at = writer.at();
        writer.bytes(&[0, 0x80, 0, 0])?;
        self.emit(writer)?;
        let end = writer.at();
        writer.patch_length_u16(payload_at.saturating_add(2), end.saturating_sub(payload_at))?;
        writer.patch_length_u32(start, end.saturating_sub(payload_at))
    }
}
