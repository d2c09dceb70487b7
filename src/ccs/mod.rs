//! IKEv2-SCSI command sequences (r3 5.13.4.6): one file per phase, the table of what may come when, the slow work.
//!
//! A state of a sequence owns only what later commands need. Handlers are functions that *plan*: they read, may refuse, and
//! change nothing; the server commits a plan by one assignment. So a refused command leaves no trace.
//!
//! Memory: a running sequence holds the key exchange OUT and the key exchange IN in one block ([`Limits::retained`] bounds it), in
//! which nonces, public values and usage data are places; the seven keys in another; and after the authentication OUT the
//! identity. A complete one holds its last Data-In until the protocol timeout. Nothing else is copied, unless a job is to
//! own it.
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
pub(crate) use policy::HAS_OFFLOAD;
pub use policy::{Policy, PolicyError, SlowCrypto, UsageType};

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crate::capabilities::{AuthMethods, Offer, Selection};
use crate::crypto::{Credentials, CryptoError, CryptoProvider, Identity, OwnChoice};
use crate::dialect::{ErrorClasses, Exchange, HAS_SPC4, Profile};
use crate::keys::{HAS_KEY_LOG, KeyLog, KeyLogger, KeySet, SaContext, SaParameters, SaSource};
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
    pub(crate) credentials: Credentials,
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
        KeyLogger { log: self.key_log.as_deref().filter(|_| HAS_KEY_LOG), ac_sai, ds_sai }
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
    /// The whole key exchange OUT, which the application client signs, and behind it the whole key exchange IN, which the device
    /// server signs.
    pub(crate) messages: Vec<u8>,
    /// Where the second begins.
    pub(crate) answer_at: usize,
    /// Where the application client's nonce is.
    pub(crate) ac_nonce: Range<usize>,
    /// Where ours is.
    pub(crate) ds_nonce: Range<usize>,
    /// Where the application client's public value is.
    pub(crate) ac_public: Range<usize>,
    /// Where ours is, once it has been calculated.
    pub(crate) ds_public: Range<usize>,
    /// Bytes that count against `Limits::retained`.
    pub(crate) retained: usize,
    /// Failed authentications so far.
    pub(crate) failures: u8,
}

impl Sequence {
    /// The whole key exchange OUT.
    pub(crate) fn key_exchange_out(&self) -> &[u8] {
        self.part(&(0..self.answer_at))
    }

    /// The whole key exchange IN.
    pub(crate) fn key_exchange_in(&self) -> &[u8] {
        self.messages.get(self.answer_at..).unwrap_or_default()
    }

    pub(crate) fn part(&self, place: &Range<usize>) -> &[u8] {
        self.messages.get(place.clone()).unwrap_or_default()
    }

    pub(crate) fn context(&self) -> SaContext<'_> {
        let (ac_nonce, ds_nonce) = (self.part(&self.ac_nonce), self.part(&self.ds_nonce));
        SaContext { ac_nonce, ds_nonce, ac_sai: self.ac_sai, ds_sai: self.ds_sai }
    }

    /// USAGE DATA.
    fn usage_data(&self) -> &[u8] {
        let Some(usage) = &self.usage else { return &[] };
        let holder = usage.echo.as_ref().unwrap_or(&self.messages);
        holder.get(usage.data.clone()).unwrap_or_default()
    }

    /// The parameters of the association that it makes (r3 5.13.4.5, SPC-4 5.14.4.9).
    pub(crate) fn parameters(&self, profile: Profile, keys: &KeySet) -> Result<SaParameters, CryptoError> {
        // Key exchange is 0, authentication 1; what comes next is the Delete (reading R27).
        let next = if self.selection.is_unauthenticated() { 1 } else { 2 };
        let source = SaSource {
            context: self.context(),
            timeout: self.timeouts.inactivity,
            usage_type: self.usage.as_ref().map_or(0, |usage| usage.sa_type),
            usage_data: self.usage_data(),
            next_message_id: profile.rules().message_id(Exchange::DeleteOut).unwrap_or(next),
        };
        let usage = self.usage.as_ref().filter(|_| HAS_SPC4).and_then(|usage| usage.suite.as_ref());
        keys.parameters(profile, &self.selection.suite, &source, usage)
    }

    /// The indexes of the association that it makes.
    pub(crate) const fn id(&self) -> SaId {
        SaId { ac_sai: self.ac_sai, ds_sai: self.ds_sai }
    }

    /// Number of commands in the sequence.
    pub(crate) const fn commands(&self) -> u8 {
        if self.selection.is_unauthenticated() { 2 } else { 4 }
    }
}

/// The Diffie-Hellman calculation of a sequence.
#[derive(Debug)]
pub(crate) enum Calculation {
    Running,
    /// It failed, and is tried again after the next key exchange IN has been told (reading R40).
    Failed(job::KeyExchangeWork),
    Done(KeySet),
}

/// A command sequence of a nexus. It advances where it is: nothing of it is moved.
#[derive(Debug)]
pub(crate) struct Ccs {
    /// Once it is complete: what the association is called, and the last Data-In, in the place of the key exchange IN.
    pub(crate) sequence: Sequence,
    /// The keys; none once it is complete.
    pub(crate) calculation: Calculation,
    pub(crate) stage: Stage,
}

/// The last command of a sequence that was accepted.
#[derive(Debug)]
pub(crate) enum Stage {
    KeyExchangeOut,
    KeyExchangeIn,
    AuthenticationOut(Proved),
    Complete { is_unauthenticated: bool },
}

/// What an authentication OUT has proved.
#[derive(Debug)]
pub(crate) struct Proved {
    pub(crate) client: Authenticated,
    pub(crate) initial_contact: bool,
    /// How we authenticate ourselves, as it suits the application client's Certificate Requests; `None` if we cannot.
    pub(crate) own: Option<OwnChoice>,
}

impl Ccs {
    pub(crate) const fn phase(&self) -> Phase {
        match self.stage {
            Stage::KeyExchangeOut => Phase::KeyExchangeOut,
            Stage::KeyExchangeIn => Phase::KeyExchangeIn,
            Stage::AuthenticationOut(_) => Phase::AuthenticationOut,
            Stage::Complete { is_unauthenticated: false } => Phase::Complete,
            Stage::Complete { is_unauthenticated: true } => Phase::CompleteUnauthenticated,
        }
    }

    /// Advances to the end: the Data-In of its last command stands in the key exchange IN's place, and the rest goes. Gives what was
    /// proved.
    pub(crate) fn complete(&mut self, is_unauthenticated: bool) -> Option<Proved> {
        self.calculation = Calculation::Running;
        self.sequence.usage = None;
        match core::mem::replace(&mut self.stage, Stage::Complete { is_unauthenticated }) {
            Stage::AuthenticationOut(proved) => Some(proved),
            _ => None,
        }
    }

    /// The running sequence; `None` once it is complete.
    pub(crate) const fn sequence(&self) -> Option<&Sequence> {
        match self.stage {
            Stage::Complete { .. } => None,
            _ => Some(&self.sequence),
        }
    }

    pub(crate) const fn sequence_mut(&mut self) -> Option<&mut Sequence> {
        match self.stage {
            Stage::Complete { .. } => None,
            _ => Some(&mut self.sequence),
        }
    }

    /// The client that has authenticated itself and has no association yet.
    pub(crate) const fn client(&self) -> Option<&Authenticated> {
        match &self.stage {
            Stage::AuthenticationOut(proved) => Some(&proved.client),
            _ => None,
        }
    }

    /// The association that it has made.
    pub(crate) const fn made(&self) -> Option<SaId> {
        match self.stage {
            Stage::Complete { .. } => Some(self.sequence.id()),
            _ => None,
        }
    }

    /// The Data-In that a repeated SECURITY PROTOCOL IN returns again (reading R26).
    pub(crate) fn kept_data_in(&self) -> Option<&[u8]> {
        match self.stage {
            Stage::KeyExchangeIn | Stage::Complete { .. } => Some(self.sequence.key_exchange_in()),
            Stage::KeyExchangeOut | Stage::AuthenticationOut(_) => None,
        }
    }

    /// Commands done and commands in all, for the progress indication (reading R24).
    pub(crate) const fn progress(&self) -> (u8, u8) {
        let done = match self.stage {
            Stage::KeyExchangeOut => 1,
            Stage::KeyExchangeIn => 2,
            Stage::AuthenticationOut(_) => 3,
            Stage::Complete { .. } => return (1, 1),
        };
        (done, self.sequence.commands())
    }
}

/// Progress of a calculation that began at `since`: tenths of a constant expected time, by the clock alone, so that it
/// tells nothing about the calculation (r3 5.13.7).
pub(crate) fn synthetic_progress(policy: &Policy, since: Instant, now: Instant) -> u16 {
    let expected = u64::from(policy.expected_calculation_ms).max(1);
    let tenths = now.millis_since(since).saturating_mul(10).checked_div(expected).unwrap_or(9).min(9);
    u16::try_from(tenths.saturating_mul(6553)).unwrap_or(u16::MAX)
}
