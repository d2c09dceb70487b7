//! The algorithms of r3 from RustCrypto crates (feature `rustcrypto`).
//!
//! A leaf: nothing else in the crate knows it. The lists are `&'static dyn`, so an embedder who wants fewer algorithms
//! makes a [`CryptoProvider`] of those, and the linker drops the rest.

mod cbc;
mod combined;
mod ecdsa;
mod ecp;
mod hmac;
mod key;
mod modp;
mod null;
mod rsa;
mod xcbc;

pub use cbc::{AES_CBC, TRIPLE_DES};
pub use combined::{AES_CCM_8, AES_CCM_16, AES_GCM_16};
pub use ecdsa::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P256_SHA512, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ECDSA_P384_SHA512,
    ECDSA_P521_SHA256, ECDSA_P521_SHA384, ECDSA_P521_SHA512, EcdsaSigner,
};
pub use ecp::{ECP_256, ECP_384, ECP_521};
pub use hmac::{
    AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256, PRF_HMAC_SHA1,
    PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512,
};
pub use key::KeyError;
pub use modp::{MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192};
pub use null::NULL;
#[cfg(feature = "aws-lc-rs")]
pub(crate) use rsa::check_rsa_key;
pub use rsa::{RSA_PKCS1_SHA1, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaSigner};
pub use xcbc::{AUTH_AES_XCBC_96, PRF_AES128_XCBC};

use sha2::Digest;
use sha2::digest::Output;

use crate::algorithm::{Algorithm, EncryptionSizes};
use crate::crypto::CryptoProvider;

/// All algorithms of this provider.
///
/// [`TRIPLE_DES`] among them is offered only where [`Policy::allow_triple_des`](crate::Policy::allow_triple_des) is set, and an
/// application client selects it only when told to.
#[must_use]
pub const fn provider() -> CryptoProvider {
    CryptoProvider {
        ciphers: &[TRIPLE_DES, NULL, AES_CBC, AES_CCM_8, AES_CCM_16, AES_GCM_16],
        prfs: &[PRF_HMAC_SHA1, PRF_AES128_XCBC, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512],
        integrity: &[
            AUTH_HMAC_SHA1_96,
            AUTH_AES_XCBC_96,
            AUTH_HMAC_SHA2_256_128,
            AUTH_HMAC_SHA2_384_192,
            AUTH_HMAC_SHA2_512_256,
        ],
        groups: &[MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192, ECP_256, ECP_384, ECP_521],
        verifiers: &[
            RSA_PKCS1_SHA1,
            RSA_PKCS1_SHA256,
            RSA_PKCS1_SHA384,
            RSA_PKCS1_SHA512,
            ECDSA_P256_SHA256,
            ECDSA_P256_SHA384,
            ECDSA_P256_SHA512,
            ECDSA_P384_SHA256,
            ECDSA_P384_SHA384,
            ECDSA_P384_SHA512,
            ECDSA_P521_SHA256,
            ECDSA_P521_SHA384,
            ECDSA_P521_SHA512,
        ],
    }
}

/// The hash of the parts one after another, which are nowhere put together: a certificate may be long.
fn hash<D: Digest>(message: &[&[u8]]) -> Output<D> {
    let mut digest = D::new();
    for part in message {
        digest.update(part);
    }
    digest.finalize()
}

/// Sizes of a row of Table K2.
const fn sizes(row: &Algorithm) -> EncryptionSizes {
    match row.encryption_sizes() {
        Some(sizes) => sizes,
        None => EncryptionSizes { key_lengths: &[], fixed_key: None, salt: 0, iv: 0, alignment: 1, block: 1, icv: 0 },
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use crate::algorithm::{AlgorithmType, Sizes, find};
    use crate::crypto::{HashKind, KeyKind, SignatureScheme};
    use crate::tested::provider;

    fn sizes(algorithm_type: AlgorithmType, identifier: u32) -> Sizes {
        find(algorithm_type, identifier).unwrap().sizes
    }

    /// The capabilities promise the table's sizes, and the objects deliver theirs.
    #[test]
    fn sizes_are_those_of_the_tables() {
        let all = provider();
        for c in all.ciphers {
            let Sizes::Encryption(row) = sizes(AlgorithmType::Encryption, c.identifier()) else { panic!("{c:?}") };
            let has = (c.salt_length(), c.iv_length(), c.alignment(), c.block_length(), c.icv_length());
            assert_eq!(
                (c.key_lengths(), has),
                (row.key_lengths, (row.salt, row.iv, row.alignment, row.block, row.icv))
            );
            for &length in c.key_lengths() {
                assert_eq!(c.key_material_length(length), row.key_material(length), "{c:?}");
            }
        }
        for p in all.prfs {
            let row = sizes(AlgorithmType::PseudoRandom, p.identifier());
            assert_eq!(Sizes::PseudoRandom { output: p.output_length(), key: p.key_length() }, row);
        }
        for i in all.integrity {
            let row = sizes(AlgorithmType::Integrity, i.identifier());
            assert_eq!(Sizes::Integrity { key: i.key_length(), icv: i.icv_length() }, row);
        }
        for g in all.groups {
            let row = sizes(AlgorithmType::DiffieHellman, g.identifier());
            assert_eq!(Sizes::DiffieHellman { public: g.public_length(), shared: g.shared_length() }, row);
        }
        let counts = (all.ciphers.len(), all.prfs.len(), all.integrity.len(), all.groups.len());
        assert_eq!(counts, (6, 5, 5, 8));
    }

    /// r3 Tables K2 to K5.
    #[test]
    fn everything_mandatory_is_there() {
        let all = provider();
        for (identifier, key_length) in [(0x0B, 0), (0x0C, 0x10), (0x0C, 0x20), (0x10, 0x10), (0x10, 0x20)] {
            assert!(all.cipher(identifier, key_length).is_some(), "{identifier:#x} {key_length}");
        }
        assert!(all.prf(0x02).is_some() && all.integrity(0x02).is_some() && all.group(0x0E).is_some());
    }

    /// r3 Table K6: what an AUTH payload may be made with; certificates mix the curves and the hashes of SHA-2.
    #[test]
    fn every_signature_scheme_is_listed_once() {
        let all = provider();
        let curves = [KeyKind::P256, KeyKind::P384, KeyKind::P521];
        let hashes = [HashKind::Sha256, HashKind::Sha384, HashKind::Sha512];
        let rsa = [HashKind::Sha1].into_iter().chain(hashes).map(|hash| (KeyKind::Rsa, hash));
        let ecdsa = curves.into_iter().flat_map(|curve| hashes.map(|hash| (curve, hash)));
        let mut expected: Vec<_> = rsa.chain(ecdsa).map(|(key, hash)| SignatureScheme::new(key, hash)).collect();
        let mut listed: Vec<_> = all.verifiers.iter().map(|verifier| verifier.scheme()).collect();
        expected.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, expected);
        for kind in KeyKind::ALL {
            let row = find(AlgorithmType::Authentication, kind.auth_method());
            assert!(row.is_some(), "{kind:?}");
            assert!(all.verifier(SignatureScheme::of_auth(kind)).is_some(), "{kind:?}");
        }
        assert!(all.verifier(SignatureScheme::new(KeyKind::P256, HashKind::Sha1)).is_none());
    }
}
