//! The KE and NONCE payloads (r3 7.7.4.3 Table H1, 7.7.4.7; reading R38).
//!
//! ```text
//! KE     4..5                         6..7      8..
//!        DIFFIE-HELLMAN GROUP NUMBER  reserved  KEY EXCHANGE DATA
//! NONCE  4..
//!        NONCE DATA
//! ```

use super::{Body, EmitError, Reader, WireError, WireErrorKind, Writer};
use crate::dialect::Profile;

/// The data of a KE payload: 4 bytes and the public value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyExchange<'a> {
    /// DIFFIE-HELLMAN GROUP NUMBER.
    pub group: u16,
    /// KEY EXCHANGE DATA: the sender's public value.
    pub public: &'a [u8],
}

impl KeyExchange<'_> {
    /// What stands before KEY EXCHANGE DATA.
    pub(crate) const fn head(&self) -> [u8; 4] {
        let [high, low] = self.group.to_be_bytes();
        [high, low, 0, 0]
    }

    /// Offset of DIFFIE-HELLMAN GROUP NUMBER from the payload's first byte.
    pub const GROUP_AT: usize = 4;
    /// Offset of KEY EXCHANGE DATA from the payload's first byte.
    pub const PUBLIC_AT: usize = 8;
}

impl<'a> Body<'a> for KeyExchange<'a> {
    #[inline]
    fn parse(_: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let group = reader.u16()?;
        reader.u16()?;
        Ok(Self { group, public: reader.rest() })
    }

    fn len(&self) -> usize {
        self.public.len().wrapping_add(4)
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(&self.head())?;
        writer.bytes(self.public)
    }
}

/// The data of a NONCE payload: 16 to 256 bytes (RFC 4306 3.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce<'a> {
    /// NONCE DATA.
    pub data: &'a [u8],
}

impl Nonce<'_> {
    /// Fewest bytes of NONCE DATA.
    pub const MIN: usize = 16;
    /// Most bytes of NONCE DATA.
    pub const MAX: usize = 256;
}

impl<'a> Body<'a> for Nonce<'a> {
    #[inline]
    fn parse(_: Profile, reader: Reader<'a>) -> Result<Self, WireError> {
        let data = reader.rest;
        if data.len() < Self::MIN || data.len() > Self::MAX {
            return Err(WireError { kind: WireErrorKind::Invalid, ..reader.length_error() });
        }
        Ok(Self { data })
    }

    fn len(&self) -> usize {
        self.data.len()
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(self.data)
    }
}
