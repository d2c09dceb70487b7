//! What is told of a refusal: field, value, what is allowed, clause, phase.

use ikev2_scsi::ccs::UsageType;
use ikev2_scsi::ccs::table::Phase;
use ikev2_scsi::sense::Allowed;
use ikev2_scsi::server::{Event, Report};
use ikev2_scsi::wire::{Field, WireErrorKind};

use super::sealed::{Forger, mandatory_host};
use super::*;

fn reporting() -> Unit {
    Unit::new(|builder| builder.report_refusals(true))
}

/// The report of the one refusal among the events.
fn report(unit: &mut Unit) -> Report {
    let mut reports: Vec<Event> = unit.events();
    reports.retain(|event| matches!(event.kind, EventKind::Refused(_)));
    let [event] = reports.try_into().unwrap();
    assert_eq!((event.at, event.nexus), (unit.instant(), Some(A)));
    let EventKind::Refused(report) = event.kind else { panic!() };
    report
}

/// Offset of the STV payload, and of the SCA payload behind it.
const STV: usize = 28;
const SCA: usize = STV + 16;

#[test]
fn a_refused_key_exchange_is_explained() {
    let range = |least, most| Allowed::Range { least, most };
    let text = Allowed::Text;
    let mut unit = reporting();
    let mut client = unit.client_before(A, &Host::first(), 0);
    let honest = client.next_command(&mut unit.random).unwrap().data_out.to_vec();
    let length = u64::try_from(honest.len()).unwrap();
    // Where, the bytes there, the field, the clause, what is allowed.
    let cases: [(usize, &[u8], Field, &str, Allowed); 10] = [
        (
            8,
            &[0, 0, 0, 0, 0, 0, 0, 9],
            Field::DsSai,
            "r3 7.7.3.1.1",
            text("zero in the key exchange OUT; then that of the sequence or association"),
        ),
        (17, &[0x30], Field::MajorVersion, "r3 7.7.3.1.1", Allowed::Exactly(2)),
        (19, &[0x00], Field::Inttr, "r3 7.7.3.1.1", Allowed::Exactly(1)),
        (24, &[0, 0, 0, 9], Field::Length, "r3 7.7.3.1.1, readings R8, R39", Allowed::Exactly(length)),
        (STV + 8, &[0, 0, 0, 0], Field::ProtocolTimeout, "r3 7.7.4.13, reading R28", range(1, 60)),
        (STV + 8, &[0, 0, 0, 61], Field::ProtocolTimeout, "r3 7.7.4.13, reading R28", range(1, 60)),
        (STV + 12, &[1, 0, 0, 0], Field::InactivityTimeout, "r3 7.7.4.13, reading R28", range(1, 86_400)),
        (
            SCA + 5,
            &[0x82],
            Field::SecurityAssociationType,
            "r3 7.7.4.12, reading R34",
            text("a type that the policy allows"),
        ),
        (SCA + 8, &[9; 8], Field::Said, "r3 7.7.4.12", text("the header's IKE_SA APPLICATION CLIENT SAI")),
        (
            SCA + 16 + 4,
            &[0, 0, 0, 1],
            Field::AlgorithmIdentifier,
            "r3 5.13.4.3.2, 7.7.4.11.1",
            text("one that the capabilities list"),
        ),
    ];
    for (at, wrong, field, clause, allowed) in cases {
        let mut message = honest.clone();
        message[at..at + wrong.len()].copy_from_slice(wrong);
        let sense = unit.refused(A, &out(2, message.len()), &message);
        let report = report(&mut unit);
        let fault = report.fault.unwrap();
        assert_eq!((report.sense, fault.byte, fault.field), (sense, at, field));
        assert_eq!((report.rule.clause, report.rule.allowed), (clause, allowed), "{field}");
        assert_eq!((&*report.offered, report.phase), (wrong, Phase::Idle), "{field}");
        assert!(!report.to_string().contains('\n'));
    }
}

#[test]
fn it_is_one_line() {
    let mut unit = reporting();
    let mut client = unit.client_before(A, &Host::first(), 0);
    let mut message = client.next_command(&mut unit.random).unwrap().data_out.to_vec();
    message[STV + 11] = 61;
    unit.refused(A, &out(2, message.len()), &message);
    let expected = "ILLEGAL REQUEST, 74h/30h, parameter list byte 36: IKEV2-SCSI PROTOCOL TIMEOUT: the value is not allowed: \
        offered 0000003Dh: allowed 1 to 60 (r3 7.7.4.13, reading R28), in phase Idle";
    assert_eq!(report(&mut unit).to_string(), expected);
}

/// In an embedder's log the line begins with the moment and the nexus, as that of any event.
#[test]
fn the_event_is_the_same_line() {
    let mut unit = reporting();
    unit.now = 7;
    unit.refused(A, &AUTHENTICATION_IN, &[]);
    let lines: Vec<String> = unit.events().iter().map(ToString::to_string).collect();
    let expected = "7 ms: nexus 1: ILLEGAL REQUEST, 2Ch/00h, CDB byte 2: allowed a key exchange OUT first (r3 5.13.4.6, 7.7.4.13, \
        reading R25), in phase Idle";
    assert_eq!(lines, [expected]);
}

/// Faults of the CDB, of turn, and what a message lacks: no value, or that of the CDB.
#[test]
fn refusals_without_a_wrong_value_are_explained() {
    let mut unit = reporting();
    unit.refused(A, &[0xA2, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
    let cdb = report(&mut unit);
    assert_eq!((cdb.rule.clause, &*cdb.offered), ("r3 6.29, 6.30, reading R35", [0x42].as_slice()));
    unit.refused(A, &[0xB5, 0x41, 1, 2, 0, 0, 0, 0, 0x40, 1, 0, 0], &[]);
    let long = report(&mut unit);
    assert_eq!(
        (&*long.offered, long.rule.allowed),
        ([0, 0, 0x40, 1].as_slice(), Allowed::Range { least: 0, most: 16_384 })
    );
    unit.refused(A, &out(2, 27), &[0; 27]);
    let short = report(&mut unit);
    assert_eq!((short.rule.clause, short.offered.len()), ("r3 7.7.3.1.1, reading R36", 0));
    unit.refused(A, &AUTHENTICATION_IN, &[]);
    let sequence = report(&mut unit);
    assert_eq!((sequence.fault, sequence.rule.clause), (None, "r3 5.13.4.6, 7.7.4.13, reading R25"));
    let mut client = unit.client_before(A, &Host::first(), 2);
    unit.refused(A, &AUTHENTICATION_IN, &[]);
    let turn = report(&mut unit);
    assert_eq!((turn.phase, turn.rule.clause), (Phase::KeyExchangeIn, "r3 5.13.4.6, reading R24"));
    let command = client.next_command(&mut unit.random).unwrap();
    let mut empty = command.data_out[..28].to_vec();
    (empty[16], empty[27]) = (0, 28);
    (empty[24], empty[25], empty[26]) = (0, 0, 0);
    unit.refused(A, &out(3, 28), &empty);
    let missing = report(&mut unit);
    assert_eq!(missing.fault.map(|fault| fault.kind), Some(WireErrorKind::Missing));
    assert_eq!((missing.rule.clause, &*missing.offered), ("r3 5.13.4.4.2, readings R6, R34", [0].as_slice()));
}

/// An ICV that does not hold and an AUTH that proves nothing: neither is repeated in a report.
#[test]
fn no_proof_is_told() {
    let mut unit = reporting();
    let mut client = unit.client_before(A, &Host::new(b"host-0", b"wrong key"), 2);
    let command = client.next_command(&mut unit.random).unwrap();
    let mut damaged = command.data_out.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    unit.refused(A, &command.cdb.to_bytes(), &damaged);
    let icv = report(&mut unit);
    assert_eq!((icv.fault.unwrap().field, icv.offered.len()), (Field::IntegrityChecksumData, 0));
    assert_eq!(icv.rule.clause, "r3 7.7.4.10");
    unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
    let auth = report(&mut unit);
    assert_eq!((auth.fault, auth.offered.len(), auth.rule.clause), (None, 0, "r3 5.13.4.4.2"));
}

/// A field inside an Encrypted payload is the client's own, and told as it was decrypted.
#[test]
fn a_field_that_was_encrypted_is_told() {
    let mut forger = Forger::in_unit(reporting());
    let mut notify = forger.notify();
    notify.2[4..].copy_from_slice(&[9; 8]);
    let message = forger.seal(&[], &[forger.id(), notify, forger.auth()]);
    assert!(matches!(forger.send(&message), Reply::CheckCondition(_)));
    let told = report(&mut forger.unit);
    assert_eq!((told.fault.unwrap().field, &*told.offered), (Field::Sai, [9; 8].as_slice()));
    assert_eq!((told.rule.clause, told.phase), ("r3 7.7.4.8a", Phase::KeyExchangeIn));
}

/// A Delete of nothing and a command without a field at fault: no value, no offset, and the rule of its own clause.
#[test]
fn refusals_of_a_delete_are_explained() {
    let mut unit = reporting();
    unit.refused(A, &out(4, 28), &[0; 28]);
    let delete = report(&mut unit);
    assert_eq!((delete.fault, delete.rule.clause), (None, "r3 5.13.5, reading R25"));
    let expected = "ILLEGAL REQUEST, 2Ch/00h, parameter list byte 0: allowed the SAIs of a live security association (r3 \
        5.13.5, reading R25), in phase Idle";
    assert_eq!(delete.to_string(), expected);
    unit.refused(A, &out(5, 28), &[0; 28]);
    let vendor = report(&mut unit);
    assert_eq!((vendor.fault.unwrap().field, &*vendor.offered), (Field::SecurityProtocolSpecific, [1, 5].as_slice()));
}

/// What a missing payload is judged by is that of the message: a Delete has the Encrypted payload and in it a Delete payload.
#[test]
fn what_a_delete_lacks_is_told() {
    let mut unit = reporting();
    let host = Host::first();
    let parameters = unit.establish(A, &host);
    let command = client::delete(&host.0, parameters, &mut unit.random).unwrap();
    let mut empty = command.data_out[..28].to_vec();
    empty[16] = 0;
    empty[24..].copy_from_slice(&[0, 0, 0, 28]);
    unit.refused(A, &out(4, 28), &empty);
    let missing = report(&mut unit);
    assert_eq!((missing.fault.unwrap().byte, missing.rule.clause), (16, "r3 5.13.5, readings R6, R34"));
}

/// Reading R38: a nonce that is too short for its PRF has a length that a payload may have, and breaks another rule.
#[test]
fn a_nonce_too_short_for_its_function_is_explained() {
    let mut unit = reporting();
    let mut client = unit.client_before(A, &mandatory_host(|builder| builder), 0);
    let honest = client.next_command(&mut unit.random).unwrap().data_out.to_vec();
    // The PRF's descriptor is the second of the SCA payload; PRF_HMAC_SHA2_512 has a key of 64 bytes.
    let (prf, nonce) = (SCA + 16 + 12, SCA + 76 + 264);
    for (prf_identifier, length) in [(7, 31), (2, 15)] {
        let mut message = honest[..nonce + 4 + length].to_vec();
        message[prf + 7] = prf_identifier;
        message[nonce + 3] = u8::try_from(4 + length).unwrap();
        let total = u32::try_from(message.len()).unwrap();
        message[24..28].copy_from_slice(&total.to_be_bytes());
        unit.refused(A, &out(2, message.len()), &message);
        let short = report(&mut unit);
        let fault = short.fault.unwrap();
        assert_eq!((fault.byte, fault.field), (nonce + 2, Field::PayloadLength));
        assert_eq!((fault.kind, short.rule.clause), (WireErrorKind::Invalid, "r3 7.7.4.7, reading R38"), "{length}");
        // Four bytes of the payload's own and 16 to 256 of the nonce (RFC 4306 3.9).
        assert_eq!(short.rule.allowed, Allowed::Range { least: 20, most: 260 });
    }
}

/// What the policy allows for the use at hand is told, not what it allows for another one (r3 7.7.4.12).
#[test]
fn the_room_for_usage_data_is_told() {
    let mut uses = [UsageType::new(0x81), UsageType::new(0x82)];
    (uses[0].max_data, uses[1].max_data) = (16, 8);
    let uses = policy(|policy| policy.usage_types = uses.to_vec().into());
    let mut unit = Unit::new(|builder| builder.report_refusals(true).policy(uses));
    for (code, most) in [(0x81, 16), (0x82, 8)] {
        let host = Host::with(b"host-0", b"key 0", |builder| builder.usage(code, &[7; 20]));
        let mut client = unit.client_before(A, &host, 0);
        let command = client.next_command(&mut unit.random).unwrap();
        unit.refused(A, &command.cdb.to_bytes(), &command.data_out);
        let long = report(&mut unit);
        assert_eq!((long.fault.unwrap().field, &*long.offered), (Field::UsageDataLength, [0, 20].as_slice()));
        assert_eq!(long.rule.allowed, Allowed::Range { least: 0, most });
    }
}

#[test]
fn nobody_is_told_who_has_not_asked() {
    let mut unit = Unit::new(|builder| builder);
    unit.refused(A, &AUTHENTICATION_IN, &[]);
    assert_eq!(unit.told(), []);
}
