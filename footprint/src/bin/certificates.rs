//! What r3 makes mandatory, P-256, RSA, and certificates.
#![cfg_attr(firmware, no_std, no_main)]

extern crate alloc;

use alloc::sync::Arc;

use footprint::device::{self, Compare, Keys};
use footprint::recording::{CERTIFICATES, MANDATORY};
use footprint::{certificates, image};
use ikev2_scsi::provider::{
    AES_CBC, AES_CCM_16, AES_GCM_16, AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, ECDSA_P256_SHA256, ECP_256, MODP_2048,
    NULL, PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, RSA_PKCS1_SHA1, RSA_PKCS1_SHA256,
};
use ikev2_scsi::{CryptoProvider, Profile};

const PROVIDER: CryptoProvider = CryptoProvider {
    ciphers: &[NULL, AES_CBC, AES_CCM_16, AES_GCM_16],
    prfs: &[PRF_HMAC_SHA1, PRF_HMAC_SHA2_256],
    integrity: &[AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128],
    groups: &[MODP_2048, ECP_256],
    verifiers: &[ECDSA_P256_SHA256, RSA_PKCS1_SHA1, RSA_PKCS1_SHA256],
};

image!(run);

fn run() -> bool {
    let Some(builder) = device::builder(PROVIDER, &MANDATORY.provisioning()) else { return false };
    let Ok(mut server) = builder.preshared_keys(Arc::new(Keys(MANDATORY))).build() else { return false };
    let Some(mut signing) = certificates::with_rsa(PROVIDER, Profile::R3, CERTIFICATES) else { return false };
    device::replay(&mut server, MANDATORY, Compare::Everything)
        && device::replay(&mut signing, CERTIFICATES, Compare::Everything)
}
