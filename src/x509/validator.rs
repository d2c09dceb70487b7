//! From the CERT payloads to a trust anchor, and to the key.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeId,
    KeyPurposeIdIter, KeyUsage, OwnedCertRevocationList, RequiredEkuNotFoundContext, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};

use super::work::{Algorithm, Work};
use super::{
    BuildError, ExtendedUse, IdentityMatch, Limits, Revocation, authority_hash, identity, names, public_key_from_spki,
};
use crate::crypto::{AuthorityHash, CertificateError, CertificateValidator, IdentityMap, PeerClaim, PublicKey};
use crate::wire::CertificateEncoding;

/// id-kp-ipsecIKE (RFC 4945 5.1.3.12) and anyExtendedKeyUsage (RFC 5280 4.2.1.12).
const IPSEC_IKE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 17];
const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37, 0];

/// Follows certificates to a trust anchor.
///
/// - The first CERT payload is the peer's certificate: version 3, not an authority's (CA false or absent), its keyUsage, if it
///   has one, with digitalSignature or nonRepudiation (RFC 4945 5.1.3.2), and its key of the kind that the AUTH METHOD takes.
///   A trust anchor in this place is like any other: if it is an authority's it is refused.
/// - The other CERT payloads may be intermediates, in any order; those that lead nowhere, are duplicates or cannot be read, raw
///   keys, and trust anchors sent along are passed over. An intermediate must be an authority's, and its keyUsage, if it has
///   one, must have keyCertSign. A path has at most six of them.
/// - A trust anchor counts by its name, key and name constraints; its own validity, version, signature and other extensions are
///   not looked at: who configures it vouches for it.
/// - All certificates of the path are valid at the time of the claim, which must be known.
/// - For what they may be used: [`ExtendedUse`]; revocation: [`Revocation`]; whose they are: [`IdentityMatch`].
///
/// A claim without an X.509 certificate in its first CERT payload is [`CertificateError::Unknown`]: that is for
/// [`KnownKeys`](crate::crypto::KnownKeys), which passes the others on.
///
/// For one kind of key and the same CERT payloads a refusal takes as many signature verifications as an acceptance. The caller
/// then verifies AUTH, after a refusal with a decoy ([`PublicKey::decoy`]).
#[derive(Clone)]
pub struct ChainValidator {
    anchors: Vec<TrustAnchor<'static>>,
    authorities: Vec<AuthorityHash>,
    lists: Arc<[CertRevocationList<'static>]>,
    policy: Policy,
}

#[derive(Clone, Default)]
struct Policy {
    extended_use: ExtendedUse,
    identity_match: IdentityMatch,
    map: Option<Arc<dyn IdentityMap>>,
    revocation: Revocation,
    limits: Limits,
}

/// Makes a [`ChainValidator`]. The defaults are the strict ones: revocation [`Revocation::Required`], identities
/// [`IdentityMatch::Required`], and [`ExtendedUse::Ike`].
#[derive(Clone, Default)]
pub struct ChainValidatorBuilder {
    anchors: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
    policy: Policy,
}

impl fmt::Debug for ChainValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainValidator")
            .field("anchors", &self.anchors.len())
            .field("lists", &self.lists.len())
            .field("policy", &self.policy)
            .finish()
    }
}

impl fmt::Debug for ChainValidatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainValidatorBuilder")
            .field("anchors", &self.anchors.len())
            .field("lists", &self.lists.len())
            .field("policy", &self.policy)
            .finish()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("extended_use", &self.extended_use)
            .field("identity_match", &self.identity_match)
            .field("map", &self.map.is_some())
            .field("revocation", &self.revocation)
            .field("limits", &self.limits)
            .finish()
    }
}

impl ChainValidatorBuilder {
    /// A certificate in DER whose key is trusted to certify. Several may have the same name.
    #[must_use]
    pub fn trust_anchor(mut self, certificate: &[u8]) -> Self {
        self.anchors.push(certificate.into());
        self
    }

    /// A revocation list in DER. Its signature is verified when it is used, by the key that signed the certificate in question.
    #[must_use]
    pub fn revocation_list(mut self, list: &[u8]) -> Self {
        self.lists.push(list.into());
        self
    }

    /// Whether and how revocation is checked.
    #[must_use]
    pub fn revocation(mut self, revocation: Revocation) -> Self {
        self.policy.revocation = revocation;
        self
    }

    /// For what else certificates may be.
    #[must_use]
    pub fn extended_use(mut self, extended_use: ExtendedUse) -> Self {
        self.policy.extended_use = extended_use;
        self
    }

    /// Whether identities must be those of certificates.
    #[must_use]
    pub fn identity_match(mut self, identity_match: IdentityMatch) -> Self {
        self.policy.identity_match = identity_match;
        self
    }

    /// Who knows the certificates of an ID_KEY_ID or ID_FC_NAME. Without it none of those is accepted, unless identities need not
    /// match.
    #[must_use]
    pub fn identity_map(mut self, map: Arc<dyn IdentityMap>) -> Self {
        self.policy.map = Some(map);
        self
    }

    /// How much is looked at.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.policy.limits = limits;
        self
    }

    /// The validator.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<ChainValidator, BuildError> {
        let mut anchors = Vec::new();
        let mut authorities = Vec::new();
        for (index, certificate) in self.anchors.iter().enumerate() {
            let certificate = CertificateDer::from(certificate.as_slice());
            let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(|_| BuildError::TrustAnchor(index))?;
            anchors.push(anchor.to_owned());
            authorities.push(authority_hash(&certificate).map_err(|_| BuildError::TrustAnchor(index))?);
        }
        if anchors.is_empty() {
            return Err(BuildError::NoTrustAnchor);
        }
        let lists = read_lists(&self.lists)?;
        ChainValidator { anchors, authorities, lists, policy: self.policy }.checked()
    }
}

/// Reads revocation lists to the end, each entry of each.
fn read_lists(lists: &[impl AsRef<[u8]>]) -> Result<Arc<[CertRevocationList<'static>]>, BuildError> {
    let read = |(index, list): (usize, &_)| {
        let list: &[u8] = AsRef::as_ref(list);
        let list = OwnedCertRevocationList::from_der(list).map_err(|_| BuildError::RevocationList(index))?;
        Ok(CertRevocationList::from(list))
    };
    lists.iter().enumerate().map(read).collect()
}

impl ChainValidator {
    /// A validator to be configured.
    #[must_use]
    pub fn builder() -> ChainValidatorBuilder {
        ChainValidatorBuilder::default()
    }

    /// The same validator with other revocation lists, in DER, in place of its own.
    ///
    /// # Errors
    /// [`BuildError::RevocationList`], [`BuildError::NoRevocationList`].
    pub fn with_revocation_lists(&self, lists: &[&[u8]]) -> Result<Self, BuildError> {
        Self { lists: read_lists(lists)?, ..self.clone() }.checked()
    }

    fn checked(self) -> Result<Self, BuildError> {
        if self.policy.revocation == Revocation::Required && self.lists.is_empty() {
            return Err(BuildError::NoRevocationList);
        }
        Ok(self)
    }

    fn checks_lists(&self) -> bool {
        self.policy.revocation != Revocation::Off && !self.lists.is_empty()
    }

    fn judge(&self, claim: &PeerClaim<'_>, work: &Work) -> Result<PublicKey, CertificateError> {
        if claim.certificates.len() > self.policy.limits.certificates {
            return Err(CertificateError::TooMuch);
        }
        let now = claim.at.ok_or(CertificateError::NoTime)?;
        let first = claim.certificates.first().filter(|first| first.encoding == CertificateEncoding::X509Signature);
        let der = CertificateDer::from(first.ok_or(CertificateError::Unknown)?.data);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| refusal(&error))?;
        self.follow(&certificate, claim, UnixTime::since_unix_epoch(Duration::from_secs(now.0)), work)?;

        let fields = names::fields(&der)?;
        // Two decoders must not see two people in one certificate.
        if super::outline::sequence(fields.subject) != Some(certificate.subject()) {
            return Err(CertificateError::Malformed);
        }
        if !names::allows(&fields, &[names::DIGITAL_SIGNATURE, names::NON_REPUDIATION])? {
            return Err(CertificateError::WrongUse);
        }
        let key = public_key_from_spki(&certificate.subject_public_key_info())?;
        if key.kind != claim.kind {
            return Err(CertificateError::WrongKind);
        }
        match self.policy.identity_match {
            IdentityMatch::Off => {}
            IdentityMatch::Required => {
                identity::check(claim.identity, &der, &fields, &key, self.policy.map.as_deref())?;
            }
        }
        Ok(key)
    }

    /// A path to a trust anchor.
    fn follow(
        &self,
        certificate: &EndEntityCert<'_>,
        claim: &PeerClaim<'_>,
        now: UnixTime,
        work: &Work,
    ) -> Result<(), CertificateError> {
        let algorithms: Vec<_> =
            claim.verifiers.iter().filter_map(|verifier| Algorithm::new(*verifier, work)).collect();
        let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = algorithms.iter().map(|a| a as _).collect();
        let others = x509(claim).skip(1);
        let intermediates: Vec<_> = others.map(CertificateDer::from).collect();
        let lists: Vec<_> = self.lists.iter().collect();
        let uses = Uses { allowed: &self.policy.extended_use, steps: self.policy.limits.steps.into() };
        let path = certificate.verify_for_usage(
            &algorithms,
            &self.anchors,
            &intermediates,
            now,
            &uses,
            self.revocation(&lists),
            Some(&may_certify),
        );
        path.map(|_| ()).map_err(|error| refusal(&error))
    }

    fn revocation<'l>(&self, lists: &'l [&'l CertRevocationList<'l>]) -> Option<RevocationOptions<'l>> {
        let options = RevocationOptionsBuilder::new(lists).ok()?;
        Some(match self.policy.revocation {
            Revocation::Off => return None,
            Revocation::Required => options
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build(),
            Revocation::WhenListed => options
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Ignore)
                .build(),
        })
    }
}

impl CertificateValidator for ChainValidator {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        let limits = self.policy.limits;
        let each = if self.checks_lists() { 2 } else { 1 };
        let work = Work::new(x509(claim).take(limits.certificates), claim.kind, each, limits.signatures);
        let outcome = self.judge(claim, &work);
        work.finish(claim.verifiers);
        outcome
    }

    fn authorities(&self) -> &[AuthorityHash] {
        &self.authorities
    }
}

/// The X.509 certificates of the claim.
fn x509<'a>(claim: &PeerClaim<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let certificates = claim.certificates.iter();
    certificates.filter(|c| c.encoding == CertificateEncoding::X509Signature).map(|c| c.data)
}

/// What webpki does not ask: that the keyUsage of an authority allows it to sign certificates (RFC 5280 6.1.4 n).
fn may_certify(path: &VerifiedPath<'_>) -> Result<(), Error> {
    for certificate in path.intermediate_certificates() {
        let der = certificate.der();
        let fields = names::fields(&der).map_err(|_| Error::BadDer)?;
        if !names::allows(&fields, &[names::KEY_CERT_SIGN]).map_err(|_| Error::BadDer)? {
            return Err(Error::EndEntityUsedAsCa);
        }
    }
    Ok(())
}

/// [`ExtendedUse`] as the path builder wants it. It asks once for each certificate that it tries, which is where the steps
/// are counted.
struct Uses<'p> {
    allowed: &'p ExtendedUse,
    steps: AtomicUsize,
}

impl ExtendedKeyUsageValidator for Uses<'_> {
    fn validate(&self, mut present: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let step = self.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |steps| steps.checked_sub(1));
        step.map_err(|_| Error::MaximumPathBuildCallsExceeded)?;
        let also: &[_] = match self.allowed {
            ExtendedUse::Any => return Ok(()),
            ExtendedUse::Ike => &[],
            ExtendedUse::IkeOr(also) => also,
        };
        let Some(mut purpose) = present.next() else { return Ok(()) };
        loop {
            let found = purpose?;
            let is = |content: &[u8]| KeyPurposeId::new(content) == found;
            if is(IPSEC_IKE) || is(ANY_EXTENDED_KEY_USAGE) || also.iter().any(|also| is(also.content())) {
                return Ok(());
            }
            purpose = present.next().ok_or(Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
                required: KeyUsage::required(IPSEC_IKE),
                present: Vec::new(),
            }))?;
        }
    }
}

/// What the path builder's error means. It reports the most telling one of all paths that it tried.
fn refusal(error: &Error) -> CertificateError {
    match error {
        Error::BadDer
        | Error::BadDerTime
        | Error::TrailingData(_)
        | Error::MalformedExtensions
        | Error::ExtensionValueInvalid
        | Error::InvalidCertValidity
        | Error::InvalidSerialNumber
        | Error::SignatureAlgorithmMismatch => CertificateError::Malformed,
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => CertificateError::NotValidNow,
        Error::CertRevoked => CertificateError::Revoked,
        Error::UnknownRevocationStatus
        | Error::CrlExpired { .. }
        | Error::InvalidCrlSignatureForPublicKey
        | Error::IssuerNotCrlSigner
        | Error::UnsupportedCrlSignatureAlgorithmContext(_)
        | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => CertificateError::RevocationUnknown,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension | Error::CaUsedAsEndEntity => {
            CertificateError::WrongUse
        }
        Error::NameConstraintViolation
        | Error::MalformedNameConstraint
        | Error::InvalidNetworkMaskConstraint
        | Error::PathLenConstraintViolated
        | Error::EndEntityUsedAsCa => CertificateError::Constrained,
        Error::UnsupportedCriticalExtension
        | Error::UnsupportedCertVersion
        | Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => CertificateError::Unsupported,
        Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => CertificateError::TooMuch,
        _ => CertificateError::Untrusted,
    }
}
