//! The logical unit under test: raw commands on one or two I_T nexuses, time, and cleaning up between assertions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ikev2_scsi::client::{ClientConfig, ClientConfigBuilder};
use ikev2_scsi::crypto::{CryptoProvider, Random};
use ikev2_scsi::keys::KeyLog;
use ikev2_scsi::wire::{Cdb, Direction, Timeouts, protocol, specific};
use ikev2_scsi::{Dialect, HeaderFlags, Profile};

use super::exchange::Secrets;
use super::outcome::{Cause, Ended, Seen, Stop};
use crate::{Transport, status};

/// ALLOCATION LENGTH of the commands that read.
pub(super) const ROOM: u32 = 16_384;
/// How often a command that was put off is sent again.
const PATIENCE: u32 = 400;
/// How long to wait before it is.
const PAUSE: Duration = Duration::from_millis(25);
/// IKEV2-SCSI PROTOCOL TIMEOUT of the exchanges, in seconds.
pub(super) const PROTOCOL_TIMEOUT: u32 = 20;
/// IKEV2-SCSI SA INACTIVITY TIMEOUT, in seconds.
pub(super) const INACTIVITY_TIMEOUT: u32 = 60;

/// How time passes for the logical unit.
pub trait Clock {
    /// Lets so much of it pass.
    fn wait(&mut self, time: Duration);

    /// Whether seconds cost nothing, or are to be spent.
    fn may_wait_long(&self) -> bool;
}

/// The real clock.
#[derive(Debug, Clone, Copy)]
pub struct RealTime {
    /// Whether assertions that wait for a timeout are to be run.
    pub slow: bool,
}

impl Clock for RealTime {
    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn may_wait_long(&self) -> bool {
        self.slow
    }
}

/// What is validated, and as whom.
pub struct Subject<'a> {
    /// The way to the logical unit.
    pub transport: &'a mut dyn Transport,
    /// How it speaks.
    pub profile: Profile,
    /// The algorithms of the application client.
    pub provider: CryptoProvider,
    /// Who the application client is: its identity and keys, and the algorithms it prefers. Each exchange has a configuration of
    /// its own; timeouts, the record of keys and a few more are set by the assertions.
    pub client: &'a dyn Fn() -> Result<ClientConfigBuilder, String>,
    /// Randomness of the application client.
    pub random: &'a mut dyn Random,
    /// Time.
    pub clock: &'a mut dyn Clock,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// One of the I_T nexuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nexus {
    First,
    Second,
}

/// The subject, and what an assertion has left behind.
pub(super) struct Bench<'a, 's> {
    pub(super) subject: &'s mut Subject<'a>,
    second: Option<Box<dyn Transport>>,
    /// Deletes of what may be alive.
    pub(super) leftovers: Vec<Vec<u8>>,
    /// A sequence may be running on the first nexus.
    begun: bool,
    /// Seconds of the next exchanges.
    pub(super) timeouts: Timeouts,
}

impl<'a, 's> Bench<'a, 's> {
    pub(super) fn new(subject: &'s mut Subject<'a>) -> Self {
        Self { subject, second: None, leftovers: Vec::new(), begun: true, timeouts: TIMEOUTS }
    }

    pub(super) const fn profile(&self) -> Profile {
        self.subject.profile
    }

    pub(super) const fn is_r3(&self) -> bool {
        matches!(self.subject.profile.dialect, Dialect::R3)
    }

    /// One of two values.
    pub(super) fn either<T>(&self, r3: T, spc4: T) -> T {
        if self.is_r3() { r3 } else { spc4 }
    }

    /// INTTR, VERSION, RSPNS: their bit numbers in byte 19 of a header.
    pub(super) const fn flag_bits(&self) -> (u8, u8, u8) {
        match self.subject.profile.header_flags {
            HeaderFlags::T10 => (4, 3, 2),
            HeaderFlags::Rfc4306 => (3, 4, 5),
        }
    }

    /// The flags of a message of ours.
    pub(super) const fn our_flags(&self) -> u8 {
        mask(self.flag_bits().0)
    }

    /// EXCHANGE TYPE of key exchange, authentication, Delete.
    pub(super) fn exchange_types(&self) -> [u8; 3] {
        self.either([0xF2, 0xF3, 0xF4], [0; 3])
    }

    /// A configuration of the application client.
    pub(super) fn config(
        &self,
        secrets: &Arc<Secrets>,
        more: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder,
    ) -> Result<Arc<ClientConfig>, Stop> {
        let builder = (self.subject.client)().map_err(Stop::Broken)?;
        let builder = builder.profile(self.profile()).timeouts(self.timeouts);
        let builder = more(builder.key_log(Arc::clone(secrets) as Arc<dyn KeyLog>));
        builder.build().map(Arc::new).map_err(|error| Stop::Broken(error.to_string()))
    }

    /// Sends a command once it is listened to; unit attentions of the transport's making are not the protocol's.
    pub(super) fn send(&mut self, nexus: Nexus, cdb: &[u8], data_out: &[u8], room: usize) -> Result<Seen, Stop> {
        let mut seen = self.send_once(nexus, cdb, data_out, room)?;
        for _ in 0..8 {
            let is_attention = seen.told().is_some_and(|sense| sense.key == 6);
            if !is_attention && !matches!(seen.status, status::BUSY | status::TASK_SET_FULL) {
                break;
            }
            self.subject.clock.wait(PAUSE);
            seen = self.send_once(nexus, cdb, data_out, room)?;
        }
        Ok(seen)
    }

    fn send_once(&mut self, nexus: Nexus, cdb: &[u8], data_out: &[u8], room: usize) -> Result<Seen, Stop> {
        let transport: &mut dyn Transport = match (nexus, &mut self.second) {
            (Nexus::First, _) => &mut *self.subject.transport,
            (Nexus::Second, Some(second)) => second.as_mut(),
            (Nexus::Second, None) => return Err(Stop::Broken("there is no second nexus".into())),
        };
        let mut data = vec![0; room];
        let answer = transport.execute(cdb, data_out, &mut data).map_err(|error| Stop::Broken(error.to_string()))?;
        data.truncate(answer.data_in_len);
        let seen = Seen { status: answer.status, data, sense: answer.sense };
        let begins = cdb.starts_with(&[0xB5, protocol::IKEV2_SCSI, 0x01, 0x02]);
        if begins && seen.is_good() && nexus == Nexus::First {
            self.begun = true;
        }
        Ok(seen)
    }

    /// SECURITY PROTOCOL IN.
    pub(super) fn read(&mut self, nexus: Nexus, protocol: u8, specific: u16, length: u32) -> Result<Seen, Stop> {
        let cdb = Cdb::new(Direction::In, protocol, specific, length).to_bytes();
        self.send(nexus, &cdb, &[], usize::try_from(length).unwrap_or(0))
    }

    /// SECURITY PROTOCOL OUT of protocol 41h.
    pub(super) fn write(&mut self, nexus: Nexus, specific: u16, list: &[u8]) -> Result<Seen, Stop> {
        let length = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let cdb = Cdb::new(Direction::Out, protocol::IKEV2_SCSI, specific, length).to_bytes();
        self.send(nexus, &cdb, list, 0)
    }

    /// The capabilities.
    pub(super) fn capabilities(&mut self, nexus: Nexus) -> Result<Vec<u8>, Stop> {
        let seen = self.read(nexus, protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITIES, ROOM)?;
        seen.good("the capabilities")?;
        Ok(seen.data)
    }

    /// A key exchange IN, whatever comes of it.
    pub(super) fn key_exchange_in(&mut self, nexus: Nexus) -> Result<Seen, Stop> {
        self.read(nexus, protocol::IKEV2_SCSI, specific::KEY_EXCHANGE, ROOM)
    }

    /// An authentication IN, whatever comes of it.
    pub(super) fn authentication_in(&mut self, nexus: Nexus) -> Result<Seen, Stop> {
        self.read(nexus, protocol::IKEV2_SCSI, specific::AUTHENTICATION, ROOM)
    }

    /// A key exchange IN that is due, after the calculation that it may wait for.
    pub(super) fn due_key_exchange_in(&mut self, nexus: Nexus) -> Result<Seen, Stop> {
        for _ in 0..PATIENCE {
            let seen = self.key_exchange_in(nexus)?;
            if seen.is_good() || seen.told().is_none_or(|sense| sense.key != 2) {
                return Ok(seen);
            }
            self.pause();
        }
        self.key_exchange_in(nexus)
    }

    pub(super) fn key_exchange_out(&mut self, nexus: Nexus, list: &[u8]) -> Result<Seen, Stop> {
        self.write(nexus, specific::KEY_EXCHANGE, list)
    }

    pub(super) fn authentication_out(&mut self, nexus: Nexus, list: &[u8]) -> Result<Seen, Stop> {
        self.write(nexus, specific::AUTHENTICATION, list)
    }

    pub(super) fn delete(&mut self, nexus: Nexus, list: &[u8]) -> Result<Seen, Stop> {
        self.write(nexus, specific::DELETE, list)
    }

    /// Fails unless there is no sequence on the nexus; tells it by a key exchange IN, which changes nothing then.
    pub(super) fn is_idle(&mut self, nexus: Nexus, after: &str) -> Ended {
        let seen = self.key_exchange_in(nexus)?;
        seen.refused(self.profile(), &format!("a key exchange IN {after}"), Cause::Sequence, super::Pointer::Any)
    }

    /// A short time.
    pub(super) fn pause(&mut self) {
        self.subject.clock.wait(PAUSE);
    }

    /// Lets seconds pass, if that is wanted.
    pub(super) fn let_pass(&mut self, milliseconds: u64) -> Ended {
        if !self.subject.clock.may_wait_long() {
            return Err(Stop::skipped(format!(
                "it would take {milliseconds} ms of real time, which was not asked for"
            )));
        }
        self.subject.clock.wait(Duration::from_millis(milliseconds));
        Ok(())
    }

    /// Makes the second nexus.
    pub(super) fn connect_second(&mut self) -> Ended {
        let second = self.subject.transport.second_nexus();
        self.second = Some(second.map_err(|error| Stop::Skipped(format!("no second I_T nexus: {error}")))?);
        Ok(())
    }

    /// Ends the second nexus.
    pub(super) fn drop_second(&mut self) {
        self.second = None;
    }

    /// Ends the first nexus and makes it anew.
    pub(super) fn renew(&mut self) -> Ended {
        let renewed = self.subject.transport.renew_nexus();
        renewed.map_err(|error| Stop::Skipped(format!("the I_T nexus cannot be renewed: {error}")))
    }

    /// Leaves nothing on the first nexus, not even what a complete sequence can have repeated.
    pub(super) fn fresh(&mut self) -> Ended {
        if self.authentication_in(Nexus::First)?.is(self.profile(), Cause::NoSequence) {
            return Ok(());
        }
        self.begin_anew();
        Ok(())
    }

    /// A new nexus, or none that remembers anything.
    fn begin_anew(&mut self) {
        if self.renew().is_err() {
            let seconds = u64::from(PROTOCOL_TIMEOUT).saturating_add(1);
            self.subject.clock.wait(Duration::from_secs(seconds));
        }
    }

    /// Deletes what an assertion has left, and ends its sequence: by a Delete, by a new nexus, or by waiting.
    pub(super) fn clean(&mut self) -> Ended {
        self.timeouts = TIMEOUTS;
        for delete in std::mem::take(&mut self.leftovers) {
            self.delete(Nexus::First, &delete)?;
        }
        self.drop_second();
        if !std::mem::take(&mut self.begun) {
            return Ok(());
        }
        if self.key_exchange_in(Nexus::First)?.is(self.profile(), Cause::Sequence) {
            return Ok(());
        }
        self.begin_anew();
        Ok(())
    }
}

/// Those of an exchange for which an assertion has no others.
const TIMEOUTS: Timeouts = Timeouts { protocol: PROTOCOL_TIMEOUT, inactivity: INACTIVITY_TIMEOUT };

/// One bit of a byte.
pub(super) const fn mask(bit: u8) -> u8 {
    1_u8.unbounded_shl(bit as u32)
}
