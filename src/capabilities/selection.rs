//! What a client selects: the descriptors of an SCA payload, in SPC-4 of its two successors (r3 7.7.4.11.1, 7.7.4.12; SPC-4
//! 7.7.3.5.13, 7.7.3.5.14, 7.7.3.6; readings R4, R5, R18, R39, S1, S6).

use super::{AuthMethods, Offer};
use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Cipher, CryptoProvider, Integrity, Suite, UsageSuite};
use crate::dialect::Profile;
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
        if let Some(index) = types().position(|code| !wanted.iter().any(|wanted| *wanted == code)) {
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

    /// The descriptors by the numbers of room `algorithm`, each of them offered.
    fn each_offered<const N: usize>(
        &self,
        judge: impl Fn(&Descriptor) -> bool,
        offer: &Offer,
        absent: Descriptor,
    ) -> Result<[Descriptor; N], WireError> {
        let mut found = [absent; N];
        for (index, (descriptor, known)) in self.descriptors.iter().zip(&mut found).enumerate() {
            *known = descriptor.known(offer.profile).ok_or_else(|| self.wrong(index, WireErrorKind::NotOffered))?;
            if !offer.offers(known) || !judge(known) {
                return Err(not_offered(offer, known, self.place(index)));
            }
        }
        Ok(found)
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
    let absent = Descriptor::authentication(algorithm::IKE_AUTH_NONE, false, false);
    let available = |known: &Descriptor| is_available(offer.profile, provider, methods, known);
    // In r3 the sixth is absent.
    let [encr, prf, integ, group, fifth, sixth] = selected.each_offered(available, offer, absent)?;
    let missing = |index| selected.wrong(index, WireErrorKind::NotOffered);
    let suite = Suite {
        cipher: provider.cipher(encr.identifier, encr.key_length()).ok_or(missing(0))?,
        key_length: encr.key_length(),
        prf: provider.prf(prf.identifier).ok_or(missing(1))?,
        integrity: provider.integrity(integ.identifier),
        group: provider.group(group.identifier).ok_or(missing(3))?,
    };
    if !rules.null_protects_exchanges && encr.identifier == algorithm::ENCR_NULL.identifier {
        return Err(selected.wrong(0, WireErrorKind::Invalid));
    }
    check_pair(suite.cipher, suite.integrity, selected)?;
    let has_one_for_each_side = rules.selected_types.len() > 5;
    if !has_one_for_each_side {
        return Ok(Selection { suite, authentication: fifth.identifier, client_authentication: None });
    }
    let is_none = |d: &Descriptor| d.identifier == algorithm::IKE_AUTH_NONE;
    if is_none(&fifth) != is_none(&sixth) {
        return Err(selected.wrong(if is_none(&fifth) { 4 } else { 5 }, WireErrorKind::Invalid));
    }
    Ok(Selection { suite, authentication: sixth.identifier, client_authentication: Some(fifth.identifier) })
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
    let absent = Descriptor::new(AlgorithmType::Integrity, algorithm::INTEG_NONE);
    let available = |known: &Descriptor| is_available(offer.profile, provider, AuthMethods::default(), known);
    let [encr, integ] = selected.each_offered(available, offer, absent)?;
    let cipher = provider.cipher(encr.identifier, encr.key_length());
    let suite = UsageSuite {
        cipher: cipher.ok_or(selected.wrong(0, WireErrorKind::NotOffered))?,
        key_length: encr.key_length(),
        integrity: provider.integrity(integ.identifier),
    };
    check_pair(suite.cipher, suite.integrity, selected)?;
    Ok(suite)
}

/// A combined mode goes without an integrity algorithm, everything else with one (reading R5; SPC-4 table 547).
fn check_pair(
    cipher: &dyn Cipher,
    integrity: Option<&'static dyn Integrity>,
    selected: &Selected<'_>,
) -> Result<(), WireError> {
    if cipher.is_combined() == integrity.is_none() {
        return Ok(());
    }
    let types = selected.descriptors.iter().map(|d| d.algorithm_type);
    let index = types.into_iter().position(|code| code == AlgorithmType::Integrity.code()).unwrap_or(0);
    Err(selected.wrong(index, WireErrorKind::Invalid))
}

/// True if the build can do what the list offers; a list fixed by a test bench may offer more.
fn is_available(profile: Profile, provider: &CryptoProvider, methods: AuthMethods, known: &Descriptor) -> bool {
    let identifier = known.identifier;
    match AlgorithmType::from_code(known.algorithm_type) {
        Some(AlgorithmType::Encryption) => provider.cipher(identifier, known.key_length()).is_some(),
        Some(AlgorithmType::PseudoRandom) => provider.prf(identifier).is_some(),
        Some(AlgorithmType::Integrity) => {
            identifier == algorithm::INTEG_NONE || provider.integrity(identifier).is_some()
        }
        Some(AlgorithmType::DiffieHellman) => provider.group(identifier).is_some(),
        Some(AlgorithmType::Authentication) if super::is_of_client(profile, known) => methods.can_take(identifier),
        Some(AlgorithmType::Authentication) => methods.can_use(identifier),
        None => false,
    }
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
