//! An authentication OUT before anything in it can be trusted: header, framing, check value, padding (r3 5.13.4.4.1, 7.7.3.1.1, 7.7.4.10;
//! SPC-4 7.7.3.4, 7.7.3.5.11, 7.7.3.8.2; readings R1, R7, R10 to R13, R22, R27, R32, R34, R36, S3, S7, Q17, Q18). The sequence goes on in
//! both dialects.

use ikev2_scsi::crypto::Suite;

use super::Assertion;
use super::bench::{Bench, Nexus, mask};
use super::exchange::Exchange;
use super::message::{HEADER, PAYLOAD_HEADER, Padding, Part, Plain, byte, code, link, part_of, put, write_length};
use super::outcome::{Cause, Ended, Pointer, Stop};

const FIRST: Nexus = Nexus::First;
const HEADERS: [&str; 2] = ["7.7.3.1.1", "7.7.3.4, 7.7.3.8.2"];
const ICV: [&str; 2] = ["7.7.4.10 (R10, R32)", "7.7.3.5.11.4 (S7)"];
const FRAME: [&str; 2] = ["7.7.4.10 (R8)", "7.7.3.5.11, 7.7.3.8.2"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(801, "takes an honest authentication OUT", ["5.13.4.4.2", "5.14.4.7.2"], |bench| {
        let mut exchange = bench.after(3)?;
        bench.finish(&mut exchange)
    }),
    Assertion::new(802, "refuses a changed check value, at the Encrypted payload", ICV, |bench| {
        flipped(bench, |list, _| vec![list.len().saturating_sub(1)])
    }),
    Assertion::new(803, "refuses a changed ciphertext", ICV, |bench| {
        flipped(bench, |list, plain| {
            let text_at = plain.at(0);
            vec![text_at, text_at.saturating_add(list.len()).saturating_div(2)]
        })
    }),
    Assertion::new(804, "refuses a changed initialization vector", ICV, |bench| {
        flipped(bench, |_, plain| if plain.iv == 0 { vec![] } else { vec![plain.at(0).saturating_sub(1)] })
    }),
    Assertion::new(805, "refuses a header that was changed in a field that it ignores", ICV, |bench| {
        // MINOR VERSION is under the check value.
        flipped(bench, |_, _| vec![17])
    }),
    Assertion::new(806, "refuses a changed header of the Encrypted payload", ICV, |bench| {
        flipped(bench, |_, plain| vec![plain.encrypted_at().saturating_add(1)])
    }),
    Assertion::new(807, "refuses MESSAGE ID 0 and 2", ["7.7.3.1.1 (R27)", "7.7.3.4, 7.7.3.8.2"], |bench| {
        headed(bench, 20, &[0; 4], Pointer::List(20))?;
        headed(bench, 20, &2_u32.to_be_bytes(), Pointer::List(20))
    }),
    Assertion::new(808, "refuses a MAJOR VERSION other than 2", ["7.7.3.1.1 (R22)", "7.7.3.4"], |bench| {
        headed(bench, 17, &[0x10], Pointer::ListBit(17, 7))
    }),
    Assertion::new(809, "refuses INTTR set to zero, and RSPNS set to one", HEADERS, |bench| {
        let (initiator, _, response) = bench.flag_bits();
        headed(bench, 19, &[0], Pointer::ListBit(19, initiator))?;
        headed(bench, 19, &[mask(initiator) | mask(response)], Pointer::ListBit(19, response))
    }),
    Assertion::new(810, "refuses the EXCHANGE TYPE of another phase", ["7.7.3.1.1 (R7)", ""], |bench| {
        headed(bench, 18, &[0xF2], Pointer::List(18))
    }),
    Assertion::new(
        811,
        "ignores EXCHANGE TYPE, MINOR VERSION and reserved flags of a sealed message",
        ["", "7.7.3.4 (Q21)"],
        |bench| {
            sealed(bench, None, |plain, _| {
                put(&mut plain.header, 17, &[0x2F, 0xF2]);
                None
            })
        },
    ),
    Assertion::new(
        812,
        "refuses a LENGTH other than what is transferred",
        ["7.7.3.1.1 (R8)", "7.7.3.4 (Q18)"],
        |bench| {
            sent(bench, |list, _, _| {
                let wrong = u32::try_from(list.len()).unwrap_or(0).saturating_add(1);
                put(list, 24, &wrong.to_be_bytes());
                (Cause::Rejected, Pointer::List(24))
            })
        },
    ),
    Assertion::new(
        813,
        "refuses a list that is shorter than a header",
        ["7.7.5 (R36, R39)", "7.7.3.4 (Q18)"],
        |bench| {
            let pointer = bench.either(Pointer::Cdb(6), Pointer::List(24));
            for length in [0, 15, 27] {
                sent(bench, |list, _, _| {
                    list.truncate(length);
                    (Cause::Rejected, pointer)
                })?;
            }
            Ok(())
        },
    ),
    Assertion::new(814, "refuses an Encrypted payload without room for vector, text and check value", FRAME, |bench| {
        sent(bench, |list, _, suite| {
            let header = PAYLOAD_HEADER.saturating_add(suite.cipher.iv_length());
            list.truncate(HEADER.saturating_add(header));
            put(list, HEADER.saturating_add(2), &u16::try_from(header).unwrap_or(4).to_be_bytes());
            write_length(list);
            (Cause::Rejected, Pointer::List(30))
        })
    }),
    Assertion::new(815, "refuses an Encrypted payload whose PAYLOAD LENGTH does not fit the list", FRAME, |bench| {
        sent(bench, |list, _, _| {
            put(list, 30, &[0x7F, 0xFF]);
            (Cause::Rejected, Pointer::List(30))
        })
    }),
    Assertion::new(816, "refuses a PAD LENGTH of more than there is", ["7.7.4.10 (R13)", "7.7.3.5.11.2"], |bench| {
        sealed(bench, Some(Cause::Rejected), |plain, suite| {
            plain.padding = Padding::Length(255);
            let (_, text) = plain.text(suite.cipher.alignment());
            // Where the text has more than 255 bytes, PAD LENGTH can be right.
            (text.len() <= 255).then(|| Pointer::List(plain.at(0).saturating_add(text.len()).saturating_sub(1)))
        })
    }),
    Assertion::new(817, "takes padding of any content", ["7.7.4.10 (R13)", ""], |bench| {
        sealed(bench, None, |plain, _| {
            plain.padding = Padding::From(0xA7);
            None
        })
    }),
    Assertion::new(818, "refuses padding other than 01h, 02h, 03h and so on", ["", "7.7.3.5.11.2"], |bench| {
        sealed(bench, Some(Cause::Rejected), |plain, _| {
            plain.padding = Padding::From(0);
            Some(Pointer::List(plain.at(plain.inner.len())))
        })
    }),
    Assertion::new(819, "takes more padding than is needed", ["7.7.4.10 (R12)", "7.7.3.5.11.2"], |bench| {
        sealed(bench, None, |plain, _| {
            plain.padding = Padding::More(3);
            None
        })
    }),
    Assertion::new(
        820,
        "refuses payloads that are not encrypted",
        ["5.13.4.4.1 (R34)", "7.7.3.4, 7.7.3.8.2"],
        in_clear,
    ),
    Assertion::new(
        821,
        "refuses an unknown payload with CRIT set to one in front of the Encrypted payload",
        ["7.7.3.1.1 (R6, R34)", "7.7.3.5.1, 7.7.3.8.2 (Q11)"],
        |bench| {
            let cause = bench.either(Cause::NotSupported, Cause::Rejected);
            sealed(bench, Some(cause), |plain, _| {
                plain.before.push(Part::new(code::UNKNOWN, &[9; 5]));
                Some(Pointer::List(16))
            })
        },
    ),
    Assertion::new(
        822,
        "skips an unknown payload with CRIT set to zero in front of it, and counts it to what is protected",
        ["7.7.3.1.1 (R6, R10)", ""],
        |bench| {
            sealed(bench, None, |plain, _| {
                plain.before.push(Part::not_critical(code::UNKNOWN, &[9; 5]));
                None
            })
        },
    ),
    Assertion::new(
        823,
        "counts a message that cannot be opened as no failure to authenticate",
        ["5.13.4.6 (R23)", "7.7.3.8.2, table 83"],
        |bench| {
            let mut exchange = bench.after(2)?;
            let (suite, plain) = bench.plain_claim(&mut exchange)?;
            for _ in 0..20 {
                let mut list = exchange.seal(&suite, &plain);
                let last = list.len().saturating_sub(1);
                let changed = byte(&list, last) ^ 0x80;
                put(&mut list, last, &[changed]);
                let seen = bench.authentication_out(FIRST, &list)?;
                seen.refused(bench.profile(), "a changed check value", Cause::Rejected, Pointer::List(28))?;
            }
            bench.finish(&mut exchange)
        },
    ),
    Assertion::new(
        824,
        "refuses what was sealed with the keys of its own direction",
        ["7.7.4.10, 5.13.4.3.4", "5.14.4.8"],
        |bench| {
            let mut exchange = bench.after(3)?;
            bench.finish(&mut exchange)?;
            // The authentication IN of the last exchange, sent back in the next one with its SAIs.
            let mut next = bench.after(2)?;
            let mut list = exchange.proof.clone();
            let claim = bench.peek(&mut next)?;
            put(&mut list, 0, part_of(&claim, 0, 16));
            put(&mut list, 17, part_of(&claim, 17, 20));
            let seen = bench.authentication_out(FIRST, &list)?;
            seen.refused(bench.profile(), "an authentication IN sent back", Cause::Rejected, Pointer::List(28))?;
            bench.finish(&mut next)
        },
    ),
];

/// The sequence is where it was: the key exchange IN is repeated, and the honest message brings it to its end.
pub(super) fn goes_on(bench: &mut Bench<'_, '_>, exchange: &mut Exchange) -> Ended {
    let again = bench.key_exchange_in(exchange.nexus)?;
    let expected = "afterwards the sequence is where it was: the key exchange IN again, the same bytes";
    if !again.is_good() || again.data != exchange.answer {
        return Err(Stop::failed(expected, again.to_string()));
    }
    bench.finish(exchange)
}

/// Sends an authentication OUT with something changed after it was sealed. It is refused, and the sequence goes on.
fn sent(bench: &mut Bench<'_, '_>, change: impl FnOnce(&mut Vec<u8>, &Plain, &Suite) -> (Cause, Pointer)) -> Ended {
    let mut exchange = bench.after(2)?;
    let (suite, plain) = bench.plain_claim(&mut exchange)?;
    let mut list = exchange.seal(&suite, &plain);
    let (cause, pointer) = change(&mut list, &plain, &suite);
    let seen = bench.authentication_out(FIRST, &list)?;
    seen.refused(bench.profile(), "the authentication OUT", cause, pointer)?;
    goes_on(bench, &mut exchange)
}

/// Each of some bytes is changed.
fn flipped(bench: &mut Bench<'_, '_>, places: impl FnOnce(&[u8], &Plain) -> Vec<usize>) -> Ended {
    let mut exchange = bench.after(2)?;
    let (suite, plain) = bench.plain_claim(&mut exchange)?;
    let list = exchange.seal(&suite, &plain);
    for at in places(&list, &plain) {
        let mut changed = list.clone();
        put(&mut changed, at, &[byte(&list, at) ^ 0x01]);
        let seen = bench.authentication_out(FIRST, &changed)?;
        seen.refused(bench.profile(), &format!("byte {at} changed"), Cause::Rejected, Pointer::List(28))?;
    }
    goes_on(bench, &mut exchange)
}

/// Seals an authentication OUT with something changed; without a cause it is taken.
fn sealed(
    bench: &mut Bench<'_, '_>,
    cause: Option<Cause>,
    change: impl FnOnce(&mut Plain, &Suite) -> Option<Pointer>,
) -> Ended {
    let mut exchange = bench.after(2)?;
    let (suite, mut plain) = bench.plain_claim(&mut exchange)?;
    let pointer = change(&mut plain, &suite);
    let list = exchange.seal(&suite, &plain);
    let seen = bench.authentication_out(FIRST, &list)?;
    match (cause, pointer) {
        (Some(cause), Some(pointer)) => {
            seen.refused(bench.profile(), "the sealed authentication OUT", cause, pointer)?;
            goes_on(bench, &mut exchange)
        }
        (Some(_), None) => Err(Stop::skipped("this identity's messages do not show it")),
        (None, _) => seen.good("the sealed authentication OUT"),
    }
}

/// Changes a few bytes of the header before the message is sealed.
fn headed(bench: &mut Bench<'_, '_>, at: usize, bytes: &[u8], pointer: Pointer) -> Ended {
    sealed(bench, Some(Cause::Rejected), |plain, _| {
        put(&mut plain.header, at, bytes);
        Some(pointer)
    })
}

/// The inner payloads in clear.
fn in_clear(bench: &mut Bench<'_, '_>) -> Ended {
    let mut exchange = bench.after(2)?;
    let (_, plain) = bench.plain_claim(&mut exchange)?;
    let (first, payloads) = link(&plain.inner, 0);
    let mut list = [plain.header.as_slice(), &payloads].concat();
    put(&mut list, 16, &[first]);
    write_length(&mut list);
    let cause = bench.either(Cause::Incomplete, Cause::Rejected);
    let seen = bench.authentication_out(FIRST, &list)?;
    seen.refused(bench.profile(), "payloads in clear", cause, Pointer::Any)?;
    goes_on(bench, &mut exchange)
}
