//! Configuration: what cannot work is refused here, and not when the first command is answered.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::preferences::{BY_STRENGTH, Choice, Preferences};
use super::usage::{self, UsageIdentifiers};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{
    CertificateRequests, CertificateValidator, Credential, CredentialError, Credentials, CryptoProvider, HashKind,
    Hashes, Identity, PresharedKeys, Shared,
};
use crate::dialect::Profile;
use crate::keys::{KeyLog, KeyLogger};
use crate::wire::{Descriptor, Header, Nonce, Sai, Timeouts};

/// Bytes of parameter data that every device server takes and gives (r3 5.13.6 a, b; SPC-4 7.7.3.3 of what it takes).
const TRANSFER: u32 = 16_384;
/// SECURITY ASSOCIATION TYPE, in SPC-4 SA TYPE, of tape data encryption.
const TAPE_DATA_ENCRYPTION: u16 = 0x81;

/// Why an application client cannot be configured so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientConfigError {
    /// Keys or certificates that cannot be used so.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// There is nothing to authenticate oneself with.
    #[error("no key of our own goes with any way to authenticate that was asked for")]
    NoOwnKey,
    /// Identity or usage data for which a device server need not have room.
    #[error("identity and usage data must fit a message of 16 384 bytes")]
    TooLong,
    /// A SECURITY ASSOCIATION TYPE has one byte (r3 7.7.4.12).
    #[error("{0:04X}h is more than a SECURITY ASSOCIATION TYPE can be")]
    UsageType(u16),
    /// USAGE DATA is a multiple of four bytes (r3 7.7.4.12).
    #[error("usage data has a multiple of four bytes")]
    UsageData,
    /// An association of this SA TYPE has no USAGE DATA (SPC-4 table 74).
    #[error("an association of type {0:04X}h has no usage data")]
    UsageWithoutData(u16),
    /// An association of this SA TYPE takes an Authentication step, and the preferences leave none (SPC-4 7.7.3.5.14).
    #[error("an association of type {0:04X}h takes authentication")]
    UsageNeedsAuthentication(u16),
    /// The dialect does not select algorithms for the association's use.
    #[error("r3 does not select algorithms for the use of an association")]
    NoUsageAlgorithms,
    /// The preferences name no other encryption algorithm than ENCR_NULL, which may not protect the exchange (SPC-4
    /// 7.7.3.5.13): it may be selected for the association's use.
    #[error("ENCR_NULL does not protect an exchange")]
    NullEncryption,
    /// A timeout of zero, which every device server of r3 refuses (r3 7.7.4.13).
    #[error("a timeout is not zero")]
    ZeroTimeout,
    /// Our nonce would be too short or too long (reading R38).
    #[error("a nonce has {min} to 256 bytes with the algorithms preferred")]
    NonceLength {
        /// Fewest bytes.
        min: usize,
    },
    /// An allocation length that holds no message.
    #[error("an allocation length of at least 28 bytes is needed")]
    AllocationLength,
    /// Only IKE_AUTH_NONE is preferred, and it was not allowed (r3 5.13.4.3.4 b).
    #[error("IKE_AUTH_NONE must be allowed by an administrator")]
    NoAuthenticationForbidden,
    /// The preferences name no algorithm of this type that the provider has and that goes with the others.
    #[error("the preferences name no usable algorithm of type {}", .0.name())]
    NothingUsable(AlgorithmType),
}

/// The configuration of an [`ApplicationClient`](super::ApplicationClient), good for any number of exchanges.
pub struct ClientConfig {
    pub(super) profile: Profile,
    pub(super) provider: CryptoProvider,
    pub(super) identity: Identity,
    pub(super) credentials: Arc<Credentials>,
    pub(super) own_methods: Vec<u32>,
    pub(super) expected: Option<Identity>,
    pub(super) preferences: Preferences,
    pub(super) timeouts: Timeouts,
    pub(super) usage_type: u16,
    pub(super) usage_data: Box<[u8]>,
    pub(super) usage_algorithms: Option<UsageIdentifiers>,
    pub(super) short_algorithms: bool,
    pub(super) nonce_length: usize,
    pub(super) initial_contact: bool,
    pub(super) allocation_length: u32,
    key_log: Option<Arc<dyn KeyLog>>,
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("profile", &self.profile)
            .field("identity", &self.identity)
            .field("expected", &self.expected)
            .field("preferences", &self.preferences)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

impl ClientConfig {
    /// Begins a configuration: the algorithms, and who we are.
    #[must_use]
    pub fn builder(provider: CryptoProvider, identity: Identity) -> ClientConfigBuilder {
        let config = Self {
            profile: Profile::default(),
            preferences: Preferences::strongest_first(&provider),
            provider,
            identity,
            credentials: Arc::default(),
            own_methods: BY_STRENGTH.into(),
            expected: None,
            timeouts: Timeouts { protocol: 60, inactivity: 3600 },
            usage_type: TAPE_DATA_ENCRYPTION,
            usage_data: Box::default(),
            usage_algorithms: None,
            short_algorithms: false,
            nonce_length: 32,
            initial_contact: false,
            allocation_length: TRANSFER,
            key_log: None,
        };
        ClientConfigBuilder { config, credentials: Credentials::default(), allow_no_authentication: false }
    }

    /// How the logical unit speaks.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The algorithms that the preferences take of an offer: such as the dialect has, and of those that encrypt such as may
    /// protect an exchange.
    pub(super) fn choose(&self, offers: impl Fn(&Descriptor) -> bool) -> Result<Choice, AlgorithmType> {
        let can_check = |identifier| self.credentials.can_check(&self.provider, identifier);
        let may_be_chosen = |d: &Descriptor| {
            let kind = AlgorithmType::from_code(d.algorithm_type);
            let protects = kind != Some(AlgorithmType::Encryption) || self.protects_exchanges(d.identifier);
            protects && kind.is_some_and(|kind| self.has_number(kind, d.identifier)) && offers(d)
        };
        self.preferences.choose(&self.provider, can_check, may_be_chosen)
    }

    /// How we authenticate ourselves, if the device server accepts one of our ways.
    pub(super) fn own_method(&self, accepts: impl Fn(u32) -> bool) -> Option<u32> {
        let usable = |identifier: &&u32| {
            let has_number = self.has_number(AlgorithmType::Authentication, **identifier);
            has_number && self.credentials.can_use(**identifier) && accepts(**identifier)
        };
        self.own_methods.iter().find(usable).copied()
    }

    fn protects_exchanges(&self, encryption: u32) -> bool {
        self.profile.rules().null_protects_exchanges || encryption != algorithm::ENCR_NULL.identifier
    }

    fn has_number(&self, kind: AlgorithmType, identifier: u32) -> bool {
        algorithm::identifier_of(self.profile, kind, identifier).is_some()
    }

    /// The TIMEOUT of an association: the device server puts a number of seconds in the place of zero where zero is no error
    /// (SPC-4 7.7.3.5.15).
    pub(super) fn inactivity_timeout(&self) -> u32 {
        match self.timeouts.inactivity {
            0 => self.profile.rules().zero_timeout.unwrap_or(0),
            seconds => seconds,
        }
    }

    pub(super) fn logger(&self, ac_sai: Sai, ds_sai: Sai) -> KeyLogger<'_> {
        KeyLogger { log: self.key_log.as_deref(), ac_sai, ds_sai }
    }
}

/// A configuration in the making.
#[derive(Debug)]
pub struct ClientConfigBuilder {
    config: ClientConfig,
    credentials: Credentials,
    allow_no_authentication: bool,
}

impl ClientConfigBuilder {
    /// How the logical unit speaks; r3 with its own header bits unless said otherwise. Algorithms and ways to authenticate are
    /// named by the same numbers in every dialect, those of room [`algorithm`].
    #[must_use]
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.config.profile = profile;
        self
    }

    /// The only device server to talk to. Without it, every one is welcome for whose identity there is a key; and with
    /// certificates, everybody who has one of a trusted authority, other application clients included. Have identities matched,
    /// and see who it was ([`ApplicationClient::device_server`](super::ApplicationClient::device_server)) before the
    /// association is used.
    #[must_use]
    pub fn expect_device_server(mut self, identity: Identity) -> Self {
        self.config.expected = Some(identity);
        self
    }

    /// The shared keys, our own and those of device servers.
    #[must_use]
    pub fn preshared_keys(mut self, keys: Arc<dyn PresharedKeys>) -> Self {
        self.credentials.judges.shared_keys = Some(Shared::Counted(keys));
        self
    }

    /// Adds a key with which we sign, and its certificates; of several of one kind the device server's Certificate Request
    /// tells which.
    #[must_use]
    pub fn credential(mut self, own: Credential) -> Self {
        self.credentials.own.push(own);
        self
    }

    /// Who decides about the keys of device servers that sign. Without it, none is asked to sign.
    #[must_use]
    pub fn validator(mut self, validator: Arc<dyn CertificateValidator>) -> Self {
        self.credentials.judges.validator = Some(Shared::Counted(validator));
        self
    }

    /// Which Certificate Requests an authentication OUT carries; the validator's trust anchors unless said otherwise.
    #[must_use]
    pub fn certificate_requests(mut self, requests: CertificateRequests) -> Self {
        self.credentials.requests = requests;
        self
    }

    /// Hashes accepted in RSA signatures; SHA-1 unless said otherwise (reading R16).
    #[must_use]
    pub fn rsa_hashes(mut self, hashes: &[HashKind]) -> Self {
        self.credentials.judges.rsa_hashes = Hashes::of(hashes);
        self
    }

    /// IKE authentication algorithms by which we may authenticate ourselves, best first: the first one for which we have a
    /// key and that the device server accepts. ECDSA, the largest curve first, then shared key, then RSA unless said
    /// otherwise.
    #[must_use]
    pub fn own_methods(mut self, identifiers: &[u32]) -> Self {
        self.config.own_methods = identifiers.to_vec();
        self
    }

    /// Which algorithms to select; [`Preferences::strongest_first`] unless said otherwise.
    #[must_use]
    pub fn preferences(mut self, preferences: Preferences) -> Self {
        self.config.preferences = preferences;
        self
    }

    /// Seconds that the device server waits for a sequence's next command, and for an association's next use; 60 and
    /// 3600 unless said otherwise. An orphan association lives as long as the latter (r3 5.13.4.6). In SPC-4 the device server
    /// takes zero as ten seconds (SPC-4 7.7.3.5.15).
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config.timeouts = timeouts;
        self
    }

    /// What the association is for: SECURITY ASSOCIATION TYPE, at most FFh, and USAGE DATA of a multiple of four bytes; in SPC-4
    /// SA TYPE, of which 0081h and 8001h have no USAGE DATA, and 8000h to BFFFh take authentication. Tape data encryption
    /// (0081h) without usage data unless said otherwise.
    #[must_use]
    pub fn usage(mut self, usage_type: u16, usage_data: &[u8]) -> Self {
        self.config.usage_type = usage_type;
        self.config.usage_data = usage_data.into();
        self
    }

    /// Which algorithms use the association, in SPC-4 (SPC-4 7.7.3.5.14): the device server must offer them. Those that
    /// protect the exchange unless said otherwise; r3 has no say in it.
    #[must_use]
    pub const fn usage_algorithms(mut self, identifiers: UsageIdentifiers) -> Self {
        self.config.usage_algorithms = Some(identifiers);
        self
    }

    /// Whether the SA Cryptographic Algorithms payload of SPC-4 has one reserved byte less than the standard prints, for
    /// device servers that read it so (reading S1); as printed unless said otherwise.
    #[must_use]
    pub const fn short_algorithms(mut self, short: bool) -> Self {
        self.config.short_algorithms = short;
        self
    }

    /// Bytes of our nonces, 16 to 256 and at least half the key of every preferred PRF (reading R38); 32 unless said
    /// otherwise.
    #[must_use]
    pub const fn nonce_length(mut self, bytes: usize) -> Self {
        self.config.nonce_length = bytes;
        self
    }

    /// Whether to tell the device server that it may forget our other associations (r3 7.7.4.8a).
    #[must_use]
    pub const fn initial_contact(mut self, send: bool) -> Self {
        self.config.initial_contact = send;
        self
    }

    /// Whether IKE_AUTH_NONE may be selected where it is offered and preferred (r3 5.13.4.3.4 b). An administrator's
    /// decision: nothing then protects from a man in the middle, nor from one who takes the other methods off the list.
    #[must_use]
    pub const fn allow_no_authentication(mut self, allow: bool) -> Self {
        self.allow_no_authentication = allow;
        self
    }

    /// ALLOCATION LENGTH of SECURITY PROTOCOL IN commands; 16 384 unless said otherwise.
    #[must_use]
    pub const fn allocation_length(mut self, bytes: u32) -> Self {
        self.config.allocation_length = bytes;
        self
    }

    /// Records every secret. For test benches and one's own captures: see [`KeyLog`].
    #[cfg(any(test, feature = "key-log"))]
    #[must_use]
    pub fn key_log(mut self, log: Arc<dyn KeyLog>) -> Self {
        self.config.key_log = Some(log);
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ClientConfigError`].
    pub fn build(self) -> Result<ClientConfig, ClientConfigError> {
        let Self { mut config, credentials, allow_no_authentication } = self;
        credentials.check(config.profile, &config.identity)?;
        config.credentials = Arc::new(credentials);
        // Half of a message each leaves room for everything else that a message has.
        let room = usize::try_from(TRANSFER / 2).unwrap_or(0);
        if config.identity.data.len() > room || config.usage_data.len() > room {
            return Err(ClientConfigError::TooLong);
        }
        usage::check(&config)?;
        let has_zero = config.timeouts.protocol == 0 || config.timeouts.inactivity == 0;
        if has_zero && config.profile.rules().zero_timeout.is_none() {
            return Err(ClientConfigError::ZeroTimeout);
        }
        if usize::try_from(config.allocation_length).is_ok_and(|length| length < Header::LEN) {
            return Err(ClientConfigError::AllocationLength);
        }
        if !allow_no_authentication {
            config.require_authentication(ClientConfigError::NoAuthenticationForbidden)?;
        }
        if usage::needs_authentication(config.profile, config.usage_type) {
            config.require_authentication(ClientConfigError::UsageNeedsAuthentication(config.usage_type))?;
        }
        config.check_algorithms()?;
        Ok(config)
    }
}

impl ClientConfig {
    /// Takes IKE_AUTH_NONE from the preferences.
    fn require_authentication(&mut self, refusal: ClientConfigError) -> Result<(), ClientConfigError> {
        let preferred = &mut self.preferences.authentication;
        let was_empty = preferred.is_empty();
        preferred.retain(|identifier| *identifier != algorithm::IKE_AUTH_NONE);
        if preferred.is_empty() && !was_empty { Err(refusal) } else { Ok(()) }
    }

    /// Checks that the preferences can come to something.
    fn check_algorithms(&self) -> Result<(), ClientConfigError> {
        let mut encryption = self.preferences.encryption.iter().peekable();
        if encryption.peek().is_some() && !encryption.any(|(identifier, _)| self.protects_exchanges(*identifier)) {
            return Err(ClientConfigError::NullEncryption);
        }
        let choice = self.choose(|_| true).map_err(ClientConfigError::NothingUsable)?;
        if !choice.is_unauthenticated() && self.own_method(|_| true).is_none() {
            return Err(ClientConfigError::NoOwnKey);
        }
        let prfs = self.preferences.pseudo_random.iter().filter_map(|id| self.provider.prf(*id));
        let min = prfs.map(|prf| prf.key_length().div_ceil(2)).max().unwrap_or(0).max(Nonce::MIN);
        if !(min..=Nonce::MAX).contains(&self.nonce_length) {
            return Err(ClientConfigError::NonceLength { min });
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(feature = "rustcrypto")]
mod tests {
    use super::*;
    use crate::crypto::{MemoryKeys, Secret};
    use crate::tested::provider;
    use crate::wire::IdType;

    fn keys() -> MemoryKeys {
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::copy_of(b"own")).unwrap();
        keys
    }

    fn builder() -> ClientConfigBuilder {
        ClientConfig::builder(provider(), Identity::key_id(b"client")).preshared_keys(Arc::new(keys()))
    }

    fn refused(builder: ClientConfigBuilder) -> ClientConfigError {
        builder.build().unwrap_err()
    }

    #[test]
    fn the_defaults_are_good() {
        let config = builder().build().unwrap();
        assert_eq!(config.profile(), Profile::R3);
        assert_eq!((config.usage_type, config.allocation_length, config.nonce_length), (0x81, 16_384, 32));
        assert_eq!(config.preferences.authentication, BY_STRENGTH);
    }

    #[test]
    fn what_cannot_work_is_refused_at_once() {
        use ClientConfigError as E;
        let dn = Identity::new(IdType::DerAsn1Dn, b"dn");
        let with = |identity| ClientConfig::builder(provider(), identity).preshared_keys(Arc::new(keys()));
        assert_eq!(refused(with(dn)), E::Credentials(CredentialError::IdentityNeedsCertificate));
        let without = |identity| ClientConfig::builder(provider(), identity);
        let nobody = E::NothingUsable(AlgorithmType::Authentication);
        assert_eq!(refused(without(Identity::key_id(b""))), nobody);
        let no_own = without(Identity::key_id(b"")).preshared_keys(Arc::new(MemoryKeys::new()));
        assert_eq!(refused(no_own), E::NoOwnKey);
        assert_eq!(refused(with(Identity::key_id(&[0; 8193]))), E::TooLong);
        assert_eq!(refused(builder().usage(0x81, &[0; 8196])), E::TooLong);
        assert_eq!(refused(builder().usage(0x81, &[0; 6])), E::UsageData);
        assert_eq!(refused(builder().timeouts(Timeouts { protocol: 0, inactivity: 1 })), E::ZeroTimeout);
        assert_eq!(refused(builder().timeouts(Timeouts { protocol: 1, inactivity: 0 })), E::ZeroTimeout);
        assert_eq!(refused(builder().allocation_length(27)), E::AllocationLength);
    }

    /// Reading R38: half of the longest preferred PRF key, 64 bytes for HMAC-SHA2-512.
    #[test]
    fn nonces_fit_every_preferred_prf() {
        for length in [0, 15, 31, 257] {
            assert_eq!(refused(builder().nonce_length(length)), ClientConfigError::NonceLength { min: 32 });
        }
        let mut preferences = Preferences::strongest_first(&provider());
        preferences.pseudo_random = [algorithm::PRF_HMAC_SHA1.identifier].into();
        let builder = || builder().preferences(preferences.clone());
        assert_eq!(refused(builder().nonce_length(15)), ClientConfigError::NonceLength { min: 16 });
        assert!(builder().nonce_length(16).build().is_ok());
    }

    /// r3 5.13.4.3.4 b.
    #[test]
    fn no_authentication_takes_an_administrator() {
        let mut preferences = Preferences::strongest_first(&provider());
        preferences.authentication = [algorithm::IKE_AUTH_NONE].into();
        let builder = || builder().preferences(preferences.clone());
        assert_eq!(refused(builder()), ClientConfigError::NoAuthenticationForbidden);
        assert!(builder().allow_no_authentication(true).build().is_ok());
    }

    #[test]
    fn preferences_name_something_of_each_type() {
        let mut preferences = Preferences::strongest_first(&provider());
        preferences.group.clear();
        let error = refused(builder().preferences(preferences.clone()));
        assert_eq!(error, ClientConfigError::NothingUsable(AlgorithmType::DiffieHellman));
        preferences.authentication.clear();
        preferences.group = [algorithm::MODP_2048.identifier].into();
        let error = refused(builder().preferences(preferences));
        assert_eq!(error, ClientConfigError::NothingUsable(AlgorithmType::Authentication));
    }
}
