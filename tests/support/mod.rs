//! Transcripts, a device server that replays their random values, and a collector of secrets.
//!
//! The readers of a provisioning are those of the test bench.
#![allow(dead_code, reason = "each test program uses a part of this")]

#[path = "../../examples/shim/association.rs"]
pub(crate) mod association;
#[path = "../../examples/shim/credentials.rs"]
pub(crate) mod credentials;
#[path = "../../examples/shim/hex.rs"]
pub(crate) mod hex;
#[path = "../../examples/shim/member.rs"]
pub(crate) mod member;
pub(crate) mod provider;
#[path = "../../examples/shim/provisioning.rs"]
pub(crate) mod provisioning;
#[path = "../../examples/shim/script.rs"]
pub(crate) mod script;
#[path = "../../examples/shim/unit.rs"]
pub(crate) mod unit;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::wire::Sai;
use ikev2_scsi::{Profile, algorithm};
use serde_json::Value;

use member::Member;
use provisioning::Provisioning;
use unit::Unit;

/// A file below the project's root.
pub(crate) fn project_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a hexadecimal string.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// Recorded values to be drawn, in order for each purpose; the source fails when there are no more.
pub(crate) struct Draws(pub(crate) Vec<(Purpose, Vec<u8>)>);

impl Draws {
    fn take(&mut self, purpose: Purpose) -> Result<Vec<u8>, RandomError> {
        let index = self.0.iter().position(|(kind, _)| *kind == purpose).ok_or(RandomError)?;
        Ok(self.0.remove(index).1)
    }
}

impl Random for Draws {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        out.copy_from_slice(&self.take(purpose)?);
        Ok(())
    }

    fn dh_private_length(&self, length: usize) -> usize {
        let recorded = self.0.iter().find(|(kind, _)| *kind == Purpose::DhPrivate);
        recorded.map_or(length, |(_, value)| value.len())
    }
}

/// One recorded exchange.
pub(crate) struct Transcript {
    pub(crate) name: String,
    pub(crate) json: Value,
}

/// One recorded command with its answer.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) is_out: bool,
    pub(crate) command: String,
    pub(crate) nexus: String,
    pub(crate) cdb: Vec<u8>,
    pub(crate) data_out: Vec<u8>,
    pub(crate) data_in: Vec<u8>,
    pub(crate) status: u8,
    pub(crate) sense: Vec<u8>,
}

impl Transcript {
    pub(crate) fn steps(&self) -> Vec<Step> {
        let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
        let data = |step: &Value, name: &str| step.get(name).map(bytes).unwrap_or_default();
        let step = |step: &Value| Step {
            is_out: text(step, "op") == "out",
            command: text(step, "command"),
            nexus: text(step, "nexus"),
            cdb: bytes(&step["cdb"]),
            data_out: data(step, "data_out"),
            data_in: data(step, "data_in"),
            status: u8::try_from(step["status"].as_u64().unwrap()).unwrap(),
            sense: bytes(&step["sense"]),
        };
        self.json["steps"].as_array().unwrap().iter().map(step).collect()
    }

    pub(crate) fn provisioning(&self) -> Provisioning {
        let root = Member::root(&self.json["provisioning"]).unwrap();
        Provisioning::read(&root).unwrap_or_else(|why| panic!("{}: {why}", self.name))
    }

    /// How the exchange is spoken.
    pub(crate) fn profile(&self) -> Profile {
        if self.json["profile"] == "spc4" { Profile::SPC4 } else { Profile::R3 }
    }

    /// The row of an ALGORITHM IDENTIFIER of the suite: what a provider knows the algorithm by.
    pub(crate) fn identifier(&self, name: &str) -> u32 {
        let wire = u32::from_str_radix(self.json["identifiers"][name].as_str().unwrap(), 16).unwrap();
        let code = match name {
            "ENCR" => 0x01,
            "PRF" => 0x02,
            "INTEG" => 0x03,
            "D-H" => 0x04,
            _ => 0xF9,
        };
        algorithm::numbered(self.profile(), code, wire).unwrap().row.identifier
    }

    pub(crate) fn key_length(&self) -> u16 {
        u16::try_from(self.json["identifiers"]["KEY LENGTH"].as_u64().unwrap()).unwrap()
    }

    /// What this build lacks to take part in the exchange.
    fn lacks(&self) -> Option<String> {
        let provider = provider::provider();
        let integ = self.identifier("INTEG");
        let can = |method| algorithm::find(algorithm::AlgorithmType::Authentication, method).is_some();
        let needs = [
            ("encr", provider.cipher(self.identifier("ENCR"), self.key_length()).is_some()),
            ("prf", provider.prf(self.identifier("PRF")).is_some()),
            ("integ", integ == algorithm::INTEG_NONE || provider.integrity(integ).is_some()),
            ("dh", provider.group(self.identifier("D-H")).is_some()),
            ("client_auth", can(self.identifier("client AUTH"))),
            ("server_auth", can(self.identifier("server AUTH"))),
        ];
        let (name, _) = needs.iter().find(|(_, has)| !has)?;
        Some(format!("{name} {}", self.json["algorithms"][name]))
    }
}

/// The committed transcripts that this build can take part in; the others are named with the reason.
pub(crate) fn transcripts() -> Vec<Transcript> {
    let directory = std::fs::read_dir(project_file("vectors/transcripts")).unwrap();
    let mut paths: Vec<PathBuf> = directory.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in &paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let transcript = Transcript { name, json: read_json(path) };
        match transcript.lacks() {
            None => found.push(transcript),
            Some(what) => println!("skipped {}: this build lacks {what}", transcript.name),
        }
    }
    println!("{} of {} transcripts", found.len(), paths.len());
    assert!(!found.is_empty(), "no transcript was replayed");
    found
}

/// Those of r3.
pub(crate) fn transcripts_of_r3() -> Vec<Transcript> {
    transcripts().into_iter().filter(|transcript| transcript.profile() == Profile::R3).collect()
}

/// A fresh logical unit of the transcript, its commands replayed up to the one before `steps[upto]`.
pub(crate) fn unit_before(provisioning: &Provisioning, steps: &[Step], upto: usize) -> Unit {
    let mut unit = Unit::new(provisioning, |builder| builder).unwrap();
    steps[..upto].iter().for_each(|step| assert_answer(&mut unit, step));
    unit
}

/// Sends the recorded command and compares the whole answer.
pub(crate) fn assert_answer(unit: &mut Unit, step: &Step) {
    let answer = unit.execute(&step.nexus, &step.cdb, &step.data_out);
    let sense = answer.sense.map(|sense| unit.format(&sense).as_ref().to_vec()).unwrap_or_default();
    assert_eq!(hex::encode(&sense), hex::encode(&step.sense), "sense of {}", step.command);
    assert_eq!(answer.status(), step.status, "status of {}", step.command);
    assert_eq!(hex::encode(&answer.data), hex::encode(&step.data_in), "Data-In of {}", step.command);
}

/// A [`KeyLog`] that keeps everything.
#[derive(Default)]
pub(crate) struct Collector(Mutex<Vec<Record>>);

#[derive(Clone)]
struct Record {
    ds_sai: Sai,
    name: &'static str,
    value: Vec<u8>,
}

impl Collector {
    /// What was recorded by that name for the exchange with this DS_SAI.
    pub(crate) fn values(&self, ds_sai: Sai, name: &str) -> Vec<Vec<u8>> {
        let records = self.0.lock().unwrap();
        let wanted = records.iter().filter(|record| record.ds_sai == ds_sai && record.name == name);
        wanted.map(|record| record.value.clone()).collect()
    }
}

impl KeyLog for Collector {
    fn record(&self, _: Sai, ds_sai: Sai, name: &'static str, value: &[u8]) {
        self.0.lock().unwrap().push(Record { ds_sai, name, value: value.to_vec() });
    }
}
