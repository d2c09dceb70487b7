//! Pseudo-random functions and integrity algorithms.

use ikev2_scsi::algorithm;
use ikev2_scsi::crypto::{CryptoError, Integrity, Prf};

use crate::provider::{self, AUTH_AES_XCBC_96, PRF_AES128_XCBC};
use crate::{hex, read, records};

fn prf(name: &str) -> &'static dyn Prf {
    let row = match name {
        "sha1" => algorithm::PRF_HMAC_SHA1,
        "sha256" => algorithm::PRF_HMAC_SHA2_256,
        "sha384" => algorithm::PRF_HMAC_SHA2_384,
        "sha512" => algorithm::PRF_HMAC_SHA2_512,
        "aesxcbc" => algorithm::PRF_AES128_XCBC,
        other => panic!("an unknown PRF: {other}"),
    };
    provider::provider().prf(row.identifier).expect(name)
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
        let prf = prf(record["hash"].as_str().unwrap());
        let (key, msg, out) = (hex(&record["key"]), hex(&record["msg"]), hex(&record["out"]));
        assert_eq!(compute(prf, &key, &[&msg]), out, "{record}");
        let (head, tail) = msg.split_at(msg.len() / 3);
        assert_eq!(compute(prf, &key, &[head, &[], tail]), out, "in parts: {record}");
        assert_eq!(prf.compute(&key, &[&msg], &mut vec![0; out.len() - 1]), Err(CryptoError::Length));
        count += 1;
    }
    let mut seeds = 0;
    for record in records(&read("ikev2_kdf"), "vectors") {
        let prf = prf(record["prf"].as_str().unwrap());
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
    assert_eq!((count, seeds), (25, 20));
}

/// RFC 3566 prints the first 12 bytes of the code as the ICV, for keys of 16 bytes.
#[test]
fn aes_xcbc() {
    let records = records(&read("aes_xcbc"), "vectors");
    let mut icvs = 0;
    for record in &records {
        let (key, msg, out) = (hex(&record["key"]), hex(&record["msg"]), hex(&record["out"]));
        assert_eq!(compute(PRF_AES128_XCBC, &key, &[&msg]), out, "{record}");
        let (head, tail) = msg.split_at(msg.len() / 3);
        assert_eq!(compute(PRF_AES128_XCBC, &key, &[head, &[], tail]), out, "in parts: {record}");
        if key.len() == AUTH_AES_XCBC_96.key_length() {
            check_icv(AUTH_AES_XCBC_96, &key, &msg, &out[..12]);
            icvs += 1;
        }
    }
    println!("{} PRF_AES128_XCBC values, {icvs} AUTH_AES_XCBC_96 values", records.len());
    assert_eq!((records.len(), icvs), (7, 5));
}

/// Computes the ICV, accepts it, and refuses every flip of it and every other length.
fn check_icv(integrity: &'static dyn Integrity, key: &[u8], msg: &[u8], icv: &[u8]) {
    let mut out = vec![0; integrity.icv_length()];
    integrity.compute(key, &[msg], &mut out).unwrap();
    assert_eq!(out, icv, "{integrity:?}");
    assert_eq!(integrity.verify(key, &[msg], icv), Ok(()));
    for bit in 0..icv.len() * 8 {
        let mut wrong = icv.to_vec();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(integrity.verify(key, &[msg], &wrong), Err(CryptoError::Refused));
    }
    assert_eq!(integrity.verify(key, &[msg], &icv[1..]), Err(CryptoError::Length), "a shorter ICV");
    assert_eq!(integrity.verify(&key[1..], &[msg], icv), Err(CryptoError::Length));
}

#[test]
fn integrity_algorithms() {
    let records = records(&read("hmac"), "integrity");
    for record in &records {
        let integrity = integrity(record["hash"].as_str().unwrap());
        check_icv(integrity, &hex(&record["key"]), &hex(&record["msg"]), &hex(&record["icv"]));
    }
    println!("{} integrity values", records.len());
    assert_eq!(records.len(), 90);
}
