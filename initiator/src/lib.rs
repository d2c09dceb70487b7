#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod bench;
pub mod cli;
pub mod error;
pub mod exchange;
mod in_process;
#[cfg(feature = "iscsi")]
pub mod iscsi;
pub mod key_log;
mod open;
pub mod progress;
pub mod saved;
pub mod sense;
#[cfg(all(feature = "sg", target_os = "linux"))]
pub mod sg;
pub mod target;
#[cfg(test)]
mod test_unit;
mod transport;
pub mod validate;

pub use error::{Cause, Error};
pub use exchange::{Created, Exchanges, Patience, Reason, Timing, Unwatched, Watch};
pub use in_process::{InProcess, InProcessClock};
pub use open::{Options, open};
pub use transport::{Answer, Executed, Transport, TransportError, execute_command, status};
