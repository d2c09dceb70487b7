//! Jobs and held commands (r3 5.13.7; readings R24, R40).

use super::report::Received;
use super::results::{HeldResult, HeldWork};
use super::{DeviceServer, NexusId, Reply, RunningJob, Slot};
use crate::ccs::job::{Job, JobDone, JobId, KeyExchangeWork, Work, WorkResult};
use crate::ccs::{Calculation, Ccs, Stage, key_exchange};
use crate::dialect::ErrorClasses;
use crate::memory::OutOfMemory;
use crate::sense::Refusal;
use crate::time::Instant;

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
        let Ccs { sequence, calculation, stage: Stage::KeyExchangeOut } = &mut slot.ccs else { return };
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
}
