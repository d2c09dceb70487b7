//! Keys: from the shared secret to the parameters of a security association (r3 5.13.4.3.4, 5.13.4.5, 7.7.4.6, 7.7.4.10).
//!
//! A shared secret becomes a [`KeySet`], a key set becomes [`SaParameters`]; each is one block of memory, which is wiped when it
//! goes, and what is between them is on the stack and wiped there. The device server and the application client share this
//! room.
//!
//! What lives here: the schedule, the octets to be signed, AUTH by every method, the protection of Encrypted
//! payloads. What does not: who may authenticate how (room `ccs`), and the algorithms themselves, prf+ with them (room
//! `crypto`).

mod auth;
mod key_log;
mod parameters;
mod proof;
mod protect;
mod schedule;
mod work;

pub(crate) use auth::PrfOutput;
pub use auth::{SignedOctets, identity_code, shared_key_auth, verify_shared_key_auth};
pub(crate) use key_log::HAS_KEY_LOG;
pub use key_log::{KeyLog, KeyLogger};
pub use parameters::{MgmtData, SaBlock, SaBytes, SaParameters, SaSource, UsageAlgorithms};
pub use proof::Denial;
pub(crate) use proof::{OwnAuth, PeerCheck, PeerError};
pub use protect::{ProtectError, Protection, open, seal};
pub use schedule::{KeySet, SaContext};
pub(crate) use work::{OwnAuthWork, PeerCheckWork};

#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
