//! What the server tells its embedder.

use alloc::collections::VecDeque;

use super::NexusId;
use crate::keys::Denial;
use crate::sa::SaId;
use crate::time::Instant;

/// Something that happened. No event carries a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A nexus has read the capabilities.
    CapabilitiesRead {
        /// The nexus.
        nexus: NexusId,
    },
    /// A security association has come into being.
    SaCreated {
        /// The nexus that made it.
        nexus: NexusId,
        /// Its indexes.
        id: SaId,
    },
    /// A security association is gone.
    SaRemoved {
        /// Its indexes.
        id: SaId,
        /// Why.
        why: RemovalReason,
    },
    /// A command sequence was begun and will not be completed.
    SequenceDropped {
        /// The nexus.
        nexus: NexusId,
        /// Why.
        why: DropReason,
    },
    /// An application client has failed to authenticate itself.
    AuthenticationFailed {
        /// The nexus.
        nexus: NexusId,
        /// Why, which the application client is not told.
        why: Denial,
    },
    /// Events were lost, since nobody took them.
    Lost {
        /// How many.
        count: u64,
    },
}

/// Why a security association is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemovalReason {
    /// A Delete (r3 5.13.5).
    Delete,
    /// The inactivity timeout.
    Inactivity,
    /// The same client, authenticated by the same key, made its Initial Contact (r3 7.7.4.8a).
    InitialContact,
    /// A reset of the logical unit (reading R37).
    Reset,
    /// [`DeviceServer::remove_sa`](super::DeviceServer::remove_sa).
    Administrator,
}

/// Why a command sequence was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The protocol timeout.
    ProtocolTimeout,
    /// Too many failed authentications (reading R23).
    AuthenticationFailures,
    /// I_T nexus loss.
    NexusLoss,
    /// A reset of the logical unit.
    Reset,
}

/// The next moment at which something runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// When to call [`DeviceServer::expire`](super::DeviceServer::expire).
    pub at: Instant,
    /// What runs out.
    pub reason: DeadlineReason,
}

/// What runs out at a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadlineReason {
    /// A protocol timeout.
    Protocol,
    /// An SA inactivity timeout.
    Inactivity,
}

impl Event {
    /// True for what an initiator can cause as often as it likes without authenticating itself: such events make room for
    /// the others.
    const fn is_cheap(&self) -> bool {
        matches!(self, Self::CapabilitiesRead { .. } | Self::AuthenticationFailed { .. } | Self::SequenceDropped { .. })
    }
}

/// Events in order, of bounded number: cheap ones are lost first, then the oldest, and the loss is told.
#[derive(Debug)]
pub(super) struct EventQueue {
    queue: VecDeque<Event>,
    limit: usize,
    lost: u64,
}

impl EventQueue {
    pub(super) const fn new(limit: usize) -> Self {
        Self { queue: VecDeque::new(), limit, lost: 0 }
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.queue.len() >= self.limit {
            let cheap = self.queue.iter().position(Event::is_cheap).unwrap_or(0);
            self.queue.remove(cheap);
            self.lost = self.lost.saturating_add(1);
        }
        self.queue.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let count = core::mem::take(&mut self.lost);
        if count != 0 {
            return Some(Event::Lost { count });
        }
        self.queue.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_does_not_push_associations_out() {
        let id = SaId { ac_sai: crate::wire::Sai(1), ds_sai: crate::wire::Sai(2) };
        let removed = Event::SaRemoved { id, why: RemovalReason::Delete };
        let mut events = EventQueue::new(2);
        events.push(removed);
        for number in 0..5 {
            events.push(Event::CapabilitiesRead { nexus: NexusId(number) });
        }
        assert_eq!(events.pop(), Some(Event::Lost { count: 4 }));
        assert_eq!(events.pop(), Some(removed));
        assert_eq!(events.pop(), Some(Event::CapabilitiesRead { nexus: NexusId(4) }));
        for _ in 0..3 {
            events.push(removed);
        }
        assert_eq!(events.pop(), Some(Event::Lost { count: 1 }));
        assert_eq!((events.pop(), events.pop(), events.pop()), (Some(removed), Some(removed), None));
    }

    #[test]
    fn the_oldest_events_are_lost_and_counted() {
        let mut events = EventQueue::new(2);
        for number in 0..5 {
            events.push(Event::CapabilitiesRead { nexus: NexusId(number) });
        }
        assert_eq!(events.pop(), Some(Event::Lost { count: 3 }));
        assert_eq!(events.pop(), Some(Event::CapabilitiesRead { nexus: NexusId(3) }));
        assert_eq!(events.pop(), Some(Event::CapabilitiesRead { nexus: NexusId(4) }));
        assert_eq!(events.pop(), None);
    }
}
