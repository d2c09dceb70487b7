//! What an embedder reads out of its own certificate, and keys to pin.

use ikev2_scsi::crypto::{CertificateError, CertificateValidator, Identity, KeyKind, PeerClaim};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::IdType;
use ikev2_scsi::x509::{
    ChainValidator, IdentityMatch, Revocation, authority_hash, public_key_from_spki, subject, subject_alt_names,
};
use serde_json::Value;

use crate::cases::{CASES, answer, case, hex, x509};
use crate::provider;

fn bench() -> Value {
    serde_json::from_str(include_str!("../../vectors/certificates/bench.json")).unwrap()
}

fn list(value: &Value) -> Vec<Vec<u8>> {
    value.as_array().unwrap().iter().map(|der| hex(der.as_str().unwrap())).collect()
}

/// Chains and the authority's hash as an independent implementation of IKEv2-SCSI uses them.
#[test]
fn the_bench_and_its_authority() {
    let bench = bench();
    let anchors = list(&bench["trust_anchors"]);
    let builder = ChainValidator::builder().trust_anchor(&anchors[0]).revocation(Revocation::Off);
    let validator = builder.identity_match(IdentityMatch::Off).build().unwrap();
    let authority: [u8; 20] = hex(bench["authority"].as_str().unwrap()).try_into().unwrap();
    assert_eq!(authority_hash(&anchors[0]), Ok(authority));
    assert_eq!(validator.authorities(), [authority]);
    let kinds = [("rsa", KeyKind::Rsa), ("p256", KeyKind::P256), ("p384", KeyKind::P384), ("p521", KeyKind::P521)];
    for (name, kind) in kinds {
        let chain = list(&bench["certs"][name]);
        let certificates: Vec<_> = chain.iter().map(|der| x509(der)).collect();
        let identity = Identity::key_id(b"anybody");
        let claim = PeerClaim {
            identity: identity.as_payload(),
            kind,
            certificates: &certificates,
            at: Some(UnixTime(bench["at"].as_u64().unwrap())),
            verifiers: provider::provider().verifiers,
        };
        assert_eq!(validator.validate(&claim).map(|key| key.kind), Ok(kind), "{name}");
        assert_eq!(
            validator.validate(&PeerClaim { certificates: &certificates[..1], ..claim }),
            Err(CertificateError::Untrusted),
            "{name}"
        );
    }
}

#[test]
fn keys_out_of_their_subject_public_key_info() {
    let keys = list(&bench()["public_keys"]);
    for (spki, (kind, length)) in
        keys.iter().zip([(KeyKind::Rsa, 270), (KeyKind::P256, 65), (KeyKind::P384, 97), (KeyKind::P521, 133)])
    {
        let key = public_key_from_spki(spki).unwrap();
        assert_eq!((key.kind, key.bytes.len()), (kind, length));
        assert!(spki.ends_with(&key.bytes));
        for length in 0..spki.len() {
            assert_eq!(
                public_key_from_spki(&spki[..length]),
                Err(CertificateError::Malformed),
                "{kind:?} cut to {length}"
            );
        }
        assert_eq!(public_key_from_spki(&[&spki[..], &[0]].concat()), Err(CertificateError::Malformed));
        for at in 0..spki.len() {
            let mut flipped = spki.clone();
            flipped[at] ^= 1;
            assert_ne!(public_key_from_spki(&flipped), Ok(key.clone()), "{kind:?} byte {at}");
        }
    }
    // Ed25519.
    let other = [&hex("302a300506032b6570032100")[..], &[7; 32]].concat();
    assert_eq!(public_key_from_spki(&other), Err(CertificateError::WrongKind));
}

/// The vectors' identities are those that Python reads.
#[test]
fn identities_out_of_ones_own_certificate() {
    let mut names = 0;
    for case in CASES.iter().filter(|case| case.expect == "ok") {
        match case.identity.id_type {
            IdType::DerAsn1Dn => assert_eq!(subject(&case.chain[0]).as_ref(), Ok(&case.identity), "{}", case.name),
            _ => {
                assert!(subject_alt_names(&case.chain[0]).unwrap().contains(&case.identity), "{}", case.name);
                names += 1;
            }
        }
    }
    assert_eq!(names, 9);
    assert_eq!(subject_alt_names(&case("gn-other").chain[0]).unwrap().len(), 8);
    assert_eq!(subject_alt_names(&case("gn-without").chain[0]), Ok(Vec::new()));
    assert_eq!(subject(&case("gn-nobody").chain[0]), Err(CertificateError::Unknown));
    assert_eq!(answer(&Err(CertificateError::Unknown)), "Unknown");
}
