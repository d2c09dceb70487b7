//! The derived list, and every refusal of an SCA payload's descriptors.

mod offered;

use alloc::vec::Vec;

use super::*;
use crate::wire::{Algorithms, Descriptors, Field, Sai, WireError, WireErrorKind};

const SHARED_KEY: MethodSet = MethodSet(0b00010);
const METHODS: AuthMethods = AuthMethods { uses: SHARED_KEY, accepts: SHARED_KEY, none: false };
/// Where the SCA payload stands in these tests.
const AT: usize = 44;
/// Offset of the first descriptor: after 16 bytes of the payload, without usage data.
const FIRST: usize = AT + 16;

fn provider() -> CryptoProvider {
    crate::tested::provider()
}

fn offer() -> Offer {
    Offer::derive(Profile::R3, &provider(), METHODS, &[], false).unwrap()
}

/// r3's mandatory algorithms: AES-CBC with 16-byte keys, HMAC-SHA1, HMAC-SHA1-96, 2048-bit MODP, shared key.
fn mandatory() -> Vec<Descriptor> {
    [
        [1, 0, 0, 12, 0, 0, 0, 0x0C, 0, 0, 0, 16],
        [2, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0],
        [3, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0],
        [4, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 0],
        [0xF9, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 0],
    ]
    .iter()
    .map(Descriptor::from_bytes)
    .collect()
}

fn judge(offer: &Offer, methods: AuthMethods, descriptors: &[Descriptor]) -> Result<Selection, WireError> {
    let bytes: Vec<[u8; 12]> = descriptors.iter().map(Descriptor::to_bytes).collect();
    let sca = Algorithms { sa_type: 0x81, said: Sai(1), usage_data: &[], descriptors: Descriptors::new(&bytes) };
    select(offer, methods, &provider(), &Selected::of_algorithms(&sca, AT))
}

fn refused(descriptors: &[Descriptor]) -> WireError {
    judge(&offer(), METHODS, descriptors).unwrap_err()
}

/// r3 7.7.4.11: by type, then identifier, then key length; reading R5: NONE beside a combined mode.
#[test]
fn the_list_is_in_the_standards_order() {
    let list: Vec<_> = offer().iter().collect();
    let mut sorted = list.clone();
    sorted.sort_by_key(|d| (d.algorithm_type, d.identifier, d.key_length()));
    assert_eq!(list, sorted);
    let has = |kind: u8, identifier| list.iter().any(|d| d.algorithm_type == kind && d.identifier == identifier);
    for (kind, identifier) in [(1, 0x0B), (1, 0x0C), (1, 0x10), (2, 2), (3, 0), (3, 2), (4, 14), (0xF9, 2)] {
        assert!(has(kind, identifier), "mandatory {kind:x} {identifier:x}");
    }
    assert!(!has(0xF9, 0), "IKE_AUTH_NONE only by configuration (reading R19)");
}

#[test]
fn a_policy_hides_and_never_adds() {
    let combined = provider().ciphers.iter().filter(|cipher| cipher.is_combined());
    let mut hidden: Vec<_> = combined.map(|cipher| (AlgorithmType::Encryption, cipher.identifier())).collect();
    hidden.push((AlgorithmType::Encryption, 0x7777));
    let list = Offer::derive(Profile::R3, &provider(), METHODS, &hidden, false).unwrap();
    assert!(list.iter().all(|d| d.algorithm_type != 1 || [0x0B, 0x0C].contains(&d.identifier)));
    assert!(list.iter().all(|d| d.algorithm_type != 3 || d.identifier != 0), "NONE goes with the last combined mode");
    let list = Offer::derive(Profile::R3, &provider(), METHODS, &hidden[1..], false).unwrap();
    assert!(list.iter().any(|d| d.algorithm_type == 3 && d.identifier == 0), "and not before");
    let all: Vec<_> =
        provider().groups.iter().map(|group| (AlgorithmType::DiffieHellman, group.identifier())).collect();
    assert_eq!(
        Offer::derive(Profile::R3, &provider(), METHODS, &all, false),
        Err(CapabilitiesError::NoneOfType(AlgorithmType::DiffieHellman))
    );
}

#[test]
fn parameter_data_is_as_table_row1_prints_it() {
    let list = Offer::fixed(Profile::R3, &mandatory(), false).unwrap();
    let bytes = list.parameter_data();
    assert_eq!(bytes[..12], [0, 0, 0, 68, 0, 0x80, 0, 68, 5, 0, 0, 0]);
    assert_eq!(bytes.len(), 72);
}

#[test]
fn the_mandatory_suite_is_selected() {
    let selection = judge(&offer(), METHODS, &mandatory()).unwrap();
    assert_eq!((selection.suite.cipher.identifier(), selection.suite.key_length), (0x0C, 16));
    assert_eq!(selection.suite.prf.identifier(), 2);
    assert_eq!(selection.suite.integrity.unwrap().identifier(), 2);
    assert_eq!(selection.suite.group.identifier(), 14);
    assert!(!selection.is_unauthenticated());
}

/// Readings R34, R39: absent is PARAMETER LIST INCOMPLETE at NUMBER OF TRANSFORMS.
#[test]
fn an_absent_type_is_blamed_on_the_count() {
    let missing = WireError::new(AT + 4, Field::NumberOfTransforms, WireErrorKind::Missing);
    for index in 0..5 {
        let mut list = mandatory();
        list.remove(index);
        assert_eq!(refused(&list), missing, "without {index}");
    }
    let mut twice = mandatory();
    twice[1] = twice[0];
    assert_eq!(refused(&twice), missing, "one type twice in the place of another");
}

#[test]
fn order_and_repetition_are_blamed_on_the_type() {
    let place = |index: usize| WireError::new(FIRST + 12 * index, Field::AlgorithmType, WireErrorKind::OutOfPlace);
    let mut swapped = mandatory();
    swapped.swap(1, 2);
    assert_eq!(refused(&swapped), place(1));
    let mut repeated = mandatory();
    repeated.push(repeated[4]);
    assert_eq!(refused(&repeated), place(5));
    let mut unknown = mandatory();
    unknown[2].algorithm_type = 5;
    let fault = WireError::new(FIRST + 24, Field::AlgorithmType, WireErrorKind::NotOffered);
    assert_eq!(refused(&unknown), fault);
}

/// r3 7.7.4.11.1, 7.7.4.11.1.1: the first unsupported algorithm or key length.
#[test]
fn what_is_not_offered_is_blamed_on_identifier_or_key_length() {
    for index in 0..5 {
        let mut list = mandatory();
        list[index].identifier = 0x0400;
        let fault = WireError::new(FIRST + 12 * index + 4, Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
        assert_eq!(refused(&list), fault, "identifier of {index}");
    }
    let mut list = mandatory();
    list[0] = Descriptor::encryption(0x0C, 24);
    assert_eq!(refused(&list), WireError::new(FIRST + 10, Field::KeyLength, WireErrorKind::NotOffered));
}

/// r3 7.7.4.11.1: NONE with combined modes and with no other; reading R11.
#[test]
fn combined_modes_go_with_none_and_only_they() {
    let fault = WireError::new(FIRST + 24 + 4, Field::AlgorithmIdentifier, WireErrorKind::Invalid);
    let mut list = mandatory();
    list[0] = Descriptor::encryption(0x10, 16);
    assert_eq!(refused(&list), fault);
    list[2].identifier = 0;
    assert!(judge(&offer(), METHODS, &list).unwrap().suite.integrity.is_none());
    for cipher in [Descriptor::encryption(0x0C, 16), Descriptor::encryption(0x0B, 0)] {
        list[0] = cipher;
        assert_eq!(refused(&list), fault);
    }
}

/// Reading R18: attribute bytes of an SCA's IKE-AUTH descriptor are ignored, the capabilities' USE bit decides.
#[test]
fn use_and_none_decide_authentication() {
    let fault = WireError::new(FIRST + 48 + 4, Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
    let mut list = mandatory();
    list[4].attributes = [0xFF; 4];
    assert!(judge(&offer(), METHODS, &list).is_ok());
    list[4].identifier = 0;
    assert_eq!(refused(&list), fault);
    let none = AuthMethods { none: true, ..METHODS };
    let offer = Offer::derive(Profile::R3, &provider(), none, &[], false).unwrap();
    assert!(judge(&offer, none, &list).unwrap().is_unauthenticated());
    let mut accept_only = mandatory();
    accept_only[4].attributes = [0x01, 0, 0, 0];
    assert_eq!(
        judge(&Offer::fixed(Profile::R3, &accept_only, false).unwrap(), METHODS, &mandatory()).unwrap_err(),
        fault
    );
}

/// r3 7.7.4.11.1.5: USE and ACCEPT are one for IKE_AUTH_NONE, which stands before the others of its type.
#[test]
fn none_is_listed_with_use_and_accept() {
    let offer = Offer::derive(Profile::R3, &provider(), AuthMethods { none: true, ..METHODS }, &[], false).unwrap();
    let authentication: Vec<_> = offer.iter().filter(|d| d.algorithm_type == 0xF9).map(|d| d.to_bytes()).collect();
    let expected = [[0xF9, 0, 0, 12, 0, 0, 0, 0, 3, 0, 0, 0], [0xF9, 0, 0, 12, 0, 0, 0, 2, 3, 0, 0, 0]];
    assert_eq!(authentication, expected);
}

/// r3 7.7.4.11.1: one descriptor for each key length.
#[test]
fn every_key_length_has_a_descriptor_of_its_own() {
    let offer = offer();
    for (identifier, lengths) in [(0x0B, &[0][..]), (0x0C, &[16, 32]), (0x10, &[16, 32])] {
        let of_it = offer.iter().filter(|d| d.algorithm_type == 1 && d.identifier == identifier);
        assert_eq!(of_it.map(|d| d.key_length()).collect::<Vec<_>>(), lengths, "{identifier:#x}");
    }
}

/// A list fixed by a test bench may offer what the build lacks; selecting it is refused as not offered.
#[test]
fn a_fixed_list_promises_nothing_that_the_provider_lacks() {
    let mut list = mandatory();
    list[3].identifier = 0x1F;
    let offer = Offer::fixed(Profile::R3, &list, false).unwrap();
    let fault = WireError::new(FIRST + 36 + 4, Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
    assert_eq!(judge(&offer, METHODS, &list).unwrap_err(), fault);
}

/// r3 7.7.4.11.1.1: a key length that the list lacks, though the provider has it.
#[test]
fn key_lengths_are_those_of_the_list() {
    let short = Offer::fixed(Profile::R3, &mandatory(), false).unwrap();
    let mut longer = mandatory();
    longer[0] = Descriptor::encryption(0x0C, 32);
    let fault = WireError::new(FIRST + 10, Field::KeyLength, WireErrorKind::NotOffered);
    assert_eq!(judge(&short, METHODS, &longer).unwrap_err(), fault);
    assert!(judge(&offer(), METHODS, &longer).is_ok());
}

/// A list fixed by a test bench may offer ways to authenticate that the build lacks (here RSA Digital Signature).
#[test]
fn methods_are_those_of_the_build() {
    let mut list = mandatory();
    list.insert(4, Descriptor::authentication(1, true, true));
    let offer = Offer::fixed(Profile::R3, &list, false).unwrap();
    let mut by_signature = mandatory();
    by_signature[4].identifier = 1;
    let fault = WireError::new(FIRST + 48 + 4, Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
    assert_eq!(judge(&offer, METHODS, &by_signature).unwrap_err(), fault);
    assert!(offer.accepts(1) && !METHODS.can_accept(1));
    assert!(METHODS.can_accept(2) && !METHODS.can_accept(0));
    assert!(!AuthMethods { accepts: MethodSet::default(), ..METHODS }.can_accept(2));
    // A fixed list does not allow what an administrator has not (reading R19).
    list.insert(4, Descriptor::authentication(0, true, true));
    let offer = Offer::fixed(Profile::R3, &list, false).unwrap();
    by_signature[4].identifier = 0;
    assert_eq!(judge(&offer, METHODS, &by_signature).unwrap_err(), fault);
    let allowed = AuthMethods { none: true, ..METHODS };
    assert!(judge(&offer, allowed, &by_signature).unwrap().is_unauthenticated());
}

/// NUMBER OF TRANSFORMS has one byte.
#[test]
fn a_list_has_at_most_255_descriptors() {
    let mut list = mandatory();
    list.resize(255, Descriptor::authentication(2, true, true));
    assert_eq!(Offer::fixed(Profile::R3, &list, false).unwrap().iter().len(), 255);
    list.push(list[4]);
    assert_eq!(Offer::fixed(Profile::R3, &list, false), Err(CapabilitiesError::TooMany));
}

/// Reading R9: derived lists and fixed ones alike, ENCR_3DES is selected only where it is allowed.
#[test]
fn triple_des_takes_a_decision() {
    let mut wanted = mandatory();
    wanted[0] = Descriptor::encryption(0x03, 0x0E);
    wanted[4] = Descriptor::authentication(2, true, true);
    let fault = WireError::new(FIRST + 4, Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
    for allowed in [false, true] {
        let derived = Offer::derive(Profile::R3, &provider(), METHODS, &[], allowed).unwrap();
        let fixed = Offer::fixed(Profile::R3, &wanted, allowed).unwrap();
        assert_eq!(derived.iter().filter(|d| *d == wanted[0]).count(), usize::from(allowed));
        assert_eq!(fixed.iter().next(), Some(wanted[0]), "the list is the administrator's");
        for offer in [derived, fixed] {
            let selected = judge(&offer, METHODS, &wanted).map(|selection| selection.suite.key_material_length());
            assert_eq!(selected, if allowed { Ok(24) } else { Err(fault) });
        }
    }
    let hidden = [(AlgorithmType::Encryption, 0x03)];
    let list = Offer::derive(Profile::R3, &provider(), METHODS, &hidden, true).unwrap();
    assert!(!list.iter().any(|d| d == wanted[0]), "what is hidden stays so");
}
