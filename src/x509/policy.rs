//! What a validator may be told.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use thiserror::Error;

/// For what else than IKE a certificate may be (RFC 4945 5.1.3.12).
///
/// It is asked of the peer's certificate and of each intermediate one, since an authority for mail or web servers has no say
/// in IKE. A trust anchor is not asked. An empty extendedKeyUsage extension is for nothing, and refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ExtendedUse {
    /// No extendedKeyUsage extension, or one with id-kp-ipsecIKE or anyExtendedKeyUsage.
    #[default]
    Ike,
    /// The same, or one of these.
    IkeOr(Vec<KeyPurpose>),
    /// The extension is not looked at.
    Any,
}

/// What a certificate is for: an object identifier of an extendedKeyUsage extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPurpose(Box<[u8]>);

impl KeyPurpose {
    /// The purpose with this object identifier, arc by arc: `[1, 3, 6, 1, 5, 5, 7, 3, 17]`. `None` if that is none: fewer than
    /// two arcs, a first one above 2, or a second one above 39.
    #[must_use]
    pub fn new(arcs: &[u32]) -> Option<Self> {
        let [first @ 0..=2, second @ 0..=39, rest @ ..] = arcs else { return None };
        let both = u8::try_from(first.saturating_mul(40).saturating_add(*second)).ok()?;
        let mut content = vec![both];
        for arc in rest {
            for shift in [28, 21, 14, 7, 0] {
                let [.., group] = (arc >> shift).to_be_bytes();
                if shift == 0 {
                    content.push(group & 0x7F);
                } else if arc >> shift != 0 {
                    content.push(group | 0x80);
                }
            }
        }
        Some(Self(content.into()))
    }

    /// id-kp-serverAuth: web servers.
    #[must_use]
    pub fn server_auth() -> Self {
        Self([0x2B, 6, 1, 5, 5, 7, 3, 1].into())
    }

    /// id-kp-clientAuth: web clients.
    #[must_use]
    pub fn client_auth() -> Self {
        Self([0x2B, 6, 1, 5, 5, 7, 3, 2].into())
    }

    /// The object identifier in DER, without tag and length.
    pub(super) fn content(&self) -> &[u8] {
        &self.0
    }
}

/// Whether an identity must stand in the certificate (r3 7.7.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdentityMatch {
    /// An ID_DER_ASN1_DN must be the subject, an ID_DER_ASN1_GN one of the alternative names, both octet by octet; the others
    /// must be confirmed by an [`IdentityMap`](crate::crypto::IdentityMap). Without it, whoever has a certificate of a trusted
    /// authority can be anybody.
    #[default]
    Required,
    /// An identity need not match anything. Then what a peer calls itself is not authenticated: only that it has a certificate.
    Off,
}

/// Whether revocation is checked, by the lists that the validator was given (RFC 3723 2.3.3 requires that it be).
///
/// A list answers for a certificate if it has the same issuer, covers it by its distribution point, and is signed by the key
/// that signed the certificate. Lists of other signers (indirect ones), delta lists, and ones without nextUpdate are not
/// understood. Of several lists that answer, the first one given does. thisUpdate is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revocation {
    /// Each certificate of the path below the trust anchor needs a list that answers, and whose nextUpdate is still to come.
    #[default]
    Required,
    /// A certificate that no list answers for is accepted, and lists do not run out; but a list that is wrongly signed is not
    /// passed over.
    WhenListed,
    /// Not checked; lists are not looked at.
    Off,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// CERT payloads of one claim. More are refused without looking at any.
    pub certificates: usize,
    /// Signature verifications for one claim, those of revocation lists included; the path builder stops at 100 in any case.
    /// With fewer than twice the number of certificates, long paths cannot be followed.
    pub signatures: usize,
    /// Certificates that are tried as the next one of a path, for one claim. A path has at most seven; the rest is for
    /// authorities with several certificates. The path builder's own limit is 200 000, which a dozen certificates of one name
    /// use up without a single signature.
    pub steps: usize,
}

impl Default for Limits {
    /// 16 certificates, 64 signatures, 256 steps.
    fn default() -> Self {
        Self { certificates: 16, signatures: 64, steps: 256 }
    }
}

/// Why a validator cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Without a trust anchor nobody can be trusted.
    #[error("no trust anchor")]
    NoTrustAnchor,
    /// A trust anchor cannot be read.
    #[error("trust anchor {0} is malformed")]
    TrustAnchor(usize),
    /// A revocation list cannot be read, or is of a kind that is not understood ([`Revocation`]).
    #[error("revocation list {0} is malformed or not supported")]
    RevocationList(usize),
    /// Revocation must be checked, and there is no list: nobody would be accepted. Say [`Revocation::WhenListed`] or
    /// [`Revocation::Off`] if that is what is meant.
    #[error("revocation must be checked and there is no list")]
    NoRevocationList,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_object_identifiers() {
        let content = |arcs: &[u32]| KeyPurpose::new(arcs).map(|purpose| purpose.content().to_vec());
        assert_eq!(content(&[1, 3, 6, 1, 5, 5, 7, 3, 1]).as_deref(), Some(KeyPurpose::server_auth().content()));
        assert_eq!(content(&[1, 3, 6, 1, 5, 5, 7, 3, 2]).as_deref(), Some(KeyPurpose::client_auth().content()));
        assert_eq!(content(&[2, 5, 29, 37, 0]), Some(vec![0x55, 0x1D, 0x25, 0]));
        assert_eq!(content(&[1, 2, 840, 113_549]), Some(vec![0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D]));
        assert_eq!(content(&[1, 2, u32::MAX]), Some(vec![0x2A, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F]));
        assert!([&[][..], &[1], &[3, 1], &[1, 40]].iter().all(|arcs| KeyPurpose::new(arcs).is_none()));
    }
}
