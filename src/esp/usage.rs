//! Algorithms and keys of one direction, out of an association's parameters (SPC-4 5.14.7.2, 5.14.4.8.6).

use super::layout::{Flow, Layout, Parts};
use super::{EspScsi, Unusable};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{CryptoError, Integrity, UsageSuite};
use crate::keys::{SaParameters, UsageAlgorithms};
use crate::wire::pad_length_for;

/// Bytes of PAD LENGTH and MUST BE ZERO.
const TRAILER: usize = 2;

/// Algorithms and keys of one direction.
pub(super) struct Usage<'k> {
    suite: UsageSuite,
    integrity_key: &'k [u8],
    cipher_key: &'k [u8],
}

impl<'k> Usage<'k> {
    pub(super) fn of(esp: &EspScsi<'_>, sa: &'k SaParameters, flow: Flow) -> Result<Self, Unusable> {
        if !esp.usage_types.contains(&sa.usage_type) {
            return Err(Unusable::UsageType(sa.usage_type));
        }
        let suite = suite_of(esp, sa.usage_algorithms.ok_or(Unusable::NoAlgorithms)?)?;
        let (integrity, encryption) = suite.key_lengths();
        // SK_ai, SK_ar, SK_ei, SK_er; a key that an algorithm does not have is empty.
        let mut keys = sa.keymat();
        let (integrity_key, cipher_key) = (take(&mut keys, integrity, flow)?, take(&mut keys, encryption, flow)?);
        if keys.is_empty() { Ok(Self { suite, integrity_key, cipher_key }) } else { Err(Unusable::Keymat) }
    }

    /// True where the data are encrypted, and end with padding, PAD LENGTH and MUST BE ZERO.
    pub(super) fn encrypts(&self) -> bool {
        self.suite.cipher.identifier() != algorithm::ENCR_NULL.identifier
    }

    fn icv_length(&self) -> usize {
        self.suite.integrity.map_or_else(|| self.suite.cipher.icv_length(), Integrity::icv_length)
    }

    /// Bytes of IV and ICV.
    pub(super) fn overhead(&self) -> usize {
        self.suite.cipher.iv_length().saturating_add(self.icv_length())
    }

    /// Where the parts of a descriptor of `length` bytes are; `None` if no descriptor of these algorithms has so many.
    pub(super) fn layout(&self, length: usize) -> Option<Layout> {
        let layout = Layout::of(length, self.suite.cipher.iv_length(), self.icv_length())?;
        let encrypted = layout.data.len();
        let is_whole = encrypted.checked_rem(self.suite.cipher.block_length()) == Some(0) && encrypted >= TRAILER;
        (is_whole || !self.encrypts()).then_some(layout)
    }

    /// PAD LENGTH for so many bytes of plaintext: with padding, PAD LENGTH and MUST BE ZERO they are a multiple of the
    /// algorithm's alignment.
    pub(super) fn pad_length(&self, plain: usize) -> u8 {
        pad_length_for(plain.saturating_add(TRAILER - 1), self.suite.cipher.alignment())
    }

    /// Whether the sequence number serves as IV. A combined mode must never see an IV twice under a key and does not mind which it
    /// sees (RFC 4106 3.1, RFC 4309 3.1); no number of a direction is used twice, which random bytes cannot promise. Other
    /// algorithms need an IV that nobody can foresee.
    pub(super) fn iv_is_sequence(&self) -> bool {
        self.suite.cipher.is_combined() && self.suite.cipher.iv_length() == size_of::<u64>()
    }

    /// Encrypts in place and writes the ICV.
    pub(super) fn seal(&self, parts: Parts<'_>) -> Result<(), CryptoError> {
        let Parts { associated, iv, data, icv } = parts;
        let Some(integrity) = self.suite.integrity else {
            return self.suite.cipher.seal(self.cipher_key, iv, associated, data, icv);
        };
        self.suite.cipher.seal(self.cipher_key, iv, &[], data, &mut [])?;
        integrity.compute(self.integrity_key, &[associated, iv, data], icv)
    }

    /// Checks the ICV, then decrypts in place.
    pub(super) fn open(&self, parts: Parts<'_>) -> Result<(), CryptoError> {
        let Parts { associated, iv, data, icv } = parts;
        let Some(integrity) = self.suite.integrity else {
            return self.suite.cipher.open(self.cipher_key, iv, associated, data, icv);
        };
        integrity.verify(self.integrity_key, &[associated, iv, data], icv)?;
        self.suite.cipher.open(self.cipher_key, iv, &[], data, &[])
    }
}

/// The keys of one kind stand next to each other: takes both, gives that of the direction.
fn take<'k>(keys: &mut &'k [u8], length: usize, flow: Flow) -> Result<&'k [u8], Unusable> {
    let (out, rest) = keys.split_at_checked(length).ok_or(Unusable::Keymat)?;
    let (back, rest) = rest.split_at_checked(length).ok_or(Unusable::Keymat)?;
    *keys = rest;
    Ok(match flow {
        Flow::Out => out,
        Flow::In => back,
    })
}

/// The provider's algorithms for those of an association. There is integrity in every pair that passes.
fn suite_of(esp: &EspScsi<'_>, algorithms: UsageAlgorithms) -> Result<UsageSuite, Unusable> {
    let row = |kind: AlgorithmType, identifier| match algorithm::row_of(esp.profile, kind.code(), identifier) {
        Some((_, row)) => Ok(row),
        None => Err(Unusable::Algorithm(kind)),
    };
    let UsageAlgorithms { encr, key_length, integ } = algorithms;
    let cipher = esp.provider.cipher(row(AlgorithmType::Encryption, encr)?, key_length);
    let cipher = cipher.ok_or(Unusable::Algorithm(AlgorithmType::Encryption))?;
    let integrity = match row(AlgorithmType::Integrity, integ)? {
        algorithm::INTEG_NONE => None,
        identifier => Some(esp.provider.integrity(identifier).ok_or(Unusable::Algorithm(AlgorithmType::Integrity))?),
    };
    if cipher.is_combined() == integrity.is_none() {
        Ok(UsageSuite { cipher, key_length, integrity })
    } else {
        Err(Unusable::Pairing)
    }
}
