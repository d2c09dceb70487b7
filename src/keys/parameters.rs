//! The parameters of a security association, by the standard's names (r3 5.13.4.5; readings R27, R33; SPC-4 5.14.2.2,
//! 5.14.4.9).

use alloc::vec::Vec;
use core::fmt;

use super::SaContext;
use crate::crypto::{CryptoError, Secret};
use crate::memory;
use crate::wire::Sai;

/// The parameters of a security association.
///
/// KEY_SEED, KEYMAT and the keys in MGMT_DATA are secret: `Debug` prints their lengths only. They, the nonces and USAGE DATA
/// are one block of memory, which is wiped as a whole.
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
    /// KDF_ID: in r3 the PRF's identifier with 0002h in its upper half, in SPC-4 its identifier.
    pub kdf_id: u32,
    /// USAGE_TYPE: the SECURITY ASSOCIATION TYPE field, in SPC-4 SA TYPE.
    pub usage_type: u16,
    /// The algorithms for the association's use, with which USAGE_DATA begins in SPC-4; `None` in r3.
    pub usage_algorithms: Option<UsageAlgorithms>,
    /// MGMT_DATA, its keys aside.
    pub mgmt_data: MgmtData,
    /// Every parameter that is bytes.
    pub block: SaBlock,
}

impl SaParameters {
    /// AC_NONCE, 16 to 256 bytes; in SPC-4 it has been wiped, and none are left.
    #[must_use]
    pub fn ac_nonce(&self) -> &[u8] {
        self.block.part(Part::AcNonce)
    }

    /// DS_NONCE, 16 to 256 bytes; in SPC-4 it has been wiped, and none are left.
    #[must_use]
    pub fn ds_nonce(&self) -> &[u8] {
        self.block.part(Part::DsNonce)
    }

    /// KEY_SEED: SK_d, as long as the PRF's output; in SPC-4 it has been wiped, and no byte is left.
    #[must_use]
    pub fn key_seed(&self) -> &[u8] {
        self.block.part(Part::KeySeed)
    }

    /// KEYMAT: the keys for the association's use (SPC-4 5.14.4.8.6), those of the application client's direction before
    /// the device server's: integrity keys, then encryption keys with their salts. Empty in r3, which leaves them to the
    /// association's user.
    #[must_use]
    pub fn keymat(&self) -> &[u8] {
        self.block.part(Part::Keymat)
    }

    /// The USAGE DATA field: in r3 the whole USAGE_DATA, in SPC-4 its end.
    #[must_use]
    pub fn usage_data(&self) -> &[u8] {
        self.block.part(Part::UsageData)
    }

    /// SK_ei of MGMT_DATA, with its salt after it where there is one.
    #[must_use]
    pub fn sk_ei(&self) -> &[u8] {
        self.block.part(Part::SkEi)
    }

    /// SK_ai of MGMT_DATA; empty with a combined mode.
    #[must_use]
    pub fn sk_ai(&self) -> &[u8] {
        self.block.part(Part::SkAi)
    }

    /// SK_er of MGMT_DATA, with its salt after it where there is one; empty in r3, which does not keep it.
    #[must_use]
    pub fn sk_er(&self) -> &[u8] {
        self.block.part(Part::SkEr)
    }

    /// SK_ar of MGMT_DATA; empty in r3, and with a combined mode.
    #[must_use]
    pub fn sk_ar(&self) -> &[u8] {
        self.block.part(Part::SkAr)
    }

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
        bytes.extend_from_slice(self.usage_data());
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

/// MGMT_DATA: what it takes to make and to check a Delete (r3 5.13.4.5 g, SPC-4 5.14.4.9). Its keys are
/// [`SaParameters::sk_ei`] and those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MgmtData {
    /// ALGORITHM IDENTIFIER of the encryption algorithm.
    pub encr: u32,
    /// KEY LENGTH of the encryption algorithm, in bytes.
    pub key_length: u16,
    /// ALGORITHM IDENTIFIER of the integrity algorithm: in r3 zero for NONE, in SPC-4 F003 0001h for AUTH_COMBINED.
    pub integ: u32,
    /// The next MESSAGE ID.
    pub next_message_id: u32,
}

/// The parameters of a security association that are bytes, by the names of [`SaParameters`]; those that there are not are empty.
#[derive(Clone, Copy, Default)]
#[expect(missing_docs, reason = "the methods of SaParameters by these names document them")]
pub struct SaBytes<'a> {
    pub keymat: &'a [u8],
    pub key_seed: &'a [u8],
    pub sk_ei: &'a [u8],
    pub sk_ai: &'a [u8],
    pub sk_er: &'a [u8],
    pub sk_ar: &'a [u8],
    pub ac_nonce: &'a [u8],
    pub ds_nonce: &'a [u8],
    pub usage_data: &'a [u8],
}

impl fmt::Debug for SaBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SaBytes({:?} bytes)", self.parts().map(<[u8]>::len))
    }
}

impl<'a> SaBytes<'a> {
    /// In the order of [`Part`].
    const fn parts(&self) -> [&'a [u8]; PARTS] {
        let Self { keymat, key_seed, sk_ei, sk_ai, sk_er, sk_ar, ac_nonce, ds_nonce, usage_data } = *self;
        [keymat, key_seed, sk_ei, sk_ai, sk_er, sk_ar, ac_nonce, ds_nonce, usage_data]
    }
}

const PARTS: usize = 9;

/// A part of [`SaBlock`]; they follow one another in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Keymat,
    KeySeed,
    SkEi,
    SkAi,
    SkEr,
    SkAr,
    AcNonce,
    DsNonce,
    UsageData,
}

/// The parameters of a security association that are bytes, in one block.
#[derive(PartialEq, Eq)]
pub struct SaBlock {
    bytes: Secret,
    lengths: [u16; PARTS],
}

impl fmt::Debug for SaBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SaBlock({:?} bytes)", self.lengths)
    }
}

impl SaBlock {
    /// A copy of these bytes; wiping the originals stays the caller's task.
    ///
    /// # Errors
    /// [`CryptoError::Memory`]; [`CryptoError::Length`] for more than 65 535 bytes of one.
    pub fn new(bytes: &SaBytes<'_>) -> Result<Self, CryptoError> {
        Self::deriving(bytes, bytes.keymat.len(), |out| {
            if memory::copy(bytes.keymat, out) { Ok(()) } else { Err(CryptoError::Length) }
        })
    }

    /// A copy of these bytes but for KEYMAT, which has `keymat` bytes and is written by a function.
    pub(super) fn deriving(
        bytes: &SaBytes<'_>,
        keymat: usize,
        derive: impl FnOnce(&mut [u8]) -> Result<(), CryptoError>,
    ) -> Result<Self, CryptoError> {
        let mut parts = bytes.parts();
        let [first, ..] = &mut parts;
        *first = &[];
        let mut lengths = [0; PARTS];
        let all = [keymat].into_iter().chain(parts.iter().skip(1).map(|part| part.len()));
        for (length, bytes) in lengths.iter_mut().zip(all) {
            *length = u16::try_from(bytes).map_err(|_| CryptoError::Length)?;
        }
        let total = lengths.iter().fold(0, |sum: usize, length| sum.wrapping_add(usize::from(*length)));
        let mut block = Secret::try_zeroed(total)?;
        let (first, mut rest) = block.expose_mut().split_at_mut_checked(keymat).ok_or(CryptoError::Length)?;
        for part in parts {
            let (to, later) = rest.split_at_mut_checked(part.len()).ok_or(CryptoError::Length)?;
            to.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            rest = later;
        }
        derive(first)?;
        Ok(Self { bytes: block, lengths })
    }

    fn part(&self, wanted: Part) -> &[u8] {
        let before = self.lengths.iter().take(wanted as usize);
        let start = before.fold(0, |sum: usize, length| sum.wrapping_add(usize::from(*length)));
        let length = self.lengths.get(wanted as usize).copied().unwrap_or(0);
        self.bytes.expose().get(start..start.wrapping_add(usize::from(length))).unwrap_or_default()
    }
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
