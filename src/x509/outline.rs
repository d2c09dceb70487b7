//! The outline of a certificate, and keys and signatures out of their DER (RFC 5280 4.1, RFC 3279, RFC 5480, RFC 8017 A.1.1).

use alloc::vec;
use alloc::vec::Vec;

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};
use rustls_pki_types::alg_id;

use crate::crypto::{CertificateError, KeyKind, PublicKey};

/// What stands where in a certificate of any version. Nothing in here is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outline<'a> {
    /// The name, tag and length included.
    pub(super) subject: &'a [u8],
    /// SubjectPublicKeyInfo, tag and length included.
    pub(super) spki: &'a [u8],
    /// The extensions' SEQUENCE, tag and length included.
    pub(super) extensions: Option<&'a [u8]>,
    /// The content of signatureAlgorithm.
    pub(super) algorithm: &'a [u8],
    /// The signature, without the count of unused bits.
    pub(super) signature: &'a [u8],
}

impl<'a> Outline<'a> {
    /// Reads a whole certificate; `None` if it is none, or if anything follows it.
    pub(super) fn read(certificate: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(sequence(certificate)?).ok()?;
        let tbs = reader.tlv_bytes().ok()?;
        let algorithm = sequence(reader.tlv_bytes().ok()?)?;
        let signature = BitStringRef::decode(&mut reader).ok()?.as_bytes()?;
        reader.finish().ok()?;

        let mut reader = SliceReader::new(sequence(tbs)?).ok()?;
        if context(&reader) == Some(0) {
            reader.tlv_bytes().ok()?;
        }
        // Serial number, signature algorithm, issuer, validity.
        for tag in [Tag::Integer, Tag::Sequence, Tag::Sequence, Tag::Sequence] {
            AnyRef::decode(&mut reader).ok().filter(|field| der::Tagged::tag(field) == tag)?;
        }
        let subject = reader.tlv_bytes().ok()?;
        let spki = reader.tlv_bytes().ok()?;
        let (_, _) = (sequence(subject)?, sequence(spki)?);
        let mut extensions = None;
        while !reader.is_finished() {
            let number = context(&reader)?;
            let field = AnyRef::decode(&mut reader).ok()?;
            if number == 3 {
                sequence(field.value())?;
                extensions = Some(field.value());
            }
        }
        Some(Self { subject, spki, extensions, algorithm, signature })
    }
}

/// The number of the context-specific tag that comes next.
fn context(reader: &SliceReader<'_>) -> Option<u32> {
    match Tag::peek(reader).ok()? {
        Tag::ContextSpecific { number: TagNumber(number), .. } => Some(number),
        _ => None,
    }
}

/// The content of one SEQUENCE that is all of `der`.
pub(super) fn sequence(der: &[u8]) -> Option<&[u8]> {
    AnyRef::from_der(der).ok().filter(|any| der::Tagged::tag(any) == Tag::Sequence).map(AnyRef::value)
}

/// The public key in a SubjectPublicKeyInfo in DER, for embedders who pin keys: of RSA one of rsaEncryption, of ECDSA one on a
/// named curve with an uncompressed point. Whether it is a good key shows when it verifies.
///
/// # Errors
/// [`CertificateError::Malformed`]; [`CertificateError::WrongKind`] for other algorithms and curves.
pub fn public_key_from_spki(spki: &[u8]) -> Result<PublicKey, CertificateError> {
    let (algorithm, key) = read_spki(spki).ok_or(CertificateError::Malformed)?;
    let kind = [
        (KeyKind::Rsa, alg_id::RSA_ENCRYPTION),
        (KeyKind::P256, alg_id::ECDSA_P256),
        (KeyKind::P384, alg_id::ECDSA_P384),
        (KeyKind::P521, alg_id::ECDSA_P521),
    ];
    let found = kind.into_iter().find(|(_, identifier)| identifier.as_ref() == algorithm);
    let (kind, _) = found.ok_or(CertificateError::WrongKind)?;
    let well_formed = match kind.field_length() {
        None => is_rsa_public_key(key),
        Some(length) => {
            key.split_first().is_some_and(|(form, point)| *form == 4 && point.len() == length.saturating_mul(2))
        }
    };
    if well_formed { Ok(PublicKey::new(kind, key)) } else { Err(CertificateError::Malformed) }
}

/// The content of the AlgorithmIdentifier, and the key.
fn read_spki(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(sequence(spki)?).ok()?;
    let algorithm = sequence(reader.tlv_bytes().ok()?)?;
    let key = BitStringRef::decode(&mut reader).ok()?.as_bytes()?;
    reader.finish().ok()?;
    Some((algorithm, key))
}

fn is_rsa_public_key(key: &[u8]) -> bool {
    two_integers(key).is_some_and(|(modulus, exponent)| modulus.len() > 1 && !exponent.is_empty())
}

/// SEQUENCE { INTEGER, INTEGER }, both not negative, in DER: the numbers without leading zeros.
fn two_integers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(sequence(der)?).ok()?;
    let first = UintRef::decode(&mut reader).ok()?;
    let second = UintRef::decode(&mut reader).ok()?;
    reader.finish().ok()?;
    Some((first.as_bytes(), second.as_bytes()))
}

/// r | s, each padded to `field_length`, of an Ecdsa-Sig-Value (RFC 3279 2.2.3); `None` if that is not DER, or a number is too
/// long. Whether the numbers are in range is the verifier's to say.
pub(super) fn fixed_signature(der: &[u8], field_length: usize) -> Option<Vec<u8>> {
    let (r, s) = two_integers(der)?;
    let mut signature = Vec::with_capacity(field_length.saturating_mul(2));
    for number in [r, s] {
        signature.extend(vec![0; field_length.checked_sub(number.len())?]);
        signature.extend_from_slice(number);
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecdsa_signatures_are_padded() {
        assert_eq!(fixed_signature(&[0x30, 6, 2, 1, 1, 2, 1, 0x7F], 3), Some(vec![0, 0, 1, 0, 0, 0x7F]));
        assert_eq!(fixed_signature(&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 0], 1), Some(vec![0x80, 0]));
    }

    #[test]
    fn ecdsa_signatures_that_are_not_der_are_refused() {
        let wrong: [&[u8]; 11] = [
            &[],
            &[0x30, 0],
            &[0x30, 3, 2, 1, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 8, 2, 3, 1, 1, 1, 2, 1, 1],
        ];
        for der in wrong {
            assert_eq!(fixed_signature(der, 2), None, "{der:02x?}");
        }
    }
    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
    }

    const EMPTY: &[u8] = &[0x30, 0];
    const NUMBER: &[u8] = &[2, 1, 1];
    const SIGNATURE: &[u8] = &[3, 2, 0, 9];

    /// The least that is taken for a certificate, its fields in their order.
    const FIELDS: [&[u8]; 8] =
        [&[0xA0, 3, 2, 1, 2], NUMBER, EMPTY, EMPTY, EMPTY, &[0x30, 2, 5, 0], EMPTY, &[0xA3, 2, 0x30, 0]];

    fn certificate(fields: &[&[u8]], after: &[&[u8]]) -> Vec<u8> {
        element(0x30, &[&element(0x30, fields), &after.concat()])
    }

    #[test]
    fn a_certificate_has_its_fields_and_nothing_else() {
        let good = certificate(&FIELDS, &[EMPTY, SIGNATURE]);
        let expected =
            Outline { subject: FIELDS[5], spki: EMPTY, extensions: Some(EMPTY), algorithm: &[], signature: &[9] };
        assert_eq!(Outline::read(&good), Some(expected));
        let plain = certificate(&FIELDS[1..7], &[EMPTY, SIGNATURE]);
        assert_eq!(Outline::read(&plain), Some(Outline { extensions: None, ..expected }));
        for after in [&[EMPTY][..], &[SIGNATURE], &[SIGNATURE, SIGNATURE], &[EMPTY, SIGNATURE, EMPTY], &[EMPTY, EMPTY]]
        {
            assert_eq!(Outline::read(&certificate(&FIELDS, after)), None, "{after:02x?}");
        }
        for at in 1..FIELDS.len() {
            for other in [&[0x31, 0][..], &[4, 1, 1], &[0xA3, 0], &[0xA3, 2, 0x31, 0], &[0xA3, 4, 0x30, 0, 0x30, 0]] {
                let mut fields = FIELDS;
                fields[at] = other;
                assert_eq!(Outline::read(&certificate(&fields, &[EMPTY, SIGNATURE])), None, "{at}: {other:02x?}");
            }
        }
        for tbs in [element(0x31, &FIELDS), element(0x30, &FIELDS[..6])] {
            assert_eq!(Outline::read(&element(0x30, &[&tbs, EMPTY, SIGNATURE])), None);
        }
        assert_eq!(Outline::read(&[&[0x31], &good[1..]].concat()), None);
    }

    #[test]
    fn a_key_has_its_fields_and_nothing_else() {
        let (algorithm, key) =
            (element(0x30, &[alg_id::RSA_ENCRYPTION.as_ref()]), [&[0x30, 7, 2, 2, 9, 9][..], NUMBER].concat());
        let read = |parts: &[&[u8]]| public_key_from_spki(&element(0x30, parts));
        let bits = |key: &[u8]| element(3, &[&[0], key]);
        assert_eq!(read(&[&algorithm, &bits(&key)]), Ok(PublicKey::new(KeyKind::Rsa, &key)));
        let malformed = Err(CertificateError::Malformed);
        assert_eq!(read(&[&algorithm, &bits(&key), EMPTY]), malformed);
        assert_eq!(read(&[&algorithm, &element(3, &[&[1], &key])]), malformed);
        // A modulus of one byte, three numbers, negative ones, something behind.
        let small = [&[0x30, 6][..], NUMBER, NUMBER].concat();
        let three = [&[0x30, 10], &key[2..], NUMBER].concat();
        let negative = [&[0x30, 7, 2, 2, 0x80, 9][..], NUMBER].concat();
        let no_exponent = [0x30, 6, 2, 2, 9, 9, 2, 0];
        let behind = [&key[..], &[0]].concat();
        for key in [&small[..], &three, &negative, &no_exponent, &behind] {
            assert_eq!(read(&[&algorithm, &bits(key)]), malformed, "{key:02x?}");
        }
        let algorithm = element(0x30, &[alg_id::ECDSA_P256.as_ref()]);
        for (point, is_good) in [(vec![4; 65], true), (vec![4; 64], false), (vec![4; 66], false), (vec![2; 65], false)]
        {
            assert_eq!(read(&[&algorithm, &bits(&point)]).is_ok(), is_good);
        }
        assert_eq!(read(&[&algorithm, &bits(&[])]), malformed);
    }
}
