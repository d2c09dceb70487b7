//! One logical unit: its device server, the commands that it holds, and the I_T nexuses that it has heard of.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_int;
use std::path::Path;

use ikev2_scsi::ccs::job::{Job, JobId};
use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::{Event, EventKind};
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::{DeviceServer, Dialect as Standard, Instant, NexusId, Profile, Reply, Request, SlowCrypto, provider};
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use crate::abi::Perform;
use crate::options::{Dialect, Options};
use crate::plugin::SECURITY_PROTOCOL_OUT;
use crate::pool::Outcome;
use crate::tgt::{self, Command, LogicalUnit, NexusMark, Status};

/// HARDWARE ERROR, INTERNAL TARGET FAILURE, in both formats: a fault of ours.
const FAULT_FIXED: [u8; 18] = [0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0];
const FAULT_DESCRIPTOR: [u8; 8] = [0x72, 4, 0x44, 0, 0, 0, 0, 0];

/// Who performed what we perform now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Originals {
    pub(crate) request_sense: Option<Perform>,
    pub(crate) reserve_out: Option<Perform>,
    pub(crate) prevent_removal: Option<Perform>,
}

/// A logical unit.
pub(crate) struct Unit {
    logical_unit: LogicalUnit,
    /// No other unit had it.
    serial: u64,
    /// Target and LUN, for the log.
    name: (c_int, u64),
    server: DeviceServer,
    is_spc4: bool,
    /// Whether events are logged that an initiator can cause as often as it likes.
    logs_all: bool,
    pub(crate) originals: Originals,
    held: BTreeMap<JobId, Command>,
    /// Nexuses that have our mark.
    nexuses: BTreeSet<u64>,
    /// Longest Data-Out that is looked at.
    longest_list: usize,
    /// For Data-In.
    buffer: Vec<u8>,
}

impl Unit {
    /// Makes the device server that the options ask for.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn new(logical_unit: LogicalUnit, serial: u64, options: &Options) -> Result<Self, String> {
        let Some(path) = &options.provisioning else {
            return Err(
                "which provisioning file? Say provisioning=FILE in --bsopts or in the variable IKEV2SCSI".into()
            );
        };
        let provisioning = load(path)?;
        let own = provisioning.profile();
        let profile = match options.dialect {
            Some(Dialect::R3) if own.dialect != Standard::R3 => Profile::default(),
            Some(Dialect::Spc4) if own.dialect != Standard::Spc4 => Profile::SPC4,
            _ => own,
        };
        let slow_crypto = options.crypto.unwrap_or(SlowCrypto::Offload);
        let mut policy = provisioning.policy().clone();
        policy.slow_crypto = slow_crypto;
        let longest_list = usize::try_from(provisioning.limits().parameter_list).unwrap_or(usize::MAX);
        let longest_answer = longest_list.saturating_add(policy.nonce_length);
        let builder = provisioning.device_server(provider::provider()).map_err(|error| error.to_string())?;
        let server = builder.profile(profile).policy(policy).build().map_err(|error| error.to_string())?;
        if provisioning.descriptor_sense() {
            logical_unit.want_descriptors();
        }
        Ok(Self {
            logical_unit,
            serial,
            name: logical_unit.name(),
            server,
            is_spc4: profile.dialect == Standard::Spc4,
            logs_all: options.logs_all.unwrap_or(true),
            originals: Originals::default(),
            held: BTreeMap::new(),
            nexuses: BTreeSet::new(),
            longest_list,
            buffer: vec![0; longest_answer],
        })
    }

    pub(crate) const fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn log(&self, line: &str) {
        let (target, lun) = self.name;
        tgt::log(&format!("target {target} LUN {lun}: {line}"));
    }

    /// SECURITY PROTOCOL IN or OUT; `None` when its status comes later.
    pub(crate) fn execute(&mut self, mut command: Command, now: Instant) -> Option<Status> {
        let Some(cdb) = command.cdb::<12>() else { return Some(self.fault(&mut command)) };
        let mut data_out = command.data_out(self.longest_list);
        if cdb[0] == SECURITY_PROTOCOL_OUT {
            command.set_data_out_taken(u32::from_be_bytes([cdb[6], cdb[7], cdb[8], cdb[9]]));
        }
        self.tell_calendar(now);
        let nexus = NexusId(command.nexus());
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut self.buffer };
        let reply = self.server.execute(nexus, request, now, &mut SystemRandom);
        match reply {
            Reply::Held(job) => {
                command.hold();
                self.held.insert(job, command);
                None
            }
            Reply::Good { .. } | Reply::CheckCondition(_) => Some(self.answer(&mut command, reply)),
        }
    }

    /// REQUEST SENSE; false where we have nothing to say, and tgtd answers.
    pub(crate) fn request_sense(&mut self, command: &mut Command, now: Instant) -> bool {
        let sense = self.server.request_sense(NexusId(command.nexus()), now);
        let Some([_, flags, _, _, allocation_length, _]) = command.cdb().filter(|_| sense != Sense::NONE) else {
            return false;
        };
        let sense = if flags & 1 == 0 { sense.to_fixed() } else { sense.to_descriptor() };
        let len = sense.as_ref().len().min(usize::from(allocation_length));
        command.set_data_in(sense.as_ref().get(..len).unwrap_or_default());
        true
    }

    /// PERSISTENT RESERVE OUT; false where nothing is in its way (SPC-4 5.13.4).
    pub(crate) fn must_wait(&mut self, command: &mut Command, now: Instant) -> bool {
        let must = self.is_spc4 && self.server.ccs_in_progress(NexusId(command.nexus()), now);
        if must {
            self.set_sense(command, Sense::SA_CREATION_IN_PROGRESS);
        }
        must
    }

    /// A job's result; gives the command that was held for it, with its status.
    #[must_use = "the command waits for its status"]
    pub(crate) fn complete(&mut self, outcome: Outcome, now: Instant) -> Option<(Command, Status)> {
        let done = match outcome {
            Outcome::Done(done) => done,
            Outcome::Panicked(job) => {
                self.log("a calculation has panicked");
                let mut command = self.held.remove(&job)?;
                let status = self.fault(&mut command);
                return Some((command, status));
            }
        };
        let command = self.held.remove(&done.id());
        let reply = self.server.complete(done, &mut self.buffer, now);
        let mut command = command?;
        let status = match reply {
            Some((_, reply)) => self.answer(&mut command, reply),
            // Its nexus is lost or the logical unit was reset: nobody may hear it, and yet tgtd waits for it.
            None => Status::TaskAborted,
        };
        Some((command, status))
    }

    pub(crate) fn poll_job(&mut self) -> Option<Job> {
        self.server.poll_job()
    }

    /// Commands that wait for a job.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// What is due, nexuses that are gone, resets.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.server.expire(now);
        self.forget_lost_nexuses();
        self.logical_unit.nexuses().iter().filter(|mark| !mark.is_set()).for_each(|mark| self.meet(mark));
    }

    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.server.next_deadline().map(|deadline| deadline.at.as_millis())
    }

    /// Whether nexuses may be lost or reset unnoticed.
    pub(crate) fn has_nexuses(&self) -> bool {
        !self.nexuses.is_empty()
    }

    /// A nexus without our mark: a new one, or the logical unit was reset.
    pub(crate) fn meet(&mut self, mark: &NexusMark) {
        // A new nexus may be the successor of one that is gone, and should not find what that one left.
        self.forget_lost_nexuses();
        // The login leaves one unit attention; a nexus that has two before its first command met a reset in between.
        let is_reset = self.nexuses.contains(&mark.nexus()) || mark.resets_untold() > 1;
        mark.set();
        self.nexuses.insert(mark.nexus());
        if is_reset {
            self.log("logical unit reset");
            self.server.reset();
            for mark in self.logical_unit.nexuses() {
                mark.set();
                self.nexuses.insert(mark.nexus());
            }
        }
    }

    fn forget_lost_nexuses(&mut self) {
        if self.nexuses.is_empty() {
            return;
        }
        let live: BTreeSet<u64> = self.logical_unit.nexuses().iter().map(NexusMark::nexus).collect();
        let lost: Vec<u64> = self.nexuses.difference(&live).copied().collect();
        for nexus in lost {
            self.nexuses.remove(&nexus);
            self.server.nexus_lost(NexusId(nexus));
        }
    }

    /// Logs what happened, and does what has to be done about it.
    pub(crate) fn tell_events(&mut self, now: Instant) {
        while let Some(event) = self.server.poll_event() {
            let more = self.more(&event, now);
            if self.logs_all || !is_cheap(&event.kind) {
                self.log(&format!("{event}{more}"));
            }
            if let (EventKind::CapabilitiesChanged, Some(NexusId(nexus))) = (&event.kind, event.nexus) {
                let asc = Sense::CAPABILITIES_CHANGED.asc;
                self.logical_unit.attend_others(nexus, u16::from_be_bytes([asc.code, asc.qualifier]));
            }
        }
    }

    /// Who has the association that has come into being, and how many there are now.
    fn more(&mut self, event: &Event, now: Instant) -> String {
        let count = self.server.sas().len();
        match event.kind {
            EventKind::SaCreated { id } => {
                let client = self.server.sa(id, now).and_then(|sa| sa.application_client.as_ref());
                let client = client.map_or_else(
                    || " for nobody in particular".into(),
                    |client| {
                        let identity = &client.identity;
                        format!(" for {:?} \"{}\"", identity.id_type, identity.data.escape_ascii())
                    },
                );
                format!("{client}, {count} now")
            }
            EventKind::SaRemoved { .. } => format!(", {count} left"),
            _ => String::new(),
        }
    }

    fn tell_calendar(&mut self, now: Instant) {
        if let Ok(since) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            self.server.set_unix_time(UnixTime(since.as_secs()), now);
        }
    }

    fn answer(&mut self, command: &mut Command, reply: Reply) -> Status {
        match reply {
            Reply::Good { len } => {
                command.set_data_in(self.buffer.get(..len).unwrap_or_default());
                Status::Good
            }
            Reply::CheckCondition(sense) => {
                self.set_sense(command, sense);
                Status::CheckCondition
            }
            // A command is held once, and `execute` sees to that.
            Reply::Held(_) => self.fault(command),
        }
    }

    fn set_sense(&self, command: &mut Command, sense: Sense) {
        let bytes = if self.logical_unit.wants_descriptors() { sense.to_descriptor() } else { sense.to_fixed() };
        command.set_data_in(&[]);
        command.set_sense(bytes.as_ref());
    }

    fn fault(&self, command: &mut Command) -> Status {
        command.set_data_in(&[]);
        let descriptors = self.logical_unit.wants_descriptors();
        command.set_sense(if descriptors { &FAULT_DESCRIPTOR } else { &FAULT_FIXED });
        Status::CheckCondition
    }
}

/// Events that cost an initiator a command each.
const fn is_cheap(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::CapabilitiesRead
            | EventKind::SequenceStarted { .. }
            | EventKind::LimitReached { .. }
            | EventKind::Refused(_)
    )
}

fn load(path: &Path) -> Result<Provisioning, String> {
    Provisioning::load(path).map_err(|error| format!("{}: {error}", path.display()))
}
