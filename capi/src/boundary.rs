//! What every call goes through.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::codes::CallResult;

/// Why a call did not do what it says.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: CallResult,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: CallResult, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(CallResult::InvalidArgument, message)
    }

    pub(crate) fn configuration(error: impl std::fmt::Display) -> Self {
        Self::new(CallResult::Configuration, error.to_string())
    }

    /// There is nothing to give, which is no failure.
    pub(crate) fn nothing() -> Self {
        Self::new(CallResult::None, "")
    }

    pub(crate) fn memory() -> Self {
        Self::new(CallResult::OutOfMemory, "out of memory")
    }
}

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

/// Runs a call. Nothing unwinds out of it: a panic is a fault of ours, which is told by a code.
pub(crate) fn call(body: impl FnOnce() -> Result<(), Failure>) -> CallResult {
    // What a panic leaves behind is in a poisoned lock, which `handles` does not open again.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return CallResult::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            // To drop what was thrown may throw again.
            std::mem::forget(panic);
            Failure::new(CallResult::Internal, "a fault of the library: a panic was caught")
        }
    };
    if failure.code != CallResult::None {
        tell(failure.message);
    }
    failure.code
}

/// Keeps the message for the thread. It is C's: it ends at the first NUL.
fn tell(message: String) {
    let mut bytes = message.into_bytes();
    bytes.retain(|byte| *byte != 0);
    let message = CString::new(bytes).unwrap_or_default();
    // A thread that is ending has no messages any more.
    let _ = MESSAGE.try_with(|place| place.try_borrow_mut().map(|mut place| *place = message));
}

/// What was wrong with the last call of this thread that failed, as a line of text; empty if none has. It is valid until
/// another call of this thread fails, or the thread ends. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ikev2_scsi_error() -> *const c_char {
    // The text is not moved until the next message replaces it.
    let text = MESSAGE.try_with(|message| message.try_borrow().map_or(c"".as_ptr(), |text| text.as_ptr()));
    text.unwrap_or(c"".as_ptr())
}

/// What a code means, for a number that may be an ikev2_scsi_result. Never NULL, valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn ikev2_scsi_result_text(code: u32) -> *const c_char {
    let text = match code {
        0 => c"ok",
        1 => c"nothing there",
        2 => c"NULL, or a pointer that is not aligned",
        3 => c"not a handle of this kind, or freed",
        4 => c"in use",
        5 => c"invalid argument",
        6 => c"unusable configuration",
        7 => c"buffer too small",
        8 => c"out of memory",
        9 => c"fault of the library",
        _ => c"unknown code",
    };
    text.as_ptr()
}

/// The version of the library, such as "0.1.0". Never NULL, valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn ikev2_scsi_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// How many builders, device servers and jobs there are that have not been freed: zero before the end of a program that
/// frees what it makes.
#[unsafe(no_mangle)]
pub extern "C" fn ikev2_scsi_open_handles() -> usize {
    crate::handles::count()
}
