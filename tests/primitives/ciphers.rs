//! Encryption algorithms.

use ikev2_scsi::crypto::{Cipher, CryptoError};

use crate::provider::{AES_CBC, AES_CCM_8, AES_CCM_16, AES_GCM_16, NULL, TRIPLE_DES};
use crate::{hex, read, records};

/// Seals and opens every record, and refuses every other length; gives their number.
fn separate(cipher: &dyn Cipher, file: &str) -> usize {
    let records = records(&read(file), "vectors");
    for record in &records {
        let (key, iv, plain) = (hex(&record["key"]), hex(&record["iv"]), hex(&record["plaintext"]));
        let mut data = plain.clone();
        cipher.seal(&key, &iv, b"ignored", &mut data, &mut []).unwrap();
        assert_eq!(data, hex(&record["ciphertext"]), "{record}");
        cipher.open(&key, &iv, b"ignored", &mut data, &[]).unwrap();
        assert_eq!(data, plain);
        assert_eq!(cipher.open(&key, &iv, &[], &mut data[1..], &[]), Err(CryptoError::Length));
        assert_eq!(cipher.seal(&key[1..], &iv, &[], &mut data, &mut []), Err(CryptoError::Length));
        assert_eq!(cipher.seal(&key, &iv[1..], &[], &mut data, &mut []), Err(CryptoError::Length));
        assert_eq!(cipher.seal(&key, &iv, &[], &mut data, &mut [0; 12]), Err(CryptoError::Length));
    }
    println!("{} {file} values", records.len());
    records.len()
}

#[test]
fn cbc() {
    assert_eq!((separate(AES_CBC, "aes_cbc"), separate(TRIPLE_DES, "des3_cbc")), (24, 70));
}

/// Seals and opens every record, and refuses whatever differs; gives their number.
fn combined(cipher: &dyn Cipher, file: &str) -> usize {
    let records = records(&read(file), "vectors");
    for record in &records {
        let (nonce, associated) = (hex(&record["nonce"]), hex(&record["associated"]));
        let (plain, text, tag) = (hex(&record["plaintext"]), hex(&record["ciphertext"]), hex(&record["tag"]));
        let (salt, iv) = nonce.split_at(cipher.salt_length());
        let key = [&hex(&record["key"]), salt].concat();
        let (mut data, mut icv) = (plain.clone(), vec![0; cipher.icv_length()]);
        cipher.seal(&key, iv, &associated, &mut data, &mut icv).unwrap();
        assert_eq!((&data, &icv), (&text, &tag), "{record}");
        cipher.open(&key, iv, &associated, &mut data, &icv).unwrap();
        assert_eq!(data, plain);
        refuses(cipher, &key, iv, &associated, &text, &tag, &plain);
        assert_eq!(cipher.open(&key[1..], iv, &associated, &mut data, &icv), Err(CryptoError::Length));
        assert_eq!(cipher.open(&key, &iv[1..], &associated, &mut data, &icv), Err(CryptoError::Length));
        assert_eq!(cipher.open(&key, iv, &associated, &mut data, &icv[1..]), Err(CryptoError::Length));
    }
    println!("{} {file} values", records.len());
    records.len()
}

#[test]
fn aes_ccm() {
    assert_eq!((combined(AES_CCM_8, "aes_ccm_8"), combined(AES_CCM_16, "aes_ccm")), (35, 32));
}

#[test]
fn aes_gcm() {
    assert_eq!(combined(AES_GCM_16, "aes_gcm"), 129);
    let refused = records(&read("aes_gcm"), "refused");
    for record in &refused {
        let nonce = hex(&record["nonce"]);
        let (salt, iv) = nonce.split_at(4);
        let (key, mut data) = ([&hex(&record["key"]), salt].concat(), hex(&record["ciphertext"]));
        let opened = AES_GCM_16.open(&key, iv, &hex(&record["associated"]), &mut data, &hex(&record["tag"]));
        assert_eq!(opened, Err(CryptoError::Refused), "{record}");
    }
    println!("{} wrong ICVs", refused.len());
    assert_eq!(refused.len(), 54);
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
