//! How often a device server allocates for one association: what it keeps, and nothing else.
//!
//! The allocator counts. What is allocated inside the calls of the provider and of a signer is counted apart: that is theirs, and their
//! dependencies'. The tables that all sequences share have grown before, by other exchanges; the first of all
//! is told as well ("at first").
#![cfg(all(feature = "rustcrypto", feature = "client"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test may panic, and shows its table"
)]
#![allow(dead_code, reason = "a part of the pair is used")]

#[path = "allocations/counted.rs"]
mod counted;
#[path = "client/pair.rs"]
mod pair;
#[path = "support/provider.rs"]
mod provider;

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ikev2_scsi::algorithm::{
    AUTH_HMAC_SHA2_256_128, ECP_256, ENCR_AES_CBC, ENCR_AES_GCM_16, IKE_AUTH_ECDSA_256, INTEG_NONE, PRF_HMAC_SHA2_256,
};
use ikev2_scsi::client::{
    self, ApplicationClient, ClientConfig, ClientConfigBuilder, Command, Outcome, Preferences, Status, Step,
    SuiteIdentifiers,
};
use ikev2_scsi::crypto::{Credential, CryptoProvider, Identity, KnownKeys, Signer};
use ikev2_scsi::server::Builder;
use ikev2_scsi::wire::{Message, Payload};
use ikev2_scsi::{DeviceServer, Instant, Policy, Profile, Reply, Request};
use pair::{CLIENT_KEY, MANDATORY, NEXUS, Numbers, SERVER_KEY, drive, host, keys};
use provider::EcdsaSigner;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations made inside the provider and what is like it.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

fn allocations() -> usize {
    let stats = HEAP.stats();
    stats.allocations + stats.reallocations
}

/// Counts what a call of the provider allocates.
fn inside<R>(call: impl FnOnce() -> R) -> R {
    let before = allocations();
    let result = call();
    INSIDE.fetch_add(allocations() - before, Ordering::Relaxed);
    result
}

/// The most that one association may take.
const MOST: usize = 8;

/// P-256, AES-GCM and HMAC-SHA-256.
const ECP: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_GCM_16.identifier,
    key_length: 16,
    pseudo_random: PRF_HMAC_SHA2_256.identifier,
    integrity: INTEG_NONE,
    group: ECP_256.identifier,
    ..MANDATORY
};
const ECP_SEPARATE: SuiteIdentifiers = SuiteIdentifiers {
    encryption: ENCR_AES_CBC.identifier,
    integrity: AUTH_HMAC_SHA2_256_128.identifier,
    authentication: IKE_AUTH_ECDSA_256,
    ..ECP
};
const ECDSA: SuiteIdentifiers = SuiteIdentifiers { authentication: IKE_AUTH_ECDSA_256, ..ECP };

/// What an exchange is besides its suite.
#[derive(Clone, Copy, Default)]
struct Setup {
    /// Both sides sign; otherwise they have shared keys.
    signs: bool,
    /// Both sides send certificates, and ask for them.
    certificates: bool,
    /// The client makes its Initial Contact.
    initial_contact: bool,
}

/// The signer of a private value on P-256 (RFC 5915, RFC 5958).
fn signer(private: u8) -> Arc<dyn Signer> {
    let mut der = vec![0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
    der.extend([6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20]);
    der.extend([private; 32]);
    Arc::new(counted::Signing(Arc::new(EcdsaSigner::from_pkcs8_der(&der).unwrap())))
}

const DRIVE: u8 = 3;
const HOST: u8 = 5;

/// Whoever knows the key of the other side; with certificates, of which the key is the first.
fn known(identity: Identity, private: u8, setup: Setup) -> Arc<counted::Known> {
    let mut keys = KnownKeys::new();
    keys.set(identity, signer(private).public_key());
    Arc::new(counted::Known { keys, certificates: setup.certificates })
}

fn credential(private: u8, setup: Setup) -> Credential {
    let signer = signer(private);
    let key = signer.public_key();
    if setup.certificates {
        Credential::with_certificates(signer, &[&key.bytes, b"another"])
    } else {
        Credential::new(signer)
    }
}

fn device_server(provider: CryptoProvider, profile: Profile, setup: Setup) -> Builder {
    let mut policy = Policy::default();
    policy.waive_complete_row = true;
    let builder = DeviceServer::builder(provider).profile(profile).policy(policy).identity(drive());
    match setup.signs {
        true => builder.credential(credential(DRIVE, setup)).validator(known(host(), HOST, setup)),
        false => builder.preshared_keys(keys(SERVER_KEY, &host(), CLIENT_KEY)),
    }
}

fn client(suite: SuiteIdentifiers, profile: Profile, setup: Setup) -> ClientConfigBuilder {
    let builder =
        ClientConfig::builder(provider::provider(), host()).profile(profile).preferences(Preferences::exactly(suite));
    let builder = builder.initial_contact(setup.initial_contact);
    match setup.signs {
        true => builder.credential(credential(HOST, setup)).validator(known(drive(), DRIVE, setup)),
        false => builder.preshared_keys(keys(CLIENT_KEY, &drive(), SERVER_KEY)),
    }
}

/// Allocations of each command, without and within the provider.
type Counts = Vec<(Step, usize, usize)>;

/// Sends a command; counts what it allocates.
fn send(
    server: &mut DeviceServer,
    command: &Command,
    data_in: &mut [u8],
    random: &mut Numbers,
) -> (usize, usize, usize) {
    let mut list = command.data_out.to_vec();
    let cdb = command.cdb.to_bytes();
    let request = Request { cdb: &cdb, data_out: &mut list, data_in };
    let (before, provided) = (allocations(), INSIDE.load(Ordering::Relaxed));
    let reply = server.execute(NEXUS, request, Instant::from_millis(0), random);
    let (all, theirs) = (allocations() - before, INSIDE.load(Ordering::Relaxed) - provided);
    let Reply::Good { len } = reply else { panic!("{reply:?}") };
    // Whoever wants events takes them as they come.
    while server.poll_event().is_some() {}
    (all - theirs, theirs, len)
}

/// What becomes of an association.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Keep,
    /// There is room for the next one.
    Delete,
}

/// Makes an association.
fn exchange(server: &mut DeviceServer, config: &Arc<ClientConfig>, random: &mut Numbers, then: Then) -> Counts {
    let mut client = ApplicationClient::new(config.clone());
    let mut counts = Vec::new();
    let mut data_in = vec![0; 16_384];
    let parameters = loop {
        let command = client.next_command(random).unwrap();
        let step = client.step();
        let (ours, theirs, len) = send(server, &command, &mut data_in, random);
        counts.push((step, ours, theirs));
        if let Outcome::Established(parameters) = client.reply(Status::Good(&data_in[..len])).unwrap() {
            break *parameters;
        }
    };
    if then == Then::Delete {
        let delete = client::delete(config, parameters, random).unwrap();
        let (ours, theirs, _) = send(server, &delete, &mut data_in, random);
        counts.push((Step::Delete, ours, theirs));
    }
    counts
}

fn count(name: &str, profile: Profile, suite: SuiteIdentifiers, setup: Setup) {
    let mut server = device_server(counted::provider(), profile, setup).build().unwrap();
    let config = Arc::new(client(suite, profile, setup).build().unwrap());
    let mut random = Numbers(1);
    let first = exchange(&mut server, &config, &mut random, Then::Keep);
    (0..4).for_each(|_| drop(exchange(&mut server, &config, &mut random, Then::Keep)));
    exchange(&mut server, &config, &mut random, Then::Delete);
    let counts = exchange(&mut server, &config, &mut random, Then::Delete);
    let sum = |counts: &Counts| counts.iter().fold((0, 0), |(ours, theirs), (_, o, t)| (ours + o, theirs + t));
    let ((ours, theirs), (at_first, _)) = (sum(&counts), sum(&first));
    let each: Vec<_> = counts.iter().map(|(_, ours, theirs)| format!("{ours}+{theirs}")).collect();
    println!("| {:?} | {name} | {} | {ours} | {theirs} | {at_first} |", profile.dialect, each.join(" | "));
    assert!(ours <= MOST, "{name}: {counts:?}");
    // What is only read takes no memory: a Delete is opened, its payloads are read, and it is obeyed.
    for (step, ours, theirs) in counts {
        let reads = [Step::Capabilities, Step::KeyExchangeIn, Step::Delete].contains(&step);
        assert!(!reads || (ours, theirs) == (0, 0), "{name}, {step}: {ours} and {theirs}");
    }
}

fn associations() {
    println!(
        "| dialect | suite | capabilities | KE OUT | KE IN | AUTH OUT | AUTH IN | Delete | ours | provider's | at first |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let shared = Setup::default();
    let signs = Setup { signs: true, ..shared };
    for profile in [Profile::R3, Profile::SPC4] {
        count("shared key, MODP-2048, AES-CBC, SHA-1", profile, MANDATORY, shared);
        count("shared key, P-256, AES-GCM, SHA-256", profile, ECP, shared);
        count("the same, Initial Contact", profile, ECP, Setup { initial_contact: true, ..shared });
        count("ECDSA P-256, AES-GCM, SHA-256", profile, ECDSA, signs);
        count("ECDSA P-256, AES-CBC, SHA-256", profile, ECP_SEPARATE, signs);
        count("the same, Initial Contact", profile, ECP_SEPARATE, Setup { initial_contact: true, ..signs });
        count("the same, certificates", profile, ECP_SEPARATE, Setup { certificates: true, ..signs });
    }
}

/// Every payload of a key exchange OUT and every descriptor in it, read to its last field.
fn messages() {
    for (profile, suite) in [(Profile::R3, MANDATORY), (Profile::SPC4, ECP)] {
        let mut server = device_server(provider::provider(), profile, Setup::default()).build().unwrap();
        let mut client = ApplicationClient::new(client(suite, profile, Setup::default()).build().unwrap());
        let (mut random, mut data_in) = (Numbers(1), vec![0; 16_384]);
        let command = client.next_command(&mut random).unwrap();
        let (.., len) = send(&mut server, &command, &mut data_in, &mut random);
        client.reply(Status::Good(&data_in[..len])).unwrap();
        let list = client.next_command(&mut random).unwrap().data_out;
        let before = allocations();
        let message = Message::parse(profile, &list).unwrap();
        let payloads = message.payloads().map(|raw| Payload::parse(profile, &raw.unwrap()).unwrap());
        let descriptors = payloads.map(|payload| match payload {
            Payload::Algorithms(sca) => sca.descriptors.iter().count(),
            Payload::SaAlgorithms(algorithms) => algorithms.descriptors.iter().count(),
            _ => 0,
        });
        let count: usize = descriptors.sum();
        assert_eq!(allocations() - before, 0);
        assert!(count >= 5, "{count}");
    }
}

/// One test: nobody else allocates meanwhile.
#[test]
fn allocations_are_few() {
    associations();
    messages();
}
