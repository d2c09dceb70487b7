//! Which of the offered algorithms an application client selects (r3 5.13.4.3.2, 5.13.4.3.4, 7.7.4.12; readings R4, R5,
//! R18, R19; SPC-4 7.7.3.5.13).
//!
//! A list per type of algorithm, best first; an explicit suite is lists of one. What the device server does not offer, the
//! provider does not have, or the dialect has no number for, is passed over.
//!
//! Algorithms are named by the numbers of room [`algorithm`], which are r3's, in SPC-4 as well: the numbers on the wire are
//! made of them.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::algorithm::{self, AlgorithmType};
use crate::crypto::{Cipher, CryptoProvider, DhGroup, KeyKind, Suite};
use crate::dialect::{Profile, Side};
use crate::wire::{Descriptor, Descriptors};

/// Five algorithms by ALGORITHM IDENTIFIER of room [`algorithm`], in every dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SuiteIdentifiers {
    /// ENCR.
    pub encryption: u32,
    /// KEY LENGTH of ENCR in bytes.
    pub key_length: u16,
    /// PRF.
    pub pseudo_random: u32,
    /// INTEG; zero (NONE, in SPC-4 AUTH_COMBINED) with a combined mode and with nothing else (reading R5).
    pub integrity: u32,
    /// D-H.
    pub group: u32,
    /// IKE-AUTH, in SPC-4 SA_AUTH_IN: how the device server authenticates itself (reading R18). With IKE_AUTH_NONE nobody
    /// does.
    pub authentication: u32,
}

/// Identifiers of each type, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// ENCR, with KEY LENGTH in bytes.
    pub encryption: Vec<(u32, u16)>,
    /// PRF.
    pub pseudo_random: Vec<u32>,
    /// INTEG; NONE is passed over but with a combined mode, and everything else with one.
    pub integrity: Vec<u32>,
    /// D-H.
    pub group: Vec<u32>,
    /// IKE-AUTH, by which the device server authenticates itself; what the configuration has no keys for is passed over, and
    /// IKE_AUTH_NONE unless it is allowed.
    pub authentication: Vec<u32>,
}

impl Preferences {
    /// All that the provider has, the strongest first, algorithms that do not encrypt and ENCR_3DES (reading R9) left out.
    ///
    /// Encryption by key length, combined modes before others, AES-GCM before AES-CCM, which passes over the text twice; a
    /// combined mode whose tag is shorter than every integrity algorithm's comes last. PRFs by output; integrity by tag;
    /// IKE_AUTH_NONE last.
    ///
    /// Groups: curves, the largest first; then MODP groups of 128 bits of strength or more by the estimates of NIST SP
    /// 800-57, the smallest first, since a larger one costs far more than it adds; then those that are weaker.
    #[must_use]
    pub fn strongest_first(provider: &CryptoProvider) -> Self {
        let mut ciphers: Vec<_> = provider
            .ciphers
            .iter()
            .flat_map(|cipher| cipher.key_lengths().iter().map(move |l| (*cipher, *l)))
            .collect();
        ciphers.retain(|(cipher, length)| *length != 0 && cipher.identifier() != algorithm::ENCR_3DES.identifier);
        ciphers.sort_by_key(|(cipher, length)| Reverse((*length, protection(*cipher), cipher.identifier() == GCM)));
        let mut prfs = provider.prfs.to_vec();
        prfs.sort_by_key(|prf| Reverse((prf.output_length(), prf.key_length())));
        let mut integrity = provider.integrity.to_vec();
        integrity.sort_by_key(|integrity| Reverse((integrity.icv_length(), integrity.key_length())));
        let mut groups = provider.groups.to_vec();
        groups.sort_by_key(|group| Reverse(standing(*group)));
        Self {
            encryption: ciphers.iter().map(|(cipher, length)| (cipher.identifier(), *length)).collect(),
            pseudo_random: prfs.iter().map(|prf| prf.identifier()).collect(),
            integrity: integrity.iter().map(|i| i.identifier()).chain([algorithm::INTEG_NONE]).collect(),
            group: groups.iter().map(|group| group.identifier()).collect(),
            authentication: BY_STRENGTH.iter().copied().chain([algorithm::IKE_AUTH_NONE]).collect(),
        }
    }

    /// Exactly this suite, or no exchange.
    #[must_use]
    pub fn exactly(suite: SuiteIdentifiers) -> Self {
        Self {
            encryption: vec![(suite.encryption, suite.key_length)],
            pseudo_random: vec![suite.pseudo_random],
            integrity: vec![suite.integrity],
            group: vec![suite.group],
            authentication: vec![suite.authentication],
        }
    }

    /// The first algorithm of each type that the provider has and that `offers` lets through.
    ///
    /// # Errors
    /// The first type of which nothing is left. A cipher without an integrity algorithm that goes with it is passed over.
    pub(super) fn choose(
        &self,
        provider: &CryptoProvider,
        can_check: impl Fn(u32) -> bool,
        offers: impl Fn(&Descriptor) -> bool,
    ) -> Result<Choice, AlgorithmType> {
        let first = |kind, list: &[u32], has: &dyn Fn(u32) -> bool| {
            let usable = |id: &&u32| has(**id) && offers(&Descriptor::new(kind, **id));
            list.iter().find(usable).copied().ok_or(kind)
        };
        let ciphers = self.encryption.iter().filter_map(|(identifier, length)| {
            let cipher = provider.cipher(*identifier, *length)?;
            offers(&Descriptor::encryption(*identifier, *length)).then_some((cipher, *length))
        });
        let mut missing = AlgorithmType::Encryption;
        let mut protection = None;
        for (cipher, length) in ciphers {
            let fits = |id: u32| match id {
                algorithm::INTEG_NONE => cipher.is_combined(),
                _ => !cipher.is_combined() && provider.integrity(id).is_some(),
            };
            match first(AlgorithmType::Integrity, &self.integrity, &fits) {
                Ok(integrity) => {
                    protection = Some((cipher, length, integrity));
                    break;
                }
                Err(kind) => missing = kind,
            }
        }
        let (cipher, key_length, integrity) = protection.ok_or(missing)?;
        let prf = first(AlgorithmType::PseudoRandom, &self.pseudo_random, &|id| provider.prf(id).is_some())?;
        let group = first(AlgorithmType::DiffieHellman, &self.group, &|id| provider.group(id).is_some())?;
        let authentication = first(AlgorithmType::Authentication, &self.authentication, &|id| {
            id == algorithm::IKE_AUTH_NONE || can_check(id)
        })?;
        let suite = Suite {
            cipher,
            key_length,
            prf: provider.prf(prf).ok_or(AlgorithmType::PseudoRandom)?,
            integrity: provider.integrity(integrity),
            group: provider.group(group).ok_or(AlgorithmType::DiffieHellman)?,
        };
        Ok(Choice { suite, integrity, authentication })
    }
}

/// Ways to authenticate, the strongest first: the curves by their strength; a shared key, which is as strong as whoever
/// chose it; RSA, whose hash is SHA-1 (reading R16).
pub(super) const BY_STRENGTH: [u32; 5] = [
    algorithm::IKE_AUTH_ECDSA_521,
    algorithm::IKE_AUTH_ECDSA_384,
    algorithm::IKE_AUTH_ECDSA_256,
    algorithm::IKE_AUTH_SHARED_KEY,
    algorithm::IKE_AUTH_RSA,
];

const GCM: u32 = algorithm::ENCR_AES_GCM_16.identifier;

/// How well the messages of a cipher are protected from changes: by itself, by an integrity algorithm of Table K4, of which
/// each has a tag of 12 bytes or more, or by a shorter tag.
fn protection(cipher: &dyn Cipher) -> u8 {
    match cipher.icv_length() {
        12.. => 2,
        0 => 1,
        _ => 0,
    }
}

/// Where a group stands, told by the sizes of its values: its kind and, within the kind, what the larger is preferred of.
fn standing(group: &dyn DhGroup) -> (u8, usize) {
    let (public, length) = (group.public_length(), group.shared_length());
    if public == length.saturating_mul(2) {
        return (2, length);
    }
    match length {
        MODP_OF_128_BITS.. => (1, usize::MAX.saturating_sub(length)),
        _ => (0, length),
    }
}

/// Bytes of the smallest MODP group with 128 bits of strength or more (NIST SP 800-57 part 1, table 2).
const MODP_OF_128_BITS: usize = 384;

/// The algorithms selected for one exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) suite: Suite,
    pub(super) integrity: u32,
    authentication: u32,
}

impl Choice {
    /// The descriptors that select, one of each type in the dialect's order (reading R4; SPC-4 7.7.3.5.13). `own_method` is the
    /// IKE authentication algorithm by which we authenticate ourselves: in r3 none of them says.
    pub(super) fn descriptors(&self, profile: Profile, own_method: u32) -> Vec<[u8; Descriptors::EACH]> {
        let rules = profile.rules();
        let types = rules.selected_types.iter().filter_map(|code| rules.algorithm_type(*code));
        let of_type = types.filter_map(|numbers| {
            let known = self.of_type(AlgorithmType::from_code(numbers.table)?, numbers.side, own_method)?;
            let descriptor = known.in_dialect(profile).next()?;
            // A way to authenticate is selected by its number alone.
            let is_method = numbers.side != Side::None;
            Some(if is_method { Descriptor { attributes: [0; 4], ..descriptor } } else { descriptor })
        });
        of_type.map(|descriptor| descriptor.to_bytes()).collect()
    }

    /// What is selected of one type, by the numbers of room `algorithm`.
    fn of_type(&self, kind: AlgorithmType, side: Side, own_method: u32) -> Option<Descriptor> {
        let suite = &self.suite;
        Some(match (kind, side) {
            (AlgorithmType::Encryption, _) => Descriptor::encryption(suite.cipher.identifier(), suite.key_length),
            (AlgorithmType::PseudoRandom, _) => Descriptor::new(kind, suite.prf.identifier()),
            (AlgorithmType::Integrity, _) => Descriptor::new(kind, self.integrity),
            (AlgorithmType::DiffieHellman, _) => Descriptor::new(kind, suite.group.identifier()),
            (AlgorithmType::Authentication, Side::ApplicationClient) => {
                Descriptor::authentication(own_method, false, true)
            }
            (AlgorithmType::Authentication, Side::DeviceServer) => {
                Descriptor::authentication(self.authentication, true, false)
            }
            (AlgorithmType::Authentication, Side::Attributes) => Descriptor::new(kind, self.authentication),
            (AlgorithmType::Authentication, Side::None) => return None,
        })
    }

    /// True if the Authentication phase is omitted (reading R19).
    pub(super) const fn is_unauthenticated(&self) -> bool {
        self.authentication == algorithm::IKE_AUTH_NONE
    }

    /// True if the device server was told to sign.
    pub(super) const fn lets_server_sign(&self) -> bool {
        KeyKind::of_auth_method(self.authentication).is_some()
    }

    /// The AUTH METHOD that the device server was told to use.
    pub(super) const fn auth_method(&self) -> u8 {
        method_of(self.authentication)
    }
}

/// The AUTH METHOD that goes with an IKE authentication algorithm: the low byte of its identifier (r3 Table K6).
pub(super) const fn method_of(identifier: u32) -> u8 {
    let [.., method] = identifier.to_be_bytes();
    method
}

#[cfg(test)]
#[cfg(feature = "rustcrypto")]
mod tests {
    use super::*;
    use crate::algorithm::{
        AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, ECP_256, ECP_384, ECP_521, ENCR_AES_CBC, ENCR_AES_CCM_8,
        ENCR_AES_CCM_16, ENCR_AES_GCM_16, ENCR_NULL, IKE_AUTH_NONE, IKE_AUTH_SHARED_KEY, INTEG_NONE, MODP_2048,
        MODP_3072, MODP_4096, MODP_6144, MODP_8192, PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_512,
    };
    use crate::tested::provider;

    const MANDATORY: SuiteIdentifiers = SuiteIdentifiers {
        encryption: ENCR_AES_CBC.identifier,
        key_length: 16,
        pseudo_random: PRF_HMAC_SHA1.identifier,
        integrity: AUTH_HMAC_SHA1_96.identifier,
        group: MODP_2048.identifier,
        authentication: IKE_AUTH_SHARED_KEY,
    };

    fn is_of_table_k6(identifier: u32) -> bool {
        BY_STRENGTH.contains(&identifier)
    }

    fn choose(preferences: &Preferences, not_offered: &[Descriptor]) -> Result<SuiteIdentifiers, AlgorithmType> {
        let choice = preferences.choose(&provider(), is_of_table_k6, |wanted| !not_offered.contains(wanted))?;
        let suite = choice.suite;
        Ok(SuiteIdentifiers {
            encryption: suite.cipher.identifier(),
            key_length: suite.key_length,
            pseudo_random: suite.prf.identifier(),
            integrity: choice.integrity,
            group: suite.group.identifier(),
            authentication: choice.authentication,
        })
    }

    #[test]
    fn strongest_first_begins_with_the_longest_key_and_never_with_none() {
        let preferences = Preferences::strongest_first(&provider());
        // A longer key comes before everything; then a tag of 16 bytes in one pass over the text, the same in two passes,
        // an integrity algorithm of 12 bytes or more, a tag of 8 bytes.
        let modes = [ENCR_AES_GCM_16, ENCR_AES_CCM_16, ENCR_AES_CBC, ENCR_AES_CCM_8].map(|row| row.identifier);
        let expected: Vec<_> = [32, 16].into_iter().flat_map(|length| modes.map(|mode| (mode, length))).collect();
        assert_eq!(preferences.encryption, expected);
        assert!(!preferences.encryption.iter().any(|(identifier, _)| *identifier == ENCR_NULL.identifier));
        assert_eq!(preferences.authentication, [11, 10, 9, IKE_AUTH_SHARED_KEY, 1, IKE_AUTH_NONE]);
        let best = choose(&preferences, &[]).unwrap();
        assert_eq!((best.integrity, best.pseudo_random), (INTEG_NONE, PRF_HMAC_SHA2_512.identifier));
        let combined = [ENCR_AES_GCM_16, ENCR_AES_CCM_16].map(|row| Descriptor::encryption(row.identifier, 32));
        let third = choose(&preferences, &combined).unwrap();
        assert_eq!((third.encryption, third.key_length), (ENCR_AES_CBC.identifier, 32));
        assert_ne!(third.integrity, INTEG_NONE);
    }

    /// A MODP group of four times the length takes sixteen times as long for each step of a power, and more steps.
    #[test]
    fn groups_are_strong_before_they_are_large() {
        let preferences = Preferences::strongest_first(&provider());
        assert_eq!(
            preferences.group,
            [ECP_521, ECP_384, ECP_256, MODP_3072, MODP_4096, MODP_6144, MODP_8192, MODP_2048]
                .map(|row| row.identifier)
        );
    }

    #[test]
    fn a_combined_mode_without_the_offer_of_no_integrity_is_passed_over() {
        let none = Descriptor::new(AlgorithmType::Integrity, INTEG_NONE);
        let chosen = choose(&Preferences::strongest_first(&provider()), &[none]).unwrap();
        assert_eq!((chosen.encryption, chosen.key_length), (ENCR_AES_CBC.identifier, 32));
    }

    #[test]
    fn an_exact_suite_is_selected_or_nothing() {
        let exactly = Preferences::exactly(MANDATORY);
        assert_eq!(choose(&exactly, &[]), Ok(MANDATORY));
        let chosen = exactly.choose(&provider(), is_of_table_k6, |_| true).unwrap();
        for (bytes, kind) in
            chosen.descriptors(Profile::R3, IKE_AUTH_SHARED_KEY).iter().zip([0x01, 0x02, 0x03, 0x04, 0xF9])
        {
            let descriptor = Descriptor::from_bytes(bytes);
            assert_eq!(descriptor.algorithm_type, kind);
            assert_eq!(choose(&exactly, &[descriptor]).map_err(AlgorithmType::code), Err(kind));
        }
    }

    #[test]
    fn suites_that_make_no_sense_are_no_choice() {
        let wrong = [
            (AlgorithmType::Encryption, SuiteIdentifiers { key_length: 17, ..MANDATORY }),
            (AlgorithmType::Integrity, SuiteIdentifiers { integrity: INTEG_NONE, ..MANDATORY }),
            (AlgorithmType::Integrity, SuiteIdentifiers { encryption: ENCR_AES_CCM_16.identifier, ..MANDATORY }),
            (
                AlgorithmType::Integrity,
                SuiteIdentifiers {
                    encryption: ENCR_NULL.identifier,
                    key_length: 0,
                    integrity: INTEG_NONE,
                    ..MANDATORY
                },
            ),
            (AlgorithmType::PseudoRandom, SuiteIdentifiers { pseudo_random: 99, ..MANDATORY }),
            (AlgorithmType::DiffieHellman, SuiteIdentifiers { group: 99, ..MANDATORY }),
            (AlgorithmType::Authentication, SuiteIdentifiers { authentication: 99, ..MANDATORY }),
        ];
        for (kind, suite) in wrong {
            assert_eq!(choose(&Preferences::exactly(suite), &[]), Err(kind));
        }
    }

    #[test]
    fn the_order_of_a_list_is_ours_not_the_servers() {
        let mut preferences = Preferences::exactly(MANDATORY);
        preferences.pseudo_random = vec![99, PRF_HMAC_SHA2_256.identifier, PRF_HMAC_SHA1.identifier];
        preferences.integrity = vec![INTEG_NONE, AUTH_HMAC_SHA2_256_128.identifier, AUTH_HMAC_SHA1_96.identifier];
        let chosen = choose(&preferences, &[]).unwrap();
        assert_eq!(
            (chosen.pseudo_random, chosen.integrity),
            (PRF_HMAC_SHA2_256.identifier, AUTH_HMAC_SHA2_256_128.identifier)
        );
    }
}
