//! Block ciphers in CBC mode: ENCR_AES_CBC (RFC 3602, reading R12) and ENCR_3DES (RFC 2451, reading R9).

use aes::{Aes128, Aes256};
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use des::TdesEde3;

use super::sizes;
use crate::algorithm::{self, EncryptionSizes};
use crate::crypto::{Cipher, CryptoError};

/// ENCR_AES_CBC with 16- and 32-byte keys.
pub const AES_CBC: &dyn Cipher = &Cbc;
/// ENCR_3DES with three keys: KEY LENGTH 0Eh, 24 bytes of key material (reading R9).
///
/// Not to be used but where a peer has nothing else, and therefore off by default in a device server's policy: the algorithm is
/// withdrawn, its blocks of 8 bytes are short, and its crate looks up tables by secret values, which a cache may tell to
/// whoever shares it. Nothing else in this provider does so.
pub const TRIPLE_DES: &dyn Cipher = &TripleDes;

const CBC: EncryptionSizes = sizes(&algorithm::ENCR_AES_CBC);
const TRIPLE: EncryptionSizes = sizes(&algorithm::ENCR_3DES);

/// Encrypts whole blocks: the protocol pads, the cipher does not.
fn encrypt<M: BlockModeEncrypt + KeyIvInit>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CryptoError> {
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(CryptoError::Length);
    }
    M::new_from_slices(key, iv).map_err(|_| CryptoError::Length)?.encrypt_blocks(blocks);
    Ok(())
}

/// Decrypts whole blocks.
fn decrypt<M: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), CryptoError> {
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return Err(CryptoError::Length);
    }
    M::new_from_slices(key, iv).map_err(|_| CryptoError::Length)?.decrypt_blocks(blocks);
    Ok(())
}

struct Cbc;

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
        match (key.len(), icv) {
            (16, []) => encrypt::<cbc::Encryptor<Aes128>>(key, iv, data),
            (32, []) => encrypt::<cbc::Encryptor<Aes256>>(key, iv, data),
            _ => Err(CryptoError::Length),
        }
    }

    fn open(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        match (key.len(), icv) {
            (16, []) => decrypt::<cbc::Decryptor<Aes128>>(key, iv, data),
            (32, []) => decrypt::<cbc::Decryptor<Aes256>>(key, iv, data),
            _ => Err(CryptoError::Length),
        }
    }
}

struct TripleDes;

impl Cipher for TripleDes {
    fn identifier(&self) -> u32 {
        algorithm::ENCR_3DES.identifier
    }

    fn key_lengths(&self) -> &'static [u16] {
        TRIPLE.key_lengths
    }

    fn key_material_length(&self, key_length: u16) -> usize {
        TRIPLE.key_material(key_length)
    }

    fn iv_length(&self) -> usize {
        TRIPLE.iv
    }

    fn alignment(&self) -> usize {
        TRIPLE.alignment
    }

    fn block_length(&self) -> usize {
        TRIPLE.block
    }

    fn seal(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &mut [u8]) -> Result<(), CryptoError> {
        if !icv.is_empty() {
            return Err(CryptoError::Length);
        }
        encrypt::<cbc::Encryptor<TdesEde3>>(key, iv, data)
    }

    fn open(&self, key: &[u8], iv: &[u8], _: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        if !icv.is_empty() {
            return Err(CryptoError::Length);
        }
        decrypt::<cbc::Decryptor<TdesEde3>>(key, iv, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tested::{AES_CBC, TRIPLE_DES};

    const TEXT: &[u8; 32] = b"no byte of this text may be left";

    #[test]
    fn lengths_that_cbc_lacks_are_refused_before_the_data_is_touched() {
        let aes = [(15, 16, 32, 0), (24, 16, 32, 0), (16, 15, 32, 0), (16, 0, 32, 0), (32, 16, 31, 0), (32, 16, 32, 1)];
        let triple = [(14, 8, 32, 0), (16, 8, 32, 0), (25, 8, 32, 0), (24, 16, 32, 0), (24, 8, 28, 0), (24, 8, 32, 1)];
        for (cipher, lengths) in [(AES_CBC, aes), (TRIPLE_DES, triple)] {
            for (key, iv, data, icv) in lengths {
                let (key, iv, mut icv) = (std::vec![1; key], std::vec![2; iv], std::vec![3; icv]);
                let mut buffer = *TEXT;
                let data = &mut buffer[..data];
                assert_eq!(cipher.seal(&key, &iv, &[], data, &mut icv), Err(CryptoError::Length));
                assert_eq!(cipher.open(&key, &iv, &[], data, &icv), Err(CryptoError::Length));
                assert_eq!(&buffer, TEXT);
            }
        }
    }
}
