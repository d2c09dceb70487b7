//! What the parties sign with: the keys and certificates of a recorded transcript, which protect nothing.

use std::error::Error;

use ikev2_scsi::crypto::Identity;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::x509::IdentityMatch;
use serde_json::{Value, json};

use super::credentials::Signatures;
use super::member::Member;
use super::provider::Provider;
use super::suite::Suite;

const SOURCE: &str = include_str!("../../vectors/transcripts/r3-rsa-chain-certreq.json");

/// Both parties, in the JSON form of the transcripts.
pub(crate) struct Demonstration {
    /// `keys`, `certs`, `send_cert` and `certreq` of the application client.
    pub(crate) client: Value,
    /// The same of the device server.
    pub(crate) server: Value,
    pub(crate) client_public_keys: Value,
    pub(crate) server_public_keys: Value,
    pub(crate) trust_anchors: Value,
    /// A day on which the certificates are valid.
    pub(crate) unix_time: UnixTime,
}

impl Demonstration {
    /// What the suite takes: nothing where nobody signs.
    pub(crate) fn of(suite: &Suite) -> Result<Self, Box<dyn Error>> {
        let mut source: Value = serde_json::from_str(SOURCE)?;
        let unix_time =
            source.pointer("/client/unix_time").and_then(Value::as_u64).ok_or("the demonstration has no date")?;
        let [client, server] = ["/client", "/provisioning/device_server"].map(|path| party(&mut source, path, suite));
        let mut taken = |path: &str| match source.pointer_mut(path) {
            Some(value) if suite.has_signatures() => value.take(),
            _ => json!([]),
        };
        Ok(Self {
            client: client?,
            server: server?,
            client_public_keys: taken("/provisioning/clients/0/public_keys"),
            server_public_keys: taken("/client/server/public_keys"),
            trust_anchors: taken("/provisioning/trust_anchors"),
            unix_time: UnixTime(unix_time),
        })
    }

    pub(crate) fn client(&self, provider: Provider, server: &Identity) -> Result<Signatures, String> {
        self.read(provider, &self.client, server, &self.server_public_keys)
    }

    pub(crate) fn server(&self, provider: Provider, client: &Identity) -> Result<Signatures, String> {
        self.read(provider, &self.server, client, &self.client_public_keys)
    }

    fn read(
        &self,
        provider: Provider,
        side: &Value,
        peer: &Identity,
        public_keys: &Value,
    ) -> Result<Signatures, String> {
        let all = json!({
            "side": side,
            "peer": { "public_keys": public_keys },
            "trust_anchors": self.trust_anchors,
        });
        let read = || {
            let root = Member::root(&all)?;
            let peers = [(peer.clone(), root.get("peer"))];
            let anchors = root.get("trust_anchors");
            Signatures::read(provider.signers(), &root.get("side"), &peers, &anchors, IdentityMatch::Required, false)
        };
        read().map_err(|fault| fault.to_string())
    }
}

/// The members of a party that have to do with signatures.
fn party(source: &mut Value, path: &str, suite: &Suite) -> Result<Value, String> {
    let recorded = source.pointer_mut(path).ok_or_else(|| format!("the demonstration has no {path}"))?;
    if !suite.has_signatures() {
        return Ok(json!({ "keys": {}, "certs": {}, "send_cert": "none", "certreq": [] }));
    }
    let requests = if suite.requests_certificates { member(recorded, "certreq") } else { json!([]) };
    Ok(json!({
        "keys": member(recorded, "keys"),
        "certs": member(recorded, "certs"),
        "send_cert": suite.presents,
        "certreq": requests,
    }))
}

/// A member of an object, `null` if it is absent.
pub(crate) fn member(object: &Value, name: &str) -> Value {
    object.get(name).cloned().unwrap_or_default()
}
