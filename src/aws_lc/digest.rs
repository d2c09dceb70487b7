//! The hashes of signatures (FIPS 180-4) by AWS-LC.

use aws_lc_rs::digest::{Algorithm, Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};

use crate::crypto::HashKind;

/// The hash of the parts one after another, which are nowhere put together: a certificate may be long.
pub(super) fn digest(hash: HashKind, message: &[&[u8]]) -> Digest {
    let algorithm: &'static Algorithm = match hash {
        HashKind::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
        HashKind::Sha256 => &SHA256,
        HashKind::Sha384 => &SHA384,
        HashKind::Sha512 => &SHA512,
    };
    let mut context = Context::new(algorithm);
    for part in message {
        context.update(part);
    }
    context.finish()
}
