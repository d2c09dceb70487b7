//! The two classes of errors of an authentication OUT: what anybody could have sent is SA CREATION PARAMETER VALUE REJECTED and the
//! sequence goes on; what was sealed is SA CREATION PARAMETER VALUE INVALID, or ABORTED COMMAND where nobody is authenticated, and
//! the sequence is gone (SPC-4 5.14.4.7.2, 7.7.3.4, 7.7.3.5, 7.7.3.8; readings S3, S7, S11, S12).

use super::client::{
    AUTH, CERT, CERTREQ, COMBINED_SUITE, ENCRYPTED, IDI, NOTIFY, Part, SAUT, SEPARATE_SUITE, link, part, place,
};
use super::key_exchange::permutations;
use super::*;

const SUITES: [Suite; 2] = [COMBINED_SUITE, SEPARATE_SUITE];

fn edit(list: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut edited = list.to_vec();
    edited[at..at + bytes.len()].copy_from_slice(bytes);
    edited
}

/// All of these are refused one after another, and the sequence goes on.
fn rejected(bench: &mut Bench, client: &mut Client, cases: &[(&str, Vec<u8>, SenseKeySpecific)]) {
    for (what, list, at) in cases {
        let sense = bench.refused(A, Command::AuthenticationOut, list);
        assert_eq!((code(&sense), sense.specific), (REJECTED, *at), "{what}");
        assert_eq!(bench.server.phase(A), Phase::KeyExchangeIn, "{what}");
    }
    // The key exchange IN may still be repeated.
    assert_eq!(bench.good(A, Command::KeyExchangeIn, &[]), client.answer);
    bench.finish(A, client);
}

/// SPC-4 table 523 and 7.7.3.4: the message is sealed well, so that nothing but the header is wrong.
#[test]
fn each_field_of_the_header() {
    for suite in SUITES {
        let mut bench = Bench::new();
        let mut client = bench.after(A, suite, 0x1000, 2);
        let (first, inner) = link(&client.authentication_parts());
        let text = client.pad(&inner);
        let right = client.header(ENCRYPTED, 1, 0);
        let seal = |at: usize, bytes: &[u8]| client.seal(&edit(&right, at, bytes), first, &text);
        let mut cases = Vec::new();
        for sai in [0, 1, 255, 0x1001, client.ds_sai] {
            cases.push(("AC_SAI", seal(4, &sai.to_be_bytes()), in_list(4)));
        }
        for sai in [0, 255, client.ds_sai ^ 1, 0x1000] {
            cases.push(("DS_SAI", seal(12, &sai.to_be_bytes()), in_list(12)));
        }
        cases.push(("MAJOR VERSION", seal(17, &[0x10]), in_list_bit(17, 7)));
        cases.push(("INTTR", seal(19, &[0x00]), in_list_bit(19, 4)));
        cases.push(("RSPNS", seal(19, &[0x14]), in_list_bit(19, 2)));
        for id in [0_u32, 2, 3, 0x0001_0001] {
            cases.push(("MESSAGE ID", seal(20, &id.to_be_bytes()), in_list(20)));
        }
        // Payloads that are known, prohibited, and unknown.
        for next in [0x00, 0x22, 0x23, 0x27, 0x2B, 0x81] {
            cases.push(("NEXT PAYLOAD", seal(16, &[next]), in_list(16)));
        }
        cases.push(("unknown and critical", seal(16, &[0xC8]), in_list(16)));
        let whole = client.authentication_out();
        let length = u32::try_from(whole.len()).unwrap();
        for wrong in [0, length - 1, length + 1] {
            cases.push(("IKE LENGTH", edit(&whole, 24, &wrong.to_be_bytes()), in_list(24)));
        }
        for short in [0, 1, 27] {
            cases.push(("no header", whole[..short].to_vec(), in_list(24)));
        }
        rejected(&mut bench, &mut client, &cases);
    }
}

/// The Encrypted payload before anything in it can be trusted: lengths, ICV, padding (SPC-4 7.7.3.5.11).
#[test]
fn what_cannot_be_opened() {
    for suite in SUITES {
        let mut bench = Bench::new();
        let mut client = bench.after(A, suite, 0x1000, 2);
        let right = client.authentication_out();
        let text_at = 32 + suite.iv();
        let mut cases = Vec::new();
        // Every byte under the ICV; the first ones belong to the header.
        for at in
            [0, 8, 18, 28, 29, 32, text_at, right.len() - suite.icv() - 1, right.len() - suite.icv(), right.len() - 1]
        {
            cases.push(("ICV", edit(&right, at, &[right[at] ^ 0x40]), in_list(28)));
        }
        for length in [0_u16, 3, 4, 20] {
            cases.push(("PAYLOAD LENGTH", edit(&right, 30, &length.to_be_bytes()), in_list(30)));
        }
        // Too short for a vector, a text and an ICV.
        let header = client.header(ENCRYPTED, 1, 0);
        for data in [0, suite.iv(), suite.iv() + suite.icv()] {
            let mut list =
                [header.as_slice(), &[IDI, 0x80, 0, 4 + u8::try_from(data).unwrap()], &vec![0; data]].concat();
            let length = u32::try_from(list.len()).unwrap();
            list[24..28].copy_from_slice(&length.to_be_bytes());
            cases.push(("too short", list, in_list(30)));
        }
        // Padding: right ICV, wrong bytes. The text has 8 bytes of payload data more, to have room.
        let (first, mut inner) = link(&client.authentication_parts());
        while (inner.len() + 5) % suite.alignment() != 0 {
            inner.push(0);
        }
        let seal = |padding: &[u8]| client.seal(&header, first, &[inner.as_slice(), padding].concat());
        let pad_at = text_at + inner.len();
        cases.push(("padding of zeros", seal(&[0, 0, 0, 0, 4]), in_list(pad_at)));
        cases.push(("the second byte", seal(&[1, 3, 3, 4, 4]), in_list(pad_at + 1)));
        cases.push(("the last byte", seal(&[1, 2, 3, 5, 4]), in_list(pad_at + 3)));
        cases.push(("counted from zero", seal(&[0, 1, 2, 3, 4]), in_list(pad_at)));
        cases.push(("more than there is", seal(&[1, 2, 3, 4, 255]), in_list(pad_at + 4)));
        rejected(&mut bench, &mut client, &cases);
    }
}

/// As much padding as the sender likes, up to 255 bytes.
#[test]
fn padding_of_every_length() {
    for suite in SUITES {
        for padding in 0..=255_u8 {
            let mut bench = Bench::new();
            let client = bench.after(A, suite, 0x1000, 2);
            let (first, inner) = link(&client.authentication_parts());
            let text = [inner.as_slice(), &(1..=padding).collect::<Vec<u8>>(), &[padding]].concat();
            if text.len() % suite.alignment() == 0 {
                bench.good(A, Command::AuthenticationOut, &client.seal(&client.header(ENCRYPTED, 1, 0), first, &text));
            }
        }
    }
}

/// One command that ends the sequence: what it sends, what it is told.
fn abandoned(suite: Suite, what: &str, expected: Code, make: impl Fn(&Client) -> (Vec<u8>, SenseKeySpecific)) {
    let mut bench = Bench::new();
    let other = bench.after(B, COMBINED_SUITE, 0xBBBB_0000, 2);
    let client = bench.after(A, suite, 0x1000, 2);
    let (list, at) = make(&client);
    bench.events();
    let sense = bench.refused(A, Command::AuthenticationOut, &list);
    assert_eq!((code(&sense), sense.specific), (expected, at), "{what}");
    let dropped = bench
        .events()
        .into_iter()
        .filter(|(nexus, kind)| *nexus == Some(A) && matches!(kind, EventKind::SequenceDropped { .. }));
    assert_eq!(dropped.count(), 1, "{what}");
    assert!(!bench.has(&client), "{what}");
    bench.is_abandoned(A, &client);
    let mut other = other;
    bench.finish(B, &mut other);
}

/// Where an inner payload begins in the message.
fn inner_at(client: &Client, parts: &[Part], index: usize) -> usize {
    32 + client.suite.iv() + place(parts, index)
}

/// The NEXT PAYLOAD field that names the n-th inner payload.
fn named_at(client: &Client, parts: &[Part], index: usize) -> usize {
    if index == 0 { 28 } else { inner_at(client, parts, index - 1) }
}

/// SPC-4 table 526: counts, payloads that do not belong here, unknown ones.
#[test]
fn the_number_of_inner_payloads() {
    let count = Client::new(COMBINED_SUITE, 1).authentication_parts().len();
    for index in 0..count {
        abandoned(COMBINED_SUITE, "one is absent", INVALID, |client| {
            let mut parts = client.authentication_parts();
            parts.remove(index);
            (client.sealed(1, &parts), in_list(named_at(client, &parts, parts.len())))
        });
        for place in [0, count] {
            abandoned(COMBINED_SUITE, "one is doubled", INVALID, |client| {
                let mut parts = client.authentication_parts();
                parts.insert(place, parts[index].clone());
                let second = if place > index { place } else { index + 1 };
                (client.sealed(1, &parts), in_list(named_at(client, &parts, second)))
            });
        }
    }
    let foreign = [0x21, 0x22, 0x24, 0x28, 0x2A, 0x2B, 0x2C, 0x2D, 0x2F, 0x30, 0x80, 0x81, 0x83];
    for code in foreign {
        for place in 0..=count {
            abandoned(SEPARATE_SUITE, "does not belong here", INVALID, |client| {
                let mut parts = client.authentication_parts();
                parts.insert(place, part(code, &[0; 12]));
                (client.sealed(1, &parts), in_list(named_at(client, &parts, place)))
            });
        }
    }
    abandoned(COMBINED_SUITE, "two Notifys", INVALID, |client| {
        let mut parts = client.authentication_parts();
        parts.insert(1, part(NOTIFY, &client.notify()));
        parts.insert(1, part(NOTIFY, &client.notify()));
        (client.sealed(1, &parts), in_list(named_at(client, &parts, 2)))
    });
    abandoned(COMBINED_SUITE, "nothing inside", INVALID, |client| (client.sealed(1, &[]), in_list(28)));
}

/// SPC-4 7.7.3.5.1, table 558; reading S3. A payload that is not critical may be skipped, the first too.
#[test]
fn inner_payloads_that_nobody_knows() {
    for unknown in [0x01, 0x31, 0x84, 0xC8, 0xFF] {
        for place in 0..=3 {
            abandoned(COMBINED_SUITE, "critical", UNSUPPORTED, |client| {
                let mut parts = client.authentication_parts();
                parts.insert(place, (unknown, 0x80, vec![1]));
                (client.sealed(1, &parts), in_list(named_at(client, &parts, place)))
            });
            let mut bench = Bench::new();
            let mut client = bench.after(A, SEPARATE_SUITE, 0x1000, 2);
            let mut parts = client.authentication_parts();
            parts.insert(place, (unknown, 0x00, vec![1]));
            bench.good(A, Command::AuthenticationOut, &client.sealed(1, &parts));
            bench.finish(A, &mut client);
        }
    }
}

/// CRIT of a payload that is known tells nothing, and any order of them is accepted (question Q12).
#[test]
fn the_order_of_inner_payloads_is_free() {
    for order in permutations(4) {
        let mut bench = Bench::new();
        let mut client = bench.after(A, COMBINED_SUITE, 0x1000, 2);
        client.initial_contact = true;
        let parts = client.authentication_parts();
        let ordered: Vec<Part> = order.iter().map(|index| (parts[*index].0, 0, parts[*index].2.clone())).collect();
        bench.good(A, Command::AuthenticationOut, &client.sealed(1, &ordered));
        bench.finish(A, &mut client);
    }
}

/// The data of one inner payload are changed; the fault is at an offset from its first byte.
fn wrong_data(what: &str, kind: u8, expected: Code, offset: usize, change: impl Fn(&mut Vec<u8>)) {
    for suite in SUITES {
        abandoned(suite, what, expected, |client| {
            let mut parts = Client { initial_contact: true, ..client.clone() }.authentication_parts();
            let index = parts.iter().position(|part| part.0 == kind).unwrap_or(1);
            if parts[index].0 != kind {
                parts.insert(index, part(kind, &[4, 1, 2, 3]));
            }
            change(&mut parts[index].2);
            (client.sealed(1, &parts), in_list(inner_at(client, &parts, index) + offset))
        });
    }
}

/// SPC-4 7.7.3.5.4 to 7.7.3.5.9, and 7.7.3.9 note b.
#[test]
fn each_field_of_the_inner_payloads() {
    for id_type in [0x00, 0x01, 0x02, 0x08, 0x0D, 0xFF] {
        wrong_data("ID TYPE", IDI, INVALID, 4, |data| data[0] = id_type);
    }
    wrong_data("a short ID", IDI, INVALID, 2, |data| data.truncate(3));
    wrong_data("PROTOCOL ID", NOTIFY, INVALID, 4, |data| data[0] = 2);
    wrong_data("SAI SIZE", NOTIFY, INVALID, 5, |data| data[1] = 4);
    wrong_data("NOTIFY MESSAGE TYPE", NOTIFY, INVALID, 6, |data| data[2] = 0x41);
    wrong_data("SAI", NOTIFY, INVALID, 12, |data| data[11] ^= 1);
    wrong_data("a long Notify", NOTIFY, INVALID, 2, |data| data.push(0));
    wrong_data("a short Notify", NOTIFY, INVALID, 2, |data| data.truncate(11));
    for encoding in [0x00, 0x01, 0x03, 0x05, 0x0A, 0x0C, 0x0D, 0x0E, 0xC9, 0xFF] {
        wrong_data("CERTIFICATE ENCODING", CERT, INVALID, 4, |data| data[0] = encoding);
        wrong_data("CERTIFICATE ENCODING", CERTREQ, INVALID, 4, |data| {
            *data = [&[encoding], [7; 20].as_slice()].concat();
        });
    }
    wrong_data("half a hash", CERTREQ, INVALID, 2, |data| *data = vec![4; 11]);
    wrong_data("a short AUTH", AUTH, INVALID, 2, |data| data.truncate(3));
    wrong_data("SAUT", SAUT, INVALID, 12, |data| data[8] = 0x42);
}

/// Payload lengths inside do not tile.
#[test]
fn inner_lengths_that_do_not_fit() {
    for (index, length) in [(0, 3), (0, 0), (2, 3), (2, 0xFFFF)] {
        abandoned(COMBINED_SUITE, "PAYLOAD LENGTH", INVALID, |client| {
            let parts = client.authentication_parts();
            let (first, mut inner) = link(&parts);
            let at = place(&parts, index);
            inner[at + 2..at + 4].copy_from_slice(&u16::to_be_bytes(length));
            let list = client.seal(&client.header(ENCRYPTED, 1, 0), first, &client.pad(&inner));
            (list, in_list(inner_at(client, &parts, index) + 2))
        });
    }
}

/// SPC-4 7.7.3.5.7, reading S12: ABORTED COMMAND, AUTHENTICATION FAILED, which has no pointer; one failure is the end.
#[test]
fn nobody_is_authenticated() {
    let none = SenseKeySpecific::None;
    for suite in SUITES {
        for method in [0, 1, 3, 9, 0x0B, 0xC9, 0xFF] {
            abandoned(suite, "AUTH METHOD", DENIED, |client| {
                let mut parts = client.authentication_parts();
                parts[2].2[0] = method;
                (client.sealed(1, &parts), none)
            });
        }
        abandoned(suite, "another key", DENIED, |client| {
            (Client { key: b"other's key".to_vec(), ..client.clone() }.authentication_out(), none)
        });
        abandoned(suite, "another identity", DENIED, |client| {
            (Client { name: b"other".to_vec(), ..client.clone() }.authentication_out(), none)
        });
        abandoned(suite, "nobody", DENIED, |client| {
            (Client { name: b"nobody".to_vec(), ..client.clone() }.authentication_out(), none)
        });
        abandoned(suite, "other capabilities", DENIED, |client| {
            (Client { capabilities: vec![1], ..client.clone() }.authentication_out(), none)
        });
        abandoned(suite, "another key exchange OUT", DENIED, |client| {
            (Client { out: vec![1], ..client.clone() }.authentication_out(), none)
        });
        for length in [4, 5, 23, 24 + 4, 100] {
            abandoned(suite, "another length of AUTH", DENIED, |client| {
                let mut parts = client.authentication_parts();
                parts[2].2.resize(length, 0);
                (client.sealed(1, &parts), none)
            });
        }
        // The reserved bytes of the ID payload are under AUTH.
        abandoned(suite, "reserved bytes of ID", DENIED, |client| {
            let mut parts = client.authentication_parts();
            parts[0].2[1] = 1;
            (client.sealed(1, &parts), none)
        });
    }
}

/// What is wrong with a payload counts before AUTH does: nobody need be authenticated to be told of it (digest 6.5).
#[test]
fn payloads_are_looked_at_before_auth() {
    abandoned(COMBINED_SUITE, "both", INVALID, |client| {
        let mut parts = client.authentication_parts();
        parts[2].2[0] = 9;
        parts[1].2[8] = 0x42;
        (client.sealed(1, &parts), in_list(inner_at(client, &parts, 1) + 12))
    });
}
