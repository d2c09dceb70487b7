//! What the result of slow work commits, and what a refusal does (r3 5.13.7; readings R23, R31a).

use super::report::Received;
use super::{DataIn, DeviceServer, DropReason, Event, EventKind, NexusId, RemovalReason, Reply};
use crate::ccs::authentication::{Answer, Claim};
use crate::ccs::{Calculation, Ccs, Proved, Stage};
use crate::crypto::{Proof, PskError, Secret};
use crate::keys::{Denial, PeerError, SaParameters};
use crate::memory::OutOfMemory;
use crate::sa::{Authenticated, SaId, SecurityAssociation};
use crate::sense::{Claimant, Consequence, Limit, Refusal};

/// What becomes of a command whose reply waits for a job.
pub(super) enum HeldWork {
    AuthenticationOut(Claim),
    AuthenticationIn { answer: Answer, allocation_length: usize },
}

/// What came of its work.
pub(super) enum HeldResult {
    Verify(Result<Proof, PeerError>),
    /// Our AUTH data, made elsewhere.
    Sign(Result<Secret, PskError>),
    /// Our AUTH data stand in the answer.
    Signed(Result<(), PskError>),
}

fn unable_to_sign(error: PskError) -> Refusal {
    match error {
        PskError::Crypto(error) => error.into(),
        PskError::Unknown => Refusal::Internal,
    }
}

impl DeviceServer {
    /// The command did not wait.
    pub(super) fn finish_at_once(
        &mut self,
        nexus: NexusId,
        work: HeldWork,
        result: HeldResult,
        data_in: &mut [u8],
    ) -> Reply {
        let reply = self.commit(nexus, work, result, data_in);
        reply.unwrap_or_else(|refusal| self.refuse(nexus, &refusal, Received::HELD))
    }

    pub(super) fn commit(
        &mut self,
        nexus: NexusId,
        work: HeldWork,
        result: HeldResult,
        data_in: &mut [u8],
    ) -> Result<Reply, Refusal> {
        match (work, result) {
            (HeldWork::AuthenticationOut(claim), HeldResult::Verify(result)) => {
                self.finish_authentication_out(nexus, claim, result).map_err(|refusal| self.unable(refusal))
            }
            (HeldWork::AuthenticationIn { mut answer, allocation_length }, result) => {
                // Our own secret is configured, so its absence is a failure of the key store.
                match result {
                    HeldResult::Sign(auth) => answer.set_auth(&auth.map_err(unable_to_sign)?)?,
                    HeldResult::Signed(result) => result.map_err(unable_to_sign)?,
                    HeldResult::Verify(_) => return Err(Refusal::Internal),
                }
                let data_in = DataIn { buffer: data_in, allocation_length };
                self.finish_authentication_in(nexus, answer, data_in)
            }
            _ => Err(Refusal::Internal),
        }
    }

    fn finish_authentication_out(
        &mut self,
        nexus: NexusId,
        claim: Claim,
        result: Result<Proof, PeerError>,
    ) -> Result<Reply, Refusal> {
        let Claim { client, initial_contact, own, usage, at } = claim;
        let proof = match result {
            Ok(proof) => proof,
            Err(PeerError::Denied(why)) => return Err(self.deny(at, client, why)),
            Err(PeerError::Crypto(error)) => return Err(error.into()),
        };
        let Claimant { identity, method } = client;
        let client = Authenticated { identity, method, proof };
        if !self.admits(nexus, &client, usage.as_ref()) {
            return Err(self.deny(at, Claimant { identity: client.identity, method }, Denial::NotAdmitted));
        }
        if self.sas_beside(&client, initial_contact) >= self.setting.limits.sas_per_identity {
            return Err(self.deny(at, Claimant { identity: client.identity, method }, Denial::TooManyAssociations));
        }
        let Some(Ccs { sequence, stage: Stage::KeyExchangeIn, .. }) = self.slots.get(nexus).map(|slot| &slot.ccs)
        else {
            return Err(Refusal::Internal);
        };
        let id = sequence.id();
        if initial_contact && self.setting.profile.rules().contact_counts_at_once {
            self.remove_others(nexus, id, &client);
        }
        let initial_contact = initial_contact && !self.setting.profile.rules().contact_counts_at_once;
        self.slots.advance(nexus, |ccs| {
            if usage.is_some() {
                ccs.sequence.usage = usage;
            }
            ccs.stage = Stage::AuthenticationOut(Proved { client, initial_contact, own });
        });
        self.prolong(nexus);
        Ok(Reply::Good { len: 0 })
    }

    /// Remembers who is denied, for the event.
    pub(super) fn deny(&mut self, at: usize, client: Claimant, why: Denial) -> Refusal {
        self.denied = Some(client);
        Refusal::Authentication { at, why }
    }

    /// Associations that the identity has, those excepted that its Initial Contact will remove, and those that it is
    /// about to have.
    fn sas_beside(&self, new: &Authenticated, initial_contact: bool) -> usize {
        self.sas.count_of(new, initial_contact).saturating_add(self.slots.coming(&new.identity))
    }

    fn finish_authentication_in(
        &mut self,
        nexus: NexusId,
        answer: Answer,
        mut data_in: DataIn<'_>,
    ) -> Result<Reply, Refusal> {
        let Some(Ccs { sequence, calculation: Calculation::Done(keys), stage: Stage::AuthenticationOut(_) }) =
            self.slots.get(nexus).map(|slot| &slot.ccs)
        else {
            return Err(Refusal::Internal);
        };
        let parameters = sequence.parameters(self.setting.profile, keys)?;
        let kept = answer.finish(&self.setting, sequence, keys)?;
        self.sas.reserve()?;
        if !self.setting.profile.rules().repeats_from_last_out {
            self.prolong(nexus);
        }
        let reply = data_in.put(&kept);
        let proved = self.slots.advance(nexus, |ccs| {
            (ccs.sequence.messages, ccs.sequence.answer_at) = (kept, 0);
            ccs.complete(false)
        });
        self.create_sa(nexus, parameters, proved.flatten())?;
        Ok(reply)
    }

    /// Generates the security association (r3 5.13.4.5), then acts on an Initial Contact (reading R31a). There is room for it.
    pub(super) fn create_sa(
        &mut self,
        nexus: NexusId,
        parameters: SaParameters,
        proved: Option<Proved>,
    ) -> Result<(), OutOfMemory> {
        let (application_client, initial_contact) = match proved {
            Some(Proved { client, initial_contact, .. }) => (Some(client), initial_contact),
            None => (None, false),
        };
        let sa = SecurityAssociation { parameters, application_client };
        let id = sa.id();
        self.tell(Some(nexus), EventKind::SaCreated { id });
        if let Some(client) = sa.application_client.as_ref().filter(|_| initial_contact) {
            self.remove_others(nexus, id, client);
        }
        self.sas.insert(sa, self.now)
    }

    /// An Initial Contact removes the client's other associations.
    fn remove_others(&mut self, nexus: NexusId, kept: SaId, client: &Authenticated) {
        let (at, nexus, events) = (self.now, Some(nexus), &mut self.events);
        self.sas.remove_others(kept, client, |id| {
            events.push(Event { at, nexus, kind: EventKind::SaRemoved { id, why: RemovalReason::InitialContact } });
        });
    }

    /// The one place where a refusal has a consequence (reading R23).
    pub(super) fn refuse(&mut self, nexus: NexusId, refusal: &Refusal, received: Received<'_>) -> Reply {
        let sense = refusal.sense(self.setting.profile.codes());
        if let Some(report) = self.reporter {
            report(self, nexus, refusal, sense, received);
        }
        if let Some(limit) = refusal.limit() {
            self.tell(Some(nexus), EventKind::LimitReached { limit });
        }
        let failed = matches!(refusal, Refusal::Authentication { .. });
        if let (Refusal::Authentication { why, .. }, Some(client)) = (refusal, self.denied.take()) {
            self.tell(Some(nexus), EventKind::failed(&client, *why));
        }
        match refusal.consequence(self.setting.profile, received.command()) {
            Consequence::None => {}
            Consequence::Abandon if !self.is_running(nexus) => {}
            Consequence::Abandon if failed => self.drop_sequence(nexus, DropReason::AuthenticationFailures),
            Consequence::Abandon => self.drop_sequence(nexus, DropReason::Refused),
            Consequence::CountFailure => self.count_failure(nexus),
        }
        Reply::CheckCondition(sense)
    }

    /// One more failed authentication, perhaps the last (reading R23).
    fn count_failure(&mut self, nexus: NexusId) {
        let limit = self.setting.limits.auth_failures;
        let sequence = self.slots.get_mut(nexus).and_then(|slot| slot.ccs.sequence_mut());
        let is_last = sequence.is_some_and(|sequence| {
            sequence.failures = sequence.failures.saturating_add(1);
            sequence.failures >= limit
        });
        if is_last {
            self.tell(Some(nexus), EventKind::LimitReached { limit: Limit::AuthenticationFailures });
            self.drop_sequence(nexus, DropReason::AuthenticationFailures);
        }
    }
}
