//! Many nexuses (feature `scale`), those that have a command sequence, found by nexus, by DS_SAI, by protocol timeout and by client, and counted: no
//! command looks at the sequences of all of them.

use super::super::{NexusId, Slot};
use crate::ccs::Ccs;
use crate::collections::{Array, Groups, Index, Order};
use crate::crypto::Identity;
use crate::memory::OutOfMemory;
use crate::sa::{self, SaId};
use crate::time::Instant;
use crate::wire::Sai;

/// Nexuses and their sequences.
///
/// Nexuses are numbered by the embedder, DS_SAIs drawn by us, and clients have proved who they are: nobody can choose
/// many of them to slow a search down. To find a sequence in all these ways takes 88 to 104 bytes of
/// [`Limits::CCS_BYTES`](crate::ccs::Limits::CCS_BYTES).
pub(in crate::server) struct Slots {
    slots: Array<Slot>,
    by_nexus: Index,
    /// By the DS_SAI of the association that the sequence makes, or has made.
    by_ds_sai: Index,
    /// Protocol timeouts, in milliseconds.
    timers: Order,
    /// Running sequences, by the numbers of their nexuses.
    running: Order,
    /// By the identity of the client that has authenticated itself and has no association yet.
    clients: Groups,
}

impl Slots {
    pub(in crate::server) const fn new() -> Self {
        Self {
            slots: Array::new(),
            by_nexus: Index::new(),
            by_ds_sai: Index::new(),
            timers: Order::new(),
            running: Order::new(),
            clients: Groups::new(),
        }
    }

    /// Nexuses with a sequence, running or complete.
    pub(in crate::server) const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Nexuses other than this one with a sequence, and how many of those sequences run.
    pub(in crate::server) fn beside(&self, nexus: NexusId) -> (usize, usize) {
        let own = self.place(nexus);
        let is_running = own.is_some_and(|place| self.running.get(place).is_some());
        let slots = self.len().saturating_sub(usize::from(own.is_some()));
        (slots, self.running.len().saturating_sub(usize::from(is_running)))
    }

    pub(in crate::server) fn get(&self, nexus: NexusId) -> Option<&Slot> {
        self.slot(self.place(nexus)?)
    }

    /// The slot, whose phase and client must stay as they are: [`Slots::advance`] changes them.
    pub(in crate::server) fn get_mut(&mut self, nexus: NexusId) -> Option<&mut Slot> {
        let place = self.place(nexus)?;
        self.slots.get_mut(place)
    }

    /// A running sequence of another nexus: of those the one with the least number.
    pub(in crate::server) fn running_beside(&self, nexus: NexusId) -> Option<&Ccs> {
        let (_, place) = self.running.first_beside(self.place(nexus))?;
        self.slot(place).map(|slot| &slot.ccs)
    }

    /// True if a running sequence will make an association of that DS_SAI.
    pub(in crate::server) fn is_running(&self, ds_sai: Sai) -> bool {
        self.by_ds_sai.find_if(ds_sai.0, |place| self.running.get(place).is_some()).is_some()
    }

    /// The nexus whose complete sequence has made the association.
    pub(in crate::server) fn made(&self, id: SaId) -> Option<NexusId> {
        let has_made = |slot: &Slot| slot.ccs.made() == Some(id);
        let place = self.by_ds_sai.find_if(id.ds_sai.0, |place| self.slot(place).is_some_and(has_made))?;
        self.by_nexus.number(place).map(NexusId)
    }

    /// How many associations the identity is about to have.
    pub(in crate::server) fn coming(&self, identity: &Identity) -> usize {
        self.leader(identity).map_or(0, |leader| self.clients.count(leader))
    }

    /// Gives a nexus a sequence, instead of what it had. Nothing has changed if there is no memory for it.
    pub(in crate::server) fn insert(
        &mut self,
        nexus: NexusId,
        slot: Slot,
        timeout: Instant,
    ) -> Result<(), OutOfMemory> {
        let place = match self.place(nexus) {
            Some(place) => {
                self.leave(place);
                if let Some(old) = self.slots.get_mut(place) {
                    *old = slot;
                }
                place
            }
            None => self.add(nexus, slot)?,
        };
        self.enter(place);
        self.timers.set(place, timeout.as_millis());
        Ok(())
    }

    /// Room for one more, so that inserting it does not fail.
    pub(in crate::server) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        self.slots.reserve(self.len().saturating_add(1))?;
        self.by_nexus.reserve()?;
        self.by_ds_sai.reserve()?;
        self.timers.reserve()?;
        self.running.reserve()?;
        self.clients.reserve()
    }

    fn add(&mut self, nexus: NexusId, slot: Slot) -> Result<usize, OutOfMemory> {
        self.reserve()?;
        let place = self.len();
        self.slots.push(slot)?;
        self.by_nexus.push()?;
        self.by_ds_sai.push()?;
        self.timers.push()?;
        self.running.push()?;
        self.clients.push()?;
        self.by_nexus.set(place, nexus.0);
        Ok(place)
    }

    /// Changes the sequence of a nexus, for which no job runs then; gives what the change gives.
    pub(in crate::server) fn advance<R>(&mut self, nexus: NexusId, change: impl FnOnce(&mut Ccs) -> R) -> Option<R> {
        let place = self.place(nexus)?;
        self.leave(place);
        let result = self.slots.get_mut(place).map(|slot| {
            slot.settle();
            change(&mut slot.ccs)
        });
        self.enter(place);
        result
    }

    pub(in crate::server) fn remove(&mut self, nexus: NexusId) -> Option<Slot> {
        self.take(self.place(nexus)?)
    }

    /// Any nexus that has a sequence.
    pub(in crate::server) fn any(&self) -> Option<NexusId> {
        self.by_nexus.number(self.len().checked_sub(1)?).map(NexusId)
    }

    /// The nexus whose protocol timeout is the first, and when it is.
    pub(in crate::server) fn next_timeout(&self) -> Option<(Instant, NexusId)> {
        let (at, place) = self.timers.first()?;
        Some((Instant::from_millis(at), NexusId(self.by_nexus.number(place)?)))
    }

    /// When the protocol timeout of a nexus is.
    pub(in crate::server) fn timeout(&self, nexus: NexusId) -> Option<Instant> {
        self.timers.get(self.place(nexus)?).map(Instant::from_millis)
    }

    pub(in crate::server) fn set_timeout(&mut self, nexus: NexusId, at: Instant) {
        if let Some(place) = self.place(nexus) {
            self.timers.set(place, at.as_millis());
        }
    }

    /// All of them, in no particular order.
    #[cfg(test)]
    pub(in crate::server) fn iter(&self) -> impl Iterator<Item = (NexusId, &Slot)> {
        let nexus = |place| self.by_nexus.number(place).map(NexusId);
        (0..self.len()).filter_map(move |place| Some((nexus(place)?, self.slot(place)?)))
    }

    fn place(&self, nexus: NexusId) -> Option<usize> {
        self.by_nexus.find(nexus.0)
    }

    fn slot(&self, place: usize) -> Option<&Slot> {
        self.slots.get(place)
    }

    /// The client at a place that is about to have an association.
    fn client(&self, place: usize) -> Option<&Identity> {
        self.slot(place)?.ccs.client().map(|client| &client.identity)
    }

    fn leader(&self, identity: &Identity) -> Option<usize> {
        self.clients.leader(sa::number_of(identity), |place| self.client(place) == Some(identity))
    }

    /// Puts a place into what finds its slot.
    fn enter(&mut self, place: usize) {
        let Some(slot) = self.slot(place) else { return };
        let (ds_sai, is_running) = (slot.ccs.sequence.ds_sai, slot.ccs.sequence().is_some());
        self.by_ds_sai.set(place, ds_sai.0);
        if let Some(nexus) = self.by_nexus.number(place).filter(|_| is_running) {
            self.running.set(place, nexus);
        }
        // Its own client is looked for among those that are in a group already.
        if let Some(number) = self.client(place).map(sa::number_of) {
            let is_same = |other: usize| other != place && self.client(other) == self.client(place);
            let leader = self.clients.leader(number, is_same);
            self.clients.join(place, number, leader);
        }
    }

    /// Takes a place out of what finds its slot, but for the nexus and the timer.
    fn leave(&mut self, place: usize) {
        if let Some(leader) = self.client(place).and_then(|client| self.leader(client)) {
            self.clients.leave(place, leader);
        }
        self.running.clear(place);
        self.by_ds_sai.clear(place);
    }

    fn take(&mut self, place: usize) -> Option<Slot> {
        self.leave(place);
        self.clients.swap_remove(place);
        self.running.swap_remove(place);
        self.timers.swap_remove(place);
        self.by_ds_sai.swap_remove(place);
        self.by_nexus.swap_remove(place);
        self.slots.swap_remove(place)
    }
}
