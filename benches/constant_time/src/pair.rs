//! A device server and an application client, with nothing between them.

use std::sync::Arc;

use ikev2_scsi::algorithm::{
    AUTH_HMAC_SHA1_96, AUTH_NONE, ECP_256, ENCR_AES_CBC, ENCR_AES_GCM_16, IKE_AUTH_SHARED_KEY, MODP_2048,
    PRF_HMAC_SHA1, PRF_HMAC_SHA2_256,
};
use ikev2_scsi::client::{ClientConfig, Command, Preferences, SuiteIdentifiers};
use ikev2_scsi::crypto::{CryptoProvider, Identity, PresharedKeys, Random};
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::Limits;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Profile, Reply, Request};

/// What r3 makes mandatory.
pub const MANDATORY: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_CBC.identifier,
    key_length: 16,
    pseudo_random: PRF_HMAC_SHA1.identifier,
    integrity: AUTH_HMAC_SHA1_96.identifier,
    group: MODP_2048.identifier,
    authentication: IKE_AUTH_SHARED_KEY,
};

/// A combined mode and a curve.
pub const COMBINED: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_GCM_16.identifier,
    key_length: 32,
    pseudo_random: PRF_HMAC_SHA2_256.identifier,
    integrity: AUTH_NONE.identifier,
    group: ECP_256.identifier,
    authentication: IKE_AUTH_SHARED_KEY,
};

pub fn host() -> Identity {
    Identity::key_id(b"host-1")
}

pub fn drive() -> Identity {
    Identity::key_id(b"drive-9")
}

/// Both sides.
pub struct Pair<R> {
    pub server: DeviceServer,
    pub config: Arc<ClientConfig>,
    pub server_draws: R,
    pub client_draws: R,
}

impl<R: Random> Pair<R> {
    /// The device server's keys, then the client's. The server forgives all failures that it can count.
    pub fn new(
        provider: CryptoProvider,
        (profile, suite): (Profile, SuiteIdentifiers),
        [server_keys, client_keys]: [Arc<dyn PresharedKeys>; 2],
        server_draws: R,
        client_draws: R,
    ) -> Self {
        let (mut policy, mut limits) = (Policy::default(), Limits::default());
        policy.waive_complete_row = true;
        limits.auth_failures = u8::MAX;
        let server = DeviceServer::builder(provider)
            .profile(profile)
            .identity(drive())
            .preshared_keys(server_keys)
            .policy(policy)
            .limits(limits)
            .build()
            .unwrap();
        let config = ClientConfig::builder(provider, host())
            .profile(profile)
            .preshared_keys(client_keys)
            .preferences(Preferences::exactly(suite))
            .build()
            .unwrap();
        Self { server, config: Arc::new(config), server_draws, client_draws }
    }

    pub fn execute(&mut self, command: &Command) -> Result<Vec<u8>, Sense> {
        let (mut data_out, mut data_in) = (command.data_out.to_vec(), vec![0; 16_384]);
        let cdb = command.cdb.to_bytes();
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut data_in };
        match self.server.execute(NexusId(1), request, Instant::from_millis(0), &mut self.server_draws) {
            Reply::Good { len } => {
                data_in.truncate(len);
                Ok(data_in)
            }
            Reply::CheckCondition(sense) => Err(sense),
            Reply::Held(_) => panic!("nothing is slow here"),
        }
    }
}
