//! The two readers against each other, on the vectors and on what is left of them after an accident.

use std::vec::Vec;

use super::{alternatives, content_fits, no_std, parser};
use crate::x509::outline::sequence;

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
        let fields = no_std::fields(&der);
        assert_eq!(parser::fields(&der), fields);
        let Some(fields) = fields else { continue };
        certificates += 1;
        assert_eq!(parser::is_name(fields.subject), no_std::is_name(fields.subject));
        for name in alternatives(&fields).unwrap() {
            assert!(is_general_name(parser::is_general_name, name) && is_general_name(no_std::is_general_name, name));
        }
    }
    assert!(certificates > 100, "{certificates}");
}

/// Where one reader is stricter than the other, that is no harm if it is the one about what nobody asks; so what both read must be
/// the same, and each says no to a name that the other cannot read whole.
#[test]
fn what_both_read_of_a_damaged_certificate_is_the_same() {
    let (mut both, mut one) = (0, 0);
    for der in objects().iter().filter(|der| der.len() < 700).step_by(9) {
        for at in 0..der.len() {
            for bit in [0, 3, 5, 7] {
                let mut flipped = der.clone();
                flipped[at] ^= 1 << bit;
                match (parser::fields(&flipped), no_std::fields(&flipped)) {
                    (Some(a), Some(b)) => {
                        both += 1;
                        assert_eq!((a.subject, a.key_usage, a.alternative), (b.subject, b.key_usage, b.alternative));
                    }
                    (None, None) => {}
                    _ => one += 1,
                }
            }
        }
    }
    assert!(both > 10 * one, "both {both}, only one {one}");
}

#[test]
fn both_say_the_same_of_a_damaged_name() {
    let mut good = 0;
    for der in objects() {
        let Some(fields) = no_std::fields(&der) else { continue };
        let mut names = alternatives(&fields).unwrap();
        names.push(fields.subject);
        for name in names.into_iter().filter(|name| name.len() < 100) {
            for at in 0..name.len() {
                for flip in [1, 0x20, 0x80, 0xFF] {
                    let mut damaged = name.to_vec();
                    damaged[at] ^= flip;
                    for der in [&damaged[..], &name[..at]] {
                        assert_eq!(parser::is_name(der), no_std::is_name(der), "{der:02x?}");
                        let general = [parser::is_general_name, no_std::is_general_name].map(|r| is_general_name(r, der));
                        assert_eq!(general[0], general[1], "{der:02x?}");
                        good += usize::from(general[0]);
                    }
                }
            }
        }
    }
    assert!(good > 100, "{good}");
    assert!(sequence(&[]).is_none());
}
