//! Every row of the room's table, and both formats.

use super::*;
use crate::dialect::{Exchange, Profile};

fn list(kind: WireErrorKind) -> Refusal {
    Refusal::List(WireError::new(0x0123, Field::KeyLength, kind))
}

/// SENSE KEY, ASC, ASCQ and the sense key specific bytes of fixed format sense data.
fn fixed(refusal: Refusal) -> (u8, [u8; 2], [u8; 3]) {
    let bytes = refusal.sense(SenseCodes::R3).to_fixed();
    let bytes = bytes.as_ref();
    assert_eq!((bytes.len(), bytes[0], bytes[7]), (18, 0x70, 10));
    (bytes[2], [bytes[12], bytes[13]], [bytes[15], bytes[16], bytes[17]])
}

#[test]
fn faults_of_the_parameter_list() {
    for kind in [WireErrorKind::Invalid, WireErrorKind::Length, WireErrorKind::NotOffered, WireErrorKind::OutOfPlace] {
        assert_eq!(fixed(list(kind)), (5, [0x74, 0x30], [0x80, 0x01, 0x23]), "{kind}");
    }
    assert_eq!(fixed(list(WireErrorKind::Missing)), (5, [0x26, 0x13], [0x80, 0x01, 0x23]));
    assert_eq!(fixed(list(WireErrorKind::UnrecognisedCritical)), (5, [0x74, 0x31], [0x80, 0x01, 0x23]));
    // Reading R39: a list under 28 bytes points at TRANSFER LENGTH in the CDB.
    assert_eq!(fixed(list(WireErrorKind::NoHeader)), (5, [0x74, 0x30], [0xC0, 0, 6]));
}

#[test]
fn a_bit_has_a_bit_pointer() {
    let inttr = WireError::at_bit(19, 4, Field::Inttr, WireErrorKind::Invalid);
    assert_eq!(fixed(Refusal::List(inttr)), (5, [0x74, 0x30], [0x8C, 0, 19]));
    let inc_512 = WireError::at_bit(4, 7, Field::Inc512, WireErrorKind::Invalid);
    assert_eq!(fixed(Refusal::Cdb(inc_512)), (5, [0x24, 0x00], [0xCF, 0, 4]));
}

#[test]
fn faults_of_the_cdb_and_of_sequence() {
    let specific = WireError::new(2, Field::SecurityProtocolSpecific, WireErrorKind::Invalid);
    assert_eq!(fixed(Refusal::Cdb(specific)), (5, [0x24, 0x00], [0xC0, 0, 2]));
    let operation = WireError::new(0, Field::OperationCode, WireErrorKind::Invalid);
    assert_eq!(fixed(Refusal::Cdb(operation)), (5, [0x20, 0x00], [0xC0, 0, 0]));
    assert_eq!(fixed(Refusal::InvalidSequence { is_delete: false }), (5, [0x2C, 0x00], [0xC0, 0, 2]));
    assert_eq!(fixed(Refusal::InvalidSequence { is_delete: true }), (5, [0x2C, 0x00], [0x80, 0, 0]));
    assert_eq!(fixed(Refusal::InsufficientResources { limit: Limit::Sas }), (5, [0x55, 0x03], [0xC0, 0, 2]));
}

/// r3 5.13.4.4.2 and reading R21: ILLEGAL REQUEST; reading R32: the pointer tells nothing.
#[test]
fn authentication_failed() {
    let failed = Refusal::Authentication { at: 28, why: Denial::WrongAuth };
    assert_eq!(failed.consequence(Profile::R3, Some(SequenceCommand::AuthenticationOut)), Consequence::CountFailure);
    assert_eq!(fixed(failed), (5, [0x74, 0x40], [0x80, 0, 28]));
    assert_eq!(Refusal::Internal.consequence(Profile::R3, Some(SequenceCommand::AuthenticationOut)), Consequence::None);
}

/// r3 5.13.4.6: 25 % complete if one command out of four has been performed.
#[test]
fn progress_by_commands() {
    let progress = |done, of| fixed(Refusal::OperationInProgress { done, of });
    assert_eq!(progress(1, 4), (2, [0x00, 0x1E], [0x80, 0x40, 0]));
    assert_eq!(progress(3, 4), (2, [0x00, 0x1E], [0x80, 0xC0, 0]));
    assert_eq!(progress(1, 2), (2, [0x00, 0x1E], [0x80, 0x80, 0]));
    assert_eq!(fixed(Refusal::Calculating { progress: 0x1999 }), (2, [0x04, 0x07], [0x80, 0x19, 0x99]));
}

#[test]
fn failures_inside_have_no_pointer() {
    assert_eq!(fixed(Refusal::Internal), (4, [0x44, 0x00], [0, 0, 0]));
    assert_eq!(Refusal::from(CryptoError::Device), Refusal::Internal);
    assert_eq!(Refusal::from(RandomError), Refusal::Internal);
    assert_eq!(Refusal::from(EmitError::TooLong), Refusal::Internal);
    assert_eq!(Refusal::from(ProtectError::Crypto(CryptoError::Device)), Refusal::Internal);
}

/// The sense data of the second Delete in the recorded exchanges.
#[test]
fn fixed_format_as_recorded() {
    let sense = Refusal::InvalidSequence { is_delete: true }.sense(SenseCodes::R3);
    let recorded = [0x70, 0, 5, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0x2C, 0, 0, 0x80, 0, 0];
    assert_eq!(sense.to_fixed().as_ref(), recorded);
}

/// Descriptor format: response code 72h, a sense key specific descriptor of type 02h and length 06h.
#[test]
fn descriptor_format() {
    let sense = list(WireErrorKind::Invalid).sense(SenseCodes::Assigned);
    let expected = [0x72, 5, 0x74, 0x10, 0, 0, 0, 8, 2, 6, 0, 0, 0x80, 0x01, 0x23, 0];
    assert_eq!(sense.to_descriptor().as_ref(), expected);
    assert_eq!(Sense::NONE.to_descriptor().as_ref(), [0x72, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn people_can_read_it() {
    let text = |refusal: Refusal| alloc::format!("{}", refusal.sense(SenseCodes::R3));
    assert_eq!(text(list(WireErrorKind::Invalid)), "ILLEGAL REQUEST, 74h/30h, parameter list byte 291");
    assert_eq!(text(Refusal::OperationInProgress { done: 1, of: 4 }), "NOT READY, 00h/1Eh, progress 25 %");
    assert_eq!(text(Refusal::Internal), "HARDWARE ERROR, 44h/00h");
    let inc_512 = WireError::at_bit(4, 7, Field::Inc512, WireErrorKind::Invalid);
    assert_eq!(text(Refusal::Cdb(inc_512)), "ILLEGAL REQUEST, 24h/00h, CDB byte 4 bit 7");
    assert_eq!(alloc::format!("{}", Sense::NONE), "NO SENSE, 00h/00h");
}

/// A newcomer finds a rule for every fault: no field of a message is without a clause of its own.
#[test]
fn every_rule_has_a_clause() {
    let kinds = [WireErrorKind::Invalid, WireErrorKind::Length, WireErrorKind::NotOffered, WireErrorKind::OutOfPlace];
    let unused = [
        Field::OperationCode,
        Field::SecurityProtocol,
        Field::SecurityProtocolSpecific,
        Field::Inc512,
        Field::AllocationLength,
        Field::TransferLength,
        // Read, and judged by nobody, or in a message of the device server.
        Field::ParameterDataLength,
        Field::UsageData,
        Field::IdentificationData,
        Field::AuthMethod,
        Field::AuthenticationData,
        Field::NonceData,
        Field::InitializationVector,
        // In messages of SPC-4 alone.
        Field::NumberOfDescriptors,
        Field::SaType,
        Field::DeletedAcSai,
        Field::DeletedDsSai,
        Field::Padding,
    ];
    let of_spc4 = [Field::NumberOfDescriptors, Field::SaType, Field::DeletedAcSai, Field::DeletedDsSai, Field::Padding];
    // What SPC-4 has no field for, and what is judged in its SAUT payload by length and type alone.
    let of_r3 = [
        Field::ExchangeType,
        Field::NumberOfTransforms,
        Field::SecurityAssociationType,
        Field::Said,
        Field::DeletedSai,
    ];
    for field in Field::ALL {
        for kind in kinds {
            let rule = Refusal::List(WireError::new(0, *field, kind)).rule(Profile::R3, Some(Exchange::KeyExchangeOut));
            assert_eq!(rule.clause == "r3 7.7.4", unused.contains(field), "{field}: {kind}");
            assert!(told_width(Profile::R3, *field) <= 16);
            let rule =
                Refusal::List(WireError::new(0, *field, kind)).rule(Profile::SPC4, Some(Exchange::KeyExchangeOut));
            let is_unused = unused.contains(field) && !of_spc4.contains(field) || of_r3.contains(field);
            assert_eq!(rule.clause == "SPC-4 7.7.3.5", is_unused, "{field}: {kind}");
        }
    }
    for secret in [Field::AuthenticationData, Field::IntegrityChecksumData, Field::InitializationVector] {
        assert_eq!(told_width(Profile::R3, secret), 0);
    }
    let missing = Refusal::List(WireError::new(16, Field::NextPayload, WireErrorKind::Missing));
    let clause = |exchange| missing.rule(Profile::R3, Some(exchange)).clause;
    assert_eq!(clause(Exchange::KeyExchangeOut), "r3 5.13.4.3.2, readings R6, R34");
    assert_eq!(clause(Exchange::AuthenticationOut), "r3 5.13.4.4.2, readings R6, R34");
    assert_eq!(clause(Exchange::DeleteOut), "r3 5.13.5, readings R6, R34");
    assert_eq!(missing.rule(Profile::R3, None).clause, "r3 7.7.4.1, reading R6");
    assert_eq!(
        list(WireErrorKind::UnrecognisedCritical).rule(Profile::R3, None).clause,
        "r3 7.7.3.1.1, 7.7.5, reading R6"
    );
    assert_eq!(list(WireErrorKind::NoHeader).rule(Profile::R3, None).clause, "r3 7.7.3.1.1, reading R36");
}

/// Refusals that blame no field: each has its clause, and no fault.
#[test]
fn refusals_without_a_field_have_a_clause() {
    let refusals = [
        (Refusal::Authentication { at: 28, why: Denial::WrongAuth }, "r3 5.13.4.4.2"),
        (Refusal::OperationInProgress { done: 1, of: 4 }, "r3 5.13.4.6, reading R24"),
        (Refusal::Calculating { progress: 0 }, "r3 5.13.7"),
        (Refusal::InvalidSequence { is_delete: true }, "r3 5.13.5, reading R25"),
        (Refusal::InvalidSequence { is_delete: false }, "r3 5.13.4.6, 7.7.4.13, reading R25"),
        (Refusal::InsufficientResources { limit: Limit::Jobs }, "reading R40"),
        (Refusal::Internal, "reading R40"),
    ];
    for (refusal, clause) in refusals {
        assert_eq!((refusal.rule(Profile::R3, None).clause, refusal.fault()), (clause, None));
    }
    let fault = WireError::new(2, Field::SecurityProtocolSpecific, WireErrorKind::Invalid);
    assert_eq!(Refusal::Cdb(fault).fault(), Some(&fault));
}

/// r3 6.29, 6.30, 7.7.6.2, Tables A0, A1, D1; readings R35, R36.
#[test]
fn rules_of_the_cdb() {
    let rule = |field| Refusal::Cdb(WireError::new(0, field, WireErrorKind::Invalid)).rule(Profile::R3, None);
    let rules = [
        (Field::OperationCode, "r3 6.29, 6.30", Allowed::Text("A2h or B5h, of 12 bytes")),
        (Field::SecurityProtocol, "r3 6.29, 6.30, reading R35", Allowed::Text("IN: 00h, 40h, 41h; OUT: 41h")),
        (
            Field::SecurityProtocolSpecific,
            "r3 Tables A0, A1, D1, reading R35",
            Allowed::Text("a phase of the protocol"),
        ),
        (Field::Inc512, "reading R35", Allowed::Exactly(0)),
        (Field::TransferLength, "r3 7.7.6.2, reading R36", Allowed::Text("up to the limit")),
        (Field::AllocationLength, "reading R35", Allowed::Text("as the CDB's format has it")),
    ];
    for (field, clause, allowed) in rules {
        assert_eq!((rule(field).clause, rule(field).allowed), (clause, allowed), "{field}");
    }
}

/// The constants of r3 Tables E1, H3, H4, J1, L1 and M1; a nonce is 16 to 256 bytes (RFC 4306 3.9) in a payload of 4 more.
#[test]
fn constants_of_the_parameter_list() {
    let allowed =
        |field| Refusal::List(WireError::new(0, field, WireErrorKind::Invalid)).rule(Profile::R3, None).allowed;
    let constants = [
        (Field::MajorVersion, 2),
        (Field::Inttr, 1),
        (Field::Rspns, 0),
        (Field::NumberOfTransforms, 5),
        (Field::DescriptorLength, 12),
        (Field::NumberOfTimeoutValues, 2),
        (Field::ProtocolId, 1),
        (Field::SaiSize, 8),
        (Field::NotifyMessageType, 16_384),
        (Field::NumberOfSais, 1),
    ];
    for (field, value) in constants {
        assert_eq!(allowed(field), Allowed::Exactly(value), "{field}");
    }
    assert_eq!(allowed(Field::PayloadLength), Allowed::Range { least: 20, most: 260 });
    let words = |field| alloc::format!("{}", allowed(field));
    assert_eq!((words(Field::Inttr), words(Field::PayloadLength)), ("1".into(), "20 to 260".into()));
    assert_eq!(words(Field::AlgorithmType), "01h, 02h, 03h, 04h, F9h");
}

/// The bytes that a field has in the CDB, in r3 Tables E1, F1, H1 to H4, J1, L1, M1, and with SPC-4 in its own: what is told
/// of it is the field and not its neighbour. Proofs, ciphertexts and what can be long are not told, of a public value the
/// beginning.
#[test]
fn as_much_is_told_as_the_field_has() {
    use Field as F;
    let of_width = |field: &Field| match field {
        F::OperationCode | F::SecurityProtocol | F::Inc512 => 1,
        F::NextPayload | F::MajorVersion | F::ExchangeType | F::Inttr | F::Rspns => 1,
        F::NumberOfTransforms | F::NumberOfDescriptors | F::SecurityAssociationType | F::AlgorithmType => 1,
        F::NumberOfTimeoutValues | F::IdType | F::CertificateEncoding | F::AuthMethod => 1,
        F::ProtocolId | F::SaiSize | F::PadLength => 1,
        F::SecurityProtocolSpecific | F::PayloadLength | F::UsageDataLength | F::DescriptorLength => 2,
        F::KeyLength | F::GroupNumber | F::NotifyMessageType | F::NumberOfSais | F::SaType => 2,
        F::AllocationLength | F::TransferLength | F::MessageId | F::Length | F::AlgorithmIdentifier => 4,
        F::ProtocolTimeout | F::InactivityTimeout | F::DeletedAcSai | F::DeletedDsSai => 4,
        F::AcSai | F::DsSai | F::Said | F::Sai | F::DeletedSai => 8,
        F::KeyExchangeData => 16,
        _ => 0,
    };
    for field in Field::ALL {
        assert_eq!(told_width(Profile::R3, *field), of_width(field), "{field}");
        // SAIs of SPC-4 have four bytes (reading R2).
        assert_eq!(
            told_width(Profile::SPC4, *field),
            if of_width(field) == 8 { 4 } else { of_width(field) },
            "{field}"
        );
    }
}

/// FIELD POINTER and PROGRESS INDICATION have two bytes.
#[test]
fn what_is_too_great_for_its_field_is_the_greatest() {
    let far = Refusal::List(WireError::new(0x1_0001, Field::Sai, WireErrorKind::Invalid));
    assert_eq!(fixed(far), (5, [0x74, 0x30], [0x80, 0xFF, 0xFF]));
    assert_eq!(fixed(Refusal::OperationInProgress { done: 4, of: 4 }), (2, [0x00, 0x1E], [0x80, 0xFF, 0xFF]));
}

/// Reading R40: a limit is told where one is the cause, and nowhere else.
#[test]
fn a_limit_is_named_where_it_is_the_cause() {
    let failed = |why| Refusal::Authentication { at: 28, why };
    let cdb = |field| Refusal::Cdb(WireError::new(6, field, WireErrorKind::Invalid));
    assert_eq!(Refusal::InsufficientResources { limit: Limit::Sas }.limit(), Some(Limit::Sas));
    assert_eq!(failed(Denial::TooManyAssociations).limit(), Some(Limit::SasPerIdentity));
    assert_eq!(failed(Denial::TooManyCertificates).limit(), Some(Limit::Certificates));
    assert_eq!(cdb(Field::TransferLength).limit(), Some(Limit::ParameterList));
    for other in [failed(Denial::WrongAuth), cdb(Field::Inc512), list(WireErrorKind::Length), Refusal::Internal] {
        assert_eq!(other.limit(), None);
    }
}

/// Where there is no memory, a command is refused at that bound, whoever met it; other failures inside are ours.
#[test]
fn no_memory_is_a_bound() {
    let bound = Refusal::InsufficientResources { limit: Limit::Memory };
    assert_eq!(Refusal::from(CryptoError::Memory), bound);
    assert_eq!(Refusal::from(OutOfMemory), bound);
    assert_eq!(Refusal::from(ProtectError::Crypto(CryptoError::Memory)), bound);
    for other in [CryptoError::Refused, CryptoError::Length, CryptoError::Device] {
        assert_eq!(Refusal::from(other), Refusal::Internal);
    }
}

/// Each limit has words of its own.
#[test]
fn limits_are_told_apart() {
    let limits = [
        Limit::Nexuses,
        Limit::Sequences,
        Limit::Sas,
        Limit::SasPerIdentity,
        Limit::Retained,
        Limit::ParameterList,
        Limit::Payloads,
        Limit::Certificates,
        Limit::Jobs,
        Limit::AuthenticationFailures,
        Limit::Memory,
    ];
    let words: alloc::collections::BTreeSet<_> = limits.iter().map(|limit| alloc::format!("{limit}")).collect();
    assert_eq!((words.len(), words.contains("")), (limits.len(), false));
}

/// Sense data print as the bytes that go to the initiator.
#[test]
fn sense_data_print_as_bytes() {
    let text = alloc::format!("{:?}", Sense::NONE.to_descriptor());
    assert_eq!(text, "[72, 00, 00, 00, 00, 00, 00, 00]");
}

/// SPC-4 table 83: the one list of what leaves a sequence where it was.
#[test]
fn what_leaves_a_sequence_alone_in_spc4() {
    use SequenceCommand::{AuthenticationOut, Delete, In, KeyExchangeOut};
    let fault = WireError::new(28, Field::PayloadLength, WireErrorKind::Length);
    let all = [
        (Refusal::List(fault), [false, false, false, false]),
        (Refusal::Rejected(fault), [true, true, false, true]),
        (Refusal::NothingToDelete(fault), [false, false, false, true]),
        (Refusal::NoSequence, [false, false, true, true]),
        (Refusal::Conflict, [true, false, false, true]),
        (Refusal::OperationInProgress { done: 1, of: 4 }, [true; 4]),
        (Refusal::Calculating { progress: 1 }, [true; 4]),
        (Refusal::Authentication { at: 28, why: Denial::WrongAuth }, [false, false, false, true]),
        (Refusal::Internal, [false, false, false, true]),
        (Refusal::Unable, [false, false, false, true]),
        (Refusal::InsufficientResources { limit: Limit::Payloads }, [false, false, false, true]),
    ];
    for (refusal, keeps) in all {
        let commands = [KeyExchangeOut, AuthenticationOut, In, Delete];
        for (command, keeps) in commands.into_iter().zip(keeps) {
            let consequence = if keeps { Consequence::None } else { Consequence::Abandon };
            assert_eq!(refusal.consequence(Profile::SPC4, Some(command)), consequence, "{refusal:?}, {command:?}");
        }
        assert_eq!(refusal.consequence(Profile::SPC4, None), Consequence::None, "no command of a sequence");
    }
}

/// SPC-4 7.7.3.8, tables 523, 556 and 558; question Q18.
#[test]
fn sense_data_of_spc4() {
    let told = |refusal: Refusal| {
        let bytes = refusal.sense(SenseCodes::Spc4).to_fixed();
        let bytes = bytes.as_ref();
        (bytes[2], [bytes[12], bytes[13]], [bytes[15], bytes[16], bytes[17]])
    };
    let fault = |kind| WireError::new(0x0123, Field::KeyLength, kind);
    let denied = Refusal::Authentication { at: 28, why: Denial::WrongAuth };
    let at = [0x80, 0x01, 0x23];
    let cdb = [0xC0, 0, 2];
    assert_eq!(told(Refusal::List(fault(WireErrorKind::Invalid))), (5, [0x74, 0x10], at));
    assert_eq!(told(Refusal::List(fault(WireErrorKind::Missing))), (5, [0x74, 0x10], at));
    assert_eq!(told(Refusal::List(fault(WireErrorKind::UnrecognisedCritical))), (5, [0x74, 0x30], at));
    assert_eq!(told(Refusal::List(fault(WireErrorKind::NoHeader))), (5, [0x74, 0x10], [0x80, 0, 24]));
    assert_eq!(told(Refusal::Rejected(fault(WireErrorKind::UnrecognisedCritical))), (5, [0x74, 0x11], at));
    assert_eq!(told(Refusal::Rejected(fault(WireErrorKind::NoHeader))), (5, [0x74, 0x11], [0x80, 0, 24]));
    assert_eq!(told(Refusal::NothingToDelete(fault(WireErrorKind::Invalid))), (5, [0x26, 0x00], at));
    assert_eq!(told(Refusal::NoSequence), (5, [0x24, 0x00], cdb));
    assert_eq!(told(Refusal::InvalidSequence { is_delete: false }), (5, [0x2C, 0x00], cdb));
    assert_eq!(told(denied), (0xB, [0x74, 0x40], [0; 3]));
    assert_eq!(told(Refusal::Conflict), (0xB, [0x00, 0x1E], [0; 3]));
    assert_eq!(told(Refusal::Unable), (0xB, [0x44, 0x00], [0; 3]));
    assert_eq!(told(Refusal::Internal), (4, [0x44, 0x00], [0; 3]));
    assert_eq!(told(Refusal::OperationInProgress { done: 1, of: 4 }), (2, [0x04, 0x13], [0x80, 0x40, 0]));
    assert_eq!(told(Refusal::Calculating { progress: 0x1234 }), (2, [0x04, 0x13], [0x80, 0x12, 0x34]));
    let changed = Sense::CAPABILITIES_CHANGED.to_descriptor();
    assert_eq!(changed.as_ref(), [0x72, 6, 0x2A, 0x14, 0, 0, 0, 0]);
    assert_eq!(Sense::SA_CREATION_IN_PROGRESS.to_descriptor().as_ref(), [0x72, 2, 0x04, 0x13, 0, 0, 0, 0]);
}

/// The clause that each refusal of SPC-4 comes from, and what it allows.
#[test]
fn rules_of_spc4_have_their_clauses() {
    let fault = |field, kind| WireError::new(16, field, kind);
    let invalid = |field| fault(field, WireErrorKind::Invalid);
    let absent = fault(Field::NextPayload, WireErrorKind::Missing);
    let unknown = fault(Field::NextPayload, WireErrorKind::UnrecognisedCritical);
    let all = [
        (Refusal::NothingToDelete(invalid(Field::AcSai)), "SPC-4 7.7.3.4, 5.14.4.11"),
        (Refusal::NothingToDelete(invalid(Field::IntegrityChecksumData)), "SPC-4 7.7.3.5.11"),
        (Refusal::Cdb(invalid(Field::OperationCode)), "SPC-4 6.40, 6.41"),
        (Refusal::Cdb(invalid(Field::SecurityProtocol)), "SPC-4 6.40, 6.41"),
        (Refusal::Cdb(invalid(Field::SecurityProtocolSpecific)), "SPC-4 7.7.2.2, 7.7.3.2, 7.7.3.3"),
        (Refusal::Cdb(invalid(Field::Inc512)), "SPC-4 7.7.2.2, 7.7.3.2, 7.7.3.3"),
        (Refusal::Cdb(invalid(Field::TransferLength)), "SPC-4 7.7.3.3"),
        (Refusal::Cdb(invalid(Field::AllocationLength)), "SPC-4 6.40, 6.41"),
        (Refusal::Authentication { at: 28, why: Denial::Method }, "SPC-4 5.14.4.7.2, 7.7.3.5.7"),
        (Refusal::OperationInProgress { done: 1, of: 4 }, "SPC-4 7.7.3.7"),
        (Refusal::Calculating { progress: 0 }, "SPC-4 5.14.5, 7.7.3.7"),
        (Refusal::InvalidSequence { is_delete: false }, "SPC-4 5.14.4.6.3, reading S2"),
        (Refusal::NoSequence, "SPC-4 7.7.3.7"),
        (Refusal::Conflict, "SPC-4 5.14.4.1"),
        (Refusal::InsufficientResources { limit: Limit::Sas }, "reading R40"),
        (Refusal::Internal, "SPC-4 5.14.4.10, reading R40"),
        (Refusal::Unable, "SPC-4 5.14.4.10, reading R40"),
        (Refusal::List(fault(Field::Length, WireErrorKind::NoHeader)), "SPC-4 7.7.3.4, question Q18"),
        (Refusal::List(unknown), "SPC-4 7.7.3.5.1, reading S3"),
        (Refusal::Rejected(invalid(Field::MajorVersion)), "SPC-4 7.7.3.4"),
    ];
    for (refusal, clause) in all {
        assert_eq!(refusal.rule(Profile::SPC4, None).clause, clause, "{refusal:?}");
    }
    let of = |exchange| Refusal::List(absent).rule(Profile::SPC4, exchange).allowed;
    let messages = [Some(Exchange::KeyExchangeOut), Some(Exchange::AuthenticationOut), Some(Exchange::DeleteOut), None];
    let texts = messages.map(|exchange| alloc::format!("{}", of(exchange)));
    let words = [["83h", "82h"], ["2Eh", "27h"], ["2Eh", "2Ah"], ["payloads", "message"]];
    assert!(texts.iter().zip(words).all(|(text, words)| words.iter().all(|word| text.contains(word))), "{texts:?}");
}

#[test]
fn people_can_read_what_spc4_adds() {
    assert_eq!(alloc::format!("{}", Sense::CAPABILITIES_CHANGED), "UNIT ATTENTION, 2Ah/14h");
    assert_eq!(alloc::format!("{}", Refusal::Conflict.sense(SenseCodes::Spc4)), "ABORTED COMMAND, 00h/1Eh");
}

/// SPC-4 5.14.7: what is no fault of the peer's, and an association without numbers left.
#[test]
fn sense_data_of_what_cannot_be_opened_or_built() {
    use crate::esp::{BuildError, OpenError, Place};
    let hardware = Sense::of_descriptor(&OpenError::Crypto(CryptoError::Device), Place::ParameterList(0));
    assert_eq!((hardware.key, hardware.asc), (SenseKey::HardwareError, Asc::new(0x44, 0x00)));
    let exhausted = Sense::of_data_in(&BuildError::Exhausted, Place::ParameterList(6));
    assert_eq!(exhausted, Sense::of_unknown_sa(Place::ParameterList(6)));
}
