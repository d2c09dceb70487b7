//! A device server in the same process: several I_T nexuses, and a clock that only moves when told to.
//!
//! What lives here: the seam between [`Transport`] and [`DeviceServer`], and REQUEST SENSE. What does not: any other command; a
//! logical unit has more than this.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use ikev2_scsi::crypto::Random;
use ikev2_scsi::{DeviceServer, Instant, JobId, NexusId, Reply, Request};

use crate::validate::Clock;
use crate::{Answer, Transport, TransportError, status};

/// REQUEST SENSE, whose CDB has six bytes.
const REQUEST_SENSE: u8 = 0x03;

/// The logical unit that all nexuses share.
struct Unit {
    server: DeviceServer,
    random: Box<dyn Random>,
    /// Milliseconds.
    now: u64,
    next_nexus: u64,
    descriptor_sense: bool,
}

impl Unit {
    const fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    const fn take_nexus(&mut self) -> NexusId {
        self.next_nexus = self.next_nexus.saturating_add(1);
        NexusId(self.next_nexus)
    }

    /// Runs the calculations that the device server has handed out; gives the reply of the command that waits for one of them.
    fn work(&mut self, held: Option<JobId>, data_in: &mut [u8]) -> Option<Reply> {
        let mut reply = None;
        while let Some(job) = self.server.poll_job() {
            let is_awaited = held == Some(job.id());
            let done = job.run();
            let now = self.now();
            let completed = self.server.complete(done, data_in, now);
            if is_awaited {
                reply = completed.map(|(_, reply)| reply);
            }
        }
        reply
    }

    fn sense(&self, sense: &ikev2_scsi::sense::Sense) -> Vec<u8> {
        let bytes = if self.descriptor_sense { sense.to_descriptor() } else { sense.to_fixed() };
        bytes.as_ref().to_vec()
    }
}

/// One I_T nexus to a device server in the same process; dropped, the nexus is lost.
pub struct InProcess {
    unit: Rc<RefCell<Unit>>,
    nexus: NexusId,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("nexus", &self.nexus).finish_non_exhaustive()
    }
}

impl InProcess {
    /// The first nexus to a device server, at a time of zero. `random` is the device server's.
    #[must_use]
    pub fn new(server: DeviceServer, random: Box<dyn Random>) -> Self {
        let mut unit = Unit { server, random, now: 0, next_nexus: 0, descriptor_sense: false };
        let nexus = unit.take_nexus();
        Self { unit: Rc::new(RefCell::new(unit)), nexus }
    }

    /// Whether sense data are in descriptor format; fixed unless said otherwise.
    #[must_use]
    pub fn descriptor_sense(self, descriptor: bool) -> Self {
        self.unit.borrow_mut().descriptor_sense = descriptor;
        self
    }

    /// How many associations the device server has.
    #[must_use]
    pub fn associations(&self) -> usize {
        self.unit.borrow().server.sas().len()
    }

    /// The clock of the device server.
    #[must_use]
    pub fn clock(&self) -> InProcessClock {
        InProcessClock(Rc::clone(&self.unit))
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.unit.borrow_mut().server.nexus_lost(self.nexus);
    }
}

impl Transport for InProcess {
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
        let mut unit = self.unit.borrow_mut();
        let unit = &mut *unit;
        let now = unit.now();
        if cdb.first() == Some(&REQUEST_SENSE) {
            let sense = unit.server.request_sense(self.nexus, now);
            let bytes = unit.sense(&sense);
            data_in.iter_mut().zip(&bytes).for_each(|(to, from)| *to = *from);
            let data_in_len = bytes.len().min(data_in.len());
            return Ok(Answer { status: status::GOOD, data_in_len, sense: Vec::new() });
        }
        let mut data_out = data_out.to_vec();
        let request = Request { cdb, data_out: &mut data_out, data_in: &mut *data_in };
        let reply = match unit.server.execute(self.nexus, request, now, unit.random.as_mut()) {
            Reply::Held(job) => {
                let reply = unit.work(Some(job), data_in);
                reply.ok_or_else(|| TransportError::Ended("a command that was held was never answered".into()))?
            }
            reply => reply,
        };
        match reply {
            Reply::Good { len } => Ok(Answer { status: status::GOOD, data_in_len: len, sense: Vec::new() }),
            Reply::CheckCondition(sense) => {
                Ok(Answer { status: status::CHECK_CONDITION, data_in_len: 0, sense: unit.sense(&sense) })
            }
            Reply::Held(_) => Err(TransportError::Ended("a command that was held is held again".into())),
        }
    }

    fn renew_nexus(&mut self) -> Result<(), TransportError> {
        let mut unit = self.unit.borrow_mut();
        unit.server.nexus_lost(self.nexus);
        self.nexus = unit.take_nexus();
        Ok(())
    }

    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
        let nexus = self.unit.borrow_mut().take_nexus();
        Ok(Box::new(Self { unit: Rc::clone(&self.unit), nexus }))
    }
}

/// The clock of an [`InProcess`] device server. While time passes, calculations that were handed out are done.
pub struct InProcessClock(Rc<RefCell<Unit>>);

impl fmt::Debug for InProcessClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InProcessClock({} ms)", self.0.borrow().now)
    }
}

impl Clock for InProcessClock {
    fn wait(&mut self, time: Duration) {
        let mut unit = self.0.borrow_mut();
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        unit.now = unit.now.saturating_add(milliseconds);
        let now = unit.now();
        unit.server.expire(now);
        unit.work(None, &mut []);
    }

    fn may_wait_long(&self) -> bool {
        true
    }
}
