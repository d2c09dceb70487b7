//! A device server to try the validator with, and its application client: shared keys, and a key on P-521 of either side, so that a
//! complete row of SPC-4 table 82 is listed.

use std::sync::Arc;

use ikev2_scsi::client::{ClientConfig, ClientConfigBuilder};
use ikev2_scsi::crypto::{Credential, Identity, KnownKeys, MemoryKeys, Purpose, Random, Secret, Signer};
use ikev2_scsi::provider::{EcdsaSigner, provider};
use ikev2_scsi::{DeviceServer, Profile};
use ikev2_scsi_provisioning::SystemRandom;

/// The keys of one run.
pub(crate) struct Demonstration {
    drive: Side,
    host: Side,
    /// What the application client knows.
    hosts: (Arc<MemoryKeys>, Arc<KnownKeys>),
}

/// Who one side is, and what the other knows of it.
struct Side {
    identity: Identity,
    shared: Vec<u8>,
    signer: Arc<dyn Signer>,
}

impl Side {
    fn new(name: &[u8]) -> Result<Self, String> {
        let mut random = SystemRandom;
        let (mut shared, mut private) = (vec![0; 32], [0; 65]);
        for bytes in [shared.as_mut_slice(), &mut private] {
            random.fill(Purpose::DhPrivate, bytes).map_err(|error| error.to_string())?;
        }
        Ok(Self { identity: Identity::key_id(name), shared, signer: Arc::new(signer(&private)?) })
    }

    /// The keys that this side uses, and those by which it knows the other.
    fn keys(&self, other: &Self) -> Result<(Arc<MemoryKeys>, Arc<KnownKeys>), String> {
        let (mut keys, mut known) = (MemoryKeys::new(), KnownKeys::new());
        keys.set_own(Secret::copy_of(&self.shared)).map_err(|error| error.to_string())?;
        let peer = keys.add_peer(other.identity.as_payload(), Secret::copy_of(&other.shared));
        peer.map_err(|error| error.to_string())?;
        known.set(other.identity.clone(), other.signer.public_key());
        Ok((Arc::new(keys), Arc::new(known)))
    }
}

/// A key on P-521 with a private value below 2 to the power of 520 (RFC 5915, RFC 5958).
fn signer(private: &[u8; 65]) -> Result<EcdsaSigner, String> {
    const HEAD: [u8; 33] = [
        0x30, 0x60, 2, 1, 0, 0x30, 0x10, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 5, 0x2B, 0x81, 0x04, 0x00, 0x23,
        4, 0x49, 0x30, 0x47, 2, 1, 1, 4, 0x42, 0,
    ];
    EcdsaSigner::from_pkcs8_der(&[&HEAD, private.as_slice()].concat()).map_err(|error| error.to_string())
}

impl Demonstration {
    /// New keys.
    pub(crate) fn new() -> Result<Self, String> {
        let host = Side::new(b"iqn.2007-04.org.example:host-1")?;
        let drive = Side::new(b"iqn.2007-04.org.example:drive-9")?;
        Ok(Self { hosts: host.keys(&drive)?, drive, host })
    }

    /// The device server.
    pub(crate) fn device_server(&self, profile: Profile) -> Result<DeviceServer, String> {
        let (keys, known) = self.drive.keys(&self.host)?;
        let builder = DeviceServer::builder(provider())
            .profile(profile)
            .identity(self.drive.identity.clone())
            .preshared_keys(keys)
            .credential(Credential::new(Arc::clone(&self.drive.signer)))
            .validator(known);
        builder.build().map_err(|error| error.to_string())
    }

    /// Its application client.
    pub(crate) fn client(&self) -> ClientConfigBuilder {
        let (keys, known) = &self.hosts;
        ClientConfig::builder(provider(), self.host.identity.clone())
            .preshared_keys(keys.clone())
            .credential(Credential::new(Arc::clone(&self.host.signer)))
            .validator(known.clone())
    }
}
