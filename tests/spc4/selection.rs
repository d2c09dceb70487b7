//! What an application client selects: 81h in both layouts, SAUT in both places, descriptor by descriptor (SPC-4 7.7.3.5.13,
//! 7.7.3.5.14, 7.7.3.6; readings S1, S6; questions Q2, Q6).

use super::client::{
    ALGORITHMS, CBC, CCM, COMBINED, COMBINED_SUITE, GCM, NO_AUTH, NULL, P521, SAUT, SEPARATE_SUITE, SHA1_96,
    SHA512_256, SHARED_KEY, algorithms, descriptor, place, saut,
};
use super::key_exchange::{Case, case, check, replaced};
use super::*;

/// The six descriptors of a suite, one of them another one.
fn with(index: usize, other: [u8; 12]) -> Vec<[u8; 12]> {
    let mut descriptors = COMBINED_SUITE.descriptors();
    descriptors[index] = other;
    descriptors
}

/// 81h with these descriptors as printed, and one byte shorter; the offset counts from the first descriptor.
fn both_layouts(cases: &mut Vec<Case>, what: &str, descriptors: &[[u8; 12]], offset: usize) {
    let client = Client::new(COMBINED_SUITE, 0x1000);
    let printed = algorithms(descriptors);
    for (data, first) in [(&printed[..], 21), (&printed[1..], 20)] {
        let (list, at) = replaced(&client, ALGORITHMS, data);
        cases.push(case(what, list, in_list(at + first + offset)));
    }
}

#[test]
fn each_descriptor_of_81h() {
    let mut cases = Vec::new();
    let mut wrong = |index: usize, other: [u8; 12], offset: usize| {
        let what = format!("descriptor {index}: {other:02x?}");
        both_layouts(&mut cases, &what, &with(index, other), 12 * index + offset);
    };
    // An identifier that the tables do not have, or that is not in the capabilities.
    for identifier in [0, 0x14, 0x8001_0003, 0x8001_000E, 0x8001_0013, 0x8002_0014, 0x0001_0014, u32::MAX] {
        wrong(0, descriptor(1, identifier, 16), 4);
    }
    wrong(0, descriptor(1, NULL, 0), 4);
    for length in [0, 15, 17, 24, 48, 128, 256] {
        wrong(0, descriptor(1, GCM, length), 10);
    }
    for identifier in [0, 5, 0x8002_0001, 0x8002_0004, 0x8002_0006, 0x8003_0005, 0x0002_0005] {
        wrong(1, descriptor(2, identifier, 0), 4);
    }
    for identifier in [0, 0xF003_0000, 0xF003_0002, 0x8003_0000, 0x8003_0005, 0x8003_000D] {
        wrong(2, descriptor(3, identifier, 0), 4);
    }
    for identifier in [0, 14, 0x8004_0000, 0x8004_0002, 0x8004_000F, 0x8004_0011, 0x8004_0014] {
        wrong(3, descriptor(4, identifier, 0), 4);
    }
    // This device server has shared keys only; one direction without authentication is none.
    for identifier in [0, 2, NO_AUTH, 0x00F9_0001, 0x00F9_0009, 0x00F9_000A, 0x00F9_000B, 0x00F9_00C9, 0x00FA_0002] {
        wrong(4, descriptor(0xF9, identifier, 0), 4);
        wrong(5, descriptor(0xFA, identifier, 0), 4);
    }
    // ALGORITHM TYPE, and DESCRIPTOR LENGTH.
    for index in 0..6 {
        for kind in [0x00, 0x05, 0xF0, 0xF8, 0xFB, 0xFF] {
            let mut other = COMBINED_SUITE.descriptors()[index];
            other[0] = kind;
            wrong(index, other, 0);
        }
        for length in [0, 11, 13] {
            let mut other = COMBINED_SUITE.descriptors()[index];
            other[3] = length;
            wrong(index, other, 2);
        }
    }
    check(COMBINED_SUITE, &cases);
}

/// SPC-4 table 547 notes d and e: the integrity algorithm is blamed, in both payloads.
#[test]
fn integrity_goes_with_encryption() {
    let mut cases = Vec::new();
    let pairs = [(GCM, SHA1_96), (GCM, SHA512_256), (CCM, SHA1_96), (CBC, COMBINED)];
    for (encr, integ) in pairs {
        let mut descriptors = with(0, descriptor(1, encr, 16));
        descriptors[2] = descriptor(3, integ, 0);
        both_layouts(&mut cases, "pair", &descriptors, 2 * 12 + 4);
    }
    check(COMBINED_SUITE, &cases);
    for (encr, integ) in pairs.into_iter().chain([(NULL, COMBINED)]) {
        let key = if encr == NULL { 0 } else { 16 };
        let usage = saut(0x81, &[], &[descriptor(1, encr, key), descriptor(3, integ, 0)]);
        wrong_usage(&format!("pair {encr:x} {integ:x}"), &usage, Some(20 + 12 + 4), &[true, false]);
    }
}

/// SPC-4 tables 541: number, set and order.
#[test]
fn the_number_and_order_of_descriptors_of_81h() {
    let client = Client::new(COMBINED_SUITE, 0x1000);
    let six = COMBINED_SUITE.descriptors();
    let mut cases = Vec::new();
    for count in [0, 1, 5, 7, 12, 255] {
        let mut data = algorithms(&six);
        data[16] = count;
        let (list, at) = replaced(&client, ALGORITHMS, &data);
        cases.push(case(format!("count {count}"), list, in_list(at + 20)));
        let (list, at) = replaced(&client, ALGORITHMS, &data[1..]);
        cases.push(case(format!("count {count}"), list, in_list(at + 19)));
    }
    for descriptors in [&six[..5], &[&six[..], &six[5..]].concat()] {
        let (list, at) = replaced(&client, ALGORITHMS, &algorithms(descriptors));
        cases.push(case(format!("{} descriptors", descriptors.len()), list, in_list(at + 20)));
    }
    for first in 0..6 {
        for second in 0..6 {
            let mut doubled = six.clone();
            doubled[second] = six[first];
            if first != second {
                // The absent one has no place; the count is blamed.
                let (list, at) = replaced(&client, ALGORITHMS, &algorithms(&doubled));
                cases.push(case(format!("{first} for {second}"), list, in_list(at + 20)));
            }
            let mut swapped = six.clone();
            swapped.swap(first, second);
            if first < second {
                both_layouts(&mut cases, &format!("{first} and {second} swapped"), &swapped, 12 * first);
            }
        }
    }
    // USAGE DATA LENGTH has no usage data.
    let mut data = algorithms(&six);
    data[11] = 4;
    let (list, at) = replaced(&client, ALGORITHMS, &data);
    cases.push(case("USAGE DATA LENGTH", list, in_list(at + 14)));
    check(COMBINED_SUITE, &cases);
}

/// Reading S1: both layouts come back byte for byte, with reserved bytes, and the exchange is completed.
#[test]
fn both_layouts_are_echoed_byte_for_byte() {
    for suite in [COMBINED_SUITE, SEPARATE_SUITE] {
        for is_short in [false, true] {
            for auth in [suite.auth, [NO_AUTH; 2]] {
                let mut bench = Bench::new();
                let mut client = bench.client(A, suite.with_auth(auth), 0x1000);
                let mut descriptors = client.suite.descriptors();
                descriptors.iter_mut().for_each(|descriptor| descriptor[1] = 0xD1);
                descriptors[0][8] = 0xD2;
                let data = algorithms(&descriptors)[usize::from(is_short)..].to_vec();
                let mut data = data;
                // Reserved; USAGE DATA LENGTH is bytes 14 and 15 of the payload.
                data[..10].fill(0xE1);
                data[12..15].fill(0xE2);
                client.usage[..8].fill(0xE3);
                client.usage[12..15].fill(0xE4);
                let mut parts = client.key_exchange_parts();
                parts[1].2 = data;
                client.out = client.plain(0, &parts);
                bench.good(A, Command::KeyExchangeOut, &client.out);
                // The client compares.
                bench.finish(A, &mut client);
            }
        }
    }
}

/// A SAUT payload is refused in the key exchange OUT, in the authentication OUT, or in both; the offset counts from its first byte,
/// and is absent where nothing is wrong with it.
fn wrong_usage(what: &str, usage: &[u8], offset: Option<usize>, places: &[bool]) {
    for is_open in places {
        let suite = COMBINED_SUITE.with_auth(if *is_open { [NO_AUTH; 2] } else { COMBINED_SUITE.auth });
        let mut bench = Bench::new();
        let mut client = bench.after(A, suite, 0x1000, if *is_open { 0 } else { 2 });
        client.usage = usage.to_vec();
        let Some(offset) = offset else {
            if *is_open {
                bench.begin_and_finish(A, &mut client);
            } else {
                bench.finish(A, &mut client);
            }
            continue;
        };
        let (command, list, at) = if *is_open {
            let (list, at) = replaced(&client, SAUT, usage);
            (Command::KeyExchangeOut, list, at)
        } else {
            let parts = client.authentication_parts();
            (Command::AuthenticationOut, client.authentication_out(), 32 + suite.iv() + place(&parts, 1))
        };
        let sense = bench.refused(A, command, &list);
        assert_eq!((code(&sense), sense.specific), (INVALID, in_list(at + offset)), "{what}, open {is_open}");
        if *is_open {
            bench.establish(A, COMBINED_SUITE, 0x2000);
        } else {
            bench.is_abandoned(A, &client);
        }
    }
}

/// What an association is for.
#[test]
fn the_usage_of_saut() {
    let pair = [descriptor(1, GCM, 16), descriptor(3, COMBINED, 0)];
    let both = &[true, false];
    for unknown in [0x0000, 0x0001, 0x0080, 0x0082, 0x8000, 0x8002, 0xA000, 0xCFFF, 0xFFFF, 0x8100] {
        wrong_usage("SA TYPE", &saut(unknown, &[], &pair), Some(12), both);
    }
    // These take an Authentication step.
    for takes in [0x8000, 0x8001, 0xBFFF] {
        wrong_usage("SA TYPE with authentication", &saut(takes, &[], &pair), Some(12), &[true]);
    }
    wrong_usage("8001h", &saut(0x8001, &[], &pair), None, &[false]);
    wrong_usage("BFFFh", &saut(0xBFFF, &[], &pair), None, &[false]);
    wrong_usage("C000h", &saut(0xC000, &[1; 8], &pair), None, both);
    wrong_usage("no usage data", &saut(0xC000, &[], &pair), None, both);
    // Usage data: none for the standard's types, the policy's most for others.
    wrong_usage("usage data", &saut(0x0081, &[1; 4], &pair), Some(14), both);
    wrong_usage("usage data", &saut(0x8001, &[1; 4], &pair), Some(14), &[false]);
    wrong_usage("usage data", &saut(0xC000, &[1; 9], &pair), Some(14), both);
    for length in [1, 4, 24, 0xFFFF] {
        let mut usage = saut(0x0081, &[], &pair);
        usage[10..12].copy_from_slice(&u16::to_be_bytes(length));
        let offset = if length > 28 { 14 } else { 19 + usize::from(length) };
        // What is read as a count is not two, unless the length leaves no room for one.
        wrong_usage(&format!("USAGE DATA LENGTH {length}"), &usage, Some(offset), both);
    }
}

#[test]
fn the_descriptors_of_saut() {
    let both = &[true, false];
    let pair = [descriptor(1, GCM, 16), descriptor(3, COMBINED, 0)];
    for count in [0, 1, 3, 6, 255] {
        let mut usage = saut(0x0081, &[], &pair);
        usage[15] = count;
        wrong_usage("count", &usage, Some(19), both);
    }
    wrong_usage("one", &saut(0x0081, &[], &pair[..1]), Some(19), both);
    wrong_usage("three", &saut(0x0081, &[], &[pair[0], pair[1], pair[1]]), Some(19), both);
    wrong_usage("order", &saut(0x0081, &[], &[pair[1], pair[0]]), Some(20), both);
    wrong_usage("no INTEG", &saut(0x0081, &[], &[pair[0], pair[0]]), Some(19), both);
    wrong_usage("no ENCR", &saut(0x0081, &[], &[pair[1], pair[1]]), Some(19), both);
    wrong_usage("a PRF", &saut(0x0081, &[], &[pair[0], descriptor(2, 0x8002_0005, 0)]), Some(32), both);
    for (encr, length, offset) in
        [(0x8001_0003, 16, 24), (0x14, 16, 24), (GCM, 24, 30), (GCM, 0, 30), (CBC, 1, 30), (NULL, 16, 30)]
    {
        let usage = saut(0x0081, &[], &[descriptor(1, encr, length), pair[1]]);
        wrong_usage(&format!("ENCR {encr:x} {length}"), &usage, Some(offset), both);
    }
    for integ in [0xF003_0000, 0x8003_0005, 0x8003_000D, 0] {
        wrong_usage("INTEG", &saut(0x0081, &[], &[pair[0], descriptor(3, integ, 0)]), Some(36), both);
    }
    // Everything else that the tables have goes together, ENCR_NULL too.
    for (encr, length, integ) in
        [(NULL, 0, SHA1_96), (NULL, 0, SHA512_256), (CBC, 32, SHA1_96), (CCM, 32, COMBINED), (GCM, 32, COMBINED)]
    {
        let usage = saut(0x0081, &[], &[descriptor(1, encr, length), descriptor(3, integ, 0)]);
        wrong_usage("right", &usage, None, both);
    }
}

/// SPC-4 7.7.3.6.6: what the list has for one direction is not selected for the other.
#[test]
fn each_direction_has_its_own_list() {
    let all = |f9: &[u32], fa: &[u32]| {
        let mut list = COMBINED_SUITE.descriptors();
        list.truncate(4);
        list.push(descriptor(1, CBC, 16));
        list.extend(f9.iter().map(|id| descriptor(0xF9, *id, 0)));
        list.extend(fa.iter().map(|id| descriptor(0xFA, *id, 0)));
        list.iter().map(ikev2_scsi::wire::Descriptor::from_bytes).collect::<Vec<_>>()
    };
    let capabilities = all(&[SHARED_KEY], &[SHARED_KEY, P521]);
    let mut bench = Bench::with(|builder| signing(builder, 0).0.fixed_capabilities(&capabilities));
    let mut client = bench.client(A, COMBINED_SUITE.with_auth([P521, SHARED_KEY]), 0x1000);
    let sense = bench.refused(A, Command::KeyExchangeOut, &client.key_exchange_out());
    assert_eq!((code(&sense), sense.specific), (INVALID, in_list(44 + 21 + 4 * 12 + 4)));
    bench.establish(A, COMBINED_SUITE.with_auth([SHARED_KEY, P521]), 0x2000);
    // Not listed at all, though the device server could: SA_AUTH_NONE, and a key length.
    let mut client = bench.client(B, COMBINED_SUITE.with_auth([NO_AUTH; 2]), 0x1000);
    let sense = bench.refused(B, Command::KeyExchangeOut, &client.key_exchange_out());
    assert_eq!((code(&sense), sense.specific), (INVALID, in_list(44 + 21 + 4 * 12 + 4)));
    let client = Client::new(COMBINED_SUITE, 0x1000);
    let (list, at) = replaced(&client, ALGORITHMS, &algorithms(&with(0, descriptor(1, GCM, 32))));
    let sense = bench.refused(B, Command::KeyExchangeOut, &list);
    assert_eq!((code(&sense), sense.specific), (INVALID, in_list(at + 21 + 10)));
}
