//! What a client selects: the descriptors of an SCA payload, in SPC-4 of its two successors (r3 7.7.4.11.1, 7.7.4.12; SPC-4
//! 7.7.3.5.13, 7.7.3.5.14, 7.7.3.6; readings R4, R5, R18, R39, S1, S6).

use super::{AuthMethods, Offer};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Cipher, CryptoProvider, DhGroup, Integrity, Prf, Suite, UsageSuite};
use crate::dialect::{HAS_SPC4, Profile};
use crate::memory;
use crate::wire::{Algorithms, Descriptor, Descriptors, Field, SaAlgorithms, SaUsage, WireError, WireErrorKind};

/// What an application client selected.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// Encryption, PRF, integrity and group.
    pub suite: Suite,
    /// r3's identifier of the IKE authentication algorithm that the device server shall use for itself (reading R18).
    pub authentication: u32,
    /// r3's identifier of the one that the application client has to use (SPC-4 7.7.3.6.6); `None` in r3, where it may use
    /// every one that is accepted.
    pub client_authentication: Option<u32>,
}

impl Selection {
    /// True if the Authentication phase is omitted (reading R19).
    #[must_use]
    pub const fn is_unauthenticated(&self) -> bool {
        self.authentication == algorithm::IKE_AUTH_NONE
    }

    /// True if the application client may authenticate itself by this AUTH METHOD, as far as the selection tells.
    #[must_use]
    pub fn lets_client_use(&self, method: u8) -> bool {
        self.client_authentication.is_none_or(|identifier| identifier == u32::from(method))
    }
}

/// Offset of ALGORITHM IDENTIFIER from a descriptor's first byte.
const IDENTIFIER_AT: usize = 4;
/// Offset of KEY LENGTH from a descriptor's first byte.
const KEY_LENGTH_AT: usize = 10;

/// ALGORITHM TYPEs of the descriptors of a SAUT payload, in their order.
const USAGE_TYPES: [u8; 2] = [0x01, 0x03];

/// The descriptors of a payload, and where they stand in the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selected<'a> {
    descriptors: Descriptors<'a>,
    /// Offset of the first descriptor.
    first_at: usize,
    /// The field that tells how many there are.
    count: (usize, Field),
}

impl<'a> Selected<'a> {
    /// Those of an SCA payload whose first byte stands at offset `at`.
    pub(crate) fn of_algorithms(payload: &Algorithms<'a>, at: usize) -> Self {
        let first_at = at.wrapping_add(payload.descriptors_at());
        let count = (at.wrapping_add(Algorithms::COUNT_AT), Field::NumberOfTransforms);
        Self { descriptors: payload.descriptors, first_at, count }
    }

    /// Those of an SA Cryptographic Algorithms payload.
    pub(crate) fn of_sa_algorithms(payload: &SaAlgorithms<'a>, at: usize) -> Self {
        let first_at = at.wrapping_add(payload.descriptors_at());
        Self {
            descriptors: payload.descriptors,
            first_at,
            count: (first_at.saturating_sub(1), Field::NumberOfDescriptors),
        }
    }

    /// Those of a SAUT Cryptographic Algorithms payload.
    pub(crate) fn of_sa_usage(payload: &SaUsage<'a>, at: usize) -> Self {
        let first_at = at.wrapping_add(payload.descriptors_at());
        Self {
            descriptors: payload.descriptors,
            first_at,
            count: (first_at.saturating_sub(1), Field::NumberOfDescriptors),
        }
    }

    /// Offset of a descriptor.
    fn place(&self, index: usize) -> usize {
        self.first_at.wrapping_add(index.wrapping_mul(Descriptors::EACH))
    }

    fn wrong(&self, index: usize, kind: WireErrorKind) -> WireError {
        let at = self.place(index).wrapping_add(IDENTIFIER_AT);
        WireError::new(at, Field::AlgorithmIdentifier, kind)
    }

    /// One descriptor of each type, in order (reading R4).
    fn check_types(&self, wanted: &[u8]) -> Result<(), WireError> {
        let wrong_type = |index, kind| Err(WireError::new(self.place(index), Field::AlgorithmType, kind));
        let types = || self.descriptors.iter().map(|d| d.algorithm_type);
        if let Some(index) = types().position(|code| !memory::is_among(&code, wanted)) {
            return wrong_type(index, WireErrorKind::NotOffered);
        }
        if wanted.iter().any(|wanted| !types().any(|code| code == *wanted)) {
            let (at, field) = self.count;
            return Err(WireError::new(at, field, WireErrorKind::Missing));
        }
        let mut in_order = wanted.iter().copied();
        match types().position(|code| in_order.next() != Some(code)) {
            Some(index) => wrong_type(index, WireErrorKind::OutOfPlace),
            None => Ok(()),
        }
    }

    /// What the build and the list have of the descriptors, each of which must be there.
    fn find(&self, offer: &Offer, provider: &CryptoProvider, methods: AuthMethods) -> Result<Found, WireError> {
        let mut found = Found::default();
        for (index, descriptor) in self.descriptors.iter().enumerate() {
            let Some(known) = descriptor.known(offer.profile) else {
                return Err(self.wrong(index, WireErrorKind::NotOffered));
            };
            // A list fixed by a test bench may offer what the build does not have.
            if !offer.offers(&known) || !found.take(offer.profile, provider, methods, &known) {
                return Err(not_offered(offer, &known, self.place(index)));
            }
        }
        Ok(found)
    }
}

/// The algorithms that descriptors name.
#[derive(Default)]
struct Found {
    cipher: Option<&'static dyn Cipher>,
    key_length: u16,
    prf: Option<&'static dyn Prf>,
    integrity: Option<&'static dyn Integrity>,
    group: Option<&'static dyn DhGroup>,
    /// The way in which the device server authenticates itself.
    authentication: u32,
    /// The application client's, where the dialect has it selected.
    client_authentication: Option<u32>,
}

impl Found {
    /// Takes what a descriptor names; tells whether the build can do it.
    fn take(&mut self, profile: Profile, provider: &CryptoProvider, methods: AuthMethods, known: &Descriptor) -> bool {
        let identifier = known.identifier;
        match AlgorithmType::from_code(known.algorithm_type) {
            Some(AlgorithmType::Encryption) => {
                self.key_length = known.key_length();
                self.cipher = provider.cipher(identifier, self.key_length);
                self.cipher.is_some()
            }
            Some(AlgorithmType::PseudoRandom) => {
                self.prf = provider.prf(identifier);
                self.prf.is_some()
            }
            Some(AlgorithmType::Integrity) => {
                self.integrity = provider.integrity(identifier);
                identifier == algorithm::INTEG_NONE || self.integrity.is_some()
            }
            Some(AlgorithmType::DiffieHellman) => {
                self.group = provider.group(identifier);
                self.group.is_some()
            }
            Some(AlgorithmType::Authentication) if HAS_SPC4 && super::is_of_client(profile, known) => {
                self.client_authentication = Some(identifier);
                methods.can_take(identifier)
            }
            Some(AlgorithmType::Authentication) => {
                self.authentication = identifier;
                methods.can_use(identifier)
            }
            None => false,
        }
    }

    /// A combined mode goes without an integrity algorithm, everything else with one (reading R5; SPC-4 table 547).
    fn check_pair(&self, selected: &Selected<'_>) -> Result<(), WireError> {
        if self.cipher.is_some_and(Cipher::is_combined) == self.integrity.is_none() {
            return Ok(());
        }
        let types = selected.descriptors.iter().map(|d| d.algorithm_type);
        let index = types.into_iter().position(|code| code == AlgorithmType::Integrity.code()).unwrap_or(0);
        Err(selected.wrong(index, WireErrorKind::Invalid))
    }
}

/// Judges the descriptors by which an application client selects the algorithms that make and manage an association.
///
/// Faults in this order: a type that is not selected; a type that is absent; a type out of its order or repeated; an
/// algorithm or key length that is not offered; ENCR_NULL, where it may not protect the exchange; a combined mode with
/// integrity or a separate one without; authentication omitted in one direction alone.
///
/// # Errors
/// [`WireError`] blamed on the first wrong field; an absent type on the number of descriptors.
pub(crate) fn select(
    offer: &Offer,
    methods: AuthMethods,
    provider: &CryptoProvider,
    selected: &Selected<'_>,
) -> Result<Selection, WireError> {
    let rules = offer.profile.rules();
    selected.check_types(rules.selected_types)?;
    let found = selected.find(offer, provider, methods)?;
    // There is one of each type.
    let (Some(cipher), Some(prf), Some(group)) = (found.cipher, found.prf, found.group) else {
        return Err(selected.wrong(0, WireErrorKind::NotOffered));
    };
    if !rules.null_protects_exchanges && cipher.identifier() == algorithm::ENCR_NULL.identifier {
        return Err(selected.wrong(0, WireErrorKind::Invalid));
    }
    found.check_pair(selected)?;
    let Found { key_length, integrity, authentication, client_authentication, .. } = found;
    if HAS_SPC4 && let Some(of_client) = client_authentication {
        let (client_omits, we_omit) =
            (of_client == algorithm::IKE_AUTH_NONE, authentication == algorithm::IKE_AUTH_NONE);
        if client_omits != we_omit {
            return Err(selected.wrong(if client_omits { 4 } else { 5 }, WireErrorKind::Invalid));
        }
    }
    let suite = Suite { cipher, key_length, prf, integrity, group };
    Ok(Selection { suite, authentication, client_authentication })
}

/// Judges the descriptors by which an application client selects the algorithms that use an association (SPC-4 7.7.3.5.14).
///
/// # Errors
/// As [`select`].
pub(crate) fn select_usage(
    offer: &Offer,
    provider: &CryptoProvider,
    selected: &Selected<'_>,
) -> Result<UsageSuite, WireError> {
    selected.check_types(&USAGE_TYPES)?;
    let found = selected.find(offer, provider, AuthMethods::default())?;
    let Some(cipher) = found.cipher else { return Err(selected.wrong(0, WireErrorKind::NotOffered)) };
    found.check_pair(selected)?;
    Ok(UsageSuite { cipher, key_length: found.key_length, integrity: found.integrity })
}

/// Blames KEY LENGTH where the algorithm is offered with another one, else ALGORITHM IDENTIFIER.
fn not_offered(offer: &Offer, known: &Descriptor, at: usize) -> WireError {
    let is_encryption = known.algorithm_type == AlgorithmType::Encryption.code();
    let has_other_lengths = offer.same_algorithm(known).any(|d| offer.offers(&d));
    let (offset, field) = if is_encryption && has_other_lengths {
        (KEY_LENGTH_AT, Field::KeyLength)
    } else {
        (IDENTIFIER_AT, Field::AlgorithmIdentifier)
    };
    WireError::new(at.wrapping_add(offset), field, WireErrorKind::NotOffered)
}
