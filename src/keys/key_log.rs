//! An opt-in record of secrets, for dissectors and for the replay of recorded exchanges.

use core::fmt;

use crate::wire::Sai;

/// Whether this build can show its secrets (feature `key-log`). Unit tests always can.
pub(crate) const HAS_KEY_LOG: bool = cfg!(any(test, feature = "key-log"));

/// Receives the secret values of exchanges as they come up.
///
/// Whoever holds this record can read and forge everything that the security associations protect. It exists for test
/// benches and for looking into one's own captures, is absent unless configured, and nothing else in this crate shows
/// a secret. Names are those of r3 and RFC 4306: `shared`, `SKEYSEED`, `SK_d`, `SK_ai`, ..., `octets_i`, `auth_r`,
/// `plaintext_i`.
pub trait KeyLog: Send + Sync {
    /// One value of the exchange that these SAIs name.
    fn record(&self, ac_sai: Sai, ds_sai: Sai, name: &'static str, value: &[u8]);
}

/// A [`KeyLog`] that may be absent, with the SAIs of one exchange.
#[derive(Clone, Copy)]
pub struct KeyLogger<'a> {
    /// The record.
    pub log: Option<&'a dyn KeyLog>,
    /// The application client's SAI.
    pub ac_sai: Sai,
    /// The device server's SAI.
    pub ds_sai: Sai,
}

impl KeyLogger<'_> {
    /// Records one value, if anybody listens.
    pub fn record(&self, name: &'static str, value: &[u8]) {
        if let Some(log) = self.log.filter(|_| HAS_KEY_LOG) {
            log.record(self.ac_sai, self.ds_sai, name, value);
        }
    }
}

impl fmt::Debug for KeyLogger<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLogger({})", if self.log.is_some() { "on" } else { "off" })
    }
}
