//! Pre-shared keys (r3 7.7.4.6 a, d; readings R30, R31a).

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use thiserror::Error;

use super::{CryptoError, Prf, Secret};
use crate::memory;
use crate::wire::{Body, EmitError, IdType, Identification, Writer};

/// An identity, kept: ID TYPE and IDENTIFICATION DATA of an Identification payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// ID TYPE.
    pub id_type: IdType,
    /// IDENTIFICATION DATA.
    pub data: Box<[u8]>,
}

impl Identity {
    /// An identity of any type.
    #[must_use]
    pub fn new(id_type: IdType, data: &[u8]) -> Self {
        Self { id_type, data: Box::from(data) }
    }

    /// An identity of any type, where there may be no memory for it.
    ///
    /// # Errors
    /// [`CryptoError::Memory`].
    pub fn try_new(identity: Identification<'_>) -> Result<Self, CryptoError> {
        Ok(Self { id_type: identity.id_type, data: memory::boxed_copy_of(identity.data)? })
    }

    /// An identity of type ID_KEY_ID.
    #[must_use]
    pub fn key_id(data: &[u8]) -> Self {
        Self::new(IdType::KeyId, data)
    }

    /// The payload data that carries it.
    #[must_use]
    pub fn as_payload(&self) -> Identification<'_> {
        Identification { id_type: self.id_type, data: &self.data }
    }

    /// The payload data in bytes, reserved ones zero: what its owner signs of it (reading R29).
    ///
    /// # Errors
    /// [`EmitError`] cannot happen, since the buffer is made to measure; it is handed on rather than hidden.
    pub fn to_payload_data(&self) -> Result<Vec<u8>, EmitError> {
        let payload = self.as_payload();
        let mut bytes = vec![0; payload.len()];
        payload.emit(&mut Writer::new(&mut bytes))?;
        Ok(bytes)
    }
}

/// Which secret answered: it stays the same for as long as the secret does, and changes when the secret is replaced.
///
/// Initial Contact removes only SAs that were authenticated by the same key (reading R31a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyVersion(pub u64);

/// Why there is no keyed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PskError {
    /// Nobody by that identity has a key. The peer is told what it is told for a wrong key.
    #[error("no key for that identity")]
    Unknown,
    /// The key store failed (reading R40).
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The pre-shared keys of one side; they may stay inside an HSM.
///
/// Only prf(secret, pad) is ever asked for, never the secret.
pub trait PresharedKeys: Send + Sync {
    /// Whether there is a secret of our own. A device server without one does not offer to authenticate itself by shared
    /// key (USE bit zero).
    fn has_own(&self) -> bool {
        true
    }

    /// Writes prf(our own secret, `pad`) into `out`; `prf` has the output length of `out`.
    ///
    /// # Errors
    /// [`PskError::Unknown`] when we have none; [`PskError::Crypto`].
    fn own(&self, prf: &dyn Prf, pad: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError>;

    /// Writes prf(the secret of `peer`, `pad`) into `out`.
    ///
    /// For an unknown identity the caller computes the PRF once itself. A store that takes longer than that for a known one,
    /// such as an HSM, should spend the same on an unknown one, or the time tells whom it knows.
    ///
    /// # Errors
    /// [`PskError::Unknown`] for an unknown identity; [`PskError::Crypto`].
    fn peer(&self, peer: Identification<'_>, prf: &dyn Prf, pad: &[u8], out: &mut [u8])
    -> Result<KeyVersion, PskError>;
}

/// Why a key cannot be configured (r3 7.7.4.6 a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigureKeyError {
    /// The same bytes would authenticate both an application client and a device server.
    #[error("the same pre-shared key shall not authenticate both an application client and a device server")]
    BothSides,
    /// The key already belongs to another identity.
    #[error("a pre-shared key belongs to one identity")]
    Shared,
    /// The identity already has a key; remove it first.
    #[error("the identity already has a key")]
    Taken,
    /// A key of no bytes.
    #[error("a pre-shared key has at least one byte")]
    Empty,
}

/// Pre-shared keys in memory, for emulators, tests and small firmware.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    own: Option<Entry>,
    peers: Vec<(Identity, Entry)>,
    versions: u64,
}

#[derive(Debug)]
struct Entry {
    secret: Secret,
    version: KeyVersion,
}

impl Entry {
    /// True for a secret that authenticates what this one does: HMAC takes no notice of zero bytes at a key's end. Nothing but
    /// the answer depends on the secrets, which are compared as if the shorter one ended in zeros.
    fn is_same_as(&self, other: &Secret) -> bool {
        let length = self.secret.len().max(other.len());
        let lengthened = |secret: &Secret| {
            let mut all = Secret::zeroed(length);
            all.expose_mut().iter_mut().zip(secret.expose()).for_each(|(to, from)| *to = *from);
            all
        };
        lengthened(&self.secret) == lengthened(other)
    }
}

impl MemoryKeys {
    /// No keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the secret with which this side authenticates itself.
    ///
    /// # Errors
    /// [`ConfigureKeyError::BothSides`] when a peer has the same bytes; `Empty`.
    pub fn set_own(&mut self, secret: Secret) -> Result<(), ConfigureKeyError> {
        if secret.is_empty() {
            return Err(ConfigureKeyError::Empty);
        }
        if self.peers.iter().any(|(_, entry)| entry.is_same_as(&secret)) {
            return Err(ConfigureKeyError::BothSides);
        }
        let version = self.next_version();
        self.own = Some(Entry { secret, version });
        Ok(())
    }

    /// Adds the secret of one peer.
    ///
    /// # Errors
    /// [`ConfigureKeyError::BothSides`] for our own bytes, `Shared` for another peer's bytes, `Taken`, `Empty`.
    pub fn add_peer(&mut self, peer: Identification<'_>, secret: Secret) -> Result<(), ConfigureKeyError> {
        if secret.is_empty() {
            return Err(ConfigureKeyError::Empty);
        }
        if self.own.as_ref().is_some_and(|own| own.is_same_as(&secret)) {
            return Err(ConfigureKeyError::BothSides);
        }
        if self.find(peer).is_some() {
            return Err(ConfigureKeyError::Taken);
        }
        if self.peers.iter().any(|(_, entry)| entry.is_same_as(&secret)) {
            return Err(ConfigureKeyError::Shared);
        }
        let version = self.next_version();
        self.peers.push((Identity::new(peer.id_type, peer.data), Entry { secret, version }));
        Ok(())
    }

    /// Forgets the secret of a peer; tells whether there was one.
    pub fn remove_peer(&mut self, peer: Identification<'_>) -> bool {
        let before = self.peers.len();
        self.peers.retain(|(identity, _)| identity.as_payload() != peer);
        self.peers.len() != before
    }

    fn next_version(&mut self) -> KeyVersion {
        self.versions = self.versions.wrapping_add(1);
        KeyVersion(self.versions)
    }

    fn find(&self, peer: Identification<'_>) -> Option<&Entry> {
        self.peers.iter().find(|(identity, _)| identity.as_payload() == peer).map(|(_, entry)| entry)
    }
}

impl PresharedKeys for MemoryKeys {
    fn has_own(&self) -> bool {
        self.own.is_some()
    }

    fn own(&self, prf: &dyn Prf, pad: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError> {
        let entry = self.own.as_ref().ok_or(PskError::Unknown)?;
        prf.compute(entry.secret.expose(), &[pad], out)?;
        Ok(entry.version)
    }

    fn peer(
        &self,
        peer: Identification<'_>,
        prf: &dyn Prf,
        pad: &[u8],
        out: &mut [u8],
    ) -> Result<KeyVersion, PskError> {
        let entry = self.find(peer).ok_or(PskError::Unknown)?;
        prf.compute(entry.secret.expose(), &[pad], out)?;
        Ok(entry.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Identification<'static> = Identification { id_type: IdType::KeyId, data: b"client-1" };
    const B: Identification<'static> = Identification { id_type: IdType::KeyId, data: b"client-2" };

    #[test]
    fn one_key_belongs_to_one_identity() {
        let mut keys = MemoryKeys::new();
        keys.add_peer(A, Secret::copy_of(b"key a")).unwrap();
        assert_eq!(keys.add_peer(B, Secret::copy_of(b"key a")), Err(ConfigureKeyError::Shared));
        assert_eq!(keys.add_peer(A, Secret::copy_of(b"key b")), Err(ConfigureKeyError::Taken));
        assert_eq!(keys.add_peer(B, Secret::copy_of(b"")), Err(ConfigureKeyError::Empty));
        assert!(keys.remove_peer(A) && !keys.remove_peer(A));
        keys.add_peer(B, Secret::copy_of(b"key a")).unwrap();
    }

    #[test]
    fn zero_bytes_at_the_end_make_no_other_key() {
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::copy_of(b"same\0")).unwrap();
        assert_eq!(keys.add_peer(A, Secret::copy_of(b"same")), Err(ConfigureKeyError::BothSides));
        keys.add_peer(A, Secret::copy_of(b"\0same")).unwrap();
        assert_eq!(keys.add_peer(B, Secret::copy_of(b"\0same\0\0")), Err(ConfigureKeyError::Shared));
    }

    #[test]
    fn client_and_device_server_never_share_a_key() {
        let mut keys = MemoryKeys::new();
        keys.set_own(Secret::copy_of(b"same")).unwrap();
        assert_eq!(keys.add_peer(A, Secret::copy_of(b"same")), Err(ConfigureKeyError::BothSides));
        let mut keys = MemoryKeys::new();
        keys.add_peer(A, Secret::copy_of(b"same")).unwrap();
        assert_eq!(keys.set_own(Secret::copy_of(b"same")), Err(ConfigureKeyError::BothSides));
    }
}
