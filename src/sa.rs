//! Security associations of one logical unit (r3 5.13.4.5, 5.13.5, 7.7.4.13; readings R2, R31, R31a).
//!
//! One table serves all I_T nexuses. Memory: `Limits::SA_BYTES` and what it names besides, for each association.
//!
//! What lives here: look-up, inactivity timers, who was authenticated. What does not: how an association comes to be
//! (room `ccs`) and what it is used for (the embedder).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::crypto::{Identity, Proof};
use crate::keys::SaParameters;
use crate::time::{Deadlines, Instant};
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
#[derive(Debug)]
pub struct SaDatabase {
    by_ds_sai: BTreeMap<Sai, SecurityAssociation>,
    inactivity: Deadlines<Sai>,
}

impl SaDatabase {
    pub(crate) const fn new() -> Self {
        Self { by_ds_sai: BTreeMap::new(), inactivity: Deadlines::new() }
    }

    /// Number of live associations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_ds_sai.len()
    }

    /// True without a live association.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_ds_sai.is_empty()
    }

    /// The association that both indexes name.
    #[must_use]
    pub fn get(&self, id: SaId) -> Option<&SecurityAssociation> {
        self.by_ds_sai.get(&id.ds_sai).filter(|sa| sa.parameters.ac_sai == id.ac_sai)
    }

    /// The association that both indexes name, to be used.
    pub(crate) fn get_mut(&mut self, id: SaId) -> Option<&mut SecurityAssociation> {
        self.get_mut_by_ds_sai(id.ds_sai).filter(|sa| sa.parameters.ac_sai == id.ac_sai)
    }

    /// The association that the device server's index names, to be used.
    pub(crate) fn get_mut_by_ds_sai(&mut self, ds_sai: Sai) -> Option<&mut SecurityAssociation> {
        self.by_ds_sai.get_mut(&ds_sai)
    }

    /// All associations, by ascending DS_SAI.
    pub fn iter(&self) -> impl Iterator<Item = &SecurityAssociation> {
        self.by_ds_sai.values()
    }

    /// True if the index names a live association: it must not be given to another one (reading R2).
    pub(crate) fn has_ds_sai(&self, ds_sai: Sai) -> bool {
        self.by_ds_sai.contains_key(&ds_sai)
    }

    pub(crate) fn insert(&mut self, sa: SecurityAssociation, now: Instant) {
        let ds_sai = sa.parameters.ds_sai;
        self.inactivity.set(ds_sai, now.after_seconds(sa.parameters.timeout));
        self.by_ds_sai.insert(ds_sai, sa);
    }

    /// Restarts the inactivity timer; tells whether the association is live.
    pub(crate) fn touch(&mut self, id: SaId, now: Instant) -> bool {
        let Some(timeout) = self.get(id).map(|sa| sa.parameters.timeout) else { return false };
        self.inactivity.set(id.ds_sai, now.after_seconds(timeout));
        true
    }

    pub(crate) fn remove(&mut self, id: SaId) -> bool {
        if self.get(id).is_none() {
            return false;
        }
        self.inactivity.clear(id.ds_sai);
        self.by_ds_sai.remove(&id.ds_sai).is_some()
    }

    /// The associations, `kept` excepted, of the same client authenticated by the same secret.
    pub(crate) fn others_of(&self, kept: SaId, client: &Authenticated) -> Vec<SaId> {
        let is_other = |sa: &&SecurityAssociation| {
            sa.id() != kept && sa.application_client.as_ref().is_some_and(|by| by.is_same(client))
        };
        self.iter().filter(is_other).map(SecurityAssociation::id).collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.inactivity.next().map(|(at, _)| at)
    }

    /// Removes one association whose inactivity timer has run out.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<SaId> {
        let ds_sai = self.inactivity.take_due(now)?;
        self.by_ds_sai.remove(&ds_sai).map(|sa| sa.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyVersion, Secret};
    use crate::keys::MgmtData;

    fn sa(number: u64, timeout: u32, client: Option<(&[u8], u64)>) -> SecurityAssociation {
        let parameters = SaParameters {
            ac_sai: Sai(number),
            ds_sai: Sai(number + 1000),
            timeout,
            ac_sqn: 0,
            ds_sqn: 0,
            ac_nonce: [0; 16].into(),
            ds_nonce: [0; 16].into(),
            key_seed: Secret::copy_of(&[0; 20]),
            kdf_id: 0x0002_0002,
            keymat: Secret::zeroed(0),
            usage_type: 0x81,
            usage_algorithms: None,
            usage_data: [].into(),
            mgmt_data: MgmtData {
                encr: 12,
                key_length: 16,
                integ: 2,
                sk_ei: Secret::copy_of(&[0; 16]),
                sk_ai: Secret::copy_of(&[0; 20]),
                sk_er: Secret::zeroed(0),
                sk_ar: Secret::zeroed(0),
                next_message_id: 2,
            },
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
        sas.insert(sa(1, 10, None), at(0));
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
        sas.insert(sa(1, 10, None), at(0));
        sas.insert(sa(2, 20, None), at(0));
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
        sas.insert(sa(1, 10, Some((b"a", 1))), at(0));
        sas.insert(sa(2, 10, Some((b"a", 2))), at(0));
        sas.insert(sa(3, 10, Some((b"b", 1))), at(0));
        sas.insert(sa(4, 10, None), at(0));
        sas.insert(sa(5, 10, Some((b"a", 1))), at(0));
        let client = sas.get(id(5)).unwrap().application_client.clone().unwrap();
        assert_eq!(sas.others_of(id(5), &client), [id(1)]);
    }
}
