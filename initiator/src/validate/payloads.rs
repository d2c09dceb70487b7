//! The payloads of a key exchange OUT: their number and order, timeouts, public value, nonce (r3 5.13.4.3.2, 7.7.4.1, 7.7.4.3, 7.7.4.7,
//! 7.7.4.13; SPC-4 5.14.4.6.2, 7.7.3.5.1, 7.7.3.5.3, 7.7.3.5.8, 7.7.3.5.15; readings R6, R17, R28, R34, R38, S3, S4, Q10 to Q12).

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::message::{Message, PAYLOAD_HEADER, Part, byte, code, field, put};
use super::outcome::{Cause, Ended, Pointer, Stop};

const FIRST: Nexus = Nexus::First;
const ABSENT: [&str; 2] = ["5.13.4.3.2 (R34, R39)", "5.14.4.6.2"];
const CHAIN: [&str; 2] = ["7.7.3.1.1 (R8)", "7.7.3.5.1"];
const CRIT_RULE: [&str; 2] = ["7.7.3.1.1, 7.7.5 Table N1 (R6, R34)", "7.7.3.5.1, 7.7.3.9 (S3)"];
const TIMEOUTS: [&str; 2] = ["7.7.4.13 (R28)", "7.7.3.5.15 (S4)"];
const PUBLIC: [&str; 2] = ["7.7.4.3 (R17)", "7.7.3.5.3"];
const NONCES: [&str; 2] = ["7.7.4.7 (R38)", "7.7.3.5.8"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(401, "refuses a key exchange OUT without timeouts", ABSENT, |bench| {
        let timeouts = timeouts(bench);
        without(bench, timeouts)
    }),
    Assertion::new(402, "refuses one without algorithms", ABSENT, |bench| without(bench, code::ALGORITHMS)),
    Assertion::new(403, "refuses one without a public value", ABSENT, |bench| without(bench, code::KEY_EXCHANGE)),
    Assertion::new(404, "refuses one without a nonce", ABSENT, |bench| without(bench, code::NONCE)),
    Assertion::new(405, "refuses payloads in another order", ["5.13.4.3.2 (R6)", ""], |bench| {
        altered(bench, |message| {
            message.parts.swap(1, 2);
            Some((Cause::Value, Pointer::List(message.named_at(1))))
        })
    }),
    Assertion::new(406, "takes payloads in any order", ["", "7.7.3.4 (S3, Q12)"], |bench| {
        let (_, mut message) = bench.ready()?;
        message.parts.reverse();
        bench.key_exchange_out(FIRST, &message.bytes())?.good("payloads in the reverse order")
    }),
    Assertion::new(407, "refuses a payload that is repeated", ["7.7.4.1 (R6)", "7.7.3.4 table 526"], |bench| {
        altered(bench, |message| {
            let again = message.parts.last().cloned();
            message.parts.extend(again);
            Some((Cause::Value, Pointer::List(message.named_at(message.parts.len().saturating_sub(1)))))
        })
    }),
    Assertion::new(408, "refuses an unknown payload with CRIT set to one, behind the others", CRIT_RULE, |bench| {
        altered(bench, |message| {
            message.parts.push(Part::new(code::UNKNOWN, &[1, 2, 3]));
            Some((Cause::NotSupported, Pointer::List(message.named_at(message.parts.len().saturating_sub(1)))))
        })
    }),
    Assertion::new(409, "refuses an unknown payload with CRIT set to one, before the others", CRIT_RULE, |bench| {
        altered(bench, |message| {
            message.parts.insert(0, Part::new(code::UNKNOWN, &[1, 2, 3]));
            Some((Cause::NotSupported, Pointer::List(16)))
        })
    }),
    Assertion::new(410, "skips an unknown payload with CRIT set to zero", CRIT_RULE, |bench| {
        altered(bench, |message| {
            message.parts.insert(1, Part::not_critical(code::UNKNOWN, &[1, 2, 3]));
            None
        })
    }),
    Assertion::new(
        411,
        "skips an unknown payload with CRIT set to zero that comes first",
        ["7.7.3.1.1 (R6)", ""],
        |bench| {
            altered(bench, |message| {
                message.parts.insert(0, Part::not_critical(code::UNKNOWN, &[]));
                None
            })
        },
    ),
    Assertion::new(
        412,
        "refuses an unknown payload that comes first, whatever CRIT says",
        ["", "7.7.3.4 (S3)"],
        |bench| {
            altered(bench, |message| {
                message.parts.insert(0, Part::not_critical(code::UNKNOWN, &[]));
                Some((Cause::Value, Pointer::List(16)))
            })
        },
    ),
    Assertion::new(413, "takes a known payload with CRIT set to zero", ["7.7.3.1.1 (R6)", "7.7.3.5.1"], |bench| {
        altered(bench, |message| {
            message.parts.iter_mut().for_each(|part| part.flags = 0);
            None
        })
    }),
    Assertion::new(414, "ignores reserved bits beside CRIT", ["7.7.3.1.1 (R7)", "7.7.3.5.1"], |bench| {
        altered(bench, |message| {
            message.parts.iter_mut().for_each(|part| part.flags = 0xFF);
            None
        })
    }),
    Assertion::new(
        415,
        "refuses a payload that belongs to another message",
        ["7.7.4.1 (R6)", "7.7.3.4 table 526"],
        |bench| {
            for foreign in [code::ID_SERVER, code::AUTHENTICATION, code::DELETE] {
                altered(bench, |message| {
                    message.parts.push(Part::new(foreign, &[0; 16]));
                    Some((Cause::Value, Pointer::List(message.named_at(message.parts.len().saturating_sub(1)))))
                })?;
            }
            Ok(())
        },
    ),
    Assertion::new(416, "ignores a Vendor ID payload wherever it stands", ["7.7.4.9 (R6)", ""], |bench| {
        altered(bench, |message| {
            message.parts.insert(2, Part::not_critical(code::VENDOR_ID, b"somebody"));
            message.parts.insert(0, Part::new(code::VENDOR_ID, b"somebody else"));
            None
        })
    }),
    Assertion::new(
        417,
        "refuses the payloads that SPC-4 prohibits, whatever CRIT says",
        ["", "7.7.3.4 table 524"],
        |bench| {
            for prohibited in [0x21, code::VENDOR_ID, 0x2C, 0x2D, 0x2F, 0x30] {
                altered(bench, |message| {
                    message.parts.push(Part::not_critical(prohibited, &[0; 8]));
                    Some((Cause::Value, Pointer::List(message.named_at(message.parts.len().saturating_sub(1)))))
                })?;
            }
            Ok(())
        },
    ),
    Assertion::new(418, "refuses a PAYLOAD LENGTH below four", CHAIN, |bench| {
        for index in 0..4 {
            let (_, message) = bench.ready()?;
            let at = message.at(index).saturating_add(2);
            super::header::edited(bench, at, &[0, 3], Pointer::List(at))?;
        }
        Ok(())
    }),
    Assertion::new(419, "refuses a PAYLOAD LENGTH that reaches behind the list", CHAIN, |bench| {
        let (_, message) = bench.ready()?;
        let at = message.at_code(code::NONCE).saturating_add(2);
        super::header::edited(bench, at, &[0x7F, 0xFF], Pointer::List(at))
    }),
    Assertion::new(420, "refuses fewer than two timeout values", ["7.7.4.13", "7.7.3.5.15"], |bench| {
        let timeouts = timeouts(bench);
        replaced(bench, timeouts, &[0, 0, 0, 1, 0, 0, 0, 10], Some((Cause::Value, 7)))
    }),
    Assertion::new(421, "refuses more than two timeout values", ["7.7.4.13", ""], |bench| {
        let timeouts = timeouts(bench);
        replaced(bench, timeouts, &[0, 0, 0, 3, 0, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0, 10], Some((Cause::Value, 7)))
    }),
    Assertion::new(
        422,
        "takes a protocol timeout of zero, for which ten seconds stand",
        ["", "7.7.3.5.15 (S4)"],
        |bench| timeout_values(bench, [0, 60], None),
    ),
    Assertion::new(423, "refuses a protocol timeout of zero", ["7.7.4.13 (R28)", ""], |bench| {
        timeout_values(bench, [0, 60], Some((Cause::Value, 8)))
    }),
    Assertion::new(424, "refuses an inactivity timeout of zero", ["7.7.4.13 (R28)", ""], |bench| {
        timeout_values(bench, [10, 0], Some((Cause::Value, 12)))
    }),
    Assertion::new(425, "has a maximum for the protocol timeout", TIMEOUTS, |bench| {
        timeout_values(bench, [u32::MAX, 60], Some((Cause::Value, 8)))
    }),
    Assertion::new(426, "has a maximum for the inactivity timeout", TIMEOUTS, |bench| {
        timeout_values(bench, [10, u32::MAX], Some((Cause::Value, 12)))
    }),
    Assertion::new(427, "refuses a group number that was not selected", ["7.7.4.3", "7.7.3.5.3"], |bench| {
        let (_, message) = bench.ready()?;
        let mut data = data_of(&message, code::KEY_EXCHANGE);
        let other = byte(&data, 1) ^ 0x01;
        put(&mut data, 1, &[other]);
        replaced(bench, code::KEY_EXCHANGE, &data, Some((Cause::Value, 4)))
    }),
    Assertion::new(428, "refuses a public value of another length than its group's", PUBLIC, |bench| {
        let (_, message) = bench.ready()?;
        let data = data_of(&message, code::KEY_EXCHANGE);
        let right = data.len();
        for length in [4, 5, right.saturating_sub(1), right.saturating_add(1)] {
            let mut data = data.clone();
            data.resize(length, 7);
            replaced(bench, code::KEY_EXCHANGE, &data, Some((Cause::Value, 2)))?;
        }
        Ok(())
    }),
    Assertion::new(429, "refuses a public value of zero", PUBLIC, |bench| public(bench, |value| value.fill(0))),
    Assertion::new(430, "refuses a public value above every group element", PUBLIC, |bench| {
        public(bench, |value| value.fill(0xFF))
    }),
    Assertion::new(431, "refuses the public value one, or a point that is not on the curve", PUBLIC, |bench| {
        public(bench, |value| {
            value.fill(0);
            value.last_mut().into_iter().for_each(|last| *last = 1);
        })
    }),
    Assertion::new(432, "refuses the public value p - 1", ["7.7.4.3 (R17, RFC 6989)", "7.7.3.5.3"], |bench| {
        let suite = {
            let (exchange, _) = bench.ready()?;
            bench.suite(&exchange)?
        };
        if suite.group.identifier() != ikev2_scsi::algorithm::MODP_2048.identifier {
            return Err(Stop::skipped("another group than that of 2048 bits is selected"));
        }
        public(bench, |value| {
            super::modp::largest().iter().zip(value).for_each(|(from, to)| *to = *from);
        })?;
        Ok(())
    }),
    Assertion::new(433, "refuses a KE payload that is shorter than its fields", ["7.7.4.3", "7.7.3.5.3"], |bench| {
        replaced(bench, code::KEY_EXCHANGE, &[0, 14], Some((Cause::Value, 2)))
    }),
    Assertion::new(434, "refuses a nonce below 16 bytes", NONCES, |bench| nonce(bench, 15, true)),
    Assertion::new(435, "refuses an empty nonce", NONCES, |bench| nonce(bench, 0, true)),
    Assertion::new(436, "refuses a nonce above 256 bytes", NONCES, |bench| nonce(bench, 257, true)),
    Assertion::new(437, "refuses a nonce of less than half the PRF's key", NONCES, |bench| {
        let least = least_nonce(bench)?;
        if least <= 16 {
            return Err(Stop::skipped("half the key of the PRF is no more than 16 bytes"));
        }
        nonce(bench, least.saturating_sub(1), true)
    }),
    Assertion::new(438, "takes the shortest nonce", NONCES, |bench| {
        let least = least_nonce(bench)?;
        nonce(bench, least, false)
    }),
    Assertion::new(439, "takes a nonce of 256 bytes", NONCES, |bench| nonce(bench, 256, false)),
];

/// The code of the timeouts.
pub(super) fn timeouts(bench: &Bench<'_, '_>) -> u8 {
    bench.either(0x82, 0x83)
}

fn data_of(message: &Message, code: u8) -> Vec<u8> {
    message.part(code).map(|part| part.data.clone()).unwrap_or_default()
}

/// Changes the payloads of an honest key exchange OUT, which tells how it should be refused, or `None` where it is taken.
pub(super) fn altered(
    bench: &mut Bench<'_, '_>,
    change: impl FnOnce(&mut Message) -> Option<(Cause, Pointer)>,
) -> Ended {
    let (_, mut message) = bench.ready()?;
    let expected = change(&mut message);
    let codes: Vec<_> = message.parts.iter().map(|part| (part.code, part.flags, part.data.len())).collect();
    let what = format!("payloads {codes:02X?}");
    let seen = bench.key_exchange_out(FIRST, &message.bytes())?;
    match expected {
        Some((cause, pointer)) => seen.refused(bench.profile(), &what, cause, pointer),
        None => seen.good(&what),
    }
}

fn without(bench: &mut Bench<'_, '_>, absent: u8) -> Ended {
    altered(bench, |message| {
        message.parts.retain(|part| part.code != absent);
        Some((Cause::Incomplete, Pointer::List(message.ended_at())))
    })
}

/// Replaces the data of a payload; a fault points at an offset from the payload's first byte.
pub(super) fn replaced(bench: &mut Bench<'_, '_>, code: u8, data: &[u8], fault: Option<(Cause, usize)>) -> Ended {
    altered(bench, |message| {
        if let Some(part) = message.part_mut(code) {
            part.data = data.to_vec();
        }
        let at = message.at_code(code);
        fault.map(|(cause, offset)| (cause, Pointer::List(at.saturating_add(offset))))
    })
}

fn timeout_values(bench: &mut Bench<'_, '_>, values: [u32; 2], fault: Option<(Cause, usize)>) -> Ended {
    let [protocol, inactivity] = values.map(u32::to_be_bytes);
    let code = timeouts(bench);
    replaced(bench, code, &[[0, 0, 0, 2], protocol, inactivity].concat(), fault)
}

fn public(bench: &mut Bench<'_, '_>, change: impl FnOnce(&mut [u8])) -> Ended {
    let (_, message) = bench.ready()?;
    let mut data = data_of(&message, code::KEY_EXCHANGE);
    change(data.get_mut(PAYLOAD_HEADER..).unwrap_or_default());
    replaced(bench, code::KEY_EXCHANGE, &data, Some((Cause::Value, 8)))
}

fn nonce(bench: &mut Bench<'_, '_>, length: usize, is_refused: bool) -> Ended {
    replaced(bench, code::NONCE, &vec![0x4E; length], is_refused.then_some((Cause::Value, 2)))
}

/// 16 bytes, and half the key of the PRF.
pub(super) fn least_nonce(bench: &mut Bench<'_, '_>) -> Result<usize, Stop> {
    let (exchange, _) = bench.ready()?;
    Ok(bench.suite(&exchange)?.prf.key_length().div_ceil(2).max(16))
}

/// DIFFIE-HELLMAN GROUP NUMBER of a KE payload's data.
pub(super) fn group_number(data: &[u8]) -> u16 {
    u16::from_be_bytes(field(data, 0))
}
