//! Packets out of files as tcpdump and Wireshark write them: pcap, in four forms of its magic number, and pcapng.
//!
//! Both are read as they come, packet by packet, so that a file may be larger than memory. Two formats with one number of
//! interest to a record do not need a crate.

use std::io::Read;

use super::bytes::array;

/// Longest record that is read: more than any link carries, less than what would hurt.
const LONGEST: u32 = 64 << 20;
const SECTION: u32 = 0x0A0D_0D0A;
const NANOSECONDS: u64 = 1_000_000_000;

/// One captured packet.
pub(crate) struct Packet {
    /// Its number, from 1 on.
    pub(crate) number: u64,
    /// What the link layer is: a LINKTYPE.
    pub(crate) link: u16,
    /// Nanoseconds since 1970, zero if not told.
    pub(crate) time: u64,
    /// Its bytes, as many as were captured.
    pub(crate) data: Vec<u8>,
}

/// Why there is no further packet.
pub(crate) enum End {
    /// The file is over.
    Over,
    /// The file ends inside of a record, as that of a capture does that was killed.
    Cut,
    /// A record is wrong.
    Wrong(String),
}

struct Interface {
    link: u16,
    /// Units of its times in one second.
    units: u64,
}

enum Framing {
    Pcap { link: u16, units: u64 },
    PcapNg { interfaces: Vec<Interface> },
}

/// The packets of a file.
pub(crate) struct Packets<R> {
    input: R,
    /// Bytes read so far.
    at: u64,
    is_big_endian: bool,
    framing: Framing,
    number: u64,
}

/// Whether a file that begins like this is one of packets.
pub(crate) fn is_capture(start: &[u8]) -> bool {
    array(start, 0).is_some_and(|magic| magic == SECTION.to_be_bytes() || pcap_magic(magic).is_some())
}

/// The byte order of a pcap file, and the units of its times in a second.
const fn pcap_magic(magic: [u8; 4]) -> Option<(bool, u64)> {
    match magic {
        [0xA1, 0xB2, 0xC3, 0xD4] => Some((true, 1_000_000)),
        [0xD4, 0xC3, 0xB2, 0xA1] => Some((false, 1_000_000)),
        [0xA1, 0xB2, 0x3C, 0x4D] => Some((true, NANOSECONDS)),
        [0x4D, 0x3C, 0xB2, 0xA1] => Some((false, NANOSECONDS)),
        _ => None,
    }
}

impl<R: Read> Packets<R> {
    /// Reads the file's beginning.
    pub(crate) fn open(input: R) -> Result<Self, End> {
        let framing = Framing::PcapNg { interfaces: Vec::new() };
        let mut packets = Self { input, at: 0, is_big_endian: true, framing, number: 0 };
        let magic = packets.array()?;
        if let Some((is_big_endian, units)) = pcap_magic(magic) {
            packets.is_big_endian = is_big_endian;
            let header: [u8; 20] = packets.array()?;
            // The upper half tells of a frame check sequence.
            let link = packets.u32(&header, 16).unwrap_or_default() & 0xFFFF;
            packets.framing = Framing::Pcap { link: u16::try_from(link).unwrap_or_default(), units };
            return Ok(packets);
        }
        if magic != SECTION.to_be_bytes() {
            return Err(End::Wrong("neither pcap nor pcapng".into()));
        }
        packets.section()?;
        Ok(packets)
    }

    /// The next packet.
    pub(crate) fn next(&mut self) -> Result<Packet, End> {
        match &self.framing {
            &Framing::Pcap { link, units } => self.pcap(link, units),
            Framing::PcapNg { .. } => loop {
                if let Some(packet) = self.block()? {
                    return Ok(packet);
                }
            },
        }
    }

    fn pcap(&mut self, link: u16, units: u64) -> Result<Packet, End> {
        let header: [u8; 16] = self.first()?;
        let field = |at| self.u32(&header, at).unwrap_or_default();
        let (seconds, fraction, length) = (field(0), field(4), field(8));
        let time = u64::from(seconds).saturating_mul(units).saturating_add(fraction.into());
        let data = self.take(length)?;
        self.packet(link, nanoseconds(time, units), data)
    }

    fn packet(&mut self, link: u16, time: u64, data: Vec<u8>) -> Result<Packet, End> {
        self.number = self.number.saturating_add(1);
        Ok(Packet { number: self.number, link, time, data })
    }

    /// One block of pcapng after its type, for the section header: it tells the byte order.
    fn section(&mut self) -> Result<(), End> {
        let head: [u8; 8] = self.array()?;
        let order = array(&head, 4);
        self.is_big_endian = match order {
            Some([0x1A, 0x2B, 0x3C, 0x4D]) => true,
            Some([0x4D, 0x3C, 0x2B, 0x1A]) => false,
            _ => return Err(self.wrong("a section without a byte order")),
        };
        let length = self.u32(&head, 0).unwrap_or_default();
        let rest = length.checked_sub(12).filter(|rest| rest & 3 == 0);
        let rest = rest.ok_or_else(|| self.wrong("a section header of a wrong length"))?;
        self.take(rest)?;
        self.framing = Framing::PcapNg { interfaces: Vec::new() };
        Ok(())
    }

    /// One block of pcapng; most are no packets.
    fn block(&mut self) -> Result<Option<Packet>, End> {
        let kind = self.first()?;
        if kind == SECTION.to_be_bytes() {
            self.section()?;
            return Ok(None);
        }
        let kind = self.u32(&kind, 0).unwrap_or_default();
        let length: [u8; 4] = self.array()?;
        let length = self.u32(&length, 0).unwrap_or_default();
        let rest = length.checked_sub(12).filter(|rest| rest & 3 == 0);
        let rest = rest.ok_or_else(|| self.wrong(&format!("a block of {length} bytes")))?;
        let body = self.take(rest)?;
        // The length once more.
        self.array::<4>()?;
        match kind {
            1 => self.interface(&body)?,
            // Enhanced packet.
            6 => return self.enhanced(&body, self.u32(&body, 0)).map(Some),
            // The obsolete packet: its interface has two bytes, then two of drops.
            2 => return self.enhanced(&body, self.u16(&body, 0).map(u32::from)).map(Some),
            3 => return self.simple(&body).map(Some),
            _ => {}
        }
        Ok(None)
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), End> {
        let link = self.u16(body, 0).ok_or_else(|| self.wrong("an interface without a link type"))?;
        let mut units = 1_000_000;
        let mut options = body.get(8..).unwrap_or_default();
        while let (Some(code), Some(length)) = (self.u16(options, 0), self.u16(options, 2)) {
            let length = usize::from(length);
            let value = options.get(4..length.saturating_add(4)).unwrap_or_default();
            match (code, value) {
                (0, _) => break,
                // if_tsresol: a negative power of ten, or of two.
                (9, &[power]) => {
                    let base: u64 = if power & 0x80 == 0 { 10 } else { 2 };
                    units = base.checked_pow(u32::from(power & 0x7F)).unwrap_or(1_000_000);
                }
                _ => {}
            }
            let next = length.div_ceil(4).saturating_mul(4).saturating_add(4);
            options = options.get(next..).unwrap_or_default();
        }
        if let Framing::PcapNg { interfaces } = &mut self.framing {
            interfaces.push(Interface { link, units });
        }
        Ok(())
    }

    fn known_interface(&self, index: Option<u32>) -> Result<(u16, u64), End> {
        let known = match &self.framing {
            Framing::PcapNg { interfaces } => index
                .and_then(|index| usize::try_from(index).ok())
                .and_then(|index| interfaces.get(index))
                .map(|interface| (interface.link, interface.units)),
            Framing::Pcap { .. } => None,
        };
        known.ok_or_else(|| self.wrong("a packet of an interface that no block describes"))
    }

    fn enhanced(&mut self, body: &[u8], interface: Option<u32>) -> Result<Packet, End> {
        let (link, units) = self.known_interface(interface)?;
        let field = |at| self.u32(body, at).unwrap_or_default();
        let time = u64::from(field(4)).wrapping_shl(32) | u64::from(field(8));
        let length = usize::try_from(field(12)).unwrap_or(usize::MAX);
        let data = body.get(20..).and_then(|data| data.get(..length));
        let data = data.ok_or_else(|| self.wrong("a packet that is longer than its block"))?.to_vec();
        self.packet(link, nanoseconds(time, units), data)
    }

    fn simple(&mut self, body: &[u8]) -> Result<Packet, End> {
        let (link, _) = self.known_interface(Some(0))?;
        let length = self.u32(body, 0).and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        let data = body.get(4..).unwrap_or_default();
        let data = data.get(..length.min(data.len())).unwrap_or_default().to_vec();
        self.packet(link, 0, data)
    }

    fn u16(&self, data: &[u8], at: usize) -> Option<u16> {
        array(data, at)
            .map(|bytes| if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, data: &[u8], at: usize) -> Option<u32> {
        array(data, at)
            .map(|bytes| if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn wrong(&self, what: &str) -> End {
        End::Wrong(format!("before byte {}, after packet {}: {what}", self.at, self.number))
    }

    /// The next bytes, as many as told. Memory is taken for what is there, not for what is claimed.
    fn take(&mut self, length: u32) -> Result<Vec<u8>, End> {
        if length > LONGEST {
            return Err(self.wrong(&format!("a record of {length} bytes")));
        }
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(length.into()).read_to_end(&mut bytes);
        let read = read.map_err(|error| self.wrong(&error.to_string()))?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if u32::try_from(read) == Ok(length) { Ok(bytes) } else { Err(End::Cut) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], End> {
        let bytes = self.take(u32::try_from(N).unwrap_or(u32::MAX))?;
        array(&bytes, 0).ok_or(End::Cut)
    }

    /// The beginning of a record, where the file may be over.
    fn first<const N: usize>(&mut self) -> Result<[u8; N], End> {
        let before = self.at;
        let bytes = self.array();
        if self.at == before { bytes.map_err(|_| End::Over) } else { bytes }
    }
}

fn nanoseconds(time: u64, units: u64) -> u64 {
    let scaled = u128::from(time).saturating_mul(NANOSECONDS.into()).checked_div(units.into());
    scaled.and_then(|time| u64::try_from(time).ok()).unwrap_or_default()
}
