//! The parameters of a security association as JSON, by the standard's names.

use ikev2_scsi::keys::SaParameters;
use serde_json::{Value, json};

use super::hex;

/// All parameters, secrets included.
pub(crate) fn to_json(parameters: &SaParameters) -> Value {
    let management = &parameters.mgmt_data;
    json!({
        "AC_SAI": parameters.ac_sai.to_string(),
        "DS_SAI": parameters.ds_sai.to_string(),
        "TIMEOUT": parameters.timeout,
        "AC_NONCE": hex::encode(&parameters.ac_nonce),
        "DS_NONCE": hex::encode(&parameters.ds_nonce),
        "KEY_SEED": hex::encode(parameters.key_seed.expose()),
        "KDF_ID": parameters.kdf_id,
        "USAGE_TYPE": parameters.usage_type,
        "USAGE_DATA": hex::encode(&parameters.usage_data),
        "MGMT_DATA": {
            "ENCR": management.encr,
            "KEY LENGTH": management.key_length,
            "INTEG": management.integ,
            "SK_ei": hex::encode(management.sk_ei.expose()),
            "SK_ai": hex::encode(management.sk_ai.expose()),
            "NEXT MESSAGE ID": management.next_message_id,
        },
    })
}
