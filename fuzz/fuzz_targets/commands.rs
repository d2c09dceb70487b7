//! Any sequence of commands, honest and not, on several nexuses, with clock jumps, resets, nexus losses and late results:
//! the device server answers each one, points inside what it was sent, keeps its limits, and is the same after a refusal.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use ikev2_scsi::ccs::job::{Job, JobDone};
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::client::{self, ApplicationClient, ClientConfig, Command, Outcome, Status};
use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, DhGroup, Identity, MemoryKeys, Purpose, Random, RandomError, Secret,
};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sense::{Sense, SenseKey, SenseKeySpecific, SequenceCommand};
use ikev2_scsi::server::{Deadline, EventKind, Limits};
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Profile, Reply, Request, SlowCrypto, provider};
use libfuzzer_sys::fuzz_target;

const NEXUSES: u8 = 4;
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.nexuses, limits.sequences) = (3, 2);
    (limits.sas, limits.sas_per_identity) = (3, 2);
    (limits.payloads, limits.certificates, limits.retained) = (16, 2, 4096);
    (limits.jobs, limits.events) = (3, 8);
    // Our clients give up at their first failure.
    limits.auth_failures = 1;
    limits
}

#[derive(Arbitrary, Debug)]
struct Input {
    offload: bool,
    seed: u64,
    operations: Vec<Operation>,
}

impl Input {
    fn profile(&self) -> Profile {
        if self.seed & 2 == 0 { Profile::R3 } else { Profile::SPC4 }
    }
}

#[derive(Arbitrary, Debug)]
enum Operation {
    /// The nexus's honest client sends its next command, perhaps with some bytes changed on the way.
    Honest {
        nexus: u8,
        edits: Vec<(u16, u8)>,
    },
    /// As `Honest` until the association exists or a command is put off, jobs done at once.
    Establish {
        nexus: u8,
        upto: u8,
    },
    /// The Delete of an association that a client has, perhaps changed on the way.
    Delete {
        nexus: u8,
        which: u8,
        edits: Vec<(u16, u8)>,
    },
    /// The nexus's honest client begins anew.
    Anew {
        nexus: u8,
    },
    /// A command that a server knows, with any parameter data.
    Known {
        nexus: u8,
        direction: bool,
        specific: u8,
        length: u16,
        data: Vec<u8>,
    },
    Raw {
        nexus: u8,
        cdb: Vec<u8>,
        data: Vec<u8>,
    },
    Tick {
        milliseconds: u32,
    },
    NexusLost {
        nexus: u8,
    },
    Reset,
    RunJob,
    FailJob,
    Complete {
        which: u8,
    },
    RequestSense {
        nexus: u8,
    },
    TouchAll,
    RemoveFirst,
}

/// A group that costs nothing: the public value is the private one, so that the fuzzer gets past the key exchange.
struct NullGroup;

impl DhGroup for NullGroup {
    fn identifier(&self) -> u32 {
        0x0400
    }
    fn public_length(&self) -> usize {
        16
    }
    fn shared_length(&self) -> usize {
        16
    }
    fn private_length(&self) -> usize {
        16
    }
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        if public.len() == 16 { Ok(()) } else { Err(CryptoError::Length) }
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        random.fill(Purpose::DhPrivate, out)
    }
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        out.copy_from_slice(private);
        Ok(())
    }
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        private.iter().zip(peer).zip(out).for_each(|((a, b), out)| *out = a ^ b);
        Ok(())
    }
}

fn null_provider() -> CryptoProvider {
    CryptoProvider { groups: &[&NullGroup], ..provider::provider() }
}

struct XorShift(u64);

impl Random for XorShift {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_be_bytes()[3];
        }
        Ok(())
    }
}

const DRIVE: &[u8] = b"drive";

fn keys(own: &[u8], peers: &[(&[u8], &[u8])]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    for (peer, secret) in peers {
        keys.add_peer(Identity::key_id(peer).as_payload(), Secret::copy_of(secret)).unwrap();
    }
    Arc::new(keys)
}

struct World {
    profile: Profile,
    server: DeviceServer,
    clients: Vec<Option<ApplicationClient>>,
    /// Whether the command of the nexus's client is held.
    held: [bool; NEXUSES as usize],
    established: Vec<SaParameters>,
    configs: Vec<Arc<ClientConfig>>,
    random: XorShift,
    now: u64,
    done: Vec<JobDone>,
    data_in: Vec<u8>,
}

impl World {
    fn new(input: &Input) -> Self {
        let mut policy = Policy::default();
        policy.slow_crypto = if input.offload { SlowCrypto::Offload } else { SlowCrypto::Inline };
        policy.allow_no_authentication = true;
        policy.waive_complete_row = true;
        let profile = input.profile();
        policy.one_sequence = profile == Profile::SPC4 && input.seed & 4 != 0;
        // The first two nexuses are one client, the third has another identity, the fourth not the key of its own.
        let server = DeviceServer::builder(null_provider())
            .profile(profile)
            .identity(Identity::key_id(DRIVE))
            .preshared_keys(keys(b"drive's key", &[(b"host-0", b"key 0"), (b"host-1", b"key 1")]))
            .policy(policy)
            .limits(limits())
            .report_refusals(true)
            .build()
            .unwrap();
        let config = |name: &[u8], key: &[u8]| {
            let keys = keys(key, &[(DRIVE, b"drive's key")]);
            let builder = ClientConfig::builder(null_provider(), Identity::key_id(name)).preshared_keys(keys);
            let builder = builder.profile(profile);
            Arc::new(builder.initial_contact(name == b"host-1").build().unwrap())
        };
        let hosts: [(&[u8], &[u8]); NEXUSES as usize] =
            [(b"host-0", b"key 0"), (b"host-0", b"key 0"), (b"host-1", b"key 1"), (b"host-1", b"key 0")];
        let configs: Vec<_> = hosts.iter().map(|(name, key)| config(name, key)).collect();
        Self {
            profile,
            server,
            clients: configs.iter().map(|config| Some(ApplicationClient::new(Arc::clone(config)))).collect(),
            held: [false; NEXUSES as usize],
            established: Vec::new(),
            configs,
            random: XorShift(input.seed | 1),
            now: 0,
            done: Vec::new(),
            data_in: vec![0; 20_000],
        }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// What a refused command must leave as it is.
    fn trace(&self, nexus: NexusId) -> (Phase, usize, Option<Deadline>) {
        (self.server.phase(nexus), self.server.sas().len(), self.server.next_deadline())
    }

    fn execute(&mut self, nexus: u8, cdb: &[u8], data_out: &mut [u8]) -> Reply {
        let (nexus, now) = (NexusId(nexus.into()), self.now());
        self.server.expire(now);
        let before = self.trace(nexus);
        let request = Request { cdb, data_out, data_in: &mut self.data_in };
        let reply = self.server.execute(nexus, request, now, &mut self.random);
        if let Reply::CheckCondition(sense) = reply {
            check(self.profile, &sense, cdb.len(), data_out.len());
            let after = self.trace(nexus);
            // What ends a sequence leaves nothing of it, and every association.
            let is_over = after.0 == Phase::Idle && after.1 == before.1 && self.may_end(&sense, cdb);
            assert!(is_over || before == after, "{sense}");
        }
        reply
    }

    /// Whether a refused command may have ended the nexus's sequence.
    fn may_end(&self, sense: &Sense, cdb: &[u8]) -> bool {
        if self.profile == Profile::R3 {
            return (sense.asc.code, sense.asc.qualifier) == (0x74, 0x40);
        }
        let command = match cdb {
            [0xA2, 0x41, ..] => SequenceCommand::In,
            [0xB5, 0x41, 1, 2, ..] => SequenceCommand::KeyExchangeOut,
            [0xB5, 0x41, 1, 4, ..] => SequenceCommand::Delete,
            [0xB5, 0x41, ..] => SequenceCommand::AuthenticationOut,
            _ => return false,
        };
        !sense.keeps_sequence(command)
    }

    fn send(&mut self, nexus: u8, command: &Command, edits: &[(u16, u8)]) -> Reply {
        let mut data_out = command.data_out.to_vec();
        for (at, mask) in edits {
            if let Some(byte) = data_out.get_mut(usize::from(*at)) {
                *byte ^= mask;
            }
        }
        self.execute(nexus, &command.cdb.to_bytes(), &mut data_out)
    }

    fn honest(&mut self, nexus: u8, edits: &[(u16, u8)]) {
        let index = usize::from(nexus);
        let Some(client) = self.clients[index].as_mut().filter(|_| !self.held[index]) else { return };
        let Ok(command) = client.next_command(&mut self.random) else { return };
        let reply = self.send(nexus, &command, edits);
        self.answer(index, reply);
    }

    /// Gives the client its reply; an exchange that has ended leaves no client.
    fn answer(&mut self, index: usize, reply: Reply) {
        let Some(mut client) = self.clients[index].take() else { return };
        self.held[index] = matches!(reply, Reply::Held(_));
        let outcome = match reply {
            Reply::Good { len } => client.reply(Status::Good(&self.data_in[..len])),
            Reply::CheckCondition(sense) => client.reply(Status::CheckCondition(sense.to_fixed().as_ref())),
            Reply::Held(_) => Ok(Outcome::Continue),
        };
        match outcome {
            Ok(Outcome::Established(parameters)) => self.established.push(*parameters),
            Ok(Outcome::Continue | Outcome::SendAgain(_)) => self.clients[index] = Some(client),
            Err(_) => {}
        }
    }

    fn complete(&mut self, which: u8) {
        if self.done.is_empty() {
            return;
        }
        let done = self.done.swap_remove(usize::from(which) % self.done.len());
        let now = self.now();
        let Some((NexusId(nexus), reply)) = self.server.complete(done, &mut self.data_in, now) else { return };
        assert!(!matches!(reply, Reply::Held(_)));
        let index = usize::try_from(nexus).unwrap();
        if self.held[index] {
            self.answer(index, reply);
        }
    }

    fn establish(&mut self, nexus: u8, upto: u8) {
        for _ in 0..upto {
            self.honest(nexus, &[]);
            while let Some(job) = self.server.poll_job() {
                self.done.push(job.run());
                self.complete(u8::MAX);
            }
        }
    }

    fn delete(&mut self, nexus: u8, which: u8, edits: &[(u16, u8)]) {
        if self.established.is_empty() {
            return;
        }
        let parameters = self.established.swap_remove(usize::from(which) % self.established.len());
        let Ok(command) = client::delete(&self.configs[0], parameters, &mut self.random) else { return };
        let _ = self.send(nexus, &command, edits);
    }

    fn begin_anew(&mut self, index: usize) {
        self.clients[index] = Some(ApplicationClient::new(Arc::clone(&self.configs[index])));
        self.held[index] = false;
    }

    fn step(&mut self, operation: &Operation) {
        let now = self.now();
        match operation {
            Operation::Honest { nexus, edits } => self.honest(nexus % NEXUSES, edits),
            Operation::Establish { nexus, upto } => self.establish(nexus % NEXUSES, upto % 6),
            Operation::Delete { nexus, which, edits } => self.delete(nexus % NEXUSES, *which, edits),
            Operation::Anew { nexus } => self.begin_anew(usize::from(nexus % NEXUSES)),
            Operation::Known { nexus, direction, specific, length, data } => {
                let [l2, l3] = length.to_be_bytes();
                let operation = if *direction { 0xA2 } else { 0xB5 };
                let cdb = [operation, 0x41, 1, 2 + specific % 3, 0, 0, 0, 0, l2, l3, 0, 0];
                let _ = self.execute(nexus % NEXUSES, &cdb, &mut data.clone());
            }
            Operation::Raw { nexus, cdb, data } => {
                let _ = self.execute(nexus % NEXUSES, cdb, &mut data.clone());
            }
            Operation::Tick { milliseconds } => self.now += u64::from(*milliseconds),
            Operation::NexusLost { nexus } => self.server.nexus_lost(NexusId((nexus % NEXUSES).into())),
            Operation::Reset => self.server.reset(),
            Operation::RunJob => self.done.extend(self.server.poll_job().map(Job::run)),
            Operation::FailJob => self.done.extend(self.server.poll_job().map(Job::fail)),
            Operation::Complete { which } => self.complete(*which),
            Operation::RequestSense { nexus } => {
                let sense = self.server.request_sense(NexusId((nexus % NEXUSES).into()), now);
                assert!(matches!(sense.key, SenseKey::NoSense | SenseKey::NotReady));
            }
            Operation::TouchAll => {
                let ids: Vec<_> = self.server.sas().iter().map(|sa| sa.id()).collect();
                ids.into_iter().for_each(|id| assert!(self.server.touch(id, now) || self.now > 0));
            }
            Operation::RemoveFirst => {
                let id = self.server.sas().iter().next().map(|sa| sa.id());
                id.into_iter().for_each(|id| assert!(self.server.remove_sa(id)));
            }
        }
    }
}

/// A field pointer lies inside the CDB or the parameter list, or at the LENGTH field that a list of SPC-4 is too short for (question
/// Q18); every ILLEGAL REQUEST has one.
fn check(profile: Profile, sense: &Sense, cdb: usize, list: usize) {
    match (sense.key, sense.specific) {
        (SenseKey::IllegalRequest, SenseKeySpecific::Field { in_cdb, byte, .. }) => {
            let least = if profile == Profile::SPC4 { 28 } else { 0 };
            let size = if in_cdb { cdb.max(12) } else { list.max(least) };
            assert!(usize::from(byte) < size, "{sense} in {size} bytes");
        }
        (SenseKey::NotReady, SenseKeySpecific::Progress(_)) => {}
        // A key exchange IN after a job that failed; the command of a failed job is answered by `complete`.
        (SenseKey::HardwareError, SenseKeySpecific::None) => {}
        (SenseKey::AbortedCommand, SenseKeySpecific::None) if profile == Profile::SPC4 => {}
        other => panic!("{other:?}"),
    }
}

fuzz_target!(|input: Input| {
    let mut world = World::new(&input);
    let limits = limits();
    for operation in input.operations.iter().take(64) {
        world.step(operation);
        assert!(world.server.sas().len() <= limits.sas);
        if let Some(deadline) = world.server.next_deadline() {
            world.server.expire(Instant::from_millis(world.now));
            assert!(world.server.next_deadline().is_none_or(|next| next.at >= deadline.at));
        }
    }
    let mut kept = 0;
    while let Some(event) = world.server.poll_event() {
        // The loss of others, where there is one, is told besides.
        kept += usize::from(!matches!(event.kind, EventKind::Lost { .. }));
        assert!(!event.to_string().contains('\n'));
    }
    assert!(kept <= limits.events);
});
