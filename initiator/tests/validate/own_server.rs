//! The crate's own device server: nothing is wrong with it, in either dialect, with several suites, with certificates, and when it
//! calculates elsewhere.

use std::collections::BTreeSet;
use std::ops::Range;

use ikev2_scsi::{Profile, SenseCodes, SlowCrypto};

use crate::bench::{CERTIFIED, COMBINED, MANDATORY, NULL, ROW_2, SEPARATE, Suite, all_pass, in_process, validate};

/// A suite, who calculates, and the assertions for which they make a difference.
type Run = (Suite, SlowCrypto, Range<u16>);

const ALL: Range<u16> = 0..u16::MAX;
/// The last group has suites of its own.
const EXCHANGES: Range<u16> = 400..1400;
const KEY_EXCHANGES: Range<u16> = 400..700;
const AUTHENTICATIONS: Range<u16> = 800..1200;

/// What one suite cannot show, another one does: together they show everything.
fn run_all(profile: Profile, runs: &[Run]) {
    let mut shown = BTreeSet::new();
    let mut skipped = BTreeSet::new();
    for (suite, slow, range) in runs {
        let mut unit = in_process(profile, *slow, suite.has_certificates);
        let mut clock = unit.clock();
        let reports = validate(profile, *suite, &mut unit, &mut clock, |number| range.contains(&number));
        let not_shown = all_pass(suite.name, &reports);
        println!("{}: {} assertions, skipped {not_shown:?}", suite.name, reports.len());
        let numbers = reports.iter().map(|report| report.assertion.number);
        shown.extend(numbers.filter(|number| !not_shown.contains(number)));
        skipped.extend(not_shown);
    }
    assert!(shown.len() > 260, "{}", shown.len());
    let never: Vec<_> = skipped.difference(&shown).collect();
    assert!(never.is_empty(), "no suite shows {never:?}");
}

#[test]
fn r3() {
    run_all(
        Profile::R3,
        &[
            (SEPARATE, SlowCrypto::Inline, ALL),
            (COMBINED, SlowCrypto::Offload, EXCHANGES),
            (NULL, SlowCrypto::Inline, AUTHENTICATIONS),
            (MANDATORY, SlowCrypto::Inline, KEY_EXCHANGES),
            (ROW_2, SlowCrypto::Inline, KEY_EXCHANGES),
            (CERTIFIED, SlowCrypto::Inline, AUTHENTICATIONS),
        ],
    );
}

#[test]
fn spc4() {
    run_all(
        Profile::SPC4,
        &[
            (SEPARATE, SlowCrypto::Inline, ALL),
            (COMBINED, SlowCrypto::Offload, EXCHANGES),
            (MANDATORY, SlowCrypto::Inline, KEY_EXCHANGES),
            (ROW_2, SlowCrypto::Inline, KEY_EXCHANGES),
            (CERTIFIED, SlowCrypto::Inline, AUTHENTICATIONS),
        ],
    );
}

/// The codes that were assigned after r3, the bits of RFC 4306, and sense data in descriptor format.
#[test]
fn r3_as_hosts_know_it() {
    let profile =
        Profile { sense_codes: SenseCodes::Assigned, header_flags: ikev2_scsi::HeaderFlags::Rfc4306, ..Profile::R3 };
    let mut unit = in_process(profile, SlowCrypto::Inline, false).descriptor_sense(true);
    let mut clock = unit.clock();
    let reports = validate(profile, COMBINED, &mut unit, &mut clock, |number| number < 1400);
    assert!(reports.len() > 250);
    all_pass("assigned codes", &reports);
}
