//! Order and number of payloads, and payloads that nobody recognises: readings R6, R34, R39.

use std::vec;
use std::vec::Vec;

use super::R3;
use crate::dialect::{Exchange, PayloadType};
use crate::wire::{Chain, Field, Header, WireError, WireErrorKind, check_order, find};

const STV: u8 = 0x82;
const SCA: u8 = 0x81;
const KE: u8 = 0x22;
const NONCE: u8 = 0x28;
const ID_AC: u8 = 0x23;
const ID_DS: u8 = 0x24;
const CERT: u8 = 0x25;
const CERTREQ: u8 = 0x26;
const AUTH: u8 = 0x27;
const NOTIFY: u8 = 0x29;
const DELETE: u8 = 0x2A;
const VENDOR: u8 = 0x2B;
const ENCRYPTED: u8 = 0x2E;
const SSCC: u8 = 0x80;

/// r3 5.13.4.3.2.
const KEY_EXCHANGE_OUT: [u8; 4] = [STV, SCA, KE, NONCE];

/// Codes that r3 Table G1 reserves, restricts or leaves to vendors.
const UNRECOGNISED: [u8; 14] = [0x01, 0x20, 0x21, 0x2C, 0x2D, 0x2F, 0x30, 0x31, 0x7F, 0x83, 0xBF, 0xC0, 0xFE, 0xFF];

/// A message of payloads of various lengths.
struct Tiled {
    bytes: Vec<u8>,
    /// Offset of the NEXT PAYLOAD field that names each payload, and last of the one that ends the chain.
    named: Vec<usize>,
}

/// Lays payloads with these codes and CRIT bits behind one another.
fn tile(codes: &[(u8, bool)], inside: bool) -> Tiled {
    let (start, first_named_at) = if inside { (48, 28) } else { (28, 16) };
    let mut tiled = Tiled { bytes: vec![0; start], named: vec![first_named_at] };
    for (i, (code, critical)) in codes.iter().enumerate() {
        let named_at = *tiled.named.last().unwrap();
        tiled.bytes[named_at] = *code;
        tiled.named.push(tiled.bytes.len());
        let length = 4 + i % 5;
        tiled.bytes.extend([0, if *critical { 0x80 } else { 0 }, 0, u8::try_from(length).unwrap()]);
        tiled.bytes.resize(tiled.bytes.len() + length - 4, 0xD0);
    }
    tiled
}

fn check(tiled: &Tiled, exchange: Exchange, inside: bool) -> Result<(), WireError> {
    let chain = if inside {
        Chain::inner(R3, &tiled.bytes, 48, tiled.bytes[28], 28)
    } else {
        Chain::outer(R3, &tiled.bytes, &Header::parse(R3, &tiled.bytes).unwrap())
    };
    check_order(&chain, exchange, inside)
}

/// What is wrong with payloads in this order, and which payload is blamed (their number for the end of the chain).
type Verdict = Result<(), (usize, WireErrorKind)>;

const MISSING: WireErrorKind = WireErrorKind::Missing;
const OUT_OF_PLACE: WireErrorKind = WireErrorKind::OutOfPlace;
const CRITICAL: WireErrorKind = WireErrorKind::UnrecognisedCritical;

#[track_caller]
fn expect_flagged(exchange: Exchange, inside: bool, codes: &[(u8, bool)], verdict: Verdict) {
    let tiled = tile(codes, inside);
    let expected = verdict.map_err(|(blamed, kind)| WireError {
        byte: tiled.named[blamed],
        bit: None,
        field: Field::NextPayload,
        kind,
    });
    assert_eq!(check(&tiled, exchange, inside), expected, "{codes:02X?}");
}

/// All payloads with CRIT set to one but the Vendor IDs, as r3 7.7.3.1.1 has it.
#[track_caller]
fn expect(exchange: Exchange, inside: bool, codes: &[u8], verdict: Verdict) {
    let flagged: Vec<_> = codes.iter().map(|code| (*code, *code != VENDOR)).collect();
    expect_flagged(exchange, inside, &flagged, verdict);
}

/// `codes` with `code` before the payload at `place`.
fn inserted(codes: &[u8], place: usize, code: u8) -> Vec<u8> {
    let mut more = codes.to_vec();
    more.insert(place, code);
    more
}

/// Every order of four payloads.
fn permutations() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for number in 0..256 {
        let order = [number & 3, number >> 2 & 3, number >> 4 & 3, number >> 6];
        if (0..4).all(|i| order.contains(&i)) {
            all.push(order);
        }
    }
    assert_eq!(all.len(), 24);
    all
}

#[test]
fn key_exchange_out_has_one_order() {
    for order in permutations() {
        let codes = order.map(|i| KEY_EXCHANGE_OUT[i]);
        let first_wrong = (0..4).find(|i| order[*i] != *i);
        expect(Exchange::KeyExchangeOut, false, &codes, first_wrong.map_or(Ok(()), |i| Err((i, OUT_OF_PLACE))));
    }
}

#[test]
fn every_payload_of_key_exchange_out_is_required() {
    for absent in 0..16_u8 {
        let kept = |i: &usize| absent & 1 << i == 0;
        let codes: Vec<u8> = (0..4).filter(kept).map(|i| KEY_EXCHANGE_OUT[i]).collect();
        let verdict = if absent == 0 { Ok(()) } else { Err((codes.len(), MISSING)) };
        expect(Exchange::KeyExchangeOut, false, &codes, verdict);
    }
}

#[test]
fn what_is_absent_takes_precedence_over_what_is_out_of_place() {
    for wrong in [&[NONCE, KE, STV][..], &[STV, KE, KE, NONCE], &[ID_DS, STV, SCA, KE], &[SSCC], &[AUTH, AUTH]] {
        expect(Exchange::KeyExchangeOut, false, wrong, Err((wrong.len(), MISSING)));
    }
    expect(Exchange::AuthenticationOut, true, &[AUTH, CERT], Err((2, MISSING)));
    expect(Exchange::DeleteOut, true, &[ID_AC, NOTIFY], Err((2, MISSING)));
}

#[test]
fn a_repeated_payload_is_out_of_place() {
    for (i, code) in KEY_EXCHANGE_OUT.into_iter().enumerate() {
        for place in i + 1..=4 {
            let codes = inserted(&KEY_EXCHANGE_OUT, place, code);
            expect(Exchange::KeyExchangeOut, false, &codes, Err((place, OUT_OF_PLACE)));
        }
    }
    expect(Exchange::DeleteOut, true, &[DELETE, DELETE], Err((1, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[ID_AC, ID_AC, AUTH], Err((1, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[ID_AC, NOTIFY, NOTIFY, AUTH], Err((2, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[ID_AC, AUTH, AUTH], Err((2, OUT_OF_PLACE)));
}

/// 24h and 80h are recognised on Data-Out and never in their place (reading R6), as are payloads of other messages.
#[test]
fn a_recognised_payload_of_another_message_is_out_of_place() {
    for code in [ID_DS, SSCC, ID_AC, CERT, CERTREQ, AUTH, NOTIFY, DELETE] {
        for place in 0..=4 {
            let codes = inserted(&KEY_EXCHANGE_OUT, place, code);
            expect(Exchange::KeyExchangeOut, false, &codes, Err((place, OUT_OF_PLACE)));
            // CRIT zero is no excuse for a payload that is recognised.
            let flagged: Vec<_> = codes.iter().map(|code| (*code, false)).collect();
            expect_flagged(Exchange::KeyExchangeOut, false, &flagged, Err((place, OUT_OF_PLACE)));
        }
    }
    expect(Exchange::KeyExchangeOut, false, &[STV, SCA, KE, NONCE, ENCRYPTED], Err((4, OUT_OF_PLACE)));
    for code in [STV, SCA, KE, NONCE, ID_DS, SSCC, DELETE] {
        expect(Exchange::AuthenticationOut, true, &[ID_AC, code, AUTH], Err((1, OUT_OF_PLACE)));
        expect(Exchange::AuthenticationOut, false, &[code, ENCRYPTED], Err((0, OUT_OF_PLACE)));
    }
    expect(Exchange::AuthenticationOut, true, &[ID_AC, AUTH, ENCRYPTED], Err((2, OUT_OF_PLACE)));
}

#[test]
fn crit_zero_on_a_recognised_payload_is_accepted() {
    let flagged = KEY_EXCHANGE_OUT.map(|code| (code, false));
    expect_flagged(Exchange::KeyExchangeOut, false, &flagged, Ok(()));
}

#[test]
fn an_unrecognised_payload_with_crit_zero_is_skipped_anywhere() {
    for code in UNRECOGNISED {
        for place in 0..=4 {
            let codes = inserted(&KEY_EXCHANGE_OUT, place, code);
            let flagged: Vec<_> = codes.iter().map(|c| (*c, *c != code)).collect();
            expect_flagged(Exchange::KeyExchangeOut, false, &flagged, Ok(()));
        }
        let inner = [(code, false), (ID_AC, true), (code, false), (code, false), (AUTH, true), (code, false)];
        expect_flagged(Exchange::AuthenticationOut, true, &inner, Ok(()));
        expect_flagged(Exchange::DeleteOut, false, &[(code, false), (ENCRYPTED, true)], Ok(()));
        // It fills nobody's place, and the end of the chain is behind it.
        expect_flagged(Exchange::DeleteOut, true, &[(code, false)], Err((1, MISSING)));
    }
}

#[test]
fn an_unrecognised_payload_with_crit_set_is_refused_anywhere() {
    for code in UNRECOGNISED {
        for place in 0..=4 {
            let codes = inserted(&KEY_EXCHANGE_OUT, place, code);
            expect(Exchange::KeyExchangeOut, false, &codes, Err((place, CRITICAL)));
        }
        expect(Exchange::AuthenticationOut, true, &[ID_AC, code, AUTH], Err((1, CRITICAL)));
        expect(Exchange::AuthenticationOut, false, &[code, ENCRYPTED], Err((0, CRITICAL)));
        // Before what is absent and what is out of place: nobody knows what the sender meant by it.
        expect(Exchange::KeyExchangeOut, false, &[NONCE, SCA, code], Err((2, CRITICAL)));
        // The first of two.
        expect(Exchange::KeyExchangeOut, false, &[STV, code, code], Err((1, CRITICAL)));
    }
}

#[test]
fn vendor_ids_stand_anywhere() {
    for critical in [false, true] {
        for place in 0..=4 {
            let codes = inserted(&inserted(&KEY_EXCHANGE_OUT, place, VENDOR), place, VENDOR);
            let flagged: Vec<_> = codes.iter().map(|code| (*code, *code != VENDOR || critical)).collect();
            expect_flagged(Exchange::KeyExchangeOut, false, &flagged, Ok(()));
        }
    }
    expect(Exchange::AuthenticationOut, true, &[VENDOR, ID_AC, VENDOR, AUTH, VENDOR], Ok(()));
    expect(Exchange::AuthenticationOut, false, &[VENDOR, VENDOR, ENCRYPTED], Ok(()));
    expect(Exchange::AuthenticationOut, false, &[VENDOR], Err((1, MISSING)));
}

#[test]
fn key_exchange_in_may_ask_for_certificates() {
    for requests in 0..4 {
        let codes = [&[SCA, KE, NONCE][..], &[CERTREQ; 3][..requests]].concat();
        expect(Exchange::KeyExchangeIn, false, &codes, Ok(()));
    }
    expect(Exchange::KeyExchangeIn, false, &[SCA, KE, CERTREQ, NONCE], Err((2, OUT_OF_PLACE)));
    expect(Exchange::KeyExchangeIn, false, &[SCA, KE, NONCE, CERTREQ, CERT], Err((4, OUT_OF_PLACE)));
    expect(Exchange::KeyExchangeIn, false, &[STV, SCA, KE, NONCE], Err((0, OUT_OF_PLACE)));
    expect(Exchange::KeyExchangeIn, false, &[SCA, NONCE], Err((2, MISSING)));
}

/// r3 5.13.4.4.2: one, any, any, zero or one, one.
#[test]
fn authentication_out_inside() {
    for (certs, requests, notifies) in (0..3).flat_map(|c| (0..3).flat_map(move |r| (0..2).map(move |n| (c, r, n)))) {
        let mut codes = vec![ID_AC];
        codes.extend(&[CERT; 2][..certs]);
        codes.extend(&[CERTREQ; 2][..requests]);
        codes.extend(&[NOTIFY; 1][..notifies]);
        codes.push(AUTH);
        expect(Exchange::AuthenticationOut, true, &codes, Ok(()));
        expect(Exchange::AuthenticationOut, true, &codes[1..], Err((codes.len() - 1, MISSING)));
        expect(Exchange::AuthenticationOut, true, &codes[..codes.len() - 1], Err((codes.len() - 1, MISSING)));
    }
    expect(Exchange::AuthenticationOut, true, &[ID_AC, CERTREQ, CERT, AUTH], Err((2, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[ID_AC, NOTIFY, CERT, AUTH], Err((2, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[ID_AC, AUTH, NOTIFY], Err((2, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[CERT, ID_AC, AUTH], Err((0, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[AUTH, ID_AC], Err((0, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationOut, true, &[], Err((0, MISSING)));
}

/// r3 5.13.4.4.3 and 5.13.5.
#[test]
fn authentication_in_and_delete_inside() {
    expect(Exchange::AuthenticationIn, true, &[ID_DS, AUTH], Ok(()));
    expect(Exchange::AuthenticationIn, true, &[ID_DS, CERT, CERT, AUTH], Ok(()));
    expect(Exchange::AuthenticationIn, true, &[ID_AC, AUTH], Err((2, MISSING)));
    expect(Exchange::AuthenticationIn, true, &[ID_DS, CERTREQ, AUTH], Err((1, OUT_OF_PLACE)));
    expect(Exchange::AuthenticationIn, true, &[ID_DS, NOTIFY, AUTH], Err((1, OUT_OF_PLACE)));
    expect(Exchange::DeleteOut, true, &[DELETE], Ok(()));
    expect(Exchange::DeleteOut, true, &[ID_AC, DELETE], Err((0, OUT_OF_PLACE)));
    expect(Exchange::DeleteOut, true, &[], Err((0, MISSING)));
}

/// An Encrypted payload ends the chain; the NEXT PAYLOAD field that names it is the one that did.
#[test]
fn messages_of_an_encrypted_payload() {
    for exchange in [Exchange::AuthenticationOut, Exchange::AuthenticationIn, Exchange::DeleteOut] {
        expect(exchange, false, &[ENCRYPTED], Ok(()));
        expect(exchange, false, &[], Err((0, MISSING)));
        expect(exchange, false, &[DELETE], Err((1, MISSING)));
    }
    expect(Exchange::KeyExchangeOut, false, &[STV, ENCRYPTED], Err((1, MISSING)));
}

/// The walk goes from front to back: whichever comes first, a byte out of the tiling or an unrecognised payload.
#[test]
fn a_chain_that_does_not_tile_is_refused_before_what_is_absent() {
    let mut tiled = tile(&[(VENDOR, false), (0xC0, false), (VENDOR, true)], false);
    tiled.bytes.push(0);
    let surplus = WireError { byte: tiled.named[3], bit: None, field: Field::NextPayload, kind: WireErrorKind::Length };
    assert_eq!(check(&tiled, Exchange::KeyExchangeOut, false), Err(surplus));
    assert_eq!(check(&tiled, Exchange::DeleteOut, false), Err(surplus));
    let mut tiled = tile(&[(VENDOR, true), (0x21, true), (KE, true)], false);
    let length_at = tiled.named[3] + 2;
    tiled.bytes[length_at + 1] = 0xFF;
    let critical = WireError { byte: tiled.named[1], kind: CRITICAL, ..surplus };
    assert_eq!(check(&tiled, Exchange::KeyExchangeOut, false), Err(critical));
    let flags_at = tiled.named[2] + 1;
    tiled.bytes[flags_at] = 0;
    let too_long = WireError { byte: length_at, field: Field::PayloadLength, ..surplus };
    assert_eq!(check(&tiled, Exchange::KeyExchangeOut, false), Err(too_long));
}

/// A length that the payload's own format does not have is the first field in error, not the place where the walk breaks.
#[test]
fn a_wrong_length_is_blamed_before_what_is_read_from_a_wrong_place() {
    for (length, broken) in [(15, true), (17, true), (20, true), (16, false)] {
        let mut bytes = vec![0; 28];
        bytes[16] = STV;
        bytes.extend([NONCE, 0x80, 0, length, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0x0E, 0x10]);
        bytes.extend([0, 0x80, 0, 20]);
        bytes.resize(bytes.len() + 16, 0xD0);
        let fault = if broken {
            WireError::new(30, Field::PayloadLength, WireErrorKind::Length)
        } else {
            WireError::new(28 + 16, Field::NextPayload, WireErrorKind::Missing)
        };
        let chain = Chain::outer(R3, &bytes, &Header::parse(R3, &bytes).unwrap());
        assert_eq!(check_order(&chain, Exchange::KeyExchangeOut, false), Err(fault), "length {length}");
    }
}

/// 16 384 bytes hold some 4000 payload headers.
#[test]
fn thousands_of_unrecognised_payloads() {
    let mut codes = vec![(0xC0, false); 4000];
    for (i, code) in KEY_EXCHANGE_OUT.into_iter().enumerate() {
        codes.insert(1000 * i + i, (code, true));
    }
    expect_flagged(Exchange::KeyExchangeOut, false, &codes, Ok(()));
    codes.push((0xC1, true));
    expect_flagged(Exchange::KeyExchangeOut, false, &codes, Err((4004, CRITICAL)));
    codes.truncate(3003);
    expect_flagged(Exchange::KeyExchangeOut, false, &codes, Err((3003, MISSING)));
}

#[test]
fn finding_a_payload() {
    let tiled = tile(&[(0xC0, false), (STV, true), (VENDOR, false), (SCA, true), (STV, true)], false);
    let chain = Chain::outer(R3, &tiled.bytes, &Header::parse(R3, &tiled.bytes).unwrap());
    assert_eq!(find(&chain, PayloadType::Timeouts).unwrap().named_at, tiled.named[1]);
    assert_eq!(find(&chain, PayloadType::Algorithms).unwrap().named_at, tiled.named[3]);
    assert_eq!(find(&chain, PayloadType::Nonce), None);
}
