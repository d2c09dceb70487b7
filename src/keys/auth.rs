//! The octets to be signed, and shared key authentication (r3 7.7.4.6, RFC 4306 2.15; readings R29, R30).

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{HAS_KEY_LOG, KeyLogger};
use crate::crypto::{CryptoError, MAX_OUTPUT, Prf};
use crate::memory;

/// The output of a PRF, on the stack and wiped: one is made before it is written, so that no move leaves a copy.
pub(crate) struct PrfOutput {
    bytes: Zeroizing<[u8; MAX_OUTPUT]>,
    length: usize,
}

impl PrfOutput {
    /// Room for the output of this PRF, or for as many bytes.
    pub(crate) fn room(length: usize) -> Result<Self, CryptoError> {
        if length > MAX_OUTPUT {
            return Err(CryptoError::Length);
        }
        Ok(Self { bytes: Zeroizing::new([0; MAX_OUTPUT]), length })
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

/// The octets that one side signs, in the parts they are made of.
///
/// An application client signs the capabilities parameter data (SPC-4 7.7.3.5.7; nothing in r3) | its whole key exchange OUT |
/// Nr | prf(SK_pi, ID payload less its header). A device server signs the SSCC payload as it would be returned now, in SPC-4 the
/// whole capabilities parameter data | its whole key exchange IN | Ni | prf(SK_pr, ID payload less its header).
#[derive(Clone, Copy)]
pub struct SignedOctets<'a> {
    parts: [&'a [u8]; 4],
}

impl core::fmt::Debug for SignedOctets<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SignedOctets({} bytes)", self.len())
    }
}

impl<'a> SignedOctets<'a> {
    /// The four parts; the last one is [`identity_code`].
    #[must_use]
    pub const fn new(capabilities: &'a [u8], message: &'a [u8], nonce: &'a [u8], identity_code: &'a [u8]) -> Self {
        Self { parts: [capabilities, message, nonce, identity_code] }
    }

    /// The parts, which follow one another.
    #[must_use]
    pub const fn parts(&self) -> &[&'a [u8]; 4] {
        &self.parts
    }

    fn len(&self) -> usize {
        self.parts.iter().fold(0, |sum, part| sum.wrapping_add(part.len()))
    }

    /// Records the octets, if anybody listens and there is memory to put them together.
    pub fn record(&self, log: KeyLogger<'_>, name: &'static str) {
        if !HAS_KEY_LOG || log.log.is_none() {
            return;
        }
        let Ok(mut octets) = memory::with_capacity(self.len()) else { return };
        if self.parts.iter().try_for_each(|part| memory::append(&mut octets, part)).is_ok() {
            log.record(name, &octets);
        }
    }
}

/// Writes prf(SK_pi or SK_pr, ID payload less its header) into `out`, which has the PRF's output length.
///
/// `identity` is the ID payload's data as it was sent, reserved bytes included (r3 7.7.4.6 e).
///
/// # Errors
/// [`CryptoError`].
pub fn identity_code(prf: &dyn Prf, key: &[u8], identity: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    prf.compute(key, &[identity], out)
}

/// Writes AUTH = prf(prf(secret, pad), octets) into `out`, from the inner value (reading R30).
///
/// # Errors
/// [`CryptoError`].
pub fn shared_key_auth(
    prf: &dyn Prf,
    padded: &[u8],
    octets: &SignedOctets<'_>,
    out: &mut [u8],
) -> Result<(), CryptoError> {
    prf.compute(padded, octets.parts(), out)
}

/// Compares received AUTHENTICATION DATA with AUTH in constant time.
///
/// # Errors
/// [`CryptoError::Refused`] when they differ in bytes or in length; [`CryptoError::Length`] for a PRF with an output of more
/// than 64 bytes.
pub fn verify_shared_key_auth(
    prf: &dyn Prf,
    padded: &[u8],
    octets: &SignedOctets<'_>,
    received: &[u8],
) -> Result<(), CryptoError> {
    let mut auth = PrfOutput::room(prf.output_length())?;
    shared_key_auth(prf, padded, octets, auth.expose_mut())?;
    if bool::from(auth.expose().ct_eq(received)) { Ok(()) } else { Err(CryptoError::Refused) }
}
