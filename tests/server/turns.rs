//! Turns and repetition (r3 5.13.4.6; readings R23-R26, R36, R39).

use super::*;

fn progress(numerator: u32, denominator: u32) -> SenseKeySpecific {
    SenseKeySpecific::Progress(u16::try_from(65_536 * numerator / denominator).unwrap())
}

#[test]
fn a_second_sequence_waits_for_the_first() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    let mut client = host.client();
    unit.step(A, &mut client);
    for done in 0..4 {
        let mut other = Host::second().client();
        unit.step(B, &mut other);
        let command = other.next_command(&mut unit.random).unwrap();
        if done > 0 {
            let (reply, _) = unit.command(A, &command);
            let Reply::CheckCondition(sense) = reply else { panic!("{reply:?}") };
            assert_eq!((codes(&sense), sense.specific), (IN_PROGRESS, progress(done, 4)));
        }
        unit.step(A, &mut client);
    }
    assert_eq!(unit.server.sas().len(), 1, "the first was not disturbed");
}

#[test]
fn commands_out_of_their_turn_are_in_progress() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    let mut client = unit.client_before(A, &host, 1);
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS);
    unit.step(A, &mut client);
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS);
    let authentication = client.next_command(&mut unit.random).unwrap();
    unit.step(A, &mut client);
    assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), IN_PROGRESS);
    let sense = unit.refused(A, &authentication.cdb.to_bytes(), &authentication.data_out);
    assert_eq!((codes(&sense), sense.specific), (IN_PROGRESS, progress(3, 4)));
    assert!(unit.step(A, &mut client).is_some());
}

/// Reading R24: an authentication OUT whose SAIs match no sequence on the nexus.
#[test]
fn an_authentication_of_another_sequence_is_in_progress() {
    let mut unit = Unit::new(|builder| builder);
    let mut first = unit.client_before(A, &Host::first(), 2);
    let mut second = unit.client_before(B, &Host::second(), 2);
    let command = second.next_command(&mut unit.random).unwrap();
    let (reply, _) = unit.command(A, &command);
    assert!(matches!(reply, Reply::CheckCondition(sense) if codes(&sense) == IN_PROGRESS));
    for at in [0, 7, 8, 15] {
        let mut list = command.data_out.to_vec();
        list[at] ^= 1;
        assert_eq!(codes(&unit.refused(B, &command.cdb.to_bytes(), &list)), IN_PROGRESS, "byte {at}");
    }
    for length in 0..28 {
        let sense = unit.refused(B, &out(3, length), &command.data_out[..length]);
        assert_eq!((codes(&sense), sense.specific), (VALUE, in_cdb(6)), "{length} bytes");
    }
    assert!(unit.step(B, &mut second).is_none() && unit.step(B, &mut second).is_some());
    assert!(unit.step(A, &mut first).is_none() && unit.step(A, &mut first).is_some());
}

/// Reading R25.
#[test]
fn with_nothing_in_progress_only_a_key_exchange_out_begins() {
    let mut unit = Unit::new(|builder| builder);
    for cdb in [KEY_EXCHANGE_IN, AUTHENTICATION_IN] {
        let sense = unit.refused(A, &cdb, &[]);
        assert_eq!((codes(&sense), sense.specific), (SEQUENCE, in_cdb(2)));
    }
    for length in [0, 27, 28, 100] {
        let sense = unit.refused(A, &out(3, length), &vec![1; length]);
        assert_eq!((codes(&sense), sense.specific), (SEQUENCE, in_cdb(2)));
        let sense = unit.refused(A, &out(4, length), &vec![1; length]);
        let pointer = if length == 0 { in_cdb(2) } else { in_list(0) };
        assert_eq!((codes(&sense), sense.specific), (SEQUENCE, pointer), "a Delete of {length} bytes");
    }
}

#[test]
fn a_delete_that_names_nothing_leaves_the_sequence() {
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 1);
    for length in [0, 15, 16, 27] {
        let sense = unit.refused(A, &out(4, length), &vec![1; length]);
        assert_eq!((codes(&sense), sense.specific), (VALUE, in_cdb(6)), "{length} bytes");
    }
    let sense = unit.refused(A, &out(4, 92), &[1; 92]);
    assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(0)));
    while unit.step(A, &mut client).is_none() {}
}

/// Reading R26: the same bytes, until the next OUT is accepted; the last until the protocol timeout, not restarting it.
#[test]
fn data_in_may_be_fetched_again() {
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 1);
    let first = unit.send(A, &KEY_EXCHANGE_IN, &[]).1;
    unit.now = 59_999;
    assert_eq!(unit.send(A, &KEY_EXCHANGE_IN, &[]).1, first);
    assert_eq!(unit.step(A, &mut client), None);
    unit.step(A, &mut client);
    let last = unit.send(A, &AUTHENTICATION_IN, &[]).1;
    let random = unit.random.state;
    assert_eq!(unit.server.sas().len(), 1);
    unit.now += 59_999;
    assert_eq!(unit.send(A, &AUTHENTICATION_IN, &[]).1, last);
    assert_eq!(unit.random.state, random, "a repetition draws nothing");
    assert_eq!(unit.server.sas().len(), 1, "a repetition makes no second association");
    assert_eq!(codes(&unit.refused(A, &KEY_EXCHANGE_IN, &[])), SEQUENCE);
    unit.now += 1;
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), SEQUENCE);
    assert_eq!(unit.server.sas().len(), 1, "what was kept is gone, the association stays");
}

#[test]
fn a_new_sequence_ends_the_repetition_of_the_last() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    unit.establish(A, &host);
    unit.establish(A, &host);
    assert_eq!(unit.server.sas().len(), 2, "the old association and the new one live side by side (5.13.6 j)");
    unit.client_before(A, &host, 1);
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS);
}

/// Readings R19, R27, R31a.
#[test]
fn without_authentication_the_key_exchange_makes_the_association() {
    let allow = policy(|policy| policy.allow_no_authentication = true);
    let mut unit = Unit::new(|builder| builder.policy(allow));
    let host = Host::with(b"nobody", b"key", |builder| {
        let mut preferences = client::Preferences::strongest_first(&provider::provider());
        preferences.authentication = vec![ikev2_scsi::algorithm::IKE_AUTH_NONE];
        builder.preferences(preferences).allow_no_authentication(true)
    });
    let mut client = unit.client_before(A, &host, 1);
    let sense = unit.refused(A, &out(2, 28), &[0; 28]);
    assert_eq!((codes(&sense), sense.specific), (IN_PROGRESS, progress(1, 2)));
    let parameters = unit.step(A, &mut client).unwrap();
    assert_eq!(parameters.mgmt_data.next_message_id, 1);
    let again = unit.send(A, &KEY_EXCHANGE_IN, &[]).0;
    assert!(matches!(again, Reply::Good { .. }));
    assert!(unit.server.sas().iter().all(|sa| sa.application_client.is_none()));
    let delete = client::delete(&host.0, parameters, &mut unit.random).unwrap();
    assert_eq!(unit.command(B, &delete).0, Reply::Good { len: 0 });
    assert!(unit.server.sas().is_empty());
}

#[test]
fn none_is_not_offered_unless_an_administrator_says_so() {
    let mut unit = Unit::new(|builder| builder);
    let capabilities = unit.send(A, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]).1;
    let none = [0xF9, 0, 0, 12, 0, 0, 0, 0];
    assert!(!capabilities.windows(8).any(|window| window == none));
}

/// Reading R26: a refused OUT does not end the repetition of the IN before it, and a repetition is not made anew.
#[test]
fn repetition_outlives_refusals_and_other_capabilities() {
    let mut unit = Unit::new(|builder| builder);
    let wrong = Host::new(b"host-0", b"wrong key");
    let mut client = unit.client_before(A, &wrong, 1);
    let first = unit.send(A, &KEY_EXCHANGE_IN, &[]).1;
    unit.step(A, &mut client);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
    assert_eq!(unit.send(A, &KEY_EXCHANGE_IN, &[]).1, first);
    unit.server.nexus_lost(A);

    let mut client = unit.client_before(A, &Host::first(), 3);
    let mut cut = AUTHENTICATION_IN;
    (cut[8], cut[9]) = (0, 5);
    assert_eq!(unit.send(A, &cut, &[]).0, Reply::Good { len: 5 }, "reading R35");
    assert_eq!(unit.server.sas().len(), 1, "the association exists with this GOOD (reading R31a)");
    let fewer = &unit.capabilities()[1..];
    unit.server.set_capabilities(fewer).unwrap();
    assert!(unit.step(A, &mut client).is_some(), "\"now\" is the first authentication IN (reading R29)");
}

/// Readings R25, R26: a complete sequence takes a key exchange OUT, a repeated last IN, and nothing else of its own.
#[test]
fn what_a_complete_sequence_takes() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    let mut client = unit.client_before(A, &host, 0);
    let mut commands = Vec::new();
    while client.failure().is_none() {
        let Ok(command) = client.next_command(&mut unit.random) else { break };
        commands.push(command.clone());
        let (_, data_in) = unit.command(A, &command);
        client.reply(Status::Good(&data_in)).unwrap();
    }
    let [key_exchange_out, key_exchange_in, authentication_out, authentication_in] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    for refused in [key_exchange_in, authentication_out] {
        let sense = unit.refused(A, &refused.cdb.to_bytes(), &refused.data_out);
        assert_eq!((codes(&sense), sense.specific), (SEQUENCE, in_cdb(2)));
    }
    let mut foreign = authentication_out.data_out.to_vec();
    foreign[15] ^= 1;
    assert_eq!(codes(&unit.refused(A, &out(3, foreign.len()), &foreign)), SEQUENCE);
    let sense = unit.refused(A, &out(4, foreign.len()), &foreign);
    assert_eq!((codes(&sense), sense.specific), (SEQUENCE, in_list(0)));
    // A key exchange OUT that is refused leaves the last answer to be repeated; one that is accepted ends that.
    assert_eq!(codes(&unit.refused(A, &out(2, 28), &[1; 28])), VALUE);
    assert!(matches!(unit.command(A, authentication_in).0, Reply::Good { len } if len > 0));
    assert_eq!(unit.command(A, key_exchange_out).0, Reply::Good { len: 0 });
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS);
    // The other nexus has begun nothing.
    assert_eq!(codes(&unit.refused(B, &AUTHENTICATION_IN, &[])), SEQUENCE);
}

/// Reading R24: NOT READY comes before any look at the parameter data but the SAIs (reading R35).
#[test]
fn sequence_checks_come_before_parameter_data() {
    let mut unit = Unit::new(|builder| builder);
    let mut client = unit.client_before(A, &Host::first(), 1);
    for length in [0, 27, 28, 16_384] {
        let sense = unit.refused(A, &out(2, length), &vec![0; length]);
        assert_eq!((codes(&sense), sense.specific), (IN_PROGRESS, progress(1, 4)), "{length} bytes");
    }
    let sense = unit.refused(A, &out(2, 16_385), &vec![0; 16_385]);
    assert_eq!((codes(&sense), sense.specific), ((5, 0x24, 0x00), in_cdb(6)), "CDB checks come first");
    while unit.step(A, &mut client).is_none() {}
}
