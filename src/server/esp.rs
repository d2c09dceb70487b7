//! The use of security associations by the embedder's commands: ESP-SCSI descriptors (SPC-4 5.14.7), inactivity timers and
//! the end of sequence numbers.

use alloc::vec::Vec;
use core::ops::Range;

use super::{DeviceServer, EventKind, RemovalReason};
use crate::crypto::Random;
use crate::esp::{EspScsi, Flow, Form, OpenError, Place};
use crate::sa::{SaId, SecurityAssociation};
use crate::sense::Sense;
use crate::time::Instant;

/// What a command has a descriptor for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EspCommand<'a> {
    /// The values of USAGE_TYPE of associations that may be used, such as
    /// [`esp::TAPE_DATA_ENCRYPTION`](crate::esp::TAPE_DATA_ENCRYPTION): the keys of an association made for another use
    /// are not for this command.
    pub usage_types: &'a [u16],
    /// Whether the descriptor tells its length.
    pub form: Form,
    /// Where the descriptor stands; of a request for Data-In, where the association is named.
    pub place: Place,
}

/// A descriptor of a command, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the data stand in the descriptor, where this says"]
pub struct OpenedOut {
    /// The association.
    pub id: SaId,
    /// Where in the descriptor the data are.
    pub data: Range<usize>,
    /// Bytes of the descriptor; what stands behind it was not looked at.
    pub length: usize,
    /// True when the descriptor had the last sequence number: the association is gone.
    pub sa_removed: bool,
}

impl DeviceServer {
    /// Opens, in place, the Data-Out or CDB descriptor that `bytes` begin with. Its association keeps the sequence number, and
    /// its inactivity timer begins anew; with the last sequence number it is removed ([`RemovalReason::SequenceNumbers`]).
    ///
    /// The peer is whoever made the association, on whichever I_T nexus: [`DeviceServer::sas`] tells who that is. One command may have several
    /// descriptors; each that was opened is used up, also when the command is refused for another reason later.
    ///
    /// # Errors
    /// The sense data to end the command with. Nothing is changed then, with one exception that the standard makes: what fails
    /// behind a right ICV, its padding, counts as a use of the association (SPC-4 5.14.7.4.2).
    pub fn open_data_out(
        &mut self,
        bytes: &mut [u8],
        command: EspCommand<'_>,
        now: Instant,
    ) -> Result<OpenedOut, Sense> {
        self.expire(now);
        let refuse = |error: OpenError| Sense::of_descriptor(&error, command.place);
        let esp = EspScsi::new(self.setting.profile, self.setting.provider, command.usage_types);
        let ds_sai = EspScsi::sai_of(bytes, command.form).map_err(|fault| refuse(fault.into()))?;
        let unknown = OpenError::Fault(Flow::Out.sai_fault());
        let sa = self.sas.get_mut_by_ds_sai(ds_sai).ok_or_else(|| refuse(unknown))?;
        let id = sa.id();
        let opened = esp.open(Flow::Out, &mut sa.parameters, bytes, command.form);
        let is_last = sa.parameters.ds_sqn == u64::MAX;
        let used = match &opened {
            Ok(_) => true,
            Err(OpenError::Fault(fault)) => fault.is_authentic(),
            Err(_) => false,
        };
        if used {
            self.used(id, is_last);
        }
        let opened = opened.map_err(refuse)?;
        Ok(OpenedOut { id, data: opened.data, length: opened.length, sa_removed: is_last })
    }

    /// Builds a descriptor for Data-In under the association that the command names by both SAIs, with its next sequence
    /// number; the inactivity timer begins anew, and with the last sequence number the association is removed
    /// ([`RemovalReason::SequenceNumbers`]).
    ///
    /// Call it when all else about the command is certain: a descriptor that is not sent has used up its number, and the
    /// application client ignores those that follow more than [`esp::WINDOW`](crate::esp::WINDOW) numbers behind the last that it
    /// has seen. A command that returns such data should have had a descriptor of the same association in its
    /// Data-Out (SPC-4 5.14.7.5.1).
    ///
    /// # Errors
    /// The sense data to end the command with: the SAIs name no association together, the association is for another use,
    /// or random source or provider failed or `data` is longer than a descriptor can be (HARDWARE ERROR). Nothing is
    /// changed then.
    pub fn build_data_in(
        &mut self,
        id: SaId,
        data: &[u8],
        command: EspCommand<'_>,
        now: Instant,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, Sense> {
        self.expire(now);
        let esp = EspScsi::new(self.setting.profile, self.setting.provider, command.usage_types);
        let sa = self.sas.get_mut(id).ok_or_else(|| Sense::of_unknown_sa(command.place))?;
        let built = esp.build(Flow::In, &mut sa.parameters, data, command.form, random);
        let built = built.map_err(|error| Sense::of_data_in(&error, command.place))?;
        self.used(id, built.is_last);
        Ok(built.descriptor)
    }

    /// The association that a request for Data-In names by both SAIs, for a command that must know it before it has the data.
    ///
    /// # Errors
    /// The sense data to end the command with when there is none; `place` is where the command names it.
    pub fn sa_of_request(&mut self, id: SaId, place: Place, now: Instant) -> Result<&SecurityAssociation, Sense> {
        self.sa(id, now).ok_or_else(|| Sense::of_unknown_sa(place))
    }

    fn used(&mut self, id: SaId, is_last: bool) {
        if is_last {
            self.sas.remove(id);
            self.tell(None, EventKind::SaRemoved { id, why: RemovalReason::SequenceNumbers });
        } else {
            self.sas.touch(id, self.now);
        }
    }
}
