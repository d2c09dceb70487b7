//! SCA: r3 Table L1. Descriptors: r3 Tables J1, K1, ROW2 and K7.

use std::vec::Vec;

use super::{bytes, check_cut, check_emit_body, fault, parse, with, wrong_payload_length};
use crate::algorithm::AlgorithmType;
use crate::wire::{Algorithms, Body, Descriptor, Descriptors, EmitError, Field, Sai, WireErrorKind, Writer};

/// Two descriptors, SA type 81h, four bytes of usage data, SAID; ENCR_AES_CBC with a key of 16 bytes, and
/// Shared Key Message Integrity Code.
const SCA: &str = "02 81 0004 0102030405060708 c1c2c3c4
    01 00 000c 0000000c 00000010
    f9 00 000c 00000002 00000000";

const DESCRIPTORS: [[u8; 12]; 2] =
    [[0x01, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0, 16], [0xF9, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0]];

fn sca(usage_data: &[u8]) -> Algorithms<'_> {
    let said = Sai(0x0102_0304_0506_0708);
    Algorithms { sa_type: 0x81, said, usage_data, descriptors: Descriptors::new(&DESCRIPTORS) }
}

#[test]
fn sca_parses() {
    assert_eq!(parse(&bytes(SCA)), Ok(sca(&[0xC1, 0xC2, 0xC3, 0xC4])));
}

#[test]
fn sca_emits() {
    check_emit_body(&sca(&[0xC1, 0xC2, 0xC3, 0xC4]), &bytes(SCA));
}

#[test]
fn sca_field_by_field() {
    let data = bytes(SCA);
    for value in 0..=u8::MAX {
        assert_eq!(parse::<Algorithms<'_>>(&with(&data, 1, value)).unwrap().sa_type, value);
    }
    let read = parse::<Algorithms<'_>>(&data).unwrap();
    assert_eq!(read.descriptors_at(), 20);
    assert_eq!(read.descriptors.len(), 2);
    assert!(!read.descriptors.is_empty());
    assert_eq!(read.descriptors.as_bytes(), &data[16..]);
    let expected = [Descriptor::encryption(12, 16), Descriptor::authentication(2, false, false)];
    assert_eq!(read.descriptors.iter().collect::<Vec<_>>(), expected);
    // No usage data and no descriptors: which must be there is not this room's affair.
    let none = Algorithms { sa_type: 0, said: Sai(9), usage_data: &[], descriptors: Descriptors::new(&[]) };
    assert_eq!(parse(&bytes("00 00 0000 0000000000000009")), Ok(none));
    assert_eq!(none.descriptors_at(), 16);
    assert!(none.descriptors.is_empty());
    let offsets = [Algorithms::COUNT_AT, Algorithms::SA_TYPE_AT, Algorithms::SAID_AT, Algorithms::USAGE_DATA_AT];
    assert_eq!(offsets, [4, 5, 8, 16]);
}

#[test]
fn sca_refuses_lengths() {
    let data = bytes(SCA);
    check_cut::<Algorithms<'_>>(&data, 12);
    // Cut off in the usage data: its length is the first field that does not fit.
    for length in 12..16 {
        let wrong = fault(6, Field::UsageDataLength, WireErrorKind::Length);
        assert_eq!(parse::<Algorithms<'_>>(&data[..length]), Err(wrong), "{length} bytes");
    }
    // Cut off in a descriptor; cut off between two, where the count no longer fits.
    let miscounted = fault(4, Field::NumberOfTransforms, WireErrorKind::Length);
    for length in 16..40 {
        let wrong = if (length - 16) % 12 == 0 { miscounted } else { wrong_payload_length() };
        assert_eq!(parse::<Algorithms<'_>>(&data[..length]), Err(wrong), "{length} bytes");
    }
    for count in (0..=u8::MAX).filter(|count| *count != 2) {
        assert_eq!(parse::<Algorithms<'_>>(&with(&data, 0, count)), Err(miscounted));
    }
    let surplus = [&data[..], &[0]].concat();
    assert_eq!(parse::<Algorithms<'_>>(&surplus), Err(wrong_payload_length()));
}

#[test]
fn sca_refuses_usage_data_length_and_descriptor_length() {
    let data = bytes(SCA);
    for length in [1, 2, 3, 5, 6, 7, 9, 0xFF] {
        let wrong = fault(6, Field::UsageDataLength, WireErrorKind::Invalid);
        assert_eq!(parse::<Algorithms<'_>>(&with(&data, 3, length)), Err(wrong));
    }
    let wrong = fault(6, Field::UsageDataLength, WireErrorKind::Length);
    assert_eq!(parse::<Algorithms<'_>>(&with(&data, 2, 0x01)), Err(wrong));
    // 28 bytes of usage data are there, and then no descriptors.
    let miscounted = fault(4, Field::NumberOfTransforms, WireErrorKind::Length);
    assert_eq!(parse::<Algorithms<'_>>(&with(&data, 3, 28)), Err(miscounted));
    for (at, descriptor_at) in [(18, 20), (19, 20), (30, 32), (31, 32)] {
        let wrong = fault(descriptor_at + 2, Field::DescriptorLength, WireErrorKind::Length);
        assert_eq!(parse::<Algorithms<'_>>(&with(&data, at, 0x10)), Err(wrong));
    }
}

#[test]
fn sca_that_its_length_fields_cannot_tell_is_not_written() {
    let mut buffer = [0; 70_000];
    let many = [[0; 12]; 256];
    let algorithms = Algorithms { descriptors: Descriptors::new(&many), ..sca(&[]) };
    assert_eq!(algorithms.emit(&mut Writer::new(&mut buffer)), Err(EmitError::TooLong));
    assert_eq!(sca(&[0; 65_536]).emit(&mut Writer::new(&mut buffer)), Err(EmitError::TooLong));
}

#[test]
fn descriptor_parses() {
    let bytes = [0x02, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0];
    let prf = Descriptor { algorithm_type: 2, identifier: 5, attributes: [0; 4] };
    assert_eq!(Descriptor::from_bytes(&bytes), prf);
    assert_eq!(prf, Descriptor::new(AlgorithmType::PseudoRandom, 5));
}

#[test]
fn descriptor_emits() {
    let sha1 = Descriptor::new(AlgorithmType::PseudoRandom, 2);
    assert_eq!(sha1.to_bytes(), [0x02, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0]);
    let gcm = Descriptor::encryption(0x14, 0x20);
    assert_eq!(gcm.to_bytes(), [0x01, 0, 0, 12, 0, 0, 0, 0x14, 0, 0, 0, 0x20]);
    let group = Descriptor::new(AlgorithmType::DiffieHellman, 0x0102_0304);
    assert_eq!(group.to_bytes(), [0x04, 0, 0, 12, 1, 2, 3, 4, 0, 0, 0, 0]);
    let none = Descriptor::new(AlgorithmType::Integrity, 0);
    assert_eq!(none.to_bytes(), [0x03, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/// KEY LENGTH is bytes 2 and 3 of the attributes (Table ROW2), USE and ACCEPT are bits 1 and 0 of byte 0 (Table K7).
#[test]
fn descriptor_field_by_field() {
    assert_eq!(Descriptor::encryption(12, 0x0120).to_bytes()[8..], [0, 0, 0x01, 0x20]);
    assert_eq!(Descriptor::encryption(12, 0x0120).key_length(), 0x0120);
    for (may_use, accept, byte) in [(false, false, 0), (false, true, 1), (true, false, 2), (true, true, 3)] {
        let descriptor = Descriptor::authentication(9, may_use, accept);
        assert_eq!(descriptor.to_bytes(), [0xF9, 0, 0, 12, 0, 0, 0, 9, byte, 0, 0, 0]);
        assert_eq!((descriptor.may_use(), descriptor.accept()), (may_use, accept));
    }
    let reserved_set = Descriptor { algorithm_type: 0xF9, identifier: 9, attributes: [0xFC, 0xFF, 0xFF, 0xFF] };
    assert_eq!((reserved_set.may_use(), reserved_set.accept()), (false, false));
    // The order of r3 7.7.4.11: type, identifier, key length.
    let ordered = [
        Descriptor::encryption(11, 0),
        Descriptor::encryption(12, 16),
        Descriptor::encryption(12, 32),
        Descriptor::encryption(0x100, 16),
        Descriptor::new(AlgorithmType::PseudoRandom, 2),
        Descriptor::new(AlgorithmType::DiffieHellman, 1),
        Descriptor::authentication(0, true, true),
    ];
    assert!(ordered.is_sorted());
}

/// A descriptor alone is never refused: its reserved byte is ignored, its length is the list's affair.
#[test]
fn descriptor_ignores_what_is_reserved() {
    let prf = Descriptor::new(AlgorithmType::PseudoRandom, 5);
    assert_eq!(Descriptor::from_bytes(&[2, 0xFF, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0]), prf);
}
