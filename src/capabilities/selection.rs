//! SCA payload to [`Selection`] (r3 7.7.4.11.1, 7.7.4.12; readings R4, R5, R18, R39).

use super::{AuthMethods, Offer, TYPES};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{CryptoProvider, Suite};
use crate::wire::{Algorithms, Descriptor, Descriptors, Field, WireError, WireErrorKind};

/// What an application client selected.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// Encryption, PRF, integrity and group.
    pub suite: Suite,
    /// Identifier of the IKE authentication algorithm that the device server shall use for itself (reading R18).
    pub authentication: u32,
}

impl Selection {
    /// True if the Authentication phase is omitted (reading R19).
    #[must_use]
    pub const fn is_unauthenticated(&self) -> bool {
        self.authentication == algorithm::IKE_AUTH_NONE
    }
}

/// Offset of ALGORITHM IDENTIFIER from a descriptor's first byte.
const IDENTIFIER_AT: usize = 4;
/// Offset of KEY LENGTH from a descriptor's first byte.
const KEY_LENGTH_AT: usize = 10;

/// Judges the descriptors of an SCA payload whose first byte stands at offset `at` of the message.
///
/// Faults in this order: a type that Table K1 does not have; a type that is absent; a type out of its order or repeated;
/// an algorithm or key length that is not offered; a combined mode with integrity or a separate one without.
///
/// # Errors
/// [`WireError`] blamed on the first wrong field; an absent type on NUMBER OF TRANSFORMS.
pub fn select(
    offer: &Offer,
    methods: AuthMethods,
    provider: &CryptoProvider,
    sca: &Algorithms<'_>,
    at: usize,
) -> Result<Selection, WireError> {
    let first_at = at.saturating_add(sca.descriptors_at());
    let place = |index: usize| first_at.saturating_add(index.saturating_mul(Descriptors::EACH));
    check_types(sca, at.saturating_add(Algorithms::COUNT_AT), place)?;
    for (index, descriptor) in sca.descriptors.iter().enumerate() {
        if !offer.offers(&descriptor) || !is_available(provider, methods, &descriptor) {
            return Err(not_offered(offer, &descriptor, place(index)));
        }
    }
    let mut chosen = sca.descriptors.iter();
    let mut next = || chosen.next().ok_or(WireError::new(at, Field::NumberOfTransforms, WireErrorKind::Missing));
    let (encr, prf, integ, group, authentication) = (next()?, next()?, next()?, next()?, next()?);
    let missing = |index| WireError::new(place(index), Field::AlgorithmIdentifier, WireErrorKind::NotOffered);
    let suite = Suite {
        cipher: provider.cipher(encr.identifier, encr.key_length()).ok_or(missing(0))?,
        key_length: encr.key_length(),
        prf: provider.prf(prf.identifier).ok_or(missing(1))?,
        integrity: provider.integrity(integ.identifier),
        group: provider.group(group.identifier).ok_or(missing(3))?,
    };
    if suite.cipher.is_combined() != suite.integrity.is_none() {
        let field_at = place(2).saturating_add(IDENTIFIER_AT);
        return Err(WireError::new(field_at, Field::AlgorithmIdentifier, WireErrorKind::Invalid));
    }
    Ok(Selection { suite, authentication: authentication.identifier })
}

/// One descriptor of each type, in order (reading R4).
fn check_types(sca: &Algorithms<'_>, count_at: usize, place: impl Fn(usize) -> usize) -> Result<(), WireError> {
    let wrong_type = |index, kind| Err(WireError::new(place(index), Field::AlgorithmType, kind));
    let types = || sca.descriptors.iter().map(|d| d.algorithm_type);
    if let Some(index) = types().position(|code| !TYPES.iter().any(|kind| kind.code() == code)) {
        return wrong_type(index, WireErrorKind::NotOffered);
    }
    if TYPES.iter().any(|kind| !types().any(|code| code == kind.code())) {
        return Err(WireError::new(count_at, Field::NumberOfTransforms, WireErrorKind::Missing));
    }
    let mut in_order = TYPES.iter().map(|kind| kind.code());
    match types().position(|code| in_order.next() != Some(code)) {
        Some(index) => wrong_type(index, WireErrorKind::OutOfPlace),
        None => Ok(()),
    }
}

/// True if the build can do what the list offers; a list fixed by a test bench may offer more.
fn is_available(provider: &CryptoProvider, methods: AuthMethods, descriptor: &Descriptor) -> bool {
    let identifier = descriptor.identifier;
    match AlgorithmType::from_code(descriptor.algorithm_type) {
        Some(AlgorithmType::Encryption) => provider.cipher(identifier, descriptor.key_length()).is_some(),
        Some(AlgorithmType::PseudoRandom) => provider.prf(identifier).is_some(),
        Some(AlgorithmType::Integrity) => {
            identifier == algorithm::INTEG_NONE || provider.integrity(identifier).is_some()
        }
        Some(AlgorithmType::DiffieHellman) => provider.group(identifier).is_some(),
        Some(AlgorithmType::Authentication) => methods.can_use(identifier),
        None => false,
    }
}

/// Blames KEY LENGTH where the algorithm is offered with another one, else ALGORITHM IDENTIFIER.
fn not_offered(offer: &Offer, descriptor: &Descriptor, at: usize) -> WireError {
    let is_encryption = descriptor.algorithm_type == AlgorithmType::Encryption.code();
    let has_other_lengths = offer.same_algorithm(descriptor).any(|d| offer.offers(&d));
    let (offset, field) = if is_encryption && has_other_lengths {
        (KEY_LENGTH_AT, Field::KeyLength)
    } else {
        (IDENTIFIER_AT, Field::AlgorithmIdentifier)
    };
    WireError::new(at.saturating_add(offset), field, WireErrorKind::NotOffered)
}
