//! What SPC-4 lays out otherwise than r3: tables 519, 522, 536, 537, 540 and the timeouts, padding, formats.

use std::string::ToString;
use std::vec::Vec;

use super::{AT, SPC4, bytes, check_emit, check_emit_body, fault, parse, parse_spc4, with, wrong_payload_length};
use crate::dialect::Exchange;
use crate::wire::{
    Body, Capabilities, CapabilityFormats, Delete, Descriptors, Encrypted, Expected, Field, Header, Message,
    MessageWriter, Notify, RawPayload, Sai, Timeouts, WireError, WireErrorKind,
};

/// The header of a key exchange OUT of 437 bytes: NEXT PAYLOAD 83h, version 2, INTTR, MESSAGE ID 0.
const OUT: &str = "00000000a1a2a3a4 0000000000000000 83 20 00 10 00000000 000001b5";
/// The header of an authentication IN of 140 bytes: NEXT PAYLOAD 2Eh, version 2, RSPNS, MESSAGE ID 1.
const IN: &str = "00000000a1a2a3a4 00000000b1b2b3b4 2e 20 00 04 00000001 0000008c";

const AC_SAI: Sai = Sai(0xA1A2_A3A4);
const DS_SAI: Sai = Sai(0xB1B2_B3B4);

const OUT_EXPECTED: Expected =
    Expected { exchange: Exchange::KeyExchangeOut, ac_sai: None, ds_sai: Some(Sai::ZERO), message_id: 0, total: 437 };
const IN_EXPECTED: Expected = Expected {
    exchange: Exchange::AuthenticationIn,
    ac_sai: Some(AC_SAI),
    ds_sai: Some(DS_SAI),
    message_id: 1,
    total: 140,
};

fn header(data: &[u8]) -> Header {
    Header::parse(SPC4, data).unwrap()
}

fn check(data: &[u8], expected: &Expected) -> Result<(), WireError> {
    header(data).check(SPC4, expected)
}

#[test]
fn headers_parse() {
    let read = header(&bytes(IN));
    assert_eq!((read.ac_sai, read.ds_sai), (AC_SAI, DS_SAI));
    assert_eq!((read.next_payload, read.major_version, read.exchange_type), (0x2E, 2, 0));
    assert_eq!((read.initiator, read.response, read.message_id, read.length), (false, true, 1, 140));
}

#[test]
fn headers_emit() {
    for data in [bytes(OUT), bytes(IN)] {
        check_emit(&data, |writer| header(&data).emit(SPC4, writer));
    }
    // No value reaches the restricted bytes.
    let wide = Header { ac_sai: Sai(0xFFFF_FFFF_A1A2_A3A4), ..header(&bytes(IN)) };
    check_emit(&bytes(IN), |writer| wide.emit(SPC4, writer));
    let mut buffer = [0xA5; 28];
    let message = MessageWriter::new(SPC4, Exchange::DeleteOut, (AC_SAI, DS_SAI), 2, &mut buffer).unwrap();
    let expected = bytes("00000000a1a2a3a4 00000000b1b2b3b4 00 20 00 10 00000002 0000001c");
    assert_eq!(*message.finish().unwrap(), *expected);
}

/// Question Q26: restricted bytes are not looked at.
#[test]
fn headers_leave_restricted_bytes_out() {
    let data = bytes(IN);
    for at in [0, 1, 2, 3, 8, 9, 10, 11] {
        for value in 0..=u8::MAX {
            assert_eq!(header(&with(&data, at, value)), header(&data));
        }
    }
    for length in 0..Header::LEN {
        let no_header = WireError::new(0, Field::Length, WireErrorKind::NoHeader);
        assert_eq!(Header::parse(SPC4, &data[..length]), Err(no_header));
    }
}

#[test]
fn headers_are_checked() {
    let (out, reply) = (bytes(OUT), bytes(IN));
    assert_eq!(check(&out, &OUT_EXPECTED), Ok(()));
    assert_eq!(check(&reply, &IN_EXPECTED), Ok(()));
    // EXCHANGE TYPE is reserved (question Q21), and so is the device server's SAI of a key exchange OUT.
    for value in 0..=u8::MAX {
        assert_eq!(check(&with(&out, 18, value), &OUT_EXPECTED), Ok(()));
        assert_eq!(check(&with(&out, 15, value), &OUT_EXPECTED), Ok(()));
        assert_eq!(check(&with(&reply, 18, value), &IN_EXPECTED), Ok(()));
    }
    let invalid = |byte, field| Err(WireError::new(byte, field, WireErrorKind::Invalid));
    assert_eq!(check(&with(&reply, 7, 0), &IN_EXPECTED), invalid(4, Field::AcSai));
    assert_eq!(check(&with(&reply, 15, 0), &IN_EXPECTED), invalid(12, Field::DsSai));
    // The command fixes MESSAGE ID (question Q27), whatever else is expected.
    let other = Expected { message_id: 7, ..IN_EXPECTED };
    assert_eq!(check(&reply, &other), Ok(()));
    assert_eq!(check(&with(&reply, 23, 7), &other), invalid(20, Field::MessageId));
    let invalid_bit = |byte, bit, field| Err(WireError::at_bit(byte, bit, field, WireErrorKind::Invalid));
    assert_eq!(check(&with(&out, 17, 0x10), &OUT_EXPECTED), invalid_bit(17, 7, Field::MajorVersion));
    assert_eq!(check(&with(&out, 19, 0), &OUT_EXPECTED), invalid_bit(19, 4, Field::Inttr));
    assert_eq!(check(&with(&out, 19, 0x14), &OUT_EXPECTED), invalid_bit(19, 2, Field::Rspns));
    let length = WireError::new(24, Field::Length, WireErrorKind::Length);
    assert_eq!(check(&with(&out, 27, 0), &OUT_EXPECTED), Err(length));
}

/// Reading S5.
#[test]
fn reserved_sais_are_refused() {
    let with_sai = |sai: u64| Header { ac_sai: Sai(sai), ..header(&bytes(OUT)) }.check(SPC4, &OUT_EXPECTED);
    let wrong = WireError::new(4, Field::AcSai, WireErrorKind::Invalid);
    for reserved in 0..=255 {
        assert_eq!(with_sai(reserved), Err(wrong), "{reserved}");
    }
    assert_eq!(with_sai(256), Ok(()));
    assert_eq!(with_sai(0xFFFF_FFFF), Ok(()));
}

/// PROTOCOL ID 1, SAI SIZE 8, 16384, SAI.
const NOTIFY: &str = "01 08 4000 00000000b1b2b3b4";
/// PROTOCOL ID 1, SAI SIZE 8, two SAIs, those of both sides.
const DELETE: &str = "01 08 0002 00000000a1a2a3a4 00000000b1b2b3b4";

const BOTH: Delete = Delete { ac_sai: AC_SAI, ds_sai: Some(DS_SAI) };

#[test]
fn notify_parses_and_emits() {
    assert_eq!(parse_spc4(&bytes(NOTIFY)), Ok(Notify { sai: DS_SAI }));
    assert_eq!(parse_spc4(&bytes("01 08 4000 ffffffffb1b2b3b4")), Ok(Notify { sai: DS_SAI }));
    check_emit_body(&Notify { sai: DS_SAI }, &bytes(NOTIFY));
    let data = bytes(NOTIFY);
    for length in 0..data.len() {
        assert_eq!(parse_spc4::<Notify>(&data[..length]), Err(wrong_payload_length()));
    }
}

#[test]
fn delete_parses() {
    assert_eq!(parse_spc4(&bytes(DELETE)), Ok(BOTH));
}

#[test]
fn delete_emits() {
    check_emit_body(&BOTH, &bytes(DELETE));
}

#[test]
fn delete_field_by_field() {
    let data = bytes(DELETE);
    for at in [4, 5, 6, 7, 12, 13, 14, 15] {
        assert_eq!(parse_spc4(&with(&data, at, 0xFF)), Ok(BOTH), "restricted byte {at}");
    }
    let none = bytes("01 08 0002 0000000000000000 0000000000000000");
    assert_eq!(parse_spc4(&none), Ok(Delete { ac_sai: Sai::ZERO, ds_sai: Some(Sai::ZERO) }));
    assert_eq!((Delete::AC_SAI_AT, Delete::DS_SAI_AT), (8, 16));
}

#[test]
fn delete_refuses() {
    let data = bytes(DELETE);
    for (at, field_at, field) in
        [(0, 4, Field::ProtocolId), (1, 5, Field::SaiSize), (2, 6, Field::NumberOfSais), (3, 6, Field::NumberOfSais)]
    {
        for value in (0..=u8::MAX).filter(|value| *value != data[at]) {
            let wrong = fault(field_at, field, WireErrorKind::Invalid);
            assert_eq!(parse_spc4::<Delete>(&with(&data, at, value)), Err(wrong), "{field} {value:02X}h");
        }
    }
    for length in 0..data.len() {
        assert_eq!(parse_spc4::<Delete>(&data[..length]), Err(wrong_payload_length()), "{length} bytes");
    }
    assert_eq!(parse_spc4::<Delete>(&[&data[..], &[0]].concat()), Err(wrong_payload_length()));
    // Neither dialect reads the other's.
    let wrong = fault(6, Field::NumberOfSais, WireErrorKind::Invalid);
    assert_eq!(parse::<Delete>(&data), Err(wrong));
    assert_eq!(parse_spc4::<Delete>(&bytes("01 08 0001 00000000a1a2a3a4")), Err(wrong));
}

#[test]
fn timeouts_may_be_more_than_two() {
    let two = Timeouts { protocol: 60, inactivity: 3600 };
    let data = bytes("000000 02 0000003c 00000e10");
    assert_eq!(parse_spc4(&data), Ok(two));
    check_emit_body(&two, &data);
    assert_eq!(parse_spc4(&bytes("ffffff 04 0000003c 00000e10 01020304 05060708")), Ok(two));
    // Zero stands for ten seconds; what it means is not the wire's affair.
    let zero = Timeouts { protocol: 0, inactivity: 0 };
    assert_eq!(parse_spc4(&bytes("000000 02 00000000 00000000")), Ok(zero));
    for count in [0, 1] {
        let wrong = fault(7, Field::NumberOfTimeoutValues, WireErrorKind::Invalid);
        assert_eq!(parse_spc4::<Timeouts>(&with(&data, 3, count)), Err(wrong));
    }
    for count in [3, 255] {
        assert_eq!(parse_spc4::<Timeouts>(&with(&data, 3, count)), Err(wrong_payload_length()));
    }
    for length in 4..data.len() {
        assert_eq!(parse_spc4::<Timeouts>(&data[..length]), Err(wrong_payload_length()));
    }
    let longer = [&data[..], &[0; 4]].concat();
    assert_eq!(parse_spc4::<Timeouts>(&longer), Err(wrong_payload_length()));
}

/// PARAMETER DATA LENGTH 32; 80h of 32 bytes; two descriptors.
const CAPABILITIES: &str = "00000020 00 80 0020 000000 02
    0100000c 80010014 00000010  0200000c 80020005 00000000";

fn capabilities(data: &[u8]) -> Result<Capabilities<'_>, WireError> {
    Capabilities::parse_parameter_data(SPC4, data)
}

#[test]
fn capabilities_parse_and_emit() {
    let data = bytes(CAPABILITIES);
    let descriptors = Descriptors::new(data[12..].as_chunks().0);
    let expected = Capabilities { profile: SPC4, descriptors };
    assert_eq!(capabilities(&data), Ok(expected));
    check_emit(&data, |writer| expected.emit_parameter_data(writer));
    check_emit_body(&expected, &data[8..]);
    let text = expected.to_string();
    assert!(text.contains("Payload: IKEv2-SCSI SA Creation Capabilities, byte 4\n"), "{text}");
    assert!(text.contains("NUMBER OF ALGORITHM DESCRIPTORS: 2\n"), "{text}");
    assert!(text.contains("AES_GCM with a 16 octet ICV; KEY LENGTH 16\n"), "{text}");
}

#[test]
fn capabilities_refuse() {
    let data = bytes(CAPABILITIES);
    for at in [8, 9, 10] {
        assert_eq!(capabilities(&with(&data, at, 2)), capabilities(&data), "reserved byte {at}");
    }
    let count = WireError::new(11, Field::NumberOfDescriptors, WireErrorKind::Length);
    for wrong in (0..=u8::MAX).filter(|count| *count != 2) {
        assert_eq!(capabilities(&with(&data, 11, wrong)), Err(count));
    }
    for length in 0..data.len() {
        assert!(capabilities(&data[..length]).is_err(), "{length} bytes");
    }
    // There is no second place for the descriptors, as reading R3 has it for r3.
    let gap = bytes("0000000c 00 80 000c 000000 00 00000000");
    let wrong = WireError::new(6, Field::PayloadLength, WireErrorKind::Length);
    assert_eq!(capabilities(&gap), Err(wrong));
}

/// SPC-4 7.7.2.3.1.
const FORMATS: &str = "00000004 0000 0101";

#[test]
fn formats_parse() {
    assert_eq!(CapabilityFormats::parse(&bytes(FORMATS)), Ok(CapabilityFormats::IKEV2_SCSI));
}

#[test]
fn formats_emit() {
    assert_eq!(CapabilityFormats::IKEV2_SCSI.len(), 8);
    check_emit(&bytes(FORMATS), |writer| CapabilityFormats::IKEV2_SCSI.emit(writer));
}

#[test]
fn formats_field_by_field() {
    let data = bytes("00000006 0000 0101 fff0 99");
    let formats = CapabilityFormats::parse(&data).unwrap();
    assert_eq!(formats.iter().collect::<Vec<_>>(), [0x0000, 0x0101, 0xFFF0]);
    assert_eq!(formats.to_string(), "SA creation capabilities formats: 0000h 0101h FFF0h");
    assert!(CapabilityFormats::parse(&[0; 4]).unwrap().is_empty());
    assert!(!formats.is_empty());
}

#[test]
fn formats_refuse() {
    let data = bytes(FORMATS);
    let wrong = WireError::new(0, Field::ParameterDataLength, WireErrorKind::Length);
    for length in 0..data.len() {
        assert_eq!(CapabilityFormats::parse(&data[..length]), Err(wrong), "{length} bytes");
    }
    for (at, value) in [(0, 1), (3, 1), (3, 3), (3, 6)] {
        assert_eq!(CapabilityFormats::parse(&with(&data, at, value)), Err(wrong));
    }
}

/// Padding 01h 02h 03h and PAD LENGTH behind four bytes of payload.
#[test]
fn padding_is_counted() {
    let message = bytes(
        "00000000a1a2a3a4 00000000b1b2b3b4 2e 20 00 10 00000002 00000028
        c0 80 000c 00 00 0004 010203 03",
    );
    let raw = Message::parse(SPC4, &message).unwrap().payloads().next().unwrap().unwrap();
    let encrypted = Encrypted::divide(&raw, 0, 0, 4).unwrap();
    assert_eq!((encrypted.at, encrypted.text.clone()), (AT, AT + RawPayload::HEADER_LEN..40));
    assert_eq!(encrypted.check_padding(SPC4, &message), Ok(()));
    for at in 36..39 {
        let changed = with(&message, at, 9);
        let wrong = WireError::new(at, Field::Padding, WireErrorKind::Invalid);
        assert_eq!(encrypted.check_padding(SPC4, &changed), Err(wrong));
        assert_eq!(encrypted.check_padding(super::R3, &changed), Ok(()), "reading R13");
        let opened = Message::parse(SPC4, &changed).unwrap().with_opened(&encrypted).unwrap();
        assert!(opened.to_string().contains(&wrong.to_string()));
    }
    let wrong = WireError::new(39, Field::PadLength, WireErrorKind::Length);
    assert_eq!(encrypted.check_padding(SPC4, &with(&message, 39, 8)), Err(wrong));
    assert_eq!(encrypted.check_padding(SPC4, &with(&message, 39, 0)), Ok(()));
}

/// Further timeout values, a name for each dialect's number, restricted bytes: what the printer makes of them.
#[test]
fn printing_tells_what_is_there() {
    let message = bytes(
        "00000000a1a2a3a4 0000000000000000 83 20 00 10 00000000 0000003c
        2b 80 0014 000000 03 0000003c 00000e10 00000005
        00 80 000c 6162636465666768",
    );
    let text = Message::parse(SPC4, &message).unwrap().to_string();
    for line in [
        "  NUMBER OF TIMEOUT VALUES: 3\n",
        "  further TIMEOUT VALUES: 00000005\n",
        "  NEXT PAYLOAD: 2Bh, Vendor ID\n",
        "Payload 2Bh: Vendor ID, byte 48\n",
        "  PAYLOAD DATA: 6162636465666768",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(BOTH.len(), 20);
}
