//! What an administrator decides (r3 5.13.4.3.4, 7.7.4.12, 7.7.4.13; readings R16, R19, R28, R38).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use thiserror::Error;

use crate::algorithm::AlgorithmType;
use crate::crypto::HashKind;
use crate::dialect::Profile;
use crate::wire::Nonce;

/// Who runs slow cryptography.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SlowCrypto {
    /// The server, at once, inside `execute`.
    #[default]
    Inline,
    /// The embedder: `poll_job` hands it out, `complete` takes its result. It takes the feature `offload`.
    Offload,
}

/// Whether this build can hand slow cryptography out (feature `offload`). Unit tests always can.
pub(crate) const HAS_OFFLOAD: bool = cfg!(any(test, feature = "offload"));

/// A use of security associations that is allowed (r3 7.7.4.12, SPC-4 7.7.3.5.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageType {
    /// SECURITY ASSOCIATION TYPE, one byte in r3; SA TYPE of SPC-4.
    pub code: u16,
    /// Most bytes of USAGE DATA accepted with it; an association keeps them. SPC-4 has none for the types that it defines.
    pub max_data: usize,
}

impl UsageType {
    /// Tape data encryption, 81h.
    pub const TAPE_DATA_ENCRYPTION: Self = Self::new(Policy::TAPE_DATA_ENCRYPTION);
    /// CbCS authentication and credential encryption, 8001h (SPC-4 table 74), which takes an Authentication step.
    pub const CBCS: Self = Self::new(0x8001);

    /// A use with 1024 bytes of USAGE DATA at most, as SPC-4 has it.
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self { code, max_data: 1024 }
    }
}

/// The administrator's decisions for one logical unit.
///
/// Begin with [`Policy::default`] and assign what is to differ; fields may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Greatest IKEV2-SCSI PROTOCOL TIMEOUT accepted, in seconds.
    pub max_protocol_timeout: u32,
    /// Greatest IKEV2-SCSI SA INACTIVITY TIMEOUT accepted, in seconds.
    pub max_inactivity_timeout: u32,
    /// The uses of associations accepted, one at least, each code once.
    pub usage_types: Cow<'static, [UsageType]>,
    /// Bytes of our own nonces, 16 to 256.
    pub nonce_length: usize,
    /// Algorithms not offered, by type and identifier.
    pub hidden_algorithms: Vec<(AlgorithmType, u32)>,
    /// Whether ENCR_3DES of the provider is offered (reading R9), for peers that have nothing else. The algorithm is withdrawn: its
    /// blocks of 8 bytes are short, and the implementation of this crate's provider looks up tables by secret values, which
    /// a cache may tell to whoever shares it.
    pub allow_triple_des: bool,
    /// Whether IKE_AUTH_NONE is offered. It protects nobody from a man in the middle: r3 5.13.4.3.4 before you turn it on.
    pub allow_no_authentication: bool,
    /// Whether an SPC-4 device server may report capabilities without one complete row of SPC-4 table 82 (5.14.4.5), as a test
    /// bench does, or a device with shared keys only; the standard does not allow it.
    pub waive_complete_row: bool,
    /// Whether the logical unit has one sequence at a time: with SPC-4, a key exchange OUT of another nexus is then refused as a
    /// conflicting request (SPC-4 5.14.4.1).
    pub one_sequence: bool,
    /// Hashes accepted in RSA signatures: SHA-1 is what RFC 4306 has (reading R16).
    pub rsa_hashes: Cow<'static, [HashKind]>,
    /// Who runs slow cryptography.
    pub slow_crypto: SlowCrypto,
    /// The constant time, in milliseconds, that a progress indication pretends a calculation to take (r3 5.13.7).
    pub expected_calculation_ms: u32,
}

impl Policy {
    /// SECURITY ASSOCIATION TYPE of tape data encryption.
    pub const TAPE_DATA_ENCRYPTION: u16 = 0x81;

    /// What is decided about a SECURITY ASSOCIATION TYPE; `None` if it is not accepted.
    pub(crate) fn usage_type(&self, code: u16) -> Option<UsageType> {
        self.usage_types.iter().copied().find(|usage| usage.code == code)
    }

    /// Whether the embedder runs slow cryptography.
    pub(crate) fn offloads(&self) -> bool {
        HAS_OFFLOAD && self.slow_crypto == SlowCrypto::Offload
    }

    /// Checks the decisions against what the protocol allows; `min_nonce` is the longest half of an offered PRF's key.
    pub(crate) fn check(&self, profile: Profile, min_nonce: usize) -> Result<(), PolicyError> {
        if self.max_protocol_timeout == 0 || self.max_inactivity_timeout == 0 {
            return Err(PolicyError::ZeroTimeout);
        }
        if self.nonce_length < min_nonce.max(Nonce::MIN) || self.nonce_length > Nonce::MAX {
            return Err(PolicyError::NonceLength { min: min_nonce.max(Nonce::MIN) });
        }
        let codes = || self.usage_types.iter().map(|usage| usage.code);
        if self.usage_types.is_empty() {
            return Err(PolicyError::NoUsageType);
        }
        if let Some(code) = codes().find(|code| codes().filter(|other| other == code).count() > 1) {
            return Err(PolicyError::UsageTypeTwice(code));
        }
        let rules = profile.rules();
        if let Some(code) = codes().find(|code| rules.usage_type_length == 1 && *code > 0xFF) {
            return Err(PolicyError::UsageTypeTooLong(code));
        }
        if !HAS_OFFLOAD && self.slow_crypto == SlowCrypto::Offload {
            return Err(PolicyError::NoOffload);
        }
        if self.one_sequence && !rules.may_be_exclusive {
            return Err(PolicyError::OneSequence);
        }
        Ok(())
    }
}

impl Default for Policy {
    /// One minute for a sequence's next command, a day for an SA's next use, tape data encryption with 1024 bytes of usage
    /// data, 32-byte nonces, cryptography inline.
    fn default() -> Self {
        Self {
            max_protocol_timeout: 60,
            max_inactivity_timeout: 86_400,
            usage_types: Cow::Borrowed(&[UsageType::TAPE_DATA_ENCRYPTION]),
            nonce_length: 32,
            hidden_algorithms: Vec::new(),
            allow_triple_des: false,
            allow_no_authentication: false,
            waive_complete_row: false,
            one_sequence: false,
            rsa_hashes: Cow::Borrowed(&[HashKind::Sha1]),
            slow_crypto: SlowCrypto::Inline,
            expected_calculation_ms: 1000,
        }
    }
}

/// A decision that the protocol does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No timeout could be accepted.
    #[error("a maximum timeout of zero accepts no key exchange")]
    ZeroTimeout,
    /// Our nonces would be too short or too long (reading R38).
    #[error("nonces have {min} to 256 bytes with the algorithms offered")]
    NonceLength {
        /// Fewest bytes.
        min: usize,
    },
    /// No key exchange could be accepted.
    #[error("no SECURITY ASSOCIATION TYPE is accepted: usage_types must have one")]
    NoUsageType,
    /// Two decisions about one use.
    #[error("usage_types has SECURITY ASSOCIATION TYPE {0:02X}h twice")]
    UsageTypeTwice(u16),
    /// r3 has one byte for it.
    #[error("SECURITY ASSOCIATION TYPE {0:04X}h has more than one byte")]
    UsageTypeTooLong(u16),
    /// r3 counts by nexus.
    #[error("r3 does not let one nexus's sequence keep others out: one_sequence is for SPC-4")]
    OneSequence,
    /// The build cannot hand cryptography out.
    #[error("to offload slow cryptography takes the feature `offload`")]
    NoOffload,
}
