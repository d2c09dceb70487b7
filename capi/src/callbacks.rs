//! The caller's functions, as the traits of the crate. Every call of one is here.
//!
//! They may not throw, unwind or jump out. What they are given is valid until they return.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

use ikev2_scsi::crypto::{
    CryptoError, KeyKind, KeyVersion, PresharedKeys, Prf, PskError, PublicKey, Purpose, Random, RandomError,
    SignatureScheme, Signer,
};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Identification, Sai};
use ikev2_scsi_provisioning::SystemRandom;

use crate::boundary::Failure;
use crate::codes::{CallResult, HashCode, KeyKindCode, PurposeCode};
use crate::pointers;

/// Frees what a callback's `user` points to.
type Release = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// The caller's pointer, handed back to its functions and never followed. The caller has promised that they may be called from
/// any thread that calls the library.
pub(crate) struct User {
    pointer: AtomicPtr<c_void>,
    drop: Release,
}

impl User {
    const fn new(pointer: *mut c_void, drop: Release) -> Self {
        Self { pointer: AtomicPtr::new(pointer), drop }
    }

    fn get(&self) -> *mut c_void {
        self.pointer.load(Ordering::Relaxed)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: the caller's function, with the pointer that it was given with; this is the last use of both.
            unsafe { drop(self.get()) }
        }
    }
}

fn missing(name: &str) -> Failure {
    Failure::new(CallResult::NullPointer, format!("{name} is NULL"))
}

/// Bytes in a row.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    /// The first; may be NULL when there are none.
    pub data: *const u8,
    /// How many.
    pub length: usize,
}

/// A random source, in place of the operating system's. It must be fit for keys.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RandomCallbacks {
    /// Given to each function.
    pub user: *mut c_void,
    /// Fills `out`, and returns 0. Another value says that the source has failed: the command is refused as HARDWARE ERROR.
    /// `purpose` is an ikev2_scsi_purpose.
    pub fill: Option<unsafe extern "C" fn(user: *mut c_void, purpose: u32, out: *mut u8, length: usize) -> c_int>,
    /// May be NULL. Only for the replay of recorded values: how long the Diffie-Hellman private value is that `fill` will give
    /// next, where the group would draw `length` bytes.
    pub dh_private_length: Option<unsafe extern "C" fn(user: *mut c_void, length: usize) -> usize>,
    /// May be NULL. Called once, when the library has no more use for `user`.
    pub drop: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// Where random bytes come from.
pub(crate) enum Source {
    System,
    Callbacks { user: User, given: Functions },
}

/// The functions of a [`RandomCallbacks`], without its pointer.
pub(crate) struct Functions {
    fill: unsafe extern "C" fn(*mut c_void, u32, *mut u8, usize) -> c_int,
    dh_private_length: Option<unsafe extern "C" fn(*mut c_void, usize) -> usize>,
}

impl Source {
    pub(crate) fn of(callbacks: &RandomCallbacks) -> Result<Self, Failure> {
        let fill = callbacks.fill.ok_or_else(|| missing("fill"))?;
        let given = Functions { fill, dh_private_length: callbacks.dh_private_length };
        Ok(Self::Callbacks { user: User::new(callbacks.user, callbacks.drop), given })
    }
}

impl Random for Source {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        let Self::Callbacks { user, given } = self else { return SystemRandom.fill(purpose, out) };
        let purpose = match purpose {
            Purpose::DsSai => PurposeCode::DsSai,
            Purpose::DhPrivate => PurposeCode::DhPrivate,
            Purpose::Nonce => PurposeCode::Nonce,
            Purpose::Iv => PurposeCode::Iv,
            _ => PurposeCode::Other,
        };
        // SAFETY: the caller's function, given a place of as many bytes as it is told.
        match unsafe { (given.fill)(user.get(), purpose as u32, out.as_mut_ptr(), out.len()) } {
            0 => Ok(()),
            _ => Err(RandomError),
        }
    }

    fn dh_private_length(&self, length: usize) -> usize {
        let Self::Callbacks { user, given } = self else { return length };
        let Some(function) = given.dh_private_length else { return length };
        // SAFETY: the caller's function.
        unsafe { function(user.get(), length) }
    }
}

/// A calendar, asked before each command and each result of a job.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ClockCallbacks {
    /// Given to each function.
    pub user: *mut c_void,
    /// Writes the seconds since 1970-01-01 00:00:00 UTC and returns 0. With another value the time goes on from where it was.
    pub unix_time: Option<unsafe extern "C" fn(user: *mut c_void, seconds: *mut u64) -> c_int>,
    /// May be NULL. Called once, when the library has no more use for `user`.
    pub drop: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// The caller's calendar.
pub(crate) struct Clock {
    user: User,
    unix_time: unsafe extern "C" fn(*mut c_void, *mut u64) -> c_int,
}

impl Clock {
    pub(crate) fn of(callbacks: &ClockCallbacks) -> Result<Self, Failure> {
        let unix_time = callbacks.unix_time.ok_or_else(|| missing("unix_time"))?;
        Ok(Self { user: User::new(callbacks.user, callbacks.drop), unix_time })
    }

    pub(crate) fn now(&self) -> Option<UnixTime> {
        let mut seconds = 0;
        // SAFETY: the caller's function, given a place for a number.
        let is_told = unsafe { (self.unix_time)(self.user.get(), &raw mut seconds) } == 0;
        is_told.then_some(UnixTime(seconds))
    }
}

/// Shared keys that stay with the caller, perhaps inside an HSM. Only prf(secret, pad) is asked for, never a secret:
/// ikev2_scsi_prf() calculates it where the secret is at hand. The functions return 0, or 1 if there is no secret for that
/// identity, or another value if the key store has failed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct PresharedKeyCallbacks {
    /// Given to each function.
    pub user: *mut c_void,
    /// Writes prf(the device server's own secret, pad) to `out`; NULL if it has none. `version` is a number that changes when
    /// the secret does.
    pub own: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            prf: u32,
            pad: *const u8,
            pad_length: usize,
            out: *mut u8,
            out_length: usize,
            version: *mut u64,
        ) -> c_int,
    >,
    /// Writes prf(the secret of an application client, pad) to `out`. `id_type` is an ikev2_scsi_id_type.
    pub peer: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            id_type: u32,
            id: *const u8,
            id_length: usize,
            prf: u32,
            pad: *const u8,
            pad_length: usize,
            out: *mut u8,
            out_length: usize,
            version: *mut u64,
        ) -> c_int,
    >,
    /// May be NULL. Called once, when the library has no more use for `user`.
    pub drop: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// The caller's shared keys.
pub(crate) struct KeyStore {
    user: User,
    own: Option<unsafe extern "C" fn(*mut c_void, u32, *const u8, usize, *mut u8, usize, *mut u64) -> c_int>,
    peer: PeerFunction,
}

type PeerFunction =
    unsafe extern "C" fn(*mut c_void, u32, *const u8, usize, u32, *const u8, usize, *mut u8, usize, *mut u64) -> c_int;

impl KeyStore {
    pub(crate) fn of(callbacks: &PresharedKeyCallbacks) -> Result<Self, Failure> {
        let peer = callbacks.peer.ok_or_else(|| missing("peer"))?;
        Ok(Self { user: User::new(callbacks.user, callbacks.drop), own: callbacks.own, peer })
    }
}

fn version(code: c_int, version: u64) -> Result<KeyVersion, PskError> {
    match code {
        0 => Ok(KeyVersion(version)),
        1 => Err(PskError::Unknown),
        _ => Err(PskError::Crypto(CryptoError::Device)),
    }
}

impl PresharedKeys for KeyStore {
    fn has_own(&self) -> bool {
        self.own.is_some()
    }

    fn own(&self, prf: &dyn Prf, pad: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError> {
        let function = self.own.ok_or(PskError::Unknown)?;
        let (mut told, place) = (0, out.as_mut_ptr());
        let (user, prf) = (self.user.get(), prf.identifier());
        // SAFETY: the caller's function, given bytes with their lengths, places of those lengths and one for a number.
        let code = unsafe { function(user, prf, pad.as_ptr(), pad.len(), place, out.len(), &raw mut told) };
        version(code, told)
    }

    fn peer(
        &self,
        peer: Identification<'_>,
        prf: &dyn Prf,
        pad: &[u8],
        out: &mut [u8],
    ) -> Result<KeyVersion, PskError> {
        let (mut told, place) = (0, out.as_mut_ptr());
        let (user, id_type, prf) = (self.user.get(), u32::from(peer.id_type.code()), prf.identifier());
        let (id, function) = (peer.data, self.peer);
        // SAFETY: as above.
        let code = unsafe {
            function(
                user,
                id_type,
                id.as_ptr(),
                id.len(),
                prf,
                pad.as_ptr(),
                pad.len(),
                place,
                out.len(),
                &raw mut told,
            )
        };
        version(code, told)
    }
}

/// A private key that stays with the caller, perhaps inside an HSM. The bytes of the public key are copied.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SignerCallbacks {
    /// Given to each function.
    pub user: *mut c_void,
    /// An ikev2_scsi_key_kind.
    pub kind: u32,
    /// An ikev2_scsi_hash; an ECDSA key has its curve's.
    pub hash: u32,
    /// The public key: RSAPublicKey in DER, or the uncompressed point 04h, x, y.
    pub public_key: Bytes,
    /// Bytes of a signature: those of an RSA modulus; of ECDSA those of r and s, each as long as the curve's field.
    pub signature_length: usize,
    /// Signs the parts, one after another, as one message: RSA by PKCS #1 v1.5. Writes `length` bytes of signature and returns 0;
    /// another value says that the key cannot be used now, and the command is refused as HARDWARE ERROR.
    pub sign: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            parts: *const Bytes,
            count: usize,
            signature: *mut u8,
            length: usize,
        ) -> c_int,
    >,
    /// May be NULL. Called once, when the library has no more use for `user`.
    pub drop: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// The caller's private key.
pub(crate) struct Key {
    user: User,
    scheme: SignatureScheme,
    public_key: PublicKey,
    signature_length: usize,
    sign: unsafe extern "C" fn(*mut c_void, *const Bytes, usize, *mut u8, usize) -> c_int,
}

/// Bytes of the longest signature: of an RSA key of 8192 bits.
const LONGEST_SIGNATURE: usize = 1024;

impl Key {
    /// # Safety
    /// The public key can be read.
    pub(crate) unsafe fn of(callbacks: &SignerCallbacks) -> Result<Self, Failure> {
        let sign = callbacks.sign.ok_or_else(|| missing("sign"))?;
        let kind = KeyKind::from(KeyKindCode::of_code(callbacks.kind)?);
        let hash = HashCode::of_code(callbacks.hash)?.of(kind);
        let Bytes { data, length } = callbacks.public_key;
        // SAFETY: the promise of whoever calls this.
        let public_key = unsafe { pointers::bytes("public_key", data, length) }?;
        let signature_length = callbacks.signature_length;
        let is_right = match kind.field_length() {
            None => (256..=LONGEST_SIGNATURE).contains(&signature_length),
            Some(field) => hash == kind.auth_hash() && signature_length == field.saturating_mul(2),
        };
        if !is_right {
            return Err(Failure::argument("the key has no signatures of this hash and length"));
        }
        let well_formed = match kind.field_length() {
            None => public_key.len() > signature_length && public_key.first() == Some(&0x30),
            Some(field) => {
                public_key.first() == Some(&4) && public_key.len() == field.saturating_mul(2).saturating_add(1)
            }
        };
        if !well_formed {
            return Err(Failure::argument("public_key is no RSAPublicKey and no uncompressed point of its kind"));
        }
        Ok(Self {
            user: User::new(callbacks.user, callbacks.drop),
            scheme: SignatureScheme::new(kind, hash),
            public_key: PublicKey::new(kind, &public_key),
            signature_length,
            sign,
        })
    }
}

impl Signer for Key {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn public_key(&self) -> PublicKey {
        self.public_key.clone()
    }

    fn signature_length(&self) -> usize {
        self.signature_length
    }

    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        if out.len() != self.signature_length {
            return Err(CryptoError::Length);
        }
        let parts: Vec<Bytes> = message.iter().map(|part| Bytes { data: part.as_ptr(), length: part.len() }).collect();
        let (user, place) = (self.user.get(), out.as_mut_ptr());
        // SAFETY: the caller's function, given arrays with their lengths.
        match unsafe { (self.sign)(user, parts.as_ptr(), parts.len(), place, out.len()) } {
            0 => Ok(()),
            _ => Err(CryptoError::Device),
        }
    }
}

/// Receives every secret of every exchange. Whoever has them can read and forge all that the associations protect: for test
/// benches and captures of one's own.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct KeyLogCallbacks {
    /// Given to each function.
    pub user: *mut c_void,
    /// One value of the exchange that these SAIs name: `name` is "SK_ei" and so on.
    pub record: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            ac_sai: u64,
            ds_sai: u64,
            name: *const std::ffi::c_char,
            value: *const u8,
            length: usize,
        ),
    >,
    /// May be NULL. Called once, when the library has no more use for `user`.
    pub drop: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// The caller's record of secrets.
pub(crate) struct Recorder {
    user: User,
    record: unsafe extern "C" fn(*mut c_void, u64, u64, *const std::ffi::c_char, *const u8, usize),
}

impl Recorder {
    pub(crate) fn of(callbacks: &KeyLogCallbacks) -> Result<Self, Failure> {
        let record = callbacks.record.ok_or_else(|| missing("record"))?;
        Ok(Self { user: User::new(callbacks.user, callbacks.drop), record })
    }
}

impl KeyLog for Recorder {
    fn record(&self, ac_sai: Sai, ds_sai: Sai, name: &'static str, value: &[u8]) {
        let name = std::ffi::CString::new(name).unwrap_or_default();
        // SAFETY: the caller's function, given a string and bytes with their length.
        unsafe { (self.record)(self.user.get(), ac_sai.0, ds_sai.0, name.as_ptr(), value.as_ptr(), value.len()) }
    }
}
