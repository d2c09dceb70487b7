//! What r3 makes mandatory (Tables K2 to K6), with shared keys.
#![cfg_attr(firmware, no_std, no_main)]

use footprint::device::{self, Compare, Keys};
use footprint::image;
use footprint::recording::MANDATORY;
use ikev2_scsi::CryptoProvider;
use ikev2_scsi::provider::{AES_CBC, AES_CCM_16, AUTH_HMAC_SHA1_96, MODP_2048, NULL, PRF_HMAC_SHA1};

const PROVIDER: CryptoProvider = CryptoProvider {
    ciphers: &[NULL, AES_CBC, AES_CCM_16],
    prfs: &[PRF_HMAC_SHA1],
    integrity: &[AUTH_HMAC_SHA1_96],
    groups: &[MODP_2048],
    verifiers: &[],
};

static KEYS: Keys = Keys(MANDATORY);

image!(run);

fn run() -> bool {
    let Some(builder) = device::builder(PROVIDER, &MANDATORY.provisioning()) else { return false };
    let Ok(mut server) = builder.preshared_keys_static(&KEYS).build() else { return false };
    let passed = device::replay(&mut server, MANDATORY, Compare::Everything);
    device::keep(server);
    passed
}
