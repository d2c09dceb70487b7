//! The key schedule (r3 5.13.4.3.4, RFC 4306 2.14; readings R10, R14).

use alloc::vec::Vec;

use super::{KeyLogger, MgmtData, SaParameters, prf_plus};
use crate::algorithm;
use crate::crypto::{CryptoError, Secret, Suite};
use crate::dialect::Profile;
use crate::wire::Sai;

/// What both sides contribute to the keys: nonces and SAIs.
#[derive(Debug, Clone, Copy)]
pub struct SaContext<'a> {
    /// NONCE DATA of the application client, Ni.
    pub ac_nonce: &'a [u8],
    /// NONCE DATA of the device server, Nr.
    pub ds_nonce: &'a [u8],
    /// The application client's SAI, SPIi.
    pub ac_sai: Sai,
    /// The device server's SAI, SPIr.
    pub ds_sai: Sai,
}

/// SKEYSEED, the first stage.
#[derive(Debug)]
pub struct Skeyseed(Secret);

impl Skeyseed {
    /// SKEYSEED = prf(Ni | Nr, shared secret); uses up the shared secret.
    ///
    /// A PRF whose key has a fixed length takes the first half of it from each nonce (reading R14).
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn new(
        suite: &Suite,
        shared: Secret,
        context: &SaContext<'_>,
        log: KeyLogger<'_>,
    ) -> Result<Self, CryptoError> {
        let share = suite.prf.nonce_share();
        let part = |nonce: &'_ [u8]| nonce.len().min(share.unwrap_or(usize::MAX));
        let mut key = Vec::new();
        for nonce in [context.ac_nonce, context.ds_nonce] {
            key.extend_from_slice(nonce.get(..part(nonce)).ok_or(CryptoError::Length)?);
        }
        let mut value = Secret::zeroed(suite.prf.output_length());
        suite.prf.compute(&key, &[shared.expose()], value.expose_mut())?;
        log.record("shared", shared.expose());
        log.record("SKEYSEED", value.expose());
        Ok(Self(value))
    }

    /// All seven keys from prf+(SKEYSEED, Ni | Nr | SPIi | SPIr); uses up SKEYSEED.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn derive(self, suite: &Suite, context: &SaContext<'_>, log: KeyLogger<'_>) -> Result<KeySet, CryptoError> {
        let mut seed = Vec::new();
        seed.extend_from_slice(context.ac_nonce);
        seed.extend_from_slice(context.ds_nonce);
        seed.extend_from_slice(&context.ac_sai.0.to_be_bytes());
        seed.extend_from_slice(&context.ds_sai.0.to_be_bytes());
        let prf_length = suite.prf.output_length();
        let integrity_length = suite.integrity.map_or(0, crate::crypto::Integrity::key_length);
        let cipher_length = suite.key_material_length();
        let lengths = [
            ("SK_d", prf_length),
            ("SK_ai", integrity_length),
            ("SK_ar", integrity_length),
            ("SK_ei", cipher_length),
            ("SK_er", cipher_length),
            ("SK_pi", prf_length),
            ("SK_pr", prf_length),
        ];
        let total = lengths.iter().fold(0_usize, |sum, (_, length)| sum.saturating_add(*length));
        let mut material = Secret::zeroed(total);
        prf_plus(suite.prf, self.0.expose(), &seed, material.expose_mut())?;
        let mut rest = material.expose();
        let [sk_d, sk_ai, sk_ar, sk_ei, sk_er, sk_pi, sk_pr] = lengths.map(|(name, length)| {
            let (key, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = later;
            log.record(name, key);
            Secret::copy_of(key)
        });
        Ok(KeySet { sk_d, sk_ai, sk_ar, sk_ei, sk_er, sk_pi, sk_pr })
    }
}

/// The seven keys of a command sequence (r3 5.13.4.3.4).
#[derive(Debug)]
pub struct KeySet {
    /// SK_d: becomes KEY_SEED.
    pub sk_d: Secret,
    /// SK_ai: integrity, application client to device server; empty with a combined mode.
    pub sk_ai: Secret,
    /// SK_ar: integrity, device server to application client; empty with a combined mode.
    pub sk_ar: Secret,
    /// SK_ei: encryption, application client to device server; with a combined mode its salt follows.
    pub sk_ei: Secret,
    /// SK_er: encryption, device server to application client; with a combined mode its salt follows.
    pub sk_er: Secret,
    /// SK_pi: binds the application client's identity to the exchange.
    pub sk_pi: Secret,
    /// SK_pr: binds the device server's identity to the exchange.
    pub sk_pr: Secret,
}

impl KeySet {
    /// The parameters of the security association (r3 5.13.4.5); uses up the keys, of which only SK_d, SK_ei and SK_ai
    /// live on.
    ///
    /// `next_message_id` is the MESSAGE ID of a Delete (reading R27).
    #[must_use]
    pub fn into_parameters(self, profile: Profile, suite: &Suite, source: &super::SaSource<'_>) -> SaParameters {
        let context = &source.context;
        SaParameters {
            ac_sai: context.ac_sai,
            ds_sai: context.ds_sai,
            timeout: source.timeout,
            ac_nonce: context.ac_nonce.into(),
            ds_nonce: context.ds_nonce.into(),
            key_seed: self.sk_d,
            kdf_id: profile.rules().kdf_id_base | suite.prf.identifier(),
            usage_type: source.usage_type,
            usage_data: source.usage_data.into(),
            mgmt_data: MgmtData {
                encr: suite.cipher.identifier(),
                key_length: suite.key_length,
                integ: suite.integrity.map_or(algorithm::INTEG_NONE, crate::crypto::Integrity::identifier),
                sk_ei: self.sk_ei,
                sk_ai: self.sk_ai,
                next_message_id: source.next_message_id,
            },
        }
    }
}
