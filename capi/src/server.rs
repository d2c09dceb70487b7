//! A device server, and its commands.

use std::ffi::c_int;

use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::EspCommand;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::{DeviceServer, Instant, JobDone, NexusId, Reply, Request};
use zeroize::Zeroize;

use crate::boundary::{Failure, call};
use crate::callbacks::{Clock, Source};
use crate::codes::{CallResult, DeadlineCode, SenseCode, StatusCode};
use crate::decisions::read_descriptors;
use crate::handles::{self, ServerHandle};
use crate::pointers::{self, Buffer, Out};

/// Most bytes of a CDB: those of one of variable length (SPC-4 4.3.3).
const LONGEST_CDB: usize = 260;
/// Most bytes of an answer: a few payloads, of which each has a length of two bytes. Most have some hundred.
const LONGEST_ANSWER: usize = 1 << 20;

/// One logical unit.
pub(crate) struct Unit {
    pub(crate) server: DeviceServer,
    random: Source,
    clock: Option<Clock>,
    descriptor_sense: bool,
    /// Where Data-Out is opened in place, wiped after each command.
    data_out: Vec<u8>,
    /// Where Data-In is written before it is copied to the caller: as long as the longest buffer that a caller had.
    data_in: Vec<u8>,
}

/// Sense data.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SenseData {
    /// How many of the bytes there are: 18 in fixed format, 8 or 16 in descriptor format.
    pub length: u32,
    /// The bytes; the others are zero.
    pub bytes: [u8; 32],
}

/// The answer to a command.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ReplyData {
    /// An ikev2_scsi_status.
    pub status: u32,
    /// With CHECK CONDITION, else of length zero.
    pub sense: SenseData,
    /// With GOOD: so many bytes of the Data-In buffer go to the initiator.
    pub data_in_length: usize,
    /// The I_T nexus of the command.
    pub nexus: u64,
    /// With HELD: the number of the job that must run first.
    pub job: u64,
}

impl SenseData {
    pub(crate) const NONE: Self = Self { length: 0, bytes: [0; 32] };
}

impl Unit {
    pub(crate) const fn new(
        server: DeviceServer,
        random: Source,
        clock: Option<Clock>,
        descriptor_sense: bool,
    ) -> Self {
        Self { server, random, clock, descriptor_sense, data_out: Vec::new(), data_in: Vec::new() }
    }

    pub(crate) fn sense(&self, sense: &Sense) -> SenseData {
        let bytes = if self.descriptor_sense { sense.to_descriptor() } else { sense.to_fixed() };
        let mut data = SenseData::NONE;
        data.bytes.iter_mut().zip(bytes.as_ref()).for_each(|(to, from)| *to = *from);
        data.length = u32::try_from(bytes.as_ref().len()).unwrap_or(0);
        data
    }

    /// Before whatever may look at a certificate.
    fn ask_the_clock(&mut self, now: Instant) {
        if let Some(time) = self.clock.as_ref().and_then(Clock::now) {
            self.server.set_unix_time(time, now);
        }
    }

    fn execute(&mut self, nexus: NexusId, cdb: &[u8], room: usize, now: Instant) -> Reply {
        self.ask_the_clock(now);
        let data_in = self.data_in.get_mut(..room).unwrap_or_default();
        let request = Request { cdb, data_out: &mut self.data_out, data_in };
        let reply = self.server.execute(nexus, request, now, &mut self.random);
        // What was opened in it is nobody's business any more.
        self.data_out.zeroize();
        reply
    }

    /// The answer for the caller, whose buffer gets Data-In.
    fn reply(&self, nexus: NexusId, reply: Reply, data_in: &Buffer) -> ReplyData {
        let mut data = ReplyData {
            status: StatusCode::Good as u32,
            sense: SenseData::NONE,
            data_in_length: 0,
            nexus: nexus.0,
            job: 0,
        };
        match reply {
            Reply::Good { len } => data.data_in_length = data_in.put(self.data_in.get(..len).unwrap_or_default()),
            Reply::CheckCondition(sense) => {
                data.status = StatusCode::CheckCondition as u32;
                data.sense = self.sense(&sense);
            }
            Reply::Held(job) => {
                data.status = StatusCode::Held as u32;
                data.job = job.number();
            }
        }
        data
    }

    /// As many bytes of our own as the caller has room for.
    pub(crate) fn room(&mut self, data_in: &Buffer) -> Result<usize, Failure> {
        let room = data_in.length.min(LONGEST_ANSWER);
        if let Some(more) = room.checked_sub(self.data_in.len()) {
            self.data_in.try_reserve_exact(more).map_err(|_| Failure::memory())?;
            self.data_in.resize(room, 0);
        }
        Ok(room)
    }

    /// A descriptor for Data-In.
    pub(crate) fn build_data_in(
        &mut self,
        id: SaId,
        data: &[u8],
        command: EspCommand<'_>,
        now: Instant,
    ) -> Result<Vec<u8>, Sense> {
        self.server.build_data_in(id, data, command, now, &mut self.random)
    }

    /// Takes the result of a job.
    pub(crate) fn complete(&mut self, done: JobDone, data_in: &Buffer, room: usize, now: Instant) -> Option<ReplyData> {
        self.ask_the_clock(now);
        let (nexus, reply) = self.server.complete(done, self.data_in.get_mut(..room).unwrap_or_default(), now)?;
        Some(self.reply(nexus, reply, data_in))
    }
}

/// A call about a device server.
pub(crate) fn with_unit(server: *mut ServerHandle, body: impl FnOnce(&mut Unit) -> Result<(), Failure>) -> CallResult {
    call(|| handles::with(server, body))
}

/// Processes one SECURITY PROTOCOL IN (A2h) or OUT (B5h) command of an I_T nexus, which may have any number that no other
/// nexus has. `now` is the time in milliseconds on a clock that does not go back.
///
/// Data-Out is not changed; both buffers may be the same. An answer that is longer than the Data-In buffer is truncated, as
/// ALLOCATION LENGTH would: 16 384 bytes hold every answer unless limits were raised. A command that is refused is an answer
/// as well: the result is then OK, and `reply` has CHECK CONDITION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_execute(
    server: *mut ServerHandle,
    nexus: u64,
    cdb: *const u8,
    cdb_length: usize,
    data_out: *const u8,
    data_out_length: usize,
    data_in: *mut u8,
    data_in_length: usize,
    now: u64,
    reply: *mut ReplyData,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("reply", reply) }?;
        if cdb_length > LONGEST_CDB {
            return Err(Failure::argument(format!("no CDB has {cdb_length} bytes")));
        }
        // SAFETY: likewise.
        let cdb = unsafe { pointers::bytes("cdb", cdb, cdb_length) }?;
        // SAFETY: likewise.
        let data_in = unsafe { Buffer::new("data_in", data_in, data_in_length) }?;
        // SAFETY: likewise.
        unit.data_out = unsafe { pointers::bytes("data_out", data_out, data_out_length) }?;
        let (nexus, room) = (NexusId(nexus), unit.room(&data_in)?);
        let answer = unit.execute(nexus, &cdb, room, Instant::from_millis(now));
        out.set(unit.reply(nexus, answer, &data_in));
        Ok(())
    })
}

/// The sense data that REQUEST SENSE of a nexus returns: progress while a calculation runs for it, else NO SENSE. In SPC-4 it
/// restarts the protocol timeout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_request_sense(
    server: *mut ServerHandle,
    nexus: u64,
    now: u64,
    sense: *mut SenseData,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("sense", sense) }?;
        let sense = unit.server.request_sense(NexusId(nexus), Instant::from_millis(now));
        out.set(unit.sense(&sense));
        Ok(())
    })
}

/// Sense data that the embedder of an SPC-4 device server needs elsewhere; `what` is an ikev2_scsi_sense_code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_sense(
    server: *mut ServerHandle,
    what: u32,
    sense: *mut SenseData,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("sense", sense) }?;
        out.set(unit.sense(&match SenseCode::of_code(what)? {
            SenseCode::CapabilitiesChanged => Sense::CAPABILITIES_CHANGED,
            SenseCode::SaCreationInProgress => Sense::SA_CREATION_IN_PROGRESS,
        }));
        Ok(())
    })
}

/// Whether sense data has descriptor format from now on: the mode page's D_SENSE. Zero for no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_descriptor_sense(
    server: *mut ServerHandle,
    is_descriptor: c_int,
) -> CallResult {
    with_unit(server, |unit| {
        unit.descriptor_sense = is_descriptor != 0;
        Ok(())
    })
}

/// Writes 1 if the nexus has a command sequence under way, else 0: an SPC-4 device server then answers PERSISTENT RESERVE OUT of
/// the nexus with IKEV2_SCSI_SENSE_SA_CREATION_IN_PROGRESS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_sequence_in_progress(
    server: *mut ServerHandle,
    nexus: u64,
    now: u64,
    in_progress: *mut c_int,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("in_progress", in_progress) }?;
        out.set(c_int::from(unit.server.ccs_in_progress(NexusId(nexus), Instant::from_millis(now))));
        Ok(())
    })
}

/// When something runs out next, on the clock of `now`; NONE if nothing does. `reason`, which may be NULL, gets an
/// ikev2_scsi_deadline.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_next_deadline(
    server: *mut ServerHandle,
    at: *mut u64,
    reason: *mut u32,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("at", at) }?;
        // SAFETY: likewise.
        let reason = unsafe { Out::optional("reason", reason) }?;
        let deadline = unit.server.next_deadline().ok_or_else(Failure::nothing)?;
        out.set(deadline.at.as_millis());
        if let Some(reason) = reason {
            reason.set(match deadline.reason {
                ikev2_scsi::server::DeadlineReason::Protocol => DeadlineCode::Protocol,
                ikev2_scsi::server::DeadlineReason::Inactivity => DeadlineCode::Inactivity,
                _ => DeadlineCode::Other,
            } as u32);
        }
        Ok(())
    })
}

/// Drops what has run out by `now`. Every other call with a time does so too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_expire(server: *mut ServerHandle, now: u64) -> CallResult {
    with_unit(server, |unit| {
        unit.server.expire(Instant::from_millis(now));
        Ok(())
    })
}

/// I_T nexus loss: the sequence of the nexus is dropped, associations stay. To be told before the number is used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_nexus_lost(server: *mut ServerHandle, nexus: u64) -> CallResult {
    with_unit(server, |unit| {
        unit.server.nexus_lost(NexusId(nexus));
        Ok(())
    })
}

/// Logical unit reset, hard reset or power on: all sequences and associations are dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_reset(server: *mut ServerHandle) -> CallResult {
    with_unit(server, |unit| {
        unit.server.reset();
        Ok(())
    })
}

/// Tells the calendar's time, in seconds since 1970-01-01 00:00:00 UTC. It goes on with `now`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_set_unix_time(
    server: *mut ServerHandle,
    seconds: u64,
    now: u64,
) -> CallResult {
    with_unit(server, |unit| {
        unit.server.set_unix_time(UnixTime(seconds), Instant::from_millis(now));
        Ok(())
    })
}

/// Reports other capabilities from now on, `count` descriptors of 12 bytes each. Where they cannot be, nothing is changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_set_capabilities(
    server: *mut ServerHandle,
    descriptors: *const u8,
    count: usize,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let descriptors = unsafe { read_descriptors(descriptors, count) }?;
        unit.server.set_capabilities(&descriptors).map_err(Failure::configuration)
    })
}

/// Frees a device server; its secrets are wiped. NULL is allowed. Where a callback frees its own device server, that goes when
/// the call ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_free(server: *mut ServerHandle) -> CallResult {
    call(|| handles::free::<Unit>(server))
}
