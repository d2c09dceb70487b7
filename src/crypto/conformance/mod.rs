//! A conformance kit: published values run against any [`CryptoProvider`] (feature `conformance`).
//!
//! An embedder with an accelerator or an HSM learns from [`run`] whether its implementations compute what the documents of
//! r3 Tables K2 to K6 say, and whether they refuse what they have to: changed check values, public values outside a group,
//! signatures that do not hold. The values are those of `vectors/conformance/`, which tells their origins; they come with
//! the crate, and a build that does not call [`run`] does not contain them.
//!
//! What it cannot tell: whether an implementation takes the same time whatever its secrets are, whether it wipes them, and
//! whether a random source is one.
//!
//! ```
//! # #[cfg(feature = "rustcrypto")]
//! # fn main() {
//! # use ikev2_scsi::crypto::{CryptoProvider, conformance};
//! # let provider = CryptoProvider { groups: &[], verifiers: &[], ..ikev2_scsi::provider::provider() };
//! let report = conformance::run(&provider);
//! assert!(report.is_ok(), "{report}");
//! # }
//! # #[cfg(not(feature = "rustcrypto"))]
//! # fn main() {}
//! ```

mod ciphers;
mod groups;
mod keyed;
mod report;
mod signatures;
mod vectors;

pub use report::{Failure, Fault, Outcome, Report, Verdict};

use alloc::vec::Vec;

use super::{CryptoError, CryptoProvider, KeyKind, SignatureScheme};
use crate::algorithm::{self, Algorithm, AlgorithmType, Assignment};

/// Runs every published value that a listed algorithm has, and reports on each algorithm of the provider.
///
/// It takes the time of some hundred Diffie-Hellman calculations. A panic of an implementation is not caught.
#[must_use]
pub fn run(provider: &CryptoProvider) -> Report {
    let mut algorithms = Vec::new();
    algorithms.extend(provider.ciphers.iter().map(|cipher| ciphers::check(*cipher)));
    algorithms.extend(provider.prfs.iter().map(|prf| keyed::check_prf(*prf)));
    algorithms.extend(provider.integrity.iter().map(|integrity| keyed::check_integrity(*integrity)));
    algorithms.extend(provider.groups.iter().map(|group| groups::check(*group)));
    algorithms.extend(provider.verifiers.iter().map(|verifier| signatures::check(*verifier)));
    let missing = algorithm::TABLE.iter().filter(|row| is_missing(provider, row)).collect();
    Report { algorithms, missing }
}

/// True for a row that takes an object, and has none. A shared key and the absence of authentication or integrity take none.
fn is_missing(provider: &CryptoProvider, row: &Algorithm) -> bool {
    let identifier = row.identifier;
    match row.algorithm_type {
        AlgorithmType::Encryption => !provider.ciphers.iter().any(|cipher| cipher.identifier() == identifier),
        AlgorithmType::PseudoRandom => provider.prf(identifier).is_none(),
        AlgorithmType::Integrity => identifier != algorithm::INTEG_NONE && provider.integrity(identifier).is_none(),
        AlgorithmType::DiffieHellman => provider.group(identifier).is_none(),
        AlgorithmType::Authentication => KeyKind::of_auth_method(identifier)
            .is_some_and(|key| provider.verifier(SignatureScheme::of_auth(key)).is_none()),
    }
}

/// The end of a check: the first thing that is wrong.
type Check = Result<(), Fault>;

/// The findings on one algorithm.
struct Findings(Outcome);

impl Findings {
    /// Begins with the identifier, which has a row in the tables or is for vendors.
    fn new(algorithm_type: AlgorithmType, identifier: u32) -> Self {
        let row = algorithm::find(algorithm_type, identifier);
        let name = row.map_or("vendor-specific", |row| row.name);
        let mut findings = Self(Outcome {
            algorithm_type,
            identifier,
            scheme: None,
            name: name.into(),
            vectors: 0,
            failures: Vec::new(),
        });
        let is_none = algorithm_type == AlgorithmType::Integrity && identifier == algorithm::INTEG_NONE;
        let fits = match algorithm::assignment(algorithm_type, identifier) {
            Assignment::Assigned => !is_none,
            Assignment::VendorSpecific => true,
            Assignment::Reserved | Assignment::Restricted => false,
        };
        findings.note("its identifier", if fits { Ok(()) } else { Err(Fault::Identifier) });
        findings
    }

    /// A check that takes no published value.
    fn note(&mut self, vector: &'static str, check: Check) {
        self.0.failures.extend(check.err().map(|fault| Failure { vector, fault }));
    }

    /// A check of a published value.
    fn count(&mut self, vector: &'static str, check: Check) {
        self.0.vectors = self.0.vectors.saturating_add(1);
        self.note(vector, check);
    }
}

/// What an operation gave that shall succeed.
fn done<T>(operation: &'static str, result: Result<T, CryptoError>) -> Result<T, Fault> {
    result.map_err(|error| Fault::Failed { operation, error })
}

fn same(what: &'static str, computed: &[u8], published: &[u8]) -> Check {
    if computed == published {
        return Ok(());
    }
    let at = computed.iter().zip(published).take_while(|(a, b)| a == b).count();
    Err(Fault::Differs { what, at })
}

/// What an operation gave that shall fail with this error.
fn refused<T>(what: &'static str, expected: CryptoError, result: Result<T, CryptoError>) -> Check {
    match result {
        Ok(_) => Err(Fault::Accepted { what }),
        Err(error) if error == expected => Ok(()),
        Err(error) => Err(Fault::WrongError { what, expected, error }),
    }
}

fn size(what: &'static str, is_the_tables: bool) -> Check {
    if is_the_tables { Ok(()) } else { Err(Fault::Size { what }) }
}

/// `bytes` with one bit of the byte at `index` changed, another bit for each index.
fn flipped(bytes: &[u8], index: usize) -> Vec<u8> {
    let bit = 0x01_u8.rotate_left(u32::try_from(index % 8).unwrap_or(0));
    bytes.iter().enumerate().map(|(i, byte)| if i == index { byte ^ bit } else { *byte }).collect()
}

/// `bytes` without the first of them.
fn shorter(bytes: &[u8]) -> &[u8] {
    bytes.split_first().map_or(&[], |(_, rest)| rest)
}
