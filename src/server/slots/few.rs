//! A few nexuses, looked for one by one.

use alloc::vec::Vec;

use super::super::{NexusId, Slot};
use crate::ccs::Ccs;
use crate::crypto::Identity;
use crate::memory::{self, OutOfMemory};
use crate::sa::SaId;
use crate::time::Instant;
use crate::wire::Sai;

/// Nexuses and their sequences.
pub(in crate::server) struct Slots {
    entries: Vec<Entry>,
}

struct Entry {
    nexus: NexusId,
    /// The protocol timeout.
    timeout: Instant,
    slot: Slot,
}

impl Entry {
    fn is_running(&self) -> bool {
        self.slot.ccs.sequence().is_some()
    }
}

impl Slots {
    pub(in crate::server) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Nexuses with a sequence, running or complete.
    pub(in crate::server) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nexuses other than this one with a sequence, and how many of those sequences run.
    pub(in crate::server) fn beside(&self, nexus: NexusId) -> (usize, usize) {
        let others = self.entries.iter().filter(|entry| entry.nexus != nexus);
        others.fold((0, 0), |(all, running), entry| {
            (all.saturating_add(1), running.saturating_add(usize::from(entry.is_running())))
        })
    }

    pub(in crate::server) fn get(&self, nexus: NexusId) -> Option<&Slot> {
        self.entries.iter().find(|entry| entry.nexus == nexus).map(|entry| &entry.slot)
    }

    /// The slot, whose phase and client must stay as they are: [`Slots::advance`] changes them.
    pub(in crate::server) fn get_mut(&mut self, nexus: NexusId) -> Option<&mut Slot> {
        self.entry(nexus).map(|entry| &mut entry.slot)
    }

    /// A running sequence of another nexus: of those the one with the least number.
    pub(in crate::server) fn running_beside(&self, nexus: NexusId) -> Option<&Ccs> {
        let others = self.entries.iter().filter(|entry| entry.nexus != nexus && entry.is_running());
        others.min_by_key(|entry| entry.nexus).map(|entry| &entry.slot.ccs)
    }

    /// True if a running sequence will make an association of that DS_SAI.
    pub(in crate::server) fn is_running(&self, ds_sai: Sai) -> bool {
        let mut sequences = self.entries.iter().filter_map(|entry| entry.slot.ccs.sequence());
        sequences.any(|sequence| sequence.ds_sai == ds_sai)
    }

    /// The nexus whose complete sequence has made the association.
    pub(in crate::server) fn made(&self, id: SaId) -> Option<NexusId> {
        let has_made = |entry: &&Entry| entry.slot.ccs.made() == Some(id);
        self.entries.iter().find(has_made).map(|entry| entry.nexus)
    }

    /// How many associations the identity is about to have.
    pub(in crate::server) fn coming(&self, identity: &Identity) -> usize {
        let is_coming = |entry: &&Entry| entry.slot.ccs.client().is_some_and(|client| client.identity == *identity);
        self.entries.iter().filter(is_coming).count()
    }

    /// Gives a nexus a sequence, instead of what it had. Nothing has changed if there is no memory for it.
    pub(in crate::server) fn insert(
        &mut self,
        nexus: NexusId,
        slot: Slot,
        timeout: Instant,
    ) -> Result<(), OutOfMemory> {
        let new = Entry { nexus, timeout, slot };
        match self.entry(nexus) {
            Some(entry) => *entry = new,
            None => memory::push(&mut self.entries, new)?,
        }
        Ok(())
    }

    /// Room for one more, so that inserting it does not fail.
    pub(in crate::server) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        memory::reserve_exact(&mut self.entries, 1)
    }

    /// Changes the sequence of a nexus, for which no job runs then; gives what the change gives.
    pub(in crate::server) fn advance<R>(&mut self, nexus: NexusId, change: impl FnOnce(&mut Ccs) -> R) -> Option<R> {
        let slot = self.get_mut(nexus)?;
        slot.settle();
        Some(change(&mut slot.ccs))
    }

    pub(in crate::server) fn remove(&mut self, nexus: NexusId) -> Option<Slot> {
        let place = self.entries.iter().position(|entry| entry.nexus == nexus)?;
        memory::swap_remove(&mut self.entries, place).map(|entry| entry.slot)
    }

    /// Any nexus that has a sequence.
    pub(in crate::server) fn any(&self) -> Option<NexusId> {
        self.entries.last().map(|entry| entry.nexus)
    }

    /// The nexus whose protocol timeout is the first, and when it is.
    pub(in crate::server) fn next_timeout(&self) -> Option<(Instant, NexusId)> {
        self.entries.iter().map(|entry| (entry.timeout, entry.nexus)).min()
    }

    /// When the protocol timeout of a nexus is.
    pub(in crate::server) fn timeout(&self, nexus: NexusId) -> Option<Instant> {
        self.entries.iter().find(|entry| entry.nexus == nexus).map(|entry| entry.timeout)
    }

    pub(in crate::server) fn set_timeout(&mut self, nexus: NexusId, at: Instant) {
        if let Some(entry) = self.entry(nexus) {
            entry.timeout = at;
        }
    }

    fn entry(&mut self, nexus: NexusId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.nexus == nexus)
    }
}
