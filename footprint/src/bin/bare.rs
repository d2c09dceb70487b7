//! The core with a provider that computes nothing.
#![cfg_attr(firmware, no_std, no_main)]

extern crate alloc;

use alloc::sync::Arc;

use footprint::device::{Compare, replay};
use footprint::null::{NullKeys, PROVIDER, identity};
use footprint::{image, recording};
use ikev2_scsi::DeviceServer;

image!(run);

fn run() -> bool {
    let mut recording = recording!("r3-null-sha1-modp2048-psk");
    let whole = recording;
    let provisioning = recording.provisioning();
    let Some(identity) = identity(provisioning.server.identity) else { return false };
    let built = DeviceServer::builder(PROVIDER).identity(identity).preshared_keys(Arc::new(NullKeys)).build();
    let Ok(mut server) = built else { return false };
    replay(&mut server, whole, provisioning.draws, Compare::Status)
}
