//! The device server of one logical unit (r3 5.13.4, 5.13.5, 5.13.7; readings R24-R28, R35-R37, R40; SPC-4 5.14.4, 5.14.5,
//! readings S2, S7-S11).
//!
//! [`DeviceServer::execute`] takes one SECURITY PROTOCOL IN or OUT command with its parameter data and gives status,
//! sense data and Data-In. The server knows nexuses; a nexus knows at most one command sequence; all nexuses share one
//! table of security associations. Time, bytes and randomness are arguments.
//!
//! What lives here: CDB checks, dispatch, nexuses, timers, limits, events, held commands. What does not: what a command's
//! parameter data must say (room `ccs`), and which sense data an error has (room `sense`).
//!
//! Memory: a nexus without a sequence takes none; [`Limits`] tells what the others may take.

mod admission;
mod builder;
mod commands;
mod esp;
mod event;
mod event_queue;
mod jobs;
mod lifetime;
mod pending;
mod report;
mod results;
mod slots;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests;

pub use crate::ccs::Limits;
pub use admission::{Admission, Applicant};
pub use builder::{Builder, ConfigError};
pub use esp::{EspCommand, OpenedOut};
pub use event::{Deadline, DeadlineReason, DropReason, Event, EventKind, KeptIdentity, RemovalReason};

pub use crate::sense::Limit;
pub use report::{Offered, Report};

use alloc::sync::Arc;

use crate::capabilities::Offer;
use crate::ccs::job::{JobId, Owner};
use crate::ccs::table::Phase;
use crate::ccs::{Ccs, HAS_OFFLOAD, Setting};
use crate::crypto::{HAS_SIGNATURES, Random};
use crate::sa::{SaDatabase, SaId, SecurityAssociation};
use crate::sense::{Claimant, Refusal, Sense};
use crate::time::{Instant, UnixTime};
use crate::wire::Sai;
use event_queue::EventQueue;
use pending::Pending;
use report::{Received, Reporter};
use slots::Slots;

/// An I_T nexus, by whatever number the embedder gives it.
///
/// Numbers must not be used again for another nexus before [`DeviceServer::nexus_lost`] was called for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NexusId(pub u64);

/// One command with its buffers.
#[derive(Debug)]
pub struct Request<'a> {
    /// The CDB, 12 bytes.
    pub cdb: &'a [u8],
    /// Data-Out as received; opened in place, so its content afterwards is unspecified. Empty for IN.
    pub data_out: &'a mut [u8],
    /// Where Data-In goes; shorter than the answer, it truncates it. Empty for OUT.
    pub data_in: &'a mut [u8],
}

/// The answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the initiator waits for status, sense data and Data-In"]
pub enum Reply {
    /// GOOD status; the first `len` bytes of the Data-In buffer go to the initiator.
    Good {
        /// Bytes of Data-In.
        len: usize,
    },
    /// CHECK CONDITION status with this sense data.
    CheckCondition(Sense),
    /// The job of this number must run first; [`DeviceServer::complete`] gives the reply. When a protocol timeout comes in
    /// between, a nexus may have two commands held, which only their jobs tell apart.
    Held(JobId),
}

/// Data-In of a command: bytes and where they go.
struct DataIn<'a> {
    buffer: &'a mut [u8],
    allocation_length: usize,
}

impl DataIn<'_> {
    /// Copies as much as the allocation length and the buffer take (reading R35).
    fn put(&mut self, bytes: &[u8]) -> Reply {
        let len = bytes.len().min(self.allocation_length).min(self.buffer.len());
        if let Some(to) = self.buffer.get_mut(..len) {
            to.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        }
        Reply::Good { len }
    }
}

/// A nexus with a sequence.
#[derive(Debug)]
struct Slot {
    ccs: Ccs,
    /// The calculation that its next command waits for.
    running: Option<RunningJob>,
    /// The protocol deadline before which a held command came.
    met_deadline: Option<Instant>,
}

impl Slot {
    /// Nothing is awaited any more.
    const fn settle(&mut self) {
        self.running = None;
        self.met_deadline = None;
    }

    const fn running(&self) -> Option<RunningJob> {
        if HAS_OFFLOAD { self.running } else { None }
    }
}

#[derive(Debug, Clone, Copy)]
struct RunningJob {
    id: JobId,
    since: Instant,
}

/// The device server of one logical unit.
pub struct DeviceServer {
    setting: Setting,
    /// The supported security protocol list, as it is returned.
    protocols: alloc::vec::Vec<u8>,
    /// Capabilities that take effect when somebody has read them.
    unread_offer: Option<Offer>,
    now: Instant,
    slots: Slots,
    sas: SaDatabase,
    pending: Pending,
    next_job: u64,
    /// Marks the jobs as this server's.
    owner: Owner,
    events: EventQueue,
    reporter: Option<Reporter>,
    /// Whose authentication the command at hand has failed.
    denied: Option<Claimant>,
    admission: Option<Arc<dyn Admission>>,
    /// The calendar's time when it was last told, and when that was.
    calendar: Option<(UnixTime, Instant)>,
}

impl core::fmt::Debug for DeviceServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DeviceServer")
            .field("profile", &self.setting.profile)
            .field("sequences", &self.slots.len())
            .field("sas", &self.sas.len())
            .field("held", &self.pending.held())
            .finish_non_exhaustive()
    }
}

impl DeviceServer {
    /// Begins the configuration of a device server over a provider's algorithms.
    #[must_use]
    pub fn builder(provider: crate::crypto::CryptoProvider) -> Builder {
        Builder::new(provider)
    }

    /// Processes one SECURITY PROTOCOL IN or OUT command of an I_T nexus.
    ///
    /// Commands of other operation codes, and of security protocols that are not ours, are the embedder's; here they are
    /// refused. A refused command changes nothing that was established.
    pub fn execute(&mut self, nexus: NexusId, request: Request<'_>, now: Instant, random: &mut dyn Random) -> Reply {
        self.expire(now);
        let Request { cdb, data_out, data_in } = request;
        match self.dispatch(nexus, Request { cdb, data_out: &mut *data_out, data_in }, random) {
            Ok(reply) => reply,
            Err(refusal) => self.refuse(nexus, &refusal, Received { cdb, list: data_out, was_held: false }),
        }
    }

    /// The sense data that a REQUEST SENSE command returns: the calculation's progress while one runs for the nexus
    /// (r3 5.13.7), else NO SENSE.
    pub fn request_sense(&mut self, nexus: NexusId, now: Instant) -> Sense {
        self.expire(now);
        if self.setting.profile.rules().waiting_prolongs {
            self.prolong(nexus);
        }
        let running = self.slots.get(nexus).and_then(Slot::running);
        running.map_or(Sense::NONE, |job| self.calculating(job).sense(self.setting.profile.codes()))
    }

    /// Whether the nexus has a command sequence under way: then an embedder that speaks SPC-4 answers PERSISTENT RESERVE OUT of
    /// the nexus with [`Sense::SA_CREATION_IN_PROGRESS`] (SPC-4 5.13.4); all its other commands are unaffected (SPC-4
    /// 5.14.4.1).
    pub fn ccs_in_progress(&mut self, nexus: NexusId, now: Instant) -> bool {
        self.expire(now);
        self.is_running(nexus)
    }

    fn is_running(&self, nexus: NexusId) -> bool {
        self.slots.get(nexus).is_some_and(|slot| slot.ccs.sequence().is_some())
    }

    /// The protocol timeout begins anew.
    fn prolong(&mut self, nexus: NexusId) {
        let sequence = self.slots.get(nexus).and_then(|slot| slot.ccs.sequence());
        if let Some(timeout) = sequence.map(|sequence| sequence.timeouts.protocol) {
            self.slots.set_timeout(nexus, self.now.after_seconds(timeout));
        }
    }

    /// The phase of the nexus's command sequence.
    #[must_use]
    pub fn phase(&self, nexus: NexusId) -> Phase {
        self.slots.get(nexus).map_or(Phase::Idle, |slot| slot.ccs.phase())
    }

    /// The security associations that were live at the last time told; [`DeviceServer::sa`] tells a time, and
    /// [`DeviceServer::expire`] does.
    #[must_use]
    pub const fn sas(&self) -> &SaDatabase {
        &self.sas
    }

    /// Looks up a live security association.
    pub fn sa(&mut self, id: SaId, now: Instant) -> Option<&SecurityAssociation> {
        self.expire(now);
        self.sas.get(id)
    }

    /// Restarts the inactivity timer of a security association that a command has used; false if it is not live.
    #[must_use = "an association that is not live must not be used"]
    pub fn touch(&mut self, id: SaId, now: Instant) -> bool {
        self.expire(now);
        let now = self.now;
        self.sas.touch(id, now)
    }

    /// Removes a security association; false if it is not live.
    pub fn remove_sa(&mut self, id: SaId) -> bool {
        let was_live = self.sas.remove(id);
        if was_live {
            self.tell(None, EventKind::SaRemoved { id, why: RemovalReason::Administrator });
        }
        was_live
    }

    /// Tells the calendar's time, against which certificates are checked. It goes on with `now`, so that to tell it once may
    /// be enough; until it is told, certificates are refused.
    pub fn set_unix_time(&mut self, time: UnixTime, now: Instant) {
        self.calendar = Some((time, now));
    }

    fn unix_time(&self) -> Option<UnixTime> {
        let (time, told) = self.calendar.filter(|_| HAS_SIGNATURES)?;
        let seconds = self.now.millis_since(told).checked_div(1000).unwrap_or(0);
        Some(UnixTime(time.0.saturating_add(seconds)))
    }

    /// The next thing that happened, oldest first.
    ///
    /// At most [`Limits::events`] wait. When there is no room, the oldest of those that an initiator can cause most cheaply is
    /// lost, associations made and removed last of all; the loss is told first, as [`EventKind::Lost`].
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn tell(&mut self, nexus: Option<NexusId>, kind: EventKind) {
        self.events.push(Event { at: self.now, nexus, kind });
    }

    fn calculating(&self, job: RunningJob) -> Refusal {
        let progress = crate::ccs::synthetic_progress(&self.setting.policy, job.since, self.now);
        Refusal::Calculating { progress }
    }

    fn is_taken(&self, ds_sai: Sai) -> bool {
        self.sas.has_ds_sai(ds_sai) || self.slots.is_running(ds_sai)
    }
}
