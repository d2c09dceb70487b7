//! The two readers against each other, on the vectors and on what is left of them after an accident.

use std::vec;
use std::vec::Vec;

use super::{Fields, alternatives, by_der, by_parser, content_fits, fields, is_name};
use crate::crypto::CertificateError;

/// The objects of the vectors: certificates and revocation lists.
fn objects() -> Vec<Vec<u8>> {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../vectors/certificates/certificates.json")).unwrap();
    let digit = |c: u8| u8::try_from(char::from(c).to_digit(16).unwrap()).unwrap();
    let hex = |text: &str| text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    all["der"].as_array().unwrap().iter().map(|der| hex(der.as_str().unwrap())).collect()
}

fn is_general_name(reader: fn(&[u8]) -> bool, der: &[u8]) -> bool {
    reader(der) && content_fits(der)
}

#[test]
fn both_read_the_same_in_every_certificate() {
    let mut certificates = 0;
    for der in objects() {
        let fields = by_der::fields(&der);
        assert_eq!(by_parser::fields(&der), fields);
        let Some(fields) = fields else { continue };
        certificates += 1;
        assert_eq!(by_parser::is_name(fields.subject), by_der::is_name(fields.subject));
        for name in alternatives(&fields).unwrap() {
            assert!(
                is_general_name(by_parser::is_general_name, name) && is_general_name(by_der::is_general_name, name)
            );
        }
    }
    assert!(certificates > 100, "{certificates}");
}

/// One may be stricter than the other about what nobody asks for here, and x509-parser leaves out what it cannot read of a name;
/// but neither sees another name, and where they differ the certificate is refused.
#[test]
fn a_damaged_certificate_is_read_alike_or_refused() {
    let (mut both, mut shortened, mut one) = (0, 0, 0);
    for der in objects().iter().filter(|der| der.len() < 700).step_by(9) {
        for at in 0..der.len() {
            for bit in [0, 3, 5, 7] {
                let mut flipped = der.clone();
                flipped[at] ^= 1 << bit;
                let (plain, second) = (by_der::fields(&flipped), by_parser::fields(&flipped));
                assert_eq!(fields(&flipped).is_ok(), plain.is_some() && plain == second);
                match (plain, second) {
                    (Some(plain), Some(second)) => {
                        assert_eq!((plain.key_usage, plain.alternative), (second.key_usage, second.alternative));
                        assert!(plain.subject.starts_with(second.subject));
                        both += 1;
                        shortened += u32::from(plain != second);
                    }
                    (None, None) => {}
                    _ => one += 1,
                }
            }
        }
    }
    assert!(both > 5 * one && shortened > 0, "both {both}, of these {shortened} shortened, only one {one}");
}

/// x509-parser takes more than DER; `der` takes nothing that x509-parser does not.
#[test]
fn nothing_that_der_takes_for_a_name_is_refused_by_the_parser() {
    let (mut good, mut lenient) = (0, 0);
    let mut judge = |readers: [fn(&[u8]) -> bool; 2], der: &[u8]| {
        let [plain, second] = readers.map(|reader| reader(der));
        assert!(second || !plain, "{der:02x?}");
        good += u32::from(plain);
        lenient += u32::from(second && !plain);
    };
    for der in objects() {
        let Some(fields) = by_der::fields(&der) else { continue };
        let mut names = alternatives(&fields).unwrap();
        names.push(fields.subject);
        for name in names.into_iter().filter(|name| name.len() < 100) {
            for at in 0..name.len() {
                for flip in [1, 0x20, 0x80, 0xFF] {
                    let mut damaged = name.to_vec();
                    damaged[at] ^= flip;
                    for der in [&damaged[..], &name[..at]] {
                        judge([by_der::is_name, by_parser::is_name], der);
                        let general = |der: &[u8]| is_general_name(by_der::is_general_name, der);
                        let second = |der: &[u8]| is_general_name(by_parser::is_general_name, der);
                        judge([general, second], der);
                    }
                }
            }
        }
    }
    assert!(good > 100 && lenient > 0, "{good} good, {lenient} too lenient");
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
}

const EMPTY: &[u8] = &[0x30, 0];

/// A certificate with these extensions.
fn certificate(extensions: &[&[u8]]) -> Vec<u8> {
    let extensions = element(0xA3, &[&element(0x30, extensions)]);
    let tbs = element(0x30, &[&[0xA0, 3, 2, 1, 2], &[2, 1, 1], EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, &extensions]);
    element(0x30, &[&tbs, EMPTY, &[3, 2, 0, 9]])
}

/// What `der` alone says, which is all there is without std.
#[test]
fn extensions_are_read_once_and_whole() {
    let usage = |value: &[u8], after: &[u8]| element(0x30, &[&[6, 3, 0x55, 0x1D, 15], &element(4, &[value]), after]);
    let names = element(0x30, &[&[6, 3, 0x55, 0x1D, 17], &[1, 1, 0xFF], &[4, 1, 7]]);
    let (first, second) = (usage(b"1", &[]), usage(b"2", &[]));
    let read = |extensions: &[&[u8]]| {
        by_der::fields(&certificate(extensions))
            .map(|f| (f.key_usage.map(<[u8]>::to_vec), f.alternative.map(<[u8]>::to_vec)))
    };
    assert_eq!(read(&[]), Some((None, None)));
    assert_eq!(read(&[&names, &first]), Some((Some(b"1".to_vec()), Some(vec![7]))));
    assert_eq!(read(&[&first, &second]), None);
    assert_eq!(read(&[&names, &first, &names]), None);
    assert_eq!(read(&[&usage(b"1", &[5, 0])]), None);
    for wrong in [EMPTY, &[0x31, 0], &element(0x30, &[&[4, 1, 7]]), &element(0x30, &[&[6, 3, 0x55, 0x1D, 17], &[5, 0]])]
    {
        assert_eq!(read(&[wrong]), None, "{wrong:02x?}");
    }
}

/// SET { SEQUENCE { id-at-commonName, UTF8String } }
fn relative_name(after: &[u8]) -> Vec<u8> {
    element(0x31, &[&element(0x30, &[&[6, 3, 0x55, 4, 3], &[12, 1, b'A'], after])])
}

#[test]
fn names_are_whole_and_not_empty() {
    let good = relative_name(&[]);
    let mut sequence = good.clone();
    sequence[0] = 0x30;
    let arc = element(0x31, &[&element(0x30, &[&[6, 3, 0x55, 0x80, 3], &[12, 1, b'A']])]);
    let unfinished = element(0x31, &[&element(0x30, &[&[6, 3, 0x55, 4, 0x83], &[12, 1, b'A']])]);
    assert!([by_der::is_name, by_parser::is_name, is_name].iter().all(|is| is(&element(0x30, &[&good, &good]))));
    for wrong in [&[][..], &sequence, &relative_name(&[5, 0]), &arc, &unfinished, &[0x31, 0]] {
        let name = element(0x30, &[&good, wrong, &good]);
        assert_eq!((by_der::is_name(&name), is_name(&name)), (wrong.is_empty(), wrong.is_empty()), "{wrong:02x?}");
    }
    assert!(!by_der::is_name(EMPTY) && !is_name(EMPTY));
}

#[test]
fn general_names_have_the_content_of_their_kind() {
    let directory = element(0xA4, &[&element(0x30, &[&relative_name(&[])])]);
    let other = |kind: &[u8], value: &[u8], after: &[u8]| {
        element(0xA0, &[&element(6, &[kind]), &element(0xA0, &[value]), after])
    };
    let good = [
        element(0x82, &[b"tape"]),
        element(0x81, &[b"tape@example.org"]),
        element(0x86, &[b"urn:tape"]),
        element(0x87, &[&[1; 4]]),
        element(0x87, &[&[1; 16]]),
        element(0x88, &[&[0x2A, 0x86, 0x48]]),
        directory,
        other(&[0x2A, 3], &[12, 1, b'A'], &[]),
    ];
    let bad = [
        element(0x82, &[&[0xC3, 0xA4]]),
        element(0x82, &[]),
        element(0x81, &[]),
        element(0x86, &[]),
        element(0xA2, &[b"tape"]),
        element(0x87, &[&[1; 5]]),
        element(0x87, &[]),
        element(0x88, &[&[0x2A, 0x86]]),
        element(0x88, &[&[0x2A, 0x80, 1]]),
        element(0x88, &[]),
        element(0xA4, &[EMPTY]),
        element(0x84, &[&element(0x30, &[&relative_name(&[])])]),
        other(&[0x2A, 3], &[12, 1, b'A'], &[5, 0]),
        other(&[0x2A, 0x83], &[12, 1, b'A'], &[]),
        other(&[0x2A, 3], &[], &[]),
        element(0x89, &[b"tape"]),
        element(0x42, &[b"tape"]),
        Vec::new(),
    ];
    let all = |names: &[&[u8]]| {
        let value = element(0x30, names);
        alternatives(&Fields { subject: &[], alternative: Some(&value), key_usage: None }).map(|found| found.len())
    };
    for name in &good {
        assert!(super::is_general_name(name) && is_general_name(by_der::is_general_name, name), "{name:02x?}");
        assert_eq!(all(&[&good[0], name]), Ok(2));
    }
    for name in &bad {
        assert!(!super::is_general_name(name) && !is_general_name(by_der::is_general_name, name), "{name:02x?}");
        let expected = if name.is_empty() { Ok(1) } else { Err(CertificateError::Malformed) };
        assert_eq!(all(&[&good[0], name]), expected, "{name:02x?}");
    }
}
