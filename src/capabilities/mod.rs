//! What the device server offers (r3 5.13.4.2, 7.7.2, 7.7.4.11), and what an application client selected of it.
//!
//! The list is derived from the provider's lists, in the standard's order; a policy may hide entries and never adds one.
//! Selection is the one place that judges an SCA payload's descriptors, and those of its successors in SPC-4.

mod selection;

pub use selection::Selection;
pub(crate) use selection::{Selected, select, select_usage};

use alloc::vec::Vec;

use thiserror::Error;

use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Credentials, CryptoProvider};
use crate::dialect::{Profile, Side};
use crate::memory::{self, OutOfMemory};
use crate::wire::{Capabilities, Descriptor};

/// A set of the IKE authentication algorithms of r3 Table K6, IKE_AUTH_NONE left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MethodSet(
    /// A bit for each, the lowest for the first.
    u8,
);

/// What a [`MethodSet`] is made of: the rows of Table K6 in their order, without the first.
const METHODS: [u32; 5] = [
    algorithm::IKE_AUTH_RSA,
    algorithm::IKE_AUTH_SHARED_KEY,
    algorithm::IKE_AUTH_ECDSA_256,
    algorithm::IKE_AUTH_ECDSA_384,
    algorithm::IKE_AUTH_ECDSA_521,
];

impl MethodSet {
    /// The algorithms of Table K6 for whose identifiers `has` is true.
    #[must_use]
    pub fn those(has: impl Fn(u32) -> bool) -> Self {
        let mut set = 0_u8;
        for (bit, identifier) in (0..).zip(METHODS) {
            set |= u8::from(has(identifier)).unbounded_shl(bit);
        }
        Self(set)
    }

    /// True if the algorithm is in the set.
    #[must_use]
    pub fn contains(&self, identifier: u32) -> bool {
        let mut bits = (0..).zip(METHODS);
        bits.any(|(bit, method)| method == identifier && self.0.unbounded_shr(bit) & 1 == 1)
    }
}

/// The ways in which this device server can authenticate itself and verify application clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthMethods {
    /// Those for which it has a secret or key of its own: the USE bits.
    pub uses: MethodSet,
    /// Those by which it can check application clients: the ACCEPT bits.
    pub accepts: MethodSet,
    /// An administrator allows the Authentication phase to be omitted: IKE_AUTH_NONE (reading R19).
    pub none: bool,
}

impl AuthMethods {
    /// What a side can do with these credentials and this provider.
    pub(crate) fn of(credentials: &Credentials, provider: &CryptoProvider, none: bool) -> Self {
        Self {
            uses: MethodSet::those(|identifier| credentials.can_use(identifier)),
            accepts: MethodSet::those(|identifier| credentials.can_check(provider, identifier)),
            none,
        }
    }

    /// True if the device server can authenticate itself by the IKE authentication algorithm.
    #[must_use]
    pub fn can_use(&self, identifier: u32) -> bool {
        if identifier == algorithm::IKE_AUTH_NONE { self.none } else { self.uses.contains(identifier) }
    }

    /// True if an application client may select the IKE authentication algorithm for itself (SPC-4 7.7.3.6.6).
    pub(crate) fn can_take(&self, identifier: u32) -> bool {
        if identifier == algorithm::IKE_AUTH_NONE { self.none } else { self.accepts.contains(identifier) }
    }

    /// True if the device server can verify an application client that uses this AUTH METHOD.
    ///
    /// Zero is never acceptable: IKE_AUTH_NONE is selected in the SCA only (reading R18).
    #[must_use]
    pub fn can_accept(&self, method: u8) -> bool {
        self.accepts.contains(u32::from(method))
    }
}

/// Why there is no list of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CapabilitiesError {
    /// No algorithm of this type is left, and there shall be at least one of each (r3 7.7.4.11).
    #[error("no algorithm of type {} is offered", .0.name())]
    NoneOfType(AlgorithmType),
    /// The list lacks an algorithm of the set that it comes closest to holding, and one set is to be there whole (SPC-4
    /// 5.14.4.5); [`Policy::waive_complete_row`](crate::ccs::Policy::waive_complete_row) lets that pass.
    #[error("{name} of type {kind} is missing: a device server reports a complete set of algorithms (SPC-4 table 82)")]
    Incomplete {
        /// The abbreviation of the type.
        kind: &'static str,
        /// The algorithm's name.
        name: &'static str,
    },
    /// One direction has no way to authenticate in the list, or SA_AUTH_NONE stands there for one direction alone, or twice for one
    /// (SPC-4 5.14.4.5).
    #[error("each direction needs a way to authenticate, and its omission is listed once for both or not at all")]
    OneSided,
    /// More descriptors than NUMBER OF TRANSFORMS can count (255).
    #[error("more than 255 algorithms are offered")]
    TooMany,
    /// There is no memory for the list.
    #[error("there is no memory for the list of algorithms")]
    Memory,
}

impl From<OutOfMemory> for CapabilitiesError {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::Memory
    }
}

/// The list that a Device Server Capabilities phase returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    profile: Profile,
    /// Those that the dialect assigns, by the numbers of room `algorithm`.
    known: Vec<Descriptor>,
    /// The parameter data that reports them.
    parameter_data: Vec<u8>,
    /// Whether ENCR_3DES may be selected where the list has it.
    allow_triple_des: bool,
}

/// A list that is being derived.
struct Derived<'a> {
    profile: Profile,
    hidden: &'a [(AlgorithmType, u32)],
    allow_triple_des: bool,
    /// Whether a combined mode is in the list.
    has_combined: bool,
    list: Vec<Descriptor>,
    is_out_of_memory: bool,
}

impl Derived<'_> {
    /// Offers an algorithm unless it is hidden or not allowed; tells whether it did.
    fn add(&mut self, algorithm: Descriptor) -> bool {
        let is_hidden = |(kind, identifier): &(AlgorithmType, u32)| {
            kind.code() == algorithm.algorithm_type && *identifier == algorithm.identifier
        };
        if self.hidden.iter().any(is_hidden) || (is_triple_des(&algorithm) && !self.allow_triple_des) {
            return false;
        }
        self.put(algorithm);
        true
    }

    /// In the dialect's numbers, ascending, each once; attributes last, so that key lengths of one identifier ascend (r3
    /// 7.7.4.11).
    fn put(&mut self, algorithm: Descriptor) {
        for descriptor in algorithm.in_dialect(self.profile) {
            self.is_out_of_memory |= memory::insert(&mut self.list, descriptor).is_err();
        }
    }
}

impl Offer {
    /// Derives the list from the provider, in the standard's order, without those that `hidden` names by algorithm type
    /// and identifier, and without ENCR_3DES unless it is allowed (reading R9).
    ///
    /// Integrity algorithm NONE is listed exactly when a combined mode is (reading R5).
    ///
    /// # Errors
    /// [`CapabilitiesError`].
    pub fn derive(
        profile: Profile,
        provider: &CryptoProvider,
        methods: AuthMethods,
        hidden: &[(AlgorithmType, u32)],
        allow_triple_des: bool,
    ) -> Result<Self, CapabilitiesError> {
        let mut list = Derived {
            profile,
            hidden,
            allow_triple_des,
            has_combined: false,
            list: Vec::new(),
            is_out_of_memory: false,
        };
        for cipher in provider.ciphers {
            for length in cipher.key_lengths() {
                let is_offered = list.add(Descriptor::encryption(cipher.identifier(), *length));
                list.has_combined |= is_offered && cipher.is_combined();
            }
        }
        for prf in provider.prfs {
            list.add(Descriptor::new(AlgorithmType::PseudoRandom, prf.identifier()));
        }
        for integrity in provider.integrity {
            list.add(Descriptor::new(AlgorithmType::Integrity, integrity.identifier()));
        }
        for group in provider.groups {
            list.add(Descriptor::new(AlgorithmType::DiffieHellman, group.identifier()));
        }
        if methods.none {
            list.add(Descriptor::authentication(algorithm::IKE_AUTH_NONE, true, true));
        }
        for identifier in METHODS {
            let (may_use, accept) = (methods.uses.contains(identifier), methods.accepts.contains(identifier));
            if may_use || accept {
                list.add(Descriptor::authentication(identifier, may_use, accept));
            }
        }
        if list.has_combined {
            list.put(Descriptor::new(AlgorithmType::Integrity, algorithm::INTEG_NONE));
        }
        if list.is_out_of_memory {
            return Err(CapabilitiesError::Memory);
        }
        Self::fixed(profile, &list.list, allow_triple_des)
    }

    /// Exactly these descriptors in this order, whatever the provider has: for test benches. ENCR_3DES is among them if they
    /// have it, but can be selected only if it is allowed (reading R9).
    ///
    /// # Errors
    /// [`CapabilitiesError`].
    pub fn fixed(profile: Profile, list: &[Descriptor], allow_triple_des: bool) -> Result<Self, CapabilitiesError> {
        let is_of = |kind: &AlgorithmType, d: &Descriptor| {
            let numbers = profile.rules().algorithm_type(d.algorithm_type);
            numbers.is_some_and(|numbers| numbers.table == kind.code())
        };
        let missing = |kind: &&AlgorithmType| !list.iter().any(|d| is_of(kind, d));
        if let Some(kind) = AlgorithmType::ALL.iter().find(missing) {
            return Err(CapabilitiesError::NoneOfType(*kind));
        }
        let Ok(count) = u8::try_from(list.len()) else { return Err(CapabilitiesError::TooMany) };
        let head = Capabilities::parameter_data_head(profile, count);
        let mut parameter_data = memory::copy_of(&head)?;
        let mut known = memory::with_capacity(list.len())?;
        for descriptor in list {
            memory::append(&mut parameter_data, &descriptor.to_bytes())?;
            if let Some(descriptor) = descriptor.known(profile) {
                memory::push(&mut known, descriptor)?;
            }
        }
        Ok(Self { profile, known, parameter_data, allow_triple_des })
    }

    /// Checks that one of the dialect's sets of algorithms is there whole (SPC-4 5.14.4.5).
    ///
    /// # Errors
    /// [`CapabilitiesError::Incomplete`] with the first algorithm that the set with the fewest missing lacks.
    pub(crate) fn check_complete(&self) -> Result<(), CapabilitiesError> {
        let lacks = |row: &&(u8, u32, u16)| {
            let (kind, identifier, key_length) = **row;
            !self.iter().any(|d| (d.algorithm_type, d.identifier, d.key_length()) == (kind, identifier, key_length))
        };
        let rows = self.profile.rules().complete_rows.iter();
        let Some(nearest) = rows.min_by_key(|row| row.iter().filter(lacks).count()) else { return Ok(()) };
        match nearest.iter().find(lacks) {
            None => Ok(()),
            Some((kind, identifier, _)) => Err(CapabilitiesError::Incomplete {
                kind: algorithm::numbered_type(self.profile, *kind).map_or("", |kind| kind.name),
                name: algorithm::numbered(self.profile, *kind, *identifier).map_or("", |number| number.name),
            }),
        }
    }

    /// Checks that a dialect with a type of algorithm for each side lists some for each, and the omission of authentication once
    /// for both, or for neither (SPC-4 5.14.4.5).
    ///
    /// # Errors
    /// [`CapabilitiesError::OneSided`].
    pub(crate) fn check_sides(&self) -> Result<(), CapabilitiesError> {
        let kinds = self.profile.rules().algorithms.iter();
        let sides = kinds.filter(|numbers| matches!(numbers.side, Side::ApplicationClient | Side::DeviceServer));
        let is_none = |d: &Descriptor| d.known(self.profile).is_some_and(|d| d.identifier == algorithm::IKE_AUTH_NONE);
        let mut omitted = None;
        for numbers in sides {
            let ways = || self.iter().filter(|d| d.algorithm_type == numbers.code);
            let times = ways().filter(is_none).count();
            if ways().next().is_none() || times > 1 || *omitted.get_or_insert(times) != times {
                return Err(CapabilitiesError::OneSided);
            }
        }
        Ok(())
    }

    /// The same list without the algorithms for which `keep` is false; integrity algorithm NONE stays when a combined mode
    /// does (reading R5).
    ///
    /// # Errors
    /// [`CapabilitiesError::NoneOfType`], [`CapabilitiesError::Memory`].
    pub(crate) fn only(
        &self,
        provider: &CryptoProvider,
        keep: impl Fn(&Descriptor) -> bool,
    ) -> Result<Self, CapabilitiesError> {
        let profile = self.profile;
        let is_kept = |d: &Descriptor| d.known(profile).is_some_and(|known| is_none(&known)) || keep(d);
        let mut list = memory::with_capacity(self.iter().len())?;
        for descriptor in self.iter().filter(is_kept) {
            memory::push(&mut list, descriptor)?;
        }
        let known = |d: &Descriptor| d.known(profile);
        if !list.iter().filter_map(known).any(|d| is_combined(provider, &d)) {
            list.retain(|d| !known(d).is_some_and(|d| is_none(&d)));
        }
        Self::fixed(profile, &list, self.allow_triple_des)
    }

    /// The descriptors, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Descriptor> + '_ {
        let descriptors = self.parameter_data.get(Capabilities::DESCRIPTORS_AT..).unwrap_or_default();
        descriptors.as_chunks().0.iter().map(Descriptor::from_bytes)
    }

    /// The parameter data of protocol 40h, SPECIFIC 0101h; from its fifth byte on it is the SSCC payload.
    #[must_use]
    pub fn parameter_data(&self) -> &[u8] {
        &self.parameter_data
    }

    /// True if the list holds the algorithm with its key length (ENCR), or for the side that is to use it: the device server,
    /// with its USE bit, unless the descriptor says that it is the application client's (SPC-4 7.7.3.6.6); other attribute
    /// bytes of `selected` are ignored (reading R18). ENCR_3DES has to be allowed besides.
    fn offers(&self, selected: &Descriptor) -> bool {
        if is_triple_des(selected) && !self.allow_triple_des {
            return false;
        }
        self.same_algorithm(selected).any(|d| match AlgorithmType::from_code(d.algorithm_type) {
            Some(AlgorithmType::Encryption) => d.key_length() == selected.key_length(),
            Some(AlgorithmType::Authentication) if is_of_client(self.profile, selected) => d.accept(),
            Some(AlgorithmType::Authentication) => d.may_use(),
            _ => true,
        })
    }

    /// True if the list lets an application client authenticate itself by this AUTH METHOD (reading R18).
    pub(crate) fn accepts(&self, method: u8) -> bool {
        let wanted = Descriptor::new(AlgorithmType::Authentication, u32::from(method));
        self.same_algorithm(&wanted).any(|d| d.accept())
    }

    /// Half the longest key of the PRFs that can be selected: no nonce of ours is shorter (reading R38).
    pub(crate) fn min_nonce(&self, provider: &CryptoProvider) -> usize {
        let kind = AlgorithmType::PseudoRandom.code();
        let prfs = self.known.iter().filter(|d| d.algorithm_type == kind).filter_map(|d| provider.prf(d.identifier));
        prfs.map(|prf| prf.key_length().div_ceil(2)).max().unwrap_or(0)
    }

    fn same_algorithm<'a>(&'a self, wanted: &Descriptor) -> impl Iterator<Item = Descriptor> + 'a {
        let (kind, identifier) = (wanted.algorithm_type, wanted.identifier);
        self.known.iter().copied().filter(move |d| d.algorithm_type == kind && d.identifier == identifier)
    }
}

/// True for a descriptor, by the numbers of room `algorithm`, that a dialect with a type for each side has made of the application
/// client's.
fn is_of_client(profile: Profile, known: &Descriptor) -> bool {
    let sides = profile.rules().algorithms.iter().map(|numbers| numbers.side);
    sides.into_iter().any(|side| side == Side::ApplicationClient) && known.accept() && !known.may_use()
}

fn is_combined(provider: &CryptoProvider, descriptor: &Descriptor) -> bool {
    descriptor.algorithm_type == AlgorithmType::Encryption.code()
        && provider.cipher(descriptor.identifier, descriptor.key_length()).is_some_and(|cipher| cipher.is_combined())
}

/// Integrity algorithm NONE.
fn is_none(descriptor: &Descriptor) -> bool {
    descriptor.algorithm_type == AlgorithmType::Integrity.code() && descriptor.identifier == algorithm::INTEG_NONE
}

fn is_triple_des(descriptor: &Descriptor) -> bool {
    let row = algorithm::ENCR_3DES;
    descriptor.algorithm_type == row.algorithm_type.code() && descriptor.identifier == row.identifier
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
