//! The conformance kit: what it is made of, that the provider of this crate conforms, and that others are found out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic"
)]

mod convert;
#[path = "../support/provider.rs"]
mod provider;
mod wrong;

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::crypto::HashKind::{Sha1, Sha256, Sha384, Sha512};
use ikev2_scsi::crypto::KeyKind::{P256, P384, P521, Rsa};
use ikev2_scsi::crypto::conformance::{Report, run};
use provider::provider;

/// How many values each algorithm has.
fn counts(report: &Report, kind: AlgorithmType) -> Vec<(u32, usize)> {
    let of_kind = report.algorithms.iter().filter(|outcome| outcome.algorithm_type == kind);
    of_kind.map(|outcome| (outcome.identifier, outcome.vectors)).collect()
}

#[test]
fn the_provider_of_this_crate_conforms() {
    let report = run(&provider());
    println!("{report}");
    assert!(report.is_ok(), "{report}");
    assert_eq!(report.unchecked().count(), 0);
    let of = |kind| counts(&report, kind);
    let ciphers = [(0x03, 70), (0x0B, 2), (0x0C, 24), (0x0E, 35), (0x10, 32), (0x14, 183)];
    assert_eq!(of(AlgorithmType::Encryption), ciphers);
    assert_eq!(of(AlgorithmType::PseudoRandom), [(0x02, 10), (0x04, 9), (0x05, 11), (0x06, 11), (0x07, 11)]);
    assert_eq!(of(AlgorithmType::Integrity), [(0x02, 3), (0x05, 5), (0x0C, 29), (0x0D, 29), (0x0E, 29)]);
    let groups = [(0x0E, 10), (0x0F, 10), (0x10, 10), (0x11, 10), (0x12, 10), (0x13, 63), (0x14, 64), (0x15, 68)];
    assert_eq!(of(AlgorithmType::DiffieHellman), groups);
    let schemes = report.algorithms.iter().filter_map(|outcome| {
        let scheme = outcome.scheme?;
        Some((scheme.key, scheme.hash, outcome.vectors))
    });
    let expected = [
        (Rsa, Sha1, 15),
        (Rsa, Sha256, 29),
        (Rsa, Sha384, 20),
        (Rsa, Sha512, 27),
        (P256, Sha256, 48),
        (P256, Sha384, 4),
        (P256, Sha512, 18),
        (P384, Sha256, 4),
        (P384, Sha384, 50),
        (P384, Sha512, 17),
        (P521, Sha256, 4),
        (P521, Sha384, 4),
        (P521, Sha512, 56),
    ];
    assert_eq!(schemes.collect::<Vec<_>>(), expected);
    assert!(report.missing.is_empty());
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn the_providers_over_aws_lc_conform() {
    for provider in [ikev2_scsi::aws_lc::provider(), ikev2_scsi::aws_lc::everything()] {
        let report = run(&provider);
        assert!(report.is_ok() && report.missing.is_empty(), "{report}");
        assert_eq!(report.unchecked().count(), 0);
    }
}
