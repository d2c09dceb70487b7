//! Timers, associations, resets (r3 5.13.5, 7.7.4.8a, 7.7.4.13; readings R27, R28, R31, R31a, R37).

use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::server::{DeadlineReason, DropReason, RemovalReason};

use ikev2_scsi::wire::Timeouts;

use super::*;

/// Reading R28: the timer restarts at each command that advances the sequence, and runs out on its millisecond.
#[test]
fn the_protocol_timeout() {
    for late in [0, 1, 1_000_000] {
        let mut unit = Unit::new(|builder| builder);
        let mut client = unit.client_before(A, &Host::first(), 1);
        unit.now = 59_999;
        unit.step(A, &mut client);
        let deadline = unit.server.next_deadline().unwrap();
        assert_eq!((deadline.at.as_millis(), deadline.reason), (119_999, DeadlineReason::Protocol));
        unit.now = 119_998;
        assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), IN_PROGRESS);
        unit.now = 119_999 + late;
        assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), SEQUENCE);
        let dropped = EventKind::SequenceDropped { why: DropReason::ProtocolTimeout };
        let event = unit.events().pop().unwrap();
        assert_eq!((event.at, event.nexus, event.kind), (unit.instant(), Some(A), dropped));
        assert_eq!(unit.server.next_deadline(), None);
        let command = client.next_command(&mut unit.random).unwrap();
        let (reply, _) = unit.command(A, &command);
        assert!(matches!(reply, Reply::CheckCondition(sense) if codes(&sense) == SEQUENCE));
        unit.establish(A, &Host::first());
    }
}

/// r3 5.13.4.5, 7.7.4.12, 7.7.4.13: what the application client has asked for, where it is not what everybody asks for.
#[test]
fn timeouts_and_usage_are_those_of_the_messages() {
    let mut unit = Unit::new(|builder| {
        builder.policy(policy(|policy| policy.usage_types = [0x81, 0x42].map(UsageType::new).to_vec().into()))
    });
    let timeouts = Timeouts { protocol: 7, inactivity: 77 };
    let host = Host::with(b"host-0", b"key 0", |builder| builder.timeouts(timeouts).usage(0x42, &[1, 2, 3, 4]));
    let mut client = unit.client_before(A, &host, 1);
    let next = |unit: &Unit| unit.server.next_deadline().map(|deadline| (deadline.at.as_millis(), deadline.reason));
    assert_eq!(next(&unit), Some((7_000, DeadlineReason::Protocol)));
    for now in 1..=2 {
        unit.now = now * 1_000;
        assert!(unit.step(A, &mut client).is_none());
        assert_eq!(next(&unit), Some((unit.now + 7_000, DeadlineReason::Protocol)));
    }
    let parameters = unit.step(A, &mut client).unwrap();
    assert_eq!((parameters.timeout, parameters.usage_type, parameters.usage_data()), (77, 0x42, &[1, 2, 3, 4][..]));
    unit.now = 9_000;
    let now = unit.instant();
    assert_eq!(unit.server.sa(id(&parameters), now).unwrap().parameters, parameters);
    assert_eq!(next(&unit), Some((79_000, DeadlineReason::Inactivity)));
}

#[test]
fn the_inactivity_timeout() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::with(b"host-0", b"key 0", |builder| builder.timeouts(Timeouts { protocol: 60, inactivity: 100 }));
    let sa = id(&unit.establish(A, &host));
    unit.now = 99_999;
    let now = unit.instant();
    assert!(unit.server.touch(sa, now));
    unit.now = 199_998;
    let now = unit.instant();
    assert!(unit.server.sa(sa, now).is_some());
    let deadline = unit.server.next_deadline().unwrap();
    assert_eq!((deadline.at.as_millis(), deadline.reason), (199_999, DeadlineReason::Inactivity));
    unit.server.expire(deadline.at);
    assert!(unit.server.sas().is_empty());
    assert!(unit.told().contains(&(None, EventKind::SaRemoved { id: sa, why: RemovalReason::Inactivity })));
    assert!(!unit.server.touch(sa, now), "a clock that goes backwards brings nothing back");
}

/// r3 5.13.5, reading R31: from any nexus, once, with both SAIs and the next MESSAGE ID.
#[test]
fn delete() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    let parameters = unit.establish(A, &host);
    let other = id(&unit.establish(A, &Host::second()));
    let sa = id(&parameters);
    let command = client::delete(&host.0, parameters, &mut unit.random).unwrap();
    let cdb = command.cdb.to_bytes();
    let mut wrong = command.data_out.to_vec();
    wrong[23] = 1;
    let sense = unit.refused(B, &cdb, &wrong);
    assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(20)));
    wrong[23] = 2;
    *wrong.last_mut().unwrap() ^= 1;
    let sense = unit.refused(B, &cdb, &wrong);
    assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(28)));
    for length in 16..28 {
        let sense = unit.refused(B, &out(4, length), &command.data_out[..length]);
        assert_eq!((codes(&sense), sense.specific), (VALUE, in_cdb(6)));
    }
    let mut swapped = command.data_out.to_vec();
    swapped[8..16].copy_from_slice(&other.ds_sai.0.to_be_bytes());
    assert_eq!(codes(&unit.refused(B, &cdb, &swapped)), SEQUENCE, "the SAIs of two associations name none");
    assert_eq!(unit.server.sas().len(), 2);
    assert_eq!(unit.command(B, &command).0, Reply::Good { len: 0 });
    assert!(unit.told().contains(&(Some(B), EventKind::SaRemoved { id: sa, why: RemovalReason::Delete })));
    assert_eq!(unit.server.sas().iter().map(|sa| sa.id()).collect::<Vec<_>>(), [other]);
    assert_eq!(codes(&unit.refused(B, &cdb, &command.data_out)), SEQUENCE);
}

/// Reading R31a: after success only, the same identity by the same key only.
#[test]
fn initial_contact() {
    let mut unit = Unit::new(|builder| builder);
    let first = Host::first();
    let old = [id(&unit.establish(A, &first)), id(&unit.establish(B, &first))];
    let other = id(&unit.establish(A, &Host::second()));
    let contact = Host::with(b"host-0", b"key 0", |builder| builder.initial_contact(true));
    let mut client = unit.client_before(A, &contact, 3);
    assert_eq!(unit.server.sas().len(), 3, "an authentication OUT alone removes nothing");
    let new = id(&unit.step(A, &mut client).unwrap());
    let mut live: Vec<_> = unit.server.sas().iter().map(|sa| sa.id()).collect();
    let mut expected = [other, new];
    live.sort();
    expected.sort();
    assert_eq!(live, expected);
    let events = unit.told();
    for id in old {
        assert!(events.contains(&(Some(A), EventKind::SaRemoved { id, why: RemovalReason::InitialContact })));
    }
}

/// r3 5.13.4.4.2, 7.7.4.8a: nothing acts on an Initial Contact before both authentication commands have succeeded.
#[test]
fn an_initial_contact_of_a_phase_that_fails_is_ignored() {
    let mut unit = Unit::new(|builder| builder);
    unit.establish(A, &Host::first());
    let wrong = Host::with(b"host-0", b"wrong key", |builder| builder.initial_contact(true));
    let mut client = unit.client_before(B, &wrong, 2);
    let command = client.next_command(&mut unit.random).unwrap();
    for _ in 0..3 {
        assert_eq!(codes(&unit.refused(B, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
    }
    assert_eq!(unit.server.sas().len(), 1, "a wrong AUTH, until the sequence is abandoned");
    let contact = Host::with(b"host-0", b"key 0", |builder| builder.initial_contact(true));
    let mut client = unit.client_before(B, &contact, 3);
    unit.random.fails = true;
    assert_eq!(codes(&unit.refused(B, &AUTHENTICATION_IN, &[])), INTERNAL);
    assert_eq!(unit.server.sas().len(), 1, "an authentication IN that fails");
    unit.random.fails = false;
    let new = id(&unit.step(B, &mut client).unwrap());
    assert_eq!(unit.server.sas().iter().map(|sa| sa.id()).collect::<Vec<_>>(), [new]);
    unit.client_before(B, &contact, 3);
    unit.now += 60_000;
    let now = unit.instant();
    assert!(unit.server.sa(new, now).is_some(), "a sequence that runs out before its authentication IN");
}

/// Reading R37.
#[test]
fn nexus_loss_drops_the_sequence_and_keeps_the_associations() {
    let mut unit = Unit::new(|builder| builder);
    unit.establish(A, &Host::first());
    let mut mine = unit.client_before(A, &Host::first(), 2);
    let mut theirs = unit.client_before(B, &Host::second(), 2);
    unit.server.nexus_lost(A);
    assert!(unit.told().contains(&(Some(A), EventKind::SequenceDropped { why: DropReason::NexusLoss })));
    assert_eq!(unit.server.sas().len(), 1);
    let command = mine.next_command(&mut unit.random).unwrap();
    assert!(matches!(unit.command(A, &command).0, Reply::CheckCondition(sense) if codes(&sense) == SEQUENCE));
    assert!(unit.step(B, &mut theirs).is_none() && unit.step(B, &mut theirs).is_some());
}

#[test]
fn nexus_loss_ends_the_repetition() {
    let mut unit = Unit::new(|builder| builder);
    unit.establish(A, &Host::first());
    unit.server.nexus_lost(A);
    assert_eq!(codes(&unit.refused(A, &AUTHENTICATION_IN, &[])), SEQUENCE);
    assert_eq!(unit.server.sas().len(), 1);
}

#[test]
fn a_reset_drops_everything() {
    let mut unit = Unit::new(|builder| builder);
    let sa = id(&unit.establish(A, &Host::first()));
    unit.client_before(B, &Host::second(), 2);
    unit.server.reset();
    let events = unit.told();
    assert!(events.contains(&(None, EventKind::SaRemoved { id: sa, why: RemovalReason::Reset })));
    assert!(events.contains(&(Some(B), EventKind::SequenceDropped { why: DropReason::Reset })));
    assert!(unit.server.sas().is_empty() && unit.server.next_deadline().is_none());
    for nexus in [A, B] {
        assert_eq!(codes(&unit.refused(nexus, &AUTHENTICATION_IN, &[])), SEQUENCE);
    }
    unit.establish(B, &Host::second());
}

#[test]
fn an_administrator_removes_an_association() {
    let mut unit = Unit::new(|builder| builder);
    let sa = id(&unit.establish(A, &Host::first()));
    assert!(unit.server.remove_sa(sa) && !unit.server.remove_sa(sa));
    assert!(unit.told().contains(&(None, EventKind::SaRemoved { id: sa, why: RemovalReason::Administrator })));
}

/// Both sides hold the same parameters, by the standard's names (r3 5.13.4.5).
#[test]
fn both_sides_agree() {
    let mut unit = Unit::new(|builder| builder);
    let parameters = unit.establish(A, &Host::first());
    let now = unit.instant();
    let sa = unit.server.sa(id(&parameters), now).unwrap();
    assert_eq!(sa.parameters, parameters);
    let client = sa.application_client.as_ref().unwrap();
    assert_eq!((client.identity.clone(), client.method), (Identity::key_id(b"host-0"), 2));
}
