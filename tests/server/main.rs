//! The device server's behaviour around the exchange: CDBs, turns, timers, lifetimes, limits, jobs, failures inside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that goes wrong should stop where it does"
)]

mod admission;
mod cdb;
mod events;
mod failures;
mod faults;
mod jobs;
mod key_exchange_out;
mod lifetimes;
mod limits;
mod printing;
#[path = "../support/provider.rs"]
mod provider;
mod reports;
mod sealed;
mod signatures;
mod turns;

use std::sync::Arc;

use ikev2_scsi::ccs::job::JobDone;
use ikev2_scsi::client::{self, ApplicationClient, ClientConfig, Command, Outcome, Status};
use ikev2_scsi::crypto::{CryptoProvider, Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::{Sense, SenseKey, SenseKeySpecific};
use ikev2_scsi::server::{Builder, Event, EventKind, Limits};
use ikev2_scsi::wire::{Capabilities, Descriptor};
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Profile, Reply, Request};

const DRIVE: &[u8] = b"drive";
const A: NexusId = NexusId(1);
const B: NexusId = NexusId(2);

/// Numbers that look random (xorshift), the same in every run; or nothing at all.
struct TestRandom {
    state: u64,
    fails: bool,
}

impl Random for TestRandom {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        if self.fails {
            return Err(RandomError);
        }
        for byte in out {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            *byte = self.state.to_be_bytes()[3];
        }
        Ok(())
    }
}

fn keys(own: &[u8], peers: &[(&[u8], &[u8])]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    for (peer, secret) in peers {
        keys.add_peer(Identity::key_id(peer).as_payload(), Secret::copy_of(secret)).unwrap();
    }
    Arc::new(keys)
}

/// A device server with a clock, and what it takes to talk to it.
struct Unit {
    server: DeviceServer,
    random: TestRandom,
    now: u64,
}

impl Unit {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self::over(provider::provider(), configure)
    }

    /// Two clients are known: `host-0` and `host-1`.
    fn over(provider: CryptoProvider, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let keys = keys(b"drive's key", &[(b"host-0", b"key 0"), (b"host-1", b"key 1")]);
        let builder = DeviceServer::builder(provider).identity(Identity::key_id(DRIVE)).preshared_keys(keys);
        let server = configure(builder).build().unwrap();
        Self { server, random: TestRandom { state: 0x5EED, fails: false }, now: 0 }
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn send(&mut self, nexus: NexusId, cdb: &[u8], data_out: &[u8]) -> (Reply, Vec<u8>) {
        let mut data_in = vec![0xA5; 17_000];
        let mut data_out = data_out.to_vec();
        let request = Request { cdb, data_out: &mut data_out, data_in: &mut data_in };
        let now = self.instant();
        let reply = self.server.execute(nexus, request, now, &mut self.random);
        let len = if let Reply::Good { len } = reply { len } else { 0 };
        data_in.truncate(len);
        (reply, data_in)
    }

    fn command(&mut self, nexus: NexusId, command: &Command) -> (Reply, Vec<u8>) {
        self.send(nexus, &command.cdb.to_bytes(), &command.data_out)
    }

    /// The sense data of a command that is refused.
    fn refused(&mut self, nexus: NexusId, cdb: &[u8], data_out: &[u8]) -> Sense {
        match self.send(nexus, cdb, data_out).0 {
            Reply::CheckCondition(sense) => sense,
            other => panic!("{cdb:02x?}: {other:?}"),
        }
    }

    /// What the capabilities list.
    fn capabilities(&mut self) -> Vec<Descriptor> {
        let read = self.send(A, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]).1;
        Capabilities::parse_parameter_data(Profile::R3, &read).unwrap().descriptors.iter().collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.server.poll_event()).collect()
    }

    /// What happened, and on which nexus.
    fn told(&mut self) -> Vec<(Option<NexusId>, EventKind)> {
        self.events().into_iter().map(|event| (event.nexus, event.kind)).collect()
    }

    fn run_job(&mut self) -> JobDone {
        self.server.poll_job().expect("a job").run()
    }

    /// The whole exchange of one client on one nexus.
    fn establish(&mut self, nexus: NexusId, host: &Host) -> SaParameters {
        let mut client = host.client();
        loop {
            if let Some(parameters) = self.step(nexus, &mut client) {
                return parameters;
            }
        }
    }

    /// The client's next command, which succeeds.
    fn step(&mut self, nexus: NexusId, client: &mut ApplicationClient) -> Option<SaParameters> {
        let command = client.next_command(&mut self.random).unwrap();
        let (reply, data_in) = self.command(nexus, &command);
        assert!(matches!(reply, Reply::Good { .. }), "{command:?}: {reply:?}");
        match client.reply(Status::Good(&data_in)).unwrap() {
            Outcome::Established(parameters) => Some(*parameters),
            Outcome::Continue => None,
            Outcome::SendAgain(sense) => panic!("{sense}"),
        }
    }

    /// A client whose next command is `upto` commands after reading the capabilities.
    fn client_before(&mut self, nexus: NexusId, host: &Host, upto: usize) -> ApplicationClient {
        let mut client = host.client();
        for _ in 0..=upto {
            assert!(self.step(nexus, &mut client).is_none());
        }
        client
    }
}

/// An application client's configuration.
struct Host(Arc<ClientConfig>);

impl Host {
    fn new(name: &[u8], key: &[u8]) -> Self {
        Self::with(name, key, |builder| builder)
    }

    fn with(
        name: &[u8],
        key: &[u8],
        configure: impl FnOnce(client::ClientConfigBuilder) -> client::ClientConfigBuilder,
    ) -> Self {
        let keys = keys(key, &[(DRIVE, b"drive's key")]);
        let builder = ClientConfig::builder(provider::provider(), Identity::key_id(name)).preshared_keys(keys);
        Self(Arc::new(configure(builder).build().unwrap()))
    }

    fn first() -> Self {
        Self::new(b"host-0", b"key 0")
    }

    fn second() -> Self {
        Self::new(b"host-1", b"key 1")
    }

    fn client(&self) -> ApplicationClient {
        ApplicationClient::new(Arc::clone(&self.0))
    }
}

fn id(parameters: &SaParameters) -> SaId {
    SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai }
}

fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// SENSE KEY, ASC, ASCQ.
fn codes(sense: &Sense) -> (u8, u8, u8) {
    (sense.key.code(), sense.asc.code, sense.asc.qualifier)
}

fn in_cdb(byte: u16) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb: true, byte, bit: None }
}

fn in_list(byte: u16) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb: false, byte, bit: None }
}

/// IKEv2-SCSI OPERATION IN PROGRESS.
const IN_PROGRESS: (u8, u8, u8) = (2, 0x00, 0x1E);
/// LOGICAL UNIT NOT READY, OPERATION IN PROGRESS.
const CALCULATING: (u8, u8, u8) = (2, 0x04, 0x07);
/// IKEv2-SCSI INVALID COMMAND SEQUENCE.
const SEQUENCE: (u8, u8, u8) = (5, 0x2C, 0x00);
/// IKEv2-SCSI PARAMETER VALUE INVALID.
const VALUE: (u8, u8, u8) = (5, 0x74, 0x30);
/// AUTHENTICATION FAILED.
const AUTHENTICATION: (u8, u8, u8) = (5, 0x74, 0x40);
/// INTERNAL TARGET FAILURE.
const INTERNAL: (u8, u8, u8) = (4, 0x44, 0x00);
/// INSUFFICIENT RESOURCES.
const RESOURCES: (u8, u8, u8) = (5, 0x55, 0x03);

const KEY_EXCHANGE_IN: [u8; 12] = [0xA2, 0x41, 0x01, 0x02, 0, 0, 0, 0, 0x40, 0, 0, 0];
const AUTHENTICATION_IN: [u8; 12] = [0xA2, 0x41, 0x01, 0x03, 0, 0, 0, 0, 0x40, 0, 0, 0];

/// A SECURITY PROTOCOL OUT of protocol 41h.
fn out(specific: u8, length: usize) -> [u8; 12] {
    let [l2, l3] = u16::try_from(length).unwrap().to_be_bytes();
    [0xB5, 0x41, 0x01, specific, 0, 0, 0, 0, l2, l3, 0, 0]
}

#[test]
fn no_sense_when_nothing_is_wrong() {
    let mut unit = Unit::new(|builder| builder);
    let now = unit.instant();
    assert_eq!(unit.server.request_sense(A, now).key, SenseKey::NoSense);
}

/// A server may move between threads behind a lock; jobs and their results may run on any.
#[test]
fn whatever_may_move_between_threads_can() {
    fn can_move<T: Send>() {}
    fn can_be_shared<T: Sync>() {}
    can_move::<DeviceServer>();
    can_move::<ikev2_scsi::ccs::job::Job>();
    can_move::<JobDone>();
    can_move::<ApplicationClient>();
    can_be_shared::<DeviceServer>();
    can_be_shared::<ClientConfig>();
}
