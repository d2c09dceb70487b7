//! Keys made of keys: pseudo-random functions, prf+, and the store of shared keys.

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::crypto::{ConfigureKeyError, Identity, MemoryKeys, PresharedKeys, Secret};
use ikev2_scsi::provider::{PRF_HMAC_SHA1, provider};

use super::compare::name;
use super::{bytes, secret_bytes};
use crate::valgrind::{is_secret, published};
use crate::watch::{Outcomes, Watch};

pub fn run(watch: &mut Watch) {
    for prf in provider().prfs {
        let name = name(AlgorithmType::PseudoRandom, prf.identifier());
        let text = secret_bytes(2, 256);
        let mut out = vec![0; prf.output_length()];
        // A shared key may be shorter than a block of the hash, or longer.
        for length in [16, prf.key_length(), 200] {
            let key = secret_bytes(1, length);
            let name = format!("{name} compute; key of {length} bytes");
            let done = watch.quiet(&name, Outcomes::NONE, || prf.compute(&key, &[&bytes(3, 32), &text], &mut out));
            assert_eq!(published(done), Ok(()));
            assert!(is_secret(&out));
        }
        let (key, mut out) = (secret_bytes(1, prf.key_length()), vec![0; 300]);
        let name = format!("{name} prf+");
        let done = watch.quiet(&name, Outcomes::NONE, || prf.expand(&key, &[&bytes(3, 32), &bytes(4, 48)], &mut out));
        assert_eq!(published(done), Ok(()));
        assert!(is_secret(&out));
    }
    shared_keys(watch);
}

/// Identities are public, keys are not; whether a key is in use already is what the administrator is told.
fn shared_keys(watch: &mut Watch) {
    let identities: Vec<Identity> = ["host-1", "host-2", "host-3"].map(|name| Identity::key_id(name.as_bytes())).into();
    let secrets = || [secret_bytes(1, 32), secret_bytes(2, 40), secret_bytes(3, 8)].into_iter().map(Secret::from);
    let mut keys = MemoryKeys::new();
    let taken = Outcomes::of(6, "whether two of four keys are the same: once for each two");
    watch.quiet("MemoryKeys: four keys are added", taken, || {
        keys.set_own(Secret::from(secret_bytes(4, 32))).unwrap();
        for (identity, secret) in identities.iter().zip(secrets()) {
            keys.add_peer(identity.as_payload(), secret).unwrap();
        }
    });
    let taken = Outcomes::of(4, "whether the key is one of four");
    watch.quiet("MemoryKeys: a key that is taken is refused", taken, || {
        let added = keys.add_peer(Identity::key_id(b"host-4").as_payload(), Secret::from(secret_bytes(3, 8)));
        assert_eq!(added, Err(ConfigureKeyError::Shared));
    });
    let mut out = [0; 20];
    for identity in &identities {
        let name = format!("MemoryKeys: look-up of {}", identity.data.escape_ascii());
        watch
            .quiet(&name, Outcomes::NONE, || keys.peer(identity.as_payload(), PRF_HMAC_SHA1, b"pad", &mut out))
            .unwrap();
        assert!(is_secret(&out));
        out = [0; 20];
    }
    watch.quiet("MemoryKeys: own key", Outcomes::NONE, || keys.own(PRF_HMAC_SHA1, b"pad", &mut out)).unwrap();
}
