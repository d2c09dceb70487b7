//! One command to a logical unit, and how it ended (SAM-4 5.3.1 of the status codes).
//!
//! What lives here: the seam between the protocol and what carries it. What does not: repeating a command that was put
//! off, which is for the caller to decide.

use std::fmt;
use std::io;

use ikev2_scsi::client::Command;
use ikev2_scsi::wire::Direction;
use thiserror::Error;

/// SCSI status codes.
pub mod status {
    /// GOOD.
    pub const GOOD: u8 = 0x00;
    /// CHECK CONDITION: there are sense data.
    pub const CHECK_CONDITION: u8 = 0x02;
    /// BUSY: the same command later.
    pub const BUSY: u8 = 0x08;
    /// RESERVATION CONFLICT: another I_T nexus has a reservation.
    pub const RESERVATION_CONFLICT: u8 = 0x18;
    /// TASK SET FULL: the same command later.
    pub const TASK_SET_FULL: u8 = 0x28;
    /// ACA ACTIVE.
    pub const ACA_ACTIVE: u8 = 0x30;
    /// TASK ABORTED: another I_T nexus ended the command.
    pub const TASK_ABORTED: u8 = 0x40;

    /// The name of a status code.
    #[must_use]
    pub const fn name(code: u8) -> &'static str {
        match code {
            GOOD => "GOOD",
            CHECK_CONDITION => "CHECK CONDITION",
            0x04 => "CONDITION MET",
            BUSY => "BUSY",
            RESERVATION_CONFLICT => "RESERVATION CONFLICT",
            TASK_SET_FULL => "TASK SET FULL",
            ACA_ACTIVE => "ACA ACTIVE",
            TASK_ABORTED => "TASK ABORTED",
            _ => "an unknown status",
        }
    }
}

/// How a command ended, as the logical unit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// SCSI status: 00h GOOD, 02h CHECK CONDITION; [`status`].
    pub status: u8,
    /// Bytes of Data-In that were transferred, at most those of the buffer.
    pub data_in_len: usize,
    /// Sense data, fixed or descriptor format; empty without CHECK CONDITION.
    pub sense: Vec<u8>,
}

/// Why it is not known how a command ended, or why there is no way to the logical unit.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// There is no connection, or no session on it, or no such device.
    #[error("no way to {target}: {reason}")]
    Connect {
        /// What was to be reached, without secrets.
        target: String,
        /// What the transport says.
        reason: String,
    },
    /// The command was not answered in time. The device server may have processed it or not.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// Seconds waited.
        seconds: u32,
    },
    /// The I_T nexus was lost while the command was out; what the device server kept for it is gone.
    #[error("the I_T nexus was lost: {0}")]
    Lost(String),
    /// The command did not reach the logical unit, or the way back was broken.
    #[error("{operation}: {error}")]
    System {
        /// The call.
        operation: &'static str,
        /// What the operating system says.
        error: io::Error,
    },
    /// The transport or its driver ended the command without a SCSI status.
    #[error("the transport ended the command: {0}")]
    Ended(String),
    /// More bytes than the transport can carry with one command.
    #[error("{bytes} bytes are more than this transport carries with one command")]
    TooLong {
        /// Bytes asked for.
        bytes: usize,
    },
    /// Something that this transport cannot do.
    #[error("this transport cannot {0}")]
    Unsupported(&'static str),
}

/// One command to a logical unit and how it ended.
pub trait Transport {
    /// Sends `cdb` with Data-Out, receives at most `data_in.len()` bytes. Of Data-Out and Data-In at least one is empty.
    ///
    /// # Errors
    /// [`TransportError`], where there is no SCSI status. CHECK CONDITION and BUSY are answers, and no errors.
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError>;

    /// Ends the I_T nexus and makes a new one, where the transport can.
    ///
    /// # Errors
    /// [`TransportError::Unsupported`], and what [`Transport::execute`] may say.
    fn renew_nexus(&mut self) -> Result<(), TransportError>;

    /// A second I_T nexus to the same logical unit, where the transport can.
    ///
    /// # Errors
    /// [`TransportError::Unsupported`], and what [`Transport::execute`] may say.
    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError>;
}

impl fmt::Debug for dyn Transport + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

/// A command of the application client, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// SCSI status; [`status`].
    pub status: u8,
    /// The Data-In that was transferred.
    pub data_in: Vec<u8>,
    /// Sense data, fixed or descriptor format; empty without CHECK CONDITION.
    pub sense: Vec<u8>,
}

/// Sends a command of the application client once.
///
/// # Errors
/// [`TransportError`].
pub fn execute_command(transport: &mut dyn Transport, command: &Command) -> Result<Executed, TransportError> {
    let room = match command.cdb.direction {
        Direction::In => usize::try_from(command.cdb.length).unwrap_or(usize::MAX),
        Direction::Out => 0,
    };
    // The longest allocation length that a CDB can say is no reason to take that much memory.
    if room > MOST_DATA_IN {
        return Err(TransportError::TooLong { bytes: room });
    }
    let mut data_in = vec![0; room];
    let answer = transport.execute(&command.cdb.to_bytes(), &command.data_out, &mut data_in)?;
    data_in.truncate(answer.data_in_len);
    Ok(Executed { status: answer.status, data_in, sense: answer.sense })
}

/// Bytes of Data-In of one command, at most: a thousand times what the protocol needs.
const MOST_DATA_IN: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use ikev2_scsi::wire::{Cdb, protocol, specific};

    /// Answers with a status, as many bytes of Data-In as it was told, and tells what it was sent.
    #[derive(Debug)]
    struct Scripted {
        answer: Answer,
        cdb: Vec<u8>,
        data_out: Vec<u8>,
        room: usize,
    }

    impl Transport for Scripted {
        fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
            (self.cdb, self.data_out, self.room) = (cdb.to_vec(), data_out.to_vec(), data_in.len());
            data_in.iter_mut().for_each(|byte| *byte = 0x5A);
            Ok(self.answer.clone())
        }

        fn renew_nexus(&mut self) -> Result<(), TransportError> {
            Err(TransportError::Unsupported("make a new I_T nexus"))
        }

        fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
            Err(TransportError::Unsupported("make a second I_T nexus"))
        }
    }

    fn scripted(status: u8, data_in_len: usize) -> Scripted {
        let answer = Answer { status, data_in_len, sense: vec![0x72] };
        Scripted { answer, cdb: Vec::new(), data_out: Vec::new(), room: 0 }
    }

    #[test]
    fn a_command_goes_out_with_room_for_its_allocation_length() {
        let mut transport = scripted(status::GOOD, 3);
        let command = Command {
            cdb: Cdb::new(Direction::In, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES, 100),
            data_out: Vec::new().into(),
        };
        let executed = execute_command(&mut transport, &command).unwrap();
        assert_eq!(executed, Executed { status: 0, data_in: vec![0x5A; 3], sense: vec![0x72] });
        assert_eq!(transport.cdb, [0xA2, 0x40, 0x01, 0x01, 0, 0, 0, 0, 0, 100, 0, 0]);
        assert_eq!((transport.data_out.len(), transport.room), (0, 100));
    }

    #[test]
    fn a_command_out_has_no_data_in() {
        let mut transport = scripted(status::CHECK_CONDITION, 0);
        let command = Command {
            cdb: Cdb::new(Direction::Out, protocol::IKEV2_SCSI, specific::DELETE, 4),
            data_out: vec![1, 2, 3, 4].into(),
        };
        let executed = execute_command(&mut transport, &command).unwrap();
        assert_eq!((executed.status, executed.data_in.len()), (2, 0));
        assert_eq!((transport.data_out, transport.room), (vec![1, 2, 3, 4], 0));
    }

    #[test]
    fn no_gigabytes_for_a_length() {
        let command = Command { cdb: Cdb::new(Direction::In, 0x41, 0x0102, u32::MAX), data_out: Vec::new().into() };
        let refused = execute_command(&mut scripted(0, 0), &command);
        assert!(matches!(refused, Err(TransportError::TooLong { .. })));
    }
}
