//! More than one I_T nexus, and what the loss of one takes along (r3 5.13.4.6, 5.13.5; SPC-4 5.14.4.1, 5.14.5; readings R24, R25, R31, R37,
//! S2, S9).

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::outcome::{Cause, Pointer, Stop, holds, same};

const FIRST: Nexus = Nexus::First;
const SECOND: Nexus = Nexus::Second;
const APART: [&str; 2] = ["5.13.4.6 (R24, R25)", "5.14.4.1 (S2)"];
const LOST: [&str; 2] = ["5.13.4.6 (R37)", "5.14.4.1, 5.14.5"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(1201, "returns the same capabilities on another nexus", ["7.7.2.1", "7.7.2.1 (Q16)"], |bench| {
        bench.connect_second()?;
        let first = bench.capabilities(FIRST)?;
        same("the capabilities", first, bench.capabilities(SECOND)?)
    }),
    Assertion::new(1202, "has nothing in progress on another nexus", APART, |bench| {
        bench.connect_second()?;
        for commands in 1..=3 {
            let mut exchange = bench.after(commands)?;
            let cause = bench.either(Cause::Sequence, Cause::Busy);
            let seen = bench.key_exchange_in(SECOND)?;
            seen.refused(bench.profile(), "a key exchange IN on the second nexus", cause, Pointer::Any)?;
            let seen = bench.authentication_in(SECOND)?;
            seen.refused(
                bench.profile(),
                "an authentication IN on the second nexus",
                Cause::NoSequence,
                Pointer::Cdb(2),
            )?;
            bench.finish(&mut exchange)?;
        }
        Ok(())
    }),
    Assertion::new(1203, "runs a sequence of its own for each nexus, side by side", APART, |bench| {
        bench.connect_second()?;
        let mut first = bench.after(1)?;
        let mut second = begun(bench)?;
        for _ in 0..3 {
            bench.step(&mut first)?;
            bench.step(&mut second)?;
        }
        holds("two associations", first.is_established && second.is_established, || "not both".into())
    }),
    Assertion::new(
        1204,
        "gives sequences of two nexuses different SAIs and nonces",
        ["5.13.4.6 (R2)", "5.14.4.1, 7.7.3.4"],
        |bench| {
            bench.connect_second()?;
            let mut first = bench.after(2)?;
            let mut second = begun(bench)?;
            bench.step(&mut second)?;
            let ([_, one], [_, other]) = (first.sais(), second.sais());
            holds("two SAIs", one != other, || format!("{one:02X?} twice"))?;
            let nonce = |exchange: &super::exchange::Exchange| {
                Ok::<_, Stop>(exchange.answered()?.part(super::message::code::NONCE).map(|part| part.data.clone()))
            };
            holds("two nonces", nonce(&first)? != nonce(&second)?, || "one nonce twice".into())?;
            bench.finish(&mut first)?;
            bench.finish(&mut second)
        },
    ),
    Assertion::new(
        1205,
        "takes an authentication OUT on the nexus of its sequence only",
        ["5.13.4.1, 5.13.4.6 (R24, R25)", "5.14.4.1, 7.7.3.7"],
        |bench| {
            bench.connect_second()?;
            let mut exchange = bench.after(2)?;
            let claim = bench.peek(&mut exchange)?;
            let seen = bench.authentication_out(SECOND, &claim)?;
            seen.refused(bench.profile(), "on another nexus", Cause::NoSequence, Pointer::Any)?;
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(1206, "leaves a sequence alone, whatever is refused on another nexus", APART, |bench| {
        bench.connect_second()?;
        for commands in 1..=3 {
            let mut exchange = bench.after(commands)?;
            let (out, claim) = (exchange.out.clone(), vec![1; 100]);
            bench.authentication_out(SECOND, &claim)?;
            bench.authentication_in(SECOND)?;
            bench.delete(SECOND, &claim)?;
            bench.key_exchange_out(SECOND, out.get(..27).unwrap_or_default())?;
            bench.finish(&mut exchange)?;
        }
        Ok(())
    }),
    Assertion::new(
        1207,
        "removes an association by a Delete on another nexus",
        ["5.13.5 (R31)", "5.14.4.11"],
        |bench| {
            bench.connect_second()?;
            let exchange = bench.established()?;
            let list = bench.delete_of(&exchange)?;
            bench.delete(SECOND, &list)?.good("the Delete on the second nexus")
        },
    ),
    Assertion::new(
        1208,
        "does not end the sequence of another nexus by its Delete",
        ["5.13.5 (R25)", "7.7.3.4 table 523, 5.14.4.10"],
        |bench| {
            bench.connect_second()?;
            let mut exchange = bench.after(2)?;
            let list = bench.delete_of(&exchange)?;
            let seen = bench.delete(SECOND, &list)?;
            seen.refused(bench.profile(), "the Delete on the second nexus", Cause::NothingToDelete, Pointer::Any)?;
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(1209, "drops a nexus's sequence when the nexus is lost", LOST, |bench| {
        for commands in 1..=3 {
            bench.after(commands)?;
            bench.renew()?;
            bench.is_idle(FIRST, "on the new nexus")?;
        }
        Ok(())
    }),
    Assertion::new(1210, "keeps associations when a nexus is lost", LOST, |bench| {
        let exchange = bench.established()?;
        let list = bench.delete_of(&exchange)?;
        bench.renew()?;
        bench.delete(FIRST, &list)?.good("the Delete on the new nexus")
    }),
    Assertion::new(1211, "repeats nothing of a nexus that was lost", LOST, |bench| {
        bench.established()?;
        bench.renew()?;
        let seen = bench.authentication_in(FIRST)?;
        seen.refused(bench.profile(), "an authentication IN on the new nexus", Cause::NoSequence, Pointer::Any)
    }),
    Assertion::new(1212, "leaves a sequence alone when another nexus is lost", LOST, |bench| {
        bench.connect_second()?;
        let mut first = bench.after(2)?;
        begun(bench)?;
        bench.drop_second();
        bench.finish(&mut first)
    }),
];

/// A sequence on the second nexus after its key exchange OUT; SPC-4 lets a device server have one sequence at a time.
fn begun(bench: &mut Bench<'_, '_>) -> Result<super::exchange::Exchange, Stop> {
    let mut exchange = bench.after_on(SECOND, 0)?;
    let list = bench.peek(&mut exchange)?;
    let seen = bench.key_exchange_out(SECOND, &list)?;
    if seen.told().is_some_and(|sense| (sense.key, sense.asc.code, sense.asc.qualifier) == (0xB, 0x00, 0x1E)) {
        return Err(Stop::skipped("this logical unit has one sequence at a time (SPC-4 5.14.4.1)"));
    }
    seen.good("a key exchange OUT on the second nexus")?;
    exchange.has_sent_key_exchange_out()?;
    Ok(exchange)
}
