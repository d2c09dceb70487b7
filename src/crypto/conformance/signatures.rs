//! Verifiers of signatures: what they accept, and what they must not (r3 Table K6, reading R16).

use alloc::format;
use alloc::string::String;

use super::vectors::{self, Vector};
use super::{Check, Findings, Outcome, done, flipped, refused, shorter};
use crate::algorithm::AlgorithmType;
use crate::crypto::{CryptoError, HashKind, KeyKind, SignatureScheme, Verifier};

pub(super) fn check(verifier: &dyn Verifier) -> Outcome {
    let scheme = verifier.scheme();
    let identifier = scheme.key.auth_method();
    let mut findings = Findings::new(AlgorithmType::Authentication, identifier);
    findings.0.scheme = Some(scheme);
    findings.0.name = name(scheme);
    for vector in vectors::of(vectors::SIGNATURES, identifier) {
        // `verify-sha256`: one identifier has several schemes.
        match vector.action.split_once('-') {
            Some((_, hash)) if hash != hash_name(scheme.hash) => {}
            Some(("verify", _)) => findings.count(vector.name, verify(verifier, &vector)),
            _ => findings.count(vector.name, refuse(verifier, &vector)),
        }
    }
    findings.0
}

const fn hash_name(hash: HashKind) -> &'static str {
    match hash {
        HashKind::Sha1 => "sha1",
        HashKind::Sha256 => "sha256",
        HashKind::Sha384 => "sha384",
        HashKind::Sha512 => "sha512",
    }
}

fn name(scheme: SignatureScheme) -> String {
    let key = match scheme.key {
        KeyKind::Rsa => "RSA",
        KeyKind::P256 => "ECDSA on P-256",
        KeyKind::P384 => "ECDSA on P-384",
        KeyKind::P521 => "ECDSA on P-521",
    };
    format!("{key}, {}", hash_name(scheme.hash))
}

/// Accepts the signature, and neither of another length, nor changed, nor of another message, nor under another key.
fn verify(verifier: &dyn Verifier, vector: &Vector) -> Check {
    let [key, message, signature] = vector.members()?;
    done("verify", verifier.verify(key, &[message], signature))?;
    let (head, tail) = message.split_at_checked(message.len() / 3).unwrap_or_default();
    done("verify in parts", verifier.verify(key, &[head, &[], tail], signature))?;
    let refuses = |what, key: &[u8], message: &[&[u8]], signature: &[u8]| {
        refused(what, CryptoError::Refused, verifier.verify(key, message, signature))
    };
    refuses("a message with a byte more", key, &[message, &[0]], signature)?;
    for wrong in [&[][..], shorter(signature), &[signature, &[0][..]].concat()] {
        refuses("a signature of another length", key, &[message], wrong)?;
    }
    let last = signature.len().saturating_sub(1);
    for index in [0, last / 2, last] {
        refuses("a changed signature", key, &[message], &flipped(signature, index))?;
    }
    refuses("a key that is a byte too short", shorter(key), &[message], signature)?;
    refuses("no key", &[], &[message], signature)
}

/// A published signature that shall not be accepted.
fn refuse(verifier: &dyn Verifier, vector: &Vector) -> Check {
    let [key, message, signature] = vector.members()?;
    refused("a wrong signature", CryptoError::Refused, verifier.verify(key, &[message], signature))
}
