//! Text, JUnit XML, exit statuses, the table in VALIDATOR.md, and the program.

use std::process::{Command, Output};

use ikev2_scsi::{Dialect, Profile, SlowCrypto};
use ikev2_scsi_initiator::validate::{Report, Stop, Totals, assertions, junit, markdown};

use crate::bench::{COMBINED, in_process, validate};

const PAGE: &str = include_str!("../../VALIDATOR.md");

#[test]
fn the_page_has_the_table_of_the_code() {
    let (begin, end) = ("<!-- ikev2-scsi-validate --list: begin -->", "<!-- ikev2-scsi-validate --list: end -->");
    let table = PAGE.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|(table, _)| table.trim());
    assert_eq!(table.unwrap(), markdown().trim(), "write the output of --list into VALIDATOR.md");
    let [r3, spc4] = [Dialect::R3, Dialect::Spc4]
        .map(|dialect| assertions().filter(|assertion| assertion.clause(dialect).is_some()).count());
    let all = assertions().count();
    let told = format!("{all} assertions: {r3} of r3, {spc4} of SPC-4");
    assert!(PAGE.contains(&told), "the page should say: {told}");
}

#[test]
fn numbers_ascend_and_every_assertion_has_a_clause() {
    let numbers: Vec<u16> = assertions().map(|assertion| assertion.number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    for assertion in assertions() {
        assert!(!(assertion.r3.is_empty() && assertion.spc4.is_empty()), "{assertion:?}");
        assert!(assertion.title.chars().next().unwrap().is_lowercase() && !assertion.title.ends_with('.'));
    }
}

fn one(stop: Option<Stop>) -> Report {
    let assertion = assertions().next().unwrap();
    Report { assertion, clause: "6.29 <&>", stop, took: std::time::Duration::from_millis(1500) }
}

fn failed() -> Stop {
    Stop::Failed { expected: "GOOD & <more>".into(), seen: "\"nothing\"\u{7}".into() }
}

#[test]
fn junit_has_every_outcome_and_no_raw_markup() {
    let reports = [one(None), one(Some(failed())), one(Some(Stop::Skipped("no & why".into()))), {
        one(Some(Stop::Broken("gone".into())))
    }];
    let text = junit("a<b", &reports);
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"a&lt;b\" tests=\"4\" "));
    assert!(text.contains("failures=\"1\" errors=\"1\" skipped=\"1\" time=\"6.000\""), "{text}");
    assert!(text.contains("<failure message=\"&quot;nothing&quot;?\">expected: GOOD &amp; &lt;more&gt;; seen: "));
    assert!(text.contains("<skipped message=\"no &amp; why\"/>") && text.contains("<error message=\"gone\"/>"));
    assert_eq!(text.matches("<testcase classname=\"6.29 &lt;&amp;&gt;\" name=\"A101 ").count(), 4);
    let opened = ["testsuite", "testcase", "failure"].map(|tag| text.matches(&format!("<{tag} ")).count());
    let closed = ["testsuite", "testcase", "failure"].map(|tag| text.matches(&format!("</{tag}>")).count());
    assert_eq!((opened, closed), ([1, 4, 1], [1, 3, 1]), "one test case closes itself");
}

#[test]
fn the_exit_status_tells() {
    let status = |stops: Vec<Option<Stop>>| Totals::of(&stops.into_iter().map(one).collect::<Vec<_>>()).exit_status();
    let skipped = || Some(Stop::Skipped("why".into()));
    let broken = || Some(Stop::Broken("why".into()));
    assert_eq!(status(vec![None, None]), 0);
    assert_eq!(status(vec![None, skipped()]), 0);
    assert_eq!(status(vec![None, Some(failed())]), 1);
    assert_eq!(status(vec![Some(failed()), broken()]), 1);
    assert_eq!(status(vec![None, broken()]), 1);
    assert_eq!(status(vec![skipped(), broken()]), 2);
    assert_eq!(status(vec![]), 2);
}

/// Nothing is left at the device server when the run has ended.
#[test]
fn what_was_made_is_removed() {
    let mut unit = in_process(Profile::R3, SlowCrypto::Inline, false);
    let mut clock = unit.clock();
    // 717 makes two associations and deletes them, 801 leaves one behind, 505 a sequence.
    let reports = validate(Profile::R3, COMBINED, &mut unit, &mut clock, |number| [505, 717, 801].contains(&number));
    assert!(reports.iter().all(Report::has_passed));
    assert_eq!(unit.associations(), 0);
}

fn program(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ikev2-scsi-validate")).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn the_program_validates_in_process() {
    let file = std::env::temp_dir().join(format!("ikev2-scsi-validate-{}.xml", std::process::id()));
    let path = file.to_str().unwrap();
    for dialect in ["r3", "spc4"] {
        let only = "A1xx,A2xx,A801,A1101";
        let (output, text) =
            program(&["--in-process", "--dialect", dialect, "--only", only, "--verbose", "--junit", path]);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("ok   A101 ") && text.contains(" 0 failed, 0 skipped, 0 could not be run\n"), "{text}");
        let document = std::fs::read_to_string(&file).unwrap();
        assert_eq!(document.matches("<testcase ").count(), text.matches("\nok ").count() + 1);
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn the_program_reads_provisioning_files() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../emulators/provisioning/examples");
    for (dialect, expected) in [("r3", 0), ("spc4", 1)] {
        let [server, client] = ["server", "client"].map(|side| format!("{examples}/{dialect}-{side}.toml"));
        let files = ["--in-process", "--device-server", &server, "--provisioning", &client, "--only", "A211,A801"];
        let (output, text) = program(&files);
        // The SPC-4 example has shared keys only, and says that it waives the complete row.
        assert_eq!(output.status.code(), Some(expected), "{text}");
        assert_eq!(text.contains("FAIL A211 "), expected == 1, "{text}");
        assert!(!text.contains("A801"), "{text}");
    }
}

#[test]
fn the_program_says_what_it_cannot_do() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "a target or --in-process is wanted"),
        (&["--in-process", "/dev/nothing"], "and not both"),
        (&["/dev/nothing"], "--provisioning is wanted"),
        (&["--in-process", "--only", "B7"], "B7: an assertion is written A101"),
        (&["--in-process", "--only", "A1"], "there is no assertion"),
        (&["--in-process", "--dialect", "spc5"], "--dialect spc5: r3 or spc4"),
    ];
    for (arguments, why) in cases {
        let (output, _) = program(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told.contains(why), "{arguments:?}: {told}");
    }
    assert_eq!(program(&["--list"]).1, markdown());
    assert!(program(&["--help"]).1.starts_with("ikev2-scsi-validate TARGET --provisioning FILE"));
}
