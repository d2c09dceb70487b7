//! The parameters of a security association, by the standard's names (r3 5.13.4.5; readings R27, R33; SPC-4 5.14.2.2,
//! 5.14.4.9).

use alloc::boxed::Box;

use alloc::vec::Vec;

use super::SaContext;
use crate::crypto::Secret;
use crate::wire::Sai;

/// The parameters of a security association.
///
/// KEY_SEED, KEYMAT and the keys in MGMT_DATA are secret: `Debug` prints their lengths only.
#[derive(Debug, PartialEq, Eq)]
pub struct SaParameters {
    /// AC_SAI.
    pub ac_sai: Sai,
    /// DS_SAI.
    pub ds_sai: Sai,
    /// TIMEOUT: seconds without use after which the device server removes the SA.
    pub timeout: u32,
    /// AC_SQN: the last sequence number that the device server has used, one in the beginning; r3 does not set it, and it is
    /// zero.
    pub ac_sqn: u64,
    /// DS_SQN: the last sequence number that the application client has used, likewise.
    pub ds_sqn: u64,
    /// AC_NONCE, 16 to 256 bytes; in SPC-4 it has been wiped, and none are left.
    pub ac_nonce: Box<[u8]>,
    /// DS_NONCE, 16 to 256 bytes; in SPC-4 it has been wiped, and none are left.
    pub ds_nonce: Box<[u8]>,
    /// KEY_SEED: SK_d, as long as the PRF's output; in SPC-4 it has been wiped, and no byte is left.
    pub key_seed: Secret,
    /// KDF_ID: in r3 the PRF's identifier with 0002h in its upper half, in SPC-4 its identifier.
    pub kdf_id: u32,
    /// KEYMAT: the keys for the association's use (SPC-4 5.14.4.8.6), those of the application client's direction before
    /// the device server's: integrity keys, then encryption keys with their salts. Empty in r3, which leaves them to the
    /// association's user.
    pub keymat: Secret,
    /// USAGE_TYPE: the SECURITY ASSOCIATION TYPE field, in SPC-4 SA TYPE.
    pub usage_type: u16,
    /// The algorithms for the association's use, with which USAGE_DATA begins in SPC-4; `None` in r3.
    pub usage_algorithms: Option<UsageAlgorithms>,
    /// The USAGE DATA field: in r3 the whole USAGE_DATA, in SPC-4 its end.
    pub usage_data: Box<[u8]>,
    /// MGMT_DATA.
    pub mgmt_data: MgmtData,
}

impl SaParameters {
    /// USAGE_DATA as the standard has it: the USAGE DATA field, in SPC-4 after encryption algorithm, key length and integrity
    /// algorithm (SPC-4 5.14.4.9).
    #[must_use]
    pub fn usage_data_parameter(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(UsageAlgorithms { encr, key_length, integ }) = self.usage_algorithms {
            bytes.extend_from_slice(&encr.to_be_bytes());
            bytes.extend_from_slice(&key_length.to_be_bytes());
            bytes.extend_from_slice(&integ.to_be_bytes());
        }
        bytes.extend_from_slice(&self.usage_data);
        bytes
    }
}

/// The algorithms that use a security association (SPC-4 7.7.3.5.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageAlgorithms {
    /// ALGORITHM IDENTIFIER of the encryption algorithm.
    pub encr: u32,
    /// KEY LENGTH of the encryption algorithm, in bytes.
    pub key_length: u16,
    /// ALGORITHM IDENTIFIER of the integrity algorithm, AUTH_COMBINED with a combined mode.
    pub integ: u32,
}

/// KEYMAT and what it is for.
#[derive(Debug)]
pub(crate) struct Keymat {
    pub(crate) algorithms: UsageAlgorithms,
    pub(crate) keys: Secret,
}

/// MGMT_DATA: what it takes to make and to check a Delete (r3 5.13.4.5 g, SPC-4 5.14.4.9).
#[derive(Debug, PartialEq, Eq)]
pub struct MgmtData {
    /// ALGORITHM IDENTIFIER of the encryption algorithm.
    pub encr: u32,
    /// KEY LENGTH of the encryption algorithm, in bytes.
    pub key_length: u16,
    /// ALGORITHM IDENTIFIER of the integrity algorithm: in r3 zero for NONE, in SPC-4 F003 0001h for AUTH_COMBINED.
    pub integ: u32,
    /// SK_ei, with its salt after it where there is one.
    pub sk_ei: Secret,
    /// SK_ai; empty with a combined mode.
    pub sk_ai: Secret,
    /// SK_er, with its salt after it where there is one; empty in r3, which does not keep it.
    pub sk_er: Secret,
    /// SK_ar; empty in r3, and with a combined mode.
    pub sk_ar: Secret,
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
    /// MESSAGE ID of a Delete: 2, or in r3 1 without an Authentication phase (reading R27).
    pub next_message_id: u32,
}
