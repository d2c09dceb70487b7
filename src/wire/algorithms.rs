//! The SCA payload and algorithm descriptors (r3 7.7.4.11.1 Table J1, 7.7.4.12 Table L1; readings R4, R18).
//!
//! ```text
//! SCA         4      5        6..7               8..15  16..        16+k..
//!             COUNT  SA TYPE  USAGE DATA LENGTH  SAID   USAGE DATA  descriptors
//! descriptor  0               1                  2..3               4..7        8..11
//!             ALGORITHM TYPE  reserved           DESCRIPTOR LENGTH  IDENTIFIER  ATTRIBUTES
//! ```
//!
//! What lives here: the layout, and that lengths and counts fit. What does not: which algorithms may be selected
//! (room `capabilities`).

use super::{Body, EmitError, Field, Reader, Sai, WireError, WireErrorKind, Writer};
use crate::algorithm::{self, AlgorithmType};
use crate::dialect::{Profile, Side};

/// One algorithm descriptor, 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Descriptor {
    /// ALGORITHM TYPE.
    pub algorithm_type: u8,
    /// ALGORITHM IDENTIFIER.
    pub identifier: u32,
    /// ALGORITHM ATTRIBUTES.
    pub attributes: [u8; 4],
}

impl Descriptor {
    /// USE bit of an IKE authentication algorithm's first attribute byte (r3 Table K7).
    pub(super) const USE: u8 = 0x02;
    /// ACCEPT bit of the same byte.
    pub(super) const ACCEPT: u8 = 0x01;

    /// A descriptor whose attributes are reserved.
    #[must_use]
    pub const fn new(algorithm_type: AlgorithmType, identifier: u32) -> Self {
        Self { algorithm_type: algorithm_type.code(), identifier, attributes: [0; 4] }
    }

    /// An encryption algorithm with its KEY LENGTH in bytes (r3 Table ROW2).
    #[must_use]
    pub const fn encryption(identifier: u32, key_length: u16) -> Self {
        let [high, low] = key_length.to_be_bytes();
        Self { algorithm_type: AlgorithmType::Encryption.code(), identifier, attributes: [0, 0, high, low] }
    }

    /// An IKE authentication algorithm with its USE and ACCEPT bits (r3 Table K7).
    #[must_use]
    pub const fn authentication(identifier: u32, may_use: bool, accept: bool) -> Self {
        let bits = (if may_use { Self::USE } else { 0 }) | (if accept { Self::ACCEPT } else { 0 });
        Self { algorithm_type: AlgorithmType::Authentication.code(), identifier, attributes: [bits, 0, 0, 0] }
    }

    /// KEY LENGTH in bytes, of an encryption algorithm.
    #[must_use]
    pub const fn key_length(&self) -> u16 {
        let [_, _, high, low] = self.attributes;
        u16::from_be_bytes([high, low])
    }

    /// USE bit, of an IKE authentication algorithm: the device server can authenticate itself so.
    #[must_use]
    pub const fn may_use(&self) -> bool {
        let [bits, ..] = self.attributes;
        bits & Self::USE != 0
    }

    /// ACCEPT bit, of an IKE authentication algorithm: the device server can verify an application client so.
    #[must_use]
    pub const fn accept(&self) -> bool {
        let [bits, ..] = self.attributes;
        bits & Self::ACCEPT != 0
    }

    /// The same algorithm by the numbers of room `algorithm`, which crypto providers know; `None` for numbers that the dialect
    /// reserves.
    ///
    /// A descriptor that names one side's way to authenticate (SPC-4 7.7.3.6.6) has the bit set that r3 has for it: ACCEPT
    /// for the application client's, USE for the device server's.
    #[must_use]
    pub fn known(&self, profile: Profile) -> Option<Self> {
        let (algorithm_type, identifier) = algorithm::row_of(profile, self.algorithm_type, self.identifier)?;
        let attributes = match profile.rules().algorithm_type(self.algorithm_type)?.side {
            Side::None | Side::Attributes => self.attributes,
            Side::ApplicationClient => [Self::ACCEPT, 0, 0, 0],
            Side::DeviceServer => [Self::USE, 0, 0, 0],
        };
        Some(Self { algorithm_type: algorithm_type.code(), identifier, attributes })
    }

    /// The descriptors by which a dialect names an algorithm that is given by the numbers of room `algorithm`: none for an
    /// algorithm that it does not have, and one for each side that the USE and ACCEPT bits name where it has a type for each.
    pub fn in_dialect(&self, profile: Profile) -> impl Iterator<Item = Self> {
        let kind = AlgorithmType::from_code(self.algorithm_type);
        let identifier = kind.and_then(|kind| algorithm::identifier_of(profile, kind, self.identifier));
        let numbers = profile.rules().algorithms.iter().filter(move |numbers| numbers.table == self.algorithm_type);
        numbers.filter_map(move |numbers| {
            let (is_named, attributes) = match numbers.side {
                Side::None | Side::Attributes => (true, self.attributes),
                Side::ApplicationClient => (self.accept(), [0; 4]),
                Side::DeviceServer => (self.may_use(), [0; 4]),
            };
            let descriptor = Self { algorithm_type: numbers.code, identifier: identifier?, attributes };
            is_named.then_some(descriptor)
        })
    }

    /// Reads a descriptor; its reserved byte and its DESCRIPTOR LENGTH are not looked at.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; 12]) -> Self {
        let [algorithm_type, _, _, _, i0, i1, i2, i3, a0, a1, a2, a3] = *bytes;
        Self { algorithm_type, identifier: u32::from_be_bytes([i0, i1, i2, i3]), attributes: [a0, a1, a2, a3] }
    }

    /// The twelve bytes.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; 12] {
        let [i0, i1, i2, i3] = self.identifier.to_be_bytes();
        let [a0, a1, a2, a3] = self.attributes;
        [self.algorithm_type, 0, 0, 12, i0, i1, i2, i3, a0, a1, a2, a3]
    }
}

/// A list of descriptors, each with DESCRIPTOR LENGTH 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors<'a>(&'a [[u8; 12]]);

impl<'a> Descriptors<'a> {
    /// Bytes of one descriptor.
    pub const EACH: usize = 12;

    /// A list made of [`Descriptor::to_bytes`].
    #[must_use]
    pub const fn new(descriptors: &'a [[u8; 12]]) -> Self {
        Self(descriptors)
    }

    /// The descriptors in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Descriptor> + 'a {
        self.0.iter().map(Descriptor::from_bytes)
    }

    /// Number of descriptors.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True for no descriptors.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of all descriptors, as received (what a device server echoes).
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0.as_flattened()
    }

    /// NUMBER OF TRANSFORMS, in SPC-4 NUMBER OF ALGORITHM DESCRIPTORS.
    pub(super) fn count(&self) -> Result<u8, EmitError> {
        u8::try_from(self.0.len()).map_err(|_| EmitError::TooLong)
    }

    /// Reads all bytes left as `count` descriptors; `count` is the field `named` at offset `count_at`.
    #[inline]
    pub(super) fn parse(count: u8, (count_at, named): (usize, Field), reader: Reader<'a>) -> Result<Self, WireError> {
        let mut at = reader.at();
        let (descriptors, left) = reader.rest.as_chunks::<{ Descriptors::EACH }>();
        if !left.is_empty() {
            return Err(reader.length_error());
        }
        if descriptors.len() != usize::from(count) {
            return Err(WireError::new(count_at, named, WireErrorKind::Length));
        }
        for [_, _, l0, l1, ..] in descriptors {
            if usize::from(u16::from_be_bytes([*l0, *l1])) != Self::EACH {
                return Err(WireError::new(at.wrapping_add(2), Field::DescriptorLength, WireErrorKind::Length));
            }
            at = at.wrapping_add(Self::EACH);
        }
        Ok(Self(descriptors))
    }
}

/// The data of an SCA payload: 12 bytes, the usage data and 12 for each descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithms<'a> {
    /// SECURITY ASSOCIATION TYPE: what the SA is for.
    pub sa_type: u8,
    /// SAID: the SAI of whoever sends the payload.
    pub said: Sai,
    /// USAGE DATA, a multiple of four bytes.
    pub usage_data: &'a [u8],
    /// ALGORITHM DESCRIPTORS, one of each type (reading R4).
    pub descriptors: Descriptors<'a>,
}

impl Algorithms<'_> {
    /// Offset of NUMBER OF TRANSFORMS from the payload's first byte.
    pub const COUNT_AT: usize = 4;
    /// Offset of SECURITY ASSOCIATION TYPE from the payload's first byte.
    pub const SA_TYPE_AT: usize = 5;
    /// Offset of USAGE DATA LENGTH from the payload's first byte.
    pub const USAGE_LENGTH_AT: usize = 6;
    /// Offset of SAID from the payload's first byte.
    pub const SAID_AT: usize = 8;
    /// Offset of USAGE DATA from the payload's first byte.
    pub const USAGE_DATA_AT: usize = 16;

    /// Offset of the first descriptor from the payload's first byte.
    #[must_use]
    pub const fn descriptors_at(&self) -> usize {
        self.usage_data.len().wrapping_add(Self::USAGE_DATA_AT)
    }
}

impl<'a> Body<'a> for Algorithms<'a> {
    #[inline]
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let count_at = reader.at();
        let [count, sa_type] = reader.array()?;
        let usage_length_at = reader.at();
        let usage_length = usize::from(reader.u16()?);
        let said = Sai(reader.u64()?);
        let wrong_usage_length = |kind| WireError::new(usage_length_at, Field::UsageDataLength, kind);
        if usage_length & 3 != 0 {
            return Err(wrong_usage_length(WireErrorKind::Invalid));
        }
        let usage_data = reader.take(usage_length).map_err(|_| wrong_usage_length(WireErrorKind::Length))?;
        let descriptors = Descriptors::parse(count, (count_at, Field::NumberOfTransforms), reader)?;
        Ok(Self { sa_type, said, usage_data, descriptors })
    }

    fn len(&self) -> usize {
        self.usage_data.len().wrapping_add(self.descriptors.as_bytes().len()).wrapping_add(12)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.u8(self.descriptors.count()?)?;
        writer.u8(self.sa_type)?;
        writer.u16(u16::try_from(self.usage_data.len()).map_err(|_| EmitError::TooLong)?)?;
        writer.u64(self.said.0)?;
        writer.bytes(self.usage_data)?;
        writer.bytes(self.descriptors.as_bytes())
    }
}
