//! The algorithms of r3 from RustCrypto crates (feature `rustcrypto`).
//!
//! A leaf: nothing else in the crate knows it. The lists are `&'static dyn`, so an embedder who wants fewer algorithms
//! makes a [`CryptoProvider`] of those, and the linker drops the rest.

mod aes;
mod hmac;
mod modp;
mod null;

pub use aes::{AES_CBC, AES_CCM_16};
pub use hmac::{
    AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256, PRF_HMAC_SHA1,
    PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512,
};
pub use modp::MODP_2048;
pub use null::NULL;

use crate::crypto::CryptoProvider;

/// All algorithms of this provider.
#[must_use]
pub const fn provider() -> CryptoProvider {
    CryptoProvider {
        ciphers: &[NULL, AES_CBC, AES_CCM_16],
        prfs: &[PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512],
        integrity: &[AUTH_HMAC_SHA1_96, AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192, AUTH_HMAC_SHA2_512_256],
        groups: &[MODP_2048],
    }
}
