//! Device Server Capabilities parameter data and the SSCC payload (r3 7.7.2.2 Table ROW1, 7.7.4.11 Table 11; reading R3;
//! SPC-4 7.7.2.3.2, 7.7.3.5.12), and the list of formats of SPC-4 (7.7.2.3.1).
//!
//! ```text
//! byte  0..3                   4            5              6..7            8      9..11     12..
//!       PARAMETER DATA LENGTH  NEXT (00h)   CRIT|reserved  PAYLOAD LENGTH  COUNT  reserved  descriptors
//! ```
//!
//! In SPC-4 COUNT is the last of its four bytes.

use core::fmt;

use super::{Body, Descriptors, EmitError, Field, RawPayload, Reader, WireError, WireErrorKind, Writer, specific};
use crate::dialect::Profile;

/// The data of an SSCC payload, in SPC-4 of an SA Creation Capabilities payload: 4 bytes and 12 for each descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities<'a> {
    /// How the logical unit speaks: it tells where the number of descriptors stands.
    pub profile: Profile,
    /// ALGORITHM DESCRIPTORS.
    pub descriptors: Descriptors<'a>,
}

impl<'a> Body<'a> for Capabilities<'a> {
    /// Accepts descriptors from byte 8 of the payload on and, in r3, as Table 11 prints it, from byte 12 on; the length
    /// tells which (reading R3).
    fn parse(profile: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let rules = profile.rules();
        let before = rules.capabilities_count_at.saturating_sub(RawPayload::HEADER_LEN);
        reader.take(before)?;
        let count_at = reader.at();
        let count = reader.u8()?;
        reader.take(3_usize.saturating_sub(before))?;
        let gap = rules.capabilities_gap;
        if gap > 0 && reader.remaining().checked_rem(Descriptors::EACH) == Some(gap) {
            reader.take(gap)?;
        }
        let descriptors = Descriptors::parse(count, (count_at, Field::count_of_descriptors(profile)), reader)?;
        Ok(Self { profile, descriptors })
    }

    fn len(&self) -> usize {
        self.descriptors.as_bytes().len().saturating_add(4)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        let before = self.profile.rules().capabilities_count_at.saturating_sub(RawPayload::HEADER_LEN);
        writer.zeros(before)?;
        writer.u8(self.descriptors.count()?)?;
        writer.zeros(3_usize.saturating_sub(before))?;
        writer.bytes(self.descriptors.as_bytes())
    }
}

impl<'a> Capabilities<'a> {
    /// Offset of the SSCC payload in the parameter data; it is what the device server signs (reading R29).
    pub const PAYLOAD_AT: usize = 4;

    /// Offset of the first descriptor in the parameter data.
    pub(crate) const DESCRIPTORS_AT: usize = 12;

    /// What stands before so many descriptors in the parameter data.
    pub(crate) fn parameter_data_head(profile: Profile, count: u8) -> [u8; 12] {
        let [l0, l1] = u16::from(count).wrapping_mul(12).wrapping_add(8).to_be_bytes();
        let mut head = [0, 0, l0, l1, 0, 0x80, l0, l1, 0, 0, 0, 0];
        let count_at = profile.rules().capabilities_count_at.saturating_add(Self::PAYLOAD_AT);
        if let Some(place) = head.get_mut(count_at) {
            *place = count;
        }
        head
    }

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
        writer.bytes(&Self::parameter_data_head(self.profile, self.descriptors.count()?))?;
        writer.bytes(self.descriptors.as_bytes())
    }
}

/// The list of formats in which SA creation capabilities can be asked for: parameter data of protocol 40h, SPECIFIC 0000h,
/// 4 bytes and 2 for each (SPC-4 7.7.2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapabilityFormats<'a> {
    /// SECURITY PROTOCOL SPECIFIC values of protocol 40h, big endian, ascending, 0000h first.
    pub formats: &'a [[u8; 2]],
}

impl<'a> CapabilityFormats<'a> {
    /// What a device server with IKEv2-SCSI and nothing else lists: itself and the capabilities.
    pub const IKEV2_SCSI: Self =
        Self { formats: &[specific::CAPABILITY_FORMATS.to_be_bytes(), specific::CAPABILITIES.to_be_bytes()] };

    /// The same as parameter data.
    pub(crate) const OF_IKEV2_SCSI: &'static [u8] = {
        let [[f0, f1], [c0, c1]] = [specific::CAPABILITY_FORMATS.to_be_bytes(), specific::CAPABILITIES.to_be_bytes()];
        &[0, 0, 0, 4, f0, f1, c0, c1]
    };

    /// Bytes of the parameter data.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.formats.as_flattened().len().saturating_add(4)
    }

    /// True for a list of no formats.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.formats.is_empty()
    }

    /// The formats in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u16> + 'a {
        self.formats.iter().map(|format| u16::from_be_bytes(*format))
    }

    /// Reads the parameter data; bytes behind the list are ignored, and so is what the list says.
    ///
    /// # Errors
    /// PARAMETER DATA LENGTH is odd or does not fit the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let error = WireError::new(0, Field::ParameterDataLength, WireErrorKind::Length);
        let (length, rest) = bytes.split_first_chunk().ok_or(error)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| error)?;
        match rest.get(..length).ok_or(error)?.as_chunks() {
            (formats, []) => Ok(Self { formats }),
            _ => Err(error),
        }
    }

    /// Writes the parameter data.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        let formats = self.formats.as_flattened();
        writer.u32(u32::try_from(formats.len()).map_err(|_| EmitError::TooLong)?)?;
        writer.bytes(formats)
    }
}

impl fmt::Display for CapabilityFormats<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SA creation capabilities formats:")?;
        self.iter().try_for_each(|format| write!(f, " {format:04X}h"))
    }
}
