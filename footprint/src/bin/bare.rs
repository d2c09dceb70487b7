//! The core with a provider that computes nothing.
#![cfg_attr(firmware, no_std, no_main)]

extern crate alloc;

use alloc::sync::Arc;

use footprint::device::{self, Compare, Keys};
use footprint::recording::NULL;
use footprint::{image, null};

image!(run);

fn run() -> bool {
    let Some(builder) = device::builder(null::PROVIDER, &NULL.provisioning()) else { return false };
    let Ok(mut server) = builder.preshared_keys(Arc::new(Keys(NULL))).build() else { return false };
    device::replay(&mut server, NULL, Compare::Status)
}
