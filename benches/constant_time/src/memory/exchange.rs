//! Whole exchanges: every private value and every shared key of both sides is secret, and so is all that is computed of them,
//! until it is sent.

use std::sync::Arc;

use ikev2_scsi::algorithm::{
    AUTH_HMAC_SHA1_96, AUTH_NONE, ECP_256, ENCR_AES_CBC, ENCR_AES_GCM_16, IKE_AUTH_SHARED_KEY, MODP_2048, PRF_HMAC_SHA1,
    PRF_HMAC_SHA2_256,
};
use ikev2_scsi::client::{
    ApplicationClient, ClientConfig, Command, Outcome, Preferences, Status, SuiteIdentifiers, delete,
};
use ikev2_scsi::crypto::{CryptoProvider, Identity, MemoryKeys, Secret};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::Sense;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request, provider};

use super::secret_bytes;
use super::watched::{Draws, watched};
use crate::valgrind::published;
use crate::watch::{Outcomes, Watch};

const CODE: Outcomes = Outcomes::of(2, "whether the code of the message matches");
/// AUTH is compared once, inside a message whose code was right.
const AUTH: Outcomes = Outcomes::of(3, "whether the code matches; and whether the AUTH does");
const KEYS: Outcomes = Outcomes::of(4, "whether the private value is in range, twice");

const MANDATORY: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_CBC.identifier,
    key_length: 16,
    pseudo_random: PRF_HMAC_SHA1.identifier,
    integrity: AUTH_HMAC_SHA1_96.identifier,
    group: MODP_2048.identifier,
    authentication: IKE_AUTH_SHARED_KEY,
};
const COMBINED: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_GCM_16.identifier,
    key_length: 32,
    pseudo_random: PRF_HMAC_SHA2_256.identifier,
    integrity: AUTH_NONE.identifier,
    group: ECP_256.identifier,
    authentication: IKE_AUTH_SHARED_KEY,
};

/// The keys of one side: its own and the other side's, drawn under these numbers.
fn keys(own: u64, peer: &Identity, peers: u64) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::from(secret_bytes(own, 32))).unwrap();
    keys.add_peer(peer.as_payload(), Secret::from(secret_bytes(peers, 32))).unwrap();
    Arc::new(keys)
}

/// Both sides.
struct Pair {
    server: DeviceServer,
    config: Arc<ClientConfig>,
    /// Of the server, and of the client.
    draws: (Draws, Draws),
}

impl Pair {
    /// The client's key is drawn under `clients`; the server knows the one of number 1.
    fn new(provider: CryptoProvider, suite: SuiteIdentifiers, clients: u64) -> Self {
        let (host, drive) = (Identity::key_id(b"host-1"), Identity::key_id(b"drive-9"));
        let mut policy = Policy::default();
        policy.waive_complete_row = true;
        let server = DeviceServer::builder(provider)
            .identity(drive.clone())
            .preshared_keys(keys(2, &host, 1))
            .policy(policy)
            .build()
            .unwrap();
        let config = ClientConfig::builder(provider, host)
            .preshared_keys(keys(clients, &drive, 2))
            .preferences(Preferences::exactly(suite))
            .build()
            .unwrap();
        Self { server, config: Arc::new(config), draws: (Draws(100), Draws(200)) }
    }

    fn execute(&mut self, command: &Command) -> Result<Vec<u8>, Sense> {
        let (mut data_out, mut data_in) = (command.data_out.to_vec(), vec![0; 16_384]);
        let cdb = command.cdb.to_bytes();
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut data_in };
        match self.server.execute(NexusId(1), request, Instant::from_millis(0), &mut self.draws.0) {
            Reply::Good { len } => {
                data_in.truncate(len);
                Ok(data_in)
            }
            Reply::CheckCondition(sense) => Err(sense),
            Reply::Held(_) => panic!("nothing is slow here"),
        }
    }
}

pub fn run(watch: &mut Watch) {
    let provider = watched(&provider::provider());
    for (name, suite) in [("CBC SHA-1 MODP-2048", MANDATORY), ("GCM SHA-256 P-256", COMBINED)] {
        let mut pair = Pair::new(provider, suite, 1);
        let parameters = establish(watch, name, &mut pair);
        let id = SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai };
        let same = pair.server.sas().get(id).is_some_and(|sa| {
            published(sa.parameters.key_seed == parameters.key_seed)
        });
        assert!(same, "{name}");
        let Pair { config, draws, .. } = &mut pair;
        let command = watch.quiet(&format!("{name}: client: Delete"), Outcomes::NONE, || {
            delete(config, *parameters, &mut draws.1)
        });
        let command = command.unwrap();
        watch.quiet(&format!("{name}: device server: Delete"), CODE, || pair.execute(&command)).unwrap();
        assert_eq!(pair.server.sas().len(), 0);

        refuse(watch, name, &mut Pair::new(provider, suite, 3));
    }
}

const STEPS: [&str; 5] =
    ["capabilities", "key exchange OUT", "key exchange IN", "authentication OUT", "authentication IN"];

/// What may be decided by secrets in each step: by the client's command, the server, and the client's reading of the answer.
const OUTCOMES: [[Outcomes; 3]; 5] = [
    [Outcomes::NONE, Outcomes::NONE, Outcomes::NONE],
    [KEYS, KEYS, Outcomes::NONE],
    [Outcomes::NONE, Outcomes::NONE, KEYS],
    [Outcomes::NONE, AUTH, Outcomes::NONE],
    [Outcomes::NONE, Outcomes::NONE, AUTH],
];

fn establish(watch: &mut Watch, name: &str, pair: &mut Pair) -> Box<SaParameters> {
    let mut client = ApplicationClient::new(Arc::clone(&pair.config));
    for (step, [made, executed, read]) in STEPS.into_iter().zip(OUTCOMES) {
        let draws = &mut pair.draws.1;
        let row = format!("{name}: client: {step}");
        let command = watch.quiet(&row, made, || client.next_command(draws)).unwrap();
        let row = format!("{name}: device server: {step}");
        let data_in = watch.quiet(&row, executed, || pair.execute(&command)).unwrap();
        let row = format!("{name}: client reads: {step}");
        let outcome = watch.quiet(&row, read, || client.reply(Status::Good(&data_in))).unwrap();
        if let Outcome::Established(parameters) = outcome {
            return parameters;
        }
    }
    panic!("{name}: no association");
}

/// A client with another key.
fn refuse(watch: &mut Watch, name: &str, pair: &mut Pair) {
    let mut client = ApplicationClient::new(Arc::clone(&pair.config));
    for step in STEPS {
        let command = client.next_command(&mut pair.draws.1).unwrap();
        let is_refused = step == "authentication OUT";
        let answer = if is_refused {
            let row = format!("{name}: device server: AUTH with a wrong key");
            watch.quiet(&row, AUTH, || pair.execute(&command))
        } else {
            pair.execute(&command)
        };
        match answer {
            Ok(data_in) => assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue)),
            Err(sense) => {
                assert!(is_refused, "{name}: {sense}");
                return;
            }
        }
    }
    panic!("{name}: a wrong key was taken");
}
