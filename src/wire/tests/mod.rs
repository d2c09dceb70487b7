//! Four tests for each format: parse, emit, field by field, refuse.
//!
//! The bytes are made by hand from the tables of T10/06-449r3 and of SPC-4; nothing here is taken from our own output.

mod algorithms;
mod capabilities;
mod cdb;
mod chain;
mod encrypted;
mod header;
mod identity;
mod key_exchange;
mod message;
mod notice;
mod order;
mod print;
mod sa_payloads;
mod spc4;
mod spc4_order;
mod timeouts;

use core::fmt::Debug;
use std::vec;
use std::vec::Vec;

use crate::dialect::Profile;
use crate::wire::{Body, EmitError, Field, Reader, WireError, WireErrorKind, Writer};

const R3: Profile = Profile::R3;
const SPC4: Profile = Profile::SPC4;

/// Where the payloads of these tests stand: behind a header.
const AT: usize = 28;

/// A fault of a whole-byte field of a payload that stands at [`AT`], `offset` bytes after its first byte.
fn fault(offset: usize, field: Field, kind: WireErrorKind) -> WireError {
    WireError { byte: AT + offset, bit: None, field, kind }
}

/// PAYLOAD LENGTH, bytes 2 and 3 of every payload, does not fit.
fn wrong_payload_length() -> WireError {
    fault(2, Field::PayloadLength, WireErrorKind::Length)
}

/// Bytes written as the tables are read: hexadecimal, spaces wherever they help.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert_eq!(digits.len() % 2, 0, "half a byte in {hex}");
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// `data`, with `value` in place of the byte at `at`.
fn with(data: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut changed = data.to_vec();
    changed[at] = value;
    changed
}

/// Reads the data of a payload that stands at [`AT`].
fn parse<'a, B: Body<'a>>(data: &'a [u8]) -> Result<B, WireError> {
    B::parse(R3, Reader::new(data, AT + 4, AT + 2, Field::PayloadLength))
}

/// As [`parse`], by the rules of SPC-4.
fn parse_spc4<'a, B: Body<'a>>(data: &'a [u8]) -> Result<B, WireError> {
    B::parse(SPC4, Reader::new(data, AT + 4, AT + 2, Field::PayloadLength))
}

/// `emit` writes `expected` and nothing behind it, and refuses every buffer that is too short.
fn check_emit(expected: &[u8], emit: impl Fn(&mut Writer<'_>) -> Result<(), EmitError>) {
    let mut buffer = vec![0xA5; expected.len() + 7];
    let mut writer = Writer::new(&mut buffer);
    emit(&mut writer).unwrap();
    assert_eq!(writer.at(), expected.len());
    assert_eq!(buffer[..expected.len()], *expected);
    assert_eq!(buffer[expected.len()..], [0xA5; 7]);
    for short in 0..expected.len() {
        assert_eq!(emit(&mut Writer::new(&mut buffer[..short])), Err(EmitError::BufferTooSmall), "{short} bytes");
    }
}

/// As [`check_emit`], for the data of a payload.
fn check_emit_body<'a>(body: &impl Body<'a>, expected: &[u8]) {
    assert_eq!(body.len(), expected.len());
    check_emit(expected, |writer| body.emit(writer));
}

/// Every beginning of `data` that is shorter than `fixed` bytes is refused as too short for PAYLOAD LENGTH.
fn check_cut<'a, B: Body<'a> + PartialEq + Debug>(data: &'a [u8], fixed: usize) {
    for length in 0..fixed {
        assert_eq!(parse::<B>(&data[..length]), Err(wrong_payload_length()), "{length} bytes");
    }
}
