//! Encryption algorithms (r3 7.7.4.11.1.1, Table K2).

use core::fmt;

use super::CryptoError;

/// An encryption algorithm of r3 Table K2, in place over byte slices.
///
/// Two kinds share the trait. A *separate* cipher ([`Cipher::icv_length`] is zero) only encrypts; an
/// [`Integrity`](super::Integrity) algorithm protects the message. A *combined* mode (AES-CCM, AES-GCM) does both.
pub trait Cipher: Send + Sync {
    /// ALGORITHM IDENTIFIER, e.g. `0000 000Ch` for AES-CBC.
    fn identifier(&self) -> u32;

    /// KEY LENGTH values in bytes, ascending, salt not counted. `[0]` for ENCR_NULL.
    fn key_lengths(&self) -> &'static [u16];

    /// Bytes of salt that follow the key in the key material (3 for CCM, 4 for GCM; reading R10).
    fn salt_length(&self) -> usize {
        0
    }

    /// Bytes of key material for a KEY LENGTH: the key and, after it, the salt.
    ///
    /// Only an algorithm whose KEY LENGTH is not its key's length overrides this (3DES, reading R9).
    fn key_material_length(&self, key_length: u16) -> usize {
        usize::from(key_length).saturating_add(self.salt_length())
    }

    /// Bytes of INITIALIZATION VECTOR on the wire (16 for CBC, 8 for combined modes, 0 for NULL).
    fn iv_length(&self) -> usize;

    /// What a sender pads the plaintext to, in bytes (16 for CBC, 4 for combined modes, 1 for NULL; R10-R12).
    fn alignment(&self) -> usize;

    /// What a received ciphertext must be a multiple of, in bytes (the block size for CBC, else 1; reading R10).
    fn block_length(&self) -> usize;

    /// Bytes of ICV that the algorithm itself makes; zero when it is not a combined mode.
    fn icv_length(&self) -> usize {
        0
    }

    /// True for a combined mode, which goes with integrity algorithm NONE and no other (r3 7.7.4.11.1).
    fn is_combined(&self) -> bool {
        self.icv_length() != 0
    }

    /// Encrypts `data` in place and writes the ICV (empty slice for a separate cipher).
    ///
    /// `key` is the key and, after it, the salt. `associated` is authenticated by a combined mode and ignored by others.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for lengths that the algorithm does not have, [`CryptoError::Device`].
    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        associated: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), CryptoError>;

    /// Checks the ICV in constant time (combined modes) and decrypts `data` in place.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when the ICV does not match: `data` then holds no plaintext (it may be unchanged or zeroed).
    /// [`CryptoError::Length`], [`CryptoError::Device`].
    fn open(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError>;
}

impl fmt::Debug for dyn Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({:#010x})", self.identifier())
    }
}
