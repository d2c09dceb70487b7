//! Which logical unit: an `iscsi://` URL, a root path of RFC 4173, or a device path.
//!
//! What lives here: reading them, with the offset of what is wrong. What does not: names that have to be looked up; the
//! transport does that, and where RFC 4173 would ask SLP or iSNS for a server, nobody does.

mod lun;
mod root_path;
mod url;

pub use lun::Lun;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ikev2_scsi::crypto::Secret;
use thiserror::Error;

/// The TCP port assigned to iSCSI, where none is named.
pub const ISCSI_PORT: u16 = 3260;
/// Bytes that an iSCSI name has at most (RFC 3720 3.2.6.1).
const LONGEST_NAME: usize = 223;
/// Bytes of other strings: what libiscsi keeps of them.
const LONGEST_STRING: usize = 255;

/// Where a logical unit is.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// Behind an iSCSI target.
    Iscsi(IscsiTarget),
    /// A SCSI device of this machine, such as `/dev/sg3`.
    Device(PathBuf),
}

impl Target {
    /// The same target, with copies of its passwords, which are made by nobody else.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Device(path) => Self::Device(path.clone()),
            Self::Iscsi(target) => Self::Iscsi(IscsiTarget {
                host: target.host.clone(),
                name: target.name.clone(),
                chap: target.chap.as_ref().map(Chap::again),
                target_chap: target.target_chap.as_ref().map(Chap::again),
                ..*target
            }),
        }
    }
}

/// A logical unit behind an iSCSI target.
#[derive(Debug, PartialEq, Eq)]
pub struct IscsiTarget {
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// iSCSI name of the target.
    pub name: String,
    /// The logical unit.
    pub lun: Lun,
    /// Who we are for CHAP.
    pub chap: Option<Chap>,
    /// Who the target has to be for CHAP.
    pub target_chap: Option<Chap>,
    /// Whether headers carry a CRC32C: `?header_digest=crc32c`.
    pub header_digest: bool,
}

/// A name and a secret for CHAP.
#[derive(PartialEq, Eq)]
pub struct Chap {
    /// The name.
    pub user: String,
    /// The secret.
    pub password: Secret,
}

impl Chap {
    fn again(&self) -> Self {
        Self { user: self.user.clone(), password: Secret::copy_of(self.password.expose()) }
    }
}

impl fmt::Debug for Chap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chap").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What is wrong with how a target is named.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("target, character {}: {kind}", at.saturating_add(1))]
pub struct TargetError {
    /// Offset of the first wrong byte, or of the end where something is missing.
    pub at: usize,
    /// What is wrong there.
    pub kind: TargetErrorKind,
}

impl TargetError {
    const fn new(at: usize, kind: TargetErrorKind) -> Self {
        Self { at, kind }
    }
}

/// What is wrong with a part of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetErrorKind {
    /// Nothing that is known.
    #[error("expected iscsi://..., iscsi:<server>:..., or the path of a device")]
    Unknown,
    /// iSER instead of TCP.
    #[error("iSER is not supported, only TCP")]
    Iser,
    /// A user name is empty.
    #[error("a user name is missing before this")]
    NoUser,
    /// A password without a user, or a user without a password.
    #[error("a user name and a password come together: user%password@")]
    HalfOfChap,
    /// The target is to prove itself to somebody who does not.
    #[error("target_user takes a user and a password of our own besides")]
    OneWayChap,
    /// A server name is missing.
    #[error("a server name or address is missing")]
    NoServer,
    /// A root path without server name.
    #[error("the server name is blank, and finding servers by SLP or iSNS is not supported")]
    Discovery,
    /// A server name has other characters than a name or an address has.
    #[error("a server is a name, an IPv4 address, or an IPv6 address in brackets")]
    Server,
    /// A port.
    #[error("a port is a decimal number from 1 to 65535")]
    Port,
    /// A transport protocol other than TCP (RFC 4173).
    #[error("the protocol is 6 (TCP) or blank")]
    Protocol,
    /// A field is missing.
    #[error("a field is missing: iscsi:<server>:<protocol>:<port>:<LUN>:<targetname>")]
    MissingField,
    /// An iSCSI name is missing.
    #[error("a target name is missing")]
    NoName,
    /// A character that no iSCSI name has.
    #[error("an iSCSI name has letters, digits, '-', '.' and ':'")]
    Name,
    /// An escape that is none.
    #[error("'%' is followed by two hexadecimal digits")]
    Escape,
    /// More bytes than such a string may have.
    #[error("too long")]
    TooLong,
    /// A LUN is missing.
    #[error("a logical unit number is missing: .../<target name>/<LUN>")]
    NoLun,
    /// A LUN of a URL.
    #[error("a logical unit number in a URL is a decimal number from 0 to 16383")]
    Lun,
    /// A LUN of a root path (RFC 4173).
    #[error("a LUN is up to four groups of one to four hexadecimal digits, divided by '-'")]
    LunGroups,
    /// An argument after `?`.
    #[error("known arguments are target_user, target_password and header_digest=none or crc32c")]
    Argument,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Some(rest) = text.strip_prefix("iscsi://") {
            return url::parse(rest, 8).map(Self::Iscsi);
        }
        if let Some(rest) = text.strip_prefix("iscsi:") {
            return root_path::parse(rest, 6).map(Self::Iscsi);
        }
        if text.starts_with("iser://") {
            return Err(TargetError::new(0, TargetErrorKind::Iser));
        }
        if text.contains('/') && !text.contains("://") {
            return Ok(Self::Device(PathBuf::from(text)));
        }
        Err(TargetError::new(0, TargetErrorKind::Unknown))
    }
}

impl fmt::Display for Target {
    /// What can be parsed again, without passwords and who they belong to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iscsi(target) => target.fmt(f),
            Self::Device(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for IscsiTarget {
    /// As a root path where the LUN is none that a URL can say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = if self.header_digest { "?header_digest=crc32c" } else { "" };
        match self.lun.number() {
            Some(lun) => write!(f, "iscsi://{}/{}/{lun}{digest}", self.portal(), self.name),
            None => write!(f, "iscsi:{}:6:{}:{}:{}", self.bracketed(), self.port, self.lun, self.name),
        }
    }
}

impl IscsiTarget {
    /// `host:port`, an IPv6 address in brackets.
    #[must_use]
    pub fn portal(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

/// Reads a server's name or address; `at` is its offset.
fn server(text: &str, at: usize) -> Result<String, TargetError> {
    let wrong = |offset: usize, kind| Err(TargetError::new(at.saturating_add(offset), kind));
    if text.is_empty() {
        return wrong(0, TargetErrorKind::NoServer);
    }
    if text.len() > LONGEST_STRING {
        return wrong(LONGEST_STRING, TargetErrorKind::TooLong);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let address = inner.strip_suffix(']').filter(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
        return address.map_or_else(|| wrong(0, TargetErrorKind::Server), |address| Ok(address.to_owned()));
    }
    match text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.') {
        Some(offset) => wrong(offset, TargetErrorKind::Server),
        None => Ok(text.to_owned()),
    }
}

/// Reads a port; `at` is its offset.
fn port(text: &str, at: usize) -> Result<u16, TargetError> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_decimal && port != 0 => Ok(port),
        _ => Err(TargetError::new(at, TargetErrorKind::Port)),
    }
}

/// Reads an iSCSI name; `at` is its offset. Which names are registered is not looked at.
fn name(text: &str, at: usize) -> Result<String, TargetError> {
    let wrong = |offset: usize, kind| Err(TargetError::new(at.saturating_add(offset), kind));
    if text.is_empty() {
        return wrong(0, TargetErrorKind::NoName);
    }
    let is_foreign = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '.' | ':');
    if let Some(offset) = text.find(is_foreign) {
        return wrong(offset, TargetErrorKind::Name);
    }
    if text.len() > LONGEST_NAME { wrong(LONGEST_NAME, TargetErrorKind::TooLong) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests;
