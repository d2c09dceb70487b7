//! Printing: names as T10/06-449r3 prints them, any bytes without a panic.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{R3, bytes, with};
use crate::algorithm::AlgorithmType;
use crate::wire::{
    Algorithms, Authentication, Capabilities, Certificate, CertificateEncoding, CertificateRequest, Delete, Descriptor,
    Descriptors, Encrypted, Header, IdType, Identification, KeyExchange, Message, Nonce, Notify, Payload, Sai,
    Timeouts, VendorId,
};

/// Lines as a `Display` gives them.
fn lines(expected: &[&str]) -> String {
    expected.join("\n")
}

#[test]
fn a_header_without_a_profile() {
    let header = Header::parse(R3, &bytes("0102030405060708 a1a2a3a4a5a6a7a8 2e 21 f3 1c 00000001 0000008c"));
    let expected = lines(&[
        "IKE_SA APPLICATION CLIENT SAI: 0102030405060708",
        "IKE_SA DEVICE SERVER SAI: a1a2a3a4a5a6a7a8",
        "NEXT PAYLOAD: 2Eh",
        "MAJOR VERSION: 2",
        "MINOR VERSION: 1",
        "EXCHANGE TYPE: F3h",
        "INTTR: 1",
        "VERSION: 1",
        "RSPNS: 1",
        "MESSAGE ID: 1",
        "LENGTH: 140",
    ]);
    assert_eq!(header.unwrap().to_string(), expected);
}

/// r3 Tables K1-K7, ROW2.
#[test]
fn descriptors() {
    let cases = [
        (
            Descriptor::encryption(0x14, 32),
            "ALGORITHM TYPE 01h, ENCR; \
             ALGORITHM IDENTIFIER 0000 0014h, AES_GCM with a 16 octet ICV; KEY LENGTH 32",
        ),
        (
            Descriptor::new(AlgorithmType::PseudoRandom, 5),
            "ALGORITHM TYPE 02h, PRF; ALGORITHM IDENTIFIER 0000 0005h, PRF_HMAC_SHA2_256",
        ),
        (
            Descriptor::new(AlgorithmType::Integrity, 2),
            "ALGORITHM TYPE 03h, INTEG; ALGORITHM IDENTIFIER 0000 0002h, AUTH_HMAC_SHA1_96",
        ),
        (
            Descriptor::new(AlgorithmType::DiffieHellman, 0xABCD_EF01),
            "ALGORITHM TYPE 04h, D-H; ALGORITHM IDENTIFIER ABCD EF01h",
        ),
        (
            Descriptor::authentication(2, true, false),
            "ALGORITHM TYPE F9h, IKE-AUTH; \
             ALGORITHM IDENTIFIER 0000 0002h, Shared Key Message Integrity Code; USE 1; ACCEPT 0",
        ),
        // Reserved attributes are printed where they are not zero; a type that nobody knows has no name.
        (
            Descriptor { algorithm_type: 1, identifier: 0xFFFF, attributes: [0, 1, 0, 0] },
            "ALGORITHM TYPE 01h, ENCR; ALGORITHM IDENTIFIER 0000 FFFFh; KEY LENGTH 0; \
             ALGORITHM ATTRIBUTES 00010000",
        ),
        (
            Descriptor { algorithm_type: 0xF9, identifier: 0xFF, attributes: [0x81, 0, 0, 0] },
            "ALGORITHM TYPE F9h, IKE-AUTH; ALGORITHM IDENTIFIER 0000 00FFh; USE 0; \
             ACCEPT 1; ALGORITHM ATTRIBUTES 81000000",
        ),
        (
            Descriptor { algorithm_type: 5, identifier: 1, attributes: [0, 0, 0, 9] },
            "ALGORITHM TYPE 05h; ALGORITHM IDENTIFIER 0000 0001h; ALGORITHM ATTRIBUTES 00000009",
        ),
    ];
    for (descriptor, expected) in cases {
        assert_eq!(descriptor.to_string(), expected);
        let twice = [descriptor.to_bytes(); 2];
        assert_eq!(Descriptors::new(&twice).to_string(), lines(&[expected, expected]));
    }
}

#[test]
fn capabilities_and_algorithms() {
    let descriptors = [Descriptor::new(AlgorithmType::Integrity, 0xFFFF).to_bytes()];
    let descriptors = Descriptors::new(&descriptors);
    let line = "ALGORITHM TYPE 03h, INTEG; ALGORITHM IDENTIFIER 0000 FFFFh";
    let expected = [
        "IKEv2-SCSI Device Server Capabilities parameter data, byte 0",
        "  PARAMETER DATA LENGTH: 20",
        "Payload: SCSI SA Creation Capabilities (SSCC), byte 4",
        "  NEXT PAYLOAD: 00h, No Next Payload",
        "  PAYLOAD LENGTH: 20",
        "  NUMBER OF TRANSFORMS: 1",
        "  ALGORITHM DESCRIPTORS:",
        &format!("    {line}"),
    ];
    assert_eq!(Capabilities { profile: R3, descriptors }.to_string(), lines(&expected));
    let algorithms = Algorithms { sa_type: 0x81, said: Sai(7), usage_data: &[1, 2, 3, 4], descriptors };
    let expected = [
        "NUMBER OF TRANSFORMS: 1",
        "SECURITY ASSOCIATION TYPE: 81h",
        "USAGE DATA LENGTH: 4",
        "SAID: 0000000000000007",
        "USAGE DATA: 01020304",
        "ALGORITHM DESCRIPTORS:",
        &format!("  {line}"),
    ];
    assert_eq!(algorithms.to_string(), lines(&expected));
}

#[test]
fn bodies() {
    let encoding = CertificateEncoding::X509Signature;
    let authorities = [[0x11; 20]; 2];
    let cases = [
        (
            Payload::KeyExchange(KeyExchange { group: 14, public: &[1, 2] }),
            &["DIFFIE-HELLMAN GROUP NUMBER: 000Eh, 2048-bit MODP group", "KEY EXCHANGE DATA: 0102"][..],
        ),
        (Payload::Nonce(Nonce { data: &[0xAB; 16] }), &["NONCE DATA: abababababababababababababababab"]),
        (
            Payload::Identification(Identification { id_type: IdType::FcName, data: &[0xFF] }),
            &["ID TYPE: 12, ID_FC_NAME", "IDENTIFICATION DATA: ff"],
        ),
        (
            Payload::Identification(Identification { id_type: IdType::KeyId, data: b"a b" }),
            &["ID TYPE: 11, ID_KEY_ID", "IDENTIFICATION DATA: 612062", "  \"a b\""],
        ),
        (
            Payload::Certificate(Certificate { encoding, data: &[0x30] }),
            &["CERTIFICATE ENCODING: 04h, X.509 Certificate - Signature", "CERTIFICATE DATA: 30"],
        ),
        (
            Payload::CertificateRequest(CertificateRequest { encoding, authorities: &authorities }),
            &[
                "CERTIFICATE ENCODING: 04h, X.509 Certificate - Signature",
                "CERTIFICATION AUTHORITY: 1111111111111111111111111111111111111111",
                "CERTIFICATION AUTHORITY: 1111111111111111111111111111111111111111",
            ],
        ),
        (
            Payload::Authentication(Authentication { method: 1, data: &[] }),
            &["AUTH METHOD: 1, RSA Digital Signature", "AUTHENTICATION DATA: 0 bytes"],
        ),
        (
            Payload::Notify(Notify { sai: Sai(9) }),
            &["PROTOCOL ID: 1", "SAI SIZE: 8", "NOTIFY MESSAGE TYPE: 16384, Initial Contact", "SAI: 0000000000000009"],
        ),
        (
            Payload::Delete(Delete { ac_sai: Sai(9), ds_sai: None }),
            &[
                "PROTOCOL ID: 1",
                "SAI SIZE: 8",
                "NUMBER OF SAIS: 1",
                "APPLICATION CLIENT SECURITY ASSOCIATION INDEX: 0000000000000009",
            ],
        ),
        (Payload::VendorId(VendorId { data: b"\n" }), &["VENDOR ID: 0a"]),
        (
            Payload::Timeouts(Timeouts { protocol: 60, inactivity: 3600 }),
            &[
                "NUMBER OF TIMEOUT VALUES: 2",
                "IKEV2-SCSI PROTOCOL TIMEOUT: 60",
                "IKEV2-SCSI SA INACTIVITY TIMEOUT: 3600",
            ],
        ),
        (Payload::Encrypted(&[0; 40]), &["INITIALIZATION VECTOR, ciphertext and INTEGRITY CHECKSUM DATA: 40 bytes"]),
        (Payload::Unrecognised(&[1]), &["PAYLOAD DATA: 01"]),
    ];
    for (payload, expected) in cases {
        assert_eq!(payload.to_string(), lines(expected));
    }
}

#[test]
fn long_bytes_are_shortened_unless_all_are_asked_for() {
    let line = "00".repeat(32);
    for length in [1, 31, 32] {
        let nonce = Nonce { data: &[0; 32][..length] };
        let expected = format!("NONCE DATA: {}", "00".repeat(length));
        assert_eq!((nonce.to_string(), format!("{nonce:#}")), (expected.clone(), expected));
    }
    let nonce = Nonce { data: &[0; 65] };
    assert_eq!(nonce.to_string(), format!("NONCE DATA: {line}.. (65 bytes)"));
    assert_eq!(format!("{nonce:#}"), format!("NONCE DATA: 65 bytes\n  {line}\n  {line}\n  00"));
    let encrypted = Payload::Encrypted(&[0; 33]);
    let name = "INITIALIZATION VECTOR, ciphertext and INTEGRITY CHECKSUM DATA";
    assert_eq!(format!("{encrypted:#}"), format!("{name}: 33 bytes\n  {line}\n  00"));
}

/// STV with three timeouts, a payload that nobody knows, and then a NEXT PAYLOAD field with nothing behind it.
#[test]
fn what_does_not_parse_is_printed_as_it_is() {
    let data = bytes(
        "0102030405060708 0000000000000000 82 20 f8 10 00000000 00000036
        c1 00 0010 00000003 0000003c 00000e10
        28 80 0009 6162630a00",
    );
    let expected = [
        "IKEv2-SCSI header, byte 0",
        "  IKE_SA APPLICATION CLIENT SAI: 0102030405060708",
        "  IKE_SA DEVICE SERVER SAI: 0000000000000000",
        "  NEXT PAYLOAD: 82h, SCSI Timeout Values (STV)",
        "  MAJOR VERSION: 2",
        "  MINOR VERSION: 0",
        "  EXCHANGE TYPE: F8h",
        "  INTTR: 1",
        "  VERSION: 0",
        "  RSPNS: 0",
        "  MESSAGE ID: 0",
        "  LENGTH: 54",
        "  error: byte 24: LENGTH: does not fit what follows",
        "Payload 82h: SCSI Timeout Values (STV), byte 28",
        "  NEXT PAYLOAD: C1h, not recognised",
        "  CRIT: 0",
        "  PAYLOAD LENGTH: 16",
        "  PAYLOAD DATA: 000000030000003c00000e10",
        "  error: byte 35: NUMBER OF TIMEOUT VALUES: the value is not allowed",
        "Payload C1h: not recognised, byte 44",
        "  NEXT PAYLOAD: 28h, Nonce (NONCE)",
        "  CRIT: 1",
        "  PAYLOAD LENGTH: 9",
        "  PAYLOAD DATA: 6162630a00",
        "error: byte 44: NEXT PAYLOAD: does not fit what follows",
    ];
    assert_eq!(Message::parse(R3, &data).unwrap().to_string(), lines(&expected));
}

/// A Delete inside, then a NEXT PAYLOAD field with nothing behind it; padding of two bytes; an ICV of three.
const OPENED: &str = "0102030405060708 a1a2a3a4a5a6a7a8 2e 20 f4 10 00000002 0000003a
    2a 80 001e b1b2b3b4
    28 80 0010 01 08 0001 0102030405060708 0102 02
    c1c2c3";

#[test]
fn an_opened_message() {
    let data = bytes(OPENED);
    let encrypted = Encrypted { at: 28, first: 0x2A, iv: 32..36, text: 36..55, icv: 55..58 };
    let text = Message::parse(R3, &data).unwrap().with_opened(&encrypted).unwrap().to_string();
    let expected = [
        "Payload 2Eh: Encrypted (E), byte 28",
        "  NEXT PAYLOAD: 2Ah, Delete (D)",
        "  CRIT: 1",
        "  PAYLOAD LENGTH: 30",
        "  INITIALIZATION VECTOR: b1b2b3b4",
        "  Payload 2Ah: Delete (D), byte 36",
        "    NEXT PAYLOAD: 28h, Nonce (NONCE)",
        "    CRIT: 1",
        "    PAYLOAD LENGTH: 16",
        "    PROTOCOL ID: 1",
        "    SAI SIZE: 8",
        "    NUMBER OF SAIS: 1",
        "    APPLICATION CLIENT SECURITY ASSOCIATION INDEX: 0102030405060708",
        "  error: byte 36: NEXT PAYLOAD: does not fit what follows",
        "  PADDING: 0102",
        "  PAD LENGTH: 2",
        "  INTEGRITY CHECKSUM DATA: c1c2c3",
    ];
    let payloads: Vec<_> = text.lines().skip(12).collect();
    assert_eq!(payloads, expected);
}

/// What does not belong to the message, as an [`Encrypted`] of another one, is no reason to panic.
#[test]
fn an_encrypted_payload_of_another_message() {
    let data = bytes(OPENED);
    for (at, text, icv) in [(28, 57..58, 58..58), (29, 36..55, 55..58), (28, 0..58, 58..58), (90, 56..58, 90..99)] {
        let encrypted = Encrypted { at, first: 0x28, iv: 3..9, text, icv };
        if let Ok(message) = Message::parse(R3, &with(&data, 57, 0)).unwrap().with_opened(&encrypted) {
            assert!(message.to_string().lines().count() > 12);
        }
    }
}
