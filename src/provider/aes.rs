//! ENCR_AES_CBC (RFC 3602, reading R12) and ENCR_AES_CCM_16 (RFC 4309, RFC 5282, reading R10).

use aes::{Aes128, Aes256};
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U11, U16};
use zeroize::Zeroize;

use crate::algorithm::{self, Algorithm, EncryptionSizes};
use crate::crypto::{Cipher, CryptoError};

/// ENCR_AES_CBC with 16- and 32-byte keys.
pub const AES_CBC: &dyn Cipher = &Cbc;
/// ENCR_AES_CCM_16 with 16- and 32-byte keys, a salt of 3 bytes after them.
pub const AES_CCM_16: &dyn Cipher = &Ccm16;

/// Sizes of a row of Table K2.
pub(super) const fn sizes(row: &Algorithm) -> EncryptionSizes {
    match row.encryption_sizes() {
        Some(sizes) => sizes,
        None => EncryptionSizes { key_lengths: &[], fixed_key: None, salt: 0, iv: 0, alignment: 1, block: 1, icv: 0 },
    }
}

const CBC: EncryptionSizes = sizes(&algorithm::ENCR_AES_CBC);
const CCM_16: EncryptionSizes = sizes(&algorithm::ENCR_AES_CCM_16);

struct Cbc;

impl Cbc {
    /// The buffer as whole blocks: the protocol pads, the cipher does not.
    fn blocks(data: &mut [u8]) -> Result<&mut [Array<u8, U16>], CryptoError> {
        let (blocks, rest) = Array::slice_as_chunks_mut(data);
        if rest.is_empty() { Ok(blocks) } else { Err(CryptoError::Length) }
    }
}

impl Cipher for Cbc {
    fn identifier(&self) -> u32 {
        algorithm::ENCR_AES_CBC.identifier
    }

    fn key_lengths(&self) -> &'static [u16] {
        CBC.key_lengths
    }

    fn iv_length(&self) -> usize {
        CBC.iv
    }

    fn alignment(&self) -> usize {
        CBC.alignment
    }

    fn block_length(&self) -> usize {
        CBC.block
    }

    fn seal(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        let blocks = Self::blocks(data)?;
        if !icv.is_empty() {
            return Err(CryptoError::Length);
        }
        let wrong = |_| CryptoError::Length;
        match key.len() {
            16 => cbc::Encryptor::<Aes128>::new_from_slices(key, iv).map_err(wrong)?.encrypt_blocks(blocks),
            32 => cbc::Encryptor::<Aes256>::new_from_slices(key, iv).map_err(wrong)?.encrypt_blocks(blocks),
            _ => return Err(CryptoError::Length),
        }
        Ok(())
    }

    fn open(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let blocks = Self::blocks(data)?;
        if !icv.is_empty() {
            return Err(CryptoError::Length);
        }
        let wrong = |_| CryptoError::Length;
        match key.len() {
            16 => cbc::Decryptor::<Aes128>::new_from_slices(key, iv).map_err(wrong)?.decrypt_blocks(blocks),
            32 => cbc::Decryptor::<Aes256>::new_from_slices(key, iv).map_err(wrong)?.decrypt_blocks(blocks),
            _ => return Err(CryptoError::Length),
        }
        Ok(())
    }
}

type Ccm128 = ccm::Ccm<Aes128, U16, U11>;
type Ccm256 = ccm::Ccm<Aes256, U16, U11>;

struct Ccm16;

/// Salt, then IV.
fn nonce(salt: &[u8], iv: &[u8]) -> Result<Array<u8, U11>, CryptoError> {
    let mut nonce = Array::<u8, U11>::default();
    if salt.len() != CCM_16.salt || iv.len() != CCM_16.iv {
        return Err(CryptoError::Length);
    }
    for (to, from) in nonce.iter_mut().zip(salt.iter().chain(iv)) {
        *to = *from;
    }
    Ok(nonce)
}

fn key_and_salt(key: &[u8]) -> Result<(&[u8], &[u8]), CryptoError> {
    key.len().checked_sub(CCM_16.salt).and_then(|length| key.split_at_checked(length)).ok_or(CryptoError::Length)
}

fn seal_with<A>(
    key: &[u8],
    nonce: &Array<u8, U11>,
    associated: &[u8],
    data: &mut [u8],
) -> Result<Array<u8, U16>, CryptoError>
where
    A: AeadInOut<NonceSize = U11, TagSize = U16> + KeyInit,
{
    let aead = A::new_from_slice(key).map_err(|_| CryptoError::Length)?;
    aead.encrypt_inout_detached(nonce, associated, data.into()).map_err(|_| CryptoError::Length)
}

fn open_with<A>(
    key: &[u8],
    nonce: &Array<u8, U11>,
    associated: &[u8],
    data: &mut [u8],
    icv: &[u8],
) -> Result<(), CryptoError>
where
    A: AeadInOut<NonceSize = U11, TagSize = U16> + KeyInit,
{
    let aead = A::new_from_slice(key).map_err(|_| CryptoError::Length)?;
    let tag = Array::try_from(icv).map_err(|_| CryptoError::Length)?;
    let opened = aead.decrypt_inout_detached(nonce, associated, (&mut *data).into(), &tag);
    opened.map_err(|_| {
        // CCM decrypts before it can check. The crate overwrites that too, but does not promise to.
        data.zeroize();
        CryptoError::Refused
    })
}

impl Cipher for Ccm16 {
    fn identifier(&self) -> u32 {
        algorithm::ENCR_AES_CCM_16.identifier
    }

    fn key_lengths(&self) -> &'static [u16] {
        CCM_16.key_lengths
    }

    fn salt_length(&self) -> usize {
        CCM_16.salt
    }

    fn iv_length(&self) -> usize {
        CCM_16.iv
    }

    fn alignment(&self) -> usize {
        CCM_16.alignment
    }

    fn block_length(&self) -> usize {
        CCM_16.block
    }

    fn icv_length(&self) -> usize {
        CCM_16.icv
    }

    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        associated: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (key, salt) = key_and_salt(key)?;
        let nonce = nonce(salt, iv)?;
        if icv.len() != CCM_16.icv {
            return Err(CryptoError::Length);
        }
        let tag = match key.len() {
            16 => seal_with::<Ccm128>(key, &nonce, associated, data)?,
            32 => seal_with::<Ccm256>(key, &nonce, associated, data)?,
            _ => return Err(CryptoError::Length),
        };
        icv.copy_from_slice(&tag);
        Ok(())
    }

    fn open(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        let (key, salt) = key_and_salt(key)?;
        let nonce = nonce(salt, iv)?;
        match key.len() {
            16 => open_with::<Ccm128>(key, &nonce, associated, data, icv),
            32 => open_with::<Ccm256>(key, &nonce, associated, data, icv),
            _ => Err(CryptoError::Length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8; 32] = b"no byte of this text may be left";

    #[test]
    fn a_wrong_key_salt_or_iv_leaves_no_plaintext() {
        for length in [16, 32] {
            let (key, iv): (std::vec::Vec<u8>, _) = ((0..length + 3).collect(), [0x11; 8]);
            let (mut sealed, mut icv) = (*TEXT, [0; 16]);
            AES_CCM_16.seal(&key, &iv, b"associated", &mut sealed, &mut icv).unwrap();
            for byte in 0..key.len() + iv.len() {
                let (mut wrong, mut data) = ([&key[..], &iv].concat(), sealed);
                wrong[byte] ^= 0x80;
                let (key, iv) = wrong.split_at(key.len());
                let opened = AES_CCM_16.open(key, iv, b"associated", &mut data, &icv);
                assert_eq!(opened, Err(CryptoError::Refused), "byte {byte}");
                assert_eq!(data, [0; 32], "byte {byte}");
            }
        }
    }

    #[test]
    fn lengths_that_ccm_lacks_are_refused_before_the_data_is_touched() {
        for (key, iv, icv) in
            [(2, 8, 16), (16, 8, 16), (18, 8, 16), (20, 8, 16), (27, 8, 16), (19, 7, 16), (19, 8, 15), (19, 8, 0)]
        {
            let (key, iv, mut icv) = (std::vec![1; key], std::vec![2; iv], std::vec![3; icv]);
            let mut data = *TEXT;
            assert_eq!(AES_CCM_16.seal(&key, &iv, &[], &mut data, &mut icv), Err(CryptoError::Length));
            assert_eq!(AES_CCM_16.open(&key, &iv, &[], &mut data, &icv), Err(CryptoError::Length));
            assert_eq!(&data, TEXT);
        }
    }

    #[test]
    fn lengths_that_cbc_lacks_are_refused_before_the_data_is_touched() {
        for (key, iv, data, icv) in
            [(15, 16, 32, 0), (24, 16, 32, 0), (16, 15, 32, 0), (16, 0, 32, 0), (32, 16, 31, 0), (32, 16, 32, 1)]
        {
            let (key, iv, mut icv) = (std::vec![1; key], std::vec![2; iv], std::vec![3; icv]);
            let mut buffer = *TEXT;
            let data = &mut buffer[..data];
            assert_eq!(AES_CBC.seal(&key, &iv, &[], data, &mut icv), Err(CryptoError::Length));
            assert_eq!(AES_CBC.open(&key, &iv, &[], data, &icv), Err(CryptoError::Length));
            assert_eq!(&buffer, TEXT);
        }
    }
}
