//! Deletes: of associations, of sequences, of nothing; wrong ones; and what is kept for repetition (SPC-4 5.14.4.11, 7.7.3.4 table
//! 523, 7.7.3.5.10, 7.7.3.5.11; readings S7, S9; questions Q29, Q30).

use super::client::{COMBINED_SUITE, DELETE, ENCRYPTED, NO_AUTH, SEPARATE_SUITE, link, part};
use super::*;

const SUITES: [Suite; 2] = [COMBINED_SUITE, SEPARATE_SUITE];

fn edit(list: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut edited = list.to_vec();
    edited[at..at + bytes.len()].copy_from_slice(bytes);
    edited
}

/// SPC-4 5.14.4.11: whatever the nexus of the Delete is doing, and wherever the association was made.
#[test]
fn an_association_is_deleted_from_every_nexus_in_every_state() {
    for suite in SUITES {
        for auth in [suite.auth, [NO_AUTH; 2]] {
            for commands in 0..=4 {
                let mut bench = Bench::new();
                let old = bench.establish(A, suite.with_auth(auth), 0x1000);
                let mut running = bench.after(B, suite, 0x2000, commands);
                bench.events();
                bench.good(B, Command::Delete, &old.delete());
                assert!(!bench.has(&old));
                assert!(bench.events().iter().any(|(nexus, kind)| {
                    *nexus == Some(B) && matches!(kind, EventKind::SaRemoved { id: gone, .. } if *gone == id(&old))
                }));
                // What A could have repeated is gone with it (reading S9).
                assert_eq!(bench.server.phase(A), Phase::Idle);
                let expected = if auth == [NO_AUTH; 2] {
                    (Command::KeyExchangeIn, if commands % 4 == 0 { SEQUENCE } else { BUSY })
                } else {
                    (Command::AuthenticationIn, CDB)
                };
                assert_eq!(code(&bench.refused(A, expected.0, &[])), expected.1);
                // A second time there is nothing to delete.
                let again = if commands % 4 == 0 { (LIST, in_list(4)) } else { (REJECTED, in_list(4)) };
                let sense = bench.refused(B, Command::Delete, &old.delete());
                assert_eq!((code(&sense), sense.specific), again);
                match commands {
                    0 => {}
                    4 => assert!(bench.has(&running)),
                    _ => bench.finish(B, &mut running),
                }
            }
        }
    }
}

/// SPC-4 5.14.4.10, 7.7.3.5.10: both SAIs name the sequence of the nexus itself.
#[test]
fn a_running_sequence_is_deleted() {
    for suite in SUITES {
        for commands in [2, 3] {
            let mut bench = Bench::new();
            let client = bench.after(A, suite, 0x1000, commands);
            bench.events();
            bench.good(A, Command::Delete, &client.delete());
            let why = ikev2_scsi::server::DropReason::Delete;
            assert_eq!(bench.events(), [(Some(A), EventKind::SequenceDropped { why })]);
            bench.is_abandoned(A, &client);
        }
    }
}

/// Before its key exchange IN nobody but the device server has keys: SA CREATION PARAMETER VALUE REJECTED, and it goes on.
#[test]
fn a_sequence_without_keys_is_not_deleted() {
    let mut bench = Bench::new();
    let mut client = bench.after(A, COMBINED_SUITE, 0x1000, 1);
    let mut keyed = client.clone();
    let answer = bench.good(A, Command::KeyExchangeIn, &[]);
    keyed.read_key_exchange_in(&answer);
    let delete = keyed.delete();
    // The same draws, so that the SAIs are those of the first device server's sequence.
    let mut bench = Bench::new();
    client.capabilities = bench.capabilities(A);
    bench.good(A, Command::KeyExchangeOut, &client.key_exchange_out());
    assert_eq!(code(&bench.refused(A, Command::Delete, &delete)), REJECTED);
    bench.finish(A, &mut client);
    assert_eq!(client.ds_sai, keyed.ds_sai);
}

/// A sequence of another nexus is never named: with a sequence here REJECTED, without one INVALID FIELD IN PARAMETER LIST.
#[test]
fn sequences_of_other_nexuses_are_not_deleted() {
    for commands in 2..=3 {
        let mut bench = Bench::new();
        let mut client = bench.after(A, COMBINED_SUITE, 0x1000, commands);
        let sense = bench.refused(B, Command::Delete, &client.delete());
        assert_eq!((code(&sense), sense.specific), (LIST, in_list(4)));
        let mut here = bench.after(B, COMBINED_SUITE, 0x2000, 2);
        let sense = bench.refused(B, Command::Delete, &client.delete());
        assert_eq!((code(&sense), sense.specific), (REJECTED, in_list(4)));
        bench.finish(B, &mut here);
        bench.finish(A, &mut client);
    }
}

/// What a Delete is made of, wrong in one place before it can be opened.
fn unopened(client: &Client) -> Vec<(&'static str, Vec<u8>, SenseKeySpecific)> {
    let (first, inner) = link(&[part(DELETE, &client.deletion())]);
    let header = client.header(ENCRYPTED, 2, 0);
    let seal = |at: usize, bytes: &[u8]| client.seal(&edit(&header, at, bytes), first, &client.pad(&inner));
    let right = client.delete();
    let pad_at = 32 + client.suite.iv() + inner.len();
    let mut padding = client.pad(&inner);
    padding[inner.len()] ^= 0x80;
    vec![
        ("MAJOR VERSION", seal(17, &[0x30]), in_list_bit(17, 7)),
        ("INTTR", seal(19, &[0]), in_list_bit(19, 4)),
        ("RSPNS", seal(19, &[0x14]), in_list_bit(19, 2)),
        ("MESSAGE ID", seal(20, &[0, 0, 0, 1]), in_list(20)),
        ("MESSAGE ID", seal(20, &[0, 0, 0, 3]), in_list(20)),
        ("NEXT PAYLOAD", seal(16, &[DELETE]), in_list(16)),
        ("unknown and critical", seal(16, &[0xC8]), in_list(16)),
        ("IKE LENGTH", edit(&right, 24, &[0, 0, 0, 1]), in_list(24)),
        ("PAYLOAD LENGTH", edit(&right, 30, &[0, 3]), in_list(30)),
        ("padding", client.seal(&header, first, &padding), in_list(pad_at)),
        ("no header", right[..27].to_vec(), in_list(24)),
        ("nothing", Vec::new(), in_list(24)),
    ]
}

/// Wrong in one place inside.
fn opened(client: &Client) -> Vec<(&'static str, Vec<u8>, Code, SenseKeySpecific)> {
    let at = 32 + client.suite.iv();
    let with = |offset: usize, value: u8| {
        let mut data = client.deletion();
        data[offset] ^= value;
        client.sealed(2, &[part(DELETE, &data)])
    };
    let right = client.deletion();
    let inside = |offset: usize| in_list(at + offset);
    let two = [part(DELETE, &right), part(DELETE, &right)];
    vec![
        ("PROTOCOL ID", with(0, 2), INVALID, inside(4)),
        ("SAI SIZE", with(1, 4), INVALID, inside(5)),
        ("NUMBER OF SAIS", with(3, 3), INVALID, inside(6)),
        ("AC_SAI", with(11, 1), INVALID, inside(12)),
        ("DS_SAI", with(19, 1), INVALID, inside(20)),
        ("a short one", client.sealed(2, &[part(DELETE, &right[..19])]), INVALID, inside(2)),
        ("a long one", client.sealed(2, &[part(DELETE, &[&right[..], &[0]].concat())]), INVALID, inside(2)),
        ("none", client.sealed(2, &[]), INVALID, in_list(28)),
        ("two", client.sealed(2, &two), INVALID, inside(0)),
        ("another", client.sealed(2, &[part(0x29, &right[..12])]), INVALID, in_list(28)),
        ("prohibited", client.sealed(2, &[part(0x2B, &right)]), INVALID, in_list(28)),
        ("unknown and critical", client.sealed(2, &[part(DELETE, &right), part(0xC8, &[])]), UNSUPPORTED, inside(0)),
    ]
}

/// SPC-4 7.7.3.8.2: wrong before it is opened, it is rejected, for an association or a sequence; nothing is touched.
#[test]
fn what_cannot_be_opened() {
    for suite in SUITES {
        // Of an association; the nexus has no sequence, one that runs, or a complete one.
        for commands in [0, 2, 4] {
            let mut bench = Bench::new();
            let client = bench.establish(A, suite, 0x1000);
            let mut running = bench.after(B, suite, 0x2000, commands);
            for (what, list, at) in unopened(&client) {
                let sense = bench.refused(B, Command::Delete, &list);
                assert_eq!((code(&sense), sense.specific), (REJECTED, at), "{what}");
                assert!(bench.has(&client), "{what}");
            }
            // The ICV tells that it does not belong to the association (reading S7, question Q30).
            for at in [32, client.delete().len() - 1] {
                let list = client.delete();
                let sense = bench.refused(B, Command::Delete, &edit(&list, at, &[list[at] ^ 1]));
                assert_eq!((code(&sense), sense.specific), (LIST, in_list(28)));
                assert!(bench.has(&client));
            }
            if commands == 2 {
                bench.finish(B, &mut running);
            }
            bench.good(B, Command::Delete, &client.delete());
        }
        // Of the sequence itself.
        for commands in [2, 3] {
            let mut bench = Bench::new();
            let mut client = bench.after(A, suite, 0x1000, commands);
            for (what, list, at) in unopened(&client) {
                let sense = bench.refused(A, Command::Delete, &list);
                assert_eq!((code(&sense), sense.specific), (REJECTED, at), "{what}");
            }
            let list = client.delete();
            let sense = bench.refused(A, Command::Delete, &edit(&list, 32, &[list[32] ^ 1]));
            assert_eq!((code(&sense), sense.specific), (REJECTED, in_list(28)));
            bench.finish(A, &mut client);
        }
    }
}

/// SPC-4 7.7.3.8.3, 7.7.3.5.10: wrong after it was opened, nothing is deleted, and the nexus's sequence is over, whichever it was
/// that the Delete named.
#[test]
fn what_is_wrong_inside() {
    for suite in SUITES {
        for index in 0..opened(&Client::new(suite, 1)).len() {
            for (names_sequence, commands) in [(true, 2), (true, 3), (false, 0), (false, 1), (false, 2), (false, 4)] {
                let mut bench = Bench::new();
                let old = bench.establish(B, suite, 0x1000);
                let running = bench.after(A, suite, 0x2000, commands);
                let named = if names_sequence { &running } else { &old };
                let (what, list, expected, at) = opened(named).swap_remove(index);
                let sense = bench.refused(A, Command::Delete, &list);
                assert_eq!((code(&sense), sense.specific), (expected, at), "{what}");
                assert!(bench.has(&old), "{what}");
                match commands {
                    4 => assert!(bench.has(&running), "{what}"),
                    0 => assert_eq!(bench.server.phase(A), Phase::Idle),
                    _ => bench.is_abandoned(A, &running),
                }
                // B has what it kept.
                bench.good(B, Command::AuthenticationIn, &[]);
            }
        }
    }
}

/// An unknown payload that is not critical is skipped, restricted bytes beside SAIs are not looked at.
#[test]
fn what_is_not_looked_at() {
    let mut bench = Bench::new();
    let client = bench.establish(A, COMBINED_SUITE, 0x1000);
    let mut data = client.deletion();
    data[4..8].fill(0xFF);
    data[12..16].fill(0xFF);
    let parts = [(0xC8, 0, vec![1, 2]), part(DELETE, &data), (0x31, 0, vec![])];
    let (first, inner) = link(&parts);
    let header = edit(&edit(&client.header(ENCRYPTED, 2, 0), 0, &[0xEE; 4]), 8, &[0xEE; 4]);
    bench.good(A, Command::Delete, &client.seal(&header, first, &client.pad(&inner)));
    assert!(!bench.has(&client));
}

/// SAIs that name nothing: the first of them that is wrong for the sequence that is here.
#[test]
fn foreign_sais() {
    for commands in 0..=4 {
        let mut bench = Bench::new();
        let mut client = bench.after(A, COMBINED_SUITE, 0x1000, commands);
        let stranger = Client { ds_sai: client.ds_sai ^ 1, ..client.clone() };
        let is_running = (1..4).contains(&commands);
        let sense = bench.refused(A, Command::Delete, &stranger.delete());
        let expected = if is_running { (REJECTED, in_list(12)) } else { (LIST, in_list(4)) };
        assert_eq!((code(&sense), sense.specific), expected);
        let stranger = Client { ac_sai: 0x1001, ..client.clone() };
        let sense = bench.refused(A, Command::Delete, &stranger.delete());
        let expected = if is_running { (REJECTED, in_list(4)) } else { (LIST, in_list(4)) };
        assert_eq!((code(&sense), sense.specific), expected);
        match commands {
            0 => {}
            4 => bench.good(A, Command::Delete, &client.delete()).clear(),
            _ => bench.finish(A, &mut client),
        }
    }
}
