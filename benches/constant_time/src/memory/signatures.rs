//! Signatures: the private key is secret from the moment that it is read.
//!
//! What the crates below do with the key is theirs; what memcheck finds in them is listed in `known.supp`.

use ikev2_scsi::crypto::{HashKind, Signer};
use ikev2_scsi::provider::{EcdsaSigner, RsaSigner};

use super::bytes;
use super::der::{mark_ec, mark_rsa, recorded_key};
use crate::valgrind::{public, published};
use crate::watch::{Outcomes, Watch};

/// From a range of rounds, for k.
const ECDSA: Outcomes = Outcomes::of(0, "");

pub fn run(watch: &mut Watch) {
    for (name, transcript, kind) in [
        ("ECDSA P-256", "r3-gcm-128-sha256-ecp256-ecdsa256", "p256"),
        ("ECDSA P-384", "r3-client-ecdsa256-server-ecdsa384", "p384"),
    ] {
        let mut der = recorded_key(transcript, kind);
        mark_ec(&mut der);
        let signer = watch.quiet(&format!("{name}: read the key"), Outcomes::NONE, || EcdsaSigner::from_pkcs8_der(&der));
        sign(watch, name, ECDSA, &published(signer).unwrap());
    }
    let mut der = recorded_key("r3-rsa-chain-certreq", "rsa");
    mark_rsa(&mut der);
    let signer = watch.quiet("RSA 2048: read the key", Outcomes::NONE, || RsaSigner::from_pkcs8_der(&der, HashKind::Sha1));
    sign(watch, "RSA 2048", Outcomes::NONE, &signer.unwrap());
}

fn sign(watch: &mut Watch, name: &str, outcomes: Outcomes, signer: &dyn Signer) {
    let signed = watch.quiet(&format!("{name}: sign"), outcomes, || signer.sign(&[&bytes(1, 100)]));
    let mut signature = signed.unwrap();
    public(signature.as_mut_slice());
}
