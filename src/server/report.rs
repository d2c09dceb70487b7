//! Why a command was refused, in full, for those who ask (`Builder::report_refusals`).

use core::fmt;

use super::{DeviceServer, EventKind, NexusId};
use crate::ccs::table::Phase;
use crate::dialect::{Exchange, Profile};
use crate::sense::{Allowed, Refusal, Rule, Sense, SequenceCommand, told_width};
use crate::wire::{Cdb, Field, WireError, WireErrorKind, protocol, specific};

/// Why a command was refused: which field, what it held, what it may hold, and where that stands. It tells no secret: of an
/// Encrypted payload at most the field at fault, which is the application client's own, and never AUTHENTICATION DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The sense data that the initiator got.
    pub sense: Sense,
    /// The rule that the command broke.
    pub rule: Rule,
    /// The field at fault: its offset in the parameter list or CDB, its bit, and in which way it is wrong. `None` when no field
    /// is.
    pub fault: Option<WireError>,
    /// The field's value, as many bytes as it has and 16 at most; empty when no field is at fault, when it is absent, and when
    /// it is no business of a report.
    pub offered: Offered,
    /// Where the nexus's command sequence was.
    pub phase: Phase,
}

/// The first bytes of a field's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    bytes: [u8; Self::MAX],
    length: u8,
}

impl Offered {
    /// Most bytes that are told.
    pub const MAX: usize = 16;

    fn of(value: &[u8]) -> Self {
        let mut bytes = [0; Self::MAX];
        bytes.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        Self { bytes, length: u8::try_from(value.len().min(Self::MAX)).unwrap_or(0) }
    }
}

impl core::ops::Deref for Offered {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&[])
    }
}

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", &**self)
    }
}

impl fmt::Display for Report {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sense)?;
        if let Some(fault) = &self.fault {
            write!(f, ": {}: {}", fault.field, fault.kind)?;
        }
        if !self.offered.is_empty() {
            f.write_str(": offered ")?;
            self.offered.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
            f.write_str("h")?;
        }
        write!(f, ": allowed {} ({}), in phase {:?}", self.rule.allowed, self.rule.clause, self.phase)
    }
}

/// What a refused command consisted of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Received<'a> {
    pub(super) cdb: &'a [u8],
    pub(super) list: &'a [u8],
    /// The command was held, and its bytes are no longer there.
    pub(super) was_held: bool,
}

impl Received<'_> {
    /// What is left of a command that was held.
    pub(super) const HELD: Self = Self { cdb: &[], list: &[], was_held: true };

    fn exchange(&self) -> Option<Exchange> {
        let (&[0xB5, _, s0, s1], _) = self.cdb.split_first_chunk()? else { return None };
        match u16::from_be_bytes([s0, s1]) {
            specific::KEY_EXCHANGE => Some(Exchange::KeyExchangeOut),
            specific::AUTHENTICATION => Some(Exchange::AuthenticationOut),
            specific::DELETE => Some(Exchange::DeleteOut),
            _ => None,
        }
    }

    /// Which command of protocol 41h it is; a command that was held is one, and an authentication. A CDB that is cut off is none:
    /// what became of it on its way is no answer of the sequence's.
    pub(super) fn command(&self) -> Option<SequenceCommand> {
        let Some((&[operation, protocol, ..], _)) = self.cdb.split_first_chunk::<{ Cdb::LEN }>() else {
            return self.was_held.then_some(SequenceCommand::AuthenticationOut);
        };
        if protocol != protocol::IKEV2_SCSI {
            return None;
        }
        match (operation, self.exchange()) {
            (0xA2, _) => Some(SequenceCommand::In),
            (0xB5, Some(Exchange::KeyExchangeOut)) => Some(SequenceCommand::KeyExchangeOut),
            (0xB5, Some(Exchange::DeleteOut)) => Some(SequenceCommand::Delete),
            (0xB5, _) => Some(SequenceCommand::AuthenticationOut),
            _ => None,
        }
    }

    fn transfer_length(&self) -> Option<u64> {
        let length = self.cdb.get(6..)?.first_chunk()?;
        Some(u64::from(u32::from_be_bytes(*length)))
    }

    /// The value of a field.
    fn value(&self, profile: Profile, refusal: &Refusal) -> &[u8] {
        let (bytes, fault) = match refusal {
            Refusal::List(fault) | Refusal::Rejected(fault) | Refusal::NothingToDelete(fault) => (self.list, fault),
            Refusal::Cdb(fault) => (self.cdb, fault),
            _ => return &[],
        };
        if fault.kind == WireErrorKind::NoHeader {
            return &[];
        }
        let end = fault.byte.saturating_add(told_width(profile, fault.field));
        bytes.get(fault.byte..end).unwrap_or(&[])
    }
}

/// Who tells of refusals, if anybody does: by a pointer, so that the rules and their texts are no part of an image that has no use
/// for them.
pub(super) type Reporter = fn(&mut DeviceServer, NexusId, &Refusal, Sense, Received<'_>);

impl DeviceServer {
    /// Tells a refusal, before it has had its consequences.
    pub(super) fn report(&mut self, nexus: NexusId, refusal: &Refusal, sense: Sense, received: Received<'_>) {
        let profile = self.setting.profile;
        let rule = refusal.rule(profile, received.exchange());
        let report = Report {
            sense,
            rule: Rule { allowed: self.allowed(refusal, &received).unwrap_or(rule.allowed), ..rule },
            fault: refusal.fault().copied(),
            offered: Offered::of(received.value(profile, refusal)),
            phase: self.phase(nexus),
        };
        self.tell(Some(nexus), EventKind::Refused(report));
    }

    /// What the policy, the limits or the command itself make of a rule.
    fn allowed(&self, refusal: &Refusal, received: &Received<'_>) -> Option<Allowed> {
        let policy = &self.setting.policy;
        let rules = self.setting.profile.rules();
        let least_timeout = if rules.zero_timeout.is_some() { 0 } else { 1 };
        let from = |least: u64, most: u64| Some(Allowed::Range { least, most });
        let fault = refusal.fault()?;
        match (fault.field, fault.kind) {
            (_, WireErrorKind::NoHeader) => None,
            (Field::ProtocolTimeout, _) => from(least_timeout, policy.max_protocol_timeout.into()),
            (Field::InactivityTimeout, _) => from(least_timeout, policy.max_inactivity_timeout.into()),
            (Field::UsageDataLength, WireErrorKind::NotOffered) => {
                // What the association is for stands before it.
                let code = received.list.get(fault.byte.checked_sub(rules.usage_type_length)?..fault.byte)?;
                let code = code.iter().fold(0_u16, |code, byte| code.unbounded_shl(8) | u16::from(*byte));
                from(0, u64::try_from(policy.usage_type(code)?.max_data).ok()?)
            }
            (Field::TransferLength, _) => from(0, self.setting.limits.parameter_list.into()),
            (Field::Length, _) => received.transfer_length().map(Allowed::Exactly),
            _ => None,
        }
    }
}
