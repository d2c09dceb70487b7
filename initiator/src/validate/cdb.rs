//! Command descriptor blocks (r3 6.29, 6.30, Tables A0, A1, D1; SPC-4 7.7.1 to 7.7.3; readings R7, R35, R36).

use ikev2_scsi::wire::{Cdb, Direction, protocol, specific};

use super::Assertion;
use super::bench::{Bench, Nexus, ROOM};
use super::message::{field, part_of, put};
use super::outcome::{Cause, Ended, Pointer, Stop, holds, same};

const FIRST: Nexus = Nexus::First;
const SERVED: [&str; 2] = ["6.29, 6.30 (R35)", "7.7.1"];
const TABLES: [&str; 2] = ["7.7.2.1a, 7.7.3.0b, 7.7.6.2 (R35)", "7.7.2, 7.7.3"];

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(101, "lists security protocols 40h and 41h under protocol 00h, ascending", SERVED, listed),
    Assertion::new(
        102,
        "refuses SECURITY PROTOCOL IN of a protocol that it does not list, at byte 1",
        SERVED,
        |bench| {
            let supported = supported(bench)?;
            let other = (0x42..0xE0).find(|code| !supported.contains(code)).unwrap_or(0x42);
            refused(bench, Direction::In, other, 0x0101, Pointer::Cdb(1))
        },
    ),
    Assertion::new(103, "refuses SECURITY PROTOCOL OUT of protocol 40h, at byte 1", SERVED, |bench| {
        refused(bench, Direction::Out, protocol::SA_CREATION_CAPABILITIES, 0x0101, Pointer::Cdb(1))
    }),
    Assertion::new(104, "refuses SECURITY PROTOCOL OUT of protocol 00h, at byte 1", SERVED, |bench| {
        refused(bench, Direction::Out, protocol::INFORMATION, 0, Pointer::Cdb(1))
    }),
    Assertion::new(105, "refuses every other SPECIFIC of protocol 40h, at byte 2", TABLES, |bench| {
        for specific in [0x0001, 0x0100, 0x0102, 0x0103, 0x0201, 0xFF01] {
            refused(bench, Direction::In, protocol::SA_CREATION_CAPABILITIES, specific, Pointer::Cdb(2))?;
        }
        Ok(())
    }),
    Assertion::new(106, "refuses every other SPECIFIC of protocol 41h IN, at byte 2", TABLES, |bench| {
        for specific in [0x0000, 0x0100, 0x0101, 0x0105, 0x0202, 0xFF02] {
            refused(bench, Direction::In, protocol::IKEV2_SCSI, specific, Pointer::Cdb(2))?;
        }
        Ok(())
    }),
    Assertion::new(
        107,
        "has no answer to a Delete: SECURITY PROTOCOL IN of SPECIFIC 0104h is refused",
        ["5.13.5, 7.7.3.0b (R31, R35)", "7.7.3.2"],
        |bench| refused(bench, Direction::In, protocol::IKEV2_SCSI, specific::DELETE, Pointer::Cdb(2)),
    ),
    Assertion::new(108, "refuses every other SPECIFIC of protocol 41h OUT, at byte 2", TABLES, |bench| {
        for specific in [0x0000, 0x0100, 0x0101, 0x0105, 0x0202, 0xFF02] {
            refused(bench, Direction::Out, protocol::IKEV2_SCSI, specific, Pointer::Cdb(2))?;
        }
        Ok(())
    }),
    Assertion::new(109, "refuses INC_512 in a read of the capabilities", INC_512, |bench| {
        inc_512(bench, Direction::In, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES)
    }),
    Assertion::new(110, "refuses INC_512 in a key exchange OUT", INC_512, |bench| {
        inc_512(bench, Direction::Out, protocol::IKEV2_SCSI, specific::KEY_EXCHANGE)
    }),
    Assertion::new(111, "refuses INC_512 in an authentication IN", INC_512, |bench| {
        inc_512(bench, Direction::In, protocol::IKEV2_SCSI, specific::AUTHENTICATION)
    }),
    Assertion::new(112, "ignores reserved bits and bytes of the CDB", ["6.29 (R7)", "3.5"], |bench| {
        let cdb = capabilities_cdb(ROOM);
        let whole = bench.send(FIRST, &cdb, &[], 16_384)?;
        for (at, value) in [(4, 0x7F), (5, 0xFF), (10, 0xFF)] {
            let mut changed = cdb;
            put(&mut changed, at, &[value]);
            let seen = bench.send(FIRST, &changed, &[], 16_384)?;
            seen.good(&format!("the capabilities, with reserved bits of CDB byte {at} set"))?;
            same("Data-In", &whole.data, &seen.data)?;
        }
        Ok(())
    }),
    Assertion::new(113, "cuts the capabilities at the ALLOCATION LENGTH, without error", ALLOCATION, |bench| {
        let whole = bench.capabilities(FIRST)?;
        for length in [1, 4, 12, 20, whole.len().saturating_sub(1)] {
            let cdb = capabilities_cdb(u32::try_from(length).unwrap_or(0));
            let seen = bench.send(FIRST, &cdb, &[], 16_384)?;
            seen.good(&format!("an ALLOCATION LENGTH of {length}"))?;
            same("Data-In", part_of(&whole, 0, length), &seen.data)?;
        }
        Ok(())
    }),
    Assertion::new(114, "takes an ALLOCATION LENGTH of zero, and returns nothing", ALLOCATION, |bench| {
        let seen = bench.send(FIRST, &capabilities_cdb(0), &[], 0)?;
        seen.good("an ALLOCATION LENGTH of zero")?;
        same("bytes of Data-In", 0, seen.data.len())
    }),
    Assertion::new(
        115,
        "takes a TRANSFER LENGTH of 16 384: what is wrong is the list, not the CDB",
        ["5.13.6 b, 7.7.6.2 (R36)", "7.7.3.3"],
        |bench| {
            let seen = bench.key_exchange_out(FIRST, &vec![0; 16_384])?;
            seen.refused(bench.profile(), "16 384 zeros", Cause::Value, Pointer::Any)
        },
    ),
    Assertion::new(
        116,
        "lists the formats of the capabilities under SPECIFIC 0000h: header, count, 0101h",
        ["", "7.7.2.2, 7.7.2.3.1"],
        |bench| {
            let seen = bench.read(FIRST, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITY_FORMATS, 64)?;
            seen.good("the formats")?;
            let told = u32::from_be_bytes(field(&seen.data, 0));
            let follows = u32::try_from(seen.data.len().saturating_sub(4)).unwrap_or(0);
            same("PARAMETER DATA LENGTH", follows, told)?;
            let formats = seen.data.get(4..).unwrap_or_default();
            holds("a list that names 0101h", formats.windows(2).any(|two| two == [1, 1]), || format!("{formats:02X?}"))
        },
    ),
    Assertion::new(117, "refuses SPECIFIC 0000h of protocol 40h, which r3 reserves", ["7.7.2.1a (R35)", ""], |bench| {
        refused(bench, Direction::In, protocol::SA_CREATION_CAPABILITIES, 0, Pointer::Cdb(2))
    }),
    Assertion::new(118, "refuses a key exchange OUT whose list is shorter than a header", SHORT, |bench| {
        let pointer = bench.either(Pointer::Cdb(6), Pointer::List(24));
        for length in [0, 1, 16, 27] {
            let seen = bench.key_exchange_out(FIRST, &vec![0xEE; length])?;
            seen.refused(bench.profile(), &format!("a list of {length} bytes"), Cause::Value, pointer)?;
        }
        Ok(())
    }),
    Assertion::new(
        119,
        "tells a wrong CDB of protocol 41h from a wrong turn while a sequence runs",
        ["7.7.3.0b (R35)", "7.7.3.7 table 556"],
        |bench| {
            let mut exchange = bench.after(1)?;
            let cause = bench.either(Cause::Cdb, Cause::Busy);
            let pointer = bench.either(Pointer::Cdb(2), Pointer::Any);
            let seen = bench.read(FIRST, protocol::IKEV2_SCSI, specific::DELETE, 512)?;
            seen.refused(bench.profile(), "SPECIFIC 0104h IN while a sequence runs", cause, pointer)?;
            bench.finish(&mut exchange)
        },
    ),
];

const INC_512: [&str; 2] = ["7.7.2.1a, 7.7.3.0b (R35)", "7.7.3.2, 7.7.3.3"];
const ALLOCATION: [&str; 2] = ["5.13.6 a, 7.7.3.0b (R35)", "7.7.2.1"];
const SHORT: [&str; 2] = ["7.7.5 (R36, R39)", "7.7.3.8 (Q18)"];

fn capabilities_cdb(length: u32) -> [u8; 12] {
    Cdb::new(Direction::In, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES, length).to_bytes()
}

fn supported(bench: &mut Bench<'_, '_>) -> Result<Vec<u8>, Stop> {
    let seen = bench.read(FIRST, protocol::INFORMATION, specific::SUPPORTED_LIST, 512)?;
    seen.good("the supported security protocol list")?;
    let length = usize::from(u16::from_be_bytes(field(&seen.data, 6)));
    Ok(part_of(&seen.data, 8, length.saturating_add(8)).to_vec())
}

fn listed(bench: &mut Bench<'_, '_>) -> Ended {
    let list = supported(bench)?;
    let has_both = [0x40, 0x41].iter().all(|code| list.contains(code));
    holds("40h and 41h among others, ascending", has_both && list.is_sorted(), || format!("{list:02X?}"))
}

fn refused(bench: &mut Bench<'_, '_>, direction: Direction, protocol: u8, specific: u16, pointer: Pointer) -> Ended {
    let cdb = Cdb::new(direction, protocol, specific, 0).to_bytes();
    let seen = bench.send(FIRST, &cdb, &[], 0)?;
    seen.refused(bench.profile(), &format!("protocol {protocol:02X}h, SPECIFIC {specific:04X}h"), Cause::Cdb, pointer)
}

fn inc_512(bench: &mut Bench<'_, '_>, direction: Direction, protocol: u8, specific: u16) -> Ended {
    let cdb = Cdb { inc_512: true, ..Cdb::new(direction, protocol, specific, 0) }.to_bytes();
    let seen = bench.send(FIRST, &cdb, &[], 0)?;
    seen.refused(bench.profile(), "INC_512 set to one", Cause::Cdb, Pointer::CdbBit(4, 7))
}
