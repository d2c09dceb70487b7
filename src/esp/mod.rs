//! ESP-SCSI: data under the keys of a security association, in parameter lists, parameter data and CDBs (SPC-4 5.14.7).
//!
//! A *descriptor* carries data in one direction. Its SAI is the receiver's index of the association, its sequence number the
//! receiver's as well, so that each direction has its own order and its own keys:
//!
//! ```text
//!        0..1               2..3      4..7  8..15  16..16+s  16+s..i-1  i..n
//!        DESCRIPTOR LENGTH  reserved  SAI   SQN    IV        data       INTEGRITY CHECK VALUE
//!        or reserved
//!
//! out    application client to device server   DS_SAI, DS_SQN   SK_ai, SK_ei
//! in     device server to application client   AC_SAI, AC_SQN   SK_ar, SK_er
//!
//! data   0..p-1             p..j-1     j           j+1             encrypted
//!        UNENCRYPTED BYTES  PADDING    PAD LENGTH  MUST BE ZERO
//!        0..p-1                                                    with ENCR_NULL, in clear
//!        UNENCRYPTED BYTES
//! ```
//!
//! DESCRIPTOR LENGTH counts the bytes behind it (n-1). The ICV covers SAI, SQN, IV and data; a combined mode takes SAI and SQN
//! as associated data. DESCRIPTOR LENGTH and the reserved bytes are not covered: the first is checked by what it does to the
//! place of the ICV, the others are ignored.
//!
//! [`EspScsi`] builds and opens descriptors with the [`SaParameters`](crate::keys::SaParameters) of either side. A receiver
//! checks, in this order: the lengths, the SAI, the sequence number, the ICV; then it keeps the sequence number, decrypts, and
//! checks the padding. What fails before or at the ICV changes nothing; what fails after it has used up the sequence number,
//! which the standard asks for (SPC-4 5.14.7.4.2, 5.14.7.5.2), and was certainly sent by the peer.
//!
//! What lives here: the layouts, keys and algorithms of an association's use, sequence numbers. What does not: which
//! association it is, inactivity timers and removal (`DeviceServer::open_data_out` and `DeviceServer::build_data_in`), sense
//! data (room `sense`), and which commands carry descriptors (the embedder).
//!
//! Memory: nothing is kept but the two numbers in the parameters. A descriptor is opened in place; one that is built is one
//! allocation.

mod build;
mod error;
mod layout;
mod open;
mod usage;

pub use build::Built;
pub use error::{BuildError, Fault, FaultKind, Field, OpenError, Place, Unusable};
pub use layout::{Flow, Form};
pub use open::Opened;

use crate::crypto::CryptoProvider;
use crate::dialect::Profile;

/// USAGE_TYPE of tape data encryption (SPC-4 table 74).
pub const TAPE_DATA_ENCRYPTION: u16 = 0x0081;
/// USAGE_TYPE of CbCS authentication and credential encryption (SPC-4 table 74).
pub const CBCS: u16 = 0x8001;
/// How far a sequence number may be ahead of the last one (SPC-4 5.14.7.4.2): as many descriptors as may be lost.
pub const WINDOW: u64 = 32;

/// Builds and opens ESP-SCSI descriptors.
///
/// An association has one owner: two copies of its parameters that are both used would give one number to two
/// descriptors, which breaks a combined mode. [`SaParameters`](crate::keys::SaParameters) has no `Clone` for that reason.
#[derive(Debug, Clone, Copy)]
pub struct EspScsi<'a> {
    profile: Profile,
    provider: CryptoProvider,
    usage_types: &'a [u16],
}

impl<'a> EspScsi<'a> {
    /// Descriptors of associations of a dialect, by a provider's algorithms.
    ///
    /// `usage_types` are the values of USAGE_TYPE that the command at hand is for. Of those that the standard assigns only
    /// [`TAPE_DATA_ENCRYPTION`] and [`CBCS`] use ESP-SCSI; a vendor's may as well, if the policy lets associations of that
    /// type be made.
    #[must_use]
    pub const fn new(profile: Profile, provider: CryptoProvider, usage_types: &'a [u16]) -> Self {
        Self { profile, provider, usage_types }
    }
}
