//! The algorithms of r3 that AWS-LC has, by the crate `aws-lc-rs` (feature `aws-lc-rs`), for emulators and appliances: machines with
//! an operating system, for which AWS-LC has code by hand.
//!
//! A leaf, like the RustCrypto provider that it stands beside: the same names, the same sizes and the same rules for what is refused.
//! What AWS-LC lacks, or has no safe Rust interface for, comes from there, and is named here as well, so that either module can take
//! the other's place: 3DES, AES-CCM, AES-XCBC, the MODP groups, ENCR_NULL, and signing by RSA with SHA-1.
//!
//! # What differs
//! - ECDSA signatures of one message differ from each other (see [`EcdsaSigner`]).
//! - AWS-LC allocates with `malloc`. Where that fails, `aws-lc-rs` panics for a hash or an HMAC, and gives an error for the others.
//! - AWS-LC wipes the keys that it frees. On the way to it `aws-lc-rs` may leave copies of symmetric key schedules and hash states on
//!   the stack.

mod cbc;
mod digest;
mod ecdsa;
mod ecp;
mod gcm;
mod hmac;
mod rsa;

pub use cbc::AES_CBC;
pub use ecdsa::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P256_SHA512, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ECDSA_P384_SHA512,
    ECDSA_P521_SHA256, ECDSA_P521_SHA384, ECDSA_P521_SHA512, EcdsaSigner,
};
pub use ecp::{ECP_256, ECP_384, ECP_521};
pub use gcm::AES_GCM_16;
pub use hmac::{
    AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256, PRF_HMAC_SHA1,
    PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512,
};
pub use rsa::{RSA_PKCS1_SHA1, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaSigner};

pub use crate::provider::{
    AES_CCM_8, AES_CCM_16, AUTH_AES_XCBC_96, KeyError, MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192, NULL,
    PRF_AES128_XCBC, TRIPLE_DES,
};

use crate::crypto::CryptoProvider;
use crate::provider;

/// The fastest of each for the messages of this protocol: AWS-LC's, but RustCrypto's HMAC and AES-CBC, and what AWS-LC lacks.
///
/// Each message has a key of its own to be scheduled, and seldom more than 1 KiB. There AWS-LC's HMAC takes 1.0 to 2.4 times as long as
/// RustCrypto's, its AES-CBC 1.0 to 1.9 times; its AES-GCM 0.7 to 0.9 times, its elliptic curves and RSA 0.03 to 0.5 times
/// (`benches/providers.rs`, on x86-64). [`everything`] has AWS-LC's of all of them.
///
/// [`TRIPLE_DES`] among them is offered only where [`Policy::allow_triple_des`](crate::Policy::allow_triple_des) is set, and an
/// application client selects it only when told to.
#[must_use]
pub const fn provider() -> CryptoProvider {
    let rustcrypto = provider::provider();
    CryptoProvider {
        ciphers: &[TRIPLE_DES, NULL, provider::AES_CBC, AES_CCM_8, AES_CCM_16, AES_GCM_16],
        prfs: rustcrypto.prfs,
        integrity: rustcrypto.integrity,
        ..everything()
    }
}

/// All that AWS-LC has from AWS-LC, the fast and the slow, for who wants no two implementations of one algorithm in a program; and what it
/// lacks from RustCrypto.
#[must_use]
pub const fn everything() -> CryptoProvider {
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

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// What can be selected with one provider can be with the others, and is as long.
    #[test]
    fn the_lists_are_those_of_rustcrypto() {
        let sizes = |all: CryptoProvider| {
            let ciphers = all.ciphers.iter().map(|c| {
                (
                    c.identifier(),
                    c.key_lengths(),
                    c.salt_length(),
                    c.iv_length(),
                    c.alignment(),
                    c.block_length(),
                    c.icv_length(),
                )
            });
            let prfs = all.prfs.iter().map(|p| (p.identifier(), p.output_length(), p.key_length(), p.nonce_share()));
            let integrity = all.integrity.iter().map(|i| (i.identifier(), i.key_length(), i.icv_length()));
            let groups =
                all.groups.iter().map(|g| (g.identifier(), g.public_length(), g.shared_length(), g.private_length()));
            let verifiers = all.verifiers.iter().map(|v| v.scheme());
            (
                ciphers.collect::<Vec<_>>(),
                prfs.collect::<Vec<_>>(),
                integrity.collect::<Vec<_>>(),
                groups.collect::<Vec<_>>(),
                verifiers.collect::<Vec<_>>(),
            )
        };
        let expected = sizes(provider::provider());
        assert_eq!(sizes(provider()), expected);
        assert_eq!(sizes(everything()), expected);
    }
}
