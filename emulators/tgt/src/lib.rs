//! A plugin for tgtd, the Linux SCSI target daemon: logical units, disks and tapes, get SECURITY PROTOCOL IN and OUT.
//!
//! tgtd loads each file in its directory of backing stores. This one registers the backing store `ikev2scsi`; a logical unit made with it
//! keeps its blocks as with `rdwr`, and has a [`DeviceServer`](ikev2_scsi::DeviceServer) besides. Those of other stores, tapes for
//! example, have one if their options ask for it.
//! `README.md` beside this crate says how to use it, and what its options are.
//!
//! Rooms, each looking only to its left: `abi` (tgtd's structures) <- `tgt` (safe handles) <- `options`, `pool` <- `unit` (one
//! logical unit) <- `plugin` (handlers) <- `stores` (backing stores). Only `abi`, `tgt`, `plugin` and `stores` have `unsafe` blocks,
//! where tgtd calls us or we call it.

#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

#[allow(unsafe_code, reason = "it is tgtd's interface")]
mod abi;
#[cfg(test)]
#[allow(unsafe_code, reason = "it plays tgtd")]
mod fake;
mod options;
#[allow(unsafe_code, reason = "it is tgtd's interface")]
mod plugin;
mod pool;
#[allow(unsafe_code, reason = "it is tgtd's interface")]
mod stores;
#[cfg(test)]
mod tests;
#[allow(unsafe_code, reason = "it is tgtd's interface")]
mod tgt;
mod unit;

pub use stores::register_bs_module;
