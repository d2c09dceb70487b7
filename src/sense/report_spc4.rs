//! Where SPC-4 has the rule for each refusal, and what it allows.

use super::Refusal;
use super::report::{Rule, exactly, range, rule};
use crate::dialect::Exchange;
use crate::wire::{Field, WireError, WireErrorKind};

/// The rule that a command broke; `exchange` is the message that it carried.
pub(super) const fn rule_of(refusal: &Refusal, exchange: Option<Exchange>) -> Rule {
    match refusal {
        Refusal::List(error) | Refusal::Rejected(error) => list_rule(error, exchange),
        Refusal::NothingToDelete(error) => match error.field {
            Field::IntegrityChecksumData => list_rule(error, exchange),
            _ => rule("SPC-4 7.7.3.4, 5.14.4.11", "the SAIs of a live security association or of the nexus's sequence"),
        },
        Refusal::Cdb(error) => cdb_rule(error.field),
        Refusal::Authentication { .. } => rule("SPC-4 5.14.4.7.2, 7.7.3.5.7", "an identity and a proof of it"),
        Refusal::OperationInProgress { .. } => rule("SPC-4 7.7.3.7", "the next command of the sequence"),
        Refusal::Calculating { .. } => rule("SPC-4 5.14.5, 7.7.3.7", "the same command, later"),
        Refusal::InvalidSequence { .. } => rule("SPC-4 5.14.4.6.3, reading S2", "a key exchange OUT first"),
        Refusal::NoSequence => rule("SPC-4 7.7.3.7", "a key exchange OUT first"),
        Refusal::Conflict => rule("SPC-4 5.14.4.1", "the same command, when no other nexus has a sequence"),
        Refusal::InsufficientResources { .. } => rule("reading R40", "the same command, when there is room"),
        Refusal::Internal | Refusal::Unable => rule("SPC-4 5.14.4.10, reading R40", "a new sequence"),
    }
}

const fn cdb_rule(field: Field) -> Rule {
    match field {
        Field::OperationCode => rule("SPC-4 6.40, 6.41", "A2h or B5h, of 12 bytes"),
        Field::SecurityProtocol => rule("SPC-4 6.40, 6.41", "IN: 00h, 40h, 41h; OUT: 41h"),
        Field::SecurityProtocolSpecific => rule("SPC-4 7.7.2.2, 7.7.3.2, 7.7.3.3", "a step of the protocol"),
        Field::Inc512 => exactly("SPC-4 7.7.2.2, 7.7.3.2, 7.7.3.3", 0),
        Field::TransferLength => rule("SPC-4 7.7.3.3", "up to the limit"),
        _ => rule("SPC-4 6.40, 6.41", "as the CDB's format has it"),
    }
}

/// The payloads of a message, in words.
const fn payloads(exchange: Option<Exchange>) -> Rule {
    const CLAUSE: &str = "SPC-4 7.7.3.4";
    match exchange {
        Some(Exchange::KeyExchangeOut) => {
            rule(CLAUSE, "83h, 81h, 22h and 28h once each, and 82h where authentication is omitted")
        }
        Some(Exchange::AuthenticationOut) => {
            rule(CLAUSE, "2Eh with 23h, 82h and 27h once each, 29h once at most, 25h and 26h")
        }
        Some(Exchange::DeleteOut) => rule(CLAUSE, "2Eh with 2Ah"),
        _ => rule(CLAUSE, "the payloads of the message"),
    }
}

const fn list_rule(error: &WireError, exchange: Option<Exchange>) -> Rule {
    use WireErrorKind::{Invalid, Length, Missing, NoHeader, NotOffered, OutOfPlace, UnrecognisedCritical};
    match (error.field, error.kind) {
        (_, NoHeader) => rule("SPC-4 7.7.3.4, question Q18", "28 bytes at least"),
        (_, UnrecognisedCritical) => {
            rule("SPC-4 7.7.3.5.1, reading S3", "a payload that the standard has, or CRIT zero")
        }
        (Field::NextPayload, Missing | OutOfPlace | Invalid) => payloads(exchange),
        (Field::NextPayload, _) => rule("SPC-4 7.7.3.5.1", "payloads that end where the message does"),
        (Field::PayloadLength, Invalid) => range("SPC-4 7.7.3.5.8, reading R38", 20, 260),
        (Field::PayloadLength, _) => rule("SPC-4 7.7.3.5.1", "the length of the payload's format"),
        (Field::UsageDataLength, Length) => rule("SPC-4 7.7.3.5.14", "no more than the payload holds"),
        (Field::UsageDataLength, NotOffered) => rule("SPC-4 7.7.3.5.14", "no more than the policy allows"),
        (Field::UsageDataLength, _) => exactly("SPC-4 7.7.3.5.13, 7.7.3.5.14", 0),
        (Field::AlgorithmIdentifier, Invalid) => rule(
            "SPC-4 7.7.3.6.2, 7.7.3.6.6",
            "AUTH_COMBINED with a combined mode, another one without; no ENCR_NULL in 81h; SA_AUTH_NONE twice or never",
        ),
        (Field::AlgorithmType, OutOfPlace) => rule("SPC-4 7.7.3.5.13, 7.7.3.5.14", "one of each type, in their order"),
        (Field::SaType, Invalid) => rule("SPC-4 7.7.3.5.14", "a type that needs no authentication"),
        (field, _) => match header_rule(field) {
            Some(rule) => rule,
            None => payload_rule(field),
        },
    }
}

const fn header_rule(field: Field) -> Option<Rule> {
    const CLAUSE: &str = "SPC-4 7.7.3.4";
    Some(match field {
        Field::AcSai => rule("SPC-4 7.7.3.4, reading S5", "256 at least; later that of the sequence or association"),
        Field::DsSai => rule(CLAUSE, "that of the sequence or association"),
        Field::MajorVersion => exactly(CLAUSE, 2),
        Field::Inttr => exactly(CLAUSE, 1),
        Field::Rspns => exactly(CLAUSE, 0),
        Field::MessageId => rule(CLAUSE, "0 key exchange, 1 authentication, 2 Delete"),
        Field::Length => rule("SPC-4 7.7.3.4, question Q18", "the bytes transferred"),
        _ => return None,
    })
}

const fn payload_rule(field: Field) -> Rule {
    match field {
        Field::NumberOfDescriptors => rule("SPC-4 7.7.3.5.13, 7.7.3.5.14", "6; with what an SA is for, 2"),
        Field::SaType => rule("SPC-4 7.7.3.5.14", "a type that the policy allows"),
        Field::AlgorithmType => rule("SPC-4 7.7.3.6.1", "01h, 02h, 03h, 04h, F9h, FAh; for the use of an SA 01h, 03h"),
        Field::DescriptorLength => exactly("SPC-4 7.7.3.6.1", 12),
        Field::AlgorithmIdentifier => rule("SPC-4 7.7.3.6", "one that the capabilities list"),
        Field::KeyLength => rule("SPC-4 7.7.3.6.2", "one that the capabilities list with the algorithm"),
        Field::NumberOfTimeoutValues => range("SPC-4 7.7.3.5.15", 2, 255),
        Field::ProtocolTimeout | Field::InactivityTimeout => {
            rule("SPC-4 7.7.3.5.15, reading S4", "0, for ten seconds, to the greatest that the policy allows")
        }
        Field::GroupNumber => rule("SPC-4 7.7.3.5.3", "the group that the D-H descriptor selects"),
        Field::KeyExchangeData => rule("SPC-4 7.7.3.5.3, readings R15, R17", "a public value of the group"),
        Field::IdType => range("SPC-4 7.7.3.5.4", 9, 12),
        Field::CertificateEncoding => rule("SPC-4 7.7.3.5.5, 7.7.3.5.6", "04h, 0Bh"),
        Field::ProtocolId => exactly("SPC-4 7.7.3.5.9, 7.7.3.5.10", 1),
        Field::SaiSize => exactly("SPC-4 7.7.3.5.9, 7.7.3.5.10", 8),
        Field::NotifyMessageType => exactly("SPC-4 7.7.3.5.9", 16_384),
        Field::Sai => rule("SPC-4 7.7.3.5.9", "the header's IKE_SA DEVICE SERVER SAI"),
        Field::NumberOfSais => exactly("SPC-4 7.7.3.5.10", 2),
        Field::DeletedAcSai => rule("SPC-4 7.7.3.5.10", "the header's IKE_SA APPLICATION CLIENT SAI"),
        Field::DeletedDsSai => rule("SPC-4 7.7.3.5.10", "the header's IKE_SA DEVICE SERVER SAI"),
        Field::Padding => rule("SPC-4 7.7.3.5.11", "01h, 02h, 03h and so on"),
        Field::PadLength => rule("SPC-4 7.7.3.5.11", "no more than the plaintext holds"),
        Field::IntegrityChecksumData => rule("SPC-4 7.7.3.5.11", "that of the message under the keys of the sequence"),
        _ => rule("SPC-4 7.7.3.5", "as the payload's format has it"),
    }
}
