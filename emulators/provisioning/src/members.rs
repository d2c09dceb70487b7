//! The members of a provisioning as they stand in the text; `lib.rs` documents them.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Text that is a secret: wiped, and never printed.
#[derive(Clone)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Discreet)? {
            Value::Text(text) => Ok(text),
            _ => Err(D::Error::custom("a string is expected")),
        }
    }
}

/// What may stand where a secret should.
enum Value {
    Text(SecretText),
    Table(Key),
    Other,
}

/// Reads a value that is or holds a secret. What is there instead of it may be one too, so no error repeats it.
struct Discreet;

impl<'de> Visitor<'de> for Discreet {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(SecretText(Zeroizing::new(text.into()))))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(SecretText(Zeroizing::new(text))))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        KeyMembers::deserialize(MapAccessDeserializer::new(map)).map(|members| Value::Table(Key(members)))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretText({} bytes)", self.0.len())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    #[serde(default)]
    pub(crate) profile: Dialect,
    pub(crate) header_flags: Option<HeaderFlags>,
    pub(crate) sense_codes: Option<SenseCodes>,
    pub(crate) sense: Option<SenseFormat>,
    pub(crate) own: Own,
    #[serde(default)]
    pub(crate) peer: Vec<Peer>,
    #[serde(default)]
    pub(crate) trust: Trust,
    pub(crate) policy: Option<Policy>,
    pub(crate) limits: Option<Limits>,
    pub(crate) preferences: Option<Preferences>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    #[default]
    R3,
    Spc4,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HeaderFlags {
    T10,
    Rfc4306,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SenseCodes {
    R3,
    Assigned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SenseFormat {
    Fixed,
    Descriptor,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Own {
    pub(crate) identity: Identity,
    pub(crate) preshared_key: Option<Key>,
    #[serde(default)]
    pub(crate) credential: Vec<OwnCredential>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    #[serde(rename = "type")]
    pub(crate) kind: IdentityKind,
    pub(crate) text: Option<String>,
    pub(crate) hex: Option<String>,
    pub(crate) certificate: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentityKind {
    KeyId,
    FcName,
    DerAsn1Dn,
    DerAsn1Gn,
}

/// A shared key.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) KeyMembers);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Discreet)? {
            Value::Table(key) => Ok(key),
            _ => Err(D::Error::custom("a table with text, hex or file is expected")),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyMembers {
    pub(crate) text: Option<SecretText>,
    pub(crate) hex: Option<SecretText>,
    pub(crate) file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnCredential {
    pub(crate) key: SecretText,
    #[serde(default)]
    pub(crate) certificates: Vec<String>,
    pub(crate) hash: Option<Hash>,
    pub(crate) shows: Option<Shows>,
    pub(crate) identity: Option<Identity>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shows {
    Nothing,
    OnRequest,
    Certificates,
    RawKey,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) identity: Identity,
    pub(crate) preshared_key: Option<Key>,
    pub(crate) public_key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trust {
    #[serde(default)]
    pub(crate) anchors: Vec<String>,
    #[serde(default)]
    pub(crate) revocation_lists: Vec<String>,
    pub(crate) revocation: Option<Revocation>,
    pub(crate) identity_match: Option<bool>,
    pub(crate) extended_use: Option<ExtendedUse>,
    pub(crate) request_certificates: Option<bool>,
    pub(crate) rsa_hashes: Option<Vec<Hash>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Revocation {
    Required,
    WhenListed,
    Off,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExtendedUse {
    Ike,
    Any,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) max_protocol_timeout: Option<u32>,
    pub(crate) max_inactivity_timeout: Option<u32>,
    pub(crate) usage_types: Option<Vec<UsageType>>,
    pub(crate) nonce_length: Option<usize>,
    pub(crate) hidden_algorithms: Option<Hidden>,
    pub(crate) allow_triple_des: Option<bool>,
    pub(crate) allow_no_authentication: Option<bool>,
    pub(crate) waive_complete_row: Option<bool>,
    pub(crate) one_sequence: Option<bool>,
    pub(crate) slow_crypto: Option<SlowCrypto>,
    pub(crate) expected_calculation_ms: Option<u32>,
    pub(crate) other_protocols: Option<Vec<u8>>,
    pub(crate) report_refusals: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageType {
    pub(crate) code: u16,
    pub(crate) max_data: Option<usize>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SlowCrypto {
    Inline,
    Offload,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hidden {
    #[serde(default)]
    pub(crate) encryption: Vec<String>,
    #[serde(default)]
    pub(crate) prf: Vec<String>,
    #[serde(default)]
    pub(crate) integrity: Vec<String>,
    #[serde(default)]
    pub(crate) group: Vec<String>,
    #[serde(default)]
    pub(crate) authentication: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) nexuses: Option<usize>,
    pub(crate) sequences: Option<usize>,
    pub(crate) sas: Option<usize>,
    pub(crate) sas_per_identity: Option<usize>,
    pub(crate) retained: Option<usize>,
    pub(crate) parameter_list: Option<u32>,
    pub(crate) payloads: Option<usize>,
    pub(crate) certificates: Option<usize>,
    pub(crate) auth_failures: Option<u8>,
    pub(crate) jobs: Option<usize>,
    pub(crate) events: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preferences {
    pub(crate) device_server: Option<Identity>,
    pub(crate) encryption: Option<Vec<String>>,
    pub(crate) prf: Option<Vec<String>>,
    pub(crate) integrity: Option<Vec<String>>,
    pub(crate) group: Option<Vec<String>>,
    pub(crate) authentication: Option<Vec<String>>,
    pub(crate) own_authentication: Option<Vec<String>>,
    pub(crate) protocol_timeout: Option<u32>,
    pub(crate) inactivity_timeout: Option<u32>,
    pub(crate) usage: Option<Usage>,
    pub(crate) short_algorithms: Option<bool>,
    pub(crate) nonce_length: Option<usize>,
    pub(crate) initial_contact: Option<bool>,
    pub(crate) allow_no_authentication: Option<bool>,
    pub(crate) allocation_length: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usage {
    #[serde(rename = "type")]
    pub(crate) code: u16,
    pub(crate) data: Option<String>,
    pub(crate) encryption: Option<String>,
    pub(crate) integrity: Option<String>,
}
