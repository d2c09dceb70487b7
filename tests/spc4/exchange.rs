//! Exchanges that succeed, and what they make (SPC-4 5.14.4).

use super::client::{COMBINED_SUITE, NO_AUTH, SEPARATE_SUITE};
use super::*;

#[test]
fn both_suites_with_and_without_authentication() {
    for suite in [COMBINED_SUITE, SEPARATE_SUITE] {
        for auth in [suite.auth, [NO_AUTH; 2]] {
            let mut bench = Bench::new();
            bench.establish(A, suite.with_auth(auth), 0x1234_5678);
        }
    }
}
