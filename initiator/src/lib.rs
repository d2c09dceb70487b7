//! A SCSI application client that creates, uses and deletes IKEv2-SCSI security associations on real logical units.
//!
//! The protocol is the crate `ikev2_scsi`, whose application client does no I/O. Here are the ways to a logical unit:
//! a [`Transport`] carries one command and brings back how it ended.
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

mod in_process;
mod transport;
pub mod validate;

pub use in_process::{InProcess, InProcessClock};
pub use transport::{Answer, Executed, Transport, TransportError, execute_command, status};
