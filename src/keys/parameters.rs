//! The parameters of a security association, by the standard's names (r3 5.13.4.5; readings R27, R33).

use alloc::boxed::Box;

use super::SaContext;
use crate::crypto::Secret;
use crate::wire::Sai;

/// The parameters of a security association.
///
/// KEY_SEED and the keys in MGMT_DATA are secret: `Debug` prints their lengths only.
#[derive(Debug, PartialEq, Eq)]
pub struct SaParameters {
    /// AC_SAI.
    pub ac_sai: Sai,
    /// DS_SAI.
    pub ds_sai: Sai,
    /// TIMEOUT: seconds without use after which the device server removes the SA.
    pub timeout: u32,
    /// AC_NONCE, 16 to 256 bytes.
    pub ac_nonce: Box<[u8]>,
    /// DS_NONCE, 16 to 256 bytes.
    pub ds_nonce: Box<[u8]>,
    /// KEY_SEED: SK_d, as long as the PRF's output.
    pub key_seed: Secret,
    /// KDF_ID: the PRF's identifier with 0002h in its upper half.
    pub kdf_id: u32,
    /// USAGE_TYPE: the SECURITY ASSOCIATION TYPE field.
    pub usage_type: u16,
    /// USAGE_DATA.
    pub usage_data: Box<[u8]>,
    /// MGMT_DATA.
    pub mgmt_data: MgmtData,
}

/// MGMT_DATA: what it takes to make and to check a Delete (r3 5.13.4.5 g).
#[derive(Debug, PartialEq, Eq)]
pub struct MgmtData {
    /// ALGORITHM IDENTIFIER of the encryption algorithm.
    pub encr: u32,
    /// KEY LENGTH of the encryption algorithm, in bytes.
    pub key_length: u16,
    /// ALGORITHM IDENTIFIER of the integrity algorithm; zero for NONE.
    pub integ: u32,
    /// SK_ei, with its salt after it where there is one.
    pub sk_ei: Secret,
    /// SK_ai; empty with a combined mode.
    pub sk_ai: Secret,
    /// The next MESSAGE ID.
    pub next_message_id: u32,
}

/// What becomes a security association besides the keys.
#[derive(Debug, Clone, Copy)]
pub struct SaSource<'a> {
    /// Nonces and SAIs.
    pub context: SaContext<'a>,
    /// IKEV2-SCSI SA INACTIVITY TIMEOUT in seconds.
    pub timeout: u32,
    /// SECURITY ASSOCIATION TYPE.
    pub usage_type: u16,
    /// USAGE DATA.
    pub usage_data: &'a [u8],
    /// MESSAGE ID of a Delete: 2, or 1 without an Authentication phase (reading R27).
    pub next_message_id: u32,
}
