//! The main program of a device: commands come, the clock goes on, events are told, associations are used.

use core::hint::black_box;

use ikev2_scsi::crypto::Random;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request};

use crate::recording::{Draws, Recording, Step};
use crate::system::{HeapMark, tell};

/// Bytes of a Data-Out and of a Data-In buffer: static RAM of a firmware, on the stack of an image.
const BUFFER: usize = 2048;

/// Whether what an image answers is what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Data-In, status and sense data.
    Everything,
    /// Status: the null provider computes other values.
    Status,
}

/// Replays a recording on a device server, tells what it takes, and returns whether the answers were right.
pub fn replay(server: &mut DeviceServer, mut recording: Recording, mut draws: Draws, compare: Compare) -> bool {
    let _ = recording.provisioning();
    let mark = HeapMark::set();
    let mut passed = true;
    let mut held = 0;
    while let Some(step) = recording.step() {
        let is_delete = matches!(step.cdb, [0xB5, 0x41, 1, 4, ..]);
        if is_delete && held == 0 {
            held = mark.kept();
            tell("heap_ccs", mark.peak());
        }
        passed &= answer(server, NexusId(1), &step, &mut draws, compare);
    }
    if held == 0 {
        tell("heap_ccs", mark.peak());
    }
    passed && background(server)
}

/// One command.
fn answer(server: &mut DeviceServer, nexus: NexusId, step: &Step, random: &mut dyn Random, compare: Compare) -> bool {
    let (mut data_out, mut data_in) = ([0; BUFFER], [0; BUFFER]);
    data_out.iter_mut().zip(step.data_out).for_each(|(to, from)| *to = *from);
    let Some(list) = data_out.get_mut(..step.data_out.len()) else { return false };
    let request = Request { cdb: step.cdb, data_out: list, data_in: &mut data_in };
    let reply = server.execute(nexus, request, Instant::from_millis(black_box(1)), random);
    let reply = match reply {
        Reply::Held(_) => later(server, &mut data_in),
        reply => Some(reply),
    };
    match reply {
        Some(Reply::Good { len }) => {
            let right = data_in.get(..len).is_some_and(|data| data == step.data_in);
            step.status.first() == Some(&0) && (compare == Compare::Status || right)
        }
        Some(Reply::CheckCondition(sense)) => {
            let bytes = if black_box(true) { sense.to_fixed() } else { sense.to_descriptor() };
            step.status.split_first().is_some_and(|(status, sense)| *status == 2 && sense == bytes.as_ref())
        }
        _ => false,
    }
}

/// Slow work, done in the main loop as a task of a firmware would.
fn later(server: &mut DeviceServer, data_in: &mut [u8]) -> Option<Reply> {
    let job = server.poll_job()?;
    let (_, reply) = server.complete(job.run(), data_in, Instant::from_millis(black_box(1)))?;
    Some(reply)
}

/// What a device does besides: timers, events, REQUEST SENSE, losses.
fn background(server: &mut DeviceServer) -> bool {
    let mut events = 0_usize;
    while let Some(event) = server.poll_event() {
        events = events.wrapping_add(usize::from(event.nexus.is_some()));
    }
    let now = Instant::from_millis(black_box(1));
    let sense = server.request_sense(NexusId(1), now);
    let deadline = black_box(server.next_deadline());
    server.expire(now);
    server.nexus_lost(NexusId(1));
    let calm = black_box(sense.to_fixed()).as_ref().len() == 18;
    if black_box(false) {
        server.reset();
    }
    black_box(deadline);
    calm && events != 0
}
