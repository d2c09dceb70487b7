//! Diffie-Hellman groups: both halves of exchanges, and public values that no exchange may use (reading R17).

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
    let exchange = done("start", group.start(Secret::copy_of(private)))?;
    if public.is_empty() {
        size("the length of the public value", exchange.public().len() == group.public_length())?;
    } else {
        same("the public value", exchange.public(), public)?;
    }
    done("check_public", group.check_public(peer))?;
    let secret = done("agree", exchange.agree(peer))?;
    same("the shared secret", secret.expose(), shared)
}

/// A public value outside the group, by both ways in.
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
    let exchange = done("start", group.start(small(group)))?;
    refused(what, expected, exchange.agree(public))
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
    let mut draw = || group.draw_private(&mut random).map_err(|_| CryptoError::Device);
    let (a, b) = (done("draw_private", draw())?, done("draw_private", draw())?);
    let (a, b) = (done("start", group.start(a))?, done("start", group.start(b))?);
    let (public_a, public_b) = (a.public().to_vec(), b.public().to_vec());
    if public_a == public_b {
        return Err(super::Fault::Accepted { what: "the same private value twice" });
    }
    let (a, b) = (done("agree", a.agree(&public_b))?, done("agree", b.agree(&public_a))?);
    size("the length of the shared secret", a.len() == group.shared_length())?;
    same("the other side's shared secret", a.expose(), b.expose())
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
