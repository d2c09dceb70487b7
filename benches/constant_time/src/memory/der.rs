//! Private keys of the recorded exchanges, and where in their DER the secrets are.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use crate::valgrind::secret;

/// The PKCS#8 PrivateKeyInfo of the first key of this kind ("rsa", "p256", ..) in the recorded exchange; PEM inside.
pub fn recorded_key(transcript: &str, kind: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../vectors/transcripts/{transcript}.json"));
    let json: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a transcript")).expect("JSON");
    let pem = find(&json, kind).expect("a private key of this kind");
    pem_rfc7468::decode_vec(pem.as_bytes()).expect("PEM").1
}

/// Object identifiers of the curves.
pub const SECP256R1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
pub const SECP384R1: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];
pub const SECP521R1: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x23];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];

/// The PKCS#8 PrivateKeyInfo of the first private value of a file of published signatures, without its public key.
pub fn published_key(name: &str, curve: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../vectors/primitives/{name}.json"));
    let json: Value = serde_json::from_str(&fs::read_to_string(&path).expect("vectors")).expect("JSON");
    let digits = json["signed"][0]["private"].as_str().expect("a private value").as_bytes();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).expect("a digit");
    let private: Vec<u8> =
        digits.as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect();
    // Every length has one byte.
    let element = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        [&[tag, u8::try_from(content.len()).expect("a short element")], content.as_slice()].concat()
    };
    let key = element(0x30, &[&element(0x02, &[&[1]]), &element(0x04, &[&private])]);
    let algorithm = element(0x30, &[&element(0x06, &[EC_PUBLIC_KEY]), &element(0x06, &[curve])]);
    element(0x30, &[&element(0x02, &[&[0]]), &algorithm, &element(0x04, &[&key])])
}

fn find<'a>(json: &'a Value, kind: &str) -> Option<&'a str> {
    let is_key = |text: &&str| text.starts_with("-----BEGIN PRIVATE KEY-----");
    match json {
        Value::Object(map) => {
            let own = map.get(kind).and_then(Value::as_str).filter(is_key);
            own.or_else(|| map.values().find_map(|value| find(value, kind)))
        }
        Value::Array(all) => all.iter().find_map(|value| find(value, kind)),
        _ => None,
    }
}

/// The contents of the elements that follow one another in this range of DER.
fn elements(der: &[u8], within: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = within.start;
    while at < within.end {
        let (length, start) = match der[at + 1] {
            short @ 0..0x80 => (usize::from(short), at + 2),
            long => {
                let start = at + 2 + usize::from(long & 0x7F);
                (der[at + 2..start].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), start)
            }
        };
        found.push(start..start + length);
        at = start + length;
    }
    found
}

/// The parts of a PrivateKeyInfo's key: version, algorithm, then an octet string with a sequence in it.
fn parts(der: &[u8]) -> Vec<Range<usize>> {
    let info = elements(der, 0..der.len()).remove(0);
    let key = elements(der, info).remove(2);
    let sequence = elements(der, key).remove(0);
    elements(der, sequence)
}

/// Marks d, p, q and what is computed of them: all but version, modulus and public exponent. Lengths are public, and so is
/// the sign's byte of zero before a number (RFC 8017 A.1.2).
pub fn mark_rsa(der: &mut [u8]) {
    for range in parts(der).into_iter().skip(3) {
        let padded = usize::from(der[range.start] == 0);
        secret(&mut der[range][padded..]);
    }
}

/// Marks the private value, the first octet string after the version (RFC 5915 3).
pub fn mark_ec(der: &mut [u8]) {
    let range = parts(der).remove(1);
    secret(&mut der[range]);
}
