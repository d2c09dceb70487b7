//! Which field a refused key exchange OUT is told (r3 5.13.4.3.2, 7.7.3.1.1, 7.7.4.3-7.7.4.13, 7.7.5; readings R2, R4-R8, R17,
//! R18, R22, R28, R32, R34, R38, R39). Each refusal leaves no trace: the honest message follows.

use super::sealed::mandatory_host;
use super::*;

const NOT_SUPPORTED: (u8, u8, u8) = (5, 0x74, 0x31);
const INCOMPLETE: (u8, u8, u8) = (5, 0x26, 0x13);

// Offsets of the payloads of a message without usage data.
const STV: usize = 28;
const SCA: usize = STV + 16;
const ENCR: usize = SCA + 16;
const PRF: usize = ENCR + 12;
const INTEG: usize = PRF + 12;
const DH: usize = INTEG + 12;
const IKE_AUTH: usize = DH + 12;
const KE: usize = IKE_AUTH + 12;
const NONCE: usize = KE + 264;

fn honest() -> (Unit, ApplicationClient, Vec<u8>) {
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &mandatory_host(|builder| builder), 0);
    let message = client.next_command(&mut unit.random).unwrap().data_out.to_vec();
    assert_eq!(message.len(), NONCE + 36);
    (unit, client, message)
}

/// Writes LENGTH anew.
fn fit(mut message: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    message[24..28].copy_from_slice(&length);
    message
}

fn list(byte: usize) -> SenseKeySpecific {
    in_list(u16::try_from(byte).unwrap())
}

fn bit(byte: u16, bit: u8) -> SenseKeySpecific {
    SenseKeySpecific::Field { in_cdb: false, byte, bit: Some(bit) }
}

/// Bytes that are changed, and the pointer of the IKEv2-SCSI PARAMETER VALUE INVALID that follows.
#[test]
fn every_wrong_field_is_pointed_at() {
    let (mut unit, mut client, message) = honest();
    let two = |at: usize, value: u16| vec![(at, value.to_be_bytes()[0]), (at + 1, value.to_be_bytes()[1])];
    let zeros = |at: usize, count: usize| (at..at + count).map(|at| (at, 0)).collect::<Vec<_>>();
    let cases: Vec<(Vec<(usize, u8)>, SenseKeySpecific)> = vec![
        (zeros(0, 8), list(0)),
        (vec![(15, 1)], list(8)),
        (vec![(17, 0x10)], bit(17, 7)),
        (vec![(17, 0x3F)], bit(17, 7)),
        (vec![(18, 0xF3)], list(18)),
        (vec![(19, 0x00)], bit(19, 4)),
        (vec![(19, 0x14)], bit(19, 2)),
        (vec![(19, 0x04)], bit(19, 4)),
        (vec![(23, 1)], list(20)),
        (vec![(27, message[27] ^ 1)], list(24)),
        (vec![(STV + 2, 0xFF)], list(STV + 2)),
        (two(STV + 2, 3), list(STV + 2)),
        (two(STV + 2, 12), list(STV + 2)),
        (two(STV + 2, 17), list(STV + 2)),
        (two(STV + 2, 20), list(STV + 2)),
        (two(SCA + 2, 77), list(SCA + 2)),
        (vec![(STV + 7, 1)], list(STV + 7)),
        (vec![(STV + 11, 0)], list(STV + 8)),
        (vec![(STV + 11, 61)], list(STV + 8)),
        (zeros(STV + 12, 4), list(STV + 12)),
        (vec![(STV + 12, 1)], list(STV + 12)),
        (vec![(SCA + 4, 4)], list(SCA + 4)),
        (vec![(SCA + 5, 0x80)], list(SCA + 5)),
        (two(SCA + 6, 2), list(SCA + 6)),
        (two(SCA + 6, 64), list(SCA + 6)),
        (vec![(SCA + 15, message[SCA + 15] ^ 1)], list(SCA + 8)),
        (vec![(ENCR, 5)], list(ENCR)),
        (vec![(IKE_AUTH, 5)], list(IKE_AUTH)),
        (two(ENCR + 2, 13), list(ENCR + 2)),
        (vec![(ENCR + 7, 0x0D)], list(ENCR + 4)),
        (vec![(ENCR + 11, 24)], list(ENCR + 10)),
        (vec![(PRF + 7, 3)], list(PRF + 4)),
        (vec![(INTEG + 7, 4)], list(INTEG + 4)),
        (vec![(INTEG + 7, 0)], list(INTEG + 4)),
        (vec![(DH + 7, 0x0D)], list(DH + 4)),
        (vec![(IKE_AUTH + 7, 0)], list(IKE_AUTH + 4)),
        (vec![(IKE_AUTH + 7, 3)], list(IKE_AUTH + 4)),
        (vec![(KE + 5, 0x0F)], list(KE + 4)),
        (zeros(KE + 8, 256), list(KE + 8)),
        ((KE + 8..NONCE).map(|at| (at, 0xFF)).collect(), list(KE + 8)),
        // 24h and 80h are recognised and always out of place (reading R6); nothing required is absent beside them.
        (vec![(16, 0x82), (STV, 0x81), (SCA, 0x22), (KE, 0x28), (NONCE, 0x24)], list(NONCE)),
    ];
    for (changes, specific) in cases {
        let mut changed = message.clone();
        changes.iter().for_each(|(at, value)| changed[*at] = *value);
        let sense = unit.refused(A, &out(2, changed.len()), &changed);
        assert_eq!((codes(&sense), sense.specific), (VALUE, specific), "{changes:x?}");
    }
    while unit.step(A, &mut client).is_none() {}
}

/// Readings R6, R34, R39.
#[test]
fn what_is_absent_or_unknown_is_pointed_at() {
    let (mut unit, mut client, message) = honest();
    let mut check = |changed: Vec<u8>, asc, at: usize| {
        let changed = fit(changed);
        let sense = unit.refused(A, &out(2, changed.len()), &changed);
        assert_eq!((codes(&sense), sense.specific), (asc, list(at)));
    };
    let without = |from: usize, to: usize| [&message[..from], &message[to..]].concat();
    let patched = |mut message: Vec<u8>, changes: &[(usize, u8)]| {
        changes.iter().for_each(|(at, value)| message[*at] = *value);
        message
    };
    // Each payload absent: the NEXT PAYLOAD byte that ended the chain, which is that of the last payload.
    check(patched(without(STV, SCA), &[(16, 0x81)]), INCOMPLETE, NONCE - 16);
    check(patched(without(SCA, KE), &[(STV, 0x22)]), INCOMPLETE, NONCE - 76);
    check(patched(without(KE, NONCE), &[(SCA, 0x28)]), INCOMPLETE, KE);
    check(patched(without(NONCE, message.len()), &[(KE, 0)]), INCOMPLETE, KE);
    check(patched(message[..28].to_vec(), &[(16, 0)]), INCOMPLETE, 16);
    // An absent descriptor: NUMBER OF TRANSFORMS.
    for descriptor in [ENCR, PRF, INTEG, DH, IKE_AUTH] {
        let short = patched(without(descriptor, descriptor + 12), &[(SCA + 3, 64), (SCA + 4, 4)]);
        check(short, INCOMPLETE, SCA + 4);
    }
    let none = patched(without(ENCR, KE), &[(SCA + 3, 16), (SCA + 4, 0)]);
    check(none, INCOMPLETE, SCA + 4);
    // A repeated and a sixth descriptor.
    let sixth = [&message[..KE], &message[IKE_AUTH..KE], &message[KE..]].concat();
    check(patched(sixth, &[(SCA + 3, 88), (SCA + 4, 6)]), VALUE, KE);
    // Unknown with CRIT set to one, in front and behind.
    let unknown = |next| [next, 0x80, 0, 5, 0xEE];
    let front = [&message[..28], &unknown(0x82), &message[28..]].concat();
    check(patched(front, &[(16, 0x21)]), NOT_SUPPORTED, 16);
    let behind = [message.as_slice(), &unknown(0)].concat();
    check(patched(behind, &[(NONCE, 0xFF)]), NOT_SUPPORTED, NONCE);
    // Absence comes before order.
    let swapped = [&message[..28], &message[SCA..KE], &message[STV..SCA], &message[KE..NONCE]].concat();
    check(patched(swapped, &[(16, 0x81), (28, 0x82), (28 + 76, 0x22), (KE, 0)]), INCOMPLETE, KE);
    while unit.step(A, &mut client).is_none() {}
}

/// r3 7.7.4.13, reading R28: neither zero nor more than the maximum, which itself is allowed; a minute and a day here.
#[test]
fn timeouts_reach_to_their_maximum() {
    let (mut unit, _, message) = honest();
    let cases: [([u32; 2], Option<usize>); 6] = [
        ([1, 1], None),
        ([60, 86_400], None),
        ([61, 86_400], Some(STV + 8)),
        ([60, 86_401], Some(STV + 12)),
        ([0, 86_400], Some(STV + 8)),
        ([60, 0], Some(STV + 12)),
    ];
    for (timeouts, wrong) in cases {
        let mut changed = message.clone();
        changed[STV + 8..STV + 16].copy_from_slice(&timeouts.map(u32::to_be_bytes).concat());
        let reply = unit.send(A, &out(2, changed.len()), &changed).0;
        let pointer =
            if let Reply::CheckCondition(sense) = reply { Some((codes(&sense), sense.specific)) } else { None };
        assert_eq!(pointer, wrong.map(|at| (VALUE, list(at))), "{timeouts:?}");
        unit.server.nexus_lost(A);
    }
}

/// Reading R38: PAYLOAD LENGTH; 16 to 256 bytes, and half of the PRF's key.
#[test]
fn nonces_have_their_lengths() {
    let (mut unit, _, message) = honest();
    for (length, prf, is_good) in [
        (0, 2, false),
        (15, 2, false),
        (257, 2, false),
        (31, 7, false),
        (23, 6, false),
        (16, 2, true),
        (256, 2, true),
        (32, 7, true),
    ] {
        let mut changed = message[..NONCE + 4].to_vec();
        changed.extend(vec![7; length]);
        changed[NONCE + 2..NONCE + 4].copy_from_slice(&u16::try_from(length + 4).unwrap().to_be_bytes());
        changed[PRF + 7] = prf;
        let changed = fit(changed);
        match unit.send(A, &out(2, changed.len()), &changed).0 {
            Reply::Good { .. } => assert!(is_good, "{length} bytes"),
            Reply::CheckCondition(sense) => {
                assert_eq!((codes(&sense), sense.specific), (VALUE, list(NONCE + 2)), "{length} bytes");
                assert!(!is_good, "{length} bytes");
            }
            Reply::Held(_) => panic!(),
        }
        unit.server.nexus_lost(A);
    }
}

/// Reading R39: LENGTH, where less is transferred than the CDB says; more is cut off.
#[test]
fn data_out_of_another_length_than_transfer_length() {
    let (mut unit, _, message) = honest();
    let cdb = out(2, message.len());
    for length in 28..message.len() {
        let sense = unit.refused(A, &cdb, &message[..length]);
        assert_eq!((codes(&sense), sense.specific), (VALUE, list(24)), "{length} bytes");
    }
    let longer = [message.as_slice(), &[0xEE; 9]].concat();
    assert_eq!(unit.send(A, &cdb, &longer).0, Reply::Good { len: 0 });
}

/// Draws SAIs from a list, everything else from numbers.
struct Sais(TestRandom, Vec<u64>);

impl Random for Sais {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        if purpose != Purpose::DsSai {
            return self.0.fill(purpose, out);
        }
        out.copy_from_slice(&self.1.remove(0).to_be_bytes());
        Ok(())
    }
}

/// Reading R2: never 0 to 255, never one that a live association or another sequence has.
#[test]
fn device_server_sais_are_new_and_above_255() {
    let (mut unit, _, message) = honest();
    let live = unit.establish(B, &Host::second()).ds_sai.0;
    let mut random = Sais(TestRandom { state: 3, fails: false }, vec![0, 1, 255, live, 256, 256, live, 257]);
    for (nexus, expected) in [(A, 256_u64), (NexusId(3), 257)] {
        let mut data_out = message.clone();
        let cdb = out(2, message.len());
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut [] };
        let now = unit.instant();
        assert_eq!(unit.server.execute(nexus, request, now, &mut random), Reply::Good { len: 0 });
        let data_in = unit.send(nexus, &KEY_EXCHANGE_IN, &[]).1;
        assert_eq!(data_in[8..16], expected.to_be_bytes());
    }
    assert!(random.1.is_empty());
}

/// Reading R18: the attribute bytes of the IKE-AUTH descriptor are ignored and echoed, as are reserved ones (R7).
#[test]
fn the_sca_payload_is_echoed_as_sent() {
    let (mut unit, _, mut message) = honest();
    message[IKE_AUTH + 8..IKE_AUTH + 12].copy_from_slice(&[0xFC, 1, 2, 3]);
    message[PRF + 8..PRF + 12].copy_from_slice(&[4, 5, 6, 7]);
    message[ENCR + 1] = 0x99;
    assert_eq!(unit.send(A, &out(2, message.len()), &message).0, Reply::Good { len: 0 });
    let data_in = unit.send(A, &KEY_EXCHANGE_IN, &[]).1;
    assert_eq!(data_in[28 + 16..28 + 76], message[ENCR..KE]);
}

/// r3 7.7.4.3: as long as the modulus, else PAYLOAD LENGTH is wrong.
#[test]
fn public_values_have_the_length_of_their_group() {
    let (mut unit, mut client, message) = honest();
    for length in [0, 1, 255, 257, 512] {
        let mut changed = message[..KE + 8].to_vec();
        changed.extend(vec![7; length]);
        changed.extend(&message[NONCE..]);
        changed[KE + 2..KE + 4].copy_from_slice(&u16::try_from(length + 8).unwrap().to_be_bytes());
        let changed = fit(changed);
        let sense = unit.refused(A, &out(2, changed.len()), &changed);
        assert_eq!((codes(&sense), sense.specific), (VALUE, list(KE + 2)), "{length} bytes");
    }
    while unit.step(A, &mut client).is_none() {}
}

/// r3 5.13.6 n permits to use a public value again; we draw a new one, and a new nonce, for each sequence.
#[test]
fn a_public_value_is_never_used_twice() {
    let (mut unit, _, message) = honest();
    let mut answers = Vec::new();
    for _ in 0..2 {
        assert_eq!(unit.send(A, &out(2, message.len()), &message).0, Reply::Good { len: 0 });
        answers.push(unit.send(A, &KEY_EXCHANGE_IN, &[]).1);
        unit.server.nexus_lost(A);
    }
    let (public, nonce) = (28 + 76 + 8, 28 + 76 + 264 + 4);
    assert_ne!(answers[0][public..public + 256], answers[1][public..public + 256]);
    assert_ne!(answers[0][nonce..], answers[1][nonce..]);
}
