//! Diffie-Hellman groups (r3 7.7.4.3, 7.7.4.11.1.4, Table K5).

use alloc::boxed::Box;
use core::fmt;

use super::{CryptoError, Random, RandomError, Secret};

/// A Diffie-Hellman group of r3 Table K5.
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
    /// # Errors
    /// [`RandomError`] when the source fails, or gives nothing usable within a bounded number of draws.
    fn draw_private(&self, random: &mut dyn Random) -> Result<Secret, RandomError>;

    /// Computes our public value: one exponentiation or scalar multiplication, in constant time.
    ///
    /// Any length of `private` that the group can use is accepted (recorded exponents are longer than drawn ones).
    ///
    /// # Errors
    /// [`CryptoError::Refused`] for a private value that the group cannot use, [`CryptoError::Device`].
    fn start(&self, private: Secret) -> Result<Box<dyn DhExchange>, CryptoError>;
}

impl fmt::Debug for dyn DhGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DhGroup({:#010x})", self.identifier())
    }
}

/// One side of a Diffie-Hellman exchange: agreeing uses it up.
pub trait DhExchange: Send {
    /// Our public value, [`DhGroup::public_length`] bytes.
    fn public(&self) -> &[u8];

    /// Computes the shared secret, [`DhGroup::shared_length`] bytes, in constant time.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] for a public value outside the group, [`CryptoError::Length`], [`CryptoError::Device`].
    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError>;
}

impl fmt::Debug for dyn DhExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DhExchange(..)")
    }
}
