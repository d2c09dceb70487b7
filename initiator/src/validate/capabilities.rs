//! The capabilities (r3 7.7.2.2, 7.7.4.11; SPC-4 7.7.2.3.2, 7.7.3.5.12, 5.14.4.5; readings R3, R5, R18, R19, Q1).

use ikev2_scsi::algorithm::{self, AlgorithmType};
use ikev2_scsi::wire::Descriptor;

use super::Assertion;
use super::bench::{Bench, Nexus};
use super::message::{CRIT, byte, field};
use super::outcome::{Ended, Stop, holds, same};

const FIRST: Nexus = Nexus::First;
const LIST: [&str; 2] = ["7.7.4.11", "7.7.3.5.12"];
/// Offset of the payload in the parameter data, and of the first descriptor.
const PAYLOAD_AT: usize = 4;
const DESCRIPTORS_AT: usize = 12;

pub(super) const ASSERTIONS: &[Assertion] = &[
    Assertion::new(201, "tells as PARAMETER DATA LENGTH what follows it", ["7.7.2.2", "7.7.2.3.2"], |bench| {
        let data = bench.capabilities(FIRST)?;
        let told = u32::from_be_bytes(field(&data, 0));
        same("PARAMETER DATA LENGTH", data.len().saturating_sub(4), usize::try_from(told).unwrap_or(0))
    }),
    Assertion::new(202, "ends the capabilities with their one payload: NEXT PAYLOAD zero", LIST, |bench| {
        let data = bench.capabilities(FIRST)?;
        same("NEXT PAYLOAD", 0, byte(&data, PAYLOAD_AT))
    }),
    Assertion::new(203, "sets CRIT to one in the capabilities payload", ["7.7.3.1.1", "7.7.3.5.1"], |bench| {
        let data = bench.capabilities(FIRST)?;
        same("CRIT", CRIT, byte(&data, 5) & CRIT)
    }),
    Assertion::new(
        204,
        "has a PAYLOAD LENGTH of 8 bytes and 12 for each descriptor counted",
        ["7.7.4.11 (R3)", "7.7.3.5.12 table 540 (Q1)"],
        |bench| {
            let data = bench.capabilities(FIRST)?;
            let told = usize::from(u16::from_be_bytes(field(&data, 6)));
            same("PAYLOAD LENGTH", data.len().saturating_sub(PAYLOAD_AT), told)?;
            let count = count(bench, &data);
            let expected = count.saturating_mul(12).saturating_add(8);
            same("PAYLOAD LENGTH by the number of descriptors", expected, told)
        },
    ),
    Assertion::new(205, "sends reserved bytes of the capabilities as zero", ["7.7.4.11 (R7)", "7.7.3.5.12"], reserved),
    Assertion::new(206, "gives every descriptor the length 12", ["7.7.4.11.1", "7.7.3.6.1"], |bench| {
        for descriptor in raw(&bench.capabilities(FIRST)?)? {
            let length = u16::from_be_bytes(field(&descriptor, 2));
            same("DESCRIPTOR LENGTH", 12, length)?;
        }
        Ok(())
    }),
    Assertion::new(207, "lists descriptors by type, identifier and key length, ascending", LIST, |bench| {
        let listed = listed(bench)?;
        let keys: Vec<_> = listed.iter().map(|d| (d.algorithm_type, d.identifier, d.key_length())).collect();
        holds("an ascending list", keys.is_sorted(), || format!("{keys:02X?}"))
    }),
    Assertion::new(208, "lists no descriptor twice", LIST, |bench| {
        let mut keys: Vec<_> =
            listed(bench)?.iter().map(|d| (d.algorithm_type, d.identifier, d.key_length())).collect();
        keys.sort_unstable();
        let before = keys.len();
        keys.dedup();
        same("number of different descriptors", before, keys.len())
    }),
    Assertion::new(209, "lists one algorithm of each type at least", LIST, |bench| {
        let listed = listed(bench)?;
        let types: &[u8] = bench.either(&[0x01, 0x02, 0x03, 0x04, 0xF9], &[0x01, 0x02, 0x03, 0x04, 0xF9, 0xFA]);
        for kind in types {
            let is_there = listed.iter().any(|d| d.algorithm_type == *kind);
            holds("each ALGORITHM TYPE", is_there, || format!("none of type {kind:02X}h"))?;
        }
        Ok(())
    }),
    Assertion::new(
        210,
        "lists no reserved or restricted ALGORITHM TYPE",
        ["7.7.4.11.1 Table K1 (R4)", "7.7.3.6.1"],
        |bench| {
            let profile = bench.profile();
            for descriptor in listed(bench)? {
                let kind = descriptor.algorithm_type;
                let is_known = algorithm::numbered_type(profile, kind).is_some();
                holds("types that are defined", is_known, || format!("type {kind:02X}h"))?;
            }
            Ok(())
        },
    ),
    Assertion::new(
        211,
        "lists what is mandatory: each algorithm of r3, one complete row of SPC-4 table 82",
        ["7.7.4.11.1.1 to 7.7.4.11.1.5, Tables K2 to K6", "5.14.4.5 table 82"],
        mandatory,
    ),
    Assertion::new(
        212,
        "lists no integrity algorithm exactly when it lists a combined mode",
        ["7.7.4.11.1 (R5)", "7.7.3.6.4 (S6)"],
        |bench| {
            let profile = bench.profile();
            let known: Vec<_> = listed(bench)?.iter().filter_map(|d| d.known(profile)).collect();
            let of_type = |kind: AlgorithmType| known.iter().filter(move |d| d.algorithm_type == kind.code());
            let is_combined = |d: &&Descriptor| COMBINED.contains(&d.identifier);
            let combined = of_type(AlgorithmType::Encryption).any(|d| is_combined(&d));
            let none = of_type(AlgorithmType::Integrity).any(|d| d.identifier == algorithm::INTEG_NONE);
            same("whether it is listed", combined, none)
        },
    ),
    Assertion::new(
        213,
        "lists only key lengths that the encryption algorithm has, and none with other algorithms",
        ["7.7.4.11.1.1 Table K2 (R9)", "7.7.3.6.2 table 547"],
        key_lengths,
    ),
    Assertion::new(
        214,
        "lists authentication by nobody with USE and ACCEPT, or in both directions, if at all",
        ["7.7.4.11.1.5 (R18, R19)", "7.7.3.6.6"],
        |bench| {
            let listed = listed(bench)?;
            let none = |kind: u8, identifier: u32| {
                listed.iter().find(|d| (d.algorithm_type, d.identifier) == (kind, identifier))
            };
            if bench.is_r3() {
                let Some(none) = none(0xF9, 0) else { return Ok(()) };
                return same("USE and ACCEPT of IKE_AUTH_NONE", (true, true), (none.may_use(), none.accept()));
            }
            let [out, into] = [0xF9, 0xFA].map(|kind| none(kind, 0x00F9_0000).is_some());
            same("SA_AUTH_NONE of the other direction", out, into)
        },
    ),
    Assertion::new(
        215,
        "sets USE or ACCEPT in every authentication descriptor, and no other attribute bit",
        ["7.7.4.11.1 Table K7 (R18)", ""],
        |bench| {
            for descriptor in listed(bench)?.iter().filter(|d| d.algorithm_type == 0xF9) {
                let [first, rest @ ..] = descriptor.attributes;
                let is_right = (descriptor.may_use() || descriptor.accept()) && rest == [0; 3] && first & !0x03 == 0;
                holds("USE or ACCEPT alone", is_right, || format!("{:02X?}", descriptor.to_bytes()))?;
            }
            Ok(())
        },
    ),
    Assertion::new(216, "returns the same capabilities twice", LIST, |bench| {
        let first = bench.capabilities(FIRST)?;
        same("the capabilities", first, bench.capabilities(FIRST)?)
    }),
    Assertion::new(
        217,
        "returns the capabilities whatever else is going on, and disturbs nothing by it",
        ["7.7.2.1", "7.7.2.1"],
        |bench| {
            let before = bench.capabilities(FIRST)?;
            for commands in 1..=4 {
                let mut exchange = bench.after(commands)?;
                let seen = bench.capabilities(FIRST)?;
                same("the capabilities in the midst of a sequence", &before, &seen)?;
                bench.finish(&mut exchange)?;
                bench.clean()?;
            }
            Ok(())
        },
    ),
];

const COMBINED: [u32; 3] = [
    algorithm::ENCR_AES_CCM_8.identifier,
    algorithm::ENCR_AES_CCM_16.identifier,
    algorithm::ENCR_AES_GCM_16.identifier,
];

/// NUMBER OF TRANSFORMS, in SPC-4 NUMBER OF ALGORITHM DESCRIPTORS.
fn count(bench: &Bench<'_, '_>, data: &[u8]) -> usize {
    usize::from(byte(data, bench.either(8, 11)))
}

fn raw(data: &[u8]) -> Result<Vec<[u8; 12]>, Stop> {
    let (each, rest) = data.get(DESCRIPTORS_AT..).unwrap_or_default().as_chunks::<12>();
    holds("whole descriptors", rest.is_empty(), || format!("{} bytes more", rest.len()))?;
    Ok(each.to_vec())
}

/// The descriptors that are listed.
pub(super) fn listed(bench: &mut Bench<'_, '_>) -> Result<Vec<Descriptor>, Stop> {
    let data = bench.capabilities(FIRST)?;
    Ok(raw(&data)?.iter().map(Descriptor::from_bytes).collect())
}

fn reserved(bench: &mut Bench<'_, '_>) -> Ended {
    let data = bench.capabilities(FIRST)?;
    same("reserved bits beside CRIT", 0, byte(&data, 5) & !CRIT)?;
    let around: [u8; 4] = field(&data, 8);
    let count_at = bench.either(0, 3);
    let others: Vec<u8> = around.iter().enumerate().filter(|(at, _)| *at != count_at).map(|(_, b)| *b).collect();
    same("reserved bytes beside the number of descriptors", vec![0; 3], others)?;
    for descriptor in raw(&data)? {
        let [kind, reserved, ..] = descriptor;
        same("the reserved byte of a descriptor", 0, reserved)?;
        let attributes: [u8; 4] = field(&descriptor, 8);
        let expected = match kind {
            0x01 => [0, 0, byte(&attributes, 2), byte(&attributes, 3)],
            0xF9 if bench.is_r3() => attributes,
            _ => [0; 4],
        };
        same("ALGORITHM ATTRIBUTES", expected, attributes)?;
    }
    Ok(())
}

/// SPC-4 table 82: type, identifier, key length. Not the crate's own table, which is what is judged.
const ROWS: [[(u8, u32, u16); 6]; 2] = [
    [
        (0x01, 0x8001_0014, 16),
        (0x02, 0x8002_0005, 0),
        (0x03, 0xF003_0001, 0),
        (0x04, 0x8004_000E, 0),
        (0xF9, 0x00F9_0001, 0),
        (0xFA, 0x00F9_0001, 0),
    ],
    [
        (0x01, 0x8001_000C, 32),
        (0x02, 0x8002_0007, 0),
        (0x03, 0x8003_000E, 0),
        (0x04, 0x8004_0015, 0),
        (0xF9, 0x00F9_000B, 0),
        (0xFA, 0x00F9_000B, 0),
    ],
];

fn mandatory(bench: &mut Bench<'_, '_>) -> Ended {
    let listed = listed(bench)?;
    let keys: Vec<_> = listed.iter().map(|d| (d.algorithm_type, d.identifier, d.key_length())).collect();
    if !bench.is_r3() {
        let is_complete = ROWS.iter().any(|row| row.iter().all(|wanted| keys.contains(wanted)));
        return holds("one complete row", is_complete, || format!("{keys:08X?}"));
    }
    for row in algorithm::TABLE.iter().filter(|row| row.mandatory) {
        let wanted = (row.algorithm_type.code(), row.identifier);
        let is_there = keys.iter().any(|(kind, identifier, _)| (*kind, *identifier) == wanted);
        holds("each mandatory algorithm", is_there, || format!("{} is not listed", row.name))?;
    }
    Ok(())
}

fn key_lengths(bench: &mut Bench<'_, '_>) -> Ended {
    let profile = bench.profile();
    for descriptor in listed(bench)? {
        let Some(number) = algorithm::numbered(profile, descriptor.algorithm_type, descriptor.identifier) else {
            continue;
        };
        if descriptor.algorithm_type != 0x01 {
            continue;
        }
        let length = descriptor.key_length();
        let is_right = number.row.encryption_sizes().is_none_or(|sizes| sizes.key_lengths.contains(&length));
        holds("a KEY LENGTH of the algorithm", is_right, || format!("{} with {length} bytes", number.name))?;
    }
    Ok(())
}
