//! Whole exchanges: every private value and every shared key of both sides is secret, and so is all that is computed of them,
//! until it is sent.

use std::sync::Arc;

use ikev2_scsi::client::{ApplicationClient, Outcome, Status, SuiteIdentifiers, delete};
use ikev2_scsi::crypto::{CryptoProvider, Identity, MemoryKeys, PresharedKeys, Secret};
use ikev2_scsi::esp::{EspScsi, Flow, Form, Place, TAPE_DATA_ENCRYPTION};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::server::EspCommand;
use ikev2_scsi::{Instant, Profile, provider};

use super::secret_bytes;
use super::watched::{Draws, Publishes, watched};
use crate::pair::{COMBINED, MANDATORY, Pair, drive, host};
use crate::valgrind::{is_secret, published};
use crate::watch::{Outcomes, Watch};

const CODE: Outcomes = Outcomes::of(2, "whether the code of the message matches");
/// AUTH is compared once, inside a message whose code was right.
const AUTH: Outcomes = Outcomes::of(3, "whether the code matches; and whether the AUTH does");
/// The answer is asked for again by whoever counts failures, tells the embedder and writes the sense data.
const DENIED: Outcomes = Outcomes::of(8, "whether the code matches; and that the AUTH does not");
const KEYS: Outcomes = Outcomes::of(6, "whether private and shared values are in range");

/// The keys of one side: its own and the other side's, drawn under these numbers.
fn keys(own: u64, peer: &Identity, peers: u64) -> Arc<dyn PresharedKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::from(secret_bytes(own, 32))).unwrap();
    keys.add_peer(peer.as_payload(), Secret::from(secret_bytes(peers, 32))).unwrap();
    Arc::new(keys)
}

/// The client's key is drawn under `clients`; the server knows the one of number 1.
fn paired(provider: CryptoProvider, dialect: (Profile, SuiteIdentifiers), clients: u64) -> Pair<Draws> {
    Pair::new(provider, dialect, [keys(2, &host(), 1), keys(clients, &drive(), 2)], Draws(100), Draws(200))
}

pub fn run(watch: &mut Watch) {
    let provider = watched(&provider::provider(), Publishes::All);
    for (name, dialect) in [
        ("CBC SHA-1 MODP-2048", (Profile::R3, MANDATORY)),
        ("GCM SHA-256 P-256", (Profile::R3, COMBINED)),
        ("SPC-4", (Profile::SPC4, COMBINED)),
    ] {
        let mut pair = paired(provider, dialect, 1);
        let mut parameters = establish(watch, name, &mut pair);
        let id = SaId { ac_sai: parameters.ac_sai, ds_sai: parameters.ds_sai };
        let same = pair.server.sas().get(id).is_some_and(|sa| {
            published(
                sa.parameters.key_seed() == parameters.key_seed() && sa.parameters.keymat() == parameters.keymat(),
            )
        });
        assert!(same, "{name}");
        assert!(is_secret(parameters.key_seed()) && is_secret(parameters.keymat()), "{name}");
        if dialect.0 == Profile::SPC4 {
            descriptors(watch, &mut pair, &mut parameters);
        }
        let Pair { config, client_draws, .. } = &mut pair;
        let command = watch
            .quiet(&format!("{name}: client: Delete"), Outcomes::NONE, || delete(config, *parameters, client_draws));
        let command = command.unwrap();
        watch.quiet(&format!("{name}: device server: Delete"), CODE, || pair.execute(&command)).unwrap();
        assert_eq!(pair.server.sas().len(), 0);

        refuse(watch, name, &mut paired(provider, dialect, 3));
    }
}

/// Bytes after the data of a descriptor: two of padding, their number, and one of zero.
const TRAILER: usize = 4;

/// ESP-SCSI: the association's keys are secret, and so are the data. What stands behind the data is public once it is authentic.
fn descriptors(watch: &mut Watch, pair: &mut Pair<Draws>, parameters: &mut SaParameters) {
    let uses = &[TAPE_DATA_ENCRYPTION];
    let ours = EspScsi::new(Profile::SPC4, watched(&provider::provider(), Publishes::End(TRAILER)), uses);
    let command = EspCommand { usage_types: uses, form: Form::WithLength, place: Place::ParameterList(0) };
    let (data, now) = (secret_bytes(9, 256), Instant::from_millis(0));
    let Pair { server, server_draws, client_draws, .. } = pair;

    let built = watch.quiet("ESP-SCSI: client: build", Outcomes::NONE, || {
        ours.build(Flow::Out, parameters, &data, command.form, client_draws)
    });
    let mut descriptor = built.unwrap().descriptor;
    let opened =
        watch.quiet("ESP-SCSI: device server: open", CODE, || server.open_data_out(&mut descriptor, command, now));
    let opened = opened.unwrap();
    assert!(published(Secret::copy_of(&descriptor[opened.data]) == Secret::copy_of(&data)));

    let id = opened.id;
    let built = watch.quiet("ESP-SCSI: device server: build", Outcomes::NONE, || {
        server.build_data_in(id, &data, command, now, server_draws)
    });
    let mut descriptor = built.unwrap();
    let opened =
        watch.quiet("ESP-SCSI: client: open", CODE, || ours.open(Flow::In, parameters, &mut descriptor, command.form));
    assert!(published(Secret::copy_of(&descriptor[opened.unwrap().data]) == Secret::copy_of(&data)));
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

fn establish(watch: &mut Watch, name: &str, pair: &mut Pair<Draws>) -> Box<SaParameters> {
    let mut client = ApplicationClient::new(Arc::clone(&pair.config));
    for (step, [made, executed, read]) in STEPS.into_iter().zip(OUTCOMES) {
        let draws = &mut pair.client_draws;
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
fn refuse(watch: &mut Watch, name: &str, pair: &mut Pair<Draws>) {
    let mut client = ApplicationClient::new(Arc::clone(&pair.config));
    for step in STEPS {
        let command = client.next_command(&mut pair.client_draws).unwrap();
        let is_refused = step == "authentication OUT";
        let answer = if is_refused {
            let row = format!("{name}: device server: AUTH with a wrong key");
            watch.quiet(&row, DENIED, || pair.execute(&command))
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
