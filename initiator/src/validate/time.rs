//! What time does: timeouts, NOT READY while a calculation runs, REQUEST SENSE (r3 5.13.4.6, 5.13.7, 7.7.4.13; SPC-4 5.14.4.1, 5.14.5,
//! 7.7.3.5.15; readings R24, R26, R28, S4, S9, Q36).

use ikev2_scsi::client::{DeviceSense, DeviceSenseSpecific};
use ikev2_scsi::wire::Timeouts;

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::outcome::{Cause, Ended, Pointer, Stop, holds, same};
use super::payloads::timeouts;

const FIRST: Nexus = Nexus::First;
const PROTOCOL: [&str; 2] = ["5.13.4.6, 7.7.4.13 (R28)", "5.14.4.1, 7.7.3.5.15"];
const NOT_READY: [&str; 2] = ["5.13.7 (R24)", "5.14.5 (Q36)"];
/// Seconds, few enough to be waited for.
const SHORT: Timeouts = Timeouts { protocol: 2, inactivity: 4 };

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(1301, "ends a sequence at its protocol timeout, and not before", PROTOCOL, |bench| {
        for commands in 1..=3 {
            bench.timeouts = SHORT;
            let mut exchange = bench.after(commands)?;
            bench.let_pass(1000)?;
            let out = exchange.out.clone();
            let seen = bench.key_exchange_out(FIRST, &out)?;
            seen.refused(bench.profile(), "a key exchange OUT before the timeout", Cause::Busy, Pointer::Absent)?;
            bench.let_pass(1200)?;
            bench.is_idle(FIRST, "after the protocol timeout")?;
            let again = bench.peek(&mut exchange)?;
            if commands == 2 {
                let seen = bench.authentication_out(FIRST, &again)?;
                seen.refused(bench.profile(), "the authentication OUT", Cause::NoSequence, Pointer::Any)?;
            }
        }
        Ok(())
    }),
    Assertion::new(1302, "begins the protocol timeout anew with each command of the sequence", PROTOCOL, |bench| {
        bench.timeouts = SHORT;
        let mut exchange = bench.after(1)?;
        for _ in 0..3 {
            bench.let_pass(1500)?;
            bench.step(&mut exchange)?;
        }
        holds("an association after 4.5 s", exchange.is_established, || "none".into())
    }),
    Assertion::new(
        1303,
        "does not begin it anew when an IN is repeated",
        ["5.13.4.6 (R28)", "5.14.4.1 (S9)"],
        |bench| {
            bench.timeouts = SHORT;
            bench.after(2)?;
            bench.let_pass(1500)?;
            bench.key_exchange_in(FIRST)?.good("the key exchange IN again")?;
            bench.let_pass(700)?;
            bench.is_idle(FIRST, "after the protocol timeout")
        },
    ),
    Assertion::new(1304, "begins it anew with a REQUEST SENSE", ["", "5.14.4.1 (S9)"], |bench| {
        bench.timeouts = SHORT;
        let mut exchange = bench.after(2)?;
        for _ in 0..2 {
            bench.let_pass(1500)?;
            request_sense(bench)?;
        }
        bench.finish(&mut exchange)
    }),
    Assertion::new(
        1305,
        "repeats the last IN until the protocol timeout, and no longer",
        ["5.13.4.6 (R26, R28)", "7.7.3.7 (S9)"],
        |bench| {
            bench.timeouts = SHORT;
            let exchange = bench.established()?;
            bench.let_pass(1000)?;
            let seen = bench.authentication_in(FIRST)?;
            seen.good("the authentication IN again")?;
            same("the authentication IN", &exchange.proof, &seen.data)?;
            bench.let_pass(1200)?;
            let seen = bench.authentication_in(FIRST)?;
            seen.refused(bench.profile(), "the authentication IN after the timeout", Cause::NoSequence, Pointer::Any)
        },
    ),
    Assertion::new(
        1306,
        "removes an association that is not used until its inactivity timeout",
        ["7.7.4.13", "7.7.3.5.15"],
        |bench| {
            bench.timeouts = SHORT;
            let exchange = bench.established()?;
            let list = bench.delete_of(&exchange)?;
            bench.let_pass(4200)?;
            let seen = bench.delete(FIRST, &list)?;
            seen.refused(bench.profile(), "the Delete after the timeout", Cause::NothingToDelete, Pointer::Any)
        },
    ),
    Assertion::new(1307, "keeps an association until its inactivity timeout", ["7.7.4.13", "7.7.3.5.15"], |bench| {
        bench.timeouts = SHORT;
        let exchange = bench.established()?;
        let list = bench.delete_of(&exchange)?;
        bench.let_pass(3500)?;
        bench.delete(FIRST, &list)?.good("the Delete before the timeout")
    }),
    Assertion::new(1308, "waits ten seconds where the protocol timeout is zero", ["", "7.7.3.5.15 (S4)"], |bench| {
        let code = timeouts(bench);
        let (_, mut message) = bench.ready()?;
        if let Some(part) = message.part_mut(code) {
            part.data = vec![0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 60];
        }
        bench.key_exchange_out(FIRST, &message.bytes())?.good("a protocol timeout of zero")?;
        bench.let_pass(9_000)?;
        bench.due_key_exchange_in(FIRST)?.good("the key exchange IN after nine seconds")?;
        bench.let_pass(10_500)?;
        bench.is_idle(FIRST, "after ten seconds more")
    }),
    Assertion::new(1309, "answers REQUEST SENSE with GOOD and no error when nothing runs", NOT_READY, |bench| {
        let Some(sense) = request_sense(bench)? else {
            return Err(Stop::failed("sense data", "none"));
        };
        holds("NO SENSE", sense.key == 0, || sense.to_string())
    }),
    Assertion::new(
        1310,
        "puts a command off with NOT READY and progress while it calculates, and then processes it",
        NOT_READY,
        |bench| {
            let mut exchange = bench.after(1)?;
            let seen = bench.key_exchange_in(FIRST)?;
            if seen.is_good() {
                return Err(Stop::skipped("this device server calculates before it answers"));
            }
            let Some(sense) = seen.told() else { return Err(Stop::failed("sense data", seen.to_string())) };
            let expected = bench.either((0x04, 0x07), (0x04, 0x13));
            same("sense key and code", (2, expected), (sense.key, (sense.asc.code, sense.asc.qualifier)))?;
            holds("a progress indication", matches!(sense.specific, DeviceSenseSpecific::Progress(_)), || {
                sense.to_string()
            })?;
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(1311, "tells by REQUEST SENSE the same while it calculates", NOT_READY, |bench| {
        let mut exchange = bench.after(1)?;
        let seen = bench.key_exchange_in(FIRST)?;
        if seen.is_good() {
            return Err(Stop::skipped("this device server calculates before it answers"));
        }
        let (told, asked) = (seen.told(), request_sense(bench)?);
        let key = |sense: Option<DeviceSense>| sense.map(|sense| (sense.key, sense.asc));
        // It may have come to its end between the two.
        if key(told) != key(asked) && bench.key_exchange_in(FIRST)?.is_good() {
            return Err(Stop::skipped("the calculation was over too soon"));
        }
        same("sense data", key(told), key(asked))?;
        bench.finish(&mut exchange)
    }),
];

/// REQUEST SENSE, 252 bytes of fixed format.
fn request_sense(bench: &mut Bench<'_, '_>) -> Result<Option<DeviceSense>, Stop> {
    let seen = bench.send(FIRST, &[0x03, 0, 0, 0, 252, 0], &[], 252)?;
    let answered: Ended = seen.good("REQUEST SENSE");
    answered?;
    Ok(DeviceSense::parse(&seen.data))
}
