//! The use of associations by the embedder's commands: ESP-SCSI descriptors (SPC-4 5.14.7).

use std::ffi::c_int;

use ikev2_scsi::Instant;
use ikev2_scsi::crypto::Secret;
use ikev2_scsi::esp::{Form, Place};
use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::EspCommand;
use ikev2_scsi::wire::Sai;

use crate::associations::SaIdData;
use crate::boundary::Failure;
use crate::codes::{CallResult, EspFormCode, EspPlaceCode, StatusCode};
use crate::handles::ServerHandle;
use crate::pointers::{self, Buffer, Out};
use crate::server::{SenseData, Unit, with_unit};

/// Most bytes that a descriptor has beside its data: 16, an IV of 16, padding of 15, two bytes that tell of it, an ICV of 32.
const AROUND: usize = 128;

/// What a command has a descriptor for.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct EspCommandData {
    /// The values of USAGE_TYPE of associations that may be used, such as 81h for tape data encryption.
    pub usage_types: *const u16,
    /// How many there are.
    pub usage_type_count: usize,
    /// An ikev2_scsi_esp_form.
    pub form: u32,
    /// An ikev2_scsi_esp_place: where the descriptor stands; of a request for Data-In, where the association is named.
    pub place: u32,
    /// The offset of its first byte there.
    pub offset: usize,
}

/// What came of a descriptor.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct EspAnswer {
    /// GOOD, or CHECK CONDITION: the command is to be ended with the sense data.
    pub status: u32,
    /// With CHECK CONDITION.
    pub sense: SenseData,
    /// With GOOD: the association.
    pub id: SaIdData,
    /// With GOOD: bytes of the data that were written, or of the descriptor that was.
    pub length: usize,
    /// With GOOD, of a descriptor that was opened: its bytes; what stands behind it was not looked at.
    pub descriptor_length: usize,
    /// 1 when the last sequence number was used, and the association is gone; else 0.
    pub sa_removed: c_int,
}

impl EspAnswer {
    fn refused(unit: &Unit, sense: &Sense) -> Self {
        let id = SaIdData { ac_sai: 0, ds_sai: 0 };
        let (status, sense) = (StatusCode::CheckCondition as u32, unit.sense(sense));
        Self { status, sense, id, length: 0, descriptor_length: 0, sa_removed: 0 }
    }
}

/// A copy of the caller's command.
struct Command {
    usage_types: Vec<u16>,
    form: Form,
    place: Place,
}

impl Command {
    /// # Safety
    /// The command can be read, and its usage types.
    unsafe fn read(command: *const EspCommandData) -> Result<Self, Failure> {
        // SAFETY: the promise of whoever calls this.
        let data = unsafe { pointers::value("command", command) }?;
        // SAFETY: likewise.
        let usage_types = unsafe { pointers::array("usage_types", data.usage_types, data.usage_type_count) }?;
        let form = match EspFormCode::of_code(data.form)? {
            EspFormCode::WithLength => Form::WithLength,
            EspFormCode::WithoutLength => Form::WithoutLength,
        };
        let place = match EspPlaceCode::of_code(data.place)? {
            EspPlaceCode::ParameterList => Place::ParameterList(data.offset),
            EspPlaceCode::Cdb => Place::Cdb(data.offset),
        };
        Ok(Self { usage_types, form, place })
    }

    fn borrowed(&self) -> EspCommand<'_> {
        EspCommand { usage_types: &self.usage_types, form: self.form, place: self.place }
    }
}

/// Opens the descriptor for Data-Out or in a CDB that `descriptor` begins with, and writes its data to `data`, which must have room for
/// `length` bytes: BUFFER_TOO_SMALL otherwise, and nothing has happened. The association keeps the sequence number, and its
/// inactivity timer begins anew; a descriptor that was opened is used up. Check the rest of the command first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_open_data_out(
    server: *mut ServerHandle,
    descriptor: *const u8,
    length: usize,
    command: *const EspCommandData,
    now: u64,
    data: *mut u8,
    data_size: usize,
    answer: *mut EspAnswer,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("answer", answer) }?;
        // SAFETY: likewise.
        let command = unsafe { Command::read(command) }?;
        // SAFETY: likewise.
        let buffer = unsafe { Buffer::new("data", data, data_size) }?;
        if data_size < length {
            return Err(Failure::new(CallResult::BufferTooSmall, format!("data may have {length} bytes")));
        }
        // What is opened may be a key: it is wiped.
        // SAFETY: likewise.
        let mut bytes = Secret::from(unsafe { pointers::bytes("descriptor", descriptor, length) }?);
        let now = Instant::from_millis(now);
        out.set(match unit.server.open_data_out(bytes.expose_mut(), command.borrowed(), now) {
            Err(sense) => EspAnswer::refused(unit, &sense),
            Ok(opened) => EspAnswer {
                status: StatusCode::Good as u32,
                sense: SenseData::NONE,
                id: opened.id.into(),
                length: buffer.put(bytes.expose().get(opened.data).unwrap_or_default()),
                descriptor_length: opened.length,
                sa_removed: c_int::from(opened.sa_removed),
            },
        });
        Ok(())
    })
}

/// Builds a descriptor for Data-In under the association that a command names by both SAIs, with its next sequence number.
/// `descriptor` must have room for 128 bytes more than `data` has: BUFFER_TOO_SMALL otherwise, and nothing has happened. Call it
/// when all else about the command is certain: a descriptor that is not sent has used up its number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ikev2_scsi_server_build_data_in(
    server: *mut ServerHandle,
    id: SaIdData,
    data: *const u8,
    length: usize,
    command: *const EspCommandData,
    now: u64,
    descriptor: *mut u8,
    descriptor_size: usize,
    answer: *mut EspAnswer,
) -> CallResult {
    with_unit(server, |unit| {
        // SAFETY: the caller of C keeps the rules of README.md.
        let out = unsafe { Out::new("answer", answer) }?;
        // SAFETY: likewise.
        let command = unsafe { Command::read(command) }?;
        // SAFETY: likewise.
        let buffer = unsafe { Buffer::new("descriptor", descriptor, descriptor_size) }?;
        if descriptor_size < length.saturating_add(AROUND) {
            let what = format!("a descriptor may have {} bytes", length.saturating_add(AROUND));
            return Err(Failure::new(CallResult::BufferTooSmall, what));
        }
        // SAFETY: likewise.
        let data = Secret::from(unsafe { pointers::bytes("data", data, length) }?);
        let name = SaId { ac_sai: Sai(id.ac_sai), ds_sai: Sai(id.ds_sai) };
        out.set(match unit.build_data_in(name, data.expose(), command.borrowed(), Instant::from_millis(now)) {
            Err(sense) => EspAnswer::refused(unit, &sense),
            Ok(built) => EspAnswer {
                status: StatusCode::Good as u32,
                sense: SenseData::NONE,
                id,
                length: buffer.put(&built),
                descriptor_length: built.len(),
                sa_removed: c_int::from(unit.server.sas().get(name).is_none()),
            },
        });
        Ok(())
    })
}
