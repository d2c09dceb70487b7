//! Every command in every phase, through the device server: each cell of the documented table, every SECURITY PROTOCOL and
//! every SECURITY PROTOCOL SPECIFIC value, with status, sense key, additional sense code and field pointer (readings R20, R24,
//! R25, R26, R32, R35, R39).
#![cfg(all(feature = "client", feature = "rustcrypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it counted"
)]

#[path = "support/cheap.rs"]
mod cheap;
#[path = "support/documented.rs"]
mod documented;

use cheap::{Draws, Exchange};
use ikev2_scsi::sense::{Sense, SenseKey, SenseKeySpecific};
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

const A: NexusId = NexusId(1);
const B: NexusId = NexusId(2);

/// The columns of the table.
const PHASES: [&str; 6] =
    ["idle", "key exchange OUT", "key exchange IN", "authentication OUT", "complete", "complete, unauthenticated"];

const KEY_EXCHANGE: u8 = 2;
const AUTHENTICATION: u8 = 3;
const DELETE: u8 = 4;

/// A device server whose nexus A is in one phase of the first exchange; the second one is B's, complete.
struct Bench {
    server: DeviceServer,
    mine: Exchange,
    theirs: Exchange,
    is_open: bool,
    data_in: Vec<u8>,
}

impl Bench {
    fn new(phase: &str) -> Self {
        Self::at(PHASES.iter().position(|name| *name == phase).unwrap())
    }

    /// In the n-th phase.
    fn at(phase: usize) -> Self {
        let is_open = phase == 5;
        let mine = if is_open { Exchange::unauthenticated(0) } else { Exchange::authenticated(0) };
        let server = cheap::builder().other_protocols(&[0x20, 0xEE]).build().unwrap();
        let theirs = Exchange::authenticated(1);
        let mut bench = Self { server, mine, theirs, is_open, data_in: vec![0; 4096] };
        let theirs = bench.theirs.key_exchange_out.clone();
        bench.good(B, [0xB5, 0x41, 1, KEY_EXCHANGE], &theirs);
        bench.good(B, [0xA2, 0x41, 1, KEY_EXCHANGE], &[]);
        let theirs = bench.theirs.authentication_out.clone();
        bench.good(B, [0xB5, 0x41, 1, AUTHENTICATION], &theirs);
        bench.good(B, [0xA2, 0x41, 1, AUTHENTICATION], &[]);
        bench.go_on(0, if is_open { 2 } else { phase });
        bench
    }

    /// The commands of A's exchange from the n-th on, all of which are GOOD.
    fn go_on(&mut self, from: usize, upto: usize) {
        for step in from..upto {
            let (operation, specific) = ([0xB5, 0xA2][step % 2], if step < 2 { KEY_EXCHANGE } else { AUTHENTICATION });
            let list = match step {
                0 => self.mine.key_exchange_out.clone(),
                2 => self.mine.authentication_out.clone(),
                _ => Vec::new(),
            };
            self.good(A, [operation, 0x41, 1, specific], &list);
        }
    }

    fn send(&mut self, nexus: NexusId, head: [u8; 4], flags: u8, list: &[u8]) -> Reply {
        let length = if head[0] == 0xA2 { 4096 } else { list.len() };
        let [l2, l3] = u16::try_from(length).unwrap().to_be_bytes();
        let cdb = [head[0], head[1], head[2], head[3], flags, 0, 0, 0, l2, l3, 0, 0];
        let mut list = list.to_vec();
        let request = Request { cdb: &cdb, data_out: &mut list, data_in: &mut self.data_in };
        let sequence = usize::from(nexus == B);
        self.server.execute(nexus, request, Instant::from_millis(0), &mut Draws::of(sequence))
    }

    fn good(&mut self, nexus: NexusId, head: [u8; 4], list: &[u8]) -> Vec<u8> {
        match self.send(nexus, head, 0, list) {
            Reply::Good { len } => self.data_in[..len].to_vec(),
            other => panic!("{head:02x?}: {other:?}"),
        }
    }

    fn refused(&mut self, head: [u8; 4], flags: u8, list: &[u8]) -> Sense {
        match self.send(A, head, flags, list) {
            Reply::CheckCondition(sense) => sense,
            other => panic!("{head:02x?}: {other:?}"),
        }
    }
}

/// Sense key, ASC, ASCQ and what is specific to the key.
type Told = ((SenseKey, u8, u8), SenseKeySpecific);

const fn told(sense: &Sense) -> Told {
    ((sense.key, sense.asc.code, sense.asc.qualifier), sense.specific)
}

const fn field(in_cdb: bool, byte: u16) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb, byte, bit: None }
}

/// INVALID FIELD IN CDB.
const fn bad_cdb(byte: u16) -> Told {
    ((SenseKey::IllegalRequest, 0x24, 0x00), field(true, byte))
}

/// What a cell of the table says to a command in the n-th phase.
fn expected(cell: &str, phase: usize, is_delete: bool, is_open: bool) -> Option<Told> {
    let done = u16::try_from(phase).unwrap();
    let each = if is_open { 0x8000 } else { 0x4000 };
    match cell {
        "process" | "repeat" => None,
        "in progress" => Some(((SenseKey::NotReady, 0x00, 0x1E), SenseKeySpecific::Progress(done * each))),
        "sequence" if is_delete => Some(((SenseKey::IllegalRequest, 0x2C, 0x00), field(false, 0))),
        "sequence" => Some(((SenseKey::IllegalRequest, 0x2C, 0x00), field(true, 2))),
        "value" => Some(((SenseKey::IllegalRequest, 0x74, 0x30), field(false, 0))),
        "field" => Some(bad_cdb(2)),
        other => panic!("{other}"),
    }
}

/// The command of a row, its first four bytes and list, and the Data-In that it is owed.
fn command(bench: &Bench, row: &str) -> ([u8; 4], Vec<u8>, Vec<u8>) {
    let never = Exchange::authenticated(9);
    let mine = Exchange::authenticated(0);
    let out = |specific, list: &[u8]| ([0xB5, 0x41, 1, specific], list.to_vec(), Vec::new());
    match row {
        "key exchange OUT" => out(KEY_EXCHANGE, &bench.mine.key_exchange_out),
        "key exchange IN" => ([0xA2, 0x41, 1, KEY_EXCHANGE], Vec::new(), bench.mine.key_exchange_in.clone()),
        "authentication OUT" => out(AUTHENTICATION, &mine.authentication_out),
        "authentication OUT*" => out(AUTHENTICATION, &bench.theirs.authentication_out),
        "authentication IN" => ([0xA2, 0x41, 1, AUTHENTICATION], Vec::new(), bench.mine.authentication_in.clone()),
        "delete" => out(DELETE, &bench.theirs.delete),
        "delete*" => out(DELETE, &never.delete),
        "invalid field" => ([0xA2, 0x41, 0, 1], Vec::new(), Vec::new()),
        other => panic!("{other}"),
    }
}

/// The random source repeats itself, so that an exchange can begin again only when its association is gone.
fn make_way(bench: &mut Bench, phase: usize, row: &str) {
    if phase >= 4 && row == "key exchange OUT" {
        let delete = bench.mine.delete.clone();
        bench.good(A, [0xB5, 0x41, 1, DELETE], &delete);
    }
}

#[test]
fn each_cell_of_the_documented_table() {
    let table = documented::table(false);
    let mut cells = 0;
    for row in &table[2..] {
        for (phase, name) in PHASES.iter().enumerate() {
            assert_eq!(table[0][phase + 1], *name);
            let mut bench = Bench::new(name);
            make_way(&mut bench, phase, row[0]);
            let (head, list, data_in) = command(&bench, row[0]);
            let what = format!("{} after {name}", row[0]);
            let before = bench.server.sas().len();
            match expected(row[phase + 1], phase, row[0].starts_with("delete"), bench.is_open) {
                None => assert_eq!(bench.good(A, head, &list), data_in, "{what}"),
                Some(refusal) => {
                    assert_eq!(told(&bench.refused(head, 0, &list)), refusal, "{what}");
                    assert_eq!(bench.server.sas().len(), before, "{what}");
                }
            }
            cells += 1;
        }
    }
    // Of a sequence that has two commands, one is a half.
    let mut bench = Bench::at(0);
    let open = Exchange::unauthenticated(0);
    bench.good(A, [0xB5, 0x41, 1, KEY_EXCHANGE], &open.key_exchange_out);
    for row in table[2..].iter().filter(|row| row[2] == "in progress") {
        let (head, list, _) = command(&bench, row[0]);
        assert_eq!(told(&bench.refused(head, 0, &list)), expected("in progress", 1, false, true).unwrap());
        cells += 1;
    }
    println!("{cells} cells of the table");
    assert_eq!(cells, 48 + 4);
}

/// Values of SECURITY PROTOCOL SPECIFIC that are served.
fn served(operation: u8, protocol: u8) -> &'static [u16] {
    match (operation, protocol) {
        (0xA2, 0x00) => &[0x0000, 0x0001],
        (0xA2, 0x40) => &[0x0101],
        (0xA2, 0x41) => &[0x0102, 0x0103],
        (0xB5, 0x41) => &[0x0102, 0x0103, 0x0104],
        _ => &[],
    }
}

#[test]
fn each_specific_value_in_each_phase() {
    let mut cells = 0;
    for phase in 0..PHASES.len() {
        let mut bench = Bench::at(phase);
        for (operation, protocol) in
            [(0xA2, 0x00), (0xA2, 0x40), (0xA2, 0x41), (0xB5, 0x00), (0xB5, 0x40), (0xB5, 0x41)]
        {
            let known = served(operation, protocol);
            // Nothing of the protocol is served: then the protocol is at fault (reading R35).
            let refusal = bad_cdb(if known.is_empty() { 1 } else { 2 });
            for specific in (0..=u16::MAX).filter(|specific| !known.contains(specific)) {
                let [s0, s1] = specific.to_be_bytes();
                let sense = bench.refused([operation, protocol, s0, s1], 0, &[]);
                assert_eq!(told(&sense), refusal, "{operation:x} {protocol:x} {specific:x}");
                cells += 1;
            }
        }
        // The exchange goes on as if nothing had been.
        assert_eq!(bench.server.sas().len(), 1 + usize::from(phase >= 4));
        bench.go_on(phase.min(4), if bench.is_open { 0 } else { 4 });
        assert_eq!(bench.server.sas().len(), 2);
    }
    println!("{cells} pairs of a phase and a SECURITY PROTOCOL SPECIFIC value that is not served");
    assert_eq!(cells, 6 * (6 * 65_536 - 8));
}

#[test]
fn each_other_protocol_in_each_phase() {
    let mut cells = 0;
    for phase in 0..PHASES.len() {
        let mut bench = Bench::at(phase);
        for operation in [0xA2, 0xB5] {
            for protocol in (0..=u8::MAX).filter(|protocol| served(operation, *protocol).is_empty()) {
                for specific in [0, 1, 2, 3, 4] {
                    let sense = bench.refused([operation, protocol, 1, specific], 0, &[]);
                    assert_eq!(told(&sense), bad_cdb(1), "{operation:x} {protocol:x}");
                    cells += 1;
                }
            }
        }
        bench.go_on(phase.min(4), if bench.is_open { 0 } else { 4 });
        assert_eq!(bench.server.sas().len(), 2);
    }
    println!("{cells} commands of other protocols");
    assert_eq!(cells, 6 * (253 + 255) * 5);
}

/// What no phase refuses, and what each refuses for its CDB alone, though the command would be served.
#[test]
fn what_does_not_depend_on_the_phase() {
    let capabilities = cheap::capabilities();
    let bit = SenseKeySpecific::Field { in_cdb: true, byte: 4, bit: Some(7) };
    for phase in 0..PHASES.len() {
        let mut bench = Bench::at(phase);
        assert_eq!(bench.good(A, [0xA2, 0x40, 1, 1], &[]), capabilities);
        let supported = [0, 0, 0, 0, 0, 0, 0, 5, 0x00, 0x20, 0x40, 0x41, 0xEE];
        assert_eq!(bench.good(A, [0xA2, 0x00, 0, 0], &[]), supported);
        assert_eq!(bench.good(A, [0xA2, 0x00, 0, 1], &[]), [0; 4]);
        for (operation, protocol) in [(0xA2, 0x00), (0xA2, 0x40), (0xA2, 0x41), (0xB5, 0x41)] {
            for specific in served(operation, protocol) {
                let [s0, s1] = specific.to_be_bytes();
                let sense = bench.refused([operation, protocol, s0, s1], 0x80, &[]);
                assert_eq!(told(&sense), ((SenseKey::IllegalRequest, 0x24, 0x00), bit), "INC_512");
            }
        }
        for specific in [KEY_EXCHANGE, AUTHENTICATION, DELETE] {
            let sense = bench.refused([0xB5, 0x41, 1, specific], 0, &[0; 16_385]);
            assert_eq!(told(&sense), bad_cdb(6), "TRANSFER LENGTH");
        }
        bench.go_on(phase.min(4), if bench.is_open { 0 } else { 4 });
        assert_eq!(bench.server.sas().len(), 2);
    }
}
