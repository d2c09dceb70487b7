//! What ends an exchange without a security association, and where.

use core::fmt;

use thiserror::Error;

use super::DeviceSense;
use crate::algorithm::AlgorithmType;
use crate::crypto::{CertificateError, CryptoError, Identity, PskError, RandomError};
use crate::dialect::PayloadType;
use crate::keys::{Denial, PeerError, ProtectError};
use crate::wire::{EmitError, WireError};

/// A command of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Device Server Capabilities phase SECURITY PROTOCOL IN (r3 5.13.4.2).
    Capabilities,
    /// Key Exchange phase SECURITY PROTOCOL OUT (r3 5.13.4.3.2).
    KeyExchangeOut,
    /// Key Exchange phase SECURITY PROTOCOL IN (r3 5.13.4.3.3).
    KeyExchangeIn,
    /// Authentication phase SECURITY PROTOCOL OUT (r3 5.13.4.4.2).
    AuthenticationOut,
    /// Authentication phase SECURITY PROTOCOL IN (r3 5.13.4.4.3).
    AuthenticationIn,
    /// Delete (r3 5.13.5).
    Delete,
}

impl Step {
    /// The command's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::KeyExchangeOut => "key exchange OUT",
            Self::KeyExchangeIn => "key exchange IN",
            Self::AuthenticationOut => "authentication OUT",
            Self::AuthenticationIn => "authentication IN",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// A field of the Data-In; an offset in the parameter data, also inside an opened Encrypted payload.
    #[error("Data-In {0}")]
    Data(#[from] WireError),
    /// A payload that the device server is to send back as it was sent differs, from this byte of the Data-In on, also inside an
    /// opened Encrypted payload (SPC-4 5.14.4.6.3, 5.14.4.7.3; reading S1).
    #[error("Data-In byte {byte}: the {payload} is not as it was sent")]
    NotAsSent {
        /// The payload.
        payload: PayloadType,
        /// Offset of the first byte that differs, or of the payload's end.
        byte: usize,
    },
    /// The capabilities name no algorithm of this type, so that no key exchange may follow (r3 7.7.4.11).
    #[error("the device server offers no algorithm of type {}", .0.name())]
    NoneOfType(AlgorithmType),
    /// Of this type the device server offers nothing that we may select.
    #[error("no algorithm of type {} suits both sides", .0.name())]
    NothingInCommon(AlgorithmType),
    /// The device server's AUTH is wrong (r3 7.7.4.6): another key than ours, or messages were changed on their way, or the
    /// capabilities are no longer those that were read.
    #[error("the device server did not authenticate itself")]
    AuthenticationFailed,
    /// The device server is not the one that we want to talk to.
    #[error("the device server has another identity than the one expected")]
    UnexpectedIdentity(Identity),
    /// No key may sign for the device server's identity: its certificate is not valid, or is not its.
    #[error("the device server's certificate: {0}")]
    Certificate(CertificateError),
    /// We have no key for the identity that the device server asserts.
    #[error("no key for the device server's identity")]
    NoKeyFor(Identity),
    /// We have no key to authenticate ourselves with.
    #[error("no key of our own")]
    NoOwnKey,
    /// The device server requires a certificate, and the key with which we sign shows none that it asked for (SPC-4
    /// 5.14.4.3.3.4, question Q35): see [`Presentation`](crate::crypto::Presentation).
    #[error("the device server requires a certificate, and we present none")]
    CertificateRequired,
    /// The caller gave the exchange up: [`ApplicationClient::abandon`](super::ApplicationClient::abandon).
    #[error("given up")]
    GivenUp,
    /// CHECK CONDITION. What it means for the sequence is told by [`ClientError::leftover`].
    #[error("refused by the device server: {0}")]
    Refused(DeviceSense),
    /// CHECK CONDITION without sense data that could be read.
    #[error("refused by the device server, without sense data")]
    RefusedWithoutSense,
    /// The random source.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The cryptographic provider or the key store.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The message does not fit its length fields.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The provider no longer has an algorithm of the association that is to be deleted.
    #[error("the provider lacks the association's algorithm of type {}", .0.name())]
    NotInProvider(AlgorithmType),
    /// The caller's mistake: a reply without a command, or a call after the end.
    #[error("out of turn")]
    OutOfTurn,
}

impl From<ProtectError> for Fault {
    fn from(error: ProtectError) -> Self {
        match error {
            ProtectError::Wire(error) => Self::Data(error),
            ProtectError::Crypto(error) => Self::Crypto(error),
        }
    }
}

impl Fault {
    /// What the failure to make our AUTH means.
    pub(super) const fn of_own_key(error: PskError) -> Self {
        match error {
            PskError::Unknown => Self::NoOwnKey,
            PskError::Crypto(error) => Self::Crypto(error),
        }
    }

    /// What the device server's failure to be who it says it is means.
    pub(super) fn of_peer(error: PeerError, identity: Identity) -> Self {
        match error {
            PeerError::Denied(Denial::UnknownIdentity) => Self::NoKeyFor(identity),
            PeerError::Denied(Denial::Certificate(error)) => Self::Certificate(error),
            PeerError::Denied(_) => Self::AuthenticationFailed,
            PeerError::Crypto(error) => Self::Crypto(error),
        }
    }
}

/// What an exchange that failed has left at the device server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leftover {
    /// No security association came into being; an unfinished sequence of r3 goes at its protocol timeout.
    Nothing,
    /// No security association came into being, but the device server may wait for the sequence's next command, and answer
    /// others on the I_T nexus with NOT READY, until its protocol timeout (SPC-4 5.14.4.1 d).
    PerhapsSequence,
    /// The device server may keep an association that nobody uses, until its inactivity timeout (r3 5.13.4.6, end).
    PerhapsAssociation,
    /// The device server's association was deleted (r3 5.13.4.4.3 b), or in SPC-4 the sequence ended (SPC-4 5.14.4.10).
    Deleted,
}

/// Why there is no security association.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{step}: {fault}")]
pub struct ClientError {
    /// The command at which it happened.
    pub step: Step,
    /// What happened.
    pub fault: Fault,
    /// What is left at the device server.
    pub leftover: Leftover,
}

impl ClientError {
    pub(super) fn new(step: Step, fault: impl Into<Fault>) -> Self {
        Self { step, fault: fault.into(), leftover: Leftover::Nothing }
    }
}
