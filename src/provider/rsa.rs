//! RSA, EMSA-PKCS1-v1_5 (RFC 8017 8.2; RFC 4306 2.15; reading R16), over the crate `rsa`.
//!
//! A public key is taken when its DER is strict, its modulus odd and of 2048 to 8192 bits, and its exponent odd, at least 3
//! and below 2^33, which also bounds the work. A signature is as long as the modulus and below it. It is verified by making
//! the encoded message anew and comparing all of it: nothing in the signature is parsed, so none of the forgeries work that
//! an exponent of 3 makes easy (bytes after the hash, short padding, parameters left out).
//!
//! # Timing
//! RUSTSEC-2023-0071 (the Marvin attack): operations with the private key, decryption above all, leak it by their time in
//! `rsa` up to 0.9. `rsa` 0.10 is built on the constant-time arithmetic of `crypto-bigint` instead, and its authors call the
//! hole a thing of the past; but it is a release candidate, no audit has confirmed it, and the advisory has named no version
//! as patched, so tools that read it report this crate. Nothing is decrypted here. The numbers between the steps of a
//! signature are not all wiped. Where others may run code or measure power or time next to the device server, the key belongs
//! in an HSM behind a [`Signer`].
//!
//! # Blinding
//! On top of that, each signature is blinded: the key is applied to a number that an attacker does not know. There is no
//! random source at hand, and none is needed, which lets a signature be made in a job that runs anywhere: the blinding comes
//! from a generator (HMAC-SHA-256 in counter mode) whose seed is made of the private key and the hash to be signed. Who lacks
//! the key cannot tell the seed from a random one. Signing the same message twice repeats the blinding and with it the same
//! computation; the messages of IKE do not repeat, they hold both sides' nonces.
//!
//! # Faults
//! A fault in half of the computation (CRT) gives a signature that factors the modulus. Each signature is verified before it
//! is given away.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;

use rsa::pkcs1::{ALGORITHM_OID, EncodeRsaPublicKey, RsaPrivateKey as PrivateKeyFields, RsaPublicKeyRef, UintRef};
use rsa::pkcs8::PrivateKeyInfoRef;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::{PrivateKeyParts, PublicKeyParts, SignatureScheme as _};
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::digest::const_oid::AssociatedOid;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{KeyError, PRF_HMAC_SHA2_256, hash};
use crate::crypto::{CryptoError, HashKind, KeyKind, PublicKey, SignatureScheme, Signer, Verifier};

/// RSA with SHA-1: what IKE uses unless a policy says otherwise (reading R16).
pub const RSA_PKCS1_SHA1: &dyn Verifier = &RsaVerifier::<Sha1>::new(HashKind::Sha1);
/// RSA with SHA-256.
pub const RSA_PKCS1_SHA256: &dyn Verifier = &RsaVerifier::<Sha256>::new(HashKind::Sha256);
/// RSA with SHA-384.
pub const RSA_PKCS1_SHA384: &dyn Verifier = &RsaVerifier::<Sha384>::new(HashKind::Sha384);
/// RSA with SHA-512.
pub const RSA_PKCS1_SHA512: &dyn Verifier = &RsaVerifier::<Sha512>::new(HashKind::Sha512);

/// Bits of a modulus, at least and at most.
const MODULUS_BITS: (usize, usize) = (2048, 8192);

struct RsaVerifier<D> {
    hash: HashKind,
    digest: PhantomData<fn() -> D>,
}

impl<D> RsaVerifier<D> {
    const fn new(hash: HashKind) -> Self {
        Self { hash, digest: PhantomData }
    }
}

impl<D> fmt::Debug for RsaVerifier<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaVerifier({:?})", self.hash)
    }
}

impl<D: Digest + AssociatedOid> Verifier for RsaVerifier<D> {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::new(KeyKind::Rsa, self.hash)
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        let fields = RsaPublicKeyRef::try_from(public_key).map_err(|_| CryptoError::Refused)?;
        let key = checked(&fields).map_err(|_| CryptoError::Refused)?;
        verify::<D>(&key, &hash::<D>(message), signature).map_err(|()| CryptoError::Refused)
    }
}

fn verify<D: Digest + AssociatedOid>(key: &RsaPublicKey, hash: &[u8], signature: &[u8]) -> Result<(), ()> {
    if signature.len() != key.size() {
        return Err(());
    }
    key.verify(Pkcs1v15Sign::new::<D>(), hash, signature).map_err(|_| ())
}

/// The public key with these fields, if good enough. The sizes come first: what follows costs as much as they say.
fn checked(fields: &RsaPublicKeyRef<'_>) -> Result<RsaPublicKey, KeyError> {
    check_sizes(fields)?;
    let (modulus, exponent) = (number(&fields.modulus)?, number(&fields.public_exponent)?);
    let (least, most) = MODULUS_BITS;
    RsaPublicKey::new_with_size_limits(modulus, exponent, least..=most).map_err(|_| KeyError::Malformed)
}

fn check_sizes(fields: &RsaPublicKeyRef<'_>) -> Result<(), KeyError> {
    let (least, most) = MODULUS_BITS;
    let is_odd = |number: &UintRef<'_>| number.as_bytes().last().is_some_and(|last| last & 1 == 1);
    if !(least..=most).contains(&bits(&fields.modulus))
        || !(2..=33).contains(&bits(&fields.public_exponent))
        || !is_odd(&fields.public_exponent)
    {
        return Err(KeyError::Size);
    }
    if is_odd(&fields.modulus) { Ok(()) } else { Err(KeyError::Malformed) }
}

/// Whether this RSAPublicKey in DER is one that the verifiers take.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn check_rsa_key(der: &[u8]) -> Result<(), KeyError> {
    check_sizes(&RsaPublicKeyRef::try_from(der).map_err(|_| KeyError::Malformed)?)
}

fn bits(number: &UintRef<'_>) -> usize {
    let bytes = number.as_bytes();
    let unused = bytes.first().map_or(0, |first| usize::try_from(first.leading_zeros()).unwrap_or(0));
    bytes.len().saturating_mul(8).saturating_sub(unused)
}

fn number(number: &UintRef<'_>) -> Result<BoxedUint, KeyError> {
    let bytes = number.as_bytes();
    let bits = u32::try_from(bytes.len().saturating_mul(8)).map_err(|_| KeyError::Size)?;
    BoxedUint::from_be_slice(bytes, bits).map_err(|_| KeyError::Malformed)
}

/// Signs with a private key in memory, blinded and without a random source. The key is wiped when the signer is dropped.
///
/// Where others may run code or measure power or time beside the device server, the key belongs in an HSM behind a
/// [`Signer`]: the crate `rsa` 0.10 is said to compute in constant time, but that has not been audited
/// (RUSTSEC-2023-0071).
pub struct RsaSigner {
    key: RsaPrivateKey,
    public: Box<[u8]>,
    hash: HashKind,
    /// Made of the private key; the blinding of a signature is made of this.
    blinding: Zeroizing<[u8; 32]>,
}

impl RsaSigner {
    /// The signer of a PKCS#8 PrivateKeyInfo in DER that has an RSAPrivateKey of two primes (RFC 8017 A.1.2, RFC 5958),
    /// with a hash. IKE's is SHA-1 (RFC 4306); peers must be known to take another one.
    ///
    /// # Errors
    /// [`KeyError::Malformed`]; [`KeyError::Algorithm`] for a key that is not RSA's or is for RSASSA-PSS alone;
    /// [`KeyError::Size`] for a modulus of less than 2048 or more than 8192 bits, and for an exponent that is even or
    /// outside 3 to 2^33 - 1.
    pub fn from_pkcs8_der(der: &[u8], hash: HashKind) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        if info.algorithm.oid != ALGORITHM_OID {
            return Err(KeyError::Algorithm);
        }
        let fields = PrivateKeyFields::<UintRef<'_>>::try_from(info.private_key.as_bytes());
        checked(&fields.map_err(|_| KeyError::Malformed)?.public_key())?;
        let key = RsaPrivateKey::try_from(info).map_err(|_| KeyError::Malformed)?;
        let public = key.as_public_key().to_pkcs1_der().map_err(|_| KeyError::Malformed)?;
        let blinding = prf(&Zeroizing::new(key.d().to_be_bytes()), b"ikev2-scsi blinding of RSA");
        Ok(Self { public: public.as_bytes().into(), hash, blinding: blinding.map_err(|_| KeyError::Malformed)?, key })
    }

    fn sign_with<D: Digest + AssociatedOid>(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let hash = hash::<D>(message);
        let mut generator = Generator { seed: prf(&*self.blinding, &hash)?, counter: 0 };
        let signature =
            Pkcs1v15Sign::new::<D>().sign(Some(&mut generator), &self.key, &hash).map_err(|_| CryptoError::Device)?;
        self.fault_check::<D>(&hash, &signature)?;
        if out.len() != signature.len() {
            return Err(CryptoError::Length);
        }
        out.copy_from_slice(&signature);
        Ok(())
    }

    /// Verifies a signature of our own, which is public from here on. Not inlined, so that who watches secrets can tell by the
    /// name that the signing is over.
    #[inline(never)]
    fn fault_check<D: Digest + AssociatedOid>(&self, hash: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        verify::<D>(self.key.as_public_key(), hash, signature).map_err(|()| CryptoError::Device)
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaSigner({:?}, {} bytes)", self.hash, self.key.size())
    }
}

impl Signer for RsaSigner {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::new(KeyKind::Rsa, self.hash)
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::new(KeyKind::Rsa, &self.public)
    }

    fn signature_length(&self) -> usize {
        self.key.size()
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        match self.hash {
            HashKind::Sha1 => self.sign_with::<Sha1>(message, out),
            HashKind::Sha256 => self.sign_with::<Sha256>(message, out),
            HashKind::Sha384 => self.sign_with::<Sha384>(message, out),
            HashKind::Sha512 => self.sign_with::<Sha512>(message, out),
        }
    }
}

fn prf(key: &[u8], data: &[u8]) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let mut out = Zeroizing::new([0; 32]);
    PRF_HMAC_SHA2_256.compute(key, &[data], &mut *out)?;
    Ok(out)
}

/// HMAC-SHA-256 in counter mode (NIST SP 800-108 4.1 without its labels): the blinding of one signature.
struct Generator {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl TryRng for Generator {
    type Error = CryptoError;

    fn try_next_u32(&mut self) -> Result<u32, CryptoError> {
        let mut bytes = Zeroizing::new([0; 4]);
        self.try_fill_bytes(&mut *bytes)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, CryptoError> {
        let mut bytes = Zeroizing::new([0; 8]);
        self.try_fill_bytes(&mut *bytes)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in out.chunks_mut(32) {
            let block = prf(&*self.seed, &self.counter.to_be_bytes())?;
            // No signature draws 2^64 blocks; a generator that did would have to stop rather than repeat itself.
            self.counter = self.counter.checked_add(1).ok_or(CryptoError::Device)?;
            chunk.iter_mut().zip(block.iter()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn drawn(seed: u8, lengths: &[usize]) -> Vec<u8> {
        let mut generator = Generator { seed: Zeroizing::new([seed; 32]), counter: 0 };
        let mut all = Vec::new();
        for &length in lengths {
            let mut bytes = std::vec![0; length];
            generator.try_fill_bytes(&mut bytes).unwrap();
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn the_generator_repeats_with_its_seed_alone() {
        assert_eq!(drawn(1, &[256]), drawn(1, &[256]));
        assert_eq!(drawn(1, &[64, 192]), drawn(1, &[256]));
        assert_ne!(drawn(1, &[256]), drawn(2, &[256]));
        let all = drawn(1, &[8; 64]);
        let mut words: Vec<_> = all.chunks(8).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 64);
    }

    #[test]
    fn words_are_drawn_as_bytes_are() {
        let mut generator = Generator { seed: Zeroizing::new([1; 32]), counter: 0 };
        let (first, second) = (generator.try_next_u64().unwrap(), generator.try_next_u32().unwrap());
        let bytes = [&first.to_le_bytes()[..], &second.to_le_bytes()].concat();
        assert_eq!(drawn(1, &[8, 4]), bytes);
    }

    #[test]
    fn the_generator_stops_rather_than_repeats() {
        let mut generator = Generator { seed: Zeroizing::new([1; 32]), counter: u64::MAX };
        assert_eq!(generator.try_fill_bytes(&mut [0; 33]), Err(CryptoError::Device));
    }
}
