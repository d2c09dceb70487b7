//! For one kind of key and the same CERT payloads, a refusal takes as many verifications as an acceptance.

use std::cell::RefCell;

use ikev2_scsi::crypto::{CryptoError, KeyKind, SignatureScheme, Verifier};
use ikev2_scsi::x509::{ChainValidator, IdentityMatch, Limits, Revocation};

use crate::cases::{CASES, Case, case};
use crate::provider;

thread_local! {
    static MADE: RefCell<Vec<(KeyKind, bool)>> = const { RefCell::new(Vec::new()) };
}

/// Passes on to a verifier of the provider, and takes note.
#[derive(Debug)]
struct Noting(usize);

impl Noting {
    fn inner(&self) -> &'static dyn Verifier {
        provider::provider().verifiers[self.0]
    }
}

impl Verifier for Noting {
    fn scheme(&self) -> SignatureScheme {
        self.inner().scheme()
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        let outcome = self.inner().verify(public_key, message, signature);
        MADE.with_borrow_mut(|made| made.push((self.scheme().key, outcome.is_ok())));
        outcome
    }
}

/// The kinds of the verifications that were made, in order of kind, and the outcome.
fn work(case: &Case, validator: &ChainValidator) -> (Vec<KeyKind>, bool) {
    let noting = (0..provider::provider().verifiers.len()).map(|i| &*Box::leak(Box::new(Noting(i))) as &dyn Verifier);
    let noting: &'static [&'static dyn Verifier] = Vec::leak(noting.collect());
    MADE.take();
    let outcome = case.ask_with(validator, &case.chain, noting);
    let mut kinds: Vec<_> = MADE.take().into_iter().map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    (kinds, outcome.is_ok())
}

#[test]
fn whose_certificate_it_is_takes_no_time() {
    for case in CASES.iter().filter(|case| case.expect == "IdentityMismatch") {
        let accepting = case.builder().identity_match(IdentityMatch::Off).build().unwrap();
        let (accepted, ok) = work(case, &accepting);
        assert!(ok, "{}", case.name);
        assert_eq!(work(case, &case.builder().build().unwrap()), (accepted, false), "{}", case.name);
    }
}

#[test]
fn every_certificate_costs_a_verification_and_every_list_another() {
    let namesakes = |case: &Case| case.name.contains("namesakes") || case.name.contains("in-the-root-name");
    for case in CASES.iter().filter(|case| case.expect != "BuildError" && !namesakes(case)) {
        let each = if case.lists.is_empty() { 1 } else { 2 };
        let (made, _) = work(case, &case.builder().build().unwrap());
        assert_eq!(made.len(), case.chain.len().min(16) * each, "{} ({}): {made:?}", case.name, case.expect);
    }
}

#[test]
fn lists_that_are_not_looked_at_cost_nothing() {
    let case = case("p256-two");
    let without = case.builder().revocation(Revocation::Off).build().unwrap();
    assert_eq!(work(case, &without), (vec![KeyKind::P256; 3], true));
}

#[test]
fn a_refusal_makes_the_kinds_that_an_acceptance_makes() {
    for kind in ["rsa", "p256", "p384", "p521"] {
        let works = ["two", "list-leaf", "list-intermediate"].map(|name| {
            let case = case(&format!("{kind}-{name}"));
            work(case, &case.builder().build().unwrap())
        });
        assert_eq!(works.each_ref().map(|(made, _)| made), [&vec![case(&format!("{kind}-two")).kind; 6]; 3]);
        assert_eq!(works.map(|(_, ok)| ok), [true, false, false]);
    }
    let mixed = case("mixed");
    let expected = vec![KeyKind::Rsa, KeyKind::P521];
    assert_eq!(work(mixed, &mixed.builder().build().unwrap()), (expected.clone(), true));
    let early = Case {
        name: String::new(),
        anchors: mixed.anchors.clone(),
        chain: mixed.chain.clone(),
        lists: Vec::new(),
        kind: mixed.kind,
        identity: mixed.identity.clone(),
        at: None,
        expect: String::new(),
        other: serde_json::Value::Null,
    };
    assert_eq!(work(&early, &mixed.builder().build().unwrap()), (expected, false));
}

/// Many authorities of one name cost no more than the limit, and no time to try.
#[test]
fn work_is_bounded() {
    for name in ["fifteen-namesakes", "fifteen-in-the-root-name", "loop", "a-hundred"] {
        let case = case(name);
        let begun = std::time::Instant::now();
        let (made, ok) = work(case, &case.builder().build().unwrap());
        assert!(!ok && made.len() <= Limits::default().signatures, "{name}: {}", made.len());
        assert!(begun.elapsed().as_secs() < 5, "{name} took {:?}", begun.elapsed());
    }
}
