//! Where tgtd calls: handlers of commands, of logical units that come and go, and of descriptors in its event loop.
//!
//! tgtd calls all of them in the thread of its event loop, so that the state is that thread's own. No panic leaves a handler, and
//! while the state is borrowed nothing of tgtd's is called that could call us again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant as Monotonic;

use ikev2_scsi::Instant;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::abi::{self, EPOLLIN, Perform, ScsiCmd};
use crate::options::Options;
use crate::pool::Pool;
use crate::tgt::{self, Command, LogicalUnit, Status};
use crate::unit::{Originals, Unit};

/// Operation codes.
const REQUEST_SENSE: u8 = 0x03;
const PREVENT_ALLOW_MEDIUM_REMOVAL: u8 = 0x1E;
const PERSISTENT_RESERVE_OUT: u8 = 0x5F;
pub(crate) const SECURITY_PROTOCOL_IN: u8 = 0xA2;
pub(crate) const SECURITY_PROTOCOL_OUT: u8 = 0xB5;

/// How often is looked for nexuses that are gone, in milliseconds. A new nexus is a reason to look at once.
const LOOK_AGAIN: u64 = 1000;

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::new());
}

/// What wakes us in tgtd's event loop.
struct Alarms {
    pool: Pool,
    timer: OwnedFd,
    /// When the timer rings, if it does.
    set_to: Option<u64>,
}

/// All logical units of the process.
struct State {
    started: Monotonic,
    units: BTreeMap<usize, Unit>,
    units_made: u64,
    alarms: Option<Alarms>,
}

impl State {
    fn new() -> Self {
        Self { started: Monotonic::now(), units: BTreeMap::new(), units_made: 0, alarms: None }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn add(&mut self, logical_unit: LogicalUnit, options: &Options) -> Result<(), String> {
        if self.alarms.is_none() {
            self.alarms = Some(Alarms::start(options.threads)?);
        }
        self.units_made = self.units_made.saturating_add(1);
        let mut unit = Unit::new(logical_unit, self.units_made, options)?;
        unit.originals = Originals {
            request_sense: logical_unit.take_over(REQUEST_SENSE, request_sense),
            reserve_out: logical_unit.take_over(PERSISTENT_RESERVE_OUT, reserve_out),
            prevent_removal: logical_unit.take_over(PREVENT_ALLOW_MEDIUM_REMOVAL, prevent_removal),
        };
        logical_unit.add(SECURITY_PROTOCOL_IN, security_protocol);
        logical_unit.add(SECURITY_PROTOCOL_OUT, security_protocol);
        if !logical_unit.take_all(first) {
            return Err("its commands are not performed by tgtd".into());
        }
        unit.log("SECURITY PROTOCOL IN and OUT");
        self.units.insert(logical_unit.number(), unit);
        Ok(())
    }

    /// Work with a command's logical unit, and what has to follow.
    fn with<T>(&mut self, command: Command, work: impl FnOnce(&mut Unit, Command, Instant) -> T) -> Option<T> {
        let now = self.now();
        let number = command.unit();
        let result = self.units.get_mut(&number).map(|unit| work(unit, command, now));
        self.follow_up(number, now);
        result
    }

    /// Hands out jobs, logs events, sets the timer.
    fn follow_up(&mut self, number: usize, now: Instant) {
        let (Some(unit), Some(alarms)) = (self.units.get_mut(&number), &self.alarms) else { return };
        while let Some(job) = unit.poll_job() {
            alarms.pool.submit((number, unit.serial()), job);
        }
        unit.tell_events(now);
        let deadline = unit.next_deadline();
        let look = unit.has_nexuses().then(|| now.as_millis().saturating_add(LOOK_AGAIN));
        self.wake_by(deadline.into_iter().chain(look).min(), now);
    }

    /// Sets the timer, unless it rings early enough: one that rings too early does no harm.
    fn wake_by(&mut self, at: Option<u64>, now: Instant) {
        let (Some(at), Some(alarms)) = (at, &mut self.alarms) else { return };
        if alarms.set_to.is_some_and(|set_to| set_to <= at) {
            return;
        }
        // A timer that is set to nothing is off.
        let wait = at.saturating_sub(now.as_millis()).max(1);
        let (seconds, rest) = (wait.checked_div(1000).unwrap_or(0), wait.checked_rem(1000).unwrap_or(0));
        let it_value = Timespec {
            tv_sec: i64::try_from(seconds).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(rest).unwrap_or(0).saturating_mul(1_000_000),
        };
        let value = Itimerspec { it_interval: Timespec::default(), it_value };
        match timerfd_settime(&alarms.timer, TimerfdTimerFlags::empty(), &value) {
            Ok(_) => alarms.set_to = Some(at),
            Err(error) => tgt::log(&format!("the timer cannot be set: {error}")),
        }
    }

    /// The timer has rung.
    fn tick(&mut self) {
        if let Some(alarms) = &mut self.alarms {
            alarms.set_to = None;
            // How often it rang does not matter.
            let _ = rustix::io::read(&alarms.timer, &mut [0; 8]);
        }
        let now = self.now();
        let numbers: Vec<usize> = self.units.keys().copied().collect();
        for number in numbers {
            if let Some(unit) = self.units.get_mut(&number) {
                unit.tick(now);
            }
            self.follow_up(number, now);
        }
    }

    /// A job is done: gives the command that waited for it, whose status is to be told when the state is no longer borrowed.
    /// The outer `None` is when there is no result.
    fn next_result(&mut self) -> Option<Option<(Command, Status)>> {
        let ((number, serial), outcome) = self.alarms.as_ref()?.pool.result()?;
        let now = self.now();
        // A logical unit that came later may have the same address.
        let unit = self.units.get_mut(&number).filter(|unit| unit.serial() == serial);
        let finished = unit.and_then(|unit| unit.complete(outcome, now));
        self.follow_up(number, now);
        Some(finished)
    }
}

impl Alarms {
    fn start(threads: Option<usize>) -> Result<Self, String> {
        let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let pool = Pool::start(threads).map_err(|error| format!("worker threads: {error}"))?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).map_err(|error| format!("timer: {error}"))?;
        let listen = |fd, handler| {
            // SAFETY: the handler keeps to the type, and both descriptors stay open as long as the process.
            let error = unsafe { abi::tgt_event_add(fd, EPOLLIN, handler, std::ptr::null_mut()) };
            if error == 0 { Ok(()) } else { Err(format!("tgtd's event loop takes no descriptor: error {error}")) }
        };
        listen(pool.descriptor(), results)?;
        listen(timer.as_raw_fd(), timer_rang)?;
        Ok(Self { pool, timer, set_to: None })
    }
}

/// Work with the state; `None` when it panics, or when tgtd has called us while the state was borrowed, which is not to happen.
fn guarded<T>(work: impl FnOnce(&mut State) -> T) -> Option<T> {
    let run = || STATE.with(|state| state.try_borrow_mut().ok().map(|mut state| work(&mut state)));
    catch_unwind(AssertUnwindSafe(run)).ok().flatten()
}

/// Adds the commands to a logical unit.
pub(crate) fn add(logical_unit: LogicalUnit, options: &Options) -> Result<(), String> {
    guarded(|state| state.add(logical_unit, options)).unwrap_or_else(|| Err("a fault of the plugin".into()))
}

/// The logical unit is about to go. tgtd keeps one while commands of it are performed, so that none is held.
pub(crate) fn remove(logical_unit: LogicalUnit) {
    guarded(|state| {
        if let Some(unit) = state.units.remove(&logical_unit.number()) {
            unit.log(&format!("removed, with {} commands held", unit.held()));
        }
    });
}

/// A handler of tgtd's, where ours has nothing to say.
///
/// # Safety
/// As a handler.
unsafe fn pass_on(original: Option<Perform>, host: c_int, command: *mut ScsiCmd) -> c_int {
    let Some(original) = original else { return Status::CheckCondition.into() };
    // SAFETY: the handler is the one that tgtd would have called, with the same arguments.
    unsafe { original(host, command) }
}

/// SECURITY PROTOCOL IN and OUT.
unsafe extern "C" fn security_protocol(_host: c_int, command: *mut ScsiCmd) -> c_int {
    let answered = guarded(|state| {
        // SAFETY: tgtd hands the command to this handler and nobody else.
        let command = unsafe { Command::new(command) }?;
        state.with(command, Unit::execute)
    });
    match answered.flatten() {
        // tgtd does not look at the status of a command that is held.
        Some(None) => 0,
        Some(Some(status)) => status.into(),
        None => Status::CheckCondition.into(),
    }
}

/// REQUEST SENSE.
unsafe extern "C" fn request_sense(host: c_int, command: *mut ScsiCmd) -> c_int {
    let answer = guarded(|state| {
        // SAFETY: as above; this handler does not hold it.
        let command = unsafe { Command::new(command) }?;
        state.with(command, |unit, mut command, now| {
            (unit.request_sense(&mut command, now), unit.originals.request_sense)
        })
    });
    match answer.flatten() {
        Some((true, _)) => Status::Good.into(),
        // SAFETY: the arguments are those of this handler.
        other => unsafe { pass_on(other.and_then(|(_, original)| original), host, command) },
    }
}

/// PERSISTENT RESERVE OUT.
unsafe extern "C" fn reserve_out(host: c_int, command: *mut ScsiCmd) -> c_int {
    let answer = guarded(|state| {
        // SAFETY: as above.
        let command = unsafe { Command::new(command) }?;
        state.with(command, |unit, mut command, now| (unit.must_wait(&mut command, now), unit.originals.reserve_out))
    });
    match answer.flatten() {
        Some((true, _)) => Status::CheckCondition.into(),
        // SAFETY: as above.
        other => unsafe { pass_on(other.and_then(|(_, original)| original), host, command) },
    }
}

/// PREVENT ALLOW MEDIUM REMOVAL, which overwrites our mark.
unsafe extern "C" fn prevent_removal(host: c_int, command: *mut ScsiCmd) -> c_int {
    let original = guarded(|state| {
        // SAFETY: as above.
        let command = unsafe { Command::new(command) }?;
        state.with(command, |unit, command, _| (command.nexus_unit(), unit.originals.prevent_removal))
    });
    let (mark, original) = original.flatten().unwrap_or_default();
    // SAFETY: as above. tgtd performs this command at once, and tells its status after this handler has returned.
    let status = unsafe { pass_on(original, host, command) };
    if let Some(mark) = mark {
        mark.set();
    }
    status
}

/// Every command of the logical unit comes here first.
unsafe extern "C" fn first(tid: c_int, command: *mut ScsiCmd) -> c_int {
    // SAFETY: tgtd hands the command to this handler, which looks at it before it hands it on.
    if let Some(mut looked_at) = unsafe { Command::new(command) } {
        // Where tgtd itself refuses a command, for a reservation say, it would send as much of its memory as there is room for.
        if let Some([SECURITY_PROTOCOL_IN | SECURITY_PROTOCOL_OUT]) = looked_at.cdb() {
            looked_at.set_data_in(&[]);
        }
        if let Some(mark) = looked_at.nexus_unit().filter(|mark| !mark.is_set()) {
            guarded(|state| state.with(looked_at, |unit, _, _| unit.meet(&mark)));
        }
    }
    // SAFETY: this is what tgtd would have called, with the same arguments.
    unsafe { abi::target_cmd_perform(tid, command) }
}

/// Jobs are done.
unsafe extern "C" fn results(_fd: c_int, _events: c_int, _data: *mut c_void) {
    guarded(|state| state.alarms.as_ref().map(|alarms| alarms.pool.heard()));
    while let Some(Some(finished)) = guarded(State::next_result) {
        // The state is not borrowed here: tgtd may perform commands that had to wait for this one.
        if let Some((command, status)) = finished {
            command.finish(status);
        }
    }
}

/// Something is due.
unsafe extern "C" fn timer_rang(_fd: c_int, _events: c_int, _data: *mut c_void) {
    guarded(State::tick);
}
