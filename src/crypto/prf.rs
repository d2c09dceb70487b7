//! Pseudo-random functions (r3 7.7.4.11.1.2, Table K3).

use core::fmt;

use zeroize::Zeroizing;

use super::CryptoError;

/// A pseudo-random function of r3 Table K3.
pub trait Prf: Send + Sync {
    /// ALGORITHM IDENTIFIER, e.g. `0000 0002h` for PRF_HMAC_SHA1.
    fn identifier(&self) -> u32;

    /// Bytes of output.
    fn output_length(&self) -> usize;

    /// The preferred key size in bytes; a nonce is at least half of it long (RFC 4306 2.10, reading R38).
    fn key_length(&self) -> usize;

    /// How many bytes of each nonce make the key of SKEYSEED; `None` for the whole nonces.
    ///
    /// A PRF with a key of fixed length takes the first half of its key from each nonce (RFC 4306 2.14, reading R14).
    fn nonce_share(&self) -> Option<usize> {
        None
    }

    /// Writes prf(`key`, parts one after the other) into `out`, which is [`Prf::output_length`] bytes long.
    ///
    /// A key may have any length, zero included.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `out` has another length, [`CryptoError::Device`].
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError>;

    /// Fills `out` with prf+(`key`, seed), the seed in parts one after the other (RFC 4306 2.13): T1 | T2 | ..., where T1 =
    /// prf(key, seed | 01h) and TN = prf(key, T(N-1) | seed | N).
    ///
    /// A provider overrides it where a key can be made ready once for all blocks.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when more than 255 blocks would be needed, for more than [`SEED_PARTS`] parts, and for
    /// an output of more than 64 bytes, where the provider does not override it; [`CryptoError::Device`].
    fn expand(&self, key: &[u8], seed: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        expand_with(self.output_length(), seed, out, |parts, block| self.compute(key, parts, block))
    }
}

/// Parts that the seed of [`Prf::expand`] may have: both nonces and both SAIs.
pub const SEED_PARTS: usize = 4;

/// Bytes of the longest output of a PRF that keys are derived with, which is SHA-512's.
pub(crate) const MAX_OUTPUT: usize = 64;

/// prf+ over a function that writes one block of `length` bytes, the PRF of its parts: what [`Prf::expand`] is made of where a
/// provider has the key ready.
///
/// # Errors
/// As [`Prf::expand`], and the function's own.
pub fn expand_with(
    length: usize,
    seed: &[&[u8]],
    out: &mut [u8],
    mut compute: impl FnMut(&[&[u8]], &mut [u8]) -> Result<(), CryptoError>,
) -> Result<(), CryptoError> {
    let mut counter = 0_u8;
    let mut done = 0_usize;
    while done < out.len() {
        counter = counter.checked_add(1).ok_or(CryptoError::Length)?;
        let (ready, rest) = out.split_at_mut_checked(done).ok_or(CryptoError::Length)?;
        // The block before this one stands in the output.
        let before = ready.get(done.saturating_sub(length)..).unwrap_or_default();
        let number = [counter];
        let mut parts = [[].as_slice(); SEED_PARTS.saturating_add(2)];
        let [first, others @ ..] = &mut parts;
        *first = before;
        others.iter_mut().zip(seed).for_each(|(to, from)| *to = from);
        *others.get_mut(seed.len()).ok_or(CryptoError::Length)? = &number;
        if length != 0
            && let Some(block) = rest.get_mut(..length)
        {
            compute(&parts, block)?;
            done = done.saturating_add(length);
            continue;
        }
        let mut last = Zeroizing::new([0; MAX_OUTPUT]);
        let last = last.get_mut(..length).ok_or(CryptoError::Length)?;
        compute(&parts, last)?;
        rest.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        break;
    }
    Ok(())
}

impl fmt::Debug for dyn Prf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prf({:#010x})", self.identifier())
    }
}
