//! Any sequence of commands, honest and not, on several nexuses, with clock jumps, resets, nexus losses and late results:
//! the device server answers each one, points inside what it was sent, and keeps its limits.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use ikev2_scsi::ccs::job::JobDone;
use ikev2_scsi::client::{ApplicationClient, ClientConfig, Outcome, Status};
use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, DhExchange, DhGroup, Identity, MemoryKeys, Purpose, Random, RandomError, Secret,
};
use ikev2_scsi::sense::{Sense, SenseKey, SenseKeySpecific};
use ikev2_scsi::server::Limits;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request, SlowCrypto, provider};
use libfuzzer_sys::fuzz_target;

const NEXUSES: u8 = 3;
const LIMITS: Limits =
    Limits { nexuses: 3, sequences: 2, sas: 3, sas_per_identity: 2, parameter_list: 16_384, events: 8 };

#[derive(Arbitrary, Debug)]
struct Input {
    offload: bool,
    seed: u64,
    operations: Vec<Operation>,
}

#[derive(Arbitrary, Debug)]
enum Operation {
    /// The nexus's honest client sends its next command, perhaps with some bytes changed on the way.
    Honest { nexus: u8, edits: Vec<(u16, u8)> },
    /// The nexus's honest client begins anew.
    Anew { nexus: u8 },
    /// A command that a server knows, with any parameter data.
    Known { nexus: u8, direction: bool, specific: u8, length: u16, data: Vec<u8> },
    Raw { nexus: u8, cdb: Vec<u8>, data: Vec<u8> },
    Tick { milliseconds: u32 },
    NexusLost { nexus: u8 },
    Reset,
    RunJob,
    Complete { which: u8 },
    RequestSense { nexus: u8 },
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
    fn draw_private(&self, random: &mut dyn Random) -> Result<Secret, RandomError> {
        random.dh_private(16)
    }
    fn start(&self, private: Secret) -> Result<Box<dyn DhExchange>, CryptoError> {
        Ok(Box::new(NullExchange(private)))
    }
}

struct NullExchange(Secret);

impl DhExchange for NullExchange {
    fn public(&self) -> &[u8] {
        self.0.expose()
    }
    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        let shared: Vec<u8> = self.0.expose().iter().zip(peer).map(|(a, b)| a ^ b).collect();
        Ok(Secret::from(shared))
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
    server: DeviceServer,
    clients: Vec<Option<ApplicationClient>>,
    configs: Vec<Arc<ClientConfig>>,
    random: XorShift,
    now: u64,
    done: Vec<JobDone>,
    data_in: Vec<u8>,
}

impl World {
    fn new(input: &Input) -> Self {
        let policy = Policy {
            slow_crypto: if input.offload { SlowCrypto::Offload } else { SlowCrypto::Inline },
            allow_no_authentication: true,
            ..Policy::default()
        };
        // The first two nexuses are one client, the third has another identity.
        let server = DeviceServer::builder(null_provider())
            .identity(Identity::key_id(DRIVE))
            .preshared_keys(keys(b"drive's key", &[(b"host-0", b"key 0"), (b"host-1", b"key 1")]))
            .policy(policy)
            .limits(LIMITS)
            .build()
            .unwrap();
        let config = |name: &[u8], key: &[u8]| {
            let keys = keys(key, &[(DRIVE, b"drive's key")]);
            let builder = ClientConfig::builder(null_provider(), Identity::key_id(name), keys);
            Arc::new(builder.initial_contact(name == b"host-1").build().unwrap())
        };
        let configs = vec![config(b"host-0", b"key 0"), config(b"host-0", b"key 0"), config(b"host-1", b"key 1")];
        Self {
            server,
            clients: configs.iter().map(|config| Some(ApplicationClient::new(Arc::clone(config)))).collect(),
            configs,
            random: XorShift(input.seed | 1),
            now: 0,
            done: Vec::new(),
            data_in: vec![0; 20_000],
        }
    }

    fn execute(&mut self, nexus: u8, cdb: &[u8], data_out: &mut [u8]) -> Reply {
        let request = Request { cdb, data_out, data_in: &mut self.data_in };
        let now = Instant::from_millis(self.now);
        let reply = self.server.execute(NexusId(nexus.into()), request, now, &mut self.random);
        if let Reply::CheckCondition(sense) = reply {
            check(&sense, cdb.len(), data_out.len());
        }
        reply
    }

    fn honest(&mut self, nexus: u8, edits: &[(u16, u8)]) {
        let index = usize::from(nexus);
        let Some(mut client) = self.clients[index].take() else { return };
        let Ok(command) = client.next_command(&mut self.random) else { return };
        let mut data_out = command.data_out.to_vec();
        for (at, mask) in edits {
            if let Some(byte) = data_out.get_mut(usize::from(*at)) {
                *byte ^= mask;
            }
        }
        let reply = self.execute(nexus, &command.cdb.to_bytes(), &mut data_out);
        let outcome = match reply {
            Reply::Good { len } => client.reply(Status::Good(&self.data_in[..len])),
            Reply::CheckCondition(sense) => client.reply(Status::CheckCondition(sense.to_fixed().as_ref())),
            // The held reply comes later, or never; the client asks again by the same command.
            Reply::Held => Ok(Outcome::Continue),
        };
        if let Ok(Outcome::Continue | Outcome::SendAgain(_)) = outcome {
            self.clients[index] = Some(client);
        }
    }

    fn complete(&mut self, which: u8) {
        if self.done.is_empty() {
            return;
        }
        let done = self.done.swap_remove(usize::from(which) % self.done.len());
        let reply = self.server.complete(done, &mut self.data_in, Instant::from_millis(self.now));
        assert!(!matches!(reply, Some((_, Reply::Held))));
    }

    fn step(&mut self, operation: &Operation) {
        let now = Instant::from_millis(self.now);
        match operation {
            Operation::Honest { nexus, edits } => self.honest(nexus % NEXUSES, edits),
            Operation::Anew { nexus } => {
                let index = usize::from(nexus % NEXUSES);
                self.clients[index] = Some(ApplicationClient::new(Arc::clone(&self.configs[index])));
            }
            Operation::Known { nexus, direction, specific, length, data } => {
                let [l2, l3] = length.to_be_bytes();
                let operation = if *direction { 0xA2 } else { 0xB5 };
                let cdb = [operation, 0x41, 1, 2 + specific % 3, 0, 0, 0, 0, l2, l3, 0, 0];
                self.execute(nexus % NEXUSES, &cdb, &mut data.clone());
            }
            Operation::Raw { nexus, cdb, data } => {
                self.execute(nexus % NEXUSES, cdb, &mut data.clone());
            }
            Operation::Tick { milliseconds } => self.now += u64::from(*milliseconds),
            Operation::NexusLost { nexus } => self.server.nexus_lost(NexusId((nexus % NEXUSES).into())),
            Operation::Reset => self.server.reset(),
            Operation::RunJob => {
                if let Some(job) = self.server.poll_job() {
                    self.done.push(job.run());
                }
            }
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

/// A field pointer lies inside the CDB or the parameter list; every ILLEGAL REQUEST has one.
fn check(sense: &Sense, cdb: usize, list: usize) {
    match (sense.key, sense.specific) {
        (SenseKey::IllegalRequest, SenseKeySpecific::Field { in_cdb, byte, .. }) => {
            let size = if in_cdb { cdb.max(12) } else { list };
            assert!(usize::from(byte) < size, "{sense} in {size} bytes");
        }
        (SenseKey::NotReady, SenseKeySpecific::Progress(_)) => {}
        other => panic!("{other:?}"),
    }
}

fuzz_target!(|input: Input| {
    let mut world = World::new(&input);
    for operation in input.operations.iter().take(64) {
        world.step(operation);
        assert!(world.server.sas().len() <= LIMITS.sas);
        if let Some(deadline) = world.server.next_deadline() {
            world.server.expire(Instant::from_millis(world.now));
            assert!(world.server.next_deadline().is_none_or(|next| next.at >= deadline.at));
        }
    }
    while world.server.poll_event().is_some() {}
});
