//! What r3 makes mandatory, and P-256: the group, and ECDSA signatures with keys known beforehand.
#![cfg_attr(firmware, no_std, no_main)]

extern crate alloc;

use alloc::sync::Arc;

use footprint::device::{self, Compare, Keys, identity};
use footprint::image;
use footprint::recording::{ECDSA, MANDATORY};
use ikev2_scsi::crypto::{Credential, KeyKind, KnownKeys, PublicKey};
use ikev2_scsi::provider::{
    AES_CBC, AES_CCM_16, AES_GCM_16, AUTH_HMAC_SHA1_96, ECDSA_P256_SHA256, ECP_256, EcdsaSigner, MODP_2048, NULL,
    PRF_HMAC_SHA1, PRF_HMAC_SHA2_256,
};
use ikev2_scsi::{CryptoProvider, DeviceServer};

const PROVIDER: CryptoProvider = CryptoProvider {
    ciphers: &[NULL, AES_CBC, AES_CCM_16, AES_GCM_16],
    prfs: &[PRF_HMAC_SHA1, PRF_HMAC_SHA2_256],
    integrity: &[AUTH_HMAC_SHA1_96],
    groups: &[MODP_2048, ECP_256],
    verifiers: &[ECDSA_P256_SHA256],
};

/// Where a PKCS#8 key of P-256 has the number.
const PRIVATE: core::ops::Range<usize> = 36..68;

image!(run);

fn run() -> bool {
    let Some(builder) = device::builder(PROVIDER, &MANDATORY.provisioning()) else { return false };
    let Ok(mut server) = builder.preshared_keys(Arc::new(Keys(MANDATORY))).build() else { return false };
    let Some(mut signing) = signing() else { return false };
    device::replay(&mut server, MANDATORY, Compare::Everything)
        && device::replay(&mut signing, ECDSA, Compare::Everything)
}

fn signing() -> Option<DeviceServer> {
    let given = ECDSA.provisioning();
    let signer = EcdsaSigner::p256(given.private_key.get(PRIVATE)?).ok()?;
    let point: &[u8; 65] = given.client_key.last_chunk()?;
    let mut known = KnownKeys::new();
    known.set(identity(given.client.identity)?, PublicKey::new(KeyKind::P256, point));
    let builder = device::builder(PROVIDER, &given)?.credential(Credential::new(Arc::new(signer)));
    builder.validator(Arc::new(known)).build().ok()
}
