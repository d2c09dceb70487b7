//! What both sides share once keys exist: with it the Authentication phase is protected, the sequence is ended, and the
//! association made (r3 5.13.4.3.4, 5.13.4.5; SPC-4 5.14.4.8, 5.14.4.9, 5.14.4.10).

use bytes::Bytes;

use super::config::ClientConfig;
use super::delete::Target;
use super::error::Fault;
use super::preferences::Choice;
use super::usage::Usage;
use crate::crypto::{CryptoError, Secret};
use crate::dialect::{Exchange, Profile};
use crate::keys::{KeySet, Protection, SaContext, SaParameters, SaSource};
use crate::wire::Sai;

/// What both sides now share.
pub(super) struct Session {
    pub(super) choice: Choice,
    /// The algorithms for the association's use, where the dialect selects them.
    pub(super) usage: Option<Usage>,
    pub(super) ac_sai: Sai,
    pub(super) ds_sai: Sai,
    pub(super) ac_nonce: Bytes,
    pub(super) ds_nonce: Bytes,
    pub(super) keys: KeySet,
}

impl Session {
    /// Derives the keys.
    pub(super) fn derive(
        config: &ClientConfig,
        choice: Choice,
        usage: Option<Usage>,
        shared: &Secret,
        (ac_sai, ds_sai): (Sai, Sai),
        (ac_nonce, ds_nonce): (Bytes, Bytes),
    ) -> Result<Self, Fault> {
        let suite = &choice.suite;
        let context = SaContext { ac_nonce: &ac_nonce, ds_nonce: &ds_nonce, ac_sai, ds_sai };
        let log = config.logger(ac_sai, ds_sai);
        let keys = KeySet::derive(config.profile, suite, shared.expose(), &context, log)?;
        Ok(Self { choice, usage, ac_sai, ds_sai, ac_nonce, ds_nonce, keys })
    }

    /// SK_ei and SK_ai, for what we send.
    pub(super) fn outgoing(&self) -> Protection<'_> {
        Protection::new(&self.choice.suite, self.keys.sk_ei(), self.keys.sk_ai())
    }

    /// SK_er and SK_ar, for what we receive.
    pub(super) fn incoming(&self) -> Protection<'_> {
        Protection::new(&self.choice.suite, self.keys.sk_er(), self.keys.sk_ar())
    }

    fn context(&self) -> SaContext<'_> {
        SaContext { ac_nonce: &self.ac_nonce, ds_nonce: &self.ds_nonce, ac_sai: self.ac_sai, ds_sai: self.ds_sai }
    }

    /// MESSAGE ID of a Delete: where the dialect does not fix it, what comes after 0 for the key exchange and 1 for the
    /// authentication (reading R27; SPC-4 7.7.3.4).
    fn delete_message_id(&self, profile: Profile) -> u32 {
        let counted = if self.choice.is_unauthenticated() { 1 } else { 2 };
        profile.rules().message_id(Exchange::DeleteOut).unwrap_or(counted)
    }

    /// For the Delete of what this session has begun, or has made at the device server.
    pub(super) fn target(&self, profile: Profile) -> Target<'_> {
        Target {
            sais: (self.ac_sai, self.ds_sai),
            message_id: self.delete_message_id(profile),
            protection: self.outgoing(),
        }
    }

    /// The parameters of the security association (r3 5.13.4.5, SPC-4 5.14.4.9), where the dialect makes them with the keys for its
    /// use (SPC-4 5.14.4.8.6). It can fail, while there are still the keys to tell the device server.
    pub(super) fn parameters(&self, config: &ClientConfig) -> Result<SaParameters, CryptoError> {
        let source = SaSource {
            context: self.context(),
            timeout: config.inactivity_timeout(),
            usage_type: config.usage_type,
            usage_data: &config.usage_data,
            next_message_id: self.delete_message_id(config.profile),
        };
        let usage = self.usage.as_ref().map(|usage| &usage.suite);
        self.keys.parameters(config.profile, &self.choice.suite, &source, usage)
    }
}
