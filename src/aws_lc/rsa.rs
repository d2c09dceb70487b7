//! RSA, EMSA-PKCS1-v1_5 (RFC 8017 8.2; RFC 4306 2.15; reading R16) by AWS-LC.
//!
//! A public key is taken when the RustCrypto provider takes it: DER that is strict, a modulus of 2048 to 8192 bits, an odd exponent
//! of at least 3 and below 2^33. AWS-LC compares the encoded message as a whole and parses nothing in a signature.
//!
//! AWS-LC's Rust interface signs with the hashes of SHA-2 and not with SHA-1, which is IKE's own: a signer with SHA-1 is the
//! RustCrypto provider's. The others are blinded and verified before they are given away by AWS-LC itself.

use alloc::boxed::Box;
use core::fmt;

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256 as SIGN_SHA256, RSA_PKCS1_SHA384 as SIGN_SHA384,
    RSA_PKCS1_SHA512 as SIGN_SHA512, RsaParameters, RsaSignatureEncoding, VerificationAlgorithm,
};

use super::digest::digest;
use crate::crypto::{CryptoError, HashKind, KeyKind, PublicKey, SignatureScheme, Signer, Verifier};
use crate::provider::{self, KeyError};

/// RSA with SHA-1: what IKE uses unless a policy says otherwise (reading R16).
pub const RSA_PKCS1_SHA1: &dyn Verifier =
    &RsaVerifier { hash: HashKind::Sha1, parameters: &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY };
/// RSA with SHA-256.
pub const RSA_PKCS1_SHA256: &dyn Verifier =
    &RsaVerifier { hash: HashKind::Sha256, parameters: &RSA_PKCS1_2048_8192_SHA256 };
/// RSA with SHA-384.
pub const RSA_PKCS1_SHA384: &dyn Verifier =
    &RsaVerifier { hash: HashKind::Sha384, parameters: &RSA_PKCS1_2048_8192_SHA384 };
/// RSA with SHA-512.
pub const RSA_PKCS1_SHA512: &dyn Verifier =
    &RsaVerifier { hash: HashKind::Sha512, parameters: &RSA_PKCS1_2048_8192_SHA512 };

struct RsaVerifier {
    hash: HashKind,
    parameters: &'static RsaParameters,
}

impl fmt::Debug for RsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaVerifier({:?})", self.hash)
    }
}

impl Verifier for RsaVerifier {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::new(KeyKind::Rsa, self.hash)
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        provider::check_rsa_key(public_key).map_err(|_| CryptoError::Refused)?;
        let digest = digest(self.hash, message);
        self.parameters.verify_digest_sig(public_key, &digest, signature).map_err(|_| CryptoError::Refused)
    }
}

/// Signs with a private key in memory: with SHA-2 by AWS-LC, with SHA-1 by the RustCrypto provider. The key is wiped when the
/// signer is dropped.
///
/// Where others may run code or measure power beside the device server, the key belongs in an HSM behind a [`Signer`].
pub struct RsaSigner(Key);

enum Key {
    Sha1(Box<provider::RsaSigner>),
    Sha2 { key: KeyPair, hash: HashKind, encoding: &'static RsaSignatureEncoding },
}

impl RsaSigner {
    /// The signer of a PKCS#8 PrivateKeyInfo in DER that has an RSAPrivateKey of two primes (RFC 8017 A.1.2, RFC 5958),
    /// with a hash. IKE's is SHA-1 (RFC 4306); peers must be known to take another one. A key is taken if
    /// [`provider::RsaSigner`] takes it, too.
    ///
    /// # Errors
    /// [`KeyError::Malformed`]; [`KeyError::Algorithm`] for a key that is not RSA's or is for RSASSA-PSS alone;
    /// [`KeyError::Size`] for a modulus of less than 2048 or more than 8192 bits, and for an exponent that is even or
    /// outside 3 to 2^33 - 1.
    pub fn from_pkcs8_der(der: &[u8], hash: HashKind) -> Result<Self, KeyError> {
        let checked = provider::RsaSigner::from_pkcs8_der(der, hash)?;
        let encoding = match hash {
            HashKind::Sha1 => return Ok(Self(Key::Sha1(Box::new(checked)))),
            HashKind::Sha256 => &SIGN_SHA256,
            HashKind::Sha384 => &SIGN_SHA384,
            HashKind::Sha512 => &SIGN_SHA512,
        };
        let key = KeyPair::from_pkcs8(der).map_err(|_| KeyError::Malformed)?;
        Ok(Self(Key::Sha2 { key, hash, encoding }))
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Key::Sha1(signer) => signer.fmt(f),
            Key::Sha2 { key, hash, .. } => write!(f, "RsaSigner({hash:?}, {} bytes)", key.public_modulus_len()),
        }
    }
}

impl Signer for RsaSigner {
    fn scheme(&self) -> SignatureScheme {
        match &self.0 {
            Key::Sha1(signer) => signer.scheme(),
            Key::Sha2 { hash, .. } => SignatureScheme::new(KeyKind::Rsa, *hash),
        }
    }

    fn public_key(&self) -> PublicKey {
        match &self.0 {
            Key::Sha1(signer) => signer.public_key(),
            Key::Sha2 { key, .. } => PublicKey::new(KeyKind::Rsa, key.public_key().as_ref()),
        }
    }

    fn signature_length(&self) -> usize {
        match &self.0 {
            Key::Sha1(signer) => signer.signature_length(),
            Key::Sha2 { key, .. } => key.public_modulus_len(),
        }
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        match &self.0 {
            Key::Sha1(signer) => signer.sign(message, out),
            // AWS-LC's copy would panic.
            Key::Sha2 { key, .. } if out.len() != key.public_modulus_len() => Err(CryptoError::Length),
            Key::Sha2 { key, hash, encoding } => {
                key.sign_digest(*encoding, &digest(*hash, message), out).map_err(|_| CryptoError::Device)
            }
        }
    }
}
