//! What goes wrong inside, and limits: what each command is told, and that the sequence ends as SPC-4 table 83 says (SPC-4 5.14.4.7.2,
//! 5.14.4.10; readings R38, R40).

use std::sync::atomic::Ordering;

use super::client::{
    AUTH, CERT, CERTREQ, COMBINED_SUITE, IDI, KE, NO_AUTH, NONCE, NOTIFY, P521, SAUT, SEPARATE_SUITE, SHARED_KEY, part,
};
use super::key_exchange::replaced;
use super::*;
use ikev2_scsi::ccs::PolicyError;
use ikev2_scsi::sense::Limit;
use ikev2_scsi::server::{ConfigError, Limits};

const NONE: SenseKeySpecific = SenseKeySpecific::None;

/// The random source fails: a key exchange OUT begins nothing, an authentication IN ends its sequence.
#[test]
fn a_random_source_that_fails() {
    let mut bench = Bench::new();
    let old = bench.establish(A, COMBINED_SUITE, 0x1000);
    let kept = bench.good(A, Command::AuthenticationIn, &[]);
    bench.random.fails = true;
    let sense = bench.refused(A, Command::KeyExchangeOut, &Client::new(COMBINED_SUITE, 0x2000).key_exchange_out());
    assert_eq!((code(&sense), sense.specific), (HARDWARE, NONE));
    assert_eq!(bench.good(A, Command::AuthenticationIn, &[]), kept);
    assert!(bench.has(&old));
    bench.random.fails = false;
    let client = bench.after(A, COMBINED_SUITE, 0x3000, 3);
    bench.random.fails = true;
    let sense = bench.refused(A, Command::AuthenticationIn, &[]);
    assert_eq!((code(&sense), sense.specific), (HARDWARE, NONE));
    bench.random.fails = false;
    assert!(!bench.has(&client));
    bench.is_abandoned(A, &client);
}

/// The provider fails at the public value, and at the calculation.
#[test]
fn a_key_exchange_that_cannot_be_calculated() {
    for filling in [7, 9] {
        let mut bench = Bench::new();
        let client = Client::new(COMBINED_SUITE, 0x1000);
        let (list, _) = replaced(&client, KE, &[&[0, 14, 0, 0][..], &[filling; 16]].concat());
        assert_eq!(code(&bench.refused(A, Command::KeyExchangeOut, &list)), HARDWARE);
        assert_eq!(bench.server.phase(A), Phase::Idle);
    }
    // Elsewhere it is the key exchange IN that is told, and the sequence is gone.
    let mut bench = Bench::offloading();
    let client = Client::new(COMBINED_SUITE, 0x1000);
    let (list, _) = replaced(&client, KE, &[&[0, 14, 0, 0][..], &[9; 16]].concat());
    bench.good(A, Command::KeyExchangeOut, &list);
    let (job, now) = (bench.server.poll_job().unwrap(), bench.instant());
    assert_eq!(bench.server.complete(job.run(), &mut [], now), None);
    assert_eq!(code(&bench.refused(A, Command::KeyExchangeIn, &[])), HARDWARE);
    assert_eq!(bench.server.phase(A), Phase::Idle);
    assert_eq!(code(&bench.refused(A, Command::KeyExchangeIn, &[])), SEQUENCE);
}

/// The device behind an integrity algorithm breaks down. One test alone uses its suite.
#[test]
fn a_provider_that_fails_at_the_icv() {
    let mut bench = Bench::new();
    let old = bench.establish(B, client::FRAGILE_SUITE, 0x1000);
    let client = bench.after(A, client::FRAGILE_SUITE, 0x2000, 2);
    toys::BROKEN.store(true, Ordering::Relaxed);
    // A Delete is no command of a sequence, and ends none.
    assert_eq!(code(&bench.refused(A, Command::Delete, &old.delete())), HARDWARE);
    assert_eq!(code(&bench.refused(A, Command::Delete, &client.delete())), HARDWARE);
    assert_eq!(bench.server.phase(A), Phase::KeyExchangeIn);
    assert!(bench.has(&old));
    let sense = bench.refused(A, Command::AuthenticationOut, &client.authentication_out());
    assert_eq!((code(&sense), sense.specific), (UNABLE, NONE));
    toys::BROKEN.store(false, Ordering::Relaxed);
    bench.is_abandoned(A, &client);
}

/// A key that cannot be used now: HARDWARE ERROR, for the OUT has been GOOD.
#[test]
fn a_signer_that_fails() {
    let own = Credential::new(Arc::new(ToySigner(b"broken")));
    let mut bench = Bench::with(|builder| builder.credential(own).validator(Arc::new(First::default())));
    let client = bench.after(A, COMBINED_SUITE.with_auth([SHARED_KEY, P521]), 0x1000, 3);
    assert_eq!(code(&bench.refused(A, Command::AuthenticationIn, &[])), HARDWARE);
    assert!(!bench.has(&client));
    assert_eq!(bench.server.phase(A), Phase::Idle);
}

fn limited(change: impl Fn(&mut Limits)) -> Bench {
    let mut limits = Limits::default();
    change(&mut limits);
    Bench::with(|builder| builder.limits(limits))
}

fn reached(bench: &mut Bench, limit: Limit) {
    let told = EventKind::LimitReached { limit };
    assert!(bench.events().iter().any(|(nexus, kind)| *nexus == Some(A) && *kind == told), "{limit}");
}

/// 55h/03h: a key exchange OUT begins nothing, and what others have is not touched.
#[test]
fn limits_of_a_key_exchange_out() {
    for (limit, is_met_by_complete) in [
        (Limit::Nexuses, true),
        (Limit::Sequences, false),
        (Limit::Sas, true),
        (Limit::Payloads, false),
        (Limit::Retained, false),
    ] {
        let mut bench = limited(|limits| match limit {
            Limit::Nexuses => limits.nexuses = 1,
            Limit::Sequences => limits.sequences = 1,
            Limit::Sas => limits.sas = 1,
            Limit::Payloads => limits.payloads = 7,
            _ => limits.retained = 900,
        });
        let mut other = bench.after(B, COMBINED_SUITE, 0x1000, if is_met_by_complete { 4 } else { 1 });
        let client = Client::new(COMBINED_SUITE, 0x2000);
        let mut parts = client.key_exchange_parts();
        match limit {
            Limit::Payloads => parts.extend(vec![(0xC8, 0, vec![]); 4]),
            Limit::Retained => parts.push((0xC8, 0, vec![0; 600])),
            _ => {}
        }
        bench.events();
        let sense = bench.refused(A, Command::KeyExchangeOut, &client.plain(0, &parts));
        assert_eq!((code(&sense), sense.specific), (RESOURCES, in_cdb(2)), "{limit}");
        reached(&mut bench, limit);
        if !is_met_by_complete {
            bench.finish(B, &mut other);
        }
        assert!(bench.has(&other));
    }
}

/// Inside the Encrypted payload a limit ends the sequence; what anybody could have sent does not.
#[test]
fn limits_of_an_authentication_out() {
    let none = in_cdb(2);
    for (limit, expected, at) in [
        (Limit::Payloads, RESOURCES, none),
        (Limit::Retained, RESOURCES, none),
        (Limit::Certificates, DENIED, NONE),
        (Limit::SasPerIdentity, DENIED, NONE),
    ] {
        let mut bench = limited(|limits| match limit {
            Limit::Payloads => limits.payloads = 7,
            Limit::Retained => limits.retained = 1500,
            Limit::Certificates => limits.certificates = 1,
            _ => limits.sas_per_identity = 1,
        });
        if limit == Limit::SasPerIdentity {
            bench.establish(B, COMBINED_SUITE, 0x1000);
        }
        let client = bench.after(A, COMBINED_SUITE, 0x2000, 2);
        let mut parts = client.authentication_parts();
        match limit {
            Limit::Payloads => parts.extend(vec![(0xC8, 0, vec![]); 4]),
            Limit::Retained => parts.push(part(CERT, &[4; 1500])),
            Limit::Certificates => parts.extend(vec![part(CERT, &[4, 1]); 2]),
            _ => {}
        }
        bench.events();
        let sense = bench.refused(A, Command::AuthenticationOut, &client.sealed(1, &parts));
        assert_eq!((code(&sense), sense.specific), (expected, at), "{limit}");
        reached(&mut bench, limit);
        assert_eq!(bench.server.phase(A), Phase::Idle, "{limit}");
        assert!(!bench.has(&client));
    }
    // Outside of it.
    let mut bench = limited(|limits| limits.payloads = 7);
    let mut client = bench.after(A, COMBINED_SUITE, 0x2000, 2);
    let (_, inner) = client::link(&vec![(0xC8, 0, vec![]); 8]);
    let list = [client.header(0xC8, 1, inner.len()), inner].concat();
    assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &list)), REJECTED);
    assert_eq!(code(&bench.refused(A, Command::Delete, &list)), REJECTED);
    bench.finish(A, &mut client);
}

/// One of each payload that an authentication OUT has are seven with the Encrypted payload: that many are always taken.
#[test]
fn the_least_limit_of_payloads() {
    let mut limits = Limits::default();
    limits.payloads = 6;
    assert!(matches!(builder().limits(limits).build().map(|_| ()), Err(ConfigError::PayloadLimit)));
    limits.payloads = 7;
    let mut bench = Bench::with(|builder| signing(builder.limits(limits), 0).0);
    let client = bench.after(A, COMBINED_SUITE.with_auth([SHARED_KEY, P521]), 0x1000, 2);
    let request = part(CERTREQ, &[&[4][..], &[9; 20]].concat());
    let [identity, usage, auth] = client.authentication_parts().try_into().unwrap();
    let parts = [identity, usage, part(CERT, &[4, 1]), request, part(NOTIFY, &client.notify()), auth];
    assert_eq!(parts.each_ref().map(|part| part.0), [IDI, SAUT, CERT, CERTREQ, NOTIFY, AUTH]);
    bench.good(A, Command::AuthenticationOut, &client.sealed(1, &parts));
}

/// SPC-4 table 73 note d: a nonce of ours is at least half as long as what the longest PRF gives.
#[test]
fn our_nonces_are_long_enough() {
    let with = |length| builder().policy(policy(|policy| policy.nonce_length = length)).build().map(|_| ());
    for (length, is_good) in [(15, false), (16, false), (31, false), (32, true), (256, true), (257, false)] {
        match with(length) {
            Ok(()) => assert!(is_good, "{length}"),
            Err(ConfigError::Policy(PolicyError::NonceLength { .. })) => assert!(!is_good, "{length}"),
            Err(other) => panic!("{other}"),
        }
    }
    let mut bench = Bench::with(|builder| builder.policy(policy(|policy| policy.nonce_length = 64)));
    let client = bench.after(A, SEPARATE_SUITE, 0x1000, 2);
    assert_eq!((client.their_nonce.len(), NONCE), (64, 0x28));
}

/// r3's policies that SPC-4 has no use for are no obstacle; what r3 does not have is refused there.
#[test]
fn policies_of_the_other_dialect() {
    let one = policy(|policy| {
        policy.one_sequence = true;
        policy.usage_types = vec![UsageType::TAPE_DATA_ENCRYPTION].into();
    });
    let r3 = builder().profile(Profile::R3).policy(one);
    assert!(matches!(r3.build().map(|_| ()), Err(ConfigError::Policy(PolicyError::OneSequence))));
    let mut bench = limited(|limits| limits.auth_failures = 200);
    let client = bench.after(A, COMBINED_SUITE.with_auth([SHARED_KEY; 2]), 0x1000, 2);
    let wrong = Client { key: b"wrong".to_vec(), ..client.clone() };
    assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &wrong.authentication_out())), DENIED);
    bench.is_abandoned(A, &client);
    assert_ne!(client.suite.auth, [NO_AUTH; 2]);
}
