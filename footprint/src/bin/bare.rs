//! The core with a provider that computes nothing.
#![cfg_attr(firmware, no_std, no_main)]

use footprint::device::{self, Compare, Keys};
use footprint::recording::NULL;
use footprint::{image, null};

static KEYS: Keys = Keys(NULL);

image!(run);

fn run() -> bool {
    let Some(builder) = device::builder(null::PROVIDER, &NULL.provisioning()) else { return false };
    let Ok(mut server) = builder.preshared_keys_static(&KEYS).build() else { return false };
    let passed = device::replay(&mut server, NULL, Compare::Status);
    device::keep(server);
    passed
}
