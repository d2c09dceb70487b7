//! Timers to the millisecond, clocks that jump, stand still and go back, orphans, rekeying, SAIs that are used again (r3
//! 5.13.4.6, 5.13.6 j, 7.7.4.13; readings R2, R23, R26, R28, R31, R37).
#![cfg(all(feature = "client", feature = "rustcrypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

#[path = "support/cheap.rs"]
mod cheap;

use cheap::{Draws, Exchange, TIMEOUTS};
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::sa::SaId;
use ikev2_scsi::server::DeadlineReason;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

const A: NexusId = NexusId(1);
const B: NexusId = NexusId(2);

/// Both timeouts of every exchange here, in milliseconds.
const PROTOCOL: u64 = TIMEOUTS.protocol as u64 * 1000;
const INACTIVITY: u64 = TIMEOUTS.inactivity as u64 * 1000;

/// The sequence's commands in their order, then the Delete.
const DELETE: usize = 4;

/// IKEv2-SCSI INVALID COMMAND SEQUENCE.
const SEQUENCE: (u8, u8) = (0x2C, 0x00);

struct Bench {
    server: DeviceServer,
    exchanges: Vec<Exchange>,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        let exchanges = (0..4).map(Exchange::authenticated).collect();
        Self { server: cheap::builder().build().unwrap(), exchanges, now: 0 }
    }

    /// A device server on whose nexus A so many commands of exchange 0 have been done, one each second from second 1 on.
    fn after(commands: usize) -> Self {
        let mut bench = Self::new();
        for step in 0..commands {
            bench.now += 1000;
            bench.good(A, 0, step);
        }
        bench
    }

    /// A command of an exchange.
    fn send(&mut self, nexus: NexusId, exchange: usize, step: usize) -> Reply {
        self.send_drawing(nexus, exchange, step, exchange)
    }

    /// A command of an exchange, for which the device server draws what another one has drawn.
    fn send_drawing(&mut self, nexus: NexusId, exchange: usize, step: usize, drawn: usize) -> Reply {
        let messages = &self.exchanges[exchange];
        let (operation, specific, list) = match step {
            0 => (0xB5, 2, messages.key_exchange_out.as_slice()),
            1 => (0xA2, 2, [].as_slice()),
            2 => (0xB5, 3, messages.authentication_out.as_slice()),
            3 => (0xA2, 3, [].as_slice()),
            _ => (0xB5, 4, messages.delete.as_slice()),
        };
        let length = if operation == 0xA2 { 4096 } else { list.len() };
        let [l2, l3] = u16::try_from(length).unwrap().to_be_bytes();
        let cdb = [operation, 0x41, 1, specific, 0, 0, 0, 0, l2, l3, 0, 0];
        let request = Request { cdb: &cdb, data_out: &mut list.to_vec(), data_in: &mut [0; 4096] };
        self.server.execute(nexus, request, Instant::from_millis(self.now), &mut Draws::of(drawn))
    }

    fn good(&mut self, nexus: NexusId, exchange: usize, step: usize) {
        let reply = self.send(nexus, exchange, step);
        assert!(matches!(reply, Reply::Good { .. }), "exchange {exchange}, command {step}: {reply:?}");
    }

    fn establish(&mut self, nexus: NexusId, exchange: usize) {
        (0..4).for_each(|step| self.good(nexus, exchange, step));
    }

    /// ASC and ASCQ of a refusal.
    fn refused(&mut self, nexus: NexusId, exchange: usize, step: usize) -> (u8, u8) {
        match self.send(nexus, exchange, step) {
            Reply::CheckCondition(sense) => (sense.asc.code, sense.asc.qualifier),
            other => panic!("exchange {exchange}, command {step}: {other:?}"),
        }
    }

    fn expire(&mut self, now: u64) {
        self.now = now;
        self.server.expire(Instant::from_millis(now));
    }

    fn deadline(&self) -> Option<(u64, DeadlineReason)> {
        self.server.next_deadline().map(|next| (next.at.as_millis(), next.reason))
    }

    /// The exchanges whose associations live.
    fn live(&self) -> Vec<usize> {
        let is_live = |exchange: &&Exchange| self.server.sas().iter().any(|sa| sa.parameters.ds_sai == exchange.ds_sai);
        let indexes = self.exchanges.iter().enumerate().filter(|(_, exchange)| is_live(exchange));
        indexes.map(|(index, _)| index).collect()
    }

    fn id(&self, exchange: usize) -> SaId {
        let of = |sa: &&ikev2_scsi::sa::SecurityAssociation| sa.parameters.ds_sai == self.exchanges[exchange].ds_sai;
        self.server.sas().iter().find(of).unwrap().id()
    }
}

/// In every phase: one millisecond before, on it, one after; told by the clock alone or by the command itself.
#[test]
fn the_protocol_timer_runs_out_on_its_millisecond() {
    for commands in 1..=4 {
        let due = commands as u64 * 1000 + PROTOCOL;
        for (offset, is_dropped) in [(-1_i64, false), (0, true), (1, true)] {
            let at = due.checked_add_signed(offset).unwrap();
            let mut told = Bench::after(commands);
            assert_eq!(told.deadline(), Some((due, DeadlineReason::Protocol)));
            let phase = told.server.phase(A);
            told.expire(at);
            assert_eq!(told.server.phase(A), if is_dropped { Phase::Idle } else { phase }, "{commands} at {at}");
            let left = if commands == 4 { Some((4000 + INACTIVITY, DeadlineReason::Inactivity)) } else { None };
            assert_eq!(told.deadline(), if is_dropped { left } else { Some((due, DeadlineReason::Protocol)) });

            let mut asked = Bench::after(commands);
            asked.now = at;
            // The next command, or the last once more.
            let next = commands.min(3);
            if is_dropped {
                assert_eq!(asked.refused(A, 0, next), SEQUENCE, "{commands} at {at}");
            } else {
                asked.good(A, 0, next);
            }
        }
    }
}

/// Readings R23, R28: neither a refusal nor a repetition restarts the protocol timer.
#[test]
fn what_does_not_advance_does_not_restart_the_timer() {
    for commands in 1..=4 {
        let mut bench = Bench::after(commands);
        let deadline = bench.deadline();
        bench.now += PROTOCOL / 2;
        for step in 0..=DELETE {
            // Everything that is out of its turn, and the repetitions.
            let advances = step == commands || (commands == 4 && [0, DELETE].contains(&step));
            if !advances {
                let _ = bench.send(A, 0, step);
                let _ = bench.send(B, 1, step.clamp(1, 3));
                assert_eq!(bench.deadline(), deadline, "command {step} after {commands}");
            }
        }
        // Repeated at the last moment, and still not restarted.
        bench.now = commands as u64 * 1000 + PROTOCOL - 1;
        if commands % 2 == 0 {
            bench.good(A, 0, commands - 1);
        }
        assert_eq!(bench.deadline(), deadline);
        bench.expire(bench.now + 1);
        assert_eq!(bench.server.phase(A), Phase::Idle);
    }
}

#[test]
fn the_inactivity_timer_runs_out_on_its_millisecond() {
    for (offset, is_live) in [(-1_i64, true), (0, false), (1, false)] {
        let mut bench = Bench::after(4);
        let id = bench.id(0);
        // A use at the last moment, and the time is counted from it.
        bench.now = 4000 + INACTIVITY - 1;
        assert!(bench.server.touch(id, Instant::from_millis(bench.now)));
        let due = bench.now + INACTIVITY;
        assert_eq!(bench.deadline(), Some((due, DeadlineReason::Inactivity)));
        let at = Instant::from_millis(due.checked_add_signed(offset).unwrap());
        assert_eq!(bench.server.sa(id, at).is_some(), is_live, "{offset}");
        assert_eq!(bench.server.touch(id, at), is_live, "{offset}");
        bench.now = at.as_millis();
        if is_live {
            bench.good(B, 0, DELETE);
        } else {
            assert_eq!(bench.refused(B, 0, DELETE), SEQUENCE, "{offset}");
        }
        assert_eq!(bench.deadline(), None);
    }
}

/// Sequences of two nexuses and two associations: always the earliest, with its reason, and each goes alone.
#[test]
fn the_next_deadline_is_the_earliest() {
    let mut bench = Bench::new();
    assert_eq!(bench.deadline(), None);
    bench.establish(A, 0);
    bench.now = INACTIVITY - PROTOCOL;
    bench.expire(bench.now);
    assert_eq!(bench.deadline(), Some((INACTIVITY, DeadlineReason::Inactivity)));
    // Both at the same millisecond.
    bench.good(A, 1, 0);
    assert_eq!(bench.deadline(), Some((INACTIVITY, DeadlineReason::Protocol)));
    bench.now += 1;
    bench.good(B, 2, 0);
    bench.good(A, 1, 1);
    assert_eq!(bench.deadline(), Some((INACTIVITY, DeadlineReason::Inactivity)));
    bench.expire(INACTIVITY);
    assert_eq!((bench.live(), bench.server.phase(A)), (vec![], Phase::KeyExchangeIn));
    assert_eq!(bench.deadline(), Some((INACTIVITY + 1, DeadlineReason::Protocol)));
    bench.good(A, 1, 2);
    bench.good(A, 1, 3);
    bench.expire(INACTIVITY + 1);
    assert_eq!((bench.server.phase(A), bench.server.phase(B)), (Phase::Complete, Phase::Idle));
    assert_eq!(bench.deadline(), Some((INACTIVITY + PROTOCOL, DeadlineReason::Protocol)));
    bench.server.nexus_lost(A);
    assert_eq!(bench.deadline(), Some((2 * INACTIVITY, DeadlineReason::Inactivity)));
    bench.server.reset();
    assert_eq!(bench.deadline(), None);
}

#[test]
fn a_clock_that_jumps_far_forward_ends_everything_once() {
    let mut bench = Bench::after(4);
    bench.good(B, 1, 0);
    bench.expire(u64::MAX / 2);
    assert_eq!((bench.live(), bench.deadline()), (vec![], None));
    assert_eq!((bench.server.phase(A), bench.server.phase(B)), (Phase::Idle, Phase::Idle));
    // And the device server goes on from there.
    bench.establish(A, 2);
    assert_eq!(bench.deadline(), Some((u64::MAX / 2 + PROTOCOL, DeadlineReason::Protocol)));
    bench.expire(u64::MAX);
    assert_eq!((bench.live(), bench.deadline()), (vec![], None));
}

#[test]
fn a_clock_that_stands_still_ends_nothing() {
    let mut bench = Bench::after(2);
    for _ in 0..1000 {
        bench.good(A, 0, 1);
    }
    assert_eq!(bench.deadline(), Some((2000 + PROTOCOL, DeadlineReason::Protocol)));
    bench.good(A, 0, 2);
    bench.good(A, 0, 3);
    assert_eq!(bench.live(), [0]);
}

/// A time before one that was told counts as that one: nothing lives longer for it, and nothing comes back.
#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let mut bench = Bench::after(2);
    bench.now = 0;
    bench.good(A, 0, 2);
    assert_eq!(bench.deadline(), Some((2000 + PROTOCOL, DeadlineReason::Protocol)));
    bench.good(A, 0, 3);
    let id = bench.id(0);
    assert!(bench.server.touch(id, Instant::from_millis(0)));
    bench.expire(2000 + PROTOCOL);
    assert_eq!(bench.deadline(), Some((2000 + INACTIVITY, DeadlineReason::Inactivity)));
    bench.expire(2000 + INACTIVITY);
    bench.expire(0);
    assert_eq!((bench.live(), bench.server.phase(A)), (vec![], Phase::Idle));
    assert!(!bench.server.touch(id, Instant::from_millis(0)) && bench.server.sa(id, Instant::default()).is_none());
    assert_eq!(bench.refused(A, 0, 3), SEQUENCE);
}

/// r3 5.13.4.6: a client that never took the last answer leaves an association that only its timer removes.
#[test]
fn an_orphan_ends_at_its_inactivity_timeout() {
    for lose_nexus in [false, true] {
        let mut bench = Bench::after(4);
        if lose_nexus {
            bench.server.nexus_lost(A);
        }
        bench.expire(4000 + INACTIVITY - 1);
        assert_eq!(bench.live(), [0]);
        assert_eq!(bench.deadline(), Some((4000 + INACTIVITY, DeadlineReason::Inactivity)));
        bench.expire(4000 + INACTIVITY);
        assert_eq!((bench.live(), bench.deadline()), (vec![], None));
    }
}

/// r3 5.13.6 j: the old association and the new one side by side, each with its own timer, and each goes alone.
#[test]
fn rekeying() {
    let mut bench = Bench::new();
    bench.establish(A, 0);
    bench.now = 70_000;
    bench.establish(A, 1);
    assert_eq!(bench.live(), [0, 1]);
    let (old, new) = (bench.id(0), bench.id(1));
    assert_ne!(old.ds_sai, new.ds_sai);
    // A use of the new one does not lengthen the old one's life.
    bench.now = 71_000;
    assert!(bench.server.touch(new, Instant::from_millis(71_000)));
    bench.server.nexus_lost(A);
    assert_eq!(bench.deadline(), Some((INACTIVITY, DeadlineReason::Inactivity)));
    let mut other = Bench::new();
    other.establish(A, 0);
    other.establish(A, 1);
    other.good(B, 0, DELETE);
    assert_eq!(other.live(), [1]);
    assert_eq!(other.refused(A, 0, DELETE), SEQUENCE, "twice");
    other.good(A, 1, DELETE);
    assert_eq!(other.live(), [0; 0]);
    bench.expire(INACTIVITY);
    assert_eq!(bench.live(), [1]);
    bench.expire(71_000 + INACTIVITY);
    assert_eq!(bench.live(), [0; 0]);
}

/// Reading R2, with a random source that repeats itself: an SAI is refused for as long as an association or a sequence has
/// it, and may be drawn again when that is gone, however it went.
#[test]
fn a_device_server_sai_is_not_used_again_while_it_lives() {
    for commands in 1..=4 {
        for way in ["delete", "time", "loss", "reset"] {
            let mut bench = Bench::after(commands);
            let taken = |bench: &mut Bench| match bench.send_drawing(B, 1, 0, 0) {
                Reply::Good { .. } => false,
                Reply::CheckCondition(sense) => {
                    assert_eq!((sense.asc.code, sense.asc.qualifier), (0x44, 0x00), "reading R40");
                    true
                }
                Reply::Held(_) => panic!(),
            };
            assert!(taken(&mut bench), "{commands}");
            assert_eq!(bench.server.phase(B), Phase::Idle);
            match way {
                "delete" if commands == 4 => bench.good(B, 0, DELETE),
                "time" => bench.expire(bench.now + INACTIVITY),
                "loss" => bench.server.nexus_lost(A),
                _ => bench.server.reset(),
            }
            // Nexus loss keeps associations (reading R37).
            assert_eq!(taken(&mut bench), way == "loss" && commands == 4, "{commands}, {way}");
        }
    }
}
