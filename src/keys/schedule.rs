//! The key schedule (r3 5.13.4.3.4, RFC 4306 2.14; readings R10, R14; SPC-4 5.14.3, 5.14.4.8; reading S6).

use alloc::vec::Vec;

use super::{KeyLogger, Keymat, MgmtData, SaParameters, UsageAlgorithms};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Cipher, CryptoError, Integrity, Prf, Secret, Suite, UsageSuite};
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

impl SaContext<'_> {
    /// Ni | Nr | SPIi | SPIr, from which keys are derived; a SAI has the dialect's length (reading S6).
    fn string(&self, profile: Profile) -> Vec<u8> {
        let sai_offset = profile.rules().sai_offset;
        let mut string = [self.ac_nonce, self.ds_nonce].concat();
        for sai in [self.ac_sai, self.ds_sai] {
            string.extend_from_slice(sai.0.to_be_bytes().get(sai_offset..).unwrap_or_default());
        }
        string
    }
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
    pub fn derive(
        self,
        profile: Profile,
        suite: &Suite,
        context: &SaContext<'_>,
        log: KeyLogger<'_>,
    ) -> Result<KeySet, CryptoError> {
        let seed = context.string(profile);
        let prf_length = suite.prf.output_length();
        let integrity_length = suite.integrity.map_or(0, Integrity::key_length);
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
        suite.prf.expand(self.0.expose(), &[&seed], material.expose_mut())?;
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
    /// The keys for the association's use: KDF(SK_d, nonces and SAIs), as many bytes as the algorithms take (SPC-4
    /// 5.14.4.8.6).
    ///
    /// # Errors
    /// [`CryptoError`].
    pub(crate) fn keymat(
        &self,
        profile: Profile,
        prf: &dyn Prf,
        context: &SaContext<'_>,
        usage: &UsageSuite,
    ) -> Result<Keymat, CryptoError> {
        let (integrity, encryption) = usage.key_lengths();
        let mut keys = Secret::zeroed(integrity.saturating_add(encryption).saturating_mul(2));
        prf.expand(self.sk_d.expose(), &[&context.string(profile)], keys.expose_mut())?;
        let (encr, integ) = identifiers(profile, usage.cipher, usage.integrity);
        Ok(Keymat { algorithms: UsageAlgorithms { encr, key_length: usage.key_length, integ }, keys })
    }

    /// The parameters of the security association (r3 5.13.4.5, SPC-4 5.14.4.9); uses up the keys. Without KEYMAT, as in r3,
    /// SK_d, SK_ei and SK_ai live on; with it both directions' SK_e and SK_a, and SK_d and the nonces do not.
    ///
    /// `next_message_id` is the MESSAGE ID of a Delete (reading R27).
    #[must_use]
    pub(crate) fn into_parameters(
        self,
        profile: Profile,
        suite: &Suite,
        source: &super::SaSource<'_>,
        keymat: Option<Keymat>,
    ) -> SaParameters {
        let context = &source.context;
        let (encr, integ) = identifiers(profile, suite.cipher, suite.integrity);
        let kdf_id = algorithm::identifier_of(profile, AlgorithmType::PseudoRandom, suite.prf.identifier());
        let kdf_id = profile.rules().kdf_id_base | kdf_id.unwrap_or(suite.prf.identifier());
        let management = |sk_ei, sk_ai, sk_er, sk_ar| MgmtData {
            encr,
            key_length: suite.key_length,
            integ,
            sk_ei,
            sk_ai,
            sk_er,
            sk_ar,
            next_message_id: source.next_message_id,
        };
        let none = || Secret::zeroed(0);
        let Some(Keymat { algorithms, keys }) = keymat else {
            return SaParameters {
                ac_sai: context.ac_sai,
                ds_sai: context.ds_sai,
                timeout: source.timeout,
                ac_sqn: 0,
                ds_sqn: 0,
                ac_nonce: context.ac_nonce.into(),
                ds_nonce: context.ds_nonce.into(),
                key_seed: self.sk_d,
                kdf_id,
                keymat: none(),
                usage_type: source.usage_type,
                usage_algorithms: None,
                usage_data: source.usage_data.into(),
                mgmt_data: management(self.sk_ei, self.sk_ai, none(), none()),
            };
        };
        SaParameters {
            ac_sai: context.ac_sai,
            ds_sai: context.ds_sai,
            timeout: source.timeout,
            ac_sqn: 1,
            ds_sqn: 1,
            ac_nonce: [].into(),
            ds_nonce: [].into(),
            key_seed: none(),
            kdf_id,
            keymat: keys,
            usage_type: source.usage_type,
            usage_algorithms: Some(algorithms),
            usage_data: source.usage_data.into(),
            mgmt_data: management(self.sk_ei, self.sk_ai, self.sk_er, self.sk_ar),
        }
    }
}

/// ALGORITHM IDENTIFIER values of a cipher and of the integrity algorithm beside it.
fn identifiers(profile: Profile, cipher: &dyn Cipher, integrity: Option<&dyn Integrity>) -> (u32, u32) {
    // The algorithms were selected by these numbers, so that they have one.
    let number = |kind, row| algorithm::identifier_of(profile, kind, row).unwrap_or(row);
    let integrity = integrity.map_or(algorithm::INTEG_NONE, Integrity::identifier);
    (number(AlgorithmType::Encryption, cipher.identifier()), number(AlgorithmType::Integrity, integrity))
}
