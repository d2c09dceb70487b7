//! The key schedule (r3 5.13.4.3.4, RFC 4306 2.14; readings R10, R14; SPC-4 5.14.3, 5.14.4.8; reading S6).

use core::ops::Range;

use zeroize::Zeroize;

use super::{KeyLogger, MgmtData, PrfOutput, SaBlock, SaBytes, SaParameters, UsageAlgorithms};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Cipher, CryptoError, Integrity, Secret, Suite, UsageSuite};
use crate::dialect::Profile;
use crate::wire::{Nonce, Sai};

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
    /// Hands Ni | Nr | SPIi | SPIr, from which keys are derived, to a function; a SAI has the dialect's length (reading S6).
    fn with_string<R>(&self, profile: Profile, then: impl FnOnce(&[&[u8]]) -> R) -> R {
        let (ac_sai, ds_sai) = (self.ac_sai.0.to_be_bytes(), self.ds_sai.0.to_be_bytes());
        let sai_offset = profile.rules().sai_offset;
        let [ac_sai, ds_sai] = [&ac_sai, &ds_sai].map(|sai| sai.get(sai_offset..).unwrap_or_default());
        then(&[self.ac_nonce, self.ds_nonce, ac_sai, ds_sai])
    }

    /// SKEYSEED = prf(Ni | Nr, shared secret).
    ///
    /// A PRF whose key has a fixed length takes the first half of it from each nonce (reading R14).
    fn skeyseed(&self, suite: &Suite, shared: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        const LONGEST: usize = 2 * Nonce::MAX;
        let share = suite.prf.nonce_share().unwrap_or(usize::MAX);
        let part = |nonce: &'_ [u8]| nonce.len().min(share);
        let lengths = (part(self.ac_nonce), part(self.ds_nonce));
        // Nonces are no secret.
        let mut key = [0; LONGEST];
        let (first, rest) = key.split_at_mut_checked(lengths.0).ok_or(CryptoError::Length)?;
        let second = rest.get_mut(..lengths.1).ok_or(CryptoError::Length)?;
        first.iter_mut().zip(self.ac_nonce).for_each(|(to, from)| *to = *from);
        second.iter_mut().zip(self.ds_nonce).for_each(|(to, from)| *to = *from);
        let length = lengths.0.wrapping_add(lengths.1);
        suite.prf.compute(key.get(..length).ok_or(CryptoError::Length)?, &[shared], out)
    }
}

/// The seven keys of a command sequence (r3 5.13.4.3.4): one block, as prf+ writes it, of which each key is a part.
#[derive(Debug)]
pub struct KeySet {
    block: Secret,
    /// Where they begin.
    at: usize,
    /// Bytes of SK_d, SK_pi and SK_pr.
    prf: usize,
    /// Bytes of SK_ai and SK_ar.
    integrity: usize,
    /// Bytes of SK_ei and SK_er, with their salts.
    cipher: usize,
}

impl KeySet {
    /// Bytes of all seven.
    pub(crate) fn length(suite: &Suite) -> usize {
        let integrity = suite.integrity.map_or(0, Integrity::key_length);
        let all = [suite.prf.output_length(), integrity, suite.key_material_length()];
        let [prf, integrity, cipher] = all;
        prf.wrapping_mul(3).wrapping_add(integrity.wrapping_mul(2)).wrapping_add(cipher.wrapping_mul(2))
    }

    /// The keys from the shared secret: prf+(SKEYSEED, Ni | Nr | SPIi | SPIr), where SKEYSEED = prf(Ni | Nr, shared secret). Wiping
    /// the shared secret stays the caller's task.
    ///
    /// # Errors
    /// [`CryptoError`]; [`CryptoError::Length`] for a PRF with an output of more than 64 bytes.
    pub fn derive(
        profile: Profile,
        suite: &Suite,
        shared: &[u8],
        context: &SaContext<'_>,
        log: KeyLogger<'_>,
    ) -> Result<Self, CryptoError> {
        let mut keys = Secret::try_zeroed(Self::length(suite))?;
        derive_into(profile, suite, shared, context, log, keys.expose_mut())?;
        Ok(Self::placed(suite, keys, 0, log))
    }

    /// The keys from the shared secret at `shared` of a block, written to its end; what is before them is wiped.
    ///
    /// The block comes back when that fails, so that it can be tried again.
    pub(crate) fn derive_in_place(
        profile: Profile,
        suite: &Suite,
        mut block: Secret,
        shared: Range<usize>,
        context: &SaContext<'_>,
        log: KeyLogger<'_>,
    ) -> Result<Self, (CryptoError, Secret)> {
        let at = block.len().saturating_sub(Self::length(suite));
        let Some((before, keys)) = block.expose_mut().split_at_mut_checked(at) else {
            return Err((CryptoError::Length, block));
        };
        let shared = before.get(shared).unwrap_or_default();
        if let Err(error) = derive_into(profile, suite, shared, context, log, keys) {
            return Err((error, block));
        }
        before.zeroize();
        Ok(Self::placed(suite, block, at, log))
    }

    fn placed(suite: &Suite, block: Secret, at: usize, log: KeyLogger<'_>) -> Self {
        let prf = suite.prf.output_length();
        let integrity = suite.integrity.map_or(0, Integrity::key_length);
        let keys = Self { block, at, prf, integrity, cipher: suite.key_material_length() };
        let all = [
            ("SK_d", keys.sk_d()),
            ("SK_ai", keys.sk_ai()),
            ("SK_ar", keys.sk_ar()),
            ("SK_ei", keys.sk_ei()),
            ("SK_er", keys.sk_er()),
            ("SK_pi", keys.sk_pi()),
            ("SK_pr", keys.sk_pr()),
        ];
        all.into_iter().for_each(|(name, key)| log.record(name, key));
        keys
    }

    /// So many keys as long as the PRF's output, integrity keys and encryption keys come before, then the one of `length`.
    fn key(&self, [prf, integrity, cipher]: [usize; 3], length: usize) -> &[u8] {
        let before = [prf.wrapping_mul(self.prf), integrity.wrapping_mul(self.integrity)];
        let before = before.iter().fold(cipher.wrapping_mul(self.cipher), |sum, bytes| sum.wrapping_add(*bytes));
        let start = self.at.wrapping_add(before);
        self.block.expose().get(start..start.wrapping_add(length)).unwrap_or_default()
    }

    /// SK_d: becomes KEY_SEED.
    #[must_use]
    pub fn sk_d(&self) -> &[u8] {
        self.key([0, 0, 0], self.prf)
    }

    /// SK_ai: integrity, application client to device server; empty with a combined mode.
    #[must_use]
    pub fn sk_ai(&self) -> &[u8] {
        self.key([1, 0, 0], self.integrity)
    }

    /// SK_ar: integrity, device server to application client; empty with a combined mode.
    #[must_use]
    pub fn sk_ar(&self) -> &[u8] {
        self.key([1, 1, 0], self.integrity)
    }

    /// SK_ei: encryption, application client to device server; with a combined mode its salt follows.
    #[must_use]
    pub fn sk_ei(&self) -> &[u8] {
        self.key([1, 2, 0], self.cipher)
    }

    /// SK_er: encryption, device server to application client; with a combined mode its salt follows.
    #[must_use]
    pub fn sk_er(&self) -> &[u8] {
        self.key([1, 2, 1], self.cipher)
    }

    /// SK_pi: binds the application client's identity to the exchange.
    #[must_use]
    pub fn sk_pi(&self) -> &[u8] {
        self.key([1, 2, 2], self.prf)
    }

    /// SK_pr: binds the device server's identity to the exchange.
    #[must_use]
    pub fn sk_pr(&self) -> &[u8] {
        self.key([2, 2, 2], self.prf)
    }

    /// The parameters of the security association (r3 5.13.4.5, SPC-4 5.14.4.9); the keys themselves may go then. With
    /// algorithms for the association's use, as in SPC-4, KEYMAT is made for them: KDF(SK_d, nonces and SAIs), as many bytes as they take
    /// (SPC-4 5.14.4.8.6); then both directions' SK_e and SK_a live on, and SK_d and the nonces do not. Without, as in r3, SK_d,
    /// SK_ei and SK_ai do.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub(crate) fn parameters(
        &self,
        profile: Profile,
        suite: &Suite,
        source: &super::SaSource<'_>,
        usage: Option<&UsageSuite>,
    ) -> Result<SaParameters, CryptoError> {
        let context = &source.context;
        let (encr, integ) = identifiers(profile, suite.cipher, suite.integrity);
        let kdf_id = algorithm::identifier_of(profile, AlgorithmType::PseudoRandom, suite.prf.identifier());
        let kdf_id = profile.rules().kdf_id_base | kdf_id.unwrap_or(suite.prf.identifier());
        let both =
            SaBytes { sk_ei: self.sk_ei(), sk_ai: self.sk_ai(), usage_data: source.usage_data, ..SaBytes::default() };
        let (block, usage_algorithms, first_sqn) = match usage {
            None => {
                let (ac_nonce, ds_nonce) = (context.ac_nonce, context.ds_nonce);
                let bytes = SaBytes { key_seed: self.sk_d(), ac_nonce, ds_nonce, ..both };
                (SaBlock::new(&bytes)?, None, 0)
            }
            Some(usage) => {
                let (integrity, encryption) = usage.key_lengths();
                let keymat = integrity.wrapping_add(encryption).wrapping_mul(2);
                let bytes = SaBytes { sk_er: self.sk_er(), sk_ar: self.sk_ar(), ..both };
                let block = SaBlock::deriving(&bytes, keymat, |out| {
                    context.with_string(profile, |seed| suite.prf.expand(self.sk_d(), seed, out))
                })?;
                let (encr, integ) = identifiers(profile, usage.cipher, usage.integrity);
                (block, Some(UsageAlgorithms { encr, key_length: usage.key_length, integ }), 1)
            }
        };
        Ok(SaParameters {
            ac_sai: context.ac_sai,
            ds_sai: context.ds_sai,
            timeout: source.timeout,
            ac_sqn: first_sqn,
            ds_sqn: first_sqn,
            kdf_id,
            usage_type: source.usage_type,
            usage_algorithms,
            mgmt_data: MgmtData { encr, key_length: suite.key_length, integ, next_message_id: source.next_message_id },
            block,
        })
    }
}

/// All seven keys, one after the other.
fn derive_into(
    profile: Profile,
    suite: &Suite,
    shared: &[u8],
    context: &SaContext<'_>,
    log: KeyLogger<'_>,
    keys: &mut [u8],
) -> Result<(), CryptoError> {
    let mut skeyseed = PrfOutput::room(suite.prf.output_length())?;
    context.skeyseed(suite, shared, skeyseed.expose_mut())?;
    log.record("shared", shared);
    log.record("SKEYSEED", skeyseed.expose());
    context.with_string(profile, |seed| suite.prf.expand(skeyseed.expose(), seed, keys))
}

/// ALGORITHM IDENTIFIER values of a cipher and of the integrity algorithm beside it.
fn identifiers(profile: Profile, cipher: &dyn Cipher, integrity: Option<&dyn Integrity>) -> (u32, u32) {
    // The algorithms were selected by these numbers, so that they have one.
    let number = |kind, row| algorithm::identifier_of(profile, kind, row).unwrap_or(row);
    let integrity = integrity.map_or(algorithm::INTEG_NONE, Integrity::identifier);
    (number(AlgorithmType::Encryption, cipher.identifier()), number(AlgorithmType::Integrity, integrity))
}
