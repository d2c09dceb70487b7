//! What the embedder is told: when, on whose account, and what of it is kept.

use ikev2_scsi::keys::Denial;
use ikev2_scsi::server::{DropReason, Limit};

use super::*;

/// One whole life of an association, each event at its moment.
#[test]
fn events_have_their_moment_and_their_nexus() {
    let mut unit = Unit::new(|builder| builder);
    let host = Host::first();
    let mut client = host.client();
    let parameters = loop {
        unit.now += 10;
        if let Some(parameters) = unit.step(A, &mut client) {
            break parameters;
        }
    };
    let sa = id(&parameters);
    unit.now = 1000;
    let delete = client::delete(&host.0, parameters, &mut unit.random).unwrap();
    assert_eq!(unit.command(B, &delete).0, Reply::Good { len: 0 });
    let told: Vec<_> = unit.events().into_iter().map(|event| (event.at.as_millis(), event.nexus, event.kind)).collect();
    let removed = EventKind::SaRemoved { id: sa, why: ikev2_scsi::server::RemovalReason::Delete };
    let expected = [
        (10, Some(A), EventKind::CapabilitiesRead),
        (20, Some(A), EventKind::SequenceStarted { id: sa }),
        (50, Some(A), EventKind::SaCreated { id: sa }),
        (1000, Some(B), removed),
    ];
    assert_eq!(told, expected);
}

/// Who it was and how, whatever the reason; and no more of it than the bound.
#[test]
fn a_failed_authentication_says_who() {
    let long = [b'x'; 300];
    let cases: [(&[u8], &[u8], Denial); 3] = [
        (b"host-0", b"wrong key", Denial::WrongAuth),
        (b"stranger", b"key 0", Denial::UnknownIdentity),
        (&long, b"key 0", Denial::UnknownIdentity),
    ];
    for (name, key, expected) in cases {
        let mut unit = Unit::new(|builder| builder);
        let mut client = unit.client_before(A, &Host::new(name, key), 2);
        let command = client.next_command(&mut unit.random).unwrap();
        unit.events();
        unit.now = 77;
        assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
        let [event] = unit.events().try_into().unwrap();
        assert_eq!((event.at, event.nexus), (unit.instant(), Some(A)));
        let EventKind::AuthenticationFailed { identity, method, why } = event.kind else { panic!("{event}") };
        assert_eq!((method, why, identity.length), (2, expected, name.len()));
        assert_eq!(*identity.data, name[..name.len().min(256)]);
    }
}

/// A limit of one identity is told with that identity.
#[test]
fn one_association_too_many_says_who() {
    let limits = limits(|limits| limits.sas_per_identity = 1);
    let mut unit = Unit::new(|builder| builder.limits(limits));
    unit.establish(A, &Host::first());
    let mut client = unit.client_before(B, &Host::first(), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(codes(&unit.refused(B, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
    let mut told = unit.told();
    let (failed, limit) = (told.pop().unwrap(), told.pop().unwrap());
    assert_eq!(limit, (Some(B), EventKind::LimitReached { limit: Limit::SasPerIdentity }));
    let (Some(B), EventKind::AuthenticationFailed { identity, why, .. }) = failed else { panic!("{failed:?}") };
    assert_eq!((&*identity.data, why), (b"host-0".as_slice(), Denial::TooManyAssociations));
}

/// An initiator that reads the capabilities for ever hides nothing of what another did.
#[test]
fn a_flood_from_one_nexus_hides_no_association_of_another() {
    let limits = limits(|limits| limits.events = 2);
    let mut unit = Unit::new(|builder| builder.limits(limits));
    let sa = id(&unit.establish(B, &Host::first()));
    for _ in 0..100 {
        let _ = unit.send(A, &[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0], &[]);
    }
    unit.client_before(A, &Host::second(), 1);
    unit.server.nexus_lost(A);
    let expected = [
        (None, EventKind::Lost { count: 104 }),
        (Some(B), EventKind::SaCreated { id: sa }),
        (Some(A), EventKind::SequenceDropped { why: DropReason::NexusLoss }),
    ];
    assert_eq!(unit.told(), expected);
}

/// An event tells no secret: not of who failed, and not of who succeeded.
#[test]
fn events_print_no_secret() {
    let mut unit = Unit::new(|builder| builder);
    let parameters = unit.establish(A, &Host::first());
    let mut client = unit.client_before(B, &Host::new(b"host-1", b"wrong key"), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    unit.refused(B, &command.cdb.to_bytes(), &command.data_out);
    let text: String = unit.events().iter().map(|event| format!("{event}\n{event:?}\n")).collect();
    assert!(text.contains("host-1") && text.contains(&parameters.ds_sai.to_string()));
    let seed = parameters.key_seed();
    let forms = [format!("{seed:?}"), seed.iter().map(|byte| format!("{byte:02x}")).collect(), "wrong key".into()];
    assert!(forms.iter().all(|form| !text.contains(form)), "{text}");
}
