//! Who may sign for an identity (r3 7.7.4.4, 7.7.4.5): certificates, raw keys, and keys known beforehand.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use thiserror::Error;

use super::{Identity, KeyKind, PublicKey, Verifier};
use crate::time::UnixTime;
use crate::wire::{Certificate, CertificateEncoding, CertificateRequest, Identification};

/// SHA-1 of a trust anchor's SubjectPublicKeyInfo, as a Certificate Request payload lists it (RFC 4306 3.7).
pub type AuthorityHash = [u8; 20];

/// What a peer asserts before its AUTH is checked.
#[derive(Debug, Clone, Copy)]
pub struct PeerClaim<'a> {
    /// The ID payload.
    pub identity: Identification<'a>,
    /// The kind of key that the AUTH METHOD takes.
    pub kind: KeyKind,
    /// The CERT payloads in the order in which they came. The first holds the key (r3 5.13.4.4.2).
    pub certificates: &'a [Certificate<'a>],
    /// The calendar's time, if the embedder has told it.
    pub at: Option<UnixTime>,
    /// What can check the signatures of certificates.
    pub verifiers: &'static [&'static dyn Verifier],
}

/// Why a claim is not accepted. The peer is told the same for each: AUTHENTICATION FAILED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No key is known for this identity, or another one.
    #[error("no such key is known for that identity")]
    Unknown,
    /// Not a certificate or a key that can be read.
    #[error("a certificate is malformed")]
    Malformed,
    /// No path leads to a trust anchor.
    #[error("no path to a trust anchor")]
    Untrusted,
    /// A certificate asks for what is not understood: a critical extension, a version, a signature algorithm (also one that
    /// is too weak, such as those with SHA-1).
    #[error("a certificate needs what is not supported")]
    Unsupported,
    /// A constraint of an authority is violated: on names, on the length of the path, or on what may be an authority.
    #[error("a constraint of an authority is violated")]
    Constrained,
    /// A certificate of the path is not valid at this time.
    #[error("a certificate is expired, or not yet valid")]
    NotValidNow,
    /// Nobody has told the time.
    #[error("the time is not known")]
    NoTime,
    /// A certificate of the path is revoked.
    #[error("a certificate is revoked")]
    Revoked,
    /// Revocation must be checked and cannot be: no list, or one that is too old.
    #[error("whether a certificate is revoked is not known")]
    RevocationUnknown,
    /// The certificate is for something else than IKE.
    #[error("the certificate is not for this use")]
    WrongUse,
    /// The identity is not the certificate's.
    #[error("the identity does not match the certificate")]
    IdentityMismatch,
    /// The key is not of the kind that the AUTH METHOD takes.
    #[error("the key is of another kind")]
    WrongKind,
    /// More certificates, or larger ones, than are looked at.
    #[error("too many certificates")]
    TooMuch,
    /// There is no memory to look at them. It is no fault of the peer's, who is told INSUFFICIENT RESOURCES.
    #[error("out of memory")]
    Memory,
}

/// Decides which key may sign for an identity.
///
/// For one kind of key and the same CERT payloads, a refusal should take as much work as an acceptance: the time tells an
/// attacker what the answer does not.
pub trait CertificateValidator: Send + Sync {
    /// The key that the peer's AUTH must verify with.
    ///
    /// # Errors
    /// [`CertificateError`].
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError>;

    /// The trust anchors, for Certificate Request payloads.
    fn authorities(&self) -> &[AuthorityHash] {
        &[]
    }
}

/// Tells whether an identity belongs to a certified key, where the certificate itself does not say so: an ID_KEY_ID is
/// arbitrary data, and an ID_FC_NAME stands in certificates of FC-SP.
pub trait IdentityMap: Send + Sync {
    /// True if `identity` may use the certificate whose key is `key` and whose DER encoding is `certificate`.
    fn belongs(&self, identity: Identification<'_>, key: &PublicKey, certificate: &[u8]) -> bool;
}

/// Public keys that are known beforehand, one of each kind for an identity; and, for peers that send X.509 certificates,
/// whoever validates those.
///
/// A peer that sends no certificate, or a raw RSA key, must have its key here.
#[derive(Default, Clone)]
pub struct KnownKeys {
    keys: Vec<(Identity, PublicKey)>,
    certificates: Option<Arc<dyn CertificateValidator>>,
}

impl core::fmt::Debug for KnownKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KnownKeys")
            .field("keys", &self.keys)
            .field("certificates", &self.certificates.is_some())
            .finish()
    }
}

impl KnownKeys {
    /// No keys, and no certificates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whoever validates X.509 certificates. Without it a peer that sends one is refused.
    #[must_use]
    pub fn with_certificates(mut self, validator: Arc<dyn CertificateValidator>) -> Self {
        self.certificates = Some(validator);
        self
    }

    /// Adds a key, in place of the one of that kind that the identity had.
    pub fn set(&mut self, identity: Identity, key: PublicKey) {
        self.remove(identity.as_payload(), key.kind);
        self.keys.push((identity, key));
    }

    /// Forgets the key of that kind; tells whether there was one.
    pub fn remove(&mut self, identity: Identification<'_>, kind: KeyKind) -> bool {
        let before = self.keys.len();
        self.keys.retain(|(owner, key)| owner.as_payload() != identity || key.kind != kind);
        self.keys.len() != before
    }

    /// The key of that kind.
    #[must_use]
    pub fn get(&self, identity: Identification<'_>, kind: KeyKind) -> Option<&PublicKey> {
        self.keys.iter().find(|(owner, key)| owner.as_payload() == identity && key.kind == kind).map(|(_, key)| key)
    }
}

impl CertificateValidator for KnownKeys {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        let known = self.get(claim.identity, claim.kind).ok_or(CertificateError::Unknown);
        match claim.certificates.first().map(|first| (first.encoding, first.data)) {
            None => known.and_then(kept),
            Some((CertificateEncoding::RawRsaKey, _)) if claim.kind != KeyKind::Rsa => Err(CertificateError::WrongKind),
            Some((CertificateEncoding::RawRsaKey, key)) => {
                known.and_then(|known| if *known.bytes == *key { kept(known) } else { Err(CertificateError::Unknown) })
            }
            Some((CertificateEncoding::X509Signature, _)) => match &self.certificates {
                Some(validator) => validator.validate(claim),
                None => Err(CertificateError::Untrusted),
            },
        }
    }

    fn authorities(&self) -> &[AuthorityHash] {
        self.certificates.as_ref().map_or(&[], |validator| validator.authorities())
    }
}

fn kept(key: &PublicKey) -> Result<PublicKey, CertificateError> {
    PublicKey::try_new(key.kind, &key.bytes).map_err(|_| CertificateError::Memory)
}

impl IdentityMap for KnownKeys {
    fn belongs(&self, identity: Identification<'_>, key: &PublicKey, _: &[u8]) -> bool {
        self.get(identity, key.kind) == Some(key)
    }
}

/// A Certificate Request payload, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateWish {
    /// CERTIFICATE ENCODING.
    pub encoding: CertificateEncoding,
    /// The trust anchors; empty for any, and for raw keys.
    pub authorities: Box<[AuthorityHash]>,
}

impl CertificateWish {
    /// A peer's requests, one wish for each encoding: what is kept of many small ones takes no more room than they did.
    #[cfg(any(test, feature = "client"))]
    pub(crate) fn gather(requests: &[CertificateRequest<'_>]) -> Vec<Self> {
        let encodings = [CertificateEncoding::X509Signature, CertificateEncoding::RawRsaKey].into_iter();
        let of = |encoding| requests.iter().filter(move |request| request.encoding == encoding);
        let asked = encodings.filter(|encoding| of(*encoding).next().is_some());
        asked
            .map(|encoding| Self { encoding, authorities: of(encoding).flat_map(|r| r.authorities).copied().collect() })
            .collect()
    }

    /// The payload data that carries it.
    #[must_use]
    pub fn as_payload(&self) -> CertificateRequest<'_> {
        CertificateRequest { encoding: self.encoding, authorities: &self.authorities }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &[u8] = b"client-1";

    fn ask(keys: &KnownKeys, kind: KeyKind, certificates: &[Certificate<'_>]) -> Result<PublicKey, CertificateError> {
        let identity = Identity::key_id(A);
        keys.validate(&PeerClaim { identity: identity.as_payload(), kind, certificates, at: None, verifiers: &[] })
    }

    #[test]
    fn known_keys_are_told_by_identity_and_kind() {
        let key = PublicKey::new(KeyKind::Rsa, b"rsa key");
        let mut keys = KnownKeys::new();
        assert_eq!(ask(&keys, KeyKind::Rsa, &[]), Err(CertificateError::Unknown));
        keys.set(Identity::key_id(A), PublicKey::new(KeyKind::Rsa, b"older"));
        keys.set(Identity::key_id(A), key.clone());
        keys.set(Identity::key_id(b"client-2"), PublicKey::new(KeyKind::P256, b"point"));
        assert_eq!(ask(&keys, KeyKind::Rsa, &[]), Ok(key.clone()));
        assert_eq!(ask(&keys, KeyKind::P256, &[]), Err(CertificateError::Unknown));
        let raw = |data| Certificate { encoding: CertificateEncoding::RawRsaKey, data };
        assert_eq!(ask(&keys, KeyKind::Rsa, &[raw(b"rsa key")]), Ok(key.clone()));
        assert_eq!(ask(&keys, KeyKind::Rsa, &[raw(b"rsa keY")]), Err(CertificateError::Unknown));
        assert_eq!(ask(&keys, KeyKind::P256, &[raw(b"rsa key")]), Err(CertificateError::WrongKind));
        let x509 = Certificate { encoding: CertificateEncoding::X509Signature, data: b"rsa key" };
        assert_eq!(ask(&keys, KeyKind::Rsa, &[x509]), Err(CertificateError::Untrusted));
        assert!(keys.belongs(Identity::key_id(A).as_payload(), &key, b""));
        assert!(!keys.belongs(Identity::key_id(b"client-2").as_payload(), &key, b""));
        assert!(keys.remove(Identity::key_id(A).as_payload(), KeyKind::Rsa));
        assert!(!keys.remove(Identity::key_id(A).as_payload(), KeyKind::Rsa));
    }

    /// r3 5.13.4.4.2, 5.13.4.4.3: the first CERT payload holds the key, whatever follows.
    #[test]
    fn the_first_certificate_holds_the_key() {
        let key = PublicKey::new(KeyKind::Rsa, b"rsa key");
        let mut keys = KnownKeys::new();
        keys.set(Identity::key_id(A), key.clone());
        let [known, other] =
            [b"rsa key", b"another"].map(|data| Certificate { encoding: CertificateEncoding::RawRsaKey, data });
        assert_eq!(ask(&keys, KeyKind::Rsa, &[known, other]), Ok(key));
        assert_eq!(ask(&keys, KeyKind::Rsa, &[other, known]), Err(CertificateError::Unknown));
    }

    #[test]
    fn requests_are_gathered() {
        let (x509, raw) = (CertificateEncoding::X509Signature, CertificateEncoding::RawRsaKey);
        let request = |encoding, authorities| CertificateRequest { encoding, authorities };
        let wish =
            |encoding, authorities: &[AuthorityHash]| CertificateWish { encoding, authorities: authorities.into() };
        let (one, two) = ([[1; 20]], [[2; 20], [3; 20]]);
        let both = [request(x509, &one), request(raw, &[]), request(x509, &[]), request(x509, &two)];
        assert_eq!(CertificateWish::gather(&both), [wish(x509, &[[1; 20], [2; 20], [3; 20]]), wish(raw, &[])]);
        assert_eq!(CertificateWish::gather(&both[1..2]), [wish(raw, &[])]);
        assert_eq!(CertificateWish::gather(&alloc::vec![request(x509, &[]); 3000]), [wish(x509, &[])]);
        assert_eq!(CertificateWish::gather(&[]), []);
    }
}
