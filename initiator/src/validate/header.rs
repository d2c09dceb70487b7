//! The header of a key exchange OUT, and the list as a whole (r3 7.7.3.1.1; SPC-4 7.7.3.4; readings R1, R2, R7, R8, R22, R27, R36,
//! R39, S5, Q18, Q21, Q25, Q26).

use ikev2_scsi::wire::{Cdb, Direction, protocol, specific};

use super::Assertion;
use super::bench::{Bench, Nexus, mask};
use super::message::{byte, code, part_of, put};
use super::outcome::{Cause, Ended, Pointer, same};

const FIRST: Nexus = Nexus::First;

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(301, "refuses an application client SAI of zero", ["7.7.3.1.1 (R2)", "7.7.3.4 (S5)"], |bench| {
        let at = bench.either(0, 4);
        edited(bench, 0, &[0; 8], Pointer::List(at))
    }),
    Assertion::new(302, "refuses the reserved application client SAIs 1 to 255", ["", "7.7.3.4 (S5, Q25)"], |bench| {
        edited(bench, 4, &1_u32.to_be_bytes(), Pointer::List(4))?;
        edited(bench, 4, &255_u32.to_be_bytes(), Pointer::List(4))
    }),
    Assertion::new(303, "refuses a device server SAI that is not zero", ["7.7.3.1.1 (R34)", ""], |bench| {
        edited(bench, 15, &[1], Pointer::List(8))?;
        edited(bench, 8, &[0x80], Pointer::List(8))
    }),
    Assertion::new(304, "ignores the device server SAI, which is reserved here", ["", "7.7.3.4 table 523"], |bench| {
        taken(bench, 8, &[0xFF; 8])
    }),
    Assertion::new(
        305,
        "ignores the restricted bytes beside the application client SAI",
        ["", "7.7.3.4 (Q26)"],
        |bench| taken(bench, 0, &[0xFF; 4]),
    ),
    Assertion::new(306, "refuses a MAJOR VERSION of 1", MAJOR, |bench| {
        edited(bench, 17, &[0x10], Pointer::ListBit(17, 7))
    }),
    Assertion::new(307, "refuses a MAJOR VERSION of 3", MAJOR, |bench| {
        edited(bench, 17, &[0x30], Pointer::ListBit(17, 7))
    }),
    Assertion::new(308, "ignores MINOR VERSION", ["7.7.3.1.1 (R7)", "7.7.3.4"], |bench| taken(bench, 17, &[0x2F])),
    Assertion::new(309, "refuses the EXCHANGE TYPE of another phase", ["7.7.3.1.1 (R7)", ""], |bench| {
        for other in [0xF1, 0xF3, 0xF4, 0x22, 0x00] {
            edited(bench, 18, &[other], Pointer::List(18))?;
        }
        Ok(())
    }),
    Assertion::new(310, "ignores EXCHANGE TYPE, which is reserved", ["", "7.7.3.4 (Q21)"], |bench| {
        taken(bench, 18, &[0xF3])
    }),
    Assertion::new(311, "refuses INTTR set to zero", ["7.7.3.1.1 (R1)", "7.7.3.4"], |bench| {
        let (initiator, ..) = bench.flag_bits();
        edited(bench, 19, &[0], Pointer::ListBit(19, initiator))
    }),
    Assertion::new(312, "refuses RSPNS set to one", ["7.7.3.1.1 (R34)", "7.7.3.4"], |bench| {
        let (initiator, _, response) = bench.flag_bits();
        edited(bench, 19, &[mask(initiator) | mask(response)], Pointer::ListBit(19, response))
    }),
    Assertion::new(313, "ignores the VERSION bit", ["7.7.3.1.1 (R1, R7)", "7.7.3.4"], |bench| {
        let (initiator, version, _) = bench.flag_bits();
        taken(bench, 19, &[mask(initiator) | mask(version)])
    }),
    Assertion::new(314, "ignores the reserved bits beside the flags", ["7.7.3.1.1 (R7)", "7.7.3.4"], |bench| {
        let (initiator, _, response) = bench.flag_bits();
        taken(bench, 19, &[!mask(response) | mask(initiator)])
    }),
    Assertion::new(315, "refuses a MESSAGE ID other than zero", ["7.7.3.1.1 (R27)", "7.7.3.4 (Q27)"], |bench| {
        for id in [1_u32, 2, 0x0001_0000, u32::MAX] {
            edited(bench, 20, &id.to_be_bytes(), Pointer::List(20))?;
        }
        Ok(())
    }),
    Assertion::new(316, "refuses a LENGTH other than what is transferred", LENGTH, |bench| {
        let (_, message) = bench.ready()?;
        let length = u32::try_from(message.bytes().len()).unwrap_or(0);
        for wrong in [0, 28, length.saturating_sub(1), length.saturating_add(1), u32::MAX] {
            let mut list = message.bytes();
            put(&mut list, 24, &wrong.to_be_bytes());
            let seen = bench.key_exchange_out(FIRST, &list)?;
            seen.refused(
                bench.profile(),
                &format!("LENGTH {wrong} for {length} bytes"),
                Cause::Value,
                Pointer::List(24),
            )?;
        }
        Ok(())
    }),
    Assertion::new(317, "refuses a list that is cut off at the end", LENGTH, |bench| {
        let (_, message) = bench.ready()?;
        let list = message.bytes();
        for length in [28, 60, list.len().saturating_sub(1)] {
            let seen = bench.key_exchange_out(FIRST, part_of(&list, 0, length))?;
            seen.refused(bench.profile(), &format!("the first {length} bytes"), Cause::Value, Pointer::List(24))?;
        }
        Ok(())
    }),
    Assertion::new(318, "refuses bytes behind the last payload", ["7.7.3.1.1 (R8)", "7.7.3.4"], |bench| {
        let (_, message) = bench.ready()?;
        let mut list = message.bytes();
        let ended_at = message.ended_at();
        list.extend([0; 4]);
        super::message::write_length(&mut list);
        let seen = bench.key_exchange_out(FIRST, &list)?;
        seen.refused(bench.profile(), "four bytes more", Cause::Value, Pointer::List(ended_at))
    }),
    Assertion::new(319, "refuses a header alone", ["5.13.4.3.2 (R34, R39)", "5.14.4.6.2"], |bench| {
        let (_, mut message) = bench.ready()?;
        message.parts.clear();
        let seen = bench.key_exchange_out(FIRST, &message.bytes())?;
        seen.refused(bench.profile(), "no payload", Cause::Incomplete, Pointer::List(16))
    }),
    Assertion::new(
        320,
        "begins nothing by a key exchange OUT that it refuses",
        ["5.13.4.6 (R23)", "7.7.3.8.3, table 83"],
        begins_nothing,
    ),
    Assertion::new(
        321,
        "keeps what a complete sequence can have repeated when it refuses a key exchange OUT",
        ["5.13.4.6 (R26)", "7.7.3.7, 7.7.3.8.3 (S9)"],
        |bench| {
            let exchange = bench.established()?;
            let (_, mut message) = bench.ready()?;
            put(&mut message.header, 17, &[0x30]);
            let seen = bench.key_exchange_out(FIRST, &message.bytes())?;
            seen.refused(bench.profile(), "MAJOR VERSION 3", Cause::Value, Pointer::ListBit(17, 7))?;
            let again = bench.authentication_in(FIRST)?;
            again.good("the authentication IN again")?;
            same("the authentication IN", &exchange.proof, &again.data)
        },
    ),
    Assertion::new(
        322,
        "refuses a list of which less arrives than TRANSFER LENGTH says",
        ["7.7.3.1.1 (R39)", "7.7.3.4 (Q18)"],
        |bench| {
            let (_, message) = bench.ready()?;
            let list = message.bytes();
            let length = u32::try_from(list.len()).unwrap_or(0).saturating_add(4);
            let cdb = Cdb::new(Direction::Out, protocol::IKEV2_SCSI, specific::KEY_EXCHANGE, length).to_bytes();
            // Zeros are what a transport fills up with.
            let padded = [list.as_slice(), &[0; 4]].concat();
            let seen = bench.send(FIRST, &cdb, &padded, 0)?;
            seen.refused(bench.profile(), "TRANSFER LENGTH above LENGTH", Cause::Value, Pointer::List(24))
        },
    ),
];

const MAJOR: [&str; 2] = ["7.7.3.1.1 (R22)", "7.7.3.4"];
const LENGTH: [&str; 2] = ["7.7.3.1.1 (R8)", "7.7.3.4 (Q18)"];

/// An honest key exchange OUT with a few bytes changed is refused at the pointer.
pub(super) fn edited(bench: &mut Bench<'_, '_>, at: usize, bytes: &[u8], pointer: Pointer) -> Ended {
    let (_, message) = bench.ready()?;
    let mut list = message.bytes();
    put(&mut list, at, bytes);
    let seen = bench.key_exchange_out(FIRST, &list)?;
    seen.refused(bench.profile(), &format!("bytes {at} and on {bytes:02X?}"), Cause::Value, pointer)
}

/// It is taken.
pub(super) fn taken(bench: &mut Bench<'_, '_>, at: usize, bytes: &[u8]) -> Ended {
    let (_, message) = bench.ready()?;
    let mut list = message.bytes();
    put(&mut list, at, bytes);
    let seen = bench.key_exchange_out(FIRST, &list)?;
    seen.good(&format!("bytes {at} and on {bytes:02X?}"))
}

fn begins_nothing(bench: &mut Bench<'_, '_>) -> Ended {
    let (_, message) = bench.ready()?;
    let list = message.bytes();
    let nonce_at = message.at_code(code::NONCE);
    let public_at = message.at_code(code::KEY_EXCHANGE);
    let wrong_length = byte(&list, nonce_at.saturating_add(3)).wrapping_add(1);
    let faults = [
        (0, vec![0; 8]),
        (17, vec![0x30]),
        (20, vec![1; 4]),
        (24, vec![0; 4]),
        (public_at.saturating_add(4), vec![0xFF, 0xFF]),
        (nonce_at.saturating_add(3), vec![wrong_length]),
    ];
    for (at, bytes) in faults {
        let mut list = list.clone();
        put(&mut list, at, &bytes);
        let seen = bench.key_exchange_out(FIRST, &list)?;
        seen.refused(bench.profile(), &format!("bytes {at} and on {bytes:02X?}"), Cause::Value, Pointer::Any)?;
        bench.is_idle(FIRST, "after a refused key exchange OUT")?;
    }
    let mut exchange = bench.after(0)?;
    bench.finish(&mut exchange)
}
