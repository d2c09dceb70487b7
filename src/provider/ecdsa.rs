//! ECDSA on P-256, P-384 and P-521 (FIPS 186-4, RFC 4754; reading R16), over the crates of the curves.
//!
//! A signature is r | s, each as long as the curve's field: 32, 48 or 66 bytes. IKE names one hash for each curve;
//! certificates mix them, so a verifier is there for each pair. High values of s are as good as low ones: neither RFC 4754
//! nor X.509 asks for one of the two.
//!
//! The signer's k is that of RFC 6979, so that it needs no random source and no bad one can give the key away. A fault
//! during the computation could: two signatures of one message, one of them wrong, have one k. Each signature is therefore
//! verified before it is given away. The operations on the key are in constant time over the crates of the curves; those of
//! the verifiers need not be.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use ecdsa::hazmat::verify_prehashed;
use ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use ecdsa::{DigestAlgorithm, EcdsaCurve, Signature, SigningKey};
use p256::NistP256;
use p256::elliptic_curve::group::Curve as _;
use p256::elliptic_curve::pkcs8::der::AnyRef;
use p256::elliptic_curve::pkcs8::{AssociatedOid, ObjectIdentifier, PrivateKeyInfoRef};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::{ALGORITHM_OID, CurveArithmetic, Group, ProjectivePoint};
use p384::NistP384;
use p521::NistP521;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::ecp::point;
use super::{KeyError, hash};
use crate::crypto::{CryptoError, HashKind, KeyKind, PublicKey, SignatureScheme, Signer, Verifier};

/// ECDSA on P-256 with SHA-256: ECDSA-256 of IKE.
pub const ECDSA_P256_SHA256: &dyn Verifier = &EcdsaVerifier::<NistP256, Sha256>::new(KeyKind::P256, HashKind::Sha256);
/// ECDSA on P-256 with SHA-384.
pub const ECDSA_P256_SHA384: &dyn Verifier = &EcdsaVerifier::<NistP256, Sha384>::new(KeyKind::P256, HashKind::Sha384);
/// ECDSA on P-256 with SHA-512.
pub const ECDSA_P256_SHA512: &dyn Verifier = &EcdsaVerifier::<NistP256, Sha512>::new(KeyKind::P256, HashKind::Sha512);
/// ECDSA on P-384 with SHA-256.
pub const ECDSA_P384_SHA256: &dyn Verifier = &EcdsaVerifier::<NistP384, Sha256>::new(KeyKind::P384, HashKind::Sha256);
/// ECDSA on P-384 with SHA-384: ECDSA-384 of IKE.
pub const ECDSA_P384_SHA384: &dyn Verifier = &EcdsaVerifier::<NistP384, Sha384>::new(KeyKind::P384, HashKind::Sha384);
/// ECDSA on P-384 with SHA-512.
pub const ECDSA_P384_SHA512: &dyn Verifier = &EcdsaVerifier::<NistP384, Sha512>::new(KeyKind::P384, HashKind::Sha512);
/// ECDSA on P-521 with SHA-256.
pub const ECDSA_P521_SHA256: &dyn Verifier = &EcdsaVerifier::<NistP521, Sha256>::new(KeyKind::P521, HashKind::Sha256);
/// ECDSA on P-521 with SHA-384.
pub const ECDSA_P521_SHA384: &dyn Verifier = &EcdsaVerifier::<NistP521, Sha384>::new(KeyKind::P521, HashKind::Sha384);
/// ECDSA on P-521 with SHA-512: ECDSA-521 of IKE.
pub const ECDSA_P521_SHA512: &dyn Verifier = &EcdsaVerifier::<NistP521, Sha512>::new(KeyKind::P521, HashKind::Sha512);

struct EcdsaVerifier<C, D> {
    scheme: SignatureScheme,
    types: PhantomData<fn() -> (C, D)>,
}

impl<C, D> EcdsaVerifier<C, D> {
    const fn new(key: KeyKind, hash: HashKind) -> Self {
        Self { scheme: SignatureScheme::new(key, hash), types: PhantomData }
    }
}

impl<C, D> fmt::Debug for EcdsaVerifier<C, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaVerifier({:?}, {:?})", self.scheme.key, self.scheme.hash)
    }
}

impl<C: EcdsaCurve + CurveArithmetic, D: Digest> Verifier for EcdsaVerifier<C, D> {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        // Refuses r and s that are zero or not below the order.
        let signature = Signature::<C>::from_slice(signature).map_err(|_| CryptoError::Refused)?;
        // RFC 4754 and RFC 5480 2.2 know uncompressed points; the point at infinity has no coordinates.
        let coordinates = public_key.strip_prefix(&[0x04]).ok_or(CryptoError::Refused)?;
        let point = ProjectivePoint::<C>::from(point::<C>(coordinates).map_err(|_| CryptoError::Refused)?);
        verify_prehashed::<C>(&point, &hash::<D>(message), &signature).map_err(|_| CryptoError::Refused)
    }
}

/// Signs with a private key in memory, and with the hash that IKE names for its curve (RFC 4754). The key is wiped when
/// the signer is dropped.
///
/// Where others may run code or measure power beside the device server, the key belongs in an HSM behind a [`Signer`].
pub struct EcdsaSigner(Box<dyn Key>);

/// A private key. Behind a trait, so that the linker drops the curves that no constructor names.
trait Key: Send + Sync {
    fn kind(&self) -> KeyKind;
    fn public_key(&self) -> Vec<u8>;
    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError>;
}

impl EcdsaSigner {
    /// The signer of a PKCS#8 PrivateKeyInfo in DER whose parameters name the curve (RFC 5915, RFC 5958). A public key inside
    /// must be that of the private one.
    ///
    /// # Errors
    /// [`KeyError::Malformed`]; [`KeyError::Algorithm`] for a key that is not for one of the three named curves.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        if info.algorithm.oid != ALGORITHM_OID {
            return Err(KeyError::Algorithm);
        }
        let curve: ObjectIdentifier = info.algorithm.parameters_oid().map_err(|_| KeyError::Algorithm)?;
        let field = private_length(&info);
        let key: Result<Self, _> = match curve {
            NistP256::OID => SigningKey::<NistP256>::try_from(info).map(Self::new),
            NistP384::OID => SigningKey::<NistP384>::try_from(info).map(Self::new),
            NistP521::OID => SigningKey::<NistP521>::try_from(info).map(Self::new),
            _ => return Err(KeyError::Algorithm),
        };
        let signer = key.map_err(|_| KeyError::Malformed)?;
        if field == signer.kind().field_length() { Ok(signer) } else { Err(KeyError::Malformed) }
    }

    /// The signer of a private key on P-256: the number, 32 bytes, most significant first. For firmware: neither the other curves
    /// nor a reader of DER comes with it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for another length, and for a number that is zero or not below the order of the curve.
    pub fn p256(private: &[u8]) -> Result<Self, KeyError> {
        SigningKey::<NistP256>::from_slice(private).map(Self::new).map_err(|_| KeyError::Malformed)
    }

    /// The signer of a private key on P-384, 48 bytes, as [`EcdsaSigner::p256`] has it.
    ///
    /// # Errors
    /// As there.
    pub fn p384(private: &[u8]) -> Result<Self, KeyError> {
        SigningKey::<NistP384>::from_slice(private).map(Self::new).map_err(|_| KeyError::Malformed)
    }

    /// The signer of a private key on P-521, 66 bytes, as [`EcdsaSigner::p256`] has it.
    ///
    /// # Errors
    /// As there.
    pub fn p521(private: &[u8]) -> Result<Self, KeyError> {
        SigningKey::<NistP521>::from_slice(private).map(Self::new).map_err(|_| KeyError::Malformed)
    }

    fn new(key: impl Key + 'static) -> Self {
        Self(Box::new(key))
    }

    fn kind(&self) -> KeyKind {
        self.0.kind()
    }
}

/// The length of an ECPrivateKey's privateKey, which is the field's (RFC 5915 3). The crates of the curves take shorter ones,
/// and so a key of P-256 that is said to be of P-384.
fn private_length(info: &PrivateKeyInfoRef<'_>) -> Option<usize> {
    match AnyRef::try_from(info.private_key.as_bytes()).ok()?.value() {
        [0x02, 0x01, 0x01, 0x04, length, ..] => Some(usize::from(*length)),
        _ => None,
    }
}

impl fmt::Debug for EcdsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaSigner({:?})", self.kind())
    }
}

/// A curve by the name that IKE has for it.
trait Named {
    const KIND: KeyKind;
}

impl Named for NistP256 {
    const KIND: KeyKind = KeyKind::P256;
}

impl Named for NistP384 {
    const KIND: KeyKind = KeyKind::P384;
}

impl Named for NistP521 {
    const KIND: KeyKind = KeyKind::P521;
}

impl<C> Key for SigningKey<C>
where
    C: EcdsaCurve + CurveArithmetic + DigestAlgorithm + Named,
{
    fn kind(&self) -> KeyKind {
        C::KIND
    }

    fn public_key(&self) -> Vec<u8> {
        let point = ProjectivePoint::<C>::mul_by_generator(self.as_nonzero_scalar()).to_affine();
        [[0x04].as_slice(), &point.x(), &point.y()].concat()
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let hash = hash::<C::Digest>(message);
        let signature: Signature<C> = self.sign_prehash(&hash).map_err(|_| CryptoError::Device)?;
        fault_check(self, &hash, &signature)?;
        let bytes = signature.to_bytes();
        if out.len() != bytes.len() {
            return Err(CryptoError::Length);
        }
        out.copy_from_slice(&bytes);
        Ok(())
    }
}

/// Verifies a signature of our own, which is public from here on. Not inlined, so that who watches secrets can tell by the
/// name that the signing is over.
#[inline(never)]
fn fault_check<C>(key: &SigningKey<C>, hash: &[u8], signature: &Signature<C>) -> Result<(), CryptoError>
where
    C: EcdsaCurve + CurveArithmetic + DigestAlgorithm,
{
    key.verifying_key().verify_prehash(hash, signature).map_err(|_| CryptoError::Device)
}

impl Signer for EcdsaSigner {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::of_auth(self.kind())
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::new(self.kind(), &self.0.public_key())
    }

    fn signature_length(&self) -> usize {
        self.kind().field_length().unwrap_or(0).saturating_mul(2)
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        self.0.sign(message, out)
    }
}
