//! One iSCSI connection: what its login settles, and the SECURITY PROTOCOL commands that go over it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use ikev2_scsi::wire::protocol;

use super::bytes::{array, u16_at};
use super::iscsi::{Digests, Framer, Pdu, Side, opcode};
use super::step::Step;
use super::tcp::{Piece, Stream};

/// Longest login text that is kept, and most data of one command.
const LONGEST: usize = 1 << 20;
/// Most commands without a status.
const OPEN: usize = 4096;

/// One way of a connection.
struct Way {
    stream: Stream,
    framer: Framer,
}

impl Way {
    fn new(side: Side) -> Self {
        Self { stream: Stream::default(), framer: Framer::new(side) }
    }
}

/// What the login tells.
#[derive(Default)]
struct Login {
    initiator: Option<String>,
    target: Option<String>,
    isid: [u8; 6],
    /// Text that goes on in the next PDU, of either side.
    text: [Vec<u8>; 2],
    negotiated: Digests,
    is_over: bool,
}

impl Login {
    /// A login request or response.
    fn pdu(&mut self, pdu: &Pdu, side: Side) {
        let text = match side {
            Side::Initiator => {
                self.isid = pdu.array(8);
                &mut self.text[0]
            }
            Side::Target => &mut self.text[1],
        };
        let room = LONGEST.saturating_sub(text.len());
        text.extend(pdu.data.iter().take(room));
        let (transit, goes_on, next_stage) = (pdu.byte(1) & 0x80 != 0, pdu.byte(1) & 0x40 != 0, pdu.byte(1) & 3);
        if !goes_on {
            let text = std::mem::take(text);
            for pair in text.split(|byte| *byte == 0) {
                self.pair(&String::from_utf8_lossy(pair));
            }
        }
        // Status 00h, and the full feature phase is next.
        self.is_over |= side == Side::Target && transit && next_stage == 3 && pdu.byte(36) == 0;
    }

    fn pair(&mut self, pair: &str) {
        let Some((key, value)) = pair.split_once('=') else { return };
        let digest = match value {
            "CRC32C" => Some(true),
            "None" => Some(false),
            // A list offers, and does not settle.
            _ => None,
        };
        match (key, digest) {
            ("InitiatorName", _) => self.initiator = Some(shown(value)),
            ("TargetName", _) => self.target = Some(shown(value)),
            ("HeaderDigest", Some(wanted)) => self.negotiated.header = wanted,
            ("DataDigest", Some(wanted)) => self.negotiated.data = wanted,
            _ => {}
        }
    }
}

/// A name as it may be printed: of the length that RFC 7143 4.2.7.1 allows, and without what a terminal would obey.
fn shown(name: &str) -> String {
    name.chars().take(223).flat_map(char::escape_debug).collect()
}

/// Data that comes in pieces.
#[derive(Default)]
struct Pieces {
    pieces: BTreeMap<u32, Vec<u8>>,
    bytes: usize,
}

impl Pieces {
    fn put(&mut self, at: u32, data: &[u8]) {
        let room = LONGEST.saturating_sub(self.bytes);
        let data = data.get(..data.len().min(room)).unwrap_or_default();
        self.bytes = self.bytes.saturating_add(data.len());
        if !data.is_empty() {
            self.pieces.insert(at, data.to_vec());
        }
    }

    /// The bytes up to the first that is missing, and whether any is.
    fn joined(self) -> (Vec<u8>, bool) {
        let mut all = Vec::new();
        for (at, piece) in self.pieces {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let Some(known) = all.len().checked_sub(at) else { return (all, true) };
            all.extend(piece.get(known..).unwrap_or_default());
        }
        (all, false)
    }
}

/// A command that has no status yet.
struct Task {
    cdb: [u8; 12],
    lun: [u8; 8],
    packet: u64,
    time: u64,
    sent: Pieces,
    received: Pieces,
    notes: Vec<String>,
}

/// Where in a file something stands.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) packet: u64,
    /// Nanoseconds after the first packet.
    pub(crate) time: u64,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Iscsi,
    /// Its first bytes will tell.
    Undecided,
    Other,
}

/// A connection.
pub(crate) struct Connection {
    pub(crate) usage: Use,
    initiator: SocketAddr,
    target: SocketAddr,
    ways: [Way; 2],
    login: Login,
    /// Digests that an option tells, for a capture without the login.
    told: Digests,
    tasks: HashMap<u32, Task>,
    /// Bytes that the capture does not have.
    pub(crate) lost: u64,
}

impl Connection {
    pub(crate) fn new(usage: Use, initiator: SocketAddr, target: SocketAddr, told: Digests) -> Self {
        Self {
            usage,
            initiator,
            target,
            ways: [Way::new(Side::Initiator), Way::new(Side::Target)],
            login: Login::default(),
            told,
            tasks: HashMap::new(),
            lost: 0,
        }
    }

    /// Who sends from this address.
    pub(crate) fn side(&self, from: SocketAddr) -> Side {
        if from == self.initiator { Side::Initiator } else { Side::Target }
    }

    fn way(&mut self, side: Side) -> &mut Way {
        let [initiator, target] = &mut self.ways;
        if side == Side::Initiator { initiator } else { target }
    }

    pub(crate) fn stream(&mut self, side: Side) -> &mut Stream {
        &mut self.way(side).stream
    }

    /// What a stream has brought.
    pub(crate) fn pieces(&mut self, side: Side, pieces: Vec<Piece>, place: Place, done: &mut Vec<Step>) {
        for piece in pieces {
            if let (Use::Undecided, Side::Initiator, Piece::Data(data)) = (self.usage, side, &piece) {
                self.usage = if is_login(data) { Use::Iscsi } else { Use::Other };
            }
            if self.usage == Use::Other {
                return;
            }
            match piece {
                Piece::Gap(bytes) => {
                    self.lost = self.lost.saturating_add(bytes);
                    self.way(side).framer.lost();
                }
                Piece::Data(data) => self.way(side).framer.push(&data),
            }
            loop {
                let digests = if self.login.is_over { self.login.negotiated } else { self.told };
                let Some(pdu) = self.way(side).framer.next(digests) else { break };
                self.pdu(&pdu, side, place, done);
            }
        }
    }

    /// The end of the connection, or of the capture.
    pub(crate) fn finish(&mut self, place: Place, done: &mut Vec<Step>) {
        for side in [Side::Initiator, Side::Target] {
            let pieces = self.stream(side).finish();
            self.pieces(side, pieces, place, done);
        }
        self.give_up(done);
    }

    /// Shows what has no status.
    fn give_up(&mut self, done: &mut Vec<Step>) {
        let mut left: Vec<_> = self.tasks.drain().map(|(_, task)| task).collect();
        left.sort_by_key(|task| task.packet);
        for mut task in left {
            task.notes.push("the capture has no status of this command".into());
            done.push(self.step(task, None, Vec::new(), Place::default()));
        }
    }

    fn pdu(&mut self, pdu: &Pdu, side: Side, place: Place, done: &mut Vec<Step>) {
        let tag = pdu.word(16);
        if let (Some(digest), Some(task)) = (pdu.wrong_digest, self.tasks.get_mut(&tag)) {
            task.notes.push(format!("wrong iSCSI {digest}, packet {}", place.packet));
        }
        match pdu.opcode() {
            opcode::LOGIN_REQUEST | opcode::LOGIN_RESPONSE => self.login.pdu(pdu, side),
            opcode::SCSI_COMMAND => self.command(tag, pdu, place, done),
            opcode::DATA_OUT => {
                if let Some(task) = self.tasks.get_mut(&tag) {
                    task.sent.put(pdu.word(40), &pdu.data);
                }
            }
            opcode::DATA_IN => {
                if let Some(task) = self.tasks.get_mut(&tag) {
                    task.received.put(pdu.word(40), &pdu.data);
                }
                // The S bit: the status comes along.
                if pdu.byte(1) & 1 != 0 {
                    self.status(tag, pdu.byte(3), Vec::new(), place, done);
                }
            }
            opcode::SCSI_RESPONSE => {
                if let (response @ 1.., Some(task)) = (pdu.byte(2), self.tasks.get_mut(&tag)) {
                    task.notes.push(format!("iSCSI response {response:02X}h: the target failed"));
                }
                let length = u16_at(&pdu.data, 0).map_or(0, usize::from);
                let sense = pdu.data.get(2..).unwrap_or_default();
                let sense = sense.get(..length.min(sense.len())).unwrap_or_default().to_vec();
                self.status(tag, pdu.byte(3), sense, place, done);
            }
            _ => {}
        }
    }

    fn command(&mut self, tag: u32, pdu: &Pdu, place: Place, done: &mut Vec<Step>) {
        let cdb: [u8; 12] = pdu.array(32);
        if !matches!(cdb.first(), Some(0xA2 | 0xB5)) {
            self.tasks.remove(&tag);
            return;
        }
        if self.tasks.len() >= OPEN {
            self.give_up(done);
        }
        let mut task = Task {
            cdb,
            lun: pdu.array(8),
            packet: place.packet,
            time: place.time,
            sent: Pieces::default(),
            received: Pieces::default(),
            notes: Vec::new(),
        };
        // Immediate data.
        task.sent.put(0, &pdu.data);
        if let Some(digest) = pdu.wrong_digest {
            task.notes.push(format!("wrong iSCSI {digest}, packet {}", place.packet));
        }
        if let Some(mut before) = self.tasks.insert(tag, task) {
            before.notes.push("the capture has no status of this command".into());
            done.push(self.step(before, None, Vec::new(), Place::default()));
        }
    }

    fn status(&mut self, tag: u32, status: u8, sense: Vec<u8>, place: Place, done: &mut Vec<Step>) {
        if let Some(task) = self.tasks.remove(&tag) {
            done.push(self.step(task, Some(status), sense, place));
        }
    }

    fn step(&self, task: Task, status: Option<u8>, sense: Vec<u8>, end: Place) -> Step {
        let Task { cdb, lun, packet, time, sent, received, mut notes } = task;
        let (data_out, out_lacks) = sent.joined();
        let (data_in, in_lacks) = received.joined();
        if out_lacks || in_lacks {
            notes.push("data of this command are missing in the capture".into());
        }
        let packets = if end.packet > packet {
            format!("packets {packet} to {}", end.packet)
        } else {
            format!("packet {packet}")
        };
        let seconds = format!("{}.{:06}", time / 1_000_000_000, time / 1000 % 1_000_000);
        Step {
            name: command_name(&cdb),
            nexus: Some(self.nexus()),
            place: Some(format!("LUN {}, {packets}, {seconds} s", lun_text(lun))),
            cdb: cdb.to_vec(),
            data_out,
            data_in,
            status,
            sense,
            notes,
            ends: Some((self.initiator, self.target)),
            time,
        }
    }

    /// The I_T nexus by the names of its ports, or of its ends where the login is not in the capture.
    fn nexus(&self) -> String {
        match &self.login {
            Login { initiator: Some(initiator), target: Some(target), isid, .. } => {
                let isid: String = isid.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{initiator},i,0x{isid} to {target}")
            }
            _ => format!("{} to {}", self.initiator, self.target),
        }
    }
}

/// What captures call these commands.
fn command_name(cdb: &[u8; 12]) -> Option<String> {
    let name = match cdb {
        [_, protocol::SA_CREATION_CAPABILITIES, 0x01, 0x01, ..] => "capabilities",
        [_, protocol::IKEV2_SCSI, 0x01, 0x02, ..] => "key exchange",
        [_, protocol::IKEV2_SCSI, 0x01, 0x03, ..] => "authentication",
        [_, protocol::IKEV2_SCSI, 0x01, 0x04, ..] => "delete",
        _ => return None,
    };
    Some(name.into())
}

/// Whether the first bytes of a connection are those of a login request: immediate, VERSION-MAX and VERSION-MIN zero.
pub(crate) const fn is_login(data: &[u8]) -> bool {
    matches!(data, [0x43, _, 0, 0, ..])
}

/// The number of a LUN of one level, else all of its bytes.
fn lun_text(lun: [u8; 8]) -> String {
    match lun {
        [high @ 0..=0x7F, low, 0, 0, 0, 0, 0, 0] => (u16::from_be_bytes([high, low]) & 0x3FFF).to_string(),
        all => format!("{:016x}", array(&all, 0).map_or(0, u64::from_be_bytes)),
    }
}
