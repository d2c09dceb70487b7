//! The Delete (r3 5.13.5, 7.7.4.8b, 7.7.5; SPC-4 5.14.4.10, 5.14.4.11, 7.7.3.5.10, 7.7.3.4 table 523; readings R25, R27, R31, R32, S7, S9,
//! Q29, Q30).

use super::Assertion;
use super::bench::{Bench, Nexus, mask};
use super::message::{Padding, Part, Plain, code, flip, part_of, put};
use super::outcome::{Cause, Ended, Pointer, Stop};
use super::proof::changed;

const FIRST: Nexus = Nexus::First;
const DELETE: [&str; 2] = ["5.13.5, 7.7.4.8b (R31)", "5.14.4.11"];
const FIELDS: [&str; 2] = ["7.7.4.8b", "7.7.3.5.10"];
const HEADER: [&str; 2] = ["7.7.3.1.1", "7.7.3.4, 7.7.3.8.2"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(1101, "removes the association that a Delete names", DELETE, |bench| {
        let exchange = bench.established()?;
        let list = bench.delete_of(&exchange)?;
        bench.delete(FIRST, &list)?.good("the Delete")
    }),
    Assertion::new(
        1102,
        "refuses the same Delete a second time: the association is gone",
        ["5.13.5 (R25)", "5.14.4.11, 7.7.3.4 table 523"],
        |bench| {
            let exchange = bench.established()?;
            let list = bench.delete_of(&exchange)?;
            bench.delete(FIRST, &list)?.good("the Delete")?;
            let pointer = bench.either(Pointer::List(0), Pointer::List(4));
            let again = bench.delete(FIRST, &list)?;
            again.refused(bench.profile(), "the Delete again", Cause::NothingToDelete, pointer)
        },
    ),
    Assertion::new(
        1103,
        "refuses a changed check value, and keeps the association",
        ["7.7.4.8b, 7.7.4.10 (R31, R32)", "7.7.3.5.11.4 (S7)"],
        |bench| {
            let (cause, pointer) = icv(bench);
            unsealed(bench, |list| vec![changed(list, list.len().saturating_sub(1), 1)], cause, pointer)
        },
    ),
    Assertion::new(
        1104,
        "refuses a changed ciphertext or header, and keeps the association",
        ["7.7.4.8b, 7.7.4.10 (R31, R32)", "7.7.3.5.11.4 (S7)"],
        |bench| {
            let (cause, pointer) = icv(bench);
            unsealed(bench, |list| vec![changed(list, 17, 1), changed(list, 32, 1)], cause, pointer)
        },
    ),
    Assertion::new(
        1105,
        "takes other SAIs in the header for those of no association",
        ["5.13.5 (R25, R31)", "7.7.3.4 table 523"],
        |bench| {
            let pointer = bench.either(Pointer::List(0), Pointer::List(4));
            let lists = |list: &[u8]| vec![changed(list, 7, 1), changed(list, 15, 1)];
            unsealed(bench, lists, Cause::NothingToDelete, pointer)
        },
    ),
    Assertion::new(1106, "refuses a MESSAGE ID that is not the next", ["7.7.3.1.1 (R27)", "7.7.3.4 (Q27)"], |bench| {
        for id in [0_u32, 1, 3] {
            sealed(bench, Cause::Rejected, |plain| {
                put(&mut plain.header, 20, &id.to_be_bytes());
                Some(Pointer::List(20))
            })?;
        }
        Ok(())
    }),
    Assertion::new(1107, "refuses another MAJOR VERSION", HEADER, |bench| {
        header(bench, 17, 0x30, Pointer::ListBit(17, 7))
    }),
    Assertion::new(1108, "refuses INTTR set to zero, and RSPNS set to one", HEADER, |bench| {
        let (initiator, _, response) = bench.flag_bits();
        header(bench, 19, 0, Pointer::ListBit(19, initiator))?;
        header(bench, 19, mask(initiator) | mask(response), Pointer::ListBit(19, response))
    }),
    Assertion::new(1109, "refuses the EXCHANGE TYPE of another phase", ["7.7.3.1.1 (R7)", ""], |bench| {
        header(bench, 18, 0xF3, Pointer::List(18))
    }),
    Assertion::new(
        1110,
        "refuses a LENGTH other than what is transferred",
        ["7.7.3.1.1 (R8)", "7.7.3.4 (Q18)"],
        |bench| unsealed(bench, |list| vec![changed(list, 27, 1)], Cause::Rejected, Pointer::List(24)),
    ),
    Assertion::new(1111, "refuses another PROTOCOL ID inside", FIELDS, |bench| field(bench, 0, 2, 4)),
    Assertion::new(1112, "refuses another SAI SIZE inside", FIELDS, |bench| field(bench, 1, 4, 5)),
    Assertion::new(1113, "refuses another NUMBER OF SAIS inside", FIELDS, |bench| field(bench, 3, 7, 6)),
    Assertion::new(1114, "refuses an SAI inside that is not the header's", ["7.7.4.8b (R31)", "7.7.3.5.10"], |bench| {
        let at = bench.either(8, 12);
        sealed(bench, Cause::Value, |plain| {
            let data = &mut plain.part_mut(code::DELETE)?.data;
            flip(data, 11, 1);
            Some(Pointer::List(plain.at(0).saturating_add(at)))
        })
    }),
    Assertion::new(1115, "refuses a device server SAI inside that is not the header's", ["", "7.7.3.5.10"], |bench| {
        sealed(bench, Cause::Value, |plain| {
            let data = &mut plain.part_mut(code::DELETE)?.data;
            flip(data, 19, 1);
            Some(Pointer::List(plain.at(0).saturating_add(20)))
        })
    }),
    Assertion::new(1116, "refuses a Delete payload that is too short", FIELDS, |bench| {
        sealed(bench, Cause::Value, |plain| {
            let part = plain.part_mut(code::DELETE)?;
            let short = part.data.len().saturating_sub(1);
            part.data.truncate(short);
            Some(Pointer::List(plain.at(0).saturating_add(2)))
        })
    }),
    Assertion::new(1117, "refuses an Encrypted payload with nothing inside", ["5.13.5 (R34)", "5.14.4.11"], |bench| {
        sealed(bench, Cause::Incomplete, |plain| {
            plain.inner.clear();
            Some(Pointer::List(28))
        })
    }),
    Assertion::new(1118, "refuses two Delete payloads", ["5.13.5 (R6)", "7.7.3.4 table 526"], |bench| {
        sealed(bench, Cause::Value, |plain| {
            let again = plain.inner.clone();
            plain.inner.extend(again);
            Some(Pointer::List(plain.named_at(1)))
        })
    }),
    Assertion::new(
        1119,
        "refuses an unknown payload with CRIT set to one inside",
        ["7.7.3.1.1, 7.7.5 (R34)", "7.7.3.5.1, 7.7.3.9"],
        |bench| {
            sealed(bench, Cause::NotSupported, |plain| {
                plain.inner.push(Part::new(code::UNKNOWN, &[1]));
                Some(Pointer::List(plain.named_at(1)))
            })
        },
    ),
    Assertion::new(
        1120,
        "skips an unknown payload with CRIT set to zero inside",
        ["7.7.3.1.1 (R6)", "7.7.3.5.1"],
        |bench| {
            let exchange = bench.established()?;
            let suite = bench.suite(&exchange)?;
            let mut plain = bench.plain_delete(&exchange, &suite);
            plain.insert(0, Part::not_critical(code::UNKNOWN, &[1, 2]));
            let list = exchange.seal(&suite, &plain);
            bench.delete(FIRST, &list)?.good("the Delete with a payload more")
        },
    ),
    Assertion::new(1121, "refuses padding other than 01h, 02h, 03h and so on", ["", "7.7.3.5.11.2"], |bench| {
        sealed(bench, Cause::Rejected, |plain| {
            plain.padding = Padding::From(0x80);
            Some(Pointer::List(plain.at(1)))
        })
    }),
    Assertion::new(
        1122,
        "removes an association while another sequence runs, which goes on",
        ["5.13.5 (R31)", "5.14.4.11"],
        |bench| {
            for commands in 1..=3 {
                let old = bench.established()?;
                let mut running = bench.after(commands)?;
                let list = bench.delete_of(&old)?;
                bench.delete(FIRST, &list)?.good("the Delete")?;
                bench.finish(&mut running)?;
                bench.clean()?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        1123,
        "ends a running sequence by the Delete of its owner",
        ["", "5.14.4.10, 7.7.3.5.10"],
        |bench| {
            for commands in 2..=3 {
                let exchange = bench.after(commands)?;
                let list = bench.delete_of(&exchange)?;
                bench.delete(FIRST, &list)?.good("the Delete of the running sequence")?;
                bench.is_idle(FIRST, "after the Delete")?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        1124,
        "keeps a running sequence when its Delete cannot be opened",
        ["", "7.7.3.8.2 (S7, Q30)"],
        |bench| {
            let mut exchange = bench.after(2)?;
            let list = bench.delete_of(&exchange)?;
            let wrong = changed(&list, list.len().saturating_sub(1), 1);
            let seen = bench.delete(FIRST, &wrong)?;
            seen.refused(bench.profile(), "a changed check value", Cause::Rejected, Pointer::List(28))?;
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(1125, "repeats nothing of an association that was deleted", ["", "5.14.4.11 (S9, Q29)"], |bench| {
        let exchange = bench.established()?;
        let list = bench.delete_of(&exchange)?;
        bench.delete(FIRST, &list)?.good("the Delete")?;
        let seen = bench.authentication_in(FIRST)?;
        seen.refused(bench.profile(), "the authentication IN afterwards", Cause::NoSequence, Pointer::Any)
    }),
    Assertion::new(1126, "removes one association by a Delete, and no other", DELETE, |bench| {
        let first = bench.established()?;
        let second = bench.established()?;
        for exchange in [&first, &second] {
            let list = bench.delete_of(exchange)?;
            bench.delete(FIRST, &list)?.good("each Delete")?;
        }
        Ok(())
    }),
    Assertion::new(1127, "refuses the Delete of one association with the SAIs of another", DELETE, |bench| {
        let first = bench.established()?;
        let second = bench.established()?;
        let (mut list, other) = (bench.delete_of(&first)?, bench.delete_of(&second)?);
        put(&mut list, 0, part_of(&other, 0, 16));
        let (cause, pointer) = icv(bench);
        let seen = bench.delete(FIRST, &list)?;
        seen.refused(bench.profile(), "SAIs of another association", cause, pointer)?;
        bench.delete(FIRST, &other)?.good("its own Delete")
    }),
];

/// What a wrong check value of a live association is told.
fn icv(bench: &Bench<'_, '_>) -> (Cause, Pointer) {
    // SPC-4 has INVALID FIELD IN PARAMETER LIST for both (reading S7).
    (bench.either(Cause::Value, Cause::NothingToDelete), Pointer::List(28))
}

/// Each of these lists is refused, and the association is still there.
fn unsealed(
    bench: &mut Bench<'_, '_>,
    lists: impl FnOnce(&[u8]) -> Vec<Vec<u8>>,
    cause: Cause,
    pointer: Pointer,
) -> Ended {
    let exchange = bench.established()?;
    let right = bench.delete_of(&exchange)?;
    for list in lists(&right) {
        let seen = bench.delete(FIRST, &list)?;
        seen.refused(bench.profile(), "the Delete", cause, pointer)?;
    }
    bench.delete(FIRST, &right)?.good("the honest Delete afterwards")
}

/// A Delete with something changed before it is sealed is refused, and the association is still there.
fn sealed(bench: &mut Bench<'_, '_>, cause: Cause, change: impl FnOnce(&mut Plain) -> Option<Pointer>) -> Ended {
    let exchange = bench.established()?;
    let suite = bench.suite(&exchange)?;
    let mut plain = bench.plain_delete(&exchange, &suite);
    let Some(pointer) = change(&mut plain) else { return Err(Stop::Broken("our own Delete has no payload".into())) };
    let list = exchange.seal(&suite, &plain);
    let seen = bench.delete(FIRST, &list)?;
    seen.refused(bench.profile(), "the sealed Delete", cause, pointer)?;
    let right = bench.delete_of(&exchange)?;
    bench.delete(FIRST, &right)?.good("the honest Delete afterwards")
}

fn header(bench: &mut Bench<'_, '_>, at: usize, value: u8, pointer: Pointer) -> Ended {
    sealed(bench, Cause::Rejected, |plain| {
        put(&mut plain.header, at, &[value]);
        Some(pointer)
    })
}

/// Changes a byte of the Delete payload's data; the fault is at an offset from its first byte.
fn field(bench: &mut Bench<'_, '_>, at: usize, value: u8, fault: usize) -> Ended {
    sealed(bench, Cause::Value, |plain| {
        put(&mut plain.part_mut(code::DELETE)?.data, at, &[value]);
        Some(Pointer::List(plain.at(0).saturating_add(fault)))
    })
}
