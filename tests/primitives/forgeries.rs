//! RSA signatures that a lenient verifier takes: made without a key, or with one but of a wrong form.

use ikev2_scsi::crypto::{CryptoError, HashKind, KeyKind};
use num_bigint::BigUint;

use crate::der;
use crate::signature_abuse::{MESSAGE, REFUSED, padded, rsa};
use crate::signatures::verifier;

const SHA1: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

/// SHA-256 of [`MESSAGE`], recovered from a signature: the tests have no hash of their own.
fn hash() -> Vec<u8> {
    let (n, _, signature) = rsa();
    let encoded = BigUint::from_bytes_be(&signature).modpow(&BigUint::from(65537_u32), &n);
    padded(&encoded, 256)[224..].to_vec()
}

fn digest_info(oid: &[u8], parameters: bool, hash: &[u8]) -> Vec<u8> {
    let null = if parameters { der::null() } else { vec![] };
    der::sequence(&[&der::sequence(&[&der::oid(oid), &null]), &der::element(0x04, &[hash])])
}

/// EM of EMSA-PKCS1-v1_5 with as much padding as fits.
fn encoded(length: usize, info: &[u8]) -> Vec<u8> {
    [&[0, 1], vec![0xFF; length - 3 - info.len()].as_slice(), &[0], info].concat()
}

/// An RSA key made of small known primes, so that the tests can give a signature to anything.
struct Forger {
    n: BigUint,
    e: BigUint,
    d: BigUint,
}

impl Forger {
    /// The modulus is the product of the Mersenne primes 2^k - 1, and nearly has the sum of all k as its bits.
    fn new(exponents: &[u32], e: u64) -> Option<Self> {
        let one = BigUint::from(1_u8);
        let primes = exponents.iter().map(|k| (&one << *k) - &one);
        let (n, totient) = primes.fold((one.clone(), one.clone()), |(n, t), p| (n * &p, t * (p - &one)));
        let e = BigUint::from(e);
        Some(Self { d: e.modinv(&totient)?, n, e })
    }

    fn length(&self) -> usize {
        usize::try_from(self.n.bits().div_ceil(8)).unwrap()
    }

    fn verify(&self, encoded: &[u8]) -> Result<(), CryptoError> {
        let signature = padded(&BigUint::from_bytes_be(encoded).modpow(&self.d, &self.n), self.length());
        let key = der::rsa_public(&self.n, &self.e);
        verifier(KeyKind::Rsa, HashKind::Sha256).verify(&key, MESSAGE, &signature)
    }
}

/// Signatures that are right but for the size of the key.
#[test]
fn keys_are_refused_for_their_size_alone() {
    let info = digest_info(SHA256, true, &hash());
    for (bits, exponents, result) in [
        (2047, &[1279, 521, 127, 107, 13][..], REFUSED),
        (2048, &[1279, 607, 107, 31, 19, 5], Ok(())),
        (8192, &[4423, 3217, 521, 31], Ok(())),
        (8193, &[4423, 3217, 521, 19, 13], REFUSED),
    ] {
        let forger = Forger::new(exponents, 65537).unwrap();
        assert_eq!(forger.n.bits(), bits);
        assert_eq!(forger.verify(&encoded(forger.length(), &info)), result, "{bits} bits");
    }
    let forger = |e: u64| Forger::new(&[1279, 2203], e);
    for (found, result) in [
        ((0..1 << 33).rev().find_map(forger), Ok(())),
        ((1 << 33..).find_map(forger), REFUSED),
        ((2..).find_map(forger), Ok(())),
        ((1..).find_map(forger), REFUSED),
    ] {
        let forger = found.unwrap();
        assert_eq!(forger.verify(&encoded(forger.length(), &info)), result, "{}", forger.e);
    }
}

#[test]
fn encodings_other_than_the_one_are_refused() {
    let (forger, hash) = (Forger::new(&[1279, 2203], 5).unwrap(), hash());
    let (k, good) = (forger.length(), digest_info(SHA256, true, &hash));
    assert_eq!(forger.verify(&encoded(k, &good)), Ok(()));
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut encoded = encoded(k, &good);
        change(&mut encoded);
        encoded
    };
    let short_padding = |padding: usize, behind: u8| {
        let used = [&[0, 1], vec![0xFF; padding].as_slice(), &[0], &good].concat();
        [used.clone(), vec![behind; k - used.len()]].concat()
    };
    let mut garbage_in_parameters = der::sequence(&[&der::oid(SHA256), &der::element(0x04, &[&[7; 20]])]);
    garbage_in_parameters = der::sequence(&[&garbage_in_parameters, &der::element(0x04, &[&hash])]);
    let long_length = [&[0x30, 0x81, 0x31], &good[2..]].concat();
    for (what, encoded) in [
        ("no NULL", encoded(k, &digest_info(SHA256, false, &hash))),
        ("another hash's identifier", encoded(k, &digest_info(SHA512, true, &hash))),
        ("another hash's identifier", encoded(k, &digest_info(SHA1, true, &hash[..20]))),
        ("a short hash", encoded(k, &digest_info(SHA256, true, &hash[..20]))),
        ("a long hash", encoded(k, &digest_info(SHA256, true, &[&hash[..], &[0]].concat()))),
        ("no hash", encoded(k, &digest_info(SHA256, true, &[]))),
        ("another hash", encoded(k, &digest_info(SHA256, true, &[0; 32]))),
        ("the hash alone", encoded(k, &hash)),
        ("bytes in the parameters", encoded(k, &garbage_in_parameters)),
        ("BER", encoded(k, &long_length)),
        ("no padding, then zeros", short_padding(0, 0)),
        ("8 bytes of padding, then bytes", short_padding(8, 7)),
        ("bytes behind the hash", short_padding(k - 3 - good.len() - 1, 7)),
        ("other first byte", with(&|e| e[0] = 1)),
        ("block type 0", with(&|e| e[1] = 0)),
        ("block type 2", with(&|e| e[1] = 2)),
        ("padding of zeros", with(&|e| e[2..100].fill(0))),
        ("a zero in the padding", with(&|e| e[50] = 0)),
        ("other padding", with(&|e| e[51] = 0xFE)),
        ("no separator", with(&|e| e[k - good.len() - 1] = 0xFF)),
        ("nothing", vec![0]),
        ("one", vec![1]),
    ] {
        assert_eq!(forger.verify(&encoded), REFUSED, "{what}");
    }
}

/// Bleichenbacher's forgery of 2006: a cube whose first bytes look right, without any key.
#[test]
fn cube_roots_are_no_signatures() {
    let (n, ..) = rsa();
    let (hash, three) = (hash(), BigUint::from(3_u8));
    let key = der::rsa_public(&n, &three);
    for padding in [0, 1, 8] {
        let head = [&[0, 1], vec![0xFF; padding].as_slice(), &[0], &digest_info(SHA256, true, &hash)].concat();
        let wanted = [head.clone(), vec![0xFF; 256 - head.len()]].concat();
        let root = BigUint::from_bytes_be(&wanted).cbrt();
        let cube = padded(&root.pow(3), 256);
        // The forgery works on whoever parses from the front.
        assert_eq!(cube[..head.len()], head, "{padding}");
        assert!(root.pow(3) < n);
        let result = verifier(KeyKind::Rsa, HashKind::Sha256).verify(&key, MESSAGE, &padded(&root, 256));
        assert_eq!(result, REFUSED, "{padding}");
    }
}
