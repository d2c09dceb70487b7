//! What memcheck said of each operation, and what it should have said.

use std::fmt::{self, Display};

use crate::valgrind;

/// Decisions on a secret that an operation is made to take: their outcome is public.
#[derive(Debug, Clone, Copy)]
pub struct Outcomes {
    count: usize,
    why: &'static str,
}

impl Outcomes {
    /// Nothing that becomes public.
    pub const NONE: Self = Self { count: 0, why: "" };

    /// At most so many conditional jumps, and why they may be there.
    pub const fn of(count: usize, why: &'static str) -> Self {
        Self { count, why }
    }
}

/// Whether memcheck should find something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Quiet,
    /// A variant made to leak: a check that finds nothing here finds nothing anywhere.
    Leak,
    /// An algorithm that is documented to leak, whoever implements it so.
    Known,
}

/// One operation.
#[derive(Debug)]
struct Row {
    name: String,
    expected: Expected,
    outcomes: Outcomes,
    errors: usize,
}

impl Row {
    const fn leaks(&self) -> bool {
        self.errors > self.outcomes.count
    }

    /// A known leak that is gone shall go from the documentation too.
    fn is_as_expected(&self) -> bool {
        self.leaks() == (self.expected != Expected::Quiet)
    }

    const fn verdict(&self) -> &'static str {
        match (self.expected, self.leaks()) {
            (Expected::Quiet, false) => "clean",
            (Expected::Quiet, true) => "LEAK",
            (Expected::Leak, true) => "leak found",
            (Expected::Leak, false) => "LEAK MISSED",
            (Expected::Known, true) => "known leak",
            (Expected::Known, false) => "NO LONGER LEAKS",
        }
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, errors, outcomes, .. } = self;
        write!(f, "{name:<62} {:<11} {errors:>6} {:>7}  {}", self.verdict(), outcomes.count, outcomes.why)
    }
}

/// Runs operations and keeps what was found.
#[derive(Debug, Default)]
pub struct Watch {
    rows: Vec<Row>,
}

impl Watch {
    /// An operation that shall not leak.
    pub fn quiet<T>(&mut self, name: &str, outcomes: Outcomes, work: impl FnOnce() -> T) -> T {
        self.run(name, Expected::Quiet, outcomes, work)
    }

    /// An operation that leaks, and that this check has to find.
    pub fn leaky<T>(&mut self, name: &str, outcomes: Outcomes, work: impl FnOnce() -> T) -> T {
        self.run(name, Expected::Leak, outcomes, work)
    }

    /// An operation whose documentation says that it leaks.
    pub fn known<T>(&mut self, name: &str, why: &'static str, work: impl FnOnce() -> T) -> T {
        self.run(name, Expected::Known, Outcomes { count: 0, why }, work)
    }

    fn run<T>(&mut self, name: &str, expected: Expected, outcomes: Outcomes, work: impl FnOnce() -> T) -> T {
        // Beside the stacks that valgrind prints.
        eprintln!("== {name}");
        let before = valgrind::errors();
        let result = work();
        let errors = valgrind::errors() - before;
        self.rows.push(Row { name: name.into(), expected, outcomes, errors });
        result
    }

    /// Prints a table and lines for programs; tells whether everything was as expected.
    pub fn report(&self) -> bool {
        println!("{:<62} {:<11} {:>6} {:>7}  why", "operation", "verdict", "errors", "allowed");
        for row in &self.rows {
            println!("{row}");
        }
        for Row { name, .. } in &self.rows {
            assert!(!name.contains(','), "{name}");
        }
        for row in &self.rows {
            println!("ct,{},memcheck,{}", row.name, row.verdict());
        }
        self.rows.iter().all(Row::is_as_expected) && !self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(expected: Expected, allowed: usize, errors: usize) -> (bool, &'static str) {
        let row = Row { name: String::new(), expected, outcomes: Outcomes::of(allowed, ""), errors };
        (row.is_as_expected(), row.verdict())
    }

    #[test]
    fn a_leak_that_is_not_found_fails_as_one_that_is() {
        assert_eq!(row(Expected::Quiet, 1, 1), (true, "clean"));
        assert_eq!(row(Expected::Quiet, 1, 2), (false, "LEAK"));
        assert_eq!(row(Expected::Leak, 1, 2), (true, "leak found"));
        assert_eq!(row(Expected::Leak, 1, 1), (false, "LEAK MISSED"));
        assert_eq!(row(Expected::Known, 0, 1), (true, "known leak"));
        assert_eq!(row(Expected::Known, 0, 0), (false, "NO LONGER LEAKS"));
    }

    /// Without valgrind nothing is found, and the variants that leak are missed.
    #[test]
    fn a_watch_that_sees_nothing_fails() {
        assert!(!Watch::default().report());
        let mut watch = Watch::default();
        watch.quiet("something", Outcomes::NONE, || ());
        assert!(watch.report());
        watch.leaky("a leak", Outcomes::NONE, || ());
        assert!(!watch.report());
    }
}
