//! How a command's end tells the application client whether its sequence goes on (SPC-4 5.14.4.10, table 83): the device server
//! does what that table says, so that the two never disagree (question Q34).

use super::{Sense, SenseKey};
use crate::dialect::SenseCodes;

/// A command of protocol 41h, as far as SPC-4 table 83 tells commands apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SequenceCommand {
    /// Key Exchange SECURITY PROTOCOL OUT.
    KeyExchangeOut,
    /// Authentication SECURITY PROTOCOL OUT.
    AuthenticationOut,
    /// SECURITY PROTOCOL IN.
    In,
    /// Delete.
    Delete,
}

impl Sense {
    /// True if a command that ends so leaves its nexus's sequence where it was, by SPC-4 table 83: everything that it does not
    /// name tells the application client that the sequence is gone. A Delete is no command of a sequence, and ends one only
    /// when it was found wrong after it had been opened (SPC-4 7.7.3.8.3).
    #[must_use]
    pub fn keeps_sequence(&self, command: SequenceCommand) -> bool {
        let codes = SenseCodes::Spc4;
        if self.key == SenseKey::NotReady && self.asc == codes.operation_in_progress() {
            return true;
        }
        match command {
            SequenceCommand::KeyExchangeOut if self.asc == codes.conflicting_request() => true,
            SequenceCommand::KeyExchangeOut | SequenceCommand::AuthenticationOut => {
                self.asc == codes.parameter_value_rejected()
            }
            SequenceCommand::In => self.asc == codes.invalid_field_in_cdb(),
            SequenceCommand::Delete => {
                self.asc != codes.parameter_value_invalid() && self.asc != codes.parameter_not_supported()
            }
        }
    }
}
