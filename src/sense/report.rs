//! Where the rule for each refusal stands, what it allows, and how wide the field is: one table, for people and programs that
//! look for the cause of an error.
//!
//! What lives here: clauses and constants of the standard. What does not: what a policy or a limit makes of them, which the
//! server fills in.

use core::fmt;

use super::Refusal;
use super::report_spc4;
use crate::dialect::{ErrorClasses, Exchange, Profile};
use crate::wire::{Field, WireError, WireErrorKind};

/// What a rule allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Allowed {
    /// One value.
    Exactly(u64),
    /// Every value from `least` to `most`, both included.
    Range {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// What no number says.
    Text(&'static str),
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(value) => write!(f, "{value}"),
            Self::Range { least, most } => write!(f, "{least} to {most}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A rule that a command broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rule {
    /// The clause of r3 or SPC-4, or the reading, where it stands.
    pub clause: &'static str,
    /// What it allows.
    pub allowed: Allowed,
}

pub(super) const fn rule(clause: &'static str, text: &'static str) -> Rule {
    Rule { clause, allowed: Allowed::Text(text) }
}

pub(super) const fn exactly(clause: &'static str, value: u64) -> Rule {
    Rule { clause, allowed: Allowed::Exactly(value) }
}

pub(super) const fn range(clause: &'static str, least: u64, most: u64) -> Rule {
    Rule { clause, allowed: Allowed::Range { least, most } }
}

impl Refusal {
    /// The rule that the command broke; `exchange` is the message that it carried.
    #[must_use]
    pub const fn rule(&self, profile: Profile, exchange: Option<Exchange>) -> Rule {
        match profile.rules().classes {
            ErrorClasses::One => self.rule_of_one_class(exchange),
            ErrorClasses::Two => report_spc4::rule_of(self, exchange),
        }
    }

    const fn rule_of_one_class(&self, exchange: Option<Exchange>) -> Rule {
        match self {
            Self::List(error) | Self::Rejected(error) => list_rule(error, exchange),
            Self::Cdb(error) => cdb_rule(error.field),
            Self::Authentication { .. } => rule("r3 5.13.4.4.2", "an identity and a proof of it"),
            Self::OperationInProgress { .. } => rule("r3 5.13.4.6, reading R24", "the next command of the sequence"),
            Self::Calculating { .. } => rule("r3 5.13.7", "the same command, later"),
            Self::InvalidSequence { is_delete: true } | Self::NothingToDelete(_) => {
                rule("r3 5.13.5, reading R25", "the SAIs of a live security association")
            }
            Self::InvalidSequence { is_delete: false } | Self::NoSequence | Self::Conflict => {
                rule("r3 5.13.4.6, 7.7.4.13, reading R25", "a key exchange OUT first")
            }
            Self::InsufficientResources { .. } => rule("reading R40", "the same command, when there is room"),
            Self::Internal | Self::Unable => rule("reading R40", "the same command again"),
        }
    }

    /// The field at fault, if one is.
    #[must_use]
    pub const fn fault(&self) -> Option<&WireError> {
        match self {
            Self::List(error) | Self::Rejected(error) | Self::NothingToDelete(error) | Self::Cdb(error) => Some(error),
            _ => None,
        }
    }
}

const fn cdb_rule(field: Field) -> Rule {
    match field {
        Field::OperationCode => rule("r3 6.29, 6.30", "A2h or B5h, of 12 bytes"),
        Field::SecurityProtocol => rule("r3 6.29, 6.30, reading R35", "IN: 00h, 40h, 41h; OUT: 41h"),
        Field::SecurityProtocolSpecific => rule("r3 Tables A0, A1, D1, reading R35", "a phase of the protocol"),
        Field::Inc512 => exactly("reading R35", 0),
        Field::TransferLength => rule("r3 7.7.6.2, reading R36", "up to the limit"),
        _ => rule("reading R35", "as the CDB's format has it"),
    }
}

/// The payloads of a message, in words.
const fn payloads(exchange: Option<Exchange>) -> Rule {
    match exchange {
        Some(Exchange::KeyExchangeOut) => rule("r3 5.13.4.3.2, readings R6, R34", "STV, SCA, KE, NONCE"),
        Some(Exchange::AuthenticationOut) => rule(
            "r3 5.13.4.4.2, readings R6, R34",
            "E with ID, CERT, CERTREQ, N, AUTH: ID and AUTH once, N once at most",
        ),
        Some(Exchange::DeleteOut) => rule("r3 5.13.5, readings R6, R34", "E with D"),
        _ => rule("r3 7.7.4.1, reading R6", "the payloads of the message in their order"),
    }
}

const fn list_rule(error: &WireError, exchange: Option<Exchange>) -> Rule {
    use WireErrorKind::{Invalid, Length, Missing, NoHeader, OutOfPlace, UnrecognisedCritical};
    match (error.field, error.kind) {
        (_, NoHeader) => rule("r3 7.7.3.1.1, reading R36", "28 bytes at least"),
        (_, UnrecognisedCritical) => {
            rule("r3 7.7.3.1.1, 7.7.5, reading R6", "a payload that Table G1 has, or CRIT zero")
        }
        (Field::NextPayload, Missing | OutOfPlace) => payloads(exchange),
        (Field::NextPayload, _) => rule("r3 7.7.3.1.1, reading R8", "payloads that end where the message does"),
        (Field::PayloadLength, Invalid) => range("r3 7.7.4.7, reading R38", 20, 260),
        (Field::PayloadLength, _) => rule("r3 7.7.3.1.1, reading R8", "the length of the payload's format"),
        (Field::UsageDataLength, Invalid) => rule("r3 7.7.4.12", "a multiple of four"),
        (Field::UsageDataLength, Length) => rule("r3 7.7.4.12", "no more than the payload holds"),
        (Field::AlgorithmIdentifier, Invalid) => {
            rule("r3 7.7.4.11.1", "NONE with a combined mode, another one without")
        }
        (Field::AlgorithmType, OutOfPlace) => rule("r3 7.7.4.12, reading R4", "one of each type, in increasing order"),
        (field, _) => match header_rule(field) {
            Some(rule) => rule,
            None => payload_rule(field),
        },
    }
}

const fn header_rule(field: Field) -> Option<Rule> {
    const CLAUSE: &str = "r3 7.7.3.1.1";
    Some(match field {
        Field::AcSai => rule(CLAUSE, "not zero; after the key exchange OUT, that of the sequence or association"),
        Field::DsSai => rule(CLAUSE, "zero in the key exchange OUT; then that of the sequence or association"),
        Field::MajorVersion => exactly(CLAUSE, 2),
        Field::ExchangeType => rule(CLAUSE, "F2h key exchange, F3h authentication, F4h Delete"),
        Field::Inttr => exactly(CLAUSE, 1),
        Field::Rspns => exactly(CLAUSE, 0),
        Field::MessageId => rule("r3 7.7.3.1.1, reading R27", "0 key exchange, 1 authentication, then the next one"),
        Field::Length => rule("r3 7.7.3.1.1, readings R8, R39", "the bytes transferred"),
        _ => return None,
    })
}

const fn payload_rule(field: Field) -> Rule {
    match field {
        Field::NumberOfTransforms => exactly("r3 7.7.4.12, reading R4", 5),
        Field::SecurityAssociationType => rule("r3 7.7.4.12, reading R34", "a type that the policy allows"),
        Field::UsageDataLength => rule("r3 7.7.4.12, reading R34", "no more than the policy allows"),
        Field::Said => rule("r3 7.7.4.12", "the header's IKE_SA APPLICATION CLIENT SAI"),
        Field::AlgorithmType => rule("r3 7.7.4.11.1, Table K1", "01h, 02h, 03h, 04h, F9h"),
        Field::DescriptorLength => exactly("r3 7.7.4.11.1, Table J1", 12),
        Field::AlgorithmIdentifier => rule("r3 5.13.4.3.2, 7.7.4.11.1", "one that the capabilities list"),
        Field::KeyLength => rule("r3 7.7.4.11.1.1", "one that the capabilities list with the algorithm"),
        Field::NumberOfTimeoutValues => exactly("r3 7.7.4.13", 2),
        Field::ProtocolTimeout | Field::InactivityTimeout => {
            rule("r3 7.7.4.13, reading R28", "1 to the greatest that the policy allows")
        }
        Field::GroupNumber => rule("r3 7.7.4.3", "the group that the SCA payload selects"),
        Field::KeyExchangeData => rule("r3 7.7.4.3, readings R15, R17", "a public value of the group"),
        Field::IdType => rule("r3 7.7.4.4, reading R34", "11, 12; with an X.509 certificate 9, 10"),
        Field::CertificateEncoding => rule("r3 7.7.4.5, Table H2", "04h, 0Bh"),
        Field::ProtocolId => exactly("r3 7.7.4.8a, 7.7.4.8b", 1),
        Field::SaiSize => exactly("r3 7.7.4.8a, 7.7.4.8b", 8),
        Field::NotifyMessageType => exactly("r3 7.7.4.8a", 16_384),
        Field::Sai => rule("r3 7.7.4.8a", "the header's IKE_SA DEVICE SERVER SAI"),
        Field::NumberOfSais => exactly("r3 7.7.4.8b", 1),
        Field::DeletedSai => rule("r3 7.7.4.8b", "the header's IKE_SA APPLICATION CLIENT SAI"),
        Field::PadLength => rule("r3 7.7.4.10, RFC 4306 3.14", "no more than the plaintext holds"),
        Field::IntegrityChecksumData => rule("r3 7.7.4.10", "that of the message under the keys of the sequence"),
        _ => rule("r3 7.7.4", "as the payload's format has it"),
    }
}

/// Bytes of a field's value that may be told: the client's own choice, never a proof, a key or a ciphertext.
pub(crate) const fn told_width(profile: Profile, field: Field) -> usize {
    match field {
        Field::OperationCode
        | Field::SecurityProtocol
        | Field::Inc512
        | Field::NextPayload
        | Field::MajorVersion
        | Field::ExchangeType
        | Field::Inttr
        | Field::Rspns
        | Field::NumberOfTransforms
        | Field::NumberOfDescriptors
        | Field::SecurityAssociationType
        | Field::AlgorithmType
        | Field::NumberOfTimeoutValues
        | Field::IdType
        | Field::CertificateEncoding
        | Field::AuthMethod
        | Field::ProtocolId
        | Field::SaiSize
        | Field::PadLength => 1,
        Field::SecurityProtocolSpecific
        | Field::PayloadLength
        | Field::UsageDataLength
        | Field::DescriptorLength
        | Field::KeyLength
        | Field::GroupNumber
        | Field::NotifyMessageType
        | Field::NumberOfSais
        | Field::SaType => 2,
        Field::AllocationLength
        | Field::TransferLength
        | Field::MessageId
        | Field::Length
        | Field::AlgorithmIdentifier
        | Field::ProtocolTimeout
        | Field::InactivityTimeout
        | Field::DeletedAcSai
        | Field::DeletedDsSai => 4,
        Field::AcSai | Field::DsSai | Field::Said | Field::Sai | Field::DeletedSai => profile.rules().sai_length(),
        // The beginning is enough to know it by.
        Field::KeyExchangeData => 16,
        _ => 0,
    }
}
