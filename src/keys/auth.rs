//! The octets to be signed, and shared key authentication (r3 7.7.4.6, RFC 4306 2.15; readings R29, R30).

use bytes::Bytes;
use subtle::ConstantTimeEq;

use super::KeyLogger;
use crate::crypto::{CryptoError, Prf, Secret};

/// The octets that one side signs, in the parts they are made of.
#[derive(Debug)]
pub struct SignedOctets {
    capabilities: Bytes,
    message: Bytes,
    nonce: Bytes,
    identity_code: Secret,
}

impl SignedOctets {
    /// What the application client signs: the capabilities parameter data (SPC-4 7.7.3.5.7; nothing in r3) | its whole key
    /// exchange OUT | Nr | prf(SK_pi, ID payload less its header).
    ///
    /// `identity` is the ID payload's data as it was sent, reserved bytes included (r3 7.7.4.6 e).
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn of_application_client(
        prf: &dyn Prf,
        capabilities: Bytes,
        key_exchange_out: Bytes,
        ds_nonce: Bytes,
        sk_pi: &Secret,
        identity: &[u8],
    ) -> Result<Self, CryptoError> {
        let identity_code = identity_code(prf, sk_pi, identity)?;
        Ok(Self { capabilities, message: key_exchange_out, nonce: ds_nonce, identity_code })
    }

    /// What the device server signs: the SSCC payload as it would be returned now, in SPC-4 the whole capabilities parameter
    /// data | its whole key exchange IN | Ni | prf(SK_pr, ID payload less its header).
    ///
    /// `identity` is the ID payload's data as it was sent, reserved bytes included (r3 7.7.4.6 e).
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn of_device_server(
        prf: &dyn Prf,
        capabilities: Bytes,
        key_exchange_in: Bytes,
        ac_nonce: Bytes,
        sk_pr: &Secret,
        identity: &[u8],
    ) -> Result<Self, CryptoError> {
        let identity_code = identity_code(prf, sk_pr, identity)?;
        Ok(Self { capabilities, message: key_exchange_in, nonce: ac_nonce, identity_code })
    }

    /// The parts, which follow one another.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 4] {
        [&self.capabilities, &self.message, &self.nonce, self.identity_code.expose()]
    }

    /// Records the octets, if anybody listens.
    pub fn record(&self, log: KeyLogger<'_>, name: &'static str) {
        if log.log.is_some() {
            log.record(name, &self.parts().concat());
        }
    }
}

fn identity_code(prf: &dyn Prf, key: &Secret, identity: &[u8]) -> Result<Secret, CryptoError> {
    let mut code = Secret::zeroed(prf.output_length());
    prf.compute(key.expose(), &[identity], code.expose_mut())?;
    Ok(code)
}

/// AUTH = prf(prf(secret, pad), octets), from the inner value (reading R30).
///
/// # Errors
/// [`CryptoError`].
pub fn shared_key_auth(prf: &dyn Prf, padded: &Secret, octets: &SignedOctets) -> Result<Secret, CryptoError> {
    let mut auth = Secret::zeroed(prf.output_length());
    prf.compute(padded.expose(), &octets.parts(), auth.expose_mut())?;
    Ok(auth)
}

/// Compares received AUTHENTICATION DATA with AUTH in constant time.
///
/// # Errors
/// [`CryptoError::Refused`] when they differ in bytes or in length.
pub fn verify_shared_key_auth(
    prf: &dyn Prf,
    padded: &Secret,
    octets: &SignedOctets,
    received: &[u8],
) -> Result<(), CryptoError> {
    let auth = shared_key_auth(prf, padded, octets)?;
    if bool::from(auth.expose().ct_eq(received)) { Ok(()) } else { Err(CryptoError::Refused) }
}
