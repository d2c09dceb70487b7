//! THE TABLES: which command may come when (r3 5.13.4.6, 5.13.5, 7.7.3.1.1, 7.7.4.13; readings R24-R26; SPC-4 7.7.3.7,
//! readings S2, S9, S10).
//!
//! Rows are commands, columns the last accepted command of the I_T_L nexus's sequence. `authentication OUT*` carries SAIs
//! that are not the sequence's; `delete` names a live security association, `delete*` none.
//!
//! | command             | idle     | key exchange OUT | key exchange IN | authentication OUT | complete | complete, unauthenticated |
//! | ------------------- | -------- | ---------------- | --------------- | ------------------ | -------- | ------------------------- |
//! | key exchange OUT    | process  | in progress      | in progress     | in progress        | process  | process                   |
//! | key exchange IN     | sequence | process          | repeat          | in progress        | sequence | repeat                    |
//! | authentication OUT  | sequence | in progress      | process         | in progress        | sequence | sequence                  |
//! | authentication OUT* | sequence | in progress      | in progress     | in progress        | sequence | sequence                  |
//! | authentication IN   | sequence | in progress      | in progress     | process            | repeat   | sequence                  |
//! | delete              | process  | process          | process         | process            | process  | process                   |
//! | delete*             | sequence | value            | value           | value              | sequence | sequence                  |
//! | invalid field       | field    | field            | field           | field              | field    | field                     |
//!
//! SPC-4 looks at the CDB alone (SPC-4 table 556), so that SAIs make no difference:
//!
//! | command             | idle     | key exchange OUT | key exchange IN | authentication OUT | complete    | complete, unauthenticated |
//! | ------------------- | -------- | ---------------- | --------------- | ------------------ | ----------- | ------------------------- |
//! | key exchange OUT    | process  | in progress      | in progress     | in progress        | process     | process                   |
//! | key exchange IN     | none     | process          | repeat          | in progress        | in progress | repeat                    |
//! | authentication OUT  | no such  | in progress      | process         | in progress        | in progress | no such                   |
//! | authentication OUT* | no such  | in progress      | process         | in progress        | in progress | no such                   |
//! | authentication IN   | no such  | in progress      | in progress     | process            | repeat      | no such                   |
//! | delete              | process  | process          | process         | process            | process     | process                   |
//! | delete*             | process  | process          | process         | process            | process     | process                   |
//! | invalid field       | field    | in progress      | in progress     | in progress        | field       | field                     |
//!
//! * process: the command is checked further, and processed
//! * repeat: the bytes of the first answer are returned again (reading R26)
//! * in progress: NOT READY, IKEv2-SCSI OPERATION IN PROGRESS (reading R24); in SPC-4 SA CREATION IN PROGRESS
//! * sequence: ILLEGAL REQUEST, IKEv2-SCSI INVALID COMMAND SEQUENCE (reading R25)
//! * value: ILLEGAL REQUEST, IKEv2-SCSI PARAMETER VALUE INVALID (reading R25)
//! * none: ILLEGAL REQUEST, COMMAND SEQUENCE ERROR; in progress while another nexus has a sequence (reading S2)
//! * no such: ILLEGAL REQUEST, INVALID FIELD IN CDB, for there is no sequence that the command belongs to
//! * field: ILLEGAL REQUEST, INVALID FIELD IN CDB, at the field that is wrong
//!
//! A sequence without authentication ends with its key exchange IN, which takes the place that authentication IN has in the
//! last column of the standard's table: it is repeated, and what the sequence does not have is not there (reading S10).
//!
//! `tests/table.rs` reads these tables and compares every cell with [`decide`].

use crate::dialect::Dialect;

/// The last accepted command of a nexus's sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// None: never begun, abandoned, or forgotten at the protocol timeout.
    Idle,
    /// Key Exchange phase SECURITY PROTOCOL OUT.
    KeyExchangeOut,
    /// Key Exchange phase SECURITY PROTOCOL IN.
    KeyExchangeIn,
    /// Authentication phase SECURITY PROTOCOL OUT.
    AuthenticationOut,
    /// Authentication phase SECURITY PROTOCOL IN; its answer is kept until the protocol timeout.
    Complete,
    /// Key Exchange phase SECURITY PROTOCOL IN with IKE_AUTH_NONE; its answer is kept until the protocol timeout.
    CompleteUnauthenticated,
}

/// A command, as far as the table tells commands apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Key Exchange phase SECURITY PROTOCOL OUT.
    KeyExchangeOut,
    /// Key Exchange phase SECURITY PROTOCOL IN.
    KeyExchangeIn,
    /// Authentication phase SECURITY PROTOCOL OUT with the SAIs of the nexus's sequence.
    AuthenticationOut,
    /// Authentication phase SECURITY PROTOCOL OUT with other SAIs.
    ForeignAuthenticationOut,
    /// Authentication phase SECURITY PROTOCOL IN.
    AuthenticationIn,
    /// Delete of a live security association.
    Delete,
    /// Delete that names no live security association.
    ForeignDelete,
    /// A command of protocol 41h whose CDB has a field that no command may have so.
    InvalidField,
}

/// What the table says to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Check it further, and process it.
    Process,
    /// Return the bytes of the first answer again.
    Repeat,
    /// NOT READY, IKEv2-SCSI OPERATION IN PROGRESS.
    InProgress,
    /// ILLEGAL REQUEST, IKEv2-SCSI INVALID COMMAND SEQUENCE.
    InvalidSequence,
    /// ILLEGAL REQUEST, IKEv2-SCSI PARAMETER VALUE INVALID.
    InvalidValue,
    /// ILLEGAL REQUEST, COMMAND SEQUENCE ERROR, or in progress while another nexus has a sequence.
    NoneAnywhere,
    /// ILLEGAL REQUEST, INVALID FIELD IN CDB: there is no sequence to which the command belongs.
    NoSequence,
    /// ILLEGAL REQUEST, INVALID FIELD IN CDB: the field is wrong.
    InvalidField,
}

/// The table of a dialect.
#[must_use]
pub const fn decide(dialect: Dialect, phase: Phase, step: Step) -> Verdict {
    match dialect {
        Dialect::R3 => decide_r3(phase, step),
        #[cfg(any(test, feature = "spc4"))]
        Dialect::Spc4 => decide_spc4(phase, step),
    }
}

const fn decide_r3(phase: Phase, step: Step) -> Verdict {
    use Phase::{AuthenticationOut, Complete, CompleteUnauthenticated, Idle, KeyExchangeIn, KeyExchangeOut};
    match (step, phase) {
        (Step::KeyExchangeOut, Idle | Complete | CompleteUnauthenticated)
        | (Step::KeyExchangeIn, KeyExchangeOut)
        | (Step::AuthenticationOut, KeyExchangeIn)
        | (Step::AuthenticationIn, AuthenticationOut)
        | (
            Step::Delete,
            Idle | KeyExchangeOut | KeyExchangeIn | AuthenticationOut | Complete | CompleteUnauthenticated,
        ) => Verdict::Process,
        (Step::KeyExchangeIn, KeyExchangeIn | CompleteUnauthenticated) | (Step::AuthenticationIn, Complete) => {
            Verdict::Repeat
        }
        (Step::KeyExchangeOut | Step::ForeignAuthenticationOut, KeyExchangeOut | KeyExchangeIn | AuthenticationOut)
        | (Step::KeyExchangeIn, AuthenticationOut)
        | (Step::AuthenticationOut, KeyExchangeOut | AuthenticationOut)
        | (Step::AuthenticationIn, KeyExchangeOut | KeyExchangeIn) => Verdict::InProgress,
        (Step::ForeignDelete, KeyExchangeOut | KeyExchangeIn | AuthenticationOut) => Verdict::InvalidValue,
        (Step::KeyExchangeIn, Idle | Complete)
        | (
            Step::AuthenticationOut | Step::ForeignAuthenticationOut | Step::ForeignDelete,
            Idle | Complete | CompleteUnauthenticated,
        )
        | (Step::AuthenticationIn, Idle | CompleteUnauthenticated) => Verdict::InvalidSequence,
        (
            Step::InvalidField,
            Idle | KeyExchangeOut | KeyExchangeIn | AuthenticationOut | Complete | CompleteUnauthenticated,
        ) => Verdict::InvalidField,
    }
}

#[cfg_attr(not(feature = "spc4"), allow(dead_code, reason = "the table of a dialect that this build does not speak"))]
const fn decide_spc4(phase: Phase, step: Step) -> Verdict {
    use Phase::{AuthenticationOut, Complete, CompleteUnauthenticated, Idle, KeyExchangeIn, KeyExchangeOut};
    match (step, phase) {
        (Step::KeyExchangeOut, Idle | Complete | CompleteUnauthenticated)
        | (Step::KeyExchangeIn, KeyExchangeOut)
        | (Step::AuthenticationOut | Step::ForeignAuthenticationOut, KeyExchangeIn)
        | (Step::AuthenticationIn, AuthenticationOut)
        | (
            Step::Delete | Step::ForeignDelete,
            Idle | KeyExchangeOut | KeyExchangeIn | AuthenticationOut | Complete | CompleteUnauthenticated,
        ) => Verdict::Process,
        (Step::KeyExchangeIn, KeyExchangeIn | CompleteUnauthenticated) | (Step::AuthenticationIn, Complete) => {
            Verdict::Repeat
        }
        (Step::KeyExchangeOut | Step::InvalidField, KeyExchangeOut | KeyExchangeIn | AuthenticationOut)
        | (Step::KeyExchangeIn, AuthenticationOut | Complete)
        | (Step::AuthenticationOut | Step::ForeignAuthenticationOut, KeyExchangeOut | AuthenticationOut | Complete)
        | (Step::AuthenticationIn, KeyExchangeOut | KeyExchangeIn) => Verdict::InProgress,
        (Step::KeyExchangeIn, Idle) => Verdict::NoneAnywhere,
        (
            Step::AuthenticationOut | Step::ForeignAuthenticationOut | Step::AuthenticationIn,
            Idle | CompleteUnauthenticated,
        ) => Verdict::NoSequence,
        (Step::InvalidField, Idle | Complete | CompleteUnauthenticated) => Verdict::InvalidField,
    }
}
