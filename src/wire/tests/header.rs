//! The header: r3 Table E1, readings R1, R2, R7, R8, R22, R32, R36.

use super::{R3, bytes, check_emit, with};
use crate::dialect::{Exchange, HeaderFlags, Profile};
use crate::wire::{Expected, Field, Header, Sai, WireError, WireErrorKind};

/// The header of a key exchange OUT of 420 bytes: NEXT PAYLOAD 82h, version 2.0, F2h, INTTR, MESSAGE ID 0.
const OUT: &str = "0102030405060708 0000000000000000 82 20 f2 10 00000000 000001a4";
/// The header of an authentication IN of 140 bytes: NEXT PAYLOAD 2Eh, version 2.0, F3h, RSPNS, MESSAGE ID 1.
const IN: &str = "0102030405060708 a1a2a3a4a5a6a7a8 2e 20 f3 04 00000001 0000008c";

const RFC4306: Profile = Profile { header_flags: HeaderFlags::Rfc4306, ..Profile::R3 };

const OUT_HEADER: Header = Header {
    ac_sai: Sai(0x0102_0304_0506_0708),
    ds_sai: Sai::ZERO,
    next_payload: 0x82,
    major_version: 2,
    minor_version: 0,
    exchange_type: 0xF2,
    initiator: true,
    version: false,
    response: false,
    message_id: 0,
    length: 420,
};

const IN_HEADER: Header = Header {
    ac_sai: Sai(0x0102_0304_0506_0708),
    ds_sai: Sai(0xA1A2_A3A4_A5A6_A7A8),
    next_payload: 0x2E,
    major_version: 2,
    minor_version: 0,
    exchange_type: 0xF3,
    initiator: false,
    version: false,
    response: true,
    message_id: 1,
    length: 140,
};

const OUT_EXPECTED: Expected =
    Expected { exchange: Exchange::KeyExchangeOut, ac_sai: None, ds_sai: Some(Sai::ZERO), message_id: 0, total: 420 };

const IN_EXPECTED: Expected = Expected {
    exchange: Exchange::AuthenticationIn,
    ac_sai: Some(Sai(0x0102_0304_0506_0708)),
    ds_sai: Some(Sai(0xA1A2_A3A4_A5A6_A7A8)),
    message_id: 1,
    total: 140,
};

fn fault(byte: usize, field: Field) -> WireError {
    WireError { byte, bit: None, field, kind: WireErrorKind::Invalid }
}

fn bit_fault(byte: usize, bit: u8, field: Field) -> WireError {
    WireError { byte, bit: Some(bit), field, kind: WireErrorKind::Invalid }
}

#[test]
fn parses() {
    assert_eq!(Header::parse(R3, &bytes(OUT)), Ok(OUT_HEADER));
    assert_eq!(Header::parse(R3, &bytes(IN)), Ok(IN_HEADER));
    // What follows the header is not the header's affair.
    assert_eq!(Header::parse(R3, &[&bytes(IN)[..], &[0xFF; 9]].concat()), Ok(IN_HEADER));
}

#[test]
fn emits() {
    check_emit(&bytes(OUT), |writer| OUT_HEADER.emit(R3, writer));
    check_emit(&bytes(IN), |writer| IN_HEADER.emit(R3, writer));
}

/// Reading R1: where RFC 4306 3.1 has its flags (Initiator 08h, Version 10h, Response 20h).
#[test]
fn flags_of_rfc_4306() {
    let out = with(&bytes(OUT), 19, 0x08);
    let in_ = with(&bytes(IN), 19, 0x20);
    assert_eq!(Header::parse(RFC4306, &out), Ok(OUT_HEADER));
    assert_eq!(Header::parse(RFC4306, &in_), Ok(IN_HEADER));
    check_emit(&out, |writer| OUT_HEADER.emit(RFC4306, writer));
    check_emit(&in_, |writer| IN_HEADER.emit(RFC4306, writer));
}

#[test]
fn field_by_field() {
    let changed = |at, value| Header::parse(R3, &with(&bytes(OUT), at, value)).unwrap();
    assert_eq!(changed(0, 0xFF), Header { ac_sai: Sai(0xFF02_0304_0506_0708), ..OUT_HEADER });
    assert_eq!(changed(7, 0xFF), Header { ac_sai: Sai(0x0102_0304_0506_07FF), ..OUT_HEADER });
    assert_eq!(changed(8, 0xFF), Header { ds_sai: Sai(0xFF00_0000_0000_0000), ..OUT_HEADER });
    assert_eq!(changed(15, 0xFF), Header { ds_sai: Sai(0xFF), ..OUT_HEADER });
    assert_eq!(changed(16, 0x2B), Header { next_payload: 0x2B, ..OUT_HEADER });
    assert_eq!(changed(17, 0xF3), Header { major_version: 15, minor_version: 3, ..OUT_HEADER });
    assert_eq!(changed(18, 0xF8), Header { exchange_type: 0xF8, ..OUT_HEADER });
    assert_eq!(changed(20, 0xFF), Header { message_id: 0xFF00_0000, ..OUT_HEADER });
    assert_eq!(changed(23, 0xFF), Header { message_id: 0xFF, ..OUT_HEADER });
    assert_eq!(changed(24, 0xFF), Header { length: 0xFF00_01A4, ..OUT_HEADER });
    assert_eq!(changed(27, 0xFF), Header { length: 0x01FF, ..OUT_HEADER });
    assert_eq!((Header::LEN, Header::NEXT_PAYLOAD_AT, Header::LENGTH_AT), (28, 16, 24));
}

/// Byte 19, all values: each flag is its bit and no other.
#[test]
fn every_value_of_the_flags() {
    for value in 0..=u8::MAX {
        let data = with(&bytes(OUT), 19, value);
        let bit = |mask| value & mask != 0;
        let t10 = Header { initiator: bit(0x10), version: bit(0x08), response: bit(0x04), ..OUT_HEADER };
        assert_eq!(Header::parse(R3, &data), Ok(t10));
        check_emit(&with(&data, 19, value & 0x1C), |writer| t10.emit(R3, writer));
        let rfc = Header { initiator: bit(0x08), version: bit(0x10), response: bit(0x20), ..OUT_HEADER };
        assert_eq!(Header::parse(RFC4306, &data), Ok(rfc));
        check_emit(&with(&data, 19, value & 0x38), |writer| rfc.emit(RFC4306, writer));
    }
}

/// Reading R36.
#[test]
fn refuses_fewer_than_28_bytes() {
    let wrong = WireError { byte: 0, bit: None, field: Field::Length, kind: WireErrorKind::NoHeader };
    for length in 0..28 {
        assert_eq!(Header::parse(R3, &bytes(OUT)[..length]), Err(wrong), "{length} bytes");
    }
}

#[test]
fn check_accepts() {
    for profile in [R3, RFC4306] {
        assert_eq!(OUT_HEADER.check(profile, &OUT_EXPECTED), Ok(()));
        assert_eq!(IN_HEADER.check(profile, &IN_EXPECTED), Ok(()));
        // MINOR VERSION and the VERSION bit are ignored (reading R7), NEXT PAYLOAD is the chain's affair.
        let ignored = Header { minor_version: 15, version: true, next_payload: 0xFF, ..OUT_HEADER };
        assert_eq!(ignored.check(profile, &OUT_EXPECTED), Ok(()));
    }
}

/// r3 7.7.3.1.1's list of exchange types, and which way each message goes.
#[test]
fn check_knows_every_exchange() {
    let exchanges = [
        (Exchange::KeyExchangeOut, 0xF2, true),
        (Exchange::KeyExchangeIn, 0xF2, false),
        (Exchange::AuthenticationOut, 0xF3, true),
        (Exchange::AuthenticationIn, 0xF3, false),
        (Exchange::DeleteOut, 0xF4, true),
    ];
    for (exchange, right, is_out) in exchanges {
        assert_eq!(exchange.is_out(), is_out);
        let expected = Expected { exchange, ..IN_EXPECTED };
        for exchange_type in 0..=u8::MAX {
            let header = Header { exchange_type, initiator: is_out, response: !is_out, ..IN_HEADER };
            let verdict = if exchange_type == right { Ok(()) } else { Err(fault(18, Field::ExchangeType)) };
            assert_eq!(header.check(R3, &expected), verdict);
        }
    }
}

#[test]
fn check_refuses_sais() {
    let wrong_ac = Err(fault(0, Field::AcSai));
    let wrong_ds = Err(fault(8, Field::DsSai));
    assert_eq!(Header { ac_sai: Sai::ZERO, ..OUT_HEADER }.check(R3, &OUT_EXPECTED), wrong_ac);
    assert_eq!(Header { ac_sai: Sai(1), ..IN_HEADER }.check(R3, &IN_EXPECTED), wrong_ac);
    assert_eq!(Header { ac_sai: Sai(1), ..OUT_HEADER }.check(R3, &OUT_EXPECTED), Ok(()));
    assert_eq!(Header { ds_sai: Sai(1), ..OUT_HEADER }.check(R3, &OUT_EXPECTED), wrong_ds);
    assert_eq!(Header { ds_sai: Sai(1), ..IN_HEADER }.check(R3, &IN_EXPECTED), wrong_ds);
    let any = Expected { ds_sai: None, ..IN_EXPECTED };
    assert_eq!(Header { ds_sai: Sai(1), ..IN_HEADER }.check(R3, &any), Ok(()));
    assert_eq!(Header { ds_sai: Sai::ZERO, ..IN_HEADER }.check(R3, &any), wrong_ds);
}

#[test]
fn check_refuses_versions_message_ids_and_lengths() {
    for profile in [R3, RFC4306] {
        for (header, expected) in [(OUT_HEADER, OUT_EXPECTED), (IN_HEADER, IN_EXPECTED)] {
            for major_version in (0..16).filter(|version| *version != 2) {
                let verdict = Header { major_version, ..header }.check(profile, &expected);
                assert_eq!(verdict, Err(bit_fault(17, 7, Field::MajorVersion)));
            }
            for message_id in [header.message_id ^ 1, header.message_id + 2, u32::MAX] {
                let verdict = Header { message_id, ..header }.check(profile, &expected);
                assert_eq!(verdict, Err(fault(20, Field::MessageId)));
            }
            for length in [0, 28, header.length - 1, header.length + 1, u32::MAX] {
                let verdict = Header { length, ..header }.check(profile, &expected);
                let wrong = WireError { byte: 24, bit: None, field: Field::Length, kind: WireErrorKind::Length };
                assert_eq!(verdict, Err(wrong));
            }
        }
    }
}

/// Bits 4 and 2 by r3, 3 and 5 by RFC 4306; of two wrong bits the more significant one is blamed.
#[test]
fn check_refuses_flags() {
    let flags = |initiator, response| move |header| Header { initiator, response, ..header };
    let cases = [
        (R3, bit_fault(19, 4, Field::Inttr), bit_fault(19, 2, Field::Rspns), bit_fault(19, 4, Field::Inttr)),
        (RFC4306, bit_fault(19, 3, Field::Inttr), bit_fault(19, 5, Field::Rspns), bit_fault(19, 5, Field::Rspns)),
    ];
    for (profile, inttr, rspns, both) in cases {
        assert_eq!(flags(false, false)(OUT_HEADER).check(profile, &OUT_EXPECTED), Err(inttr));
        assert_eq!(flags(true, true)(OUT_HEADER).check(profile, &OUT_EXPECTED), Err(rspns));
        assert_eq!(flags(false, true)(OUT_HEADER).check(profile, &OUT_EXPECTED), Err(both));
        assert_eq!(flags(true, true)(IN_HEADER).check(profile, &IN_EXPECTED), Err(inttr));
        assert_eq!(flags(false, false)(IN_HEADER).check(profile, &IN_EXPECTED), Err(rspns));
        assert_eq!(flags(true, false)(IN_HEADER).check(profile, &IN_EXPECTED), Err(both));
    }
}

/// The first wrong field in the order of the bytes is blamed: each is mended in turn.
#[test]
fn check_blames_the_first_wrong_field() {
    let mut header = Header {
        ac_sai: Sai::ZERO,
        ds_sai: Sai(1),
        next_payload: 0xFF,
        major_version: 1,
        minor_version: 1,
        exchange_type: 0xF4,
        initiator: false,
        version: true,
        response: true,
        message_id: 7,
        length: 7,
    };
    let mut blamed = std::vec::Vec::new();
    while let Err(error) = header.check(R3, &OUT_EXPECTED) {
        blamed.push(error.field);
        match error.field {
            Field::AcSai => header.ac_sai = Sai(1),
            Field::DsSai => header.ds_sai = Sai::ZERO,
            Field::MajorVersion => header.major_version = 2,
            Field::ExchangeType => header.exchange_type = 0xF2,
            Field::Inttr => header.initiator = true,
            Field::Rspns => header.response = false,
            Field::MessageId => header.message_id = 0,
            _ => header.length = 420,
        }
    }
    let in_order = [
        Field::AcSai,
        Field::DsSai,
        Field::MajorVersion,
        Field::ExchangeType,
        Field::Inttr,
        Field::Rspns,
        Field::MessageId,
        Field::Length,
    ];
    assert_eq!(blamed, in_order);
}

#[test]
fn sais_print_as_sixteen_digits() {
    assert_eq!(std::format!("{} {:?}", Sai(0xAB), Sai(1)), "00000000000000ab Sai(0000000000000001)");
}
