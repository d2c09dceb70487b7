//! SPC-4 table 556: every command in every state, of sequences with and without authentication, beside a nexus that is idle,
//! that runs a sequence, or that has completed one (SPC-4 7.7.2.2, 7.7.3.2, 7.7.3.3, 7.7.3.7; readings S2, S9, S10).

use super::client::{COMBINED_SUITE, NO_AUTH};
use super::*;

/// The states: idle, then after so many commands of a sequence with authentication, then of one without.
const STATES: [(usize, bool); 7] = [(0, false), (1, false), (2, false), (3, false), (4, false), (1, true), (2, true)];

/// What the table says, one letter for each state. P: it is processed; R: the same bytes again; B: NOT READY, SA CREATION IN
/// PROGRESS; N: ILLEGAL REQUEST, INVALID FIELD IN CDB; S: by 5.14.4.6.3 COMMAND SEQUENCE ERROR, or B if another nexus has a
/// sequence.
const TABLE: [(Command, &str); 4] = [
    (Command::KeyExchangeOut, "PBBBPBP"),
    (Command::KeyExchangeIn, "SPRBBPR"),
    (Command::AuthenticationOut, "NBPBBBN"),
    (Command::AuthenticationIn, "NBBPRBN"),
];
const INVALID_FIELD: &str = "NBBBNBN";

/// A device server whose nexus A is in a state; B has done so many commands of a sequence.
fn bench(state: usize, beside: usize) -> (Bench, Client, Vec<u8>) {
    let mut bench = Bench::new();
    bench.after(B, COMBINED_SUITE, 0xBBBB_0000, beside);
    let (commands, is_open) = STATES[state];
    let auth = if is_open { [NO_AUTH; 2] } else { COMBINED_SUITE.auth };
    let mut client = bench.client(A, COMBINED_SUITE.with_auth(auth), 0xAAAA_0000);
    let mut last_data_in = Vec::new();
    for _ in 0..commands {
        bench.step(A, &mut client);
        last_data_in.clone_from(&client.answer);
    }
    (bench, client, last_data_in)
}

/// The sequence goes on where it was, and makes its association; or there is none, and one can begin.
fn goes_on(bench: &mut Bench, state: usize, client: &mut Client) {
    match STATES[state] {
        (0, _) => bench.begin_and_finish(A, client),
        (4, false) | (2, true) => assert!(bench.has(client)),
        _ => bench.finish(A, client),
    }
}

fn list_of(bench: &mut Bench, command: Command, client: &mut Client) -> Vec<u8> {
    match command {
        Command::KeyExchangeOut => Client { ac_sai: 0xAAAA_1111, ..client.clone() }.key_exchange_out(),
        Command::AuthenticationOut if bench.server.phase(A) == Phase::KeyExchangeIn => client.authentication_out(),
        // Nobody looks at it.
        Command::AuthenticationOut => vec![0xFF; 40],
        _ => Vec::new(),
    }
}

#[test]
fn each_cell_of_table_556() {
    let mut cells = 0;
    for beside in [0, 2, 4] {
        for (command, row) in TABLE {
            for (state, cell) in row.chars().enumerate() {
                let (mut bench, mut client, last) = bench(state, beside);
                let list = list_of(&mut bench, command, &mut client);
                let phase = bench.server.phase(A);
                let what = format!("{command:?} in state {state}, {beside} commands beside");
                match cell {
                    'P' => {
                        let data_in = bench.good(A, command, &list);
                        assert_ne!(bench.server.phase(A), phase, "{what}");
                        assert_eq!(data_in.is_empty(), !list.is_empty(), "{what}");
                    }
                    'R' => {
                        let again = bench.good(A, command, &[]);
                        let expected = if command == Command::KeyExchangeIn { &last } else { &again };
                        assert_eq!(again, *expected, "{what}");
                        assert_eq!(bench.good(A, command, &[]), again, "{what}");
                        goes_on(&mut bench, state, &mut client);
                    }
                    cell => {
                        let sense = bench.refused(A, command, &list);
                        let (expected, pointer) = match (cell, beside) {
                            ('B', _) | ('S', 2) => (BUSY, None),
                            ('N', _) => (CDB, Some(in_cdb(2))),
                            _ => (SEQUENCE, Some(in_cdb(2))),
                        };
                        assert_eq!(code(&sense), expected, "{what}");
                        match pointer {
                            Some(pointer) => assert_eq!(sense.specific, pointer, "{what}"),
                            None => assert!(matches!(sense.specific, SenseKeySpecific::Progress(_)), "{what}"),
                        }
                        assert_eq!(bench.server.phase(A), phase, "{what}");
                        goes_on(&mut bench, state, &mut client);
                    }
                }
                cells += 1;
            }
        }
    }
    println!("{cells} cells");
    assert_eq!(cells, 3 * 4 * 7);
}

/// What is wrong with a CDB: its bytes, and where the pointer goes.
fn wrong_cdbs() -> Vec<([u8; 12], SenseKeySpecific)> {
    let mut all = Vec::new();
    let bit = SenseKeySpecific::Field { in_cdb: true, byte: 4, bit: Some(7) };
    for (operation, specific) in [(0xA2, 2), (0xA2, 3), (0xB5, 2), (0xB5, 3), (0xB5, 4)] {
        all.push(([operation, 0x41, 1, specific, 0x80, 0, 0, 0, 0, 1, 0, 0], bit));
    }
    for (operation, s0, s1) in [(0xA2, 1, 4), (0xA2, 0, 0), (0xB5, 0, 0), (0xB5, 1, 5), (0xB5, 0xF0, 0), (0xA2, 1, 1)] {
        all.push(([operation, 0x41, s0, s1, 0, 0, 0, 0, 0, 0, 0, 0], in_cdb(2)));
    }
    for specific in [2, 3, 4] {
        all.push(([0xB5, 0x41, 1, specific, 0, 0, 0, 0, 0x40, 1, 0, 0], in_cdb(6)));
    }
    all
}

#[test]
fn each_cell_of_a_wrong_cdb() {
    let mut cells = 0;
    for beside in [0, 2, 4] {
        for (state, cell) in INVALID_FIELD.chars().enumerate() {
            let (mut bench, mut client, _) = bench(state, beside);
            let phase = bench.server.phase(A);
            for (cdb, pointer) in wrong_cdbs() {
                let sense = bench.refused_cdb(A, &cdb, &[0xFF; 64]);
                assert_eq!(code(&sense), if cell == 'B' { BUSY } else { CDB }, "{cdb:02x?} in state {state}");
                if cell != 'B' {
                    assert_eq!(sense.specific, pointer, "{cdb:02x?}");
                }
                assert_eq!(bench.server.phase(A), phase);
                cells += 1;
            }
            goes_on(&mut bench, state, &mut client);
        }
    }
    println!("{cells} cells of a wrong CDB");
}

/// SPC-4 tables 520 and 521: what is not served is told so by the table, whatever it is.
#[test]
fn each_specific_value_in_each_state() {
    let mut cells = 0;
    for (state, cell) in INVALID_FIELD.chars().enumerate() {
        let (mut bench, mut client, _) = bench(state, 0);
        for (operation, served) in [(0xA2, &[0x0102, 0x0103][..]), (0xB5, &[0x0102, 0x0103, 0x0104])] {
            for specific in (0..=u16::MAX).filter(|specific| !served.contains(specific)) {
                let [s0, s1] = specific.to_be_bytes();
                let sense = bench.refused_cdb(A, &[operation, 0x41, s0, s1, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
                assert_eq!(code(&sense), if cell == 'B' { BUSY } else { CDB }, "{operation:x} {specific:x}");
                cells += 1;
            }
        }
        goes_on(&mut bench, state, &mut client);
    }
    assert_eq!(cells, 7 * (2 * 65_536 - 5));
}

/// SPC-4 5.14.4.1, 7.7.2: protocols 00h and 40h have nothing to do with sequences; INC_512 with 40h is an error always.
#[test]
fn other_protocols_in_each_state() {
    let idle = Bench::new().capabilities(A);
    for state in 0..STATES.len() {
        let (mut bench, mut client, _) = bench(state, 0);
        assert_eq!(bench.capabilities(A), idle);
        let mut ask =
            |protocol, s0, s1, flags| bench.execute(A, &[0xA2, protocol, s0, s1, flags, 0, 0, 0, 1, 0, 0, 0], &[]);
        assert_eq!(ask(0x40, 0, 0, 0).1, [0, 0, 0, 4, 0, 0, 1, 1]);
        assert_eq!(ask(0x00, 0, 0, 0).1, [0, 0, 0, 0, 0, 0, 0, 3, 0x00, 0x40, 0x41]);
        for (protocol, s0, s1, flags, byte) in
            [(0x40, 0, 0, 0x80, 4), (0x40, 1, 1, 0x80, 4), (0x40, 1, 2, 0, 2), (0x40, 0, 1, 0, 2), (0x42, 1, 2, 0, 1)]
        {
            let Reply::CheckCondition(sense) = ask(protocol, s0, s1, flags).0 else { panic!() };
            let bit = (byte == 4).then_some(7);
            assert_eq!(code(&sense), CDB);
            assert_eq!(sense.specific, SenseKeySpecific::Field { in_cdb: true, byte, bit });
        }
        let sense = bench.refused_cdb(A, &[0xB5, 0x40, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
        assert_eq!((code(&sense), sense.specific), (CDB, in_cdb(1)));
        goes_on(&mut bench, state, &mut client);
    }
}

/// A CDB that is cut off belongs to no command of a sequence, and ends none.
#[test]
fn a_cdb_that_is_cut_off_ends_no_sequence() {
    for state in 0..STATES.len() {
        let (mut bench, mut client, _) = bench(state, 0);
        for command in [Command::KeyExchangeOut, Command::AuthenticationOut, Command::AuthenticationIn, Command::Delete]
        {
            for length in 0..12 {
                let sense = bench.refused_cdb(A, &command.cdb(0)[..length], &[]);
                assert_eq!(code(&sense), (5, 0x20, 0x00));
            }
        }
        goes_on(&mut bench, state, &mut client);
    }
}

/// SPC-4 7.7.3.3, 7.7.3.2: the longest list that every device server takes; and Data-In that is cut off is no other answer.
#[test]
fn lists_and_allocation_lengths() {
    let mut bench = Bench::new();
    let mut client = bench.client(A, COMBINED_SUITE, 0xAAAA_0000);
    let mut parts = client.key_exchange_parts();
    let length = 16_384 - 28 - client::place(&parts, parts.len()) - 4;
    parts.push((0xC8, 0, vec![0x5A; length]));
    client.out = client.plain(0, &parts);
    assert_eq!(client.out.len(), 16_384);
    bench.good(A, Command::KeyExchangeOut, &client.out);
    for allocation in [0, 1, 27, 100] {
        let cdb = [0xA2, 0x41, 1, 2, 0, 0, 0, 0, 0, allocation, 0, 0];
        assert_eq!(bench.execute(A, &cdb, &[]).1.len(), usize::from(allocation));
    }
    let answer = bench.good(A, Command::KeyExchangeIn, &[]);
    client.read_key_exchange_in(&answer);
    bench.finish(A, &mut client);
}
