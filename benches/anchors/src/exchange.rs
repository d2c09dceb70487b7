//! A whole exchange, recorded once and then given to the device server again and again.
//!
//! Both sides draw from a source that gives the same values in each run, so that the application client's messages stay right. The
//! Delete at the end removes the association, and the server is as before.

use std::sync::{Arc, Mutex};

use ikev2_scsi::ccs::Policy;
use ikev2_scsi::client::{ApplicationClient, ClientConfig, ClientConfigBuilder, Outcome, Preferences, Status, delete};
use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, Identity, MemoryKeys, Purpose, Random, RandomError, Secret, SignatureScheme, Verifier,
};
use ikev2_scsi::server::Builder;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

use crate::demonstration::Demonstration;
use crate::provider::Provider;
use crate::suite::Suite;

const NEXUS: NexusId = NexusId(1);
const DATA_IN: usize = 16_384;

/// The device server's shared key.
pub(crate) const SERVER_KEY: &[u8] = b"a key of the device server's, which is long enough for every PRF";
/// The application client's.
pub(crate) const CLIENT_KEY: &[u8] = b"a key of the application client's, which is long enough for all";

/// A source that gives the same values after each [`Again::reset`].
pub(crate) struct Again {
    seed: u64,
    state: u64,
}

impl Again {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    const fn reset(&mut self) {
        self.state = self.seed;
    }
}

impl Random for Again {
    /// SplitMix64: fast, so that the source takes no part in the time.
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// One command with its Data-Out and the Data-In that answered it when it was recorded.
pub(crate) struct Step {
    pub(crate) cdb: [u8; 12],
    pub(crate) data_out: Vec<u8>,
    pub(crate) data_in: Vec<u8>,
}

/// A signature that was verified: the verifier's scheme, the public key, the message, the signature.
#[derive(Clone, PartialEq)]
pub(crate) struct Verified {
    pub(crate) scheme: SignatureScheme,
    pub(crate) public_key: Vec<u8>,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

static VERIFIED: Mutex<Vec<Verified>> = Mutex::new(Vec::new());

/// A verifier that remembers what it was shown, to tell which verifications an exchange needs.
#[derive(Debug)]
struct Remembering(&'static dyn Verifier);

impl Verifier for Remembering {
    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }

    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        self.0.verify(public_key, message, signature)?;
        let (public_key, message, signature) = (public_key.to_vec(), message.concat(), signature.to_vec());
        let verified = Verified { scheme: self.scheme(), public_key, message, signature };
        let mut known = VERIFIED.lock().unwrap();
        if !known.contains(&verified) {
            known.push(verified);
        }
        Ok(())
    }
}

fn remembering(mut provider: CryptoProvider) -> CryptoProvider {
    let wrap = |verifier: &&'static dyn Verifier| &*Box::leak(Box::new(Remembering(*verifier))) as &dyn Verifier;
    provider.verifiers = Vec::leak(provider.verifiers.iter().map(wrap).collect());
    provider
}

/// A suite's exchange.
pub(crate) struct Exchange {
    pub(crate) suite: &'static Suite,
    pub(crate) provider: Provider,
    /// Capabilities, key exchange, authentication, Delete.
    pub(crate) steps: Vec<Step>,
    /// The signatures of the application client and of its certificates.
    pub(crate) verified: Vec<Verified>,
    server: DeviceServer,
    random: Again,
    data_out: Vec<u8>,
    data_in: Vec<u8>,
}

pub(crate) fn client_identity() -> Identity {
    Identity::key_id(b"iqn.2007-04.org.example:host-1")
}

pub(crate) fn server_identity() -> Identity {
    Identity::key_id(b"iqn.2007-04.org.example:drive-9")
}

fn keys(own: &[u8], peer: &Identity, peers: &[u8]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    keys.add_peer(peer.as_payload(), Secret::copy_of(peers)).unwrap();
    Arc::new(keys)
}

fn server(suite: &Suite, provider: Provider, algorithms: CryptoProvider) -> DeviceServer {
    let demonstration = Demonstration::of(suite).unwrap();
    let (client, server) = (client_identity(), server_identity());
    let signs = demonstration.server(provider, &client).unwrap();
    let mut policy = Policy::default();
    policy.allow_no_authentication = suite.is_unauthenticated();
    policy.waive_complete_row = true;
    let server = DeviceServer::builder(algorithms)
        .profile(suite.profile)
        .identity(server)
        .preshared_keys(keys(SERVER_KEY, &client, CLIENT_KEY))
        .policy(policy)
        .validator(signs.validator)
        .certificate_requests(signs.requests);
    let mut server = signs.own.into_iter().fold(server, Builder::credential).build().unwrap();
    server.set_unix_time(demonstration.unix_time, Instant::default());
    server
}

fn client(suite: &Suite, provider: Provider) -> ClientConfig {
    let demonstration = Demonstration::of(suite).unwrap();
    let (client, server) = (client_identity(), server_identity());
    let signs = demonstration.client(provider, &server).unwrap();
    let client = ClientConfig::builder(provider.algorithms(), client)
        .profile(suite.profile)
        .preshared_keys(keys(CLIENT_KEY, &server, SERVER_KEY))
        .expect_device_server(server)
        .preferences(Preferences::exactly(suite.identifiers()))
        .allow_no_authentication(suite.is_unauthenticated())
        .usage(0x81, suite.usage_data)
        .nonce_length(suite.nonce_length)
        .own_methods(&[suite.own_method])
        .validator(signs.validator)
        .certificate_requests(signs.requests);
    signs.own.into_iter().fold(client, ClientConfigBuilder::credential).build().unwrap()
}

/// Hands one command over and gives the length of its Data-In.
fn execute(
    server: &mut DeviceServer,
    cdb: &[u8],
    data_out: &mut [u8],
    data_in: &mut [u8],
    random: &mut Again,
) -> usize {
    let request = Request { cdb, data_out, data_in };
    let length = match server.execute(NEXUS, request, Instant::default(), random) {
        Reply::Good { len } => len,
        Reply::CheckCondition(sense) => panic!("{sense:?}"),
        Reply::Held(_) => panic!("held"),
    };
    while server.poll_event().is_some() {}
    length
}

impl Exchange {
    /// Records an exchange of the suite.
    pub(crate) fn record(suite: &'static Suite, provider: Provider) -> Self {
        let config = Arc::new(client(suite, provider));
        let mut recorder = server(suite, provider, remembering(provider.algorithms()));
        let (mut client_random, mut random) = (Again::new(1), Again::new(2));
        let mut client = ApplicationClient::new(Arc::clone(&config));
        client.set_unix_time(Demonstration::of(suite).unwrap().unix_time);
        let mut steps = Vec::new();
        let mut data_in = vec![0; DATA_IN];
        VERIFIED.lock().unwrap().clear();
        let parameters = loop {
            let command = client.next_command(&mut client_random).unwrap();
            let (cdb, data_out) = (command.cdb.to_bytes(), command.data_out.to_vec());
            let length = execute(&mut recorder, &cdb, &mut data_out.clone(), &mut data_in, &mut random);
            let seen = VERIFIED.lock().unwrap().clone();
            let outcome = client.reply(Status::Good(&data_in[..length])).unwrap();
            *VERIFIED.lock().unwrap() = seen;
            steps.push(Step { cdb, data_out, data_in: data_in[..length].to_vec() });
            match outcome {
                Outcome::Continue => {}
                Outcome::Established(parameters) => break *parameters,
                Outcome::SendAgain(sense) => panic!("{sense:?}"),
            }
        };
        let command = delete(&config, parameters, &mut client_random).unwrap();
        let (cdb, data_out) = (command.cdb.to_bytes(), command.data_out.to_vec());
        execute(&mut recorder, &cdb, &mut data_out.clone(), &mut data_in, &mut random);
        steps.push(Step { cdb, data_out, data_in: Vec::new() });
        let verified = VERIFIED.lock().unwrap().clone();
        let server = server(suite, provider, provider.algorithms());
        Self { suite, provider, steps, verified, server, random: Again::new(2), data_out: vec![0; DATA_IN], data_in }
    }

    /// The device server's whole work: every command of the exchange.
    #[inline(never)]
    pub(crate) fn run(&mut self) {
        self.random.reset();
        for step in &self.steps {
            // The device server opens Data-Out in place.
            let data_out = &mut self.data_out[..step.data_out.len()];
            data_out.copy_from_slice(&step.data_out);
            execute(&mut self.server, &step.cdb, data_out, &mut self.data_in, &mut self.random);
        }
    }
}
