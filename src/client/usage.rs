//! What an association is for, and the algorithms that use it, which SPC-4 selects apart from those of the exchange (SPC-4
//! 7.7.3.5.14, 5.14.4.8.6; r3 leaves them to the association's user).

use super::config::{ClientConfig, ClientConfigError};
use super::error::Fault;
use super::preferences::Choice;
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{CryptoProvider, UsageSuite};
use crate::dialect::{PayloadType, Profile};
use crate::wire::{Body, Descriptor, Descriptors, RawPayload, SaUsage, Writer};

/// The algorithms that use an association, by ALGORITHM IDENTIFIER of room [`algorithm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageIdentifiers {
    /// ENCR; ENCR_NULL may be one.
    pub encryption: u32,
    /// KEY LENGTH of ENCR in bytes.
    pub key_length: u16,
    /// INTEG; zero (AUTH_COMBINED) with a combined mode and with nothing else.
    pub integrity: u32,
}

impl UsageIdentifiers {
    /// Those that also protect the exchange.
    fn of_exchange(choice: &Choice) -> Self {
        let suite = &choice.suite;
        Self { encryption: suite.cipher.identifier(), key_length: suite.key_length, integrity: choice.integrity }
    }

    /// ENCR and INTEG, in the order of a SAUT payload.
    fn descriptors(self) -> [Descriptor; 2] {
        let encryption = Descriptor::encryption(self.encryption, self.key_length);
        [encryption, Descriptor::new(AlgorithmType::Integrity, self.integrity)]
    }

    /// Whoever makes KEYMAT: how long a key is, only the provider knows.
    fn suite(self, provider: &CryptoProvider) -> Result<UsageSuite, AlgorithmType> {
        let cipher = provider.cipher(self.encryption, self.key_length).ok_or(AlgorithmType::Encryption)?;
        let integrity = provider.integrity(self.integrity);
        // A combined mode goes without an integrity algorithm, everything else with one (SPC-4 table 547).
        let is_separate = integrity.is_some() && !cipher.is_combined();
        let is_combined = self.integrity == algorithm::INTEG_NONE && cipher.is_combined();
        if !is_separate && !is_combined {
            return Err(AlgorithmType::Integrity);
        }
        Ok(UsageSuite { cipher, key_length: self.key_length, integrity })
    }
}

/// The algorithms that were selected for an association's use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) suite: UsageSuite,
    descriptors: [[u8; Descriptors::EACH]; 2],
}

impl Usage {
    /// Selects them where the dialect does: those that were configured, or those of the exchange.
    ///
    /// # Errors
    /// The type of the one that is not offered, that the provider does not have, or that does not go with the other.
    pub(super) fn select(
        config: &ClientConfig,
        choice: &Choice,
        offers: impl Fn(&Descriptor) -> bool,
    ) -> Result<Option<Self>, AlgorithmType> {
        if !is_selected(config.profile) {
            return Ok(None);
        }
        let identifiers = config.usage_algorithms.unwrap_or_else(|| UsageIdentifiers::of_exchange(choice));
        Self::of(config.profile, &config.provider, identifiers, offers).map(Some)
    }

    fn of(
        profile: Profile,
        provider: &CryptoProvider,
        identifiers: UsageIdentifiers,
        offers: impl Fn(&Descriptor) -> bool,
    ) -> Result<Self, AlgorithmType> {
        let [encryption, integrity] = identifiers.descriptors();
        let in_dialect = |known: Descriptor, kind| match known.in_dialect(profile).next() {
            Some(descriptor) if offers(&known) => Ok(descriptor.to_bytes()),
            _ => Err(kind),
        };
        let descriptors =
            [in_dialect(encryption, AlgorithmType::Encryption)?, in_dialect(integrity, AlgorithmType::Integrity)?];
        Ok(Self { suite: identifiers.suite(provider)?, descriptors })
    }

    /// The SAUT payload.
    pub(super) fn payload<'a>(&'a self, config: &'a ClientConfig) -> SaUsage<'a> {
        SaUsage::new(config.usage_type, &config.usage_data, Descriptors::new(&self.descriptors))
    }
}

/// True where the dialect selects algorithms for an association's use: it has the payload for it.
fn is_selected(profile: Profile) -> bool {
    profile.rules().payload_code(PayloadType::SaUsage) != 0
}

/// Checks what an association is to be for, as far as it can be told beforehand.
///
/// # Errors
/// [`ClientConfigError`].
pub(super) fn check(config: &ClientConfig) -> Result<(), ClientConfigError> {
    let rules = config.profile.rules();
    let usage_type = config.usage_type;
    if rules.algorithms_payload == PayloadType::Algorithms {
        if u8::try_from(usage_type).is_err() {
            return Err(ClientConfigError::UsageType(usage_type));
        }
        if config.usage_data.len() & 3 != 0 {
            return Err(ClientConfigError::UsageData);
        }
    }
    if rules.usage_without_data.contains(&usage_type) && !config.usage_data.is_empty() {
        return Err(ClientConfigError::UsageWithoutData(usage_type));
    }
    match config.usage_algorithms {
        None => Ok(()),
        Some(_) if !is_selected(config.profile) => Err(ClientConfigError::NoUsageAlgorithms),
        Some(identifiers) => match Usage::of(config.profile, &config.provider, identifiers, |_| true) {
            Ok(_) => Ok(()),
            Err(kind) => Err(ClientConfigError::NothingUsable(kind)),
        },
    }
}

/// True if an association of this type takes an Authentication step (SPC-4 7.7.3.5.14).
pub(super) fn needs_authentication(profile: Profile, usage_type: u16) -> bool {
    let range = profile.rules().usage_after_authentication;
    range.is_some_and(|(least, greatest)| (least..=greatest).contains(&usage_type))
}

/// Checks that a payload has come back byte for byte as it was sent, reserved bytes included; the payload header may differ,
/// since the order of payloads is free (SPC-4 5.14.4.6.3, 5.14.4.7.3; readings S1, S3).
///
/// # Errors
/// [`Fault::NotAsSent`] with the first byte that differs.
pub(super) fn check_echo<'a>(payload: PayloadType, raw: &RawPayload<'_>, sent: &impl Body<'a>) -> Result<(), Fault> {
    let mut expected = alloc::vec![0; sent.len()];
    sent.emit(&mut Writer::new(&mut expected))?;
    if *raw.data == *expected {
        return Ok(());
    }
    let same = raw.data.iter().zip(&expected).take_while(|(received, sent)| received == sent).count();
    let byte = raw.at.saturating_add(RawPayload::HEADER_LEN).saturating_add(same);
    Err(Fault::NotAsSent { payload, byte })
}
