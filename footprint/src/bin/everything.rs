//! All algorithms, both dialects, certificates, and data under associations.
#![cfg_attr(firmware, no_std, no_main)]

extern crate alloc;

use alloc::sync::Arc;
use core::hint::black_box;

use footprint::device::{self, Compare, Keys};
use footprint::recording::{CERTIFICATES, MANDATORY, Recording, SPC4_ECDSA, SPC4_RSA};
use footprint::{certificates, image};
use ikev2_scsi::provider::provider;
use ikev2_scsi::{DeviceServer, Profile};

image!(run);

fn run() -> bool {
    let (r3, spc4) = (black_box(Profile::R3), black_box(Profile::SPC4));
    let Some(builder) = device::builder(provider(), &MANDATORY.provisioning()) else { return false };
    let Ok(mut server) = builder.profile(r3).preshared_keys(Arc::new(Keys(MANDATORY))).report_refusals(true).build()
    else {
        return false;
    };
    let passed = device::replay(&mut server, MANDATORY, Compare::Everything);
    device::descriptors(&mut server, black_box(&mut [0; 64]), &mut MANDATORY.provisioning().draws);
    passed
        && signed(certificates::with_rsa(provider(), r3, CERTIFICATES), CERTIFICATES)
        && signed(certificates::with_rsa(provider(), spc4, SPC4_RSA), SPC4_RSA)
        && signed(certificates::with_ecdsa(provider(), spc4, SPC4_ECDSA), SPC4_ECDSA)
}

fn signed(server: Option<DeviceServer>, recording: Recording) -> bool {
    server.is_some_and(|mut server| device::replay(&mut server, recording, Compare::Everything))
}
