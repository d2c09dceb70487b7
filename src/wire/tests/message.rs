//! Whole messages: r3 Tables E1 and F1, and the tables of the payloads in them.

use std::vec;
use std::vec::Vec;

use super::{R3, bytes, with};
use crate::dialect::{Exchange, HeaderFlags, PayloadType, Profile};
use crate::wire::{
    Delete, EmitError, Encrypted, Field, KeyExchange, Message, MessageWriter, Nonce, Sai, Timeouts, VendorId,
    WireError, WireErrorKind,
};

/// STV, V, KE of two bytes, NONCE.
const PLAIN: &str = "0102030405060708 0000000000000000 82 20 f2 10 00000000 00000049
    2b 80 0010 00000002 0000003c 00000e10
    22 00 0005 76
    28 80 0008 0013 0000
    00 80 0010 f1f2f3f4f5f6f7f8f9fafbfc";

fn write_plain(profile: Profile, buffer: &mut [u8]) -> Result<&mut [u8], EmitError> {
    let sais = (Sai(0x0102_0304_0506_0708), Sai::ZERO);
    let mut writer = MessageWriter::new(profile, Exchange::KeyExchangeOut, sais, 0, buffer)?;
    writer.payload(PayloadType::Timeouts, &Timeouts { protocol: 60, inactivity: 3600 })?;
    writer.payload(PayloadType::VendorId, &VendorId { data: b"v" })?;
    writer.payload(PayloadType::KeyExchange, &KeyExchange { group: 19, public: &[] })?;
    let nonce = bytes("f1f2f3f4f5f6f7f8f9fafbfc");
    writer.payload(PayloadType::Nonce, &Nonce { data: &nonce })?;
    writer.finish()
}

/// A Delete, in an Encrypted payload with an IV of four bytes, aligned to 8, with an ICV of three bytes.
const ENCRYPTED: &str = "0102030405060708 a1a2a3a4a5a6a7a8 2e 20 f4 10 00000002 0000003f
    2a 80 0023 b1b2b3b4
    00 80 0010 01 08 0001 0102030405060708 01020304050607 07
    000000";

fn write_encrypted(buffer: &mut [u8]) -> Result<(&mut [u8], Encrypted), EmitError> {
    let sais = (Sai(0x0102_0304_0506_0708), Sai(0xA1A2_A3A4_A5A6_A7A8));
    let mut writer = MessageWriter::new(R3, Exchange::DeleteOut, sais, 2, buffer)?;
    writer.begin_encrypted(&[0xB1, 0xB2, 0xB3, 0xB4])?;
    writer.payload(PayloadType::Delete, &Delete { ac_sai: Sai(0x0102_0304_0506_0708), ds_sai: None })?;
    let encrypted = writer.end_encrypted(8, 3)?;
    Ok((writer.finish()?, encrypted))
}

#[test]
fn plain_messages_are_written() {
    let expected = bytes(PLAIN);
    let mut buffer = [0xA5; 80];
    assert_eq!(write_plain(R3, &mut buffer).unwrap(), expected);
    assert_eq!(buffer[73..], [0xA5; 7]);
    for short in 0..expected.len() {
        assert_eq!(write_plain(R3, &mut buffer[..short]).err(), Some(EmitError::BufferTooSmall), "{short} bytes");
    }
    let rfc4306 = Profile { header_flags: HeaderFlags::Rfc4306, ..R3 };
    assert_eq!(write_plain(rfc4306, &mut buffer).unwrap(), with(&expected, 19, 0x08));
}

#[test]
fn encrypted_messages_are_written() {
    let expected = bytes(ENCRYPTED);
    let mut buffer = [0xA5; 70];
    let (message, encrypted) = write_encrypted(&mut buffer).unwrap();
    assert_eq!(message, expected);
    assert_eq!(encrypted, Encrypted { at: 28, first: 0x2A, iv: 32..36, text: 36..60, icv: 60..63 });
    assert_eq!(buffer[63..], [0xA5; 7]);
    for short in 0..expected.len() {
        assert_eq!(write_encrypted(&mut buffer[..short]).err(), Some(EmitError::BufferTooSmall), "{short} bytes");
    }
}

#[test]
fn a_header_says_what_the_exchange_is() {
    let exchanges = [
        (Exchange::KeyExchangeOut, [0xF2, 0x10]),
        (Exchange::KeyExchangeIn, [0xF2, 0x04]),
        (Exchange::AuthenticationOut, [0xF3, 0x10]),
        (Exchange::AuthenticationIn, [0xF3, 0x04]),
        (Exchange::DeleteOut, [0xF4, 0x10]),
    ];
    for (exchange, expected) in exchanges {
        let mut buffer = [0xA5; 28];
        let writer = MessageWriter::new(R3, exchange, (Sai(1), Sai(2)), 7, &mut buffer).unwrap();
        let message = writer.finish().unwrap();
        assert_eq!(message[18..20], expected);
        assert_eq!((message[16], message[17], message[23], message[27]), (0, 0x20, 7, 28));
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    fn new(buffer: &mut [u8]) -> MessageWriter<'_> {
        MessageWriter::new(R3, Exchange::DeleteOut, (Sai(1), Sai(2)), 2, buffer).unwrap()
    }
    let mut buffer = vec![0; 70_000];
    assert_eq!(new(&mut buffer).end_encrypted(16, 12), Err(EmitError::TooLong));
    let long = VendorId { data: &[0; 65_532] };
    assert_eq!(new(&mut buffer).payload(PayloadType::VendorId, &long), Err(EmitError::TooLong));
    let longest = VendorId { data: &[0; 65_531] };
    assert_eq!(new(&mut buffer).payload(PayloadType::VendorId, &longest), Ok(()));
}

#[test]
fn plain_messages_are_read() {
    let data = bytes(PLAIN);
    let message = Message::parse(R3, &data).unwrap();
    let codes: Vec<_> = message.payloads().map(|raw| raw.unwrap().code).collect();
    assert_eq!(codes, [0x82, 0x2B, 0x22, 0x28]);
    assert_eq!(message.header.message_id, 0);
    assert!(message.inner_payloads().is_none());
    let no_header = WireError { byte: 0, bit: None, field: Field::Length, kind: WireErrorKind::NoHeader };
    for length in 0..28 {
        assert_eq!(Message::parse(R3, &data[..length]).err(), Some(no_header));
    }
}

#[test]
fn opened_messages_are_read() {
    let data = bytes(ENCRYPTED);
    let raw = Message::parse(R3, &data).unwrap().payloads().next().unwrap().unwrap();
    let encrypted = Encrypted::divide(&raw, 4, 3, 8).unwrap();
    let message = Message::parse(R3, &data).unwrap().with_opened(&encrypted).unwrap();
    let inner: Vec<_> = message.inner_payloads().unwrap().map(|raw| raw.unwrap()).collect();
    assert_eq!(inner.len(), 1);
    assert_eq!((inner[0].code, inner[0].named_at, inner[0].at), (0x2A, 28, 36));
    assert_eq!(inner[0].body(R3), Ok(Delete { ac_sai: Sai(0x0102_0304_0506_0708), ds_sai: None }));
    let wrong = with(&data, 59, 24);
    let pad_length = WireError { byte: 59, bit: None, field: Field::PadLength, kind: WireErrorKind::Length };
    assert_eq!(Message::parse(R3, &wrong).unwrap().with_opened(&encrypted).err(), Some(pad_length));
}
