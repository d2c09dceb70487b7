//! The Encrypted payload, sealed and opened in place (r3 7.7.4.10, RFC 4306 3.14; readings R10-R13, R32).

use thiserror::Error;

use super::SaParameters;
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Cipher, CryptoError, CryptoProvider, Integrity, Suite};
use crate::dialect::Profile;
use crate::wire::{Encrypted, Field, RawPayload, WireError, WireErrorKind};

/// Algorithms and keys of one direction.
#[derive(Debug, Clone, Copy)]
pub struct Protection<'k> {
    /// The encryption algorithm.
    pub cipher: &'static dyn Cipher,
    /// SK_ei or SK_er, salt included.
    pub cipher_key: &'k [u8],
    /// The integrity algorithm; `None` with a combined mode.
    pub integrity: Option<&'static dyn Integrity>,
    /// SK_ai or SK_ar.
    pub integrity_key: &'k [u8],
}

impl<'k> Protection<'k> {
    /// The protection of a suite with the keys of one direction.
    #[must_use]
    pub const fn new(suite: &Suite, cipher_key: &'k [u8], integrity_key: &'k [u8]) -> Self {
        Self { cipher: suite.cipher, cipher_key, integrity: suite.integrity, integrity_key }
    }

    /// The protection of a Delete: what a security association keeps for it, the application client's direction.
    ///
    /// # Errors
    /// The type of an algorithm that the provider does not have, or no longer.
    pub(crate) fn of_delete(
        profile: Profile,
        provider: &CryptoProvider,
        parameters: &'k SaParameters,
    ) -> Result<Self, AlgorithmType> {
        let management = &parameters.mgmt_data;
        let row = |kind: AlgorithmType, identifier| match algorithm::row_of(profile, kind.code(), identifier) {
            Some((_, row)) => Ok(row),
            None => Err(kind),
        };
        let cipher = row(AlgorithmType::Encryption, management.encr)?;
        let integrity = match row(AlgorithmType::Integrity, management.integ)? {
            algorithm::INTEG_NONE => None,
            identifier => Some(provider.integrity(identifier).ok_or(AlgorithmType::Integrity)?),
        };
        Ok(Self {
            cipher: provider.cipher(cipher, management.key_length).ok_or(AlgorithmType::Encryption)?,
            cipher_key: parameters.sk_ei(),
            integrity,
            integrity_key: parameters.sk_ai(),
        })
    }

    /// Bytes of INTEGRITY CHECKSUM DATA.
    #[must_use]
    pub fn icv_length(&self) -> usize {
        self.integrity.map_or_else(|| self.cipher.icv_length(), Integrity::icv_length)
    }

    /// Where the parts of a received Encrypted payload are.
    ///
    /// # Errors
    /// The payload's length does not fit the algorithms.
    pub fn divide(&self, raw: &RawPayload<'_>) -> Result<Encrypted, WireError> {
        Encrypted::divide(raw, self.cipher.iv_length(), self.icv_length(), self.cipher.block_length())
    }
}

/// Why an Encrypted payload was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtectError {
    /// The peer's fault.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The provider's fault.
    #[error(transparent)]
    Crypto(CryptoError),
}

/// The parts of a message around its Encrypted payload: what is authenticated beside it, IV, text, ICV.
struct Parts<'m> {
    associated: &'m [u8],
    iv: &'m [u8],
    text: &'m mut [u8],
    icv: &'m mut [u8],
}

fn divide<'m>(message: &'m mut [u8], encrypted: &Encrypted) -> Option<Parts<'m>> {
    let (head, tail) = message.split_at_mut_checked(encrypted.text.start)?;
    let (associated, iv) = head.split_at_checked(encrypted.iv.start)?;
    let (text, icv) = tail.split_at_mut_checked(encrypted.text.len())?;
    Some(Parts { associated, iv, text, icv: icv.get_mut(..encrypted.icv.len())? })
}

/// Checks the ICV, then decrypts in place, and checks the padding as the dialect does; gives the offset where the inner
/// payloads end.
///
/// # Errors
/// [`ProtectError::Wire`] blamed on the Encrypted payload's first byte when the ICV does not match (the message then
/// holds no plaintext), on PAD LENGTH, or on the padding; [`ProtectError::Crypto`].
pub fn open(
    profile: Profile,
    protection: &Protection<'_>,
    message: &mut [u8],
    encrypted: &Encrypted,
) -> Result<usize, ProtectError> {
    let bad_icv = WireError::new(encrypted.at, Field::IntegrityChecksumData, WireErrorKind::Invalid);
    let blame = |error| match error {
        CryptoError::Refused => ProtectError::Wire(bad_icv),
        other => ProtectError::Crypto(other),
    };
    if let Some(integrity) = protection.integrity {
        let (covered, icv) = message.split_at_checked(encrypted.icv.start).ok_or(bad_icv)?;
        integrity.verify(protection.integrity_key, &[covered], icv).map_err(blame)?;
    }
    let parts = divide(message, encrypted).ok_or(bad_icv)?;
    let (associated, icv): (&[u8], &[u8]) =
        if protection.integrity.is_some() { (&[], &[]) } else { (parts.associated, parts.icv) };
    protection.cipher.open(protection.cipher_key, parts.iv, associated, parts.text, icv).map_err(blame)?;
    encrypted.check_padding(profile, message)?;
    Ok(encrypted.inner_end(message)?)
}

/// Encrypts in place and writes the ICV; the message is finished, its IV and LENGTH fields written.
///
/// # Errors
/// [`CryptoError`].
pub fn seal(protection: &Protection<'_>, message: &mut [u8], encrypted: &Encrypted) -> Result<(), CryptoError> {
    let key = protection.cipher_key;
    let parts = divide(message, encrypted).ok_or(CryptoError::Length)?;
    let Some(integrity) = protection.integrity else {
        return protection.cipher.seal(key, parts.iv, parts.associated, parts.text, parts.icv);
    };
    protection.cipher.seal(key, parts.iv, &[], parts.text, &mut [])?;
    let (covered, icv) = message.split_at_mut_checked(encrypted.icv.start).ok_or(CryptoError::Length)?;
    integrity.compute(protection.integrity_key, &[covered], icv)
}
