//! X.509 chains against certificates of an independent implementation (`vectors/certificates/`).
#![cfg(all(feature = "x509", feature = "rustcrypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod cases;
mod chains;
mod damaged;
mod helpers;
#[path = "../support/provider.rs"]
mod provider;
mod uniform;
