//! The PDUs of iSCSI (RFC 7143) in one direction of a connection.

use super::bytes::{array, u8_at, u32_at};

/// Bytes of a basic header segment.
pub(crate) const HEADER: usize = 48;

/// OPCODE values that are looked at.
pub(crate) mod opcode {
    pub(crate) const SCSI_COMMAND: u8 = 0x01;
    pub(crate) const LOGIN_REQUEST: u8 = 0x03;
    pub(crate) const DATA_OUT: u8 = 0x05;
    pub(crate) const SCSI_RESPONSE: u8 = 0x21;
    pub(crate) const LOGIN_RESPONSE: u8 = 0x23;
    pub(crate) const DATA_IN: u8 = 0x25;
}

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Initiator,
    Target,
}

impl Side {
    /// Whether this side sends PDUs of an OPCODE.
    const fn sends(self, opcode: u8) -> bool {
        match self {
            Self::Initiator => matches!(opcode, 0..=6 | 0x10),
            Self::Target => matches!(opcode, 0x20..=0x26 | 0x31 | 0x32 | 0x3F),
        }
    }
}

/// Which digests PDUs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Digests {
    pub(crate) header: bool,
    pub(crate) data: bool,
}

/// One PDU.
pub(crate) struct Pdu {
    pub(crate) header: [u8; HEADER],
    pub(crate) data: Vec<u8>,
    /// A digest that is not that of the bytes.
    pub(crate) wrong_digest: Option<&'static str>,
}

impl Pdu {
    pub(crate) const fn opcode(&self) -> u8 {
        let [first, ..] = self.header;
        first & 0x3F
    }

    pub(crate) fn byte(&self, at: usize) -> u8 {
        u8_at(&self.header, at).unwrap_or_default()
    }

    pub(crate) fn word(&self, at: usize) -> u32 {
        u32_at(&self.header, at).unwrap_or_default()
    }

    pub(crate) fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        array(&self.header, at).unwrap_or([0; N])
    }
}

/// Finds PDUs in a direction's bytes.
pub(crate) struct Framer {
    side: Side,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are used up.
    at: usize,
    /// Whether the buffer begins with a PDU.
    is_aligned: bool,
}

impl Framer {
    pub(crate) const fn new(side: Side) -> Self {
        Self { side, buffer: Vec::new(), at: 0, is_aligned: true }
    }

    /// The next bytes.
    pub(crate) fn push(&mut self, data: &[u8]) {
        self.buffer.drain(..self.at.min(self.buffer.len()));
        self.at = 0;
        self.buffer.extend_from_slice(data);
    }

    /// Bytes are missing: a PDU begins again where a segment begins that looks like it.
    pub(crate) fn lost(&mut self) {
        self.buffer.clear();
        self.at = 0;
        self.is_aligned = false;
    }

    /// The next whole PDU.
    pub(crate) fn next(&mut self, digests: Digests) -> Option<Pdu> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let header: [u8; HEADER] = match array(rest, 0) {
            Some(header) if self.is_pdu(&header) => header,
            Some(_) => {
                self.lost();
                return None;
            }
            None if self.is_aligned => return None,
            None => {
                self.lost();
                return None;
            }
        };
        self.is_aligned = true;
        let [_, _, _, _, additional, l0, l1, l2, ..] = header;
        let length = usize::try_from(u32::from_be_bytes([0, l0, l1, l2])).ok()?;
        let is_login = matches!(header.first().map(|first| first & 0x3F), Some(0x03 | 0x23));
        let digest = |wanted: bool| if wanted && !is_login { 4 } else { 0 };
        let headers = usize::from(additional).saturating_mul(4).saturating_add(HEADER);
        let data_at = headers.saturating_add(digest(digests.header));
        let padded = length.div_ceil(4).saturating_mul(4);
        let data_end = data_at.saturating_add(padded);
        let total = data_end.saturating_add(if length == 0 { 0 } else { digest(digests.data) });
        let whole = rest.get(..total)?;
        let mut wrong_digest = None;
        let covered = [("header digest", 0..headers, data_at), ("data digest", data_at..data_end, total)];
        for (name, bytes, end) in covered {
            let digest = whole.get(bytes.end..end).and_then(|digest| array(digest, 0)).map(u32::from_le_bytes);
            let calculated = whole.get(bytes).map(crc32c);
            if digest.is_some() && digest != calculated {
                wrong_digest = Some(name);
            }
        }
        let data = whole.get(data_at..data_at.saturating_add(length))?.to_vec();
        self.at = self.at.saturating_add(total);
        Some(Pdu { header, data, wrong_digest })
    }

    /// Whether this may be a header of a PDU of this side. Bit 7 is reserved, and what targets send is never immediate.
    fn is_pdu(&self, [first, ..]: &[u8; HEADER]) -> bool {
        let flags = if self.side == Side::Target { 0xC0 } else { 0x80 };
        first & flags == 0 && self.side.sends(first & 0x3F)
    }
}

/// CRC32C, as the digests have it: their bytes are those of the number, least significant first.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _: u32| (crc >> 1) ^ (0x82F6_3B78 & 0_u32.wrapping_sub(crc & 1));
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
