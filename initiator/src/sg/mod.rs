//! SCSI devices of this machine, by the SG_IO ioctl of Linux: `/dev/sgN`, and what else takes it (`/dev/sdX`, `/dev/nstN`).
//!
//! What lives here: statuses, residuals, and what a driver says instead of a status. What does not: I_T nexuses, which are the
//! system's: it has one to each logical unit, and all processes share it.

mod ffi;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::transport::{Answer, Transport, TransportError, status};
use ffi::{Ended, SgCommand, SgIo};

/// The first version of the driver with SG_IO.
const OLDEST: i32 = 30_000;
/// DID_NO_CONNECT: the device is gone.
const NO_CONNECT: u16 = 0x01;
/// DID_TIME_OUT.
const TIME_OUT: u16 = 0x03;
/// DID_RESET: a reset ended the command, and what the device server kept for the nexus.
const RESET: u16 = 0x08;
/// The part of `driver_status` that is a code, and its values.
const DRIVER_CODE: u16 = 0x0F;
const DRIVER_TIMEOUT: u16 = 0x06;
const DRIVER_SENSE: u16 = 0x08;

/// A SCSI device of this machine.
#[derive(Debug)]
pub struct Sg {
    device: Box<dyn SgIo>,
    timeout: Duration,
}

impl Sg {
    /// Opens a device, for reading and writing, as commands with Data-Out need it.
    ///
    /// # Errors
    /// [`TransportError::Connect`].
    pub fn open(path: &Path, timeout: Duration) -> Result<Self, TransportError> {
        let connect = |reason: String| TransportError::Connect { target: path.display().to_string(), reason };
        // Without O_NONBLOCK a tape drive is opened only when it has a tape.
        let opened = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
        let mut device: Box<dyn SgIo> = Box::new(opened.map_err(|error| connect(error.to_string()))?);
        match device.version() {
            Ok(version) if version >= OLDEST => Ok(Self { device, timeout }),
            Ok(version) => Err(connect(format!("its driver is of version {version}, without SG_IO"))),
            Err(error) => Err(connect(format!("no SCSI device: {error}"))),
        }
    }

    fn answer(&self, ended: Ended, room: usize) -> Result<Answer, TransportError> {
        let Ended { status, host_status, driver_status, resid, sense } = ended;
        let driver = driver_status & DRIVER_CODE;
        match (host_status, driver) {
            (TIME_OUT, _) | (_, DRIVER_TIMEOUT) => {
                let seconds = u32::try_from(self.timeout.as_secs()).unwrap_or(u32::MAX);
                return Err(TransportError::TimedOut { seconds });
            }
            (NO_CONNECT, _) => return Err(TransportError::Lost("the device is gone".into())),
            (RESET, _) => return Err(TransportError::Lost("the device was reset".into())),
            (0, 0 | DRIVER_SENSE) => {}
            _ => return Err(TransportError::Ended(format!("host status {host_status:02X}h, driver {driver:02X}h"))),
        }
        // Some drivers hand over sense data, and leave the status to be understood.
        let has_sense = driver == DRIVER_SENSE && !sense.is_empty();
        let status = if status == status::GOOD && has_sense { status::CHECK_CONDITION } else { status };
        // A residual of less than nothing tells of bytes that did not fit.
        let missing = usize::try_from(resid).unwrap_or(0);
        let is_check = status == status::CHECK_CONDITION;
        let data_in_len = if is_check { 0 } else { room.saturating_sub(missing) };
        Ok(Answer { status, data_in_len, sense: if is_check { sense } else { Vec::new() } })
    }
}

impl Transport for Sg {
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
        let milliseconds = u32::try_from(self.timeout.as_millis()).unwrap_or(u32::MAX);
        let room = data_in.len();
        let ended = self.device.sg_io(&mut SgCommand { cdb, data_out, data_in, milliseconds });
        let ended = ended.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => TransportError::TooLong { bytes: room.max(data_out.len()) },
            _ => TransportError::System { operation: "SG_IO", error },
        })?;
        self.answer(ended, room)
    }

    fn renew_nexus(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Unsupported("make a new I_T nexus: it is the system's"))
    }

    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
        Err(TransportError::Unsupported("make a second I_T nexus: the system has one for all"))
    }
}

#[cfg(test)]
mod tests;
