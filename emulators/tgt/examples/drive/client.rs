//! The application client over a session.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ikev2_scsi::client::{ApplicationClient, ClientConfig, Command, Outcome, Status, delete};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::provider;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use crate::iscsi::{Answer, Result, Session, Task};

/// More than any answer has.
const DATA_IN: u32 = 16_384;

/// A provisioning file of an application client, and what is added to it.
pub(crate) fn config(path: &str, more: &str) -> Result<Arc<ClientConfig>> {
    let text = std::fs::read_to_string(path)? + more;
    let base = std::path::Path::new(path).parent().ok_or("a file is in a directory")?;
    let provisioning = Provisioning::from_toml(&text, base)?;
    let builder = provisioning.application_client(provider::provider())?.allocation_length(DATA_IN);
    Ok(Arc::new(builder.build()?))
}

/// An exchange.
pub(crate) struct Exchange {
    client: ApplicationClient,
    pub(crate) put_off: usize,
}

impl Exchange {
    pub(crate) fn new(config: &Arc<ClientConfig>) -> Self {
        let mut client = ApplicationClient::new(Arc::clone(config));
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        client.set_unix_time(UnixTime(seconds));
        Self { client, put_off: 0 }
    }

    pub(crate) fn next(&mut self) -> Result<Command> {
        Ok(self.client.next_command(&mut SystemRandom)?)
    }

    pub(crate) fn take(&mut self, answer: &Answer) -> Result<Outcome> {
        let status = match answer.status {
            0 => Status::Good(&answer.data_in),
            2 => Status::CheckCondition(&answer.sense),
            status => return Err(format!("status {status:02x}h").into()),
        };
        Ok(self.client.reply(status)?)
    }

    /// Commands until the one that comes next is the `count`th; sends that one not.
    pub(crate) fn up_to(&mut self, session: &mut Session, count: usize) -> Result<Command> {
        let mut done = 0;
        loop {
            let command = self.next()?;
            if done == count {
                return Ok(command);
            }
            let answer = execute(session, &command)?;
            if let Outcome::SendAgain(_) = self.take(&answer)? { self.pause() } else { done += 1 }
        }
    }

    fn pause(&mut self) {
        self.put_off += 1;
        std::thread::sleep(Duration::from_micros(200));
    }

    /// The whole exchange.
    pub(crate) fn run(&mut self, session: &mut Session) -> Result<SaParameters> {
        let begun = Instant::now();
        loop {
            let command = self.next()?;
            let answer = execute(session, &command)?;
            match self.take(&answer)? {
                Outcome::Continue => {}
                Outcome::SendAgain(_) if begun.elapsed() < Duration::from_secs(30) => self.pause(),
                Outcome::SendAgain(sense) => return Err(format!("put off for 30 seconds: {sense}").into()),
                Outcome::Established(parameters) => return Ok(*parameters),
            }
        }
    }
}

/// The commands' bytes.
pub(crate) fn task(command: &Command) -> Task<'_> {
    let task = Task::of(&command.cdb.to_bytes()).out(&command.data_out);
    if command.data_out.is_empty() { task.room(DATA_IN as usize) } else { task }
}

pub(crate) fn execute(session: &mut Session, command: &Command) -> Result<Answer> {
    session.command(&task(command))
}

/// Makes an association.
pub(crate) fn associate(session: &mut Session, config: &Arc<ClientConfig>) -> Result<SaParameters> {
    Exchange::new(config).run(session)
}

/// Deletes one; how the device server took it.
pub(crate) fn remove(session: &mut Session, config: &ClientConfig, sa: SaParameters) -> Result<Answer> {
    let command = delete(config, sa, &mut SystemRandom).map_err(|failed| failed.error)?;
    execute(session, &command)
}
