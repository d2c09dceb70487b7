//! Who we are, whom we know and whom we trust.

use std::sync::Arc;

use ikev2_scsi::crypto::{
    CertificateRequests, CertificateValidator, Credential, HashKind, Identity, KnownKeys, MemoryKeys, Presentation,
    PublicKey, Secret, Signer,
};
use ikev2_scsi::provider::{EcdsaSigner, KeyError, RsaSigner};
use ikev2_scsi::wire::IdType;
use ikev2_scsi::x509::{
    self, ChainValidator, ExtendedUse, IdentityMatch, Revocation, public_key_from_spki, subject_alt_names,
};

use crate::error::Error;
use crate::files::{Files, hex};
use crate::members;

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const PUBLIC_KEY: &str = "PUBLIC KEY";
const REVOCATION_LIST: &str = "X509 CRL";

/// What both ends are made of.
#[derive(Debug)]
pub(crate) struct Sides {
    pub(crate) identity: Identity,
    pub(crate) keys: Option<Arc<MemoryKeys>>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) validator: Option<Arc<KnownKeys>>,
    pub(crate) requests: CertificateRequests,
    pub(crate) rsa_hashes: Option<Vec<HashKind>>,
}

impl Sides {
    pub(crate) fn read(files: &Files, root: &members::Root) -> Result<Self, Error> {
        let own = &root.own;
        let mut keys = MemoryKeys::new();
        let mut has_keys = false;
        if let Some(key) = &own.preshared_key {
            let member = "own.preshared_key";
            keys.set_own(secret(files, member, key)?).map_err(|error| Error::new(member, error))?;
            has_keys = true;
        }
        let mut known = KnownKeys::new();
        let mut knows = false;
        for (index, peer) in root.peer.iter().enumerate() {
            let identity = identity(files, &format!("peer[{index}].identity"), &peer.identity)?;
            if let Some(key) = &peer.preshared_key {
                let member = format!("peer[{index}].preshared_key");
                let secret = secret(files, &member, key)?;
                keys.add_peer(identity.as_payload(), secret).map_err(|error| Error::new(member, error))?;
                has_keys = true;
            }
            if let Some(source) = &peer.public_key {
                known.set(identity, public_key(files, &format!("peer[{index}].public_key"), source)?);
                knows = true;
            } else if peer.preshared_key.is_none() {
                return Err(Error::value(format!("peer[{index}]"), "has neither preshared_key nor public_key"));
            }
        }
        let credential = |(index, own)| credential(files, &format!("own.credential[{index}]"), own);
        Ok(Self {
            identity: identity(files, "own.identity", &own.identity)?,
            keys: has_keys.then(|| Arc::new(keys)),
            credentials: own.credential.iter().enumerate().map(credential).collect::<Result<_, _>>()?,
            validator: validator(files, known, knows, &root.trust)?,
            requests: match root.trust.request_certificates {
                None | Some(true) => CertificateRequests::TrustAnchors,
                Some(false) => CertificateRequests::Nothing,
            },
            rsa_hashes: root.trust.rsa_hashes.as_ref().map(|list| list.iter().copied().map(hash).collect()),
        })
    }
}

pub(crate) fn identity(files: &Files, member: &str, identity: &members::Identity) -> Result<Identity, Error> {
    use members::IdentityKind as Kind;
    let id_type = match identity.kind {
        Kind::KeyId => IdType::KeyId,
        Kind::FcName => IdType::FcName,
        Kind::DerAsn1Dn => IdType::DerAsn1Dn,
        Kind::DerAsn1Gn => IdType::DerAsn1Gn,
    };
    let data = match (&identity.text, &identity.hex, &identity.certificate) {
        (Some(text), None, None) if !id_type.needs_certificate() => text.clone().into_bytes(),
        (Some(_), None, None) => {
            return Err(Error::value(format!("{member}.text"), "this type is DER: give certificate or hex"));
        }
        (None, Some(digits), None) => hex(&format!("{member}.hex"), digits)?,
        (None, None, Some(source)) => return named(files, &format!("{member}.certificate"), source, identity.kind),
        _ => return Err(Error::value(member, "has one of text, hex and certificate")),
    };
    if data.is_empty() {
        return Err(Error::value(member, "is empty"));
    }
    Ok(Identity::new(id_type, &data))
}

/// The name of a certificate.
fn named(files: &Files, member: &str, source: &str, kind: members::IdentityKind) -> Result<Identity, Error> {
    let blocks = files.all(member, source, CERTIFICATE)?;
    let der = blocks.first().map_or(&[][..], |block| &block.der);
    match kind {
        members::IdentityKind::DerAsn1Dn => x509::subject(der).map_err(|error| Error::new(member, error)),
        members::IdentityKind::DerAsn1Gn => {
            let names = subject_alt_names(der).map_err(|error| Error::new(member, error))?;
            names.into_iter().next().ok_or_else(|| Error::value(member, "it has no subjectAltName"))
        }
        _ => Err(Error::value(member, "gives identities of type der_asn1_dn and der_asn1_gn only")),
    }
}

fn secret(files: &Files, member: &str, key: &members::Key) -> Result<Secret, Error> {
    match (&key.0.text, &key.0.hex, &key.0.file) {
        (Some(text), None, None) => Ok(Secret::copy_of(text.expose().as_bytes())),
        (None, Some(digits), None) => {
            Secret::from_hex(digits.expose()).map_err(|error| Error::value(format!("{member}.hex"), error.to_string()))
        }
        (None, None, Some(name)) => files.secret(&format!("{member}.file"), name),
        _ => Err(Error::value(member, "has one of text, hex and file")),
    }
}

pub(crate) const fn hash(hash: members::Hash) -> HashKind {
    match hash {
        members::Hash::Sha1 => HashKind::Sha1,
        members::Hash::Sha256 => HashKind::Sha256,
        members::Hash::Sha384 => HashKind::Sha384,
        members::Hash::Sha512 => HashKind::Sha512,
    }
}

fn credential(files: &Files, member: &str, own: &members::OwnCredential) -> Result<Credential, Error> {
    let at = |field: &str| format!("{member}.{field}");
    let keys = files.all(&at("key"), own.key.expose(), PRIVATE_KEY)?;
    let [key] = keys.as_slice() else { return Err(Error::value(at("key"), "there is more than one PRIVATE KEY")) };
    let signer: Arc<dyn Signer> = match EcdsaSigner::from_pkcs8_der(&key.der) {
        Ok(_) if own.hash.is_some() => return Err(Error::value(at("hash"), "of an ECDSA key the curve says which")),
        Ok(signer) => Arc::new(signer),
        Err(KeyError::Algorithm) => {
            let signer = RsaSigner::from_pkcs8_der(&key.der, own.hash.map_or(HashKind::Sha1, hash));
            Arc::new(signer.map_err(|error| Error::new(at("key"), error))?)
        }
        Err(error) => return Err(Error::new(at("key"), error)),
    };
    let mut chain = Vec::new();
    for (index, source) in own.certificates.iter().enumerate() {
        chain.extend(files.all(&at(&format!("certificates[{index}]")), source, CERTIFICATE)?);
    }
    let public = signer.public_key();
    if let Some(first) = chain.first()
        && certified_key(&at("certificates[0]"), &first.der)? != public
    {
        return Err(Error::value(at("certificates[0]"), "the first certificate is of another key"));
    }
    let shows = match own.shows {
        None if chain.is_empty() => Presentation::Nothing,
        None | Some(members::Shows::Certificates) => Presentation::Certificates,
        Some(members::Shows::Nothing) => Presentation::Nothing,
        Some(members::Shows::OnRequest) => Presentation::OnRequest,
        Some(members::Shows::RawKey) => Presentation::RawKey,
    };
    let ders: Vec<&[u8]> = chain.iter().map(|block| block.der.as_slice()).collect();
    let mut credential = Credential::with_certificates(signer, &ders).presenting(shows);
    if let Some(own) = &own.identity {
        credential = credential.identity(identity(files, &at("identity"), own)?);
    }
    Ok(credential)
}

/// A peer's key: SubjectPublicKeyInfo, or that of a certificate.
fn public_key(files: &Files, member: &str, source: &str) -> Result<PublicKey, Error> {
    let blocks = files.blocks(member, source, PUBLIC_KEY)?;
    let wanted = |label: &str| blocks.iter().find(|block| block.label == label);
    match (wanted(PUBLIC_KEY), wanted(CERTIFICATE)) {
        (Some(spki), _) => public_key_from_spki(&spki.der).map_err(|error| Error::new(member, error)),
        (None, Some(certificate)) => certified_key(member, &certificate.der),
        (None, None) => Err(Error::value(member, "there is no PUBLIC KEY and no CERTIFICATE in it")),
    }
}

/// The key of a certificate.
fn certified_key(member: &str, der: &[u8]) -> Result<PublicKey, Error> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der)
        .map_err(|_| Error::new(member, ikev2_scsi::crypto::CertificateError::Malformed))?;
    public_key_from_spki(certificate.public_key().raw).map_err(|error| Error::new(member, error))
}

/// Whoever decides about peers that sign; nobody where none is known and no authority is trusted.
fn validator(
    files: &Files,
    known: KnownKeys,
    knows: bool,
    trust: &members::Trust,
) -> Result<Option<Arc<KnownKeys>>, Error> {
    if trust.anchors.is_empty() {
        let unused = [
            ("trust.revocation_lists", !trust.revocation_lists.is_empty()),
            ("trust.revocation", trust.revocation.is_some()),
            ("trust.identity_match", trust.identity_match.is_some()),
            ("trust.extended_use", trust.extended_use.is_some()),
        ];
        if let Some((member, _)) = unused.iter().find(|(_, is_there)| *is_there) {
            return Err(Error::value(*member, "is about certificates, which trust.anchors leaves nobody to have"));
        }
        return Ok(knows.then(|| Arc::new(known)));
    }
    let mut builder = ChainValidator::builder().identity_map(Arc::new(known.clone()));
    for (index, source) in trust.anchors.iter().enumerate() {
        let member = format!("trust.anchors[{index}]");
        for block in files.all(&member, source, CERTIFICATE)? {
            x509::authority_hash(&block.der).map_err(|error| Error::new(&member, error))?;
            builder = builder.trust_anchor(&block.der);
        }
    }
    for (index, source) in trust.revocation_lists.iter().enumerate() {
        for block in files.all(&format!("trust.revocation_lists[{index}]"), source, REVOCATION_LIST)? {
            builder = builder.revocation_list(&block.der);
        }
    }
    builder = builder
        .revocation(match trust.revocation {
            None | Some(members::Revocation::Required) => Revocation::Required,
            Some(members::Revocation::WhenListed) => Revocation::WhenListed,
            Some(members::Revocation::Off) => Revocation::Off,
        })
        .identity_match(match trust.identity_match {
            None | Some(true) => IdentityMatch::Required,
            Some(false) => IdentityMatch::Off,
        })
        .extended_use(match trust.extended_use {
            None | Some(members::ExtendedUse::Ike) => ExtendedUse::Ike,
            Some(members::ExtendedUse::Any) => ExtendedUse::Any,
        });
    let chains = builder.build().map_err(|error| Error::new("trust", error))?;
    let chains: Arc<dyn CertificateValidator> = Arc::new(chains);
    Ok(Some(Arc::new(known.with_certificates(chains))))
}
