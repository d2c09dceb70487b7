//! The random source: an argument of every call that may need one.

use thiserror::Error;

use crate::dialect::Profile;
use crate::wire::Sai;

/// The random source failed; the command that asked is refused as HARDWARE ERROR (reading R40).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the random source failed")]
pub struct RandomError;

/// What a draw is for. Test benches replay recorded values by this label; production sources ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// IKE_SA APPLICATION CLIENT SAI, 8 bytes, in SPC-4 4.
    AcSai,
    /// IKE_SA DEVICE SERVER SAI, 8 bytes, in SPC-4 4.
    DsSai,
    /// A Diffie-Hellman private value.
    DhPrivate,
    /// NONCE DATA.
    Nonce,
    /// INITIALIZATION VECTOR of an Encrypted payload.
    Iv,
}

/// A cryptographically secure random source.
pub trait Random {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`RandomError`] when the source cannot.
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError>;

    /// Bytes of the Diffie-Hellman private value that will be drawn next; `length` is what the group draws.
    ///
    /// Only a source that replays recorded values overrides this, since those may have another length.
    fn dh_private_length(&self, length: usize) -> usize {
        length
    }
}

/// Draws of an SAI before the random source is called broken; one is nearly always enough.
const SAI_DRAWS: u8 = 16;
/// SAIs up to this one are never used (reading R2).
const LAST_RESERVED_SAI: u64 = 255;

/// Draws an SAI of the dialect's length that is above 255 and not taken (reading R2).
pub(crate) fn draw_sai(
    profile: Profile,
    random: &mut dyn Random,
    purpose: Purpose,
    is_taken: impl Fn(Sai) -> bool,
) -> Result<Sai, RandomError> {
    for _ in 0..SAI_DRAWS {
        let mut bytes = [0; 8];
        let sai_offset = profile.rules().sai_offset;
        random.fill(purpose, bytes.get_mut(sai_offset..).unwrap_or_default())?;
        let sai = Sai(u64::from_be_bytes(bytes));
        if sai.0 > LAST_RESERVED_SAI && !is_taken(sai) {
            return Ok(sai);
        }
    }
    Err(RandomError)
}

/// Any `rand_core` 0.10 generator as a [`Random`].
///
/// Only generators marked [`TryCryptoRng`](rand_core::TryCryptoRng) fit.
#[cfg(feature = "rand_core")]
#[derive(Debug, Clone)]
pub struct RandCore<R>(pub R);

#[cfg(feature = "rand_core")]
impl<R: rand_core::TryCryptoRng> Random for RandCore<R> {
    fn fill(&mut self, _purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        self.0.try_fill_bytes(out).map_err(|_| RandomError)
    }
}
