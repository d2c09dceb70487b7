//! SPC-4: whatever the application client does or leaves, both sides agree about it.

use ikev2_scsi::algorithm::{
    self, AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AlgorithmType, ECP_256, ENCR_NULL, IKE_AUTH_NONE,
    IKE_AUTH_SHARED_KEY, INTEG_NONE,
};
use ikev2_scsi::client::{
    ApplicationClient, ClientConfigBuilder, ClientError, Fault, Leftover, Outcome, Status, Step, SuiteIdentifiers,
    UsageIdentifiers,
};
use ikev2_scsi::dialect::{Asc, SenseCodes};
use ikev2_scsi::sense::{Sense, SenseKey, SequenceCommand};
use ikev2_scsi::wire::{Descriptor, Timeouts};
use ikev2_scsi::{DeviceServer, Policy, Profile};

use super::pair::*;
use super::{establish_and_delete, suites};
use crate::provider;

/// A curve, since the exchanges are many.
const QUICK: SuiteIdentifiers = SuiteIdentifiers { group: ECP_256.identifier, ..MANDATORY };
const QUICK_UNAUTHENTICATED: SuiteIdentifiers = SuiteIdentifiers { authentication: IKE_AUTH_NONE, ..QUICK };

fn server4() -> DeviceServer {
    let mut policy = Policy::default();
    // It has shared keys only.
    (policy.allow_no_authentication, policy.waive_complete_row) = (true, true);
    server_builder().profile(Profile::SPC4).policy(policy).build().unwrap()
}

fn client4(suite: SuiteIdentifiers) -> ClientConfigBuilder {
    client_builder(suite).profile(Profile::SPC4)
}

fn is_of_spc4(kind: AlgorithmType, identifier: u32) -> bool {
    algorithm::number_of(Profile::SPC4, kind, identifier).is_some()
}

/// Those suites that SPC-4 has numbers for, and that protect an exchange.
fn suites4() -> Vec<SuiteIdentifiers> {
    let has = |suite: &SuiteIdentifiers| {
        suite.encryption != ENCR_NULL.identifier
            && is_of_spc4(AlgorithmType::Encryption, suite.encryption)
            && is_of_spc4(AlgorithmType::PseudoRandom, suite.pseudo_random)
            && is_of_spc4(AlgorithmType::Integrity, suite.integrity)
            && is_of_spc4(AlgorithmType::DiffieHellman, suite.group)
    };
    suites().into_iter().filter(has).collect()
}

#[test]
fn every_suite_of_spc4_establishes_an_association_and_deletes_it() {
    let mut server = server4();
    let mut random = Numbers(1);
    let suites = suites4();
    assert!(suites.len() >= 45, "{} suites", suites.len());
    for (index, suite) in suites.into_iter().enumerate() {
        for authentication in [IKE_AUTH_SHARED_KEY, IKE_AUTH_NONE] {
            let suite = SuiteIdentifiers { authentication, ..suite };
            let config = client4(suite).short_algorithms(index % 2 == 1).build().unwrap();
            establish_and_delete(config, &mut server, &mut random);
        }
    }
}

#[test]
fn every_use_of_an_association_has_its_keys_on_both_sides() {
    let provider = provider::provider();
    let mut server = server4();
    let mut random = Numbers(2);
    let mut made = 0;
    for cipher in provider.ciphers.iter().filter(|c| is_of_spc4(AlgorithmType::Encryption, c.identifier())) {
        for key_length in cipher.key_lengths() {
            let separate = provider.integrity.iter().map(|integrity| integrity.identifier());
            let integrity: Vec<_> = if cipher.is_combined() { vec![INTEG_NONE] } else { separate.collect() };
            for integrity in integrity.into_iter().filter(|id| is_of_spc4(AlgorithmType::Integrity, *id)) {
                let usage = UsageIdentifiers { encryption: cipher.identifier(), key_length: *key_length, integrity };
                for suite in [QUICK, QUICK_UNAUTHENTICATED] {
                    let config = client4(suite).usage_algorithms(usage).build().unwrap();
                    establish_and_delete(config, &mut server, &mut random);
                    made += 1;
                }
            }
        }
    }
    assert!(made >= 26, "{made}");
}

#[test]
fn settings_reach_both_halves_of_an_association() {
    let usage = UsageIdentifiers {
        encryption: ENCR_NULL.identifier,
        key_length: 0,
        integrity: AUTH_HMAC_SHA2_256_128.identifier,
    };
    for suite in [QUICK, QUICK_UNAUTHENTICATED] {
        let config = client4(suite)
            .timeouts(Timeouts { protocol: 0, inactivity: 0 })
            .nonce_length(256)
            .usage_algorithms(usage)
            .build()
            .unwrap();
        let mut server = server4();
        let parameters = run(&mut ApplicationClient::new(config), &mut server, &mut Numbers(3)).unwrap();
        assert_shared(&server, &parameters);
        assert_eq!((parameters.timeout, parameters.keymat().len()), (10, 64));
        assert_eq!((parameters.ac_nonce().len(), parameters.key_seed().len()), (0, 0));
    }
}

/// A sequence that is over leaves the nexus to the next one.
fn assert_free(server: &mut DeviceServer) {
    let mut client = ApplicationClient::new(client4(QUICK).build().unwrap());
    run(&mut client, server, &mut Numbers(77)).unwrap();
}

/// SPC-4 5.14.4.10: given up at any command, the device server holds neither a sequence nor an association.
#[test]
fn what_is_given_up_is_given_up_on_both_sides() {
    let last = [(QUICK, Step::AuthenticationIn), (QUICK_UNAUTHENTICATED, Step::KeyExchangeIn)];
    for (suite, last) in last {
        let mut ended_by_delete = 0;
        for commands in 0..=5 {
            let mut server = server4();
            let mut random = Numbers(4);
            let mut client = ApplicationClient::new(client4(suite).build().unwrap());
            for _ in 0..commands {
                let Ok(command) = client.next_command(&mut random) else { break };
                if client.step() == last {
                    // Its answer would make the association.
                    client.abandon();
                }
                let answer = send(&mut server, &command, &mut random).unwrap();
                client.reply(answer.status()).unwrap();
                if client.failure().is_some() {
                    break;
                }
            }
            client.abandon();
            let error = run(&mut client, &mut server, &mut random).unwrap_err();
            assert_eq!(error.fault, Fault::GivenUp, "after {commands} commands");
            ended_by_delete += usize::from(error.leftover == Leftover::Deleted);
            assert!(server.sas().is_empty());
            assert_free(&mut server);
        }
        assert!(ended_by_delete >= 3);
    }
}

/// One exchange, the Data-In of one step changed by `change`; when nothing is left over, the nexus is free.
fn tampered(suite: SuiteIdentifiers, at: Step, change: impl Fn(&mut Vec<u8>)) -> Result<(), ClientError> {
    let mut server = server4();
    let mut client = ApplicationClient::new(client4(suite).build().unwrap());
    let result = run_with(&mut client, &mut server, &mut Numbers(99), |step, _, data_in| {
        if step == at {
            change(data_in);
        }
    });
    if let Err(error) = &result {
        assert!(server.sas().is_empty(), "{error}");
        if matches!(error.leftover, Leftover::Deleted | Leftover::Nothing) {
            assert_free(&mut server);
        }
    }
    result.map(|_| ())
}

fn honest_length(at: Step) -> usize {
    let length = std::cell::Cell::new(0);
    tampered(QUICK, at, |data_in| length.set(data_in.len())).unwrap();
    length.get()
}

/// Both sides sign the capabilities, so that a change of them is noticed by the device server (SPC-4 7.7.3.5.7).
#[test]
fn no_byte_of_the_capabilities_can_be_changed() {
    for byte in 0..honest_length(Step::Capabilities) {
        let result = tampered(QUICK, Step::Capabilities, |data_in| data_in[byte] ^= 0x01);
        let error = result.unwrap_err();
        let refused = error.step == Step::AuthenticationOut || error.step == Step::KeyExchangeOut;
        assert!(error.step == Step::Capabilities || refused, "byte {byte}: {error}");
        assert_eq!(error.leftover, Leftover::Nothing, "byte {byte}: {error}");
    }
}

/// Neither restricted bytes nor reserved ones, which the message's own checks pass over.
#[test]
fn no_byte_of_the_key_exchange_in_can_be_changed() {
    for byte in 0..honest_length(Step::KeyExchangeIn) {
        let result = tampered(QUICK, Step::KeyExchangeIn, |data_in| data_in[byte] ^= 0x01);
        let error = result.expect_err(&format!("byte {byte}"));
        assert!(error.step != Step::Capabilities, "byte {byte}: {error}");
    }
}

#[test]
fn no_byte_of_the_authentication_in_can_be_changed() {
    for byte in 0..honest_length(Step::AuthenticationIn) {
        for mask in [0x01, 0x80] {
            let result = tampered(QUICK, Step::AuthenticationIn, |data_in| data_in[byte] ^= mask);
            let error = result.expect_err(&format!("byte {byte}"));
            assert_eq!((error.step, error.leftover), (Step::AuthenticationIn, Leftover::Deleted), "{error}");
            // The ICV covers what the header's checks do not look at.
            assert!(matches!(error.fault, Fault::Data(_)), "{error}");
        }
    }
}

/// SPC-4 7.7.3.8.2: what anybody could have sent does not end the sequence; the client that is refused so ends it.
#[test]
fn an_authentication_out_that_is_changed_on_its_way_is_followed_by_the_delete() {
    for byte in [7, 15, 16, 17, 19, 23, 27, 40, 60, 100] {
        let mut server = server4();
        let mut random = Numbers(5);
        let mut client = ApplicationClient::new(client4(QUICK).build().unwrap());
        let error = loop {
            let mut command = client.next_command(&mut random).unwrap();
            if client.step() == Step::AuthenticationOut {
                let mut changed = command.data_out.to_vec();
                changed[byte] ^= 0x10;
                command.data_out = changed.into();
            }
            let answer = send(&mut server, &command, &mut random).unwrap();
            match client.reply(answer.status()) {
                Ok(Outcome::Continue) => {}
                Ok(outcome) => panic!("byte {byte}: {outcome:?}"),
                Err(error) => break error,
            }
        };
        let Fault::Refused(sense) = error.fault else { panic!("byte {byte}: {error}") };
        assert_eq!((error.step, sense.key, sense.asc), (Step::AuthenticationOut, 5, Asc::new(0x74, 0x11)));
        assert_eq!(error.leftover, Leftover::Deleted, "byte {byte}");
        assert_free(&mut server);
    }
}

/// SPC-4 7.7.3.5.7: one wrong AUTH, and the sequence is gone on both sides.
#[test]
fn who_does_not_authenticate_itself_leaves_nothing() {
    let config = |own: &[u8], peer: &[u8]| client4(QUICK).preshared_keys(keys(own, &drive(), peer)).build().unwrap();
    let mut server = server4();
    let mut client = ApplicationClient::new(config(b"not the key of host-1", SERVER_KEY));
    let error = run(&mut client, &mut server, &mut Numbers(6)).unwrap_err();
    assert_eq!((error.step, error.leftover), (Step::AuthenticationOut, Leftover::Nothing));
    assert!(matches!(error.fault, Fault::Refused(sense) if (sense.key, sense.asc) == (0xB, Asc::new(0x74, 0x40))));
    assert_free(&mut server);
    let mut server = server4();
    let mut client = ApplicationClient::new(config(CLIENT_KEY, b"not the key of drive-9"));
    let error = run(&mut client, &mut server, &mut Numbers(7)).unwrap_err();
    assert_eq!((error.step, error.leftover), (Step::AuthenticationIn, Leftover::Deleted));
    assert_eq!(error.fault, Fault::AuthenticationFailed);
    assert!(server.sas().is_empty());
    assert_free(&mut server);
}

/// Question Q34: what the application client infers from sense data is what the device server does, by SPC-4 table 83.
#[test]
fn the_client_infers_what_the_device_server_does() {
    let codes = SenseCodes::Spc4;
    let told = [
        (SenseKey::NotReady, codes.operation_in_progress()),
        (SenseKey::IllegalRequest, codes.parameter_value_rejected()),
        (SenseKey::IllegalRequest, codes.parameter_value_invalid()),
        (SenseKey::IllegalRequest, codes.parameter_not_supported()),
        (SenseKey::IllegalRequest, codes.invalid_field_in_cdb()),
        (SenseKey::IllegalRequest, codes.invalid_command_sequence()),
        (SenseKey::IllegalRequest, codes.insufficient_resources()),
        (SenseKey::AbortedCommand, codes.authentication_failed()),
        (SenseKey::AbortedCommand, codes.internal_target_failure()),
        (SenseKey::AbortedCommand, codes.conflicting_request()),
        (SenseKey::HardwareError, codes.internal_target_failure()),
    ];
    for (step, command) in
        [(Step::KeyExchangeIn, SequenceCommand::In), (Step::AuthenticationOut, SequenceCommand::AuthenticationOut)]
    {
        for (key, asc) in told {
            let sense = Sense { key, asc, ..Sense::NONE };
            let mut server = server4();
            let mut random = Numbers(10);
            let mut client = ApplicationClient::new(client4(QUICK).build().unwrap());
            let outcome = loop {
                let command = client.next_command(&mut random).unwrap();
                if client.step() == step {
                    break client.reply(Status::CheckCondition(sense.to_fixed().as_ref()));
                }
                client.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
            };
            let goes_on = match outcome {
                Ok(Outcome::Continue) => client.step() == Step::Delete,
                Ok(_) => true,
                Err(error) => error.leftover == Leftover::PerhapsSequence,
            };
            assert_eq!(goes_on, sense.keeps_sequence(command), "{step}: {key:?}, {asc}");
        }
    }
}

/// The nexus is busy with the sequence of another client: NOT READY, 04h/13h.
#[test]
fn another_sequence_on_the_nexus_is_waited_for() {
    let mut server = server4();
    let mut random = Numbers(8);
    let mut clients = [0, 1].map(|_| ApplicationClient::new(client4(QUICK).build().unwrap()));
    let [first, second] = &mut clients;
    for client in [&mut *first, &mut *second] {
        let command = client.next_command(&mut random).unwrap();
        client.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    }
    let command = first.next_command(&mut random).unwrap();
    first.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let command = second.next_command(&mut random).unwrap();
    let outcome = second.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let Outcome::SendAgain(sense) = outcome else { panic!("{outcome:?}") };
    assert_eq!(sense.asc, Asc::new(0x04, 0x13));
    run(first, &mut server, &mut random).unwrap();
    run(second, &mut server, &mut random).unwrap();
    assert_eq!(server.sas().len(), 2);
}

/// SPC-4 5.14.4.5: capabilities kept from earlier are read anew when the device server says that they have changed.
#[test]
fn capabilities_that_have_changed_are_read_anew() {
    let mut server = server4();
    let mut random = Numbers(9);
    let config = std::sync::Arc::new(client4(QUICK).build().unwrap());
    let mut reader = ApplicationClient::new(config.clone());
    let command = reader.next_command(&mut random).unwrap();
    reader.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let old = reader.capabilities().cloned().unwrap();
    let sha1 = algorithm::number_of(Profile::SPC4, AlgorithmType::Integrity, AUTH_HMAC_SHA1_96.identifier);
    let fewer: Vec<Descriptor> = old.descriptors().iter().filter(|d| Some(d.identifier) != sha1).copied().collect();
    assert!(fewer.len() < old.descriptors().len());

    // A client that reads them makes them take effect; with the old ones nobody gets further than his authentication.
    let mut stale = ApplicationClient::with_capabilities(config.clone(), old.clone());
    server.set_capabilities(&fewer).unwrap();
    let mut reader = ApplicationClient::new(config.clone());
    let command = reader.next_command(&mut random).unwrap();
    reader.reply(send(&mut server, &command, &mut random).unwrap().status()).unwrap();
    let told = stale.next_command(&mut random).unwrap();
    let unit_attention = [0x72, 6, 0x2A, 0x14, 0, 0, 0, 0];
    assert!(matches!(stale.reply(Status::CheckCondition(&unit_attention)), Ok(Outcome::SendAgain(_))));
    assert!(!told.data_out.is_empty() && stale.step() == Step::Capabilities);
    let error = run(&mut stale, &mut server, &mut random).unwrap_err();
    assert_eq!((error.step, error.leftover), (Step::KeyExchangeOut, Leftover::Nothing));
    assert!(matches!(error.fault, Fault::NothingInCommon(AlgorithmType::Integrity)), "{error}");

    let mut untold = ApplicationClient::with_capabilities(config, old);
    let error = run(&mut untold, &mut server, &mut random).unwrap_err();
    assert!(matches!(error.fault, Fault::Refused(_)), "{error}");
    assert_eq!(error.leftover, Leftover::Nothing);
}

/// SPC-4 table 556 note c: an IN may be repeated, and the answer that arrives is the one that counts.
#[test]
fn an_in_whose_data_were_lost_is_sent_again() {
    let mut server = server4();
    let mut random = Numbers(12);
    let mut client = ApplicationClient::new(client4(QUICK).build().unwrap());
    let parameters = loop {
        let command = client.next_command(&mut random).unwrap();
        if command.data_out.is_empty() {
            assert!(send(&mut server, &command, &mut random).unwrap().good, "lost on its way");
            assert_eq!(client.next_command(&mut random).unwrap(), command);
        }
        let answer = send(&mut server, &command, &mut random).unwrap();
        match client.reply(answer.status()).unwrap() {
            Outcome::Continue => assert_eq!(client.failure(), None),
            Outcome::SendAgain(sense) => panic!("{sense}"),
            Outcome::Established(parameters) => break parameters,
        }
    };
    assert_shared(&server, &parameters);
}
