//! The main program of a device: commands come, the clock goes on, events are told, associations are used.

use core::hint::black_box;

use ikev2_scsi::crypto::{CryptoProvider, Identity, KeyVersion, PresharedKeys, Prf, PskError, Random};
use ikev2_scsi::esp::{Form, Place, TAPE_DATA_ENCRYPTION};
use ikev2_scsi::sa::SaId;
use ikev2_scsi::sense::{Sense, SenseBytes};
use ikev2_scsi::server::{Builder, Deadline, EspCommand, Event};
use ikev2_scsi::wire::{Descriptor, IdType, Identification};
use ikev2_scsi::{DeviceServer, Instant, Job, JobDone, NexusId, Policy, Reply, Request, SlowCrypto};

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
    Identity::try_new(Identification { id_type: IdType::from_code(*id_type)?, data }).ok()
}

/// The device server of a recording, but for its keys, which reports what was reported.
#[must_use]
pub fn builder(provider: CryptoProvider, given: &Provisioning) -> Option<Builder> {
    let mut policy = Policy::default();
    (policy.max_protocol_timeout, policy.max_inactivity_timeout) = (300, 86_400);
    policy.waive_complete_row = true;
    policy.slow_crypto = if cfg!(feature = "offload") { black_box(SlowCrypto::Inline) } else { SlowCrypto::Inline };
    let mut descriptors = [Descriptor::from_bytes(&[0; 12]); DESCRIPTORS];
    let (chunks, _) = given.capabilities.as_chunks();
    descriptors.iter_mut().zip(chunks).for_each(|(to, from)| *to = Descriptor::from_bytes(from));
    let builder = DeviceServer::builder(provider).policy(policy).identity(identity(given.server.identity)?);
    Some(builder.fixed_capabilities(descriptors.get(..chunks.len())?))
}

/// A firmware's device server is there for good.
pub fn keep(server: DeviceServer) {
    core::mem::forget(server);
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
// SAFETY: the section is for code.
#[cfg_attr(firmware, unsafe(link_section = ".harness"))]
#[inline(never)]
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

/// A function of the device server behind a pointer that the compiler does not see through: what a firmware calls is to be
/// no part of the harness.
macro_rules! firmware {
    ($function:expr, fn($($argument:ty),*) $(-> $result:ty)?) => {
        black_box($function as fn($($argument),*) $(-> $result)?)
    };
}

/// One command.
// SAFETY: the section is for code.
#[cfg_attr(firmware, unsafe(link_section = ".harness"))]
fn answer(server: &mut DeviceServer, nexus: NexusId, step: &Step, random: &mut dyn Random, compare: Compare) -> bool {
    let execute = firmware!(
        DeviceServer::execute,
        fn(&mut DeviceServer, NexusId, Request<'_>, Instant, &mut dyn Random) -> Reply
    );
    let format = match black_box(true) {
        true => firmware!(Sense::to_fixed, fn(&Sense) -> SenseBytes),
        false => firmware!(Sense::to_descriptor, fn(&Sense) -> SenseBytes),
    };
    let (mut data_out, mut data_in) = ([0; BUFFER], [0; BUFFER]);
    data_out.iter_mut().zip(step.data_out).for_each(|(to, from)| *to = *from);
    let Some(list) = data_out.get_mut(..step.data_out.len()) else { return false };
    let request = Request { cdb: step.cdb, data_out: list, data_in: &mut data_in };
    let reply = execute(server, nexus, request, Instant::from_millis(black_box(1)), random);
    let reply = match reply {
        Reply::Held(_) if cfg!(feature = "offload") => later(server, &mut data_in),
        reply => Some(reply),
    };
    match reply {
        Some(Reply::Good { len }) => {
            let right = data_in.get(..len).is_some_and(|data| data == step.data_in);
            step.status.first() == Some(&0) && (compare == Compare::Status || right)
        }
        Some(Reply::CheckCondition(sense)) => {
            let bytes = format(&sense);
            step.status.split_first().is_some_and(|(status, sense)| *status == 2 && sense == bytes.as_ref())
        }
        _ => false,
    }
}

/// Slow work, done in the main loop as a task of a firmware would.
// SAFETY: the section is for code.
#[cfg_attr(firmware, unsafe(link_section = ".harness"))]
fn later(server: &mut DeviceServer, data_in: &mut [u8]) -> Option<Reply> {
    let complete = firmware!(
        DeviceServer::complete,
        fn(&mut DeviceServer, JobDone, &mut [u8], Instant) -> Option<(NexusId, Reply)>
    );
    let job = firmware!(DeviceServer::poll_job, fn(&mut DeviceServer) -> Option<Job>)(server)?;
    let done = firmware!(Job::run, fn(Job) -> JobDone)(job);
    let (_, reply) = complete(server, done, data_in, Instant::from_millis(black_box(1)))?;
    Some(reply)
}

/// What a device does besides: timers, events, REQUEST SENSE, use of an association, losses.
// SAFETY: the section is for code.
#[cfg_attr(firmware, unsafe(link_section = ".harness"))]
fn background(server: &mut DeviceServer) -> bool {
    let mut events = 0_usize;
    while let Some(event) = firmware!(DeviceServer::poll_event, fn(&mut DeviceServer) -> Option<Event>)(server) {
        events = events.wrapping_add(usize::from(event.nexus.is_some()));
    }
    let now = Instant::from_millis(black_box(1));
    let sense = firmware!(DeviceServer::request_sense, fn(&mut DeviceServer, NexusId, Instant) -> Sense);
    let sense = sense(server, NexusId(1), now);
    let deadline = firmware!(DeviceServer::next_deadline, fn(&DeviceServer) -> Option<Deadline>)(server);
    firmware!(DeviceServer::expire, fn(&mut DeviceServer, Instant))(server, now);
    firmware!(DeviceServer::nexus_lost, fn(&mut DeviceServer, NexusId))(server, NexusId(1));
    let id = server.sas().iter().next().map(|sa| sa.id());
    let touch = firmware!(DeviceServer::touch, fn(&mut DeviceServer, SaId, Instant) -> bool);
    let used = id.is_some_and(|id| touch(server, id, now));
    if black_box(false) {
        firmware!(DeviceServer::reset, fn(&mut DeviceServer))(server);
    }
    used && deadline.is_some() && events != 0 && sense == Sense::NONE
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
