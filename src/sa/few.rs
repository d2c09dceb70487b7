//! Security associations that are looked for one by one: for the few of a small device.

use alloc::vec::Vec;

use super::{Authenticated, SaId, SecurityAssociation};
use crate::memory::{self, OutOfMemory};
use crate::time::Instant;
use crate::wire::Sai;

/// The security associations of a logical unit.
///
/// Each look-up goes through all of them, which is what a device with a few has the code for; the feature `scale` is for those
/// with many.
#[derive(Debug)]
pub struct SaDatabase {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    sa: SecurityAssociation,
    runs_out: Instant,
}

impl SaDatabase {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Number of live associations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without a live association.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The association that both indexes name.
    #[must_use]
    pub fn get(&self, id: SaId) -> Option<&SecurityAssociation> {
        self.entries.get(self.place(id)?).map(|entry| &entry.sa)
    }

    /// The association that both indexes name, to be used.
    pub(crate) fn get_mut(&mut self, id: SaId) -> Option<&mut SecurityAssociation> {
        let place = self.place(id)?;
        self.entries.get_mut(place).map(|entry| &mut entry.sa)
    }

    /// The association that the device server's index names, to be used.
    pub(crate) fn get_mut_by_ds_sai(&mut self, ds_sai: Sai) -> Option<&mut SecurityAssociation> {
        self.entries.iter_mut().map(|entry| &mut entry.sa).find(|sa| sa.parameters.ds_sai == ds_sai)
    }

    /// All associations, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &SecurityAssociation> {
        self.entries.iter().map(|entry| &entry.sa)
    }

    /// True if the index names a live association: it must not be given to another one (reading R2).
    pub(crate) fn has_ds_sai(&self, ds_sai: Sai) -> bool {
        self.iter().any(|sa| sa.parameters.ds_sai == ds_sai)
    }

    /// Adds an association, whose DS_SAI no other one has; nothing has changed if there is no memory for it.
    pub(crate) fn insert(&mut self, sa: SecurityAssociation, now: Instant) -> Result<(), OutOfMemory> {
        let runs_out = now.after_seconds(sa.parameters.timeout);
        memory::push(&mut self.entries, Entry { sa, runs_out })
    }

    /// Room for one more, so that adding it does not fail.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        memory::reserve_exact(&mut self.entries, 1)
    }

    /// Restarts the inactivity timer; tells whether the association is live.
    pub(crate) fn touch(&mut self, id: SaId, now: Instant) -> bool {
        let Some(entry) = self.place(id).and_then(|place| self.entries.get_mut(place)) else { return false };
        entry.runs_out = now.after_seconds(entry.sa.parameters.timeout);
        true
    }

    pub(crate) fn remove(&mut self, id: SaId) -> bool {
        self.take(|entry| entry.sa.id() == id).is_some()
    }

    /// Associations of the identity, those excepted that the client's Initial Contact would remove if it makes one.
    pub(crate) fn count_of(&self, client: &Authenticated, initial_contact: bool) -> usize {
        let counts = |by: &&Authenticated| by.identity == client.identity && !(initial_contact && by.is_same(client));
        self.iter().filter_map(|sa| sa.application_client.as_ref()).filter(counts).count()
    }

    /// Removes the associations, `kept` excepted, of the same client authenticated by the same secret, and tells which.
    pub(crate) fn remove_others(&mut self, kept: SaId, client: &Authenticated, mut tell: impl FnMut(SaId)) {
        let is_other = |entry: &Entry| {
            entry.sa.application_client.as_ref().is_some_and(|by| by.is_same(client)) && entry.sa.id() != kept
        };
        while let Some(id) = self.take(is_other) {
            tell(id);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.runs_out).min()
    }

    /// Removes one association whose inactivity timer has run out: it is due from its own millisecond on.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<SaId> {
        let first = self.next_deadline().filter(|at| *at <= now)?;
        self.take(|entry| entry.runs_out == first)
    }

    /// Removes any association.
    pub(crate) fn take_any(&mut self) -> Option<SaId> {
        self.entries.pop().map(|entry| entry.sa.id())
    }

    fn place(&self, id: SaId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.sa.id() == id)
    }

    fn take(&mut self, is_wanted: impl FnMut(&Entry) -> bool) -> Option<SaId> {
        let place = self.entries.iter().position(is_wanted)?;
        memory::swap_remove(&mut self.entries, place).map(|entry| entry.sa.id())
    }
}
