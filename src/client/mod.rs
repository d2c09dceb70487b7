//! The application client: the device server's sans-IO twin (r3 5.13.4, 5.13.5; readings R1-R3, R18, R19, R24, R26, R27,
//! R29-R32, R38; SPC-4 5.14.4; readings S1, S3, S6, S8, S12).
//!
//! One [`ApplicationClient`] makes one security association. [`ApplicationClient::next_command`] gives a command to send
//! on the I_T_L nexus, [`ApplicationClient::reply`] takes its status:
//!
//! ```
//! # use ikev2_scsi::client::{ApplicationClient, ClientError, Command, Outcome, Status};
//! # use ikev2_scsi::{crypto::Random, keys::SaParameters};
//! # struct Answer { good: bool, bytes: Vec<u8> }
//! # fn send(_: &Command) -> Answer { Answer { good: false, bytes: vec![] } }
//! fn establish(client: &mut ApplicationClient, random: &mut dyn Random) -> Result<Box<SaParameters>, ClientError> {
//!     loop {
//!         let command = client.next_command(random)?;
//!         let answer = send(&command); // CDB and Data-Out go out, status and Data-In or sense data come back
//!         let status =
//!             if answer.good { Status::Good(&answer.bytes) } else { Status::CheckCondition(&answer.bytes) };
//!         match client.reply(status)? {
//!             Outcome::Continue => {}
//!             Outcome::SendAgain(sense) => println!("put off: {sense}"), // wait; give up when you like
//!             Outcome::Established(parameters) => return Ok(parameters),
//!         }
//!     }
//! }
//! ```
//!
//! The loop also ends a failed exchange as the standard has it: when the device server's authentication is wrong, the next
//! command is the Delete of its half of the association, and the error comes in answer to that one. No error leaves an
//! association that could be used.
//!
//! In SPC-4 a Delete also ends a sequence that has not made an association (SPC-4 5.14.4.10). It follows, as soon as there are
//! keys, whatever is wrong in the device server's messages, an authentication OUT that was refused without ending the
//! sequence (74h/11h, table 83), and [`ApplicationClient::abandon`]. It does not follow other refusals of a key exchange or
//! of an authentication OUT: by these the device server has told that the sequence is over. Where keys do not exist yet, an
//! unfinished sequence goes at its protocol timeout: [`Leftover`] tells.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `config`, `preferences`, `usage` | what is configured once; which algorithms are selected, and for what use |
//! | `state` | what comes after what |
//! | `capabilities`, `key_exchange`, `authentication`, `delete` | one phase each: what is sent, every check of what is received |
//! | `session` | what both sides share once there are keys |
//! | `sealed` | messages with an Encrypted payload |
//! | `sense`, `error` | what a device server refuses, and what we do |
//!
//! What does not live here: the transport, waiting, and the protocol timeout, which the caller should not let pass between
//! two commands (r3 5.13.4.6, SPC-4 5.14.4.1). Statuses other than GOOD and CHECK CONDITION, and transports that lose an answer, are the
//! caller's too: [`ApplicationClient::next_command`] gives an unanswered command again, with the same bytes.
//!
//! Memory: the capabilities, both messages of the Key Exchange phase and seven keys, some 2 KB with a 2048-bit group. The
//! Diffie-Hellman calculations run inside `next_command` (key exchange OUT) and `reply` (key exchange IN).

mod authentication;
mod capabilities;
mod config;
mod delete;
mod error;
mod key_exchange;
mod preferences;
mod sealed;
mod sense;
mod session;
mod state;
#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
mod usage;

pub use capabilities::DeviceCapabilities;
pub use config::{ClientConfig, ClientConfigBuilder, ClientConfigError};
pub use delete::{NotDeleted, delete};
pub use error::{ClientError, Fault, Leftover, Step};
pub use preferences::{Preferences, SuiteIdentifiers};
pub use sense::{DeviceSense, DeviceSenseSpecific};
pub use usage::UsageIdentifiers;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::mem;

use bytes::Bytes;

use crate::crypto::{Identity, Proof, Random};
use crate::keys::SaParameters;
use crate::time::UnixTime;
use crate::wire::{Cdb, Direction, EmitError, protocol, specific};
use state::{State, Turn};

/// A command to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a command that is not sent leaves the exchange where it is"]
pub struct Command {
    /// SECURITY PROTOCOL IN or OUT; [`Cdb::to_bytes`] gives the twelve bytes.
    pub cdb: Cdb,
    /// Data-Out; empty for SECURITY PROTOCOL IN.
    pub data_out: Bytes,
}

impl Command {
    fn capabilities(allocation_length: u32) -> Self {
        let protocol = protocol::SA_CREATION_CAPABILITIES;
        let cdb = Cdb::new(Direction::In, protocol, specific::CAPABILITIES, allocation_length);
        Self { cdb, data_out: Bytes::new() }
    }

    fn data_in(specific: u16, allocation_length: u32) -> Self {
        let cdb = Cdb::new(Direction::In, protocol::IKEV2_SCSI, specific, allocation_length);
        Self { cdb, data_out: Bytes::new() }
    }

    fn data_out(specific: u16, data_out: Bytes) -> Result<Self, Fault> {
        let length = u32::try_from(data_out.len()).map_err(|_| EmitError::TooLong)?;
        Ok(Self { cdb: Cdb::new(Direction::Out, protocol::IKEV2_SCSI, specific, length), data_out })
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status<'a> {
    /// GOOD, with the bytes of Data-In that were transferred; for SECURITY PROTOCOL OUT there are none.
    Good(&'a [u8]),
    /// CHECK CONDITION, with sense data in fixed or descriptor format.
    CheckCondition(&'a [u8]),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The next command.
    Continue,
    /// The command was put off: what [`ApplicationClient::next_command`] gives, after a while. NOT READY (readings R24, r3
    /// 5.13.7; [`DeviceSense::progress`] tells how far the device server is), UNIT ATTENTION, an error of an earlier command,
    /// or in SPC-4 a key exchange OUT while the sequence of another I_T nexus runs (00h/1Eh).
    ///
    /// That is the same command with the same bytes, but for one case: where SPC-4's SA CREATION CAPABILITIES DATA HAS CHANGED
    /// (2Ah/14h) answers a key exchange OUT, what that was made of no longer holds, and the exchange begins again by reading
    /// the capabilities, also where they had been given to [`ApplicationClient::with_capabilities`]. Later in the exchange
    /// the command is sent again; the device server then authenticates itself with other capabilities than ours, and the
    /// exchange fails there.
    SendAgain(DeviceSense),
    /// The security association exists, and the device server is who it says it is (unless IKE_AUTH_NONE was selected).
    Established(Box<SaParameters>),
}

/// Who a device server has proved to be, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The identity that it asserted. Where a validator does not match identities it is no more than that: only the key is
    /// proved.
    pub identity: Identity,
    /// The secret or key that proved it.
    pub proof: Proof,
}

/// One exchange that makes one security association.
pub struct ApplicationClient {
    config: Arc<ClientConfig>,
    state: State,
    /// A command is out, and its status is awaited.
    is_waiting: bool,
    /// The caller wants no association any more.
    gives_up: bool,
    unix_time: Option<UnixTime>,
}

impl fmt::Debug for ApplicationClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ApplicationClient");
        debug.field("step", &self.step()).field("is_waiting", &self.is_waiting);
        debug.field("failure", &self.failure()).finish_non_exhaustive()
    }
}

impl ApplicationClient {
    /// An exchange that begins with reading the capabilities.
    #[must_use]
    pub fn new(config: impl Into<Arc<ClientConfig>>) -> Self {
        Self::beginning(config.into(), State::Unread)
    }

    /// An exchange that begins with the key exchange, from capabilities read earlier in the same dialect (r3 5.13.4.1 a, SPC-4
    /// 5.14.4.1).
    ///
    /// If they have changed since, the exchange fails at the latest when the device server authenticates itself, in SPC-4 when
    /// we do; to begin anew with [`ApplicationClient::new`] is the recovery. In SPC-4 a device server may also tell beforehand,
    /// and they are read anew: [`Outcome::SendAgain`].
    #[must_use]
    pub fn with_capabilities(config: impl Into<Arc<ClientConfig>>, capabilities: DeviceCapabilities) -> Self {
        Self::beginning(config.into(), State::Ready(capabilities))
    }

    const fn beginning(config: Arc<ClientConfig>, state: State) -> Self {
        Self { config, state, is_waiting: false, gives_up: false, unix_time: None }
    }

    /// Tells the calendar's time, against which the device server's certificates are checked; until it is told they are
    /// refused.
    pub const fn set_unix_time(&mut self, time: UnixTime) {
        self.unix_time = Some(time);
    }

    /// The capabilities, between reading them and the key exchange OUT: for later exchanges, or for a look at them.
    #[must_use]
    pub const fn capabilities(&self) -> Option<&DeviceCapabilities> {
        match &self.state {
            State::Ready(capabilities) => Some(capabilities),
            _ => None,
        }
    }

    /// The command that comes next or waits for its answer; the last one when the exchange has ended.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.state.step()
    }

    /// Why there will be no association: also told while the Delete that follows is not yet answered.
    #[must_use]
    pub const fn failure(&self) -> Option<&ClientError> {
        match &self.state {
            State::Abandoned(abandoned) => Some(&abandoned.failure),
            State::Ended(ended) => ended.failure.as_ref(),
            _ => None,
        }
    }

    /// The device server that has authenticated itself, once the association exists; `None` before, after a failure, and
    /// with IKE_AUTH_NONE. Which device server this should be, only the caller knows:
    /// [`ClientConfigBuilder::expect_device_server`] lets no other one through.
    #[must_use]
    pub const fn device_server(&self) -> Option<&Peer> {
        match &self.state {
            State::Ended(ended) => ended.peer.as_ref(),
            _ => None,
        }
    }

    /// Gives the exchange up: from now on it is only brought to its end, and [`ApplicationClient::next_command`] says how.
    ///
    /// Nothing more is sent where nothing was begun; [`Fault::GivenUp`] is the failure at once. A command that is out is
    /// answered first, and after a GOOD key exchange OUT or authentication OUT the IN that belongs to it is sent (SPC-4
    /// 5.14.4.10). Then comes the Delete, of the sequence in SPC-4, of an association in both dialects; in r3 a sequence that
    /// made none goes at its protocol timeout.
    pub const fn abandon(&mut self) {
        self.gives_up = true;
    }

    /// The next command to send. While a command is unanswered, the same one again.
    ///
    /// # Errors
    /// [`Fault::NothingInCommon`] when the algorithms offered and those preferred do not meet; [`Fault::NoOwnKey`],
    /// [`Fault::Random`], [`Fault::Crypto`]: the exchange stays where it is, and may be tried again or given up. After the
    /// end, the failure again or [`Fault::OutOfTurn`].
    pub fn next_command(&mut self, random: &mut dyn Random) -> Result<Command, ClientError> {
        let mut state = mem::replace(&mut self.state, State::gone());
        if self.gives_up && !self.is_waiting {
            state = state.give_up(&self.config);
        }
        if let State::Ended(state::Ended { failure: Some(failure), .. }) = &state {
            let failure = failure.clone();
            self.state = state;
            return Err(failure);
        }
        let (state, command) = state.next(&self.config, random);
        self.state = state;
        self.is_waiting = command.is_ok();
        let leftover = self.failure().map_or(Leftover::Nothing, |failure| failure.leftover);
        command.map_err(|fault| ClientError { step: self.step(), fault, leftover })
    }

    /// Takes the status of the command that [`ApplicationClient::next_command`] gave.
    ///
    /// # Errors
    /// The exchange has ended, and there is no association: [`ClientError`] tells at which command, why, and what may be left
    /// at the device server. Where a Delete follows, as after a wrong authentication IN, it is no error yet:
    /// [`ApplicationClient::failure`] tells. [`Fault::OutOfTurn`] alone changes nothing.
    pub fn reply(&mut self, status: Status<'_>) -> Result<Outcome, ClientError> {
        if !mem::take(&mut self.is_waiting) {
            return Err(ClientError::new(self.step(), Fault::OutOfTurn));
        }
        let state = mem::replace(&mut self.state, State::gone());
        let turn = Turn { config: &self.config, at: self.unix_time, gives_up: self.gives_up };
        let (state, outcome) = match status {
            Status::Good(data_in) => state.good(data_in, &turn),
            Status::CheckCondition(sense) => state.refused(&self.config, sense),
        };
        self.state = state;
        outcome
    }
}
