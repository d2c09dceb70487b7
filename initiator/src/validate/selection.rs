//! What a key exchange OUT selects (r3 7.7.4.11.1, 7.7.4.12; SPC-4 7.7.3.5.13, 7.7.3.6; readings R4, R5, R7, R9, R18, R32 to R34, R39,
//! S1, S6).

use ikev2_scsi::algorithm;
use ikev2_scsi::wire::Descriptor;

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::capabilities::listed;
use super::message::{Message, byte, code, field, part_of, put};
use super::outcome::{Cause, Ended, Pointer, Stop, holds, same};
use super::payloads::altered;

const FIRST: Nexus = Nexus::First;
const TYPES: [&str; 2] = ["7.7.4.11.1, 7.7.4.12 (R4)", "7.7.3.5.13"];
const OFFERED: [&str; 2] = ["5.13.4.3.2, 7.7.4.11.1 (R32)", "7.7.3.6"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(501, "refuses a selection without one of the types, at the number of descriptors", TYPES, |bench| {
        for index in 0..types(bench) {
            descriptors(bench, |each, count_at, _| {
                each.remove(index.min(each.len().saturating_sub(1)));
                Some((Cause::Incomplete, count_at))
            })?;
        }
        Ok(())
    }),
    Assertion::new(502, "refuses a selection of nothing", TYPES, |bench| {
        descriptors(bench, |each, count_at, _| {
            each.clear();
            Some((Cause::Incomplete, count_at))
        })
    }),
    Assertion::new(503, "refuses a type that is selected twice", TYPES, |bench| {
        let is_r3 = bench.is_r3();
        for index in 0..types(bench) {
            descriptors(bench, |each, count_at, first_at| {
                let again = each.get(index).copied();
                again.into_iter().for_each(|again| each.insert(index.saturating_add(1), again));
                // SPC-4 fixes the number.
                Some((Cause::Value, if is_r3 { place(first_at, index.saturating_add(1), 0) } else { count_at }))
            })?;
        }
        Ok(())
    }),
    Assertion::new(504, "refuses types in another order, at the first that is out of it", TYPES, |bench| {
        descriptors(bench, |each, _, first_at| {
            each.swap(1, 2);
            Some((Cause::Value, place(first_at, 1, 0)))
        })
    }),
    Assertion::new(505, "refuses a type that is not supported, at ALGORITHM TYPE", OFFERED, |bench| {
        for kind in [0x05, 0x00, 0xFB] {
            edited(bench, 0, 0, &[kind], 0)?;
        }
        Ok(())
    }),
    Assertion::new(506, "refuses a DESCRIPTOR LENGTH other than 12", ["7.7.4.11.1", "7.7.3.6.1"], |bench| {
        edited(bench, 0, 2, &[0, 13], 2)?;
        edited(bench, 2, 2, &[0, 8], 2)
    }),
    Assertion::new(507, "refuses an encryption algorithm that it does not list", OFFERED, |bench| not_listed(bench, 0)),
    Assertion::new(508, "refuses a pseudo-random function that it does not list", OFFERED, |bench| {
        not_listed(bench, 1)
    }),
    Assertion::new(509, "refuses an integrity algorithm that it does not list", OFFERED, |bench| not_listed(bench, 2)),
    Assertion::new(510, "refuses a Diffie-Hellman group that it does not list", OFFERED, |bench| not_listed(bench, 3)),
    Assertion::new(511, "refuses an authentication algorithm that it does not list", OFFERED, |bench| {
        for index in 4..types(bench) {
            not_listed(bench, index)?;
        }
        Ok(())
    }),
    Assertion::new(
        512,
        "refuses a key length that it does not list, at KEY LENGTH",
        ["7.7.4.11.1.1 (R9, R32)", "7.7.3.6.2"],
        |bench| {
            edited(bench, 0, 10, &[0, 99], 10)?;
            edited(bench, 0, 10, &[0x10, 0], 10)
        },
    ),
    Assertion::new(
        513,
        "refuses an integrity algorithm that does not go with the encryption algorithm",
        ["7.7.4.11.1 (R5, R11)", "7.7.3.6.4"],
        wrong_pair,
    ),
    Assertion::new(514, "refuses one fault before another: types before what is not listed", TYPES, |bench| {
        descriptors(bench, |each, _, first_at| {
            each.first_mut().into_iter().for_each(|first| put(first, 4, &[0xFF; 4]));
            each.last_mut().into_iter().for_each(|last| put(last, 0, &[0x05]));
            Some((Cause::Value, place(first_at, each.len().saturating_sub(1), 0)))
        })
    }),
    Assertion::new(
        515,
        "ignores reserved bytes of descriptors, and returns them",
        ["7.7.4.11.1 (R7, R18)", "7.7.3.5.13 (S1)"],
        echoed,
    ),
    Assertion::new(
        516,
        "refuses a SECURITY ASSOCIATION TYPE that it does not serve",
        ["7.7.4.12 (R34)", ""],
        |bench| {
            payload(bench, 5, &[0x80], 5)?;
            payload(bench, 5, &[0x00], 5)
        },
    ),
    Assertion::new(517, "refuses a USAGE DATA LENGTH that is no multiple of four", ["7.7.4.12", ""], |bench| {
        payload(bench, 6, &[0, 2], 6)
    }),
    Assertion::new(518, "refuses a USAGE DATA LENGTH that reaches into nothing", ["7.7.4.12", ""], |bench| {
        payload(bench, 6, &[0x40, 0], 6)
    }),
    Assertion::new(519, "refuses a SAID that is not the application client's SAI", ["7.7.4.12", ""], |bench| {
        payload(bench, 8, &[0x5A; 8], 8)
    }),
    Assertion::new(
        520,
        "takes the shorter form of payload 81h, and returns it so",
        ["", "7.7.3.5.13 (S1, Q2)"],
        other_form,
    ),
    Assertion::new(
        521,
        "refuses a SAUT payload where authentication is selected",
        ["", "5.14.4.6.2, 7.7.3.4 table 526"],
        |bench| {
            altered(bench, |message| {
                message.parts.push(super::message::Part::new(code::USAGE, &[0; 16]));
                Some((Cause::Value, Pointer::List(message.named_at(message.parts.len().saturating_sub(1)))))
            })
        },
    ),
    Assertion::new(522, "refuses ENCR_NULL for the exchange itself", ["", "7.7.3.5.13"], |bench| {
        let is_listed = listed(bench)?.iter().any(|d| d.identifier == 0x8001_000B);
        if !is_listed {
            return Err(Stop::skipped("ENCR_NULL is not listed"));
        }
        descriptors(bench, |each, _, first_at| {
            each.first_mut().into_iter().for_each(|first| {
                put(first, 4, &0x8001_000B_u32.to_be_bytes());
                put(first, 10, &[0, 0]);
            });
            Some((Cause::Value, place(first_at, 0, 4)))
        })
    }),
    Assertion::new(523, "refuses authentication in one direction alone", ["", "7.7.3.6.6"], |bench| {
        for index in [4, 5] {
            descriptors(bench, |each, _, first_at| {
                each.get_mut(index).into_iter().for_each(|method| put(method, 4, &0x00F9_0000_u32.to_be_bytes()));
                Some((Cause::Value, place(first_at, index, 4)))
            })?;
        }
        Ok(())
    }),
];

fn types(bench: &Bench<'_, '_>) -> usize {
    bench.either(5, 6)
}

/// Offset of a field of a descriptor.
const fn place(first_at: usize, index: usize, offset: usize) -> usize {
    first_at.saturating_add(index.saturating_mul(12)).saturating_add(offset)
}

/// Changes the descriptors of an honest key exchange OUT; the function is given the offsets in the list of their number and of the
/// first, and tells how and where it should be refused.
fn descriptors(
    bench: &mut Bench<'_, '_>,
    change: impl FnOnce(&mut Vec<[u8; 12]>, usize, usize) -> Option<(Cause, usize)>,
) -> Ended {
    let (_, message) = bench.ready()?;
    let (offset, _) = bench.selected(&message);
    let first_at = message.at_code(code::ALGORITHMS).saturating_add(offset);
    let data_at = offset.saturating_sub(4);
    let count_at = bench.either(0, data_at.saturating_sub(1));
    let list_count_at = message.at_code(code::ALGORITHMS).saturating_add(4).saturating_add(count_at);
    altered(bench, |message| {
        let part = message.part_mut(code::ALGORITHMS)?;
        let (each, _) = part.data.get(data_at..).unwrap_or_default().as_chunks::<12>();
        let mut each = each.to_vec();
        let expected = change(&mut each, list_count_at, first_at);
        part.data.truncate(data_at);
        part.data.extend(each.iter().flatten());
        put(&mut part.data, count_at, &[u8::try_from(each.len()).unwrap_or(u8::MAX)]);
        expected.map(|(cause, at)| (cause, Pointer::List(at)))
    })
}

/// Changes bytes of one descriptor; the fault is at an offset of the same descriptor.
fn edited(bench: &mut Bench<'_, '_>, index: usize, at: usize, bytes: &[u8], fault: usize) -> Ended {
    descriptors(bench, |each, _, first_at| {
        each.get_mut(index).into_iter().for_each(|descriptor| put(descriptor, at, bytes));
        Some((Cause::Value, place(first_at, index, fault)))
    })
}

/// Changes bytes of the SCA payload, counted from its first byte.
fn payload(bench: &mut Bench<'_, '_>, at: usize, bytes: &[u8], fault: usize) -> Ended {
    altered(bench, |message| {
        let start = message.at_code(code::ALGORITHMS);
        let part = message.part_mut(code::ALGORITHMS)?;
        put(&mut part.data, at.saturating_sub(4), bytes);
        Some((Cause::Value, Pointer::List(start.saturating_add(fault))))
    })
}

/// Selects an identifier of the type that no dialect assigns, and one that is assigned and not listed, where there is one.
fn not_listed(bench: &mut Bench<'_, '_>, index: usize) -> Ended {
    let listed = listed(bench)?;
    let (_, message) = bench.ready()?;
    let (_, selected) = bench.selected(&message);
    let Some(honest) = selected.get(index).copied() else { return Ok(()) };
    let of_type = |d: &&Descriptor| d.algorithm_type == honest.algorithm_type;
    let profile = bench.profile();
    let mut assigned = algorithm::TABLE.iter().filter_map(|row| {
        let number = algorithm::number_of(profile, row.algorithm_type, row.identifier)?;
        let kind = algorithm::numbered_type(profile, honest.algorithm_type)?.algorithm_type;
        (kind == row.algorithm_type).then_some(number)
    });
    let may_not_be = |number: &u32| !listed.iter().filter(of_type).any(|d| d.identifier == *number);
    let absent = assigned.find(may_not_be);
    for identifier in [Some(0x7FFF_FFFE), absent].into_iter().flatten() {
        edited(bench, index, 4, &identifier.to_be_bytes(), 4)?;
    }
    Ok(())
}

fn wrong_pair(bench: &mut Bench<'_, '_>) -> Ended {
    let profile = bench.profile();
    let listed = listed(bench)?;
    let (exchange, _) = bench.ready()?;
    let is_separate = bench.suite(&exchange)?.integrity.is_some();
    let fits = |d: &&Descriptor| {
        let is_none = d.known(profile).is_some_and(|known| known.identifier == algorithm::INTEG_NONE);
        d.algorithm_type == 0x03 && is_none == is_separate
    };
    let Some(other) = listed.iter().find(fits) else {
        return Err(Stop::skipped("every integrity algorithm that is listed goes with the one for encryption"));
    };
    edited(bench, 2, 4, &other.identifier.to_be_bytes(), 4)
}

fn echoed(bench: &mut Bench<'_, '_>) -> Ended {
    let (_, mut message) = bench.ready()?;
    let (offset, _) = bench.selected(&message);
    let data_at = offset.saturating_sub(4);
    if let Some(part) = message.part_mut(code::ALGORITHMS) {
        // The reserved byte of the first, the attributes of the second.
        put(&mut part.data, data_at.saturating_add(1), &[0x99]);
        put(&mut part.data, data_at.saturating_add(20), &[4, 5, 6, 7]);
    }
    let list = message.bytes();
    bench.key_exchange_out(FIRST, &list)?.good("reserved bytes that are not zero")?;
    returned(bench, &message, data_at)
}

/// The descriptors come back as they were sent.
fn returned(bench: &mut Bench<'_, '_>, sent: &Message, data_at: usize) -> Ended {
    let seen = bench.due_key_exchange_in(FIRST)?;
    seen.good("the key exchange IN")?;
    let answer = Message::parse(&seen.data);
    let descriptors = |message: &Message| {
        message.part(code::ALGORITHMS).map(|part| part.data.get(data_at..).unwrap_or_default().to_vec())
    };
    same("descriptors", descriptors(sent), answer.as_ref().and_then(descriptors))
}

/// 81h with its descriptors from byte 20 where ours has them from 21, or the other way round.
fn other_form(bench: &mut Bench<'_, '_>) -> Ended {
    let (_, mut message) = bench.ready()?;
    let (offset, selected) = bench.selected(&message);
    let data_at = offset.saturating_sub(4);
    let Some(part) = message.part_mut(code::ALGORITHMS) else { return Ok(()) };
    let descriptors = part_of(&part.data, data_at, part.data.len()).to_vec();
    let count = u8::try_from(selected.len()).unwrap_or(u8::MAX);
    let before: usize = if data_at == 17 { 15 } else { 16 };
    part.data = [vec![0; before].as_slice(), &[count], &descriptors].concat();
    bench.key_exchange_out(FIRST, &message.bytes())?.good("the other form of payload 81h")?;
    returned(bench, &message, before.saturating_add(1))
}

/// The SAID of an SCA payload's data.
pub(super) fn said(data: &[u8]) -> [u8; 8] {
    field(data, 4)
}

/// The number of descriptors that a payload of r3 tells.
pub(super) fn number_told(data: &[u8]) -> u8 {
    byte(data, 0)
}

/// Whether a message holds what it must.
pub(super) fn has(message: &Message, kind: u8) -> Ended {
    holds("a payload of each kind", message.part(kind).is_some(), || format!("no {kind:02X}h"))
}
