//! Jobs, held commands, and what their results commit (r3 5.13.7; readings R23, R24, R40).

use alloc::boxed::Box;

use super::report::Received;
use super::{DataIn, DeviceServer, DropReason, EventKind, NexusId, RemovalReason, Reply, RunningJob, Slot};
use crate::ccs::authentication::{Answer, Claim};
use crate::ccs::job::{Agreed, Job, JobDone, JobId, KeyExchangeWork, Work, WorkResult};
use crate::ccs::{Calculation, Ccs, Sequence, SlowCrypto, authentication, key_exchange};
use crate::crypto::{Proof, PskError, Secret};
use crate::dialect::ErrorClasses;
use crate::keys::{Denial, KeySet, Keymat, PeerError};
use crate::sa::{Authenticated, SaId, SecurityAssociation};
use crate::sense::{Claimant, Consequence, Limit, Refusal};
use crate::time::Instant;

/// A command whose reply waits for a job.
pub(super) struct HeldCommand {
    pub(super) nexus: NexusId,
    pub(super) work: HeldWork,
}

pub(super) enum HeldWork {
    AuthenticationOut(Claim),
    AuthenticationIn { answer: Answer, allocation_length: usize },
}

impl DeviceServer {
    /// The next job to run, on whatever thread, core or device the embedder likes.
    ///
    /// There are jobs only with [`SlowCrypto::Offload`].
    #[must_use = "a job that is lost leaves its command unanswered"]
    pub fn poll_job(&mut self) -> Option<Job> {
        self.jobs.pop_front()
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
        let held = self.held.remove(&done.id);
        match (done.result, held) {
            (WorkResult::KeyExchange(result), _) => {
                self.finish_key_exchange(done.id, result);
                None
            }
            (result, Some(held)) => {
                let nexus = held.nexus;
                Some((nexus, self.finish_held(done.id, held, result, data_in)))
            }
            (_, None) => None,
        }
    }

    pub(super) fn queue_job(&mut self, work: Work) -> RunningJob {
        self.next_job = self.next_job.wrapping_add(1);
        let id = JobId(self.next_job);
        self.jobs.push_back(Job { id, owner: self.owner.clone(), work });
        RunningJob { id, since: self.now }
    }

    /// Runs the work and replies, or queues it and holds the command.
    pub(super) fn run_or_hold(&mut self, held: HeldCommand, work: Work, data_in: &mut [u8]) -> Reply {
        let running = self.queue_job(work);
        if let Some(slot) = self.slots.get_mut(&held.nexus) {
            slot.running = Some(running);
        }
        match self.setting.policy.slow_crypto {
            SlowCrypto::Offload => {
                self.receive_in_time(held.nexus);
                self.held.insert(running.id, held);
                Reply::Held(running.id)
            }
            SlowCrypto::Inline => match self.jobs.pop_back() {
                Some(job) => {
                    let done = job.run();
                    self.finish_held(done.id, held, done.result, data_in)
                }
                None => self.refuse(held.nexus, &Refusal::Internal, Received::HELD),
            },
        }
    }

    /// The awaited command is here, so the protocol timeout begins anew while it is held; should the command be refused,
    /// the deadline that it met is in force again.
    fn receive_in_time(&mut self, nexus: NexusId) {
        let Some(slot) = self.slots.get_mut(&nexus) else { return };
        slot.met_deadline = self.protocol_timers.get(nexus);
        if let Some(sequence) = slot.ccs.sequence() {
            self.protocol_timers.set(nexus, self.now.after_seconds(sequence.timeouts.protocol));
        }
    }

    fn finish_key_exchange(&mut self, id: JobId, result: Result<Agreed, KeyExchangeWork>) {
        let waits = |slot: &&mut Slot| slot.running.is_some_and(|running| running.id == id);
        let Some(slot) = self.slots.values_mut().find(waits) else { return };
        let Ccs::KeyExchangeOut { sequence, calculation } = &mut slot.ccs else { return };
        slot.running = None;
        *calculation = match result {
            Ok(agreed) => match key_exchange::finish(&self.setting, sequence, agreed) {
                Ok(keyed) => Calculation::Done(Box::new(keyed)),
                Err((_, work)) => Calculation::Failed(work),
            },
            Err(work) => Calculation::Failed(work),
        };
    }

    fn finish_held(&mut self, id: JobId, held: HeldCommand, result: WorkResult, data_in: &mut [u8]) -> Reply {
        let nexus = held.nexus;
        let is_current = |slot: &&mut Slot| slot.running.is_some_and(|running| running.id == id);
        let Some(slot) = self.slots.get_mut(&nexus).filter(is_current) else {
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
        let is_last_in = matches!(held.work, HeldWork::AuthenticationIn { .. });
        let reply = match (held.work, result) {
            (HeldWork::AuthenticationOut(claim), WorkResult::Verify(result)) => {
                self.finish_authentication_out(nexus, claim, result).map_err(|refusal| self.unable(refusal))
            }
            (HeldWork::AuthenticationIn { answer, allocation_length }, WorkResult::Sign(result)) => {
                let data_in = DataIn { buffer: data_in, allocation_length };
                self.finish_authentication_in(nexus, &answer, result, data_in)
            }
            _ => Err(Refusal::Internal),
        };
        // A refused command does not move the deadline; nor does the last IN where its answer is kept from the OUT on.
        let moves = reply.is_ok() && !(is_last_in && self.setting.profile.rules().repeats_from_last_out);
        if let Some(at) = met_deadline.filter(|_| !moves) {
            self.protocol_timers.set(nexus, at);
        }
        reply.unwrap_or_else(|refusal| self.refuse(nexus, &refusal, Received::HELD))
    }

    fn finish_authentication_out(
        &mut self,
        nexus: NexusId,
        claim: Claim,
        result: Result<Proof, PeerError>,
    ) -> Result<Reply, Refusal> {
        let Claim { client, initial_contact, wishes, usage, at } = claim;
        let proof = match result {
            Ok(proof) => proof,
            Err(PeerError::Denied(why)) => return Err(Refusal::Authentication { at, client, why }),
            Err(PeerError::Crypto(_)) => return Err(Refusal::Internal),
        };
        let Claimant { identity, method } = *client;
        let client = Authenticated { identity, method, proof };
        if !self.admits(nexus, &client, usage.as_ref()) {
            let client = Box::new(Claimant { identity: client.identity, method });
            return Err(Refusal::Authentication { at, client, why: Denial::NotAdmitted });
        }
        if self.sas_beside(&client, initial_contact) >= self.setting.limits.sas_per_identity {
            let client = Box::new(Claimant { identity: client.identity, method });
            return Err(Refusal::Authentication { at, client, why: Denial::TooManyAssociations });
        }
        match self.slots.remove(&nexus) {
            Some(Slot { ccs: Ccs::KeyExchangeIn { mut sequence, keyed }, .. }) => {
                if usage.is_some() {
                    sequence.usage = usage;
                }
                let contact_counts_at_once = self.setting.profile.rules().contact_counts_at_once;
                if initial_contact && contact_counts_at_once {
                    self.remove_others(nexus, sequence.id(), &client);
                }
                let initial_contact = initial_contact && !contact_counts_at_once;
                self.protocol_timers.set(nexus, self.now.after_seconds(sequence.timeouts.protocol));
                let ccs = Ccs::AuthenticationOut { sequence, keyed, client, initial_contact, wishes };
                self.slots.insert(nexus, Slot { ccs, running: None, met_deadline: None });
                Ok(Reply::Good { len: 0 })
            }
            _ => Err(Refusal::Internal),
        }
    }

    /// Associations that the identity has, those excepted that its Initial Contact will remove, and those that it is
    /// about to have.
    fn sas_beside(&self, new: &Authenticated, initial_contact: bool) -> usize {
        let of_identity = |client: &Authenticated| client.identity == new.identity;
        let is_coming =
            |slot: &&Slot| matches!(&slot.ccs, Ccs::AuthenticationOut { client, .. } if of_identity(client));
        let coming = self.slots.values().filter(is_coming).count();
        let live = self.sas.iter().filter_map(|sa| sa.application_client.as_ref());
        live.filter(|client| of_identity(client) && !(initial_contact && client.is_same(new)))
            .count()
            .saturating_add(coming)
    }

    fn finish_authentication_in(
        &mut self,
        nexus: NexusId,
        answer: &Answer,
        result: Result<Secret, PskError>,
        mut data_in: DataIn<'_>,
    ) -> Result<Reply, Refusal> {
        // Our own secret is configured, so its absence is a failure of the key store.
        let auth = result.map_err(|_| Refusal::Internal)?;
        let Some(Slot { ccs: Ccs::AuthenticationOut { sequence, keyed, .. }, .. }) = self.slots.get(&nexus) else {
            return Err(Refusal::Internal);
        };
        let keymat = sequence.keymat(self.setting.profile, &keyed.keys)?;
        let bytes = authentication::write_in(&self.setting, sequence, keyed, answer, &auth)?;
        let Some(Slot { ccs: Ccs::AuthenticationOut { sequence, keyed, client, initial_contact, .. }, .. }) =
            self.slots.remove(&nexus)
        else {
            return Err(Refusal::Internal);
        };
        if !self.setting.profile.rules().repeats_from_last_out {
            self.protocol_timers.set(nexus, self.now.after_seconds(sequence.timeouts.protocol));
        }
        let id = sequence.id();
        self.create_sa(nexus, &sequence, keyed.keys, keymat, Some((client, initial_contact)));
        let ccs = Ccs::Complete { id, kept: bytes.clone(), is_unauthenticated: false };
        self.slots.insert(nexus, Slot { ccs, running: None, met_deadline: None });
        Ok(data_in.put(&bytes))
    }

    /// Generates the security association (r3 5.13.4.5), then acts on an Initial Contact (reading R31a).
    pub(super) fn create_sa(
        &mut self,
        nexus: NexusId,
        sequence: &Sequence,
        keys: KeySet,
        keymat: Option<Keymat>,
        client: Option<(Authenticated, bool)>,
    ) {
        let suite = &sequence.selection.suite;
        let profile = self.setting.profile;
        let parameters = keys.into_parameters(profile, suite, &sequence.source(profile), keymat);
        let (application_client, initial_contact) = client.map_or((None, false), |(by, first)| (Some(by), first));
        let sa = SecurityAssociation { parameters, application_client };
        let id = sa.id();
        let contact = sa.application_client.clone().filter(|_| initial_contact);
        self.sas.insert(sa, self.now);
        self.tell(Some(nexus), EventKind::SaCreated { id });
        if let Some(client) = contact {
            self.remove_others(nexus, id, &client);
        }
    }

    /// An Initial Contact removes the client's other associations.
    fn remove_others(&mut self, nexus: NexusId, kept: SaId, client: &Authenticated) {
        for other in self.sas.others_of(kept, client) {
            self.sas.remove(other);
            self.tell(Some(nexus), EventKind::SaRemoved { id: other, why: RemovalReason::InitialContact });
        }
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
        let sequence = self.slots.get_mut(&nexus).and_then(|slot| slot.ccs.sequence_mut());
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
