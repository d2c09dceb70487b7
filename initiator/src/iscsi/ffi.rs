//! What of libiscsi is called, and safe functions around it. `initiator/check` compares the layouts with libiscsi's headers.
#![allow(unsafe_code, reason = "libiscsi is written in C")]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_short, c_uchar, c_uint, c_void};
use std::fmt;
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// `struct iscsi_context`, of which only libiscsi knows what is in it.
#[repr(C)]
struct RawContext {
    _private: [u8; 0],
    _not_ours: PhantomData<(*mut u8, PhantomPinned)>,
}

/// `struct scsi_sense`; its three bit fields are in `_flags`.
#[repr(C)]
struct RawSense {
    _error_type: c_uchar,
    _key: c_int,
    _ascq: c_int,
    _flags: c_uchar,
    _bit_pointer: c_uchar,
    _field_pointer: u16,
}

/// The beginning of `struct scsi_task`, up to what is read.
#[repr(C)]
struct RawTask {
    _status: c_int,
    _cdb_size: c_int,
    _xfer_dir: c_int,
    _expxferlen: c_int,
    _cdb: [c_uchar; 16],
    residual_status: c_uint,
    residual: usize,
    _sense: RawSense,
    data_in_size: c_int,
    data_in: *const c_uchar,
}

/// `struct iscsi_data`.
#[repr(C)]
struct RawData {
    size: usize,
    data: *const c_uchar,
}

type Callback = extern "C" fn(*mut RawContext, c_int, *mut c_void, *mut c_void);

unsafe extern "C" {
    fn iscsi_create_context(initiator_name: *const c_char) -> *mut RawContext;
    fn iscsi_destroy_context(iscsi: *mut RawContext) -> c_int;
    fn iscsi_set_targetname(iscsi: *mut RawContext, name: *const c_char) -> c_int;
    fn iscsi_set_session_type(iscsi: *mut RawContext, kind: c_uint) -> c_int;
    fn iscsi_set_header_digest(iscsi: *mut RawContext, digest: c_uint) -> c_int;
    fn iscsi_set_isid_random(iscsi: *mut RawContext, random: u32, qualifier: u32) -> c_int;
    fn iscsi_set_initiator_username_pwd(iscsi: *mut RawContext, user: *const c_char, pwd: *const c_char) -> c_int;
    fn iscsi_set_target_username_pwd(iscsi: *mut RawContext, user: *const c_char, pwd: *const c_char) -> c_int;
    fn iscsi_set_noautoreconnect(iscsi: *mut RawContext, state: c_int);
    fn iscsi_get_error(iscsi: *mut RawContext) -> *const c_char;
    fn iscsi_get_target_address(iscsi: *mut RawContext) -> *const c_char;
    fn iscsi_get_fd(iscsi: *mut RawContext) -> c_int;
    fn iscsi_which_events(iscsi: *mut RawContext) -> c_int;
    fn iscsi_service(iscsi: *mut RawContext, revents: c_int) -> c_int;
    fn iscsi_connect_async(
        iscsi: *mut RawContext,
        portal: *const c_char,
        done: Callback,
        private: *mut c_void,
    ) -> c_int;
    fn iscsi_login_async(iscsi: *mut RawContext, done: Callback, private: *mut c_void) -> c_int;
    fn iscsi_logout_async(iscsi: *mut RawContext, done: Callback, private: *mut c_void) -> c_int;
    fn iscsi_scsi_command_async(
        iscsi: *mut RawContext,
        lun: c_int,
        task: *mut RawTask,
        done: Callback,
        data: *mut RawData,
        private: *mut c_void,
    ) -> c_int;
    fn iscsi_scsi_cancel_task(iscsi: *mut RawContext, task: *mut RawTask) -> c_int;
    fn scsi_create_task(cdb_size: c_int, cdb: *const c_uchar, direction: c_int, length: c_int) -> *mut RawTask;
    fn scsi_free_scsi_task(task: *mut RawTask);
}

const SESSION_NORMAL: c_uint = 2;
const HEADER_DIGEST_CRC32C: c_uint = 3;
const TRANSFER_NONE: c_int = 0;
const TRANSFER_READ: c_int = 1;
const TRANSFER_WRITE: c_int = 2;
const RESIDUAL_UNDERFLOW: c_uint = 1;
/// `SCSI_STATUS_GOOD` of everything that is no SCSI command.
const DONE: c_int = 0;
const STATUS_REDIRECT: c_int = 0x101;

/// Why libiscsi did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The time was over.
    TimedOut,
    /// The target wants the session elsewhere: `address:port`.
    Redirected(String),
    /// What libiscsi says.
    Failed(String),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Completed {
    pub(super) status: u8,
    /// Data-In, or with CHECK CONDITION the sense data after two bytes of their length.
    pub(super) data: Vec<u8>,
    /// Bytes that the target says it did not transfer.
    pub(super) missing: usize,
}

/// How what is waited for has ended; libiscsi writes it.
type Ending = Cell<Option<c_int>>;

/// A session in the making, or made.
pub(super) struct Context {
    raw: NonNull<RawContext>,
    /// libiscsi tells the end of a connection here once more, for as long as the context exists. Not in a `Box`: libiscsi keeps
    /// a pointer while the context moves, and a box that moves says that nobody else has one.
    connection: Rc<Ending>,
    request: Rc<Ending>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

extern "C" fn ended(_: *mut RawContext, status: c_int, _: *mut c_void, private: *mut c_void) {
    // SAFETY: `private` is what `Context` gave: an `Ending` in memory of its own that lives as long as the context; nobody
    // holds a unique reference to it, and libiscsi calls on the thread that called it.
    let ending = unsafe { private.cast::<Ending>().as_ref() };
    if let Some(ending) = ending {
        ending.set(Some(status));
    }
}

fn private(ending: &Rc<Ending>) -> *mut c_void {
    Rc::as_ptr(ending).cast_mut().cast()
}

impl Context {
    /// A context that does not reconnect by itself: a new session is a new I_T nexus, for which nothing holds that held.
    pub(super) fn new(initiator_name: &CStr) -> Option<Self> {
        // SAFETY: a string that ends with a zero, which libiscsi copies.
        let raw = NonNull::new(unsafe { iscsi_create_context(initiator_name.as_ptr()) })?;
        let context = Self { raw, connection: Rc::default(), request: Rc::default() };
        // SAFETY: the context is live, as in every call below: it is destroyed when `Context` is dropped, and not before.
        unsafe { iscsi_set_noautoreconnect(raw.as_ptr(), 1) };
        // SAFETY: a live context.
        unsafe { iscsi_set_session_type(raw.as_ptr(), SESSION_NORMAL) };
        Some(context)
    }

    pub(super) fn set_target_name(&self, name: &CStr) -> bool {
        // SAFETY: a live context; a string that ends with a zero, which libiscsi copies.
        unsafe { iscsi_set_targetname(self.raw.as_ptr(), name.as_ptr()) == DONE }
    }

    pub(super) fn set_header_digest(&self) -> bool {
        // SAFETY: a live context.
        unsafe { iscsi_set_header_digest(self.raw.as_ptr(), HEADER_DIGEST_CRC32C) == DONE }
    }

    /// The initiator's half of the I_T nexus, besides its name: 24 bits, 16 bits.
    pub(super) fn set_isid(&self, random: u32, qualifier: u16) -> bool {
        // SAFETY: a live context.
        unsafe { iscsi_set_isid_random(self.raw.as_ptr(), random & 0x00FF_FFFF, u32::from(qualifier)) == DONE }
    }

    pub(super) fn set_chap(&self, user: &CStr, password: &CStr) -> bool {
        // SAFETY: a live context; strings that end with a zero, which libiscsi copies.
        unsafe { iscsi_set_initiator_username_pwd(self.raw.as_ptr(), user.as_ptr(), password.as_ptr()) == DONE }
    }

    pub(super) fn set_target_chap(&self, user: &CStr, password: &CStr) -> bool {
        // SAFETY: a live context; strings that end with a zero, which libiscsi copies.
        unsafe { iscsi_set_target_username_pwd(self.raw.as_ptr(), user.as_ptr(), password.as_ptr()) == DONE }
    }

    pub(super) fn connect(&self, portal: &CStr, timeout: Duration) -> Result<(), Failure> {
        self.connection.set(None);
        let private = private(&self.connection);
        // SAFETY: a live context; a string that ends with a zero, which libiscsi reads before it returns; an `Ending` that
        // outlives the context.
        let begun = unsafe { iscsi_connect_async(self.raw.as_ptr(), portal.as_ptr(), ended, private) };
        self.wait(begun, &self.connection, timeout).and_then(|status| self.done(status))
    }

    pub(super) fn login(&self, timeout: Duration) -> Result<(), Failure> {
        self.request.set(None);
        // SAFETY: a live context; an `Ending` that outlives it.
        let begun = unsafe { iscsi_login_async(self.raw.as_ptr(), ended, private(&self.request)) };
        self.wait(begun, &self.request, timeout).and_then(|status| self.done(status))
    }

    pub(super) fn logout(&self, timeout: Duration) -> Result<(), Failure> {
        self.request.set(None);
        // SAFETY: a live context; an `Ending` that outlives it.
        let begun = unsafe { iscsi_logout_async(self.raw.as_ptr(), ended, private(&self.request)) };
        self.wait(begun, &self.request, timeout).and_then(|status| self.done(status))
    }

    /// Sends one command to the logical unit of one level, and waits for its end. After a failure the context is good for
    /// nothing else than to be dropped.
    pub(super) fn command(
        &self,
        lun: u16,
        cdb: &[u8],
        data_out: &[u8],
        room: usize,
        timeout: Duration,
    ) -> Result<Completed, Failure> {
        let (direction, length) = match (data_out.len(), room) {
            (0, 0) => (TRANSFER_NONE, 0),
            (0, room) => (TRANSFER_READ, room),
            (length, _) => (TRANSFER_WRITE, length),
        };
        let too_long = |_| Failure::Failed("more bytes than libiscsi counts".to_owned());
        let length = c_int::try_from(length).map_err(too_long)?;
        let task = Task::new(cdb, direction, length)
            .ok_or(Failure::Failed("libiscsi makes no task of this CDB".to_owned()))?;
        let mut data = RawData { size: data_out.len(), data: data_out.as_ptr() };
        let data = if data_out.is_empty() { std::ptr::null_mut() } else { &raw mut data };
        self.request.set(None);
        let (context, private) = (self.raw.as_ptr(), private(&self.request));
        // SAFETY: a live context and task; libiscsi copies `data` and reads the bytes behind it until the command has ended,
        // which it has when this function returns; the `Ending` outlives the context.
        let begun =
            unsafe { iscsi_scsi_command_async(context, c_int::from(lun), task.0.as_ptr(), ended, data, private) };
        let ended = self.wait(begun, &self.request, timeout);
        if self.request.get().is_none() {
            // SAFETY: a live context and task. The task is no longer used by libiscsi after this.
            unsafe { iscsi_scsi_cancel_task(context, task.0.as_ptr()) };
        }
        let status = u8::try_from(ended?).map_err(|_| Failure::Failed(self.error()))?;
        Ok(Completed { status, data: task.data_in(), missing: task.missing() })
    }

    /// Lets libiscsi work until what was begun has ended.
    fn wait(&self, begun: c_int, ending: &Ending, timeout: Duration) -> Result<c_int, Failure> {
        if begun != DONE {
            return Err(Failure::Failed(self.error()));
        }
        let started = Instant::now();
        loop {
            if let Some(status) = ending.get() {
                return Ok(status);
            }
            let left = timeout.checked_sub(started.elapsed()).ok_or(Failure::TimedOut)?;
            let events = self.poll(left);
            // SAFETY: a live context.
            if unsafe { iscsi_service(self.raw.as_ptr(), events) } != DONE {
                return ending.get().ok_or_else(|| Failure::Failed(self.error()));
            }
        }
    }

    /// Waits for the connection, a second at most, and tells what happened on it.
    fn poll(&self, left: Duration) -> c_int {
        // SAFETY: a live context.
        let fd = unsafe { iscsi_get_fd(self.raw.as_ptr()) };
        // SAFETY: a live context.
        let events = unsafe { iscsi_which_events(self.raw.as_ptr()) };
        let mut polled = libc::pollfd { fd, events: c_short::try_from(events).unwrap_or(0), revents: 0 };
        let milliseconds = c_int::try_from(left.as_millis()).unwrap_or(c_int::MAX).clamp(1, 1000);
        // SAFETY: one structure, of which it is said that it is one.
        let ready = unsafe { libc::poll(&raw mut polled, 1, milliseconds) };
        // An interruption is nothing that happened on the connection.
        if ready > 0 { c_int::from(polled.revents) } else { 0 }
    }

    fn done(&self, status: c_int) -> Result<(), Failure> {
        match status {
            DONE => Ok(()),
            STATUS_REDIRECT => {
                // SAFETY: a live context; the string is copied before anything else is called.
                Err(Failure::Redirected(copied(unsafe { iscsi_get_target_address(self.raw.as_ptr()) })))
            }
            _ => Err(Failure::Failed(self.error())),
        }
    }

    fn error(&self) -> String {
        // SAFETY: a live context; the string is copied before anything else is called.
        copied(unsafe { iscsi_get_error(self.raw.as_ptr()) })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: a live context, used by nobody after this. What is still waited for ends here, in an `Ending` that lives.
        unsafe { iscsi_destroy_context(self.raw.as_ptr()) };
    }
}

/// A copy of a string of libiscsi, which lives until libiscsi is called again.
fn copied(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and libiscsi ends its strings with a zero.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().trim().to_owned()
}

/// A command of libiscsi, which is freed after it has ended.
struct Task(NonNull<RawTask>);

impl Task {
    fn new(cdb: &[u8], direction: c_int, length: c_int) -> Option<Self> {
        // libiscsi copies as many bytes as it is told into sixteen.
        let size = c_int::try_from(cdb.len()).ok().filter(|size| (1..=16).contains(size))?;
        // SAFETY: as many bytes as is said, which libiscsi copies.
        NonNull::new(unsafe { scsi_create_task(size, cdb.as_ptr(), direction, length) }).map(Self)
    }

    fn data_in(&self) -> Vec<u8> {
        // SAFETY: a live task of which libiscsi has written everything that is read.
        let task = unsafe { self.0.as_ref() };
        match usize::try_from(task.data_in_size) {
            Ok(size) if size > 0 && !task.data_in.is_null() => {
                // SAFETY: not null; as many bytes as libiscsi says, which it frees with the task.
                unsafe { std::slice::from_raw_parts(task.data_in, size) }.to_vec()
            }
            _ => Vec::new(),
        }
    }

    fn missing(&self) -> usize {
        // SAFETY: a live task of which libiscsi has written everything that is read.
        let task = unsafe { self.0.as_ref() };
        if task.residual_status == RESIDUAL_UNDERFLOW { task.residual } else { 0 }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // SAFETY: a live task, which libiscsi no longer has in a queue: it has ended or was cancelled.
        unsafe { scsi_free_scsi_task(self.0.as_ptr()) };
    }
}
