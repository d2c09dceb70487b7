//! Configuration: what cannot work is refused here, and not when the first command comes.

#[cfg(any(test, feature = "signatures"))]
mod signing;

use alloc::sync::Arc;
use alloc::vec::Vec;

use thiserror::Error;

use super::event_queue::EventQueue;
use super::pending::Pending;
use super::report::Reporter;
use super::slots::Slots;
use super::{Admission, DeviceServer};
use crate::capabilities::{AuthMethods, CapabilitiesError, Offer};
use crate::ccs::job::Owner;
use crate::ccs::{Limits, Policy, PolicyError, Setting};
use crate::crypto::{CredentialError, Credentials, CryptoProvider, Hashes, Identity, PresharedKeys, Shared};
use crate::dialect::{Exchange, HAS_SPC4, Profile};
use crate::keys::KeyLog;
use crate::memory::{self, OutOfMemory};
use crate::sa::SaDatabase;
use crate::time::Instant;
use crate::wire::{Descriptor, SupportedProtocols, Writer, protocol};

/// Why a device server cannot be configured so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An identity is needed.
    #[error("the device server has no identity: call identity()")]
    NoIdentity,
    /// Nobody could be authenticated.
    #[error("the device server has no keys: call preshared_keys(), credential() or validator()")]
    NoKeys,
    /// Keys or certificates that cannot be used so.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// An identity for which an application client need not have room.
    #[error("the identity must fit a message of 16 384 bytes")]
    IdentityTooLong,
    /// The capabilities cannot be reported.
    #[error(transparent)]
    Capabilities(#[from] CapabilitiesError),
    /// The policy cannot work.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A bound below what the standard asks for.
    #[error("a parameter list of 16 384 bytes must be accepted")]
    ParameterListLimit,
    /// A bound below what an authentication takes.
    #[error("the six payloads of an authentication must be accepted, seven in SPC-4")]
    PayloadLimit,
    /// A bound of zero.
    #[error("a limit of zero accepts nothing")]
    ZeroLimit,
    /// 00h, 40h and 41h are the server's own.
    #[error("security protocol {0:#04x} is the server's own")]
    OwnProtocol(u8),
    /// There is no memory for the configuration.
    #[error("there is no memory for the configuration")]
    Memory,
}

impl From<OutOfMemory> for ConfigError {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::Memory
    }
}

/// The configuration of a [`DeviceServer`].
pub struct Builder {
    provider: CryptoProvider,
    profile: Profile,
    policy: Policy,
    limits: Limits,
    identity: Option<Identity>,
    credentials: Credentials,
    key_log: Option<Arc<dyn KeyLog>>,
    protocols: Vec<u8>,
    fixed: Option<Vec<Descriptor>>,
    reporter: Option<Reporter>,
    /// A list that was given found no memory.
    out_of_memory: bool,
    admission: Option<Arc<dyn Admission>>,
}

impl core::fmt::Debug for Builder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Builder")
            .field("profile", &self.profile)
            .field("policy", &self.policy)
            .field("limits", &self.limits)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(super) fn new(provider: CryptoProvider) -> Self {
        Self {
            provider,
            profile: Profile::default(),
            policy: Policy::default(),
            limits: Limits::default(),
            identity: None,
            credentials: Credentials::default(),
            key_log: None,
            protocols: Vec::new(),
            fixed: None,
            reporter: None,
            out_of_memory: false,
            admission: None,
        }
    }

    /// How the logical unit speaks; r3 with its own header bits and sense codes unless said otherwise.
    #[must_use]
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The administrator's decisions.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Bounds on what is kept.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who the device server is.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The shared keys, its own and those of its application clients.
    #[must_use]
    pub fn preshared_keys(mut self, keys: Arc<dyn PresharedKeys>) -> Self {
        self.credentials.judges.shared_keys = Some(Shared::Counted(keys));
        self
    }

    /// The same, of keys that are there for good, as in firmware.
    #[must_use]
    pub fn preshared_keys_static(mut self, keys: &'static dyn PresharedKeys) -> Self {
        self.credentials.judges.shared_keys = Some(Shared::Static(keys));
        self
    }

    /// Security protocols that the embedder serves itself, such as 20h, for the supported list.
    #[must_use]
    pub fn other_protocols(mut self, protocols: &[u8]) -> Self {
        self.protocols.clear();
        self.out_of_memory |= memory::append(&mut self.protocols, protocols).is_err();
        self
    }

    /// Records every secret. For test benches and one's own captures: see [`KeyLog`]. It takes the feature `key-log`.
    #[cfg(any(test, feature = "key-log"))]
    #[must_use]
    pub fn key_log(mut self, log: Arc<dyn KeyLog>) -> Self {
        self.key_log = Some(log);
        self
    }

    /// Who decides, within the policy, what is offered to which nexus and who may have which association. Without it all are
    /// treated alike. It takes the feature `admission`.
    #[cfg(any(test, feature = "admission"))]
    #[must_use]
    pub fn admission(mut self, admission: Arc<dyn Admission>) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Tells of each refused command why, as [`EventKind::Refused`](super::EventKind::Refused): which field, what it held, what
    /// is allowed, by which clause. Off unless asked for; then it costs nothing.
    #[must_use]
    pub const fn report_refusals(mut self, report: bool) -> Self {
        self.reporter = if report { Some(DeviceServer::report) } else { None };
        self
    }

    /// Reports exactly these capabilities, whatever the provider has. For test benches; to select an algorithm that the
    /// provider lacks, or ENCR_3DES without [`Policy::allow_triple_des`], is refused as not offered.
    #[must_use]
    pub fn fixed_capabilities(mut self, descriptors: &[Descriptor]) -> Self {
        let mut fixed = Vec::new();
        self.out_of_memory |= descriptors.iter().any(|descriptor| memory::push(&mut fixed, *descriptor).is_err());
        self.fixed = Some(fixed);
        self
    }

    /// The device server.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn build(self) -> Result<DeviceServer, ConfigError> {
        if self.out_of_memory {
            return Err(ConfigError::Memory);
        }
        let identity = self.identity.ok_or(ConfigError::NoIdentity)?;
        // Half of a message leaves room for everything else that an authentication IN has.
        if usize::try_from(Limits::MIN_PARAMETER_LIST / 2).is_ok_and(|room| identity.data.len() > room) {
            return Err(ConfigError::IdentityTooLong);
        }
        let limits = self.limits;
        check_limits(self.profile, &limits)?;
        let policy = self.policy;
        let mut credentials = self.credentials;
        credentials.judges.rsa_hashes = Hashes::of(&policy.rsa_hashes);
        if credentials.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        credentials.check(self.profile, &identity)?;
        let methods = AuthMethods::of(&credentials, &self.provider, policy.allow_no_authentication);
        let offer = match &self.fixed {
            Some(descriptors) => Offer::fixed(self.profile, descriptors, policy.allow_triple_des)?,
            None => {
                let Policy { hidden_algorithms, allow_triple_des, .. } = &policy;
                Offer::derive(self.profile, &self.provider, methods, hidden_algorithms, *allow_triple_des)?
            }
        };
        if HAS_SPC4 {
            offer.check_sides()?;
            if !policy.waive_complete_row {
                offer.check_complete()?;
            }
        }
        policy.check(self.profile, offer.min_nonce(&self.provider))?;
        Ok(DeviceServer {
            protocols: supported_protocols(&self.protocols)?,
            setting: Setting {
                profile: self.profile,
                provider: self.provider,
                policy,
                limits,
                offer,
                methods,
                identity,
                credentials,
                key_log: self.key_log,
            },
            unread_offer: None,
            now: Instant::default(),
            slots: Slots::new(),
            sas: SaDatabase::new(),
            pending: Pending::new(),
            next_job: 0,
            owner: Owner::new(),
            events: EventQueue::new(limits.events),
            reporter: self.reporter,
            denied: None,
            admission: self.admission,
            calendar: None,
        })
    }
}

/// Bounds that leave room for what every device server takes.
fn check_limits(profile: Profile, limits: &Limits) -> Result<(), ConfigError> {
    if limits.parameter_list < Limits::MIN_PARAMETER_LIST {
        return Err(ConfigError::ParameterListLimit);
    }
    // The Encrypted payload, and one of each inside.
    let of_each = (profile.rules().inner)(Exchange::AuthenticationOut).list.len().saturating_add(1);
    if limits.payloads < of_each.max(Limits::MIN_PAYLOADS) {
        return Err(ConfigError::PayloadLimit);
    }
    let counts = [limits.nexuses, limits.sequences, limits.sas, limits.sas_per_identity, limits.events];
    if counts.contains(&0) || limits.retained == 0 || limits.jobs == 0 || limits.auth_failures == 0 {
        return Err(ConfigError::ZeroLimit);
    }
    Ok(())
}

/// The parameter data that report ours and the embedder's, ascending, each once.
fn supported_protocols(others: &[u8]) -> Result<Vec<u8>, ConfigError> {
    let own = [protocol::INFORMATION, protocol::SA_CREATION_CAPABILITIES, protocol::IKEV2_SCSI];
    if let Some(taken) = others.iter().find(|other| memory::is_among(*other, &own)) {
        return Err(ConfigError::OwnProtocol(*taken));
    }
    let mut all = Vec::new();
    for protocol in own.iter().chain(others) {
        memory::insert(&mut all, *protocol)?;
    }
    let list = SupportedProtocols { protocols: &all };
    let mut data = memory::zeroed(list.len())?;
    // Each is there once, so that they are few.
    let _ = list.emit(&mut Writer::new(&mut data));
    Ok(data)
}
