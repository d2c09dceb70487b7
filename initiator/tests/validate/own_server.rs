//! The crate's own device server: nothing is wrong with it, in either dialect, with several suites, and when it calculates
//! elsewhere.

use std::collections::BTreeSet;

use ikev2_scsi::{Profile, SenseCodes, SlowCrypto};
use ikev2_scsi_initiator::validate::Report;

use crate::bench::{COMBINED, MANDATORY, NULL, ROW_2, SEPARATE, Suite, all_pass, in_process, validate};

/// What each suite cannot show; all of them together show everything.
fn run_all(profile: Profile, suites: &[(Suite, SlowCrypto)], numbers: &[u16]) -> Vec<Report> {
    let mut never: Option<BTreeSet<u16>> = None;
    let mut last = Vec::new();
    for (suite, slow) in suites {
        let mut unit = in_process(profile, *slow);
        let mut clock = unit.clock();
        let reports = validate(profile, *suite, &mut unit, &mut clock, numbers);
        let skipped = all_pass(suite.name, &reports);
        println!("{}: {} assertions, skipped {skipped:?}", suite.name, reports.len());
        never = Some(never.map_or(skipped.clone(), |never| never.intersection(&skipped).copied().collect()));
        last = reports;
    }
    assert_eq!(never.unwrap(), BTreeSet::new(), "assertions that no suite can show");
    last
}

#[test]
fn r3() {
    let inline = SlowCrypto::Inline;
    let suites =
        [(SEPARATE, inline), (COMBINED, inline), (NULL, inline), (MANDATORY, inline), (ROW_2, SlowCrypto::Offload)];
    run_all(Profile::R3, &suites, &[]);
}

#[test]
fn spc4() {
    let inline = SlowCrypto::Inline;
    let suites = [(SEPARATE, inline), (COMBINED, SlowCrypto::Offload), (MANDATORY, inline), (ROW_2, inline)];
    run_all(Profile::SPC4, &suites, &[]);
}

/// The codes that were assigned after r3, and the bits of RFC 4306.
#[test]
fn r3_as_hosts_know_it() {
    let profile =
        Profile { sense_codes: SenseCodes::Assigned, header_flags: ikev2_scsi::HeaderFlags::Rfc4306, ..Profile::R3 };
    let mut unit = in_process(profile, SlowCrypto::Inline).descriptor_sense(true);
    let mut clock = unit.clock();
    all_pass("assigned codes", &validate(profile, COMBINED, &mut unit, &mut clock, &[]));
}
