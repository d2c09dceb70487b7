//! Prose: how the crate is built, and how it is built in.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("embedding.md")]
pub mod embedding {}

#[doc = include_str!("firmware.md")]
pub mod firmware {}

#[doc = include_str!("emulators.md")]
pub mod emulators {}

#[doc = include_str!("algorithms.md")]
pub mod algorithms {}

#[doc = include_str!("constant_time.md")]
pub mod constant_time {}

#[doc = include_str!("readings.md")]
pub mod readings {}

#[doc = include_str!("spc4.md")]
pub mod spc4 {}

#[doc = include_str!("deviations.md")]
pub mod deviations {}

#[doc = include_str!("conformance.md")]
pub mod conformance {}

#[doc = include_str!("conformance_spc4.md")]
pub mod conformance_spc4 {}
