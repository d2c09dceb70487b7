//! The recorded random values of a provisioning, for the n-th command sequence that begins; after them, the system's.

use std::collections::BTreeMap;

use ikev2_scsi::crypto::{Purpose, Random, RandomError};
use ikev2_scsi::server::NexusId;

use super::member::{Fault, Member};

/// What one command sequence draws.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) ds_sai: Vec<u8>,
    pub(crate) dh_private: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) iv: Vec<u8>,
}

impl Values {
    /// Reads one element of `random.ccs`.
    pub(crate) fn read(member: &Member<'_>) -> Result<Self, Fault> {
        let bytes = |name| member.get(name).read::<Vec<u8>>().map(Option::unwrap_or_default);
        Ok(Self {
            ds_sai: bytes("ds_sai")?,
            dh_private: bytes("dh_private")?,
            nonce: bytes("nonce")?,
            iv: bytes("iv")?,
        })
    }

    fn of(&self, purpose: Purpose) -> Option<&[u8]> {
        match purpose {
            Purpose::DsSai => Some(&self.ds_sai),
            Purpose::DhPrivate => Some(&self.dh_private),
            Purpose::Nonce => Some(&self.nonce),
            Purpose::Iv => Some(&self.iv),
            _ => None,
        }
    }
}

/// A random source that replays.
///
/// A command sequence uses its values up when it begins, so that a refused key exchange OUT leaves them for the next
/// one; its IV waits for the authentication IN of its nexus. The system's randomness serves a second draw of the same
/// kind in one command (the recorded value was not wanted), and a draw of another length than the recorded one.
#[derive(Debug)]
pub(crate) struct Script {
    values: Vec<Values>,
    /// Command sequences that have begun.
    begun: usize,
    /// The number of the sequence that last began on a nexus.
    of_nexus: BTreeMap<NexusId, usize>,
    nexus: NexusId,
    drawn: Vec<Purpose>,
}

impl Script {
    pub(crate) const fn new(values: Vec<Values>) -> Self {
        Self { values, begun: 0, of_nexus: BTreeMap::new(), nexus: NexusId(0), drawn: Vec::new() }
    }

    /// To be called before each command.
    pub(crate) fn before_command(&mut self, nexus: NexusId) {
        self.nexus = nexus;
        self.drawn.clear();
    }

    /// To be called after each command: only one that begins a command sequence draws an SAI and is GOOD.
    pub(crate) fn after_command(&mut self, is_good: bool) {
        if is_good && self.drawn.contains(&Purpose::DsSai) {
            self.of_nexus.insert(self.nexus, self.begun);
            self.begun = self.begun.saturating_add(1);
        }
    }

    /// The recorded value for a draw, the first of its kind in this command.
    fn next(&mut self, purpose: Purpose) -> Option<&[u8]> {
        let is_first = !self.drawn.contains(&purpose);
        self.drawn.push(purpose);
        let sequence = match purpose {
            Purpose::Iv => *self.of_nexus.get(&self.nexus)?,
            _ => self.begun,
        };
        let value = self.values.get(sequence)?.of(purpose)?;
        is_first.then_some(value)
    }
}

fn from_system(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

impl Random for Script {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        match self.next(purpose) {
            Some(value) if value.len() == out.len() => {
                out.copy_from_slice(value);
                Ok(())
            }
            _ => from_system(out),
        }
    }

    fn dh_private_length(&self, length: usize) -> usize {
        let recorded = self.values.get(self.begun).and_then(|values| values.of(Purpose::DhPrivate));
        recorded.map(<[u8]>::len).filter(|length| *length > 0).unwrap_or(length)
    }
}
