//! PRF_HMAC_* and AUTH_HMAC_* (FIPS 198, RFC 2404, RFC 4868).
//!
//! A PRF takes a key of any length. An integrity algorithm takes the one length that its RFC allows (RFC 2404 section 3,
//! RFC 4868 section 2.1.1) and refuses others.

use core::marker::PhantomData;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroize;

use crate::algorithm::{self, Algorithm, Sizes};
use crate::crypto::{CryptoError, Integrity, Prf, expand_with};

/// PRF_HMAC_SHA1.
pub const PRF_HMAC_SHA1: &dyn Prf = &HmacPrf::<Sha1>::new(&algorithm::PRF_HMAC_SHA1);
/// PRF_HMAC_SHA2_256.
pub const PRF_HMAC_SHA2_256: &dyn Prf = &HmacPrf::<Sha256>::new(&algorithm::PRF_HMAC_SHA2_256);
/// PRF_HMAC_SHA2_384.
pub const PRF_HMAC_SHA2_384: &dyn Prf = &HmacPrf::<Sha384>::new(&algorithm::PRF_HMAC_SHA2_384);
/// PRF_HMAC_SHA2_512.
pub const PRF_HMAC_SHA2_512: &dyn Prf = &HmacPrf::<Sha512>::new(&algorithm::PRF_HMAC_SHA2_512);

/// AUTH_HMAC_SHA1_96.
pub const AUTH_HMAC_SHA1_96: &dyn Integrity = &HmacIntegrity::<Sha1>::new(&algorithm::AUTH_HMAC_SHA1_96);
/// AUTH_HMAC_SHA2_256_128.
pub const AUTH_HMAC_SHA2_256_128: &dyn Integrity = &HmacIntegrity::<Sha256>::new(&algorithm::AUTH_HMAC_SHA2_256_128);
/// AUTH_HMAC_SHA2_384_192.
pub const AUTH_HMAC_SHA2_384_192: &dyn Integrity = &HmacIntegrity::<Sha384>::new(&algorithm::AUTH_HMAC_SHA2_384_192);
/// AUTH_HMAC_SHA2_512_256.
pub const AUTH_HMAC_SHA2_512_256: &dyn Integrity = &HmacIntegrity::<Sha512>::new(&algorithm::AUTH_HMAC_SHA2_512_256);

/// `Hmac` and not `SimpleHmac`: the former wipes its hash states when dropped, the latter leaves the padded key in memory.
fn mac<D: EagerHash>(key: &[u8], parts: &[&[u8]]) -> Result<Hmac<D>, CryptoError> {
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).map_err(|_| CryptoError::Length)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac)
}

/// HMAC of one digest as a PRF.
struct HmacPrf<D> {
    identifier: u32,
    length: usize,
    digest: PhantomData<fn() -> D>,
}

impl<D> HmacPrf<D> {
    const fn new(row: &Algorithm) -> Self {
        let length = match row.sizes {
            Sizes::PseudoRandom { output, .. } => output,
            _ => 0,
        };
        Self { identifier: row.identifier, length, digest: PhantomData }
    }
}

impl<D: EagerHash> Prf for HmacPrf<D> {
    fn identifier(&self) -> u32 {
        self.identifier
    }

    fn output_length(&self) -> usize {
        self.length
    }

    fn key_length(&self) -> usize {
        self.length
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        finish(mac::<D>(key, parts)?, out)
    }

    fn expand(&self, key: &[u8], seed: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let keyed = mac::<D>(key, &[])?;
        expand_with(self.length, seed, out, |parts, block| {
            let mut mac = keyed.clone();
            parts.iter().for_each(|part| mac.update(part));
            finish(mac, block)
        })
    }
}

/// Writes the whole code into `out`.
fn finish<D: EagerHash>(mac: Hmac<D>, out: &mut [u8]) -> Result<(), CryptoError> {
    let mut code = mac.finalize().into_bytes();
    if out.len() != code.len() {
        return Err(CryptoError::Length);
    }
    out.copy_from_slice(&code);
    code.as_mut_slice().zeroize();
    Ok(())
}

/// HMAC of one digest, cut to its first bytes, as an integrity algorithm.
struct HmacIntegrity<D> {
    identifier: u32,
    key_length: usize,
    icv_length: usize,
    digest: PhantomData<fn() -> D>,
}

impl<D> HmacIntegrity<D> {
    const fn new(row: &Algorithm) -> Self {
        let (key_length, icv_length) = match row.sizes {
            Sizes::Integrity { key, icv } => (key, icv),
            _ => (0, 0),
        };
        Self { identifier: row.identifier, key_length, icv_length, digest: PhantomData }
    }

    const fn check(&self, key: &[u8], icv: &[u8]) -> Result<(), CryptoError> {
        if key.len() == self.key_length && icv.len() == self.icv_length { Ok(()) } else { Err(CryptoError::Length) }
    }
}

impl<D: EagerHash> Integrity for HmacIntegrity<D> {
    fn identifier(&self) -> u32 {
        self.identifier
    }

    fn key_length(&self) -> usize {
        self.key_length
    }

    fn icv_length(&self) -> usize {
        self.icv_length
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        self.check(key, icv)?;
        let mut code = mac::<D>(key, parts)?.finalize().into_bytes();
        icv.copy_from_slice(code.get(..self.icv_length).ok_or(CryptoError::Length)?);
        code.as_mut_slice().zeroize();
        Ok(())
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        self.check(key, icv)?;
        mac::<D>(key, parts)?.verify_truncated_left(icv).map_err(|_| CryptoError::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tested::{
        AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256, PRF_HMAC_SHA1,
    };

    /// The well-known value of HMAC-SHA1 with no key and no text.
    #[test]
    fn an_empty_key_is_a_key() {
        let mut out = [0; 20];
        PRF_HMAC_SHA1.compute(&[], &[], &mut out).unwrap();
        assert_eq!(out, *b"\xfb\xdb\x1d\x1b\x18\xaa\x6c\x08\x32\x4b\x7d\x64\xb7\x1f\xb7\x63\x70\x69\x0e\x1d");
    }

    #[test]
    fn no_icv_is_no_proof() {
        for algorithm in [AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256] {
            let key = std::vec![7; algorithm.key_length()];
            assert_eq!(algorithm.verify(&key, &[b"text"], &[]), Err(CryptoError::Length));
            assert_eq!(algorithm.compute(&key, &[b"text"], &mut []), Err(CryptoError::Length));
            assert_eq!(
                algorithm.verify(&[], &[b"text"], &std::vec![0; algorithm.icv_length()]),
                Err(CryptoError::Length)
            );
        }
    }
}
