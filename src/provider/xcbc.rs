//! PRF_AES128_XCBC (RFC 4434, reading R14) and AUTH_AES_XCBC_96 (RFC 3566).
//!
//! The PRF takes a key of any length and makes one of 16 bytes of it. The integrity algorithm takes 16 bytes and refuses
//! others. Both branch on lengths only, which are public; the blocks are encrypted in constant time.

use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::algorithm::{self, Sizes};
use crate::crypto::{CryptoError, Integrity, Prf, expand_with};

/// PRF_AES128_XCBC, which r3 prints as PRF_AES128_CBC.
pub const PRF_AES128_XCBC: &dyn Prf = &XcbcPrf;
/// AUTH_AES_XCBC_96.
pub const AUTH_AES_XCBC_96: &dyn Integrity = &Xcbc96;

/// Bytes of a block of AES, and of a key of AES-128.
const BLOCK: usize = 16;

type Block = Zeroizing<[u8; BLOCK]>;

fn encrypt(aes: &Aes128Enc, block: &mut Block) {
    aes.encrypt_block((&mut **block).into());
}

/// A key made of the key (RFC 3566 section 4, step 1).
fn derive(aes: &Aes128Enc, number: u8) -> Block {
    let mut key = Zeroizing::new([number; BLOCK]);
    encrypt(aes, &mut key);
    key
}

/// A key made ready: the cipher with it, and with the first key made of it.
struct Keyed {
    aes: Aes128Enc,
    inner: Aes128Enc,
}

impl Keyed {
    fn new(key: &Block) -> Self {
        let aes = Aes128Enc::new((&**key).into());
        let inner = Aes128Enc::new((&*derive(&aes, 1)).into());
        Self { aes, inner }
    }
}

/// The whole code of the parts, one after the other (RFC 3566 section 4).
fn code(Keyed { aes, inner }: &Keyed, parts: &[&[u8]]) -> Block {
    let mut bytes = parts.iter().copied().flatten().peekable();
    let mut block = Block::default();
    let filled = loop {
        // The block's end stops the zip before it takes another byte.
        let filled = block.iter_mut().zip(bytes.by_ref()).map(|(to, byte)| *to ^= *byte).count();
        if bytes.peek().is_none() {
            break filled;
        }
        encrypt(inner, &mut block);
    };
    let last = match block.get_mut(filled) {
        Some(padding) => {
            *padding ^= 0x80;
            derive(aes, 3)
        }
        None => derive(aes, 2),
    };
    block.iter_mut().zip(last.iter()).for_each(|(to, byte)| *to ^= *byte);
    encrypt(inner, &mut block);
    block
}

/// The key of the PRF: padded with zeros or, if it is longer than a block, its code under a key of zeros (RFC 4434
/// section 2).
fn prf_key(key: &[u8]) -> Block {
    let mut block = Block::default();
    if key.len() > BLOCK {
        return code(&Keyed::new(&block), &[key]);
    }
    block.iter_mut().zip(key).for_each(|(to, byte)| *to = *byte);
    block
}

struct XcbcPrf;

impl Prf for XcbcPrf {
    fn identifier(&self) -> u32 {
        algorithm::PRF_AES128_XCBC.identifier
    }

    fn output_length(&self) -> usize {
        BLOCK
    }

    fn key_length(&self) -> usize {
        BLOCK
    }

    fn nonce_share(&self) -> Option<usize> {
        Some(BLOCK / 2)
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        if out.len() != BLOCK {
            return Err(CryptoError::Length);
        }
        out.copy_from_slice(&*code(&Keyed::new(&prf_key(key)), parts));
        Ok(())
    }

    fn expand(&self, key: &[u8], seed: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let keyed = Keyed::new(&prf_key(key));
        expand_with(BLOCK, seed, out, |parts, block| {
            if block.len() != BLOCK {
                return Err(CryptoError::Length);
            }
            block.copy_from_slice(&*code(&keyed, parts));
            Ok(())
        })
    }
}

const KEY: usize = match algorithm::AUTH_AES_XCBC_96.sizes {
    Sizes::Integrity { key, .. } => key,
    _ => 0,
};
const ICV: usize = match algorithm::AUTH_AES_XCBC_96.sizes {
    Sizes::Integrity { icv, .. } => icv,
    _ => 0,
};

struct Xcbc96;

impl Xcbc96 {
    /// The first bytes of the code.
    fn icv(key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<[u8; ICV]>, CryptoError> {
        let key = <[u8; KEY]>::try_from(key).map_err(|_| CryptoError::Length)?;
        let code = code(&Keyed::new(&Zeroizing::new(key)), parts);
        let icv = code.first_chunk::<ICV>().ok_or(CryptoError::Length)?;
        Ok(Zeroizing::new(*icv))
    }
}

impl Integrity for Xcbc96 {
    fn identifier(&self) -> u32 {
        algorithm::AUTH_AES_XCBC_96.identifier
    }

    fn key_length(&self) -> usize {
        KEY
    }

    fn icv_length(&self) -> usize {
        ICV
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        if icv.len() != ICV {
            return Err(CryptoError::Length);
        }
        icv.copy_from_slice(&*Self::icv(key, parts)?);
        Ok(())
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        if icv.len() != ICV {
            return Err(CryptoError::Length);
        }
        if Self::icv(key, parts)?.ct_eq(icv).into() { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// However a message is cut, its code is the same: cuts at each place, and into single bytes.
    #[test]
    fn parts_are_one_message() {
        let message: Vec<u8> = (0..50).collect();
        let code = |parts: &[&[u8]]| {
            let mut out = [0; BLOCK];
            PRF_AES128_XCBC.compute(b"key", parts, &mut out).unwrap();
            out
        };
        for length in 0..message.len() {
            let (whole, _) = message.split_at(length);
            let expected = code(&[whole]);
            for cut in 0..=length {
                let (head, tail) = whole.split_at(cut);
                assert_eq!(code(&[head, &[], tail]), expected, "{length} bytes, cut at {cut}");
            }
            assert_eq!(code(&whole.chunks(1).collect::<Vec<_>>()), expected);
        }
    }

    /// RFC 4434 section 2: zeros at the end of a short key change nothing, and a long key is not cut.
    #[test]
    fn keys_are_padded_or_hashed() {
        let code = |key: &[u8]| {
            let mut out = [0; BLOCK];
            PRF_AES128_XCBC.compute(key, &[b"text"], &mut out).unwrap();
            out
        };
        assert_eq!(code(b"key"), code(b"key\0\0\0\0\0\0\0\0\0\0\0\0\0"));
        assert_eq!(code(&[]), code(&[0; BLOCK]));
        assert_ne!(code(&[7; BLOCK]), code(&[7; BLOCK + 1]));
        assert_ne!(code(&[0; BLOCK]), code(&[0; BLOCK + 1]));
    }

    #[test]
    fn no_icv_is_no_proof() {
        for (key, icv) in [(16, 0), (16, 11), (16, 13), (16, 16), (0, 12), (15, 12), (17, 12)] {
            let (key, mut icv) = (std::vec![7; key], std::vec![0; icv]);
            assert_eq!(AUTH_AES_XCBC_96.verify(&key, &[b"text"], &icv), Err(CryptoError::Length));
            assert_eq!(AUTH_AES_XCBC_96.compute(&key, &[b"text"], &mut icv), Err(CryptoError::Length));
        }
    }
}
