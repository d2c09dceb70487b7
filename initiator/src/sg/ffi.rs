//! The SG_IO ioctl of Linux, version 3 of its interface.
#![allow(unsafe_code, reason = "an ioctl is a call of C")]

use std::ffi::{c_int, c_uchar, c_uint, c_ushort, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

/// `struct sg_io_hdr`.
#[repr(C)]
struct Header {
    interface_id: c_int,
    dxfer_direction: c_int,
    cmd_len: c_uchar,
    mx_sb_len: c_uchar,
    iovec_count: c_ushort,
    dxfer_len: c_uint,
    dxferp: *mut c_void,
    cmdp: *const c_uchar,
    sbp: *mut c_uchar,
    timeout: c_uint,
    flags: c_uint,
    pack_id: c_int,
    usr_ptr: *mut c_void,
    status: c_uchar,
    masked_status: c_uchar,
    msg_status: c_uchar,
    sb_len_wr: c_uchar,
    host_status: c_ushort,
    driver_status: c_ushort,
    resid: c_int,
    duration: c_uint,
    info: c_uint,
}

const SG_GET_VERSION_NUM: c_uint = 0x2282;
const SG_IO: c_uint = 0x2285;
/// Which interface it is: the letter S.
const INTERFACE: c_int = 0x53;
const DXFER_NONE: c_int = -1;
const DXFER_TO_DEVICE: c_int = -2;
const DXFER_FROM_DEVICE: c_int = -3;

/// Bytes of sense data, at most: those of every sense data of SPC-4.
pub(super) const SENSE: usize = 252;

/// One command for the ioctl.
pub(super) struct SgCommand<'a> {
    pub(super) cdb: &'a [u8],
    pub(super) data_out: &'a [u8],
    pub(super) data_in: &'a mut [u8],
    pub(super) milliseconds: u32,
}

/// What the ioctl tells of a command, by the names of `struct sg_io_hdr`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ended {
    pub(super) status: u8,
    pub(super) host_status: u16,
    pub(super) driver_status: u16,
    pub(super) resid: i32,
    pub(super) sense: Vec<u8>,
}

/// Whoever executes ioctls: the system, or a test.
pub(super) trait SgIo: std::fmt::Debug {
    /// SG_IO.
    fn sg_io(&mut self, command: &mut SgCommand<'_>) -> io::Result<Ended>;
    /// SG_GET_VERSION_NUM: which driver it is.
    fn version(&mut self) -> io::Result<i32>;
}

impl SgIo for File {
    fn sg_io(&mut self, command: &mut SgCommand<'_>) -> io::Result<Ended> {
        let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let (direction, data, length): (_, *mut c_void, _) = match (command.data_out, &mut *command.data_in) {
            ([], []) => (DXFER_NONE, null_mut(), 0),
            ([], room) => (DXFER_FROM_DEVICE, room.as_mut_ptr().cast(), room.len()),
            (data, _) => (DXFER_TO_DEVICE, data.as_ptr().cast_mut().cast(), data.len()),
        };
        let mut sense = [0; SENSE];
        let mut header = Header {
            interface_id: INTERFACE,
            dxfer_direction: direction,
            cmd_len: u8::try_from(command.cdb.len()).map_err(too_long)?,
            mx_sb_len: u8::try_from(SENSE).map_err(too_long)?,
            iovec_count: 0,
            dxfer_len: c_uint::try_from(length).map_err(too_long)?,
            dxferp: data,
            cmdp: command.cdb.as_ptr(),
            sbp: sense.as_mut_ptr(),
            timeout: command.milliseconds,
            flags: 0,
            pack_id: 0,
            usr_ptr: null_mut(),
            status: 0,
            masked_status: 0,
            msg_status: 0,
            sb_len_wr: 0,
            host_status: 0,
            driver_status: 0,
            resid: 0,
            duration: 0,
            info: 0,
        };
        // SAFETY: an open file; a header whose pointers and lengths are those of slices that live until the call returns. The
        // kernel writes to Data-In and to the sense buffer only, and reads Data-Out.
        let result = unsafe { libc::ioctl(self.as_raw_fd(), SG_IO.into(), &raw mut header) };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        let written = sense.get(..usize::from(header.sb_len_wr)).unwrap_or(&sense);
        Ok(Ended {
            status: header.status,
            host_status: header.host_status,
            driver_status: header.driver_status,
            resid: header.resid,
            sense: written.to_vec(),
        })
    }

    fn version(&mut self) -> io::Result<i32> {
        let mut version: c_int = 0;
        // SAFETY: an open file, and an integer that the kernel writes.
        let result = unsafe { libc::ioctl(self.as_raw_fd(), SG_GET_VERSION_NUM.into(), &raw mut version) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    /// The layout of Linux on machines of 64 bits, from the offsets in its documentation of `sg_io_hdr`: 88 bytes.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_header_is_laid_out_as_linux_has_it() {
        assert_eq!(size_of::<Header>(), 88);
        let offsets = [
            offset_of!(Header, dxfer_len),
            offset_of!(Header, dxferp),
            offset_of!(Header, cmdp),
            offset_of!(Header, sbp),
            offset_of!(Header, timeout),
            offset_of!(Header, usr_ptr),
            offset_of!(Header, status),
            offset_of!(Header, sb_len_wr),
            offset_of!(Header, host_status),
            offset_of!(Header, resid),
            offset_of!(Header, info),
        ];
        assert_eq!(offsets, [12, 16, 24, 32, 40, 56, 64, 67, 68, 72, 80]);
    }
}
