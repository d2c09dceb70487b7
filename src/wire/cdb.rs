//! Command descriptor blocks of SECURITY PROTOCOL IN (A2h) and OUT (B5h), and parameter data of protocol 00h
//! (r3 6.29, 6.30, 7.7.2.1a, 7.7.3.0b, 7.7.6.2; readings R35, R36).
//!
//! ```text
//! byte  0      1         2..3      4             5         6..9                        10        11
//!       A2/B5  PROTOCOL  SPECIFIC  INC_512|rsvd  reserved  ALLOCATION/TRANSFER LENGTH  reserved  CONTROL
//! ```

use core::fmt;

use super::{EmitError, Field, WireError, WireErrorKind, Writer};

/// Values of the SECURITY PROTOCOL field.
pub mod protocol {
    /// Security protocol information.
    pub const INFORMATION: u8 = 0x00;
    /// SA creation capabilities (r3 7.7.2).
    pub const SA_CREATION_CAPABILITIES: u8 = 0x40;
    /// IKEv2-SCSI (r3 7.7.3, 7.7.6).
    pub const IKEV2_SCSI: u8 = 0x41;
}

/// Values of the SECURITY PROTOCOL SPECIFIC field.
pub mod specific {
    /// Protocol 00h: supported security protocol list.
    pub const SUPPORTED_LIST: u16 = 0x0000;
    /// Protocol 00h: certificate data.
    pub const CERTIFICATE_DATA: u16 = 0x0001;
    /// Protocol 40h: list of capability formats (SPC-4 7.7.2.2; reserved in r3).
    pub const CAPABILITY_FORMATS: u16 = 0x0000;
    /// Protocol 40h: IKEv2-SCSI Device Server Capabilities phase (r3 Table A0).
    pub const CAPABILITIES: u16 = 0x0101;
    /// Protocol 41h: Key Exchange phase (r3 Tables A1, D1).
    pub const KEY_EXCHANGE: u16 = 0x0102;
    /// Protocol 41h: Authentication phase (r3 Tables A1, D1).
    pub const AUTHENTICATION: u16 = 0x0103;
    /// Protocol 41h, OUT only: Delete (r3 Table D1).
    pub const DELETE: u16 = 0x0104;
}

/// Which way the parameter data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// SECURITY PROTOCOL IN, A2h: from the device server.
    In,
    /// SECURITY PROTOCOL OUT, B5h: to the device server.
    Out,
}

/// A SECURITY PROTOCOL IN or OUT command descriptor block, 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cdb {
    /// OPERATION CODE: A2h or B5h.
    pub direction: Direction,
    /// SECURITY PROTOCOL.
    pub protocol: u8,
    /// SECURITY PROTOCOL SPECIFIC.
    pub specific: u16,
    /// INC_512: the length counts blocks of 512 bytes.
    pub inc_512: bool,
    /// ALLOCATION LENGTH (IN) or TRANSFER LENGTH (OUT), in bytes.
    pub length: u32,
    /// CONTROL.
    pub control: u8,
}

impl Cdb {
    /// Bytes of a CDB.
    pub const LEN: usize = 12;

    /// A command with INC_512 and CONTROL zero.
    #[must_use]
    pub const fn new(direction: Direction, protocol: u8, specific: u16, length: u32) -> Self {
        Self { direction, protocol, specific, inc_512: false, length, control: 0 }
    }

    /// Reads a CDB. Reserved fields are ignored (reading R7); bytes after the twelfth are ignored.
    ///
    /// # Errors
    /// OPERATION CODE is not one of the two ([`WireErrorKind::Invalid`]), or fewer than 12 bytes
    /// ([`WireErrorKind::Length`], blamed on OPERATION CODE, which gives the CDB's length).
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let Some((&[operation, protocol, s0, s1, flags, _, l0, l1, l2, l3, _, control], _)) =
            bytes.split_first_chunk::<{ Self::LEN }>()
        else {
            return Err(WireError::new(0, Field::OperationCode, WireErrorKind::Length));
        };
        let direction = match operation {
            0xA2 => Direction::In,
            0xB5 => Direction::Out,
            _ => return Err(WireError::new(0, Field::OperationCode, WireErrorKind::Invalid)),
        };
        Ok(Self {
            direction,
            protocol,
            specific: u16::from_be_bytes([s0, s1]),
            inc_512: flags & 0x80 != 0,
            length: u32::from_be_bytes([l0, l1, l2, l3]),
            control,
        })
    }

    /// The twelve bytes.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let operation = match self.direction {
            Direction::In => 0xA2,
            Direction::Out => 0xB5,
        };
        let [s0, s1] = self.specific.to_be_bytes();
        let [l0, l1, l2, l3] = self.length.to_be_bytes();
        let flags = if self.inc_512 { 0x80 } else { 0 };
        [operation, self.protocol, s0, s1, flags, 0, l0, l1, l2, l3, 0, self.control]
    }

    /// What the SECURITY PROTOCOL and SECURITY PROTOCOL SPECIFIC fields mean, as r3 names it.
    ///
    /// SPC-4 has the same commands, and calls a phase a step. The one that only it has is not defined by r3, and says so.
    #[must_use]
    pub const fn purpose(&self) -> &'static str {
        match (self.direction, self.protocol, self.specific) {
            (Direction::In, protocol::INFORMATION, specific::SUPPORTED_LIST) => "supported security protocol list",
            (Direction::In, protocol::INFORMATION, specific::CERTIFICATE_DATA) => "certificate data",
            (Direction::In, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES) => {
                "IKEv2-SCSI Device Server Capabilities phase"
            }
            (_, protocol::IKEV2_SCSI, specific::KEY_EXCHANGE) => "IKEv2-SCSI Key Exchange phase",
            (_, protocol::IKEV2_SCSI, specific::AUTHENTICATION) => "IKEv2-SCSI Authentication phase",
            (Direction::Out, protocol::IKEV2_SCSI, specific::DELETE) => "IKEv2-SCSI Delete",
            _ => "not defined by r3",
        }
    }
}

impl fmt::Display for Cdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, length) = match self.direction {
            Direction::In => ("SECURITY PROTOCOL IN", Field::AllocationLength),
            Direction::Out => ("SECURITY PROTOCOL OUT", Field::TransferLength),
        };
        write!(
            f,
            "{name}: {}, {} {:02X}h, {} {:04X}h, {} {}, {length} {}",
            self.purpose(),
            Field::SecurityProtocol,
            self.protocol,
            Field::SecurityProtocolSpecific,
            self.specific,
            Field::Inc512,
            u8::from(self.inc_512),
            self.length,
        )
    }
}

/// Supported security protocol list: parameter data of protocol 00h, SPECIFIC 0000h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupportedProtocols<'a> {
    /// SECURITY PROTOCOL values, ascending, 00h first.
    pub protocols: &'a [u8],
}

impl<'a> SupportedProtocols<'a> {
    /// Bytes of the parameter data: six reserved, a two-byte length, the list.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.protocols.len().saturating_add(8)
    }

    /// True for a list of no protocols.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.protocols.is_empty()
    }

    /// Reads the parameter data.
    ///
    /// # Errors
    /// The list does not fit the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let error = WireError::new(6, Field::Length, WireErrorKind::Length);
        let (&[_, _, _, _, _, _, l0, l1], rest) = bytes.split_first_chunk::<8>().ok_or(error)?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        Ok(Self { protocols: rest.get(..length).ok_or(error)? })
    }

    /// Writes the parameter data.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.zeros(6)?;
        writer.u16(u16::try_from(self.protocols.len()).map_err(|_| EmitError::TooLong)?)?;
        writer.bytes(self.protocols)
    }
}

impl fmt::Display for SupportedProtocols<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Supported security protocol list:")?;
        self.protocols.iter().try_for_each(|protocol| write!(f, " {protocol:02X}h"))
    }
}

/// Certificate data: parameter data of protocol 00h, SPECIFIC 0001h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateData<'a> {
    /// CERTIFICATE; empty where the device has none.
    pub certificate: &'a [u8],
}

impl<'a> CertificateData<'a> {
    /// The parameter data of a device without a certificate.
    pub(crate) const NONE: &'static [u8] = &[0; 4];

    /// Bytes of the parameter data: two reserved, a two-byte length, the certificate.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.certificate.len().saturating_add(4)
    }

    /// True without a certificate.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.certificate.is_empty()
    }

    /// Reads the parameter data.
    ///
    /// # Errors
    /// The certificate does not fit the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let error = WireError::new(2, Field::Length, WireErrorKind::Length);
        let (&[_, _, l0, l1], rest) = bytes.split_first_chunk::<4>().ok_or(error)?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        Ok(Self { certificate: rest.get(..length).ok_or(error)? })
    }

    /// Writes the parameter data.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), EmitError> {
        writer.zeros(2)?;
        writer.u16(u16::try_from(self.certificate.len()).map_err(|_| EmitError::TooLong)?)?;
        writer.bytes(self.certificate)
    }
}

impl fmt::Display for CertificateData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate data: {} bytes", self.certificate.len())
    }
}
