//! What came of the assertions: text for people, JUnit XML for programs.

use std::fmt;
use std::time::Duration;

use super::{Assertion, Stop};

/// What came of one assertion.
#[derive(Debug, Clone)]
pub struct Report {
    /// The assertion.
    pub assertion: &'static Assertion,
    /// Its clause in the subject's dialect.
    pub clause: &'static str,
    /// Why it did not pass; `None` if it passed.
    pub stop: Option<Stop>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Whether it passed.
    #[must_use]
    pub const fn has_passed(&self) -> bool {
        self.stop.is_none()
    }

    /// Whether the device server did what it must not, or the assertion could not be run to its end.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.stop, Some(Stop::Failed { .. } | Stop::Broken(_)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Assertion { number, title, .. } = self.assertion;
        let word = match self.stop {
            None => "ok  ",
            Some(Stop::Failed { .. }) => "FAIL",
            Some(Stop::Skipped(_)) => "skip",
            Some(Stop::Broken(_)) => "BROKEN",
        };
        write!(f, "{word} A{number} {title} ({})", self.clause)?;
        match &self.stop {
            None => Ok(()),
            Some(Stop::Failed { expected, seen }) => write!(f, "\n     expected: {expected}\n     seen:     {seen}"),
            Some(Stop::Skipped(why) | Stop::Broken(why)) => write!(f, "\n     {why}"),
        }
    }
}

/// How many ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// As they should.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Not run, since it cannot be seen here.
    pub skipped: usize,
    /// Not run to the end: the transport failed.
    pub broken: usize,
}

impl Totals {
    /// Counts reports.
    #[must_use]
    pub fn of(reports: &[Report]) -> Self {
        let count = |is: fn(&Option<Stop>) -> bool| reports.iter().filter(|report| is(&report.stop)).count();
        Self {
            passed: count(Option::is_none),
            failed: count(|stop| matches!(stop, Some(Stop::Failed { .. }))),
            skipped: count(|stop| matches!(stop, Some(Stop::Skipped(_)))),
            broken: count(|stop| matches!(stop, Some(Stop::Broken(_)))),
        }
    }

    /// The exit status of a run: 0 all passed or skipped, 1 something failed, 2 nothing could be run.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self { passed: 0, failed: 0, .. } => 2,
            Self { failed: 0, broken: 0, .. } => 0,
            _ => 1,
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped, broken } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped, {broken} could not be run")
    }
}

/// Text in an XML attribute or element; what XML cannot hold becomes a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            control if control.is_control() => out.push('?'),
            other => out.push(other),
        }
    }
    out
}

/// The reports as a JUnit XML document; `name` says what was validated.
#[must_use]
pub fn junit(name: &str, reports: &[Report]) -> String {
    let totals = Totals::of(reports);
    let took: Duration = reports.iter().map(|report| report.took).sum();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&format!(
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">\n",
        escaped(name),
        reports.len(),
        totals.failed,
        totals.broken,
        totals.skipped,
        took.as_secs_f64()
    ));
    for Report { assertion, clause, stop, took } in reports {
        text.push_str(&format!(
            "  <testcase classname=\"{}\" name=\"A{} {}\" time=\"{:.3}\"",
            escaped(clause),
            assertion.number,
            escaped(assertion.title),
            took.as_secs_f64()
        ));
        match stop {
            None => text.push_str("/>\n"),
            Some(Stop::Failed { expected, seen }) => text.push_str(&format!(
                ">\n    <failure message=\"{}\">expected: {}; seen: {}</failure>\n  </testcase>\n",
                escaped(seen),
                escaped(expected),
                escaped(seen)
            )),
            Some(Stop::Skipped(why)) => {
                text.push_str(&format!("><skipped message=\"{}\"/></testcase>\n", escaped(why)));
            }
            Some(Stop::Broken(why)) => text.push_str(&format!("><error message=\"{}\"/></testcase>\n", escaped(why))),
        }
    }
    text.push_str("</testsuite>\n");
    text
}
