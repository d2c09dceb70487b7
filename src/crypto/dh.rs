//! Diffie-Hellman groups (r3 7.7.4.3, 7.7.4.11.1.4, Table K5).

use core::fmt;

use super::{CryptoError, Random, RandomError};

/// A Diffie-Hellman group of r3 Table K5.
///
/// Results are written to the caller's buffers, which have the group's lengths; what they hold after an error means nothing.
/// Private values are big-endian and may have any length that the group can use: recorded ones are longer than drawn ones.
/// Only a private value's length may be learnt from the time that a calculation takes.
pub trait DhGroup: Send + Sync {
    /// ALGORITHM IDENTIFIER; its low 16 bits are the DIFFIE-HELLMAN GROUP NUMBER of a KE payload.
    fn identifier(&self) -> u32;

    /// Bytes of KEY EXCHANGE DATA (the modulus' length, or twice the coordinate's; reading R15).
    fn public_length(&self) -> usize;

    /// Bytes of shared secret (the modulus' length, or the coordinate's; reading R15).
    fn shared_length(&self) -> usize;

    /// Bytes of a private value of ours.
    fn private_length(&self) -> usize;

    /// Checks a peer's public value: length, range, curve membership (reading R17). No secret is involved.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for another length than [`DhGroup::public_length`], [`CryptoError::Refused`] for a value
    /// outside the group.
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError>;

    /// Draws a private value from the random source.
    ///
    /// `out` has [`DhGroup::private_length`] bytes, or as many as a source that replays recorded values asks for
    /// ([`Random::dh_private_length`]).
    ///
    /// # Errors
    /// [`RandomError`] when the source fails, or gives nothing usable within a bounded number of draws.
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError>;

    /// Computes our public value, [`DhGroup::public_length`] bytes: one exponentiation or scalar multiplication.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] for a private value that the group cannot use, [`CryptoError::Length`] for a buffer of another
    /// length, [`CryptoError::Device`].
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError>;

    /// Computes the shared secret, [`DhGroup::shared_length`] bytes: one exponentiation or scalar multiplication.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] for a private value that the group cannot use and for a public value outside the group,
    /// [`CryptoError::Length`] for a public value or a buffer of another length, [`CryptoError::Device`].
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError>;

    /// Computes both for one private value. A device server does both at once, and a provider may do them in fewer steps
    /// than one by one.
    ///
    /// # Errors
    /// Those of [`DhGroup::public`] and [`DhGroup::agree`].
    fn exchange(&self, private: &[u8], peer: &[u8], public: &mut [u8], shared: &mut [u8]) -> Result<(), CryptoError> {
        self.public(private, public)?;
        self.agree(private, peer, shared)
    }
}

impl fmt::Debug for dyn DhGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DhGroup({:#010x})", self.identifier())
    }
}
