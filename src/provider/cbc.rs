//! ENCR_AES_CBC (RFC 3602, reading R12).

use aes::{Aes128, Aes256};
use cbc::cipher::consts::U16;
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use super::sizes;
use crate::algorithm::{self, EncryptionSizes};
use crate::crypto::{Cipher, CryptoError};

/// ENCR_AES_CBC with 16- and 32-byte keys.
pub const AES_CBC: &dyn Cipher = &Cbc;

const CBC: EncryptionSizes = sizes(&algorithm::ENCR_AES_CBC);

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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8; 32] = b"no byte of this text may be left";

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
