//! Certificates, lists and identities that were cut, flipped or made up: refused, and nothing panics.

use ikev2_scsi::crypto::{CertificateError, Verifier};
use ikev2_scsi::x509::{
    ChainValidator, ExtendedUse, IdentityMatch, Revocation, authority_hash, public_key_from_spki, subject,
    subject_alt_names,
};

use crate::cases::{CASES, Case, answer, case};
use crate::provider;

fn verifiers() -> &'static [&'static dyn Verifier] {
    provider::provider().verifiers
}

/// The helpers that read a certificate; what they answer is not looked at.
fn read(der: &[u8]) {
    let _ = (authority_hash(der), subject(der), subject_alt_names(der), public_key_from_spki(der));
}

fn refused(case: &Case, validator: &ChainValidator, chain: &[&[u8]], what: &str) {
    let outcome = case.ask_with(validator, chain, verifiers());
    assert!(outcome.is_err(), "{}: {what}: {}", case.name, answer(&outcome));
}

/// The most lenient validator: only the chain counts.
fn lenient(case: &Case) -> ChainValidator {
    let builder = case.builder().identity_match(IdentityMatch::Off).extended_use(ExtendedUse::Any);
    builder.build().unwrap()
}

#[test]
fn a_certificate_cut_anywhere_is_refused() {
    for name in ["p256-direct", "rsa-direct", "gn-DNSName-tape.example.org"] {
        let case = case(name);
        let (validator, leaf) = (lenient(case), &case.chain[0]);
        for length in 0..leaf.len() {
            let outcome = case.ask_with(&validator, &[&leaf[..length]], verifiers());
            assert_eq!(outcome, Err(CertificateError::Malformed), "{name} cut to {length}");
            read(&leaf[..length]);
            assert!(authority_hash(&leaf[..length]).is_err() && subject(&leaf[..length]).is_err());
        }
        refused(case, &validator, &[&[&leaf[..], &[0]].concat()], "a byte too many");
    }
}

/// What decides is signed, and the signature and its algorithm are encoded in one way.
#[test]
fn a_certificate_with_any_bit_flipped_is_refused() {
    for name in ["p256-direct", "gn-DNSName-tape.example.org"] {
        let case = case(name);
        let (validator, leaf) = (lenient(case), &case.chain[0]);
        for at in 0..leaf.len() {
            for bit in 0..8 {
                let mut flipped = leaf.clone();
                flipped[at] ^= 1 << bit;
                refused(case, &validator, &[&flipped], &format!("bit {bit} of byte {at}"));
                read(&flipped);
            }
        }
    }
}

#[test]
fn an_rsa_certificate_with_a_flipped_bit_in_each_byte_is_refused() {
    let case = case("rsa-direct");
    let (validator, leaf) = (lenient(case), &case.chain[0]);
    for at in 0..leaf.len() {
        let mut flipped = leaf.clone();
        flipped[at] ^= 1 << (at % 8);
        refused(case, &validator, &[&flipped], &format!("bit {} of byte {at}", at % 8));
    }
}

/// r | s as AUTH has it is no signature of a certificate, which has DER.
#[test]
fn an_ecdsa_signature_that_is_not_der_is_refused() {
    let case = case("p256-direct");
    let leaf = &case.chain[0];
    let algorithm = leaf.windows(10).rposition(|part| part == [6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]).unwrap();
    let (signed, bits) = (&leaf[4..algorithm + 10], &leaf[algorithm + 10..]);
    let number = |der: &[u8]| [vec![0; 33], der[2..2 + usize::from(der[1])].to_vec()].concat();
    let (r, s) = bits[5..].split_at(2 + usize::from(bits[6]));
    let fixed = [r, s].map(number).map(|half| half[half.len() - 32..].to_vec()).concat();
    let with = |signature: &[u8]| {
        let bits = [&[3, u8::try_from(signature.len() + 1).unwrap(), 0], signature].concat();
        let [high, low] = u16::try_from(signed.len() + bits.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82, high, low], signed, &bits].concat()
    };
    assert_eq!(with(&bits[3..]), *leaf);
    refused(case, &lenient(case), &[&with(&fixed)], "r | s");
}

/// A damaged intermediate leads nowhere, and a good one beside it still does.
#[test]
fn a_damaged_intermediate_is_passed_over() {
    let case = case("key-id");
    let two = crate::cases::case("p256-two");
    let validator = two.builder().revocation(Revocation::Off).build().unwrap();
    let [leaf, second, first] = [&two.chain[0], &two.chain[1], &two.chain[2]];
    for at in (0..second.len()).step_by(7) {
        let mut flipped = second.clone();
        flipped[at] ^= 1 << (at % 8);
        refused(two, &validator, &[leaf, &flipped, first], &format!("intermediate, byte {at}"));
        refused(two, &validator, &[leaf, &second[..at], first], &format!("intermediate cut to {at}"));
        let outcome = two.ask_with(&validator, &[leaf, &flipped, &second[..at], second, first], verifiers());
        assert_eq!(answer(&outcome), "ok", "byte {at}");
    }
    assert_eq!(case.expect, "IdentityMismatch");
}

#[test]
fn garbage_is_refused() {
    let case = case("p256-direct");
    let validator = lenient(case);
    let mut garbage: Vec<Vec<u8>> = vec![vec![], vec![0], vec![0x30], vec![0x30, 0], vec![0x30, 0x80], vec![0xFF; 64]];
    garbage.extend([4, 0x30, 0x31, 0xA0].map(|tag| [tag, 0x82, 0x3F, 0xF0].repeat(4096)));
    // Sequences in sequences, as deep as they go.
    let mut deep: Vec<u8> = Vec::new();
    for left in (1..4000_u16).rev() {
        let [high, low] = (left * 4).to_be_bytes();
        deep.extend([0x30, 0x82, high, low]);
    }
    garbage.push(deep);
    for der in &garbage {
        refused(case, &validator, &[der], "garbage");
        let outcome = case.ask_with(&validator, &[&case.chain[0][..], der], verifiers());
        assert_eq!(answer(&outcome), "ok", "garbage beside a certificate");
        read(der);
        assert!(ChainValidator::builder().trust_anchor(der).revocation(Revocation::Off).build().is_err());
    }
}

#[test]
fn a_damaged_list_does_not_panic_and_does_not_clear_the_revoked() {
    let case = case("p256-list-leaf");
    let list = &case.lists[2];
    let with = |list: &[u8]| {
        let mut builder = ChainValidator::builder().trust_anchor(&case.anchors[0]);
        for good in &case.lists[..2] {
            builder = builder.revocation_list(good);
        }
        builder.revocation_list(list).build()
    };
    for length in 0..list.len() {
        assert!(with(&list[..length]).is_err(), "cut to {length}");
    }
    let mut built = 0;
    for at in 0..list.len() {
        for bit in 0..8 {
            let mut flipped = list.clone();
            flipped[at] ^= 1 << bit;
            let Ok(validator) = with(&flipped) else { continue };
            built += 1;
            refused(case, &validator, &[&case.chain[0], &case.chain[1], &case.chain[2]], &format!("list, byte {at}"));
        }
    }
    assert!(built > 100, "{built} flipped lists could be read");
}

#[test]
fn identities_that_are_cut_or_flipped_match_nothing() {
    for case in
        CASES.iter().filter(|case| case.name.starts_with("gn-") && case.expect == "ok").chain([case("dn-multi")])
    {
        let validator = case.builder().build().unwrap();
        let good = &case.identity.data;
        let mut wrong: Vec<Vec<u8>> = (0..good.len()).map(|length| good[..length].to_vec()).collect();
        for at in 0..good.len() {
            let mut flipped = good.to_vec();
            flipped[at] ^= 1 << (at % 8);
            wrong.push(flipped);
        }
        for data in wrong {
            let identity = ikev2_scsi::crypto::Identity::new(case.identity.id_type, &data);
            let other = Case {
                name: case.name.clone(),
                anchors: Vec::new(),
                chain: case.chain.clone(),
                lists: Vec::new(),
                kind: case.kind,
                identity,
                at: case.at,
                expect: String::new(),
                other: serde_json::Value::Null,
            };
            assert_eq!(other.ask_built(&validator), Err(CertificateError::IdentityMismatch), "{}", case.name);
        }
    }
}
