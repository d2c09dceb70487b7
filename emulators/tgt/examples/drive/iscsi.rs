//! A small iSCSI initiator (RFC 7143) for tests: what a polite one cannot do, such as leaving in the middle of a command.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Most bytes of a PDU that a target takes unless it says otherwise.
const SEGMENT: usize = 8192;
const HEADER: usize = 48;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u8,
    pub(crate) data_in: Vec<u8>,
    pub(crate) sense: Vec<u8>,
    /// Positive: underflow; negative: overflow.
    pub(crate) residual: i64,
}

impl Answer {
    /// Sense key, ADDITIONAL SENSE CODE, and its qualifier; zeros for GOOD.
    pub(crate) fn code(&self) -> (u8, u8, u8) {
        let at = |index: usize| self.sense.get(index).copied().unwrap_or(0);
        if at(0) & 0x7E == 0x72 { (at(1) & 15, at(2), at(3)) } else { (at(2) & 15, at(12), at(13)) }
    }
}

/// A logical unit by its URL, `iscsi://host:port/target/LUN`.
#[derive(Debug, Clone)]
pub(crate) struct Url {
    pub(crate) address: String,
    pub(crate) target: String,
    pub(crate) lun: u8,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("iscsi://")?.splitn(3, '/');
        let (address, target, lun) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { address: address.into(), target: target.into(), lun: lun.parse().ok()? })
    }

    pub(crate) fn with_lun(&self, lun: u8) -> Self {
        Self { lun, ..self.clone() }
    }
}

/// A command to send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Task<'a> {
    pub(crate) cdb: [u8; 16],
    pub(crate) data_out: &'a [u8],
    /// Room for Data-In.
    pub(crate) room: usize,
    /// Expected Data Transfer Length, where it is not the one of the two.
    pub(crate) expected: Option<usize>,
}

impl<'a> Task<'a> {
    pub(crate) fn of(cdb: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(cdb).for_each(|(to, from)| *to = *from);
        Self { cdb: bytes, ..Self::default() }
    }

    pub(crate) const fn out(mut self, data: &'a [u8]) -> Self {
        self.data_out = data;
        self
    }

    pub(crate) const fn room(mut self, bytes: usize) -> Self {
        self.room = bytes;
        self
    }

    pub(crate) const fn expecting(mut self, bytes: usize) -> Self {
        self.expected = Some(bytes);
        self
    }
}

/// A session of one connection: one I_T nexus.
pub(crate) struct Session {
    stream: TcpStream,
    lun: u8,
    cmd_sn: u32,
    stat_sn: u32,
    tag: u32,
    /// Data-Out of commands that are out, and their Data-In so far.
    waiting: BTreeMap<u32, (Vec<u8>, Vec<u8>)>,
    /// Answers that came before they were asked for.
    early: BTreeMap<u32, Answer>,
}

fn word(header: &[u8], at: usize) -> u32 {
    let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    u32::from_be_bytes(bytes.unwrap_or_default())
}

fn put(header: &mut [u8; HEADER], at: usize, bytes: &[u8]) {
    header.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
}

impl Session {
    pub(crate) fn login(url: &Url) -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let stream = TcpStream::connect(&url.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (waiting, early) = (BTreeMap::new(), BTreeMap::new());
        let mut session = Self { stream, lun: url.lun, cmd_sn: 1, stat_sn: 0, tag: 0, waiting, early };
        let text = [
            "InitiatorName=iqn.2007-04.org.example:drive",
            &format!("TargetName={}", url.target),
            "SessionType=Normal",
            "HeaderDigest=None",
            "DataDigest=None",
            "InitialR2T=Yes",
            "ImmediateData=Yes",
            "MaxRecvDataSegmentLength=262144",
            "",
        ]
        .join("\0");
        let mut header = [0; HEADER];
        // A login that goes from the operational stage to the full feature phase.
        put(&mut header, 0, &[0x43, 0x87]);
        put(&mut header, 8, &[0x80]);
        put(&mut header, 12, &NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        put(&mut header, 24, &session.cmd_sn.to_be_bytes());
        session.send(header, text.as_bytes())?;
        let (answer, _) = session.receive()?;
        if answer[0] & 0x3F != 0x23 || answer[36] != 0 {
            return Err(format!("login refused with status {:02x}{:02x}h", answer[36], answer[37]).into());
        }
        session.stat_sn = word(&answer, 24).wrapping_add(1);
        Ok(session)
    }

    fn send(&mut self, mut header: [u8; HEADER], data: &[u8]) -> Result<()> {
        let length = u32::try_from(data.len())?.to_be_bytes();
        put(&mut header, 5, &length[1..]);
        let mut pdu = [&header[..], data].concat();
        pdu.resize(pdu.len().next_multiple_of(4), 0);
        Ok(self.stream.write_all(&pdu)?)
    }

    fn receive(&mut self) -> Result<([u8; HEADER], Vec<u8>)> {
        let mut header = [0; HEADER];
        self.stream.read_exact(&mut header)?;
        let length = usize::try_from(word(&header, 4) & 0xFF_FFFF)?;
        let mut data = vec![0; usize::from(header[4]) * 4 + length.next_multiple_of(4)];
        self.stream.read_exact(&mut data)?;
        let mut data = data.split_off(usize::from(header[4]) * 4);
        data.truncate(length);
        Ok((header, data))
    }

    fn begin(&mut self, opcode: u8, flags: u8) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        put(&mut header, 0, &[opcode, flags]);
        put(&mut header, 9, &[self.lun]);
        put(&mut header, 16, &self.tag.to_be_bytes());
        put(&mut header, 24, &self.cmd_sn.to_be_bytes());
        put(&mut header, 28, &self.stat_sn.to_be_bytes());
        header
    }

    /// Sends a command and gives its tag.
    pub(crate) fn start(&mut self, task: &Task<'_>) -> Result<u32> {
        self.tag += 1;
        let direction = if !task.data_out.is_empty() {
            0x20
        } else if task.room > 0 {
            0x40
        } else {
            0
        };
        let mut header = self.begin(0x01, 0x80 | direction | 1);
        let expected = task.expected.unwrap_or(task.data_out.len().max(task.room));
        put(&mut header, 20, &u32::try_from(expected)?.to_be_bytes());
        put(&mut header, 32, &task.cdb);
        self.cmd_sn = self.cmd_sn.wrapping_add(1);
        self.waiting.insert(self.tag, (task.data_out.to_vec(), Vec::new()));
        self.send(header, task.data_out.get(..SEGMENT).unwrap_or(task.data_out))?;
        Ok(self.tag)
    }

    /// Sends a task management function (1 ABORT TASK, 5 LOGICAL UNIT RESET) and gives its tag.
    pub(crate) fn manage(&mut self, function: u8, task: u32) -> Result<u32> {
        self.tag += 1;
        let mut header = self.begin(0x42, 0x80 | function);
        put(&mut header, 20, &task.to_be_bytes());
        self.send(header, &[])?;
        Ok(self.tag)
    }

    /// The answer to a command, or of a task management function its response as the status.
    pub(crate) fn wait(&mut self, tag: u32) -> Result<Answer> {
        loop {
            if let Some(answer) = self.early.remove(&tag) {
                return Ok(answer);
            }
            let (header, data) = self.receive()?;
            let its = word(&header, 16);
            match header[0] & 0x3F {
                0x31 => self.send_data_out(&header)?,
                0x20 => self.answer_ping(&header)?,
                0x22 => {
                    self.early.insert(its, Answer { status: header[2], ..Answer::default() });
                }
                0x25 => {
                    let has_status = header[1] & 1 != 0;
                    self.waiting.entry(its).or_default().1.extend(data);
                    if has_status {
                        self.ended(its, &header, &[]);
                    }
                }
                0x21 if header[2] == 0 => self.ended(its, &header, data.get(2..).unwrap_or_default()),
                _ => return Err(format!("unexpected PDU {header:02x?}").into()),
            }
        }
    }

    fn ended(&mut self, tag: u32, header: &[u8; HEADER], sense: &[u8]) {
        self.stat_sn = word(header, 24).wrapping_add(1);
        let count = i64::from(word(header, 44));
        let residual = match header[1] & 6 {
            2 => count,
            4 => -count,
            _ => 0,
        };
        let data_in = self.waiting.remove(&tag).unwrap_or_default().1;
        self.early.insert(tag, Answer { status: header[3], data_in, sense: sense.to_vec(), residual });
    }

    fn answer_ping(&mut self, ping: &[u8; HEADER]) -> Result<()> {
        if word(ping, 20) == u32::MAX {
            return Ok(());
        }
        let mut header = self.begin(0x40, 0x80);
        put(&mut header, 16, &[0xFF; 4]);
        put(&mut header, 20, &ping[20..24]);
        self.send(header, &[])
    }

    fn send_data_out(&mut self, r2t: &[u8; HEADER]) -> Result<()> {
        let tag = word(r2t, 16);
        let (mut offset, length) = (usize::try_from(word(r2t, 40))?, usize::try_from(word(r2t, 44))?);
        let data = self.waiting.get(&tag).map(|(data, _)| data.clone()).unwrap_or_default();
        let end = offset + length;
        let mut number = 0_u32;
        while offset < end {
            let next = end.min(offset + SEGMENT);
            let mut header = self.begin(0x05, if next == end { 0x80 } else { 0 });
            put(&mut header, 16, &tag.to_be_bytes());
            put(&mut header, 20, &r2t[20..24]);
            put(&mut header, 24, &[0; 4]);
            put(&mut header, 36, &number.to_be_bytes());
            put(&mut header, 40, &u32::try_from(offset)?.to_be_bytes());
            let mut part = data.get(offset..next.min(data.len())).unwrap_or_default().to_vec();
            part.resize(next - offset, 0);
            self.send(header, &part)?;
            (offset, number) = (next, number + 1);
        }
        Ok(())
    }

    pub(crate) fn command(&mut self, task: &Task<'_>) -> Result<Answer> {
        let tag = self.start(task)?;
        self.wait(tag)
    }

    /// TEST UNIT READY until no unit attention is left; gives the codes of those that were.
    pub(crate) fn ready(&mut self) -> Result<Vec<(u8, u8)>> {
        let mut told = Vec::new();
        loop {
            let answer = self.command(&Task::of(&[0; 6]))?;
            match answer.code() {
                (6, asc, ascq) => told.push((asc, ascq)),
                _ => return Ok(told),
            }
        }
    }
}

/// SECURITY PROTOCOL IN (A2h) with its ALLOCATION LENGTH, or OUT (B5h) with its TRANSFER LENGTH.
pub(crate) fn security_protocol(opcode: u8, protocol: u8, specific: u16, length: u32) -> [u8; 12] {
    let ([s0, s1], [l0, l1, l2, l3]) = (specific.to_be_bytes(), length.to_be_bytes());
    [opcode, protocol, s0, s1, 0, 0, l0, l1, l2, l3, 0, 0]
}
