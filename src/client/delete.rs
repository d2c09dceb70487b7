//! The Delete (r3 5.13.5, 7.7.4.8b; readings R27, R31; SPC-4 5.14.4.10, 5.14.4.11, 7.7.3.5.10).

use alloc::boxed::Box;

use thiserror::Error;

use super::Command;
use super::config::ClientConfig;
use super::error::{ClientError, Fault, Leftover, Step};
use super::sealed::Outgoing;
use crate::crypto::Random;
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{Protection, SaParameters};
use crate::wire::{Body, Delete, RawPayload, Sai, specific};

/// A Delete that could not be made: nothing was sent, and the association is as it was.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct NotDeleted {
    /// Why.
    pub error: ClientError,
    /// The association.
    pub parameters: SaParameters,
}

/// Makes the Delete of an established association and erases our half of it, in the order of r3 5.13.5 and SPC-4 5.14.4.11.
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
    let target = Target::association(config, &parameters);
    target.and_then(|target| target.write_delete(config, random)).map_err(|fault| {
        let error = ClientError { step: Step::Delete, fault, leftover: Leftover::PerhapsAssociation };
        Box::new(NotDeleted { error, parameters })
    })
}

/// What a Delete names, and what protects it.
pub(super) struct Target<'a> {
    pub(super) sais: (Sai, Sai),
    pub(super) message_id: u32,
    pub(super) protection: Protection<'a>,
}

impl<'a> Target<'a> {
    fn association(config: &ClientConfig, parameters: &'a SaParameters) -> Result<Self, Fault> {
        Ok(Self {
            sais: (parameters.ac_sai, parameters.ds_sai),
            message_id: parameters.mgmt_data.next_message_id,
            protection: Protection::of_delete(config.profile, &config.provider, parameters)
                .map_err(Fault::NotInProvider)?,
        })
    }

    /// Writes the Delete, by as many SAIs as the dialect names.
    pub(super) fn write_delete(&self, config: &ClientConfig, random: &mut dyn Random) -> Result<Command, Fault> {
        let (ac_sai, ds_sai) = self.sais;
        let names_both = config.profile.rules().number_of_sais > 1;
        let delete = Delete { ac_sai, ds_sai: names_both.then_some(ds_sai) };
        let outgoing = Outgoing {
            exchange: Exchange::DeleteOut,
            sais: self.sais,
            message_id: self.message_id,
            protection: self.protection,
            plaintext: "delete_plaintext",
            inner_length: delete.len().saturating_add(RawPayload::HEADER_LEN),
        };
        let message = outgoing.write(config, random, |writer| writer.payload(PayloadType::Delete, &delete))?;
        Command::data_out(specific::DELETE, message)
    }
}
