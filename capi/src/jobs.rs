//! Slow work that the caller runs, on whatever thread it likes.

use ikev2_scsi::ccs::job::JobKind;
use ikev2_scsi::{Instant, Job, JobDone};

use crate::boundary::{Failure, call};
use crate::codes::{CallResult, JobKindCode};
use crate::handles::{self, JobHandle, ServerHandle};
use crate::pointers::{Buffer, Out};
use crate::server::{ReplyData, Unit, with_unit};

/// A job, before it runs and after.
pub(crate) struct Work {
    kind: JobKind,
    number: u64,
    state: State,
}

enum State {
    Waiting(Job),
    Done(JobDone),
    /// It met a fault while it ran.
    Gone,
}

impl Work {
    fn finish(&mut self, how: impl FnOnce(Job) -> JobDone) -> Result<(), Failure> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Waiting(job) => {
                self.state = State::Done(how(job));
                Ok(())
            }
            other => {
                self.state = other;
                Err(Failure::argument("the job has been run already"))
            }
        }
    }
}

/// The next job, with IKEV2_SCSI_POLICY_OFFLOAD; NONE if none waits. It belongs to the caller, who runs it and gives it back by
/// ikev2_scsi_server_complete().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_poll_job(server: *mut ServerHandle, job: *mut *mut JobHandle) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("job", job) }?;
        let job = unit.server.poll_job().ok_or_else(Failure::nothing)?;
        let work = Work { kind: job.kind(), number: job.id().number(), state: State::Waiting(job) };
        out.set(handles::give(work)?);
        Ok(())
    })
}

/// What a job does: an ikev2_scsi_job_kind, and its number, as in the reply of the command that it holds. Both may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_job_info(job: *mut JobHandle, kind: *mut u32, number: *mut u64) -> CallResult {
    call(|| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let kind = unsafe { Out::optional("kind", kind) }?;
        // SAFETY: likewise.
        let number = unsafe { Out::optional("number", number) }?;
        handles::with(job, |work: &mut Work| {
            if let Some(kind) = kind {
                kind.set(match work.kind {
                    JobKind::KeyExchange => JobKindCode::KeyExchange,
                    JobKind::Verify => JobKindCode::Verify,
                    JobKind::Sign => JobKindCode::Sign,
                    _ => JobKindCode::Other,
                } as u32);
            }
            if let Some(number) = number {
                number.set(work.number);
            }
            Ok(())
        })
    })
}

/// Runs a job: on any thread, while its device server does other work or is gone. It takes milliseconds, and may call the
/// callbacks for shared keys, signatures and the key log on that thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_job_run(job: *mut JobHandle) -> CallResult {
    call(|| handles::with(job, |work: &mut Work| work.finish(Job::run)))
}

/// The job cannot be run: its command will be refused as HARDWARE ERROR, and may be sent again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_job_fail(job: *mut JobHandle) -> CallResult {
    call(|| handles::with(job, |work: &mut Work| work.finish(Job::fail)))
}

/// Frees a job that is not given back: the command that it holds is then never answered, and its sequence goes at the protocol
/// timeout. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_job_free(job: *mut JobHandle) -> CallResult {
    call(|| handles::free::<Work>(job))
}

/// Takes a job that was run or failed, frees it, and answers the command that was held for it: OK, with the command's nexus in
/// `reply`. NONE when no command waits: that of a key exchange has been answered, and one of a lost nexus has nobody to be
/// answered. A job that was not run is an INVALID_ARGUMENT and stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_complete(
    server: *mut ServerHandle,
    job: *mut JobHandle,
    data_in: *mut u8,
    data_in_length: usize,
    now: u64,
    reply: *mut ReplyData,
) -> CallResult {
    with_unit(server, |unit: &mut Unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("reply", reply) }?;
        // SAFETY: likewise.
        let data_in = unsafe { Buffer::new("data_in", data_in, data_in_length) }?;
        let room = unit.room(&data_in)?;
        let work: Work = handles::take(job, |work: &Work| match work.state {
            State::Done(_) => Ok(()),
            State::Waiting(_) => Err(Failure::argument("the job has been neither run nor failed")),
            State::Gone => Err(Failure::new(CallResult::Internal, "the job has met a fault of the library: free it")),
        })?;
        let State::Done(done) = work.state else { return Err(Failure::nothing()) };
        let answer = unit.complete(done, &data_in, room, Instant::from_millis(now)).ok_or_else(Failure::nothing)?;
        out.set(answer);
        Ok(())
    })
}
