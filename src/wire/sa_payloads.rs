//! The two payloads into which SPC-4 divides r3's SCA: algorithms that make and manage an SA (SPC-4 7.7.3.5.13), and what
//! the SA is for with the algorithms that use it, SAUT (SPC-4 7.7.3.5.14).
//!
//! ```text
//! algorithms  4..13     14..15                  16..19    20         21..
//!             reserved  USAGE DATA LENGTH (0)   reserved  COUNT (6)  descriptors
//! SAUT        4..11     12..13   14..15             16..        16+j..18+j  19+j       20+j..
//!             reserved  SA TYPE  USAGE DATA LENGTH  USAGE DATA  reserved    COUNT (2)  descriptors
//! ```
//!
//! The first layout is what the standard prints; one that has a reserved byte less, as SAUT has, is told from it by the
//! length and is read as well (reading S1). Both payloads come back from the device server byte for byte, so reserved
//! bytes are kept. What does not live here: which algorithms go together, and which SA TYPE is allowed.

use super::{Body, Descriptors, EmitError, Field, RawPayload, Reader, WireError, WireErrorKind, Writer};
use crate::dialect::Profile;

/// Reads NUMBER OF ALGORITHM DESCRIPTORS, which has one allowed value, and the descriptors behind it.
fn read_descriptors<'a>(mut reader: Reader<'a>, allowed: u8) -> Result<Descriptors<'a>, WireError> {
    let at = (reader.at(), Field::NumberOfDescriptors);
    let count = reader.u8()?;
    if count == allowed {
        return Descriptors::parse(count, at, reader);
    }
    Err(WireError::new(at.0, at.1, WireErrorKind::Invalid))
}

/// The data of an SA Cryptographic Algorithms payload: 17 bytes and six descriptors, 89 bytes; 88 in the shorter form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaAlgorithms<'a> {
    /// What stands before NUMBER OF ALGORITHM DESCRIPTORS; its length is the form.
    before_count: &'a [u8],
    /// ALGORITHM DESCRIPTORS: ENCR, PRF, INTEG, D-H, SA_AUTH_OUT and SA_AUTH_IN, in this order.
    pub descriptors: Descriptors<'a>,
}

impl<'a> SaAlgorithms<'a> {
    /// Offset of USAGE DATA LENGTH from the payload's first byte.
    pub const USAGE_LENGTH_AT: usize = 14;
    /// Offset of NUMBER OF ALGORITHM DESCRIPTORS from the payload's first byte, as the standard prints it.
    pub const COUNT_AT: usize = 20;
    /// The same in the shorter form (reading S1).
    pub const SHORT_COUNT_AT: usize = 19;
    /// NUMBER OF ALGORITHM DESCRIPTORS.
    pub const COUNT: u8 = 6;

    const PRINTED: &'static [u8] = &[0; Self::COUNT_AT - RawPayload::HEADER_LEN];
    const SHORT: &'static [u8] = &[0; Self::SHORT_COUNT_AT - RawPayload::HEADER_LEN];

    /// The form that the standard prints, reserved bytes zero.
    #[must_use]
    pub const fn new(descriptors: Descriptors<'a>) -> Self {
        Self { before_count: Self::PRINTED, descriptors }
    }

    /// The form that is one byte shorter (reading S1), reserved bytes zero.
    #[must_use]
    pub const fn short(descriptors: Descriptors<'a>) -> Self {
        Self { before_count: Self::SHORT, descriptors }
    }

    /// Offset of the first descriptor from the payload's first byte.
    #[must_use]
    pub const fn descriptors_at(&self) -> usize {
        self.before_count.len().saturating_add(RawPayload::HEADER_LEN + 1)
    }
}

impl<'a> Body<'a> for SaAlgorithms<'a> {
    #[inline]
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let short = reader.remaining().saturating_sub(Self::SHORT.len().saturating_add(1));
        let is_short = short.checked_rem(Descriptors::EACH) == Some(0);
        let mut head = reader.clone();
        let before_count = reader.take(if is_short { Self::SHORT.len() } else { Self::PRINTED.len() })?;
        head.take(Self::USAGE_LENGTH_AT.saturating_sub(RawPayload::HEADER_LEN))?;
        let usage_length_at = head.at();
        if head.u16()? != 0 {
            return Err(WireError::new(usage_length_at, Field::UsageDataLength, WireErrorKind::Invalid));
        }
        Ok(Self { before_count, descriptors: read_descriptors(reader, Self::COUNT)? })
    }

    fn len(&self) -> usize {
        self.before_count.len().saturating_add(self.descriptors.as_bytes().len()).saturating_add(1)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(self.before_count)?;
        writer.u8(self.descriptors.count()?)?;
        writer.bytes(self.descriptors.as_bytes())
    }
}

/// The data of a SAUT Cryptographic Algorithms payload: 16 bytes, the usage data and two descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaUsage<'a> {
    /// Reserved bytes before SA TYPE and before NUMBER OF ALGORITHM DESCRIPTORS.
    reserved: ([u8; 8], [u8; 3]),
    /// SA TYPE: what the SA is for.
    pub sa_type: u16,
    /// USAGE DATA; none for the usage types that SPC-4 defines.
    pub usage_data: &'a [u8],
    /// ALGORITHM DESCRIPTORS: ENCR and INTEG, in this order.
    pub descriptors: Descriptors<'a>,
}

impl<'a> SaUsage<'a> {
    /// Offset of SA TYPE from the payload's first byte.
    pub const SA_TYPE_AT: usize = 12;
    /// Offset of USAGE DATA LENGTH from the payload's first byte.
    pub const USAGE_LENGTH_AT: usize = 14;
    /// Offset of USAGE DATA from the payload's first byte.
    pub const USAGE_DATA_AT: usize = 16;
    /// NUMBER OF ALGORITHM DESCRIPTORS.
    pub const COUNT: u8 = 2;

    /// A payload whose reserved bytes are zero.
    #[must_use]
    pub const fn new(sa_type: u16, usage_data: &'a [u8], descriptors: Descriptors<'a>) -> Self {
        Self { reserved: ([0; 8], [0; 3]), sa_type, usage_data, descriptors }
    }

    /// Offset of NUMBER OF ALGORITHM DESCRIPTORS from the payload's first byte.
    #[must_use]
    pub const fn count_at(&self) -> usize {
        self.usage_data.len().saturating_add(Self::USAGE_DATA_AT + 3)
    }

    /// Offset of the first descriptor from the payload's first byte.
    #[must_use]
    pub const fn descriptors_at(&self) -> usize {
        self.count_at().saturating_add(1)
    }
}

impl<'a> Body<'a> for SaUsage<'a> {
    #[inline]
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let before = reader.array()?;
        let sa_type = reader.u16()?;
        let usage_length_at = reader.at();
        let usage_length = usize::from(reader.u16()?);
        let wrong_usage_length = WireError::new(usage_length_at, Field::UsageDataLength, WireErrorKind::Length);
        let usage_data = reader.take(usage_length).map_err(|_| wrong_usage_length)?;
        let after = reader.array()?;
        let descriptors = read_descriptors(reader, Self::COUNT)?;
        Ok(Self { reserved: (before, after), sa_type, usage_data, descriptors })
    }

    fn len(&self) -> usize {
        self.descriptors_at().saturating_add(self.descriptors.as_bytes().len()).saturating_sub(RawPayload::HEADER_LEN)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        let (before, after) = &self.reserved;
        writer.bytes(before)?;
        writer.u16(self.sa_type)?;
        writer.u16(u16::try_from(self.usage_data.len()).map_err(|_| EmitError::TooLong)?)?;
        writer.bytes(self.usage_data)?;
        writer.bytes(after)?;
        writer.u8(self.descriptors.count()?)?;
        writer.bytes(self.descriptors.as_bytes())
    }
}
