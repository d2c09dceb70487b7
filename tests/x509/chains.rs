//! Every case, under every policy that it says something about.

use ikev2_scsi::crypto::{CertificateError, CertificateValidator, PeerClaim};
use ikev2_scsi::wire::{Certificate, CertificateEncoding, IdType};
use ikev2_scsi::x509::{BuildError, ChainValidator, ExtendedUse, IdentityMatch, KeyPurpose, Limits, Revocation};

use crate::cases::{CASES, answer, case, x509};
use crate::provider;

#[test]
fn every_case_is_answered_as_it_says() {
    assert!(CASES.len() > 120, "{}", CASES.len());
    let wrong: Vec<_> = CASES
        .iter()
        .map(|case| (&case.name, &case.expect, case.ask(case.builder())))
        .filter(|(_, expect, answer)| *expect != answer)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_key_is_that_of_the_first_certificate() {
    for case in CASES.iter().filter(|case| case.expect == "ok") {
        let key = case.ask_built(&case.builder().build().unwrap()).unwrap();
        assert_eq!(key.kind, case.kind, "{}", case.name);
        assert!(case.chain[0].windows(key.bytes.len()).any(|part| *part == *key.bytes), "{}", case.name);
    }
}

#[test]
fn lists_that_need_not_be_there() {
    for case in CASES.iter().filter(|case| !case.lists.is_empty()) {
        let expect = case.other["when_listed"].as_str().unwrap_or(&case.expect);
        assert_eq!(case.ask(case.builder().revocation(Revocation::WhenListed)), expect, "{}", case.name);
        if expect != "BuildError" {
            assert_eq!(case.ask(case.builder().revocation(Revocation::Off)), "ok", "{}", case.name);
        }
    }
}

#[test]
fn revocation_must_be_checked_unless_somebody_says_otherwise() {
    let case = case("p256-direct");
    let builder = ChainValidator::builder().trust_anchor(&case.anchors[0]);
    assert_eq!(builder.build().unwrap_err(), BuildError::NoRevocationList);
    assert_eq!(ChainValidator::builder().build().unwrap_err(), BuildError::NoTrustAnchor);
    let builder = ChainValidator::builder().trust_anchor(&case.anchors[0]).trust_anchor(&case.anchors[0][1..]);
    assert_eq!(builder.build().unwrap_err(), BuildError::TrustAnchor(1));
}

#[test]
fn lists_are_replaced() {
    let (good, revoked) = (case("p256-two"), case("p256-list-leaf"));
    let validator = good.builder().build().unwrap();
    assert_eq!(answer(&good.ask_built(&validator)), "ok");
    let lists: Vec<&[u8]> = revoked.lists.iter().map(Vec::as_slice).collect();
    let later = validator.with_revocation_lists(&lists).unwrap();
    assert_eq!(good.ask_built(&later), Err(CertificateError::Revoked));
    assert_eq!(answer(&good.ask_built(&validator)), "ok");
    assert_eq!(validator.with_revocation_lists(&[]).unwrap_err(), BuildError::NoRevocationList);
    assert_eq!(validator.with_revocation_lists(&[lists[0], b"x"]).unwrap_err(), BuildError::RevocationList(1));
}

#[test]
fn other_purposes_by_policy() {
    let policies = [
        ("server", KeyPurpose::server_auth(), ["eku-server", "eku-intermediate-server"].as_slice()),
        ("client", KeyPurpose::client_auth(), &["eku-client"]),
        ("old", KeyPurpose::new(&[1, 3, 6, 1, 5, 5, 7, 3, 6]).unwrap(), &["eku-old"]),
    ];
    let all: Vec<_> = CASES.iter().filter(|case| case.name.starts_with("eku-")).collect();
    for (policy, purpose, accepted) in policies {
        for case in &all {
            let expect = if accepted.contains(&case.name.as_str()) { "ok" } else { &case.expect };
            let builder = case.builder().extended_use(ExtendedUse::IkeOr(vec![purpose.clone()]));
            assert_eq!(case.ask(builder), expect, "{} by policy {policy}", case.name);
        }
    }
    for case in all {
        let expect = if case.name == "eku-empty" { "WrongUse" } else { "ok" };
        assert_eq!(case.ask(case.builder().extended_use(ExtendedUse::Any)), expect, "{}", case.name);
    }
}

#[test]
fn identities_that_need_not_match_or_are_mapped() {
    for case in CASES.iter().filter(|case| case.expect == "IdentityMismatch") {
        assert_eq!(case.ask(case.builder().identity_match(IdentityMatch::Off)), "ok", "{}", case.name);
        let expect = case.other["mapped"].as_str().unwrap_or("IdentityMismatch");
        assert_eq!(case.ask(case.mapped()), expect, "{}", case.name);
    }
    // Names of certificates are never left to the map.
    let mapped: Vec<_> = CASES.iter().filter(|case| case.other["mapped"] == "ok").collect();
    assert!(
        mapped.iter().all(|case| matches!(case.identity.id_type, IdType::KeyId | IdType::FcName)) && mapped.len() == 2
    );
}

#[test]
fn the_time_must_be_known() {
    let case = case("p256-direct");
    let validator = case.builder().build().unwrap();
    let certificates = [x509(&case.chain[0])];
    let claim = PeerClaim {
        identity: case.identity.as_payload(),
        kind: case.kind,
        certificates: &certificates,
        at: None,
        verifiers: provider::provider().verifiers,
    };
    assert_eq!(validator.validate(&claim), Err(CertificateError::NoTime));
    assert_eq!(answer(&validator.validate(&PeerClaim { at: case.at, ..claim })), "ok");
    assert_eq!(
        validator.validate(&PeerClaim { at: case.at, certificates: &[], ..claim }),
        Err(CertificateError::Unknown)
    );
    assert_eq!(
        validator.validate(&PeerClaim { at: case.at, verifiers: &[], ..claim }),
        Err(CertificateError::Unsupported)
    );
}

/// A raw key in the first place is for others; after it, it is passed over, but counts.
#[test]
fn raw_keys() {
    let case = case("p256-two");
    let validator = case.builder().build().unwrap();
    let raw = Certificate { encoding: CertificateEncoding::RawRsaKey, data: b"no key" };
    let chain: Vec<_> = case.chain.iter().map(|der| x509(der)).collect();
    let ask = |certificates: &[Certificate<'_>]| {
        answer(&validator.validate(&PeerClaim {
            identity: case.identity.as_payload(),
            kind: case.kind,
            certificates,
            at: case.at,
            verifiers: provider::provider().verifiers,
        }))
    };
    assert_eq!(ask(&[raw, chain[0], chain[1], chain[2]]), "Unknown");
    assert_eq!(ask(&[chain[0], raw, chain[1], raw, chain[2]]), "ok");
    assert_eq!(ask(&[&chain[..], &[raw; 13]].concat()), "ok");
    assert_eq!(ask(&[&chain[..], &[raw; 14]].concat()), "TooMuch");
}

#[test]
fn limits() {
    let case = case("p256-two");
    let ask = |limits: Limits| case.ask(case.builder().limits(limits));
    let default = Limits::default();
    assert_eq!(ask(Limits { certificates: 3, ..default }), "ok");
    assert_eq!(ask(Limits { certificates: 2, ..default }), "TooMuch");
    assert_eq!(ask(Limits { certificates: 0, ..default }), "TooMuch");
    // Three certificates and three lists.
    assert_eq!(ask(Limits { signatures: 6, ..default }), "ok");
    assert_ne!(ask(Limits { signatures: 5, ..default }), "ok");
    assert_ne!(ask(Limits { signatures: 0, ..default }), "ok");
    assert_eq!(ask(Limits { steps: 3, ..default }), "ok");
    assert_eq!(ask(Limits { steps: 2, ..default }), "TooMuch");
    assert_eq!(ask(Limits { steps: 0, ..default }), "TooMuch");
}

#[test]
fn validators_say_nothing_of_their_keys() {
    let case = case("p256-two");
    let printed = format!("{:?} {:?}", case.builder(), case.builder().build().unwrap());
    assert!(printed.contains("anchors: 1, lists: 3") && printed.len() < 700, "{printed}");
}
