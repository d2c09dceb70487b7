//! Combined modes of AES: ENCR_AES_CCM_8 and ENCR_AES_CCM_16 (RFC 4309), AES_GCM with a 16 octet ICV (RFC 4106), as RFC 5282
//! has them for IKE (reading R10).

use core::marker::PhantomData;

use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use ccm::Ccm;
use ccm::aead::array::ArraySize;
use ccm::aead::{AeadInOut, KeyInit, Nonce, Tag};
use ccm::consts::{U8, U11, U12, U16};
use zeroize::Zeroize;

use super::sizes;
use crate::algorithm::{self, Algorithm, EncryptionSizes};
use crate::crypto::{Cipher, CryptoError};

/// ENCR_AES_CCM_8 with 16- and 32-byte keys, a salt of 3 bytes after them.
pub const AES_CCM_8: &dyn Cipher =
    &Combined::<Ccm<Aes128, U8, U11>, Ccm<Aes256, U8, U11>>::new(&algorithm::ENCR_AES_CCM_8);
/// ENCR_AES_CCM_16 with 16- and 32-byte keys, a salt of 3 bytes after them.
pub const AES_CCM_16: &dyn Cipher =
    &Combined::<Ccm<Aes128, U16, U11>, Ccm<Aes256, U16, U11>>::new(&algorithm::ENCR_AES_CCM_16);
/// AES_GCM with a 16 octet ICV, 16- and 32-byte keys, a salt of 4 bytes after them.
pub const AES_GCM_16: &dyn Cipher =
    &Combined::<AesGcm<Aes128, U12>, AesGcm<Aes256, U12>>::new(&algorithm::ENCR_AES_GCM_16);

/// One mode, with AES of either key length.
struct Combined<Short, Long> {
    identifier: u32,
    sizes: EncryptionSizes,
    modes: PhantomData<fn() -> (Short, Long)>,
}

impl<Short, Long> Combined<Short, Long> {
    const fn new(row: &Algorithm) -> Self {
        Self { identifier: row.identifier, sizes: sizes(row), modes: PhantomData }
    }

    /// The key, and the nonce: salt, then IV.
    fn key_and_nonce<'a, N: ArraySize>(
        &self,
        key: &'a [u8],
        iv: &[u8],
    ) -> Result<(&'a [u8], ccm::Nonce<N>), CryptoError> {
        let split = key.len().checked_sub(self.sizes.salt).and_then(|length| key.split_at_checked(length));
        let (key, salt) = split.ok_or(CryptoError::Length)?;
        let mut nonce = ccm::Nonce::<N>::default();
        if iv.len() != self.sizes.iv || salt.len().checked_add(iv.len()) != Some(nonce.len()) {
            return Err(CryptoError::Length);
        }
        nonce.iter_mut().zip(salt.iter().chain(iv)).for_each(|(to, from)| *to = *from);
        Ok((key, nonce))
    }
}

fn seal_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &Nonce<A>,
    associated: &[u8],
    data: &mut [u8],
) -> Result<Tag<A>, CryptoError> {
    let aead = A::new_from_slice(key).map_err(|_| CryptoError::Length)?;
    aead.encrypt_inout_detached(nonce, associated, data.into()).map_err(|_| CryptoError::Length)
}

fn open_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &Nonce<A>,
    associated: &[u8],
    data: &mut [u8],
    icv: &[u8],
) -> Result<(), CryptoError> {
    let aead = A::new_from_slice(key).map_err(|_| CryptoError::Length)?;
    let tag = Tag::<A>::try_from(icv).map_err(|_| CryptoError::Length)?;
    let opened = aead.decrypt_inout_detached(nonce, associated, (&mut *data).into(), &tag);
    opened.map_err(|_| {
        // CCM decrypts before it can check. The crate overwrites that too, but does not promise to.
        data.zeroize();
        CryptoError::Refused
    })
}

impl<N: ArraySize, T: ArraySize, Short, Long> Cipher for Combined<Short, Long>
where
    Short: AeadInOut<NonceSize = N, TagSize = T> + KeyInit,
    Long: AeadInOut<NonceSize = N, TagSize = T> + KeyInit,
{
    fn identifier(&self) -> u32 {
        self.identifier
    }

    fn key_lengths(&self) -> &'static [u16] {
        self.sizes.key_lengths
    }

    fn salt_length(&self) -> usize {
        self.sizes.salt
    }

    fn iv_length(&self) -> usize {
        self.sizes.iv
    }

    fn alignment(&self) -> usize {
        self.sizes.alignment
    }

    fn block_length(&self) -> usize {
        self.sizes.block
    }

    fn icv_length(&self) -> usize {
        self.sizes.icv
    }

    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        associated: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (key, nonce) = self.key_and_nonce(key, iv)?;
        if icv.len() != T::USIZE {
            return Err(CryptoError::Length);
        }
        let tag = match key.len() {
            16 => seal_with::<Short>(key, &nonce, associated, data)?,
            32 => seal_with::<Long>(key, &nonce, associated, data)?,
            _ => return Err(CryptoError::Length),
        };
        icv.copy_from_slice(&tag);
        Ok(())
    }

    fn open(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let (key, nonce) = self.key_and_nonce(key, iv)?;
        match key.len() {
            16 => open_with::<Short>(key, &nonce, associated, data, icv),
            32 => open_with::<Long>(key, &nonce, associated, data, icv),
            _ => Err(CryptoError::Length),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::tested::{AES_CCM_8, AES_CCM_16, AES_GCM_16};

    const ALL: [&dyn Cipher; 3] = [AES_CCM_8, AES_CCM_16, AES_GCM_16];
    const TEXT: &[u8; 32] = b"no byte of this text may be left";

    #[test]
    fn a_wrong_key_salt_or_iv_leaves_no_plaintext() {
        for cipher in ALL {
            for length in cipher.key_lengths().iter().map(|length| cipher.key_material_length(*length)) {
                let (key, iv): (Vec<u8>, _) = ((0..).take(length).collect(), [0x11; 8]);
                let (mut sealed, mut icv) = (*TEXT, vec![0; cipher.icv_length()]);
                cipher.seal(&key, &iv, b"associated", &mut sealed, &mut icv).unwrap();
                for byte in 0..key.len() + iv.len() {
                    let (mut wrong, mut data) = ([&key[..], &iv].concat(), sealed);
                    wrong[byte] ^= 0x80;
                    let (key, iv) = wrong.split_at(key.len());
                    let opened = cipher.open(key, iv, b"associated", &mut data, &icv);
                    assert_eq!(opened, Err(CryptoError::Refused), "{cipher:?} byte {byte}");
                    assert_eq!(data, [0; 32], "{cipher:?} byte {byte}");
                }
            }
        }
    }

    #[test]
    fn lengths_that_a_mode_lacks_are_refused_before_the_data_is_touched() {
        for cipher in ALL {
            let (salt, icv) = (cipher.salt_length(), cipher.icv_length());
            let keys = [0, salt - 1, salt, 16, 16 + salt - 1, 16 + salt + 1, 24 + salt, 32, 32 + salt + 1];
            let mut wrong: Vec<_> = keys.map(|key| (key, 8, icv)).into();
            wrong.extend([7, 9, 0].map(|iv| (16 + salt, iv, icv)));
            wrong.extend([icv - 1, icv + 1, 0].map(|icv| (16 + salt, 8, icv)));
            for (key, iv, icv) in wrong {
                let (key, iv, mut icv) = (vec![1; key], vec![2; iv], vec![3; icv]);
                let mut data = *TEXT;
                assert_eq!(cipher.seal(&key, &iv, &[], &mut data, &mut icv), Err(CryptoError::Length));
                assert_eq!(cipher.open(&key, &iv, &[], &mut data, &icv), Err(CryptoError::Length));
                assert_eq!(&data, TEXT);
            }
        }
    }
}
