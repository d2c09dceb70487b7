//! The tables in the documentation of `ccs::table`, read and compared cell by cell with the function.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test may panic")]

#[path = "support/documented.rs"]
mod documented;

use documented::table;
use ikev2_scsi::ccs::table::{Phase, Step, Verdict, decide};
use ikev2_scsi::dialect::Dialect;

/// Columns, as the table names them, in its order.
const PHASES: [(&str, Phase); 6] = [
    ("idle", Phase::Idle),
    ("key exchange OUT", Phase::KeyExchangeOut),
    ("key exchange IN", Phase::KeyExchangeIn),
    ("authentication OUT", Phase::AuthenticationOut),
    ("complete", Phase::Complete),
    ("complete, unauthenticated", Phase::CompleteUnauthenticated),
];

/// Rows, as the table names them, in its order.
const STEPS: [(&str, Step); 8] = [
    ("key exchange OUT", Step::KeyExchangeOut),
    ("key exchange IN", Step::KeyExchangeIn),
    ("authentication OUT", Step::AuthenticationOut),
    ("authentication OUT*", Step::ForeignAuthenticationOut),
    ("authentication IN", Step::AuthenticationIn),
    ("delete", Step::Delete),
    ("delete*", Step::ForeignDelete),
    ("invalid field", Step::InvalidField),
];

fn verdict(cell: &str) -> Verdict {
    match cell {
        "process" => Verdict::Process,
        "repeat" => Verdict::Repeat,
        "in progress" => Verdict::InProgress,
        "sequence" => Verdict::InvalidSequence,
        "value" => Verdict::InvalidValue,
        "none" => Verdict::NoneAnywhere,
        "no such" => Verdict::NoSequence,
        "field" => Verdict::InvalidField,
        other => panic!("no verdict: {other}"),
    }
}

/// Fails to compile when a phase or a step is added, so that the lists above are not forgotten.
const fn is_listed(phase: Phase, step: Step) {
    match phase {
        Phase::Idle
        | Phase::KeyExchangeOut
        | Phase::KeyExchangeIn
        | Phase::AuthenticationOut
        | Phase::Complete
        | Phase::CompleteUnauthenticated => {}
    }
    match step {
        Step::KeyExchangeOut
        | Step::KeyExchangeIn
        | Step::AuthenticationOut
        | Step::ForeignAuthenticationOut
        | Step::AuthenticationIn
        | Step::Delete
        | Step::ForeignDelete
        | Step::InvalidField => {}
    }
}

fn compare(dialect: Dialect) {
    let rows = table(dialect == Dialect::Spc4);
    let (heading, rows) = rows.split_first().unwrap();
    let (ruler, rows) = rows.split_first().unwrap();
    assert!(ruler.iter().all(|cell| cell.chars().all(|c| c == '-')));
    assert_eq!(heading.split_first().unwrap().1, PHASES.map(|(name, _)| name));
    let steps: Vec<&str> = rows.iter().map(|row| *row.first().unwrap()).collect();
    assert_eq!(steps, STEPS.map(|(name, _)| name));
    let mut compared = 0;
    for (row, (step_name, step)) in rows.iter().zip(STEPS) {
        let (_, cells) = row.split_first().unwrap();
        assert_eq!(cells.len(), PHASES.len(), "{step_name}");
        for (cell, (phase_name, phase)) in cells.iter().zip(PHASES) {
            is_listed(phase, step);
            assert_eq!(decide(dialect, phase, step), verdict(cell), "{step_name} after {phase_name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 48);
}

#[test]
fn the_documented_table_is_the_code() {
    compare(Dialect::R3);
}

/// SPC-4 table 556: its rows and columns, beside what it leaves out (readings S2, S10).
#[test]
fn the_documented_table_of_spc4_is_the_code() {
    compare(Dialect::Spc4);
}
