//! Which command may come when (r3 5.13.4.6, 7.7.3.1.1, 7.7.4.13; SPC-4 7.7.3.7 table 556; readings R23 to R26, S2, S9, Q7, Q20).

use ikev2_scsi::client::DeviceSenseSpecific;
use ikev2_scsi::wire::specific;

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::exchange::Exchange;
use super::message::flip;
use super::outcome::{Cause, Ended, Pointer, Seen, holds, same};

const FIRST: Nexus = Nexus::First;
const IDLE: [&str; 2] = ["5.13.4.1, 7.7.4.13 (R25)", "7.7.3.7 table 556 (S2)"];
const BUSY: [&str; 2] = ["5.13.4.6 (R24)", "7.7.3.7 table 556"];
const DONE: [&str; 2] = ["5.13.4.6 (R25, R26)", "7.7.3.7 table 556 (S9)"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(701, "refuses a key exchange IN when nothing is in progress", IDLE, |bench| {
        let seen = bench.key_exchange_in(FIRST)?;
        seen.refused(bench.profile(), "a key exchange IN", Cause::Sequence, Pointer::Cdb(2))
    }),
    Assertion::new(702, "refuses an authentication OUT when nothing is in progress", IDLE, |bench| {
        let seen = bench.authentication_out(FIRST, &[1; 100])?;
        seen.refused(bench.profile(), "an authentication OUT", Cause::NoSequence, Pointer::Cdb(2))
    }),
    Assertion::new(703, "refuses an authentication IN when nothing is in progress", IDLE, |bench| {
        bench.fresh()?;
        let seen = bench.authentication_in(FIRST)?;
        seen.refused(bench.profile(), "an authentication IN", Cause::NoSequence, Pointer::Cdb(2))
    }),
    Assertion::new(704, "refuses a Delete that names nothing when nothing is in progress", IDLE, |bench| {
        let pointer = bench.either(Pointer::List(0), Pointer::List(4));
        let seen = bench.delete(FIRST, &[1; 92])?;
        seen.refused(bench.profile(), "a Delete of nothing", Cause::NothingToDelete, pointer)
    }),
    Assertion::new(705, "puts off a key exchange OUT while a sequence runs", BUSY, |bench| {
        each_phase(bench, 1..=3, |bench, exchange| {
            let list = exchange.out.clone();
            let seen = bench.key_exchange_out(FIRST, &list)?;
            busy(bench, &seen, "a key exchange OUT")
        })
    }),
    Assertion::new(706, "puts off an authentication OUT before the key exchange IN", BUSY, |bench| {
        each_phase(bench, 1..=1, |bench, _| {
            let seen = bench.authentication_out(FIRST, &[1; 100])?;
            busy(bench, &seen, "an authentication OUT")
        })
    }),
    Assertion::new(707, "puts off an authentication IN before the authentication OUT", BUSY, |bench| {
        each_phase(bench, 1..=2, |bench, _| {
            let seen = bench.authentication_in(FIRST)?;
            busy(bench, &seen, "an authentication IN")
        })
    }),
    Assertion::new(708, "puts off a key exchange IN after the authentication OUT", BUSY, |bench| {
        each_phase(bench, 3..=3, |bench, _| {
            let seen = bench.key_exchange_in(FIRST)?;
            busy(bench, &seen, "a key exchange IN")
        })
    }),
    Assertion::new(709, "puts off a second authentication OUT", BUSY, |bench| {
        each_phase(bench, 3..=3, |bench, exchange| {
            let list = exchange.claim.clone();
            let seen = bench.authentication_out(FIRST, &list)?;
            busy(bench, &seen, "the authentication OUT again")
        })
    }),
    Assertion::new(
        710,
        "does not take an authentication OUT of other SAIs for the sequence's",
        ["5.13.4.6, 7.7.3.1.1 (R24)", "7.7.3.4 table 523"],
        |bench| {
            each_phase(bench, 2..=2, |bench, exchange| {
                let mut list = bench.peek(exchange)?;
                let (cause, pointer) = bench.either((Cause::Busy, Pointer::Any), (Cause::Rejected, Pointer::List(12)));
                flip(&mut list, 15, 1);
                let seen = bench.authentication_out(FIRST, &list)?;
                seen.refused(bench.profile(), "another DS_SAI", cause, pointer)?;
                let pointer = bench.either(Pointer::Any, Pointer::List(4));
                let mut list = bench.peek(exchange)?;
                flip(&mut list, 7, 1);
                let seen = bench.authentication_out(FIRST, &list)?;
                seen.refused(bench.profile(), "another AC_SAI", cause, pointer)
            })
        },
    ),
    Assertion::new(
        711,
        "tells a Delete that names nothing while a sequence runs so, and goes on",
        ["7.7.5 (R25)", "7.7.3.4 table 523"],
        |bench| {
            each_phase(bench, 1..=3, |bench, _| {
                let pointer = bench.either(Pointer::List(0), Pointer::List(4));
                let seen = bench.delete(FIRST, &[1; 92])?;
                seen.refused(bench.profile(), "a Delete of nothing", Cause::Rejected, pointer)
            })
        },
    ),
    Assertion::new(
        712,
        "tells progress by the commands that are done, if it tells any",
        ["5.13.4.6 (R24)", "5.14.4.1 (Q36)"],
        progress,
    ),
    Assertion::new(713, "repeats the authentication IN of a complete sequence", DONE, |bench| {
        let exchange = bench.established()?;
        for _ in 0..3 {
            let seen = bench.authentication_in(FIRST)?;
            seen.good("the authentication IN again")?;
            same("the authentication IN", &exchange.proof, &seen.data)?;
        }
        Ok(())
    }),
    Assertion::new(714, "takes no key exchange IN of a complete sequence", DONE, |bench| {
        bench.established()?;
        let seen = bench.key_exchange_in(FIRST)?;
        let cause = bench.either(Cause::Sequence, Cause::Busy);
        seen.refused(bench.profile(), "a key exchange IN", cause, Pointer::Any)
    }),
    Assertion::new(715, "takes no authentication OUT of a complete sequence", DONE, |bench| {
        let exchange = bench.established()?;
        let seen = bench.authentication_out(FIRST, &exchange.claim)?;
        let cause = bench.either(Cause::Sequence, Cause::Busy);
        seen.refused(bench.profile(), "the authentication OUT again", cause, Pointer::Any)
    }),
    Assertion::new(
        716,
        "takes a new key exchange OUT after a complete sequence, and then repeats nothing of the old one",
        DONE,
        |bench| {
            bench.established()?;
            let mut second = bench.after(1)?;
            let seen = bench.authentication_in(FIRST)?;
            busy(bench, &seen, "the old authentication IN")?;
            bench.finish(&mut second)
        },
    ),
    Assertion::new(
        717,
        "lets the old association and the new one live side by side",
        ["5.13.6 j", "5.14.4.9"],
        |bench| {
            let old = bench.established()?;
            let new = bench.established()?;
            for (which, exchange) in [("the old", &old), ("the new", &new)] {
                let list = bench.delete_of(exchange)?;
                bench.delete(FIRST, &list)?.good(&format!("the Delete of {which} association"))?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        718,
        "keeps a sequence where it is, whatever comes out of its turn",
        ["5.13.4.6 (R23, R24)", "7.7.3.7"],
        |bench| {
            each_phase(bench, 1..=3, |bench, exchange| {
                let out = exchange.out.clone();
                bench.key_exchange_out(FIRST, &out)?;
                bench.write(FIRST, specific::DELETE, &[1; 92])?;
                bench.read(FIRST, 0x41, 0x0177, 64)?;
                Ok(())
            })
        },
    ),
    Assertion::new(
        719,
        "goes through the four commands, and no earlier",
        ["5.13.4.2 (R24, R25)", "5.14.4.1"],
        |bench| {
            bench.fresh()?;
            let mut exchange = bench.after(0)?;
            for commands in 0..4 {
                let seen = bench.authentication_in(FIRST)?;
                holds("no authentication IN yet", commands == 3 || !seen.is_good(), || {
                    format!("{seen} after {commands} commands")
                })?;
                if commands < 3 {
                    bench.step(&mut exchange)?;
                } else {
                    seen.good("the authentication IN")?;
                }
            }
            bench.finish(&mut exchange)
        },
    ),
];

/// Does something after each number of commands; the exchange must then still come to its end.
fn each_phase(
    bench: &mut Bench<'_, '_>,
    commands: std::ops::RangeInclusive<usize>,
    mut then: impl FnMut(&mut Bench<'_, '_>, &mut Exchange) -> Ended,
) -> Ended {
    for commands in commands {
        let mut exchange = bench.after(commands)?;
        if commands == 1 {
            // A calculation that runs answers otherwise than a turn.
            bench.pause();
        }
        then(bench, &mut exchange)?;
        bench.finish(&mut exchange)?;
        bench.clean()?;
    }
    Ok(())
}

fn busy(bench: &Bench<'_, '_>, seen: &Seen, what: &str) -> Ended {
    seen.refused(bench.profile(), what, Cause::Busy, Pointer::Absent)
}

/// Commands done in 65 536ths of four.
fn progress(bench: &mut Bench<'_, '_>) -> Ended {
    let mut done = 0_u16;
    each_phase(bench, 1..=3, |bench, exchange| {
        done = done.saturating_add(0x4000);
        let list = exchange.out.clone();
        let seen = bench.key_exchange_out(FIRST, &list)?;
        busy(bench, &seen, "a key exchange OUT")?;
        match seen.told().map(|sense| sense.specific) {
            Some(DeviceSenseSpecific::Progress(told)) => same("PROGRESS INDICATION", done, told),
            _ => Ok(()),
        }
    })
}
