//! What is offered to whom, and who may have what (r3 7.7.4.11; readings R5, R18, R29).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ikev2_scsi::algorithm::{AlgorithmType, ENCR_AES_CBC, INTEG_NONE};
use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::keys::Denial;
use ikev2_scsi::server::{Admission, Applicant};

use super::sealed::mandatory_host;
use super::*;

const CAPABILITIES: [u8; 12] = [0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0x40, 0, 0, 0];

/// Decides by functions, and counts how often it is asked who may have what.
struct Decides {
    offers: fn(NexusId, &Descriptor) -> bool,
    accepts: fn(&Applicant<'_>) -> bool,
    /// What is offered is offered only while this is true.
    holds: AtomicBool,
    asked: AtomicUsize,
}

impl Admission for Decides {
    fn offers(&self, nexus: NexusId, algorithm: &Descriptor) -> bool {
        (self.offers)(nexus, algorithm) || !self.holds.load(Ordering::Relaxed)
    }

    fn accepts(&self, applicant: &Applicant<'_>) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.accepts)(applicant)
    }
}

fn deciding(offers: fn(NexusId, &Descriptor) -> bool, accepts: fn(&Applicant<'_>) -> bool) -> (Unit, Arc<Decides>) {
    let (holds, asked) = (AtomicBool::new(true), AtomicUsize::new(0));
    let admission = Arc::new(Decides { offers, accepts, holds, asked });
    (Unit::new(|builder| builder.admission(Arc::clone(&admission) as Arc<dyn Admission>)), admission)
}

fn listed(unit: &mut Unit, nexus: NexusId) -> Vec<Descriptor> {
    let read = unit.send(nexus, &CAPABILITIES, &[]).1;
    Capabilities::parse_parameter_data(Profile::R3, &read).unwrap().descriptors.iter().collect()
}

fn is_cipher(algorithm: &Descriptor) -> bool {
    algorithm.algorithm_type == AlgorithmType::Encryption.code()
}

/// Nexus A has no encryption but AES-CBC; everybody else has everything.
fn cbc_for_a(nexus: NexusId, algorithm: &Descriptor) -> bool {
    nexus != A || !is_cipher(algorithm) || algorithm.identifier == ENCR_AES_CBC.identifier
}

#[test]
fn each_nexus_has_its_own_capabilities() {
    let whole = Unit::new(|builder| builder).capabilities();
    let (mut unit, _) = deciding(cbc_for_a, |_| true);
    assert_eq!(listed(&mut unit, B), whole);
    // Integrity algorithm NONE goes with the combined modes (reading R5).
    let is_none = |d: &Descriptor| d.algorithm_type == AlgorithmType::Integrity.code() && d.identifier == INTEG_NONE;
    assert!(whole.iter().any(is_none));
    let few: Vec<_> = whole.into_iter().filter(|d| cbc_for_a(A, d) && !is_none(d)).collect();
    assert_eq!(listed(&mut unit, A), few);
    // Each client checks that what it has read is what is signed (reading R29).
    unit.establish(A, &Host::first());
    unit.establish(B, &Host::second());
    assert_eq!(unit.server.sas().len(), 2);
}

/// What B may select, A may not: the same bytes.
#[test]
fn what_is_not_offered_cannot_be_selected() {
    let (mut unit, _) = deciding(cbc_for_a, |_| true);
    let mut client = unit.client_before(B, &Host::first(), 0);
    let command = client.next_command(&mut unit.random).unwrap();
    let sense = unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
    // ALGORITHM IDENTIFIER of the first descriptor, behind header, STV payload and the beginning of the SCA payload.
    assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(28 + 16 + 16 + 4)));
    assert_eq!(unit.command(B, &command).0, Reply::Good { len: 0 });
}

/// Reading R29: what is signed is what would be returned now, to this nexus.
#[test]
fn an_offer_that_changes_fails_the_sequence() {
    let (mut unit, admission) = deciding(cbc_for_a, |_| true);
    let mut client = unit.client_before(A, &mandatory_host(|builder| builder), 3);
    admission.holds.store(false, Ordering::Relaxed);
    let command = client.next_command(&mut unit.random).unwrap();
    let (reply, data_in) = unit.command(A, &command);
    assert!(matches!(reply, Reply::Good { .. }));
    // It sends the Delete of an association that it does not trust.
    assert!(!matches!(client.reply(Status::Good(&data_in)), Ok(Outcome::Established(_))));
    assert_eq!(client.step(), client::Step::Delete);
}

/// There is no list without an encryption algorithm; the others have theirs.
#[test]
fn a_nexus_to_which_nothing_is_offered() {
    let (mut unit, _) = deciding(|nexus, algorithm| nexus != A || !is_cipher(algorithm), |_| true);
    assert_eq!(codes(&unit.refused(A, &CAPABILITIES, &[])), INTERNAL);
    unit.establish(B, &Host::first());
}

/// Who has proved who it is may still be turned away, and cannot tell that from a wrong key; who has not is not asked about.
#[test]
fn a_client_that_is_not_admitted() {
    let (mut unit, admission) = deciding(|_, _| true, |applicant| &*applicant.client.identity.data != b"host-1");
    let mut turned_away = Vec::new();
    for (host, expected, asked) in
        [(Host::new(b"host-1", b"wrong key"), Denial::WrongAuth, 0), (Host::second(), Denial::NotAdmitted, 1)]
    {
        let mut client = unit.client_before(A, &host, 2);
        let command = client.next_command(&mut unit.random).unwrap();
        unit.events();
        turned_away.push(unit.refused(A, &command.cdb.to_bytes(), &command.data_out));
        let told = unit.told();
        let [(Some(A), EventKind::AuthenticationFailed { why, .. })] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((*why, admission.asked.load(Ordering::Relaxed)), (expected, asked));
        unit.server.nexus_lost(A);
    }
    assert_eq!(turned_away[0], turned_away[1]);
    unit.establish(A, &Host::first());
    // It counts as a failed authentication (reading R23).
    let mut client = unit.client_before(A, &Host::second(), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    for _ in 0..3 {
        assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
    }
    assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), SEQUENCE);
}

/// One identity, and what it selected, for what, and how it proved itself.
#[test]
fn what_an_identity_may_select() {
    let accepts = |applicant: &Applicant<'_>| {
        assert_eq!((applicant.nexus, applicant.client.method, applicant.usage_type), (A, 2, 0x81));
        applicant.selection.suite.cipher.identifier() != ENCR_AES_CBC.identifier
    };
    let (mut unit, _) = deciding(|_, _| true, accepts);
    unit.establish(A, &Host::first());
    let mut client = unit.client_before(A, &mandatory_host(|builder| builder), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    assert_eq!(codes(&unit.refused(A, &command.cdb.to_bytes(), &command.data_out)), AUTHENTICATION);
}

/// Each use has its own bound on USAGE DATA.
#[test]
fn uses_of_associations() {
    let types = vec![UsageType { code: 0x81, max_data: 8 }, UsageType { code: 0x82, max_data: 0 }];
    let mut unit = Unit::new(|builder| builder.policy(policy(|policy| policy.usage_types = types.into())));
    // SECURITY ASSOCIATION TYPE, bytes of USAGE DATA, and the offset in the SCA payload of what is refused.
    for (code, length, refused) in
        [(0x81, 0, None), (0x81, 8, None), (0x81, 12, Some(6)), (0x82, 0, None), (0x82, 4, Some(6)), (0x80, 0, Some(5))]
    {
        let data = vec![7; length];
        let host = Host::with(b"host-0", b"key 0", |builder| builder.usage(code, &data));
        let Some(at) = refused else {
            let parameters = unit.establish(A, &host);
            assert_eq!((parameters.usage_type, parameters.usage_data()), (code, data.as_slice()));
            continue;
        };
        let mut client = unit.client_before(A, &host, 0);
        let command = client.next_command(&mut unit.random).unwrap();
        let sense = unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
        assert_eq!((codes(&sense), sense.specific), (VALUE, in_list(28 + 16 + at)), "{code:02x}, {length}");
    }
}

/// An embedder that decides nothing.
struct Undecided;

impl Admission for Undecided {}

/// Who decides nothing admits everybody to everything, as if nobody had been asked.
#[test]
fn nothing_is_withheld_until_the_embedder_decides() {
    let whole = Unit::new(|builder| builder).capabilities();
    let mut unit = Unit::new(|builder| builder.admission(Arc::new(Undecided)));
    assert_eq!(listed(&mut unit, A), whole);
    assert_eq!(listed(&mut unit, B), whole);
    unit.establish(A, &Host::first());
    assert_eq!(unit.server.sas().len(), 1);
}
