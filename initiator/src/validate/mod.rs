//! Numbered assertions about a device server, run against whatever a [`Transport`](crate::Transport) leads to.
//!
//! Each assertion is a rule of T10/06-449r3 ("r3") or of SPC-4 that an initiator can observe. [`run`] runs them one after another,
//! each on exchanges of its own, and cleans up behind it; a [`Report`] says of each what was expected, what was seen, and by which
//! clause. Readings (R1, S1, Q1) are those of `ikev2_scsi::guide`.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `bench`, `exchange`, `message` | raw commands, honest exchanges, messages with one thing changed |
//! | `outcome`, `report` | what is expected and seen; text and JUnit XML |
//! | `cdb`, `capabilities`, `header`, `payloads`, `selection`, `key_exchange_in`, `turns`, `claim`, `inner`, `proof`, `delete`, `nexuses`, `time`, `suites` | the assertions |
//!
//! What cannot be observed is not here: what an association's user does with its keys, what a device server logs.
//!
//! The device server under test is changed only by associations, which are deleted again, and by sequences, which are ended; an
//! Initial Contact also deletes older associations of the same identity.

mod bench;
mod capabilities;
mod cdb;
mod claim;
mod delete;
mod exchange;
mod header;
mod inner;
mod key_exchange_in;
mod message;
mod modp;
mod nexuses;
mod outcome;
mod payloads;
mod proof;
mod report;
mod selection;
mod suites;
mod time;
mod turns;

pub use bench::{Clock, RealTime, Subject};
pub use outcome::Stop;
pub use report::{Report, Totals, junit};

use ikev2_scsi::Dialect;

use bench::Bench;
use outcome::{Ended, Pointer};

/// One rule that an initiator can observe.
#[derive(Clone, Copy)]
pub struct Assertion {
    /// Its number: hundreds are groups.
    pub number: u16,
    /// What a device server does.
    pub title: &'static str,
    /// The clause of r3, with readings; empty where r3 has no such rule.
    pub r3: &'static str,
    /// The clause of SPC-4, with readings and questions; empty where SPC-4 has no such rule.
    pub spc4: &'static str,
    run: fn(&mut Bench<'_, '_>) -> Ended,
}

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "A{} {}", self.number, self.title)
    }
}

impl Assertion {
    const fn new(
        number: u16,
        title: &'static str,
        [r3, spc4]: [&'static str; 2],
        run: fn(&mut Bench<'_, '_>) -> Ended,
    ) -> Self {
        Self { number, title, r3, spc4, run }
    }

    /// The clause in a dialect; `None` where it has no such rule.
    #[must_use]
    pub const fn clause(&self, dialect: Dialect) -> Option<&'static str> {
        let clause = match dialect {
            Dialect::R3 => self.r3,
            _ => self.spc4,
        };
        if clause.is_empty() { None } else { Some(clause) }
    }
}

/// All assertions with the name of their group.
const GROUPS: [(&str, &[Assertion]); 14] = [
    ("Command descriptor blocks", cdb::ASSERTIONS),
    ("Capabilities", capabilities::ASSERTIONS),
    ("Key exchange OUT: header and list", header::ASSERTIONS),
    ("Key exchange OUT: payloads", payloads::ASSERTIONS),
    ("Key exchange OUT: what is selected", selection::ASSERTIONS),
    ("Key exchange IN", key_exchange_in::ASSERTIONS),
    ("Order of commands", turns::ASSERTIONS),
    ("Authentication OUT: what anybody can send", claim::ASSERTIONS),
    ("Authentication OUT: inside", inner::ASSERTIONS),
    ("Authentication IN", proof::ASSERTIONS),
    ("Delete", delete::ASSERTIONS),
    ("I_T nexuses", nexuses::ASSERTIONS),
    ("Time", time::ASSERTIONS),
    ("Every algorithm that is listed", suites::ASSERTIONS),
];

/// All assertions, in their order.
pub fn assertions() -> impl Iterator<Item = &'static Assertion> {
    GROUPS.iter().flat_map(|(_, group)| group.iter())
}

/// The table of all assertions in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for (name, group) in GROUPS {
        text.push_str("\n### ");
        text.push_str(name);
        text.push_str("\n\n| assertion | a device server ... | r3 | SPC-4 |\n| --- | --- | --- | --- |\n");
        for Assertion { number, title, r3, spc4, .. } in group {
            let cell = |clause: &'static str| if clause.is_empty() { "-" } else { clause };
            text.push_str(&format!("| A{number} | {title} | {} | {} |\n", cell(r3), cell(spc4)));
        }
    }
    text
}

/// Runs the assertions of the subject's dialect that `wanted` lets through, in their order, and hands each report over as soon as it
/// is there.
pub fn run(
    subject: &mut Subject<'_>,
    wanted: impl Fn(&Assertion) -> bool,
    mut each: impl FnMut(&Report),
) -> Vec<Report> {
    let dialect = subject.profile.dialect;
    let mut bench = Bench::new(subject);
    let mut reports = Vec::new();
    for assertion in assertions().filter(|assertion| wanted(assertion)) {
        let Some(clause) = assertion.clause(dialect) else { continue };
        let begun = std::time::Instant::now();
        // What the one before has left is its own affair, but for a way that is gone.
        let ended = bench.clean().and_then(|()| (assertion.run)(&mut bench));
        let report = Report { assertion, clause, stop: ended.err(), took: begun.elapsed() };
        each(&report);
        reports.push(report);
    }
    // Nothing is left behind; where that fails there is nobody to tell.
    let _ = bench.clean();
    reports
}
