//! PRF_HMAC_* and AUTH_HMAC_* (FIPS 198, RFC 2404, RFC 4868) by AWS-LC.
//!
//! Sizes and rules for keys are those of the RustCrypto provider's objects, which these stand beside.
//!
//! AWS-LC takes a message in parts, but then hands its result over in a value that is not wiped. An ICV goes over the wire, so that is
//! no loss; the output of a PRF is a key. A PRF therefore puts its parts together in memory that is wiped, for the call that writes
//! the result where it belongs.

use aws_lc_rs::hmac::{self, Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key, Tag};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::{CryptoError, Integrity, Prf, expand_with};
use crate::memory;
use crate::provider;

/// PRF_HMAC_SHA1.
pub const PRF_HMAC_SHA1: &dyn Prf =
    &HmacPrf { algorithm: HMAC_SHA1_FOR_LEGACY_USE_ONLY, sizes: provider::PRF_HMAC_SHA1 };
/// PRF_HMAC_SHA2_256.
pub const PRF_HMAC_SHA2_256: &dyn Prf = &HmacPrf { algorithm: HMAC_SHA256, sizes: provider::PRF_HMAC_SHA2_256 };
/// PRF_HMAC_SHA2_384.
pub const PRF_HMAC_SHA2_384: &dyn Prf = &HmacPrf { algorithm: HMAC_SHA384, sizes: provider::PRF_HMAC_SHA2_384 };
/// PRF_HMAC_SHA2_512.
pub const PRF_HMAC_SHA2_512: &dyn Prf = &HmacPrf { algorithm: HMAC_SHA512, sizes: provider::PRF_HMAC_SHA2_512 };

/// AUTH_HMAC_SHA1_96.
pub const AUTH_HMAC_SHA1_96: &dyn Integrity =
    &HmacIntegrity { algorithm: HMAC_SHA1_FOR_LEGACY_USE_ONLY, sizes: provider::AUTH_HMAC_SHA1_96 };
/// AUTH_HMAC_SHA2_256_128.
pub const AUTH_HMAC_SHA2_256_128: &dyn Integrity =
    &HmacIntegrity { algorithm: HMAC_SHA256, sizes: provider::AUTH_HMAC_SHA2_256_128 };
/// AUTH_HMAC_SHA2_384_192.
pub const AUTH_HMAC_SHA2_384_192: &dyn Integrity =
    &HmacIntegrity { algorithm: HMAC_SHA384, sizes: provider::AUTH_HMAC_SHA2_384_192 };
/// AUTH_HMAC_SHA2_512_256.
pub const AUTH_HMAC_SHA2_512_256: &dyn Integrity =
    &HmacIntegrity { algorithm: HMAC_SHA512, sizes: provider::AUTH_HMAC_SHA2_512_256 };

/// HMAC of one digest as a PRF.
struct HmacPrf {
    algorithm: hmac::Algorithm,
    sizes: &'static dyn Prf,
}

impl Prf for HmacPrf {
    fn identifier(&self) -> u32 {
        self.sizes.identifier()
    }

    fn output_length(&self) -> usize {
        self.sizes.output_length()
    }

    fn key_length(&self) -> usize {
        self.sizes.key_length()
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        write(&Key::new(self.algorithm, key), parts, out)
    }

    fn expand(&self, key: &[u8], seed: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let key = Key::new(self.algorithm, key);
        expand_with(self.output_length(), seed, out, |parts, block| write(&key, parts, block))
    }
}

/// Writes the whole code of the parts into `out`.
fn write(key: &Key, parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
    if out.len() != key.algorithm().tag_len() {
        return Err(CryptoError::Length);
    }
    let length = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let mut message = Zeroizing::new(memory::with_capacity(length)?);
    for part in parts {
        memory::append(&mut message, part)?;
    }
    hmac::sign_to_buffer(key, &message, out).map_err(|_| CryptoError::Device)?;
    Ok(())
}

/// HMAC of one digest, cut to its first bytes, as an integrity algorithm.
struct HmacIntegrity {
    algorithm: hmac::Algorithm,
    sizes: &'static dyn Integrity,
}

impl HmacIntegrity {
    fn tag(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<Tag, CryptoError> {
        if key.len() != self.key_length() || icv.len() != self.icv_length() {
            return Err(CryptoError::Length);
        }
        let mut context = Context::with_key(&Key::new(self.algorithm, key));
        for part in parts {
            context.update(part);
        }
        Ok(context.sign())
    }

    fn cut<'a>(&self, tag: &'a Tag) -> Result<&'a [u8], CryptoError> {
        tag.as_ref().get(..self.icv_length()).ok_or(CryptoError::Length)
    }
}

impl Integrity for HmacIntegrity {
    fn identifier(&self) -> u32 {
        self.sizes.identifier()
    }

    fn key_length(&self) -> usize {
        self.sizes.key_length()
    }

    fn icv_length(&self) -> usize {
        self.sizes.icv_length()
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        icv.copy_from_slice(self.cut(&self.tag(key, parts, icv)?)?);
        Ok(())
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        // AWS-LC compares whole results only.
        let is_equal = self.cut(&self.tag(key, parts, icv)?)?.ct_eq(icv);
        if is_equal.into() { Ok(()) } else { Err(CryptoError::Refused) }
    }
}
