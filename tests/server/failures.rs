//! Failed authentications, limits, and failures inside (readings R23, R31a, R32, R40).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ikev2_scsi::SlowCrypto;
use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::crypto::{CryptoError, DhGroup, KeyVersion, PresharedKeys, Prf, PskError};
use ikev2_scsi::dialect::Profile;
use ikev2_scsi::server::DropReason;
use ikev2_scsi::wire::Identification;

use super::*;
use crate::provider::MODP_2048;

/// Reading R23: the third failure abandons the sequence; R32: the answer tells nothing of the cause.
#[test]
fn failed_authentications_are_counted() {
    use ikev2_scsi::keys::Denial;
    let wrong = (Host::new(b"host-0", b"wrong key"), Denial::WrongAuth);
    let stranger = (Host::new(b"stranger", b"key 0"), Denial::UnknownIdentity);
    for (host, why) in [wrong, stranger] {
        let mut unit = Unit::new(|builder| builder);
        let mut client = unit.client_before(A, &host, 2);
        let command = client.next_command(&mut unit.random).unwrap();
        for failure in 1..=3 {
            let sense = unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
            assert_eq!((codes(&sense), sense.specific), (AUTHENTICATION, in_list(28)), "failure {failure}");
        }
        let events = unit.told();
        let is_failure = |told: &&(Option<NexusId>, EventKind)| matches!(told, (Some(A), EventKind::AuthenticationFailed { method: 2, why: told, .. }) if *told == why);
        assert_eq!(events.iter().filter(is_failure).count(), 3);
        let dropped = EventKind::SequenceDropped { why: DropReason::AuthenticationFailures };
        assert!(events.contains(&(Some(A), dropped)));
        assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), SEQUENCE);
        unit.establish(A, &Host::first());
    }
}

/// Reading R18: the capabilities as they are now say what is accepted.
#[test]
fn a_method_that_is_no_longer_accepted() {
    use ikev2_scsi::algorithm::{AlgorithmType, IKE_AUTH_SHARED_KEY};
    use ikev2_scsi::wire::{Capabilities, Descriptor};
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 2);
    let (_, bytes) = unit.send(A, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]);
    let offered = Capabilities::parse_parameter_data(Profile::R3, &bytes).unwrap();
    let mut list: Vec<Descriptor> = offered.descriptors.iter().collect();
    list.retain(|descriptor| descriptor.algorithm_type != AlgorithmType::Authentication.code());
    list.push(Descriptor::authentication(IKE_AUTH_SHARED_KEY, true, false));
    unit.server.set_capabilities(&list).unwrap();
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
}

/// Only failed authentications count: a message that was damaged on its way does not.
#[test]
fn a_damaged_message_may_be_sent_again() {
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    let mut damaged = command.data_out.to_vec();
    *damaged.last_mut().unwrap() ^= 0x40;
    for _ in 0..10 {
        let sense = unit.refused(A, &command.cdb.to_bytes(), &damaged);
        assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(28)));
    }
    assert!(unit.step(A, &mut client).is_none() && unit.step(A, &mut client).is_some());
}

/// Reading R40: a limit refuses, and harms nobody.
#[test]
fn limits_of_sequences_and_associations() {
    let limits = limits(|limits| {
        limits.sequences = 2;
        limits.sas = 3;
    });
    let mut unit = Unit::new(|builder| builder.limits(limits));
    let host = Host::first();
    unit.client_before(A, &host, 1);
    let mut second = unit.client_before(B, &host, 1);
    let third = NexusId(3);
    let mut client = unit.client_before(third, &host, 0);
    let command = client.next_command(&mut unit.random).unwrap();
    let (reply, _) = unit.command(third, &command);
    let Reply::CheckCondition(sense) = reply else { panic!("{reply:?}") };
    assert_eq!((codes(&sense), sense.specific), (RESOURCES, in_cdb(2)));
    unit.server.nexus_lost(A);
    while unit.step(B, &mut second).is_none() {}
    for live in 2..=3 {
        unit.establish(A, &host);
        assert_eq!(unit.server.sas().len(), live);
    }
    // Three live associations: a sequence could not make its own.
    let mut client = unit.client_before(A, &host, 0);
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::CheckCondition(sense) if codes(&sense) == RESOURCES));
    let first = unit.server.sas().iter().next().unwrap().id();
    unit.server.remove_sa(first);
    unit.establish(A, &host);
}

/// What complete sequences keep for repetition (reading R26) is bounded, and does not count as running.
#[test]
fn complete_sequences_count_as_nexuses_only() {
    let limits = limits(|limits| {
        limits.nexuses = 2;
        limits.sequences = 1;
    });
    let mut unit = Unit::new(|builder| builder.limits(limits));
    unit.establish(A, &Host::first());
    unit.establish(B, &Host::first());
    let third = NexusId(3);
    let mut client = unit.client_before(third, &Host::first(), 0);
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(third, &command).0, Reply::CheckCondition(sense) if codes(&sense) == RESOURCES));
    unit.establish(A, &Host::first());
    unit.now += 60_000;
    assert!(unit.step(third, &mut client).is_none());
}

/// A running sequence has its association's place, so that it cannot fail for want of room.
#[test]
fn a_running_sequence_has_its_place() {
    let limits = limits(|limits| limits.sas = 1);
    let mut unit = Unit::new(|builder| builder.limits(limits));
    let mut first = unit.client_before(A, &Host::first(), 1);
    let mut second = unit.client_before(B, &Host::second(), 0);
    let command = second.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(B, &command).0, Reply::CheckCondition(sense) if codes(&sense) == RESOURCES));
    while unit.step(A, &mut first).is_none() {}
}

#[test]
fn a_limit_for_each_identity_is_a_failed_authentication() {
    let limits = limits(|limits| limits.sas_per_identity = 1);
    let mut unit = Unit::new(|builder| builder.limits(limits));
    unit.establish(A, &Host::first());
    let mut client = unit.client_before(A, &Host::first(), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
    unit.establish(B, &Host::second());
    let contact = Host::with(b"host-0", b"key 0", |builder| builder.initial_contact(true));
    unit.server.nexus_lost(A);
    unit.establish(A, &contact);
    assert_eq!(unit.server.sas().len(), 2, "an Initial Contact makes its own room");
}

/// An Initial Contact counts what it will not remove: what another nexus is about to get.
#[test]
fn an_initial_contact_keeps_the_limit_of_its_identity() {
    let limits = limits(|limits| limits.sas_per_identity = 1);
    let mut unit = Unit::new(|builder| builder.limits(limits));
    let mut plain = unit.client_before(A, &Host::first(), 3);
    let contact = Host::with(b"host-0", b"key 0", |builder| builder.initial_contact(true));
    let mut client = unit.client_before(B, &contact, 2);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(codes(&unit.refused(B, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
    assert!(unit.step(A, &mut plain).is_some());
    assert!(unit.step(B, &mut client).is_none() && unit.step(B, &mut client).is_some());
    assert_eq!(unit.server.sas().len(), 1);
}

/// A random source that fails: HARDWARE ERROR, and the sequence is where it was.
#[test]
fn a_random_source_that_fails() {
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 0);
    let command = client.next_command(&mut unit.random).unwrap();
    unit.random.fails = true;
    let sense = unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
    assert_eq!((codes(&sense), sense.specific), (INTERNAL, SenseKeySpecific::None));
    unit.random.fails = false;
    for _ in 0..3 {
        assert!(unit.step(A, &mut client).is_none());
    }
    unit.random.fails = true;
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), INTERNAL);
    assert!(unit.server.sas().is_empty());
    unit.random.fails = false;
    assert!(unit.step(A, &mut client).is_some());
}

/// MODP-2048 whose calculation fails the first times.
struct Flaky(AtomicUsize);

impl DhGroup for Flaky {
    fn identifier(&self) -> u32 {
        MODP_2048.identifier()
    }
    fn public_length(&self) -> usize {
        MODP_2048.public_length()
    }
    fn shared_length(&self) -> usize {
        MODP_2048.shared_length()
    }
    fn private_length(&self) -> usize {
        MODP_2048.private_length()
    }
    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        MODP_2048.check_public(public)
    }
    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        MODP_2048.draw_private(random, out)
    }
    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Err(CryptoError::Device);
        }
        self.0.store(0, Ordering::Relaxed);
        MODP_2048.public(private, out)
    }
    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        MODP_2048.agree(private, peer, out)
    }
}

fn flaky() -> CryptoProvider {
    let group: &'static Flaky = Box::leak(Box::new(Flaky(AtomicUsize::new(2))));
    let groups: &'static [&'static dyn DhGroup] = Box::leak(Box::new([group as &dyn DhGroup]));
    CryptoProvider { groups, ..provider::provider() }
}

#[test]
fn a_calculation_that_fails_inline_begins_nothing() {
    let mut unit = Unit::over(flaky(), |builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 0);
    let command = client.next_command(&mut unit.random).unwrap();
    for _ in 0..2 {
        assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), INTERNAL);
        assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), SEQUENCE);
    }
    while unit.step(A, &mut client).is_none() {}
}

/// Offloaded, the key exchange OUT is answered before: the key exchange IN is told, and it is tried again.
#[test]
fn a_calculation_that_fails_offloaded_is_tried_again() {
    let offload = policy(|policy| policy.slow_crypto = SlowCrypto::Offload);
    let mut unit = Unit::over(flaky(), |builder| builder.policy(offload));
    unit.client_before(A, &Host::first(), 1);
    for _ in 0..2 {
        let (done, now) = (unit.run_job(), unit.instant());
        assert_eq!(unit.server.complete(done, &mut [], now), None);
        assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), INTERNAL);
        assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), CALCULATING);
    }
    let (done, now) = (unit.run_job(), unit.instant());
    assert_eq!(unit.server.complete(done, &mut [], now), None);
    assert!(matches!(unit.send(A, &KEY_EXCHANGE_IN, &[]).0, Reply::Good { .. }));
}

#[test]
fn configurations_that_cannot_work() {
    use ikev2_scsi::ccs::PolicyError;
    use ikev2_scsi::crypto::CredentialError;
    use ikev2_scsi::server::ConfigError;
    use ikev2_scsi::wire::IdType;
    let build = |configure: &dyn Fn(Builder) -> Builder| {
        let builder = DeviceServer::builder(provider::provider()).identity(Identity::key_id(DRIVE));
        configure(builder.preshared_keys(keys(b"own", &[]))).build().err()
    };
    assert_eq!(build(&|builder| builder), None);
    let no_keys = DeviceServer::builder(provider::provider()).identity(Identity::key_id(DRIVE)).build();
    assert_eq!(no_keys.err(), Some(ConfigError::NoKeys));
    assert_eq!(DeviceServer::builder(provider::provider()).build().err(), Some(ConfigError::NoIdentity));
    let name = Identity::new(IdType::DerAsn1Dn, &[0x30, 0]);
    assert_eq!(
        build(&|builder| builder.identity(name.clone())),
        Some(CredentialError::IdentityNeedsCertificate.into())
    );
    for own in [0x00, 0x40, 0x41] {
        assert_eq!(build(&|builder| builder.other_protocols(&[own])), Some(ConfigError::OwnProtocol(own)));
    }
    let [fits, long] = [8192, 8193].map(|length| Identity::key_id(&vec![b'x'; length]));
    assert_eq!(build(&|builder| builder.identity(fits.clone())), None);
    assert_eq!(build(&|builder| builder.identity(long.clone())), Some(ConfigError::IdentityTooLong));
    let small = limits(|limits| limits.parameter_list = 16_383);
    assert_eq!(build(&|builder| builder.limits(small)), Some(ConfigError::ParameterListLimit));
    let few = limits(|limits| limits.payloads = 5);
    assert_eq!(build(&|builder| builder.limits(few)), Some(ConfigError::PayloadLimit));
    let zeros: [fn(&mut Limits); 8] = [
        |limits| limits.auth_failures = 0,
        |limits| limits.nexuses = 0,
        |limits| limits.sequences = 0,
        |limits| limits.sas = 0,
        |limits| limits.sas_per_identity = 0,
        |limits| limits.retained = 0,
        |limits| limits.jobs = 0,
        |limits| limits.events = 0,
    ];
    for zero in zeros {
        assert_eq!(build(&|builder| builder.limits(limits(zero))), Some(ConfigError::ZeroLimit));
    }
    for (change, error) in [
        ((|policy| policy.max_protocol_timeout = 0) as fn(&mut Policy), PolicyError::ZeroTimeout),
        (|policy| policy.max_inactivity_timeout = 0, PolicyError::ZeroTimeout),
        // Half the key of PRF_HMAC_SHA2_512, the longest of this provider (reading R38).
        (|policy| policy.nonce_length = 31, PolicyError::NonceLength { min: 32 }),
        (|policy| policy.nonce_length = 257, PolicyError::NonceLength { min: 32 }),
        (|policy| policy.usage_types.to_mut().clear(), PolicyError::NoUsageType),
        (|policy| policy.usage_types.to_mut().push(UsageType { code: 0x81, max_data: 0 }), PolicyError::UsageTypeTwice(0x81)),
        (|policy| policy.usage_types.to_mut().push(UsageType::CBCS), PolicyError::UsageTypeTooLong(0x8001)),
        (|policy| policy.one_sequence = true, PolicyError::OneSequence),
    ] {
        assert_eq!(build(&|builder| builder.policy(policy(change))), Some(ConfigError::Policy(error)));
    }
}

/// Reading R38: 256 bytes are the most, and are allowed; half the longest key, 32 bytes, is the least here.
#[test]
fn the_shortest_and_the_longest_nonce() {
    for length in [32, 256] {
        let mut unit = Unit::new(|builder| builder.policy(policy(|policy| policy.nonce_length = length)));
        assert_eq!(unit.establish(A, &Host::first()).ds_nonce().len(), length);
    }
}

/// The longest identity that is taken can also be told.
#[test]
fn a_long_identity() {
    let long = Identity::key_id(&[b'x'; 8192]);
    let mut unit = Unit::new(|builder| builder.identity(long.clone()));
    let mut client = unit.client_before(A, &Host::first(), 3);
    let command = client.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::Good { len } if len > 8192));
}

/// Without a key of its own the device server does not offer to use one, and what is not offered is refused.
#[test]
fn a_device_server_without_a_key_of_its_own() {
    let mut store = MemoryKeys::new();
    store.add_peer(Identity::key_id(b"host-0").as_payload(), Secret::copy_of(b"key 0")).unwrap();
    let mut unit = Unit::new(|builder| builder.preshared_keys(Arc::new(store)));
    let (_, capabilities) = unit.send(A, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]);
    assert!(capabilities.ends_with(&[0xF9, 0, 0, 12, 0, 0, 0, 2, 0x01, 0, 0, 0]), "ACCEPT without USE");
}

/// Reading R38: our nonce is half the key of every PRF that can be selected, and of no other.
#[test]
fn the_nonce_length_is_checked_against_what_is_offered() {
    use ikev2_scsi::algorithm::{AlgorithmType, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512};
    use ikev2_scsi::ccs::PolicyError;
    use ikev2_scsi::server::ConfigError;
    let kind = AlgorithmType::PseudoRandom;
    let listed = Unit::new(|builder| builder).capabilities();
    let sha2 = [PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512];
    let is_long =
        |d: &Descriptor| d.algorithm_type == kind.code() && sha2.iter().any(|prf| prf.identifier == d.identifier);
    let long: Vec<_> = listed.iter().copied().filter(is_long).collect();
    let short: Vec<_> = listed.iter().copied().filter(|d| !is_long(d)).collect();
    assert_eq!((long.len(), listed.len()), (3, short.len() + 3));
    let hidden = long.iter().map(|d| (kind, d.identifier)).collect();
    let by_policy = policy(|policy| (policy.nonce_length, policy.hidden_algorithms) = (16, hidden));
    let fixed = policy(|policy| policy.nonce_length = 16);
    let mut units = [
        Unit::new(|builder| builder.policy(by_policy)),
        Unit::new(|builder| builder.policy(fixed).fixed_capabilities(&short)),
    ];
    for unit in &mut units {
        assert_eq!(unit.capabilities(), short);
        let refused = unit.server.set_capabilities(&listed);
        assert_eq!(refused, Err(ConfigError::Policy(PolicyError::NonceLength { min: 32 })));
        assert_eq!(unit.capabilities(), short, "nothing is changed");
        unit.establish(A, &Host::first());
    }
}

/// Reading R40: an Initial Contact makes room only for what it removes, which are the associations by the same key
/// (reading R31a), and not for sequences that are about to make theirs.
#[test]
fn an_initial_contact_does_not_pass_the_limit_of_its_identity() {
    let limits = limits(|limits| limits.sas_per_identity = 1);
    let contact = Host::with(b"host-0", b"key 0", |builder| builder.initial_contact(true));
    let refused = |unit: &mut Unit, nexus: NexusId| {
        let mut client = unit.client_before(nexus, &contact, 2);
        let command = client.next_command(&mut unit.random).unwrap();
        assert_eq!(codes(&unit.refused(nexus, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
        unit.server.nexus_lost(nexus);
    };
    let mut unit = Unit::new(|builder| builder.limits(limits));
    let mut first = unit.client_before(A, &Host::first(), 3);
    refused(&mut unit, B);
    assert!(unit.step(A, &mut first).is_some());
    unit.establish(B, &contact);
    assert_eq!(unit.server.sas().len(), 1);

    let keys = Arc::new(Renewed(keys(b"drive's key", &[(b"host-0", b"key 0")]), AtomicU64::new(1)));
    let store = Arc::clone(&keys);
    let mut unit = Unit::new(|builder| builder.limits(limits).preshared_keys(store));
    let old = id(&unit.establish(A, &contact));
    keys.1.store(2, Ordering::Relaxed);
    refused(&mut unit, B);
    assert!(unit.server.remove_sa(old));
    unit.establish(B, &contact);
    unit.establish(B, &contact);
    assert_eq!(unit.server.sas().len(), 1);
}

/// Keys that count as others from one moment to the next.
struct Renewed(Arc<MemoryKeys>, AtomicU64);

impl PresharedKeys for Renewed {
    fn own(&self, prf: &dyn Prf, pad: &[u8], out: &mut [u8]) -> Result<KeyVersion, PskError> {
        self.0.own(prf, pad, out)
    }

    fn peer(
        &self,
        peer: Identification<'_>,
        prf: &dyn Prf,
        pad: &[u8],
        out: &mut [u8],
    ) -> Result<KeyVersion, PskError> {
        self.0.peer(peer, prf, pad, out)?;
        Ok(KeyVersion(self.1.load(Ordering::Relaxed)))
    }
}

/// Gives chosen device server SAIs first, then real ones.
struct ChosenSais(Vec<u64>, TestRandom);

impl Random for ChosenSais {
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
        match (purpose, self.0.pop()) {
            (Purpose::DsSai, Some(sai)) => out.copy_from_slice(&sai.to_be_bytes()),
            (_, unused) => {
                self.0.extend(unused);
                self.1.fill(purpose, out)?;
            }
        }
        Ok(())
    }
}

/// Reading R2: not 0 to 255, and not that of a live association or of a running sequence.
#[test]
fn a_device_server_sai_is_drawn_again() {
    let mut unit = Unit::new(|builder| builder);
    let live = id(&unit.establish(A, &Host::first())).ds_sai.0;
    let mut client = unit.client_before(B, &Host::first(), 1);
    unit.step(B, &mut client);
    let running = unit.send(B, &KEY_EXCHANGE_IN, &[]).1;
    let running = u64::from_be_bytes(running[8..16].try_into().unwrap());
    let mut client = unit.client_before(A, &Host::first(), 0);
    let command = client.next_command(&mut unit.random).unwrap();
    let (cdb, now) = (command.cdb.to_bytes(), unit.instant());
    let mut begin = |sais: &[u64]| {
        let state = TestRandom { state: 0xD1CE, fails: false };
        let mut random = ChosenSais(sais.iter().rev().copied().collect(), state);
        let mut data_out = command.data_out.to_vec();
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut [] };
        unit.server.execute(A, request, now, &mut random)
    };
    // A source that gives nothing usable sixteen times is broken.
    let Reply::CheckCondition(sense) = begin(&[0, 255, live, running].repeat(4)) else { panic!() };
    assert_eq!(codes(&sense), INTERNAL);
    assert_eq!(begin(&[0, 255, live, running, 256]), Reply::Good { len: 0 });
    let answer = unit.send(A, &KEY_EXCHANGE_IN, &[]).1;
    assert_eq!(answer[8..16], 256_u64.to_be_bytes());
}

/// What an association keeps has a bound.
#[test]
fn usage_data_has_a_limit() {
    let (fits, long) = (vec![7; 1024], vec![7; 1028]);
    let mut unit = Unit::new(|builder| builder);
    let host = Host::with(b"host-0", b"key 0", |builder| builder.usage(0x81, &long));
    let mut client = unit.client_before(A, &host, 0);
    let command = client.next_command(&mut unit.random).unwrap();
    let sense = unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
    // USAGE DATA LENGTH of the SCA payload, which stands after the header and the STV payload.
    assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(28 + 16 + 6)));
    let host = Host::with(b"host-0", b"key 0", |builder| builder.usage(0x81, &fits));
    assert_eq!(*unit.establish(A, &host).usage_data(), fits);
}
