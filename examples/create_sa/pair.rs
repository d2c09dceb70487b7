//! A device server and an application client in one process, with nothing but commands between them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time;

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::ccs::Policy;
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::client::{
    ApplicationClient, ClientConfig, ClientConfigBuilder, Command, Outcome, Preferences, Status, Step as ClientStep,
    delete,
};
use ikev2_scsi::crypto::{Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use ikev2_scsi::keys::{KeyLog, SaParameters};
use ikev2_scsi::sa::{SaId, SecurityAssociation};
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::{Builder, Event};
use ikev2_scsi::wire::{Cdb, Direction, IdType, Sai};
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

use super::demonstration::Demonstration;
use super::dissect::{Algorithms, Keyring, Keys};
use super::provider::Provider;
use super::suite::Suite;

/// The I_T nexus.
const NEXUS: NexusId = NexusId(1);
/// Bytes of a Data-In buffer: the allocation length that the application client uses.
const DATA_IN: usize = 16_384;
/// How often a command that is put off is sent again. Nothing is slow here, so that once would be suspicious.
const TRIES: u8 = 16;

const CLIENT_NAME: &[u8] = b"iqn.2007-04.org.example:host-1";
/// A Fibre Channel port name, for the suite that is identified by one.
const CLIENT_FC_NAME: &[u8] = &[0x50, 0x05, 0x07, 0x63, 0x00, 0xC0, 0xFF, 0xEE];
const SERVER_NAME: &[u8] = b"iqn.2007-04.org.example:drive-9";
/// Keys for a demonstration: whoever reads this knows them.
pub(crate) const CLIENT_KEY: &[u8] = b"demonstration key of host-1, which is known to everybody";
pub(crate) const SERVER_KEY: &[u8] = b"demonstration key of drive-9, which is known to everybody";

/// The operating system's random source, and what was drawn from it: a capture tells it.
pub(crate) struct System {
    source: File,
    drawn: Vec<(Purpose, Secret)>,
}

impl System {
    fn open() -> Result<Self, String> {
        let path = "/dev/urandom";
        let source = File::open(path).map_err(|error| format!("no random source: {path}: {error}"))?;
        Ok(Self { source, drawn: Vec::new() })
    }

    /// What was drawn for the purpose, oldest first.
    pub(crate) fn drawn(&self, purpose: Purpose) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.drawn.iter().filter(move |(drawn, _)| *drawn == purpose).map(|(_, value)| value.expose())
    }
}

impl Random for System {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        self.source.read_exact(out).map_err(|_| RandomError)?;
        self.drawn.push((purpose, Secret::copy_of(out)));
        Ok(())
    }
}

/// The secrets that the device server records. Without a demonstration to make, nobody wants this.
#[derive(Default)]
pub(crate) struct Log(Mutex<BTreeMap<&'static str, Secret>>);

impl KeyLog for Log {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Secret::copy_of(value));
    }
}

impl Log {
    pub(crate) fn value(&self, name: &str) -> Option<Secret> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(name).map(|value| Secret::copy_of(value.expose()))
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

/// A command and its answer.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) cdb: Cdb,
    pub(crate) data_out: Vec<u8>,
    pub(crate) data_in: Vec<u8>,
    /// `None` for GOOD status, sense data for CHECK CONDITION.
    pub(crate) sense: Option<Sense>,
    /// What the device server tells its embedder.
    pub(crate) events: Vec<Event>,
}

/// Both sides, and the commands so far.
pub(crate) struct Pair {
    pub(crate) suite: &'static Suite,
    pub(crate) log: Arc<Log>,
    pub(crate) client_random: System,
    pub(crate) server_random: System,
    pub(crate) policy: Policy,
    pub(crate) steps: Vec<Step>,
    pub(crate) demonstration: Demonstration,
    client: Arc<ClientConfig>,
    server: DeviceServer,
    started: time::Instant,
}

/// Who the application client is in the suite.
pub(crate) fn client_identity(suite: &Suite) -> Identity {
    let name = if suite.id_type == IdType::FcName { CLIENT_FC_NAME } else { CLIENT_NAME };
    Identity::new(suite.id_type, name)
}

pub(crate) fn server_identity() -> Identity {
    Identity::key_id(SERVER_NAME)
}

/// The keys of one side: its own, and the one of the other side.
fn keys(own: &[u8], peer: &Identity, peers: &[u8]) -> Result<Arc<MemoryKeys>, Box<dyn Error>> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own))?;
    keys.add_peer(peer.as_payload(), Secret::copy_of(peers))?;
    Ok(Arc::new(keys))
}

impl Pair {
    /// Both sides, configured for the suite, with this cryptography.
    pub(crate) fn new(suite: &'static Suite, provider: Provider) -> Result<Self, Box<dyn Error>> {
        let (client, server) = (client_identity(suite), server_identity());
        let log = Arc::new(Log::default());
        let mut policy = Policy::default();
        policy.allow_no_authentication = suite.is_unauthenticated();
        // A demonstration of one suite has the keys of that suite, and no others to report.
        policy.waive_complete_row = true;
        let client_keys = keys(CLIENT_KEY, &server, SERVER_KEY)?;
        let server_keys = keys(SERVER_KEY, &client, CLIENT_KEY)?;
        let demonstration = Demonstration::of(suite)?;
        let (client_signs, server_signs) =
            (demonstration.client(provider, &server)?, demonstration.server(provider, &client)?);
        let client = ClientConfig::builder(provider.algorithms(), client)
            .profile(suite.profile)
            .preshared_keys(client_keys)
            .expect_device_server(server.clone())
            .preferences(Preferences::exactly(suite.identifiers()))
            .allow_no_authentication(suite.is_unauthenticated())
            .usage(0x81, suite.usage_data)
            .nonce_length(suite.nonce_length)
            .own_methods(&[suite.own_method])
            .validator(client_signs.validator)
            .certificate_requests(client_signs.requests);
        let client = client_signs.own.into_iter().fold(client, ClientConfigBuilder::credential).build()?;
        let server = DeviceServer::builder(provider.algorithms())
            .profile(suite.profile)
            .identity(server)
            .preshared_keys(server_keys)
            .policy(policy.clone())
            .key_log(Arc::clone(&log) as Arc<dyn KeyLog>)
            .validator(server_signs.validator)
            .certificate_requests(server_signs.requests);
        let mut server = server_signs.own.into_iter().fold(server, Builder::credential).build()?;
        server.set_unix_time(demonstration.unix_time, Instant::default());
        Ok(Self {
            suite,
            log,
            client_random: System::open()?,
            server_random: System::open()?,
            policy,
            steps: Vec::new(),
            demonstration,
            client: Arc::new(client),
            server,
            started: time::Instant::now(),
        })
    }

    /// What the Encrypted payloads can be opened with by now.
    pub(crate) fn keyring(&self) -> Keyring {
        let ids = self.suite.identifiers();
        let encryption = self.suite.number(AlgorithmType::Encryption, ids.encryption);
        let integrity = self.suite.number(AlgorithmType::Integrity, ids.integrity);
        let algorithms = Algorithms::find(self.suite.profile, encryption, ids.key_length, integrity)?;
        let keys = Keys::collect(algorithms, |name| self.log.value(name));
        Ok(keys.into_iter().collect())
    }

    /// Creates a security association; `seen` is called after each command. The parameters are the application
    /// client's.
    pub(crate) fn establish<E: From<Box<dyn Error>>>(
        &mut self,
        mut seen: impl FnMut(&Self, &Step) -> Result<(), E>,
    ) -> Result<SaParameters, E> {
        let mut client = ApplicationClient::new(Arc::clone(&self.client));
        client.set_unix_time(self.demonstration.unix_time);
        let mut tries: u8 = 0;
        loop {
            if self.suite.is_abandoned && client.step() == ClientStep::AuthenticationOut {
                client.abandon();
            }
            let command = client.next_command(&mut self.client_random).map_err(Box::from)?;
            let step = self.send(client.step(), &command)?;
            seen(self, &step)?;
            let sense = step.sense.as_ref().map(Sense::to_fixed);
            let status = sense.as_ref().map_or(Status::Good(&step.data_in), |s| Status::CheckCondition(s.as_ref()));
            let outcome = client.reply(status);
            self.steps.push(step);
            let outcome = outcome.map_err(Box::from)?;
            match outcome {
                Outcome::Continue => tries = 0,
                Outcome::Established(parameters) => return Ok(*parameters),
                Outcome::SendAgain(sense) if tries == TRIES => {
                    return Err(E::from(format!("{}: put off for ever: {sense}", client.step()).into()));
                }
                Outcome::SendAgain(_) => tries = tries.saturating_add(1),
            }
        }
    }

    /// The Delete, which uses up the application client's half of the association.
    pub(crate) fn make_delete(&mut self, parameters: SaParameters) -> Result<Command, Box<dyn Error>> {
        Ok(delete(&self.client, parameters, &mut self.client_random)?)
    }

    /// Hands a command to the device server.
    pub(crate) fn send(&mut self, step: ClientStep, command: &Command) -> Result<Step, Box<dyn Error>> {
        let cdb = command.cdb.to_bytes();
        let data_out = command.data_out.to_vec();
        // The device server opens Data-Out in place.
        let mut received = data_out.clone();
        let mut data_in = vec![0; if command.cdb.direction == Direction::In { DATA_IN } else { 0 }];
        let now = Instant::from_millis(u64::try_from(self.started.elapsed().as_millis())?);
        let request = Request { cdb: &cdb, data_out: &mut received, data_in: &mut data_in };
        let sense = match self.server.execute(NEXUS, request, now, &mut self.server_random) {
            Reply::Good { len } => {
                data_in.truncate(len);
                None
            }
            Reply::CheckCondition(sense) => {
                data_in.clear();
                Some(sense)
            }
            Reply::Held(_) => return Err(format!("{step}: held, though calculations are not handed out").into()),
        };
        let events = std::iter::from_fn(|| self.server.poll_event()).collect();
        Ok(Step { name: step.name(), cdb: command.cdb, data_out, data_in, sense, events })
    }

    /// The device server's half of an association.
    pub(crate) fn server_sa(&self, parameters: &SaParameters) -> Option<&SecurityAssociation> {
        self.server.sas().get(SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai })
    }

    /// Whether the device server waits for a command of a sequence.
    pub(crate) fn is_idle(&self) -> bool {
        self.server.phase(NEXUS) == Phase::Idle
    }

    /// How many associations the device server has.
    pub(crate) fn count_sas(&self) -> usize {
        self.server.sas().len()
    }
}
