//! Slow cryptography on other threads: ten initiators make a security association each, at once, with a device server that
//! never calculates itself.
//!
//! Threads run the jobs and give the results back in whatever order they are done; meanwhile the device server answers NOT
//! READY with its progress, and REQUEST SENSE. One job fails, one does not come back before the protocol timeout drops its
//! sequence, and when it comes nobody takes notice. Both initiators begin anew, and every one gets its association.

#[path = "../create_sa/output.rs"]
mod output;
mod workers;

use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{self, Duration};

use ikev2_scsi::ccs::job::{Job, JobDone, JobKind};
use ikev2_scsi::client::{ApplicationClient, ClientConfig, Outcome, Status, Step};
use ikev2_scsi::crypto::{Identity, MemoryKeys, Purpose, Random, RandomError, Secret};
use ikev2_scsi::sense::SenseKey;
use ikev2_scsi::server::{DropReason, EventKind};
use ikev2_scsi::wire::Timeouts;
use ikev2_scsi::{DeviceServer, Instant, JobId, NexusId, Policy, Reply, Request, SlowCrypto, provider};

use output::{Failure, Output, end};
use workers::Workers;

const INITIATORS: u64 = 10;
const THREADS: u8 = 4;
/// The initiator whose first job fails, and the one whose first job does not come back.
const UNLUCKY: NexusId = NexusId(3);
const FORGOTTEN: NexusId = NexusId(7);
/// An initiator that is put off asks again after this time.
const PAUSE: Duration = Duration::from_millis(20);
/// More than any answer has.
const DATA_IN: usize = 1 << 15;

/// The operating system's random source.
struct System;

impl Random for System {
    fn fill(&mut self, _: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// One initiator: a client, and what it waits for.
struct Initiator {
    client: ApplicationClient,
    /// Its next command is due then; `None` while one is held.
    due: Option<time::Instant>,
    is_done: bool,
    is_first_try: bool,
}

/// What is counted for the summary.
#[derive(Default)]
struct Tally {
    jobs: usize,
    out_of_order: usize,
    put_off: usize,
    sensed: usize,
    failed: usize,
    dropped: usize,
    ignored: usize,
}

struct Demonstration {
    server: DeviceServer,
    initiators: BTreeMap<NexusId, Initiator>,
    workers: Workers,
    /// Results that have come and are not yet taken.
    done: VecDeque<JobDone>,
    newest: Option<JobId>,
    /// The job that nobody runs in time.
    forgotten: Option<Job>,
    started: time::Instant,
    data_in: Vec<u8>,
    tally: Tally,
    output: Output,
}

fn identity(nexus: NexusId) -> Identity {
    Identity::key_id(format!("host-{}", nexus.0).as_bytes())
}

fn secret(nexus: NexusId) -> Secret {
    Secret::copy_of(format!("demonstration key of host-{}", nexus.0).as_bytes())
}

const DRIVE: &[u8] = b"drive-9";
const DRIVE_KEY: &[u8] = b"demonstration key of drive-9";

fn device_server() -> Result<DeviceServer, Box<dyn Error>> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(DRIVE_KEY))?;
    for nexus in (1..=INITIATORS).map(NexusId) {
        keys.add_peer(identity(nexus).as_payload(), secret(nexus))?;
    }
    let mut policy = Policy::default();
    policy.slow_crypto = SlowCrypto::Offload;
    let builder = DeviceServer::builder(provider::provider()).identity(Identity::key_id(DRIVE));
    Ok(builder.preshared_keys(Arc::new(keys)).policy(policy).build()?)
}

impl Initiator {
    /// The two whose first try comes to nothing ask for a short protocol timeout, since they will wait for it.
    fn new(nexus: NexusId, is_first_try: bool) -> Result<Self, Box<dyn Error>> {
        let mut keys = MemoryKeys::new();
        keys.set_own(secret(nexus))?;
        keys.add_peer(Identity::key_id(DRIVE).as_payload(), Secret::copy_of(DRIVE_KEY))?;
        let protocol = if is_first_try && [UNLUCKY, FORGOTTEN].contains(&nexus) { 1 } else { 60 };
        let config = ClientConfig::builder(provider::provider(), identity(nexus))
            .preshared_keys(Arc::new(keys))
            .timeouts(Timeouts { protocol, inactivity: 3600 })
            .build()?;
        let client = ApplicationClient::new(Arc::new(config));
        Ok(Self { client, due: Some(time::Instant::now()), is_done: false, is_first_try })
    }
}

impl Demonstration {
    fn new() -> Result<Self, Box<dyn Error>> {
        let initiators = (1..=INITIATORS).map(NexusId).map(|nexus| Ok((nexus, Initiator::new(nexus, true)?)));
        Ok(Self {
            server: device_server()?,
            initiators: initiators.collect::<Result<_, Box<dyn Error>>>()?,
            workers: Workers::start(THREADS)?,
            done: VecDeque::new(),
            newest: None,
            forgotten: None,
            started: time::Instant::now(),
            data_in: vec![0; DATA_IN],
            tally: Tally::default(),
            output: Output::default(),
        })
    }

    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn run(&mut self) -> Result<(), Failure> {
        while self.initiators.values().any(|initiator| !initiator.is_done) {
            let now = time::Instant::now();
            let is_due = |initiator: &Initiator| initiator.due.is_some_and(|due| due <= now);
            let due = self.initiators.iter().filter(|(_, initiator)| is_due(initiator));
            for nexus in due.map(|(nexus, _)| *nexus).collect::<Vec<_>>() {
                self.command(nexus)?;
            }
            self.take_results()?;
            let now = self.now();
            self.server.expire(now);
            self.tell_events()?;
        }
        self.take_late_result()?;
        self.summary()
    }

    /// The next command of an initiator.
    fn command(&mut self, nexus: NexusId) -> Result<(), Failure> {
        let Some(initiator) = self.initiators.get_mut(&nexus) else { return Ok(()) };
        let command = initiator.client.next_command(&mut System)?;
        let mut data_out = command.data_out.to_vec();
        let request = Request { cdb: &command.cdb.to_bytes(), data_out: &mut data_out, data_in: &mut self.data_in };
        let now = Instant::from_millis(u64::try_from(self.started.elapsed().as_millis())?);
        let reply = self.server.execute(nexus, request, now, &mut System);
        // What is queued now is this command's: the queue is emptied after each.
        while let Some(job) = self.server.poll_job() {
            self.hand_out(nexus, job)?;
        }
        self.answer(nexus, reply)
    }

    fn hand_out(&mut self, nexus: NexusId, job: Job) -> Result<(), Failure> {
        self.tally.jobs = self.tally.jobs.saturating_add(1);
        let is_first = self.initiators.get(&nexus).is_some_and(|initiator| initiator.is_first_try);
        let is_hit = is_first && job.kind() == JobKind::KeyExchange;
        if is_hit && nexus == UNLUCKY && self.tally.failed == 0 {
            self.output.lines(&format!("nexus {}: its job fails", nexus.0))?;
            self.tally.failed = self.tally.failed.saturating_add(1);
            self.done.push_back(job.fail());
        } else if is_hit && nexus == FORGOTTEN {
            self.output.lines(&format!("nexus {}: its job does not come back", nexus.0))?;
            self.forgotten = Some(job);
        } else {
            self.workers.run(job)?;
        }
        Ok(())
    }

    /// Gives an initiator its answer.
    fn answer(&mut self, nexus: NexusId, reply: Reply) -> Result<(), Failure> {
        let pause = time::Instant::now().checked_add(PAUSE);
        let request_sense = self.server.request_sense(nexus, self.now());
        let Some(initiator) = self.initiators.get_mut(&nexus) else { return Ok(()) };
        let outcome = match reply {
            Reply::Held(_) => {
                initiator.due = None;
                return Ok(());
            }
            Reply::Good { len } => initiator.client.reply(Status::Good(self.data_in.get(..len).unwrap_or(&[]))),
            Reply::CheckCondition(sense) => {
                if sense.key == SenseKey::NotReady && initiator.client.step() == Step::KeyExchangeIn {
                    // Only the first time, or there would be no end of it.
                    if self.tally.put_off == 0 {
                        self.output.lines(&format!("nexus {}: {sense}", nexus.0))?;
                        self.output.lines(&format!("nexus {}: REQUEST SENSE: {request_sense}", nexus.0))?;
                    }
                    self.tally.put_off = self.tally.put_off.saturating_add(1);
                    let is_told = request_sense.key == SenseKey::NotReady;
                    self.tally.sensed = self.tally.sensed.saturating_add(usize::from(is_told));
                }
                initiator.client.reply(Status::CheckCondition(sense.to_fixed().as_ref()))
            }
        };
        match outcome {
            Ok(Outcome::Continue) => initiator.due = Some(time::Instant::now()),
            Ok(Outcome::SendAgain(_)) => initiator.due = pause,
            Ok(Outcome::Established(_)) => {
                (initiator.due, initiator.is_done) = (None, true);
            }
            Err(error) => {
                self.output.lines(&format!("nexus {}: {error}; it begins anew", nexus.0))?;
                *initiator = Initiator::new(nexus, false)?;
            }
        }
        Ok(())
    }

    /// Takes the results that have come, the newest first, so that some are out of order whatever the threads do.
    fn take_results(&mut self) -> Result<(), Failure> {
        self.done.extend(self.workers.results(PAUSE));
        while let Some(done) = self.done.pop_back() {
            let id = done.id();
            let is_late = self.newest.is_some_and(|newest| id < newest);
            self.tally.out_of_order = self.tally.out_of_order.saturating_add(usize::from(is_late));
            self.newest = self.newest.max(Some(id));
            let now = self.now();
            if let Some((nexus, reply)) = self.server.complete(done, &mut self.data_in, now) {
                self.answer(nexus, reply)?;
            }
        }
        Ok(())
    }

    fn tell_events(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.server.poll_event() {
            match &event.kind {
                EventKind::SequenceDropped { why: DropReason::ProtocolTimeout } => {
                    self.tally.dropped = self.tally.dropped.saturating_add(1);
                }
                EventKind::SaCreated { .. } => {}
                _ => continue,
            }
            self.output.lines(&event.to_string())?;
        }
        Ok(())
    }

    /// The job that did not come back comes back: nobody waits for it, and its secret is wiped.
    fn take_late_result(&mut self) -> Result<(), Failure> {
        let Some(job) = self.forgotten.take() else { return Ok(()) };
        let (done, now, before) = (job.run(), self.now(), self.server.sas().len());
        let reply = self.server.complete(done, &mut self.data_in, now);
        if reply.is_some() || self.server.sas().len() != before {
            return Err("a result that came too late was not ignored".into());
        }
        self.tally.ignored = self.tally.ignored.saturating_add(1);
        Ok(())
    }

    fn summary(&mut self) -> Result<(), Failure> {
        let Tally { jobs, out_of_order, put_off, sensed, failed, dropped, ignored } = self.tally;
        let sas = self.server.sas().len();
        let text = format!(
            "{sas} security associations for {INITIATORS} initiators: {jobs} jobs on {THREADS} threads, {out_of_order} \
             results out of order, {put_off} times NOT READY, {sensed} times told by REQUEST SENSE too, {failed} job failed, \
             {dropped} sequences dropped at their protocol timeout, {ignored} late result ignored"
        );
        self.output.lines(&text)
    }
}

fn demonstrate() -> Result<(), Failure> {
    match env::args_os().nth(1) {
        None => Demonstration::new()?.run(),
        Some(argument) if argument == "--help" => Output::default().lines(
            "Ten initiators make a security association each, with a device server whose cryptography runs on threads.\n\n\
             Usage: slow_crypto",
        ),
        Some(argument) => Err(Failure::Usage(format!("what is {}?", argument.display()))),
    }
}

fn main() -> ExitCode {
    end("slow_crypto", demonstrate())
}
