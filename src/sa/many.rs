//! Security associations that are found without a search, however many there are (feature `scale`).

use super::{Authenticated, SaId, SecurityAssociation, number_of};
use crate::collections::{Array, Groups, Index, Order};
use crate::crypto::Identity;
use crate::memory::OutOfMemory;
use crate::time::Instant;
use crate::wire::Sai;

/// The security associations of a logical unit.
///
/// An association is found by its DS_SAI, by its client's identity and by when it runs out, each without a search through the
/// others. DS_SAIs are drawn by the device server and identities have been proved, so that nobody can choose many of
/// them to slow a search down.
#[derive(Debug)]
pub struct SaDatabase {
    sas: Array<SecurityAssociation>,
    by_ds_sai: Index,
    /// The moments at which they run out, in milliseconds.
    inactivity: Order,
    /// By the identity of the client.
    clients: Groups,
}

impl SaDatabase {
    pub(crate) const fn new() -> Self {
        Self { sas: Array::new(), by_ds_sai: Index::new(), inactivity: Order::new(), clients: Groups::new() }
    }

    /// Number of live associations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.sas.len()
    }

    /// True without a live association.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The association that both indexes name.
    #[must_use]
    pub fn get(&self, id: SaId) -> Option<&SecurityAssociation> {
        self.sas.get(self.place(id)?)
    }

    /// The association that both indexes name, to be used.
    pub(crate) fn get_mut(&mut self, id: SaId) -> Option<&mut SecurityAssociation> {
        let place = self.place(id)?;
        self.sas.get_mut(place)
    }

    /// The association that the device server's index names, to be used.
    pub(crate) fn get_mut_by_ds_sai(&mut self, ds_sai: Sai) -> Option<&mut SecurityAssociation> {
        let place = self.by_ds_sai.find(ds_sai.0)?;
        self.sas.get_mut(place)
    }

    /// All associations, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &SecurityAssociation> {
        self.sas.iter()
    }

    /// True if the index names a live association: it must not be given to another one (reading R2).
    pub(crate) fn has_ds_sai(&self, ds_sai: Sai) -> bool {
        self.by_ds_sai.find(ds_sai.0).is_some()
    }

    /// Adds an association, whose DS_SAI no other one has; nothing has changed if there is no memory for it.
    pub(crate) fn insert(&mut self, sa: SecurityAssociation, now: Instant) -> Result<(), OutOfMemory> {
        self.reserve()?;
        let place = self.len();
        let (ds_sai, runs_out) = (sa.parameters.ds_sai, now.after_seconds(sa.parameters.timeout));
        self.sas.push(sa)?;
        self.by_ds_sai.push()?;
        self.inactivity.push()?;
        self.clients.push()?;
        self.by_ds_sai.set(place, ds_sai.0);
        self.inactivity.set(place, runs_out.as_millis());
        if let Some(client) = self.client(place) {
            let (number, leader) = (number_of(&client.identity), self.leader(&client.identity));
            self.clients.join(place, number, leader);
        }
        Ok(())
    }

    /// Room for one more, so that adding it does not fail.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        self.sas.reserve(self.len().saturating_add(1))?;
        self.by_ds_sai.reserve()?;
        self.inactivity.reserve()?;
        self.clients.reserve()
    }

    /// Restarts the inactivity timer; tells whether the association is live.
    pub(crate) fn touch(&mut self, id: SaId, now: Instant) -> bool {
        let Some(place) = self.place(id) else { return false };
        let Some(timeout) = self.sas.get(place).map(|sa| sa.parameters.timeout) else { return false };
        self.inactivity.set(place, now.after_seconds(timeout).as_millis());
        true
    }

    pub(crate) fn remove(&mut self, id: SaId) -> bool {
        self.place(id).and_then(|place| self.take(place)).is_some()
    }

    /// Associations of the identity, those excepted that the client's Initial Contact would remove if it makes one.
    pub(crate) fn count_of(&self, client: &Authenticated, initial_contact: bool) -> usize {
        let Some(leader) = self.leader(&client.identity) else { return 0 };
        let all = self.clients.count(leader);
        if !initial_contact {
            return all;
        }
        let members = core::iter::successors(Some(leader), |member| self.clients.after(*member)).take(all);
        members.filter(|member| !self.client(*member).is_some_and(|by| by.is_same(client))).count()
    }

    /// Removes the associations, `kept` excepted, of the same client authenticated by the same secret, and tells which. It looks
    /// at those of the identity.
    pub(crate) fn remove_others(&mut self, kept: SaId, client: &Authenticated, mut tell: impl FnMut(SaId)) {
        let number = number_of(&client.identity);
        let count = self.leader(&client.identity).map_or(0, |leader| self.clients.count(leader));
        for _ in 0..count {
            // Each in its turn leads, and goes: for good, or to the end of the ring.
            let Some(leader) = self.leader(&client.identity) else { return };
            let id = self.sas.get(leader).map(SecurityAssociation::id);
            let is_same = self.client(leader).is_some_and(|by| by.is_same(client));
            if let Some(id) = id.filter(|id| is_same && *id != kept) {
                self.take(leader);
                tell(id);
            } else {
                self.clients.leave(leader, leader);
                self.clients.join(leader, number, self.leader(&client.identity));
            }
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.inactivity.first().map(|(at, _)| Instant::from_millis(at))
    }

    /// Removes one association whose inactivity timer has run out: it is due from its own millisecond on.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<SaId> {
        let (_, place) = self.inactivity.first().filter(|(at, _)| *at <= now.as_millis())?;
        self.take(place).map(|sa| sa.id())
    }

    /// Removes any association.
    pub(crate) fn take_any(&mut self) -> Option<SaId> {
        self.take(self.len().checked_sub(1)?).map(|sa| sa.id())
    }

    fn place(&self, id: SaId) -> Option<usize> {
        let is_whole = |place: &usize| self.sas.get(*place).is_some_and(|sa| sa.parameters.ac_sai == id.ac_sai);
        self.by_ds_sai.find(id.ds_sai.0).filter(is_whole)
    }

    fn client(&self, place: usize) -> Option<&Authenticated> {
        self.sas.get(place)?.application_client.as_ref()
    }

    /// The first association of an identity.
    fn leader(&self, identity: &Identity) -> Option<usize> {
        let is_of = |place: usize| self.client(place).is_some_and(|client| client.identity == *identity);
        self.clients.leader(number_of(identity), is_of)
    }

    fn take(&mut self, place: usize) -> Option<SecurityAssociation> {
        let leader = self.client(place).and_then(|client| self.leader(&client.identity));
        if let Some(leader) = leader {
            self.clients.leave(place, leader);
        }
        self.clients.swap_remove(place);
        self.inactivity.swap_remove(place);
        self.by_ds_sai.swap_remove(place);
        self.sas.swap_remove(place)
    }
}
