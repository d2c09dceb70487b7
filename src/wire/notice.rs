//! The Notify, Delete and Vendor ID payloads (r3 7.7.4.8a Table H3, 7.7.4.8b Table H4, 7.7.4.9; SPC-4 7.7.3.5.9,
//! 7.7.3.5.10).
//!
//! ```text
//! Notify  4                5             6..7                         8..15
//!         PROTOCOL ID (1)  SAI SIZE (8)  NOTIFY MESSAGE TYPE (16384)  SAI of the device server
//! Delete  4                5             6..7                8..15
//!         PROTOCOL ID (1)  SAI SIZE (8)  NUMBER OF SAIS (1)  SAI of the application client
//! ```
//!
//! In SPC-4 NUMBER OF SAIS is two, the device server's SAI follows in bytes 16..23, and of every eight bytes the low four
//! are the SAI.

use super::{Body, EmitError, Field, Reader, Sai, WireError, WireErrorKind, Writer};
use crate::dialect::Profile;

/// PROTOCOL ID of IKEv2-SCSI SAs.
pub(super) const PROTOCOL_ID: u8 = 1;
/// SAI SIZE in bytes; every dialect sends eight.
pub(super) const SAI_SIZE: u8 = 8;
/// NOTIFY MESSAGE TYPE of Initial Contact (RFC 4306 3.10.1).
pub(super) const INITIAL_CONTACT: u16 = 16384;

/// Reads PROTOCOL ID and SAI SIZE, which both payloads begin with.
fn read_frame(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let at = reader.at();
    let [protocol_id, sai_size] = reader.array()?;
    if protocol_id != PROTOCOL_ID {
        return Err(WireError::new(at, Field::ProtocolId, WireErrorKind::Invalid));
    }
    if sai_size != SAI_SIZE {
        return Err(WireError::new(at.wrapping_add(1), Field::SaiSize, WireErrorKind::Invalid));
    }
    Ok(())
}

/// Reads a two-byte field that has one allowed value.
fn read_fixed(reader: &mut Reader<'_>, value: u16, field: Field) -> Result<(), WireError> {
    let at = reader.at();
    if reader.u16()? == value { Ok(()) } else { Err(WireError::new(at, field, WireErrorKind::Invalid)) }
}

/// Reads a SAI and leaves the restricted bytes beside it out (question Q26).
fn read_sai(profile: Profile, reader: &mut Reader<'_>) -> Result<Sai, WireError> {
    Ok(Sai(reader.u64()? & profile.rules().sai_mask))
}

/// The data of a Notify payload, 12 bytes: an Initial Contact notification, the only one there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notify {
    /// SAI: the device server's.
    pub sai: Sai,
}

impl Notify {
    /// Offset of SAI, with its restricted bytes, from the payload's first byte.
    pub const SAI_AT: usize = 8;
}

impl<'a> Body<'a> for Notify {
    fn parse(profile: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        read_frame(&mut reader)?;
        read_fixed(&mut reader, INITIAL_CONTACT, Field::NotifyMessageType)?;
        let sai = read_sai(profile, &mut reader)?;
        reader.end()?;
        Ok(Self { sai })
    }

    fn len(&self) -> usize {
        12
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(&[PROTOCOL_ID, SAI_SIZE])?;
        writer.u16(INITIAL_CONTACT)?;
        writer.u64(self.sai.0)
    }
}

/// The data of a Delete payload: 12 bytes in r3, 20 in SPC-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delete {
    /// APPLICATION CLIENT SECURITY ASSOCIATION INDEX.
    pub ac_sai: Sai,
    /// The device server's SAI, in SPC-4; `None` in r3, which names the SA by one SAI.
    pub ds_sai: Option<Sai>,
}

impl Delete {
    /// Offset of APPLICATION CLIENT SECURITY ASSOCIATION INDEX from the payload's first byte.
    pub const AC_SAI_AT: usize = 8;
    /// Offset of the device server's SAI, with its restricted bytes, from the payload's first byte.
    pub const DS_SAI_AT: usize = 16;

    /// NUMBER OF SAIS.
    pub(super) fn number_of_sais(&self) -> u16 {
        if self.ds_sai.is_some() { 2 } else { 1 }
    }
}

impl<'a> Body<'a> for Delete {
    fn parse(profile: Profile, mut reader: Reader<'a>) -> Result<Self, WireError> {
        let number_of_sais = profile.rules().number_of_sais;
        read_frame(&mut reader)?;
        read_fixed(&mut reader, number_of_sais, Field::NumberOfSais)?;
        let ac_sai = read_sai(profile, &mut reader)?;
        let ds_sai = if number_of_sais > 1 { Some(read_sai(profile, &mut reader)?) } else { None };
        reader.end()?;
        Ok(Self { ac_sai, ds_sai })
    }

    fn len(&self) -> usize {
        if self.ds_sai.is_some() { 20 } else { 12 }
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(&[PROTOCOL_ID, SAI_SIZE])?;
        writer.u16(self.number_of_sais())?;
        writer.u64(self.ac_sai.0)?;
        self.ds_sai.map_or(Ok(()), |ds_sai| writer.u64(ds_sai.0))
    }
}

/// The data of a Vendor ID payload: whatever the vendor likes. It is recognised and ignored (reading R6);
/// SPC-4 prohibits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorId<'a> {
    /// Vendor ID.
    pub data: &'a [u8],
}

impl<'a> Body<'a> for VendorId<'a> {
    fn parse(_: Profile, reader: Reader<'a>) -> Result<Self, WireError> {
        Ok(Self { data: reader.rest() })
    }

    fn len(&self) -> usize {
        self.data.len()
    }

    fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.bytes(self.data)
    }
}
