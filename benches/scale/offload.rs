//! Calculations on other cores: associations per second of elapsed time, with real algorithms.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Instant as Clock;

use ikev2_scsi::client::{ApplicationClient, ClientConfig, Preferences, SuiteIdentifiers};
use ikev2_scsi::crypto::{Identity, MemoryKeys, Secret};
use ikev2_scsi::server::Limits;
use ikev2_scsi::{
    DeviceServer, Instant, Job, JobDone, NexusId, Policy, Reply, Request, SlowCrypto, algorithm, provider,
};

use crate::unit::{KEY_EXCHANGE_IN, KEY_EXCHANGE_OUT, Numbers, cdb_out};
use crate::{Plan, Table};

/// Sequences at a time.
const NEXUSES: u64 = 8;

fn keys() -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(b"a key of one's own")).unwrap();
    keys.add_peer(Identity::key_id(b"peer").as_payload(), Secret::copy_of(b"a key of the peer's")).unwrap();
    Arc::new(keys)
}

fn server(slow_crypto: SlowCrypto) -> DeviceServer {
    let mut policy = Policy::default();
    (policy.allow_no_authentication, policy.slow_crypto) = (true, slow_crypto);
    let mut limits = Limits::default();
    (limits.sas, limits.events) = (usize::MAX, 4);
    let builder = DeviceServer::builder(provider::provider()).identity(Identity::key_id(b"drive"));
    builder.preshared_keys(keys()).policy(policy).limits(limits).build().unwrap()
}

/// A key exchange OUT of 2048-bit MODP, without the Authentication phase: the same bytes cost the device server a calculation each time
/// they come, and the client none.
fn message() -> Vec<u8> {
    let suite = SuiteIdentifiers {
        encryption: algorithm::ENCR_AES_CBC.identifier,
        key_length: 16,
        pseudo_random: algorithm::PRF_HMAC_SHA1.identifier,
        integrity: algorithm::AUTH_HMAC_SHA1_96.identifier,
        group: algorithm::MODP_2048.identifier,
        authentication: algorithm::IKE_AUTH_NONE,
    };
    let config = ClientConfig::builder(provider::provider(), Identity::key_id(b"host"))
        .preshared_keys(keys())
        .preferences(Preferences::exactly(suite))
        .allow_no_authentication(true)
        .build()
        .unwrap();
    let mut client = ApplicationClient::new(Arc::new(config));
    let mut random = Numbers(1);
    let mut world = World::new(SlowCrypto::Inline, Vec::new());
    let capabilities = client.next_command(&mut random).unwrap();
    let mut data_in = vec![0; 16_384];
    let request = Request { cdb: &capabilities.cdb.to_bytes(), data_out: &mut [], data_in: &mut data_in };
    let Reply::Good { len } = world.server.execute(NexusId(0), request, Instant::default(), &mut random) else {
        panic!("no capabilities")
    };
    client.reply(ikev2_scsi::client::Status::Good(&data_in[..len])).unwrap();
    client.next_command(&mut random).unwrap().data_out.to_vec()
}

struct World {
    server: DeviceServer,
    message: Vec<u8>,
    random: Numbers,
    buffer: Vec<u8>,
}

impl World {
    fn new(slow_crypto: SlowCrypto, message: Vec<u8>) -> Self {
        Self { server: server(slow_crypto), message, random: Numbers(3), buffer: vec![0; 4096] }
    }

    fn key_exchange_out(&mut self, nexus: NexusId) {
        let cdb = cdb_out(KEY_EXCHANGE_OUT, &self.message);
        let request = Request { cdb: &cdb, data_out: &mut self.message, data_in: &mut [] };
        let reply = self.server.execute(nexus, request, Instant::default(), &mut self.random);
        assert_eq!(reply, Reply::Good { len: 0 });
    }

    /// True if the association has been made, false if the calculation goes on.
    fn key_exchange_in(&mut self, nexus: NexusId) -> bool {
        let request = Request { cdb: &KEY_EXCHANGE_IN, data_out: &mut [], data_in: &mut self.buffer };
        matches!(self.server.execute(nexus, request, Instant::default(), &mut self.random), Reply::Good { .. })
    }

    fn inline(mut self, count: usize) {
        for _ in 0..count {
            self.key_exchange_out(NexusId(1));
            assert!(self.key_exchange_in(NexusId(1)));
        }
    }

    /// Eight nexuses begin a sequence again as soon as the one before is complete; so many workers calculate.
    fn offload(mut self, count: usize, workers: usize) {
        let (jobs, taken) = mpsc::channel::<(NexusId, Job)>();
        let (results, done) = mpsc::channel();
        let taken = Mutex::new(taken);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                let (taken, results) = (&taken, results.clone());
                scope.spawn(move || work(taken, &results));
            }
            let (mut begun, mut ended) = (0, 0);
            let mut begin = |world: &mut Self, nexus| {
                if begun < count {
                    begun += 1;
                    world.key_exchange_out(nexus);
                    jobs.send((nexus, world.server.poll_job().unwrap())).unwrap();
                }
            };
            (0..NEXUSES).for_each(|nexus| begin(&mut self, NexusId(nexus)));
            while ended < count {
                let (nexus, result) = done.recv().unwrap();
                assert!(self.server.complete(result, &mut [], Instant::default()).is_none());
                assert!(self.key_exchange_in(nexus));
                ended += 1;
                begin(&mut self, nexus);
            }
            drop(jobs);
        });
        assert_eq!(self.server.sas().len(), count);
    }
}

fn work(taken: &Mutex<Receiver<(NexusId, Job)>>, results: &Sender<(NexusId, JobDone)>) {
    loop {
        let next = taken.lock().unwrap().recv();
        let Ok((nexus, job)) = next else { return };
        results.send((nexus, job.run())).unwrap();
    }
}

pub(crate) fn measure(plan: &Plan) {
    let message = message();
    let count = plan.offloaded;
    let mut table = Table::default();
    for _ in 0..plan.rounds {
        for (name, workers) in [("inline", 0), ("offloaded to 1 worker", 1), ("offloaded to 2 workers", 2)] {
            let slow_crypto = if workers == 0 { SlowCrypto::Inline } else { SlowCrypto::Offload };
            let world = World::new(slow_crypto, message.clone());
            let begun = Clock::now();
            if workers == 0 {
                world.inline(count);
            } else {
                world.offload(count, workers);
            }
            let per_second = f64::from(u32::try_from(count).unwrap()) / begun.elapsed().as_secs_f64();
            table.add(&format!("associations per second {name}"), count, per_second);
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
    table.print(&format!("2048-bit MODP on {cores} cores, of so many associations"), &[count]);
}
