//! Exchanges whose cryptography costs next to nothing, recorded once: tests that run millions of commands send bytes.
//!
//! Nothing here protects anybody: the group's public value is the private one, and the keyed functions are a checksum.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::sync::Arc;

use ikev2_scsi::algorithm::{AUTH_HMAC_SHA1_96, ENCR_NULL, IKE_AUTH_NONE, IKE_AUTH_SHARED_KEY, PRF_HMAC_SHA1};
use ikev2_scsi::client::{self, ApplicationClient, ClientConfig, Outcome, Preferences, Status, SuiteIdentifiers};
use ikev2_scsi::crypto::{
    CryptoError, CryptoProvider, DhGroup, Identity, Integrity, MemoryKeys, Prf, Purpose, Random, RandomError, Secret,
};
use ikev2_scsi::server::{Builder, Limits};
use ikev2_scsi::wire::{Sai, Timeouts};
use ikev2_scsi::{DeviceServer, Instant, NexusId, Policy, Reply, Request, provider};

/// IKEV2-SCSI PROTOCOL TIMEOUT and SA INACTIVITY TIMEOUT of every recorded exchange, in seconds.
pub(crate) const TIMEOUTS: Timeouts = Timeouts { protocol: 60, inactivity: 200 };

const GROUP: u32 = 0x0400;
const SIZE: usize = 16;

struct CheapGroup;

impl DhGroup for CheapGroup {
    fn identifier(&self) -> u32 {
        GROUP
    }
    fn public_length(&self) -> usize {
        SIZE
    }
    fn shared_length(&self) -> usize {
        SIZE
    }
    fn private_length(&self) -> usize {
        SIZE
    }
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        if public.len() == SIZE { Ok(()) } else { Err(CryptoError::Length) }
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        random.fill(Purpose::DhPrivate, out)
    }
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        out.copy_from_slice(private);
        Ok(())
    }
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        private.iter().zip(peer).zip(out).for_each(|((a, b), out)| *out = a ^ b);
        Ok(())
    }
}

/// FNV-1a over the key and the parts, drawn out to the length of `out`.
fn checksum(key: &[u8], parts: &[&[u8]], out: &mut [u8]) {
    let mut state = 0xCBF2_9CE4_8422_2325_u64;
    for bytes in [key].iter().chain(parts) {
        for byte in *bytes {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    for byte in out {
        state = xorshift(state | 1);
        *byte = state.to_be_bytes()[3];
    }
}

const fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

struct CheapPrf;

impl Prf for CheapPrf {
    fn identifier(&self) -> u32 {
        PRF_HMAC_SHA1.identifier
    }
    fn output_length(&self) -> usize {
        20
    }
    fn key_length(&self) -> usize {
        20
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        checksum(key, parts, out);
        Ok(())
    }
}

struct CheapIntegrity;

impl Integrity for CheapIntegrity {
    fn identifier(&self) -> u32 {
        AUTH_HMAC_SHA1_96.identifier
    }
    fn key_length(&self) -> usize {
        20
    }
    fn icv_length(&self) -> usize {
        12
    }
    fn compute(&self, key: &[u8], parts: &[&[u8]], icv: &mut [u8]) -> Result<(), CryptoError> {
        checksum(key, parts, icv);
        Ok(())
    }
    fn verify(&self, key: &[u8], parts: &[&[u8]], icv: &[u8]) -> Result<(), CryptoError> {
        let mut own = [0; 12];
        checksum(key, parts, &mut own);
        if own == icv { Ok(()) } else { Err(CryptoError::Refused) }
    }
}

/// ENCR_NULL and the others of this file.
pub(crate) fn cheap_provider() -> CryptoProvider {
    CryptoProvider {
        ciphers: &[provider::NULL],
        prfs: &[&CheapPrf],
        integrity: &[&CheapIntegrity],
        groups: &[&CheapGroup],
        verifiers: &[],
    }
}

fn keys(own: &[u8], peer: &[u8], peers: &[u8]) -> Arc<MemoryKeys> {
    let mut keys = MemoryKeys::new();
    keys.set_own(Secret::copy_of(own)).unwrap();
    keys.add_peer(Identity::key_id(peer).as_payload(), Secret::copy_of(peers)).unwrap();
    Arc::new(keys)
}

/// A device server that takes every recorded exchange; IKE_AUTH_NONE is allowed.
pub(crate) fn builder() -> Builder {
    let mut policy = Policy::default();
    (policy.allow_no_authentication, policy.nonce_length) = (true, 16);
    let mut limits = Limits::default();
    limits.events = 4;
    DeviceServer::builder(cheap_provider())
        .identity(Identity::key_id(b"drive"))
        .preshared_keys(keys(b"drive's key", b"host", b"host's key"))
        .policy(policy)
        .limits(limits)
}

/// A random source that always gives the same values to the n-th command sequence, and counts its draws.
#[derive(Clone)]
pub(crate) struct Draws {
    pub(crate) sequence: usize,
    pub(crate) drawn: usize,
}

impl Draws {
    pub(crate) const fn of(sequence: usize) -> Self {
        Self { sequence, drawn: 0 }
    }
}

impl Random for Draws {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        self.drawn += 1;
        let salt = match purpose {
            Purpose::AcSai => 1,
            Purpose::DsSai => 2,
            Purpose::DhPrivate => 3,
            Purpose::Nonce => 4,
            _ => 5,
        };
        let mut state = u64::try_from(self.sequence).unwrap() * 8 + salt;
        for byte in out {
            state = xorshift(xorshift(state));
            *byte = state.to_be_bytes()[3];
        }
        Ok(())
    }
}

/// Every message of the n-th exchange.
pub(crate) struct Exchange {
    pub(crate) ds_sai: Sai,
    pub(crate) key_exchange_out: Vec<u8>,
    pub(crate) key_exchange_in: Vec<u8>,
    /// Empty with IKE_AUTH_NONE, as the two that follow.
    pub(crate) authentication_out: Vec<u8>,
    /// The same client without the right key.
    pub(crate) wrong_authentication_out: Vec<u8>,
    pub(crate) authentication_in: Vec<u8>,
    pub(crate) delete: Vec<u8>,
}

/// What the capabilities are.
pub(crate) fn capabilities() -> Vec<u8> {
    let mut server = builder().build().unwrap();
    let cdb = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];
    run(&mut server, &mut Draws::of(0), &cdb, &[])
}

fn run(server: &mut DeviceServer, draws: &mut Draws, cdb: &[u8], data_out: &[u8]) -> Vec<u8> {
    let (mut data_out, mut data_in) = (data_out.to_vec(), vec![0; 4096]);
    let request = Request { cdb, data_out: &mut data_out, data_in: &mut data_in };
    match server.execute(NexusId(0), request, Instant::default(), draws) {
        Reply::Good { len } => data_in.truncate(len),
        // Only the client with the wrong key gets here, and it has what it wants.
        Reply::CheckCondition(_) | Reply::Held(_) => data_in.clear(),
    }
    data_in
}

/// DS_SAI and the Delete of an association.
type End = Option<(Sai, Vec<u8>)>;

/// A client with that key.
fn config(authentication: u32, key: &[u8], timeouts: Timeouts) -> Arc<ClientConfig> {
    let suite = SuiteIdentifiers {
        encryption: ENCR_NULL.identifier,
        key_length: 0,
        pseudo_random: PRF_HMAC_SHA1.identifier,
        integrity: AUTH_HMAC_SHA1_96.identifier,
        group: GROUP,
        authentication,
    };
    let config = ClientConfig::builder(cheap_provider(), Identity::key_id(b"host"))
        .preshared_keys(keys(key, b"drive", b"drive's key"))
        .preferences(Preferences::exactly(suite))
        .allow_no_authentication(true)
        .timeouts(timeouts)
        .build()
        .unwrap();
    Arc::new(config)
}

/// A key exchange OUT of a client that omits the Authentication phase.
pub(crate) fn key_exchange_out(timeouts: Timeouts) -> Vec<u8> {
    let mut client = ApplicationClient::new(config(IKE_AUTH_NONE, b"host's key", timeouts));
    let mut draws = Draws::of(0);
    let _ = client.next_command(&mut draws).unwrap();
    client.reply(Status::Good(&capabilities())).unwrap();
    client.next_command(&mut draws).unwrap().data_out.to_vec()
}

/// The data of the commands of one exchange, in their order, and how it ended.
fn record(sequence: usize, authentication: u32, key: &[u8]) -> (Vec<Vec<u8>>, End) {
    let config = config(authentication, key, TIMEOUTS);
    let mut client = ApplicationClient::new(Arc::clone(&config));
    let mut server = builder().build().unwrap();
    let (mut theirs, mut ours) = (Draws::of(sequence), Draws::of(sequence));
    let mut data = Vec::new();
    loop {
        let command = client.next_command(&mut ours).unwrap();
        let data_in = run(&mut server, &mut theirs, &command.cdb.to_bytes(), &command.data_out);
        data.push(if command.data_out.is_empty() { data_in.clone() } else { command.data_out.to_vec() });
        if command.data_out.is_empty() && data_in.is_empty() {
            return (data, None);
        }
        if let Outcome::Established(parameters) = client.reply(Status::Good(&data_in)).unwrap() {
            let ds_sai = parameters.ds_sai;
            let delete = client::delete(&config, *parameters, &mut ours).unwrap();
            return (data, Some((ds_sai, delete.data_out.to_vec())));
        }
    }
}

impl Exchange {
    /// The n-th exchange by shared keys.
    pub(crate) fn authenticated(sequence: usize) -> Self {
        let (mut right, end) = record(sequence, IKE_AUTH_SHARED_KEY, b"host's key");
        let (mut wrong, failed) = record(sequence, IKE_AUTH_SHARED_KEY, b"another key");
        assert!(failed.is_none() && right[..3] == wrong[..3] && right[3] != wrong[3]);
        let (ds_sai, delete) = end.unwrap();
        let mut take = |at: usize| std::mem::take(&mut right[at]);
        Self {
            ds_sai,
            key_exchange_out: take(1),
            key_exchange_in: take(2),
            authentication_out: take(3),
            wrong_authentication_out: std::mem::take(&mut wrong[3]),
            authentication_in: take(4),
            delete,
        }
    }

    /// The n-th exchange without the Authentication phase.
    pub(crate) fn unauthenticated(sequence: usize) -> Self {
        let (mut data, end) = record(sequence, IKE_AUTH_NONE, b"host's key");
        let (ds_sai, delete) = end.unwrap();
        let mut take = |at: usize| std::mem::take(&mut data[at]);
        Self {
            ds_sai,
            key_exchange_out: take(1),
            key_exchange_in: take(2),
            authentication_out: Vec::new(),
            wrong_authentication_out: Vec::new(),
            authentication_in: Vec::new(),
            delete,
        }
    }
}
