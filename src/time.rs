//! Time as an argument: nothing in this crate reads a clock.
//!
//! [`Instant`] is the caller's monotonic clock in milliseconds since any moment it likes; timers of the protocol run on
//! it. Certificates need another kind of time, the calendar's, which is a type of its own: [`UnixTime`].

use core::fmt;

/// A moment on the caller's monotonic clock, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The moment `milliseconds` after the clock's beginning.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the clock's beginning.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment `seconds` later, or the last one that the clock can tell.
    #[must_use]
    pub fn after_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(u64::from(seconds).saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to this moment, zero if it is not earlier.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Calendar time in seconds since 1970-01-01T00:00:00Z, for certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_saturate() {
        let late = Instant::from_millis(u64::MAX - 5);
        assert_eq!(late.after_seconds(u32::MAX), Instant::from_millis(u64::MAX));
        assert_eq!(Instant::from_millis(1).after_seconds(2), Instant::from_millis(2001));
        assert_eq!(Instant::from_millis(1).millis_since(late), 0);
    }
}
