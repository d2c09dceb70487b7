//! The operating system's random source.

use ikev2_scsi::crypto::{Purpose, Random, RandomError};

/// The operating system's random source as a [`Random`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}
