//! Notify: r3 Table H3. Delete: r3 Table H4. Vendor ID: r3 7.7.4.9.

use super::{bytes, check_cut, check_emit_body, fault, parse, with, wrong_payload_length};
use crate::wire::{Body, Delete, Field, Notify, Sai, VendorId, WireErrorKind};

/// PROTOCOL ID 1, SAI SIZE 8, 16384, SAI.
const NOTIFY: &str = "01 08 4000 0102030405060708";
/// PROTOCOL ID 1, SAI SIZE 8, one SAI, SAI.
const DELETE: &str = "01 08 0001 a1a2a3a4a5a6a7a8";

#[test]
fn notify_parses() {
    assert_eq!(parse(&bytes(NOTIFY)), Ok(Notify { sai: Sai(0x0102_0304_0506_0708) }));
}

#[test]
fn notify_emits() {
    check_emit_body(&Notify { sai: Sai(0x0102_0304_0506_0708) }, &bytes(NOTIFY));
}

#[test]
fn notify_field_by_field() {
    assert_eq!(parse(&bytes("01 08 4000 0000000000000000")), Ok(Notify { sai: Sai::ZERO }));
    assert_eq!(parse(&bytes("01 08 4000 ffffffffffffffff")), Ok(Notify { sai: Sai(u64::MAX) }));
    assert_eq!(Notify::SAI_AT, 8);
}

/// Every fixed field of `data` with every wrong value of each of its bytes.
fn refuses_fixed_fields<'a, B: Body<'a> + PartialEq + core::fmt::Debug>(data: &[u8], fields: [(usize, Field); 4]) {
    for (at, (field_at, field)) in fields.into_iter().enumerate() {
        for value in (0..=u8::MAX).filter(|value| *value != data[at]) {
            let changed = std::boxed::Box::leak(with(data, at, value).into_boxed_slice());
            assert_eq!(
                parse::<B>(changed),
                Err(fault(field_at, field, WireErrorKind::Invalid)),
                "{field} {value:02X}h"
            );
        }
    }
}

#[test]
fn notify_refuses() {
    let data = bytes(NOTIFY);
    let message_type = (6, Field::NotifyMessageType);
    refuses_fixed_fields::<Notify>(&data, [(4, Field::ProtocolId), (5, Field::SaiSize), message_type, message_type]);
    check_cut::<Notify>(&data, 12);
    assert_eq!(parse::<Notify>(&[&data[..], &[0]].concat()), Err(wrong_payload_length()));
}

#[test]
fn delete_parses() {
    assert_eq!(parse(&bytes(DELETE)), Ok(Delete { ac_sai: Sai(0xA1A2_A3A4_A5A6_A7A8), ds_sai: None }));
}

#[test]
fn delete_emits() {
    check_emit_body(&Delete { ac_sai: Sai(0xA1A2_A3A4_A5A6_A7A8), ds_sai: None }, &bytes(DELETE));
}

#[test]
fn delete_field_by_field() {
    assert_eq!(parse(&bytes("01 08 0001 0000000000000000")), Ok(Delete { ac_sai: Sai::ZERO, ds_sai: None }));
    assert_eq!(parse(&bytes("01 08 0001 ffffffffffffffff")), Ok(Delete { ac_sai: Sai(u64::MAX), ds_sai: None }));
    assert_eq!(Delete::AC_SAI_AT, 8);
}

#[test]
fn delete_refuses() {
    let data = bytes(DELETE);
    let count = (6, Field::NumberOfSais);
    refuses_fixed_fields::<Delete>(&data, [(4, Field::ProtocolId), (5, Field::SaiSize), count, count]);
    check_cut::<Delete>(&data, 12);
    assert_eq!(parse::<Delete>(&[&data[..], &[0]].concat()), Err(wrong_payload_length()));
}

#[test]
fn vendor_id_parses() {
    assert_eq!(parse(b"any bytes"), Ok(VendorId { data: b"any bytes" }));
}

#[test]
fn vendor_id_emits() {
    check_emit_body(&VendorId { data: b"any bytes" }, b"any bytes");
}

#[test]
fn vendor_id_field_by_field() {
    assert_eq!(parse(&[]), Ok(VendorId { data: &[] }));
    assert_eq!(parse(&[0xFF; 65_531]), Ok(VendorId { data: &[0xFF; 65_531] }));
}
// Nothing refuses a Vendor ID payload: its content is whatever the vendor likes.
