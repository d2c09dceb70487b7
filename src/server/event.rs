//! What the server tells its embedder.

use alloc::boxed::Box;
use core::fmt;

use super::{NexusId, Report};
use crate::keys::Denial;
use crate::memory;
use crate::sa::SaId;
use crate::sense::{Claimant, Limit};
use crate::time::Instant;
use crate::wire::IdType;

/// Something that happened, with its moment. No event carries a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The latest moment that the server had been told when it happened. A timer that runs out unnoticed is told of when the
    /// next call tells the time.
    pub at: Instant,
    /// The I_T nexus whose command or loss caused it; `None` when no nexus did.
    pub nexus: Option<NexusId>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The nexus has read the capabilities.
    CapabilitiesRead,
    /// Changed capabilities have taken effect, since the nexus has read them: every other I_T nexus is to be told, by the unit
    /// attention [`Sense::CAPABILITIES_CHANGED`](crate::sense::Sense::CAPABILITIES_CHANGED) (SPC-4 5.14.4.5). r3 has no such thing.
    CapabilitiesChanged,
    /// A key exchange OUT was accepted.
    SequenceStarted {
        /// The indexes that the association will have.
        id: SaId,
    },
    /// A command sequence was begun and will not be completed.
    SequenceDropped {
        /// Why.
        why: DropReason,
    },
    /// A security association has come into being, made by the nexus.
    SaCreated {
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
    /// An application client has failed to authenticate itself.
    AuthenticationFailed {
        /// Who it said it is.
        identity: KeptIdentity,
        /// Its AUTH METHOD.
        method: u8,
        /// Why, which the application client is not told.
        why: Denial,
    },
    /// A command was refused; told only when [`Builder::report_refusals`](super::Builder::report_refusals) asks for it.
    Refused(Report),
    /// A command was refused at a limit, or a sequence was dropped at one.
    LimitReached {
        /// Which limit.
        limit: Limit,
    },
    /// Events were lost, since nobody took them; `at` is the moment of the last loss.
    Lost {
        /// How many.
        count: u64,
    },
}

/// An identity as an event keeps it: [`KeptIdentity::MAX`] bytes at most, whatever the application client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptIdentity {
    /// ID TYPE.
    pub id_type: IdType,
    /// The first bytes of IDENTIFICATION DATA; none if there was no memory for them.
    pub data: Box<[u8]>,
    /// Bytes that IDENTIFICATION DATA had; more than `data` has when some were cut off.
    pub length: usize,
}

impl KeptIdentity {
    /// Most bytes that are kept.
    pub const MAX: usize = 256;

    fn of(client: &Claimant) -> Self {
        let whole = &client.identity.data;
        let kept = whole.get(..Self::MAX).unwrap_or(whole);
        Self {
            id_type: client.identity.id_type,
            data: memory::boxed_copy_of(kept).unwrap_or_default(),
            length: whole.len(),
        }
    }

    /// True if nothing was cut off.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.data.len() == self.length
    }
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
    /// The last sequence number of a direction was used (SPC-4 5.14.7.4.2, 5.14.7.5.2).
    SequenceNumbers,
}

/// Why a command sequence was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The protocol timeout.
    ProtocolTimeout,
    /// Too many failed authentications (reading R23); in SPC-4 one is too many.
    AuthenticationFailures,
    /// A command of it was refused in a way that ends it (SPC-4 5.14.4.10).
    Refused,
    /// A Delete (SPC-4 5.14.4.10).
    Delete,
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

/// What an event is worth when there is no room for all. The lower is lost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// What an initiator can cause as often as it likes, by one command each.
    Cheap,
    /// What costs it a key exchange, or another's.
    Dear,
    /// What an embedder must know to do its work.
    Association,
}

#[cfg(any(test, feature = "scale"))]
impl Worth {
    /// All of them, the least first.
    pub(super) const ALL: [Self; 3] = [Self::Cheap, Self::Dear, Self::Association];

    /// Where it stands among them.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Cheap => 0,
            Self::Dear => 1,
            Self::Association => 2,
        }
    }
}

impl EventKind {
    pub(super) fn failed(client: &Claimant, why: Denial) -> Self {
        Self::AuthenticationFailed { identity: KeptIdentity::of(client), method: client.method, why }
    }

    pub(super) const fn worth(&self) -> Worth {
        match self {
            Self::CapabilitiesRead | Self::Refused(_) | Self::SequenceStarted { .. } | Self::LimitReached { .. } => {
                Worth::Cheap
            }
            Self::SequenceDropped { .. } | Self::AuthenticationFailed { .. } | Self::Lost { .. } => Worth::Dear,
            Self::SaCreated { .. } | Self::SaRemoved { .. } | Self::CapabilitiesChanged => Worth::Association,
        }
    }
}

impl fmt::Display for Event {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.at)?;
        if let Some(NexusId(nexus)) = self.nexus {
            write!(f, "nexus {nexus}: ")?;
        }
        match &self.kind {
            EventKind::CapabilitiesRead => f.write_str("capabilities read"),
            EventKind::CapabilitiesChanged => f.write_str("changed capabilities in effect"),
            EventKind::SequenceStarted { id } => write!(f, "sequence of {id} started"),
            EventKind::SequenceDropped { why } => write!(f, "sequence dropped: {why}"),
            EventKind::SaCreated { id } => write!(f, "SA {id} created"),
            EventKind::SaRemoved { id, why } => write!(f, "SA {id} removed: {why}"),
            EventKind::AuthenticationFailed { identity, method, why } => {
                write!(f, "authentication of {identity} by method {method} failed: {why}")
            }
            EventKind::Refused(report) => write!(f, "{report}"),
            EventKind::LimitReached { limit } => write!(f, "limit reached: {limit}"),
            EventKind::Lost { count } => write!(f, "{count} events lost"),
        }
    }
}

impl fmt::Display for KeptIdentity {
    /// ID TYPE and IDENTIFICATION DATA, bytes that are not printable ASCII as `\x..`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} \"{}\"", self.id_type, self.data.escape_ascii())?;
        if self.is_whole() { Ok(()) } else { write!(f, " and {} bytes more", self.length.saturating_sub(Self::MAX)) }
    }
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "Delete",
            Self::Inactivity => "inactivity timeout",
            Self::InitialContact => "Initial Contact",
            Self::Reset => "reset",
            Self::Administrator => "administrator",
            Self::SequenceNumbers => "no sequence number left",
        })
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProtocolTimeout => "protocol timeout",
            Self::AuthenticationFailures => "too many failed authentications",
            Self::Refused => "a refused command ended it",
            Self::Delete => "Delete",
            Self::NexusLoss => "I_T nexus loss",
            Self::Reset => "reset",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::event_queue::EventQueue;
    use super::*;
    use crate::crypto::Identity;

    fn event(at: u64, kind: EventKind) -> Event {
        Event { at: Instant::from_millis(at), nexus: Some(NexusId(1)), kind }
    }

    fn lost(at: u64, count: u64) -> Option<Event> {
        Some(Event { at: Instant::from_millis(at), nexus: None, kind: EventKind::Lost { count } })
    }

    fn read(at: u64) -> Event {
        event(at, EventKind::CapabilitiesRead)
    }

    fn removed(at: u64) -> Event {
        let id = SaId { ac_sai: crate::wire::Sai(1), ds_sai: crate::wire::Sai(2) };
        event(at, EventKind::SaRemoved { id, why: RemovalReason::Delete })
    }

    fn claimant(identity: &[u8]) -> Claimant {
        Claimant { identity: Identity::key_id(identity), method: 2 }
    }

    #[test]
    fn a_flood_does_not_push_associations_out() {
        let mut events = EventQueue::new(2);
        events.push(removed(0));
        (1..6).for_each(|at| events.push(read(at)));
        assert_eq!(events.pop(), lost(5, 4));
        assert_eq!(events.pop(), Some(removed(0)));
        assert_eq!(events.pop(), Some(read(5)));
        (6..9).for_each(|at| events.push(removed(at)));
        (9..12).for_each(|at| events.push(read(at)));
        assert_eq!(events.pop(), lost(11, 4));
        assert_eq!((events.pop(), events.pop(), events.pop()), (Some(removed(7)), Some(removed(8)), None));
    }

    #[test]
    fn the_oldest_events_are_lost_and_counted() {
        let mut events = EventQueue::new(2);
        (0..5).for_each(|at| events.push(read(at)));
        assert_eq!(events.pop(), lost(4, 3));
        assert_eq!((events.pop(), events.pop(), events.pop()), (Some(read(3)), Some(read(4)), None));
    }

    #[test]
    fn what_costs_an_initiator_more_stays_longer() {
        let dropped = |at| event(at, EventKind::SequenceDropped { why: DropReason::ProtocolTimeout });
        let mut events = EventQueue::new(2);
        [dropped(0), read(1), dropped(2), read(3)].into_iter().for_each(|event| events.push(event));
        assert_eq!(events.pop(), lost(3, 2));
        assert_eq!((events.pop(), events.pop()), (Some(dropped(0)), Some(dropped(2))));
    }

    /// What an initiator sends does not say how much memory an event takes.
    #[test]
    fn an_identity_is_kept_up_to_its_bound() {
        for (length, kept, is_whole) in [(255, 255, true), (256, 256, true), (257, 256, false), (16_000, 256, false)] {
            let identity = KeptIdentity::of(&claimant(&alloc::vec![7; length]));
            assert_eq!((identity.data.len(), identity.length, identity.is_whole()), (kept, length, is_whole));
        }
    }

    #[test]
    fn people_can_read_it() {
        assert_eq!(alloc::format!("{}", read(5)), "5 ms: nexus 1: capabilities read");
        let text = "0 ms: nexus 1: SA 0000000000000001/0000000000000002 removed: Delete";
        assert_eq!(alloc::format!("{}", removed(0)), text);
        let lost = lost(2, 7).unwrap();
        assert_eq!(alloc::format!("{lost}"), "2 ms: 7 events lost");
        let limit = event(3, EventKind::LimitReached { limit: Limit::Jobs });
        assert_eq!(alloc::format!("{limit}"), "3 ms: nexus 1: limit reached: jobs");
        let failed = event(1, EventKind::failed(&claimant(b"host\n"), Denial::UnknownIdentity));
        let text =
            "1 ms: nexus 1: authentication of KeyId \"host\\n\" by method 2 failed: no shared key for that identity";
        assert_eq!(alloc::format!("{failed}"), text);
        let long = EventKind::failed(&claimant(&[b'a'; 300]), Denial::WrongAuth);
        assert!(alloc::format!("{}", event(0, long)).contains("a\" and 44 bytes more by method 2"));
    }

    /// An embedder's log tells every cause apart.
    #[test]
    fn each_cause_has_words_of_its_own() {
        let dropped = [
            (DropReason::ProtocolTimeout, "protocol timeout"),
            (DropReason::AuthenticationFailures, "too many failed authentications"),
            (DropReason::NexusLoss, "I_T nexus loss"),
            (DropReason::Reset, "reset"),
            (DropReason::Refused, "a refused command ended it"),
            (DropReason::Delete, "Delete"),
        ];
        let changed = alloc::format!("{}", event(0, EventKind::CapabilitiesChanged));
        assert_eq!(changed, "0 ms: nexus 1: changed capabilities in effect");
        for (why, words) in dropped {
            let text = alloc::format!("{}", event(0, EventKind::SequenceDropped { why }));
            assert_eq!(text, alloc::format!("0 ms: nexus 1: sequence dropped: {words}"));
        }
        let removed = [
            (RemovalReason::Delete, "Delete"),
            (RemovalReason::Inactivity, "inactivity timeout"),
            (RemovalReason::InitialContact, "Initial Contact"),
            (RemovalReason::Reset, "reset"),
            (RemovalReason::Administrator, "administrator"),
        ];
        let id = SaId { ac_sai: crate::wire::Sai(1), ds_sai: crate::wire::Sai(2) };
        for (why, words) in removed {
            let text = alloc::format!("{}", event(0, EventKind::SaRemoved { id, why }));
            assert!(text.ends_with(&alloc::format!(" removed: {words}")), "{text}");
        }
    }
}
