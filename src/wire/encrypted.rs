//! Framing of the Encrypted payload (r3 7.7.4.10, RFC 4306 3.14; readings R10-R13, R32).
//!
//! ```text
//! byte  0            1              2..3            4..  ..               ..
//!       FIRST INNER  CRIT|reserved  PAYLOAD LENGTH  IV   CIPHERTEXT       ICV
//! plaintext: inner payloads | padding 01h 02h 03h .. | PAD LENGTH (one byte)
//! ```
//!
//! What lives here: where the parts are. What does not: keys (room `keys`).

use core::ops::Range;

use super::{Field, RawPayload, WireError, WireErrorKind};
use crate::dialect::{Padding, Profile};

/// Where the parts of an Encrypted payload are, as offsets in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// Offset of the payload's first byte.
    pub at: usize,
    /// Code of the first inner payload.
    pub first: u8,
    /// INITIALIZATION VECTOR.
    pub iv: Range<usize>,
    /// Ciphertext, as long as the plaintext.
    pub text: Range<usize>,
    /// INTEGRITY CHECKSUM DATA, up to the end of the message.
    pub icv: Range<usize>,
}

impl Encrypted {
    /// Divides a payload by the lengths of its algorithms, all in bytes.
    ///
    /// # Errors
    /// PAYLOAD LENGTH does not leave room for one byte of ciphertext, or the ciphertext is no multiple of
    /// `block_length`.
    pub fn divide(
        raw: &RawPayload<'_>,
        iv_length: usize,
        icv_length: usize,
        block_length: usize,
    ) -> Result<Self, WireError> {
        let wrong = raw.reader().length_error();
        let iv_at = raw.at.wrapping_add(RawPayload::HEADER_LEN);
        let around = iv_length.checked_add(icv_length).ok_or(wrong)?;
        let text_length = raw.data.len().checked_sub(around).ok_or(wrong)?;
        if text_length == 0 || text_length.checked_rem(block_length) != Some(0) {
            return Err(wrong);
        }
        // Within the payload, which is in memory.
        let text_at = iv_at.wrapping_add(iv_length);
        let (icv_at, end) = (text_at.wrapping_add(text_length), iv_at.wrapping_add(raw.data.len()));
        Ok(Self { at: raw.at, first: raw.next, iv: iv_at..text_at, text: text_at..icv_at, icv: icv_at..end })
    }

    /// Checks the padding of the opened plaintext by the dialect's rule: r3 accepts any bytes (reading R13), SPC-4 only 01h,
    /// 02h, 03h and so on (SPC-4 7.7.3.5.11).
    ///
    /// # Errors
    /// The first wrong byte, or as [`Encrypted::inner_end`].
    pub fn check_padding(&self, profile: Profile, message: &[u8]) -> Result<(), WireError> {
        let start = self.inner_end(message)?;
        let padding = message.get(start..self.text.end.saturating_sub(1)).unwrap_or_default();
        let wrong = match profile.rules().padding {
            Padding::Any => None,
            Padding::Counted => padding.iter().zip(1..=u8::MAX).position(|(byte, counted)| *byte != counted),
        };
        wrong.map_or(Ok(()), |offset| {
            Err(WireError::new(start.wrapping_add(offset), Field::Padding, WireErrorKind::Invalid))
        })
    }

    /// Offset where the inner payloads end, from the PAD LENGTH byte that closes the opened plaintext.
    ///
    /// The padding's content is not looked at: [`Encrypted::check_padding`].
    ///
    /// # Errors
    /// PAD LENGTH is more than the plaintext holds.
    pub fn inner_end(&self, message: &[u8]) -> Result<usize, WireError> {
        let pad_length_at = self.text.end.saturating_sub(1);
        let wrong = WireError::new(pad_length_at, Field::PadLength, WireErrorKind::Length);
        let pad_length = *message.get(pad_length_at).ok_or(wrong)?;
        pad_length_at.checked_sub(usize::from(pad_length)).filter(|end| *end >= self.text.start).ok_or(wrong)
    }
}

/// PAD LENGTH that brings `inner` bytes of payloads, the padding and the PAD LENGTH byte to a multiple of `alignment`.
#[must_use]
pub fn pad_length_for(inner: usize, alignment: usize) -> u8 {
    let used = inner.saturating_add(1).checked_rem(alignment).unwrap_or(0);
    let missing = if used == 0 { 0 } else { alignment.saturating_sub(used) };
    u8::try_from(missing).unwrap_or(0)
}
