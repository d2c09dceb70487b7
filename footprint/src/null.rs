//! Algorithms that compute nothing, for an image of the core alone: with them it accepts any recorded exchange by ENCR_NULL.

use ikev2_scsi::algorithm;
use ikev2_scsi::crypto::{Cipher, CryptoError, CryptoProvider, DhGroup, Integrity, Prf, Purpose, Random, RandomError};

/// The algorithms.
pub const PROVIDER: CryptoProvider =
    CryptoProvider { ciphers: &[&Null], prfs: &[&Null], integrity: &[&Null], groups: &[&Null], verifiers: &[] };

/// The output of the PRF: the AUTHENTICATION DATA that the application client of the recording sends.
const AUTHENTICATION_DATA: [u8; 20] = [
    0xBB, 0xB5, 0x25, 0xE9, 0x18, 0xF1, 0xAD, 0x70, 0xAB, 0xB3, 0xC8, 0x36, 0x64, 0xEA, 0x13, 0x99, 0xDF, 0x02, 0x9D,
    0x7C,
];

struct Null;

impl Cipher for Null {
    fn identifier(&self) -> u32 {
        algorithm::ENCR_NULL.identifier
    }
    fn key_lengths(&self) -> &'static [u16] {
        &[0]
    }
    fn iv_length(&self) -> usize {
        0
    }
    fn alignment(&self) -> usize {
        1
    }
    fn block_length(&self) -> usize {
        1
    }
    fn seal(&self, _: &[u8], _: &[u8], _: &[u8], _: &mut [u8], _: &mut [u8]) -> Result<(), CryptoError> {
        Ok(())
    }
    fn open(&self, _: &[u8], _: &[u8], _: &[u8], _: &mut [u8], _: &[u8]) -> Result<(), CryptoError> {
        Ok(())
    }
}

impl Prf for Null {
    fn identifier(&self) -> u32 {
        algorithm::PRF_HMAC_SHA1.identifier
    }
    fn output_length(&self) -> usize {
        AUTHENTICATION_DATA.len()
    }
    fn key_length(&self) -> usize {
        AUTHENTICATION_DATA.len()
    }
    fn compute(&self, _: &[u8], _: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        out.iter_mut().zip(AUTHENTICATION_DATA).for_each(|(to, from)| *to = from);
        Ok(())
    }
}

impl Integrity for Null {
    fn identifier(&self) -> u32 {
        algorithm::AUTH_HMAC_SHA1_96.identifier
    }
    fn key_length(&self) -> usize {
        20
    }
    fn icv_length(&self) -> usize {
        12
    }
    fn compute(&self, _: &[u8], _: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        icv.fill(0);
        Ok(())
    }
    fn verify(&self, _: &[u8], _: &[&[u8]], _: &[u8]) -> Result<(), CryptoError> {
        Ok(())
    }
}

impl DhGroup for Null {
    fn identifier(&self) -> u32 {
        algorithm::MODP_2048.identifier
    }
    fn public_length(&self) -> usize {
        256
    }
    fn shared_length(&self) -> usize {
        256
    }
    fn private_length(&self) -> usize {
        32
    }
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        if public.len() == 256 { Ok(()) } else { Err(CryptoError::Length) }
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        random.fill(Purpose::DhPrivate, out)
    }
    fn public(&self, _: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(1);
        Ok(())
    }
    fn agree(&self, _: &[u8], _: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(2);
        Ok(())
    }
}
