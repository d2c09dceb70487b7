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
