//! Jobs, held commands, and what their results commit (r3 5.13.7; readings R23, R24, R40).

use super::report::Received;
use super::{DataIn, DeviceServer, DropReason, Event, EventKind, NexusId, RemovalReason, Reply, RunningJob, Slot};
use crate::ccs::authentication::{Answer, Claim};
use crate::ccs::job::{Job, JobDone, JobId, KeyExchangeWork, Work, WorkResult};
use crate::ccs::{Calculation, Ccs, key_exchange};
use crate::crypto::{Proof, PskError, Secret};
use crate::dialect::ErrorClasses;
use crate::keys::{Denial, PeerError, SaParameters};
use crate::memory::OutOfMemory;
use crate::sa::{Authenticated, SaId, SecurityAssociation};
use crate::sense::{Claimant, Consequence, Limit, Refusal};
use crate::time::Instant;

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
    /// The next job to run, on whatever thread, core or device the embedder likes.
    ///
    /// There are jobs only with [`SlowCrypto::Offload`](crate::ccs::SlowCrypto::Offload).
    #[must_use = "a job that is lost leaves its command unanswered"]
    pub fn poll_job(&mut self) -> Option<Job> {
        self.pending.poll()
    }

    /// Takes the result of a job, and gives the reply to the command that was held for it.
    ///
    /// `None` when no command waits: the key exchange OUT has been answered before its calculation, and a command whose
    /// nexus is lost, or whose logical unit was reset, is answered by nobody. The result of another device server's job is
    /// not taken: it would prove to this one what only the other has checked.
    #[must_use = "the held command's initiator waits for the reply"]
    pub fn complete(&mut self, done: JobDone, data_in: &mut [u8], now: Instant) -> Option<(NexusId, Reply)> {
        self.expire(now);
        if done.owner != self.owner {
            return None;
        }
        let (nexus, held) = self.pending.finish(done.id)?;
        match (done.result, held) {
            (WorkResult::KeyExchange(result), _) => {
                self.finish_key_exchange(nexus, done.id, result);
                None
            }
            (WorkResult::Verify(result), Some(held)) => {
                Some((nexus, self.finish_held(nexus, done.id, held, HeldResult::Verify(result), data_in)))
            }
            (WorkResult::Sign(result), Some(held)) => {
                Some((nexus, self.finish_held(nexus, done.id, held, HeldResult::Sign(result), data_in)))
            }
            (_, None) => None,
        }
    }

    /// Queues a job, with the command that waits for it.
    pub(super) fn queue_job(
        &mut self,
        nexus: NexusId,
        work: Work,
        held: Option<HeldWork>,
    ) -> Result<RunningJob, OutOfMemory> {
        self.pending.reserve()?;
        self.next_job = self.next_job.wrapping_add(1);
        let id = JobId(self.next_job);
        self.pending.add(nexus, Job { id, owner: self.owner, work }, held)?;
        Ok(RunningJob { id, since: self.now })
    }

    /// Queues the work and holds the command.
    pub(super) fn hold(&mut self, nexus: NexusId, held: HeldWork, work: Work) -> Result<Reply, Refusal> {
        let running = self.queue_job(nexus, work, Some(held))?;
        if let Some(slot) = self.slots.get_mut(nexus) {
            slot.running = Some(running);
        }
        self.receive_in_time(nexus);
        Ok(Reply::Held(running.id))
    }

    /// The awaited command is here, so the protocol timeout begins anew while it is held; should the command be refused,
    /// the deadline that it met is in force again.
    fn receive_in_time(&mut self, nexus: NexusId) {
        let met = self.slots.timeout(nexus);
        let Some(slot) = self.slots.get_mut(nexus) else { return };
        slot.met_deadline = met;
        self.prolong(nexus);
    }

    fn finish_key_exchange(&mut self, nexus: NexusId, id: JobId, result: Result<KeyExchangeWork, KeyExchangeWork>) {
        let waits = |slot: &&mut Slot| slot.running.is_some_and(|running| running.id == id);
        let Some(slot) = self.slots.get_mut(nexus).filter(waits) else { return };
        let Ccs::KeyExchangeOut { sequence, calculation } = &mut slot.ccs else { return };
        slot.running = None;
        *calculation = match result {
            Ok(work) => match key_exchange::finish(&self.setting, sequence, work) {
                Ok(keys) => Calculation::Done(keys),
                Err(work) => Calculation::Failed(work),
            },
            Err(work) => Calculation::Failed(work),
        };
    }

    fn finish_held(
        &mut self,
        nexus: NexusId,
        id: JobId,
        held: HeldWork,
        result: HeldResult,
        data_in: &mut [u8],
    ) -> Reply {
        let is_current = |slot: &&mut Slot| slot.running.is_some_and(|running| running.id == id);
        let Some(slot) = self.slots.get_mut(nexus).filter(is_current) else {
            // The protocol timeout came first.
            let gone = match self.setting.profile.rules().classes {
                ErrorClasses::One => Refusal::InvalidSequence { is_delete: false },
                ErrorClasses::Two => Refusal::NoSequence,
            };
            // Its sequence is over; what the nexus has begun since is not the command's.
            return self.refuse(nexus, &gone, Received::default());
        };
        slot.running = None;
        let met_deadline = slot.met_deadline.take();
        let is_last_in = matches!(held, HeldWork::AuthenticationIn { .. });
        let reply = self.commit(nexus, held, result, data_in);
        // A refused command does not move the deadline; nor does the last IN where its answer is kept from the OUT on.
        let moves = reply.is_ok() && !(is_last_in && self.setting.profile.rules().repeats_from_last_out);
        if let Some(at) = met_deadline.filter(|_| !moves) {
            self.slots.set_timeout(nexus, at);
        }
        reply.unwrap_or_else(|refusal| self.refuse(nexus, &refusal, Received::HELD))
    }

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

    fn commit(
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
            Err(PeerError::Denied(why)) => return Err(Refusal::Authentication { at, client, why }),
            Err(PeerError::Crypto(error)) => return Err(error.into()),
        };
        let Claimant { identity, method } = client;
        let client = Authenticated { identity, method, proof };
        if !self.admits(nexus, &client, usage.as_ref()) {
            let client = Claimant { identity: client.identity, method };
            return Err(Refusal::Authentication { at, client, why: Denial::NotAdmitted });
        }
        if self.sas_beside(&client, initial_contact) >= self.setting.limits.sas_per_identity {
            let client = Claimant { identity: client.identity, method };
            return Err(Refusal::Authentication { at, client, why: Denial::TooManyAssociations });
        }
        let Some(Slot { ccs: Ccs::KeyExchangeIn { sequence, .. }, .. }) = self.slots.get(nexus) else {
            return Err(Refusal::Internal);
        };
        let id = sequence.id();
        if initial_contact && self.setting.profile.rules().contact_counts_at_once {
            self.remove_others(nexus, id, &client);
        }
        let initial_contact = initial_contact && !self.setting.profile.rules().contact_counts_at_once;
        self.slots.advance(nexus, |slot| match slot.ccs {
            Ccs::KeyExchangeIn { mut sequence, keys } => {
                if usage.is_some() {
                    sequence.usage = usage;
                }
                let ccs = Ccs::AuthenticationOut { sequence, keys, client, initial_contact, own };
                (Slot { ccs, running: None, met_deadline: None }, ())
            }
            ccs => (Slot { ccs, ..slot }, ()),
        });
        self.prolong(nexus);
        Ok(Reply::Good { len: 0 })
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
        let Some(Slot { ccs: Ccs::AuthenticationOut { sequence, keys, .. }, .. }) = self.slots.get(nexus) else {
            return Err(Refusal::Internal);
        };
        let parameters = sequence.parameters(self.setting.profile, keys)?;
        let kept = answer.finish(&self.setting, sequence, keys)?;
        self.sas.reserve()?;
        if !self.setting.profile.rules().repeats_from_last_out {
            self.prolong(nexus);
        }
        let reply = data_in.put(&kept);
        let client = self.slots.advance(nexus, |slot| match slot.ccs {
            Ccs::AuthenticationOut { sequence, client, initial_contact, .. } => {
                let ccs = Ccs::Complete { id: sequence.id(), kept, kept_at: 0, is_unauthenticated: false };
                (Slot { ccs, running: None, met_deadline: None }, Some((client, initial_contact)))
            }
            ccs => (Slot { ccs, ..slot }, None),
        });
        self.create_sa(nexus, parameters, client.flatten())?;
        Ok(reply)
    }

    /// Generates the security association (r3 5.13.4.5), then acts on an Initial Contact (reading R31a). There is room for it.
    pub(super) fn create_sa(
        &mut self,
        nexus: NexusId,
        parameters: SaParameters,
        client: Option<(Authenticated, bool)>,
    ) -> Result<(), OutOfMemory> {
        let (application_client, initial_contact) = client.map_or((None, false), |(by, first)| (Some(by), first));
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
        let failure = match refusal {
            Refusal::Authentication { client, why, .. } => Some((client, *why)),
            _ => None,
        };
        if let Some((client, why)) = failure {
            self.tell(Some(nexus), EventKind::failed(client, why));
        }
        match refusal.consequence(self.setting.profile, received.command()) {
            Consequence::None => {}
            Consequence::Abandon if !self.is_running(nexus) => {}
            Consequence::Abandon if failure.is_some() => self.drop_sequence(nexus, DropReason::AuthenticationFailures),
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
