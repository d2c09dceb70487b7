//! What the kit found.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use crate::algorithm::{Algorithm, AlgorithmType};
use crate::crypto::{CryptoError, SignatureScheme};

/// What [`run`](super::run) found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One for each object that the provider lists, in the order of its lists.
    pub algorithms: Vec<Outcome>,
    /// Rows of r3 Tables K2 to K6 that the provider has no object for; of signatures, no verifier with the hash of AUTH. A
    /// provider need not have them all: each row tells whether it is mandatory.
    pub missing: Vec<&'static Algorithm>,
}

impl Report {
    /// True if nothing failed and something passed. What was not checked is in [`Report::unchecked`].
    #[must_use]
    pub fn is_ok(&self) -> bool {
        let has = |verdict| self.algorithms.iter().any(|outcome| outcome.verdict() == verdict);
        has(Verdict::Passed) && !has(Verdict::Failed)
    }

    /// The algorithms with something wrong.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.algorithms.iter().filter(|outcome| outcome.verdict() == Verdict::Failed)
    }

    /// The algorithms that no published value was there for: those of vendors, and signatures with a hash that is unusual for
    /// their key.
    pub fn unchecked(&self) -> impl Iterator<Item = &Outcome> {
        self.algorithms.iter().filter(|outcome| outcome.verdict() == Verdict::Unchecked)
    }
}

/// What was found of one algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The table that it is of.
    pub algorithm_type: AlgorithmType,
    /// ALGORITHM IDENTIFIER.
    pub identifier: u32,
    /// Of a verifier of signatures, what it verifies: one identifier has several.
    pub scheme: Option<SignatureScheme>,
    /// The name of its row, or `vendor-specific`; of a verifier, key and hash.
    pub name: String,
    /// Published values that were run.
    pub vectors: usize,
    /// What went wrong: of each value the first thing.
    pub failures: Vec<Failure>,
}

impl Outcome {
    /// What the findings come to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.vectors, self.failures.as_slice()) {
            (0, []) => Verdict::Unchecked,
            (_, []) => Verdict::Passed,
            _ => Verdict::Failed,
        }
    }
}

/// What the findings on one algorithm come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every published value held.
    Passed,
    /// Something is wrong.
    Failed,
    /// There is no published value for it.
    Unchecked,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The name of the published value, as in `vectors/conformance/`, or what else was checked.
    pub vector: &'static str,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The identifier is reserved, left to IANA's registry, or NONE.
    #[error("the identifier is not for a provider to use")]
    Identifier,
    /// A size that the object states is not that of the table.
    #[error("{what} is not the table's")]
    Size {
        /// The size.
        what: &'static str,
    },
    /// An operation that shall succeed did not.
    #[error("{operation} failed: {error}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// Its error.
        error: CryptoError,
    },
    /// Another result than the published one.
    #[error("{what} differs at byte {at}")]
    Differs {
        /// The result.
        what: &'static str,
        /// Offset of the first byte that differs.
        at: usize,
    },
    /// What shall be refused was not.
    #[error("{what} was accepted")]
    Accepted {
        /// What shall be refused.
        what: &'static str,
    },
    /// What shall be refused was, but by another error: a device server would tell its peer something else.
    #[error("{what} gave `{error}` and not `{expected}`")]
    WrongError {
        /// What shall be refused.
        what: &'static str,
        /// The error that the trait asks for.
        expected: CryptoError,
        /// The error that came.
        error: CryptoError,
    },
    /// After a refusal the data is neither as it was nor zero.
    #[error("{what} was refused, but data was left that is neither unchanged nor zero")]
    Leftover {
        /// What was refused.
        what: &'static str,
    },
    /// A line of the kit's own files does not have the members of its kind.
    #[error("the kit cannot read this value of its own")]
    Unreadable,
}

impl fmt::Display for Report {
    /// A table: a line for each algorithm, with what failed below it, and lines for what is missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.algorithms {
            write!(f, "{outcome}")?;
        }
        for row in &self.missing {
            let kind = if row.mandatory { "mandatory" } else { "optional" };
            line(f, row.algorithm_type, row.identifier, row.name)?;
            writeln!(f, "not listed ({kind})")?;
        }
        f.write_str(if self.is_ok() { "conforms\n" } else { "DOES NOT CONFORM\n" })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, self.algorithm_type, self.identifier, &self.name)?;
        match self.verdict() {
            Verdict::Passed => writeln!(f, "{:4} values, passed", self.vectors)?,
            Verdict::Failed => writeln!(f, "{:4} values, {} FAILED", self.vectors, self.failures.len())?,
            Verdict::Unchecked => writeln!(f, "no values, not checked")?,
        }
        for failure in &self.failures {
            writeln!(f, "    {failure}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.vector, self.fault)
    }
}

fn line(f: &mut fmt::Formatter<'_>, kind: AlgorithmType, identifier: u32, name: &str) -> fmt::Result {
    write!(f, "{:8}  {identifier:08X}h  {name:40}  ", kind.name())
}
