//! What one side authenticates itself by, and what it checks the other side with (r3 7.7.4.4-7.7.4.6; readings R16, R18,
//! R30).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::{
    AuthorityHash, CertificateValidator, CertificateWish, CryptoProvider, HashKind, Identity, KeyKind, KeyVersion,
    PresharedKeys, PublicKey, SignatureScheme, Signer,
};
use crate::algorithm;
use crate::wire::CertificateEncoding;

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
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) identity: Option<Identity>,
    pub(crate) presentation: Presentation,
    pub(crate) certificates: Vec<Box<[u8]>>,
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
        Self {
            signer,
            identity: None,
            presentation: Presentation::Nothing,
            certificates: Vec::new(),
            authorities: Vec::new(),
        }
    }

    /// A key with its certificates in DER, its own first, which are always sent.
    #[must_use]
    pub fn with_certificates(signer: Arc<dyn Signer>, certificates: &[&[u8]]) -> Self {
        Self {
            presentation: Presentation::Certificates,
            certificates: certificates.iter().map(|der| Box::from(*der)).collect(),
            ..Self::new(signer)
        }
    }

    /// What is sent.
    #[must_use]
    pub const fn presenting(mut self, presentation: Presentation) -> Self {
        self.presentation = presentation;
        self
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

    fn stands_under(&self, wishes: &[CertificateWish]) -> bool {
        let asked = |hash: &AuthorityHash| wishes.iter().any(|wish| wish.authorities.contains(hash));
        self.presentation != Presentation::RawKey && self.authorities.iter().any(asked)
    }
}

/// How a message is authenticated.
#[derive(Clone, Copy)]
pub(crate) enum Means<'a> {
    SharedKey(&'a Arc<dyn PresharedKeys>),
    Signature(&'a Credential),
}

/// Which secret or key has authenticated somebody: it stays the same for as long as the secret or key does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A shared key.
    SharedKey(KeyVersion),
    /// The key of a signature: known beforehand, or a certificate's subject key.
    PublicKey(PublicKey),
}

/// Everything by which one side authenticates itself and its peers.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) shared_keys: Option<Arc<dyn PresharedKeys>>,
    pub(crate) own: Vec<Credential>,
    pub(crate) validator: Option<Arc<dyn CertificateValidator>>,
    /// Hashes accepted in RSA signatures (reading R16).
    pub(crate) rsa_hashes: Vec<HashKind>,
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
    /// An ID type that shall not be used without a certificate (r3 7.7.4.4 a).
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
            .field("shared_keys", &self.shared_keys.is_some())
            .field("own", &self.own)
            .field("validator", &self.validator.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            shared_keys: None,
            own: Vec::new(),
            validator: None,
            rsa_hashes: alloc::vec![HashKind::Sha1],
            requests: CertificateRequests::default(),
        }
    }
}

impl Credentials {
    /// Bytes of an identity, certificates and hashes of trust anchors that leave room for everything else in a message of
    /// 16 384.
    const ROOM: usize = 14_336;

    /// True without any way to authenticate anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared_keys.is_none() && self.own.is_empty() && self.validator.is_none()
    }

    /// True if this side can authenticate itself by the IKE authentication algorithm.
    pub(crate) fn can_use(&self, identifier: u32) -> bool {
        self.means(identifier, &[]).is_some()
    }

    /// True if this side can check a peer that authenticates itself by the IKE authentication algorithm.
    pub(crate) fn can_check(&self, provider: &CryptoProvider, identifier: u32) -> bool {
        if identifier == algorithm::IKE_AUTH_SHARED_KEY {
            return self.shared_keys.is_some();
        }
        let Some(kind) = KeyKind::of_auth_method(identifier) else { return false };
        let has = |hash: &HashKind| provider.verifier(SignatureScheme::new(kind, *hash)).is_some();
        self.validator.is_some() && self.hashes(kind).iter().any(has)
    }

    /// The means for an IKE authentication algorithm; of several keys, the one that suits the peer's wishes best.
    pub(crate) fn means(&self, identifier: u32, wishes: &[CertificateWish]) -> Option<Means<'_>> {
        if identifier == algorithm::IKE_AUTH_SHARED_KEY {
            return self.shared_keys.as_ref().filter(|keys| keys.has_own()).map(Means::SharedKey);
        }
        let kind = KeyKind::of_auth_method(identifier)?;
        let mut all = self.own.iter().filter(|own| own.kind() == kind);
        all.clone().find(|own| own.stands_under(wishes)).or_else(|| all.next()).map(Means::Signature)
    }

    /// The hashes with which a signature of this kind is accepted.
    pub(crate) fn hashes(&self, kind: KeyKind) -> Vec<HashKind> {
        if kind == KeyKind::Rsa { self.rsa_hashes.clone() } else { alloc::vec![kind.auth_hash()] }
    }

    /// The Certificate Request payloads to send.
    pub(crate) fn wishes(&self) -> Vec<CertificateWish> {
        match &self.requests {
            CertificateRequests::Nothing => Vec::new(),
            CertificateRequests::Exactly(wishes) => wishes.clone(),
            CertificateRequests::TrustAnchors => {
                let authorities = self.validator.as_ref().map_or_else(Vec::new, |validator| validator.authorities());
                let encoding = CertificateEncoding::X509Signature;
                let wish = CertificateWish { encoding, authorities: authorities.into() };
                if wish.authorities.is_empty() { Vec::new() } else { alloc::vec![wish] }
            }
        }
    }

    /// Checks what can be told beforehand; `identity` is the whole side's.
    pub(crate) fn check(&self, identity: &Identity) -> Result<(), CredentialError> {
        let needs = |own: Option<&Identity>| own.unwrap_or(identity).id_type.needs_certificate();
        if self.shared_keys.as_ref().is_some_and(|keys| keys.has_own()) && needs(None) {
            return Err(CredentialError::IdentityNeedsCertificate);
        }
        let hashes = self.wishes().iter().map(|wish| wish.authorities.len()).fold(0, usize::saturating_add);
        let requests = hashes.saturating_mul(size_of::<AuthorityHash>());
        if requests > Self::ROOM {
            return Err(CredentialError::TooLong);
        }
        for own in &self.own {
            let identity = own.identity.as_ref().unwrap_or(identity).data.len();
            let certificates = own.certificates.iter().map(|der| der.len());
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

impl<'a> Means<'a> {
    /// The identity to assert, where it is not the whole side's.
    pub(crate) fn identity(self) -> Option<&'a Identity> {
        match self {
            Self::SharedKey(_) => None,
            Self::Signature(own) => own.identity.as_ref(),
        }
    }

    /// The CERT payloads to send, in their order.
    pub(crate) fn certificates(self, wishes: &[CertificateWish]) -> Vec<(CertificateEncoding, Box<[u8]>)> {
        let Self::Signature(own) = self else { return Vec::new() };
        let asked = |encoding| wishes.iter().any(|wish| wish.encoding == encoding);
        let chain = || own.certificates.iter().map(|der| (CertificateEncoding::X509Signature, der.clone())).collect();
        match own.presentation {
            Presentation::Nothing => Vec::new(),
            Presentation::OnRequest if asked(CertificateEncoding::X509Signature) => chain(),
            Presentation::OnRequest => Vec::new(),
            Presentation::Certificates => chain(),
            Presentation::RawKey => alloc::vec![(CertificateEncoding::RawRsaKey, own.signer.public_key().bytes)],
        }
    }
}
