//! SA Cryptographic Algorithms: SPC-4 table 541, reading S1. SAUT Cryptographic Algorithms: SPC-4 table 542.

use std::vec::Vec;

use super::{bytes, check_emit_body, fault, parse_spc4, with, wrong_payload_length};
use crate::wire::{
    Body, Descriptor, Descriptors, EmitError, Field, SaAlgorithms, SaUsage, WireError, WireErrorKind, Writer,
};

/// AES-GCM with a key of 16 bytes, HMAC-SHA2-256, AUTH_COMBINED, MODP-2048, RSA both ways: table 82, row 1.
const SIX: &str = "0100000c 80010014 00000010  0200000c 80020005 00000000  0300000c f0030001 00000000
    0400000c 8004000e 00000000  f900000c 00f90001 00000000  fa00000c 00f90001 00000000";
/// AES-GCM with a key of 16 bytes, AUTH_COMBINED.
const TWO: &str = "0100000c 80010014 00000010  0300000c f0030001 00000000";

/// Reserved, USAGE DATA LENGTH 0, reserved, six: as the standard prints it.
fn printed() -> Vec<u8> {
    [bytes("00000000000000000000 0000 00000000 06"), bytes(SIX)].concat()
}

/// The same with a reserved byte less.
fn short() -> Vec<u8> {
    [bytes("00000000000000000000 0000 000000 06"), bytes(SIX)].concat()
}

/// Reserved, SA TYPE 0081h, USAGE DATA LENGTH 0, reserved, two.
fn saut() -> Vec<u8> {
    [bytes("0000000000000000 0081 0000 000000 02"), bytes(TWO)].concat()
}

fn algorithms(data: &[u8]) -> Result<SaAlgorithms<'_>, WireError> {
    parse_spc4(data)
}

fn usage(data: &[u8]) -> Result<SaUsage<'_>, WireError> {
    parse_spc4(data)
}

fn as_descriptors(data: &[u8]) -> Descriptors<'_> {
    Descriptors::new(data.as_chunks().0)
}

#[test]
fn algorithms_parse() {
    let six = bytes(SIX);
    assert_eq!(algorithms(&printed()), Ok(SaAlgorithms::new(as_descriptors(&six))));
    assert_eq!(algorithms(&short()), Ok(SaAlgorithms::short(as_descriptors(&six))));
    // The payload is 93 or 92 bytes with its header.
    assert_eq!((printed().len(), short().len()), (89, 88));
}

#[test]
fn algorithms_emit() {
    let six = bytes(SIX);
    check_emit_body(&SaAlgorithms::new(as_descriptors(&six)), &printed());
    check_emit_body(&SaAlgorithms::short(as_descriptors(&six)), &short());
    let many = [[0; 12]; 256];
    let mut buffer = [0; 4000];
    let too_many = SaAlgorithms::new(Descriptors::new(&many));
    assert_eq!(too_many.emit(&mut Writer::new(&mut buffer)), Err(EmitError::TooLong));
}

#[test]
fn algorithms_field_by_field() {
    let printed = printed();
    let read = algorithms(&printed).unwrap();
    let expected = [
        Descriptor { algorithm_type: 0x01, identifier: 0x8001_0014, attributes: [0, 0, 0, 16] },
        Descriptor { algorithm_type: 0x02, identifier: 0x8002_0005, attributes: [0; 4] },
        Descriptor { algorithm_type: 0x03, identifier: 0xF003_0001, attributes: [0; 4] },
        Descriptor { algorithm_type: 0x04, identifier: 0x8004_000E, attributes: [0; 4] },
        Descriptor { algorithm_type: 0xF9, identifier: 0x00F9_0001, attributes: [0; 4] },
        Descriptor { algorithm_type: 0xFA, identifier: 0x00F9_0001, attributes: [0; 4] },
    ];
    assert_eq!(read.descriptors.iter().collect::<Vec<_>>(), expected);
    assert_eq!(read.descriptors_at(), 21);
    assert_eq!(algorithms(&short()).unwrap().descriptors_at(), 20);
    assert_eq!((SaAlgorithms::USAGE_LENGTH_AT, SaAlgorithms::COUNT_AT, SaAlgorithms::SHORT_COUNT_AT), (14, 20, 19));
}

/// What a device server returns is what came, reserved bytes included.
#[test]
fn algorithms_come_back_byte_for_byte() {
    for (data, reserved) in [
        (printed(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15].as_slice()),
        (short(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14]),
    ] {
        let mut noisy = data;
        for at in reserved {
            noisy[*at] = 0xE7;
        }
        // The reserved byte of the second descriptor.
        let second = noisy.len() - 72 + 13;
        noisy[second] = 0x3C;
        check_emit_body(&algorithms(&noisy).unwrap(), &noisy);
    }
}

#[test]
fn algorithms_refuse() {
    for (data, count_at) in [(printed(), 16), (short(), 15)] {
        let at = (4 + count_at, Field::NumberOfDescriptors);
        for count in (0..=u8::MAX).filter(|count| *count != 6) {
            assert_eq!(algorithms(&with(&data, count_at, count)), Err(fault(at.0, at.1, WireErrorKind::Invalid)));
        }
        for usage_length_at in [10, 11] {
            let wrong = fault(14, Field::UsageDataLength, WireErrorKind::Invalid);
            assert_eq!(algorithms(&with(&data, usage_length_at, 4)), Err(wrong));
        }
        for (i, descriptor) in data[count_at + 1..].chunks(12).enumerate() {
            let at = count_at + 1 + i * 12;
            assert_eq!(data[at..at + 12], *descriptor);
            let wrong = fault(4 + at + 2, Field::DescriptorLength, WireErrorKind::Length);
            for (offset, value) in [(2, 1), (3, 0), (3, 11), (3, 13)] {
                assert_eq!(algorithms(&with(&data, at + offset, value)), Err(wrong));
            }
        }
    }
}

#[test]
fn algorithms_cut_off_are_refused() {
    let (printed, short) = (printed(), short());
    for length in (0..printed.len()).filter(|length| *length != short.len()) {
        let cut = algorithms(&printed[..length]).unwrap_err();
        // The form is told by the length: a cut that leaves whole descriptors behind byte 19 is read as the short form,
        // and byte 19 counts none.
        let expected = match length {
            16 | 28 | 40 | 52 | 64 | 76 => fault(19, Field::NumberOfDescriptors, WireErrorKind::Invalid),
            17 | 29 | 41 | 53 | 65 | 77 => fault(20, Field::NumberOfDescriptors, WireErrorKind::Length),
            _ => wrong_payload_length(),
        };
        assert_eq!(cut, expected, "{length} bytes");
    }
    // Cut by one byte it is as long as the short form, and has the zero byte before the count in the count's place.
    let wrong = fault(19, Field::NumberOfDescriptors, WireErrorKind::Invalid);
    assert_eq!(algorithms(&printed[..88]), Err(wrong));
    let longer = [&printed[..], &[0]].concat();
    assert_eq!(algorithms(&longer), Err(wrong_payload_length()));
}

#[test]
fn usage_parses() {
    let two = bytes(TWO);
    assert_eq!(usage(&saut()), Ok(SaUsage::new(0x0081, &[], as_descriptors(&two))));
    // The payload is 44 bytes with its header.
    assert_eq!(saut().len(), 40);
}

#[test]
fn usage_emits() {
    let two = bytes(TWO);
    check_emit_body(&SaUsage::new(0x0081, &[], as_descriptors(&two)), &saut());
    let data = [bytes("0000000000000000 8001 0003 a1a2a3 000000 02"), two.clone()].concat();
    check_emit_body(&SaUsage::new(0x8001, &[0xA1, 0xA2, 0xA3], as_descriptors(&two)), &data);
    let long = [0; 65_536];
    let mut buffer = [0; 100];
    let too_long = SaUsage::new(0, &long, as_descriptors(&two));
    assert_eq!(too_long.emit(&mut Writer::new(&mut buffer)), Err(EmitError::TooLong));
}

#[test]
fn usage_field_by_field() {
    let data = [bytes("ffffffffffffffff 8001 0003 a1a2a3 ffffff 02"), bytes(TWO)].concat();
    let read = usage(&data).unwrap();
    assert_eq!((read.sa_type, read.usage_data), (0x8001, &[0xA1, 0xA2, 0xA3][..]));
    let expected = [
        Descriptor { algorithm_type: 0x01, identifier: 0x8001_0014, attributes: [0, 0, 0, 16] },
        Descriptor { algorithm_type: 0x03, identifier: 0xF003_0001, attributes: [0; 4] },
    ];
    assert_eq!(read.descriptors.iter().collect::<Vec<_>>(), expected);
    assert_eq!((read.count_at(), read.descriptors_at()), (22, 23));
    assert_eq!((SaUsage::SA_TYPE_AT, SaUsage::USAGE_LENGTH_AT, SaUsage::USAGE_DATA_AT), (12, 14, 16));
    // It comes back byte for byte, reserved bytes included.
    check_emit_body(&read, &data);
}

#[test]
fn usage_refuses() {
    let data = saut();
    for count in (0..=u8::MAX).filter(|count| *count != 2) {
        let wrong = fault(19, Field::NumberOfDescriptors, WireErrorKind::Invalid);
        assert_eq!(usage(&with(&data, 15, count)), Err(wrong));
    }
    for (at, value) in [(10, 1), (11, 29)] {
        let wrong = fault(14, Field::UsageDataLength, WireErrorKind::Length);
        assert_eq!(usage(&with(&data, at, value)), Err(wrong));
    }
    for length in 0..data.len() {
        let expected = match length {
            16 | 28 => fault(19, Field::NumberOfDescriptors, WireErrorKind::Length),
            _ => wrong_payload_length(),
        };
        assert_eq!(usage(&data[..length]), Err(expected), "{length} bytes");
    }
    assert_eq!(usage(&[&data[..], &[0]].concat()), Err(wrong_payload_length()));
    let wrong = fault(22, Field::DescriptorLength, WireErrorKind::Length);
    assert_eq!(usage(&with(&data, 19, 13)), Err(wrong));
}
