//! The authentication IN (r3 5.13.4.4.3, 5.13.4.5, 7.7.3.1.1, 7.7.4.4 to 7.7.4.6, 7.7.4.10; SPC-4 5.14.4.7.3, 7.7.3.4, 7.7.3.5.11; readings
//! R1, R10 to R13, R18, R26, R27, R29 to R31a, S8, S9).

use ikev2_scsi::wire::{Cdb, Direction, protocol, specific};

use super::Assertion;
use super::bench::{Bench, Nexus, mask};
use super::exchange::{Exchange, Opened};
use super::message::{CRIT, Message, byte, code, field, flip, part_of};
use super::outcome::{Cause, Pointer, Stop, holds, same};

const FIRST: Nexus = Nexus::First;
const HEADER: [&str; 2] = ["7.7.3.1.1", "7.7.3.4"];
const SEALED: [&str; 2] = ["5.13.4.4.1, 7.7.4.10 (R10)", "7.7.3.5.11"];
const INNER: [&str; 2] = ["5.13.4.4.3", "5.14.4.7.3"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(1001, "returns the SAIs of the sequence", HEADER, |bench| {
        let exchange = proved(bench)?;
        same("SAIs", part_of(&exchange.answer, 0, 16), part_of(&exchange.proof, 0, 16))
    }),
    Assertion::new(1002, "sends version 2.0, the EXCHANGE TYPE of the authentication, RSPNS alone", HEADER, |bench| {
        let (_, _, response) = bench.flag_bits();
        let [_, exchange_type, _] = bench.exchange_types();
        let expected = [0x20, exchange_type, mask(response)];
        same("bytes 17 to 19", expected, field(&proved(bench)?.proof, 17))
    }),
    Assertion::new(1003, "sends MESSAGE ID 1", ["7.7.3.1.1 (R27)", "7.7.3.4"], |bench| {
        same("MESSAGE ID", [0, 0, 0, 1], field(&proved(bench)?.proof, 20))
    }),
    Assertion::new(1004, "sends as LENGTH what it transfers", HEADER, |bench| {
        let proof = proved(bench)?.proof;
        let told = usize::try_from(u32::from_be_bytes(field(&proof, 24))).unwrap_or(0);
        same("LENGTH", proof.len(), told)
    }),
    Assertion::new(1005, "sends one Encrypted payload with CRIT, and nothing beside it", SEALED, |bench| {
        let proof = proved(bench)?.proof;
        let Some(message) = Message::parse(&proof) else {
            return Err(Stop::failed("payloads that tile the message", "they do not"));
        };
        let kinds: Vec<_> = message.parts.iter().map(|part| (part.code, part.flags)).collect();
        same("payloads with their second byte", vec![(code::ENCRYPTED, CRIT)], kinds)
    }),
    Assertion::new(1006, "seals it with the keys of its direction", SEALED, |bench| opened(bench).map(|_| ())),
    Assertion::new(
        1007,
        "pads by 01h, 02h, 03h and so on, to the alignment",
        ["7.7.4.10 (R12, R13)", "7.7.3.5.11.2"],
        |bench| {
            let (_, opened) = opened(bench)?;
            let counted: Vec<u8> = (1..=u8::MAX).take(opened.padding.len()).collect();
            same("padding", counted, opened.padding)
        },
    ),
    Assertion::new(1008, "sends identity, SAUT (in SPC-4), certificates, AUTH, and nothing else", INNER, |bench| {
        let is_r3 = bench.is_r3();
        let (_, opened) = opened(bench)?;
        let codes: Vec<u8> = opened.inner.iter().map(|part| part.code).filter(|c| *c != code::CERTIFICATE).collect();
        let spc4: &[u8] = &[code::ID_SERVER, code::USAGE, code::AUTHENTICATION];
        let expected = if is_r3 { &[code::ID_SERVER, code::AUTHENTICATION][..] } else { spc4 };
        same("payloads", expected, codes.as_slice())
    }),
    Assertion::new(
        1009,
        "sets CRIT in each payload inside, and no reserved bit",
        ["7.7.3.1.1 (R6)", "7.7.3.5.1"],
        |bench| {
            let (_, opened) = opened(bench)?;
            for part in opened.inner {
                same("the second byte of a payload", CRIT, part.flags)?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        1010,
        "sends an ID TYPE that the dialect has, reserved bytes zero",
        ["7.7.4.4", "7.7.3.5.4"],
        |bench| {
            let kinds: &[u8] = bench.either(&[9, 10, 11, 12], &[1, 2, 3, 5, 9, 10, 11, 12]);
            let data = inner(bench, code::ID_SERVER)?;
            holds("an ID TYPE", kinds.contains(&byte(&data, 0)), || format!("{:02X}h", byte(&data, 0)))?;
            same("reserved bytes", [0; 3], field(&data, 1))
        },
    ),
    Assertion::new(
        1011,
        "authenticates itself by the algorithm that was selected, reserved bytes zero",
        ["7.7.4.11.1 (R18)", "7.7.3.5.7, 7.7.3.6.6"],
        |bench| {
            let (exchange, opened) = opened(bench)?;
            let message = Message::parse(&exchange.out).ok_or(Stop::Broken("our own message cannot be read".into()))?;
            let (_, selected) = bench.selected(&message);
            let wanted = selected.last().map_or(0, |d| byte(&d.identifier.to_be_bytes(), 3));
            let data = part(&opened, code::AUTHENTICATION)?;
            same("AUTH METHOD and reserved bytes", [wanted, 0, 0, 0], field(&data, 0))
        },
    ),
    Assertion::new(
        1012,
        "proves its identity by AUTH over capabilities, key exchange IN, nonce and identity",
        ["7.7.4.6 (R29, R30)", "7.7.3.5.7 (S8)"],
        |bench| {
            let mut exchange = bench.after(3)?;
            bench.finish(&mut exchange)?;
            holds("an identity that has been proved", exchange.device_server().is_some(), || "nobody".into())
        },
    ),
    Assertion::new(1013, "is the same device server each time", INNER, |bench| {
        let mut identities = Vec::new();
        for _ in 0..2 {
            let mut exchange = bench.after(3)?;
            bench.finish(&mut exchange)?;
            identities.push(exchange.device_server());
        }
        identities.dedup();
        same("different identities", 1, identities.len())
    }),
    Assertion::new(1014, "returns the SAUT payload as it was sent", ["", "5.14.4.7.3"], |bench| {
        let mut exchange = bench.after(2)?;
        let (_, plain) = bench.plain_claim(&mut exchange)?;
        let sent = plain.inner.iter().find(|part| part.code == code::USAGE).map(|part| part.data.clone());
        bench.step(&mut exchange)?;
        let opened = open(bench, &mut exchange)?;
        same("SAUT", sent, opened.inner.iter().find(|part| part.code == code::USAGE).map(|part| part.data.clone()))
    }),
    Assertion::new(1015, "returns the same bytes again", ["5.13.6 c (R26)", "7.7.3.7 (S9)"], |bench| {
        let mut exchange = proved(bench)?;
        let again = bench.authentication_in(FIRST)?;
        again.good("the authentication IN again")?;
        same("the authentication IN", &exchange.proof, &again.data)?;
        bench.finish(&mut exchange)
    }),
    Assertion::new(
        1016,
        "cuts it at the ALLOCATION LENGTH, and returns the whole afterwards",
        ["7.7.3.0b (R35)", "7.7.3.2 (S9)"],
        |bench| {
            let mut exchange = bench.after(3)?;
            for length in [0_u16, 5, 28] {
                let cdb = Cdb::new(Direction::In, protocol::IKEV2_SCSI, specific::AUTHENTICATION, u32::from(length));
                let seen = bench.send(FIRST, &cdb.to_bytes(), &[], 16_384)?;
                seen.good(&format!("an ALLOCATION LENGTH of {length}"))?;
                let whole = bench.authentication_in(FIRST)?;
                same("Data-In", part_of(&whole.data, 0, usize::from(length)), &seen.data)?;
            }
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(
        1017,
        "makes the association with the authentication IN, and not before",
        ["5.13.4.4.3, 5.13.4.5 (R31a)", ""],
        |bench| {
            let mut exchange = bench.after(3)?;
            let delete = bench.delete_of(&exchange)?;
            let early = bench.delete(FIRST, &delete)?;
            early.refused(bench.profile(), "a Delete before the authentication IN", Cause::Value, Pointer::List(0))?;
            bench.finish(&mut exchange)?;
            bench.delete(FIRST, &delete)?.good("the Delete after it")
        },
    ),
    Assertion::new(1018, "draws a new vector for AES-CBC", ["7.7.4.10 (R12)", "7.7.3.5.11"], |bench| {
        let mut vectors = Vec::new();
        for _ in 0..3 {
            let (mut exchange, opened) = opened(bench)?;
            if bench.suite(&exchange)?.cipher.identifier() != ikev2_scsi::algorithm::ENCR_AES_CBC.identifier {
                return Err(Stop::skipped("another encryption algorithm is selected"));
            }
            vectors.push(opened.iv);
            bench.finish(&mut exchange)?;
        }
        vectors.sort();
        vectors.dedup();
        same("different vectors", 3, vectors.len())
    }),
];

/// An exchange up to its authentication IN, which the application client has not judged yet.
fn proved(bench: &mut Bench<'_, '_>) -> Result<Exchange, Stop> {
    let mut exchange = bench.after(3)?;
    open(bench, &mut exchange)
        .map_or_else(|stop| if matches!(stop, Stop::Failed { .. }) { Ok(()) } else { Err(stop) }, |_| Ok(()))?;
    Ok(exchange)
}

/// Reads the authentication IN and opens it.
fn open(bench: &mut Bench<'_, '_>, exchange: &mut Exchange) -> Result<Opened, Stop> {
    let mut seen = bench.authentication_in(FIRST)?;
    for _ in 0..400 {
        if seen.is_good() {
            break;
        }
        bench.pause();
        seen = bench.authentication_in(FIRST)?;
    }
    seen.good("the authentication IN").map_err(|stop| match stop {
        Stop::Failed { expected, seen } => Stop::Broken(format!("{expected}, but {seen}")),
        other => other,
    })?;
    exchange.proof = seen.data;
    let suite = bench.suite(exchange)?;
    let cannot = || Stop::failed("a message that can be opened", "check value, padding or payloads are wrong");
    exchange.open(&suite, &exchange.proof).ok_or_else(cannot)
}

fn opened(bench: &mut Bench<'_, '_>) -> Result<(Exchange, Opened), Stop> {
    let mut exchange = bench.after(3)?;
    let opened = open(bench, &mut exchange)?;
    same("offset of the Encrypted payload", 28, opened.at)?;
    Ok((exchange, opened))
}

fn part(opened: &Opened, code: u8) -> Result<Vec<u8>, Stop> {
    let found = opened.inner.iter().find(|part| part.code == code);
    found.map(|part| part.data.clone()).ok_or(Stop::failed(format!("a payload {code:02X}h"), "none"))
}

fn inner(bench: &mut Bench<'_, '_>, code: u8) -> Result<Vec<u8>, Stop> {
    part(&opened(bench)?.1, code)
}

/// A copy of a list with one byte changed.
pub(super) fn changed(list: &[u8], at: usize, bit: u8) -> Vec<u8> {
    let mut changed = list.to_vec();
    flip(&mut changed, at, bit);
    changed
}
