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

/// All algorithms of this provider: as many as the RustCrypto provider has.
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
