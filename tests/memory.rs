//! What a device server keeps on the heap, counted by the allocator: the public constants hold, and results that come too late
//! leave nothing behind.
#![cfg(all(feature = "rustcrypto", feature = "client"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]
#![allow(dead_code, reason = "a part of the pair is used")]

#[path = "client/pair.rs"]
mod pair;
#[path = "support/provider.rs"]
mod provider;

use std::alloc::System;

use ikev2_scsi::ccs::Limits;
use ikev2_scsi::client::{self, ApplicationClient, ClientConfig, Command, Outcome, Preferences, Status};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::{DeviceServer, Instant, JobDone, NexusId, Policy, Profile, Reply, Request, SlowCrypto, algorithm};
use pair::{MANDATORY, Numbers, client_builder, host, server_builder};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes on the heap. The tests of this program are one, so that nobody else allocates meanwhile.
fn live() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

struct World {
    server: DeviceServer,
    config: std::sync::Arc<ClientConfig>,
    random: Numbers,
    now: u64,
}

impl World {
    fn new(slow_crypto: SlowCrypto) -> Self {
        Self::speaking(Profile::R3, slow_crypto)
    }

    fn speaking(profile: Profile, slow_crypto: SlowCrypto) -> Self {
        let mut policy = Policy::default();
        policy.waive_complete_row = true;
        policy.slow_crypto = slow_crypto;
        let mut limits = Limits::default();
        limits.events = 1;
        let server = server_builder().profile(profile).policy(policy).limits(limits).build().unwrap();
        let config = client_builder(MANDATORY).profile(profile).build().unwrap();
        Self { server, config: config.into(), random: Numbers(7), now: 0 }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn send(&mut self, nexus: NexusId, command: &Command) -> (Reply, Vec<u8>) {
        let (mut data_out, mut data_in) = (command.data_out.to_vec(), vec![0; 16_384]);
        let request = Request { cdb: &command.cdb.to_bytes(), data_out: &mut data_out, data_in: &mut data_in };
        let now = self.now();
        (self.server.execute(nexus, request, now, &mut self.random), data_in)
    }

    /// The client's next command, any job that it takes done at once; gives the bytes of its Data-Out and Data-In, and the
    /// parameters when they are there.
    fn step(&mut self, nexus: NexusId, client: &mut ApplicationClient) -> (usize, usize, Option<Box<SaParameters>>) {
        let command = client.next_command(&mut self.random).unwrap();
        let (mut reply, mut data_in) = self.send(nexus, &command);
        while let Some(job) = self.server.poll_job() {
            let (done, now) = (job.run(), self.now());
            reply = self.server.complete(done, &mut data_in, now).map_or(reply, |(_, reply)| reply);
        }
        let Reply::Good { len } = reply else { panic!("{reply:?}") };
        data_in.truncate(len);
        let parameters = match client.reply(Status::Good(&data_in)).unwrap() {
            Outcome::Established(parameters) => Some(parameters),
            _ => None,
        };
        (command.data_out.len(), len, parameters)
    }

    /// Takes a new client through the capabilities and `steps` commands; gives the bytes of the longest Data-Out and Data-In.
    fn advance(&mut self, nexus: NexusId, steps: usize) -> (usize, usize) {
        let mut client = ApplicationClient::new(self.config.clone());
        self.step(nexus, &mut client);
        let lengths = (0..steps).map(|_| self.step(nexus, &mut client));
        lengths.fold((0, 0), |(data_out, data_in), (o, i, _)| (data_out.max(o), data_in.max(i)))
    }

    /// A client before the command after `steps` others, and that command.
    fn before(&mut self, nexus: NexusId, steps: usize) -> Command {
        let mut client = ApplicationClient::new(self.config.clone());
        (0..=steps).for_each(|_| drop(self.step(nexus, &mut client)));
        client.next_command(&mut self.random).unwrap()
    }
}

/// Runs `act` for many nexuses; gives the bytes that stay for each.
fn growth(world: &mut World, mut act: impl FnMut(&mut World, NexusId)) -> usize {
    const NEXUSES: u64 = 32;
    let before = live();
    (0..NEXUSES).for_each(|nexus| act(world, NexusId(nexus)));
    (live() - before) / usize::try_from(NEXUSES).unwrap()
}

/// What `Limits::retained` counts of a key exchange without usage data: message, payload that is echoed, both nonces, public value,
/// answer.
fn retained(profile: Profile, message: usize) -> usize {
    // SCA, or payload 81h of SPC-4 as the standard prints it.
    let echo = if profile == Profile::R3 { 76 } else { 93 };
    let public = message - (28 + 16 + echo + 8 + 36);
    message + (echo - 4) + 32 + 32 + public + (28 + echo + 8 + public + 36)
}

fn a_sequence_keeps_no_more_than_stated() {
    for (profile, slow_crypto, is_strong) in [
        (Profile::R3, SlowCrypto::Inline, false),
        (Profile::R3, SlowCrypto::Offload, false),
        (Profile::R3, SlowCrypto::Inline, true),
        (Profile::SPC4, SlowCrypto::Inline, false),
        (Profile::SPC4, SlowCrypto::Inline, true),
    ] {
        for steps in 1..=3 {
            let mut world = World::speaking(profile, slow_crypto);
            if is_strong {
                let strong = Preferences::strongest_first(&provider::provider());
                world.config = client_builder(MANDATORY).profile(profile).preferences(strong).build().unwrap().into();
            }
            let message = world.before(NexusId(1), 0).data_out.len();
            let each = growth(&mut world, |world, nexus| {
                world.advance(nexus, steps);
            });
            // The authentication OUT adds the identity, in SPC-4 payload 82h besides; its AUTH data are gone when it is accepted.
            let usage = if profile == Profile::R3 { 0 } else { 40 };
            let stated = Limits::CCS_BYTES + retained(profile, message) + host().data.len() + usage;
            assert!(each <= stated, "{steps} steps: {each} of {stated}");
        }
    }
}

/// With a job that waits.
fn a_calculation_keeps_no_more_than_stated() {
    let mut world = World::new(SlowCrypto::Offload);
    let each = growth(&mut world, |world, nexus| {
        let command = world.before(nexus, 0);
        assert!(matches!(world.send(nexus, &command).0, Reply::Good { .. }));
    });
    let stated = Limits::CCS_BYTES + retained(Profile::R3, 420);
    assert!(each <= stated, "{each} of {stated}");
}

fn a_complete_sequence_keeps_its_answer_and_an_association() {
    for (profile, is_strong) in [(Profile::R3, false), (Profile::SPC4, false), (Profile::SPC4, true)] {
        complete(profile, is_strong);
    }
}

fn complete(profile: Profile, is_strong: bool) {
    let mut world = World::speaking(profile, SlowCrypto::Inline);
    if is_strong {
        // The longest keys that SPC-4 has: of both directions, for the exchange and for the use.
        let mut strong = Preferences::strongest_first(&provider::provider());
        strong.encryption = vec![(algorithm::ENCR_AES_CBC.identifier, 32)];
        world.config = client_builder(MANDATORY).profile(profile).preferences(strong).build().unwrap().into();
    }
    let mut answer = 0;
    let both = growth(&mut world, |world, nexus| (_, answer) = world.advance(nexus, 4));
    let before = live();
    world.now += 60_000;
    let now = world.now();
    world.server.expire(now);
    let kept = (before - live()) / 32;
    assert!(kept <= Limits::CCS_BYTES + answer, "{kept}");
    let association = both - kept;
    let stated = Limits::SA_BYTES + 2 * 32 + host().data.len();
    assert!(association <= stated, "{association} of {stated}");
    // A statement that is far from the truth helps nobody.
    assert!(association * 4 > stated, "{association} of {stated}");
}

/// What ends a sequence while its job is out.
type End = fn(&mut World, NexusId);

const ENDS: [(&str, End); 3] = [
    ("protocol timeout", |world, _| world.now += 60_000),
    ("nexus loss", |world, nexus| world.server.nexus_lost(nexus)),
    ("reset", |world, _| world.server.reset()),
];

/// The job of the command after `steps` others is done, and its sequence has ended meanwhile.
fn late(world: &mut World, steps: usize, end: End) -> JobDone {
    let nexus = NexusId(1);
    let command = world.before(nexus, steps);
    assert!(!matches!(world.send(nexus, &command).0, Reply::CheckCondition(_)));
    let done = world.server.poll_job().unwrap().run();
    end(world, nexus);
    done
}

/// Ignored and wiped: of the result and its secrets nothing stays, and a [`Secret`] that goes is wiped.
///
/// [`Secret`]: ikev2_scsi::crypto::Secret
fn late_results_leave_nothing_behind() {
    for (name, end) in ENDS {
        // The key exchange, the check of the client's AUTH, the making of our own.
        for steps in [0, 2, 3] {
            let mut world = World::new(SlowCrypto::Offload);
            let round = |world: &mut World| {
                let done = late(world, steps, end);
                let now = world.now();
                let reply = world.server.complete(done, &mut [], now);
                // A held command is answered, where there is somebody to be answered.
                assert_eq!(reply.is_some(), steps > 0 && name == "protocol timeout", "{name}, {steps}");
                assert!(world.server.sas().is_empty() && world.server.next_deadline().is_none());
                while world.server.poll_event().is_some() {}
                live()
            };
            // The first round leaves the tables as large as they get.
            let first = round(&mut world);
            assert_eq!((round(&mut world), round(&mut world)), (first, first), "{name}, {steps} commands before");
        }
    }
}

/// The Delete of one association while another's result is out: that one goes on, and the deleted one does not come back.
fn a_delete_in_between_brings_nothing_back() {
    let mut world = World::new(SlowCrypto::Offload);
    let nexus = NexusId(1);
    let mut client = ApplicationClient::new(world.config.clone());
    let parameters = loop {
        if let Some(parameters) = world.step(nexus, &mut client).2 {
            break *parameters;
        }
    };
    let delete = client::delete(&world.config.clone(), parameters, &mut world.random).unwrap();
    let command = world.before(nexus, 3);
    assert!(matches!(world.send(nexus, &command).0, Reply::Held(_)));
    let done = world.server.poll_job().unwrap().run();
    assert_eq!(world.send(NexusId(2), &delete).0, Reply::Good { len: 0 });
    assert!(world.server.sas().is_empty());
    let (mut data_in, now) = (vec![0; 16_384], world.now());
    assert!(matches!(world.server.complete(done, &mut data_in, now), Some((_, Reply::Good { .. }))));
    assert_eq!(world.server.sas().len(), 1);
    let made = world.server.sas().iter().next().unwrap().id();
    assert!(world.server.remove_sa(made));
}

#[test]
fn what_is_kept() {
    a_sequence_keeps_no_more_than_stated();
    a_calculation_keeps_no_more_than_stated();
    a_complete_sequence_keeps_its_answer_and_an_association();
    late_results_leave_nothing_behind();
    a_delete_in_between_brings_nothing_back();
}
