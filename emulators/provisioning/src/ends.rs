//! What is decided for one end alone.

use std::borrow::Cow;

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::client::{ClientConfigBuilder, Preferences, UsageIdentifiers};
use ikev2_scsi::crypto::{CryptoProvider, Identity};
use ikev2_scsi::server::Limits;
use ikev2_scsi::wire::Timeouts;
use ikev2_scsi::{Policy, SlowCrypto};

use crate::error::Error;
use crate::files::{Files, hex};
use crate::{members, names, sides};

/// A device server's decisions.
#[derive(Debug)]
pub(crate) struct Decisions {
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) other_protocols: Vec<u8>,
    pub(crate) report_refusals: bool,
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

impl Decisions {
    pub(crate) fn read(root: &members::Root) -> Result<Self, Error> {
        let mut decisions = Self {
            policy: Policy::default(),
            limits: Limits::default(),
            other_protocols: Vec::new(),
            report_refusals: false,
        };
        if let Some(limits) = &root.limits {
            decisions.limits = read_limits(limits);
        }
        let policy = &mut decisions.policy;
        if let Some(hashes) = &root.trust.rsa_hashes {
            policy.rsa_hashes = hashes.iter().copied().map(sides::hash).collect::<Vec<_>>().into();
        }
        let Some(wanted) = &root.policy else { return Ok(decisions) };
        replace(&mut policy.max_protocol_timeout, wanted.max_protocol_timeout);
        replace(&mut policy.max_inactivity_timeout, wanted.max_inactivity_timeout);
        replace(&mut policy.usage_types, wanted.usage_types.as_deref().map(usage_types));
        replace(&mut policy.nonce_length, wanted.nonce_length);
        replace(&mut policy.allow_triple_des, wanted.allow_triple_des);
        replace(&mut policy.allow_no_authentication, wanted.allow_no_authentication);
        replace(&mut policy.waive_complete_row, wanted.waive_complete_row);
        replace(&mut policy.one_sequence, wanted.one_sequence);
        replace(&mut policy.expected_calculation_ms, wanted.expected_calculation_ms);
        replace(
            &mut policy.slow_crypto,
            wanted.slow_crypto.map(|slow| match slow {
                members::SlowCrypto::Inline => SlowCrypto::Inline,
                members::SlowCrypto::Offload => SlowCrypto::Offload,
            }),
        );
        if let Some(hidden) = &wanted.hidden_algorithms {
            policy.hidden_algorithms = read_hidden(hidden)?;
        }
        decisions.other_protocols = wanted.other_protocols.clone().unwrap_or_default();
        decisions.report_refusals = wanted.report_refusals.unwrap_or(false);
        Ok(decisions)
    }
}

fn usage_types(list: &[members::UsageType]) -> Cow<'static, [UsageType]> {
    let read = |wanted: &members::UsageType| {
        let mut usage = UsageType::new(wanted.code);
        replace(&mut usage.max_data, wanted.max_data);
        usage
    };
    list.iter().map(read).collect::<Vec<_>>().into()
}

/// Hidden is an algorithm with all of its key lengths.
fn read_hidden(hidden: &members::Hidden) -> Result<Vec<(AlgorithmType, u32)>, Error> {
    let lists = [
        ("encryption", AlgorithmType::Encryption, &hidden.encryption),
        ("prf", AlgorithmType::PseudoRandom, &hidden.prf),
        ("integrity", AlgorithmType::Integrity, &hidden.integrity),
        ("group", AlgorithmType::DiffieHellman, &hidden.group),
        ("authentication", AlgorithmType::Authentication, &hidden.authentication),
    ];
    let mut all = Vec::new();
    for (name, kind, list) in lists {
        let found = find(&format!("policy.hidden_algorithms.{name}"), kind, list)?;
        all.extend(found.into_iter().map(|(identifier, _)| (kind, identifier)));
    }
    Ok(all)
}

fn find(member: &str, kind: AlgorithmType, list: &[String]) -> Result<Vec<(u32, u16)>, Error> {
    let find = |(index, name): (usize, &String)| {
        names::find(kind, name).map_err(|what| Error::value(format!("{member}[{index}]"), what))
    };
    list.iter().enumerate().map(find).collect()
}

fn read_limits(wanted: &members::Limits) -> Limits {
    let mut limits = Limits::default();
    replace(&mut limits.nexuses, wanted.nexuses);
    replace(&mut limits.sequences, wanted.sequences);
    replace(&mut limits.sas, wanted.sas);
    replace(&mut limits.sas_per_identity, wanted.sas_per_identity);
    replace(&mut limits.retained, wanted.retained);
    replace(&mut limits.parameter_list, wanted.parameter_list);
    replace(&mut limits.payloads, wanted.payloads);
    replace(&mut limits.certificates, wanted.certificates);
    replace(&mut limits.auth_failures, wanted.auth_failures);
    replace(&mut limits.jobs, wanted.jobs);
    replace(&mut limits.events, wanted.events);
    limits
}

/// An application client's wishes.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    device_server: Option<Identity>,
    encryption: Option<Vec<(u32, u16)>>,
    prf: Option<Vec<u32>>,
    integrity: Option<Vec<u32>>,
    group: Option<Vec<u32>>,
    authentication: Option<Vec<u32>>,
    own_authentication: Option<Vec<u32>>,
    timeouts: (Option<u32>, Option<u32>),
    usage: Option<(u16, Vec<u8>)>,
    usage_algorithms: Option<UsageIdentifiers>,
    short_algorithms: Option<bool>,
    nonce_length: Option<usize>,
    initial_contact: Option<bool>,
    allow_no_authentication: Option<bool>,
    allocation_length: Option<u32>,
}

impl Wishes {
    pub(crate) fn read(files: &Files, root: &members::Root) -> Result<Self, Error> {
        let Some(wanted) = &root.preferences else { return Ok(Self::default()) };
        let list = |name: &str, kind, list: &Option<Vec<String>>| {
            list.as_ref().map(|list| find(&format!("preferences.{name}"), kind, list)).transpose()
        };
        let plain = |name, kind, names: &Option<Vec<String>>| {
            let found = list(name, kind, names)?;
            Ok::<_, Error>(found.map(|found| found.into_iter().map(|(identifier, _)| identifier).collect()))
        };
        let device_server = wanted.device_server.as_ref();
        let named = |identity| sides::identity(files, "preferences.device_server", identity);
        Ok(Self {
            device_server: device_server.map(named).transpose()?,
            encryption: list("encryption", AlgorithmType::Encryption, &wanted.encryption)?,
            prf: plain("prf", AlgorithmType::PseudoRandom, &wanted.prf)?,
            integrity: plain("integrity", AlgorithmType::Integrity, &wanted.integrity)?,
            group: plain("group", AlgorithmType::DiffieHellman, &wanted.group)?,
            authentication: plain("authentication", AlgorithmType::Authentication, &wanted.authentication)?,
            own_authentication: plain("own_authentication", AlgorithmType::Authentication, &wanted.own_authentication)?,
            timeouts: (wanted.protocol_timeout, wanted.inactivity_timeout),
            usage: wanted.usage.as_ref().map(usage).transpose()?,
            usage_algorithms: wanted.usage.as_ref().map_or(Ok(None), usage_algorithms)?,
            short_algorithms: wanted.short_algorithms,
            nonce_length: wanted.nonce_length,
            initial_contact: wanted.initial_contact,
            allow_no_authentication: wanted.allow_no_authentication,
            allocation_length: wanted.allocation_length,
        })
    }

    pub(crate) fn apply(&self, provider: &CryptoProvider, mut builder: ClientConfigBuilder) -> ClientConfigBuilder {
        let mut preferences = Preferences::strongest_first(provider);
        replace(&mut preferences.encryption, self.encryption.clone());
        replace(&mut preferences.pseudo_random, self.prf.clone());
        replace(&mut preferences.integrity, self.integrity.clone());
        replace(&mut preferences.group, self.group.clone());
        replace(&mut preferences.authentication, self.authentication.clone());
        builder = builder.preferences(preferences);
        if let Some(identity) = &self.device_server {
            builder = builder.expect_device_server(identity.clone());
        }
        if let Some(methods) = &self.own_authentication {
            builder = builder.own_methods(methods);
        }
        let (protocol, inactivity) = (self.timeouts.0.unwrap_or(60), self.timeouts.1.unwrap_or(3600));
        builder = builder.timeouts(Timeouts { protocol, inactivity });
        if let Some((code, data)) = &self.usage {
            builder = builder.usage(*code, data);
        }
        if let Some(identifiers) = self.usage_algorithms {
            builder = builder.usage_algorithms(identifiers);
        }
        if let Some(length) = self.nonce_length {
            builder = builder.nonce_length(length);
        }
        if let Some(length) = self.allocation_length {
            builder = builder.allocation_length(length);
        }
        builder
            .short_algorithms(self.short_algorithms.unwrap_or(false))
            .initial_contact(self.initial_contact.unwrap_or(false))
            .allow_no_authentication(self.allow_no_authentication.unwrap_or(false))
    }
}

fn usage(wanted: &members::Usage) -> Result<(u16, Vec<u8>), Error> {
    let data = wanted.data.as_deref().map_or(Ok(Vec::new()), |digits| hex("preferences.usage.data", digits))?;
    Ok((wanted.code, data))
}

fn usage_algorithms(wanted: &members::Usage) -> Result<Option<UsageIdentifiers>, Error> {
    let (member, kind) = ("preferences.usage", AlgorithmType::Integrity);
    let (encryption, integrity) = match (&wanted.encryption, &wanted.integrity) {
        (None, None) => return Ok(None),
        (Some(encryption), Some(integrity)) => (encryption, integrity),
        _ => return Err(Error::value(member, "has both encryption and integrity, or neither")),
    };
    let found = |name: &str, what| Error::value(format!("{member}.{name}"), what);
    let (encryption, key_length) =
        names::find(AlgorithmType::Encryption, encryption).map_err(|what| found("encryption", what))?;
    let (integrity, _) = names::find(kind, integrity).map_err(|what| found("integrity", what))?;
    Ok(Some(UsageIdentifiers { encryption, key_length, integrity }))
}
