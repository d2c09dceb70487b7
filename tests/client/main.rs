//! Application client and device server against each other, honest and tampered with.
#![cfg(all(feature = "client", feature = "rustcrypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod pair;
#[path = "../support/provider.rs"]
mod provider;
mod spc4;
mod tampering;

use std::sync::Arc;

use ikev2_scsi::algorithm::{ECP_256, ENCR_3DES, IKE_AUTH_NONE, IKE_AUTH_SHARED_KEY, INTEG_NONE};
use ikev2_scsi::client::{
    ApplicationClient, ClientConfig, ClientError, DeviceSenseSpecific, Fault, Leftover, Outcome, Preferences, Step,
    SuiteIdentifiers, delete,
};
use ikev2_scsi::crypto::Identity;
use ikev2_scsi::dialect::Asc;
use ikev2_scsi::wire::{Descriptor, Field, Timeouts, WireErrorKind};
use ikev2_scsi::{DeviceServer, HeaderFlags, Instant, Policy, Profile, SlowCrypto};
use pair::*;

/// Every suite that the provider can be told to use: everything else with the group that is quickest, and every group with
/// the mandatory rest.
fn suites() -> Vec<SuiteIdentifiers> {
    let provider = provider::provider();
    let mut suites = Vec::new();
    for cipher in provider.ciphers {
        for key_length in cipher.key_lengths() {
            let separate = provider.integrity.iter().map(|integrity| integrity.identifier());
            let integrity: Vec<_> = if cipher.is_combined() { vec![INTEG_NONE] } else { separate.collect() };
            for integrity in integrity {
                suites.extend(provider.prfs.iter().map(|prf| SuiteIdentifiers {
                    encryption: cipher.identifier(),
                    key_length: *key_length,
                    pseudo_random: prf.identifier(),
                    integrity,
                    group: ECP_256.identifier,
                    ..MANDATORY
                }));
            }
        }
    }
    suites.extend(provider.groups.iter().map(|group| SuiteIdentifiers { group: group.identifier(), ..MANDATORY }));
    suites
}

/// Establishes and deletes one association, comparing both halves in between.
fn establish_and_delete(config: ClientConfig, server: &mut DeviceServer, random: &mut Numbers) {
    let config = Arc::new(config);
    let mut client = ApplicationClient::new(config.clone());
    let parameters = run(&mut client, server, random).unwrap();
    assert_shared(server, &parameters);
    assert_eq!(client.failure(), None);
    assert_eq!(client.next_command(random).unwrap_err().fault, Fault::OutOfTurn);
    let command = delete(&config, *parameters, random).unwrap();
    assert!(send(server, &command, random).unwrap().good);
    assert!(server.sas().is_empty());
}

#[test]
fn every_suite_establishes_an_association_and_deletes_it() {
    let mut server = server();
    let mut random = Numbers(1);
    let suites = suites();
    assert!(suites.len() >= 138, "{} suites", suites.len());
    for suite in suites {
        for authentication in [IKE_AUTH_SHARED_KEY, IKE_AUTH_NONE] {
            let suite = SuiteIdentifiers { authentication, ..suite };
            establish_and_delete(client_builder(suite).build().unwrap(), &mut server, &mut random);
        }
    }
}

/// Reading R9: by default ENCR_3DES is not offered; where it is, `every_suite_establishes_an_association_and_deletes_it`
/// uses it, and only because it was told to.
#[test]
fn triple_des_takes_a_decision_on_both_sides() {
    let suite = SuiteIdentifiers { encryption: ENCR_3DES.identifier, key_length: 0x0E, ..MANDATORY };
    assert!(suites().iter().any(|each| (each.encryption, each.key_length) == (ENCR_3DES.identifier, 0x0E)));
    let mut strict = server_builder().policy(Policy::default()).build().unwrap();
    let mut client = ApplicationClient::new(client_builder(suite).build().unwrap());
    let error = run(&mut client, &mut strict, &mut Numbers(5)).unwrap_err();
    assert_eq!(error.step, Step::KeyExchangeOut);
    assert!(matches!(error.fault, Fault::NothingInCommon(kind) if kind.code() == 0x01));
    let mut client = ApplicationClient::new(client_builder(suite).build().unwrap());
    let mut server = server();
    let parameters = run(&mut client, &mut server, &mut Numbers(6)).unwrap();
    assert_shared(&server, &parameters);
    assert_eq!((parameters.mgmt_data.encr, parameters.mgmt_data.key_length), (ENCR_3DES.identifier, 0x0E));
    let preferences = Preferences::strongest_first(&provider::provider());
    assert!(preferences.encryption.iter().all(|(identifier, _)| *identifier != ENCR_3DES.identifier));
}

#[test]
fn strongest_first_authenticates_though_it_may_do_without() {
    let preferences = Preferences::strongest_first(&provider::provider());
    for allow in [false, true] {
        let config = client_builder(MANDATORY).preferences(preferences.clone()).allow_no_authentication(allow);
        let mut server = server();
        let mut client = ApplicationClient::new(config.build().unwrap());
        let parameters = run(&mut client, &mut server, &mut Numbers(2)).unwrap();
        assert!(server.sas().iter().all(|sa| sa.application_client.as_ref().is_some_and(|by| by.identity == host())));
        assert_eq!((parameters.mgmt_data.integ, parameters.mgmt_data.key_length), (INTEG_NONE, 32));
    }
}

#[test]
fn no_authentication_takes_both_sides() {
    let strict = || server_builder().policy(Policy::default()).build().unwrap();
    let mut client = ApplicationClient::new(client_builder(UNAUTHENTICATED).build().unwrap());
    let error = run(&mut client, &mut strict(), &mut Numbers(3)).unwrap_err();
    assert_eq!(error.step, Step::KeyExchangeOut);
    assert!(matches!(error.fault, Fault::NothingInCommon(kind) if kind.code() == 0xF9));
}

#[test]
fn usage_data_and_other_settings_reach_the_association() {
    let config = client_builder(MANDATORY)
        .usage(0x81, &[1, 2, 3, 4, 5, 6, 7, 8])
        .timeouts(Timeouts { protocol: 7, inactivity: 77 })
        .nonce_length(256)
        .expect_device_server(drive())
        .build()
        .unwrap();
    let mut server = server();
    let parameters = run(&mut ApplicationClient::new(config), &mut server, &mut Numbers(4)).unwrap();
    assert_shared(&server, &parameters);
    assert_eq!((parameters.timeout, parameters.ac_nonce().len(), parameters.usage_data().len()), (77, 256, 8));
}

/// r3 5.13.7: the calculation is waited for, and authentication commands are held for theirs.
#[test]
fn slow_cryptography_is_waited_for() {
    let mut policy = Policy::default();
    policy.slow_crypto = SlowCrypto::Offload;
    let mut server = server_builder().policy(policy).build().unwrap();
    let mut random = Numbers(5);
    let mut client = ApplicationClient::new(client_builder(MANDATORY).build().unwrap());
    let mut put_off = Vec::new();
    let parameters = loop {
        let command = client.next_command(&mut random).unwrap();
        let answered = send(&mut server, &command, &mut random);
        let mut held = None;
        if answered.as_ref().is_none_or(|answer| !answer.good) {
            let mut data_in = vec![0; 16_384];
            let done = server.poll_job().unwrap().run();
            let reply = server.complete(done, &mut data_in, Instant::from_millis(1));
            held = reply.and_then(|(_, reply)| answer(reply, data_in));
        }
        match client.reply(answered.or(held).unwrap().status()).unwrap() {
            Outcome::Continue => {}
            Outcome::SendAgain(sense) => put_off.push((client.step(), sense.asc, sense.progress())),
            Outcome::Established(parameters) => break parameters,
        }
    };
    assert_shared(&server, &parameters);
    assert_eq!(put_off, [(Step::KeyExchangeIn, Asc::new(0x04, 0x07), Some(0))]);
}

/// R24: another sequence on the nexus is waited for too.
#[test]
fn another_sequence_on_the_nexus_puts_the_key_exchange_off() {
    let mut server = server();
    let mut random = Numbers(6);
    let mut clients = [0, 1].map(|_| ApplicationClient::new(client_builder(MANDATORY).build().unwrap()));
    for client in &mut clients {
        let capabilities = client.next_command(&mut random).unwrap();
        client.reply(send(&mut server, &capabilities, &mut random).unwrap().status()).unwrap();
    }
    let [first, second] = &mut clients;
    let command = first.next_command(&mut random).unwrap();
    first.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let command = second.next_command(&mut random).unwrap();
    let outcome = second.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let Outcome::SendAgain(sense) = outcome else { panic!("{outcome:?}") };
    assert_eq!((sense.asc, sense.progress()), (Asc::new(0x00, 0x1E), Some(0x4000)));
    run(first, &mut server, &mut random).unwrap();
    run(second, &mut server, &mut random).unwrap();
    assert_eq!(server.sas().len(), 2);
}

#[test]
fn both_sides_agree_on_header_flags_or_nothing_comes_of_it() {
    let profile = Profile { header_flags: HeaderFlags::Rfc4306, ..Profile::R3 };
    let mut server = server_builder().profile(profile).build().unwrap();
    let config = client_builder(MANDATORY).profile(profile).build().unwrap();
    establish_and_delete(config, &mut server, &mut Numbers(7));
    let mut client = ApplicationClient::new(client_builder(MANDATORY).build().unwrap());
    let error = run(&mut client, &mut server, &mut Numbers(8)).unwrap_err();
    assert_eq!((error.step, error.leftover), (Step::KeyExchangeOut, Leftover::Nothing));
}

#[test]
fn initial_contact_leaves_only_the_new_association() {
    let mut server = server();
    let mut random = Numbers(9);
    for _ in 0..3 {
        run(&mut ApplicationClient::new(client_builder(MANDATORY).build().unwrap()), &mut server, &mut random).unwrap();
    }
    assert_eq!(server.sas().len(), 3);
    let config = client_builder(MANDATORY).initial_contact(true).build().unwrap();
    let parameters = run(&mut ApplicationClient::new(config), &mut server, &mut random).unwrap();
    assert_eq!(server.sas().len(), 1);
    assert_shared(&server, &parameters);
}

#[test]
fn capabilities_read_once_serve_many_exchanges() {
    let mut server = server();
    let mut random = Numbers(10);
    let config = Arc::new(client_builder(MANDATORY).build().unwrap());
    let mut first = ApplicationClient::new(config.clone());
    let command = first.next_command(&mut random).unwrap();
    first.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let capabilities = first.capabilities().cloned().unwrap();
    for expected in 1..4 {
        let mut client = ApplicationClient::with_capabilities(config.clone(), capabilities.clone());
        run(&mut client, &mut server, &mut random).unwrap();
        assert_eq!(server.sas().len(), expected);
    }
}

/// Runs an exchange that must fail and leave no association on either side.
fn failure(config: ClientConfig, server: &mut DeviceServer) -> ClientError {
    let error = run(&mut ApplicationClient::new(config), server, &mut Numbers(11)).unwrap_err();
    assert!(server.sas().is_empty());
    error
}

#[test]
fn a_client_with_a_wrong_key_is_refused() {
    let wrong = keys(b"not the key of host-1", &drive(), SERVER_KEY);
    let config = ClientConfig::builder(provider::provider(), host()).preshared_keys(wrong).build().unwrap();
    let error = failure(config, &mut server());
    assert_eq!((error.step, error.leftover), (Step::AuthenticationOut, Leftover::Nothing));
    assert!(matches!(error.fault, Fault::Refused(sense) if sense.asc == Asc::new(0x74, 0x40)));
}

#[test]
fn a_device_server_with_a_wrong_key_or_name_is_left() {
    let wrong = keys(CLIENT_KEY, &drive(), b"not the key of drive-9");
    let strange = keys(CLIENT_KEY, &Identity::key_id(b"drive-8"), SERVER_KEY);
    let config = |keys| ClientConfig::builder(provider::provider(), host()).preshared_keys(keys);
    let expecting = client_builder(MANDATORY).expect_device_server(Identity::key_id(b"drive-8"));
    let cases = [
        (config(wrong), Fault::AuthenticationFailed),
        (config(strange), Fault::NoKeyFor(drive())),
        (expecting, Fault::UnexpectedIdentity(drive())),
    ];
    for (builder, fault) in cases {
        let error = failure(builder.build().unwrap(), &mut server());
        assert_eq!(error, ClientError { step: Step::AuthenticationIn, fault, leftover: Leftover::Deleted });
    }
}

#[test]
fn a_client_without_a_key_of_its_own_says_so() {
    let mut others = ikev2_scsi::crypto::MemoryKeys::new();
    others.add_peer(drive().as_payload(), ikev2_scsi::crypto::Secret::copy_of(SERVER_KEY)).unwrap();
    let config = ClientConfig::builder(provider::provider(), host()).preshared_keys(Arc::new(others)).build();
    assert_eq!(config.unwrap_err(), ikev2_scsi::client::ClientConfigError::NoOwnKey);
}

/// Reading R29: what the device server signs is what it would report at the authentication IN.
#[test]
fn capabilities_that_change_on_the_way_are_noticed() {
    for changed_after in [Step::Capabilities, Step::KeyExchangeIn] {
        let mut server = server();
        let mut client = ApplicationClient::new(client_builder(MANDATORY).build().unwrap());
        let mut offered: Vec<Descriptor> = Vec::new();
        let result = run_with(&mut client, &mut server, &mut Numbers(12), |step, server, data_in| {
            if step == Step::Capabilities {
                let (descriptors, _) = data_in[12..].as_chunks();
                offered = descriptors.iter().map(Descriptor::from_bytes).collect();
                // The last key length of the first algorithm is not what the client selects.
                offered.remove(0);
            }
            if step == changed_after {
                server.set_capabilities(&offered).unwrap();
            }
        });
        let error = result.unwrap_err();
        assert_eq!((error.step, error.fault), (Step::AuthenticationIn, Fault::AuthenticationFailed));
        assert_eq!(error.leftover, Leftover::Deleted);
        assert!(server.sas().is_empty());
    }
}

#[test]
fn a_refusal_tells_the_field() {
    let config = client_builder(MANDATORY).timeouts(Timeouts { protocol: 61, inactivity: 1 }).build().unwrap();
    let error = failure(config, &mut server());
    let Fault::Refused(sense) = error.fault else { panic!("{error}") };
    assert_eq!((sense.key, sense.asc), (5, Asc::new(0x74, 0x30)));
    assert_eq!(sense.specific, DeviceSenseSpecific::Field { in_cdb: false, byte: 36, bit: None });
    assert_eq!(error.step, Step::KeyExchangeOut);
}

#[test]
fn an_allocation_length_that_cuts_data_in_ends_the_exchange() {
    let config = client_builder(MANDATORY).allocation_length(64).build().unwrap();
    let error = failure(config, &mut server());
    let Fault::Data(fault) = error.fault else { panic!("{error}") };
    assert_eq!(
        (error.step, fault.field, fault.kind),
        (Step::Capabilities, Field::ParameterDataLength, WireErrorKind::Length)
    );
}
