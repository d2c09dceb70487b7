//! Diffie-Hellman groups: private values are secret, public values are sent, and shared secrets are secret.

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::crypto::DhGroup;
use ikev2_scsi::provider::provider;

use super::compare::name;
use super::watched::Draws;
use super::{bytes, secret_bytes};
use crate::leaky;
use crate::valgrind::{is_secret, public, published, secret};
use crate::watch::{Outcomes, Watch};

/// A value out of range is thrown away, or refused, and nothing is told of one in range.
const RANGE: Outcomes = Outcomes::of(3, "whether private value and result are in range");

pub fn run(watch: &mut Watch) {
    for group in provider().groups {
        group_of(watch, *group);
    }
    let exponent = secret_bytes(1, 32);
    for (name, power) in [
        ("leaky: square and multiply", leaky::branching_power as fn(u64, &[u8]) -> u64),
        ("leaky: a window read at a secret index", leaky::power_by_table),
    ] {
        let power = watch.leaky(name, RANGE, || power(3, &exponent));
        assert_ne!(published(power), 0);
    }
}

/// A private value below every order and prime, secret or not.
fn private(group: &dyn DhGroup, number: u64) -> Vec<u8> {
    let mut private = bytes(number, group.private_length());
    private[0] = 0;
    private
}

fn group_of(watch: &mut Watch, group: &dyn DhGroup) {
    let name = name(AlgorithmType::DiffieHellman, group.identifier());
    let (mut ours, theirs) = (private(group, 1), private(group, 2));
    let mut peer = vec![0; group.public_length()];
    group.public(&theirs, &mut peer).unwrap();
    secret(ours.as_mut_slice());

    let mut own = vec![0; group.public_length()];
    let done = watch.quiet(&format!("{name} public value"), RANGE, || group.public(&ours, &mut own));
    assert_eq!(published(done), Ok(()));
    assert!(is_secret(&own));
    public(own.as_mut_slice());

    let mut shared = vec![0; group.shared_length()];
    let done = watch.quiet(&format!("{name} shared secret"), RANGE, || group.agree(&ours, &peer, &mut shared));
    assert_eq!(published(done), Ok(()));
    assert!(is_secret(&shared));
    public(shared.as_mut_slice());
    let mut same = vec![0; group.shared_length()];
    group.agree(&theirs, &own, &mut same).unwrap();
    assert_eq!(shared, same);

    let mut both = (vec![0; group.public_length()], vec![0; group.shared_length()]);
    let twice = Outcomes::of(6, "whether private value and results are in range");
    let done = watch.quiet(&format!("{name} both"), twice, || group.exchange(&ours, &peer, &mut both.0, &mut both.1));
    assert_eq!(published(done), Ok(()));
    assert!(is_secret(&both.0) && is_secret(&both.1));
    public(both.0.as_mut_slice());
    public(both.1.as_mut_slice());
    assert_eq!(both, (own, shared));

    let mut drawn = vec![0; group.private_length()];
    let mut draws = Draws(7);
    let done = watch.quiet(&format!("{name} draw"), RANGE, || group.draw_private(&mut draws, &mut drawn));
    assert_eq!(published(done), Ok(()));
}
