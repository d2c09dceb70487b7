//! prf+ (RFC 4306 2.13).

use crate::crypto::{CryptoError, Prf, Secret};

/// Fills `out` with prf+(`key`, `seed`): T1 = prf(key, seed | 01h), TN = prf(key, T(N-1) | seed | N).
///
/// # Errors
/// [`CryptoError::Length`] when more than 255 blocks would be needed; [`CryptoError::Device`].
pub fn prf_plus(prf: &dyn Prf, key: &[u8], seed: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    let mut previous = Secret::zeroed(0);
    let mut counter = 0_u8;
    for chunk in out.chunks_mut(prf.output_length().max(1)) {
        counter = counter.checked_add(1).ok_or(CryptoError::Length)?;
        let mut block = Secret::zeroed(prf.output_length());
        prf.compute(key, &[previous.expose(), seed, &[counter]], block.expose_mut())?;
        let wanted = block.expose().get(..chunk.len()).ok_or(CryptoError::Length)?;
        chunk.copy_from_slice(wanted);
        previous = block;
    }
    Ok(())
}
