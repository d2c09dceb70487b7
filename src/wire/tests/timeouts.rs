//! STV: r3 Table M1.

use super::{bytes, check_cut, check_emit_body, fault, parse, with, wrong_payload_length};
use crate::wire::{Field, Timeouts, WireErrorKind};

/// Reserved, two timeouts, 60 seconds, 3600 seconds.
const DATA: &str = "000000 02 0000003c 00000e10";

#[test]
fn parses() {
    assert_eq!(parse(&bytes(DATA)), Ok(Timeouts { protocol: 60, inactivity: 3600 }));
}

#[test]
fn emits() {
    check_emit_body(&Timeouts { protocol: 60, inactivity: 3600 }, &bytes(DATA));
}

#[test]
fn field_by_field() {
    let stv = |hex| parse::<Timeouts>(&bytes(hex)).unwrap();
    assert_eq!(stv("000000 02 ffffffff 00000000"), Timeouts { protocol: u32::MAX, inactivity: 0 });
    assert_eq!(stv("000000 02 00000000 ffffffff"), Timeouts { protocol: 0, inactivity: u32::MAX });
    assert_eq!(stv("000000 02 01020304 05060708"), Timeouts { protocol: 0x0102_0304, inactivity: 0x0506_0708 });
    // Reserved bytes are ignored (reading R7).
    assert_eq!(stv("ffffff 02 0000003c 00000e10"), Timeouts { protocol: 60, inactivity: 3600 });
    assert_eq!((Timeouts::PROTOCOL_AT, Timeouts::INACTIVITY_AT), (8, 12));
}

#[test]
fn refuses() {
    let data = bytes(DATA);
    for count in (0..=u8::MAX).filter(|count| *count != 2) {
        let wrong = fault(7, Field::NumberOfTimeoutValues, WireErrorKind::Invalid);
        assert_eq!(parse::<Timeouts>(&with(&data, 3, count)), Err(wrong));
    }
    check_cut::<Timeouts>(&data, 12);
    let longer = [&data[..], &[0]].concat();
    assert_eq!(parse::<Timeouts>(&longer), Err(wrong_payload_length()));
}
