//! IKEv2-SCSI command sequences (r3 5.13.4.6): one file per phase, the table of what may come when, the slow work.
//!
//! A state of a sequence owns only what later commands need. Handlers are functions that *plan*: they read, may refuse, and
//! change nothing; the server commits a plan by one assignment. So a refused command leaves no trace.
//!
//! Memory: a running sequence holds the key exchange OUT, the key exchange IN ([`Limits::retained`] bounds both) and seven
//! keys, after the authentication OUT also the trust anchors that it asked for, and while it is checked its certificates; a
//! complete one holds its last Data-In until the protocol timeout.
//!
//! What lives here: phases, and what each command checks. What does not: nexuses, timers, limits (room `server`).

pub(crate) mod authentication;
pub(crate) mod delete;
pub mod job;
pub(crate) mod key_exchange;
mod limits;
mod policy;
pub mod table;
mod usage;

pub use limits::Limits;
pub use policy::{Policy, PolicyError, SlowCrypto, UsageType};

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::capabilities::{AuthMethods, Offer, Selection};
use crate::crypto::{CertificateWish, Credentials, CryptoError, CryptoProvider, Identity};
use crate::dialect::{ErrorClasses, Exchange, PayloadType, Profile};
use crate::keys::{KeyLog, KeyLogger, KeySet, Keymat, SaContext, SaSource};
use crate::sa::{Authenticated, SaId};
use crate::sense::Refusal;
use crate::time::Instant;
use crate::wire::{Field, Header, Sai, Timeouts, WireError, WireErrorKind};
use table::Phase;
pub(crate) use usage::Usage;

/// What the embedder configured, as the phases see it.
pub(crate) struct Setting {
    pub(crate) profile: Profile,
    pub(crate) provider: CryptoProvider,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) offer: Offer,
    pub(crate) methods: AuthMethods,
    pub(crate) identity: Identity,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
}

impl Setting {
    /// What is wrong with a message that has not been opened: anybody could have sent it (SPC-4 7.7.3.8.2).
    pub(crate) fn of_anybody(&self, refusal: Refusal) -> Refusal {
        match (self.profile.rules().classes, refusal) {
            (ErrorClasses::Two, Refusal::List(error)) => Refusal::Rejected(error),
            (ErrorClasses::Two, Refusal::InsufficientResources { .. }) => Refusal::Rejected(WireError::new(
                Header::NEXT_PAYLOAD_AT,
                Field::NextPayload,
                WireErrorKind::OutOfPlace,
            )),
            (_, other) => other,
        }
    }

    pub(crate) fn logger(&self, ac_sai: Sai, ds_sai: Sai) -> KeyLogger<'_> {
        KeyLogger { log: self.key_log.as_deref(), ac_sai, ds_sai }
    }
}

/// What a key exchange OUT settled.
#[derive(Debug)]
pub(crate) struct Sequence {
    pub(crate) ac_sai: Sai,
    pub(crate) ds_sai: Sai,
    pub(crate) timeouts: Timeouts,
    pub(crate) selection: Selection,
    /// What the association is for; in SPC-4 `None` until the authentication OUT has told it.
    pub(crate) usage: Option<Usage>,
    /// What the key exchange IN begins with: the payloads that select algorithms.
    pub(crate) echo: Vec<(PayloadType, Bytes)>,
    pub(crate) ac_nonce: Bytes,
    pub(crate) ds_nonce: Bytes,
    /// The whole key exchange OUT, which the application client signs.
    pub(crate) message: Bytes,
    /// Bytes that count against `Limits::retained`.
    pub(crate) retained: usize,
    /// Failed authentications so far.
    pub(crate) failures: u8,
}

impl Sequence {
    pub(crate) fn context(&self) -> SaContext<'_> {
        SaContext { ac_nonce: &self.ac_nonce, ds_nonce: &self.ds_nonce, ac_sai: self.ac_sai, ds_sai: self.ds_sai }
    }

    pub(crate) fn source(&self, profile: Profile) -> SaSource<'_> {
        let (usage_type, usage_data) =
            self.usage.as_ref().map_or((0, &[] as &[u8]), |usage| (usage.sa_type, &*usage.data));
        // Key exchange is 0, authentication 1; what comes next is the Delete (reading R27).
        let next = if self.selection.is_unauthenticated() { 1 } else { 2 };
        SaSource {
            context: self.context(),
            timeout: self.timeouts.inactivity,
            usage_type,
            usage_data,
            next_message_id: profile.rules().message_id(Exchange::DeleteOut).unwrap_or(next),
        }
    }

    /// The indexes of the association that it makes.
    pub(crate) const fn id(&self) -> SaId {
        SaId { ac_sai: self.ac_sai, ds_sai: self.ds_sai }
    }

    /// KEYMAT for the association's use, in a dialect that makes it (SPC-4 5.14.4.8.6).
    pub(crate) fn keymat(&self, profile: Profile, keys: &KeySet) -> Result<Option<Keymat>, CryptoError> {
        let suite = self.usage.as_ref().and_then(|usage| usage.suite);
        let make = |suite| keys.keymat(profile, self.selection.suite.prf, &self.context(), &suite);
        suite.map(make).transpose()
    }

    /// Number of commands in the sequence.
    pub(crate) const fn commands(&self) -> u8 {
        if self.selection.is_unauthenticated() { 2 } else { 4 }
    }
}

/// What the Diffie-Hellman exchange gave.
#[derive(Debug)]
pub(crate) struct Keyed {
    pub(crate) keys: KeySet,
    /// The whole key exchange IN, which the device server signs.
    pub(crate) key_exchange_in: Bytes,
}

/// The Diffie-Hellman calculation of a sequence.
#[derive(Debug)]
pub(crate) enum Calculation {
    Running,
    /// It failed, and is tried again after the next key exchange IN has been told (reading R40).
    Failed(job::KeyExchangeWork),
    Done(Box<Keyed>),
}

/// A command sequence, by the last of its commands that was accepted.
#[derive(Debug)]
pub(crate) enum Ccs {
    KeyExchangeOut {
        sequence: Box<Sequence>,
        calculation: Calculation,
    },
    KeyExchangeIn {
        sequence: Box<Sequence>,
        keyed: Box<Keyed>,
    },
    AuthenticationOut {
        sequence: Box<Sequence>,
        keyed: Box<Keyed>,
        client: Authenticated,
        initial_contact: bool,
        wishes: Vec<CertificateWish>,
    },
    Complete {
        /// The association that it made.
        id: SaId,
        kept: Bytes,
        is_unauthenticated: bool,
    },
}

impl Ccs {
    pub(crate) const fn phase(&self) -> Phase {
        match self {
            Self::KeyExchangeOut { .. } => Phase::KeyExchangeOut,
            Self::KeyExchangeIn { .. } => Phase::KeyExchangeIn,
            Self::AuthenticationOut { .. } => Phase::AuthenticationOut,
            Self::Complete { is_unauthenticated: false, .. } => Phase::Complete,
            Self::Complete { is_unauthenticated: true, .. } => Phase::CompleteUnauthenticated,
        }
    }

    /// The running sequence; `None` once it is complete.
    pub(crate) const fn sequence(&self) -> Option<&Sequence> {
        match self {
            Self::KeyExchangeOut { sequence, .. }
            | Self::KeyExchangeIn { sequence, .. }
            | Self::AuthenticationOut { sequence, .. } => Some(sequence),
            Self::Complete { .. } => None,
        }
    }

    pub(crate) const fn sequence_mut(&mut self) -> Option<&mut Sequence> {
        match self {
            Self::KeyExchangeOut { sequence, .. }
            | Self::KeyExchangeIn { sequence, .. }
            | Self::AuthenticationOut { sequence, .. } => Some(sequence),
            Self::Complete { .. } => None,
        }
    }

    /// The Data-In that a repeated SECURITY PROTOCOL IN returns again (reading R26).
    pub(crate) fn kept_data_in(&self) -> Option<Bytes> {
        match self {
            Self::KeyExchangeIn { keyed, .. } => Some(keyed.key_exchange_in.clone()),
            Self::Complete { kept, .. } => Some(kept.clone()),
            Self::KeyExchangeOut { .. } | Self::AuthenticationOut { .. } => None,
        }
    }

    /// Commands done and commands in all, for the progress indication (reading R24).
    pub(crate) const fn progress(&self) -> (u8, u8) {
        let done = match self {
            Self::KeyExchangeOut { .. } => 1,
            Self::KeyExchangeIn { .. } => 2,
            Self::AuthenticationOut { .. } => 3,
            Self::Complete { .. } => return (1, 1),
        };
        let of = match self.sequence() {
            Some(sequence) => sequence.commands(),
            None => done,
        };
        (done, of)
    }
}

/// Progress of a calculation that began at `since`: tenths of a constant expected time, by the clock alone, so that it
/// tells nothing about the calculation (r3 5.13.7).
pub(crate) fn synthetic_progress(policy: &Policy, since: Instant, now: Instant) -> u16 {
    let expected = u64::from(policy.expected_calculation_ms).max(1);
    let tenths = now.millis_since(since).saturating_mul(10).checked_div(expected).unwrap_or(9).min(9);
    u16::try_from(tenths.saturating_mul(6553)).unwrap_or(u16::MAX)
}
