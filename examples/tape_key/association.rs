//! Makes the association: an application client and a device server of SPC-4, and the commands between them.

use std::error::Error;
use std::sync::Arc;

use ikev2_scsi::client::{ApplicationClient, ClientConfig, Outcome, Status};
use ikev2_scsi::crypto::{Identity, MemoryKeys, Secret};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::wire::Timeouts;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Profile, Reply, Request, provider};

use super::System;

const HOST: &[u8] = b"host-1";
const DRIVE: &[u8] = b"drive-9";
/// Keys for a demonstration: whoever reads this knows them.
const HOST_KEY: &[u8] = b"demonstration key of host-1, which is known to everybody";
const DRIVE_KEY: &[u8] = b"demonstration key of drive-9, which is known to everybody";
/// The two timeouts, in seconds.
const TIMEOUTS: Timeouts = Timeouts { protocol: 60, inactivity: 3600 };
/// More than any answer has.
const DATA_IN: usize = 16_384;

/// The keys of one side: its own, and the one of the other side.
fn keys(own: &[u8], peer: &[u8], peers: &[u8]) -> Result<Arc<MemoryKeys>, Box<dyn Error>> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own))?;
    keys.add_peer(Identity::key_id(peer).as_payload(), Secret::copy_of(peers))?;
    Ok(Arc::new(keys))
}

/// A device server with a live association, and the application client's parameters of it; the clock stands at zero.
pub(crate) fn make() -> Result<(DeviceServer, SaParameters), Box<dyn Error>> {
    let mut policy = Policy::default();
    // One shared key is all that this drive has.
    policy.waive_complete_row = true;
    let mut server = DeviceServer::builder(provider::provider())
        .profile(Profile::SPC4)
        .identity(Identity::key_id(DRIVE))
        .preshared_keys(keys(DRIVE_KEY, HOST, HOST_KEY)?)
        .policy(policy)
        .build()?;
    let config = ClientConfig::builder(provider::provider(), Identity::key_id(HOST))
        .profile(Profile::SPC4)
        .preshared_keys(keys(HOST_KEY, DRIVE, DRIVE_KEY)?)
        .timeouts(TIMEOUTS)
        .build()?;
    let mut client = ApplicationClient::new(Arc::new(config));
    let mut data_in = vec![0; DATA_IN];
    loop {
        let command = client.next_command(&mut System)?;
        let (cdb, mut data_out) = (command.cdb.to_bytes(), command.data_out.to_vec());
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut data_in };
        let reply = server.execute(NexusId(1), request, Instant::from_millis(0), &mut System);
        let outcome = match reply {
            Reply::Good { len } => client.reply(Status::Good(data_in.get(..len).unwrap_or_default()))?,
            Reply::CheckCondition(sense) => client.reply(Status::CheckCondition(sense.to_fixed().as_ref()))?,
            Reply::Held(_) => return Err("held, though calculations are not handed out".into()),
        };
        match outcome {
            Outcome::Continue => {}
            Outcome::Established(parameters) => return Ok((server, *parameters)),
            Outcome::SendAgain(sense) => return Err(format!("put off, though nothing is slow: {sense}").into()),
        }
    }
}
