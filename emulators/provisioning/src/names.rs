//! The names of algorithms, and the numbers of the crate that they stand for.

use ikev2_scsi::algorithm::{self, Algorithm, AlgorithmType};

/// A name, ALGORITHM IDENTIFIER, and KEY LENGTH in bytes, which only encryption has.
type Name = (&'static str, u32, u16);

const ENCRYPTION: &[Name] = &[
    ("3des", algorithm::ENCR_3DES.identifier, 0x0E),
    ("null", algorithm::ENCR_NULL.identifier, 0),
    ("aes-cbc-128", algorithm::ENCR_AES_CBC.identifier, 16),
    ("aes-cbc-256", algorithm::ENCR_AES_CBC.identifier, 32),
    ("aes-ccm-8-128", algorithm::ENCR_AES_CCM_8.identifier, 16),
    ("aes-ccm-8-256", algorithm::ENCR_AES_CCM_8.identifier, 32),
    ("aes-ccm-16-128", algorithm::ENCR_AES_CCM_16.identifier, 16),
    ("aes-ccm-16-256", algorithm::ENCR_AES_CCM_16.identifier, 32),
    ("aes-gcm-16-128", algorithm::ENCR_AES_GCM_16.identifier, 16),
    ("aes-gcm-16-256", algorithm::ENCR_AES_GCM_16.identifier, 32),
];

const fn named(name: &'static str, row: &Algorithm) -> Name {
    (name, row.identifier, 0)
}

const PSEUDO_RANDOM: &[Name] = &[
    named("hmac-sha1", &algorithm::PRF_HMAC_SHA1),
    named("aes-xcbc", &algorithm::PRF_AES128_XCBC),
    named("hmac-sha256", &algorithm::PRF_HMAC_SHA2_256),
    named("hmac-sha384", &algorithm::PRF_HMAC_SHA2_384),
    named("hmac-sha512", &algorithm::PRF_HMAC_SHA2_512),
];

const INTEGRITY: &[Name] = &[
    named("none", &algorithm::AUTH_NONE),
    named("hmac-sha1-96", &algorithm::AUTH_HMAC_SHA1_96),
    named("aes-xcbc-96", &algorithm::AUTH_AES_XCBC_96),
    named("hmac-sha256-128", &algorithm::AUTH_HMAC_SHA2_256_128),
    named("hmac-sha384-192", &algorithm::AUTH_HMAC_SHA2_384_192),
    named("hmac-sha512-256", &algorithm::AUTH_HMAC_SHA2_512_256),
];

const GROUP: &[Name] = &[
    named("modp-2048", &algorithm::MODP_2048),
    named("modp-3072", &algorithm::MODP_3072),
    named("modp-4096", &algorithm::MODP_4096),
    named("modp-6144", &algorithm::MODP_6144),
    named("modp-8192", &algorithm::MODP_8192),
    named("ecp-256", &algorithm::ECP_256),
    named("ecp-384", &algorithm::ECP_384),
    named("ecp-521", &algorithm::ECP_521),
];

const AUTHENTICATION: &[Name] = &[
    ("none", algorithm::IKE_AUTH_NONE, 0),
    ("rsa", algorithm::IKE_AUTH_RSA, 0),
    ("shared-key", algorithm::IKE_AUTH_SHARED_KEY, 0),
    ("ecdsa-256", algorithm::IKE_AUTH_ECDSA_256, 0),
    ("ecdsa-384", algorithm::IKE_AUTH_ECDSA_384, 0),
    ("ecdsa-521", algorithm::IKE_AUTH_ECDSA_521, 0),
];

const fn names(kind: AlgorithmType) -> &'static [Name] {
    match kind {
        AlgorithmType::Encryption => ENCRYPTION,
        AlgorithmType::PseudoRandom => PSEUDO_RANDOM,
        AlgorithmType::Integrity => INTEGRITY,
        AlgorithmType::DiffieHellman => GROUP,
        AlgorithmType::Authentication => AUTHENTICATION,
    }
}

/// ALGORITHM IDENTIFIER, and KEY LENGTH in bytes.
///
/// # Errors
/// What to say of a name that is none.
pub(crate) fn find(kind: AlgorithmType, name: &str) -> Result<(u32, u16), String> {
    let all = names(kind);
    let found = all.iter().find(|(known, ..)| *known == name);
    found.map(|(_, identifier, length)| (*identifier, *length)).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|(known, ..)| *known).collect();
        format!("{name:?} is none of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every row of r3 Tables K2 to K6, with each of its key lengths, has one name, and no name has anything else.
    #[test]
    fn names_are_the_rows_of_the_tables() {
        let rows = algorithm::TABLE.iter().flat_map(|row| {
            let lengths = row.encryption_sizes().map_or(&[0][..], |sizes| sizes.key_lengths);
            lengths.iter().map(move |length| (row.algorithm_type, row.identifier, *length))
        });
        let all = AlgorithmType::ALL.into_iter().flat_map(|kind| names(kind).iter().map(move |name| (kind, *name)));
        let listed: Vec<_> = all.map(|(kind, (_, identifier, length))| (kind, identifier, length)).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), rows.collect::<BTreeSet<_>>());
        assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len());
        for kind in AlgorithmType::ALL {
            let distinct: BTreeSet<&str> = names(kind).iter().map(|(name, ..)| *name).collect();
            assert_eq!(distinct.len(), names(kind).len());
        }
    }

    #[test]
    fn a_wrong_name_is_told_which_there_are() {
        assert_eq!(find(AlgorithmType::Encryption, "aes-gcm-16-256"), Ok((0x14, 32)));
        let told = find(AlgorithmType::PseudoRandom, "md5");
        let expected = "\"md5\" is none of hmac-sha1, aes-xcbc, hmac-sha256, hmac-sha384, hmac-sha512";
        assert_eq!(told, Err(expected.into()));
    }
}
