//! The security associations of a device server.

use ikev2_scsi::Instant;
use ikev2_scsi::sa::{SaId, SecurityAssociation};
use ikev2_scsi::wire::Sai;

use crate::boundary::Failure;
use crate::codes::{CallResult, SaBytesCode};
use crate::handles::ServerHandle;
use crate::pointers::{Buffer, Out};
use crate::server::with_unit;

/// The two indexes that name an association.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SaIdData {
    /// AC_SAI.
    pub ac_sai: u64,
    /// DS_SAI.
    pub ds_sai: u64,
}

impl From<SaId> for SaIdData {
    fn from(id: SaId) -> Self {
        Self { ac_sai: id.ac_sai.0, ds_sai: id.ds_sai.0 }
    }
}

impl From<SaIdData> for SaId {
    fn from(id: SaIdData) -> Self {
        Self { ac_sai: Sai(id.ac_sai), ds_sai: Sai(id.ds_sai) }
    }
}

/// The parameters of an association that are numbers. Algorithms are ALGORITHM IDENTIFIERs of the dialect.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SaData {
    /// AC_SAI and DS_SAI.
    pub id: SaIdData,
    /// AC_SQN; 0 in r3.
    pub ac_sqn: u64,
    /// DS_SQN; 0 in r3.
    pub ds_sqn: u64,
    /// TIMEOUT: seconds without use after which the association is removed.
    pub timeout: u32,
    /// KDF_ID.
    pub kdf_id: u32,
    /// USAGE_TYPE.
    pub usage_type: u16,
    /// KEY LENGTH of the encryption algorithm for the association's use, in bytes; 0 in r3.
    pub usage_key_length: u16,
    /// The encryption algorithm for the association's use; 0 in r3.
    pub usage_encr: u32,
    /// The integrity algorithm for the association's use; 0 in r3.
    pub usage_integ: u32,
    /// Of MGMT_DATA: the encryption algorithm.
    pub mgmt_encr: u32,
    /// Of MGMT_DATA: the integrity algorithm.
    pub mgmt_integ: u32,
    /// Of MGMT_DATA: KEY LENGTH of the encryption algorithm, in bytes.
    pub mgmt_key_length: u16,
    /// AUTH METHOD by which the application client has authenticated itself; 0 if it has not.
    pub auth_method: u8,
    /// ID TYPE of the application client; 0 if it has not authenticated itself.
    pub id_type: u8,
    /// Of MGMT_DATA: the next MESSAGE ID.
    pub next_message_id: u32,
}

impl SaData {
    fn of(sa: &SecurityAssociation) -> Self {
        let parameters = &sa.parameters;
        let (usage, mgmt) = (parameters.usage_algorithms, &parameters.mgmt_data);
        let client = sa.application_client.as_ref();
        Self {
            id: sa.id().into(),
            ac_sqn: parameters.ac_sqn,
            ds_sqn: parameters.ds_sqn,
            timeout: parameters.timeout,
            kdf_id: parameters.kdf_id,
            usage_type: parameters.usage_type,
            usage_key_length: usage.map_or(0, |usage| usage.key_length),
            usage_encr: usage.map_or(0, |usage| usage.encr),
            usage_integ: usage.map_or(0, |usage| usage.integ),
            mgmt_encr: mgmt.encr,
            mgmt_integ: mgmt.integ,
            mgmt_key_length: mgmt.key_length,
            auth_method: client.map_or(0, |client| client.method),
            id_type: client.map_or(0, |client| client.identity.id_type.code()),
            next_message_id: mgmt.next_message_id,
        }
    }
}

/// Looks an association up; NONE if it is not live. This does not count as a use of it: ikev2_scsi_server_touch_sa() does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_sa(
    server: *mut ServerHandle,
    id: SaIdData,
    now: u64,
    sa: *mut SaData,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("sa", sa) }?;
        let sa = unit.server.sa(id.into(), Instant::from_millis(now)).ok_or_else(Failure::nothing)?;
        out.set(SaData::of(sa));
        Ok(())
    })
}

/// Copies one parameter of an association that is bytes: `what` is an ikev2_scsi_sa_bytes. `length` gets how many there are;
/// where `size` is less, nothing is copied, and the result is BUFFER_TOO_SMALL. Keys leave the library here and nowhere
/// else (but by a key log): wipe the copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_sa_bytes(
    server: *mut ServerHandle,
    id: SaIdData,
    now: u64,
    what: u32,
    buffer: *mut u8,
    size: usize,
    length: *mut usize,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("length", length) }?;
        // SAFETY: likewise.
        let buffer = unsafe { Buffer::new("buffer", buffer, size) }?;
        let what = SaBytesCode::of_code(what)?;
        let sa = unit.server.sa(id.into(), Instant::from_millis(now)).ok_or_else(Failure::nothing)?;
        let (parameters, usage_data);
        parameters = &sa.parameters;
        let bytes = match what {
            SaBytesCode::AcNonce => parameters.ac_nonce(),
            SaBytesCode::DsNonce => parameters.ds_nonce(),
            SaBytesCode::UsageData => parameters.usage_data(),
            SaBytesCode::UsageDataParameter => {
                usage_data = parameters.usage_data_parameter();
                &usage_data
            }
            SaBytesCode::ClientIdentity => {
                sa.application_client.as_ref().map_or(&[][..], |client| &client.identity.data)
            }
            SaBytesCode::KeySeed => parameters.key_seed(),
            SaBytesCode::Keymat => parameters.keymat(),
            SaBytesCode::SkEi => parameters.sk_ei(),
            SaBytesCode::SkAi => parameters.sk_ai(),
            SaBytesCode::SkEr => parameters.sk_er(),
            SaBytesCode::SkAr => parameters.sk_ar(),
        };
        out.set(bytes.len());
        if bytes.len() > size {
            return Err(Failure::new(CallResult::BufferTooSmall, format!("it has {} bytes", bytes.len())));
        }
        buffer.put(bytes);
        Ok(())
    })
}

/// Restarts the inactivity timer of an association that a command uses; NONE if it is not live, and must not be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_touch_sa(server: *mut ServerHandle, id: SaIdData, now: u64) -> CallResult {
    with_unit(server, |unit| {
        let is_live = unit.server.touch(id.into(), Instant::from_millis(now));
        if is_live { Ok(()) } else { Err(Failure::nothing()) }
    })
}

/// Removes an association; NONE if it is not live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_remove_sa(server: *mut ServerHandle, id: SaIdData) -> CallResult {
    with_unit(server, |unit| if unit.server.remove_sa(id.into()) { Ok(()) } else { Err(Failure::nothing()) })
}

/// Lists the live associations, in no particular order. `count` gets how many there are; where `capacity` is less, so many are
/// written, and the result is BUFFER_TOO_SMALL. `ids` may be NULL with a capacity of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_list_sas(
    server: *mut ServerHandle,
    now: u64,
    ids: *mut SaIdData,
    capacity: usize,
    count: *mut usize,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("count", count) }?;
        // SAFETY: likewise.
        let places = unsafe { Out::array("ids", ids, capacity) }?;
        unit.server.expire(Instant::from_millis(now));
        let sas = unit.server.sas();
        out.set(sas.len());
        places.into_iter().zip(sas.iter()).for_each(|(place, sa)| place.set(sa.id().into()));
        if sas.len() <= capacity {
            return Ok(());
        }
        Err(Failure::new(CallResult::BufferTooSmall, format!("there are {} associations", sas.len())))
    })
}
