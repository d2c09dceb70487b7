//! Why there is no security association, in words for whoever types the command.

use std::fmt;

use ikev2_scsi::Dialect;
use ikev2_scsi::client::{ClientError, DeviceSense, Fault, Leftover, Step};
use thiserror::Error;

use crate::sense::Named;
use crate::transport::{TransportError, status};

/// What ended it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Cause {
    /// The protocol: a refusal, or an answer that is wrong.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The way to the logical unit.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A status after which the command is not sent again.
    #[error("{} ({status:02X}h)", status::name(*.status))]
    Status {
        /// The status.
        status: u8,
    },
    /// BUSY or TASK SET FULL, as often as it was asked.
    #[error("{} ({status:02X}h) after {tries} tries", status::name(*.status))]
    Busy {
        /// The last status.
        status: u8,
        /// How often the command was sent.
        tries: u32,
    },
    /// The command was put off for too long, or too often.
    #[error("put off {tries} times, for {milliseconds} ms: {sense}")]
    PutOff {
        /// The last sense data.
        sense: DeviceSense,
        /// How often the command was sent.
        tries: u32,
        /// Milliseconds waited.
        milliseconds: u128,
    },
    /// A Delete was refused: the association was no longer there, or not ours.
    #[error("refused: {0}")]
    DeleteRefused(DeviceSense),
    /// CHECK CONDITION in answer to a Delete, without sense data that could be read.
    #[error("CHECK CONDITION without sense data")]
    NoSense,
}

/// Why it did not work, and at which command.
#[derive(Debug)]
pub struct Error {
    /// The command.
    pub step: Step,
    /// What ended it.
    pub cause: Cause,
    /// The dialect spoken.
    pub dialect: Dialect,
}

impl Error {
    /// The sense data of a refusal.
    #[must_use]
    pub const fn sense(&self) -> Option<DeviceSense> {
        match &self.cause {
            Cause::Client(ClientError { fault: Fault::Refused(sense), .. }) => Some(*sense),
            Cause::PutOff { sense, .. } | Cause::DeleteRefused(sense) => Some(*sense),
            _ => None,
        }
    }

    /// What the device server may still have of it.
    #[must_use]
    pub const fn leftover(&self) -> Leftover {
        match (&self.cause, self.step) {
            (Cause::Client(error), _) => error.leftover,
            (Cause::DeleteRefused(_), _) | (_, Step::Capabilities | Step::KeyExchangeOut) => Leftover::Nothing,
            (_, Step::AuthenticationIn | Step::Delete) => Leftover::PerhapsAssociation,
            _ => Leftover::PerhapsSequence,
        }
    }

    /// What whoever sees this might want to know besides.
    fn advice(&self) -> Option<&'static str> {
        let asc = self.sense().map(|sense| (sense.key, sense.asc.code, sense.asc.qualifier));
        match (self.step, asc) {
            (Step::Capabilities, Some((5, 0x20, _))) => Some("the logical unit has no SECURITY PROTOCOL IN command"),
            (Step::Capabilities, Some((5, 0x24, _))) => {
                Some("the logical unit has the command, and no SA creation capabilities (protocol 40h)")
            }
            (Step::AuthenticationOut, Some((_, 0x74, 0x40))) => {
                Some("the device server does not tell why: compare both sides' identities and keys")
            }
            (Step::Delete, Some((5, ..))) => Some("it may have been deleted already, or run out unused"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.step)?;
        let named = |sense| Named { sense, dialect: Some(self.dialect) };
        match &self.cause {
            Cause::Client(ClientError { fault: Fault::Refused(sense), .. }) | Cause::DeleteRefused(sense) => {
                write!(f, "refused by the device server: {}", named(*sense))?;
            }
            Cause::Client(error) => error.fault.fmt(f)?,
            Cause::PutOff { sense, tries, milliseconds } => {
                write!(f, "put off {tries} times in {milliseconds} ms: {}", named(*sense))?;
            }
            cause => cause.fmt(f)?,
        }
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        match self.leftover() {
            Leftover::PerhapsSequence => {
                f.write_str("; the device server may wait for more until its protocol timeout")
            }
            Leftover::PerhapsAssociation => {
                f.write_str("; the device server may keep the association until its inactivity timeout")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
