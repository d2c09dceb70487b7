//! Timers, nexus loss, resets, and changes of the capabilities (r3 7.7.4.13; readings R28, R37).

use super::{ConfigError, Deadline, DeadlineReason, DeviceServer, DropReason, EventKind, NexusId, RemovalReason};
use crate::capabilities::Offer;
use crate::ccs::HAS_OFFLOAD;
use crate::time::Instant;
use crate::wire::Descriptor;

impl DeviceServer {
    /// The next moment at which a timer runs out, if nothing happens before it.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        let protocol = self.slots.next_timeout().map(|(at, _)| at);
        match (protocol, self.sas.next_deadline()) {
            (Some(at), inactivity) if inactivity.is_none_or(|other| at <= other) => {
                Some(Deadline { at, reason: DeadlineReason::Protocol })
            }
            (_, inactivity) => inactivity.map(|at| Deadline { at, reason: DeadlineReason::Inactivity }),
        }
    }

    /// Drops what has run out by `now`. Every other call with a time does this first.
    ///
    /// A time before one that was told already counts as that one.
    pub fn expire(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some((_, nexus)) = self.slots.next_timeout().filter(|(at, _)| *at <= self.now) {
            self.drop_sequence(nexus, DropReason::ProtocolTimeout);
        }
        while let Some(id) = self.sas.take_expired(self.now) {
            self.tell(None, EventKind::SaRemoved { id, why: RemovalReason::Inactivity });
        }
    }

    /// I_T nexus loss: the nexus's sequence is dropped, security associations stay (reading R37).
    pub fn nexus_lost(&mut self, nexus: NexusId) {
        if HAS_OFFLOAD {
            self.pending.forget_all_of(nexus);
        }
        self.drop_sequence(nexus, DropReason::NexusLoss);
    }

    /// Logical unit reset, hard reset, power on: all sequences and all security associations are dropped (reading R37).
    pub fn reset(&mut self) {
        if HAS_OFFLOAD {
            self.pending.clear();
        }
        while let Some(nexus) = self.slots.any() {
            self.drop_sequence(nexus, DropReason::Reset);
        }
        while let Some(id) = self.sas.take_any() {
            self.tell(None, EventKind::SaRemoved { id, why: RemovalReason::Reset });
        }
    }

    /// Reports other capabilities from now on, exactly these. For test benches and for administrators who turn
    /// algorithms off; a sequence that read the old ones fails the application client's check (reading R29).
    ///
    /// In SPC-4 they take effect when an application client has read them, as [`EventKind::CapabilitiesChanged`] tells.
    ///
    /// # Errors
    /// [`ConfigError::Capabilities`]; [`ConfigError::Policy`] when our nonces are too short for a PRF in the list (reading
    /// R38). Nothing is changed then.
    pub fn set_capabilities(&mut self, descriptors: &[Descriptor]) -> Result<(), ConfigError> {
        let offer = Offer::fixed(self.setting.profile, descriptors, self.setting.policy.allow_triple_des)?;
        offer.check_sides()?;
        if !self.setting.policy.waive_complete_row {
            offer.check_complete()?;
        }
        self.setting.policy.check(self.setting.profile, offer.min_nonce(&self.setting.provider))?;
        if self.setting.profile.rules().capabilities_wait_to_be_read {
            self.unread_offer = (offer != self.setting.offer).then_some(offer);
        } else {
            self.setting.offer = offer;
        }
        Ok(())
    }

    pub(super) fn drop_sequence(&mut self, nexus: NexusId, why: DropReason) {
        let Some(slot) = self.slots.remove(nexus) else { return };
        // Timeouts are the client's choice, so jobs that nobody waits for would pile up.
        if let Some(running) = slot.running() {
            self.pending.forget(running.id);
        }
        if slot.ccs.sequence().is_some() {
            self.tell(Some(nexus), EventKind::SequenceDropped { why });
        }
    }
}
