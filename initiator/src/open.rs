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
/// [`TransportError`]; [`TransportError::Connect`] also for a kind of target whose feature is not built in.
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
fn iscsi(target: crate::target::IscsiTarget, _: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Err(not_built(target.to_string(), "iscsi"))
}

#[cfg(all(feature = "sg", target_os = "linux"))]
fn sg(path: &std::path::Path, options: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Ok(Box::new(crate::sg::Sg::open(path, options.timeout)?))
}

#[cfg(not(all(feature = "sg", target_os = "linux")))]
fn sg(path: &std::path::Path, _: &Options) -> Result<Box<dyn Transport>, TransportError> {
    Err(not_built(path.display().to_string(), "sg"))
}

#[cfg(not(all(feature = "iscsi", feature = "sg", target_os = "linux")))]
fn not_built(target: String, feature: &str) -> TransportError {
    TransportError::Connect { target, reason: format!("this program was built without the feature {feature}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a feature its targets are known, and said to be out of reach; with it, what was tried is told.
    #[test]
    fn targets_out_of_reach_are_told_by_name() {
        for (target, has_feature) in [
            ("iscsi://127.0.0.1:1/iqn.2007-04.org.example:t/1", cfg!(feature = "iscsi")),
            ("/dev/there-is-no-such-device", cfg!(all(feature = "sg", target_os = "linux"))),
        ] {
            let Err(error) = open(target.parse().unwrap(), &Options::default()) else { panic!("{target}") };
            let told = error.to_string();
            assert!(told.starts_with(&format!("no way to {target}: ")), "{told}");
            assert_eq!(told.contains("built without the feature"), !has_feature, "{told}");
        }
    }
}
