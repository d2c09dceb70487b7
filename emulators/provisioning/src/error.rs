//! What is wrong with a provisioning, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ikev2_scsi::client::ClientConfigError;
use ikev2_scsi::crypto::{CertificateError, ConfigureKeyError};
use ikev2_scsi::provider::KeyError;
use ikev2_scsi::server::ConfigError;
use ikev2_scsi::x509::BuildError;
use thiserror::Error;

/// Why a provisioning cannot be used: the member that is wrong, and what is wrong with it.
///
/// It is printed as `peer[1].preshared_key: the same ...`. No secret is in it.
#[derive(Debug)]
pub struct Error {
    member: String,
    fault: Fault,
}

/// What is wrong with a member.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text is no TOML or JSON, or a member is unknown, missing or of another type.
    #[error("{0}")]
    Syntax(String),
    /// A file cannot be read.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A value that is not allowed.
    #[error("{0}")]
    Value(String),
    /// A shared key cannot be used so.
    #[error(transparent)]
    SharedKey(#[from] ConfigureKeyError),
    /// A private key cannot be used.
    #[error(transparent)]
    PrivateKey(#[from] KeyError),
    /// A certificate or a public key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No validator can be made of the trust anchors and revocation lists.
    #[error(transparent)]
    Validator(#[from] BuildError),
    /// No device server can be made of it.
    #[error(transparent)]
    DeviceServer(#[from] ConfigError),
    /// No application client can be made of it.
    #[error(transparent)]
    ApplicationClient(#[from] ClientConfigError),
}

impl Error {
    pub(crate) fn new(member: impl Into<String>, fault: impl Into<Fault>) -> Self {
        Self { member: member.into(), fault: fault.into() }
    }

    pub(crate) fn value(member: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(member, Fault::Value(what.into()))
    }

    /// The member, such as `own.credential[0].key`; empty for the whole.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.member.is_empty() {
            write!(f, "{}: ", self.member)?;
        }
        self.fault.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.fault)
    }
}
