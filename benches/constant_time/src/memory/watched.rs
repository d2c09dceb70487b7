//! Algorithms that mark what becomes public, and do nothing else.
//!
//! A device server is one operation from outside. These stand where the real ones do and mark results at the seam of the
//! provider: ciphertexts, codes and public values when they have been made, and decrypted payloads when their code was right.

use ikev2_scsi::crypto::{Cipher, CryptoError, CryptoProvider, DhGroup, Integrity, Purpose, Random, RandomError};

use super::bytes;
use crate::valgrind::{public, published, secret};

/// What a decrypted text gives away.
#[derive(Debug, Clone, Copy)]
pub enum Publishes {
    /// Its last bytes.
    End(usize),
    /// All of it: a message's payloads are parsed once they are authentic, and no key is in them.
    All,
}

/// A cipher with its results marked.
#[derive(Debug)]
pub struct WatchedCipher {
    inner: &'static dyn Cipher,
    publishes: Publishes,
}

impl WatchedCipher {
    /// Providers list algorithms that live for ever.
    pub fn leaked(inner: &'static dyn Cipher, publishes: Publishes) -> &'static dyn Cipher {
        Box::leak(Box::new(Self { inner, publishes }))
    }
}

impl Cipher for WatchedCipher {
    fn identifier(&self) -> u32 {
        self.inner.identifier()
    }

    fn key_lengths(&self) -> &'static [u16] {
        self.inner.key_lengths()
    }

    fn salt_length(&self) -> usize {
        self.inner.salt_length()
    }

    fn key_material_length(&self, key_length: u16) -> usize {
        self.inner.key_material_length(key_length)
    }

    fn iv_length(&self) -> usize {
        self.inner.iv_length()
    }

    fn alignment(&self) -> usize {
        self.inner.alignment()
    }

    fn block_length(&self) -> usize {
        self.inner.block_length()
    }

    fn icv_length(&self) -> usize {
        self.inner.icv_length()
    }

    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        associated: &[u8],
        data: &mut [u8],
        icv: &mut [u8],
    ) -> Result<(), CryptoError> {
        let sealed = self.inner.seal(key, iv, associated, data, icv);
        // It is sent.
        public(data);
        public(icv);
        published(sealed)
    }

    fn open(&self, key: &[u8], iv: &[u8], associated: &[u8], data: &mut [u8], icv: &[u8]) -> Result<(), CryptoError> {
        // Whether the code matches is answered.
        let opened = published(self.inner.open(key, iv, associated, data, icv));
        if opened.is_ok() {
            let kept = match self.publishes {
                Publishes::End(length) => data.len().saturating_sub(length),
                Publishes::All => 0,
            };
            public(&mut data[kept..]);
        }
        opened
    }
}

/// An integrity algorithm with its results marked.
#[derive(Debug)]
struct WatchedIntegrity(&'static dyn Integrity);

impl Integrity for WatchedIntegrity {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }

    fn key_length(&self) -> usize {
        self.0.key_length()
    }

    fn icv_length(&self) -> usize {
        self.0.icv_length()
    }

    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        let computed = self.0.compute(key, parts, icv);
        // It is sent.
        public(icv);
        computed
    }

    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        // Whether the code matches is answered.
        published(self.0.verify(key, parts, icv))
    }
}

/// A group with its results marked: a public value is sent, and whether a private value is in range tells nothing of one that is.
#[derive(Debug)]
struct WatchedGroup(&'static dyn DhGroup);

impl DhGroup for WatchedGroup {
    fn identifier(&self) -> u32 {
        self.0.identifier()
    }

    fn public_length(&self) -> usize {
        self.0.public_length()
    }

    fn shared_length(&self) -> usize {
        self.0.shared_length()
    }

    fn private_length(&self) -> usize {
        self.0.private_length()
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        self.0.check_public(public)
    }

    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        published(self.0.draw_private(random, out))
    }

    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let result = published(self.0.public(private, out));
        public(out);
        result
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        published(self.0.agree(private, peer, out))
    }

    fn exchange(
        &self,
        private: &[u8],
        peer: &[u8],
        public_value: &mut [u8],
        shared: &mut [u8],
    ) -> Result<(), CryptoError> {
        let result = published(self.0.exchange(private, peer, public_value, shared));
        public(public_value);
        result
    }
}

/// The algorithms of a provider, watched.
pub fn watched(provider: &CryptoProvider, publishes: Publishes) -> CryptoProvider {
    let ciphers = provider.ciphers.iter().map(|cipher| WatchedCipher::leaked(*cipher, publishes)).collect();
    let integrity = provider.integrity.iter().map(|inner| leaked(WatchedIntegrity(*inner)) as &dyn Integrity).collect();
    let groups = provider.groups.iter().map(|inner| leaked(WatchedGroup(*inner)) as &dyn DhGroup).collect();
    CryptoProvider {
        ciphers: Vec::leak(ciphers),
        integrity: Vec::leak(integrity),
        groups: Vec::leak(groups),
        ..*provider
    }
}

fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A random source whose private values are secret. Nonces, SAIs and vectors are sent.
#[derive(Debug)]
pub struct Draws(pub u64);

impl Random for Draws {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        self.0 += 1;
        out.copy_from_slice(&bytes(self.0, out.len()));
        if purpose == Purpose::DhPrivate {
            secret(out);
        }
        Ok(())
    }
}
