//! Events that wait, in a build for few.

use alloc::vec::Vec;
use core::fmt;

use super::super::Event;
use super::super::event::EventKind;
use crate::memory;
use crate::time::Instant;

/// Events in order, of bounded number: of those that are worth least the oldest is lost first, and the loss is told.
///
/// An event for which there is no memory is lost, too.
pub(in crate::server) struct EventQueue {
    events: Vec<Event>,
    limit: usize,
    lost: u64,
    pub(super) lost_at: Instant,
}

impl EventQueue {
    pub(in crate::server) const fn new(limit: usize) -> Self {
        Self { events: Vec::new(), limit, lost: 0, lost_at: Instant::from_millis(0) }
    }

    pub(in crate::server) fn push(&mut self, event: Event) {
        let at = event.at;
        if self.events.len() >= self.limit {
            self.lose(at);
            let worth = event.kind.worth();
            // Of equal ones the first is the least; everything that waits may be worth more.
            let events = self.events.iter().enumerate();
            let least = events.map(|(place, event)| (event.kind.worth(), place)).min();
            let Some((_, place)) = least.filter(|(least, _)| *least <= worth) else { return };
            self.take(place);
        }
        if memory::push(&mut self.events, event).is_err() {
            self.lose(at);
        }
    }

    pub(in crate::server) fn pop(&mut self) -> Option<Event> {
        let count = core::mem::take(&mut self.lost);
        if count != 0 {
            return Some(Event { at: self.lost_at, nexus: None, kind: EventKind::Lost { count } });
        }
        self.take(0)
    }

    fn lose(&mut self, at: Instant) {
        self.lost = self.lost.saturating_add(1);
        self.lost_at = at;
    }

    /// Takes an event; those behind it stay in their order.
    fn take(&mut self, place: usize) -> Option<Event> {
        let mut rest = self.events.get_mut(place..)?;
        while let Some((taken, behind)) = rest.split_first_mut()
            && let Some(next) = behind.first_mut()
        {
            core::mem::swap(taken, next);
            rest = behind;
        }
        self.events.pop()
    }
}

impl fmt::Debug for EventQueue {
    /// The events, and the loss.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.events).finish()?;
        write!(f, ", {} lost", self.lost)
    }
}
