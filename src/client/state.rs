//! The states of an exchange; each owns only what the later commands need, and what comes after is made of it.

use alloc::boxed::Box;

use bytes::Bytes;

use super::authentication::Awaited;
use super::config::ClientConfig;
use super::error::{ClientError, Fault, Leftover, Step};
use super::key_exchange::{Keyed, Proposal};
use super::{Command, DeviceCapabilities, DeviceSense, Outcome, Peer, delete};
use crate::crypto::Random;
use crate::keys::SaParameters;
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
    /// The exchange has failed, and the device server's association is to be deleted (r3 5.13.4.4.3 b).
    Abandoned(Box<Abandoned>),
    /// Nothing comes any more.
    Ended(Ended),
}

/// What is deleted, why, and the Delete once it is made.
pub(super) struct Abandoned {
    parameters: SaParameters,
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
                    None => delete::write(config, &abandoned.parameters, random),
                };
                abandoned.made = command.as_ref().ok().cloned();
                (Self::Abandoned(abandoned), command)
            }
            Self::Ended(ended) => (Self::Ended(ended), Err(Fault::OutOfTurn)),
        }
    }

    /// Takes GOOD status with its Data-In.
    pub(super) fn good(
        self,
        config: &ClientConfig,
        data_in: &[u8],
        at: Option<UnixTime>,
    ) -> (Self, Result<Outcome, ClientError>) {
        let step = self.step();
        let next = match self {
            Self::Unread => match DeviceCapabilities::read(config.profile, data_in) {
                Ok(capabilities) => Self::Ready(capabilities),
                Err(fault) => return Self::failed(ClientError::new(step, fault)),
            },
            Self::Proposed(proposal) => Self::Accepted(proposal),
            Self::Accepted(proposal) => {
                let is_unauthenticated = proposal.is_unauthenticated();
                match proposal.finish(config, data_in) {
                    Ok(keyed) if is_unauthenticated => {
                        return Self::established(step, keyed.session.into_parameters(config), None);
                    }
                    Ok(keyed) => Self::Keyed(Box::new(keyed)),
                    Err(fault) => {
                        // Without an Authentication phase the device server's association exists by now, and nobody
                        // has the keys to delete it.
                        let leftover =
                            if is_unauthenticated { Leftover::PerhapsAssociation } else { Leftover::Nothing };
                        return Self::failed(ClientError { step, fault, leftover });
                    }
                }
            }
            Self::Claimed(awaited, _) => Self::Admitted(awaited),
            Self::Admitted(awaited) => match awaited.verify(config, data_in, at) {
                Ok(peer) => return Self::established(step, awaited.into_parameters(config), Some(peer)),
                Err(fault) => Self::abandon(config, *awaited, ClientError::new(step, fault)),
            },
            Self::Abandoned(abandoned) => {
                return Self::failed(ClientError { leftover: Leftover::Deleted, ..abandoned.failure });
            }
            Self::Ready(_) | Self::Keyed(_) | Self::Ended(_) => {
                return (self, Err(ClientError::new(step, Fault::OutOfTurn)));
            }
        };
        (next, Ok(Outcome::Continue))
    }

    /// Takes CHECK CONDITION status with its sense data.
    pub(super) fn refused(self, config: &ClientConfig, sense: &[u8]) -> (Self, Result<Outcome, ClientError>) {
        let step = self.step();
        let fault = match DeviceSense::parse(sense) {
            Some(sense) if sense.is_put_off() => return (self, Ok(Outcome::SendAgain(sense))),
            Some(sense) => Fault::Refused(sense),
            None => Fault::RefusedWithoutSense,
        };
        let error = ClientError::new(step, fault);
        match self {
            Self::Admitted(awaited) => (Self::abandon(config, *awaited, error), Ok(Outcome::Continue)),
            Self::Abandoned(abandoned) => Self::failed(abandoned.failure),
            _ => Self::failed(error),
        }
    }

    /// Whatever keeps the association from being created once the keys are proved to be shared, it is deleted: an
    /// answer may have been changed on its way after the device server created its half.
    fn abandon(config: &ClientConfig, awaited: Awaited, error: ClientError) -> Self {
        let failure = ClientError { leftover: Leftover::PerhapsAssociation, ..error };
        Self::Abandoned(Box::new(Abandoned { parameters: awaited.into_parameters(config), failure, made: None }))
    }

    fn failed(error: ClientError) -> (Self, Result<Outcome, ClientError>) {
        (Self::Ended(Ended { last: error.step, failure: Some(error.clone()), peer: None }), Err(error))
    }

    fn established(step: Step, parameters: SaParameters, peer: Option<Peer>) -> (Self, Result<Outcome, ClientError>) {
        (Self::Ended(Ended { last: step, failure: None, peer }), Ok(Outcome::Established(Box::new(parameters))))
    }

    /// A state to stand in while another is worked on.
    pub(super) const fn gone() -> Self {
        Self::Ended(Ended { last: Step::Capabilities, failure: None, peer: None })
    }
}
