//! The C interface of `ikev2-scsi`: device servers for emulators and targets written in C. `include/ikev2_scsi.h` is made of
//! these functions and their documentation, and `README.md` says how it is used.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `boundary` | what every call goes through: a panic is caught, a failure becomes a code and a message |
//! | `handles` | the objects behind handles: which there are, and who uses them |
//! | `pointers` | every access to memory of the caller |
//! | `codes` | the enumerations |
//! | `callbacks` | the caller's functions, as the traits of the crate |
//! | `builder`, `decisions`, `credentials` | a device server to be |
//! | `server`, `jobs`, `events`, `associations`, `esp` | a device server |
//! | `primitives` | what a callback may want of the crate |
//!
//! A handle is a number that looks like a pointer, and is looked up in a table: it is never followed. So a handle that was
//! freed, of another kind, or never given, is told from a good one, and none of this takes `unsafe`. What remains of it is in
//! `pointers` and `callbacks`.
#![expect(
    clippy::missing_safety_doc,
    reason = "what a caller must keep is said once, in README.md and at the head of the header"
)]

// The header follows this order.
pub mod boundary;

pub mod builder;

pub mod credentials;

pub mod decisions;

pub mod callbacks;

pub mod server;

pub mod associations;
pub mod esp;
pub mod events;
pub mod jobs;

pub mod primitives;

pub mod codes;
pub mod handles;

mod pointers;
#[cfg(test)]
mod tests;
