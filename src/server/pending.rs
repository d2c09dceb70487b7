//! Jobs that nobody has taken, those that are out, and the commands that wait for them.

use super::NexusId;
use super::results::HeldWork;
use crate::ccs::job::{Job, JobId};
use crate::collections::{Array, Groups, Index, Order};
use crate::memory::OutOfMemory;

/// The jobs of a device server, each from its making until its result is there or nobody wants it any more.
pub(super) struct Pending {
    entries: Array<Entry>,
    by_job: Index,
    /// Jobs that wait to be taken, by their numbers: the oldest is the first.
    queued: Order,
    nexuses: Groups,
    held: usize,
}

struct Entry {
    nexus: NexusId,
    /// `None` when it has been taken.
    job: Option<Job>,
    /// What becomes of the command that waits for the result.
    held: Option<HeldWork>,
}

impl Pending {
    pub(super) const fn new() -> Self {
        Self { entries: Array::new(), by_job: Index::new(), queued: Order::new(), nexuses: Groups::new(), held: 0 }
    }

    /// Jobs that wait to be taken.
    pub(super) const fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Commands that wait for their jobs.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Room for one more, so that adding it does not fail.
    pub(super) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        self.entries.reserve(self.entries.len().saturating_add(1))?;
        self.by_job.reserve()?;
        self.queued.reserve()?;
        self.nexuses.reserve()
    }

    /// Adds a job of a nexus, and the command that waits for it. Nothing has changed if there is no memory for it.
    pub(super) fn add(&mut self, nexus: NexusId, job: Job, held: Option<HeldWork>) -> Result<(), OutOfMemory> {
        self.reserve()?;
        let (place, id, is_held) = (self.entries.len(), job.id(), held.is_some());
        self.entries.push(Entry { nexus, job: Some(job), held })?;
        self.by_job.push()?;
        self.queued.push()?;
        self.nexuses.push()?;
        self.by_job.set(place, id.0);
        self.queued.set(place, id.0);
        self.nexuses.join(place, nexus.0, self.leader(nexus));
        self.held = self.held.saturating_add(usize::from(is_held));
        Ok(())
    }

    /// Takes the oldest job that waits.
    pub(super) fn poll(&mut self) -> Option<Job> {
        let (_, place) = self.queued.first()?;
        self.queued.clear(place);
        self.entries.get_mut(place)?.job.take()
    }

    /// The job is done: whose it was, and what becomes of the command that waits. `None` if nobody wants it.
    pub(super) fn finish(&mut self, id: JobId) -> Option<(NexusId, Option<HeldWork>)> {
        let entry = self.take(self.by_job.find(id.0)?)?;
        Some((entry.nexus, entry.held))
    }

    /// Nobody wants the job any more, unless a command waits for it: that is to be answered.
    pub(super) fn forget(&mut self, id: JobId) {
        let Some(place) = self.by_job.find(id.0) else { return };
        if self.entries.get(place).is_some_and(|entry| entry.held.is_none()) {
            self.take(place);
        }
    }

    /// Nobody wants the jobs of a nexus any more.
    pub(super) fn forget_all_of(&mut self, nexus: NexusId) {
        while let Some(leader) = self.leader(nexus) {
            self.take(leader);
        }
    }

    /// Nobody wants any.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    fn leader(&self, nexus: NexusId) -> Option<usize> {
        self.nexuses.leader(nexus.0, |_| true)
    }

    fn take(&mut self, place: usize) -> Option<Entry> {
        let nexus = self.entries.get(place)?.nexus;
        if let Some(leader) = self.leader(nexus) {
            self.nexuses.leave(place, leader);
        }
        self.nexuses.swap_remove(place);
        self.queued.swap_remove(place);
        self.by_job.swap_remove(place);
        let entry = self.entries.swap_remove(place)?;
        self.held = self.held.saturating_sub(usize::from(entry.held.is_some()));
        Some(entry)
    }
}

/// What a test asks.
#[cfg(test)]
impl Pending {
    /// Jobs that wait to be taken, the oldest first.
    pub(super) fn jobs(&self) -> alloc::vec::Vec<&Job> {
        let mut jobs: alloc::vec::Vec<&Job> = self.entries.iter().filter_map(|entry| entry.job.as_ref()).collect();
        jobs.sort_by_key(|job| job.id());
        jobs
    }

    /// Jobs whose results are wanted, with the commands that wait for them.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (JobId, NexusId, Option<&HeldWork>)> {
        let job = |place| self.by_job.number(place).map(JobId);
        let entries = self.entries.iter().enumerate();
        entries.filter_map(move |(place, entry)| Some((job(place)?, entry.nexus, entry.held.as_ref())))
    }
}
