//! The names in certificates, read by `der`, and where there is std by x509-parser as well.
//!
//! x509-parser does not build without std, and takes some forms that are not DER (a primitive SEQUENCE, trailing elements). So
//! `der` always reads, and x509-parser is a second opinion: what either refuses, or both do not read alike, is refused. Both have
//! the same interface: `fields` finds the parts of a certificate, `is_name` and `is_general_name` tell whether an identity is what
//! it says. What both leave open (alphabets, lengths) is checked here. The tests compare the two.

mod by_der;
#[cfg(feature = "std")]
mod by_parser;

use alloc::vec::Vec;

use der::asn1::BitStringRef;
use der::{Decode, Reader, SliceReader};

use super::outline;
use crate::crypto::CertificateError;

/// The parts of a certificate that tell whose it is and what its key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    /// The subject, tag and length included.
    pub(super) subject: &'a [u8],
    /// The value of the subjectAltName extension (2.5.29.17).
    pub(super) alternative: Option<&'a [u8]>,
    /// The value of the keyUsage extension (2.5.29.15).
    pub(super) key_usage: Option<&'a [u8]>,
}

/// Bits of keyUsage (RFC 5280 4.2.1.3).
pub(super) const DIGITAL_SIGNATURE: usize = 0;
/// nonRepudiation, also called contentCommitment.
pub(super) const NON_REPUDIATION: usize = 1;
/// keyCertSign.
pub(super) const KEY_CERT_SIGN: usize = 5;

pub(super) fn fields(certificate: &[u8]) -> Result<Fields<'_>, CertificateError> {
    let fields = by_der::fields(certificate).ok_or(CertificateError::Malformed)?;
    #[cfg(feature = "std")]
    if by_parser::fields(certificate) != Some(fields) {
        return Err(CertificateError::Malformed);
    }
    Ok(fields)
}

/// Whether this is a Name in DER, and not an empty one.
pub(super) fn is_name(der: &[u8]) -> bool {
    let is = by_der::is_name(der);
    #[cfg(feature = "std")]
    let is = is && by_parser::is_name(der);
    is
}

/// Whether this is a GeneralName in DER (RFC 5280 4.2.1.6).
pub(super) fn is_general_name(der: &[u8]) -> bool {
    let is = by_der::is_general_name(der) && content_fits(der);
    #[cfg(feature = "std")]
    let is = is && by_parser::is_general_name(der);
    is
}

/// The names of the subjectAltName extension, each with tag and length.
pub(super) fn alternatives<'a>(fields: &Fields<'a>) -> Result<Vec<&'a [u8]>, CertificateError> {
    let Some(value) = fields.alternative else { return Ok(Vec::new()) };
    let names = elements(value).ok_or(CertificateError::Malformed)?;
    if names.iter().all(|name| is_general_name(name)) { Ok(names) } else { Err(CertificateError::Malformed) }
}

/// Whether the key may be used for one of these: true without the extension.
pub(super) fn allows(fields: &Fields<'_>, uses: &[usize]) -> Result<bool, CertificateError> {
    let Some(value) = fields.key_usage else { return Ok(true) };
    let bits = BitStringRef::from_der(value).map_err(|_| CertificateError::Malformed)?;
    Ok(uses.iter().any(|bit| bits.get(*bit) == Some(true)))
}

/// The elements of a SEQUENCE, each with tag and length.
fn elements(sequence: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = SliceReader::new(outline::sequence(sequence)?).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(reader.tlv_bytes().ok()?);
    }
    Some(found)
}

/// IA5 text is ASCII, an address has 4 or 16 bytes, an object identifier is made of whole arcs.
fn content_fits(general_name: &[u8]) -> bool {
    let Ok(name) = der::asn1::AnyRef::from_der(general_name) else { return false };
    match general_name.first() {
        Some(0x81 | 0x82 | 0x86) => name.value().is_ascii() && !name.value().is_empty(),
        Some(0x87) => matches!(name.value().len(), 4 | 16),
        Some(0x88) => is_object_identifier(name.value()),
        _ => true,
    }
}

/// Whether this is the content of an object identifier: no arc begins with a zero digit, and the last one is complete.
fn is_object_identifier(content: &[u8]) -> bool {
    let arcs = content.split_inclusive(|byte| byte & 0x80 == 0);
    content.last().is_some_and(|last| last & 0x80 == 0) && arcs.into_iter().all(|arc| arc.first() != Some(&0x80))
}

#[cfg(all(test, feature = "std"))]
mod tests;
