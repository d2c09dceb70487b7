//! Encryption algorithms: key and plaintext are secret, and what goes over the wire is public.

use ikev2_scsi::algorithm::AlgorithmType;
use ikev2_scsi::crypto::{Cipher, CryptoError};
use ikev2_scsi::provider::{TRIPLE_DES, provider};

use super::compare::name;
use super::{bytes, secret_bytes};
use crate::valgrind::{is_secret, public, published, secret};
use crate::watch::{Outcomes, Watch};

const TABLES: &str = "looks up tables by secret values, as its documentation says; off by default";

pub fn run(watch: &mut Watch) {
    for cipher in provider().ciphers {
        for length in cipher.key_lengths() {
            let (key, bits) = (cipher.key_material_length(*length), u32::from(*length) * 8);
            let name = format!("{} {bits}", name(AlgorithmType::Encryption, cipher.identifier()));
            if cipher.identifier() == TRIPLE_DES.identifier() {
                watch.known("ENCR_3DES seal and open", TABLES, || {
                    seal_and_open(&mut Watch::default(), &name, *cipher, key);
                });
            } else {
                seal_and_open(watch, &name, *cipher, key);
            }
        }
    }
}

fn seal_and_open(watch: &mut Watch, name: &str, cipher: &dyn Cipher, key_length: usize) {
    // The salt of a combined mode is as secret as the key before it.
    let (key, iv, associated) = (secret_bytes(1, key_length), bytes(2, cipher.iv_length()), bytes(3, 50));
    let plaintext = bytes(4, 256);
    let (mut data, mut icv) = (plaintext.clone(), vec![0; cipher.icv_length()]);
    secret(data.as_mut_slice());
    let sealed = watch
        .quiet(&format!("{name} seal"), Outcomes::NONE, || cipher.seal(&key, &iv, &associated, &mut data, &mut icv));
    assert_eq!(published(sealed), Ok(()));
    assert!(is_secret(&data) && is_secret(&icv));
    public(data.as_mut_slice());
    public(icv.as_mut_slice());

    let sealed = data.clone();
    let opened =
        watch.quiet(&format!("{name} open"), outcomes(cipher), || cipher.open(&key, &iv, &associated, &mut data, &icv));
    assert_eq!(published(opened), Ok(()));
    // What comes out of a table is not secret to memcheck, whatever the index was.
    if cipher.identifier() != TRIPLE_DES.identifier() {
        assert_eq!(is_secret(&data), key_length > 0);
    }
    public(data.as_mut_slice());
    assert_eq!(data, plaintext);

    if cipher.is_combined() {
        icv[0] ^= 1;
        data = sealed;
        let opened = watch.quiet(&format!("{name} open with a wrong code"), MATCHES_COMBINED, || {
            cipher.open(&key, &iv, &associated, &mut data, &icv)
        });
        assert_eq!(published(opened), Err(CryptoError::Refused));
    }
}

/// Of a combined mode: the crate asks whether the code matches, and who calls it.
pub const MATCHES_COMBINED: Outcomes = Outcomes::of(2, "the sender is told whether the code matches");

fn outcomes(cipher: &dyn Cipher) -> Outcomes {
    if cipher.is_combined() { MATCHES_COMBINED } else { Outcomes::NONE }
}
