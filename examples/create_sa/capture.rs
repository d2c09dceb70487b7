//! The exchange with its secrets, in the JSON form of the recorded transcripts.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use ikev2_scsi::Profile;
use ikev2_scsi::algorithm::{
    Algorithm, AlgorithmType, IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_521, IKE_AUTH_RSA,
    IKE_AUTH_SHARED_KEY, PRF_AES128_XCBC,
};
use ikev2_scsi::crypto::{Identity, Purpose};
use ikev2_scsi::dialect::PayloadType;
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::Limits;
use ikev2_scsi::wire::{Capabilities, Direction, KeyExchange, Message, find};
use serde_json::{Map, Value, json};

use super::demonstration::member;
use super::hex;
use super::pair::{CLIENT_KEY, Pair, SERVER_KEY, Step, client_identity, server_identity};
use super::suite::Suite;

/// The whole exchange. `sa` is the device server's association, as it was before the Delete.
fn to_json(pair: &Pair, sa: Option<&Value>) -> Result<Value, Box<dyn Error>> {
    let suite = pair.suite;
    let mut options = Map::new();
    if !suite.usage_data.is_empty() {
        options.insert("usage".into(), hex::encode(suite.usage_data).into());
    }
    if suite.nonce_length != Suite::standard(suite.profile).nonce_length {
        options.insert("nonce".into(), suite.nonce_length.into());
    }
    Ok(json!({
        "name": suite.name,
        "profile": profile_name(suite),
        "scenario": if suite.is_abandoned { "abandon" } else { "delete" },
        "algorithms": algorithms(suite),
        "identifiers": identifiers(suite),
        "options": options,
        "provisioning": provisioning(pair)?,
        "client": client(pair),
        "steps": pair.steps.iter().map(step).collect::<Vec<_>>(),
        "ccs": [internals(pair)?],
        "sa": sa.into_iter().collect::<Vec<_>>(),
    }))
}

fn profile_name(suite: &Suite) -> &'static str {
    if suite.profile == Profile::SPC4 { "spc4" } else { "r3" }
}

/// Writes the text where, as far as that can be said, only its owner reads it.
pub(crate) fn write(path: &Path, pair: &Pair, sa: Option<&Value>) -> Result<(), Box<dyn Error>> {
    let text = serde_json::to_string_pretty(&to_json(pair, sa)?)? + "\n";
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

fn algorithms(suite: &Suite) -> Value {
    let encryption = dashed(&suite.encryption, "ENCR_");
    json!({
        "encr": format!("{encryption}/{}", suite.key_length()),
        "prf": dashed(&suite.prf, "PRF_"),
        "integ": dashed(&suite.integrity, "AUTH_"),
        "dh": group_name(&suite.group),
        "client_auth": method_name(suite.client_authentication()),
        "server_auth": method_name(suite.authentication),
    })
}

/// ENCR_AES_CBC as AES-CBC. r3 prints PRF_AES128_CBC for what is AES-128 XCBC.
fn dashed(algorithm: &Algorithm, prefix: &str) -> String {
    if *algorithm == PRF_AES128_XCBC {
        return "AES128-XCBC".into();
    }
    let name = algorithm.name.trim_start_matches(prefix).replace('_', "-");
    name.replace(" with a 16 octet ICV", "-16")
}

fn method_name(identifier: u32) -> &'static str {
    match identifier {
        IKE_AUTH_RSA => "RSA",
        IKE_AUTH_SHARED_KEY => "shared key",
        IKE_AUTH_ECDSA_256 => "ECDSA-P256",
        IKE_AUTH_ECDSA_384 => "ECDSA-P384",
        IKE_AUTH_ECDSA_521 => "ECDSA-P521",
        _ => "none",
    }
}

/// "2048-bit MODP group" as MODP-2048, a curve by the last word of its name.
fn group_name(algorithm: &Algorithm) -> String {
    match algorithm.name.strip_suffix("-bit MODP group") {
        Some(bits) => format!("MODP-{bits}"),
        None => algorithm.name.rsplit(' ').next().unwrap_or_default().replace("P-", "ECP-"),
    }
}

fn identifiers(suite: &Suite) -> Value {
    let ids = suite.identifiers();
    let text = |kind, identifier: u32| format!("{:08X}", suite.number(kind, identifier));
    json!({
        "ENCR": text(AlgorithmType::Encryption, ids.encryption),
        "KEY LENGTH": ids.key_length,
        "PRF": text(AlgorithmType::PseudoRandom, ids.pseudo_random),
        "INTEG": text(AlgorithmType::Integrity, ids.integrity),
        "D-H": text(AlgorithmType::DiffieHellman, ids.group),
        "client AUTH": text(AlgorithmType::Authentication, suite.client_authentication()),
        "server AUTH": text(AlgorithmType::Authentication, ids.authentication),
    })
}

fn party(identity: &Identity, key: &[u8], public_keys: &Value) -> Value {
    json!({
        "id_type": identity.id_type.code(),
        "id": hex::encode(&identity.data),
        "psk": hex::encode(key),
        "public_keys": public_keys,
    })
}

/// What the application client has.
fn client(pair: &Pair) -> Value {
    let (identity, signs) = (client_identity(pair.suite), &pair.demonstration);
    json!({
        "id_type": identity.id_type.code(),
        "id": hex::encode(&identity.data),
        "psk": hex::encode(CLIENT_KEY),
        "keys": member(&signs.client, "keys"),
        "certs": member(&signs.client, "certs"),
        "send_cert": member(&signs.client, "send_cert"),
        "certreq": member(&signs.client, "certreq"),
        "server": party(&server_identity(), SERVER_KEY, &signs.server_public_keys),
        "trust_anchors": signs.trust_anchors,
        "unix_time": signs.unix_time.0,
    })
}

/// What the device server has, and the random values that it drew: a test bench can repeat the exchange.
fn provisioning(pair: &Pair) -> Result<Value, Box<dyn Error>> {
    let (identity, signs) = (server_identity(), &pair.demonstration);
    let policy = &pair.policy;
    let drawn = |purpose| pair.server_random.drawn(purpose).next_back().map_or(String::new(), hex::encode);
    Ok(json!({
        "profile": profile_name(pair.suite),
        "header_flags": "t10",
        "capabilities": capabilities(pair)?,
        "device_server": {
            "id_type": identity.id_type.code(),
            "id": hex::encode(&identity.data),
            "psk": hex::encode(SERVER_KEY),
            "keys": member(&signs.server, "keys"),
            "certs": member(&signs.server, "certs"),
            "send_cert": member(&signs.server, "send_cert"),
            "certreq": member(&signs.server, "certreq"),
        },
        "clients": [party(&client_identity(pair.suite), CLIENT_KEY, &signs.client_public_keys)],
        "trust_anchors": signs.trust_anchors,
        "policy": {
            "max_protocol_timeout": policy.max_protocol_timeout,
            "max_inactivity_timeout": policy.max_inactivity_timeout,
            "usage_types": policy.usage_types.iter().map(|usage| usage.code).collect::<Vec<_>>(),
            "max_auth_failures": Limits::default().auth_failures,
            "nonce_length": policy.nonce_length,
            "rsa_hashes": ["sha1"],
            "match_id_to_certificate": true,
            "unix_time": signs.unix_time.0,
            "descriptor_sense": false,
        },
        "random": { "ccs": [{
            "ds_sai": drawn(Purpose::DsSai),
            "dh_private": drawn(Purpose::DhPrivate),
            "nonce": drawn(Purpose::Nonce),
            "iv": drawn(Purpose::Iv),
        }] },
    }))
}

/// The descriptors that were reported.
fn capabilities(pair: &Pair) -> Result<Vec<String>, Box<dyn Error>> {
    let reported = pair.steps.first().ok_or("no capabilities were reported")?;
    let capabilities = Capabilities::parse_parameter_data(pair.suite.profile, &reported.data_in)?;
    Ok(capabilities.descriptors.iter().map(|descriptor| hex::encode(&descriptor.to_bytes())).collect())
}

fn step(step: &Step) -> Value {
    let (op, name, data) = match step.cdb.direction {
        Direction::Out => ("out", "data_out", &step.data_out),
        Direction::In => ("in", "data_in", &step.data_in),
    };
    let sense = step.sense.as_ref().map(Sense::to_fixed);
    json!({
        "op": op,
        "command": step.name.trim_end_matches(" OUT").trim_end_matches(" IN"),
        "nexus": "A",
        "cdb": hex::encode(&step.cdb.to_bytes()),
        name: hex::encode(data),
        "status": if sense.is_some() { 2 } else { 0 },
        "sense": sense.map_or(String::new(), |sense| hex::encode(sense.as_ref())),
    })
}

/// What no command shows: the key log, the private values and the vectors.
fn internals(pair: &Pair) -> Result<Value, Box<dyn Error>> {
    let (client, server) = (&pair.client_random, &pair.server_random);
    let is_authenticated = !pair.suite.is_unauthenticated();
    let drawn = [
        ("ni", client.drawn(Purpose::Nonce).next_back()),
        ("nr", server.drawn(Purpose::Nonce).next_back()),
        ("dh_private_i", client.drawn(Purpose::DhPrivate).next_back()),
        ("dh_private_r", server.drawn(Purpose::DhPrivate).next_back()),
        ("iv_i", client.drawn(Purpose::Iv).next().filter(|_| is_authenticated)),
        ("iv_r", server.drawn(Purpose::Iv).next().filter(|_| is_authenticated)),
        ("delete_iv", client.drawn(Purpose::Iv).next_back()),
    ];
    let mut values = Map::new();
    for (name, value) in drawn.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        values.insert(name.into(), hex::encode(value).into());
    }
    for (name, value) in pair.log.names().into_iter().filter_map(|name| Some((name, pair.log.value(name)?))) {
        values.insert(name.into(), hex::encode(value.expose()).into());
    }
    for step in pair.steps.iter().filter(|step| step.name.starts_with("key exchange")) {
        let (name, data) = match step.cdb.direction {
            Direction::Out => ("dh_public_i", &step.data_out),
            Direction::In => ("dh_public_r", &step.data_in),
        };
        let message = Message::parse(pair.suite.profile, data)?;
        let raw = find(&message.payloads(), PayloadType::KeyExchange).ok_or("a key exchange without a KE payload")?;
        values.insert(name.into(), hex::encode(raw.body::<KeyExchange<'_>>(pair.suite.profile)?.public).into());
    }
    Ok(values.into())
}
