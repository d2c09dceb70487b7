//! The states of an exchange; each owns only what the later commands need, and what comes after is made of it.

use alloc::boxed::Box;

use bytes::Bytes;

use super::authentication::Awaited;
use super::config::ClientConfig;
use super::error::{ClientError, Fault, Leftover, Step};
use super::key_exchange::{Keyed, Proposal};
use super::sense::Verdict;
use super::session::Session;
use super::{Command, DeviceCapabilities, DeviceSense, Outcome, Peer};
use crate::crypto::Random;
use crate::time::UnixTime;
use crate::wire::specific;

/// How far an exchange is.
pub(super) enum State {
    /// The capabilities are to be read.
    Unread,
    /// The capabilities are known; a key exchange OUT is to be made.
    Ready(DeviceCapabilities),
    /// The key exchange OUT is made.
    Proposed(Box<Proposal>),
    /// The key exchange OUT was answered GOOD.
    Accepted(Box<Proposal>),
    /// The keys are there; an authentication OUT is to be made.
    Keyed(Box<Keyed>),
    /// The authentication OUT is made.
    Claimed(Box<Awaited>, Bytes),
    /// The authentication OUT was answered GOOD.
    Admitted(Box<Awaited>),
    /// The exchange has failed, and the device server's association, or what is to become one, is to be deleted (r3
    /// 5.13.4.4.3 b, SPC-4 5.14.4.10).
    Abandoned(Box<Abandoned>),
    /// Nothing comes any more.
    Ended(Ended),
}

/// What is deleted, why, and the Delete once it is made.
pub(super) struct Abandoned {
    session: Session,
    pub(super) failure: ClientError,
    made: Option<Command>,
}

/// How an exchange ended.
pub(super) struct Ended {
    last: Step,
    pub(super) failure: Option<ClientError>,
    /// Who has authenticated itself; nobody if the exchange has failed, or with IKE_AUTH_NONE.
    pub(super) peer: Option<Peer>,
}

impl State {
    /// The command that comes next or waits for its answer.
    pub(super) const fn step(&self) -> Step {
        match self {
            Self::Unread => Step::Capabilities,
            Self::Ready(_) | Self::Proposed(_) => Step::KeyExchangeOut,
            Self::Accepted(_) => Step::KeyExchangeIn,
            Self::Keyed(_) | Self::Claimed(..) => Step::AuthenticationOut,
            Self::Admitted(_) => Step::AuthenticationIn,
            Self::Abandoned(_) => Step::Delete,
            Self::Ended(ended) => ended.last,
        }
    }

    /// Makes the next command, or gives the one that was made again. An error leaves the state where it was.
    pub(super) fn next(self, config: &ClientConfig, random: &mut dyn Random) -> (Self, Result<Command, Fault>) {
        match self {
            Self::Unread => (self, Ok(Command::capabilities(config.allocation_length))),
            Self::Accepted(_) => (self, Ok(Command::data_in(specific::KEY_EXCHANGE, config.allocation_length))),
            Self::Admitted(_) => (self, Ok(Command::data_in(specific::AUTHENTICATION, config.allocation_length))),
            Self::Ready(capabilities) => match Proposal::make(config, &capabilities, random) {
                Ok(proposal) => Self::Proposed(Box::new(proposal)).next(config, random),
                Err(fault) => (Self::Ready(capabilities), Err(fault)),
            },
            Self::Proposed(proposal) => {
                let command = Command::data_out(specific::KEY_EXCHANGE, proposal.message.clone());
                (Self::Proposed(proposal), command)
            }
            Self::Keyed(keyed) => match keyed.write_claim(config, random) {
                Ok(message) => Self::Claimed(Box::new(keyed.into_awaited(config)), message).next(config, random),
                Err(fault) => (Self::Keyed(keyed), Err(fault)),
            },
            Self::Claimed(awaited, message) => {
                let command = Command::data_out(specific::AUTHENTICATION, message.clone());
                (Self::Claimed(awaited, message), command)
            }
            Self::Abandoned(mut abandoned) => {
                let command = match abandoned.made.take() {
                    Some(made) => Ok(made),
                    None => abandoned.session.target(config.profile).write_delete(config, random),
                };
                abandoned.made = command.as_ref().ok().cloned();
                (Self::Abandoned(abandoned), command)
            }
            Self::Ended(ended) => (Self::Ended(ended), Err(Fault::OutOfTurn)),
        }
    }

    /// Takes GOOD status with its Data-In.
    pub(super) fn good(self, data_in: &[u8], turn: &Turn<'_>) -> (Self, Result<Outcome, ClientError>) {
        let (config, step) = (turn.config, self.step());
        match self {
            Self::Unread => match DeviceCapabilities::read(config.profile, data_in) {
                Ok(capabilities) => (Self::Ready(capabilities), Ok(Outcome::Continue)),
                Err(fault) => Self::failed(ClientError::new(step, fault)),
            },
            Self::Proposed(proposal) => (Self::Accepted(proposal), Ok(Outcome::Continue)),
            Self::Accepted(proposal) => Self::keyed(*proposal, data_in, turn),
            Self::Claimed(awaited, _) => (Self::Admitted(awaited), Ok(Outcome::Continue)),
            Self::Admitted(awaited) => match awaited.verify(config, data_in, turn.at) {
                Ok(peer) => Self::create(awaited.into_session(), Some(peer), step, turn),
                Err(fault) => {
                    Self::abandon(awaited.into_session(), ClientError::new(step, fault), Leftover::PerhapsAssociation)
                }
            },
            Self::Abandoned(abandoned) => {
                Self::failed(ClientError { leftover: Leftover::Deleted, ..abandoned.failure })
            }
            Self::Ready(_) | Self::Keyed(_) | Self::Ended(_) => (self, Err(ClientError::new(step, Fault::OutOfTurn))),
        }
    }

    /// Takes a key exchange IN.
    fn keyed(proposal: Proposal, data_in: &[u8], turn: &Turn<'_>) -> (Self, Result<Outcome, ClientError>) {
        let (config, step) = (turn.config, Step::KeyExchangeIn);
        let leftover = match proposal.is_unauthenticated() {
            // Without an Authentication phase the device server's association exists by now.
            true => Leftover::PerhapsAssociation,
            false if config.profile.rules().delete_ends_sequences => Leftover::PerhapsSequence,
            false => Leftover::Nothing,
        };
        match proposal.finish(config, data_in) {
            Ok(keyed) if keyed.session.choice.is_unauthenticated() => Self::create(keyed.session, None, step, turn),
            Ok(keyed) => match keyed.check_certificate_required(config) {
                Ok(()) => (Self::Keyed(Box::new(keyed)), Ok(Outcome::Continue)),
                Err(fault) => Self::abandon(keyed.session, ClientError::new(step, fault), leftover),
            },
            Err(unfinished) => {
                let error = ClientError { leftover, ..ClientError::new(step, unfinished.fault) };
                match unfinished.session {
                    Some(session) => Self::abandon(*session, error, leftover),
                    // Nobody has the keys of a Delete.
                    None => Self::failed(error),
                }
            }
        }
    }

    /// Makes the association, unless nobody wants it any more; what can fail of that fails while there are the keys to say so.
    fn create(
        session: Session,
        peer: Option<Peer>,
        step: Step,
        turn: &Turn<'_>,
    ) -> (Self, Result<Outcome, ClientError>) {
        let parameters = match turn.gives_up {
            true => Err(Fault::GivenUp),
            false => session.parameters(turn.config).map_err(Fault::Crypto),
        };
        match parameters {
            Ok(parameters) => {
                let parameters = Box::new(parameters);
                (Self::Ended(Ended { last: step, failure: None, peer }), Ok(Outcome::Established(parameters)))
            }
            Err(fault) => Self::abandon(session, ClientError::new(step, fault), Leftover::PerhapsAssociation),
        }
    }

    /// Takes CHECK CONDITION status with its sense data.
    pub(super) fn refused(self, config: &ClientConfig, sense: &[u8]) -> (Self, Result<Outcome, ClientError>) {
        let step = self.step();
        let sense = DeviceSense::parse(sense);
        // Where no sense data says that the sequence is over, it may go on.
        let verdict = sense.map_or(Verdict::RefusedAlone, |sense| sense.verdict(config.profile, step));
        let fault = match (sense, verdict) {
            (Some(sense), Verdict::PutOff) => return (self, Ok(Outcome::SendAgain(sense))),
            (Some(sense), Verdict::CapabilitiesChanged) => return (Self::Unread, Ok(Outcome::SendAgain(sense))),
            (Some(sense), _) => Fault::Refused(sense),
            (None, _) => Fault::RefusedWithoutSense,
        };
        let error = ClientError::new(step, fault);
        match self {
            // An answer may have been changed on its way after the device server created its half.
            Self::Admitted(awaited) => Self::abandon(awaited.into_session(), error, Leftover::PerhapsAssociation),
            Self::Claimed(awaited, _) if verdict == Verdict::RefusedAlone => {
                Self::abandon_sequence(config, awaited.into_session(), error)
            }
            // There are no keys yet.
            Self::Accepted(_) if verdict == Verdict::RefusedAlone && config.profile.rules().delete_ends_sequences => {
                Self::failed(ClientError { leftover: Leftover::PerhapsSequence, ..error })
            }
            Self::Abandoned(abandoned) => Self::failed(abandoned.failure),
            _ => Self::failed(error),
        }
    }

    /// Gives up, as far as no IN is awaited: that is fetched first (SPC-4 5.14.4.10).
    pub(super) fn give_up(self, config: &ClientConfig) -> Self {
        let error = ClientError::new(self.step(), Fault::GivenUp);
        let (state, _) = match self {
            Self::Unread | Self::Ready(_) | Self::Proposed(_) => Self::failed(error),
            Self::Keyed(keyed) => Self::abandon_sequence(config, keyed.session, error),
            Self::Claimed(awaited, _) => Self::abandon_sequence(config, awaited.into_session(), error),
            Self::Accepted(_) | Self::Admitted(_) | Self::Abandoned(_) | Self::Ended(_) => return self,
        };
        state
    }

    /// Ends a sequence that has not made an association: by a Delete, where that ends a sequence.
    fn abandon_sequence(
        config: &ClientConfig,
        session: Session,
        error: ClientError,
    ) -> (Self, Result<Outcome, ClientError>) {
        match config.profile.rules().delete_ends_sequences {
            true => Self::abandon(session, error, Leftover::PerhapsSequence),
            false => Self::failed(error),
        }
    }

    /// Whatever keeps the association from being created once the keys are shared, the device server is told by a Delete,
    /// which comes before the error; until it is answered, `leftover` is what is left.
    fn abandon(session: Session, error: ClientError, leftover: Leftover) -> (Self, Result<Outcome, ClientError>) {
        let failure = ClientError { leftover, ..error };
        (Self::Abandoned(Box::new(Abandoned { session, failure, made: None })), Ok(Outcome::Continue))
    }

    fn failed(error: ClientError) -> (Self, Result<Outcome, ClientError>) {
        (Self::Ended(Ended { last: error.step, failure: Some(error.clone()), peer: None }), Err(error))
    }

    /// A state to stand in while another is worked on.
    pub(super) const fn gone() -> Self {
        Self::Ended(Ended { last: Step::Capabilities, failure: None, peer: None })
    }
}

/// What an answer is taken with besides its bytes.
pub(super) struct Turn<'a> {
    pub(super) config: &'a ClientConfig,
    pub(super) at: Option<UnixTime>,
    /// The caller wants no association any more.
    pub(super) gives_up: bool,
}
