//! Diffie-Hellman groups: both halves of exchanges, and public values that no exchange may use (reading R17).

use alloc::vec;
use alloc::vec::Vec;

use super::vectors::{self, Vector};
use super::{Check, Findings, Outcome, done, refused, same, shorter, size};
use crate::algorithm::{self, AlgorithmType, Sizes};
use crate::crypto::{CryptoError, DhGroup, Purpose, Random, RandomError, Secret};

pub(super) fn check(group: &dyn DhGroup) -> Outcome {
    let identifier = group.identifier();
    let mut findings = Findings::new(AlgorithmType::DiffieHellman, identifier);
    let row = algorithm::find(AlgorithmType::DiffieHellman, identifier);
    if let Some(Sizes::DiffieHellman { public, shared }) = row.map(|row| row.sizes) {
        let sizes = || {
            size("the length of a public value", group.public_length() == public)?;
            size("the length of the shared secret", group.shared_length() == shared)
        };
        findings.note("its sizes", sizes());
        findings.note("private values drawn", drawn(group));
    }
    for vector in vectors::of(vectors::GROUPS, identifier) {
        findings
            .count(vector.name, if vector.action == "agree" { agree(group, &vector) } else { refuse(group, &vector) });
    }
    findings.0
}

/// One side's private value and, where it is published, public value; the other side's public value; what they share.
fn agree(group: &dyn DhGroup, vector: &Vector) -> Check {
    let [private, public, peer, shared] = vector.members()?;
    done("check_public", group.check_public(peer))?;
    let own = done("public", public_of(group, private))?;
    let secret = done("agree", shared_with(group, private, peer))?;
    let (both_own, both_secret) = done("exchange", both(group, private, peer))?;
    if public.is_empty() {
        same("the public value of both halves", &both_own, &own)?;
    } else {
        same("the public value", &own, public)?;
        same("the public value of both halves", &both_own, public)?;
    }
    same("the shared secret", secret.expose(), shared)?;
    same("the shared secret of both halves", both_secret.expose(), shared)?;
    let refused = |result| refused("a buffer of another length", CryptoError::Length, result);
    let (long_own, long_secret) =
        (&mut vec![0; own.len().saturating_add(1)], &mut vec![0; shared.len().saturating_add(1)]);
    refused(group.public(private, long_own))?;
    refused(group.agree(private, peer, long_secret))?;
    refused(group.public(private, shorter_mut(long_own, 2)))?;
    refused(group.agree(private, peer, shorter_mut(long_secret, 2)))
}

/// Our half: the public value.
fn public_of(group: &dyn DhGroup, private: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut public = vec![0; group.public_length()];
    group.public(private, &mut public)?;
    Ok(public)
}

/// The other half: the shared secret.
fn shared_with(group: &dyn DhGroup, private: &[u8], peer: &[u8]) -> Result<Secret, CryptoError> {
    let mut shared = Secret::zeroed(group.shared_length());
    group.agree(private, peer, shared.expose_mut())?;
    Ok(shared)
}

/// Both halves at once.
fn both(group: &dyn DhGroup, private: &[u8], peer: &[u8]) -> Result<(Vec<u8>, Secret), CryptoError> {
    let (mut public, mut shared) = (vec![0; group.public_length()], Secret::zeroed(group.shared_length()));
    group.exchange(private, peer, &mut public, shared.expose_mut())?;
    Ok((public, shared))
}

/// All but the last `fewer` bytes.
fn shorter_mut(bytes: &mut [u8], fewer: usize) -> &mut [u8] {
    let length = bytes.len().saturating_sub(fewer);
    bytes.get_mut(..length).unwrap_or_default()
}

/// A public value outside the group, by every way in.
fn refuse(group: &dyn DhGroup, vector: &Vector) -> Check {
    let [public] = vector.members()?;
    refuse_public(group, public)?;
    refuse_public(group, shorter(public))
}

fn refuse_public(group: &dyn DhGroup, public: &[u8]) -> Check {
    let is_long_enough = public.len() == group.public_length();
    let (what, expected) = match is_long_enough {
        true => ("a public value outside the group", CryptoError::Refused),
        false => ("a public value of another length", CryptoError::Length),
    };
    refused(what, expected, group.check_public(public))?;
    let private = small(group);
    refused(what, expected, shared_with(group, private.expose(), public))?;
    refused(what, expected, both(group, private.expose(), public))
}

/// Three: a private value that every group of Table K5 can use.
fn small(group: &dyn DhGroup) -> Secret {
    let mut private = Secret::zeroed(group.private_length());
    if let Some(last) = private.expose_mut().last_mut() {
        *last = 3;
    }
    private
}

/// Two private values that the group draws itself are usable, and agree.
fn drawn(group: &dyn DhGroup) -> Check {
    let mut random = Numbers(1);
    let mut draw = || {
        let mut private = Secret::zeroed(group.private_length());
        let drawn = group.draw_private(&mut random, private.expose_mut());
        done("draw_private", drawn.map(|()| private).map_err(|_| CryptoError::Device))
    };
    let (a, b) = (draw()?, draw()?);
    let public = |private: &Secret| done("public", public_of(group, private.expose()));
    let (public_a, public_b) = (public(&a)?, public(&b)?);
    if public_a == public_b {
        return Err(super::Fault::Accepted { what: "the same private value twice" });
    }
    let shared = |private: &Secret, peer| done("agree", shared_with(group, private.expose(), peer));
    same("the other side's shared secret", shared(&a, &public_b)?.expose(), shared(&b, &public_a)?.expose())
}

/// Numbers that are not the same twice: what is drawn of them is secret from nobody.
struct Numbers(u64);

impl Random for Numbers {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [high, ..] = self.0.to_be_bytes();
            *byte = high;
        }
        Ok(())
    }
}
