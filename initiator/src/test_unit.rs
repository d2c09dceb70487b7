//! For tests: a logical unit in this process, and one that says what a test wants before it asks that one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ikev2_scsi::client::{ClientConfig, Command, Step};
use ikev2_scsi::server::Builder;
use ikev2_scsi::{DeviceServer, Instant, JobDone, NexusId, Policy, Reply, Request, SlowCrypto, provider};
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use crate::exchange::{Reason, Watch};
use crate::transport::{Answer, Executed, Transport, TransportError, status};

/// Provisioning files that belong together.
pub(crate) fn provisioning(dialect: &str, side: &str) -> Provisioning {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../emulators/provisioning/examples");
    Provisioning::load(format!("{directory}/{dialect}-{side}.toml")).unwrap()
}

pub(crate) fn config(dialect: &str) -> Arc<ClientConfig> {
    Arc::new(provisioning(dialect, "client").application_client(provider::provider()).unwrap().build().unwrap())
}

/// A logical unit of this process, with what a test has it say first.
#[derive(Debug)]
pub(crate) struct TestUnit {
    pub(crate) server: DeviceServer,
    /// What the next commands are answered, instead of by the device server: `None` lets one through.
    pub(crate) script: VecDeque<Option<Result<Answer, TransportError>>>,
    /// OPERATION CODE and SECURITY PROTOCOL SPECIFIC of every command, also of those that the script answers.
    pub(crate) seen: Vec<(u8, u8)>,
    /// Calculations take so many more commands.
    pub(crate) jobs_wait: u32,
    held: Option<JobDone>,
}

pub(crate) const NEXUS: NexusId = NexusId(1);

impl TestUnit {
    pub(crate) fn new(dialect: &str) -> Self {
        Self::built(dialect, |builder, _| builder)
    }

    pub(crate) fn offloading(dialect: &str, jobs_wait: u32) -> Self {
        let slow = |builder: Builder, mut policy: Policy| {
            policy.slow_crypto = SlowCrypto::Offload;
            builder.policy(policy)
        };
        Self { jobs_wait, ..Self::built(dialect, slow) }
    }

    fn built(dialect: &str, change: impl FnOnce(Builder, Policy) -> Builder) -> Self {
        let server = provisioning(dialect, "server");
        let builder = change(server.device_server(provider::provider()).unwrap(), server.policy().clone());
        let server = builder.build().unwrap();
        Self { server, script: VecDeque::new(), seen: Vec::new(), jobs_wait: 0, held: None }
    }

    /// Has the next commands answered by these, in turn.
    pub(crate) fn say(&mut self, answers: impl IntoIterator<Item = Option<Answer>>) {
        self.script.extend(answers.into_iter().map(|answer| answer.map(Ok)));
    }

    fn calculate(&mut self) {
        if self.held.is_some() && self.jobs_wait > 0 {
            self.jobs_wait -= 1;
        } else if let Some(done) = self.held.take() {
            assert!(self.server.complete(done, &mut [], Instant::from_millis(0)).is_none());
        }
        if let Some(job) = self.server.poll_job() {
            self.held = Some(job.run());
        }
    }
}

impl Transport for TestUnit {
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
        self.seen.push((cdb[0], cdb[3]));
        if let Some(Some(scripted)) = self.script.pop_front() {
            return scripted;
        }
        self.calculate();
        let mut received = data_out.to_vec();
        let request = Request { cdb, data_out: &mut received, data_in };
        match self.server.execute(NEXUS, request, Instant::from_millis(0), &mut SystemRandom) {
            Reply::Good { len } => Ok(Answer { status: status::GOOD, data_in_len: len, sense: Vec::new() }),
            Reply::CheckCondition(sense) => Ok(check_condition(sense.to_fixed().as_ref())),
            Reply::Held(_) => {
                // A command is answered at once where its calculation is waited for.
                let done = self.server.poll_job().unwrap().run();
                let (_, reply) = self.server.complete(done, data_in, Instant::from_millis(0)).unwrap();
                match reply {
                    Reply::Good { len } => Ok(Answer { status: status::GOOD, data_in_len: len, sense: Vec::new() }),
                    Reply::CheckCondition(sense) => Ok(check_condition(sense.to_fixed().as_ref())),
                    Reply::Held(_) => unreachable!(),
                }
            }
        }
    }

    fn renew_nexus(&mut self) -> Result<(), TransportError> {
        self.server.nexus_lost(NEXUS);
        Ok(())
    }

    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
        Err(TransportError::Unsupported("make a second I_T nexus"))
    }
}

pub(crate) fn check_condition(sense: &[u8]) -> Answer {
    Answer { status: status::CHECK_CONDITION, data_in_len: 0, sense: sense.to_vec() }
}

pub(crate) fn just(status: u8) -> Answer {
    Answer { status, data_in_len: 0, sense: Vec::new() }
}

/// NOT READY with a progress indication, in descriptor format.
pub(crate) fn not_ready(progress: u16) -> Answer {
    let [high, low] = progress.to_be_bytes();
    check_condition(&[0x72, 2, 4, 7, 0, 0, 0, 8, 2, 6, 0, 0, 0x80, high, low, 0])
}

pub(crate) fn unit_attention() -> Answer {
    check_condition(&[0x72, 6, 0x29, 0, 0, 0, 0, 0])
}

/// Writes down what it sees, and does not wait.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answered: Vec<(Step, u8)>,
    pub(crate) waiting: Vec<(Step, Reason, Duration)>,
    pub(crate) pauses: Vec<u128>,
}

impl Watch for Seen {
    fn answered(&mut self, step: Step, _: &Command, executed: &Executed, _: Duration) {
        self.answered.push((step, executed.status));
    }

    fn waiting(&mut self, step: Step, reason: Reason, waited: Duration) {
        self.waiting.push((step, reason, waited));
    }

    fn pause(&mut self, length: Duration) {
        self.pauses.push(length.as_millis());
    }
}
