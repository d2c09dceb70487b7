//! Private keys that no signer is made of.

use ikev2_scsi::crypto::{CryptoError, HashKind};
use num_bigint::BigUint;
use serde_json::Value;

use crate::provider::{EcdsaSigner, IS_AWS_LC, KeyError, RsaSigner};
use crate::signatures::{rsa_keys, sign};
use crate::{der, hex, read, records};

fn ecdsa(der: &[u8]) -> Result<(), KeyError> {
    EcdsaSigner::from_pkcs8_der(der).map(|_| ())
}

fn rsa(der: &[u8]) -> Result<(), KeyError> {
    RsaSigner::from_pkcs8_der(der, HashKind::Sha1).map(|_| ())
}

/// What a strict reader of DER refuses.
fn misshapen(der: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..der.len()).map(|length| der[..length].to_vec()).collect();
    all.extend([[der, &[0]].concat(), [der, der].concat(), vec![0; 100], vec![0xFF; 5000], b"-----BEGIN".to_vec()]);
    all
}

#[test]
fn ecdsa_keys_that_are_none() {
    let record = &records(&read("ecdsa256"), "signed")[0];
    let (private, public) = (hex(&record["private"]), hex(&record["public"]));
    let good = der::ec_pkcs8(der::SECP256R1, &private, Some(&public));
    assert_eq!(ecdsa(&good), Ok(()));
    for bad in misshapen(&good) {
        assert_eq!(ecdsa(&bad), Err(KeyError::Malformed), "{} bytes", bad.len());
    }
    let order = hex(&Value::from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"));
    for value in [&[0; 32][..], &order, &[0xFF; 32], &private[1..], &[&[0], &private[..]].concat(), &[7; 48], &[]] {
        assert_eq!(ecdsa(&der::ec_pkcs8(der::SECP256R1, value, None)), Err(KeyError::Malformed), "{value:?}");
    }
    let mut other = public.clone();
    other[64] ^= 1;
    for point in [&other[..], &public[..64], &[0], &[]] {
        let der = der::ec_pkcs8(der::SECP256R1, &private, Some(point));
        assert_eq!(ecdsa(&der), Err(KeyError::Malformed), "{point:?}");
    }
    for curve in [der::SECP384R1, der::SECP521R1] {
        assert_eq!(ecdsa(&der::ec_pkcs8(curve, &private, None)), Err(KeyError::Malformed));
    }
    for curve in [der::SECP256K1, &[0x2A]] {
        assert_eq!(ecdsa(&der::ec_pkcs8(curve, &private, None)), Err(KeyError::Algorithm));
    }
    // Whether the parameters are missing or say nothing of a curve.
    for parameters in [vec![], der::null()] {
        assert_eq!(ecdsa(&der::pkcs8(der::EC_PUBLIC_KEY, &parameters, &[])), Err(KeyError::Algorithm));
    }
    // A key of the curve, for another algorithm.
    assert_eq!(ecdsa(&der::pkcs8(&[0x2A], &der::oid(der::SECP256R1), &[])), Err(KeyError::Algorithm));
    assert_eq!(ecdsa(&rsa_keys()[0].0), Err(KeyError::Algorithm));
    assert_eq!(rsa(&good), Err(KeyError::Algorithm));
}

/// n, e, d, p, q.
fn numbers() -> [BigUint; 5] {
    let record = rsa_keys().swap_remove(0).2;
    ["n", "e", "d", "p", "q"].map(|name| BigUint::parse_bytes(record[name].as_str().unwrap().as_bytes(), 16).unwrap())
}

#[test]
fn rsa_keys_that_are_none() {
    let [n, e, d, p, q] = numbers();
    let key = der::rsa_private(&n, &e, &d, &p, &q);
    assert_eq!(rsa(&der::rsa_pkcs8(&key)), Ok(()));
    for bad in misshapen(&der::rsa_pkcs8(&key)) {
        assert_eq!(rsa(&bad), Err(KeyError::Malformed), "{} bytes", bad.len());
    }
    for bad in misshapen(&key) {
        assert_eq!(rsa(&der::rsa_pkcs8(&bad)), Err(KeyError::Malformed), "{} bytes", bad.len());
    }
    // Of PKCS#1 without PKCS#8; of other algorithms; without NULL.
    assert_eq!(rsa(&key), Err(KeyError::Malformed));
    assert_eq!(rsa(&der::pkcs8(der::RSASSA_PSS, &[], &key)), Err(KeyError::Algorithm));
    assert_eq!(rsa(&der::pkcs8(&[0x2A], &der::null(), &key)), Err(KeyError::Algorithm));
    assert_eq!(rsa(&der::pkcs8(der::RSA_ENCRYPTION, &[], &key)), Err(KeyError::Malformed));
    let made = |n: &BigUint, e: &BigUint, d: &BigUint, p: &BigUint, q: &BigUint| {
        rsa(&der::rsa_pkcs8(&der::rsa_private(n, e, d, p, q)))
    };
    let one = BigUint::from(1_u8);
    assert_eq!(made(&(&n + 2_u8), &e, &d, &p, &q), Err(KeyError::Malformed));
    assert_eq!(made(&(&n + 1_u8), &e, &d, &p, &q), Err(KeyError::Malformed));
    assert_eq!(made(&n, &e, &(&d + 2_u8), &p, &q), Err(KeyError::Malformed));
    assert_eq!(made(&n, &e, &one, &p, &q), Err(KeyError::Malformed));
    assert_eq!(made(&n, &e, &(&d << 2048), &p, &q), Err(KeyError::Malformed));
    assert_eq!(made(&n, &e, &d, &p, &p), Err(KeyError::Malformed));
    assert_eq!(made(&n, &e, &d, &n, &BigUint::from(2_u8)), Err(KeyError::Malformed));
    assert_eq!(made(&n, &(&e + 2_u8), &d, &p, &q), Err(KeyError::Malformed));
    for exponent in [0_u64, 1, 2, 0x10000, 1 << 33, (1 << 33) + 1, u64::MAX] {
        assert_eq!(made(&n, &BigUint::from(exponent), &d, &p, &q), Err(KeyError::Size), "{exponent}");
    }
    let mersenne = |bits: u32| (&one << bits) - &one;
    for (p, q) in [(mersenne(521), mersenne(607)), (mersenne(4423), mersenne(4253))] {
        let d = e.modinv(&((&p - &one) * (&q - &one))).unwrap();
        assert_eq!(made(&(&p * &q), &e, &d, &p, &q), Err(KeyError::Size));
    }
}

/// The signature of a key whose "primes" are not prime comes out wrong, as a faulty one does, and is kept back. AWS-LC does not
/// take the key.
#[test]
fn a_wrong_signature_is_not_given_away() {
    let [_, e, _, p, q] = numbers();
    let one = BigUint::from(1_u8);
    let odd = (1_u32..).map(|i| &p + 2 * i);
    let (p, d) = odd.filter_map(|p| Some((p.clone(), e.modinv(&((&p - &one) * (&q - &one)))?))).next().unwrap();
    let der = der::rsa_pkcs8(&der::rsa_private(&(&p * &q), &e, &d, &p, &q));
    match RsaSigner::from_pkcs8_der(&der, HashKind::Sha256) {
        Ok(signer) => assert_eq!((sign(&signer, &[b"text"]), IS_AWS_LC), (Err(CryptoError::Device), false)),
        Err(error) => assert_eq!((error, IS_AWS_LC), (KeyError::Malformed, true)),
    }
}

/// Changed bytes make a key that is refused, or one that signs as before: what RFC 8017 calls exponent1 and so on is computed.
#[test]
fn no_changed_rsa_key_signs_otherwise() {
    let der = rsa_keys().swap_remove(0).0;
    let signature = sign(&RsaSigner::from_pkcs8_der(&der, HashKind::Sha256).unwrap(), &[b"text"]);
    let mut taken = 0;
    for i in (0..der.len()).step_by(5) {
        let mut changed = der.clone();
        changed[i] ^= 0x10;
        if let Ok(signer) = RsaSigner::from_pkcs8_der(&changed, HashKind::Sha256) {
            assert_eq!(sign(&signer, &[b"text"]), signature, "byte {i}");
            taken += 1;
        }
    }
    println!("{taken} of {} changed keys taken", der.len().div_ceil(5));
}
