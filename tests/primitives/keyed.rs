//! Pseudo-random functions and integrity algorithms.

use ikev2_scsi::algorithm;
use ikev2_scsi::crypto::{CryptoError, Integrity, Prf};
use ikev2_scsi::provider;

use crate::{hex, read, records};

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
