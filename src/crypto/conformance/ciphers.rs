//! Encryption algorithms: what they seal and open, and what they refuse to open.

use alloc::vec;

use super::vectors::{self, Vector};
use super::{Check, Fault, Findings, Outcome, done, flipped, refused, same, shorter, size};
use crate::algorithm::{self, AlgorithmType, EncryptionSizes};
use crate::crypto::{Cipher, CryptoError};

/// Runs the values with a key of a length that the cipher has: an accelerator may lack some.
pub(super) fn check(cipher: &dyn Cipher) -> Outcome {
    let identifier = cipher.identifier();
    let mut findings = Findings::new(AlgorithmType::Encryption, identifier);
    let row = algorithm::find(AlgorithmType::Encryption, identifier).and_then(|row| row.encryption_sizes());
    if let Some(row) = row {
        findings.note("its sizes", sizes(cipher, &row));
    }
    let has = |key: usize| cipher.key_lengths().iter().any(|length| cipher.key_material_length(*length) == key);
    let of_its_lengths = vectors::of(vectors::CIPHERS, identifier).filter(|vector| has(vector.first_length()));
    for vector in of_its_lengths {
        let check = if vector.action == "seal" { seal(cipher, &vector) } else { refuse(cipher, &vector) };
        findings.count(vector.name, check);
    }
    findings.0
}

/// r3 Table K2.
fn sizes(cipher: &dyn Cipher, row: &EncryptionSizes) -> Check {
    let lengths = cipher.key_lengths();
    size("KEY LENGTH", !lengths.is_empty() && lengths.iter().all(|length| row.key_lengths.contains(length)))?;
    let material = |length: &u16| cipher.key_material_length(*length) == row.key_material(*length);
    size("the length of the key material", lengths.iter().all(material))?;
    size("the length of the salt", cipher.salt_length() == row.salt)?;
    size("the length of the initialization vector", cipher.iv_length() == row.iv)?;
    size("the sender's alignment", cipher.alignment() == row.alignment)?;
    size("the receiver's block", cipher.block_length() == row.block)?;
    size("the length of the ICV", cipher.icv_length() == row.icv && cipher.is_combined() == (row.icv != 0))
}

/// Seals, opens, and refuses to open what was changed.
fn seal(cipher: &dyn Cipher, vector: &Vector) -> Check {
    let [key, iv, associated, plain, text, icv] = vector.members()?;
    let mut data = plain.clone();
    let mut tag = vec![0; icv.len()];
    done("seal", cipher.seal(key, iv, associated, &mut data, &mut tag))?;
    same("the ciphertext", &data, text)?;
    same("the ICV", &tag, icv)?;
    done("open", cipher.open(key, iv, associated, &mut data, icv))?;
    same("the plaintext", &data, plain)?;
    let wrong_length = |what, key: &[u8], iv: &[u8], tag: &[u8]| {
        let (mut data, mut out) = (text.clone(), tag.to_vec());
        refused(what, CryptoError::Length, cipher.open(key, iv, associated, &mut data, tag))?;
        refused(what, CryptoError::Length, cipher.seal(key, iv, associated, &mut data, &mut out))
    };
    if !key.is_empty() {
        wrong_length("a key that is a byte too short", shorter(key), iv, icv)?;
    }
    if !iv.is_empty() {
        wrong_length("an initialization vector that is a byte too short", key, shorter(iv), icv)?;
    }
    if cipher.icv_length() == 0 {
        wrong_length("an ICV of a cipher that makes none", key, iv, &[0; 12])?;
        return partial_block(cipher, key, iv, text);
    }
    wrong_length("an ICV that is a byte too short", key, iv, shorter(icv))?;
    for index in 0..icv.len() {
        refuses_to_open("a changed ICV", cipher, key, iv, associated, text, &flipped(icv, index))?;
    }
    for index in [Some(0), text.len().checked_sub(1)].into_iter().flatten().filter(|_| !text.is_empty()) {
        refuses_to_open("a changed ciphertext", cipher, key, iv, associated, &flipped(text, index), icv)?;
    }
    for index in [Some(0), associated.len().checked_sub(1)].into_iter().flatten().filter(|_| !associated.is_empty()) {
        let associated = flipped(associated, index);
        refuses_to_open("changed associated data", cipher, key, iv, &associated, text, icv)?;
    }
    refuses_to_open("associated data with a byte more", cipher, key, iv, &[associated, &[0][..]].concat(), text, icv)
}

fn partial_block(cipher: &dyn Cipher, key: &[u8], iv: &[u8], text: &[u8]) -> Check {
    if cipher.block_length() <= 1 || text.is_empty() {
        return Ok(());
    }
    let mut data = shorter(text).to_vec();
    refused("a part of a block", CryptoError::Length, cipher.open(key, iv, &[], &mut data, &[]))?;
    refused("a part of a block", CryptoError::Length, cipher.seal(key, iv, &[], &mut data, &mut []))
}

/// A published value that shall not open.
fn refuse(cipher: &dyn Cipher, vector: &Vector) -> Check {
    let [key, iv, associated, text, icv] = vector.members()?;
    refuses_to_open("a wrong ICV", cipher, key, iv, associated, text, icv)
}

/// Refused, and the data is as it was, or zero.
fn refuses_to_open(
    what: &'static str,
    cipher: &dyn Cipher,
    key: &[u8],
    iv: &[u8],
    associated: &[u8],
    text: &[u8],
    icv: &[u8],
) -> Check {
    let mut data = text.to_vec();
    refused(what, CryptoError::Refused, cipher.open(key, iv, associated, &mut data, icv))?;
    let is_harmless = data == text || data.iter().all(|byte| *byte == 0);
    if is_harmless { Ok(()) } else { Err(Fault::Leftover { what }) }
}
