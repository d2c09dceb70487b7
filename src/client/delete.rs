//! The Delete (r3 5.13.5, 7.7.4.8b; readings R27, R31).

use alloc::boxed::Box;

use thiserror::Error;

use super::Command;
use super::config::ClientConfig;
use super::error::{ClientError, Fault, Leftover, Step};
use super::sealed::Outgoing;
use crate::crypto::Random;
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{Protection, SaParameters};
use crate::wire::{Body, Delete, RawPayload, specific};

/// A Delete that could not be made: nothing was sent, and the association is as it was.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct NotDeleted {
    /// Why.
    pub error: ClientError,
    /// The association.
    pub parameters: SaParameters,
}

/// Makes the Delete of an established association and erases our half of it, in the order of r3 5.13.5.
///
/// The command may be sent on any I_T nexus. CHECK CONDITION in answer to it means that the device server no longer had
/// the association, or that it was not ours to delete; there is nothing to be read back.
///
/// # Errors
/// [`NotDeleted`] gives the parameters back: [`Fault::Random`], [`Fault::Crypto`], [`Fault::NotInProvider`].
pub fn delete(
    config: &ClientConfig,
    parameters: SaParameters,
    random: &mut dyn Random,
) -> Result<Command, Box<NotDeleted>> {
    write(config, &parameters, random).map_err(|fault| {
        let error = ClientError { step: Step::Delete, fault, leftover: Leftover::PerhapsAssociation };
        Box::new(NotDeleted { error, parameters })
    })
}

pub(super) fn write(
    config: &ClientConfig,
    parameters: &SaParameters,
    random: &mut dyn Random,
) -> Result<Command, Fault> {
    let management = &parameters.mgmt_data;
    let delete = Delete { ac_sai: parameters.ac_sai, ds_sai: None };
    let outgoing = Outgoing {
        exchange: Exchange::DeleteOut,
        sais: (parameters.ac_sai, parameters.ds_sai),
        message_id: management.next_message_id,
        protection: Protection::of_delete(config.profile, &config.provider, management)
            .map_err(Fault::NotInProvider)?,
        plaintext: "delete_plaintext",
        inner_length: delete.len().saturating_add(RawPayload::HEADER_LEN),
    };
    let message = outgoing.write(config, random, |writer| writer.payload(PayloadType::Delete, &delete))?;
    Command::data_out(specific::DELETE, message)
}
