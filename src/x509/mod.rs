//! X.509 certificates (feature `x509`; r3 7.7.4.5; RFC 3280, now RFC 5280; RFC 4945 for their use in IKE).
//!
//! A leaf: nothing else in the crate knows it. [`ChainValidator`] is a
//! [`CertificateValidator`](crate::crypto::CertificateValidator) that follows the CERT payloads of a peer to a trust anchor;
//! [`subject`] and [`subject_alt_names`] give the identities of a certificate of one's own, [`public_key_from_spki`] a key to
//! pin, [`authority_hash`] what stands for an authority in a Certificate Request payload.
//!
//! What is done by whom:
//!
//! - Paths, validity, basic constraints, path lengths, name constraints and revocation lists: `rustls-webpki`. It refuses a
//!   path under constraints on directory names, URIs and other names that it does not implement.
//! - Signatures: the verifiers of the [`PeerClaim`](crate::crypto::PeerClaim). RSA is PKCS #1 v1.5, ECDSA is on named curves,
//!   with SHA-256, SHA-384 or SHA-512. **A certificate or a revocation list signed with SHA-1 is not accepted**, whatever AUTH
//!   is signed with.
//! - The uses of keys, and whose certificate it is: here.
//!
//! Memory: the trust anchors' names and keys, the revocation lists parsed, and while a chain is validated some hundred bytes
//! for each certificate.

mod identity;
mod names;
mod outline;
mod policy;
mod validator;
mod work;

use alloc::vec::Vec;

use sha1::{Digest, Sha1};

use crate::crypto::{AuthorityHash, CertificateError, Identity};
use crate::wire::IdType;

pub use outline::public_key_from_spki;
pub use policy::{BuildError, ExtendedUse, IdentityMatch, KeyPurpose, Limits, Revocation};
pub use validator::{ChainValidator, ChainValidatorBuilder};

/// What a Certificate Request payload says for a trust anchor: SHA-1 of the SubjectPublicKeyInfo, tag and length included, of
/// this certificate in DER (RFC 4306 3.7). Any version of certificate will do.
///
/// # Errors
/// [`CertificateError::Malformed`].
pub fn authority_hash(certificate: &[u8]) -> Result<AuthorityHash, CertificateError> {
    let outline = outline::Outline::read(certificate).ok_or(CertificateError::Malformed)?;
    Ok(Sha1::digest(outline.spki).into())
}

/// The ID_DER_ASN1_DN of this certificate in DER: its subject (r3 7.7.4.4 a).
///
/// # Errors
/// [`CertificateError::Malformed`]; [`CertificateError::Unknown`] if the subject is empty, which identifies nobody.
pub fn subject(certificate: &[u8]) -> Result<Identity, CertificateError> {
    let subject = names::fields(certificate)?.subject;
    if !names::is_name(subject) {
        return Err(CertificateError::Unknown);
    }
    Ok(Identity::new(IdType::DerAsn1Dn, subject))
}

/// The ID_DER_ASN1_GN identities of this certificate in DER: each name of its subjectAltName extension, in order
/// (r3 7.7.4.4 a). None without the extension.
///
/// # Errors
/// [`CertificateError::Malformed`].
pub fn subject_alt_names(certificate: &[u8]) -> Result<Vec<Identity>, CertificateError> {
    let names = names::alternatives(&names::fields(certificate)?)?;
    Ok(names.into_iter().map(|name| Identity::new(IdType::DerAsn1Gn, name)).collect())
}
