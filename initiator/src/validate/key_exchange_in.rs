//! The key exchange IN (r3 5.13.4.3.3, 7.7.3.1.1, 7.7.4.3, 7.7.4.7, 7.7.4.12; SPC-4 5.14.4.6.3, 7.7.3.4; readings R1, R2, R17, R26, R38,
//! S1, S9).

use ikev2_scsi::wire::{Cdb, Direction, protocol, specific};

use super::Assertion;
use super::bench::{Bench, Nexus, mask};
use super::exchange::Exchange;
use super::message::{CRIT, Message, byte, code, field, part_of};
use super::outcome::{Ended, Stop, holds, same};
use super::payloads::{group_number, least_nonce};
use super::selection::{has, number_told, said};

const FIRST: Nexus = Nexus::First;
const HEADER: [&str; 2] = ["7.7.3.1.1", "7.7.3.4"];
const PAYLOADS: [&str; 2] = ["5.13.4.3.3", "5.14.4.6.3"];
const REPEATED: [&str; 2] = ["5.13.6 c (R26)", "7.7.3.7 (S9)"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(601, "returns the application client's SAI", HEADER, |bench| {
        let exchange = answered(bench)?;
        let [ac_sai, _] = exchange.sais();
        same("AC_SAI", field::<8>(&exchange.out, 0), ac_sai)
    }),
    Assertion::new(602, "chooses a SAI of its own above 255", ["7.7.3.1.1 (R2)", "7.7.3.4 (Q25)"], |bench| {
        let [_, ds_sai] = answered(bench)?.sais();
        let value = u64::from_be_bytes(ds_sai);
        let is_right = value > 255 && (bench.is_r3() || value <= u64::from(u32::MAX));
        holds("an SAI above 255", is_right, || format!("{ds_sai:02X?}"))
    }),
    Assertion::new(603, "sends version 2.0", HEADER, |bench| same("version", 0x20, byte(&answered(bench)?.answer, 17))),
    Assertion::new(604, "sends the EXCHANGE TYPE of the key exchange, where it is not reserved", HEADER, |bench| {
        let [expected, ..] = bench.exchange_types();
        same("EXCHANGE TYPE", expected, byte(&answered(bench)?.answer, 18))
    }),
    Assertion::new(605, "sends RSPNS as one, INTTR, VERSION and reserved bits as zero", HEADER, |bench| {
        let (_, _, response) = bench.flag_bits();
        same("flags", mask(response), byte(&answered(bench)?.answer, 19))
    }),
    Assertion::new(606, "sends MESSAGE ID zero", HEADER, |bench| {
        same("MESSAGE ID", [0; 4], field(&answered(bench)?.answer, 20))
    }),
    Assertion::new(607, "sends as LENGTH what it transfers", HEADER, |bench| {
        let answer = answered(bench)?.answer;
        let told = usize::try_from(u32::from_be_bytes(field(&answer, 24))).unwrap_or(0);
        same("LENGTH", answer.len(), told)
    }),
    Assertion::new(
        608,
        "sends algorithms, public value, nonce, then Certificate Requests, and nothing else",
        PAYLOADS,
        |bench| {
            let message = answered(bench)?.answered()?;
            let codes: Vec<u8> = message.parts.iter().map(|part| part.code).collect();
            let (first, requests) = codes.split_at(codes.len().min(3));
            same("payloads", &[code::ALGORITHMS, code::KEY_EXCHANGE, code::NONCE][..], first)?;
            holds("Certificate Requests behind them", requests.iter().all(|c| *c == code::CERTIFICATE_REQUEST), || {
                format!("{requests:02X?}")
            })
        },
    ),
    Assertion::new(
        609,
        "sets CRIT in each of its payloads, and no reserved bit",
        ["7.7.3.1.1 (R6)", "7.7.3.5.1"],
        |bench| {
            for part in answered(bench)?.answered()?.parts {
                same("the second byte of a payload", CRIT, part.flags)?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        610,
        "returns the algorithms as they were sent",
        ["5.13.4.3.3 b (R18)", "5.14.4.6.3 (S1)"],
        |bench| {
            let exchange = answered(bench)?;
            let [sent, received] = algorithms(&exchange)?;
            // In r3 the SAID is its own.
            let [from, to] = if bench.is_r3() { [4, 12] } else { [0, 0] };
            let rest = |data: &[u8]| [part_of(data, 0, from), part_of(data, to, data.len())].concat();
            same("algorithms", rest(&sent), rest(&received))
        },
    ),
    Assertion::new(611, "returns its own SAI in the SCA payload", ["5.13.4.3.3 c, 7.7.4.12", ""], |bench| {
        let exchange = answered(bench)?;
        let [_, received] = algorithms(&exchange)?;
        let [_, ds_sai] = exchange.sais();
        same("SAID", ds_sai, said(&received))?;
        same("NUMBER OF TRANSFORMS", 5, number_told(&received))
    }),
    Assertion::new(
        612,
        "sends the group number that was selected, reserved bytes zero",
        ["7.7.4.3", "7.7.3.5.3"],
        |bench| {
            let exchange = answered(bench)?;
            let message = exchange.answered()?;
            has(&message, code::KEY_EXCHANGE)?;
            let data = &message.part(code::KEY_EXCHANGE).map(|part| part.data.clone()).unwrap_or_default();
            let selected = bench.suite(&exchange)?.group_number();
            same("DIFFIE-HELLMAN GROUP NUMBER", selected, group_number(data))?;
            same("reserved bytes", [0; 2], field(data, 2))
        },
    ),
    Assertion::new(
        613,
        "sends a public value as long as the modulus and of the group",
        ["7.7.4.3 (R17)", "7.7.3.5.3"],
        |bench| {
            let exchange = answered(bench)?;
            let message = exchange.answered()?;
            let data = message.part(code::KEY_EXCHANGE).map(|part| part.data.clone()).unwrap_or_default();
            let group = bench.suite(&exchange)?.group;
            let public = data.get(4..).unwrap_or_default();
            same("bytes of KEY EXCHANGE DATA", group.public_length(), public.len())?;
            let checked = group.check_public(public);
            holds("a value of the group", checked.is_ok(), || format!("{checked:?}"))
        },
    ),
    Assertion::new(
        614,
        "sends a nonce of 16 to 256 bytes and at least half the PRF's key",
        ["7.7.4.7 (R38)", "7.7.3.5.8"],
        |bench| {
            let least = least_nonce(bench)?;
            let length = nonce(&answered(bench)?)?.len();
            holds("16 to 256 bytes", (least..=256).contains(&length), || format!("{length} bytes"))
        },
    ),
    Assertion::new(615, "returns the same bytes again", REPEATED, |bench| {
        let mut exchange = answered(bench)?;
        for _ in 0..3 {
            let seen = bench.key_exchange_in(FIRST)?;
            seen.good("the key exchange IN again")?;
            same("the key exchange IN", &exchange.answer, &seen.data)?;
        }
        bench.finish(&mut exchange)
    }),
    Assertion::new(
        616,
        "cuts it at the ALLOCATION LENGTH, and returns the whole afterwards",
        ["7.7.3.0b (R35)", "7.7.3.2 (S9)"],
        |bench| {
            let mut exchange = bench.after(1)?;
            bench.due(FIRST)?;
            for length in [0_u16, 1, 28, 100] {
                let cdb = Cdb::new(Direction::In, protocol::IKEV2_SCSI, specific::KEY_EXCHANGE, u32::from(length));
                let seen = bench.send(FIRST, &cdb.to_bytes(), &[], 16_384)?;
                seen.good(&format!("an ALLOCATION LENGTH of {length}"))?;
                let whole = bench.key_exchange_in(FIRST)?;
                same("Data-In", part_of(&whole.data, 0, usize::from(length)), &seen.data)?;
            }
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(617, "draws a new nonce for every sequence", ["7.7.4.7 (R38)", "7.7.3.5.8"], |bench| {
        let mut nonces = Vec::new();
        for _ in 0..3 {
            let mut exchange = answered(bench)?;
            nonces.push(nonce(&exchange)?);
            bench.finish(&mut exchange)?;
        }
        different("three different nonces", nonces)
    }),
    Assertion::new(618, "draws a new SAI for every sequence", ["5.13.4.6 (R2)", "5.14.4.1, 7.7.3.4"], |bench| {
        let mut sais = Vec::new();
        for _ in 0..3 {
            let mut exchange = answered(bench)?;
            let [_, ds_sai] = exchange.sais();
            sais.push(ds_sai.to_vec());
            bench.finish(&mut exchange)?;
        }
        different("three different SAIs", sais)
    }),
    Assertion::new(619, "completes the exchange with these keys", ["5.13.4.3.4, 5.13.4.5", "5.14.4.8"], |bench| {
        let mut exchange = answered(bench)?;
        bench.finish(&mut exchange)
    }),
];

impl Bench<'_, '_> {
    /// Waits until the key exchange IN is no longer NOT READY; reads none of it.
    fn due(&mut self, nexus: Nexus) -> Ended {
        let seen = self.due_key_exchange_in(nexus)?;
        seen.good("the key exchange IN")
    }
}

/// An exchange up to its key exchange IN. The application client has not judged it, so that what is wrong with it is found here.
fn answered(bench: &mut Bench<'_, '_>) -> Result<Exchange, Stop> {
    let mut exchange = bench.after(1)?;
    let seen = bench.due_key_exchange_in(FIRST)?;
    seen.good("the key exchange IN")?;
    exchange.answer = seen.data;
    Ok(exchange)
}

/// Data of the payloads that select, sent and received.
fn algorithms(exchange: &Exchange) -> Result<[Vec<u8>; 2], Stop> {
    let sent = Message::parse(&exchange.out).ok_or(Stop::Broken("our own message cannot be read".into()))?;
    let received = exchange.answered()?;
    has(&received, code::ALGORITHMS)?;
    Ok([sent, received].map(|message| message.part(code::ALGORITHMS).map(|p| p.data.clone()).unwrap_or_default()))
}

/// NONCE DATA of the device server.
fn nonce(exchange: &Exchange) -> Result<Vec<u8>, Stop> {
    let message = exchange.answered()?;
    has(&message, code::NONCE)?;
    Ok(message.part(code::NONCE).map(|part| part.data.clone()).unwrap_or_default())
}

fn different(expected: &str, mut values: Vec<Vec<u8>>) -> Ended {
    let before = values.len();
    values.sort();
    values.dedup();
    holds(expected, values.len() == before, || format!("{} different ones", values.len()))
}
