//! The embedder's say in what is offered to whom, and in who may have an association (r3 7.7.4.11, 7.7.4.11.1; readings R18, R29).

use alloc::borrow::Cow;

use super::{DeviceServer, NexusId};
use crate::capabilities::{CapabilitiesError, Offer, Selection};
use crate::ccs::Usage;
use crate::memory::OutOfMemory;
use crate::sa::Authenticated;
use crate::sense::Refusal;
use crate::wire::Descriptor;

/// Whether this build asks the embedder (feature `admission`). Unit tests always do.
const HAS_ADMISSION: bool = cfg!(any(test, feature = "admission"));

/// Decisions for one nexus or one application client, within what the policy allows all of them.
///
/// Both questions have the same answer until the embedder decides otherwise; they are asked inside `execute` and `complete`, so
/// that the answer should take no time.
pub trait Admission: Send + Sync {
    /// Whether an algorithm of the capabilities is offered to the application client behind a nexus: r3 7.7.4.11 lists those
    /// that the device server "is prepared to use with the application client that issued" the command.
    ///
    /// What is not offered is not listed, cannot be selected, is no AUTH METHOD, and is not in the capabilities that the device
    /// server signs (reading R29): when the answer changes within a sequence, that sequence fails. Integrity algorithm NONE is
    /// not asked for: it is listed when a combined mode is (reading R5). Without an algorithm of some type there is nothing to
    /// answer with, and commands of the nexus that need the list are refused with HARDWARE ERROR.
    ///
    /// In SPC-4 it is not asked: there all application clients are offered the same (question Q16).
    fn offers(&self, nexus: NexusId, algorithm: &Descriptor) -> bool {
        let _ = (nexus, algorithm);
        true
    }

    /// Whether an application client that has proved who it is may have the association that it selected. One that may not is
    /// told AUTHENTICATION FAILED, as for a wrong proof, and its failure is counted (reading R23).
    fn accepts(&self, applicant: &Applicant<'_>) -> bool {
        let _ = applicant;
        true
    }
}

/// An application client that has proved who it is, and what it wants.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Applicant<'a> {
    /// The nexus of its command sequence.
    pub nexus: NexusId,
    /// Who it is, its AUTH METHOD, and what proved it.
    pub client: &'a Authenticated,
    /// The algorithms that it selected.
    pub selection: &'a Selection,
    /// SECURITY ASSOCIATION TYPE, in SPC-4 SA TYPE: what the association is for.
    pub usage_type: u16,
}

impl DeviceServer {
    /// What is offered to a nexus.
    pub(super) fn offer_to(&self, nexus: NexusId) -> Result<Cow<'_, Offer>, Refusal> {
        let admission = self.admission.as_ref().filter(|_| HAS_ADMISSION && self.setting.profile.rules().offers_differ);
        let Some(admission) = admission else { return Ok(Cow::Borrowed(&self.setting.offer)) };
        let offers = |algorithm: &Descriptor| admission.offers(nexus, algorithm);
        let offer = self.setting.offer.only(&self.setting.provider, offers).map_err(|error| match error {
            CapabilitiesError::Memory => Refusal::from(OutOfMemory),
            // The embedder's mistake, and nothing that the application client could mend.
            _ => Refusal::Internal,
        })?;
        Ok(Cow::Owned(offer))
    }

    pub(super) fn admits(&self, nexus: NexusId, client: &Authenticated, usage: Option<&Usage>) -> bool {
        let Some(admission) = self.admission.as_ref().filter(|_| HAS_ADMISSION) else { return true };
        let Some(sequence) = self.slots.get(nexus).and_then(|slot| slot.ccs.sequence()) else { return false };
        let Some(usage) = usage.or(sequence.usage.as_ref()) else { return false };
        let (selection, usage_type) = (&sequence.selection, usage.sa_type);
        admission.accepts(&Applicant { nexus, client, selection, usage_type })
    }
}
