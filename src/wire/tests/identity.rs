//! ID, CERT, CERTREQ and AUTH: r3 7.7.4.4-7.7.4.6 by RFC 4306 3.5-3.8.

use super::{bytes, check_cut, check_emit_body, fault, parse, with, wrong_payload_length};
use crate::wire::{
    Authentication, Certificate, CertificateEncoding, CertificateRequest, Field, IdType, Identification, WireErrorKind,
};

/// ID_KEY_ID, reserved, "disk".
const ID: &str = "0b 000000 6469736b";

#[test]
fn id_parses() {
    let data = bytes(ID);
    assert_eq!(parse(&data), Ok(Identification { id_type: IdType::KeyId, data: b"disk" }));
}

#[test]
fn id_emits() {
    check_emit_body(&Identification { id_type: IdType::KeyId, data: b"disk" }, &bytes(ID));
}

/// The values of RFC 4306 3.5 and RFC 4595, the names of r3 7.7.4.4.
#[test]
fn id_field_by_field() {
    let types = [
        (9, IdType::DerAsn1Dn, "ID_DER_ASN1_DN", true),
        (10, IdType::DerAsn1Gn, "ID_DER_ASN1_GN", true),
        (11, IdType::KeyId, "ID_KEY_ID", false),
        (12, IdType::FcName, "ID_FC_NAME", false),
    ];
    for (code, id_type, name, needs_certificate) in types {
        let data = with(&bytes(ID), 0, code);
        assert_eq!(parse(&data), Ok(Identification { id_type, data: b"disk" }));
        assert_eq!((id_type.code(), id_type.name(), id_type.needs_certificate()), (code, name, needs_certificate));
    }
    // Reserved bytes are ignored (reading R7), and an identity may be empty.
    assert_eq!(parse(&bytes("0c ffffff")), Ok(Identification { id_type: IdType::FcName, data: &[] }));
    assert_eq!(Identification::TYPE_AT, 4);
}

#[test]
fn id_refuses() {
    let data = bytes(ID);
    for code in (0..=u8::MAX).filter(|code| !(9..=12).contains(code)) {
        let wrong = fault(4, Field::IdType, WireErrorKind::Invalid);
        assert_eq!(parse::<Identification<'_>>(&with(&data, 0, code)), Err(wrong));
        assert_eq!(IdType::from_code(code), None);
    }
    check_cut::<Identification<'_>>(&data, 4);
}

/// X.509 Certificate - Signature, three bytes of it.
const CERT: &str = "04 308201";

#[test]
fn cert_parses() {
    let data = bytes(CERT);
    let cert = Certificate { encoding: CertificateEncoding::X509Signature, data: &[0x30, 0x82, 0x01] };
    assert_eq!(parse(&data), Ok(cert));
}

#[test]
fn cert_emits() {
    let cert = Certificate { encoding: CertificateEncoding::X509Signature, data: &[0x30, 0x82, 0x01] };
    check_emit_body(&cert, &bytes(CERT));
}

/// The two values of r3 Table H2 that are neither reserved nor restricted.
#[test]
fn cert_field_by_field() {
    let raw = bytes("0b 3081");
    assert_eq!(parse(&raw), Ok(Certificate { encoding: CertificateEncoding::RawRsaKey, data: &[0x30, 0x81] }));
    assert_eq!(parse(&[4]), Ok(Certificate { encoding: CertificateEncoding::X509Signature, data: &[] }));
    assert_eq!(CertificateEncoding::X509Signature.name(), "X.509 Certificate - Signature");
    assert_eq!(CertificateEncoding::RawRsaKey.name(), "Raw RSA Key");
}

#[test]
fn cert_and_certreq_refuse() {
    let wrong = fault(4, Field::CertificateEncoding, WireErrorKind::Invalid);
    for code in (0..=u8::MAX).filter(|code| ![0x04, 0x0B].contains(code)) {
        assert_eq!(parse::<Certificate<'_>>(&with(&bytes(CERT), 0, code)), Err(wrong));
        assert_eq!(parse::<CertificateRequest<'_>>(&with(&[0; 21], 0, code)), Err(wrong));
    }
    check_cut::<Certificate<'_>>(&bytes(CERT), 1);
    check_cut::<CertificateRequest<'_>>(&[4; 21], 1);
    // A hash that is cut off, at every length (RFC 4306 3.7: each has 20 bytes).
    for length in (1..=61).filter(|length| (length - 1) % 20 != 0) {
        assert_eq!(parse::<CertificateRequest<'_>>(&[4; 61][..length]), Err(wrong_payload_length()), "{length}");
    }
}

/// X.509, and the hashes of two trust anchors.
const CERTREQ: &str = "04 0101010101010101010101010101010101010101 0202020202020202020202020202020202020202";

#[test]
fn certreq_parses() {
    let data = bytes(CERTREQ);
    let encoding = CertificateEncoding::X509Signature;
    assert_eq!(parse(&data), Ok(CertificateRequest { encoding, authorities: &[[1; 20], [2; 20]] }));
}

#[test]
fn certreq_emits() {
    let encoding = CertificateEncoding::X509Signature;
    check_emit_body(&CertificateRequest { encoding, authorities: &[[1; 20], [2; 20]] }, &bytes(CERTREQ));
}

#[test]
fn certreq_field_by_field() {
    let none = CertificateRequest { encoding: CertificateEncoding::RawRsaKey, authorities: &[] };
    assert_eq!(parse(&[0x0B]), Ok(none));
    let one = CertificateRequest { encoding: CertificateEncoding::X509Signature, authorities: &[[4; 20]] };
    assert_eq!(parse(&[4; 21]), Ok(one));
}

/// AUTH METHOD 2, reserved, four bytes of AUTHENTICATION DATA.
const AUTH: &str = "02 000000 d1d2d3d4";

#[test]
fn auth_parses() {
    let data = bytes(AUTH);
    assert_eq!(parse(&data), Ok(Authentication { method: 2, data: &[0xD1, 0xD2, 0xD3, 0xD4] }));
}

#[test]
fn auth_emits() {
    check_emit_body(&Authentication { method: 2, data: &[0xD1, 0xD2, 0xD3, 0xD4] }, &bytes(AUTH));
}

#[test]
fn auth_field_by_field() {
    for method in 0..=u8::MAX {
        let data = with(&bytes(AUTH), 0, method);
        assert_eq!(parse::<Authentication<'_>>(&data).unwrap().method, method);
    }
    // Reserved bytes are ignored (reading R7).
    assert_eq!(parse(&bytes("01 ffffff")), Ok(Authentication { method: 1, data: &[] }));
}

#[test]
fn auth_refuses() {
    check_cut::<Authentication<'_>>(&bytes(AUTH), 4);
}
