//! The committed transcripts: a device server as each has it, and its commands.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use serde_json::Value;

use crate::algorithm;
use crate::ccs::{Policy, UsageType};
use crate::crypto::{CryptoProvider, Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use crate::dialect::Profile;
use crate::server::{DeviceServer, NexusId, Reply, Request};
use crate::time::Instant;
use crate::wire::{Descriptor, IdType};

/// The nexus of every command here.
pub(super) const NEXUS: NexusId = NexusId(7);

/// A command with its Data-Out.
#[derive(Clone)]
pub(super) struct Command {
    pub(super) cdb: [u8; 12],
    pub(super) list: Vec<u8>,
}

/// One recorded exchange.
pub(super) struct Transcript {
    pub(super) name: String,
    json: Value,
    provider: CryptoProvider,
    pub(super) profile: Profile,
    pub(super) commands: Vec<Command>,
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().unwrap()).ok().unwrap()
}

fn identity(member: &Value) -> Identity {
    Identity::new(IdType::from_code(number(&member["id_type"])).unwrap(), &hex(&member["id"]))
}

/// The values that the recorded exchange drew, and how many draws there were.
pub(super) struct Recorded<'a> {
    values: &'a Value,
    /// Slightly other ones: the recorded SAI may be a live association's.
    is_second: bool,
    pub(super) drawn: usize,
}

impl Recorded<'_> {
    fn value(&mut self, name: &str) -> Vec<u8> {
        self.drawn += 1;
        hex(&self.values[name])
    }
}

impl Random for Recorded<'_> {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        let mut value = match purpose {
            Purpose::DsSai => self.value("ds_sai"),
            Purpose::Nonce => self.value("nonce"),
            Purpose::DhPrivate => {
                out.copy_from_slice(&self.value("dh_private"));
                return Ok(());
            }
            _ => self.value("iv"),
        };
        // ENCR_NULL has no IV.
        if let Some(first) = value.first_mut() {
            *first ^= u8::from(self.is_second);
        }
        // A mutant may have selected an algorithm that draws another length.
        out.iter_mut().zip(value.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn dh_private_length(&self, _: usize) -> usize {
        hex(&self.values["dh_private"]).len()
    }
}

impl Transcript {
    /// All of a dialect that a provider and a device server with shared keys can replay.
    pub(super) fn all(provider: CryptoProvider, profile: Profile) -> Vec<Self> {
        let spoken = if profile == Profile::SPC4 { "spc4" } else { "r3" };
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/transcripts");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let json: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            if json["profile"] != spoken {
                continue;
            }
            let identifier = |name: &str| {
                let code = match name {
                    "ENCR" => 0x01,
                    "PRF" => 0x02,
                    "D-H" => 0x04,
                    _ => 0xF9,
                };
                let wire = u32::from_str_radix(json["identifiers"][name].as_str().unwrap(), 16).unwrap();
                algorithm::numbered(profile, code, wire).unwrap().row.identifier
            };
            let can = |name| [algorithm::IKE_AUTH_NONE, algorithm::IKE_AUTH_SHARED_KEY].contains(&identifier(name));
            let has = provider.prf(identifier("PRF")).is_some()
                && provider.group(identifier("D-H")).is_some()
                && provider.cipher(identifier("ENCR"), number(&json["identifiers"]["KEY LENGTH"])).is_some();
            if has && can("client AUTH") && can("server AUTH") {
                let name = json["name"].as_str().unwrap().to_string();
                let commands = commands(&json);
                found.push(Self { name, json, provider, commands, profile });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The values of the recorded exchange, or others that a second one may draw.
    pub(super) fn recorded(&self, is_second: bool) -> Recorded<'_> {
        Recorded { values: &self.json["provisioning"]["random"]["ccs"][0], is_second, drawn: 0 }
    }

    /// A device server before the first command; `change` changes the recorded policy.
    pub(super) fn server(&self, change: impl FnOnce(&mut Policy)) -> DeviceServer {
        let given = &self.json["provisioning"];
        let device_server = &given["device_server"];
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::from(hex(&device_server["psk"]))).unwrap();
        for client in given["clients"].as_array().unwrap().iter().filter(|client| client["psk"].is_string()) {
            keys.add_peer(identity(client).as_payload(), Secret::from(hex(&client["psk"]))).unwrap();
        }
        let descriptors: Vec<Descriptor> = given["capabilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|descriptor| Descriptor::from_bytes(hex(descriptor).first_chunk().unwrap()))
            .collect();
        let policy = &given["policy"];
        let mut policy = Policy {
            max_protocol_timeout: number(&policy["max_protocol_timeout"]),
            max_inactivity_timeout: number(&policy["max_inactivity_timeout"]),
            usage_types: policy["usage_types"]
                .as_array()
                .unwrap()
                .iter()
                .map(|code| UsageType::new(number(code)))
                .collect(),
            nonce_length: number(&policy["nonce_length"]),
            allow_no_authentication: true,
            waive_complete_row: true,
            ..Policy::default()
        };
        change(&mut policy);
        DeviceServer::builder(self.provider)
            .profile(self.profile)
            .identity(identity(device_server))
            .preshared_keys(Arc::new(keys))
            .policy(policy)
            .fixed_capabilities(&descriptors)
            .build()
            .unwrap()
    }
}

fn commands(json: &Value) -> Vec<Command> {
    let command = |step: &Value| Command {
        cdb: *hex(&step["cdb"]).first_chunk().unwrap(),
        list: step.get("data_out").map(hex).unwrap_or_default(),
    };
    json["steps"].as_array().unwrap().iter().map(command).collect()
}

impl Command {
    pub(super) fn send(&self, server: &mut DeviceServer, now: Instant, random: &mut Recorded<'_>) -> Reply {
        let (mut data_out, mut data_in) = (self.list.clone(), vec![0; 4096]);
        let request = Request { cdb: &self.cdb, data_out: &mut data_out, data_in: &mut data_in };
        server.execute(NEXUS, request, now, random)
    }
}
