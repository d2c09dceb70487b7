//! The parameters of a security association as JSON, by the standard's names.

use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::wire::Sai;
use serde_json::{Value, json};

use super::hex;

/// All parameters, secrets included.
pub(crate) fn to_json(parameters: &SaParameters) -> Value {
    let mut common = json!({
        "AC_SAI": sai(parameters, parameters.ac_sai),
        "DS_SAI": sai(parameters, parameters.ds_sai),
        "TIMEOUT": parameters.timeout,
        "KDF_ID": parameters.kdf_id,
        "USAGE_TYPE": parameters.usage_type,
        "USAGE_DATA": hex::encode(&parameters.usage_data_parameter()),
        "MGMT_DATA": management(parameters),
    });
    let of_dialect = if is_of_spc4(parameters) {
        json!({
            "AC_SQN": parameters.ac_sqn,
            "DS_SQN": parameters.ds_sqn,
            "KEYMAT": hex::encode(parameters.keymat()),
        })
    } else {
        json!({
            "AC_NONCE": hex::encode(parameters.ac_nonce()),
            "DS_NONCE": hex::encode(parameters.ds_nonce()),
            "KEY_SEED": hex::encode(parameters.key_seed()),
        })
    };
    merge(&mut common, of_dialect);
    common
}

/// Only SPC-4 says by which algorithms an association is used.
const fn is_of_spc4(parameters: &SaParameters) -> bool {
    parameters.usage_algorithms.is_some()
}

/// A SAI of eight bytes, in SPC-4 of four.
pub(crate) fn sai(parameters: &SaParameters, sai: Sai) -> String {
    let width = if is_of_spc4(parameters) { 8 } else { 16 };
    format!("{:0width$x}", sai.0)
}

fn management(parameters: &SaParameters) -> Value {
    let management = &parameters.mgmt_data;
    let mut members = json!({
        "ENCR": management.encr,
        "KEY LENGTH": management.key_length,
        "INTEG": management.integ,
        "SK_ei": hex::encode(parameters.sk_ei()),
        "SK_ai": hex::encode(parameters.sk_ai()),
        "NEXT MESSAGE ID": management.next_message_id,
    });
    if is_of_spc4(parameters) {
        let others = json!({ "SK_er": hex::encode(parameters.sk_er()), "SK_ar": hex::encode(parameters.sk_ar()) });
        merge(&mut members, others);
    }
    members
}

fn merge(members: &mut Value, others: Value) {
    if let (Some(members), Value::Object(others)) = (members.as_object_mut(), others) {
        members.extend(others);
    }
}
