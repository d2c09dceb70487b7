//! The IKEv2-SCSI header (r3 7.7.3.1.1, Table E1; readings R1, R2, R7, R8; SPC-4 7.7.3.4, question Q26).
//!
//! ```text
//! byte  0..7    8..15   16    17           18        19     20..23      24..27
//!       AC SAI  DS SAI  NEXT  MAJOR|MINOR  EXCHANGE  flags  MESSAGE ID  LENGTH
//! ```
//!
//! In SPC-4 a SAI is the low four of its eight bytes; the high four are restricted, and EXCHANGE TYPE is reserved.
//!
//! What lives here: the 28 bytes and every rule about their values ([`Header::check`]). What does not: which SAIs and
//! which MESSAGE ID are expected, which only a command sequence or an SA knows.

use core::fmt;

use super::{EmitError, Field, WireError, WireErrorKind, Writer};
use crate::dialect::{Exchange, Profile};

/// A security association index: eight bytes in r3 (reading R2), four in SPC-4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sai(pub u64);

impl Sai {
    /// The value that names no security association.
    pub const ZERO: Self = Self(0);
}

impl fmt::Display for Sai {
    /// Sixteen hexadecimal digits, of which the first eight are zero in SPC-4.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Sai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sai({self})")
    }
}

/// The header, 28 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// IKE_SA APPLICATION CLIENT SAI.
    pub ac_sai: Sai,
    /// IKE_SA DEVICE SERVER SAI.
    pub ds_sai: Sai,
    /// NEXT PAYLOAD: the code of the first payload.
    pub next_payload: u8,
    /// MAJOR VERSION, 2.
    pub major_version: u8,
    /// MINOR VERSION, 0.
    pub minor_version: u8,
    /// EXCHANGE TYPE.
    pub exchange_type: u8,
    /// INTTR bit.
    pub initiator: bool,
    /// VERSION bit.
    pub version: bool,
    /// RSPNS bit.
    pub response: bool,
    /// MESSAGE ID.
    pub message_id: u32,
    /// LENGTH: bytes of the whole message.
    pub length: u32,
}

/// What a header must say to belong to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The message.
    pub exchange: Exchange,
    /// The application client's SAI; `None` accepts every one but zero, in SPC-4 but 0 to 255 (reading S5).
    pub ac_sai: Option<Sai>,
    /// The device server's SAI; `None` accepts every one but zero, in SPC-4 but 0 to 255.
    pub ds_sai: Option<Sai>,
    /// MESSAGE ID.
    pub message_id: u32,
    /// Bytes transferred.
    pub total: usize,
}

impl Header {
    /// Bytes of a header.
    pub const LEN: usize = 28;
    /// Offset of the NEXT PAYLOAD field.
    pub const NEXT_PAYLOAD_AT: usize = 16;
    /// Offset of the LENGTH field.
    pub const LENGTH_AT: usize = 24;
    /// MAJOR VERSION of the protocol.
    pub const MAJOR_VERSION: u8 = 2;

    /// Reads the header without judging its values. Restricted bytes beside a SAI are left out (question Q26).
    ///
    /// # Errors
    /// [`WireErrorKind::NoHeader`] for fewer than 28 bytes (reading R36).
    #[inline]
    pub fn parse(profile: Profile, bytes: &[u8]) -> Result<Self, WireError> {
        let no_header = WireError::new(0, Field::Length, WireErrorKind::NoHeader);
        let (ac_sai, rest) = bytes.split_first_chunk().ok_or(no_header)?;
        let (ds_sai, rest) = rest.split_first_chunk().ok_or(no_header)?;
        let (&[next_payload, version, exchange_type, flags], rest) = rest.split_first_chunk().ok_or(no_header)?;
        let (message_id, rest) = rest.split_first_chunk().ok_or(no_header)?;
        let (length, _) = rest.split_first_chunk().ok_or(no_header)?;
        let bits = profile.header_flags;
        let sai = |field: &[u8; 8]| Sai(u64::from_be_bytes(*field) & profile.rules().sai_mask);
        let bit = |number: u8| flags.unbounded_shr(u32::from(number)) & 1 == 1;
        Ok(Self {
            ac_sai: sai(ac_sai),
            ds_sai: sai(ds_sai),
            next_payload,
            major_version: version.unbounded_shr(4),
            minor_version: version & 0x0F,
            exchange_type,
            initiator: bit(bits.initiator_bit()),
            version: bit(bits.version_bit()),
            response: bit(bits.response_bit()),
            message_id: u32::from_be_bytes(*message_id),
            length: u32::from_be_bytes(*length),
        })
    }

    /// Writes the header; reserved bits, and the restricted bytes beside a SAI, are zero.
    ///
    /// # Errors
    /// [`EmitError::BufferTooSmall`].
    pub fn emit(&self, profile: Profile, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        let bits = profile.header_flags;
        let flag = |set: bool, number: u8| u8::from(set).unbounded_shl(u32::from(number));
        let sai_mask = profile.rules().sai_mask;
        let flags = flag(self.initiator, bits.initiator_bit())
            | flag(self.version, bits.version_bit())
            | flag(self.response, bits.response_bit());
        let version = self.major_version.unbounded_shl(4) | (self.minor_version & 0x0F);
        writer.u64(self.ac_sai.0 & sai_mask)?;
        writer.u64(self.ds_sai.0 & sai_mask)?;
        writer.bytes(&[self.next_payload, version, self.exchange_type, flags])?;
        writer.u32(self.message_id)?;
        writer.u32(self.length)
    }

    /// Checks every value of the header that the protocol fixes, in the order of the bytes.
    ///
    /// MINOR VERSION, the VERSION bit and reserved bits are ignored (reading R7); NEXT PAYLOAD is the chain's affair. Where
    /// the dialect reserves EXCHANGE TYPE, or the device server's SAI of a key exchange OUT, that is ignored as well; where
    /// it fixes MESSAGE ID, its value counts and not the one expected (question Q27).
    ///
    /// # Errors
    /// [`WireError`] with the first wrong field.
    pub fn check(&self, profile: Profile, expected: &Expected) -> Result<(), WireError> {
        let invalid = |byte, field| Err(WireError::new(byte, field, WireErrorKind::Invalid));
        let rules = profile.rules();
        let wrong_sai = |sai: Sai, wanted: Option<Sai>| match wanted {
            Some(wanted) => sai != wanted,
            None => sai.0 < rules.least_sai,
        };
        if wrong_sai(self.ac_sai, expected.ac_sai) {
            return invalid(rules.sai_offset, Field::AcSai);
        }
        let ignores_ds_sai = rules.first_ds_sai_is_reserved && expected.exchange == Exchange::KeyExchangeOut;
        if !ignores_ds_sai && wrong_sai(self.ds_sai, expected.ds_sai) {
            return invalid(rules.sai_offset.wrapping_add(8), Field::DsSai);
        }
        if self.major_version != Self::MAJOR_VERSION {
            return Err(WireError::at_bit(17, 7, Field::MajorVersion, WireErrorKind::Invalid));
        }
        if rules.exchange_types.is_some() && self.exchange_type != rules.exchange_type(expected.exchange) {
            return invalid(18, Field::ExchangeType);
        }
        let is_out = expected.exchange.is_out();
        if self.initiator != is_out || self.response == is_out {
            return Err(self.wrong_direction(profile, is_out));
        }
        if self.message_id != rules.message_id(expected.exchange).unwrap_or(expected.message_id) {
            return invalid(20, Field::MessageId);
        }
        if usize::try_from(self.length) != Ok(expected.total) {
            return Err(WireError::new(Self::LENGTH_AT, Field::Length, WireErrorKind::Length));
        }
        Ok(())
    }

    /// The first of INTTR and RSPNS that is wrong.
    #[cold]
    fn wrong_direction(&self, profile: Profile, is_out: bool) -> WireError {
        let bits = profile.header_flags;
        let initiator = (bits.initiator_bit(), Field::Inttr);
        let response = (bits.response_bit(), Field::Rspns);
        // Within a byte the most significant wrong bit comes first; which one that is depends on the profile.
        let (bit, field) = match (self.initiator != is_out, self.response == is_out) {
            (true, true) if response.0 > initiator.0 => response,
            (true, _) => initiator,
            _ => response,
        };
        WireError::at_bit(19, bit, field, WireErrorKind::Invalid)
    }
}
