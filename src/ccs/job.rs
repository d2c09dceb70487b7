//! Slow work as a value (r3 5.13.7): a [`Job`] runs on any thread, core, accelerator or HSM queue.
//!
//! A job owns all that it needs and touches nothing of the server. Its number is never used twice, so that the result of
//! a job whose sequence is gone is told from that of a later one; and it knows its server, so that a result proves nothing
//! to another one.

use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::key_exchange::Secrets;
use crate::crypto::{CryptoError, DhGroup, Proof, PskError, Secret};
use crate::keys::{OwnAuthWork, PeerCheckWork, PeerError};
use crate::memory;

/// The number of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(crate) u64);

impl JobId {
    /// The number itself, for embedders who keep it where there is no such type; no other job of the device server has it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The device server that made a job. Numbers of jobs alone would not do: each server counts its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(usize);

impl Owner {
    /// One that no other device server of this process has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobKind {
    /// Both exponentiations of a Diffie-Hellman exchange.
    KeyExchange,
    /// Checks the application client's AUTH.
    Verify,
    /// Makes the device server's AUTH.
    Sign,
}

/// A piece of slow work.
#[derive(Debug)]
#[must_use = "a job that is neither run nor failed leaves its command unanswered"]
pub struct Job {
    pub(crate) id: JobId,
    pub(crate) owner: Owner,
    pub(crate) work: Work,
}

/// A finished job, for `DeviceServer::complete`.
#[derive(Debug)]
#[must_use = "the result of a job must be given back to the server"]
pub struct JobDone {
    pub(crate) id: JobId,
    pub(crate) owner: Owner,
    pub(crate) result: WorkResult,
}

impl Job {
    /// The job's number.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// What the job does.
    #[must_use]
    pub const fn kind(&self) -> JobKind {
        match self.work {
            Work::KeyExchange(_) => JobKind::KeyExchange,
            Work::Verify(_) => JobKind::Verify,
            Work::Sign(_) => JobKind::Sign,
        }
    }

    /// Does the work. It takes as long as it takes, and gives its result in every case.
    pub fn run(self) -> JobDone {
        let result = match self.work {
            Work::KeyExchange(work) => WorkResult::KeyExchange(work.run()),
            Work::Verify(work) => WorkResult::Verify(work.run()),
            Work::Sign(work) => WorkResult::Sign(work.run()),
        };
        JobDone { id: self.id, owner: self.owner, result }
    }

    /// The job could not be run: a queue is full, or a device is gone. Its command is refused with HARDWARE ERROR and may be
    /// sent again (reading R40).
    pub fn fail(self) -> JobDone {
        let result = match self.work {
            Work::KeyExchange(work) => WorkResult::KeyExchange(Err(work)),
            Work::Verify(_) => WorkResult::Verify(Err(PeerError::Crypto(CryptoError::Device))),
            Work::Sign(_) => WorkResult::Sign(Err(PskError::Crypto(CryptoError::Device))),
        };
        JobDone { id: self.id, owner: self.owner, result }
    }
}

impl JobDone {
    /// The number of the job that this is the result of.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }
}

#[derive(Debug)]
pub(crate) enum Work {
    KeyExchange(KeyExchangeWork),
    Verify(PeerCheckWork),
    Sign(OwnAuthWork),
}

#[derive(Debug)]
pub(crate) enum WorkResult {
    KeyExchange(Result<KeyExchangeWork, KeyExchangeWork>),
    Verify(Result<Proof, PeerError>),
    Sign(Result<Secret, PskError>),
}

/// A Diffie-Hellman calculation: our private value, the application client's public one, and room for the results.
pub(crate) struct KeyExchangeWork {
    pub(super) group: &'static dyn DhGroup,
    pub(super) secrets: Secrets,
    pub(super) peer: Vec<u8>,
    pub(super) public: Vec<u8>,
}

impl fmt::Debug for KeyExchangeWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchangeWork({:?})", self.group)
    }
}

impl KeyExchangeWork {
    pub(super) fn new(group: &'static dyn DhGroup, secrets: Secrets, peer: &[u8]) -> Result<Self, CryptoError> {
        let public = memory::zeroed(group.public_length())?;
        Ok(Self { group, secrets, peer: memory::copy_of(peer)?, public })
    }

    /// What a test compares.
    #[cfg(test)]
    pub(crate) fn secrets(&self) -> &[u8] {
        self.secrets.expose()
    }

    /// Gives the work back when the provider fails, so that it can be tried again.
    pub(crate) fn run(mut self) -> Result<Self, Self> {
        match self.secrets.exchange(self.group, &self.peer, &mut self.public) {
            Ok(()) => Ok(self),
            Err(_) => Err(self),
        }
    }
}
