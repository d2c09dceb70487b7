//! The recorded exchanges, and a client that is answered as recorded.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use super::*;
use crate::algorithm;
use crate::crypto::{
    CertificateError, CertificateValidator, Credential, HashKind, MemoryKeys, PeerClaim, Presentation, PublicKey,
    RandomError, Signer,
};
use crate::dialect::Profile;
use crate::keys::{KeyLog, Protection, SaParameters, seal};
use crate::wire::{Descriptor, IdType, MessageWriter, Sai, Timeouts};

/// The keys of one side, whatever certificates come with a signature: chains are validated in `tests/vectors.rs`.
pub(super) struct Keys(Vec<PublicKey>);

impl CertificateValidator for Keys {
    fn validate(&self, claim: &PeerClaim<'_>) -> Result<PublicKey, CertificateError> {
        self.0.iter().find(|key| key.kind == claim.kind).cloned().ok_or(CertificateError::Unknown)
    }
}

/// The key of a PEM text.
fn signer(pem: &Value, kind: &str) -> Arc<dyn Signer> {
    let (_, der) = pem_rfc7468::decode_vec(pem.as_str().unwrap().as_bytes()).unwrap();
    match kind {
        "rsa" => Arc::new(RsaSigner::from_pkcs8_der(&der, HashKind::Sha1).unwrap()),
        _ => Arc::new(EcdsaSigner::from_pkcs8_der(&der).unwrap()),
    }
}

pub(super) fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap().as_bytes();
    let digit = |d: u8| u8::try_from(char::from(d).to_digit(16).unwrap()).unwrap();
    text.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Values to be drawn, by purpose; the source fails when there are no more.
#[derive(Default)]
pub(super) struct Script(BTreeMap<String, Vec<Vec<u8>>>);

impl Script {
    pub(super) fn with(mut self, purpose: Purpose, values: &[Vec<u8>]) -> Self {
        self.0.insert(alloc::format!("{purpose:?}"), values.to_vec());
        self
    }

    pub(super) fn take(&mut self, purpose: Purpose) -> Result<Vec<u8>, RandomError> {
        let values = self.0.get_mut(&alloc::format!("{purpose:?}")).ok_or(RandomError)?;
        if values.is_empty() { Err(RandomError) } else { Ok(values.remove(0)) }
    }
}

impl Random for Script {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        out.copy_from_slice(&self.take(purpose)?);
        Ok(())
    }

    fn dh_private_length(&self, length: usize) -> usize {
        let values = self.0.get(&alloc::format!("{:?}", Purpose::DhPrivate));
        values.and_then(|values| values.first()).map_or(length, Vec::len)
    }
}

#[derive(Default)]
pub(super) struct Log(pub(super) Mutex<BTreeMap<&'static str, Vec<u8>>>);

impl KeyLog for Log {
    fn record(&self, _: Sai, _: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap().insert(name, value.to_vec());
    }
}

pub(super) struct Transcript(pub(super) Value);

impl Transcript {
    pub(super) fn read(name: &str) -> Self {
        let path = alloc::format!("{}/vectors/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    pub(super) fn steps(&self) -> &[Value] {
        self.0["steps"].as_array().unwrap()
    }

    pub(super) fn last_step(&self) -> &Value {
        self.steps().last().unwrap()
    }

    pub(super) fn identity(side: &Value) -> Identity {
        let id_type = u8::try_from(side["id_type"].as_u64().unwrap()).unwrap();
        Identity::new(IdType::from_code(id_type).unwrap(), &unhex(&side["id"]))
    }

    pub(super) fn profile(&self) -> Profile {
        if self.0["profile"] == "spc4" { Profile::SPC4 } else { Profile::R3 }
    }

    /// An algorithm by the numbers of room `algorithm`; `code` is its type in the transcript's dialect.
    fn number(&self, code: u8, name: &str) -> u32 {
        let wire = u32::from_str_radix(self.0["identifiers"][name].as_str().unwrap(), 16).unwrap();
        Descriptor { algorithm_type: code, identifier: wire, attributes: [0; 4] }
            .known(self.profile())
            .unwrap()
            .identifier
    }

    pub(super) fn suite(&self) -> SuiteIdentifiers {
        let key_length = self.0["identifiers"]["KEY LENGTH"].as_u64().unwrap();
        SuiteIdentifiers {
            encryption: self.number(0x01, "ENCR"),
            key_length: u16::try_from(key_length).unwrap(),
            pseudo_random: self.number(0x02, "PRF"),
            integrity: self.number(0x03, "INTEG"),
            group: self.number(0x04, "D-H"),
            authentication: self.number(0xF9, "server AUTH"),
        }
    }

    /// Our own keys, with what is shown of them, and the device server's.
    fn signatures(&self, mut builder: ClientConfigBuilder) -> ClientConfigBuilder {
        let server = &self.0["provisioning"]["device_server"];
        let kinds = ["rsa", "p256", "p521"];
        let mut known = Vec::new();
        for kind in kinds {
            known.push(signer(&server["keys"][kind], kind).public_key());
            let certificates: Vec<_> = self.0["client"]["certs"][kind].as_array().unwrap().iter().map(unhex).collect();
            let certificates: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
            let own = Credential::with_certificates(signer(&self.0["client"]["keys"][kind], kind), &certificates);
            let is_shown = self.0["client"]["send_cert"] == "x509";
            builder = builder.credential(if is_shown { own } else { own.presenting(Presentation::Nothing) });
        }
        builder.validator(Arc::new(Keys(known))).own_methods(&[self.number(0xF9, "client AUTH")])
    }

    pub(super) fn builder(&self) -> ClientConfigBuilder {
        let server = &self.0["provisioning"]["device_server"];
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::from(unhex(&self.0["client"]["psk"]))).unwrap();
        keys.add_peer(Self::identity(server).as_payload(), Secret::from(unhex(&server["psk"]))).unwrap();
        let options = &self.0["options"];
        let usage = if options["usage"].is_null() { Vec::new() } else { unhex(&options["usage"]) };
        let nonce = usize::try_from(options["nonce"].as_u64().unwrap_or(32)).unwrap();
        let builder = ClientConfig::builder(provider(), Self::identity(&self.0["client"]))
            .profile(self.profile())
            .preshared_keys(Arc::new(keys))
            .expect_device_server(Self::identity(server))
            .preferences(Preferences::exactly(self.suite()))
            .allow_no_authentication(self.suite().authentication == 0)
            .timeouts(Timeouts { protocol: 60, inactivity: 3600 })
            .usage(0x81, &usage)
            .nonce_length(nonce);
        if self.number(0xF9, "client AUTH") == algorithm::IKE_AUTH_SHARED_KEY {
            builder
        } else {
            self.signatures(builder)
        }
    }

    /// The recorded client, which does not show its certificates.
    pub(super) fn hiding_certificates(&self) -> ClientConfigBuilder {
        let mut hidden = Self(self.0.clone());
        hidden.0["client"]["send_cert"] = "none".into();
        hidden.builder()
    }

    /// A client that has been answered as recorded up to `step`, whose command is out.
    pub(super) fn client_at(&self, step: Step) -> (ApplicationClient, Script, Vec<u8>) {
        self.client_with(self.builder(), step)
    }

    /// The same with another configuration that makes the same commands so far.
    pub(super) fn client_with(&self, builder: ClientConfigBuilder, step: Step) -> (ApplicationClient, Script, Vec<u8>) {
        let mut random = self.script();
        let mut client = ApplicationClient::new(builder.build().unwrap());
        for recorded in self.steps() {
            let data_in = compare(&client.next_command(&mut random).unwrap(), recorded);
            if client.step() == step {
                return (client, random, data_in);
            }
            assert_eq!(client.reply(Status::Good(&data_in)), Ok(Outcome::Continue));
        }
        panic!("no such step")
    }

    fn sais(&self) -> (Sai, Sai) {
        let script = &self.0["provisioning"]["random"]["ccs"][0]["ds_sai"];
        let out = unhex(&self.steps()[1]["data_out"]);
        let ac_sai = Sai(u64::from_be_bytes(out[..8].try_into().unwrap()));
        (ac_sai, Sai(unhex(script).iter().fold(0, |sai, byte| sai << 8 | u64::from(*byte))))
    }

    /// The recorded authentication IN with other payloads before the Encrypted payload and inside it, sealed with the recorded
    /// keys.
    pub(super) fn authentication_in(&self, before: &Payloads<'_>, payloads: &Payloads<'_>) -> Vec<u8> {
        let suite = self.suite();
        let cipher = provider().cipher(suite.encryption, suite.key_length).unwrap();
        self.sealed(before, payloads, cipher.alignment(), |_| {})
    }

    /// The same with the plaintext padded to a multiple of `alignment`, and then changed.
    pub(super) fn sealed(
        &self,
        before: &Payloads<'_>,
        payloads: &Payloads<'_>,
        alignment: usize,
        change: impl Fn(&mut [u8]),
    ) -> Vec<u8> {
        let ccs = &self.0["ccs"][0];
        let [sk_er, sk_ar] = ["SK_er", "SK_ar"].map(|name| Secret::from(unhex(&ccs[name])));
        let suite = self.suite();
        let cipher = provider().cipher(suite.encryption, suite.key_length).unwrap();
        let integrity = provider().integrity(suite.integrity);
        let protection = Protection { cipher, cipher_key: sk_er.expose(), integrity, integrity_key: sk_ar.expose() };
        let mut buffer = [0; 4096];
        let exchange = Exchange::AuthenticationIn;
        let mut writer = MessageWriter::new(self.profile(), exchange, self.sais(), 1, &mut buffer).unwrap();
        before(&mut writer).unwrap();
        writer.begin_encrypted(&unhex(&ccs["iv_r"])).unwrap();
        payloads(&mut writer).unwrap();
        let encrypted = writer.end_encrypted(alignment, protection.icv_length()).unwrap();
        let message = writer.finish().unwrap();
        change(&mut message[encrypted.text.clone()]);
        seal(&protection, message, &encrypted).unwrap();
        message.to_vec()
    }

    pub(super) fn script(&self) -> Script {
        let ccs = &self.0["ccs"][0];
        let ivs: Vec<_> = [&ccs["iv_i"], &ccs["delete_iv"]].into_iter().filter(|iv| !iv.is_null()).map(unhex).collect();
        Script::default()
            .with(Purpose::AcSai, &[unhex(&self.steps()[1]["data_out"])[self.profile().rules().sai_offset..8].to_vec()])
            .with(Purpose::DhPrivate, &[unhex(&ccs["dh_private_i"])])
            .with(Purpose::Nonce, &[unhex(&ccs["ni"])])
            .with(Purpose::Iv, &ivs)
    }
}

/// Compares one command with a recorded one; gives the recorded Data-In.
pub(super) fn compare(command: &Command, step: &Value) -> Vec<u8> {
    assert_eq!(command.cdb.to_bytes().to_vec(), unhex(&step["cdb"]), "{}", step["command"]);
    if step["op"] == "out" {
        assert_eq!(command.data_out, unhex(&step["data_out"]), "{}", step["command"]);
        return Vec::new();
    }
    assert!(command.data_out.is_empty());
    unhex(&step["data_in"])
}

pub(super) fn compare_parameters(parameters: &SaParameters, recorded: &Value) {
    let management = &recorded["MGMT_DATA"];
    let bytes = |value: &Value| if value.is_null() { Vec::new() } else { unhex(value) };
    let sai = |value: &Value| Sai(unhex(value).iter().fold(0, |sai, byte| sai << 8 | u64::from(*byte)));
    assert_eq!((parameters.ac_sai, parameters.ds_sai), (sai(&recorded["AC_SAI"]), sai(&recorded["DS_SAI"])));
    assert_eq!(Some(u64::from(parameters.timeout)), recorded["TIMEOUT"].as_u64());
    assert_eq!(Some(u64::from(parameters.usage_type)), recorded["USAGE_TYPE"].as_u64());
    assert_eq!(parameters.usage_data_parameter(), unhex(&recorded["USAGE_DATA"]));
    assert_eq!([parameters.ac_sqn, parameters.ds_sqn], ["AC_SQN", "DS_SQN"].map(|n| recorded[n].as_u64().unwrap_or(0)));
    assert_eq!(*parameters.ac_nonce(), *bytes(&recorded["AC_NONCE"]));
    assert_eq!(*parameters.ds_nonce(), *bytes(&recorded["DS_NONCE"]));
    assert_eq!(Some(u64::from(parameters.kdf_id)), recorded["KDF_ID"].as_u64());
    assert_eq!(parameters.key_seed(), bytes(&recorded["KEY_SEED"]));
    assert_eq!(parameters.keymat(), bytes(&recorded["KEYMAT"]));
    let ours = &parameters.mgmt_data;
    assert_eq!(Some(u64::from(ours.encr)), management["ENCR"].as_u64());
    assert_eq!(Some(u64::from(ours.key_length)), management["KEY LENGTH"].as_u64());
    assert_eq!(Some(u64::from(ours.integ)), management["INTEG"].as_u64());
    let keys = [
        ("SK_ei", parameters.sk_ei()),
        ("SK_ai", parameters.sk_ai()),
        ("SK_er", parameters.sk_er()),
        ("SK_ar", parameters.sk_ar()),
    ];
    for (name, key) in keys {
        assert_eq!(key, bytes(&management[name]), "{name}");
    }
    assert_eq!(Some(u64::from(ours.next_message_id)), management["NEXT MESSAGE ID"].as_u64());
}

pub(super) fn replay(name: &str) {
    let transcript = Transcript::read(name);
    let log = Arc::new(Log::default());
    let config = Arc::new(transcript.builder().key_log(log.clone()).build().unwrap());
    let mut random = transcript.script();
    let mut client = ApplicationClient::new(config.clone());
    let mut steps = transcript.steps().iter();
    let parameters = loop {
        let command = client.next_command(&mut random).unwrap();
        let data_in = compare(&command, steps.next().unwrap());
        match client.reply(Status::Good(&data_in)).unwrap() {
            Outcome::Continue => assert_eq!(client.failure(), None, "{name}"),
            Outcome::SendAgain(sense) => panic!("{name}: {sense}"),
            Outcome::Established(parameters) => break parameters,
        }
    };
    compare_parameters(&parameters, &transcript.0["sa"][0]);
    // Where there are Deletes, the recorded IV is the last one's, which is of an association that is already deleted.
    if let Some(step) = steps.last() {
        compare(&delete(&config, *parameters, &mut random).unwrap(), step);
    }
    compare_log(&log.0.lock().unwrap(), &transcript.0["ccs"][0]);
}

/// Both hold the same secrets, but for what only one of them writes down.
pub(super) fn compare_log(log: &BTreeMap<&'static str, Vec<u8>>, recorded: &Value) {
    let recorded = recorded.as_object().unwrap();
    for (name, value) in log {
        // The transcripts leave out integrity keys that a combined mode does not have.
        assert_eq!(*value, recorded.get(*name).map_or(Vec::new(), unhex), "{name}");
    }
    let inputs = ["dh_private", "dh_public", "iv_", "delete_iv", "ni", "nr"];
    for name in recorded.keys().filter(|name| !inputs.iter().any(|input| name.starts_with(input))) {
        assert!(log.contains_key(name.as_str()), "{name}");
    }
}
