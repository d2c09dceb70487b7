//! A refused command changes nothing (readings R23, R35): every field of the device server's state is compared before and
//! after commands that are wrong in every way, in every state of a sequence.
#![allow(clippy::print_stdout, reason = "a test may print what it counted")]

mod corpus;
mod esp;
mod scale;
mod snapshot;
mod spc4;
mod transcript;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{DeviceServer, DropReason, Event, EventKind, Limit, Reply};
use crate::ccs::table::Phase;
use crate::ccs::{Calculation, Ccs, SlowCrypto, Stage};
use crate::dialect::Profile;
use crate::keys::Protection;
use crate::sense::{SenseKey, SenseKeySpecific};
use crate::tested as provider;
use crate::time::Instant;
use crate::wire::specific;
use corpus::Sealed;
use snapshot::{Snapshot, prefix};
use transcript::{Command, NEXUS, Transcript};

/// Failures that end a sequence here: more than a policy would have, since each end costs two Diffie-Hellman calculations.
const FAILURES: u8 = 20;
const NOW: Instant = Instant::from_millis(5000);

/// How many commands were refused, for each state.
#[derive(Default)]
struct Counts(BTreeMap<String, [usize; 4]>);

const REFUSED: usize = 0;
const FAILED: usize = 1;
const DROPPED: usize = 2;
const ACCEPTED: usize = 3;

/// The transcripts of a dialect that this build can replay.
fn transcripts(profile: Profile) -> Vec<Transcript> {
    Transcript::all(provider::provider(), profile)
}

/// Where a sequence is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// After so many commands of the transcript.
    After(usize),
    /// After so many, and the calculation of the last one has not been done.
    Waiting(usize),
    /// After so many, and the protocol timeout.
    Late(usize),
}

/// A device server in one state of a transcript's sequence.
struct Bench<'a> {
    transcript: &'a Transcript,
    state: State,
    now: Instant,
    server: DeviceServer,
    before: Snapshot,
}

impl<'a> Bench<'a> {
    fn new(transcript: &'a Transcript, state: State) -> Self {
        let (mut server, now) = match state {
            // A key exchange OUT that is accepted here shall cost nothing.
            State::After(upto @ 0..=1) => (replay(transcript, upto, SlowCrypto::Offload), NOW),
            State::Waiting(upto) => (replay(transcript, upto, SlowCrypto::Offload), NOW),
            State::After(upto) => (replay(transcript, upto, SlowCrypto::Inline), NOW),
            State::Late(upto) => (replay(transcript, upto, SlowCrypto::Inline), NOW.after_seconds(300)),
        };
        server.expire(now);
        while server.poll_event().is_some() {}
        Self { transcript, state, now, before: Snapshot::of(&server), server }
    }

    /// Sends the command, and tells what became of it.
    fn try_command(&mut self, command: &Command) -> usize {
        if self.transcript.profile == Profile::SPC4 {
            return self.try_in_spc4(command);
        }
        let mut random = self.transcript.recorded(true);
        let reply = command.send(&mut self.server, self.now, &mut random);
        let events: Vec<Event> = core::iter::from_fn(|| self.server.poll_event()).collect();
        assert!(events.iter().all(|event| (event.at, event.nexus) == (self.now, Some(NEXUS))), "{events:?}");
        let events: Vec<EventKind> = events.into_iter().map(|event| event.kind).collect();
        let after = Snapshot::of(&self.server);
        let Reply::CheckCondition(sense) = reply else {
            if after != self.before {
                *self = Self::new(self.transcript, self.state);
            }
            return ACCEPTED;
        };
        assert_eq!(random.drawn, 0, "{sense}");
        assert_ne!(sense.key, SenseKey::HardwareError);
        if (sense.asc.code, sense.asc.qualifier) != (0x74, 0x40) {
            let too_long = SenseKeySpecific::Field { in_cdb: true, byte: 6, bit: None };
            let is_too_long = sense.asc.code == 0x24 && sense.specific == too_long;
            let told = [EventKind::LimitReached { limit: Limit::ParameterList }];
            assert_eq!(events, if is_too_long { &told[..] } else { &[] }, "{sense}");
            assert!(after == self.before, "{sense}: {:?}", difference(&self.before, &after));
            return REFUSED;
        }
        // The consequences of a failed authentication (reading R23): it is counted, and the last one ends the sequence.
        let failures = self.before.state[&format!("{}failures", prefix(NEXUS))][0] + 1;
        let is_last = failures == FAILURES;
        assert!(matches!(events.first(), Some(EventKind::AuthenticationFailed { .. })), "{events:?}");
        let why = DropReason::AuthenticationFailures;
        let told_end = match &events[1..] {
            [] => false,
            [EventKind::LimitReached { .. }, EventKind::SequenceDropped { why: dropped }] => *dropped == why,
            _ => panic!("{events:?}"),
        };
        assert_eq!(told_end, is_last, "{events:?}");
        let mut expected = self.before.clone();
        if is_last {
            expected.state.retain(|name, _| !name.starts_with(&prefix(NEXUS)));
            assert!(self.server.slots.timeout(NEXUS).is_none() && self.server.slots.next_timeout().is_none());
        } else {
            expected.state.insert(format!("{}failures", prefix(NEXUS)), [failures].into());
        }
        assert!(after == expected, "{sense}: {:?}", difference(&expected, &after));
        if is_last {
            *self = Self::new(self.transcript, self.state);
            return DROPPED;
        }
        self.before = Snapshot::of(&self.server);
        FAILED
    }
}

/// The names of what differs.
fn difference(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let names = before.state.keys().chain(after.state.keys());
    names.filter(|name| before.state.get(*name) != after.state.get(*name)).cloned().collect()
}

/// A device server after the first commands of the transcript, all of which succeed; the last one's job waits, if it has one.
fn replay(transcript: &Transcript, upto: usize, slow_crypto: SlowCrypto) -> DeviceServer {
    let mut server = transcript.server(|policy| policy.slow_crypto = slow_crypto);
    server.setting.limits.auth_failures = FAILURES;
    for command in &transcript.commands[..upto] {
        while let Some(job) = server.poll_job() {
            let late = server.complete(job.run(), &mut [0; 4096], NOW);
            assert!(!matches!(late, Some((_, Reply::CheckCondition(_)))));
        }
        let reply = command.send(&mut server, NOW, &mut transcript.recorded(false));
        assert!(!matches!(reply, Reply::CheckCondition(_)), "{}: {reply:?}", transcript.name);
    }
    server
}

/// Wrong commands made of all commands of the transcript, those inside the Encrypted payload sealed with the real keys.
fn corpus(transcript: &Transcript) -> Vec<Command> {
    let is_delete = |command: &Command| command.cdb[0] == 0xB5 && command.cdb[2..4] == specific::DELETE.to_be_bytes();
    let is_first_delete = transcript.commands.iter().position(is_delete).unwrap_or(transcript.commands.len());
    // After the key exchange IN.
    let keyed = replay(transcript, 3, SlowCrypto::Inline);
    let protection = match keyed.slots.get(NEXUS).map(|slot| &slot.ccs) {
        Some(Ccs { sequence, calculation: Calculation::Done(keys), stage: Stage::KeyExchangeIn }) => {
            Protection::new(&sequence.selection.suite, keys.sk_ei(), keys.sk_ai())
        }
        _ => {
            let parameters = &keyed.sas.iter().next().unwrap().parameters;
            Protection::of_delete(transcript.profile, &keyed.setting.provider, parameters).unwrap()
        }
    };
    let mut all = Vec::new();
    for (index, command) in transcript.commands.iter().enumerate() {
        all.push(command.clone());
        if index > is_first_delete && is_delete(command) {
            continue;
        }
        all.extend(corpus::cdb_flips(command));
        if command.cdb[0] == 0xA2 {
            continue;
        }
        let is_sealed = command.cdb[3] != 2;
        all.extend(corpus::truncations(command));
        all.extend(corpus::flips(command, if is_sealed { 11 } else { 29 }));
        all.extend(corpus::rearrangements(command));
        if is_sealed {
            all.extend(Sealed::open(transcript.profile, command, &protection).mutants(3));
        }
        // The lists of other commands.
        let others = transcript.commands.iter().filter(|other| !other.list.is_empty());
        all.extend(others.map(|other| corpus::with_list(command, other.list.clone())));
    }
    all
}

/// Sends the whole corpus in every state of the sequence.
fn run(transcript: &Transcript, sum: &mut Counts) {
    let corpus = corpus(transcript);
    // A key exchange OUT that begins a sequence when nothing runs is not sent where that costs two calculations.
    let mut begin: Vec<bool> = Vec::new();
    let is_in = |command: &Command| command.cdb[0] == 0xA2;
    // The first command reads the capabilities and the last two delete, in those transcripts that have a Delete.
    let complete = transcript.commands.iter().rposition(is_in).unwrap() + 1;
    // The key exchange OUT, and what follows the key exchange IN.
    let waiting = [2].into_iter().chain(4..=complete).map(State::Waiting);
    for state in (1..=complete).map(State::After).chain([State::Late(complete)]).chain(waiting) {
        let mut bench = Bench::new(transcript, state);
        let phase = bench.server.phase(NEXUS);
        let what = if matches!(state, State::Waiting(_)) { ", a job waits" } else { "" };
        let name = format!("{phase:?}, {} associations{what}", bench.server.sas().len());
        let counts = sum.0.entry(name).or_default();
        let is_over = matches!(phase, Phase::Complete | Phase::CompleteUnauthenticated | Phase::Idle);
        for (index, command) in corpus.iter().enumerate() {
            if is_over && begin.get(index).is_some_and(|begins| *begins) {
                continue;
            }
            let outcome = bench.try_command(command);
            counts[outcome] += 1;
            if state == State::After(1) {
                begin.push(outcome == ACCEPTED && !is_in(command));
            }
        }
    }
}

#[test]
fn a_refused_command_changes_nothing() {
    let transcripts = transcripts(Profile::R3);
    assert!(!transcripts.is_empty());
    let mut sum = Counts::default();
    transcripts.iter().for_each(|transcript| run(transcript, &mut sum));
    for (state, [refused, failed, dropped, accepted]) in &sum.0 {
        std::println!(
            "{state}: {refused} refused without a trace, {failed} counted, {dropped} at the limit; {accepted} accepted"
        );
    }
    let refused: usize = sum.0.values().flat_map(|counts| &counts[..ACCEPTED]).sum();
    std::println!("{refused} refused commands of {} transcripts", transcripts.len());
    assert!(refused >= 10_000 && sum.0.len() == 10);
}

/// A snapshot differs after everything that changes something, each of which the comparison above would find.
#[test]
fn a_snapshot_tells_every_change() {
    let transcripts = transcripts(Profile::R3);
    let transcript = transcripts.iter().find(|transcript| transcript.name.contains("mandatory")).unwrap();
    let mut server = replay(transcript, 1, SlowCrypto::Offload);
    let mut last = Snapshot::of(&server);
    let mut must_change = |server: &mut DeviceServer, what: &str, name: &str, change: &dyn Fn(&mut DeviceServer)| {
        change(server);
        let now = Snapshot::of(server);
        let changed = difference(&last, &now);
        assert!(now != last && changed.iter().any(|changed| changed.ends_with(name)), "{what}: {changed:?}");
        last = now;
    };
    let next = |index: usize| {
        move |server: &mut DeviceServer| {
            let _ = transcript.commands[index].send(server, NOW, &mut transcript.recorded(false));
        }
    };
    let run = |server: &mut DeviceServer| {
        let job = server.poll_job().unwrap();
        let _ = server.complete(job.run(), &mut [0; 4096], NOW);
    };
    must_change(&mut server, "event", "events", &|server| assert!(server.poll_event().is_some()));
    must_change(&mut server, "key exchange OUT", "messages", &next(1));
    must_change(&mut server, "taken job", "jobs", &|server| assert!(server.poll_job().is_some()));
    must_change(&mut server, "reset", "protocol timeout", &DeviceServer::reset);
    must_change(&mut server, "key exchange OUT again", "jobs", &next(1));
    must_change(&mut server, "calculation", "SK_d", &run);
    must_change(&mut server, "key exchange IN", "phase", &next(2));
    must_change(&mut server, "held authentication OUT", "claim", &next(3));
    must_change(&mut server, "authentication OUT", "client", &run);
    must_change(&mut server, "held authentication IN", "allocation length", &next(4));
    must_change(&mut server, "authentication IN", "KEY_SEED", &run);
    must_change(&mut server, "clock", "now", &|server| server.expire(NOW.after_seconds(1)));
    must_change(&mut server, "time", "calendar", &|server| server.set_unix_time(crate::time::UnixTime(9), NOW));
    must_change(&mut server, "use", "associations", &|server| {
        let id = server.sas.iter().next().unwrap().id();
        assert!(server.touch(id, NOW));
    });
    must_change(&mut server, "delete", "associations", &next(5));
    let before = Snapshot::of(&server);
    let capabilities: Vec<_> = server.setting.offer.iter().collect();
    server.set_capabilities(&capabilities[1..]).unwrap();
    assert!(before != Snapshot::of(&server));
}
