//! A whole exchange over a transport: each command is sent until it is answered (SAM-4 5.3.1; r3 5.13.4.6, 5.13.7; SPC-4
//! 5.14.4.1).
//!
//! What lives here: what is sent again, how often and after how long, and what is measured. What does not: what is in the
//! commands, which the application client of `ikev2_scsi` knows.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ikev2_scsi::Profile;
use ikev2_scsi::client::{
    ApplicationClient, ClientConfig, ClientError, Command, DeviceCapabilities, DeviceSense, Fault, Leftover,
    NotDeleted, Outcome, Peer, Status, Step, delete,
};
use ikev2_scsi::crypto::Random;
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::wire::{Cdb, Descriptor, Direction, Header, Message, Payload, protocol, specific};

use crate::error::{Cause, Error};
use crate::transport::{Executed, Transport, TransportError, execute_command, status};

/// Bytes of parameter data that capabilities have at most (r3 5.13.6 b).
const CAPABILITIES: u32 = 16_384;
/// UNIT ATTENTION.
const UNIT_ATTENTION: u8 = 6;
/// Commands by which a sequence is brought to its end at most.
const LAST_COMMANDS: usize = 4;

/// How long and how often a command is sent again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// How long a command may be put off by NOT READY, or by the sequence of another I_T nexus.
    pub not_ready: Duration,
    /// How often a command is sent while BUSY or TASK SET FULL answers it.
    pub busy: u32,
    /// How often a command is sent again after a unit attention, which tells of something else.
    pub unit_attentions: u32,
    /// The first pause.
    pub shortest: Duration,
    /// The longest pause: each is twice the one before.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            not_ready: Duration::from_secs(60),
            busy: 16,
            unit_attentions: 8,
            shortest: Duration::from_millis(5),
            longest: Duration::from_secs(1),
        }
    }
}

/// Why a command is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// NOT READY, a deferred error, or the sequence of another nexus.
    PutOff(DeviceSense),
    /// BUSY or TASK SET FULL.
    Busy(u8),
}

/// Whoever wants to see what happens; and how pauses are made, so that a test needs none.
pub trait Watch {
    /// A command was answered, after this long.
    fn answered(&mut self, step: Step, command: &Command, executed: &Executed, took: Duration) {
        let _ = (step, command, executed, took);
    }

    /// A command is sent again after a pause; `waited` is how long it has been put off so far.
    fn waiting(&mut self, step: Step, reason: Reason, waited: Duration) {
        let _ = (step, reason, waited);
    }

    /// What was waited for has come, or is no longer waited for.
    fn waited(&mut self) {}

    /// Waits.
    fn pause(&mut self, length: Duration) {
        std::thread::sleep(length);
    }
}

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// One command of an exchange, as it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Which command.
    pub step: Step,
    /// From when it was sent first to its last answer.
    pub took: Duration,
    /// How often it was sent.
    pub tries: u32,
    /// Bytes of Data-Out.
    pub data_out: usize,
    /// Bytes of Data-In.
    pub data_in: usize,
}

/// A security association, and how it came to be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Created {
    /// The standard's parameters, with the keys.
    pub parameters: SaParameters,
    /// Who the device server proved to be; `None` with IKE_AUTH_NONE.
    pub device_server: Option<Peer>,
    /// The algorithms that the key exchange selected, by the dialect's numbers.
    pub selected: Vec<Descriptor>,
    /// Each command.
    pub timings: Vec<Timing>,
    /// The whole exchange, our calculations included.
    pub took: Duration,
}

/// How exchanges are done: with whom, and how patiently.
pub struct Exchanges<'a> {
    transport: &'a mut dyn Transport,
    profile: Profile,
    patience: Patience,
    watch: &'a mut dyn Watch,
    timings: Vec<Timing>,
}

impl std::fmt::Debug for Exchanges<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchanges").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// How often, and how long, one command has been put off.
#[derive(Debug, Default)]
struct Tries {
    sent: u32,
    unit_attentions: u32,
    waited: Duration,
    next_pause: Duration,
    began: Option<Instant>,
}

impl<'a> Exchanges<'a> {
    /// Exchanges over a transport, in a dialect.
    pub fn new(
        transport: &'a mut dyn Transport,
        profile: Profile,
        patience: Patience,
        watch: &'a mut dyn Watch,
    ) -> Self {
        Self { transport, profile, patience, watch, timings: Vec::new() }
    }

    /// Reads the capabilities. The bytes are those of the parameter data, for [`DeviceCapabilities::parse`] in this dialect or
    /// another.
    ///
    /// # Errors
    /// [`Error`].
    pub fn capabilities(&mut self) -> Result<Vec<u8>, Error> {
        let protocol = protocol::SA_CREATION_CAPABILITIES;
        let cdb = Cdb::new(Direction::In, protocol, specific::CAPABILITIES, CAPABILITIES);
        let command = Command { cdb, data_out: Vec::new().into() };
        let step = Step::Capabilities;
        let executed = self.until_judged(step, &command)?;
        if executed.status == status::GOOD {
            return Ok(executed.data_in);
        }
        let fault = DeviceSense::parse(&executed.sense).map_or(Fault::RefusedWithoutSense, Fault::Refused);
        let client = ClientError { step, fault, leftover: Leftover::Nothing };
        Err(self.error(step, client))
    }

    /// Creates a security association. `capabilities` saves reading them.
    ///
    /// # Errors
    /// [`Error`]. A sequence that has begun is ended where the dialect has a way to end it.
    pub fn create(
        &mut self,
        config: &Arc<ClientConfig>,
        capabilities: Option<DeviceCapabilities>,
        random: &mut dyn Random,
    ) -> Result<Created, Error> {
        let mut client = match capabilities {
            Some(capabilities) => ApplicationClient::with_capabilities(Arc::clone(config), capabilities),
            None => ApplicationClient::new(Arc::clone(config)),
        };
        if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            client.set_unix_time(UnixTime(now.as_secs()));
        }
        let began = Instant::now();
        self.timings.clear();
        let result = self.establish(&mut client, random);
        self.watch.waited();
        let (parameters, selected) = result?;
        Ok(Created {
            parameters,
            device_server: client.device_server().cloned(),
            selected,
            timings: std::mem::take(&mut self.timings),
            took: began.elapsed(),
        })
    }

    /// Deletes a security association, and our half of it.
    ///
    /// # Errors
    /// [`Error`]. Where the Delete could not even be made ([`NotDeleted`]), the parameters are lost all the same: they are for
    /// nothing else any more.
    pub fn delete(
        &mut self,
        config: &ClientConfig,
        parameters: SaParameters,
        random: &mut dyn Random,
    ) -> Result<Timing, Error> {
        let step = Step::Delete;
        let made = delete(config, parameters, random);
        let command = made.map_err(|failed| {
            let NotDeleted { error, .. } = *failed;
            self.error(step, error)
        })?;
        self.timings.clear();
        let executed = self.until_judged(step, &command);
        self.watch.waited();
        let executed = executed?;
        if executed.status != status::GOOD {
            let cause = DeviceSense::parse(&executed.sense).map_or(Cause::NoSense, Cause::DeleteRefused);
            return Err(self.error(step, cause));
        }
        let empty = Timing { step, took: Duration::ZERO, tries: 0, data_out: command.data_out.len(), data_in: 0 };
        Ok(self.timings.pop().unwrap_or(empty))
    }

    fn establish(
        &mut self,
        client: &mut ApplicationClient,
        random: &mut dyn Random,
    ) -> Result<(SaParameters, Vec<Descriptor>), Error> {
        let mut selected = Vec::new();
        let mut tries = Tries::default();
        loop {
            let command = client.next_command(random);
            let step = client.step();
            let command = command.map_err(|error| self.error(error.step, error))?;
            if step == Step::KeyExchangeOut && tries.sent == 0 {
                selected = selection(self.profile, &command.data_out);
            }
            let executed = self.send(step, &command, &mut tries)?;
            let status = match executed.status {
                status::GOOD => Status::Good(&executed.data_in),
                _ => Status::CheckCondition(&executed.sense),
            };
            match client.reply(status).map_err(|error| self.error(error.step, error))? {
                Outcome::Continue => tries = Tries::default(),
                Outcome::Established(parameters) => return Ok((*parameters, selected)),
                Outcome::SendAgain(sense) => {
                    if let Err(error) = self.put_off(step, sense, &mut tries) {
                        self.give_up(client, random);
                        return Err(error);
                    }
                    // After SA CREATION CAPABILITIES DATA HAS CHANGED another command comes.
                    if client.step() != step {
                        self.note(step, &command, &executed, &tries);
                        tries = Tries { unit_attentions: tries.unit_attentions, ..Tries::default() };
                    }
                    continue;
                }
            }
            self.watch.waited();
        }
    }

    /// Sends one command until the device server has judged it.
    fn until_judged(&mut self, step: Step, command: &Command) -> Result<Executed, Error> {
        let mut tries = Tries::default();
        loop {
            let executed = self.send(step, command, &mut tries)?;
            let sense = DeviceSense::parse(&executed.sense).filter(|_| executed.status == status::CHECK_CONDITION);
            match sense {
                Some(sense) if sense.is_deferred || matches!(sense.key, NOT_READY | UNIT_ATTENTION) => {
                    self.put_off(step, sense, &mut tries)?;
                }
                _ => return Ok(executed),
            }
        }
    }

    /// Sends a command until a status other than BUSY and TASK SET FULL answers it.
    fn send(&mut self, step: Step, command: &Command, tries: &mut Tries) -> Result<Executed, Error> {
        tries.began.get_or_insert_with(Instant::now);
        let mut busy: u32 = 0;
        loop {
            let sent = Instant::now();
            let executed = execute_command(self.transport, command);
            let mut executed = executed.map_err(|error: TransportError| self.error(step, error))?;
            leave_out_filling(&command.cdb, &mut executed.data_in);
            self.watch.answered(step, command, &executed, sent.elapsed());
            tries.sent = tries.sent.saturating_add(1);
            match executed.status {
                status::BUSY | status::TASK_SET_FULL => {
                    busy = busy.saturating_add(1);
                    if busy >= self.patience.busy {
                        return Err(self.error(step, Cause::Busy { status: executed.status, tries: busy }));
                    }
                    self.pause(step, Reason::Busy(executed.status), tries);
                }
                status::GOOD | status::CHECK_CONDITION => {
                    self.note(step, command, &executed, tries);
                    return Ok(executed);
                }
                status => return Err(self.error(step, Cause::Status { status })),
            }
        }
    }

    /// Writes down how a command went; a command that is sent again has one line.
    fn note(&mut self, step: Step, command: &Command, executed: &Executed, tries: &Tries) {
        let took = tries.began.map_or(Duration::ZERO, |began| began.elapsed());
        let (data_out, data_in) = (command.data_out.len(), executed.data_in.len());
        let timing = Timing { step, took, tries: tries.sent, data_out, data_in };
        match self.timings.last_mut() {
            Some(last) if last.step == step && tries.sent > 1 => *last = timing,
            _ => self.timings.push(timing),
        }
    }

    /// Waits for what a command was put off by, or tells that this was long enough.
    fn put_off(&mut self, step: Step, sense: DeviceSense, tries: &mut Tries) -> Result<(), Error> {
        let is_attention = sense.key == UNIT_ATTENTION && !sense.is_deferred;
        if is_attention {
            tries.unit_attentions = tries.unit_attentions.saturating_add(1);
        }
        if tries.unit_attentions > self.patience.unit_attentions || tries.waited >= self.patience.not_ready {
            let milliseconds = tries.waited.as_millis();
            return Err(self.error(step, Cause::PutOff { sense, tries: tries.sent, milliseconds }));
        }
        if !is_attention {
            self.pause(step, Reason::PutOff(sense), tries);
        }
        Ok(())
    }

    fn pause(&mut self, step: Step, reason: Reason, tries: &mut Tries) {
        let pause = tries.next_pause.max(self.patience.shortest).min(self.patience.longest);
        self.watch.waiting(step, reason, tries.waited);
        self.watch.pause(pause);
        tries.waited = tries.waited.saturating_add(pause);
        tries.next_pause = pause.saturating_mul(2);
    }

    /// Ends what was begun, as far as one try goes.
    fn give_up(&mut self, client: &mut ApplicationClient, random: &mut dyn Random) {
        client.abandon();
        for _ in 0..LAST_COMMANDS {
            let Ok(command) = client.next_command(random) else { return };
            let Ok(executed) = execute_command(self.transport, &command) else { return };
            let status = match executed.status {
                status::GOOD => Status::Good(&executed.data_in),
                _ => Status::CheckCondition(&executed.sense),
            };
            if client.reply(status).is_err() {
                return;
            }
        }
    }

    fn error(&self, step: Step, cause: impl Into<Cause>) -> Error {
        Error { step, cause: cause.into(), dialect: self.profile.dialect }
    }
}

/// NOT READY.
const NOT_READY: u8 = 2;

/// Takes away what is behind the end of parameter data where everything that was allocated is said to have come.
///
/// Drivers and virtual machines are known to lose the residual count, so that all of the buffer seems to be Data-In. The data
/// have their own length in the first four bytes (capabilities) or in the header (everything else); what is wrong in
/// another way is left for the client to find.
fn leave_out_filling(cdb: &Cdb, data_in: &mut Vec<u8>) {
    if usize::try_from(cdb.length) != Ok(data_in.len()) {
        return;
    }
    let (at, before) = match cdb.protocol {
        protocol::SA_CREATION_CAPABILITIES => (0, LENGTH),
        _ => (Header::LENGTH_AT, 0),
    };
    let field = data_in.get(at..).and_then(|rest| rest.first_chunk::<LENGTH>());
    let told = field.and_then(|field| usize::try_from(u32::from_be_bytes(*field)).ok());
    if let Some(length) = told.and_then(|told| told.checked_add(before)) {
        data_in.truncate(length);
    }
}

/// Bytes of a length field.
const LENGTH: usize = 4;

/// What a key exchange OUT selects.
fn selection(profile: Profile, message: &[u8]) -> Vec<Descriptor> {
    let Ok(message) = Message::parse(profile, message) else { return Vec::new() };
    for raw in message.payloads().map_while(Result::ok) {
        match Payload::parse(profile, &raw) {
            Ok(Payload::Algorithms(algorithms)) => return algorithms.descriptors.iter().collect(),
            Ok(Payload::SaAlgorithms(algorithms)) => return algorithms.descriptors.iter().collect(),
            _ => {}
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
