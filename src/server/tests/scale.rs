//! However many associations, command sequences and jobs there are, an operation looks at a few of them.
//!
//! Counted are elements of the containers, of every column of every table; a search would look at a thousand and more.

use alloc::vec;
use alloc::vec::Vec;

use super::esp::parameters;
use super::transcripts;
use crate::ccs::SlowCrypto;
use crate::collections::looks;
use crate::crypto::{Identity, KeyVersion, Proof, Purpose, Random, RandomError};
use crate::dialect::Profile;
use crate::sa::{Authenticated, SaId, SecurityAssociation};
use crate::server::{DeviceServer, NexusId, Reply, Request};
use crate::time::Instant;
use crate::wire::Sai;

/// How many there are of each.
const MANY: u64 = 1000;
/// How many elements an operation may look at.
const FEW: usize = 150;

/// Other bytes each time.
struct Numbers(u64);

impl Random for Numbers {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

fn id(number: u64) -> SaId {
    SaId { ac_sai: Sai(1), ds_sai: Sai(number << 32) }
}

/// The n-th association: all are one identity's, of two keys.
fn association(number: u64) -> SecurityAssociation {
    let mut parameters = parameters(true, 1);
    (parameters.ac_sai, parameters.ds_sai) = (id(number).ac_sai, id(number).ds_sai);
    parameters.timeout = 100 + u32::try_from(number).unwrap();
    SecurityAssociation { parameters, application_client: Some(client(number % 2)) }
}

fn client(key: u64) -> Authenticated {
    Authenticated { identity: Identity::key_id(b"host"), method: 2, proof: Proof::SharedKey(KeyVersion(key)) }
}

struct World {
    server: DeviceServer,
    cdb: [u8; 12],
    list: Vec<u8>,
    random: Numbers,
}

impl World {
    fn new() -> Self {
        let transcripts = transcripts(Profile::R3);
        let transcript = transcripts.iter().find(|transcript| transcript.name.contains("mandatory")).unwrap();
        let mut server = transcript.server(|policy| policy.slow_crypto = SlowCrypto::Offload);
        let limits = &mut server.setting.limits;
        (limits.nexuses, limits.sequences, limits.sas) = (usize::MAX, usize::MAX, usize::MAX);
        (limits.jobs, limits.sas_per_identity) = (usize::MAX, usize::MAX);
        let command = &transcript.commands[1];
        let mut world = Self { server, cdb: command.cdb, list: command.list.clone(), random: Numbers(1) };
        for number in 0..MANY {
            world.server.sas.insert(association(number), at(0)).unwrap();
            world.key_exchange_out(number);
        }
        world
    }

    fn key_exchange_out(&mut self, nexus: u64) {
        let mut list = self.list.clone();
        let request = Request { cdb: &self.cdb, data_out: &mut list, data_in: &mut [] };
        let reply = self.server.execute(NexusId(nexus), request, at(0), &mut self.random);
        assert_eq!(reply, Reply::Good { len: 0 });
    }
}

const fn at(milliseconds: u64) -> Instant {
    Instant::from_millis(milliseconds)
}

/// What is done, and what does it.
type Operation = (&'static str, fn(&mut World));

const OPERATIONS: [Operation; 14] = [
    ("key exchange OUT", |world| world.key_exchange_out(MANY + 1)),
    ("key exchange IN of a calculation that runs", |world| {
        let cdb = [0xA2, 0x41, 1, 2, 0, 0, 0, 0, 0x40, 0, 0, 0];
        let request = Request { cdb: &cdb, data_out: &mut [], data_in: &mut [] };
        let reply = world.server.execute(NexusId(500), request, at(0), &mut Numbers(0));
        assert!(matches!(reply, Reply::CheckCondition(_)));
    }),
    ("REQUEST SENSE", |world| {
        let _ = world.server.request_sense(NexusId(500), at(0));
    }),
    ("a job taken, failed and given back", |world| {
        let job = world.server.poll_job().unwrap();
        assert!(world.server.complete(job.fail(), &mut [], at(0)).is_none());
    }),
    ("I_T nexus loss", |world| world.server.nexus_lost(NexusId(400))),
    ("nothing is due", |world| world.server.expire(at(1))),
    ("the next deadline", |world| assert!(world.server.next_deadline().is_some())),
    ("look-up", |world| assert!(world.server.sa(id(500), at(1)).is_some())),
    ("use", |world| assert!(world.server.touch(id(0), at(1)))),
    ("removal", |world| assert!(world.server.remove_sa(id(300)))),
    ("insertion", |world| world.server.sas.insert(association(MANY + 1), at(1)).unwrap()),
    ("how many associations the identity has", |world| {
        assert_eq!(world.server.sas.count_of(&client(0), false), 1000);
    }),
    ("another nexus's sequence", |world| assert!(world.server.slots.running_beside(NexusId(0)).is_some())),
    ("an event", |world| {
        // The first tells how many were lost.
        assert!(world.server.poll_event().is_some() && world.server.poll_event().is_some());
    }),
];

#[test]
fn an_operation_looks_at_few_of_many() {
    let mut world = World::new();
    let counts: Vec<_> = OPERATIONS.iter().map(|(name, work)| (*name, looks(|| work(&mut world)))).collect();
    std::println!("{counts:?}");
    assert!(counts.iter().all(|(_, count)| (1..FEW).contains(count)), "{counts:?}");
}

/// Each association and each sequence that runs out is looked at, and few others.
#[test]
fn what_runs_out_costs_what_runs_out() {
    let mut world = World::new();
    let timeout = world.server.next_deadline().unwrap().at;
    let count = looks(|| world.server.expire(timeout));
    assert!(count < FEW * 1000 && world.server.slots.len() == 0, "{count}");
    assert_eq!((world.server.pending.queued(), world.server.sas.len()), (0, 1000));
    for left in (0..1000).rev() {
        let next = world.server.next_deadline().unwrap().at;
        let count = looks(|| world.server.expire(next));
        assert!(count < FEW && world.server.sas.len() == left, "{count}");
    }
    assert!(world.server.next_deadline().is_none());
}

/// An Initial Contact looks at the identity's own associations, and removes those of the same key.
#[test]
fn initial_contact_looks_at_its_own() {
    let mut world = World::new();
    let others = Authenticated { identity: Identity::key_id(b"other"), ..client(0) };
    for number in 0..2 {
        let sa = SecurityAssociation { application_client: Some(others.clone()), ..association(2000 + number) };
        world.server.sas.insert(sa, at(0)).unwrap();
    }
    let mut removed = vec![];
    let count = looks(|| world.server.sas.remove_others(id(2000), &others, |id| removed.push(id)));
    assert!(count < 2 * FEW && removed == [id(2001)], "{count}");
    let count = looks(|| world.server.sas.remove_others(id(0), &client(0), |id| removed.push(id)));
    assert!(count < FEW * 1000 && removed.len() == 500, "{count}");
    assert_eq!((world.server.sas.len(), world.server.sas.count_of(&client(1), false)), (502, 501));
}
