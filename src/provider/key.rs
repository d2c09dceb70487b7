//! Why a private key is not taken.

use thiserror::Error;

/// What is wrong with a private key that a signer was to be made of. It says nothing about the key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PrivateKeyInfo in DER (RFC 5208, RFC 5958), bytes after it, or a key whose parts do not belong together.
    #[error("malformed private key")]
    Malformed,
    /// A key of another algorithm, of a curve other than P-256, P-384 and P-521, or for RSASSA-PSS alone.
    #[error("private key of another algorithm")]
    Algorithm,
    /// An RSA modulus outside 2048 to 8192 bits, or a public exponent that is even or outside 3 to 2^33 - 1.
    #[error("RSA modulus or public exponent out of range")]
    Size,
}
