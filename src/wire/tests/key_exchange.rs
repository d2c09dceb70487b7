//! KE: r3 Table H1. NONCE: r3 7.7.4.7 by RFC 4306 3.9, reading R38.

use super::{bytes, check_cut, check_emit_body, fault, parse};
use crate::wire::{Field, KeyExchange, Nonce, WireErrorKind};

/// Group 14, reserved, five bytes of public value.
const KE: &str = "000e 0000 a1a2a3a4a5";

#[test]
fn ke_parses() {
    let data = bytes(KE);
    assert_eq!(parse(&data), Ok(KeyExchange { group: 14, public: &[0xA1, 0xA2, 0xA3, 0xA4, 0xA5] }));
}

#[test]
fn ke_emits() {
    check_emit_body(&KeyExchange { group: 14, public: &[0xA1, 0xA2, 0xA3, 0xA4, 0xA5] }, &bytes(KE));
}

#[test]
fn ke_field_by_field() {
    let group = |hex| parse::<KeyExchange<'_>>(&bytes(hex)).map(|ke| ke.group);
    assert_eq!(group("0000 0000 00"), Ok(0));
    assert_eq!(group("ff01 0000 00"), Ok(0xFF01));
    // Reserved bytes are ignored (reading R7).
    assert_eq!(group("000e ffff 00"), Ok(14));
    let empty = bytes("0013 0000");
    assert_eq!(parse(&empty), Ok(KeyExchange { group: 19, public: &[] }));
    let long = [&bytes("0012 0000")[..], &[7; 1024]].concat();
    assert_eq!(parse(&long), Ok(KeyExchange { group: 18, public: &[7; 1024] }));
    assert_eq!((KeyExchange::GROUP_AT, KeyExchange::PUBLIC_AT), (4, 8));
}

#[test]
fn ke_refuses() {
    check_cut::<KeyExchange<'_>>(&bytes(KE), 4);
}

#[test]
fn nonce_parses() {
    let data = bytes("000102030405060708090a0b0c0d0e0f10");
    assert_eq!(parse(&data), Ok(Nonce { data: &data }));
}

#[test]
fn nonce_emits() {
    let data = bytes("000102030405060708090a0b0c0d0e0f10");
    check_emit_body(&Nonce { data: &data }, &data);
}

#[test]
fn nonce_field_by_field() {
    for length in [16, 17, 255, 256] {
        let data = &[0x5A; 256][..length];
        assert_eq!(parse(data), Ok(Nonce { data }));
    }
}

#[test]
fn nonce_refuses() {
    let wrong = fault(2, Field::PayloadLength, WireErrorKind::Invalid);
    for length in (0..16).chain([257, 258, 300]) {
        assert_eq!(parse::<Nonce<'_>>(&[0x5A; 300][..length]), Err(wrong), "{length} bytes");
    }
}
