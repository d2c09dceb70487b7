//! Security associations of one logical unit (r3 5.13.4.5, 5.13.5, 7.7.4.13; readings R2, R31, R31a).
//!
//! One table serves all I_T nexuses. Memory: `Limits::SA_BYTES` and what it names besides, for each association; of these bytes
//! 60 to 68 find it, with the feature `scale`.
//!
//! What lives here: look-up, in one file for many associations (feature `scale`) and in one for few, inactivity timers, who was authenticated. What does not: how an association comes to be
//! (room `ccs`) and what it is used for (the embedder).

#[cfg(any(test, not(feature = "scale")))]
#[cfg_attr(test, allow(dead_code, unreachable_pub, reason = "unit tests have the other one, and compare"))]
mod few;
#[cfg(any(test, feature = "scale"))]
mod many;

#[cfg(not(any(test, feature = "scale")))]
pub use few::SaDatabase;
#[cfg(any(test, feature = "scale"))]
pub use many::SaDatabase;

use crate::crypto::{Identity, Proof};
use crate::keys::SaParameters;
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

/// A number by which an identity is found (FNV-1a).
#[cfg(any(test, feature = "scale"))]
pub(crate) fn number_of(identity: &Identity) -> u64 {
    let data = identity.data.iter();
    data.fold(0xCBF2_9CE4_8422_2325, |number, byte| (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::crypto::KeyVersion;
    use crate::keys::{MgmtData, SaBlock, SaBytes};
    use crate::time::Instant;

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
        let mut removed = Vec::new();
        sas.remove_others(id(5), &client, |id| removed.push(id));
        assert_eq!((removed.as_slice(), sas.count_of(&client, false)), (&[id(1)][..], 2));
        // A client whose new association is not there yet keeps none.
        sas.remove_others(id(6), &client, |id| removed.push(id));
        assert_eq!((removed.as_slice(), sas.count_of(&client, true)), (&[id(1), id(5)][..], 1));
        assert!([2, 3, 4].iter().all(|number| sas.get(id(*number)).is_some()));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Insert(u64, u32, Option<(u8, u64)>),
        Touch(u64, u64),
        Remove(u64),
        RemoveOthers(u64),
        Expire(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let client = proptest::option::of((0..3_u8, 0..3_u64));
        let number = || 0..20_u64;
        let step = prop_oneof![
            3 => (number(), 0..9_u32, client).prop_map(|(number, timeout, client)| Step::Insert(number, timeout, client)),
            1 => (number(), 0..9000_u64).prop_map(|(number, at)| Step::Touch(number, at)),
            1 => number().prop_map(Step::Remove),
            1 => number().prop_map(Step::RemoveOthers),
            1 => (0..9000_u64).prop_map(Step::Expire),
        ];
        proptest::collection::vec(step, 0..100)
    }

    /// What each step tells, and what can be asked after it.
    type Told = (bool, Vec<SaId>, Vec<SaId>, Vec<[usize; 2]>, Option<Instant>);

    macro_rules! runs {
        ($name:ident, $table:path) => {
            fn $name(steps: &[Step]) -> Vec<Told> {
                let mut sas = <$table>::new();
                let mut run = |step: &Step| {
                    let mut told = Vec::new();
                    let done = match *step {
                        Step::Insert(number, ..) if sas.has_ds_sai(Sai(number + 1000)) => false,
                        Step::Insert(number, timeout, client) => {
                            let client = client.map(|(name, key)| ([name], key));
                            let client = client.as_ref().map(|(name, key)| (&name[..], *key));
                            sas.insert(sa(number, timeout, client), at(0)).is_ok()
                        }
                        Step::Touch(number, now) => sas.touch(id(number), at(now)),
                        Step::Remove(number) => sas.remove(id(number)),
                        Step::RemoveOthers(number) => {
                            let client = sas.get(id(number)).and_then(|sa| sa.application_client.clone());
                            client.is_some_and(|client| {
                                sas.remove_others(id(number), &client, |id| told.push(id));
                                true
                            })
                        }
                        Step::Expire(now) => {
                            told.extend(core::iter::from_fn(|| sas.take_expired(at(now))));
                            !told.is_empty()
                        }
                    };
                    let mut all: Vec<_> = sas.iter().map(SecurityAssociation::id).collect();
                    let clients = sas.iter().filter_map(|sa| sa.application_client.as_ref());
                    let mut counts: Vec<_> =
                        clients.map(|by| [sas.count_of(by, false), sas.count_of(by, true)]).collect();
                    told.sort();
                    all.sort();
                    counts.sort();
                    assert!(all.iter().all(|id| sas.get(*id).is_some() && sas.has_ds_sai(id.ds_sai)));
                    (done, told, all, counts, sas.next_deadline())
                };
                steps.iter().map(|step| run(step)).collect()
            }
        };
    }

    runs!(with_many, SaDatabase);
    runs!(with_few, few::SaDatabase);

    proptest! {
        #[test]
        fn the_table_for_few_tells_what_the_table_for_many_does(steps in steps()) {
            prop_assert_eq!(with_few(&steps), with_many(&steps));
        }
    }
}
