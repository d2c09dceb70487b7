//! PRF_HMAC_* and AUTH_HMAC_* (FIPS 198, RFC 2404, RFC 4868).

use core::marker::PhantomData;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroize;

use crate::algorithm::{self, Algorithm, Sizes};
use crate::crypto::{CryptoError, Integrity, Prf};

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

/// `Hmac` keeps hashed states, which are wiped; `SimpleHmac` would keep the key itself, and not wipe it.
fn mac<D: EagerHash + Send + Sync>(key: &[u8], parts: &[&[u8]]) -> Result<Hmac<D>, CryptoError> {
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

impl<D: EagerHash + Send + Sync> Prf for HmacPrf<D> {
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
        if out.len() != self.length {
            return Err(CryptoError::Length);
        }
        let mut code = mac::<D>(key, parts)?.finalize().into_bytes();
        out.copy_from_slice(&code);
        code.as_mut_slice().zeroize();
        Ok(())
    }
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

impl<D: EagerHash + Send + Sync> Integrity for HmacIntegrity<D> {
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
        let code = mac::<D>(key, parts)?.finalize().into_bytes();
        icv.copy_from_slice(code.get(..self.icv_length).ok_or(CryptoError::Length)?);
        Ok(())
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        self.check(key, icv)?;
        mac::<D>(key, parts)?.verify_truncated_left(icv).map_err(|_| CryptoError::Refused)
    }
}
