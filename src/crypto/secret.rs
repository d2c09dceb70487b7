//! Secret bytes: wiped on drop, never printed, compared in constant time.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

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

    /// A copy of `bytes`; wiping the original stays the caller's task.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Box::from(bytes))
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

    #[test]
    fn spare_capacity_does_not_survive() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"secret");
        assert_eq!(Secret::from(bytes).expose(), b"secret");
    }
}
