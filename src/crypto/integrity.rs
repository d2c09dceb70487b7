//! Integrity algorithms (r3 7.7.4.11.1.3, Table K4).

use core::fmt;

use super::CryptoError;

/// An integrity algorithm of r3 Table K4. "NONE" is not one: it is the absence of this object (reading R5).
pub trait Integrity: Send + Sync {
    /// ALGORITHM IDENTIFIER, e.g. `0000 0002h` for AUTH_HMAC_SHA1_96.
    fn identifier(&self) -> u32;

    /// Bytes of key.
    fn key_length(&self) -> usize;

    /// Bytes of INTEGRITY CHECKSUM DATA on the wire.
    fn icv_length(&self) -> usize;

    /// Writes the ICV of the parts, one after the other, into `icv`.
    ///
    /// # Errors
    /// [`CryptoError::Length`], [`CryptoError::Device`].
    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError>;

    /// Compares the ICV of the parts with `icv` in constant time.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when they differ, [`CryptoError::Length`] for an `icv` of another length,
    /// [`CryptoError::Device`].
    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError>;
}

impl fmt::Debug for dyn Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integrity({:#010x})", self.identifier())
    }
}
