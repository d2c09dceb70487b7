//! ENCR_NULL (RFC 2410, reading R11).

use super::sizes;
use crate::algorithm::{self, EncryptionSizes};
use crate::crypto::{Cipher, CryptoError};

/// ENCR_NULL.
pub const NULL: &dyn Cipher = &Null;

const SIZES: EncryptionSizes = sizes(&algorithm::ENCR_NULL);

struct Null;

impl Null {
    fn check(key: &[u8], iv: &[u8], icv: &[u8]) -> Result<(), CryptoError> {
        if key.is_empty() && iv.is_empty() && icv.is_empty() { Ok(()) } else { Err(CryptoError::Length) }
    }
}

impl Cipher for Null {
    fn identifier(&self) -> u32 {
        algorithm::ENCR_NULL.identifier
    }

    fn key_lengths(&self) -> &'static [u16] {
        SIZES.key_lengths
    }

    fn iv_length(&self) -> usize {
        SIZES.iv
    }

    fn alignment(&self) -> usize {
        SIZES.alignment
    }

    fn block_length(&self) -> usize {
        SIZES.block
    }

    fn seal(&self, key: &[u8], iv: &[u8], _: &[u8], _: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        Self::check(key, iv, icv)
    }

    fn open(&self, key: &[u8], iv: &[u8], _: &[u8], _: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        Self::check(key, iv, icv)
    }
}
