//! A device server with all that it is given from outside: random values, a clock, names for its nexuses.

use std::collections::BTreeMap;

use ikev2_scsi::sense::{Sense, SenseBytes};
use ikev2_scsi::server::{Builder, ConfigError, DeviceServer, NexusId, Reply, Request};
use ikev2_scsi::time::{Instant, UnixTime};

use super::provisioning::Provisioning;
use super::script::Script;

/// More than any answer has: those that depend on the initiator echo a part of a parameter list.
const DATA_IN: usize = 1 << 16;

/// One logical unit.
pub(crate) struct Unit {
    pub(crate) server: DeviceServer,
    script: Script,
    now: u64,
    nexuses: BTreeMap<String, NexusId>,
    descriptor_sense: bool,
    unix_time: Option<UnixTime>,
}

/// The answer to a command: a status byte's condition, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) data: Vec<u8>,
    /// Sense data with CHECK CONDITION; `None` with GOOD.
    pub(crate) sense: Option<Sense>,
}

impl Answer {
    /// The SCSI status byte.
    pub(crate) const fn status(&self) -> u8 {
        if self.sense.is_some() { 2 } else { 0 }
    }
}

impl Unit {
    /// A fresh unit at clock 0; `configure` has the last word on the builder.
    pub(crate) fn new(
        provisioning: &Provisioning,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            server: configure(provisioning.builder()).build()?,
            unix_time: provisioning.unix_time,
            script: Script::new(provisioning.script.clone()),
            now: 0,
            nexuses: BTreeMap::new(),
            descriptor_sense: provisioning.descriptor_sense,
        })
    }

    /// The number of a nexus, which it gets when it is first named.
    pub(crate) fn nexus(&mut self, name: &str) -> NexusId {
        if let Some(nexus) = self.nexuses.get(name) {
            return *nexus;
        }
        let number = u64::try_from(self.nexuses.len()).unwrap_or(u64::MAX);
        self.nexuses.insert(name.into(), NexusId(number));
        NexusId(number)
    }

    pub(crate) const fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    pub(crate) fn advance(&mut self, milliseconds: u64) {
        self.now = self.now.saturating_add(milliseconds);
        self.server.expire(self.now());
    }

    /// Processes one command.
    pub(crate) fn execute(&mut self, nexus: &str, cdb: &[u8], data_out: &[u8]) -> Answer {
        let (nexus, now) = (self.nexus(nexus), self.now());
        let (mut data_out, mut data_in) = (data_out.to_vec(), vec![0; DATA_IN]);
        self.script.before_command(nexus);
        if let Some(time) = self.unix_time {
            // The bench's calendar stands still, whatever its clock does.
            self.server.set_unix_time(time, now);
        }
        let request = Request { cdb, data_out: &mut data_out, data_in: &mut data_in };
        let mut reply = self.server.execute(nexus, request, now, &mut self.script);
        // Nothing is held with inline cryptography; whoever configured it otherwise waits here.
        while matches!(reply, Reply::Held(_)) {
            let Some(job) = self.server.poll_job() else { break };
            if let Some((_, late)) = self.server.complete(job.run(), &mut data_in, now) {
                reply = late;
            }
        }
        self.script.after_command(matches!(reply, Reply::Good { .. }));
        match reply {
            Reply::Good { len } => {
                data_in.truncate(len);
                Answer { data: data_in, sense: None }
            }
            Reply::CheckCondition(sense) => Answer { data: Vec::new(), sense: Some(sense) },
            Reply::Held(_) => Answer { data: Vec::new(), sense: Some(Sense::NONE) },
        }
    }

    /// Sense data in the format wished for.
    pub(crate) fn format(&self, sense: &Sense) -> SenseBytes {
        if self.descriptor_sense { sense.to_descriptor() } else { sense.to_fixed() }
    }
}
