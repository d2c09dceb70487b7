//! Authentication by signatures and certificates, from the first command to the last (r3 5.13.4.4, 7.7.4.4-7.7.4.6, 7.7.4.8a;
//! readings R16, R18, R31a, R32, R34).
//!
//! Keys and certificates are those of a recorded transcript.
#![cfg(all(feature = "rustcrypto", feature = "client", feature = "x509"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that goes wrong should stop where it does"
)]

mod certificates;
mod decoys;
mod failures;
mod methods;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod uniform;

use std::sync::Arc;

use ikev2_scsi::client::{
    ApplicationClient, ClientConfig, ClientConfigBuilder, ClientError, Outcome, Preferences, Status, Step,
    SuiteIdentifiers,
};
use ikev2_scsi::crypto::{CertificateRequests, Credential, Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::{Authenticated, SaId};
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::{Builder, Event};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::x509::IdentityMatch;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request, algorithm};
use serde_json::{Value, json};

use support::credentials::{Signatures, Signers};
use support::member::Member;
use support::provider;

const NEXUS: NexusId = NexusId(7);
const RSA: u32 = algorithm::IKE_AUTH_RSA;
const PSK: u32 = algorithm::IKE_AUTH_SHARED_KEY;
const P256: u32 = algorithm::IKE_AUTH_ECDSA_256;
const P384: u32 = algorithm::IKE_AUTH_ECDSA_384;
const P521: u32 = algorithm::IKE_AUTH_ECDSA_521;
/// Of the provider under test.
const SIGNERS: Signers = Signers {
    rsa: |der, hash| Ok(Arc::new(provider::RsaSigner::from_pkcs8_der(der, hash)?)),
    ecdsa: |der| Ok(Arc::new(provider::EcdsaSigner::from_pkcs8_der(der)?)),
};

/// AUTHENTICATION FAILED at the Encrypted payload, in fixed format (readings R20, R21, R32).
const FAILED: [u8; 18] = [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x74, 0x40, 0, 0x80, 0, 28];

fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

fn host() -> Identity {
    Identity::key_id(b"host-1")
}

fn drive() -> Identity {
    Identity::key_id(b"drive-9")
}

/// The recorded parties.
fn recorded() -> Value {
    support::read_json(&support::project_file("vectors/transcripts/r3-rsa-chain-certreq.json"))
}

/// The day on which the recorded certificates are used.
fn day() -> UnixTime {
    UnixTime(recorded()["client"]["unix_time"].as_u64().unwrap())
}

/// One party, and what it believes of the other.
struct Party {
    /// `keys`, `certs`, `send_cert`, `certreq`.
    side: Value,
    peer: Identity,
    /// `public_keys` of the peer.
    public_keys: Value,
    trust_anchors: Value,
    identity_match: IdentityMatch,
}

impl Party {
    fn new(side: &Value, peer: Identity, public_keys: &Value, trust_anchors: &Value) -> Self {
        let side = json!({ "keys": side["keys"], "certs": side["certs"], "send_cert": "none", "certreq": [] });
        let (public_keys, trust_anchors) = (public_keys.clone(), trust_anchors.clone());
        Self { side, peer, public_keys, trust_anchors, identity_match: IdentityMatch::Off }
    }

    fn client() -> Self {
        let all = recorded();
        Self::new(&all["client"], drive(), &all["client"]["server"]["public_keys"], &all["client"]["trust_anchors"])
    }

    fn server() -> Self {
        let all = recorded();
        let given = &all["provisioning"];
        Self::new(&given["device_server"], host(), &given["clients"][0]["public_keys"], &given["trust_anchors"])
    }

    /// It sends its certificates, and believes only those of its peer.
    fn by_certificates(mut self) -> Self {
        self.side["send_cert"] = json!("x509");
        self.public_keys = json!([]);
        self
    }

    fn sending(mut self, what: &str) -> Self {
        self.side["send_cert"] = json!(what);
        self
    }

    fn signatures(&self) -> Signatures {
        let all = json!({
            "side": self.side,
            "peer": { "public_keys": self.public_keys },
            "trust_anchors": self.trust_anchors,
        });
        let root = Member::root(&all).unwrap();
        let peers = [(self.peer.clone(), root.get("peer"))];
        let anchors = root.get("trust_anchors");
        let read = Signatures::read(SIGNERS, &root.get("side"), &peers, &anchors, self.identity_match, false);
        read.unwrap_or_else(|fault| panic!("{fault}"))
    }
}

/// Numbers that look random (xorshift), the same in every run.
struct Numbers(u64);

impl Random for Numbers {
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

fn keys(own: &[u8], peer: &Identity, peers: &[u8]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    keys.add_peer(peer.as_payload(), Secret::copy_of(peers)).unwrap();
    Arc::new(keys)
}

fn server_with(party: &Party, configure: impl FnOnce(Builder) -> Builder) -> DeviceServer {
    let signatures = party.signatures();
    let builder = DeviceServer::builder(provider::provider())
        .identity(drive())
        .preshared_keys(keys(b"drive's key", &host(), b"host's key"))
        .validator(signatures.validator)
        .certificate_requests(signatures.requests);
    let builder = signatures.own.into_iter().fold(builder, Builder::credential);
    let mut server = configure(builder).build().unwrap();
    server.set_unix_time(day(), Instant::default());
    server
}

fn server(party: &Party) -> DeviceServer {
    server_with(party, |builder| builder)
}

/// A quick suite; `own` is how the client authenticates itself, `peer` how the device server does.
fn client_with(
    party: &Party,
    own: u32,
    peer: u32,
    configure: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder,
) -> Arc<ClientConfig> {
    let suite = SuiteIdentifiers {
        encryption: algorithm::ENCR_AES_GCM_16.identifier,
        key_length: 16,
        pseudo_random: algorithm::PRF_HMAC_SHA2_256.identifier,
        integrity: algorithm::INTEG_NONE,
        group: algorithm::ECP_256.identifier,
        authentication: peer,
    };
    let signatures = party.signatures();
    let builder = ClientConfig::builder(provider::provider(), host())
        .preshared_keys(keys(b"host's key", &drive(), b"drive's key"))
        .preferences(Preferences::exactly(suite))
        .own_methods(&[own])
        .validator(signatures.validator)
        .certificate_requests(signatures.requests);
    let builder = signatures.own.into_iter().fold(builder, ClientConfigBuilder::credential);
    Arc::new(configure(builder).build().unwrap())
}

fn client(party: &Party, own: u32, peer: u32) -> Arc<ClientConfig> {
    client_with(party, own, peer, |builder| builder)
}

/// One command, answered; jobs are run when they come up.
fn send(
    server: &mut DeviceServer,
    nexus: NexusId,
    command: &ikev2_scsi::client::Command,
    random: &mut Numbers,
) -> (Option<Sense>, Vec<u8>) {
    let (mut data_out, mut data_in) = (command.data_out.to_vec(), vec![0; 16_384]);
    let cdb = command.cdb.to_bytes();
    let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut data_in };
    let mut reply = server.execute(nexus, request, Instant::default(), random);
    while let Some(job) = server.poll_job() {
        if let Some((_, late)) = server.complete(job.run(), &mut data_in, Instant::default()) {
            reply = late;
        }
    }
    match reply {
        Reply::Good { len } => {
            data_in.truncate(len);
            (None, data_in)
        }
        Reply::CheckCondition(sense) => (Some(sense), Vec::new()),
        Reply::Held(job) => panic!("{job:?} was run"),
    }
}

/// Runs an exchange to its end.
fn run(
    config: &Arc<ClientConfig>,
    server: &mut DeviceServer,
    nexus: NexusId,
    time: Option<UnixTime>,
) -> Result<SaParameters, ClientError> {
    let mut client = ApplicationClient::new(Arc::clone(config));
    time.into_iter().for_each(|time| client.set_unix_time(time));
    let mut random = Numbers(0x5EED ^ u64::try_from(server.sas().len()).unwrap());
    loop {
        let command = client.next_command(&mut random)?;
        let (sense, data_in) = send(server, nexus, &command, &mut random);
        let sense = sense.map(|sense| sense.to_fixed());
        let status = sense.as_ref().map_or(Status::Good(&data_in), |sense| Status::CheckCondition(sense.as_ref()));
        if let Outcome::Established(parameters) = client.reply(status)? {
            return Ok(*parameters);
        }
    }
}

/// An exchange that succeeds; tells who the device server believes the client to be.
fn established(config: &Arc<ClientConfig>, server: &mut DeviceServer) -> Authenticated {
    let parameters = run(config, server, NEXUS, Some(day())).unwrap_or_else(|error| panic!("{error}"));
    let id = SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai };
    let sa = server.sas().get(id).unwrap();
    assert_eq!(sa.parameters, parameters);
    sa.application_client.clone().unwrap()
}

fn events(server: &mut DeviceServer) -> Vec<Event> {
    std::iter::from_fn(|| server.poll_event()).collect()
}
