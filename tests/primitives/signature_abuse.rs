//! Signatures and public keys that must be refused, made by hand: the holes that other implementations had.

use ikev2_scsi::crypto::{CryptoError, HashKind, KeyKind, PublicKey, Signer};
use num_bigint::BigUint;

use crate::provider::{EcdsaSigner, RsaSigner};
use crate::signatures::{rsa_keys, sign, verifier};
use crate::{der, hex, read, records};

pub(crate) const REFUSED: Result<(), CryptoError> = Err(CryptoError::Refused);
pub(crate) const MESSAGE: &[&[u8]] = &[b"octets", b" to be signed"];

/// Order and prime of the curve, in hexadecimal.
const CURVES: [(&str, KeyKind, &[u8], &str, &str); 3] = [
    (
        "ecdsa256",
        KeyKind::P256,
        der::SECP256R1,
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    ),
    (
        "ecdsa384",
        KeyKind::P384,
        der::SECP384R1,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    ),
    (
        "ecdsa521",
        KeyKind::P521,
        der::SECP521R1,
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b889\
         9c47aebb6fb71e91386409",
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         fffffffffffffffffffffff",
    ),
];

fn number(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).unwrap()
}

pub(crate) fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; length.saturating_sub(bytes.len())], bytes].concat()
}

/// A key of the curve, a signature over [`MESSAGE`], and the two halves of the signature as numbers.
fn signed(name: &str, curve: &[u8]) -> (Vec<u8>, Vec<u8>, [BigUint; 2]) {
    let record = &records(&read(name), "signed")[0];
    let signer = EcdsaSigner::from_pkcs8_der(&der::ec_pkcs8(curve, &hex(&record["private"]), None)).unwrap();
    let signature = sign(&signer, MESSAGE).unwrap();
    let (r, s) = signature.split_at(signature.len() / 2);
    let numbers = [r, s].map(BigUint::from_bytes_be);
    (signer.public_key().bytes.into(), signature, numbers)
}

#[test]
fn halves_of_an_ecdsa_signature_are_in_range() {
    for (name, kind, curve, order, _) in CURVES {
        let (key, signature, [r, s]) = signed(name, curve);
        let (order, field, verifier) = (number(order), kind.field_length().unwrap(), verifier(kind, kind.auth_hash()));
        let verify =
            |r: &BigUint, s: &BigUint| verifier.verify(&key, MESSAGE, &[padded(r, field), padded(s, field)].concat());
        assert_eq!(signature.len(), 2 * field);
        assert_eq!(verify(&r, &s), Ok(()));
        // As good as the other one: nothing here asks for the lower of the two.
        assert_eq!(verify(&r, &(&order - &s)), Ok(()));
        let all = BigUint::from_bytes_be(&vec![0xFF; field]);
        for bad in [BigUint::ZERO, BigUint::from(1_u8), order.clone(), &order + 1_u8, all] {
            for (r, s) in [(&bad, &s), (&r, &bad), (&bad, &bad)] {
                assert_eq!(verify(r, s), REFUSED, "{name}: {r} {s}");
            }
        }
        for more in [&r, &s].map(|half| half + &order) {
            if more.bits() <= 8 * field as u64 {
                assert_eq!([verify(&more, &s), verify(&r, &more)], [REFUSED; 2], "{name}");
            }
        }
        assert_eq!(verify(&s, &r), REFUSED);
        for length in [0, 1, field, 2 * field - 1] {
            assert_eq!(verifier.verify(&key, MESSAGE, &signature[..length]), REFUSED, "{name}: {length}");
        }
        let der = der::sequence(&[&der::integer(&r), &der::integer(&s)]);
        for wrong in [[&signature[..], &[0]].concat(), [&[0], &signature[..]].concat(), der, vec![0xFF; 70_000]] {
            assert_eq!(verifier.verify(&key, MESSAGE, &wrong), REFUSED, "{name}: {}", wrong.len());
        }
    }
}

#[test]
fn ecdsa_keys_are_uncompressed_points_of_the_curve() {
    for (name, kind, curve, _, prime) in CURVES {
        let (key, signature, _) = signed(name, curve);
        let (prime, field, verifier) = (number(prime), kind.field_length().unwrap(), verifier(kind, kind.auth_hash()));
        let (x, y) = key[1..].split_at(field);
        let form = |first: u8, rest: &[&[u8]]| [&[first], rest.concat().as_slice()].concat();
        let parity = 2 + (y[field - 1] & 1);
        let mut off_curve = key.clone();
        off_curve[field] ^= 1;
        let other_y = padded(&(&prime - BigUint::from_bytes_be(y)), field);
        let all = vec![0xFF; field];
        let bad = [
            vec![],
            vec![0],
            vec![4],
            form(0, &[x, y]),
            form(parity, &[x]),
            form(parity, &[x, y]),
            form(parity ^ 1, &[x]),
            form(parity + 4, &[x, y]),
            form(5, &[x]),
            form(4, &[x]),
            form(4, &[y, x]),
            form(4, &[x, y, &[0]]),
            form(4, &[&[0], x, y]),
            form(4, &[&vec![0; 2 * field]]),
            form(4, &[x, &padded(&prime, field)]),
            form(4, &[&all, &all]),
            form(4, &[x, &other_y]),
            key[1..].to_vec(),
            key[..2 * field].to_vec(),
            off_curve,
            vec![4; 70_000],
        ];
        assert_eq!(verifier.verify(&key, MESSAGE, &signature), Ok(()));
        for bad in bad {
            assert_eq!(verifier.verify(&bad, MESSAGE, &signature), REFUSED, "{name}: {} bytes", bad.len());
        }
    }
}

/// Whoever knows how a decoy is made can sign with it: what is verified with one must be refused all the same.
#[test]
fn decoys_of_curves_are_the_keys_of_private_value_one() {
    for (_, kind, curve, _, _) in CURVES {
        let one = padded(&BigUint::from(1_u8), kind.field_length().unwrap());
        let signer = EcdsaSigner::from_pkcs8_der(&der::ec_pkcs8(curve, &one, None)).unwrap();
        assert_eq!(signer.public_key(), PublicKey::decoy(kind, 0));
    }
}

/// An RSA key pair of 2048 bits, its public key, and its signature over [`MESSAGE`].
pub(crate) fn rsa() -> (BigUint, Vec<u8>, Vec<u8>) {
    let (der, modulus, _) = rsa_keys().swap_remove(0);
    let signer = RsaSigner::from_pkcs8_der(&der, HashKind::Sha256).unwrap();
    (modulus, signer.public_key().bytes.into(), sign(&signer, MESSAGE).unwrap())
}

#[test]
fn rsa_moduli_and_exponents_are_in_range() {
    let (n, key, signature) = rsa();
    let verifier = verifier(KeyKind::Rsa, HashKind::Sha256);
    let e = BigUint::from(65537_u32);
    let bits = |bits: u32| (BigUint::from(1_u8) << bits) - 1_u8;
    let s = BigUint::from_bytes_be(&signature);
    assert_eq!(verifier.verify(&key, MESSAGE, &signature), Ok(()));
    let moduli = [0_u32, 1, 2, 3, 0x10001].map(BigUint::from).into_iter();
    let moduli = moduli.chain([&n + 1_u8, &n - 1_u8, &n << 1, s, bits(1024), bits(2047), bits(8193), bits(16384)]);
    for modulus in moduli {
        let length = usize::try_from(modulus.bits().div_ceil(8)).unwrap();
        for signature in [signature.clone(), vec![1; length], vec![0; length], padded(&modulus, length)] {
            let result = verifier.verify(&der::rsa_public(&modulus, &e), MESSAGE, &signature);
            assert_eq!(result, REFUSED, "{} bits", modulus.bits());
        }
    }
    let exponents = [0_u64, 1, 2, 4, 6, 0x10000, 0x10002, 1 << 32, 1 << 33, (1 << 33) + 1, u64::MAX].map(BigUint::from);
    for exponent in exponents.into_iter().chain([&n - 1_u8, n.clone(), &n + 2_u8, bits(70_000)]) {
        let key = der::rsa_public(&n, &exponent);
        for signature in [signature.as_slice(), &[0; 256], &padded(&BigUint::from(1_u8), 256)] {
            assert_eq!(verifier.verify(&key, MESSAGE, signature), REFUSED, "{} bits", exponent.bits());
        }
    }
}

#[test]
fn rsa_signatures_are_below_the_modulus_and_as_long() {
    let (n, key, signature) = rsa();
    let verifier = verifier(KeyKind::Rsa, HashKind::Sha256);
    let s = BigUint::from_bytes_be(&signature);
    let numbers = [BigUint::ZERO, BigUint::from(1_u8), n.clone(), &n - 1_u8, &n + 1_u8, &n - &s];
    for number in numbers {
        assert_eq!(verifier.verify(&key, MESSAGE, &padded(&number, 256)), REFUSED, "{number}");
    }
    // The same number modulo n: longer by a byte, or as long where it fits.
    assert_eq!(verifier.verify(&key, MESSAGE, &padded(&(&s + &n), 257)), REFUSED);
    if (&s + &n).bits() <= 2048 {
        assert_eq!(verifier.verify(&key, MESSAGE, &padded(&(&s + &n), 256)), REFUSED);
    }
    for length in [0, 1, 32, 255] {
        assert_eq!(verifier.verify(&key, MESSAGE, &signature[..length]), REFUSED, "{length}");
    }
    for wrong in [[&signature[..], &[0]].concat(), [&[0], &signature[..]].concat(), vec![0xFF; 256], vec![1; 70_000]] {
        assert_eq!(verifier.verify(&key, MESSAGE, &wrong), REFUSED, "{} bytes", wrong.len());
    }
    // The right signature, and another hash or none of the message.
    for hash in [HashKind::Sha1, HashKind::Sha384, HashKind::Sha512] {
        assert_eq!(crate::signatures::verifier(KeyKind::Rsa, hash).verify(&key, MESSAGE, &signature), REFUSED);
    }
    assert_eq!(verifier.verify(&key, &[], &signature), REFUSED);
}

#[test]
fn rsa_keys_are_strict_der() {
    let (n, key, signature) = rsa();
    let verifier = verifier(KeyKind::Rsa, HashKind::Sha256);
    let refused = |key: &[u8], what: &str| assert_eq!(verifier.verify(key, MESSAGE, &signature), REFUSED, "{what}");
    let (modulus, exponent) = (der::integer(&n), der::raw_integer(&[1, 0, 1]));
    assert_eq!(verifier.verify(&der::sequence(&[&modulus, &exponent]), MESSAGE, &signature), Ok(()));
    let bytes = n.to_bytes_be();
    refused(&[&key[..], &[0]].concat(), "a byte behind");
    refused(&[&key[..], &[5, 0]].concat(), "an element behind");
    refused(&der::sequence(&[&modulus, &exponent, &der::null()]), "an element behind, inside");
    refused(&der::sequence(&[&modulus, &exponent, &[0]]), "a byte behind, inside");
    refused(&der::sequence(&[&modulus]), "no exponent");
    refused(&der::sequence(&[&exponent, &modulus]), "turned about");
    refused(&der::sequence(&[&der::raw_integer(&bytes), &exponent]), "negative modulus");
    refused(&der::sequence(&[&der::raw_integer(&[&[0, 0], &bytes[..]].concat()), &exponent]), "padded modulus");
    refused(&der::sequence(&[&modulus, &der::raw_integer(&[0, 1, 0, 1])]), "padded exponent");
    refused(&der::sequence(&[&modulus, &der::raw_integer(&[0xFF, 1])]), "negative exponent");
    refused(&der::sequence(&[&modulus, &der::raw_integer(&[])]), "empty exponent");
    refused(&der::sequence(&[&modulus, &[0x02, 0x81, 0x03, 1, 0, 1]]), "long length of the exponent");
    refused(&[&[0x30, 0x83, 0], &key[2..]].concat(), "long length of the sequence");
    refused(&[&[0x30, 0x80], &key[4..], &[0, 0]].concat(), "indefinite length");
    refused(&[&[0x31], &key[1..]].concat(), "a set");
    refused(&[&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], &key[4..]].concat(), "a length beyond the end");
    refused(&modulus, "no sequence");
    let spki = der::sequence(&[&der::sequence(&[&der::oid(der::RSA_ENCRYPTION), &der::null()]), &key]);
    refused(&spki, "SubjectPublicKeyInfo");
    for length in 0..key.len() {
        refused(&key[..length], "truncated");
    }
    for i in 0..12 {
        let mut changed = key.clone();
        changed[i] = changed[i].wrapping_add(1);
        refused(&changed, "changed head");
    }
}
