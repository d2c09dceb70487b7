//! An application client and a device server in one process, with whatever stands between them.

use std::sync::Arc;

use ikev2_scsi::algorithm::{
    AUTH_HMAC_SHA1_96, ENCR_AES_CBC, IKE_AUTH_NONE, IKE_AUTH_SHARED_KEY, MODP_2048, PRF_HMAC_SHA1,
};
use ikev2_scsi::client::{
    ApplicationClient, ClientConfig, ClientConfigBuilder, ClientError, Command, Outcome, Preferences, Status, Step,
    SuiteIdentifiers,
};
use ikev2_scsi::crypto::{Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::server::Builder;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request};

use crate::provider;

pub(crate) const NEXUS: NexusId = NexusId(1);
pub(crate) const CLIENT_KEY: &[u8] = b"the key of host-1, and of nobody else";
pub(crate) const SERVER_KEY: &[u8] = b"the key of drive-9, and of nobody else";

pub(crate) const MANDATORY: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_CBC.identifier,
    key_length: 16,
    pseudo_random: PRF_HMAC_SHA1.identifier,
    integrity: AUTH_HMAC_SHA1_96.identifier,
    group: MODP_2048.identifier,
    authentication: IKE_AUTH_SHARED_KEY,
};
pub(crate) const UNAUTHENTICATED: SuiteIdentifiers = SuiteIdentifiers { authentication: IKE_AUTH_NONE, ..MANDATORY };

pub(crate) fn host() -> Identity {
    Identity::key_id(b"host-1")
}

pub(crate) fn drive() -> Identity {
    Identity::key_id(b"drive-9")
}

pub(crate) fn keys(own: &[u8], peer: &Identity, peer_key: &[u8]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    keys.add_peer(peer.as_payload(), Secret::copy_of(peer_key)).unwrap();
    Arc::new(keys)
}

/// A device server whose policy also lets IKE_AUTH_NONE and ENCR_3DES pass.
pub(crate) fn server_builder() -> Builder {
    let mut policy = Policy::default();
    (policy.allow_no_authentication, policy.allow_triple_des) = (true, true);
    DeviceServer::builder(provider::provider())
        .identity(drive())
        .preshared_keys(keys(SERVER_KEY, &host(), CLIENT_KEY))
        .policy(policy)
}

pub(crate) fn server() -> DeviceServer {
    server_builder().build().unwrap()
}

pub(crate) fn client_builder(suite: SuiteIdentifiers) -> ClientConfigBuilder {
    ClientConfig::builder(provider::provider(), host())
        .preshared_keys(keys(CLIENT_KEY, &drive(), SERVER_KEY))
        .preferences(Preferences::exactly(suite))
        .allow_no_authentication(suite.authentication == IKE_AUTH_NONE)
}

/// Numbers that are never the same twice. Private values are short, so that a thousand exchanges take a second.
pub(crate) struct Numbers(pub(crate) u64);

impl Random for Numbers {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }

    fn dh_private_length(&self, _: usize) -> usize {
        5
    }
}

/// How a command ended, with its Data-In or sense data.
pub(crate) struct Answer {
    pub(crate) good: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(&self) -> Status<'_> {
        if self.good { Status::Good(&self.bytes) } else { Status::CheckCondition(&self.bytes) }
    }
}

/// Sends a command; `None` while it is held.
pub(crate) fn send(server: &mut DeviceServer, command: &Command, random: &mut Numbers) -> Option<Answer> {
    let mut data_out = command.data_out.to_vec();
    let mut data_in = vec![0; 16_384];
    let cdb = command.cdb.to_bytes();
    let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut data_in };
    answer(server.execute(NEXUS, request, Instant::from_millis(0), random), data_in)
}

pub(crate) fn answer(reply: Reply, mut data_in: Vec<u8>) -> Option<Answer> {
    match reply {
        Reply::Good { len } => {
            data_in.truncate(len);
            Some(Answer { good: true, bytes: data_in })
        }
        Reply::CheckCondition(sense) => Some(Answer { good: false, bytes: sense.to_fixed().as_ref().to_vec() }),
        Reply::Held(_) => None,
    }
}

/// Runs an exchange to its end; `tamper` may change the Data-In of every SECURITY PROTOCOL IN, and the server before it.
pub(crate) fn run_with(
    client: &mut ApplicationClient,
    server: &mut DeviceServer,
    random: &mut Numbers,
    mut tamper: impl FnMut(Step, &mut DeviceServer, &mut Vec<u8>),
) -> Result<Box<SaParameters>, ClientError> {
    loop {
        let command = client.next_command(random)?;
        let step = client.step();
        let mut answer = send(server, &command, random).unwrap();
        if answer.good && command.data_out.is_empty() {
            tamper(step, server, &mut answer.bytes);
        }
        match client.reply(answer.status())? {
            Outcome::Continue => {}
            Outcome::SendAgain(sense) => panic!("{step}: {sense}"),
            Outcome::Established(parameters) => return Ok(parameters),
        }
    }
}

pub(crate) fn run(
    client: &mut ApplicationClient,
    server: &mut DeviceServer,
    random: &mut Numbers,
) -> Result<Box<SaParameters>, ClientError> {
    run_with(client, server, random, |_, _, _| {})
}

/// Both sides hold the same parameters.
pub(crate) fn assert_shared(server: &DeviceServer, parameters: &SaParameters) {
    let id = SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai };
    assert_eq!(&server.sas().get(id).unwrap().parameters, parameters);
}
