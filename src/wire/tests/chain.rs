//! The payload chain: r3 Table F1, reading R8.

use std::vec;
use std::vec::Vec;

use super::{AT, R3, bytes, fault, with, wrong_payload_length};
use crate::dialect::PayloadType;
use crate::wire::{Chain, Field, Header, Payload, RawPayload, Timeouts, VendorId, WireError, WireErrorKind};

/// A header, STV at byte 28, a Vendor ID of three bytes at byte 44, C3h with CRIT zero and no data at byte 51.
const MESSAGE: &str = "0102030405060708 0000000000000000 82 20 f2 10 00000000 00000037
    2b 80 0010 00000002 0000003c 00000e10
    c3 00 0007 616263
    00 00 0004";

fn outer(message: &[u8]) -> Chain<'_> {
    Chain::outer(R3, message, &Header::parse(R3, message).unwrap())
}

/// The payloads of `message`, and the error that ends it.
fn walk(message: &[u8]) -> (Vec<RawPayload<'_>>, Option<WireError>) {
    let items: Vec<_> = outer(message).collect();
    let errors: Vec<_> = items.iter().filter_map(|item| item.err()).collect();
    assert!(errors.is_empty() || items.last().unwrap().is_err(), "nothing follows an error");
    (items.iter().filter_map(|item| item.ok()).collect(), errors.first().copied())
}

fn error_of(message: &[u8]) -> Option<WireError> {
    walk(message).1
}

#[test]
fn parses() {
    let message = bytes(MESSAGE);
    let stv = RawPayload {
        code: 0x82,
        payload: Some(PayloadType::Timeouts),
        critical: true,
        next: 0x2B,
        at: 28,
        named_at: 16,
        data: &message[32..44],
    };
    let vendor_id = RawPayload {
        code: 0x2B,
        payload: Some(PayloadType::VendorId),
        critical: false,
        next: 0xC3,
        at: 44,
        named_at: 28,
        data: b"abc",
    };
    let unknown = RawPayload { code: 0xC3, payload: None, critical: false, next: 0, at: 51, named_at: 44, data: &[] };
    assert_eq!(walk(&message), (vec![stv, vendor_id, unknown], None));
    let mut chain = outer(&message);
    assert_eq!(chain.by_ref().count(), 3);
    assert_eq!((chain.last_named_at(), chain.next()), (51, None));
}

/// Table G1: what r3 recognises by which code.
#[test]
fn codes_are_those_of_table_g1() {
    let table = [
        (0x22, "Key Exchange", "KE"),
        (0x23, "Identification - Application Client", "ID"),
        (0x24, "Identification - Device Server", "ID"),
        (0x25, "Certificate", "CERT"),
        (0x26, "Certificate Request", "CERTREQ"),
        (0x27, "Authentication", "AUTH"),
        (0x28, "Nonce", "NONCE"),
        (0x29, "Notify", "N"),
        (0x2A, "Delete", "D"),
        (0x2B, "Vendor ID", "V"),
        (0x2E, "Encrypted", "E"),
        (0x80, "SCSI SA Creation Capabilities", "SSCC"),
        (0x81, "SCSI Cryptographic Algorithms", "SCA"),
        (0x82, "SCSI Timeout Values", "STV"),
    ];
    for code in 1..=u8::MAX {
        // One payload, without data, whose code stands in the header.
        let message = [&with(&bytes(MESSAGE)[..AT], 16, code)[..], &[0, 0, 0, 4]].concat();
        let (payloads, error) = walk(&message);
        let [raw] = payloads[..] else { panic!("{error:?}") };
        let known = table.iter().find(|row| row.0 == code);
        assert_eq!(raw.code, code);
        assert_eq!(raw.payload.map(|payload| (payload.name(), payload.notation())), known.map(|row| (row.1, row.2)));
    }
}

#[test]
fn field_by_field() {
    let message = bytes(MESSAGE);
    // CRIT is bit 7, the rest of its byte is reserved (reading R7).
    assert!(!walk(&with(&message, 29, 0x7F)).0[0].critical);
    assert!(walk(&with(&message, 45, 0x80)).0[1].critical);
    let stv = walk(&message).0[0];
    assert_eq!(stv.body(R3), Ok(Timeouts { protocol: 60, inactivity: 3600 }));
    assert_eq!(Payload::parse(R3, &stv), Ok(Payload::Timeouts(Timeouts { protocol: 60, inactivity: 3600 })));
    assert_eq!((stv.reader().at(), stv.reader().remaining()), (32, 12));
    assert_eq!(stv.reader().length_error(), wrong_payload_length());
    let blamed = stv.error(Timeouts::INACTIVITY_AT, Field::InactivityTimeout, WireErrorKind::Invalid);
    assert_eq!(blamed, fault(12, Field::InactivityTimeout, WireErrorKind::Invalid));
    let (vendor_id, unknown) = (walk(&message).0[1], walk(&message).0[2]);
    assert_eq!(Payload::parse(R3, &vendor_id), Ok(Payload::VendorId(VendorId { data: b"abc" })));
    assert_eq!(Payload::parse(R3, &unknown), Ok(Payload::Unrecognised(&[])));
}

/// No payloads at all: NEXT PAYLOAD 00h in the header.
#[test]
fn a_header_alone_is_a_chain() {
    let header = with(&bytes(MESSAGE)[..AT], 16, 0);
    assert_eq!(walk(&header), (vec![], None));
    assert_eq!(outer(&header).last_named_at(), 16);
}

#[test]
fn refuses_every_truncation() {
    let message = bytes(MESSAGE);
    let cut_off = |byte| WireError { byte, bit: None, field: Field::NextPayload, kind: WireErrorKind::Length };
    let too_long = |byte| WireError { byte, bit: None, field: Field::PayloadLength, kind: WireErrorKind::Length };
    for length in AT..message.len() {
        let (complete, error) = match length {
            28..32 => (0, cut_off(16)),
            32..44 => (0, too_long(30)),
            44..48 => (1, cut_off(28)),
            48..51 => (1, too_long(46)),
            _ => (2, cut_off(44)),
        };
        let (payloads, found) = walk(&message[..length]);
        assert_eq!((payloads.len(), found), (complete, Some(error)), "{length} bytes");
    }
}

#[test]
fn refuses_payload_lengths_and_trailing_bytes() {
    let message = bytes(MESSAGE);
    let too_long = |byte| WireError { byte, bit: None, field: Field::PayloadLength, kind: WireErrorKind::Length };
    // Shorter than a payload header, in the first payload and in the last.
    for length in 0..4 {
        assert_eq!(error_of(&with(&message, 31, length)), Some(too_long(30)));
        assert_eq!(error_of(&with(&message, 54, length)), Some(too_long(53)));
    }
    // Past the end.
    assert_eq!(error_of(&with(&message, 54, 5)), Some(too_long(53)));
    assert_eq!(error_of(&with(&message, 30, 1)), Some(too_long(30)));
    assert_eq!(error_of(&with(&with(&message, 53, 0xFF), 54, 0xFF)), Some(too_long(53)));
    // The last payload names another one, of which there is nothing; and one, three, four and 1000 bytes too many.
    let not_there = WireError { byte: 51, bit: None, field: Field::NextPayload, kind: WireErrorKind::Length };
    assert_eq!(error_of(&with(&message, 51, 0x28)), Some(not_there));
    for surplus in [1, 3, 4, 1000] {
        let longer = [&message[..], &[0; 1000][..surplus]].concat();
        assert_eq!(error_of(&longer), Some(not_there), "{surplus} bytes");
    }
    // NEXT PAYLOAD 00h before the end.
    let early = WireError { byte: 16, ..not_there };
    assert_eq!(error_of(&with(&message, 16, 0)), Some(early));
}

/// r3 7.7.3.1.1: an Encrypted payload is the last one, and its NEXT PAYLOAD names the first one inside.
#[test]
fn an_encrypted_payload_ends_the_chain_and_the_message() {
    let header = with(&bytes(MESSAGE)[..AT], 16, 0x2E);
    let message = [&header[..], &bytes("23 80 0008 e1e2e3e4")].concat();
    let (payloads, error) = walk(&message);
    assert_eq!((payloads.len(), error), (1, None));
    assert_eq!((payloads[0].code, payloads[0].next, payloads[0].named_at), (0x2E, 0x23, 16));
    assert_eq!(Payload::parse(R3, &payloads[0]), Ok(Payload::Encrypted(&[0xE1, 0xE2, 0xE3, 0xE4])));
    let mut chain = outer(&message);
    assert_eq!((chain.by_ref().count(), chain.last_named_at()), (1, 16));
    for length in (0..=255).filter(|length| *length != 8) {
        assert_eq!(error_of(&with(&message, 31, length)), Some(wrong_payload_length()));
    }
    let longer = [&message[..], &[0]].concat();
    assert_eq!(error_of(&longer), Some(wrong_payload_length()));
}

/// The walk inside an opened Encrypted payload keeps the offsets of the message.
#[test]
fn the_inner_walk_counts_from_the_message() {
    let message = [&[0xEE; 48][..], &bytes("27 80 0006 0b0c 00 80 0005 02"), &[1, 1]].concat();
    let inner = Chain::inner(R3, &message[..59], 48, 0x23, 28);
    let at: Vec<_> = inner.clone().map(|raw| raw.map(|raw| (raw.code, raw.named_at, raw.at))).collect();
    assert_eq!(at, [Ok((0x23, 28, 48)), Ok((0x27, 48, 54))]);
    let surplus = WireError { byte: 54, bit: None, field: Field::NextPayload, kind: WireErrorKind::Length };
    assert_eq!(Chain::inner(R3, &message, 48, 0x23, 28).last(), Some(Err(surplus)));
    let empty = WireError { byte: 28, ..surplus };
    assert_eq!(Chain::inner(R3, &message[..59], 48, 0, 28).last(), Some(Err(empty)));
    assert_eq!(Chain::inner(R3, &message[..48], 48, 0, 28).last(), None);
    assert_eq!(Chain::inner(R3, &message[..40], 48, 0x23, 28).last(), Some(Err(empty)));
}
