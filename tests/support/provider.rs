//! The provider under test: RustCrypto's; or AWS-LC's, where the feature `aws-lc-rs` is there and IKEV2_SCSI_PROVIDER is "aws-lc-rs" while the tests
//! are built. Tests name a provider's algorithms through here alone.
//!
//! The names are those of `ikev2_scsi::provider`. What AWS-LC lacks is RustCrypto's in either case.
#![allow(dead_code, unused_imports, reason = "each test program uses a part of this")]

#[cfg(feature = "aws-lc-rs")]
pub(crate) use chosen::*;
#[cfg(not(feature = "aws-lc-rs"))]
pub(crate) use ikev2_scsi::provider::*;

/// Whether the variable names AWS-LC's provider.
pub(crate) const IS_AWS_LC: bool = match option_env!("IKEV2_SCSI_PROVIDER") {
    None => false,
    Some(name) => match name.as_bytes() {
        b"rustcrypto" => false,
        b"aws-lc-rs" => true,
        _ => panic!("IKEV2_SCSI_PROVIDER is neither \"rustcrypto\" nor \"aws-lc-rs\""),
    },
};

#[cfg(not(feature = "aws-lc-rs"))]
const _: () =
    assert!(!IS_AWS_LC, "IKEV2_SCSI_PROVIDER names a provider that this build lacks: add --features aws-lc-rs");

/// All names, and those that both have from the one that is chosen.
#[cfg(feature = "aws-lc-rs")]
mod chosen {
    use ikev2_scsi::crypto::{Cipher, CryptoProvider, DhGroup, Integrity, Prf, Verifier};
    pub(crate) use ikev2_scsi::provider::*;
    use ikev2_scsi::{aws_lc, provider as rustcrypto};

    use super::IS_AWS_LC;

    macro_rules! choose {
        ($($kind:ident: $($name:ident)*;)*) => {$($(
            pub(crate) const $name: &dyn $kind = if IS_AWS_LC { aws_lc::$name } else { rustcrypto::$name };
        )*)*};
    }

    choose! {
        Cipher: AES_CBC AES_GCM_16;
        Prf: PRF_HMAC_SHA1 PRF_HMAC_SHA2_256 PRF_HMAC_SHA2_384 PRF_HMAC_SHA2_512;
        Integrity: AUTH_HMAC_SHA1_96 AUTH_HMAC_SHA2_256_128 AUTH_HMAC_SHA2_384_192 AUTH_HMAC_SHA2_512_256;
        DhGroup: ECP_256 ECP_384 ECP_521;
        Verifier: RSA_PKCS1_SHA1 RSA_PKCS1_SHA256 RSA_PKCS1_SHA384 RSA_PKCS1_SHA512
            ECDSA_P256_SHA256 ECDSA_P256_SHA384 ECDSA_P256_SHA512
            ECDSA_P384_SHA256 ECDSA_P384_SHA384 ECDSA_P384_SHA512
            ECDSA_P521_SHA256 ECDSA_P521_SHA384 ECDSA_P521_SHA512;
    }

    /// Of AWS-LC all that it has: what its `provider` has from RustCrypto is tested without it.
    pub(crate) const fn provider() -> CryptoProvider {
        if IS_AWS_LC { aws_lc::everything() } else { rustcrypto::provider() }
    }

    /// The types of one provider's signers.
    pub(crate) trait Signers {
        type Rsa;
        type Ecdsa;
    }

    /// Those of AWS-LC, or those of RustCrypto.
    pub(crate) struct Of<const IS_AWS_LC: bool>;

    impl Signers for Of<false> {
        type Rsa = rustcrypto::RsaSigner;
        type Ecdsa = rustcrypto::EcdsaSigner;
    }

    impl Signers for Of<true> {
        type Rsa = aws_lc::RsaSigner;
        type Ecdsa = aws_lc::EcdsaSigner;
    }

    pub(crate) type RsaSigner = <Of<IS_AWS_LC> as Signers>::Rsa;
    pub(crate) type EcdsaSigner = <Of<IS_AWS_LC> as Signers>::Ecdsa;
}
