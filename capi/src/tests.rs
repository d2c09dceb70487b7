//! What a program in C cannot bring about: faults of the library itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::ffi::CStr;
use std::ptr;

use crate::boundary::{Failure, call, ikev2_scsi_error};
use crate::builder::{Plan, ikev2_scsi_builder_free, ikev2_scsi_builder_new};
use crate::codes::CallResult;
use crate::decisions::ikev2_scsi_builder_policy;
use crate::handles;

fn message() -> String {
    // SAFETY: the text is valid until the next failure of this thread, and copied before.
    unsafe { CStr::from_ptr(ikev2_scsi_error()) }.to_str().unwrap().to_string()
}

#[test]
fn nothing_unwinds_out_of_a_call() {
    assert_eq!(call(|| panic!("a fault")), CallResult::Internal);
    assert!(message().contains("a panic was caught"));
    assert_eq!(call(|| Ok(())), CallResult::Ok);
    // Nothing there is no failure, and leaves the message as it was.
    assert_eq!(call(|| Err(Failure::nothing())), CallResult::None);
    assert!(message().contains("a panic was caught"));
    assert_eq!(call(|| Err(Failure::argument("a\0b"))), CallResult::InvalidArgument);
    assert_eq!(message(), "ab");
}

/// What throws when it is dropped.
struct Twice;

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("a second fault");
    }
}

#[test]
fn what_was_thrown_is_not_dropped() {
    assert_eq!(call(|| std::panic::panic_any(Twice)), CallResult::Internal);
}

/// A panic may have left an object half changed: it is not used again, and can be freed.
#[test]
fn an_object_that_met_a_fault_is_only_freed() {
    let mut builder = ptr::null_mut();
    // SAFETY: a place for a handle.
    let made = unsafe { ikev2_scsi_builder_new(0, &raw mut builder) };
    assert_eq!(made, CallResult::Ok);
    let result = call(|| handles::with(builder, |_: &mut Plan| panic!("a fault")));
    assert_eq!(result, CallResult::Internal);
    // SAFETY: no pointer is followed.
    assert_eq!(unsafe { ikev2_scsi_builder_policy(builder, 0, 1) }, CallResult::Internal);
    assert!(message().contains("free it"));
    // SAFETY: likewise.
    assert_eq!(unsafe { ikev2_scsi_builder_free(builder) }, CallResult::Ok);
    // SAFETY: likewise.
    assert_eq!(unsafe { ikev2_scsi_builder_free(builder) }, CallResult::InvalidHandle);
}

/// An object that is found unfit stays where it is.
#[test]
fn what_is_not_taken_stays() {
    let mut builder = ptr::null_mut();
    // SAFETY: a place for a handle.
    assert_eq!(unsafe { ikev2_scsi_builder_new(1, &raw mut builder) }, CallResult::Ok);
    let refused = handles::take(builder, |_: &Plan| Err(Failure::argument("unfit")));
    assert_eq!(refused.err().map(|failure| failure.code), Some(CallResult::InvalidArgument));
    assert!(handles::take(builder, |_: &Plan| Ok(())).is_ok());
    let gone = handles::take(builder, |_: &Plan| Ok(()));
    assert_eq!(gone.err().map(|failure| failure.code), Some(CallResult::InvalidHandle));
}
