//! AUTH by whatever method: made for one's own side, checked for the peer's (r3 7.7.4.6; RFC 4306 2.15; readings R16, R18,
//! R30).
//!
//! Both are slow, and borrow all that they need (room `ccs` has jobs that own it).

use core::fmt;

use thiserror::Error;

use super::{PrfOutput, SignedOctets, shared_key_auth, verify_shared_key_auth};
use crate::crypto::{
    CertificateError, CryptoError, CryptoProvider, Decoy, HAS_SIGNATURES, Judges, KeyKind, Means, PeerClaim, Prf,
    Proof, PskError, PublicKey, SignatureScheme, Verifier,
};
use crate::time::UnixTime;
use crate::wire::{Certificate, Identification};

/// Why a peer is not who it says it is. An application client is told the same for each: AUTHENTICATION FAILED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Denial {
    /// The AUTH METHOD is not accepted (reading R18).
    #[error("the AUTH METHOD is not accepted")]
    Method,
    /// There is no shared key for the identity.
    #[error("no shared key for that identity")]
    UnknownIdentity,
    /// No key may sign for the identity.
    #[error("certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// It was asked for a certificate and sent none (SPC-4 5.14.4.3.3.4, question Q35).
    #[error("no certificate, though one was asked for")]
    NoCertificate,
    /// It asks for a certificate, which we do not have (SPC-4 5.14.4.3.3.4).
    #[error("a certificate is asked for, and there is none to send")]
    CertificateRequest,
    /// More CERT payloads than the limit (reading R40).
    #[error("too many certificates")]
    TooManyCertificates,
    /// The AUTHENTICATION DATA is wrong: another key, or messages were changed on their way.
    #[error("the AUTHENTICATION DATA is wrong")]
    WrongAuth,
    /// The embedder does not admit the client, though it has proved who it is.
    #[error("the client is not admitted")]
    NotAdmitted,
    /// The identity has as many associations as it may have (reading R40).
    #[error("the identity has too many security associations")]
    TooManyAssociations,
}

/// Why a peer's AUTH was not found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerError {
    /// The peer's fault.
    Denied(Denial),
    /// Ours.
    Crypto(CryptoError),
}

impl From<CryptoError> for PeerError {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Refused => Self::Denied(Denial::WrongAuth),
            other => Self::Crypto(other),
        }
    }
}

/// What it takes to check a peer's AUTH. It borrows all of that; [`PeerCheckWork`](super::PeerCheckWork) owns it.
#[derive(Clone, Copy)]
pub(crate) struct PeerCheck<'a> {
    pub(crate) provider: &'a CryptoProvider,
    pub(crate) prf: &'static dyn Prf,
    pub(crate) pad: &'static [u8],
    pub(crate) credentials: Judges<'a>,
    pub(crate) identity: Identification<'a>,
    pub(crate) method: u8,
    pub(crate) certificates: &'a [Certificate<'a>],
    pub(crate) at: Option<UnixTime>,
    pub(crate) octets: SignedOctets<'a>,
    pub(crate) auth: &'a [u8],
}

impl fmt::Debug for PeerCheck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCheck({:?}, method {})", self.identity, self.method)
    }
}

impl PeerCheck<'_> {
    /// Tells what proved the peer's identity.
    ///
    /// For one method and one shape of message every denial takes the same work: nothing tells which it was.
    pub(crate) fn run(&self) -> Result<Proof, PeerError> {
        match KeyKind::of_auth_method(u32::from(self.method)) {
            Some(kind) if HAS_SIGNATURES => self.signature(kind),
            Some(_) => Err(PeerError::Denied(Denial::Method)),
            None => self.shared_key(),
        }
    }

    fn shared_key(&self) -> Result<Proof, PeerError> {
        let Some(keys) = self.credentials.shared_keys else { return Err(PeerError::Denied(Denial::Method)) };
        let mut padded = PrfOutput::room(self.prf.output_length())?;
        let found = keys.peer(self.identity, self.prf, self.pad, padded.expose_mut());
        if found == Err(PskError::Unknown) {
            // The work for an unknown identity is that for a wrong key.
            self.prf.compute(&[0; 32], &[self.pad], padded.expose_mut())?;
        }
        let matches = verify_shared_key_auth(self.prf, padded.expose(), &self.octets, self.auth);
        let version = found.map_err(|error| match error {
            PskError::Unknown => PeerError::Denied(Denial::UnknownIdentity),
            PskError::Crypto(error) => PeerError::Crypto(error),
        })?;
        matches?;
        Ok(Proof::SharedKey(version))
    }

    fn signature(&self, kind: KeyKind) -> Result<Proof, PeerError> {
        let valid = self.validate(kind);
        let decoy = Decoy::new(kind, self.auth.len())?;
        let fitting = valid.as_ref().ok().filter(|key| key.fits(self.auth) && *key.bytes != *decoy.bytes());
        let matches = match fitting {
            Some(key) => self.verify(key),
            None => self.verify_in_vain(kind, decoy.bytes()),
        };
        let key = valid.map_err(|error| match error {
            CertificateError::Memory => PeerError::Crypto(CryptoError::Memory),
            other => PeerError::Denied(Denial::Certificate(other)),
        })?;
        matches?;
        Ok(Proof::PublicKey(key))
    }

    fn validate(&self, kind: KeyKind) -> Result<PublicKey, CertificateError> {
        let Some(validator) = self.credentials.validator else { return Err(CertificateError::Unknown) };
        let claim = PeerClaim {
            identity: self.identity,
            kind,
            certificates: self.certificates,
            at: self.at,
            verifiers: self.provider.verifiers,
        };
        let key = validator.validate(&claim)?;
        if key.kind == kind { Ok(key) } else { Err(CertificateError::WrongKind) }
    }

    /// Tries every hash that the policy accepts (reading R16).
    fn verify(&self, key: &PublicKey) -> Result<(), CryptoError> {
        let mut result = Err(CryptoError::Refused);
        for verifier in self.verifiers(key.kind) {
            result = verifier.verify(&key.bytes, self.octets.parts(), self.auth);
            if result != Err(CryptoError::Refused) {
                break;
            }
        }
        // A length that the algorithm does not have is a wrong signature.
        result.map_err(|error| if error == CryptoError::Length { CryptoError::Refused } else { error })
    }

    /// Without a key that the signature could be of, the work is done with one that it is not of. What comes of it does not
    /// count: anybody can sign with a decoy, and a device may be unable to verify with one.
    fn verify_in_vain(&self, kind: KeyKind, decoy: &[u8]) -> Result<(), CryptoError> {
        for verifier in self.verifiers(kind) {
            let _ = verifier.verify(decoy, self.octets.parts(), self.auth);
        }
        Err(CryptoError::Refused)
    }

    fn verifiers(&self, kind: KeyKind) -> impl Iterator<Item = &'static dyn Verifier> {
        let hashes = self.credentials.hashes(kind).iter();
        hashes.filter_map(move |hash| self.provider.verifier(SignatureScheme::new(kind, hash)))
    }
}

/// What it takes to make one's own AUTH. It borrows all of that; [`OwnAuthWork`](super::OwnAuthWork) owns it.
#[derive(Clone, Copy)]
pub(crate) struct OwnAuth<'a> {
    pub(crate) prf: &'static dyn Prf,
    pub(crate) pad: &'static [u8],
    pub(crate) by: Means<'a>,
    pub(crate) octets: SignedOctets<'a>,
}

impl fmt::Debug for OwnAuth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnAuth")
    }
}

impl OwnAuth<'_> {
    /// Writes the AUTHENTICATION DATA into `out`, which has as many bytes as [`Means::auth_length`] tells.
    pub(crate) fn run(&self, out: &mut [u8]) -> Result<(), PskError> {
        match self.by {
            Means::SharedKey(keys) => {
                let mut padded = PrfOutput::room(self.prf.output_length())?;
                keys.own(self.prf, self.pad, padded.expose_mut())?;
                Ok(shared_key_auth(self.prf, padded.expose(), &self.octets, out)?)
            }
            Means::Signature(own) => Ok(own.sign(self.octets.parts(), out)?),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "rustcrypto")]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::crypto::{Hashes, Identity, KnownKeys, MemoryKeys, Secret};
    use crate::tested::{PRF_HMAC_SHA1, provider};
    use crate::wire::IdType;

    fn leaked(provider: CryptoProvider) -> &'static CryptoProvider {
        alloc::boxed::Box::leak(alloc::boxed::Box::new(provider))
    }

    const DENIED: Result<Proof, PeerError> = Err(PeerError::Denied(Denial::WrongAuth));

    /// Answers each time the same.
    #[derive(Debug)]
    struct Always(CryptoError);

    impl Verifier for Always {
        fn scheme(&self) -> SignatureScheme {
            SignatureScheme::of_auth(KeyKind::P256)
        }

        fn verify(&self, _: &[u8], _: &[&[u8]], _: &[u8]) -> Result<(), CryptoError> {
            Err(self.0)
        }
    }

    const NOBODY: Judges<'_> = Judges { shared_keys: None, validator: None, rsa_hashes: Hashes::SHA1 };

    fn check<'a>(prf: &'static dyn Prf, method: u32, credentials: Judges<'a>, auth: &'a [u8]) -> PeerCheck<'a> {
        PeerCheck {
            provider: leaked(provider()),
            prf,
            pad: b"pad",
            credentials,
            identity: Identification { id_type: IdType::KeyId, data: b"client" },
            method: u8::try_from(method).unwrap(),
            certificates: &[],
            at: None,
            octets: SignedOctets::new(&[], b"message", b"nonce", b"code"),
            auth,
        }
    }

    /// What a verifier says of a known key and of an unknown one.
    fn answers(verifiers: &'static [&'static dyn Verifier]) -> [Result<Proof, PeerError>; 2] {
        let mut known = KnownKeys::new();
        known.set(Identity::key_id(b"client"), PublicKey::new(KeyKind::P256, &[4; 65]));
        [known, KnownKeys::new()].map(|keys| {
            let credentials = Judges { validator: Some(&keys), ..NOBODY };
            let check = check(PRF_HMAC_SHA1, KeyKind::P256.auth_method(), credentials, &[1; 64]);
            PeerCheck { provider: leaked(CryptoProvider { verifiers, ..provider() }), ..check }.run()
        })
    }

    #[test]
    fn what_a_verifier_cannot_do_is_no_proof() {
        let unknown = || Err(PeerError::Denied(Denial::Certificate(CertificateError::Unknown)));
        assert_eq!(answers(&[]), [DENIED, unknown()]);
        assert_eq!(answers(&[&Always(CryptoError::Refused)]), [DENIED, unknown()]);
        assert_eq!(answers(&[&Always(CryptoError::Length)]), [DENIED, unknown()]);
        let device = Err(PeerError::Crypto(CryptoError::Device));
        assert_eq!(answers(&[&Always(CryptoError::Device)]), [device, unknown()]);
    }

    #[test]
    fn without_a_validator_no_signature_is_good() {
        let check = check(PRF_HMAC_SHA1, KeyKind::P256.auth_method(), NOBODY, &[1; 64]);
        assert_eq!(check.run(), Err(PeerError::Denied(Denial::Certificate(CertificateError::Unknown))));
    }

    #[test]
    fn without_shared_keys_no_shared_key_is_good() {
        let check = check(PRF_HMAC_SHA1, 2, NOBODY, &[1; 20]);
        assert_eq!(check.run(), Err(PeerError::Denied(Denial::Method)));
    }

    /// Counts how often it is asked.
    struct Counting(AtomicUsize);

    impl Prf for Counting {
        fn identifier(&self) -> u32 {
            PRF_HMAC_SHA1.identifier()
        }

        fn key_length(&self) -> usize {
            PRF_HMAC_SHA1.key_length()
        }

        fn output_length(&self) -> usize {
            PRF_HMAC_SHA1.output_length()
        }

        fn compute(&self, key: &[u8], data: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            PRF_HMAC_SHA1.compute(key, data, out)
        }
    }

    #[test]
    fn an_unknown_identity_costs_what_a_wrong_shared_key_costs() {
        let mut known = MemoryKeys::new();
        known.add_peer(Identity::key_id(b"client").as_payload(), Secret::copy_of(b"key")).unwrap();
        let [wrong, unknown] = [known, MemoryKeys::new()].map(|keys| {
            static COUNTING: Counting = Counting(AtomicUsize::new(0));
            let credentials = Judges { shared_keys: Some(&keys), ..NOBODY };
            let before = COUNTING.0.load(Ordering::Relaxed);
            let outcome = check(&COUNTING, 2, credentials, &[0; 20]).run();
            (outcome, COUNTING.0.load(Ordering::Relaxed) - before)
        });
        assert_eq!(wrong, (DENIED, 2));
        assert_eq!(unknown, (Err(PeerError::Denied(Denial::UnknownIdentity)), 2));
    }
}
