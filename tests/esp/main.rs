//! ESP-SCSI descriptors (SPC-4 5.14.7): known answers, refusals, sequence numbers, round trips.
#![cfg(feature = "rustcrypto")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that goes wrong should stop where it does"
)]

mod known;
#[path = "../support/provider.rs"]
mod provider;
mod refusals;
mod round_trip;
mod sequence;
mod unusable;

use std::sync::LazyLock;

use ikev2_scsi::Profile;
use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::esp::{EspScsi, Flow, Form, TAPE_DATA_ENCRYPTION};
use ikev2_scsi::keys::{MgmtData, SaBlock, SaBytes, SaParameters, UsageAlgorithms};
use ikev2_scsi::wire::Sai;
use serde_json::Value;

const FLOWS: [Flow; 2] = [Flow::Out, Flow::In];
const FORMS: [Form; 2] = [Form::WithLength, Form::WithoutLength];
const LAST: u64 = u64::MAX;

fn esp() -> EspScsi<'static> {
    EspScsi::new(Profile::SPC4, provider::provider(), &[TAPE_DATA_ENCRYPTION])
}

fn bytes(value: &Value) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    value.as_str().unwrap().as_bytes().chunks(2).map(byte).collect()
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap(), 16).unwrap()
}

/// An association of the vectors: its algorithms and keys.
#[derive(Debug, Clone)]
struct Association {
    name: String,
    sais: (u64, u64),
    algorithms: UsageAlgorithms,
    keymat: Vec<u8>,
    cases: Vec<Value>,
}

impl Association {
    /// Those of `vectors/esp/esp.json`.
    fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Association>> = LazyLock::new(Association::read);
        &ALL
    }

    fn read() -> Vec<Self> {
        let file: Value = serde_json::from_str(include_str!("../../vectors/esp/esp.json")).unwrap();
        let sais = (number(&file["ac_sai"]), number(&file["ds_sai"]));
        let of = |json: &Value| Self {
            name: json["name"].as_str().unwrap().into(),
            sais,
            algorithms: UsageAlgorithms {
                encr: number(&json["encr"]).try_into().unwrap(),
                key_length: json["key_length"].as_u64().unwrap().try_into().unwrap(),
                integ: number(&json["integ"]).try_into().unwrap(),
            },
            keymat: bytes(&json["keymat"]),
            cases: json["cases"].as_array().unwrap().clone(),
        };
        file["associations"].as_array().unwrap().iter().map(of).collect()
    }

    fn named(name: &str) -> Self {
        Self::all().iter().find(|association| association.name == name).unwrap().clone()
    }

    fn encrypts(&self) -> bool {
        !self.name.starts_with("null")
    }

    /// The parameters, with the same last number in both directions.
    fn parameters(&self, last: u64) -> SaParameters {
        SaParameters {
            ac_sai: Sai(self.sais.0),
            ds_sai: Sai(self.sais.1),
            timeout: 100,
            ac_sqn: last,
            ds_sqn: last,
            kdf_id: 0x8002_0005,
            usage_type: TAPE_DATA_ENCRYPTION,
            usage_algorithms: Some(self.algorithms),
            mgmt_data: MgmtData {
                encr: self.algorithms.encr,
                key_length: self.algorithms.key_length,
                integ: self.algorithms.integ,
                next_message_id: 2,
            },
            block: SaBlock::new(&SaBytes { keymat: &self.keymat, ..SaBytes::default() }).unwrap(),
        }
    }

    /// A descriptor with the number after `last`.
    fn build(&self, flow: Flow, form: Form, last: u64, data: &[u8]) -> Vec<u8> {
        let mut sa = self.parameters(last);
        esp().build(flow, &mut sa, data, form, &mut Recorded(vec![0x5A; 16])).unwrap().descriptor
    }

    fn icv_length(&self) -> usize {
        let name = self.name.as_str();
        if name.ends_with("-96") {
            12
        } else if name.ends_with("-256") {
            32
        } else {
            16
        }
    }

    fn iv_length(&self) -> usize {
        match self.algorithms.encr {
            0x8001_000B => 0,
            0x8001_000C => 16,
            _ => 8,
        }
    }
}

fn number_of(flow: Flow, sa: &SaParameters) -> u64 {
    match flow {
        Flow::Out => sa.ds_sqn,
        Flow::In => sa.ac_sqn,
    }
}

/// A random source that gives recorded bytes, as many as it has, and for IVs only.
struct Recorded(Vec<u8>);

impl Random for Recorded {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        assert_eq!(purpose, Purpose::Iv);
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

/// A source that fails.
struct NoRandom;

impl Random for NoRandom {
    fn fill(&mut self, _: Purpose, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}
