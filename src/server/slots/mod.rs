//! The nexuses that have a command sequence: found without a search in a build for many (feature `scale`), one by one in a build
//! for few.

#[cfg(any(test, not(feature = "scale")))]
#[cfg_attr(test, allow(dead_code, unreachable_pub, reason = "unit tests have the other one, and compare"))]
mod few;
#[cfg(any(test, feature = "scale"))]
mod many;

#[cfg(not(any(test, feature = "scale")))]
pub(super) use few::Slots;
#[cfg(any(test, feature = "scale"))]
pub(super) use many::Slots;
