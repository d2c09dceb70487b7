//! What a key exchange OUT may have and what it may not: every error is SA CREATION PARAMETER VALUE INVALID with the field at fault,
//! and nothing has begun (SPC-4 7.7.3.4, 7.7.3.5, 7.7.3.8.3; readings S1, S3, S4, S5; questions Q10, Q12, Q18, Q25, Q26).

use super::client::{
    ALGORITHMS, COMBINED_SUITE, KE, NO_AUTH, NONCE, Part, SAUT, SEPARATE_SUITE, TIMEOUTS, part, place, timeouts,
};
use super::*;

/// A list that is refused.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) list: Vec<u8>,
    pub(crate) code: Code,
    pub(crate) at: SenseKeySpecific,
}

pub(crate) fn case(what: impl Into<String>, list: Vec<u8>, at: SenseKeySpecific) -> Case {
    Case { what: what.into(), list, code: INVALID, at }
}

/// Nothing begins, nothing that another sequence has left is touched (SPC-4 7.7.3.8.3, table 556).
pub(crate) fn check(suite: Suite, cases: &[Case]) {
    for is_complete in [false, true] {
        let mut bench = Bench::new();
        let old = is_complete.then(|| bench.establish(A, suite, 0x0101_0101));
        let phase = bench.server.phase(A);
        let kept = if is_complete { Command::AuthenticationIn } else { Command::Delete };
        let before = is_complete.then(|| bench.send(A, kept, &[]).1);
        for Case { what, list, code: expected, at } in cases {
            let sense = bench.refused(A, Command::KeyExchangeOut, list);
            assert_eq!((code(&sense), sense.specific), (*expected, *at), "{what}");
            assert_eq!(bench.server.phase(A), phase, "{what}");
        }
        if let (Some(old), Some(before)) = (old, before) {
            assert!(bench.has(&old));
            assert_eq!(bench.send(A, kept, &[]).1, before);
        }
        bench.establish(A, suite, 0x0202_0202);
    }
    println!("{} wrong key exchange OUTs", cases.len());
}

fn edit(list: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut edited = list.to_vec();
    edited[at..at + bytes.len()].copy_from_slice(bytes);
    edited
}

#[test]
fn each_field_of_the_header() {
    let mut client = Client::new(COMBINED_SUITE, 0x1000);
    let right = client.key_exchange_out();
    let mut cases = Vec::new();
    for sai in [0_u32, 1, 255] {
        cases.push(case(format!("AC_SAI {sai}"), edit(&right, 4, &sai.to_be_bytes()), in_list(4)));
    }
    for version in [0x00, 0x10, 0x30, 0xF0] {
        cases.push(case("MAJOR VERSION", edit(&right, 17, &[version]), in_list_bit(17, 7)));
    }
    cases.push(case("INTTR", edit(&right, 19, &[0x00]), in_list_bit(19, 4)));
    cases.push(case("INTTR and RSPNS", edit(&right, 19, &[0x04]), in_list_bit(19, 4)));
    cases.push(case("RSPNS", edit(&right, 19, &[0x14]), in_list_bit(19, 2)));
    for message_id in [1_u32, 2, 3, 0x0001_0000, u32::MAX] {
        cases.push(case("MESSAGE ID", edit(&right, 20, &message_id.to_be_bytes()), in_list(20)));
    }
    let length = u32::try_from(right.len()).unwrap();
    for wrong in [0, 28, length - 1, length + 1, u32::MAX] {
        cases.push(case("IKE LENGTH", edit(&right, 24, &wrong.to_be_bytes()), in_list(24)));
    }
    for short in [0, 1, 16, 27] {
        cases.push(case("no header", right[..short].to_vec(), in_list(24)));
    }
    cases.push(case("a header alone", edit(&edit(&right[..28], 24, &[0, 0, 0, 28]), 16, &[0]), in_list(16)));
    check(COMBINED_SUITE, &cases);
}

/// Reserved and restricted bytes, and the least SAI.
#[test]
fn what_is_not_looked_at() {
    let mut client = Client::new(COMBINED_SUITE, 256);
    let right = client.key_exchange_out();
    let accepted = [
        edit(&right, 4, &256_u32.to_be_bytes()),
        edit(&right, 0, &[0xFF; 4]),
        edit(&right, 8, &[0xFF; 8]),
        edit(&right, 17, &[0x2F]),
        edit(&right, 18, &[0xF2]),
        edit(&right, 19, &[0x1B]),
        edit(&right, 19, &[0xF0]),
    ];
    for list in accepted {
        let mut bench = Bench::new();
        client.capabilities = bench.capabilities(A);
        client.out = list;
        let out = client.out.clone();
        bench.good(A, Command::KeyExchangeOut, &out);
        bench.finish(A, &mut client);
    }
}

/// The list is shorter than TRANSFER LENGTH, or longer.
#[test]
fn lists_of_another_length_than_transferred() {
    let mut bench = Bench::new();
    let right = Client::new(COMBINED_SUITE, 0x1000).key_exchange_out();
    for (length, is_good) in [(right.len() + 1, false), (right.len() - 1, false), (right.len(), true)] {
        let reply = bench.execute(A, &Command::KeyExchangeOut.cdb(length), &right).0;
        match reply {
            Reply::CheckCondition(sense) => assert_eq!((code(&sense), sense.specific), (INVALID, in_list(24))),
            other => assert!(is_good, "{other:?}"),
        }
    }
    bench.server.reset();
    let longer = [right.as_slice(), &[0; 9]].concat();
    let reply = bench.execute(A, &Command::KeyExchangeOut.cdb(right.len()), &longer).0;
    assert_eq!(reply, Reply::Good { len: 0 }, "what lies behind TRANSFER LENGTH was not sent");
}

/// The NEXT PAYLOAD field that names the n-th payload.
pub(crate) fn named_at(parts: &[Part], index: usize) -> usize {
    if index == 0 { 16 } else { 28 + place(parts, index - 1) }
}

/// SPC-4 table 526: how often each payload stands in a key exchange OUT; readings S3 and Q12.
#[test]
fn the_number_of_payloads() {
    for auth in [COMBINED_SUITE.auth, [NO_AUTH; 2]] {
        let suite = COMBINED_SUITE.with_auth(auth);
        let client = Client::new(suite, 0x1000);
        let parts = client.key_exchange_parts();
        let mut cases = Vec::new();
        for index in 0..parts.len() {
            let mut fewer = parts.clone();
            let (absent, ..) = fewer.remove(index);
            // Without algorithms nothing tells whether SAUT may stand there, so that it is not at fault.
            let ended = named_at(&fewer, fewer.len());
            cases.push(case(format!("no {absent:02x}h"), client.plain(0, &fewer), in_list(ended)));
            for place in 0..=parts.len() {
                let mut more = parts.clone();
                more.insert(place, parts[index].clone());
                let second = if place > index { place } else { index + 1 };
                let what = format!("{absent:02x}h twice");
                cases.push(case(what, client.plain(0, &more), in_list(named_at(&more, second))));
            }
        }
        // Every code that the standard names and this message does not have, in every place.
        let others = [0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x80];
        let foreign = if auth == [NO_AUTH; 2] { None } else { Some(SAUT) };
        for code in others.into_iter().chain(foreign) {
            for place in 0..=parts.len() {
                let mut more = parts.clone();
                let data = if code == SAUT { client.usage.clone() } else { vec![0; 16] };
                more.insert(place, part(code, &data));
                // An Encrypted payload ends the message.
                let at = match code {
                    0x2E if place < parts.len() => continue,
                    _ => named_at(&more, place),
                };
                cases.push(case(format!("{code:02x}h at {place}"), client.plain(0, &more), in_list(at)));
            }
        }
        check(suite, &cases);
    }
}

/// SPC-4 7.7.3.5.1, reading S3.
#[test]
fn payloads_that_nobody_knows() {
    let client = Client::new(COMBINED_SUITE, 0x1000);
    let parts = client.key_exchange_parts();
    let mut cases = Vec::new();
    let mut bench = Bench::new();
    for unknown in [0x01, 0x20, 0x31, 0x7F, 0x84, 0xBF, 0xC0, 0xFF] {
        for place in 0..=parts.len() {
            let with = |flags| {
                let mut more = parts.clone();
                more.insert(place, (unknown, flags, vec![1, 2, 3]));
                (client.plain(0, &more), in_list(named_at(&more, place)))
            };
            let (list, at) = with(0x80);
            cases.push(Case { code: UNSUPPORTED, ..case(format!("{unknown:02x}h critical"), list, at) });
            let (list, at) = with(0x00);
            if place == 0 {
                cases.push(case(format!("{unknown:02x}h first"), list, at));
            } else {
                bench.good(A, Command::KeyExchangeOut, &list);
                bench.server.reset();
            }
        }
    }
    check(COMBINED_SUITE, &cases);
}

/// Every order of the payloads is accepted, and the exchange is completed.
#[test]
fn the_order_of_payloads_is_free() {
    let mut orders = 0;
    for auth in [COMBINED_SUITE.auth, [NO_AUTH; 2]] {
        let parts = Client::new(COMBINED_SUITE.with_auth(auth), 0x1000).key_exchange_parts();
        for order in permutations(parts.len()) {
            let mut bench = Bench::new();
            let mut client = bench.client(A, COMBINED_SUITE.with_auth(auth), 0x1000);
            let ordered: Vec<Part> = order.iter().map(|index| parts[*index].clone()).collect();
            client.out = client.plain(0, &ordered);
            bench.good(A, Command::KeyExchangeOut, &client.out);
            bench.finish(A, &mut client);
            orders += 1;
        }
    }
    assert_eq!(orders, 24 + 120);
}

pub(crate) fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |order: Vec<usize>| {
        (0..count).map(move |place| {
            let mut longer = order.clone();
            longer.insert(place, last);
            longer
        })
    };
    permutations(last).into_iter().flat_map(insert).collect()
}

/// Replaces the data of the payload with a code; gives the list and where the payload stands.
pub(crate) fn replaced(client: &Client, code: u8, data: &[u8]) -> (Vec<u8>, usize) {
    let mut parts = client.key_exchange_parts();
    let index = parts.iter().position(|part| part.0 == code).unwrap();
    parts[index].2 = data.to_vec();
    (client.plain(0, &parts), 28 + place(&parts, index))
}

/// SPC-4 7.7.3.5.15 and reading S4; the policy's maxima are 60 and 86 400.
#[test]
fn timeouts_that_are_refused() {
    let client = Client::new(COMBINED_SUITE, 0x1000);
    let mut cases = Vec::new();
    let wrong: [(&[u32], usize); 8] = [
        (&[], 7),
        (&[10], 7),
        (&[61, 600], 8),
        (&[u32::MAX, 600], 8),
        (&[60, 86_401], 12),
        (&[60, u32::MAX], 12),
        (&[61, 86_401], 8),
        (&[0, 86_401, 1], 12),
    ];
    for (values, offset) in wrong {
        let (list, at) = replaced(&client, TIMEOUTS, &timeouts(values));
        cases.push(case(format!("timeouts {values:?}"), list, in_list(at + offset)));
    }
    // The count does not go with the length.
    for (count, values) in [(3, 2), (2, 3), (255, 2)] {
        let mut data = timeouts(&vec![10; values]);
        data[3] = count;
        let (list, at) = replaced(&client, TIMEOUTS, &data);
        cases.push(case("count of timeouts", list, in_list(at + 2)));
    }
    check(COMBINED_SUITE, &cases);
}

/// SPC-4 7.7.3.5.3, 7.7.3.5.8, table 73 note d: all of it is found in the OUT (7.7.3.9).
#[test]
fn public_values_and_nonces_that_are_refused() {
    for suite in [COMBINED_SUITE, SEPARATE_SUITE] {
        let client = Client::new(suite, 0x1000);
        let length = suite.public_length();
        let public = |group: u16, public: &[u8]| {
            let [g0, g1] = group.to_be_bytes();
            replaced(&client, KE, &[&[g0, g1, 0, 0], public].concat())
        };
        let [.., g0, g1] = suite.group.to_be_bytes();
        let group = u16::from_be_bytes([g0, g1]);
        let mut cases = Vec::new();
        for other in [0, 1, group + 1, 0x8004] {
            let (list, at) = public(other, &client.public);
            cases.push(case("group number", list, in_list(at + 4)));
        }
        for wrong in [0, 1, length - 1, length + 1] {
            let (list, at) = public(group, &vec![0x3C; wrong]);
            cases.push(case("length of the public value", list, in_list(at + 2)));
        }
        let (list, at) = public(group, &vec![0; length]);
        cases.push(case("public value", list, in_list(at + 8)));
        let (list, at) = replaced(&client, KE, &[0, 14]);
        cases.push(case("half a KE payload", list, in_list(at + 2)));
        let least = if suite.prf == 0x8002_0007 { 32 } else { 16 };
        for wrong in [0, 1, least - 1, 257, 1000] {
            let (list, at) = replaced(&client, NONCE, &vec![1; wrong]);
            cases.push(case(format!("a nonce of {wrong}"), list, in_list(at + 2)));
        }
        check(suite, &cases);
        for right in [least, 64, 256] {
            let mut bench = Bench::new();
            let mut client = bench.client(A, suite, 0x1000);
            client.nonce = vec![1; right];
            bench.begin_and_finish(A, &mut client);
        }
    }
}

/// Payloads whose lengths do not tile the message.
#[test]
fn payload_lengths_that_do_not_fit() {
    let mut client = Client::new(COMBINED_SUITE, 0x1000);
    let right = client.key_exchange_out();
    let parts = client.key_exchange_parts();
    let mut cases = Vec::new();
    let nonce_at = 28 + place(&parts, 3);
    for length in [0_u16, 3] {
        for index in 0..parts.len() {
            let at = 28 + place(&parts, index);
            cases.push(case("PAYLOAD LENGTH", edit(&right, at + 2, &length.to_be_bytes()), in_list(at + 2)));
        }
    }
    for length in [37_u16, 0xFFFF] {
        cases.push(case("past the end", edit(&right, nonce_at + 2, &length.to_be_bytes()), in_list(nonce_at + 2)));
    }
    check(COMBINED_SUITE, &cases);
    assert_eq!(parts[1].0, ALGORITHMS);
}
