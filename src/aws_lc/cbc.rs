//! ENCR_AES_CBC (RFC 3602, reading R12) by AWS-LC.
//!
//! AWS-LC schedules each key for both directions, which costs the one that is not used.

use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use crate::crypto::{Cipher, CryptoError};
use crate::provider;

/// ENCR_AES_CBC with 16- and 32-byte keys.
pub const AES_CBC: &dyn Cipher = &Cbc;

struct Cbc;

/// The key and the IV, if all lengths are right.
fn prepared(
    key: &[u8],
    iv: &[u8],
    data: &[u8],
    icv: &[u8],
) -> Result<(UnboundCipherKey, FixedLength<16>), CryptoError> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(CryptoError::Length),
    };
    let iv: &[u8; 16] = iv.try_into().map_err(|_| CryptoError::Length)?;
    if !icv.is_empty() || !data.len().is_multiple_of(16) {
        return Err(CryptoError::Length);
    }
    let key = UnboundCipherKey::new(algorithm, key).map_err(|_| CryptoError::Device)?;
    Ok((key, FixedLength::from(iv)))
}

impl Cipher for Cbc {
    fn identifier(&self) -> u32 {
        provider::AES_CBC.identifier()
    }

    fn key_lengths(&self) -> &'static [u16] {
        provider::AES_CBC.key_lengths()
    }

    fn iv_length(&self) -> usize {
        provider::AES_CBC.iv_length()
    }

    fn alignment(&self) -> usize {
        provider::AES_CBC.alignment()
    }

    fn block_length(&self) -> usize {
        provider::AES_CBC.block_length()
    }

    fn seal(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        let (key, iv) = prepared(key, iv, data, icv)?;
        let key = EncryptingKey::cbc(key).map_err(|_| CryptoError::Device)?;
        let done = key.less_safe_encrypt(data, EncryptionContext::Iv128(iv));
        done.map(|_| ()).map_err(|_| CryptoError::Device)
    }

    fn open(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let (key, iv) = prepared(key, iv, data, icv)?;
        let key = DecryptingKey::cbc(key).map_err(|_| CryptoError::Device)?;
        let done = key.decrypt(data, DecryptionContext::Iv128(iv));
        done.map(|_| ()).map_err(|_| CryptoError::Device)
    }
}
