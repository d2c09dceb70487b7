//! Pseudo-random functions and integrity algorithms.

use alloc::vec;

use super::vectors::{self, Vector};
use super::{Check, Findings, Outcome, done, flipped, refused, same, shorter, size};
use crate::algorithm::{self, AlgorithmType, Sizes};
use crate::crypto::{CryptoError, Integrity, Prf};

pub(super) fn check_prf(prf: &dyn Prf) -> Outcome {
    let identifier = prf.identifier();
    let mut findings = Findings::new(AlgorithmType::PseudoRandom, identifier);
    let row = algorithm::find(AlgorithmType::PseudoRandom, identifier);
    if let Some(Sizes::PseudoRandom { output, key }) = row.map(|row| row.sizes) {
        findings.note("its sizes", prf_sizes(prf, output, key));
    }
    for vector in vectors::of(vectors::PRFS, identifier) {
        findings.count(vector.name, compute(prf, &vector));
    }
    findings.0
}

/// r3 Table K3, and RFC 4306 2.14 (reading R14).
fn prf_sizes(prf: &dyn Prf, output: usize, key: usize) -> Check {
    size("the length of the output", prf.output_length() == output)?;
    size("the length of the key", prf.key_length() == key)?;
    let share = (prf.identifier() == algorithm::PRF_AES128_XCBC.identifier).then_some(8);
    size("the share of each nonce in the key of SKEYSEED", prf.nonce_share() == share)
}

fn compute(prf: &dyn Prf, vector: &Vector) -> Check {
    let [key, message, published] = vector.members()?;
    let (mut whole, mut in_parts) = (vec![0; published.len()], vec![0; published.len()]);
    done("compute", prf.compute(key, &[message], &mut whole))?;
    same("the output", &whole, published)?;
    let (head, tail) = message.split_at_checked(message.len() / 3).unwrap_or_default();
    done("compute in parts", prf.compute(key, &[head, &[], tail], &mut in_parts))?;
    same("the output of the message in parts", &in_parts, published)?;
    expand(prf, key, message)?;
    let short = prf.compute(key, &[message], whole.split_last_mut().map_or(&mut [], |(_, rest)| rest));
    refused("an output that is a byte too short", CryptoError::Length, short)
}

/// prf+ is made of the PRF's own outputs (RFC 4306 2.13), whether the provider makes it or not; here two blocks and a half.
fn expand(prf: &dyn Prf, key: &[u8], seed: &[u8]) -> Check {
    let length = prf.output_length();
    let (mut t1, mut t2, mut t3) = (vec![0; length], vec![0; length], vec![0; length]);
    done("compute", prf.compute(key, &[seed, &[1]], &mut t1))?;
    done("compute", prf.compute(key, &[&t1, seed, &[2]], &mut t2))?;
    done("compute", prf.compute(key, &[&t2, seed, &[3]], &mut t3))?;
    let chain = [t1, t2, t3].concat();
    let chain = chain.get(..length.saturating_mul(5) / 2).unwrap_or_default();
    let mut whole = vec![0; chain.len()];
    done("expand", prf.expand(key, &[seed], &mut whole))?;
    same("the output of prf+", &whole, chain)?;
    let (head, tail) = seed.split_at_checked(seed.len() / 3).unwrap_or_default();
    done("expand in parts", prf.expand(key, &[head, &[], tail], &mut whole))?;
    same("the output of prf+ with a seed in parts", &whole, chain)?;
    let mut more = vec![0; length.saturating_mul(255).saturating_add(1)];
    refused("more than 255 blocks", CryptoError::Length, prf.expand(key, &[seed], &mut more))
}

pub(super) fn check_integrity(integrity: &dyn Integrity) -> Outcome {
    let identifier = integrity.identifier();
    let mut findings = Findings::new(AlgorithmType::Integrity, identifier);
    let row = algorithm::find(AlgorithmType::Integrity, identifier);
    if let Some(Sizes::Integrity { key, icv }) = row.map(|row| row.sizes) {
        let sizes = || {
            size("the length of the key", integrity.key_length() == key)?;
            size("the length of the ICV", integrity.icv_length() == icv)
        };
        findings.note("its sizes", sizes());
    }
    for vector in vectors::of(vectors::INTEGRITY, identifier) {
        findings.count(vector.name, verify(integrity, &vector));
    }
    findings.0
}

fn verify(integrity: &dyn Integrity, vector: &Vector) -> Check {
    let [key, message, published] = vector.members()?;
    let mut icv = vec![0; published.len()];
    done("compute", integrity.compute(key, &[message], &mut icv))?;
    same("the ICV", &icv, published)?;
    let (head, tail) = message.split_at_checked(message.len() / 3).unwrap_or_default();
    done("compute in parts", integrity.compute(key, &[head, &[], tail], &mut icv))?;
    same("the ICV of the message in parts", &icv, published)?;
    done("verify", integrity.verify(key, &[message], published))?;
    done("verify in parts", integrity.verify(key, &[head, &[], tail], published))?;
    // Every byte, since a comparison may stop early.
    for index in 0..published.len() {
        let wrong = flipped(published, index);
        refused("a changed ICV", CryptoError::Refused, integrity.verify(key, &[message], &wrong))?;
    }
    let longer = [message, &[0][..]].concat();
    refused("a message with a byte more", CryptoError::Refused, integrity.verify(key, &[&longer], published))?;
    let other_key = flipped(key, 0);
    refused("another key", CryptoError::Refused, integrity.verify(&other_key, &[message], published))?;
    for wrong in [&[][..], shorter(published), &[published, &[0][..]].concat()] {
        refused("an ICV of another length", CryptoError::Length, integrity.verify(key, &[message], wrong))?;
        let computed = integrity.compute(key, &[message], &mut wrong.to_vec());
        refused("an ICV of another length", CryptoError::Length, computed)?;
    }
    let short_key = integrity.verify(shorter(key), &[message], published);
    refused("a key that is a byte too short", CryptoError::Length, short_key)
}
