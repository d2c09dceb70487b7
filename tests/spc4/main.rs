//! The device server of SPC-4, clause by clause: sealed messages by hand, against a client that was written from the documents.
#![cfg(feature = "rustcrypto")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it counted"
)]

mod capabilities;
mod cells;
mod certificates;
mod client;
mod deletes;
mod exchange;
mod failures;
mod jobs;
mod key_exchange;
mod model;
mod nexuses;
mod parameters;
mod sealed;
mod selection;
mod timers;
mod toys;

use std::sync::Arc;

use client::{Client, Suite};
use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::crypto::{
    CertificateValidator, Credential, Identity, MemoryKeys, Purpose, Random, RandomError, Secret,
};
use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::{Sense, SenseKeySpecific};
use ikev2_scsi::server::{Builder, EventKind};
use ikev2_scsi::wire::Sai;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Profile, Reply, Request, SlowCrypto};
use toys::{First, ToySigner};

const A: NexusId = NexusId(1);
const B: NexusId = NexusId(2);

/// A random source that never gives a value twice; or nothing at all.
struct Numbers {
    state: u64,
    fails: bool,
}

impl Random for Numbers {
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

/// Sense key, ASC, ASCQ.
type Code = (u8, u8, u8);
const BUSY: Code = (2, 0x04, 0x13);
const HARDWARE: Code = (4, 0x44, 0x00);
const CDB: Code = (5, 0x24, 0x00);
const LIST: Code = (5, 0x26, 0x00);
const SEQUENCE: Code = (5, 0x2C, 0x00);
const RESOURCES: Code = (5, 0x55, 0x03);
const INVALID: Code = (5, 0x74, 0x10);
const REJECTED: Code = (5, 0x74, 0x11);
const UNSUPPORTED: Code = (5, 0x74, 0x30);
const CONFLICT: Code = (11, 0x00, 0x1E);
const UNABLE: Code = (11, 0x44, 0x00);
const DENIED: Code = (11, 0x74, 0x40);

const fn code(sense: &Sense) -> Code {
    (sense.key.code(), sense.asc.code, sense.asc.qualifier)
}

fn in_list(byte: usize) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb: false, byte: u16::try_from(byte).unwrap(), bit: None }
}

const fn in_list_bit(byte: u16, bit: u8) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb: false, byte, bit: Some(bit) }
}

const fn in_cdb(byte: u16) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb: true, byte, bit: None }
}

/// One of the commands of protocol 41h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    KeyExchangeOut,
    KeyExchangeIn,
    AuthenticationOut,
    AuthenticationIn,
    Delete,
}

impl Command {
    fn cdb(self, length: usize) -> [u8; 12] {
        let (operation, specific) = match self {
            Self::KeyExchangeOut => (0xB5, 2),
            Self::KeyExchangeIn => (0xA2, 2),
            Self::AuthenticationOut => (0xB5, 3),
            Self::AuthenticationIn => (0xA2, 3),
            Self::Delete => (0xB5, 4),
        };
        let length = if operation == 0xA2 { 0x4000 } else { length };
        let [l0, l1, l2, l3] = u32::try_from(length).unwrap().to_be_bytes();
        [operation, 0x41, 1, specific, 0, 0, l0, l1, l2, l3, 0, 0]
    }
}

/// A policy for tests: no complete row of table 82, and an exchange without authentication is allowed.
fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    (policy.waive_complete_row, policy.allow_no_authentication) = (true, true);
    policy.usage_types = vec![
        UsageType::TAPE_DATA_ENCRYPTION,
        UsageType::CBCS,
        UsageType::new(0xBFFF),
        UsageType { code: 0xC000, max_data: 8 },
    ]
    .into();
    change(&mut policy);
    policy
}

fn shared_keys() -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(b"drive's key")).unwrap();
    for (name, key) in [(&b"host"[..], &b"host's key"[..]), (b"other", b"other's key")] {
        keys.add_peer(Identity::key_id(name).as_payload(), Secret::copy_of(key)).unwrap();
    }
    Arc::new(keys)
}

fn builder() -> Builder {
    DeviceServer::builder(toys::toy_provider())
        .profile(Profile::SPC4)
        .identity(Identity::key_id(b"drive"))
        .preshared_keys(shared_keys())
        .policy(policy(|_| {}))
}

/// The same that can sign, and that verifies signatures; `authorities` are asked for.
fn signing(builder: Builder, authorities: usize) -> (Builder, Arc<First>) {
    let first = Arc::new(First { authorities: vec![[9; 20]; authorities], ..First::default() });
    let own = Credential::with_certificates(Arc::new(ToySigner(b"drive")), &[b"drive", b"drive's CA"]);
    (builder.credential(own).validator(Arc::clone(&first) as Arc<dyn CertificateValidator>), first)
}

/// A device server with a clock.
struct Bench {
    server: DeviceServer,
    random: Numbers,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let server = change(builder()).build().unwrap();
        Self { server, random: Numbers { state: 0x5EED, fails: false }, now: 0 }
    }

    fn offloading() -> Self {
        Self::with(|builder| builder.policy(policy(|policy| policy.slow_crypto = SlowCrypto::Offload)))
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn execute(&mut self, nexus: NexusId, cdb: &[u8], list: &[u8]) -> (Reply, Vec<u8>) {
        let (mut data_out, mut data_in) = (list.to_vec(), vec![0xA5; 0x4000]);
        let request = Request { cdb, data_out: &mut data_out, data_in: &mut data_in };
        let now = self.instant();
        let reply = self.server.execute(nexus, request, now, &mut self.random);
        data_in.truncate(if let Reply::Good { len } = reply { len } else { 0 });
        (reply, data_in)
    }

    fn send(&mut self, nexus: NexusId, command: Command, list: &[u8]) -> (Reply, Vec<u8>) {
        self.execute(nexus, &command.cdb(list.len()), list)
    }

    fn good(&mut self, nexus: NexusId, command: Command, list: &[u8]) -> Vec<u8> {
        match self.send(nexus, command, list) {
            (Reply::Good { .. }, data_in) => data_in,
            (other, _) => panic!("{command:?}: {other:?}"),
        }
    }

    fn refused(&mut self, nexus: NexusId, command: Command, list: &[u8]) -> Sense {
        let cdb = command.cdb(list.len());
        self.refused_cdb(nexus, &cdb, list)
    }

    fn refused_cdb(&mut self, nexus: NexusId, cdb: &[u8], list: &[u8]) -> Sense {
        match self.execute(nexus, cdb, list).0 {
            Reply::CheckCondition(sense) => sense,
            other => panic!("{cdb:02x?}: {other:?}"),
        }
    }

    fn capabilities(&mut self, nexus: NexusId) -> Vec<u8> {
        self.execute(nexus, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]).1
    }

    /// A client that has read the capabilities.
    fn client(&mut self, nexus: NexusId, suite: Suite, ac_sai: u32) -> Client {
        let mut client = Client::new(suite, ac_sai);
        client.capabilities = self.capabilities(nexus);
        client
    }

    /// The client's next command, which succeeds; nothing after the last one.
    fn step(&mut self, nexus: NexusId, client: &mut Client) {
        match self.server.phase(nexus) {
            Phase::Idle => {
                let out = client.key_exchange_out();
                self.good(nexus, Command::KeyExchangeOut, &out);
            }
            Phase::KeyExchangeOut => {
                let answer = self.good(nexus, Command::KeyExchangeIn, &[]);
                client.read_key_exchange_in(&answer);
            }
            Phase::KeyExchangeIn => {
                self.good(nexus, Command::AuthenticationOut, &client.authentication_out());
            }
            Phase::AuthenticationOut => {
                let answer = self.good(nexus, Command::AuthenticationIn, &[]);
                let key: &[u8] = if client.suite.auth[1] == client::P521 { b"drive" } else { b"drive's key" };
                client.read_authentication_in(&answer, key);
            }
            Phase::Complete | Phase::CompleteUnauthenticated => panic!("the sequence is complete"),
        }
    }

    /// The rest of a sequence that goes on where it was: it makes its association.
    fn finish(&mut self, nexus: NexusId, client: &mut Client) {
        assert_ne!(self.server.phase(nexus), Phase::Idle, "the sequence goes on");
        while !matches!(self.server.phase(nexus), Phase::Complete | Phase::CompleteUnauthenticated) {
            self.step(nexus, client);
        }
        assert!(self.has(client), "the association is there");
    }

    /// A sequence of which so many commands have succeeded: 0 to 4.
    fn after(&mut self, nexus: NexusId, suite: Suite, ac_sai: u32, commands: usize) -> Client {
        let mut client = self.client(nexus, suite, ac_sai);
        if commands > 0 {
            let out = client.key_exchange_out();
            self.good(nexus, Command::KeyExchangeOut, &out);
        }
        (1..commands).for_each(|_| self.step(nexus, &mut client));
        client
    }

    fn establish(&mut self, nexus: NexusId, suite: Suite, ac_sai: u32) -> Client {
        let mut client = self.client(nexus, suite, ac_sai);
        self.begin_and_finish(nexus, &mut client);
        client
    }

    fn begin_and_finish(&mut self, nexus: NexusId, client: &mut Client) {
        let out = client.key_exchange_out();
        self.good(nexus, Command::KeyExchangeOut, &out);
        self.finish(nexus, client);
    }

    fn has(&mut self, client: &Client) -> bool {
        let now = self.instant();
        self.server.sa(id(client), now).is_some()
    }

    /// Nothing is left of the nexus's sequence: what needs one is told so, and another one begins at once.
    fn is_abandoned(&mut self, nexus: NexusId, client: &Client) {
        self.server.expire(self.instant());
        assert_eq!(self.server.phase(nexus), Phase::Idle);
        let (out, delete) = (client.authentication_out(), client.delete());
        assert_eq!(code(&self.refused(nexus, Command::AuthenticationOut, &out)), CDB);
        assert_eq!(code(&self.refused(nexus, Command::AuthenticationIn, &[])), CDB);
        let is_beside = [A, B].into_iter().any(|other| {
            other != nexus
                && !matches!(self.server.phase(other), Phase::Idle | Phase::Complete | Phase::CompleteUnauthenticated)
        });
        let none = if is_beside { BUSY } else { SEQUENCE };
        assert_eq!(code(&self.refused(nexus, Command::KeyExchangeIn, &[])), none);
        if !self.has(client) {
            assert_eq!(code(&self.refused(nexus, Command::Delete, &delete)), LIST);
        }
        let again = self.establish(nexus, client.suite, client.ac_sai ^ 0x5555_0000);
        assert_ne!(again.ds_sai, client.ds_sai);
    }

    fn events(&mut self) -> Vec<(Option<NexusId>, EventKind)> {
        std::iter::from_fn(|| self.server.poll_event()).map(|event| (event.nexus, event.kind)).collect()
    }
}

fn id(client: &Client) -> SaId {
    SaId { ac_sai: Sai(client.ac_sai.into()), ds_sai: Sai(client.ds_sai.into()) }
}
