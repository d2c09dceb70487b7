//! What is listed to whom, and what follows from a list.

use super::*;
use crate::wire::SaAlgorithms;

fn derived(methods: AuthMethods, hidden: &[(AlgorithmType, u32)]) -> Offer {
    Offer::derive(Profile::R3, &provider(), methods, hidden, false).unwrap()
}

fn fixed(list: &[Descriptor]) -> Offer {
    Offer::fixed(Profile::R3, list, false).unwrap()
}

/// Type and identifier of all that is listed.
fn listed(offer: &Offer) -> Vec<(u8, u32)> {
    let mut listed: Vec<_> = offer.iter().map(|d| (d.algorithm_type, d.identifier)).collect();
    listed.dedup();
    listed
}

/// What a nexus sees to which only those algorithms are offered for which `keep` is true.
fn only(offer: &Offer, keep: impl Fn(u8, u32) -> bool) -> Vec<(u8, u32)> {
    listed(&offer.only(&provider(), |d| keep(d.algorithm_type, d.identifier)).unwrap())
}

/// r3 7.7.4.11.1.5: USE tells what the device server can do, ACCEPT what it can check; a method has a descriptor for either.
#[test]
fn use_and_accept_are_told_apart() {
    let rsa = MethodSet(0b00001);
    let offer = derived(AuthMethods { uses: SHARED_KEY, accepts: rsa, none: false }, &[]);
    let authentication: Vec<_> = offer.iter().filter(|d| d.algorithm_type == 0xF9).map(|d| d.to_bytes()).collect();
    assert_eq!(authentication, [[0xF9, 0, 0, 12, 0, 0, 0, 1, 1, 0, 0, 0], [0xF9, 0, 0, 12, 0, 0, 0, 2, 2, 0, 0, 0]]);
    assert!(offer.accepts(1) && !offer.accepts(2) && !offer.accepts(3) && !offer.accepts(0));
}

/// r3 7.7.4.11 and reading R5: what is withdrawn is not listed, all else is; integrity NONE goes with the last combined mode,
/// and nobody is asked about it.
#[test]
fn what_is_withdrawn_is_not_listed() {
    let methods = AuthMethods { none: true, ..METHODS };
    let offer = derived(methods, &[]);
    let whole = listed(&offer);
    let without = |gone: &[(u8, u32)]| {
        let mut left = whole.clone();
        left.retain(|listed| !gone.contains(listed));
        left
    };
    assert_eq!(only(&offer, |_, _| true), whole);
    // Integrity NONE has the identifier of IKE_AUTH_NONE and the type of HMAC-SHA1-96.
    let none = (3, 0);
    assert!(whole.contains(&none) && whole.contains(&(3, 2)) && whole.contains(&(0xF9, 0)));
    for gone in [(3, 2), (0xF9, 0), (1, 0x0C)] {
        assert_eq!(only(&offer, |kind, identifier| (kind, identifier) != gone), without(&[gone]));
    }
    assert_eq!(only(&offer, |kind, identifier| (kind, identifier) != none), whole, "nobody is asked about it");
    let is_combined = |kind, identifier| kind == 1 && ![0x0B, 0x0C].contains(&identifier);
    let mut gone: Vec<_> = whole.iter().copied().filter(|(kind, identifier)| is_combined(*kind, *identifier)).collect();
    assert!(gone.len() > 1);
    let last = gone.pop().unwrap();
    assert_eq!(only(&offer, |kind, identifier| !gone.contains(&(kind, identifier))), without(&gone));
    gone.extend([last, none]);
    assert_eq!(only(&offer, |kind, identifier| !is_combined(kind, identifier)), without(&gone));
}

/// RFC 4306 2.10 and reading R38: half the key of the PRF, of the longest if there are several. The keys have 20 bytes with
/// HMAC-SHA1, 16 with AES128-XCBC, 32, 48 and 64 with HMAC-SHA2 (RFC 4434, RFC 4868).
#[test]
fn a_nonce_is_half_as_long_as_the_longest_key() {
    let hiding = |hidden: &[u32]| {
        let hidden: Vec<_> = hidden.iter().map(|identifier| (AlgorithmType::PseudoRandom, *identifier)).collect();
        derived(METHODS, &hidden).min_nonce(&provider())
    };
    assert_eq!([hiding(&[]), hiding(&[7]), hiding(&[6, 7]), hiding(&[5, 6, 7])], [32, 24, 16, 10]);
    assert_eq!((hiding(&[2, 5, 6, 7]), fixed(&mandatory()).min_nonce(&provider())), (8, 10));
}

/// SPC-4 7.7.3.6.6: a list fixed by a test bench offers each side every way; what the build can check is the application client's
/// to select, and what it has keys for the device server's.
#[test]
fn each_side_has_the_ways_of_the_build() {
    const SHARED_KEY_AND_ECDSA: MethodSet = MethodSet(0b10010);
    let methods = AuthMethods { uses: SHARED_KEY, accepts: SHARED_KEY_AND_ECDSA, none: false };
    let descriptor = |code: u8, identifier: u32, key_length: u8| {
        let [i0, i1, i2, i3] = identifier.to_be_bytes();
        [code, 0, 0, 12, i0, i1, i2, i3, 0, 0, 0, key_length]
    };
    let first = [
        descriptor(0x01, 0x8001_0014, 16),
        descriptor(0x02, 0x8002_0005, 0),
        descriptor(0x03, 0xF003_0001, 0),
        descriptor(0x04, 0x8004_000E, 0),
    ];
    let ways = [0x00F9_0002, 0x00F9_000B];
    let of_both = [0xF9, 0xFA].into_iter().flat_map(|code| ways.map(|way| descriptor(code, way, 0)));
    let list: Vec<Descriptor> = first.into_iter().chain(of_both).map(|bytes| Descriptor::from_bytes(&bytes)).collect();
    let offer = Offer::fixed(Profile::SPC4, &list, false).unwrap();
    let judge = |out: u32, back: u32| {
        let selected: Vec<_> = first.into_iter().chain([descriptor(0xF9, out, 0), descriptor(0xFA, back, 0)]).collect();
        let payload = SaAlgorithms::new(Descriptors::new(&selected));
        let selection = select(&offer, methods, &provider(), &Selected::of_sa_algorithms(&payload, AT));
        selection.map(|selection| (selection.client_authentication, selection.authentication))
    };
    let [shared_key, ecdsa] = [algorithm::IKE_AUTH_SHARED_KEY, algorithm::IKE_AUTH_ECDSA_521];
    assert_eq!(judge(0x00F9_0002, 0x00F9_0002), Ok((Some(shared_key), shared_key)));
    assert_eq!(judge(0x00F9_000B, 0x00F9_0002), Ok((Some(ecdsa), shared_key)));
    // The sixth descriptor of a payload of the printed form.
    let fault = WireError::new(AT + 21 + 60 + 4, Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
    assert_eq!(judge(0x00F9_0002, 0x00F9_000B), Err(fault));
}
