//! Number of payloads in SPC-4: table 526, question Q12, reading S3.

use std::vec::Vec;

use super::{SPC4, bytes};
use crate::dialect::Exchange;
use crate::wire::{Chain, Field, Header, WireError, WireErrorKind, check_order};

const CAPABILITIES: u8 = 0x80;
const SA_ALGORITHMS: u8 = 0x81;
const SAUT: u8 = 0x82;
const TIMEOUTS: u8 = 0x83;
const KE: u8 = 0x22;
const ID_AC: u8 = 0x23;
const ID_DS: u8 = 0x24;
const CERT: u8 = 0x25;
const CERTREQ: u8 = 0x26;
const AUTH: u8 = 0x27;
const NONCE: u8 = 0x28;
const NOTIFY: u8 = 0x29;
const DELETE: u8 = 0x2A;
const ENCRYPTED: u8 = 0x2E;

const AUTHENTICATED: [u32; 2] = [0x00F9_0002, 0x00F9_0002];
const UNAUTHENTICATED: [u32; 2] = [0x00F9_0000, 0x00F9_0000];

/// The data of an SA Cryptographic Algorithms payload with these methods out and in.
fn algorithms([out, into]: [u32; 2]) -> Vec<u8> {
    let mut data = bytes(
        "0000000000000000000000000000000006
        0100000c8001000c00000010 0200000c8002000200000000 0300000c8003000200000000 0400000c8004000e00000000",
    );
    for (code, method) in [(0xF9, out), (0xFA, into)] {
        data.extend([code, 0, 0, 12]);
        data.extend(method.to_be_bytes());
        data.extend([0; 4]);
    }
    data
}

/// A message of payloads with these codes, and where they are named.
struct Tiled {
    bytes: Vec<u8>,
    named: Vec<usize>,
}

/// Payloads without data, of 81h excepted. Codes above FFh have CRIT zero.
fn tile(codes: &[u16], inside: bool, methods: [u32; 2]) -> Tiled {
    let (start, first_named_at) = if inside { (48, 28) } else { (28, 16) };
    let mut tiled = Tiled { bytes: std::vec![0; start], named: std::vec![first_named_at] };
    for code in codes {
        let [uncritical, code] = code.to_be_bytes();
        let data = if code == SA_ALGORITHMS { algorithms(methods) } else { Vec::new() };
        let named_at = *tiled.named.last().unwrap();
        tiled.bytes[named_at] = code;
        tiled.named.push(tiled.bytes.len());
        let critical = if uncritical == 0 { 0x80 } else { 0 };
        tiled.bytes.extend([0, critical, 0, u8::try_from(data.len() + 4).unwrap()]);
        tiled.bytes.extend(data);
    }
    tiled
}

fn check(tiled: &Tiled, exchange: Exchange, inside: bool) -> Result<(), WireError> {
    let chain = if inside {
        Chain::inner(SPC4, &tiled.bytes, 48, tiled.bytes[28], 28)
    } else {
        Chain::outer(SPC4, &tiled.bytes, &Header::parse(SPC4, &tiled.bytes).unwrap())
    };
    check_order(&chain, exchange, inside)
}

fn outer(codes: &[u8], exchange: Exchange, methods: [u32; 2]) -> Result<(), WireError> {
    let codes: Vec<u16> = codes.iter().copied().map(u16::from).collect();
    check(&tile(&codes, false, methods), exchange, false)
}

fn inner(codes: &[u8], exchange: Exchange) -> Result<(), WireError> {
    let codes: Vec<u16> = codes.iter().copied().map(u16::from).collect();
    check(&tile(&codes, true, AUTHENTICATED), exchange, true)
}

fn kind(result: Result<(), WireError>) -> WireErrorKind {
    let error = result.unwrap_err();
    assert_eq!(error.field, Field::NextPayload);
    error.kind
}

/// Every order of `codes`.
fn orders(codes: &[u8]) -> Vec<Vec<u8>> {
    if codes.is_empty() {
        return std::vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (i, first) in codes.iter().enumerate() {
        let others = [&codes[..i], &codes[i + 1..]].concat();
        all.extend(orders(&others).into_iter().map(|later| [&[*first], &later[..]].concat()));
    }
    all
}

#[test]
fn a_key_exchange_out_has_any_order() {
    let found = orders(&[TIMEOUTS, SA_ALGORITHMS, KE, NONCE]);
    assert_eq!(found.len(), 24);
    for order in found {
        assert_eq!(outer(&order, Exchange::KeyExchangeOut, AUTHENTICATED), Ok(()), "{order:02X?}");
    }
    for order in orders(&[TIMEOUTS, SA_ALGORITHMS, SAUT, KE, NONCE]) {
        assert_eq!(outer(&order, Exchange::KeyExchangeOut, UNAUTHENTICATED), Ok(()), "{order:02X?}");
    }
}

#[test]
fn every_payload_of_a_key_exchange_out_is_required_once() {
    let all = [TIMEOUTS, SA_ALGORITHMS, SAUT, KE, NONCE];
    for (i, code) in all.iter().enumerate() {
        let absent = [&all[..i], &all[i + 1..]].concat();
        let absent = outer(&absent, Exchange::KeyExchangeOut, UNAUTHENTICATED);
        // Without 81h nobody can tell whether there is authentication.
        assert_eq!(kind(absent), WireErrorKind::Missing, "{code:02X}h");
        let twice = [&all[..], &[*code]].concat();
        assert_eq!(kind(outer(&twice, Exchange::KeyExchangeOut, UNAUTHENTICATED)), WireErrorKind::OutOfPlace);
    }
}

/// The place of SAUT is the key exchange when there is no authentication, else the authentication.
#[test]
fn the_place_of_saut_follows_from_the_methods() {
    let (with, without) = ([TIMEOUTS, SA_ALGORITHMS, SAUT, KE, NONCE], [TIMEOUTS, SA_ALGORITHMS, KE, NONCE]);
    for exchange in [Exchange::KeyExchangeOut, Exchange::KeyExchangeIn] {
        let skip = usize::from(exchange == Exchange::KeyExchangeIn);
        let (with, without) = (&with[skip..], &without[skip..]);
        assert_eq!(kind(outer(with, exchange, AUTHENTICATED)), WireErrorKind::OutOfPlace);
        assert_eq!(outer(without, exchange, AUTHENTICATED), Ok(()));
        assert_eq!(outer(with, exchange, UNAUTHENTICATED), Ok(()));
        assert_eq!(kind(outer(without, exchange, UNAUTHENTICATED)), WireErrorKind::Missing);
        // Methods that do not go together, or that nobody knows, are a fault of their own.
        for odd in [[0x00F9_0000, 0x00F9_0002], [0x00F9_0002, 0x00F9_0000], [0x00F9_0000, 0x0000_0000]] {
            assert_eq!(outer(with, exchange, odd), Ok(()));
            assert_eq!(outer(without, exchange, odd), Ok(()));
        }
    }
    assert_eq!(inner(&[ID_AC, SAUT, AUTH], Exchange::AuthenticationOut), Ok(()));
    assert_eq!(kind(inner(&[ID_AC, AUTH], Exchange::AuthenticationOut)), WireErrorKind::Missing);
    assert_eq!(kind(inner(&[ID_DS, AUTH], Exchange::AuthenticationIn)), WireErrorKind::Missing);
}

#[test]
fn key_exchange_in_may_ask_for_certificates() {
    for codes in [
        &[SA_ALGORITHMS, KE, NONCE][..],
        &[SA_ALGORITHMS, KE, NONCE, CERTREQ, CERTREQ],
        &[CERTREQ, NONCE, KE, SA_ALGORITHMS],
    ] {
        assert_eq!(outer(codes, Exchange::KeyExchangeIn, AUTHENTICATED), Ok(()), "{codes:02X?}");
    }
    for wrong in [TIMEOUTS, CERT, ID_DS, CAPABILITIES] {
        let codes = [SA_ALGORITHMS, KE, NONCE, wrong];
        assert_eq!(kind(outer(&codes, Exchange::KeyExchangeIn, AUTHENTICATED)), WireErrorKind::OutOfPlace);
    }
}

#[test]
fn authentication_and_delete() {
    for order in orders(&[ID_AC, SAUT, CERT, CERTREQ, NOTIFY, AUTH]) {
        assert_eq!(inner(&order, Exchange::AuthenticationOut), Ok(()), "{order:02X?}");
    }
    let many = [ID_AC, SAUT, CERT, CERT, CERTREQ, CERTREQ, AUTH];
    assert_eq!(inner(&many, Exchange::AuthenticationOut), Ok(()));
    for twice in [ID_AC, SAUT, NOTIFY, AUTH] {
        let codes = [ID_AC, SAUT, NOTIFY, AUTH, twice];
        assert_eq!(kind(inner(&codes, Exchange::AuthenticationOut)), WireErrorKind::OutOfPlace, "{twice:02X}h");
    }
    assert_eq!(inner(&[ID_DS, SAUT, CERT, AUTH], Exchange::AuthenticationIn), Ok(()));
    assert_eq!(kind(inner(&[ID_DS, SAUT, CERTREQ, AUTH], Exchange::AuthenticationIn)), WireErrorKind::OutOfPlace);
    assert_eq!(inner(&[DELETE], Exchange::DeleteOut), Ok(()));
    assert_eq!(kind(inner(&[DELETE, DELETE], Exchange::DeleteOut)), WireErrorKind::OutOfPlace);
    for exchange in [Exchange::AuthenticationOut, Exchange::AuthenticationIn, Exchange::DeleteOut] {
        assert_eq!(outer(&[ENCRYPTED], exchange, AUTHENTICATED), Ok(()));
        // The header's NEXT PAYLOAD is looked at before anything else (SPC-4 7.7.3.4).
        let fault = outer(&[KE], exchange, AUTHENTICATED).unwrap_err();
        assert_eq!((fault.byte, fault.kind), (16, WireErrorKind::OutOfPlace));
    }
}

/// Prohibited payloads are known, whatever their CRIT bit says; those of r3 are others.
#[test]
fn prohibited_payloads_stand_nowhere() {
    for code in [0x21, 0x2B, 0x2C, 0x2D, 0x2F, 0x30] {
        for code in [code, 0x0100 | code] {
            let codes: Vec<u16> =
                [TIMEOUTS, SA_ALGORITHMS, KE].map(u16::from).into_iter().chain([code, NONCE.into()]).collect();
            let tiled = tile(&codes, false, AUTHENTICATED);
            let wrong = WireError::new(tiled.named[3], Field::NextPayload, WireErrorKind::OutOfPlace);
            assert_eq!(check(&tiled, Exchange::KeyExchangeOut, false), Err(wrong), "{code:04X}h");
        }
    }
}

/// Reading S3.
#[test]
fn what_is_not_recognised_is_skipped_but_not_first() {
    let known = [TIMEOUTS, SA_ALGORITHMS, KE, NONCE].map(u16::from);
    for code in [0x01, 0x20, 0x31, 0x7F, 0x84, 0xBF, 0xC0, 0xFF] {
        for at in 0..=known.len() {
            let with = |code| [&known[..at], &[code], &known[at..]].concat();
            let uncritical = tile(&with(0x0100 | code), false, AUTHENTICATED);
            let first = WireError::new(16, Field::NextPayload, WireErrorKind::OutOfPlace);
            let expected = if at == 0 { Err(first) } else { Ok(()) };
            assert_eq!(check(&uncritical, Exchange::KeyExchangeOut, false), expected, "{code:02X}h at {at}");
            let critical = tile(&with(code), false, AUTHENTICATED);
            let wrong = WireError::new(critical.named[at], Field::NextPayload, WireErrorKind::UnrecognisedCritical);
            assert_eq!(check(&critical, Exchange::KeyExchangeOut, false), Err(wrong));
        }
    }
    // Inside an Encrypted payload no list says what comes first.
    let inside = tile(&[0x01C0, ID_AC.into(), SAUT.into(), AUTH.into()], true, AUTHENTICATED);
    assert_eq!(check(&inside, Exchange::AuthenticationOut, true), Ok(()));
}
