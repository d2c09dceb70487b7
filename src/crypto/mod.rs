//! What the protocol asks of the embedder's cryptography.
//!
//! Everything here is a trait over byte slices, made for `&'static dyn` lists ([`CryptoProvider`]): the linker drops
//! what is not listed, an embedder with an HSM or an accelerator implements what it has, and no foreign crate's trait
//! is part of the seam. The ready-made implementations are [`crate::provider`] (feature `rustcrypto`) and
//! `crate::aws_lc` (feature `aws-lc-rs`).
//!
//! What lives here: the traits, the provider's lists, [`Secret`], the choice of one algorithm of each kind
//! ([`Suite`]). What does not: algorithm numbers (room `algorithm`), key derivation (room `keys`).

mod certificate;
mod cipher;
#[cfg(feature = "conformance")]
pub mod conformance;
mod credentials;
mod dh;
mod integrity;
mod means;
mod prf;
mod psk;
mod random;
mod secret;
mod signature;

pub use certificate::{
    AuthorityHash, CertificateError, CertificateValidator, CertificateWish, IdentityMap, KnownKeys, PeerClaim,
};
pub use cipher::Cipher;
pub use credentials::{CertificateRequests, Credential, CredentialError, Presentation, Proof};
pub(crate) use credentials::{Credentials, OwnChoice};
pub use dh::DhGroup;
pub use integrity::Integrity;
pub(crate) use means::{Hashes, Judges, Means, OwnMeans, OwnedJudges, Shared};
pub(crate) use prf::MAX_OUTPUT;
pub use prf::{Prf, SEED_PARTS, expand_with};
pub use psk::{ConfigureKeyError, Identity, KeyVersion, MemoryKeys, PresharedKeys, PskError};
#[cfg(feature = "rand_core")]
pub use random::RandCore;
pub(crate) use random::draw_sai;
pub use random::{Purpose, Random, RandomError};
pub use secret::{HexError, Secret};
pub(crate) use signature::{Decoy, HAS_SIGNATURES};
pub use signature::{HashKind, KeyKind, PublicKey, SignatureScheme, Signer, Verifier};

use thiserror::Error;

use crate::memory::{self, OutOfMemory};

/// Why a cryptographic operation did not succeed.
///
/// `Refused` is the peer's fault and says nothing more on purpose; the others are the embedder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// A check value does not match, or a public value is outside its group.
    #[error("refused")]
    Refused,
    /// A length of key, IV, tag or output that the algorithm does not have.
    #[error("wrong length of a key, vector or output")]
    Length,
    /// The device behind the trait failed (an HSM, an accelerator).
    #[error("the cryptographic device failed")]
    Device,
    /// There is no memory for the operation.
    #[error("out of memory")]
    Memory,
}

impl From<OutOfMemory> for CryptoError {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::Memory
    }
}

/// The lists of algorithms that a device server or application client may use.
///
/// The capabilities that a device server reports are derived from these lists (r3 7.7.4.11); there is no second list.
/// Order does not matter.
#[derive(Debug, Clone, Copy)]
pub struct CryptoProvider {
    /// Encryption algorithms (r3 Table K2).
    pub ciphers: &'static [&'static dyn Cipher],
    /// Pseudo-random functions (r3 Table K3).
    pub prfs: &'static [&'static dyn Prf],
    /// Integrity algorithms (r3 Table K4), without NONE (reading R5).
    pub integrity: &'static [&'static dyn Integrity],
    /// Diffie-Hellman groups (r3 Table K5).
    pub groups: &'static [&'static dyn DhGroup],
    /// What checks signatures: those of AUTH payloads (r3 Table K6), and those of certificates.
    pub verifiers: &'static [&'static dyn Verifier],
}

impl CryptoProvider {
    /// The cipher with this ALGORITHM IDENTIFIER and KEY LENGTH in bytes, if listed.
    #[must_use]
    pub fn cipher(&self, identifier: u32, key_length: u16) -> Option<&'static dyn Cipher> {
        self.ciphers
            .iter()
            .copied()
            .find(|c| c.identifier() == identifier && memory::is_among(&key_length, c.key_lengths()))
    }

    /// The pseudo-random function with this ALGORITHM IDENTIFIER, if listed.
    #[must_use]
    pub fn prf(&self, identifier: u32) -> Option<&'static dyn Prf> {
        self.prfs.iter().copied().find(|p| p.identifier() == identifier)
    }

    /// The integrity algorithm with this ALGORITHM IDENTIFIER, if listed.
    #[must_use]
    pub fn integrity(&self, identifier: u32) -> Option<&'static dyn Integrity> {
        self.integrity.iter().copied().find(|i| i.identifier() == identifier)
    }

    /// The Diffie-Hellman group with this ALGORITHM IDENTIFIER, if listed.
    #[must_use]
    pub fn group(&self, identifier: u32) -> Option<&'static dyn DhGroup> {
        self.groups.iter().copied().find(|g| g.identifier() == identifier)
    }

    /// The verifier of this scheme, if listed.
    #[must_use]
    pub fn verifier(&self, scheme: SignatureScheme) -> Option<&'static dyn Verifier> {
        self.verifiers.iter().copied().find(|verifier| verifier.scheme() == scheme)
    }
}

/// The algorithms that use a security association, as a SAUT payload selects them (SPC-4 7.7.3.5.14).
#[derive(Debug, Clone, Copy)]
pub struct UsageSuite {
    /// The encryption algorithm; ENCR_NULL may be one.
    pub cipher: &'static dyn Cipher,
    /// Its KEY LENGTH in bytes, salt not counted.
    pub key_length: u16,
    /// The integrity algorithm; `None` exactly with a combined mode cipher.
    pub integrity: Option<&'static dyn Integrity>,
}

impl UsageSuite {
    /// Bytes of one direction's keys: for integrity, and for encryption with its salt.
    #[must_use]
    pub fn key_lengths(&self) -> (usize, usize) {
        let integrity = self.integrity.map_or(0, Integrity::key_length);
        (integrity, self.cipher.key_material_length(self.key_length))
    }
}

/// One algorithm of each kind, as an SCA payload selects them (r3 7.7.4.12).
#[derive(Debug, Clone, Copy)]
pub struct Suite {
    /// The encryption algorithm.
    pub cipher: &'static dyn Cipher,
    /// Its KEY LENGTH in bytes, salt not counted (reading R9).
    pub key_length: u16,
    /// The pseudo-random function.
    pub prf: &'static dyn Prf,
    /// The integrity algorithm; `None` exactly with a combined mode cipher (reading R10).
    pub integrity: Option<&'static dyn Integrity>,
    /// The Diffie-Hellman group.
    pub group: &'static dyn DhGroup,
}

impl Suite {
    /// DIFFIE-HELLMAN GROUP NUMBER of a KE payload: the low half of the group's identifier (r3 7.7.4.3).
    #[must_use]
    pub fn group_number(&self) -> u16 {
        let [_, _, high, low] = self.group.identifier().to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// Bytes of SK_ei and of SK_er, salt included.
    #[must_use]
    pub fn key_material_length(&self) -> usize {
        self.cipher.key_material_length(self.key_length)
    }
}
