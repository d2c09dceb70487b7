//! The main program of a device: commands come, the clock goes on, events are told, associations are used.

use core::hint::black_box;

use ikev2_scsi::crypto::{CryptoProvider, Identity, KeyVersion, PresharedKeys, Prf, PskError, Random};
use ikev2_scsi::esp::{Form, Place, TAPE_DATA_ENCRYPTION};
use ikev2_scsi::server::{Builder, EspCommand};
use ikev2_scsi::wire::{Descriptor, IdType, Identification};
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request, SlowCrypto};

use crate::recording::{Provisioning, Recording, Step};
use crate::system::{HeapMark, tell};

/// Bytes of a Data-Out and of a Data-In buffer: static RAM of a firmware, on the stack of an image.
const BUFFER: usize = 2048;

/// Most descriptors that a recording reports.
const DESCRIPTORS: usize = 40;

/// The shared keys of a recording, where they stand.
#[derive(Debug)]
pub struct Keys(pub Recording);

impl PresharedKeys for Keys {
    fn own(&self, prf: &dyn Prf, pad: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError> {
        prf.compute(self.0.provisioning().server.key, &[pad], out)?;
        Ok(KeyVersion(0))
    }

    fn peer(
        &self,
        peer: Identification<'_>,
        prf: &dyn Prf,
        pad: &[u8],
        out: &mut [u8],
    ) -> Result<KeyVersion, PskError> {
        let client = self.0.provisioning().client;
        let known = client
            .identity
            .split_first()
            .is_some_and(|(id_type, data)| Some(peer.id_type) == IdType::from_code(*id_type) && peer.data == data);
        if !known {
            return Err(PskError::Unknown);
        }
        prf.compute(client.key, &[pad], out)?;
        Ok(KeyVersion(1))
    }
}

/// An identity of a recording.
#[must_use]
pub fn identity(bytes: &[u8]) -> Option<Identity> {
    let (id_type, data) = bytes.split_first()?;
    Some(Identity::new(IdType::from_code(*id_type)?, data))
}

/// The device server of a recording, but for its keys, which reports what was reported.
#[must_use]
pub fn builder(provider: CryptoProvider, given: &Provisioning) -> Option<Builder> {
    let mut policy = Policy::default();
    (policy.max_protocol_timeout, policy.max_inactivity_timeout) = (300, 86_400);
    policy.waive_complete_row = true;
    policy.slow_crypto = black_box(SlowCrypto::Inline);
    let mut descriptors = [Descriptor::from_bytes(&[0; 12]); DESCRIPTORS];
    let (chunks, _) = given.capabilities.as_chunks();
    descriptors.iter_mut().zip(chunks).for_each(|(to, from)| *to = Descriptor::from_bytes(from));
    let builder = DeviceServer::builder(provider).policy(policy).identity(identity(given.server.identity)?);
    Some(builder.fixed_capabilities(descriptors.get(..chunks.len())?))
}

/// Whether what an image answers is what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Data-In, status and sense data.
    Everything,
    /// Status: the null provider computes other values.
    Status,
}

/// Replays a recording on a device server, tells what it takes, and returns whether the answers were right.
pub fn replay(server: &mut DeviceServer, recording: Recording, compare: Compare) -> bool {
    let mut draws = recording.provisioning().draws;
    let mark = HeapMark::set();
    let mut passed = true;
    let mut told = false;
    for step in recording.steps() {
        if is_delete(&step) && !told {
            told = true;
            passed &= background(server);
            tell_heap(mark);
        }
        passed &= answer(server, NexusId(1), &step, &mut draws, compare);
    }
    if !told {
        passed &= background(server);
        tell_heap(mark);
    }
    passed
}

fn is_delete(step: &Step) -> bool {
    matches!(step.cdb, [0xB5, 0x41, 1, 4, ..])
}

/// After a sequence and the loss of its nexus, what is kept is the association.
fn tell_heap(mark: HeapMark) {
    tell("heap_ccs", mark.peak());
    tell("heap_sa", mark.kept());
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

/// What a device does besides: timers, events, REQUEST SENSE, use of an association, losses.
fn background(server: &mut DeviceServer) -> bool {
    let mut events = 0_usize;
    while let Some(event) = server.poll_event() {
        events = events.wrapping_add(usize::from(event.nexus.is_some()));
    }
    let now = Instant::from_millis(black_box(1));
    let sense = server.request_sense(NexusId(1), now);
    let deadline = server.next_deadline();
    server.expire(now);
    server.nexus_lost(NexusId(1));
    let id = server.sas().iter().next().map(|sa| sa.id());
    let used = id.is_some_and(|id| server.touch(id, now));
    if black_box(false) {
        server.reset();
    }
    used && deadline.is_some() && events != 0 && black_box(sense.to_fixed()).as_ref().len() == 18
}

/// Data of a command under an association: opens a descriptor, and builds one.
pub fn descriptors(server: &mut DeviceServer, bytes: &mut [u8], random: &mut dyn Random) -> bool {
    let now = Instant::from_millis(black_box(1));
    let usage_types = &[TAPE_DATA_ENCRYPTION];
    let command = EspCommand { usage_types, form: Form::WithLength, place: Place::ParameterList(0) };
    let opened = server.open_data_out(bytes, command, now);
    let built = opened.ok().map(|opened| server.build_data_in(opened.id, bytes, command, now, random));
    built.is_some_and(|built| built.is_ok())
}
