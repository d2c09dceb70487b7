//! The signatures of certificates, by the embedder's verifiers, and the same number of them for an acceptance and a refusal.
//!
//! A claim of n certificates is due n verifications, and n more where revocation lists are checked: as many as a path through
//! all of them takes. Each verification that the path builder makes settles one that is due, and what is left at the end is made
//! with decoys. More than are due are made only up to a limit, when authorities share names and keys are tried in vain.
//!
//! What this cannot hide: which kinds of keys the *authorities* have, since a decoy's kind is guessed from the form of the
//! signature; decoding and comparing, which is much less work than a verification; and a verifier that refuses a key or a
//! signature before it calculates. The CERT payloads are the peer's own, so neither tells it anything about others.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

use super::outline::{Outline, fixed_signature};
use crate::crypto::{HashKind, KeyKind, PublicKey, Verifier};

/// The verifications of one claim.
#[derive(Debug)]
pub(super) struct Work {
    due: Vec<Due>,
    /// How many may still be made.
    left: AtomicUsize,
}

/// A verification that a path through all certificates would make.
#[derive(Debug)]
struct Due {
    kind: KeyKind,
    /// Of RSA the length of the signature; else zero.
    length: usize,
    settled: AtomicBool,
}

impl Work {
    /// What `certificates` are due, `each` of them; `kind` is assumed of those that cannot be read.
    pub(super) fn new<'a>(
        certificates: impl Iterator<Item = &'a [u8]>,
        kind: KeyKind,
        each: usize,
        limit: usize,
    ) -> Self {
        let signatures = certificates.map(|certificate| signature_of(certificate).unwrap_or((kind, UNREAD)));
        let due = signatures.flat_map(|(kind, length)| core::iter::repeat_n((kind, length), each));
        let due = due.map(|(kind, length)| Due { kind, length: length_of(kind, length), settled: false.into() });
        Self { due: due.collect(), left: limit.into() }
    }

    /// False when the limit is reached.
    fn begin(&self, kind: KeyKind, length: usize) -> bool {
        let enough = self.take();
        if enough {
            let like = |due: &&Due| due.kind == kind && due.length == length_of(kind, length);
            // `any` stops at the first that was not settled before.
            self.due.iter().filter(like).any(|due| !due.settled.swap(true, Ordering::Relaxed));
        }
        enough
    }

    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// Makes the verifications that are still due, up to the limit.
    pub(super) fn finish(&self, verifiers: &[&'static dyn Verifier]) {
        for due in self.due.iter().filter(|due| !due.settled.swap(true, Ordering::Relaxed)) {
            if !self.take() {
                return;
            }
            let scheme = |verifier: &&&'static dyn Verifier| {
                verifier.scheme().key == due.kind && verifier.scheme().hash != HashKind::Sha1
            };
            let Some(verifier) = verifiers.iter().find(scheme) else { continue };
            let key = PublicKey::decoy(due.kind, due.length);
            let length = match due.kind.field_length() {
                Some(field) => field.saturating_mul(2),
                None => due.length.clamp(256, 1024),
            };
            // Below any modulus and any order, and not zero.
            let signature = alloc::vec![1; length];
            // Only the work counts: the outcome is decided.
            let _ = verifier.verify(&key.bytes, &[], &signature);
        }
    }
}

/// The length that is assumed of an RSA signature that cannot be read, in bytes.
const UNREAD: usize = 256;

fn length_of(kind: KeyKind, length: usize) -> usize {
    if kind == KeyKind::Rsa { length } else { 0 }
}

/// What a certificate is signed with, as far as its own form tells, and how long the signature is.
fn signature_of(certificate: &[u8]) -> Option<(KeyKind, usize)> {
    let outline = Outline::read(certificate)?;
    let is = |known: &[AlgorithmIdentifier]| known.iter().any(|known| known.as_ref() == outline.algorithm);
    let length = outline.signature.len();
    if is(&[alg_id::RSA_PKCS1_SHA256, alg_id::RSA_PKCS1_SHA384, alg_id::RSA_PKCS1_SHA512]) {
        return Some((KeyKind::Rsa, length));
    }
    // The longest signatures of P-256 and P-384 in DER.
    let kind = match length {
        0..=72 => KeyKind::P256,
        73..=104 => KeyKind::P384,
        _ => KeyKind::P521,
    };
    is(&[alg_id::ECDSA_SHA256, alg_id::ECDSA_SHA384, alg_id::ECDSA_SHA512]).then_some((kind, length))
}

/// A verifier as the path builder wants it.
#[derive(Debug)]
pub(super) struct Algorithm<'w> {
    verifier: &'static dyn Verifier,
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    work: &'w Work,
}

impl<'w> Algorithm<'w> {
    /// `None` for SHA-1, which no certificate may be signed with.
    pub(super) fn new(verifier: &'static dyn Verifier, work: &'w Work) -> Option<Self> {
        let scheme = verifier.scheme();
        let key = match scheme.key {
            KeyKind::Rsa => alg_id::RSA_ENCRYPTION,
            KeyKind::P256 => alg_id::ECDSA_P256,
            KeyKind::P384 => alg_id::ECDSA_P384,
            KeyKind::P521 => alg_id::ECDSA_P521,
        };
        let signature = match (scheme.key, scheme.hash) {
            (_, HashKind::Sha1) => return None,
            (KeyKind::Rsa, HashKind::Sha256) => alg_id::RSA_PKCS1_SHA256,
            (KeyKind::Rsa, HashKind::Sha384) => alg_id::RSA_PKCS1_SHA384,
            (KeyKind::Rsa, HashKind::Sha512) => alg_id::RSA_PKCS1_SHA512,
            (_, HashKind::Sha256) => alg_id::ECDSA_SHA256,
            (_, HashKind::Sha384) => alg_id::ECDSA_SHA384,
            (_, HashKind::Sha512) => alg_id::ECDSA_SHA512,
        };
        Some(Self { verifier, key, signature, work })
    }
}

impl SignatureVerificationAlgorithm for Algorithm<'_> {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let kind = self.verifier.scheme().key;
        let fixed = match kind.field_length() {
            None => signature.to_vec(),
            Some(field) => fixed_signature(signature, field).ok_or(InvalidSignature)?,
        };
        if !self.work.begin(kind, signature.len()) {
            return Err(InvalidSignature);
        }
        self.verifier.verify(public_key, &[message], &fixed).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;

    use super::*;
    use crate::crypto::{CryptoError, SignatureScheme};

    /// Counts what it is asked, and checks that it has to calculate.
    #[derive(Debug)]
    struct Counting(SignatureScheme, AtomicUsize);

    impl Verifier for Counting {
        fn scheme(&self) -> SignatureScheme {
            self.0
        }

        fn verify(&self, public_key: &[u8], _: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
            let key = PublicKey::new(self.0.key, public_key);
            assert!(key.fits(signature) && signature.iter().any(|byte| *byte != 0));
            self.1.fetch_add(1, Ordering::Relaxed);
            Err(CryptoError::Refused)
        }
    }

    fn finished(work: &Work, kind: KeyKind, hash: HashKind) -> usize {
        let counting: &'static Counting = Box::leak(Box::new(Counting(SignatureScheme::new(kind, hash), 0.into())));
        work.finish(&[counting]);
        work.finish(&[counting]);
        counting.1.load(Ordering::Relaxed)
    }

    fn unread(kind: KeyKind, each: usize, limit: usize) -> Work {
        Work::new([&[][..], &[0x30, 0]].into_iter(), kind, each, limit)
    }

    #[test]
    fn what_was_made_is_not_made_again() {
        for kind in KeyKind::ALL {
            let hash = HashKind::Sha384;
            assert_eq!(finished(&unread(kind, 2, 64), kind, hash), 4);
            assert_eq!(finished(&unread(kind, 2, 64), kind, HashKind::Sha1), 0);
            let work = unread(kind, 2, 64);
            // The length tells something with RSA alone.
            let lengths = if kind == KeyKind::Rsa { [UNREAD; 3] } else { [70, 71, 72] };
            assert!(lengths.iter().all(|length| work.begin(kind, *length)));
            assert_eq!(finished(&work, kind, hash), 1);
        }
        // Signatures of another length cost something else.
        let work = unread(KeyKind::Rsa, 1, 64);
        assert!(work.begin(KeyKind::Rsa, 512) && work.begin(KeyKind::P256, UNREAD));
        assert_eq!(finished(&work, KeyKind::Rsa, HashKind::Sha256), 2);
    }

    #[test]
    fn decoys_count_towards_the_limit() {
        assert_eq!(finished(&unread(KeyKind::P256, 2, 3), KeyKind::P256, HashKind::Sha256), 3);
        let work = unread(KeyKind::P256, 2, 5);
        // A peer can make its signatures look like those of another curve.
        assert!([140, 104, 9].iter().all(|length| work.begin(KeyKind::P521, *length)));
        assert_eq!(finished(&work, KeyKind::P256, HashKind::Sha256), 2);
        assert!(!work.begin(KeyKind::P256, 70));
    }

    #[test]
    fn the_lengths_of_decoys_are_those_of_moduli() {
        for (length, taken) in [(0, 256), (255, 256), (384, 384), (1024, 1024), (16_000, 1024)] {
            let work = Work {
                due: alloc::vec![Due { kind: KeyKind::Rsa, length, settled: false.into() }],
                left: AtomicUsize::new(1),
            };
            assert_eq!(PublicKey::decoy(KeyKind::Rsa, length).bytes.len(), taken + 14);
            assert_eq!(finished(&work, KeyKind::Rsa, HashKind::Sha256), 1);
        }
    }
}
