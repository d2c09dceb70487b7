//! Events that wait, of bounded number: nothing is searched in a build for many (feature `scale`), all are in a build for few.

#[cfg(any(test, not(feature = "scale")))]
#[cfg_attr(test, allow(dead_code, unreachable_pub, reason = "unit tests have the other one, and compare"))]
mod few;
#[cfg(any(test, feature = "scale"))]
mod many;

#[cfg(not(any(test, feature = "scale")))]
pub(super) use few::EventQueue;
#[cfg(any(test, feature = "scale"))]
pub(super) use many::EventQueue;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::server::{DropReason, Event, EventKind, NexusId};
    use crate::time::Instant;

    /// A queue that searches.
    struct Searching {
        events: Vec<Event>,
        limit: usize,
        lost: u64,
    }

    impl Searching {
        fn push(&mut self, event: Event) {
            if self.events.len() >= self.limit {
                self.lost += 1;
                let least = self.events.iter().map(|event| event.kind.worth()).min().unwrap();
                if least > event.kind.worth() {
                    return;
                }
                let oldest = self.events.iter().position(|event| event.kind.worth() == least).unwrap();
                self.events.remove(oldest);
            }
            self.events.push(event);
        }
    }

    fn event(number: u64, worth: u8) -> Event {
        let kind = match worth {
            0 => EventKind::CapabilitiesRead,
            1 => EventKind::SequenceDropped { why: DropReason::Reset },
            _ => EventKind::CapabilitiesChanged,
        };
        Event { at: Instant::from_millis(number), nexus: Some(NexusId(1)), kind }
    }

    proptest! {
        /// `None` takes an event.
        #[test]
        fn both_queues_do_what_a_search_would(
            limit in 1..12_usize,
            steps in proptest::collection::vec(proptest::option::weighted(0.7, 0..3_u8), 0..200),
        ) {
            let mut queue = EventQueue::new(limit);
            let mut few = few::EventQueue::new(limit);
            let mut searching = Searching { events: Vec::new(), limit, lost: 0 };
            for (number, step) in (0..).zip(steps) {
                if let Some(worth) = step {
                    queue.push(event(number, worth));
                    few.push(event(number, worth));
                    searching.push(event(number, worth));
                } else {
                    let expected = match core::mem::take(&mut searching.lost) {
                        0 => (!searching.events.is_empty()).then(|| searching.events.remove(0)),
                        count => Some(Event { at: queue.lost_at, nexus: None, kind: EventKind::Lost { count } }),
                    };
                    prop_assert_eq!(few.pop(), expected.clone());
                    prop_assert_eq!(queue.pop(), expected);
                }
                prop_assert_eq!(queue.len, searching.events.len());
                prop_assert!(queue.cells.len() <= limit);
            }
        }
    }
}
