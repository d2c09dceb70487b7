//! The Encrypted payload: RFC 4306 3.14, readings R10-R13, R32.

use std::vec;
use std::vec::Vec;

use super::{AT, R3, bytes, fault, with, wrong_payload_length};
use crate::wire::{Chain, Encrypted, Field, RawPayload, WireError, WireErrorKind, pad_length_for};

/// An Encrypted payload at byte 28, `data` in it, whose first inner payload is 23h.
fn payload(data: &[u8]) -> RawPayload<'_> {
    RawPayload { code: 0x2E, payload: None, critical: true, next: 0x23, at: AT, named_at: 16, data }
}

fn divide(length: usize, iv: usize, icv: usize, block: usize) -> Result<Encrypted, WireError> {
    Encrypted::divide(&payload(&vec![0; length]), iv, icv, block)
}

/// AES-CBC with a 96-bit ICV: 16 bytes of IV, 32 of ciphertext, 12 of ICV.
#[test]
fn divides() {
    let expected = Encrypted { at: 28, first: 0x23, iv: 32..48, text: 48..80, icv: 80..92 };
    assert_eq!(divide(60, 16, 12, 16), Ok(expected));
}

#[test]
fn field_by_field() {
    // A combined mode: IV of 8, ICV of 16, any alignment (reading R10).
    let expected = Encrypted { at: 28, first: 0x23, iv: 32..40, text: 40..41, icv: 41..57 };
    assert_eq!(divide(25, 8, 16, 1), Ok(expected));
    // ENCR_NULL: no IV (reading R11).
    let expected = Encrypted { at: 28, first: 0x23, iv: 32..32, text: 32..45, icv: 45..57 };
    assert_eq!(divide(25, 0, 12, 1), Ok(expected));
    let data = [0; 60];
    let elsewhere = RawPayload { at: 100, next: 0x2A, ..payload(&data) };
    let expected = Encrypted { at: 100, first: 0x2A, iv: 104..120, text: 120..152, icv: 152..164 };
    assert_eq!(Encrypted::divide(&elsewhere, 16, 12, 16), Ok(expected));
}

#[test]
fn refuses_every_length_that_does_not_fit() {
    for length in 0..=100 {
        let fits = length == 44 || length == 60 || length == 76 || length == 92;
        assert_eq!(divide(length, 16, 12, 16).err(), (!fits).then(wrong_payload_length), "{length} bytes");
    }
    for length in 0..=30 {
        let fits = length > 24;
        assert_eq!(divide(length, 8, 16, 1).err(), (!fits).then(wrong_payload_length), "{length} bytes");
    }
    // Lengths that no algorithm has must not be a panic.
    for (iv, icv, block) in [(usize::MAX, 0, 1), (0, usize::MAX, 1), (0, 0, 0), (0, 0, usize::MAX)] {
        assert_eq!(divide(60, iv, icv, block), Err(wrong_payload_length()));
    }
}

/// Inner payloads, padding, PAD LENGTH: 9 + 6 + 1 bytes at byte 48, and an ICV.
const OPENED: &str = "00 80 0009 0b000000 41 010203040506 06 c1c2c3c4c5c6c7c8c9cacbcc";

fn opened() -> (Vec<u8>, Encrypted) {
    let message = [&[0xEE; 48][..], &bytes(OPENED)].concat();
    (message, Encrypted { at: 28, first: 0x23, iv: 32..48, text: 48..64, icv: 64..76 })
}

#[test]
fn finds_the_inner_payloads() {
    let (message, encrypted) = opened();
    let end = encrypted.inner_end(&message).unwrap();
    assert_eq!(end, 57);
    let inner: Vec<_> = Chain::inner(R3, &message[..end], encrypted.text.start, encrypted.first, 28).collect();
    assert_eq!(inner.len(), 1);
    assert_eq!(inner[0].unwrap().data, bytes("0b000000 41"));
    // The padding's content is not looked at (reading R13).
    assert_eq!(encrypted.inner_end(&with(&message, 57, 0xFF)), Ok(57));
    // No padding, and nothing but padding.
    assert_eq!(encrypted.inner_end(&with(&message, 63, 0)), Ok(63));
    assert_eq!(encrypted.inner_end(&with(&message, 63, 15)), Ok(48));
}

#[test]
fn refuses_more_padding_than_plaintext() {
    let (message, encrypted) = opened();
    let wrong = fault(35, Field::PadLength, WireErrorKind::Length);
    for pad_length in 16..=u8::MAX {
        assert_eq!(encrypted.inner_end(&with(&message, 63, pad_length)), Err(wrong));
    }
    for length in 0..64 {
        assert_eq!(encrypted.inner_end(&message[..length]), Err(wrong), "{length} bytes");
    }
    // The text is one byte: PAD LENGTH alone.
    let alone = Encrypted { text: 63..64, ..encrypted };
    assert_eq!(alone.inner_end(&with(&message, 63, 0)), Ok(63));
    assert_eq!(alone.inner_end(&with(&message, 63, 1)), Err(wrong));
}

/// The least PAD LENGTH that aligns payloads, padding and its own byte (RFC 4306 3.14).
#[test]
fn pads() {
    let by_sixteen = [(0, 15), (1, 14), (14, 1), (15, 0), (16, 15), (31, 0), (68, 11), (66, 13)];
    for (inner, pad_length) in by_sixteen {
        assert_eq!(pad_length_for(inner, 16), pad_length, "{inner} bytes");
    }
    let by_four = [(0, 3), (1, 2), (2, 1), (3, 0), (4, 3)];
    for (inner, pad_length) in by_four {
        assert_eq!(pad_length_for(inner, 4), pad_length, "{inner} bytes");
    }
    for inner in 0..40 {
        assert_eq!(pad_length_for(inner, 1), 0);
        // No alignment at all is none.
        assert_eq!(pad_length_for(inner, 0), 0);
    }
    assert_eq!(pad_length_for(0, 256), 255);
}
