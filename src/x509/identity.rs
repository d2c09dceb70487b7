//! Whose certificate it is (r3 7.7.4.4).

use super::names;
use crate::crypto::{CertificateError, IdentityMap, PublicKey};
use crate::wire::{IdType, Identification};

/// Whether a name of the certificate is this identity, or an [`IdentityMap`] says that it belongs to it.
///
/// Names are compared octet by octet, so that nobody is taken for somebody else by a rule of normalisation. An identity that is
/// no name is refused before it is compared.
pub(super) fn check(
    identity: Identification<'_>,
    certificate: &[u8],
    fields: &names::Fields<'_>,
    key: &PublicKey,
    map: Option<&dyn IdentityMap>,
) -> Result<(), CertificateError> {
    let matches = match identity.id_type {
        IdType::DerAsn1Dn => names::is_name(identity.data) && identity.data == fields.subject,
        IdType::DerAsn1Gn => {
            names::is_general_name(identity.data) && names::alternatives(fields)?.contains(&identity.data)
        }
        IdType::KeyId | IdType::FcName => map.is_some_and(|map| map.belongs(identity, key, certificate)),
    };
    if matches { Ok(()) } else { Err(CertificateError::IdentityMismatch) }
}
