//! Slow work as a value (r3 5.13.7): a [`Job`] runs on any thread, core, accelerator or HSM queue.
//!
//! A job owns all that it needs and touches nothing of the server. Its number is never used twice, so that the result of
//! a job whose sequence is gone is told from that of a later one; and it knows its server, so that a result proves nothing
//! to another one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::crypto::{CryptoError, DhGroup, Proof, PskError, Secret};
use crate::keys::{OwnAuth, PeerCheck, PeerError};

/// The number of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(crate) u64);

/// The device server that made a job. Numbers alone would not do: each server counts its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owner(Arc<()>);

impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
    Verify(Box<PeerCheck>),
    Sign(Box<OwnAuth>),
}

#[derive(Debug)]
pub(crate) enum WorkResult {
    KeyExchange(Result<Agreed, KeyExchangeWork>),
    Verify(Result<Proof, PeerError>),
    Sign(Result<Secret, PskError>),
}

/// Our private value and the application client's public one.
pub(crate) struct KeyExchangeWork {
    pub(crate) group: &'static dyn DhGroup,
    pub(crate) private: Secret,
    pub(crate) peer: Bytes,
}

impl fmt::Debug for KeyExchangeWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchangeWork({:?})", self.group)
    }
}

/// Our public value and the shared secret; and the work, should the keys fail to be derived from it.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) public: Vec<u8>,
    pub(crate) shared: Secret,
    pub(crate) work: KeyExchangeWork,
}

impl KeyExchangeWork {
    /// Gives the work back when the provider fails, so that it can be tried again.
    pub(crate) fn run(self) -> Result<Agreed, Self> {
        match self.agree() {
            Ok((public, shared)) => Ok(Agreed { public, shared, work: self }),
            Err(_) => Err(self),
        }
    }

    fn agree(&self) -> Result<(Vec<u8>, Secret), CryptoError> {
        let mut public = vec![0; self.group.public_length()];
        let mut shared = Secret::zeroed(self.group.shared_length());
        self.group.exchange(self.private.expose(), &self.peer, &mut public, shared.expose_mut())?;
        Ok((public, shared))
    }
}
