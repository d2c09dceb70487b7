//! A provisioning as JSON, read into what a device server is built from.

use std::sync::Arc;

use ikev2_scsi::Profile;
use ikev2_scsi::ccs::{Policy, UsageType};
use ikev2_scsi::crypto::{HashKind, Identity, MemoryKeys, Secret};
use ikev2_scsi::server::{Builder, DeviceServer, Limits};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Descriptor, Descriptors, IdType};
use ikev2_scsi::x509::IdentityMatch;

use super::credentials::{Signatures, Signers};
use super::hex;
use super::member::{Fault, Member};
use super::provider;
use super::script::Values;

/// A device server to be.
pub(crate) struct Provisioning {
    pub(crate) profile: Profile,
    pub(crate) policy: Policy,
    limits: Limits,
    pub(crate) script: Vec<Values>,
    pub(crate) descriptor_sense: bool,
    /// The calendar's time, which does not move.
    pub(crate) unix_time: Option<UnixTime>,
    capabilities: Vec<Descriptor>,
    identity: Identity,
    keys: Arc<MemoryKeys>,
    signatures: Signatures,
}

impl Provisioning {
    /// Reads the object.
    pub(crate) fn read(root: &Member<'_>) -> Result<Self, Fault> {
        let profile = match root.get("profile").read::<String>()?.as_deref() {
            None | Some("r3") => Profile::R3,
            Some("spc4") => Profile::SPC4,
            Some(_) => return Err(root.get("profile").fault("is served as \"r3\" or \"spc4\" only")),
        };
        let header_flags = root.get("header_flags");
        if header_flags.read::<String>()?.is_some_and(|wanted| wanted != "t10") {
            return Err(header_flags.fault("is served as \"t10\" only"));
        }
        let device_server = root.get("device_server").object()?.present()?;
        let settings = root.get("policy").object()?;
        let (policy, descriptor_sense) = read_policy(&settings)?;
        let mut limits = Limits::default();
        replace(&mut limits.auth_failures, settings.get("max_auth_failures").read()?);
        let identity_match = match settings.get("match_id_to_certificate").read()? {
            Some(false) => IdentityMatch::Off,
            Some(true) | None => IdentityMatch::Required,
        };
        let mut clients = Vec::new();
        for client in root.get("clients").elements()? {
            let client = client.object()?;
            clients.push((identity(&client)?, client));
        }
        let identity = identity(&device_server)?;
        let is_named = identity.id_type.needs_certificate();
        let script = root.get("random").object()?.get("ccs");
        let script: Vec<Values> = script.elements()?.iter().map(Values::read).collect::<Result<_, _>>()?;
        Ok(Self {
            profile,
            policy,
            limits,
            script,
            descriptor_sense,
            capabilities: descriptors(&root.get("capabilities").present()?)?,
            keys: Arc::new(keys(&device_server, &clients, is_named)?),
            signatures: Signatures::read(
                Signers::RUSTCRYPTO,
                &device_server,
                &clients,
                &root.get("trust_anchors"),
                identity_match,
                is_named,
            )?,
            identity,
            unix_time: settings.get("unix_time").read::<u64>()?.map(UnixTime),
        })
    }

    /// The builder of such a device server.
    pub(crate) fn builder(&self) -> Builder {
        let keys = Arc::clone(&self.keys);
        let builder = DeviceServer::builder(provider::provider())
            .profile(self.profile)
            .policy(self.policy.clone())
            .limits(self.limits)
            .identity(self.identity.clone())
            .preshared_keys(keys)
            .validator(Arc::clone(&self.signatures.validator))
            .certificate_requests(self.signatures.requests.clone())
            .fixed_capabilities(&self.capabilities);
        self.signatures.own.iter().cloned().fold(builder, Builder::credential)
    }
}

/// Descriptors that can be reported exactly as they are given.
pub(crate) fn descriptors(list: &Member<'_>) -> Result<Vec<Descriptor>, Fault> {
    let descriptor = |member: &Member<'_>| {
        let bytes: Vec<u8> = member.need()?;
        let descriptor = bytes.first_chunk::<{ Descriptors::EACH }>().map(Descriptor::from_bytes);
        let is_exact = |descriptor: &Descriptor| descriptor.to_bytes().as_slice() == bytes;
        descriptor.filter(is_exact).ok_or_else(|| {
            member.fault(&format!("is no descriptor of 12 bytes with a zero reserved byte: {}", hex::encode(&bytes)))
        })
    };
    list.elements()?.iter().map(descriptor).collect()
}

pub(crate) fn identity(member: &Member<'_>) -> Result<Identity, Fault> {
    let id_type = member.get("id_type");
    let code: u8 = id_type.need()?;
    let known = IdType::from_code(code).ok_or_else(|| id_type.fault("is none that r3 allows"))?;
    Ok(Identity::new(known, &member.get("id").need::<Vec<u8>>()?))
}

fn keys(device_server: &Member<'_>, clients: &[(Identity, Member<'_>)], is_named: bool) -> Result<MemoryKeys, Fault> {
    let mut keys = MemoryKeys::new();
    let own = device_server.get("psk");
    // An identity that needs a certificate does not go with a shared key.
    if let Some(secret) = own.read::<Vec<u8>>()?.filter(|_| !is_named) {
        keys.set_own(Secret::from(secret)).map_err(|error| own.fault(&format!("is refused: {error}")))?;
    }
    for (peer, client) in clients {
        let psk = client.get("psk");
        if let Some(secret) = psk.read::<Vec<u8>>()? {
            keys.add_peer(peer.as_payload(), Secret::from(secret))
                .map_err(|error| psk.fault(&format!("is refused: {error}")))?;
        }
    }
    Ok(keys)
}

/// The policy, and whether sense data is wished in descriptor format. Members that this build has no use for are not
/// looked at.
fn read_policy(member: &Member<'_>) -> Result<(Policy, bool), Fault> {
    let mut policy = Policy::default();
    let usage_types = member.get("usage_types");
    let code = |member: &Member<'_>| member.need().map(UsageType::new);
    let listed: Result<Vec<UsageType>, Fault> = usage_types.elements()?.iter().map(code).collect();
    let nonce_length = member.get("nonce_length").read::<u32>()?;
    let hashes = rsa_hashes(&member.get("rsa_hashes"))?;
    replace(&mut policy.max_protocol_timeout, member.get("max_protocol_timeout").read()?);
    replace(&mut policy.max_inactivity_timeout, member.get("max_inactivity_timeout").read()?);
    replace(&mut policy.usage_types, (!usage_types.is_absent()).then_some(listed?.into()));
    replace(&mut policy.nonce_length, nonce_length.map(|length| usize::try_from(length).unwrap_or(usize::MAX)));
    replace(&mut policy.rsa_hashes, hashes.map(Into::into));
    // Both are offered where the capabilities list them, and nowhere else.
    (policy.allow_no_authentication, policy.allow_triple_des) = (true, true);
    // The bench reports what it is told to report.
    policy.waive_complete_row = true;
    Ok((policy, member.get("descriptor_sense").read()?.unwrap_or(false)))
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn rsa_hashes(list: &Member<'_>) -> Result<Option<Vec<HashKind>>, Fault> {
    let read = |name: &Member<'_>| match name.need::<String>()?.as_str() {
        "sha1" => Ok(HashKind::Sha1),
        "sha256" => Ok(HashKind::Sha256),
        "sha384" => Ok(HashKind::Sha384),
        "sha512" => Ok(HashKind::Sha512),
        _ => Err(name.fault("is no hash")),
    };
    let hashes: Vec<HashKind> = list.elements()?.iter().map(read).collect::<Result<_, _>>()?;
    Ok((!list.is_absent()).then_some(hashes))
}
