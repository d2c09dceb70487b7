//! ECDSA on P-256, P-384 and P-521 (FIPS 186-4, RFC 4754; reading R16) by AWS-LC.
//!
//! A signature is r | s, each as long as the curve's field: 32, 48 or 66 bytes. AWS-LC's interface knows that form for some pairs of
//! a curve and a hash and the DER of X9.62 for all, so a verifier encodes it first.
//!
//! # Randomness
//! AWS-LC draws each k from its own generator and mixes the private key and the hash in, so that two signatures of one message
//! differ, and a [`Random`](crate::crypto::Random) that replays recorded values does not repeat them. Whoever needs a signature to
//! be a function of its message takes the RustCrypto provider's signer, whose k is that of RFC 6979. Since no k comes
//! twice, a fault does not give the key away, and a signature is not verified before it is given away.

use alloc::vec::Vec;
use core::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P384_SHA512_ASN1,
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaVerificationAlgorithm, KeyPair, VerificationAlgorithm,
};

use super::digest::digest;
use crate::crypto::{CryptoError, HashKind, KeyKind, PublicKey, SignatureScheme, Signer, Verifier};
use crate::memory;
use crate::provider::{self, KeyError};

/// ECDSA on P-256 with SHA-256: ECDSA-256 of IKE.
pub const ECDSA_P256_SHA256: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P256, HashKind::Sha256, &ECDSA_P256_SHA256_ASN1);
/// ECDSA on P-256 with SHA-384.
pub const ECDSA_P256_SHA384: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P256, HashKind::Sha384, &ECDSA_P256_SHA384_ASN1);
/// ECDSA on P-256 with SHA-512.
pub const ECDSA_P256_SHA512: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P256, HashKind::Sha512, &ECDSA_P256_SHA512_ASN1);
/// ECDSA on P-384 with SHA-256.
pub const ECDSA_P384_SHA256: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P384, HashKind::Sha256, &ECDSA_P384_SHA256_ASN1);
/// ECDSA on P-384 with SHA-384: ECDSA-384 of IKE.
pub const ECDSA_P384_SHA384: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P384, HashKind::Sha384, &ECDSA_P384_SHA384_ASN1);
/// ECDSA on P-384 with SHA-512.
pub const ECDSA_P384_SHA512: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P384, HashKind::Sha512, &ECDSA_P384_SHA512_ASN1);
/// ECDSA on P-521 with SHA-256.
pub const ECDSA_P521_SHA256: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P521, HashKind::Sha256, &ECDSA_P521_SHA256_ASN1);
/// ECDSA on P-521 with SHA-384.
pub const ECDSA_P521_SHA384: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P521, HashKind::Sha384, &ECDSA_P521_SHA384_ASN1);
/// ECDSA on P-521 with SHA-512: ECDSA-521 of IKE.
pub const ECDSA_P521_SHA512: &dyn Verifier =
    &EcdsaVerifier::new(KeyKind::P521, HashKind::Sha512, &ECDSA_P521_SHA512_ASN1);

struct EcdsaVerifier {
    scheme: SignatureScheme,
    algorithm: &'static EcdsaVerificationAlgorithm,
}

impl EcdsaVerifier {
    const fn new(key: KeyKind, hash: HashKind, algorithm: &'static EcdsaVerificationAlgorithm) -> Self {
        Self { scheme: SignatureScheme::new(key, hash), algorithm }
    }
}

impl fmt::Debug for EcdsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaVerifier({:?}, {:?})", self.scheme.key, self.scheme.hash)
    }
}

impl Verifier for EcdsaVerifier {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        let field = self.scheme.key.field_length().ok_or(CryptoError::Refused)?;
        // RFC 4754 and RFC 5480 2.2 know uncompressed points; AWS-LC would take others, and a SubjectPublicKeyInfo.
        let coordinates = public_key.strip_prefix(&[0x04]).ok_or(CryptoError::Refused)?;
        if coordinates.len() != field.saturating_mul(2) || signature.len() != coordinates.len() {
            return Err(CryptoError::Refused);
        }
        let (r, s) = signature.split_at_checked(field).ok_or(CryptoError::Refused)?;
        // Refuses r and s that are zero or not below the order.
        let verified =
            self.algorithm.verify_digest_sig(public_key, &digest(self.scheme.hash, message), &ecdsa_sig_value(r, s)?);
        verified.map_err(|_| CryptoError::Refused)
    }
}

/// The DER of an Ecdsa-Sig-Value (RFC 3279 2.2.3) with these numbers, of at most 66 bytes each.
fn ecdsa_sig_value(r: &[u8], s: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let byte = |length: usize| u8::try_from(length).map_err(|_| CryptoError::Length);
    let mut numbers = memory::with_capacity(r.len().saturating_add(s.len()).saturating_add(6))?;
    for number in [r, s] {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let significant = number.get(zeros..).unwrap_or_default();
        // A number whose first bit is set would be negative without a byte before it, and zero has one byte.
        let sign: &[u8] = if significant.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
        let length = byte(sign.len().saturating_add(significant.len()))?;
        for part in [&[0x02, length], sign, significant] {
            memory::append(&mut numbers, part)?;
        }
    }
    let length = byte(numbers.len())?;
    let header: &[u8] = if length < 0x80 { &[0x30, length] } else { &[0x30, 0x81, length] };
    let mut value = memory::with_capacity(header.len().saturating_add(numbers.len()))?;
    memory::append(&mut value, header)?;
    memory::append(&mut value, &numbers)?;
    Ok(value)
}

/// Signs with a private key in memory, and with the hash that IKE names for its curve (RFC 4754). Two signatures of one message
/// differ: AWS-LC's generator takes part. The key is wiped when the signer is dropped.
///
/// Where others may run code or measure power beside the device server, the key belongs in an HSM behind a [`Signer`].
pub struct EcdsaSigner {
    key: EcdsaKeyPair,
    kind: KeyKind,
}

impl EcdsaSigner {
    /// The signer of a PKCS#8 PrivateKeyInfo in DER whose parameters name the curve (RFC 5915, RFC 5958). A public key inside
    /// must be that of the private one. A key is taken if [`provider::EcdsaSigner`] takes it, too.
    ///
    /// # Errors
    /// [`KeyError::Malformed`]; [`KeyError::Algorithm`] for a key that is not for one of the three named curves.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        // AWS-LC reads more leniently: bytes after the key, keys shorter than the field.
        let kind = provider::EcdsaSigner::from_pkcs8_der(der)?.scheme().key;
        let algorithm = match kind {
            KeyKind::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            KeyKind::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
            KeyKind::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
            KeyKind::Rsa => return Err(KeyError::Algorithm),
        };
        let key = EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(|_| KeyError::Malformed)?;
        Ok(Self { key, kind })
    }
}

impl fmt::Debug for EcdsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaSigner({:?})", self.kind)
    }
}

impl Signer for EcdsaSigner {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::of_auth(self.kind)
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::new(self.kind, self.key.public_key().as_ref())
    }

    fn signature_length(&self) -> usize {
        self.kind.field_length().unwrap_or(0).saturating_mul(2)
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        if out.len() != self.signature_length() {
            return Err(CryptoError::Length);
        }
        let digest = digest(self.scheme().hash, message);
        let signature = self.key.sign_digest(&digest).map_err(|_| CryptoError::Device)?;
        let signature = signature.as_ref();
        if signature.len() != out.len() {
            return Err(CryptoError::Device);
        }
        out.copy_from_slice(signature);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X.690 8.3: no byte more than the sign needs, and none less.
    #[test]
    fn numbers_are_as_short_as_der_wants_them() {
        let der = |r: &[u8], s: &[u8]| ecdsa_sig_value(r, s).unwrap();
        assert_eq!(der(&[0, 0x7F], &[0x80, 0]), [0x30, 8, 2, 1, 0x7F, 2, 3, 0, 0x80, 0]);
        assert_eq!(der(&[0, 0], &[0, 1]), [0x30, 6, 2, 1, 0, 2, 1, 1]);
        let long = der(&[0xFF; 66], &[0x01; 66]);
        assert_eq!((&long[..6], long.len()), (&[0x30, 0x81, 137, 2, 67, 0][..], 3 + 2 + 67 + 2 + 66));
    }
}
