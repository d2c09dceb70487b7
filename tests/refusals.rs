//! Every recorded Data-Out, cut off at every length and with each of its bits flipped in turn: it is refused with a
//! field pointer into the data or the CDB, nothing of it stays behind, and the recorded command still gets its recorded
//! answer. The flips that leave a valid key exchange OUT are those of [`MAY_CHANGE`] and no others, and authentication
//! finds every one of them.
#![cfg(all(feature = "rustcrypto", feature = "x509"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and prints what it counted"
)]

mod support;

use std::collections::BTreeMap;
use std::ops::Range;

use ikev2_scsi::SlowCrypto;
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::sense::{SenseKey, SenseKeySpecific};
use ikev2_scsi::wire::Cdb;
use serde_json::Value;
use support::provider;
use support::unit::{Answer, Unit};
use support::{Step, Transcript, assert_answer, bytes, transcripts_of_r3, unit_before};

/// Part of a key exchange OUT; offsets in a row of [`MAY_CHANGE`] count from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    EachPayload,
    Timeouts,
    Algorithms,
    UsageData,
    EachDescriptor,
    EncryptionDescriptor,
    OtherDescriptors,
    KeyExchange,
    Nonce,
}

/// When a flip leaves a valid message.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Always,
    /// The four-byte number is neither zero nor above the policy's member (reading R28).
    AtMost(&'static str),
    /// The policy lists the byte among its usage types.
    UsageType,
    /// The algorithms, all together, may be selected (readings R4, R5, R38).
    Selectable,
    /// The public value is one of the group (reading R17).
    InGroup,
}

/// Part, field, bytes (up to the part's end if the range has none), bits of each byte, rule.
type Row = (Part, &'static str, (usize, Option<usize>), u8, Rule);

const ALL: u8 = 0xFF;
/// Byte 19 of the header without INTTR (10h) and RSPNS (04h), reading R1.
const FLAGS: u8 = ALL & !0x14;

/// Where a flip may leave a valid key exchange OUT (readings R6, R7, R18 where no other is named).
const MAY_CHANGE: [Row; 16] = [
    (Part::Header, "MINOR VERSION", (17, Some(18)), 0x0F, Rule::Always),
    (Part::Header, "VERSION, reserved flags", (19, Some(20)), FLAGS, Rule::Always),
    (Part::EachPayload, "CRIT, reserved bits", (1, Some(2)), ALL, Rule::Always),
    (Part::Timeouts, "reserved", (4, Some(7)), ALL, Rule::Always),
    (Part::Timeouts, "PROTOCOL TIMEOUT", (8, Some(12)), ALL, Rule::AtMost("max_protocol_timeout")),
    (Part::Timeouts, "INACTIVITY TIMEOUT", (12, Some(16)), ALL, Rule::AtMost("max_inactivity_timeout")),
    (Part::Algorithms, "SECURITY ASSOCIATION TYPE", (5, Some(6)), ALL, Rule::UsageType),
    (Part::UsageData, "USAGE DATA", (0, None), ALL, Rule::Always),
    (Part::EachDescriptor, "reserved", (1, Some(2)), ALL, Rule::Always),
    (Part::EachDescriptor, "ALGORITHM IDENTIFIER", (4, Some(8)), ALL, Rule::Selectable),
    (Part::EncryptionDescriptor, "reserved attributes", (8, Some(10)), ALL, Rule::Always),
    (Part::EncryptionDescriptor, "KEY LENGTH", (10, Some(12)), ALL, Rule::Selectable),
    (Part::OtherDescriptors, "reserved or ignored attributes", (8, Some(12)), ALL, Rule::Always),
    (Part::KeyExchange, "reserved", (6, Some(8)), ALL, Rule::Always),
    (Part::KeyExchange, "KEY EXCHANGE DATA", (8, None), ALL, Rule::InGroup),
    (Part::Nonce, "NONCE DATA", (4, None), ALL, Rule::Always),
];

/// A recorded key exchange OUT, taken apart by its own lengths.
struct KeyExchangeOut<'a> {
    provisioning: &'a Value,
    message: &'a [u8],
    /// STV, SCA, KE, NONCE (r3 5.13.4.3.2).
    payloads: [Range<usize>; 4],
}

impl<'a> KeyExchangeOut<'a> {
    fn new(transcript: &'a Transcript, message: &'a [u8]) -> Self {
        let mut at = 28;
        let payloads = [(); 4].map(|()| {
            let start = at;
            at += usize::from(u16::from_be_bytes([message[at + 2], message[at + 3]]));
            start..at
        });
        assert_eq!(at, message.len());
        Self { provisioning: &transcript.json["provisioning"], message, payloads }
    }

    fn usage_data(&self) -> Range<usize> {
        let sca = self.payloads[1].start;
        let length = usize::from(u16::from_be_bytes([self.message[sca + 6], self.message[sca + 7]]));
        sca + 16..sca + 16 + length
    }

    fn parts(&self, part: Part) -> Vec<Range<usize>> {
        let first = self.usage_data().end;
        let descriptors: Vec<_> = (0..5).map(|index| first + 12 * index..first + 12 * (index + 1)).collect();
        match part {
            Part::Header => vec![Range { start: 0, end: 28 }],
            Part::EachPayload => self.payloads.to_vec(),
            Part::Timeouts => self.payloads[..1].to_vec(),
            Part::Algorithms => self.payloads[1..2].to_vec(),
            Part::UsageData => vec![self.usage_data()],
            Part::EachDescriptor => descriptors,
            Part::EncryptionDescriptor => descriptors[..1].to_vec(),
            Part::OtherDescriptors => descriptors[1..].to_vec(),
            Part::KeyExchange => self.payloads[2..3].to_vec(),
            Part::Nonce => self.payloads[3..].to_vec(),
        }
    }

    /// The field by which the flipped message stays valid; `None` if it must be refused.
    fn valid_by(&self, flipped: &[u8], byte: usize, bit: u8) -> Option<&'static str> {
        let row = MAY_CHANGE.iter().find_map(|(part, field, (from, to), bits, rule)| {
            let covers = |part: &Range<usize>| {
                let end = to.map_or(part.end, |to| part.start + to);
                (part.start + from..end).contains(&byte) && bits & (1 << bit) != 0
            };
            self.parts(*part).into_iter().find(covers).map(|part| (part.start + from, field, rule))
        });
        let (field_at, field, rule) = row?;
        self.obeys(*rule, flipped, field_at).then_some(*field)
    }

    fn obeys(&self, rule: Rule, flipped: &[u8], field_at: usize) -> bool {
        let policy = &self.provisioning["policy"];
        match rule {
            Rule::Always => true,
            Rule::AtMost(member) => {
                let value = u32::from_be_bytes(flipped[field_at..field_at + 4].try_into().unwrap());
                value != 0 && u64::from(value) <= policy[member].as_u64().unwrap()
            }
            Rule::UsageType => policy["usage_types"].as_array().unwrap().contains(&flipped[field_at].into()),
            Rule::Selectable => self.selectable(flipped),
            Rule::InGroup => self.stays_in_group(),
        }
    }

    fn selectable(&self, flipped: &[u8]) -> bool {
        let provider = provider::provider();
        let listed: Vec<Vec<u8>> = self.provisioning["capabilities"].as_array().unwrap().iter().map(bytes).collect();
        let selected: Vec<&[u8]> =
            self.parts(Part::EachDescriptor).into_iter().map(|descriptor| &flipped[descriptor]).collect();
        let is_listed = |wanted: &&[u8]| {
            let attributes_match = |entry: &[u8]| match entry[0] {
                0x01 => entry[10..] == wanted[10..],
                0xF9 => entry[8] & 0x02 != 0,
                _ => true,
            };
            listed.iter().any(|entry| entry[0] == wanted[0] && entry[4..8] == wanted[4..8] && attributes_match(entry))
        };
        let identifier = |index: usize| u32::from_be_bytes(selected[index][4..8].try_into().unwrap());
        let key_length = u16::from_be_bytes([selected[0][10], selected[0][11]]);
        let cipher = provider.cipher(identifier(0), key_length);
        let (prf, integ) = (provider.prf(identifier(1)), identifier(2));
        let nonce_length = self.payloads[3].len() - 4;
        let ke = self.payloads[2].start;
        // The device server authenticates itself by nothing, by its shared key, and by the keys it has.
        let keys = &self.provisioning["device_server"]["keys"];
        let signs = |method: u32| {
            let kinds = [(1, "rsa"), (9, "p256"), (10, "p384"), (11, "p521")];
            kinds.iter().any(|(of, kind)| *of == method && keys[kind].is_string())
        };
        selected.iter().all(is_listed)
            && cipher.is_some_and(|cipher| cipher.is_combined() == (integ == 0))
            && prf.is_some_and(|prf| 2 * nonce_length >= prf.key_length())
            && (integ == 0 || provider.integrity(integ).is_some())
            && [0, 0, flipped[ke + 4], flipped[ke + 5]] == identifier(3).to_be_bytes()
            && ([0, 2].contains(&identifier(4)) || signs(identifier(4)))
    }

    /// The primes of RFC 3526 begin with 64 one bits: a value that has two zeros there stays below the prime, whatever bit
    /// flips, and above one. Points of the ECP groups leave the curve.
    fn stays_in_group(&self) -> bool {
        let ke = self.payloads[2].start;
        let group = u16::from_be_bytes([self.message[ke + 4], self.message[ke + 5]]);
        let high = u64::from_be_bytes(self.message[ke + 8..ke + 16].try_into().unwrap());
        let is_modp = (14..=18).contains(&group);
        assert!(!is_modp || (high.count_zeros() >= 2 && high.count_ones() >= 2), "this value needs a rule of its own");
        is_modp
    }
}

/// What a refused command may not change.
fn state(unit: &mut Unit, nexus: &str) -> (Phase, usize) {
    let nexus = unit.nexus(nexus);
    (unit.server.phase(nexus), unit.server.sas().len())
}

/// A refusal is ILLEGAL REQUEST with a field pointer into what was sent, or NOT READY with a progress indication.
fn assert_refused(answer: &Answer, sent: usize, what: &str) -> SenseKey {
    let sense = answer.sense.unwrap_or_else(|| panic!("{what}: accepted"));
    assert!(answer.data.is_empty());
    match (sense.key, sense.specific) {
        (SenseKey::IllegalRequest, SenseKeySpecific::Field { in_cdb, byte, bit }) => {
            let end = if in_cdb { Cdb::LEN } else { sent };
            assert!(usize::from(byte) < end && bit.is_none_or(|bit| bit < 8), "{what}: {sense}");
        }
        (SenseKey::NotReady, SenseKeySpecific::Progress(_)) => {}
        _ => panic!("{what}: {sense}"),
    }
    sense.key
}

/// The message with one bit flipped, for each of its bits.
fn flips(message: &[u8]) -> impl Iterator<Item = (usize, u8, Vec<u8>)> + '_ {
    (0..message.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))).map(|(byte, bit)| {
        let mut flipped = message.to_vec();
        flipped[byte] ^= 1 << bit;
        (byte, bit, flipped)
    })
}

/// Runs `check` for every transcript, each on its own thread, and prints what they say.
fn each_transcript(check: impl Fn(&Transcript) -> String + Sync) {
    let transcripts = transcripts_of_r3();
    let outcomes: Vec<String> = std::thread::scope(|scope| {
        let check = &check;
        let threads: Vec<_> = transcripts.iter().map(|transcript| scope.spawn(move || check(transcript))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    transcripts.iter().zip(outcomes).for_each(|(transcript, outcome)| println!("{}: {outcome}", transcript.name));
}

/// The indexes of the recorded commands with Data-Out.
fn outs(steps: &[Step]) -> impl Iterator<Item = usize> + '_ {
    (0..steps.len()).filter(|index| steps[*index].is_out)
}

/// Every flip meets a logical unit of its own, which calculates only when it is told to; each that must be refused meets
/// also one that all of them meet, and that gives the recorded answers after them.
#[test]
fn a_flipped_key_exchange_out_is_refused_without_a_trace_or_valid_by_the_table() {
    each_transcript(|transcript| {
        let (provisioning, steps) = (transcript.provisioning(), transcript.steps());
        let mut offloading = transcript.provisioning();
        offloading.policy.slow_crypto = SlowCrypto::Offload;
        let index = outs(&steps).next().unwrap();
        let out = &steps[index];
        let taken_apart = KeyExchangeOut::new(transcript, &out.data_out);
        let mut common = unit_before(&provisioning, &steps, index);
        let mut counts = Counts::default();
        for (byte, bit, flipped) in flips(&out.data_out) {
            let what = format!("{} byte {byte} bit {bit}", transcript.name);
            let mut unit = unit_before(&offloading, &steps, index);
            let answer = unit.execute(&out.nexus, &out.cdb, &flipped);
            let phase = state(&mut unit, &out.nexus);
            if let Some(field) = taken_apart.valid_by(&flipped, byte, bit) {
                assert_eq!((answer.status(), phase), (0, (Phase::KeyExchangeOut, 0)), "{what}: {:?}", answer.sense);
                if counts.accept(field, byte) {
                    assert_found_by_authentication(&mut unit, &steps[index + 1..], &what);
                }
            } else {
                assert_refused(&answer, flipped.len(), &what);
                assert_eq!(phase, (Phase::Idle, 0), "{what}");
                assert_answer(&mut unit, out);
                assert_eq!(common.execute(&out.nexus, &out.cdb, &flipped), answer, "{what}");
                counts.refused += 1;
            }
        }
        steps[index..].iter().for_each(|step| assert_answer(&mut common, step));
        let Counts { refused, valid, authenticated, .. } = counts;
        format!("{refused} flips refused; valid, and {authenticated} of them found by authentication: {valid:?}")
    });
}

#[derive(Default)]
struct Counts {
    refused: usize,
    valid: BTreeMap<&'static str, usize>,
    authenticated: usize,
    last_byte: usize,
}

impl Counts {
    /// Counts a valid flip; true for those that go on to authentication, whose calculation takes time: one of each byte,
    /// and of the public value one of each eight bytes.
    fn accept(&mut self, field: &'static str, byte: usize) -> bool {
        *self.valid.entry(field).or_default() += 1;
        let is_first = byte != self.last_byte;
        self.last_byte = byte;
        let is_chosen = is_first && (field != "KEY EXCHANGE DATA" || byte.is_multiple_of(8));
        self.authenticated += usize::from(is_chosen);
        is_chosen
    }
}

/// The client has signed another key exchange OUT than the one that arrived: its authentication OUT is refused.
fn assert_found_by_authentication(unit: &mut Unit, later: &[Step], what: &str) {
    while let Some(job) = unit.server.poll_job() {
        let now = unit.now();
        assert_eq!(unit.server.complete(job.run(), &mut [], now), None);
    }
    let (key_exchange_in, out) = (&later[0], &later[1]);
    assert_eq!(unit.execute(&key_exchange_in.nexus, &key_exchange_in.cdb, &[]).status(), 0, "{what}");
    if out.command == "authentication" {
        let answer = unit.execute(&out.nexus, &out.cdb, &out.data_out);
        assert_refused(&answer, out.data_out.len(), what);
        assert_eq!(state(unit, &out.nexus), (Phase::KeyExchangeIn, 0), "{what}");
    }
}

/// Encrypted messages are protected as a whole: no flip is valid. All flips meet one logical unit, which after them gives
/// the recorded answers. They are more than the authentication failures after which a sequence is abandoned: a failure
/// of integrity is none.
#[test]
fn a_flipped_encrypted_message_is_refused_without_a_trace() {
    each_transcript(|transcript| {
        let (provisioning, steps) = (transcript.provisioning(), transcript.steps());
        let mut counts = Vec::new();
        for index in outs(&steps).skip(1) {
            let out = &steps[index];
            let mut unit = unit_before(&provisioning, &steps, index);
            let before = state(&mut unit, &out.nexus);
            let mut not_ready = 0;
            for (byte, bit, flipped) in flips(&out.data_out) {
                let what = format!("{} {} byte {byte} bit {bit}", transcript.name, out.command);
                let answer = unit.execute(&out.nexus, &out.cdb, &flipped);
                not_ready += usize::from(assert_refused(&answer, flipped.len(), &what) == SenseKey::NotReady);
                assert_eq!(state(&mut unit, &out.nexus), before, "{what}");
            }
            steps[index..].iter().for_each(|step| assert_answer(&mut unit, step));
            // Reading R24: the SAIs of an authentication OUT that match no sequence, and nothing else.
            assert_eq!(not_ready, if out.command == "authentication" { 16 * 8 } else { 0 });
            counts.push(format!("{} {} flips refused", out.data_out.len() * 8, out.command));
        }
        counts.join(", ")
    });
}

/// Three ways to cut off: TRANSFER LENGTH stays, it is cut too, the header's LENGTH is cut as well.
#[test]
fn a_truncated_message_is_refused_without_a_trace() {
    each_transcript(|transcript| {
        let (provisioning, steps) = (transcript.provisioning(), transcript.steps());
        let mut refused = 0;
        for index in outs(&steps) {
            let out = &steps[index];
            let mut unit = unit_before(&provisioning, &steps, index);
            let before = state(&mut unit, &out.nexus);
            for length in 0..out.data_out.len() {
                let cut = &out.data_out[..length];
                let transfer_length = u32::try_from(length).unwrap().to_be_bytes();
                let mut cdb = out.cdb.clone();
                cdb[6..10].copy_from_slice(&transfer_length);
                let mut consistent = cut.to_vec();
                if let Some(field) = consistent.get_mut(24..28) {
                    field.copy_from_slice(&transfer_length);
                }
                for (cdb, list) in [(&out.cdb, cut), (&cdb, cut), (&cdb, consistent.as_slice())] {
                    let what = format!("{} {} cut to {length}", transcript.name, out.command);
                    let answer = unit.execute(&out.nexus, cdb, list);
                    assert_eq!(assert_refused(&answer, length, &what), SenseKey::IllegalRequest, "{what}");
                    assert_eq!(state(&mut unit, &out.nexus), before, "{what}");
                    refused += 1;
                }
            }
            steps[index..].iter().for_each(|step| assert_answer(&mut unit, step));
        }
        format!("{refused} truncations refused")
    });
}
