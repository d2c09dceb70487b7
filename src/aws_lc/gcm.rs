//! AES_GCM with a 16 octet ICV (RFC 4106, as RFC 5282 has it for IKE; reading R10) by AWS-LC.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroize;

use crate::crypto::{Cipher, CryptoError};
use crate::provider;

/// AES_GCM with a 16 octet ICV, 16- and 32-byte keys, a salt of 4 bytes after them.
pub const AES_GCM_16: &dyn Cipher = &Gcm;

const SALT: usize = 4;
const IV: usize = 8;
const ICV: usize = 16;

struct Gcm;

/// The key, and the nonce: salt, then IV. `LessSafeKey` because it alone takes a nonce from outside: what keeps nonces apart is the
/// IV, which the caller never repeats for a key.
fn prepared(key: &[u8], iv: &[u8], icv: &[u8]) -> Result<(LessSafeKey, Nonce), CryptoError> {
    let length = key.len().checked_sub(SALT).ok_or(CryptoError::Length)?;
    let (key, salt) = key.split_at_checked(length).ok_or(CryptoError::Length)?;
    let algorithm = match length {
        16 => &AES_128_GCM,
        32 => &AES_256_GCM,
        _ => return Err(CryptoError::Length),
    };
    if iv.len() != IV || icv.len() != ICV {
        return Err(CryptoError::Length);
    }
    let mut nonce = [0; SALT + IV];
    nonce.iter_mut().zip(salt.iter().chain(iv)).for_each(|(to, from)| *to = *from);
    let key = UnboundKey::new(algorithm, key).map_err(|_| CryptoError::Device)?;
    Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key(nonce)))
}

impl Cipher for Gcm {
    fn identifier(&self) -> u32 {
        provider::AES_GCM_16.identifier()
    }

    fn key_lengths(&self) -> &'static [u16] {
        provider::AES_GCM_16.key_lengths()
    }

    fn salt_length(&self) -> usize {
        provider::AES_GCM_16.salt_length()
    }

    fn iv_length(&self) -> usize {
        provider::AES_GCM_16.iv_length()
    }

    fn alignment(&self) -> usize {
        provider::AES_GCM_16.alignment()
    }

    fn block_length(&self) -> usize {
        provider::AES_GCM_16.block_length()
    }

    fn icv_length(&self) -> usize {
        provider::AES_GCM_16.icv_length()
    }

    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        associated: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (key, nonce) = prepared(key, iv, icv)?;
        let sealed = key.seal_in_place_scatter(nonce, Aad::from(associated), data, &[], icv);
        sealed.map_err(|_| CryptoError::Device)
    }

    fn open(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let (key, nonce) = prepared(key, iv, icv)?;
        let opened = key.open_in_place_separate_tag(nonce, Aad::from(associated), icv, &mut *data).is_ok();
        if opened {
            return Ok(());
        }
        // AWS-LC may have decrypted before it checked.
        data.zeroize();
        Err(CryptoError::Refused)
    }
}
