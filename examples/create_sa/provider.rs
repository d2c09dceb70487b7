//! Whose cryptography both parties have: `--provider`.

use ikev2_scsi::crypto::CryptoProvider;
#[cfg(feature = "aws-lc-rs")]
use {ikev2_scsi::aws_lc, std::sync::Arc};

use super::credentials::Signers;

/// The providers of this build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    RustCrypto,
    #[cfg(feature = "aws-lc-rs")]
    AwsLc,
}

impl Provider {
    /// The one of that name; the error says why there is none.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        match name {
            "rustcrypto" => Ok(Self::RustCrypto),
            #[cfg(feature = "aws-lc-rs")]
            "aws-lc-rs" => Ok(Self::AwsLc),
            #[cfg(not(feature = "aws-lc-rs"))]
            "aws-lc-rs" => Err("this build lacks the provider aws-lc-rs: build with --features aws-lc-rs".into()),
            _ => Err(format!("no provider {name:?}: `rustcrypto` or `aws-lc-rs`")),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RustCrypto => "rustcrypto",
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc => "aws-lc-rs",
        }
    }

    pub(crate) const fn algorithms(self) -> CryptoProvider {
        match self {
            Self::RustCrypto => ikev2_scsi::provider::provider(),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc => aws_lc::provider(),
        }
    }

    pub(crate) fn signers(self) -> Signers {
        match self {
            Self::RustCrypto => Signers::RUSTCRYPTO,
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc => Signers {
                rsa: |der, hash| Ok(Arc::new(aws_lc::RsaSigner::from_pkcs8_der(der, hash)?)),
                ecdsa: |der| Ok(Arc::new(aws_lc::EcdsaSigner::from_pkcs8_der(der)?)),
            },
        }
    }
}
