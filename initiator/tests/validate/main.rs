//! The validator: it finds nothing wrong with the crate's own device server, and every fault that is planted in a wrong one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "tests"
)]

mod bench;
mod faults;
mod own_server;
mod report;
mod sealed;
mod wrong;
