//! From a target to a transport, by what was built in.

use std::time::Duration;

use crate::target::Target;
use crate::transport::{Transport, TransportError};

/// What any transport is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a command may take, and a connection.
    pub timeout: Duration,
    /// Our iSCSI name; a default of [`Options::default`] that belongs to nobody.
    pub initiator_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            initiator_name: "iqn.2007-04.org.example:ikev2-scsi-initiator".to_owned(),
        }
    }
}

/// Opens the way to a logical unit.
///
/// # Errors
/// [`TransportError`]; [`TransportError::Unsupported`] for a kind of target whose feature is not built in.
pub fn open(target: Target, options: &Options) -> Result<Box<dyn Transport>, TransportError> {
    match target {
        Target::Iscsi(target) => iscsi(target, options),
        Target::Device(path) => sg(&path, options),
    }
}

#[cfg(feature = "iscsi")]
fn iscsi(target: crate::target::IscsiTarget, options: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Ok(Box::new(crate::iscsi::Iscsi::open(target, options.clone())?))
}

#[cfg(not(feature = "iscsi"))]
fn iscsi(_: crate::target::IscsiTarget, _: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Err(TransportError::Unsupported("speak iSCSI: it was built without the feature iscsi"))
}

#[cfg(all(feature = "sg", target_os = "linux"))]
fn sg(path: &std::path::Path, options: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Ok(Box::new(crate::sg::Sg::open(path, options.timeout)?))
}

#[cfg(not(all(feature = "sg", target_os = "linux")))]
fn sg(_: &std::path::Path, _: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Err(TransportError::Unsupported("open SCSI devices: it was built without the feature sg"))
}
