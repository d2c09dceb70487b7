//! Device Server Capabilities parameter data: r3 Table ROW1. SSCC: r3 Table 11, reading R3.

use std::vec::Vec;

use super::{R3, bytes, check_emit, check_emit_body, parse, with};
use crate::algorithm::AlgorithmType;
use crate::wire::{Body, Capabilities, Descriptor, Descriptors, EmitError, Field, WireError, WireErrorKind, Writer};

/// PARAMETER DATA LENGTH 32; SSCC of 32 bytes; two descriptors: ENCR_NULL and PRF_HMAC_SHA1.
const DATA: &str = "00000020 00 80 0020 02 000000
    01 00 000c 0000000b 00000000
    02 00 000c 00000002 00000000";

const DESCRIPTORS: [[u8; 12]; 2] = [[1, 0, 0, 12, 0, 0, 0, 11, 0, 0, 0, 0], [2, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0]];

const CAPABILITIES: Capabilities<'_> = Capabilities { profile: R3, descriptors: Descriptors::new(&DESCRIPTORS) };

fn parse_data(data: &[u8]) -> Result<Capabilities<'_>, WireError> {
    Capabilities::parse_parameter_data(R3, data)
}

/// The first byte of the parameter data is byte 0.
fn fault(byte: usize, field: Field, kind: WireErrorKind) -> WireError {
    WireError { byte, bit: None, field, kind }
}

#[test]
fn parses() {
    assert_eq!(parse_data(&bytes(DATA)), Ok(CAPABILITIES));
    assert_eq!(parse(&bytes(DATA)[8..]), Ok(CAPABILITIES));
}

#[test]
fn emits() {
    assert_eq!(CAPABILITIES.parameter_data_len(), 36);
    check_emit(&bytes(DATA), |writer| CAPABILITIES.emit_parameter_data(writer));
    check_emit_body(&CAPABILITIES, &bytes(DATA)[8..]);
}

#[test]
fn field_by_field() {
    let data = bytes(DATA);
    let expected = [Descriptor::encryption(11, 0), Descriptor::new(AlgorithmType::PseudoRandom, 2)];
    assert_eq!(parse_data(&data).unwrap().descriptors.iter().collect::<Vec<_>>(), expected);
    // CRIT, and the reserved bits and bytes of payload header and payload (reading R7).
    for at in [5, 9, 10, 11] {
        for value in 0..=u8::MAX {
            assert_eq!(parse_data(&with(&data, at, value)), Ok(CAPABILITIES));
        }
    }
    let none = Capabilities { profile: R3, descriptors: Descriptors::new(&[]) };
    assert_eq!(parse_data(&bytes("00000008 00 80 0008 00 000000")), Ok(none));
    assert_eq!(Capabilities::PAYLOAD_AT, 4);
}

/// As Table 11 prints it: the first descriptor at byte 12 of the payload.
#[test]
fn descriptors_may_begin_at_byte_12() {
    let data = bytes(
        "00000024 00 80 0024 02 000000 00000000
        01 00 000c 0000000b 00000000
        02 00 000c 00000002 00000000",
    );
    assert_eq!(parse_data(&data), Ok(CAPABILITIES));
    let none = Capabilities { profile: R3, descriptors: Descriptors::new(&[]) };
    assert_eq!(parse_data(&bytes("0000000c 00 80 000c 00 000000 00000000")), Ok(none));
    let wrong = fault(18, Field::DescriptorLength, WireErrorKind::Length);
    assert_eq!(parse_data(&with(&data, 19, 13)), Err(wrong));
}

#[test]
fn refuses() {
    let data = bytes(DATA);
    let data_length = fault(0, Field::ParameterDataLength, WireErrorKind::Length);
    for length in 0..data.len() {
        assert_eq!(parse_data(&data[..length]), Err(data_length), "{length} bytes");
    }
    assert_eq!(parse_data(&[&data[..], &[0]].concat()), Err(data_length));
    for at in 0..4 {
        assert_eq!(parse_data(&with(&data, at, 0x21)), Err(data_length));
    }
    for length in 0..4 {
        let short = [&[0, 0, 0, length][..], &[0; 3][..usize::from(length)]].concat();
        assert_eq!(parse_data(&short), Err(data_length));
    }
    // r3 7.7.4.11: the NEXT PAYLOAD field shall be set to zero.
    for next in 1..=u8::MAX {
        assert_eq!(parse_data(&with(&data, 4, next)), Err(fault(4, Field::NextPayload, WireErrorKind::Invalid)));
    }
    let payload_length = fault(6, Field::PayloadLength, WireErrorKind::Length);
    for (at, value) in [(6, 1), (7, 0), (7, 0x1F), (7, 0x21)] {
        assert_eq!(parse_data(&with(&data, at, value)), Err(payload_length));
    }
    for count in (0..=u8::MAX).filter(|count| *count != 2) {
        let wrong = fault(8, Field::NumberOfTransforms, WireErrorKind::Length);
        assert_eq!(parse_data(&with(&data, 8, count)), Err(wrong));
    }
    for (at, descriptor_at) in [(14, 12), (15, 12), (26, 24), (27, 24)] {
        let wrong = fault(descriptor_at + 2, Field::DescriptorLength, WireErrorKind::Length);
        assert_eq!(parse_data(&with(&data, at, 0x10)), Err(wrong));
    }
}

/// An SSCC cut off while both length fields tell of the cut.
#[test]
fn refuses_a_payload_that_does_not_hold_whole_descriptors() {
    let data = bytes(DATA);
    for payload_length in 4..32_u8 {
        let mut cut = data[..usize::from(payload_length) + 4].to_vec();
        cut[3] = payload_length;
        cut[7] = payload_length;
        let wrong = match payload_length {
            // Eight bytes and whole descriptors, or twelve and whole descriptors: the count does not fit.
            8 | 12 | 20 | 24 => fault(8, Field::NumberOfTransforms, WireErrorKind::Length),
            _ => fault(6, Field::PayloadLength, WireErrorKind::Length),
        };
        assert_eq!(parse_data(&cut), Err(wrong), "{payload_length} bytes");
    }
}

#[test]
fn more_descriptors_than_one_byte_counts_are_not_written() {
    let many = [[0; 12]; 256];
    let capabilities = Capabilities { profile: R3, descriptors: Descriptors::new(&many) };
    let mut buffer = [0; 4000];
    assert_eq!(capabilities.emit_parameter_data(&mut Writer::new(&mut buffer)), Err(EmitError::TooLong));
    assert_eq!(capabilities.emit(&mut Writer::new(&mut buffer)), Err(EmitError::TooLong));
}
