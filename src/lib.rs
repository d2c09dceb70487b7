#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

// The provider under test, by the name that the tests in tests/ know this crate by.
#[cfg(test)]
extern crate self as ikev2_scsi;
#[cfg(test)]
#[cfg(feature = "rustcrypto")]
#[path = "../tests/support/provider.rs"]
mod tested;

pub mod algorithm;
#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub mod capabilities;
pub mod ccs;
#[cfg(feature = "client")]
pub mod client;
#[cfg_attr(not(feature = "scale"), allow(dead_code, reason = "jobs use part of it in a build for few"))]
mod collections;
pub mod crypto;
pub mod dialect;
pub mod esp;
pub mod guide;
pub mod keys;
mod memory;
#[cfg(feature = "rustcrypto")]
pub mod provider;
pub mod sa;
pub mod sense;
pub mod server;
pub mod time;
pub mod wire;
#[cfg(feature = "x509")]
pub mod x509;

pub use ccs::job::{Job, JobDone, JobId};
pub use ccs::{Policy, SlowCrypto};
pub use crypto::CryptoProvider;
pub use dialect::{Dialect, HeaderFlags, Profile, SenseCodes};
pub use server::{DeviceServer, NexusId, Reply, Request};
pub use time::Instant;
