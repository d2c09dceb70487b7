//! The association: an exchange that was recorded with another implementation, replayed into a device server. The application
//! client's parameters are those of the record.

use std::error::Error;

use ikev2_scsi::DeviceServer;
use ikev2_scsi::crypto::Secret;
use ikev2_scsi::keys::{MgmtData, SaParameters, UsageAlgorithms};
use ikev2_scsi::wire::Sai;
use serde_json::Value;

use super::hex;
use super::member::Member;
use super::provisioning::Provisioning;
use super::unit::Unit;

const RECORD: &str = include_str!("../../vectors/transcripts/spc4-table82-row2.json");

/// A device server with a live association, and the application client's parameters of it.
pub(crate) fn make() -> Result<(DeviceServer, SaParameters), Box<dyn Error>> {
    let record: Value = serde_json::from_str(RECORD)?;
    let provisioning = Member::root(&record["provisioning"]).and_then(|root| Provisioning::read(&root));
    let provisioning = provisioning.map_err(|fault| fault.0)?;
    let mut unit = Unit::new(&provisioning, |builder| builder)?;
    for step in record["steps"].as_array().into_iter().flatten() {
        if step["command"] == "delete" {
            break;
        }
        let data_out = step.get("data_out").map_or(Ok(Vec::new()), bytes)?;
        let answer = unit.execute("host", &bytes(&step["cdb"])?, &data_out);
        if let Some(sense) = answer.sense {
            return Err(format!("the recorded {} is refused: {sense}", step["command"]).into());
        }
    }
    Ok((unit.server, parameters(&record["sa"][0])?))
}

fn bytes(value: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
    value.as_str().and_then(hex::decode).ok_or_else(|| "no hexadecimal bytes".into())
}

fn number<T: TryFrom<u64>>(value: &Value) -> Result<T, Box<dyn Error>> {
    value.as_u64().and_then(|number| T::try_from(number).ok()).ok_or_else(|| "a number is missing".into())
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number.unbounded_shl(8) | u64::from(*byte))
}

/// The recorded parameters. Nonces and KEY_SEED are gone by then (SPC-4 5.14.4.9).
fn parameters(sa: &Value) -> Result<SaParameters, Box<dyn Error>> {
    let usage = bytes(&sa["USAGE_DATA"])?;
    let ([encr, integ], [k0, k1]) = match usage.as_slice() {
        [e0, e1, e2, e3, k0, k1, i0, i1, i2, i3] => ([[*e0, *e1, *e2, *e3], [*i0, *i1, *i2, *i3]], [*k0, *k1]),
        _ => return Err("USAGE_DATA has not 10 bytes".into()),
    };
    let management = &sa["MGMT_DATA"];
    let secret = |value: &Value| bytes(value).map(Secret::from);
    Ok(SaParameters {
        ac_sai: Sai(big_endian(&bytes(&sa["AC_SAI"])?)),
        ds_sai: Sai(big_endian(&bytes(&sa["DS_SAI"])?)),
        timeout: number(&sa["TIMEOUT"])?,
        ac_sqn: number(&sa["AC_SQN"])?,
        ds_sqn: number(&sa["DS_SQN"])?,
        ac_nonce: [].into(),
        ds_nonce: [].into(),
        key_seed: Secret::zeroed(0),
        kdf_id: number(&sa["KDF_ID"])?,
        keymat: secret(&sa["KEYMAT"])?,
        usage_type: number(&sa["USAGE_TYPE"])?,
        usage_algorithms: Some(UsageAlgorithms {
            encr: u32::from_be_bytes(encr),
            key_length: u16::from_be_bytes([k0, k1]),
            integ: u32::from_be_bytes(integ),
        }),
        usage_data: [].into(),
        mgmt_data: MgmtData {
            encr: number(&management["ENCR"])?,
            key_length: number(&management["KEY LENGTH"])?,
            integ: number(&management["INTEG"])?,
            sk_ei: secret(&management["SK_ei"])?,
            sk_ai: secret(&management["SK_ai"])?,
            sk_er: secret(&management["SK_er"])?,
            sk_ar: secret(&management["SK_ar"])?,
            next_message_id: number(&management["NEXT MESSAGE ID"])?,
        },
    })
}
