//! What one side authenticates itself by, and what it checks the other side with (r3 7.7.4.4-7.7.4.6; readings R16, R18,
//! R30).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, iter};

use thiserror::Error;

use super::{
    AuthorityHash, CertificateValidator, CertificateWish, CryptoProvider, HAS_SIGNATURES, HashKind, Hashes, Identity,
    KeyKind, KeyVersion, Means, OwnedJudges, PublicKey, Shared, SignatureScheme, Signer,
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
    pub(crate) own: OwnKeys,
    pub(crate) requests: CertificateRequests,
}

/// The keys with which one side signs, where there are any.
#[cfg(any(test, feature = "signatures"))]
type OwnKeys = Vec<Credential>;
#[cfg(not(any(test, feature = "signatures")))]
type OwnKeys = [Credential; 0];

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
            own: OwnKeys::default(),
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

    /// The keys with which this side signs.
    fn signing(&self) -> &[Credential] {
        if HAS_SIGNATURES { &self.own } else { &[] }
    }

    fn validator(&self) -> Option<&Shared<dyn CertificateValidator>> {
        self.judges.validator.as_ref().filter(|_| HAS_SIGNATURES)
    }

    /// True without any way to authenticate anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.judges.shared_keys.is_none() && self.signing().is_empty() && self.validator().is_none()
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
        let Some(kind) = KeyKind::of_auth_method(identifier).filter(|_| HAS_SIGNATURES) else { return false };
        let has = |hash: HashKind| provider.verifier(SignatureScheme::new(kind, hash)).is_some();
        self.validator().is_some() && self.judges.borrowed().hashes(kind).iter().any(has)
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
        let mut all = self.signing().iter().enumerate().filter(|(_, own)| own.kind() == kind);
        let best = all.clone().find(|(_, own)| own.stands_under(wishes.clone()));
        let (index, own) = best.or_else(|| all.next())?;
        Some(OwnChoice::Signature { index, shows: own.shows(wishes) })
    }

    /// The keys of a choice.
    pub(crate) fn means(&self, choice: OwnChoice) -> Option<Means<'_>> {
        match choice {
            OwnChoice::SharedKey => self.judges.shared_keys.as_ref().map(Means::SharedKey),
            OwnChoice::Signature { index, .. } => self.signing().get(index).map(|own| Means::Signature(&own.signer)),
        }
    }

    /// The identity to assert, where it is not the whole side's.
    pub(crate) fn identity(&self, choice: OwnChoice) -> Option<&Identity> {
        match choice {
            OwnChoice::SharedKey => None,
            OwnChoice::Signature { index, .. } => self.signing().get(index)?.identity.as_ref(),
        }
    }

    /// The CERT payloads to send, in their order.
    pub(crate) fn certificates(&self, choice: OwnChoice) -> impl Iterator<Item = Certificate<'_>> + Clone {
        let own = match choice {
            OwnChoice::Signature { index, shows: true } => self.signing().get(index),
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
            CertificateRequests::Exactly(wishes) if HAS_SIGNATURES => wishes,
            _ => &[],
        };
        let anchors = match (&self.requests, self.validator()) {
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
        for own in self.signing() {
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
mod tests;
