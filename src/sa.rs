//! Security associations of one logical unit (r3 5.13.4.5, 5.13.5, 7.7.4.13; readings R2, R31, R31a).
//!
//! One table serves all I_T nexuses. Memory: `Limits::SA_BYTES` and what it names besides, for each association; of these bytes
//! 60 to 68 find it.
//!
//! What lives here: look-up, inactivity timers, who was authenticated. What does not: how an association comes to be
//! (room `ccs`) and what it is used for (the embedder).

use crate::collections::{Array, Groups, Index, Order};
use crate::crypto::{Identity, Proof};
use crate::keys::SaParameters;
use crate::memory::OutOfMemory;
use crate::time::Instant;
use crate::wire::Sai;

/// The two indexes that name a security association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SaId {
    /// AC_SAI.
    pub ac_sai: Sai,
    /// DS_SAI.
    pub ds_sai: Sai,
}

impl core::fmt::Display for SaId {
    /// AC_SAI and DS_SAI in hexadecimal, a slash between them.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.ac_sai, self.ds_sai)
    }
}

/// Who authenticated, and by what: Initial Contact compares both (reading R31a).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authenticated {
    /// The identity that the application client asserted and proved.
    pub identity: Identity,
    /// The AUTH METHOD by which it did.
    pub method: u8,
    /// The secret or key that proved it.
    pub proof: Proof,
}

impl Authenticated {
    /// True for the same identity authenticated by the same secret or key (reading R31a).
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity && self.proof == other.proof
    }
}

/// A live security association.
#[derive(Debug)]
#[non_exhaustive]
pub struct SecurityAssociation {
    /// The standard's parameters.
    pub parameters: SaParameters,
    /// Who the application client is; `None` when the Authentication phase was omitted.
    pub application_client: Option<Authenticated>,
}

impl SecurityAssociation {
    /// The indexes.
    #[must_use]
    pub const fn id(&self) -> SaId {
        SaId { ac_sai: self.parameters.ac_sai, ds_sai: self.parameters.ds_sai }
    }
}

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

/// A number by which an identity is found (FNV-1a).
pub(crate) fn number_of(identity: &Identity) -> u64 {
    let data = identity.data.iter();
    data.fold(0xCBF2_9CE4_8422_2325, |number, byte| (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyVersion;
    use crate::keys::{MgmtData, SaBlock, SaBytes};

    fn sa(number: u64, timeout: u32, client: Option<(&[u8], u64)>) -> SecurityAssociation {
        let parameters = SaParameters {
            ac_sai: Sai(number),
            ds_sai: Sai(number + 1000),
            timeout,
            ac_sqn: 0,
            ds_sqn: 0,
            kdf_id: 0x0002_0002,
            usage_type: 0x81,
            usage_algorithms: None,
            mgmt_data: MgmtData { encr: 12, key_length: 16, integ: 2, next_message_id: 2 },
            block: SaBlock::new(&SaBytes {
                key_seed: &[0; 20],
                sk_ei: &[0; 16],
                sk_ai: &[0; 20],
                ac_nonce: &[0; 16],
                ds_nonce: &[0; 16],
                ..SaBytes::default()
            })
            .unwrap(),
        };
        let application_client = client.map(|(name, key)| Authenticated {
            identity: Identity::key_id(name),
            method: 2,
            proof: Proof::SharedKey(KeyVersion(key)),
        });
        SecurityAssociation { parameters, application_client }
    }

    fn id(number: u64) -> SaId {
        SaId { ac_sai: Sai(number), ds_sai: Sai(number + 1000) }
    }

    const fn at(milliseconds: u64) -> Instant {
        Instant::from_millis(milliseconds)
    }

    #[test]
    fn both_indexes_name_an_association() {
        let mut sas = SaDatabase::new();
        sas.insert(sa(1, 10, None), at(0)).unwrap();
        assert!(sas.get(id(1)).is_some() && sas.has_ds_sai(Sai(1001)) && !sas.is_empty());
        let other_client = SaId { ac_sai: Sai(2), ds_sai: Sai(1001) };
        assert!(sas.get(other_client).is_none());
        assert!(!sas.remove(other_client) && !sas.touch(other_client, at(0)));
        assert!(sas.remove(id(1)) && !sas.remove(id(1)) && sas.is_empty());
        assert_eq!((sas.len(), sas.next_deadline()), (0, None));
    }

    #[test]
    fn use_restarts_the_inactivity_timer() {
        let mut sas = SaDatabase::new();
        sas.insert(sa(1, 10, None), at(0)).unwrap();
        sas.insert(sa(2, 20, None), at(0)).unwrap();
        assert_eq!((sas.len(), sas.next_deadline()), (2, Some(at(10_000))));
        assert!(sas.touch(id(1), at(9_999)));
        assert_eq!(sas.take_expired(at(19_998)), None);
        assert_eq!(sas.take_expired(at(19_999)), Some(id(1)));
        assert_eq!(sas.take_expired(at(19_999)), None);
        assert_eq!(sas.take_expired(at(20_000)), Some(id(2)));
    }

    /// Reading R31a: same identity and same key, nobody else.
    #[test]
    fn initial_contact_knows_its_own() {
        let mut sas = SaDatabase::new();
        sas.insert(sa(1, 10, Some((b"a", 1))), at(0)).unwrap();
        sas.insert(sa(2, 10, Some((b"a", 2))), at(0)).unwrap();
        sas.insert(sa(3, 10, Some((b"b", 1))), at(0)).unwrap();
        sas.insert(sa(4, 10, None), at(0)).unwrap();
        sas.insert(sa(5, 10, Some((b"a", 1))), at(0)).unwrap();
        let client = sas.get(id(5)).unwrap().application_client.clone().unwrap();
        assert_eq!((sas.count_of(&client, false), sas.count_of(&client, true)), (3, 1));
        let mut removed = alloc::vec::Vec::new();
        sas.remove_others(id(5), &client, |id| removed.push(id));
        assert_eq!((removed.as_slice(), sas.count_of(&client, false)), (&[id(1)][..], 2));
        // A client whose new association is not there yet keeps none.
        sas.remove_others(id(6), &client, |id| removed.push(id));
        assert_eq!((removed.as_slice(), sas.count_of(&client, true)), (&[id(1), id(5)][..], 1));
        assert!([2, 3, 4].iter().all(|number| sas.get(id(*number)).is_some()));
    }
}
