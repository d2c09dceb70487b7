//! The two readers against each other, on the vectors and on what is left of them after an accident.

use std::vec::Vec;

use super::{alternatives, by_der, by_parser, content_fits, fields};

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
