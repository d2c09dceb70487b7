//! Signatures: the private key is secret from the moment that it is read.
//!
//! What the crates below do with the key is theirs; what memcheck finds in them is listed in `known.supp`.

use ikev2_scsi::crypto::{HashKind, Signer};
use ikev2_scsi::provider::{EcdsaSigner, RsaSigner};

use super::bytes;
use super::der::{SECP256R1, SECP384R1, SECP521R1, mark_ec, mark_rsa, published_key, recorded_key};
use crate::valgrind::{is_secret, public, published};
use crate::watch::{Outcomes, Watch};

/// k, r and s are drawn or computed again where they are out of range, and the signature is not given away if it is wrong: each
/// once where nothing is wrong.
const IN_RANGE: Outcomes = Outcomes::of(10, "whether k, r and s are in range, and whether the signature is right");
/// A factor without an inverse is drawn again; a power that does not lead back to its message is not given away.
const CHECKED: Outcomes = Outcomes::of(3, "whether the blinding factor fits, and whether the result is right");

pub fn run(watch: &mut Watch) {
    for (name, record, curve) in [
        ("ECDSA P-256", "ecdsa256", SECP256R1),
        ("ECDSA P-384", "ecdsa384", SECP384R1),
        ("ECDSA P-521", "ecdsa521", SECP521R1),
    ] {
        let mut der = published_key(record, curve);
        mark_ec(&mut der);
        let signer =
            watch.quiet(&format!("{name}: read the key"), Outcomes::NONE, || EcdsaSigner::from_pkcs8_der(&der));
        sign(watch, name, IN_RANGE, &signer.unwrap());
    }
    let mut der = recorded_key("r3-gcm-128-sha256-ecp256-ecdsa256", "p256");
    mark_ec(&mut der);
    let name = "ECDSA P-256: read a key with its public key";
    assert!(watch.quiet(name, Outcomes::NONE, || EcdsaSigner::from_pkcs8_der(&der)).is_ok());

    let mut der = recorded_key("r3-rsa-chain-certreq", "rsa");
    mark_rsa(&mut der);
    let signer =
        watch.quiet("RSA 2048: read the key", Outcomes::NONE, || RsaSigner::from_pkcs8_der(&der, HashKind::Sha1));
    sign(watch, "RSA 2048", CHECKED, &signer.unwrap());
}

fn sign(watch: &mut Watch, name: &str, outcomes: Outcomes, signer: &dyn Signer) {
    let mut signature = vec![0; signer.signature_length()];
    let signed = watch.quiet(&format!("{name}: sign"), outcomes, || signer.sign(&[&bytes(1, 100)], &mut signature));
    assert_eq!(published(signed), Ok(()));
    assert!(is_secret(&signature));
    public(signature.as_mut_slice());
}
