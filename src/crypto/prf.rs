//! Pseudo-random functions (r3 7.7.4.11.1.2, Table K3).

use core::fmt;

use super::CryptoError;

/// A pseudo-random function of r3 Table K3.
pub trait Prf: Send + Sync {
    /// ALGORITHM IDENTIFIER, e.g. `0000 0002h` for PRF_HMAC_SHA1.
    fn identifier(&self) -> u32;

    /// Bytes of output.
    fn output_length(&self) -> usize;

    /// The preferred key size in bytes; a nonce is at least half of it long (RFC 4306 2.10, reading R38).
    fn key_length(&self) -> usize;

    /// How many bytes of each nonce make the key of SKEYSEED; `None` for the whole nonces.
    ///
    /// A PRF with a key of fixed length takes the first half of its key from each nonce (RFC 4306 2.14, reading R14).
    fn nonce_share(&self) -> Option<usize> {
        None
    }

    /// Writes prf(`key`, parts one after the other) into `out`, which is [`Prf::output_length`] bytes long.
    ///
    /// A key may have any length, zero included.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `out` has another length, [`CryptoError::Device`].
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError>;
}

impl fmt::Debug for dyn Prf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prf({:#010x})", self.identifier())
    }
}
