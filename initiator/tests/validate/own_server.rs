//! The crate's own device server: nothing is wrong with it, in either dialect, with several suites, and when it calculates
//! elsewhere.

use std::collections::BTreeSet;

use ikev2_scsi::{Profile, SenseCodes, SlowCrypto};

use crate::bench::{COMBINED, MANDATORY, NULL, ROW_2, SEPARATE, Suite, all_pass, in_process, validate};

/// What each suite cannot show; all of them together show everything.
fn run_all(profile: Profile, suites: &[(Suite, SlowCrypto)]) {
    let mut never: Option<BTreeSet<u16>> = None;
    for (suite, slow) in suites {
        let mut unit = in_process(profile, *slow);
        let mut clock = unit.clock();
        // What stands before the payloads, and the last group, which has suites of its own, are the same with each of these.
        let is_first = never.is_none();
        let reports =
            validate(profile, *suite, &mut unit, &mut clock, |number| is_first || (400..1400).contains(&number));
        let skipped = all_pass(suite.name, &reports);
        println!("{}: {} assertions, skipped {skipped:?}", suite.name, reports.len());
        never = Some(never.map_or(skipped.clone(), |never| never.intersection(&skipped).copied().collect()));
    }
    assert_eq!(never.unwrap(), BTreeSet::new(), "assertions that no suite can show");
}

#[test]
fn r3() {
    let inline = SlowCrypto::Inline;
    let suites =
        [(SEPARATE, inline), (COMBINED, inline), (NULL, inline), (MANDATORY, inline), (ROW_2, SlowCrypto::Offload)];
    run_all(Profile::R3, &suites);
}

#[test]
fn spc4() {
    let inline = SlowCrypto::Inline;
    let suites = [(SEPARATE, inline), (COMBINED, SlowCrypto::Offload), (MANDATORY, inline), (ROW_2, inline)];
    run_all(Profile::SPC4, &suites);
}

/// The codes that were assigned after r3, and the bits of RFC 4306.
#[test]
fn r3_as_hosts_know_it() {
    let profile =
        Profile { sense_codes: SenseCodes::Assigned, header_flags: ikev2_scsi::HeaderFlags::Rfc4306, ..Profile::R3 };
    let mut unit = in_process(profile, SlowCrypto::Inline).descriptor_sense(true);
    let mut clock = unit.clock();
    all_pass("assigned codes", &validate(profile, COMBINED, &mut unit, &mut clock, |number| number < 1400));
}
