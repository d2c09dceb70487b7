//! Published values through the provider's traits: `vectors/primitives/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that goes wrong should stop where it does"
)]

use ikev2_scsi::algorithm;
use ikev2_scsi::crypto::{Cipher, CryptoError, DhGroup, Integrity, Prf, Purpose, Random, RandomError, Secret};
use ikev2_scsi::provider::{self, AES_CBC, AES_CCM_16, MODP_2048, NULL};
use num_bigint::BigUint;
use serde_json::Value;

fn read(name: &str) -> Value {
    let path = format!("{}/vectors/primitives/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn records(file: &Value, member: &str) -> Vec<Value> {
    file[member].as_array().expect(member).clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a string");
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect(text)).collect()
}

fn prf(name: &str) -> Option<&'static dyn Prf> {
    let row = match name {
        "sha1" => algorithm::PRF_HMAC_SHA1,
        "sha256" => algorithm::PRF_HMAC_SHA2_256,
        "sha384" => algorithm::PRF_HMAC_SHA2_384,
        "sha512" => algorithm::PRF_HMAC_SHA2_512,
        _ => algorithm::PRF_AES128_XCBC,
    };
    provider::provider().prf(row.identifier)
}

fn integrity(name: &str) -> &'static dyn Integrity {
    let row = match name {
        "sha1" => algorithm::AUTH_HMAC_SHA1_96,
        "sha256" => algorithm::AUTH_HMAC_SHA2_256_128,
        "sha384" => algorithm::AUTH_HMAC_SHA2_384_192,
        _ => algorithm::AUTH_HMAC_SHA2_512_256,
    };
    provider::provider().integrity(row.identifier).expect(name)
}

fn compute(prf: &dyn Prf, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![0; prf.output_length()];
    prf.compute(key, parts, &mut out).unwrap();
    out
}

#[test]
fn prf_and_skeyseed() {
    let mut count = 0;
    for record in records(&read("hmac"), "prf") {
        let prf = prf(record["hash"].as_str().unwrap()).unwrap();
        let (key, msg, out) = (hex(&record["key"]), hex(&record["msg"]), hex(&record["out"]));
        assert_eq!(compute(prf, &key, &[&msg]), out, "{record}");
        let (head, tail) = msg.split_at(msg.len() / 3);
        assert_eq!(compute(prf, &key, &[head, &[], tail]), out, "in parts: {record}");
        assert_eq!(prf.compute(&key, &[&msg], &mut vec![0; out.len() - 1]), Err(CryptoError::Length));
        count += 1;
    }
    let mut seeds = 0;
    for record in records(&read("ikev2_kdf"), "vectors") {
        let Some(prf) = prf(record["prf"].as_str().unwrap()) else { continue };
        let nonces = || match record.get("ni_nr") {
            Some(both) => hex(both),
            None => [hex(&record["ni"]), hex(&record["nr"])].concat(),
        };
        let computed = match record["kind"].as_str().unwrap() {
            "skeyseed" => compute(prf, &nonces(), &[&hex(&record["dh_shared"])]),
            "rekey_skeyseed" => compute(prf, &hex(&record["sk_d"]), &[&hex(&record["dh_shared"]), &nonces()]),
            _ => continue,
        };
        assert_eq!(computed, hex(&record["out"]), "{record}");
        seeds += 1;
    }
    println!("{count} PRF values, {seeds} SKEYSEED values");
    assert_eq!((count, seeds), (25, 18));
}

#[test]
fn integrity_algorithms() {
    let records = records(&read("hmac"), "integrity");
    for record in &records {
        let integrity = integrity(record["hash"].as_str().unwrap());
        let (key, msg, icv) = (hex(&record["key"]), hex(&record["msg"]), hex(&record["icv"]));
        let mut out = vec![0; integrity.icv_length()];
        integrity.compute(&key, &[&msg], &mut out).unwrap();
        assert_eq!(out, icv, "{record}");
        assert_eq!(integrity.verify(&key, &[&msg], &icv), Ok(()));
        for bit in 0..icv.len() * 8 {
            let mut wrong = icv.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(integrity.verify(&key, &[&msg], &wrong), Err(CryptoError::Refused));
        }
        assert_eq!(integrity.verify(&key, &[&msg], &icv[1..]), Err(CryptoError::Length), "a shorter ICV");
        assert_eq!(integrity.verify(&key[1..], &[&msg], &icv), Err(CryptoError::Length));
    }
    println!("{} integrity values", records.len());
    assert_eq!(records.len(), 90);
}

#[test]
fn aes_cbc() {
    let records = records(&read("aes_cbc"), "vectors");
    for record in &records {
        let (key, iv, plain) = (hex(&record["key"]), hex(&record["iv"]), hex(&record["plaintext"]));
        let mut data = plain.clone();
        AES_CBC.seal(&key, &iv, b"ignored", &mut data, &mut []).unwrap();
        assert_eq!(data, hex(&record["ciphertext"]), "{record}");
        AES_CBC.open(&key, &iv, b"ignored", &mut data, &[]).unwrap();
        assert_eq!(data, plain);
        assert_eq!(AES_CBC.open(&key, &iv, &[], &mut data[1..], &[]), Err(CryptoError::Length));
        assert_eq!(AES_CBC.seal(&key[1..], &iv, &[], &mut data, &mut []), Err(CryptoError::Length));
        assert_eq!(AES_CBC.seal(&key, &iv[1..], &[], &mut data, &mut []), Err(CryptoError::Length));
        assert_eq!(AES_CBC.seal(&key, &iv, &[], &mut data, &mut [0; 12]), Err(CryptoError::Length));
    }
    println!("{} AES-CBC values", records.len());
    assert_eq!(records.len(), 24);
}

#[test]
fn aes_ccm_16() {
    let records = records(&read("aes_ccm"), "vectors");
    for record in &records {
        let (nonce, associated) = (hex(&record["nonce"]), hex(&record["associated"]));
        let (plain, cipher, tag) = (hex(&record["plaintext"]), hex(&record["ciphertext"]), hex(&record["tag"]));
        let (salt, iv) = nonce.split_at(3);
        let key = [&hex(&record["key"]), salt].concat();
        let (mut data, mut icv) = (plain.clone(), [0; 16]);
        AES_CCM_16.seal(&key, iv, &associated, &mut data, &mut icv).unwrap();
        assert_eq!((&data, &icv[..]), (&cipher, &tag[..]), "{record}");
        AES_CCM_16.open(&key, iv, &associated, &mut data, &icv).unwrap();
        assert_eq!(data, plain);
        refuses(AES_CCM_16, &key, iv, &associated, &cipher, &tag, &plain);
        assert_eq!(AES_CCM_16.open(&key[1..], iv, &associated, &mut data, &icv), Err(CryptoError::Length));
        assert_eq!(AES_CCM_16.open(&key, &iv[1..], &associated, &mut data, &icv), Err(CryptoError::Length));
        assert_eq!(AES_CCM_16.open(&key, iv, &associated, &mut data, &icv[1..]), Err(CryptoError::Length));
    }
    println!("{} AES-CCM values", records.len());
    assert_eq!(records.len(), 32);
}

/// A bit of the tag, of the text or of the associated data: refused, and no plaintext is left behind.
fn refuses(c: &dyn Cipher, key: &[u8], iv: &[u8], associated: &[u8], text: &[u8], tag: &[u8], plain: &[u8]) {
    let whole = [associated, text, tag].concat();
    for bit in 0..whole.len() * 8 {
        let mut wrong = whole.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        let (associated, rest) = wrong.split_at_mut(associated.len());
        let (data, tag) = rest.split_at_mut(text.len());
        assert_eq!(c.open(key, iv, associated, data, tag), Err(CryptoError::Refused), "bit {bit}");
        let same = data.iter().zip(plain).filter(|(a, b)| a == b).count();
        assert!(same < 8, "{same} bytes of plaintext left by bit {bit}");
    }
}

#[test]
fn encr_null_changes_nothing() {
    let mut data = *b"in the clear";
    NULL.seal(&[], &[], &[], &mut data, &mut []).unwrap();
    NULL.open(&[], &[], &[], &mut data, &[]).unwrap();
    assert_eq!(&data, b"in the clear");
    assert_eq!(NULL.seal(&[0], &[], &[], &mut data, &mut []), Err(CryptoError::Length));
    assert_eq!(NULL.open(&[], &[0], &[], &mut data, &[]), Err(CryptoError::Length));
}

fn agree(group: &dyn DhGroup, private: &[u8], peer: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let exchange = group.start(Secret::copy_of(private)).unwrap();
    let public = exchange.public().to_vec();
    (public, exchange.agree(peer).unwrap().expose().to_vec())
}

fn group_14() -> Value {
    let groups = records(&read("modp"), "groups");
    groups.into_iter().find(|group| group["group"] == 14).unwrap()
}

#[test]
fn modp_2048() {
    let group = group_14();
    let (a, b) = (&group["sample"]["A"], &group["sample"]["B"]);
    let shared = hex(&group["sample"]["shared"]);
    assert_eq!(agree(MODP_2048, &hex(&group["sample"]["xa"]), &hex(b)), (hex(a), shared.clone()));
    assert_eq!(agree(MODP_2048, &hex(&group["sample"]["xb"]), &hex(a)), (hex(b), shared));
    let public = &group["public_leading_zero"];
    assert_eq!(hex(&public["A"])[0], 0);
    assert_eq!(agree(MODP_2048, &hex(&public["xa"]), &hex(b)).0, hex(&public["A"]));
    assert_eq!(agree(MODP_2048, &hex(&public["xb"]), &hex(&public["A"])).1, hex(&public["shared"]));
    let zero = &group["shared_leading_zero"];
    assert_eq!(hex(&zero["shared"])[0], 0);
    assert_eq!(agree(MODP_2048, &hex(&zero["xa"]), &hex(&zero["B"])).1, hex(&zero["shared"]));
}

/// Reading R17: 1 < y < p-1, and the length of the modulus.
#[test]
fn modp_public_values() {
    let p = BigUint::from_bytes_be(&hex(&group_14()["p"]));
    let bytes = |value: &BigUint| {
        let bytes = value.to_bytes_be();
        [vec![0; 256 - bytes.len()], bytes].concat()
    };
    let start = || MODP_2048.start(Secret::copy_of(&[3; 32])).unwrap();
    for outside in [BigUint::ZERO, BigUint::from(1_u8), &p - 1_u8, p.clone(), &p + 1_u8] {
        assert_eq!(MODP_2048.check_public(&bytes(&outside)), Err(CryptoError::Refused));
        assert_eq!(start().agree(&bytes(&outside)), Err(CryptoError::Refused));
    }
    assert_eq!(MODP_2048.check_public(&[0xFF; 256]), Err(CryptoError::Refused));
    for inside in [BigUint::from(2_u8), &p - 2_u8] {
        assert_eq!(MODP_2048.check_public(&bytes(&inside)), Ok(()));
        assert!(start().agree(&bytes(&inside)).is_ok());
    }
    for length in [0, 255, 257] {
        assert_eq!(MODP_2048.check_public(&vec![2; length]), Err(CryptoError::Length));
        assert_eq!(start().agree(&vec![2; length]), Err(CryptoError::Length));
    }
}

/// num-bigint computes the same powers by other code, for exponents of every length from one byte to the modulus'.
#[test]
fn modp_agrees_with_num_bigint() {
    let p = BigUint::from_bytes_be(&hex(&group_14()["p"]));
    let mut random = Counter(0x9E37_79B9);
    for case in 0..64 {
        let mut private = vec![0; [1, 2, 7, 31, 32, 33, 48, 256][case % 8]];
        let mut peer = vec![0; 256];
        random.fill(Purpose::DhPrivate, &mut private).unwrap();
        random.fill(Purpose::Nonce, &mut peer).unwrap();
        private[0] |= 1;
        peer[0] &= 0x7F;
        let power = |base: &BigUint| base.modpow(&BigUint::from_bytes_be(&private), &p);
        let (public, shared) = agree(MODP_2048, &private, &peer);
        assert_eq!(BigUint::from_bytes_be(&public), power(&BigUint::from(2_u8)), "case {case}");
        assert_eq!(BigUint::from_bytes_be(&shared), power(&BigUint::from_bytes_be(&peer)), "case {case}");
    }
}

#[test]
fn modp_private_values() {
    let refused = |private: &[u8]| MODP_2048.start(Secret::copy_of(private)).err();
    assert_eq!(refused(&[]), Some(CryptoError::Refused));
    assert_eq!(refused(&[0; 32]), Some(CryptoError::Refused));
    assert_eq!(refused(&[1; 257]), Some(CryptoError::Refused));
    assert_eq!(MODP_2048.private_length(), 32, "256 bits: RFC 3526 section 8, twice the strength");
    assert_eq!(MODP_2048.draw_private(&mut Counter(1)).unwrap().len(), 32);
    assert_eq!(MODP_2048.draw_private(&mut Zeros).err(), Some(RandomError), "zero is never used");
}

/// Numbers that look random (xorshift), the same in every run.
struct Counter(u64);

impl Random for Counter {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_be_bytes()[3];
        }
        Ok(())
    }
}

struct Zeros;

impl Random for Zeros {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0);
        Ok(())
    }
}
