//! How many associations a logical unit makes, over one I_T nexus.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ikev2_scsi::client::{ClientConfig, DeviceCapabilities};
use ikev2_scsi::crypto::Random;

use crate::error::Error;
use crate::exchange::{Exchanges, Patience, Unwatched};
use crate::transport::Transport;

/// How long one association took, our own calculations included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// From the first command to the keys; without reading the capabilities but for the first round.
    pub create: Duration,
    /// The Delete.
    pub delete: Duration,
}

/// Creates and deletes so many associations, one after the other, over one transport. The capabilities are read once.
///
/// # Errors
/// The first [`Error`]; what was created before it has been deleted.
pub fn create_and_delete(
    transport: &mut dyn Transport,
    config: &Arc<ClientConfig>,
    random: &mut dyn Random,
    count: usize,
) -> Result<Vec<Round>, Error> {
    let mut watch = Unwatched;
    let profile = config.profile();
    let mut exchanges = Exchanges::new(transport, profile, Patience::default(), &mut watch);
    let mut capabilities = None;
    let mut rounds = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        if capabilities.is_none() {
            let bytes = exchanges.capabilities()?;
            capabilities = DeviceCapabilities::parse(profile, &bytes).ok();
        }
        let created = exchanges.create(config, capabilities.clone(), random)?;
        let create = began.elapsed();
        let began = Instant::now();
        exchanges.delete(config, created.parameters, random)?;
        rounds.push(Round { create, delete: began.elapsed() });
    }
    Ok(rounds)
}

/// What many rounds come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Rounds.
    pub count: usize,
    /// Associations created and deleted in a second.
    pub per_second: f64,
    /// Median of the creations.
    pub create: Duration,
    /// Median of the Deletes.
    pub delete: Duration,
}

impl Summary {
    /// `None` without a round.
    #[must_use]
    pub fn of(rounds: &[Round]) -> Option<Self> {
        let total: Duration = rounds.iter().map(|round| round.create.saturating_add(round.delete)).sum();
        let count = u32::try_from(rounds.len()).ok()?;
        Some(Self {
            count: rounds.len(),
            per_second: f64::from(count) / total.as_secs_f64(),
            create: median(rounds.iter().map(|round| round.create))?,
            delete: median(rounds.iter().map(|round| round.delete))?,
        })
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_unit::{TestUnit, config};
    use ikev2_scsi_provisioning::SystemRandom;

    #[test]
    fn rounds_leave_nothing_behind_and_read_the_capabilities_once() {
        for dialect in ["r3", "spc4"] {
            let mut unit = TestUnit::new(dialect);
            let rounds = create_and_delete(&mut unit, &config(dialect), &mut SystemRandom, 3).unwrap();
            assert_eq!((rounds.len(), unit.server.sas().len(), unit.seen.len()), (3, 0, 1 + 3 * 5));
            assert!(Summary::of(&rounds).unwrap().per_second > 0.0);
        }
    }

    #[test]
    fn medians() {
        let round =
            |create, delete| Round { create: Duration::from_millis(create), delete: Duration::from_millis(delete) };
        let summary = Summary::of(&[round(30, 1), round(10, 2), round(50, 7)]).unwrap();
        assert_eq!((summary.create.as_millis(), summary.delete.as_millis(), summary.count), (30, 2, 3));
        assert!((summary.per_second - 30.0).abs() < 1e-9);
        assert_eq!(Summary::of(&[]), None);
    }
}
