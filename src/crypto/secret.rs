//! Secret bytes: wiped on drop, never printed, compared in constant time.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroize;

use super::CryptoError;
use crate::memory;

/// Text that is not whole bytes in hexadecimal. It tells nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an even number of hexadecimal digits")]
pub struct HexError;

/// Secret bytes of any length.
///
/// Wiped when dropped. It has no `Clone`, prints only its length, and its `==` takes the same time wherever the first
/// difference is (lengths are public).
pub struct Secret(Box<[u8]>);

impl Secret {
    /// `length` zero bytes, to be filled through [`Secret::expose_mut`].
    #[must_use]
    pub fn zeroed(length: usize) -> Self {
        Self(alloc::vec![0; length].into_boxed_slice())
    }

    /// `length` zero bytes, where there may be no memory for them.
    ///
    /// # Errors
    /// [`CryptoError::Memory`].
    pub fn try_zeroed(length: usize) -> Result<Self, CryptoError> {
        Ok(Self(memory::into_boxed(memory::zeroed(length)?)?))
    }

    /// A copy of `bytes`; wiping the original stays the caller's task.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Box::from(bytes))
    }

    /// The bytes that these hexadecimal digits of either case stand for, two digits each and nothing between them: the
    /// encoding in which a shared key can be given besides ASCII (RFC 4306 2.15). No branch and no index depends on a digit.
    ///
    /// # Errors
    /// [`HexError`].
    pub fn from_hex(digits: &str) -> Result<Self, HexError> {
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return Err(HexError) };
        let mut secret = Self::zeroed(pairs.len());
        let mut wrong = 0;
        for (byte, [high, low]) in secret.0.iter_mut().zip(pairs) {
            let (high, low) = (digit(*high), digit(*low));
            wrong |= high | low;
            let [_, value] = ((high << 4) | low).to_be_bytes();
            *byte = value;
        }
        if wrong < 0x10 { Ok(secret) } else { Err(HexError) }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for a length of zero (the integrity keys of a combined mode, reading R10).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes themselves. Whoever calls this keeps them out of logs and of memory that nobody wipes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes themselves, to be written.
    #[must_use]
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// The value of a hexadecimal digit; FFFFh for another character.
fn digit(character: u8) -> u16 {
    let character = u16::from(character);
    // All ones if `first` <= character <= `last`: neither difference borrows.
    let within = |first: u16, last: u16| {
        let borrows = (character.wrapping_sub(first) | last.wrapping_sub(character)) >> 15;
        borrows.wrapping_sub(1)
    };
    let in_range = |first: u8, last: u8, value: u16| {
        let (first, last) = (u16::from(first), u16::from(last));
        let mask = within(first, last);
        (mask & character.wrapping_sub(first).wrapping_add(value), mask)
    };
    let ranges = [in_range(b'0', b'9', 0), in_range(b'A', b'F', 10), in_range(b'a', b'f', 10)];
    let (value, known) = ranges.into_iter().fold((0, 0), |(all, any), (value, mask)| (all | value, any | mask));
    value | !known
}

impl From<Vec<u8>> for Secret {
    /// Takes the bytes over. When the vector has spare capacity its buffer is copied and the original wiped.
    fn from(mut bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(bytes.into_boxed_slice());
        }
        let secret = Self::copy_of(&bytes);
        bytes.zeroize();
        secret
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_only_the_length() {
        let secret = Secret::copy_of(&[0xAB; 20]);
        assert_eq!(alloc::format!("{secret:?}"), "Secret(20 bytes)");
    }

    #[test]
    fn equality_is_by_content_and_length() {
        assert_eq!(Secret::copy_of(b"abc"), Secret::from(b"abc".to_vec()));
        assert_ne!(Secret::copy_of(b"abc"), Secret::copy_of(b"abd"));
        assert_ne!(Secret::copy_of(b"abc"), Secret::copy_of(b"abcd"));
    }

    /// RFC 4306 2.15: a shared key can be given in hexadecimal.
    #[test]
    fn hexadecimal_digits_are_bytes() {
        for byte in 0..=u8::MAX {
            for text in [alloc::format!("{byte:02x}"), alloc::format!("{byte:02X}00")] {
                assert_eq!(Secret::from_hex(&text).unwrap().expose()[0], byte);
            }
            let character = char::from(byte);
            for text in [alloc::format!("{character}0"), alloc::format!("0{character}")] {
                let expected = character.is_ascii_hexdigit();
                assert_eq!(Secret::from_hex(&text).is_ok(), expected, "{text:?}");
            }
        }
        assert_eq!(Secret::from_hex("").unwrap().len(), 0);
        assert_eq!(Secret::from_hex("00fFA9").unwrap().expose(), [0, 0xFF, 0xA9]);
        for wrong in ["0", "0x00", "00 1", "00:11", "000", "\u{e9}"] {
            assert_eq!(Secret::from_hex(wrong), Err(HexError), "{wrong:?}");
        }
    }

    #[test]
    fn spare_capacity_does_not_survive() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"secret");
        assert_eq!(Secret::from(bytes).expose(), b"secret");
    }
}
