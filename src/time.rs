//! Time as an argument: nothing in this crate reads a clock.
//!
//! [`Instant`] is the caller's monotonic clock in milliseconds since any moment it likes; timers of the protocol run on
//! it. Certificates need another kind of time, the calendar's, which is a type of its own: [`UnixTime`].

use alloc::collections::{BTreeMap, BTreeSet};
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

/// At most one deadline for each key, and the earliest of all without a scan.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    by_key: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Copy> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Sets or moves the deadline of `key`.
    pub(crate) fn set(&mut self, key: K, at: Instant) {
        if let Some(old) = self.by_key.insert(key, at) {
            self.by_time.remove(&(old, key));
        }
        self.by_time.insert((at, key));
    }

    /// The deadline of `key`.
    pub(crate) fn get(&self, key: K) -> Option<Instant> {
        self.by_key.get(&key).copied()
    }

    pub(crate) fn clear(&mut self, key: K) {
        if let Some(old) = self.by_key.remove(&key) {
            self.by_time.remove(&(old, key));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<(Instant, K)> {
        self.by_time.first().copied()
    }

    /// Takes out one deadline that is due: a deadline is due from its own millisecond on.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = self.next()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_due_at_its_own_millisecond_and_not_before() {
        let mut deadlines = Deadlines::new();
        deadlines.set('a', Instant::from_millis(10));
        deadlines.set('b', Instant::from_millis(5));
        deadlines.set('a', Instant::from_millis(20));
        assert_eq!(deadlines.next(), Some((Instant::from_millis(5), 'b')));
        assert_eq!(deadlines.take_due(Instant::from_millis(4)), None);
        assert_eq!(deadlines.take_due(Instant::from_millis(5)), Some('b'));
        assert_eq!(deadlines.take_due(Instant::from_millis(19)), None);
        deadlines.clear('a');
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn seconds_saturate() {
        let late = Instant::from_millis(u64::MAX - 5);
        assert_eq!(late.after_seconds(u32::MAX), Instant::from_millis(u64::MAX));
        assert_eq!(Instant::from_millis(1).after_seconds(2), Instant::from_millis(2001));
        assert_eq!(Instant::from_millis(1).millis_since(late), 0);
    }
}
