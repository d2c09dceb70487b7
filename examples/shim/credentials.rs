//! Keys and certificates for signatures as JSON, read into what a side signs with and whom it believes.

use std::sync::Arc;

use ikev2_scsi::crypto::{
    CertificateRequests, CertificateValidator, CertificateWish, Credential, HashKind, Identity, KnownKeys,
    Presentation, Signer,
};
use ikev2_scsi::provider::{EcdsaSigner, KeyError, RsaSigner};
use ikev2_scsi::wire::CertificateEncoding;
use ikev2_scsi::x509::{ChainValidator, IdentityMatch, Revocation, public_key_from_spki};

use super::member::{Fault, Member};

/// The names of keys and certificates.
const KINDS: [&str; 4] = ["rsa", "p256", "p384", "p521"];

/// A signer, or why a key makes none.
type Made = Result<Arc<dyn Signer>, KeyError>;

/// What makes signers of private keys in PKCS#8: of RSA with a hash, of ECDSA.
#[derive(Clone, Copy)]
pub(crate) struct Signers {
    pub(crate) rsa: fn(&[u8], HashKind) -> Made,
    pub(crate) ecdsa: fn(&[u8]) -> Made,
}

impl Signers {
    /// Those of RustCrypto, which sign a message again as they did before: so do those of the transcripts.
    pub(crate) const RUSTCRYPTO: Self = Self {
        rsa: |der, hash| Ok(Arc::new(RsaSigner::from_pkcs8_der(der, hash)?)),
        ecdsa: |der| Ok(Arc::new(EcdsaSigner::from_pkcs8_der(der)?)),
    };
}

/// What a side signs with, and whom it believes.
#[derive(Clone)]
pub(crate) struct Signatures {
    pub(crate) own: Vec<Credential>,
    pub(crate) validator: Arc<dyn CertificateValidator>,
    pub(crate) requests: CertificateRequests,
}

impl Signatures {
    /// Reads `keys`, `certs`, `send_cert` and `certreq` of `side`, and the public keys of `peers`. The certificates of peers
    /// lead to one of `trust_anchors`; lists of revoked ones are not provided. A side whose identity is a certificate's name
    /// always sends certificates, and has no use for keys without (r3 7.7.4.4 a).
    pub(crate) fn read(
        signers: Signers,
        side: &Member<'_>,
        peers: &[(Identity, Member<'_>)],
        trust_anchors: &Member<'_>,
        identity_match: IdentityMatch,
        is_named_by_certificate: bool,
    ) -> Result<Self, Fault> {
        let mut known = KnownKeys::new();
        for (identity, peer) in peers {
            for key in peer.get("public_keys").elements()? {
                let spki: Vec<u8> = key.need()?;
                let read = public_key_from_spki(&spki).map_err(|error| key.fault(&format!("is refused: {error}")))?;
                known.set(identity.clone(), read);
            }
        }
        Ok(Self {
            own: own(signers, side, is_named_by_certificate)?,
            validator: validator(known, trust_anchors, identity_match)?,
            requests: CertificateRequests::Exactly(requests(&side.get("certreq"))?),
        })
    }
}

/// One's own keys, with what is shown of them.
fn own(signers: Signers, side: &Member<'_>, is_named_by_certificate: bool) -> Result<Vec<Credential>, Fault> {
    let send = side.get("send_cert");
    let wanted = send.read::<String>()?.unwrap_or_else(|| "none".into());
    let (keys, certificates) = (side.get("keys").object()?, side.get("certs").object()?);
    let mut own = Vec::new();
    for kind in KINDS {
        let key = keys.get(kind);
        let Some(pem) = key.read::<String>()? else { continue };
        let refused = |why: &dyn std::fmt::Display| key.fault(&format!("is refused: {why}"));
        let (_, der) = pem_rfc7468::decode_vec(pem.as_bytes()).map_err(|error| refused(&error))?;
        let signer: Arc<dyn Signer> = if kind == "rsa" {
            (signers.rsa)(&der, HashKind::Sha1).map_err(|error| refused(&error))?
        } else {
            (signers.ecdsa)(&der).map_err(|error| refused(&error))?
        };
        let chain: Result<Vec<Vec<u8>>, Fault> = certificates.get(kind).elements()?.iter().map(Member::need).collect();
        let chain = chain?;
        let presentation = match wanted.as_str() {
            "none" | "x509" | "raw" if is_named_by_certificate && chain.is_empty() => continue,
            "none" | "x509" | "raw" if is_named_by_certificate => Presentation::Certificates,
            "none" if !chain.is_empty() => Presentation::OnRequest,
            "x509" if !chain.is_empty() => Presentation::Certificates,
            "raw" if kind == "rsa" => Presentation::RawKey,
            "none" | "x509" | "raw" => Presentation::Nothing,
            _ => return Err(send.fault("is none of \"none\", \"x509\" and \"raw\"")),
        };
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        own.push(Credential::with_certificates(signer, &chain).presenting(presentation));
    }
    Ok(own)
}

fn validator(
    known: KnownKeys,
    trust_anchors: &Member<'_>,
    identity_match: IdentityMatch,
) -> Result<Arc<dyn CertificateValidator>, Fault> {
    let anchors: Result<Vec<Vec<u8>>, Fault> = trust_anchors.elements()?.iter().map(Member::need).collect();
    let anchors = anchors?;
    if anchors.is_empty() {
        return Ok(Arc::new(known));
    }
    let known = Arc::new(known);
    let mut builder = ChainValidator::builder()
        .revocation(Revocation::Off)
        .identity_match(identity_match)
        .identity_map(Arc::clone(&known) as Arc<_>);
    for anchor in &anchors {
        builder = builder.trust_anchor(anchor);
    }
    let chains = builder.build().map_err(|error| trust_anchors.fault(&format!("is refused: {error}")))?;
    Ok(Arc::new(KnownKeys::clone(&known).with_certificates(Arc::new(chains))))
}

fn requests(list: &Member<'_>) -> Result<Vec<CertificateWish>, Fault> {
    let mut wishes = Vec::new();
    for request in list.elements()? {
        let encoding = request.get("encoding");
        let known = match encoding.need::<u8>()? {
            0x04 => CertificateEncoding::X509Signature,
            0x0B => CertificateEncoding::RawRsaKey,
            _ => return Err(encoding.fault("is none that r3 allows")),
        };
        let mut authorities = Vec::new();
        for authority in request.get("authorities").elements()? {
            let hash: Vec<u8> = authority.need()?;
            authorities.push(hash.try_into().map_err(|_| authority.fault("is no hash of 20 bytes"))?);
        }
        wishes.push(CertificateWish { encoding: known, authorities: authorities.into() });
    }
    Ok(wishes)
}
