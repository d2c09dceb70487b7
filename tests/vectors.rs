//! The recorded exchanges, byte for byte and secret for secret, and the published values of the key derivation.
//!
//! Nothing is derived here: what the crate computed (its `KeyLog`, its messages, its security associations) is compared
//! with what the independent implementation recorded.
#![cfg(all(feature = "rustcrypto", feature = "client", feature = "x509"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it counted"
)]

mod support;

use std::sync::Arc;

use ikev2_scsi::algorithm;
use ikev2_scsi::client::{
    self, ApplicationClient, ClientConfig, ClientConfigBuilder, Command, Fault, Leftover, Outcome, Preferences, Status,
    SuiteIdentifiers,
};
use ikev2_scsi::crypto::{CryptoError, CryptoProvider, Identity, MemoryKeys, Prf, Purpose, Secret, Suite};
use ikev2_scsi::dialect::{PayloadType, Profile};
use ikev2_scsi::keys::{KeyLogger, KeySet, SaContext, SaParameters};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Body, IdType, KeyExchange, Message, Nonce, RawPayload, Sai, Timeouts, find};
use ikev2_scsi::x509::IdentityMatch;
use serde_json::Value;
use support::credentials::{Signatures, Signers};
use support::member::Member;
use support::provider;
use support::unit::Unit;
use support::{Collector, Draws, Step, Transcript, association, bytes, hex};

#[test]
fn the_device_server_replays_every_transcript() {
    support::transcripts().iter().for_each(|transcript| Replay::by_device_server(transcript).compare("device server"));
}

#[test]
fn the_application_client_replays_every_transcript() {
    support::transcripts()
        .iter()
        .for_each(|transcript| Replay::by_application_client(transcript).compare("application client"));
}

/// A transcript that one side has replayed, and what came up while it did.
struct Replay<'a> {
    transcript: &'a Transcript,
    steps: Vec<Step>,
    log: Arc<Collector>,
    /// Every security association there was, as it was when it came into being.
    associations: Vec<Value>,
}

impl<'a> Replay<'a> {
    fn new(transcript: &'a Transcript) -> Self {
        Self { transcript, steps: transcript.steps(), log: Arc::default(), associations: Vec::new() }
    }

    fn by_device_server(transcript: &'a Transcript) -> Self {
        let mut replay = Self::new(transcript);
        let key_log = Arc::clone(&replay.log);
        let mut unit = Unit::new(&transcript.provisioning(), |builder| builder.key_log(key_log)).unwrap();
        for index in 0..replay.steps.len() {
            support::assert_answer(&mut unit, &replay.steps[index]);
            let live = unit.server.sas().iter().map(|sa| association::to_json(&sa.parameters));
            live.for_each(|sa| replay.add_association(sa));
        }
        replay
    }

    /// A Delete uses an SA up: for each that was recorded, the exchange is made once.
    fn by_application_client(transcript: &'a Transcript) -> Self {
        let mut replay = Self::new(transcript);
        let key_log = Arc::clone(&replay.log);
        let config = Arc::new(client_builder(transcript, &replay.steps).key_log(key_log).build().unwrap());
        let deletes = replay.steps.iter().filter(|step| step.command == "delete");
        let delete_ivs = replay.payloads("delete", true, PayloadType::Encrypted, |raw| replay.iv(raw));
        let deletes: Vec<_> = deletes.cloned().zip(delete_ivs).map(Some).collect();
        if replay.is_abandoned() {
            for (step, iv) in deletes.into_iter().flatten() {
                abandon(transcript, &config, &step, iv);
            }
            return replay;
        }
        let deletes = if deletes.is_empty() { vec![None] } else { deletes };
        for recorded_delete in deletes {
            let mut random = client_draws(transcript);
            let at = transcript.json["client"]["unix_time"].as_u64().map(UnixTime);
            let parameters = establish(&config, &replay.steps, &mut random, at);
            replay.add_association(association::to_json(&parameters));
            if let Some((step, iv)) = recorded_delete {
                let command = client::delete(&config, *parameters, &mut Draws(vec![(Purpose::Iv, iv)])).unwrap();
                assert_command(&command, &step);
            }
        }
        replay
    }

    fn add_association(&mut self, sa: Value) {
        let is_same = |known: &Value| ["AC_SAI", "DS_SAI"].iter().all(|index| known[index] == sa[index]);
        match self.associations.iter().find(|known| is_same(known)) {
            Some(known) => assert_eq!(*known, sa, "an SA has changed"),
            None => self.associations.push(sa),
        }
    }

    fn compare(&self, side: &str) {
        let (internals, parameters) = (self.compare_internals(), self.compare_associations());
        let (name, commands) = (&self.transcript.name, self.steps.len());
        println!("{side}, {name}: {commands} commands, {internals} internals, {parameters} SA parameters");
        assert!(internals > 0 && (parameters > 0 || self.is_abandoned()));
    }

    /// The sequence is deleted before its authentication, which is then refused unopened.
    fn is_abandoned(&self) -> bool {
        self.transcript.json["scenario"] == "abandon"
    }

    /// Compares every member of `ccs`; gives their number.
    fn compare_internals(&self) -> usize {
        let mut compared = 0;
        let sequences = self.transcript.json["ccs"].as_array().unwrap();
        let script = self.transcript.provisioning().script;
        assert!(script.len() >= sequences.len());
        for (values, recorded) in script.iter().zip(sequences) {
            let ds_sai = Sai(values.ds_sai.iter().fold(0, |sai, byte| sai << 8 | u64::from(*byte)));
            for (name, recorded_value) in recorded.as_object().unwrap() {
                let recorded_value = recorded_value.as_str().unwrap();
                let found: Vec<String> = self.ours(ds_sai, recorded, name).iter().map(|v| hex::encode(v)).collect();
                // The device server has not opened what came after the Delete.
                if self.is_abandoned()
                    && ["octets_i", "auth_i", "plaintext_i"].contains(&name.as_str())
                    && found.is_empty()
                {
                    continue;
                }
                assert!(
                    found.iter().any(|ours| ours == recorded_value),
                    "{}: {name}\n  ours {found:?}\n  recorded {recorded_value}",
                    self.transcript.name,
                );
                compared += 1;
            }
        }
        compared
    }

    /// What this crate has for a recorded member: more than one value where a command of its kind came twice.
    fn ours(&self, ds_sai: Sai, recorded: &Value, name: &str) -> Vec<Vec<u8>> {
        let key_exchange = |is_out| self.payloads("key exchange", is_out, PayloadType::KeyExchange, public);
        let nonces = |is_out| self.payloads("key exchange", is_out, PayloadType::Nonce, nonce);
        let ivs = |command, is_out| self.payloads(command, is_out, PayloadType::Encrypted, |raw| self.iv(raw));
        match name {
            "dh_private_i" => self.private_value_of(recorded, "dh_private_i", "dh_public_i", "dh_public_r"),
            "dh_private_r" => self.private_value_of(recorded, "dh_private_r", "dh_public_r", "dh_public_i"),
            "dh_public_i" => key_exchange(true),
            "dh_public_r" => key_exchange(false),
            "ni" => nonces(true),
            "nr" => nonces(false),
            "iv_i" => ivs("authentication", true),
            "iv_r" => ivs("authentication", false),
            "delete_iv" => ivs("delete", true),
            logged => self.log.values(ds_sai, logged),
        }
    }

    /// The private value, if our group makes of it the public value and the shared secret that were recorded.
    fn private_value_of(&self, recorded: &Value, private: &str, public: &str, peer: &str) -> Vec<Vec<u8>> {
        let private = bytes(&recorded[private]);
        let group = provider::provider().group(self.transcript.identifier("D-H")).unwrap();
        let (mut own, mut shared) = (vec![0; group.public_length()], vec![0; group.shared_length()]);
        group.exchange(&private, &bytes(&recorded[peer]), &mut own, &mut shared).unwrap();
        assert_eq!(hex::encode(&own), recorded[public].as_str().unwrap());
        assert_eq!(hex::encode(&shared), recorded["shared"].as_str().unwrap());
        vec![private]
    }

    /// The IV of an Encrypted payload.
    fn iv(&self, raw: &RawPayload<'_>) -> Vec<u8> {
        let (identifier, key_length) = (self.transcript.identifier("ENCR"), self.transcript.key_length());
        let cipher = provider::provider().cipher(identifier, key_length).unwrap();
        raw.data[..cipher.iv_length()].to_vec()
    }

    /// What `read` makes of a payload of every command of one kind. The messages are those that the side in question sent
    /// or took, since each was compared with its step.
    fn payloads(
        &self,
        command: &str,
        is_out: bool,
        payload: PayloadType,
        read: impl Fn(&RawPayload<'_>) -> Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let wanted = |step: &&Step| step.command == command && step.is_out == is_out;
        let value = |step: &Step| {
            let message = if is_out { &step.data_out } else { &step.data_in };
            let message = Message::parse(self.transcript.profile(), message).unwrap();
            find(&message.payloads(), payload).map(|raw| read(&raw))
        };
        self.steps.iter().filter(wanted).filter_map(value).collect()
    }

    /// Compares every parameter of every SA; gives their number.
    fn compare_associations(&self) -> usize {
        let recorded = self.transcript.json["sa"].as_array().unwrap();
        assert_eq!(self.associations, *recorded, "{}", self.transcript.name);
        recorded.iter().map(leaves).sum()
    }
}

/// The configuration of the recorded application client; its timeouts are those that it sent.
fn client_builder(transcript: &Transcript, steps: &[Step]) -> ClientConfigBuilder {
    let (ours, server) = (&transcript.json["client"], &transcript.json["client"]["server"]);
    let identity = |side: &Value| {
        let id_type = u8::try_from(side["id_type"].as_u64().unwrap()).unwrap();
        Identity::new(IdType::from_code(id_type).unwrap(), &bytes(&side["id"]))
    };
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::from(bytes(&ours["psk"]))).unwrap();
    keys.add_peer(identity(server).as_payload(), Secret::from(bytes(&server["psk"]))).unwrap();
    let suite = SuiteIdentifiers {
        encryption: transcript.identifier("ENCR"),
        key_length: transcript.key_length(),
        pseudo_random: transcript.identifier("PRF"),
        integrity: transcript.identifier("INTEG"),
        group: transcript.identifier("D-H"),
        authentication: transcript.identifier("server AUTH"),
    };
    let side = Member::root(ours).unwrap();
    let peers = [(identity(server), side.get("server"))];
    let anchors = side.get("trust_anchors");
    let signatures = Signatures::read(Signers::RUSTCRYPTO, &side, &peers, &anchors, IdentityMatch::Off, false).unwrap();
    let out = steps.iter().find(|step| step.is_out).unwrap();
    let message = Message::parse(transcript.profile(), &out.data_out).unwrap();
    let timeouts = find(&message.payloads(), PayloadType::Timeouts).unwrap();
    let timeouts: Timeouts = timeouts.body(transcript.profile()).unwrap();
    let options = &transcript.json["options"];
    let usage_data = options.get("usage").map(bytes).unwrap_or_default();
    let usage_type = transcript.json["provisioning"]["policy"]["usage_types"][0].as_u64().unwrap();
    let client = ClientConfig::builder(provider::provider(), identity(ours))
        .profile(transcript.profile())
        .preshared_keys(Arc::new(keys))
        .own_methods(&[transcript.identifier("client AUTH")])
        .validator(signatures.validator)
        .certificate_requests(signatures.requests)
        .expect_device_server(identity(server))
        .preferences(Preferences::exactly(suite))
        .allow_no_authentication(suite.authentication == algorithm::IKE_AUTH_NONE)
        .timeouts(timeouts)
        .usage(u16::try_from(usage_type).unwrap(), &usage_data)
        .nonce_length(bytes(&transcript.json["ccs"][0]["ni"]).len());
    signatures.own.into_iter().fold(client, ClientConfigBuilder::credential)
}

/// What the application client drew before the Delete.
fn client_draws(transcript: &Transcript) -> Draws {
    let ccs = &transcript.json["ccs"][0];
    let steps = transcript.steps();
    let message = &steps.iter().find(|step| step.is_out).unwrap().data_out;
    // The low four bytes of a SAI's eight are all of it in SPC-4.
    let sai_at = if transcript.profile() == Profile::R3 { 0 } else { 4 };
    let mut draws = vec![
        (Purpose::AcSai, message[sai_at..8].to_vec()),
        (Purpose::DhPrivate, bytes(&ccs["dh_private_i"])),
        (Purpose::Nonce, bytes(&ccs["ni"])),
    ];
    draws.extend(ccs.get("iv_i").map(|iv| (Purpose::Iv, bytes(iv))));
    Draws(draws)
}

fn assert_command(command: &Command, step: &Step) {
    assert_eq!(hex::encode(&command.cdb.to_bytes()), hex::encode(&step.cdb), "CDB of {}", step.command);
    assert_eq!(hex::encode(&command.data_out), hex::encode(&step.data_out), "Data-Out of {}", step.command);
}

/// Gives the exchange up when its authentication OUT is made, and before it is sent; every command is compared.
fn abandon(transcript: &Transcript, config: &Arc<ClientConfig>, delete: &Step, delete_iv: Vec<u8>) {
    let mut random = client_draws(transcript);
    let mut client = ApplicationClient::new(Arc::clone(config));
    let steps = transcript.steps();
    for step in steps.iter().filter(|step| step.command != "delete") {
        assert_command(&client.next_command(&mut random).unwrap(), step);
        let is_last = step.command == "authentication";
        // LOGICAL UNIT NOT READY, SA CREATION IN PROGRESS: it was not taken.
        let busy = [0x72, 2, 0x04, 0x13, 0, 0, 0, 0];
        client.reply(if is_last { Status::CheckCondition(&busy) } else { Status::Good(&step.data_in) }).unwrap();
    }
    client.abandon();
    let command = client.next_command(&mut Draws(vec![(Purpose::Iv, delete_iv)])).unwrap();
    assert_command(&command, delete);
    let error = client.reply(Status::Good(&[])).unwrap_err();
    assert_eq!((error.fault, error.leftover), (Fault::GivenUp, Leftover::Deleted));
}

/// Makes the exchange with the recorded answers; every command is compared.
fn establish(
    config: &Arc<ClientConfig>,
    steps: &[Step],
    random: &mut Draws,
    at: Option<UnixTime>,
) -> Box<SaParameters> {
    let mut client = ApplicationClient::new(Arc::clone(config));
    at.into_iter().for_each(|at| client.set_unix_time(at));
    for step in steps {
        assert_command(&client.next_command(random).unwrap(), step);
        match client.reply(Status::Good(&step.data_in)).unwrap() {
            Outcome::Continue => {}
            Outcome::Established(parameters) => {
                assert!(random.0.is_empty(), "something recorded was not drawn");
                return parameters;
            }
            Outcome::SendAgain(sense) => panic!("{sense}"),
        }
    }
    panic!("the exchange made no SA")
}

/// Both dialects have the same layout of KE and NONCE.
fn body<'a, B: Body<'a>>(raw: &RawPayload<'a>) -> B {
    raw.body(Profile::R3).unwrap()
}

fn public(raw: &RawPayload<'_>) -> Vec<u8> {
    body::<KeyExchange<'_>>(raw).public.to_vec()
}

fn nonce(raw: &RawPayload<'_>) -> Vec<u8> {
    body::<Nonce<'_>>(raw).data.to_vec()
}

/// The number of values in an object, those of its objects included.
fn leaves(value: &Value) -> usize {
    value.as_object().map_or(1, |members| members.values().map(leaves).sum())
}

/// The PRF of a published record, if the provider has it.
fn prf_of(provider: &CryptoProvider, record: &Value) -> Option<&'static dyn Prf> {
    let row = match record["prf"].as_str().unwrap() {
        "sha1" => algorithm::PRF_HMAC_SHA1,
        "sha256" => algorithm::PRF_HMAC_SHA2_256,
        "sha384" => algorithm::PRF_HMAC_SHA2_384,
        "sha512" => algorithm::PRF_HMAC_SHA2_512,
        "aesxcbc" => algorithm::PRF_AES128_XCBC,
        other => panic!("an unknown PRF: {other}"),
    };
    provider.prf(row.identifier)
}

/// Hands the published records of one kind to `check`; fails if the provider has no PRF for any.
fn each_record(kind: &str, check: impl Fn(&'static dyn Prf, &Value)) {
    let provider = provider::provider();
    let file = support::read_json(&support::project_file("vectors/primitives/ikev2_kdf.json"));
    let records = file["vectors"].as_array().unwrap().iter().filter(|record| record["kind"] == kind);
    let (mut done, mut skipped) = (0, 0);
    for record in records {
        match prf_of(&provider, record) {
            Some(prf) => {
                check(prf, record);
                done += 1;
            }
            None => skipped += 1,
        }
    }
    println!("{kind}: {done} records, {skipped} skipped since this build lacks their PRF");
    assert!(done > 0);
}

/// A PRF whose prf+ is the one that a provider has that does not make its own.
struct ByDefinition(&'static dyn Prf);

impl Prf for ByDefinition {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }

    fn output_length(&self) -> usize {
        self.0.output_length()
    }

    fn key_length(&self) -> usize {
        self.0.key_length()
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        self.0.compute(key, parts, out)
    }
}

#[test]
fn prf_plus_gives_the_published_values() {
    each_record("prf_plus", |prf, record| {
        let length = usize::try_from(record["len"].as_u64().unwrap()).unwrap();
        let (key, seed) = (bytes(&record["key"]), bytes(&record["seed"]));
        let (head, tail) = seed.split_at(seed.len() / 3);
        // As the provider has it, whole and in parts, and by the definition over its other functions.
        let defined = ByDefinition(prf);
        let ways: [(&dyn Prf, &[&[u8]]); 3] = [(prf, &[&seed]), (prf, &[head, &[], tail]), (&defined, &[&seed])];
        for (prf, seed) in ways {
            let mut out = vec![0; length];
            prf.expand(&key, seed, &mut out).unwrap();
            assert_eq!(hex::encode(&out), record["out"].as_str().unwrap(), "{}", record["origin"]);
        }
    });
}

#[test]
fn skeyseed_has_the_published_values() {
    let provider = provider::provider();
    each_record("skeyseed", |prf, record| {
        // The cipher and the group have no part in SKEYSEED.
        let (cipher, group) = (provider.ciphers[0], provider.groups[0]);
        let suite = Suite { cipher, key_length: cipher.key_lengths()[0], prf, integrity: None, group };
        // Some records give both nonces in one piece.
        let nonce = |name| record.get(name).map(bytes);
        let (ac_nonce, ds_nonce) = match nonce("ni_nr") {
            Some(both) => (both, Vec::new()),
            None => (nonce("ni").unwrap(), nonce("nr").unwrap()),
        };
        let (ac_sai, ds_sai) = (Sai(1), Sai(2));
        let context = SaContext { ac_nonce: &ac_nonce, ds_nonce: &ds_nonce, ac_sai, ds_sai };
        let collector = Collector::default();
        let log = KeyLogger { log: Some(&collector), ac_sai, ds_sai };
        KeySet::derive(Profile::R3, &suite, &bytes(&record["dh_shared"]), &context, log).unwrap();
        assert_eq!(collector.values(ds_sai, "SKEYSEED"), [bytes(&record["out"])], "{}", record["origin"]);
    });
}
