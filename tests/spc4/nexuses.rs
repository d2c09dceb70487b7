//! More nexuses than one, losses and resets, Initial Contact, what an embedder asks (SPC-4 5.14.2.1, 5.14.4.1, 5.14.4.6.3,
//! 5.14.4.7.2; readings R37, S2, S11).

use super::client::{COMBINED_SUITE, NOTIFY, SEPARATE_SUITE};
use super::*;
use ikev2_scsi::server::{Admission, Applicant, DropReason, RemovalReason};

/// Sequences of two nexuses do not meet.
#[test]
fn each_nexus_has_a_sequence_of_its_own() {
    let mut bench = Bench::new();
    let mut first = bench.client(A, COMBINED_SUITE, 0x1000);
    let mut second = bench.client(B, SEPARATE_SUITE, 0x1000);
    for _ in 0..4 {
        bench.step(A, &mut first);
        bench.step(B, &mut second);
    }
    assert!(bench.has(&first) && bench.has(&second));
    // One in trouble is no trouble for the other.
    let client = bench.after(A, COMBINED_SUITE, 0x2000, 2);
    let mut other = bench.after(B, COMBINED_SUITE, 0x3000, 2);
    assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &other.authentication_out())), REJECTED);
    let wrong = Client { key: b"wrong".to_vec(), ..client };
    assert_eq!(code(&bench.refused(A, Command::AuthenticationOut, &wrong.authentication_out())), DENIED);
    bench.finish(B, &mut other);
}

/// SPC-4 5.14.4.1: a logical unit may have one sequence at a time.
#[test]
fn one_sequence_at_a_time() {
    let one = || Bench::with(|builder| builder.policy(policy(|policy| policy.one_sequence = true)));
    for commands in 0..=4 {
        let mut bench = one();
        let mut running = bench.after(A, COMBINED_SUITE, 0x1000, commands);
        let mut other = bench.client(B, COMBINED_SUITE, 0x2000);
        if commands % 4 == 0 {
            bench.begin_and_finish(B, &mut other);
            continue;
        }
        // Whatever its parameter list is, nobody looks at it.
        for list in [other.key_exchange_out(), Vec::new(), vec![0xFF; 50]] {
            let sense = bench.refused(B, Command::KeyExchangeOut, &list);
            assert_eq!((code(&sense), sense.specific), (CONFLICT, SenseKeySpecific::None));
        }
        // Only the key exchange OUT is told so.
        assert_eq!(code(&bench.refused(B, Command::KeyExchangeIn, &[])), BUSY);
        assert_eq!(code(&bench.refused(B, Command::AuthenticationOut, &[])), CDB);
        assert_eq!(code(&bench.refused(B, Command::AuthenticationIn, &[])), CDB);
        assert_eq!(bench.capabilities(B), other.capabilities);
        assert_eq!(code(&bench.refused(A, Command::KeyExchangeOut, &[])), BUSY);
        bench.finish(A, &mut running);
        bench.begin_and_finish(B, &mut other);
    }
}

/// For PERSISTENT RESERVE OUT and ACCESS CONTROL OUT, which are the embedder's.
#[test]
fn an_embedder_may_ask_whether_a_sequence_runs() {
    for commands in 0..=4 {
        let mut bench = Bench::new();
        bench.after(A, COMBINED_SUITE, 0x1000, commands);
        let now = bench.instant();
        assert_eq!(bench.server.ccs_in_progress(A, now), (1..4).contains(&commands), "{commands}");
        assert!(!bench.server.ccs_in_progress(B, now));
        let later = now.after_seconds(60);
        assert!(!bench.server.ccs_in_progress(A, later), "the time it tells counts");
    }
    assert_eq!(code(&Sense::SA_CREATION_IN_PROGRESS), BUSY);
    assert_eq!(code(&Sense::CAPABILITIES_CHANGED), (6, 0x2A, 0x14));
}

/// SPC-4 5.14.2.1, 5.14.4.1 e: an I_T nexus takes its sequence along, a reset everything.
#[test]
fn losses_and_resets() {
    for commands in 0..=4 {
        for is_reset in [false, true] {
            let mut bench = Bench::new();
            let old = bench.establish(A, COMBINED_SUITE, 0x1000);
            let client = bench.after(A, SEPARATE_SUITE, 0x2000, commands);
            let mut other = bench.after(B, COMBINED_SUITE, 0x3000, 2);
            bench.events();
            if is_reset {
                bench.server.reset();
            } else {
                bench.server.nexus_lost(A);
            }
            let why = if is_reset { DropReason::Reset } else { DropReason::NexusLoss };
            let dropped = (Some(A), EventKind::SequenceDropped { why });
            assert_eq!(bench.events().contains(&dropped), (1..4).contains(&commands));
            assert_eq!(bench.has(&old), !is_reset);
            assert_eq!(bench.has(&client), !is_reset && commands == 4);
            assert_eq!(bench.server.phase(A), Phase::Idle);
            assert_eq!(code(&bench.refused(A, Command::AuthenticationIn, &[])), CDB, "nothing is repeated");
            if is_reset {
                assert_eq!(bench.server.phase(B), Phase::Idle);
                assert_eq!(code(&bench.refused(A, Command::Delete, &old.delete())), LIST);
            } else {
                bench.finish(B, &mut other);
            }
            bench.establish(A, COMBINED_SUITE, 0x4000);
        }
    }
}

/// Reading S11: with GOOD of the authentication OUT, and of the same identity by the same key.
#[test]
fn initial_contact_acts_at_the_authentication_out() {
    let mut bench = Bench::new();
    let old = [bench.establish(A, COMBINED_SUITE, 0x1000), bench.establish(B, SEPARATE_SUITE, 0x1001)];
    let mut stranger = bench.client(B, COMBINED_SUITE, 0x1002);
    (stranger.name, stranger.key) = (b"other".to_vec(), b"other's key".to_vec());
    bench.begin_and_finish(B, &mut stranger);
    let mut client = bench.after(A, COMBINED_SUITE, 0x2000, 2);
    client.initial_contact = true;
    bench.events();
    bench.good(A, Command::AuthenticationOut, &client.authentication_out());
    for gone in &old {
        assert!(!bench.has(gone));
    }
    let why = RemovalReason::InitialContact;
    let events = bench.events();
    assert!(old.iter().all(|old| events.contains(&(Some(A), EventKind::SaRemoved { id: id(old), why }))));
    assert!(bench.has(&stranger));
    // What is repeated brings nothing back.
    bench.good(B, Command::AuthenticationIn, &[]);
    assert!(!bench.has(&old[1]));
    bench.finish(A, &mut client);
    assert!(bench.has(&stranger) && bench.has(&client));
}

/// Whatever fails, and wherever in the message Notify stands: it is ignored.
#[test]
fn initial_contact_of_a_failure_is_ignored() {
    for place in 0..=3 {
        for fault in 0..4 {
            let mut bench = Bench::new();
            let old = bench.establish(A, COMBINED_SUITE, 0x1000);
            let mut client = bench.after(B, COMBINED_SUITE, 0x2000, 2);
            let mut parts = client.authentication_parts();
            match fault {
                0 => parts[2].2[5] ^= 1,
                1 => parts[2].2[10] ^= 1,
                2 => parts[1].2[8] = 0x42,
                _ => {}
            }
            parts.insert(place, client::part(NOTIFY, &client.notify()));
            let mut list = client.sealed(1, &parts);
            if fault == 3 {
                *list.last_mut().unwrap() ^= 1;
            }
            let expected = [DENIED, DENIED, INVALID, REJECTED][fault];
            assert_eq!(code(&bench.refused(B, Command::AuthenticationOut, &list)), expected);
            assert!(bench.has(&old));
            if fault == 3 {
                bench.finish(B, &mut client);
            }
        }
    }
}

/// Who has proved who it is may still not be admitted: that is a failure to authenticate, and one is the end.
#[test]
fn an_embedder_may_refuse_a_client() {
    struct Only(u16);
    impl Admission for Only {
        /// Not asked: all application clients are offered the same (question Q16).
        fn offers(&self, _: NexusId, _: &ikev2_scsi::wire::Descriptor) -> bool {
            false
        }
        fn accepts(&self, applicant: &Applicant<'_>) -> bool {
            applicant.usage_type == self.0 && applicant.nexus == A && applicant.client.identity.data[..] == *b"host"
        }
    }
    let mut bench = Bench::with(|builder| builder.admission(Arc::new(Only(0xC000))));
    let client = bench.after(A, COMBINED_SUITE, 0x1000, 2);
    let sense = bench.refused(A, Command::AuthenticationOut, &client.authentication_out());
    assert_eq!((code(&sense), sense.specific), (DENIED, SenseKeySpecific::None));
    assert_eq!(bench.server.phase(A), Phase::Idle);
    let mut client = bench.after(A, COMBINED_SUITE, 0x2000, 2);
    client.usage[8..10].copy_from_slice(&[0xC0, 0x00]);
    bench.finish(A, &mut client);
}

/// Associations without authentication are nobody's.
#[test]
fn initial_contact_leaves_the_unauthenticated_alone() {
    let mut bench = Bench::new();
    let open = bench.establish(A, COMBINED_SUITE.with_auth([client::NO_AUTH; 2]), 0x1000);
    let mut client = bench.after(B, COMBINED_SUITE, 0x2000, 2);
    client.initial_contact = true;
    bench.finish(B, &mut client);
    assert!(bench.has(&open));
}
