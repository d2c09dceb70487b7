//! Who signs, and who judges signatures (feature `signatures`).

use alloc::sync::Arc;

use super::Builder;
use crate::crypto::{CertificateRequests, CertificateValidator, Credential, Shared};
use crate::memory;

impl Builder {
    /// Adds a key with which the device server signs, and its certificates. Each kind of key is one more way to
    /// authenticate itself; of several of one kind the application client's Certificate Request tells which.
    #[must_use]
    pub fn credential(mut self, own: Credential) -> Self {
        self.out_of_memory |= memory::push(&mut self.credentials.own, own).is_err();
        self
    }

    /// Who decides about the keys of application clients that sign. Without it, signatures are not accepted.
    #[must_use]
    pub fn validator(mut self, validator: Arc<dyn CertificateValidator>) -> Self {
        self.credentials.judges.validator = Some(Shared::Counted(validator));
        self
    }

    /// The same, of one that is there for good, as in firmware.
    #[must_use]
    pub fn validator_static(mut self, validator: &'static dyn CertificateValidator) -> Self {
        self.credentials.judges.validator = Some(Shared::Static(validator));
        self
    }

    /// Which Certificate Requests a key exchange IN carries; the validator's trust anchors unless said otherwise.
    #[must_use]
    pub fn certificate_requests(mut self, requests: CertificateRequests) -> Self {
        self.credentials.requests = requests;
        self
    }
}
