//! What one side authenticates itself by, and what it checks the other side with (r3 7.7.4.4-7.7.4.6; readings R16, R18,
//! R30).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, iter};

use thiserror::Error;

use super::{
    AuthorityHash, CertificateWish, CryptoProvider, HashKind, Hashes, Identity, KeyKind, KeyVersion, Means,
    OwnedJudges, PublicKey, Shared, SignatureScheme, Signer,
};
use crate::algorithm;
use crate::dialect::Profile;
use crate::wire::{Certificate, CertificateEncoding, CertificateRequest};

/// What one's own messages show of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presentation {
    /// Nothing: the peer knows the key.
    Nothing,
    /// The certificates if the peer has asked for X.509 certificates by a Certificate Request payload.
    OnRequest,
    /// The certificates.
    Certificates,
    /// The raw RSA key (CERTIFICATE ENCODING 0Bh).
    RawKey,
}

/// One's own key, with what goes with it.
#[derive(Clone)]
pub struct Credential {
    pub(crate) signer: Shared<dyn Signer>,
    pub(crate) identity: Option<Identity>,
    pub(crate) presentation: Presentation,
    pub(crate) certificates: Vec<Box<[u8]>>,
    /// The raw key, where it is sent.
    raw_key: Option<PublicKey>,
    pub(crate) authorities: Vec<AuthorityHash>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.signer.scheme())
            .field("identity", &self.identity)
            .field("presentation", &self.presentation)
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

impl Credential {
    /// A key of which nothing is shown.
    #[must_use]
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Self::of(Shared::Counted(signer))
    }

    /// A key that is there for good, as in firmware, of which nothing is shown.
    #[must_use]
    pub fn of_static(signer: &'static dyn Signer) -> Self {
        Self::of(Shared::Static(signer))
    }

    const fn of(signer: Shared<dyn Signer>) -> Self {
        Self {
            signer,
            identity: None,
            presentation: Presentation::Nothing,
            certificates: Vec::new(),
            raw_key: None,
            authorities: Vec::new(),
        }
    }

    /// A key with its certificates in DER, its own first, which are always sent.
    #[must_use]
    pub fn with_certificates(signer: Arc<dyn Signer>, certificates: &[&[u8]]) -> Self {
        Self::new(signer).certificates(certificates).presenting(Presentation::Certificates)
    }

    /// What is sent.
    #[must_use]
    pub fn presenting(mut self, presentation: Presentation) -> Self {
        self.presentation = presentation;
        self.raw_key = (presentation == Presentation::RawKey).then(|| self.signer.public_key());
        self
    }

    /// The certificates in DER, the key's own first. Whether and when they are sent stays as it was.
    #[must_use]
    pub fn certificates(mut self, certificates: &[&[u8]]) -> Self {
        self.certificates = certificates.iter().map(|der| Box::from(*der)).collect();
        self
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    /// The identity under which this key signs, where it is not the one of the whole side.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The trust anchors under which the certificates stand: of several credentials for one method, the first is taken that
    /// stands under an anchor of the peer's Certificate Request.
    #[must_use]
    pub fn authorities(mut self, authorities: &[AuthorityHash]) -> Self {
        self.authorities = authorities.to_vec();
        self
    }

    /// What the key signs with.
    pub(crate) fn kind(&self) -> KeyKind {
        self.signer.scheme().key
    }

    fn stands_under<'w>(&self, mut wishes: impl Iterator<Item = CertificateRequest<'w>>) -> bool {
        let has = |wish: CertificateRequest<'_>| self.authorities.iter().any(|hash| wish.authorities.contains(hash));
        self.presentation != Presentation::RawKey && wishes.any(has)
    }

    /// Whether the peer's wishes lead to certificates, or to a raw key.
    fn shows<'w>(&self, mut wishes: impl Iterator<Item = CertificateRequest<'w>>) -> bool {
        match self.presentation {
            Presentation::Nothing => false,
            Presentation::OnRequest => wishes.any(|wish| wish.encoding == CertificateEncoding::X509Signature),
            Presentation::Certificates | Presentation::RawKey => true,
        }
    }
}

/// How one side authenticates itself, chosen by the peer's wishes. It stays valid for as long as the credentials do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnChoice {
    SharedKey,
    Signature {
        /// The place of the credential.
        index: usize,
        /// Whether its certificates or its raw key are sent.
        shows: bool,
    },
}

/// Which secret or key has authenticated somebody: it stays the same for as long as the secret or key does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Proof {
    /// A shared key.
    SharedKey(KeyVersion),
    /// The key of a signature: known beforehand, or a certificate's subject key.
    PublicKey(PublicKey),
}

/// Everything by which one side authenticates itself and its peers.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// Whoever checks peers; the shared keys have our own secret besides.
    pub(crate) judges: OwnedJudges,
    pub(crate) own: Vec<Credential>,
    pub(crate) requests: CertificateRequests,
}

/// Which Certificate Request payloads are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CertificateRequests {
    /// One with the validator's trust anchors, if it has any.
    #[default]
    TrustAnchors,
    /// None.
    Nothing,
    /// Exactly these.
    Exactly(Vec<CertificateWish>),
}

/// Why credentials cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Certificates for which a peer need not have room (r3 5.13.6 a, b).
    #[error("certificates and trust anchors must fit a message of 16 384 bytes")]
    TooLong,
    /// An ID type that shall not be used without a certificate (r3 7.7.4.4 a; SPC-4 has no such rule).
    #[error("an identity of this type needs certificates that are always sent, for each way to authenticate")]
    IdentityNeedsCertificate,
    /// Certificates are to be sent, and there are none.
    #[error("certificates are to be sent, and there are none")]
    NoCertificates,
    /// A raw key that is not an RSA key has no CERTIFICATE ENCODING.
    #[error("only an RSA key can be sent raw")]
    RawKeyKind,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("shared_keys", &self.judges.shared_keys.is_some())
            .field("own", &self.own)
            .field("validator", &self.judges.validator.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            judges: OwnedJudges { shared_keys: None, validator: None, rsa_hashes: Hashes::SHA1 },
            own: Vec::new(),
            requests: CertificateRequests::default(),
        }
    }
}

impl Credentials {
    /// Bytes of an identity, certificates and hashes of trust anchors that leave room for everything else in a message of
    /// 16 384.
    const ROOM: usize = 14_336;
    /// The same for the hashes in a key exchange IN, which echoes usage data and carries a public value.
    const REQUESTS_ROOM: usize = 8_192;
    /// Bytes of a CERT payload beside the certificate, and of a CERTREQ payload beside the hashes.
    const AROUND_CERTIFICATE: usize = 5;

    /// True without any way to authenticate anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.judges.shared_keys.is_none() && self.own.is_empty() && self.judges.validator.is_none()
    }

    /// True if this side can authenticate itself by the IKE authentication algorithm.
    pub(crate) fn can_use(&self, identifier: u32) -> bool {
        self.choose(identifier, iter::empty()).is_some()
    }

    /// True if this side can check a peer that authenticates itself by the IKE authentication algorithm.
    pub(crate) fn can_check(&self, provider: &CryptoProvider, identifier: u32) -> bool {
        if identifier == algorithm::IKE_AUTH_SHARED_KEY {
            return self.judges.shared_keys.is_some();
        }
        let Some(kind) = KeyKind::of_auth_method(identifier) else { return false };
        let has = |hash: HashKind| provider.verifier(SignatureScheme::new(kind, hash)).is_some();
        self.judges.validator.is_some() && self.judges.borrowed().hashes(kind).iter().any(has)
    }

    /// How to authenticate by an IKE authentication algorithm; of several keys, the one that suits the peer's wishes best.
    pub(crate) fn choose<'w>(
        &self,
        identifier: u32,
        wishes: impl Iterator<Item = CertificateRequest<'w>> + Clone,
    ) -> Option<OwnChoice> {
        if identifier == algorithm::IKE_AUTH_SHARED_KEY {
            let keys = self.judges.shared_keys.as_ref();
            return keys.filter(|keys| keys.has_own()).map(|_| OwnChoice::SharedKey);
        }
        let kind = KeyKind::of_auth_method(identifier)?;
        let mut all = self.own.iter().enumerate().filter(|(_, own)| own.kind() == kind);
        let best = all.clone().find(|(_, own)| own.stands_under(wishes.clone()));
        let (index, own) = best.or_else(|| all.next())?;
        Some(OwnChoice::Signature { index, shows: own.shows(wishes) })
    }

    /// The keys of a choice.
    pub(crate) fn means(&self, choice: OwnChoice) -> Option<Means<'_>> {
        match choice {
            OwnChoice::SharedKey => self.judges.shared_keys.as_ref().map(Means::SharedKey),
            OwnChoice::Signature { index, .. } => self.own.get(index).map(|own| Means::Signature(&own.signer)),
        }
    }

    /// The identity to assert, where it is not the whole side's.
    pub(crate) fn identity(&self, choice: OwnChoice) -> Option<&Identity> {
        match choice {
            OwnChoice::SharedKey => None,
            OwnChoice::Signature { index, .. } => self.own.get(index)?.identity.as_ref(),
        }
    }

    /// The CERT payloads to send, in their order.
    pub(crate) fn certificates(&self, choice: OwnChoice) -> impl Iterator<Item = Certificate<'_>> + Clone {
        let own = match choice {
            OwnChoice::Signature { index, shows: true } => self.own.get(index),
            _ => None,
        };
        let is_raw = own.is_some_and(|own| own.presentation == Presentation::RawKey);
        let chain = own.filter(|_| !is_raw).map_or(&[][..], |own| &own.certificates);
        let chain = chain.iter().map(|data| Certificate { encoding: CertificateEncoding::X509Signature, data });
        let raw = own.filter(|_| is_raw).and_then(|own| own.raw_key.as_ref());
        let raw = raw.map(|key| Certificate { encoding: CertificateEncoding::RawRsaKey, data: &key.bytes });
        chain.chain(raw)
    }

    /// The Certificate Request payloads to send.
    pub(crate) fn wishes(&self) -> impl Iterator<Item = CertificateRequest<'_>> + Clone {
        let exactly: &[CertificateWish] = match &self.requests {
            CertificateRequests::Exactly(wishes) => wishes,
            _ => &[],
        };
        let anchors = match (&self.requests, &self.judges.validator) {
            (CertificateRequests::TrustAnchors, Some(validator)) => validator.authorities(),
            _ => &[],
        };
        let anchors = CertificateRequest { encoding: CertificateEncoding::X509Signature, authorities: anchors };
        let anchors = Some(anchors).filter(|request| !request.authorities.is_empty());
        exactly.iter().map(CertificateWish::as_payload).chain(anchors)
    }

    /// Checks what can be told beforehand; `identity` is the whole side's.
    pub(crate) fn check(&self, profile: Profile, identity: &Identity) -> Result<(), CredentialError> {
        let needs_certificate = profile.rules().names_need_certificates;
        let needs = |own: Option<&Identity>| needs_certificate && own.unwrap_or(identity).id_type.needs_certificate();
        if self.judges.shared_keys.as_ref().is_some_and(|keys| keys.has_own()) && needs(None) {
            return Err(CredentialError::IdentityNeedsCertificate);
        }
        let request = |wish: CertificateRequest<'_>| {
            size_of::<AuthorityHash>().saturating_mul(wish.authorities.len()).saturating_add(Self::AROUND_CERTIFICATE)
        };
        let requests = self.wishes().map(request).fold(0, usize::saturating_add);
        if requests > Self::REQUESTS_ROOM {
            return Err(CredentialError::TooLong);
        }
        for own in &self.own {
            let identity = own.identity.as_ref().unwrap_or(identity).data.len();
            let certificates = own.certificates.iter().map(|der| der.len().saturating_add(Self::AROUND_CERTIFICATE));
            let length = certificates.chain([identity, requests]).fold(0, usize::saturating_add);
            match own.presentation {
                Presentation::Certificates | Presentation::OnRequest if own.certificates.is_empty() => {
                    return Err(CredentialError::NoCertificates);
                }
                Presentation::RawKey if own.kind() != KeyKind::Rsa => return Err(CredentialError::RawKeyKind),
                Presentation::Certificates => {}
                _ if needs(own.identity.as_ref()) => return Err(CredentialError::IdentityNeedsCertificate),
                _ => {}
            }
            if length > Self::ROOM {
                return Err(CredentialError::TooLong);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{CertificateValidator, CryptoError, KnownKeys, MemoryKeys, Secret, SignatureScheme};
    use crate::wire::IdType;

    struct Key(KeyKind, &'static [u8]);

    impl Signer for Key {
        fn scheme(&self) -> SignatureScheme {
            SignatureScheme::of_auth(self.0)
        }

        fn public_key(&self) -> PublicKey {
            PublicKey::new(self.0, self.1)
        }

        fn signature_length(&self) -> usize {
            256
        }

        fn sign(&self, _: &[&[u8]], _: &mut [u8]) -> Result<(), CryptoError> {
            Err(CryptoError::Device)
        }
    }

    const ROOT: AuthorityHash = [1; 20];
    const OTHER_ROOT: AuthorityHash = [2; 20];

    fn rsa(name: &'static [u8]) -> Credential {
        Credential::with_certificates(Arc::new(Key(KeyKind::Rsa, name)), &[name, b"intermediate"])
    }

    fn wish(encoding: CertificateEncoding, authorities: &[AuthorityHash]) -> CertificateWish {
        CertificateWish { encoding, authorities: authorities.into() }
    }

    fn sent(credentials: &Credentials, wishes: &[CertificateWish]) -> Vec<(CertificateEncoding, Box<[u8]>)> {
        let wishes = wishes.iter().map(CertificateWish::as_payload);
        let choice = credentials.choose(algorithm::IKE_AUTH_RSA, wishes).unwrap();
        credentials.certificates(choice).map(|sent| (sent.encoding, sent.data.into())).collect()
    }

    #[test]
    fn the_peers_trust_anchors_choose_among_keys_of_one_kind() {
        let own = [rsa(b"first").authorities(&[OTHER_ROOT]), rsa(b"second").authorities(&[ROOT])];
        let credentials = Credentials { own: own.into(), ..Credentials::default() };
        let x509 = CertificateEncoding::X509Signature;
        let first = |wishes: &[CertificateWish]| sent(&credentials, wishes)[0].1.to_vec();
        assert_eq!(first(&[]), b"first");
        assert_eq!(first(&[wish(x509, &[ROOT])]), b"second");
        assert_eq!(first(&[wish(x509, &[[9; 20]]), wish(x509, &[[8; 20], OTHER_ROOT])]), b"first");
        assert_eq!(first(&[wish(x509, &[[9; 20]])]), b"first", "a request is no demand");
        let raw = [rsa(b"first"), rsa(b"raw").authorities(&[ROOT]).presenting(Presentation::RawKey)];
        let raw = Credentials { own: raw.into(), ..Credentials::default() };
        assert_eq!(*sent(&raw, &[wish(x509, &[ROOT])])[0].1, *b"first", "no certificate stands under an anchor");
        assert!(!credentials.can_use(algorithm::IKE_AUTH_ECDSA_256));
        assert!(!credentials.can_use(algorithm::IKE_AUTH_SHARED_KEY) && !credentials.can_use(0));
    }

    #[test]
    fn what_is_presented() {
        let x509 = CertificateEncoding::X509Signature;
        let present = |presentation, wishes: &[CertificateWish]| {
            let own = [rsa(b"leaf").presenting(presentation)];
            let sent = sent(&Credentials { own: own.into(), ..Credentials::default() }, wishes);
            sent.into_iter().map(|(encoding, data)| (encoding.code(), data.to_vec())).collect::<Vec<_>>()
        };
        let (asked, raw) = ([wish(x509, &[])], [wish(CertificateEncoding::RawRsaKey, &[])]);
        let chain = [(4, b"leaf".to_vec()), (4, b"intermediate".to_vec())];
        assert_eq!(present(Presentation::Certificates, &[]), chain);
        assert_eq!(present(Presentation::OnRequest, &[]), []);
        assert_eq!(present(Presentation::OnRequest, &raw), []);
        assert_eq!(present(Presentation::OnRequest, &asked), chain);
        assert_eq!(present(Presentation::Nothing, &asked), []);
        assert_eq!(present(Presentation::RawKey, &asked), [(0x0B, b"leaf".to_vec())]);
    }

    #[test]
    fn what_cannot_work() {
        let check = |own: Credential, identity: &Identity| {
            Credentials { own: alloc::vec![own], ..Credentials::default() }.check(Profile::R3, identity)
        };
        let (name, dn) = (Identity::key_id(b"drive"), Identity::new(IdType::DerAsn1Dn, b"0"));
        let bare = |kind| Credential::new(Arc::new(Key(kind, b"")));
        assert_eq!(check(rsa(b"leaf"), &dn), Ok(()));
        assert_eq!(check(bare(KeyKind::Rsa).presenting(Presentation::RawKey), &name), Ok(()));
        assert_eq!(check(rsa(b"leaf").presenting(Presentation::OnRequest), &name), Ok(()));
        for own in [bare(KeyKind::P256), rsa(b"leaf").presenting(Presentation::OnRequest)] {
            assert_eq!(check(own.clone(), &dn), Err(CredentialError::IdentityNeedsCertificate));
            assert_eq!(check(own.clone().identity(name.clone()), &dn), Ok(()));
            assert_eq!(check(own.identity(dn.clone()), &name), Err(CredentialError::IdentityNeedsCertificate));
        }
        for presentation in [Presentation::Certificates, Presentation::OnRequest] {
            let own = bare(KeyKind::Rsa).presenting(presentation);
            assert_eq!(check(own, &name), Err(CredentialError::NoCertificates));
        }
        let raw = bare(KeyKind::P384).presenting(Presentation::RawKey);
        assert_eq!(check(raw, &name), Err(CredentialError::RawKeyKind));
        let long = |length: usize| rsa(b"").identity(Identity::key_id(&alloc::vec![0; length]));
        let room = Credentials::ROOM - b"intermediate".len() - 2 * Credentials::AROUND_CERTIFICATE;
        assert_eq!(check(long(room), &name), Ok(()));
        assert_eq!(check(long(room + 1), &name), Err(CredentialError::TooLong));
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::copy_of(b"own")).unwrap();
        let mut credentials = Credentials::default();
        credentials.judges.shared_keys = Some(Shared::Counted(Arc::new(keys)));
        assert_eq!(credentials.check(Profile::R3, &dn), Err(CredentialError::IdentityNeedsCertificate));
        assert_eq!(credentials.check(Profile::SPC4, &dn), Ok(()));
        // 20 bytes for each hash and 5 for each request, of 8192.
        let any = wish(CertificateEncoding::X509Signature, &[]);
        for (hashes, requests, expected) in [(409, 1, Ok(())), (410, 1, Err(())), (0, 1638, Ok(())), (0, 1639, Err(()))]
        {
            let mut all = alloc::vec![any.clone(); requests];
            all[0].authorities = alloc::vec![ROOT; hashes].into();
            let asking = Credentials { requests: CertificateRequests::Exactly(all), ..Credentials::default() };
            assert_eq!(
                asking.check(Profile::R3, &name),
                expected.map_err(|()| CredentialError::TooLong),
                "{hashes} {requests}"
            );
        }
    }

    #[test]
    fn requests_are_the_validators_unless_said_otherwise() {
        struct Roots;
        impl CertificateValidator for Roots {
            fn validate(&self, _: &crate::crypto::PeerClaim<'_>) -> Result<PublicKey, crate::crypto::CertificateError> {
                Err(crate::crypto::CertificateError::Unknown)
            }

            fn authorities(&self) -> &[AuthorityHash] {
                &[ROOT, OTHER_ROOT]
            }
        }
        let keys = KnownKeys::new().with_certificates(Arc::new(Roots));
        let with = |requests| {
            let keys = KnownKeys::new().with_certificates(Arc::new(Roots));
            let mut credentials = Credentials { requests, ..Credentials::default() };
            credentials.judges.validator = Some(Shared::Counted(Arc::new(keys)));
            let wishes = credentials.wishes();
            wishes.map(|request| wish(request.encoding, request.authorities)).collect::<Vec<_>>()
        };
        let x509 = CertificateEncoding::X509Signature;
        assert_eq!(keys.authorities(), [ROOT, OTHER_ROOT]);
        assert_eq!(with(CertificateRequests::TrustAnchors), [wish(x509, &[ROOT, OTHER_ROOT])]);
        assert_eq!(with(CertificateRequests::Nothing), []);
        let raw = wish(CertificateEncoding::RawRsaKey, &[]);
        assert_eq!(with(CertificateRequests::Exactly(alloc::vec![raw.clone()])), [raw]);
        assert_eq!(Credentials::default().wishes().count(), 0);
    }
}
