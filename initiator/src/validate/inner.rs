//! What is inside an authentication OUT, sealed with the keys of the exchange (r3 5.13.4.4.2, 7.7.4.4 to 7.7.4.6, 7.7.4.8a; SPC-4
//! 5.14.4.7.2, 7.7.3.5.4 to 7.7.3.5.9, 7.7.3.5.14, 7.7.3.8.3; readings R6, R18, R21, R23, R29, R32, R34, R39, S3, S11, S12, Q12). In r3 the
//! sequence goes on, in SPC-4 it is over.

use ikev2_scsi::wire::specific;

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::claim::goes_on;
use super::exchange::Exchange;
use super::message::{Part, Plain, code, field, flip, put};
use super::outcome::{Cause, Ended, Pointer, Seen, Stop, holds};

const FIRST: Nexus = Nexus::First;
const ORDER: [&str; 2] = ["5.13.4.4.2 (R6, R34)", "5.14.4.7.2, 7.7.3.4 table 526"];
const CRIT_RULE: [&str; 2] = ["7.7.3.1.1, 7.7.5 Table N1 (R6, R34)", "7.7.3.5.1, 7.7.3.9 (S3)"];
const NOTIFY: [&str; 2] = ["7.7.4.8a (R34)", "7.7.3.5.9"];
const AUTH: [&str; 2] = ["5.13.4.4.2 (R21, R32)", "5.14.4.7.2, 7.7.3.5.7"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(901, "refuses one without an identity", ORDER, |bench| without(bench, code::ID_CLIENT)),
    Assertion::new(902, "refuses one without AUTH", ORDER, |bench| without(bench, code::AUTHENTICATION)),
    Assertion::new(903, "refuses one without a SAUT payload", ["", "5.14.4.7.2"], |bench| without(bench, code::USAGE)),
    Assertion::new(904, "refuses one with nothing inside", ORDER, |bench| {
        refused(bench, |plain| {
            plain.inner.clear();
            Some((Cause::Incomplete, plain.encrypted_at()))
        })
    }),
    Assertion::new(905, "refuses AUTH twice", ORDER, |bench| {
        refused(bench, |plain| {
            let last = plain.inner.last().cloned()?;
            plain.inner.push(last);
            Some((Cause::Value, plain.named_at(plain.inner.len().saturating_sub(1))))
        })
    }),
    Assertion::new(906, "refuses payloads in another order", ["5.13.4.4.2 (R6)", ""], |bench| {
        refused(bench, |plain| {
            plain.inner.reverse();
            Some((Cause::Value, plain.encrypted_at()))
        })
    }),
    Assertion::new(907, "takes payloads in any order", ["", "7.7.3.4 (Q12)"], |bench| {
        taken(bench, |plain, _| plain.inner.reverse())
    }),
    Assertion::new(908, "refuses an unknown payload with CRIT set to one inside", CRIT_RULE, |bench| {
        for index in [0, 1] {
            refused(bench, |plain| {
                plain.insert(index, Part::new(code::UNKNOWN, &[7; 3]));
                Some((Cause::NotSupported, plain.named_at(index)))
            })?;
        }
        Ok(())
    }),
    Assertion::new(909, "skips an unknown payload with CRIT set to zero inside", CRIT_RULE, |bench| {
        taken(bench, |plain, _| {
            plain.insert(1, Part::not_critical(code::UNKNOWN, &[7; 3]));
            plain.insert(0, Part::not_critical(code::UNKNOWN, &[]));
        })
    }),
    Assertion::new(910, "refuses the device server's identity, which belongs to the answer", ORDER, |bench| {
        refused(bench, |plain| {
            let own = plain.inner.first().map(|part| part.data.clone()).unwrap_or_default();
            plain.insert(0, Part::new(code::ID_SERVER, &own));
            Some((Cause::Value, plain.encrypted_at()))
        })
    }),
    Assertion::new(911, "refuses an ID TYPE that the dialect does not have", ["7.7.4.4 (R32)", "7.7.3.5.4"], |bench| {
        for kind in [0, 13, 0xFF] {
            field_of(bench, code::ID_CLIENT, 0, &[kind], 4)?;
        }
        Ok(())
    }),
    Assertion::new(912, "refuses the ID TYPEs of addresses and names that r3 forbids", ["7.7.4.4", ""], |bench| {
        for kind in [1, 2, 3, 5] {
            field_of(bench, code::ID_CLIENT, 0, &[kind], 4)?;
        }
        Ok(())
    }),
    Assertion::new(913, "refuses a distinguished name without a certificate", ["7.7.4.4 (R34)", ""], |bench| {
        let mut exchange = bench.after(2)?;
        let (_, plain) = bench.plain_claim(&mut exchange)?;
        if plain.index(code::CERTIFICATE).is_some() {
            return Err(Stop::skipped("the application client has a certificate"));
        }
        bench.finish(&mut exchange)?;
        for kind in [9, 10] {
            field_of(bench, code::ID_CLIENT, 0, &[kind], 4)?;
        }
        Ok(())
    }),
    Assertion::new(
        914,
        "refuses a SAUT payload that selects what it does not list",
        ["", "7.7.3.5.14"],
        usage_algorithm,
    ),
    Assertion::new(915, "refuses an SA TYPE that it does not serve", ["", "7.7.3.5.14"], |bench| {
        field_of(bench, code::USAGE, 8, &[0x00, 0x42], 12)
    }),
    Assertion::new(916, "refuses a Notify payload of another PROTOCOL ID", NOTIFY, |bench| notified(bench, 0, 2, 4)),
    Assertion::new(917, "refuses a Notify payload of another SAI SIZE", NOTIFY, |bench| notified(bench, 1, 4, 5)),
    Assertion::new(918, "refuses another NOTIFY MESSAGE TYPE", NOTIFY, |bench| {
        notified(bench, 2, 0x41, 6)?;
        notified(bench, 3, 0x01, 6)
    }),
    Assertion::new(
        919,
        "refuses a Notify payload of another SAI than its own",
        ["7.7.4.8a (R34)", "7.7.3.5.9, 7.7.3.9"],
        |bench| {
            let at = bench.either(8, 12);
            refused_with(bench, |plain, exchange| {
                let mut notify = notify(exchange);
                flip(&mut notify.data, 11, 1);
                let index = plain.inner.len().saturating_sub(1);
                plain.insert(index, notify);
                Some((Cause::Value, Pointer::List(plain.at(index).saturating_add(at))))
            })
        },
    ),
    Assertion::new(920, "refuses a Notify payload of another length", NOTIFY, |bench| {
        refused_with(bench, |plain, exchange| {
            let mut notify = notify(exchange);
            notify.data.truncate(11);
            let index = plain.inner.len().saturating_sub(1);
            plain.insert(index, notify);
            Some((Cause::Value, Pointer::List(plain.at(index).saturating_add(2))))
        })
    }),
    Assertion::new(921, "takes an Initial Contact", NOTIFY, |bench| {
        taken(bench, |plain, exchange| {
            let index = plain.inner.len().saturating_sub(1);
            plain.insert(index, notify(exchange));
        })
    }),
    Assertion::new(922, "refuses two Notify payloads", ORDER, |bench| {
        refused_with(bench, |plain, exchange| {
            let index = plain.inner.len().saturating_sub(1);
            plain.insert(index, notify(exchange));
            plain.insert(index, notify(exchange));
            Some((Cause::Value, Pointer::List(plain.named_at(index.saturating_add(1)))))
        })
    }),
    Assertion::new(
        923,
        "refuses other CERTIFICATE ENCODINGs than those of X.509 and raw RSA keys",
        ["7.7.4.5 (R34)", "7.7.3.5.5"],
        |bench| {
            for encoding in [0x00, 0x01, 0x05, 0xFF] {
                encoded(bench, code::CERTIFICATE, &[encoding, 0x30, 0], 4)?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        924,
        "refuses such encodings and odd lengths of a Certificate Request",
        ["7.7.4.5 (R34)", "7.7.3.5.6"],
        |bench| {
            encoded(bench, code::CERTIFICATE_REQUEST, &[&[0x05], [7; 20].as_slice()].concat(), 4)?;
            encoded(bench, code::CERTIFICATE_REQUEST, &[4; 12], 2)
        },
    ),
    Assertion::new(925, "refuses a changed AUTH", AUTH, |bench| {
        denied(bench, |plain| flip_last(plain, code::AUTHENTICATION))
    }),
    Assertion::new(926, "refuses an AUTH that is cut off, and one that is empty", AUTH, |bench| {
        for length in [4, 10] {
            denied(bench, |plain| {
                if let Some(part) = plain.part_mut(code::AUTHENTICATION) {
                    part.data.truncate(length);
                }
            })?;
        }
        Ok(())
    }),
    Assertion::new(
        927,
        "refuses AUTH METHOD 0, and every one that it does not list",
        ["5.13.4.4.2 (R18, R34)", "7.7.3.5.7 (S12)"],
        |bench| {
            for method in [0, 3, 0xC9] {
                denied(bench, |plain| {
                    if let Some(part) = plain.part_mut(code::AUTHENTICATION) {
                        put(&mut part.data, 0, &[method]);
                    }
                })?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        928,
        "refuses an identity that it does not know, and tells it like a wrong AUTH",
        ["5.13.4.4.2 (R32, R34)", "7.7.3.5.7"],
        |bench| {
            denied(bench, |plain| {
                if let Some(part) = plain.part_mut(code::ID_CLIENT) {
                    part.data.extend(b"-stranger");
                }
            })
        },
    ),
    Assertion::new(
        929,
        "covers by AUTH the reserved bytes of the identity",
        ["7.7.4.6 e (R29)", "7.7.3.5.7"],
        |bench| {
            denied(bench, |plain| {
                if let Some(part) = plain.part_mut(code::ID_CLIENT) {
                    put(&mut part.data, 1, &[0x5A]);
                }
            })
        },
    ),
    Assertion::new(
        930,
        "covers by AUTH the key exchange OUT: that of another sequence is refused",
        ["7.7.4.6 (R29)", "7.7.3.5.7"],
        |bench| {
            let mut first = bench.after(2)?;
            let (_, other) = bench.plain_claim(&mut first)?;
            bench.finish(&mut first)?;
            denied(bench, |plain| plain.inner.clone_from(&other.inner))
        },
    ),
    Assertion::new(
        931,
        "counts failed authentications, and ends the sequence at a bound",
        ["5.13.4.6 (R23)", "table 83 (Q34)"],
        counted,
    ),
    Assertion::new(932, "takes the honest message after a failed one", ["5.13.4.6 (R23)", ""], |bench| {
        let mut exchange = bench.after(2)?;
        let seen = fail(bench, &mut exchange)?;
        seen.refused(bench.profile(), "a changed AUTH", Cause::Denied, Pointer::List(28))?;
        goes_on(bench, &mut exchange)
    }),
    Assertion::new(
        933,
        "ends the sequence with the first failed authentication",
        ["", "5.14.4.7.2, table 83"],
        |bench| {
            let mut exchange = bench.after(2)?;
            let seen = fail(bench, &mut exchange)?;
            seen.refused(bench.profile(), "a changed AUTH", Cause::Denied, Pointer::Absent)?;
            bench.is_idle(FIRST, "after a failed authentication")
        },
    ),
    Assertion::new(
        934,
        "removes by an Initial Contact the older associations of the same identity",
        ["7.7.4.8a (R31a)", "7.7.3.5.9 (S11)"],
        |bench| initial_contact(bench, true),
    ),
    Assertion::new(
        935,
        "removes nothing by the Initial Contact of an authentication that fails",
        ["5.13.4.4.2, 7.7.4.8a (R31a)", "7.7.3.5.9 (S11)"],
        |bench| initial_contact(bench, false),
    ),
    Assertion::new(936, "ignores a Vendor ID payload inside", ["7.7.4.9 (R6)", ""], |bench| {
        taken(bench, |plain, _| plain.insert(0, Part::new(code::VENDOR_ID, b"somebody")))
    }),
    Assertion::new(
        937,
        "refuses a payload inside whose PAYLOAD LENGTH does not fit",
        ["7.7.3.1.1 (R8, R32)", "7.7.3.5.1"],
        |bench| {
            refused(bench, |plain| {
                // Two bytes of an identity are no identity.
                let part = plain.part_mut(code::ID_CLIENT)?;
                part.data.truncate(2);
                Some((Cause::Value, plain.at_code(code::ID_CLIENT).saturating_add(2)))
            })
        },
    ),
    Assertion::new(
        938,
        "refuses one who signs without the certificate that it asked for",
        ["", "5.14.4.3.3.4, 5.14.4.7.2 (Q35)"],
        |bench| {
            let mut exchange = bench.after(2)?;
            let asks = exchange.answered()?.part(code::CERTIFICATE_REQUEST).is_some();
            let (suite, mut plain) = bench.plain_claim(&mut exchange)?;
            if !asks || plain.index(code::CERTIFICATE).is_none() {
                return Err(Stop::skipped("no certificate is asked for and sent"));
            }
            plain.inner.retain(|part| part.code != code::CERTIFICATE);
            let list = exchange.seal(&suite, &plain);
            let seen = bench.authentication_out(FIRST, &list)?;
            seen.refused(bench.profile(), "no certificate", Cause::Denied, Pointer::Absent)?;
            bench.is_idle(FIRST, "after a failed authentication")
        },
    ),
];

/// An Initial Contact for the exchange.
fn notify(exchange: &Exchange) -> Part {
    let [_, ds_sai] = exchange.sais();
    Part::new(code::NOTIFY, &[&[1, 8, 0x40, 0], ds_sai.as_slice()].concat())
}

/// Seals an authentication OUT with something changed inside; it is refused, and then r3's sequence goes on, SPC-4's is over.
fn refused_with(
    bench: &mut Bench<'_, '_>,
    change: impl FnOnce(&mut Plain, &Exchange) -> Option<(Cause, Pointer)>,
) -> Ended {
    let mut exchange = bench.after(2)?;
    let (suite, mut plain) = bench.plain_claim(&mut exchange)?;
    let Some((cause, pointer)) = change(&mut plain, &exchange) else {
        return Err(Stop::skipped("the application client's message has no such payload"));
    };
    let list = exchange.seal(&suite, &plain);
    let codes: Vec<_> = plain.inner.iter().map(|part| (part.code, part.flags, part.data.len())).collect();
    let seen = bench.write(FIRST, specific::AUTHENTICATION, &list)?;
    seen.refused(bench.profile(), &format!("inner payloads {codes:02X?}"), cause, pointer)?;
    if bench.is_r3() {
        return goes_on(bench, &mut exchange);
    }
    bench.is_idle(FIRST, "after a sealed message that is refused")
}

fn refused(bench: &mut Bench<'_, '_>, change: impl FnOnce(&mut Plain) -> Option<(Cause, usize)>) -> Ended {
    refused_with(bench, |plain, _| change(plain).map(|(cause, at)| (cause, Pointer::List(at))))
}

/// The same is taken, and the exchange goes on to its authentication IN.
fn taken(bench: &mut Bench<'_, '_>, change: impl FnOnce(&mut Plain, &Exchange)) -> Ended {
    let mut exchange = bench.after(2)?;
    let (suite, mut plain) = bench.plain_claim(&mut exchange)?;
    change(&mut plain, &exchange);
    let codes: Vec<_> = plain.inner.iter().map(|part| (part.code, part.flags, part.data.len())).collect();
    let list = exchange.seal(&suite, &plain);
    bench.authentication_out(FIRST, &list)?.good(&format!("inner payloads {codes:02X?}"))?;
    bench.authentication_in(FIRST)?.good("the authentication IN")
}

fn without(bench: &mut Bench<'_, '_>, absent: u8) -> Ended {
    refused(bench, |plain| {
        plain.index(absent)?;
        plain.inner.retain(|part| part.code != absent);
        Some((Cause::Incomplete, plain.ended_at()))
    })
}

/// Changes bytes of a payload's data; the fault is at an offset from the payload's first byte.
fn field_of(bench: &mut Bench<'_, '_>, code: u8, at: usize, bytes: &[u8], fault: usize) -> Ended {
    refused(bench, |plain| {
        put(&mut plain.part_mut(code)?.data, at, bytes);
        Some((Cause::Value, plain.at_code(code).saturating_add(fault)))
    })
}

/// The first descriptor of a SAUT payload stands behind USAGE DATA.
fn usage_algorithm(bench: &mut Bench<'_, '_>) -> Ended {
    refused(bench, |plain| {
        let part = plain.part_mut(code::USAGE)?;
        let usage = usize::from(u16::from_be_bytes(field(&part.data, 10)));
        let at = usage.saturating_add(20);
        put(&mut part.data, at, &[0x7F, 0xFF, 0xFF, 0xFE]);
        Some((Cause::Value, plain.at_code(code::USAGE).saturating_add(at).saturating_add(4)))
    })
}

/// An Initial Contact with one byte changed.
fn notified(bench: &mut Bench<'_, '_>, at: usize, value: u8, fault: usize) -> Ended {
    refused_with(bench, |plain, exchange| {
        let mut notify = notify(exchange);
        put(&mut notify.data, at, &[value]);
        let index = plain.inner.len().saturating_sub(1);
        plain.insert(index, notify);
        Some((Cause::Value, Pointer::List(plain.at(index).saturating_add(fault))))
    })
}

/// A CERT or CERTREQ payload more, in its place: behind the identity, what the association is for, and others of its kind.
fn encoded(bench: &mut Bench<'_, '_>, kind: u8, data: &[u8], fault: usize) -> Ended {
    refused(bench, |plain| {
        let before = [code::ID_CLIENT, code::USAGE, code::CERTIFICATE, kind];
        let index = plain.inner.iter().position(|part| !before.contains(&part.code)).unwrap_or(plain.inner.len());
        plain.insert(index, Part::new(kind, data));
        Some((Cause::Value, plain.at(index).saturating_add(fault)))
    })
}

fn flip_last(plain: &mut Plain, code: u8) {
    let last = plain.part_mut(code).and_then(|part| part.data.last_mut());
    last.into_iter().for_each(|last| *last ^= 1);
}

/// The authentication fails: whatever the cause, the sense data are the same.
fn denied(bench: &mut Bench<'_, '_>, change: impl FnOnce(&mut Plain)) -> Ended {
    let pointer = bench.either(Pointer::List(28), Pointer::Absent);
    refused_with(bench, |plain, _| {
        change(plain);
        Some((Cause::Denied, pointer))
    })
}

/// Sends an authentication OUT with a changed AUTH.
fn fail(bench: &mut Bench<'_, '_>, exchange: &mut Exchange) -> Result<Seen, Stop> {
    let (suite, mut plain) = bench.plain_claim(exchange)?;
    flip_last(&mut plain, code::AUTHENTICATION);
    let list = exchange.seal(&suite, &plain);
    bench.authentication_out(FIRST, &list)
}

/// Up to 255 failures, the greatest bound that a byte can hold.
fn counted(bench: &mut Bench<'_, '_>) -> Ended {
    let mut exchange = bench.after(2)?;
    for failures in 1..=255 {
        let seen = fail(bench, &mut exchange)?;
        seen.refused(bench.profile(), &format!("failure {failures}"), Cause::Denied, Pointer::Any)?;
        if bench.key_exchange_in(FIRST)?.is(bench.profile(), Cause::Sequence) {
            let (suite, plain) = bench.plain_claim(&mut exchange)?;
            let list = exchange.seal(&suite, &plain);
            let seen = bench.authentication_out(FIRST, &list)?;
            return seen.refused(bench.profile(), "the honest message afterwards", Cause::NoSequence, Pointer::Any);
        }
    }
    Err(Stop::failed("an end of the sequence after some failures", "none after 255"))
}

/// Whether an older association lives on after an Initial Contact.
fn initial_contact(bench: &mut Bench<'_, '_>, is_honest: bool) -> Ended {
    let old = bench.established()?;
    let mut exchange = bench.after(2)?;
    let (suite, mut plain) = bench.plain_claim(&mut exchange)?;
    let index = plain.inner.len().saturating_sub(1);
    plain.insert(index, notify(&exchange));
    if !is_honest {
        flip_last(&mut plain, code::AUTHENTICATION);
    }
    let list = exchange.seal(&suite, &plain);
    let seen = bench.authentication_out(FIRST, &list)?;
    if is_honest {
        seen.good("the authentication OUT with an Initial Contact")?;
        bench.authentication_in(FIRST)?.good("the authentication IN")?;
    } else {
        seen.refused(bench.profile(), "a changed AUTH", Cause::Denied, Pointer::Any)?;
    }
    let delete = bench.delete_of(&old)?;
    let seen = bench.delete(FIRST, &delete)?;
    holds("the older association gone exactly when the authentication succeeded", seen.is_good() != is_honest, || {
        format!("its Delete: {seen}")
    })
}
