//! Comparisons: ICVs of integrity algorithms, secrets, digits.

use ikev2_scsi::algorithm::{AlgorithmType, find};
use ikev2_scsi::crypto::{CryptoError, Integrity, Secret};
use ikev2_scsi::provider::{AUTH_HMAC_SHA1_96, provider};

use super::{bytes, secret_bytes};
use crate::leaky;
use crate::valgrind::{is_secret, public, published, secret};
use crate::watch::{Outcomes, Watch};

/// A jump at the end, for the comparison as a whole.
pub const MATCHES: Outcomes = Outcomes::of(1, "the sender is told whether the code matches");

/// The name of an algorithm.
pub fn name(kind: AlgorithmType, identifier: u32) -> &'static str {
    find(kind, identifier).map_or("?", |row| row.name)
}

pub fn run(watch: &mut Watch) {
    for integrity in provider().integrity {
        verify(watch, *integrity);
    }
    secrets(watch);
    leaks(watch);
}

/// A code that matches is compared to its end, and one that differs in its first byte at once by whoever stops there.
fn verify(watch: &mut Watch, integrity: &dyn Integrity) {
    let algorithm = name(AlgorithmType::Integrity, integrity.identifier());
    let (message, mut key) = (bytes(1, 300), bytes(2, integrity.key_length()));
    let mut icv = vec![0; integrity.icv_length()];
    integrity.compute(&key, &[&message], &mut icv).unwrap();
    secret(key.as_mut_slice());

    let mut own = vec![0; icv.len()];
    let name = format!("{algorithm} compute");
    watch.quiet(&name, Outcomes::NONE, || integrity.compute(&key, &[&message], &mut own)).unwrap();
    assert!(is_secret(&own));
    public(own.as_mut_slice());
    assert_eq!(own, icv);

    let name = format!("{algorithm} verify a right code");
    let result = watch.quiet(&name, MATCHES, || integrity.verify(&key, &[&message], &icv));
    assert_eq!(published(result), Ok(()));
    icv[0] ^= 1;
    let name = format!("{algorithm} verify a wrong code");
    let result = watch.quiet(&name, MATCHES, || integrity.verify(&key, &[&message], &icv));
    assert_eq!(published(result), Err(CryptoError::Refused));
}

fn secrets(watch: &mut Watch) {
    let (left, right) = (Secret::from(secret_bytes(3, 64)), Secret::from(secret_bytes(3, 64)));
    assert!(published(watch.quiet("Secret equality: equal", Outcomes::NONE, || left == right)));
    let other = Secret::from(secret_bytes(4, 64));
    assert!(!published(watch.quiet("Secret equality: different", Outcomes::NONE, || left == other)));

    let mut digits = String::from("00ff19Aa5bCDef0123456789abcdefABCDEF");
    secret(digits.as_mut_str());
    let all = Outcomes::of(1, "whether all characters are digits");
    let read = watch.quiet("Secret::from_hex", all, || Secret::from_hex(&digits));
    let mut read = published(read).unwrap();
    assert!(is_secret(read.expose()));
    public(read.expose_mut());
    assert_eq!(read.expose()[..6], [0, 0xFF, 0x19, 0xAA, 0x5B, 0xCD]);
}

fn leaks(watch: &mut Watch) {
    let (message, mut key) = (bytes(1, 300), bytes(2, 20));
    let mut icv = [0; 12];
    AUTH_HMAC_SHA1_96.compute(&key, &[&message], &mut icv).unwrap();
    secret(key.as_mut_slice());
    let result = watch.leaky("leaky: a code compared byte by byte", MATCHES, || {
        let mut own = [0; 12];
        AUTH_HMAC_SHA1_96.compute(&key, &[&message], &mut own).unwrap();
        leaky::early_exit_equal(&own, &icv)
    });
    assert!(published(result));

    let (left, right) = (secret_bytes(3, 64), secret_bytes(3, 64));
    let result = watch.leaky("leaky: secrets compared by the operator of slices", MATCHES, || left == right);
    assert!(published(result));
}
