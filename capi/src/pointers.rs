//! Every access to memory of the caller.
//!
//! Nothing of it is kept, and no reference into it lives while anything else runs: bytes are copied in before the work, and out
//! after it. So buffers may overlap, need not be initialized where they are only written, and may be changed by a callback.
//! What cannot be checked is the caller's to keep: that a pointer which is not NULL points to as much memory as it says.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;
use std::ptr;

use crate::boundary::Failure;
use crate::codes::CallResult;

fn null(name: &str) -> Failure {
    Failure::new(CallResult::NullPointer, format!("{name} is NULL"))
}

/// Checks that an array may be where it is said to be.
fn check<T>(name: &str, place: *const T, length: usize) -> Result<(), Failure> {
    if place.is_null() {
        return Err(null(name));
    }
    if !place.is_aligned() {
        return Err(Failure::new(CallResult::NullPointer, format!("{name} is not aligned")));
    }
    // An object of C is not larger than this, and does not go past the end of memory.
    let bytes = length.checked_mul(size_of::<T>()).filter(|bytes| isize::try_from(*bytes).is_ok());
    let end = bytes.and_then(|bytes| place.addr().checked_add(bytes));
    end.map(drop).ok_or_else(|| Failure::argument(format!("{name} cannot have a length of {length}")))
}

/// A copy of an array; NULL is an array of nothing.
///
/// # Safety
/// If `place` is neither NULL nor misaligned, `length` values of C can be read there.
pub(crate) unsafe fn array<T: Copy>(name: &str, place: *const T, length: usize) -> Result<Vec<T>, Failure> {
    if length == 0 {
        return Ok(Vec::new());
    }
    check(name, place, length)?;
    let mut copy = Vec::new();
    copy.try_reserve_exact(length).map_err(|_| Failure::memory())?;
    // SAFETY: not NULL, aligned, and of a possible size; that so much can be read there is the caller's promise. The slice ends
    // with this statement, and in it nothing but this copy runs.
    copy.extend_from_slice(unsafe { std::slice::from_raw_parts(place, length) });
    Ok(copy)
}

/// A copy of bytes.
///
/// # Safety
/// As [`array`].
pub(crate) unsafe fn bytes(name: &str, place: *const u8, length: usize) -> Result<Vec<u8>, Failure> {
    // SAFETY: the caller's promise is the same.
    unsafe { array(name, place, length) }
}

/// A copy of one value.
///
/// # Safety
/// If `place` is neither NULL nor misaligned, a value of C can be read there.
pub(crate) unsafe fn value<T: Copy>(name: &str, place: *const T) -> Result<T, Failure> {
    check(name, place, 1)?;
    // SAFETY: not NULL and aligned; that a value is there is the caller's promise.
    Ok(unsafe { ptr::read(place) })
}

/// A copy of a string.
///
/// # Safety
/// If `place` is not NULL, a string that ends with NUL is there.
unsafe fn string(name: &str, place: *const c_char) -> Result<Vec<u8>, Failure> {
    if place.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL; that a NUL follows is the caller's promise. The reference ends with this statement.
    Ok(unsafe { CStr::from_ptr(place) }.to_bytes().to_vec())
}

/// A path.
///
/// # Safety
/// As [`string`].
pub(crate) unsafe fn path(name: &str, place: *const c_char) -> Result<PathBuf, Failure> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { string(name, place) }?;
    #[cfg(unix)]
    let path = <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes);
    #[cfg(not(unix))]
    let path = String::from_utf8(bytes).map_err(|_| Failure::argument(format!("{name} is not UTF-8")))?;
    Ok(path.into())
}

/// Where a value goes. It is checked before the work, so that nothing is done whose result nobody gets.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// If `place` is neither NULL nor misaligned, a value of C can be written there until the call ends.
    pub(crate) unsafe fn new(name: &str, place: *mut T) -> Result<Self, Failure> {
        check(name, place, 1)?;
        Ok(Self(place))
    }

    /// The places of an array; none for NULL and a length of zero.
    ///
    /// # Safety
    /// If `place` is neither NULL nor misaligned, `length` values of C can be written there until the call ends.
    pub(crate) unsafe fn array(
        name: &str,
        place: *mut T,
        length: usize,
    ) -> Result<impl Iterator<Item = Self> + use<T>, Failure> {
        if length > 0 {
            check(name, place, length)?;
        }
        Ok((0..length).map(move |index| Self(place.wrapping_add(index))))
    }

    /// The same, where NULL means that nobody wants the value.
    ///
    /// # Safety
    /// As [`Out::new`].
    pub(crate) unsafe fn optional(name: &str, place: *mut T) -> Result<Option<Self>, Failure> {
        if place.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's promise is the same.
        unsafe { Self::new(name, place) }.map(Some)
    }

    /// Writes the value. It may be written twice.
    pub(crate) fn set(&self, value: T) {
        // SAFETY: checked when this was made, and promised by the caller then. What was there has no destructor, for it is C's.
        unsafe { ptr::write(self.0, value) }
    }
}

/// Where bytes go.
pub(crate) struct Buffer {
    place: *mut u8,
    pub(crate) length: usize,
}

impl Buffer {
    /// # Safety
    /// If `place` is not NULL, `length` bytes can be written there until the call ends.
    pub(crate) unsafe fn new(name: &str, place: *mut u8, length: usize) -> Result<Self, Failure> {
        if length > 0 {
            check(name, place, length)?;
        }
        Ok(Self { place, length })
    }

    /// Writes as many of the bytes as there is room for, and tells how many.
    pub(crate) fn put(&self, bytes: &[u8]) -> usize {
        let length = bytes.len().min(self.length);
        if length > 0 {
            // SAFETY: with a length above zero this was checked when it was made, and promised by the caller then. `bytes` is
            // memory of ours, which the caller's does not overlap.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.place, length) }
        }
        length
    }
}
