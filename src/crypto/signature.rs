//! Digital signatures (r3 7.7.4.6 b, e, Table K6; RFC 4306 2.15; reading R16).
//!
//! A signature is made over the octets to be signed, which arrive in parts; what goes over the wire is the modulus length of
//! an RSA signature, or r | s of an ECDSA one, each padded to the length of the curve's field.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::CryptoError;
use crate::algorithm;
use crate::memory::{self, OutOfMemory};

/// Whether this build knows authentication by signatures (feature `signatures`): without it there are no keys to sign with and nobody who
/// judges those of others. Unit tests always have it.
pub(crate) const HAS_SIGNATURES: bool = cfg!(any(test, feature = "signatures"));

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// RSA, EMSA-PKCS1-v1_5 (RFC 8017 8.2).
    Rsa,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Rsa, Self::P256, Self::P384, Self::P521];

    /// Identifier of the IKE authentication algorithm, which is also the AUTH METHOD (r3 Table K6).
    #[must_use]
    pub const fn auth_method(self) -> u32 {
        match self {
            Self::Rsa => algorithm::IKE_AUTH_RSA,
            Self::P256 => algorithm::IKE_AUTH_ECDSA_256,
            Self::P384 => algorithm::IKE_AUTH_ECDSA_384,
            Self::P521 => algorithm::IKE_AUTH_ECDSA_521,
        }
    }

    /// The kind of key that an IKE authentication algorithm takes; `None` for those that are not signatures.
    #[must_use]
    pub const fn of_auth_method(identifier: u32) -> Option<Self> {
        Some(match identifier {
            algorithm::IKE_AUTH_RSA => Self::Rsa,
            algorithm::IKE_AUTH_ECDSA_256 => Self::P256,
            algorithm::IKE_AUTH_ECDSA_384 => Self::P384,
            algorithm::IKE_AUTH_ECDSA_521 => Self::P521,
            _ => return None,
        })
    }

    /// The hash that AUTH is made with: of ECDSA the one that its row names (RFC 4754), of RSA SHA-1 (RFC 4306).
    #[must_use]
    pub const fn auth_hash(self) -> HashKind {
        match self {
            Self::Rsa => HashKind::Sha1,
            Self::P256 => HashKind::Sha256,
            Self::P384 => HashKind::Sha384,
            Self::P521 => HashKind::Sha512,
        }
    }

    /// Bytes of a coordinate of the curve; `None` for RSA.
    #[must_use]
    pub const fn field_length(self) -> Option<usize> {
        match self {
            Self::Rsa => None,
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::P521 => Some(66),
        }
    }
}

/// The hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashKind {
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

/// A kind of key together with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureScheme {
    /// The key.
    pub key: KeyKind,
    /// The hash.
    pub hash: HashKind,
}

impl SignatureScheme {
    /// A scheme.
    #[must_use]
    pub const fn new(key: KeyKind, hash: HashKind) -> Self {
        Self { key, hash }
    }

    /// The scheme that AUTH is made with unless a policy says otherwise (reading R16).
    #[must_use]
    pub const fn of_auth(key: KeyKind) -> Self {
        Self { key, hash: key.auth_hash() }
    }
}

/// A public key in the form that a certificate's subjectPublicKey has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    /// What it verifies.
    pub kind: KeyKind,
    /// RSAPublicKey in DER (RFC 8017 A.1.1), or an uncompressed point: 04h, x, y (SEC 1 2.3.3).
    pub bytes: Box<[u8]>,
}

impl PublicKey {
    /// A key. Whether it is a good one shows when it verifies.
    #[must_use]
    pub fn new(kind: KeyKind, bytes: &[u8]) -> Self {
        Self { kind, bytes: bytes.into() }
    }

    /// A key, where there may be no memory for it.
    ///
    /// # Errors
    /// [`CryptoError::Memory`].
    pub fn try_new(kind: KeyKind, bytes: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self { kind, bytes: memory::boxed_copy_of(bytes)? })
    }

    /// A key for the work that a peer without a key costs: an unknown peer must take as long as a wrong signature. Anybody can
    /// sign with it, so that whatever it verifies is refused. Of RSA, one whose modulus is as long as `signature_length`, 256 to 1024
    /// bytes, and whose exponent is 65537: to verify with a known key of another exponent takes another time, which tells that
    /// it is known.
    #[must_use]
    pub fn decoy(kind: KeyKind, signature_length: usize) -> Self {
        // A key of no bytes verifies nothing either.
        Self::new(kind, Decoy::new(kind, signature_length).as_ref().map_or(&[], Decoy::bytes))
    }
}

/// The bytes of [`PublicKey::decoy`].
pub(crate) enum Decoy {
    Made(Vec<u8>),
    Curve(&'static [u8]),
}

impl Decoy {
    pub(crate) fn new(kind: KeyKind, signature_length: usize) -> Result<Self, CryptoError> {
        Ok(match kind {
            KeyKind::Rsa => Self::Made(decoy_rsa(signature_length.clamp(256, 1024))?),
            KeyKind::P256 => Self::Curve(&P256_BASE),
            KeyKind::P384 => Self::Curve(&P384_BASE),
            KeyKind::P521 => Self::Curve(&P521_BASE),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Made(bytes) => bytes,
            Self::Curve(bytes) => bytes,
        }
    }
}

impl PublicKey {
    /// True if this may be a signature of this key: it has the length, and with RSA it is below the modulus. A verifier refuses
    /// others before it calculates, and by its time would tell about the key.
    pub(crate) fn fits(&self, signature: &[u8]) -> bool {
        match self.kind.field_length() {
            Some(field) => signature.len() == field.saturating_mul(2),
            None => modulus(&self.bytes).is_some_and(|n| signature.len() == n.len() && signature < n),
        }
    }
}

/// The modulus of an RSAPublicKey without its sign byte.
fn modulus(der: &[u8]) -> Option<&[u8]> {
    let (sequence, _) = tagged(der, 0x30)?;
    let (modulus, _) = tagged(sequence, 0x02)?;
    Some(modulus.strip_prefix(&[0]).unwrap_or(modulus))
}

/// The contents of a DER value with this tag, of at most 65 535 bytes, and what follows it.
fn tagged(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der {
        [t, 0x82, high, low, rest @ ..] if *t == tag => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [t, 0x81, length, rest @ ..] if *t == tag => (usize::from(*length), rest),
        [t, length, rest @ ..] if *t == tag && *length < 0x80 => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// RSAPublicKey { 2^(8 * length) - 1, 65537 } in DER.
fn decoy_rsa(length: usize) -> Result<Vec<u8>, OutOfMemory> {
    const EXPONENT: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
    const AROUND: usize = 4 + 4 + 1 + EXPONENT.len();
    let header = |tag: u8, length: usize| {
        let [.., high, low] = length.to_be_bytes();
        [tag, 0x82, high, low]
    };
    let modulus_length = length.saturating_add(1);
    let mut der = memory::zeroed(length.saturating_add(AROUND))?;
    der.fill(0xFF);
    let around = header(0x30, length.saturating_add(AROUND).saturating_sub(4));
    let before = around.into_iter().chain(header(0x02, modulus_length)).chain([0]);
    der.iter_mut().zip(before).for_each(|(to, byte)| *to = byte);
    der.iter_mut().rev().zip(EXPONENT.into_iter().rev()).for_each(|(to, byte)| *to = byte);
    Ok(der)
}

/// Makes signatures. The private key may be inside an HSM: nothing but this is asked of it.
pub trait Signer: Send + Sync {
    /// What it signs with.
    fn scheme(&self) -> SignatureScheme;

    /// The public key that goes with it.
    fn public_key(&self) -> PublicKey;

    /// Bytes of a signature: the modulus length of RSA, or twice the length of the curve's field.
    fn signature_length(&self) -> usize;

    /// Signs the parts one after another and writes the signature into `out`, which is [`Signer::signature_length`] bytes
    /// long: the modulus length of RSA, or r | s.
    ///
    /// # Errors
    /// [`CryptoError::Device`] when the key cannot be used now, [`CryptoError::Length`] when `out` has another length,
    /// [`CryptoError::Memory`].
    fn sign(&self, message: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError>;
}

/// Checks signatures of one scheme.
pub trait Verifier: Send + Sync + fmt::Debug {
    /// What it checks.
    fn scheme(&self) -> SignatureScheme;

    /// Checks a signature over the parts one after another; `public_key` is as in [`PublicKey`].
    ///
    /// # Errors
    /// [`CryptoError::Refused`] for a wrong signature, one of a wrong length, and a key that is none or is too weak;
    /// [`CryptoError::Device`].
    fn verify(&self, public_key: &[u8], message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError>;
}

/// The base point of P-256: 04h, x and y (SEC 2).
#[rustfmt::skip]
const P256_BASE: [u8; 65] = [
    0x04,
    0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81,
    0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B,
    0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68,
    0x37, 0xBF, 0x51, 0xF5,
];

/// The base point of P-384: 04h, x and y (SEC 2).
#[rustfmt::skip]
const P384_BASE: [u8; 97] = [
    0x04,
    0xAA, 0x87, 0xCA, 0x22, 0xBE, 0x8B, 0x05, 0x37, 0x8E, 0xB1, 0xC7, 0x1E, 0xF3, 0x20, 0xAD, 0x74, 0x6E, 0x1D, 0x3B, 0x62,
    0x8B, 0xA7, 0x9B, 0x98, 0x59, 0xF7, 0x41, 0xE0, 0x82, 0x54, 0x2A, 0x38, 0x55, 0x02, 0xF2, 0x5D, 0xBF, 0x55, 0x29, 0x6C,
    0x3A, 0x54, 0x5E, 0x38, 0x72, 0x76, 0x0A, 0xB7, 0x36, 0x17, 0xDE, 0x4A, 0x96, 0x26, 0x2C, 0x6F, 0x5D, 0x9E, 0x98, 0xBF,
    0x92, 0x92, 0xDC, 0x29, 0xF8, 0xF4, 0x1D, 0xBD, 0x28, 0x9A, 0x14, 0x7C, 0xE9, 0xDA, 0x31, 0x13, 0xB5, 0xF0, 0xB8, 0xC0,
    0x0A, 0x60, 0xB1, 0xCE, 0x1D, 0x7E, 0x81, 0x9D, 0x7A, 0x43, 0x1D, 0x7C, 0x90, 0xEA, 0x0E, 0x5F,
];

/// The base point of P-521: 04h, x and y (SEC 2).
#[rustfmt::skip]
const P521_BASE: [u8; 133] = [
    0x04,
    0x00, 0xC6, 0x85, 0x8E, 0x06, 0xB7, 0x04, 0x04, 0xE9, 0xCD, 0x9E, 0x3E, 0xCB, 0x66, 0x23, 0x95, 0xB4, 0x42, 0x9C, 0x64,
    0x81, 0x39, 0x05, 0x3F, 0xB5, 0x21, 0xF8, 0x28, 0xAF, 0x60, 0x6B, 0x4D, 0x3D, 0xBA, 0xA1, 0x4B, 0x5E, 0x77, 0xEF, 0xE7,
    0x59, 0x28, 0xFE, 0x1D, 0xC1, 0x27, 0xA2, 0xFF, 0xA8, 0xDE, 0x33, 0x48, 0xB3, 0xC1, 0x85, 0x6A, 0x42, 0x9B, 0xF9, 0x7E,
    0x7E, 0x31, 0xC2, 0xE5, 0xBD, 0x66, 0x01, 0x18, 0x39, 0x29, 0x6A, 0x78, 0x9A, 0x3B, 0xC0, 0x04, 0x5C, 0x8A, 0x5F, 0xB4,
    0x2C, 0x7D, 0x1B, 0xD9, 0x98, 0xF5, 0x44, 0x49, 0x57, 0x9B, 0x44, 0x68, 0x17, 0xAF, 0xBD, 0x17, 0x27, 0x3E, 0x66, 0x2C,
    0x97, 0xEE, 0x72, 0x99, 0x5E, 0xF4, 0x26, 0x40, 0xC5, 0x50, 0xB9, 0x01, 0x3F, 0xAD, 0x07, 0x61, 0x35, 0x3C, 0x70, 0x86,
    0xA2, 0x72, 0xC2, 0x40, 0x88, 0xBE, 0x94, 0x76, 0x9F, 0xD1, 0x66, 0x50,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_those_of_table_k6() {
        for kind in KeyKind::ALL {
            assert_eq!(KeyKind::of_auth_method(kind.auth_method()), Some(kind));
        }
        assert_eq!(KeyKind::ALL.map(KeyKind::auth_method), [1, 9, 10, 11]);
        assert!([0, 2, 3, 8, 12, 0x109].iter().all(|method| KeyKind::of_auth_method(*method).is_none()));
    }

    /// Reading R16: of RSA the hash that RFC 4306 has, of ECDSA the one that the row of Table K6 names.
    #[test]
    fn hashes_are_those_of_reading_r16() {
        let hashes = KeyKind::ALL.map(|kind| SignatureScheme::of_auth(kind).hash);
        assert_eq!(hashes, [HashKind::Sha1, HashKind::Sha256, HashKind::Sha384, HashKind::Sha512]);
    }

    #[test]
    fn a_decoy_of_rsa_is_as_long_as_the_signature() {
        for (asked, length) in [(0, 256), (256, 256), (300, 300), (9999, 1024)] {
            let key = PublicKey::decoy(KeyKind::Rsa, asked).bytes;
            assert_eq!(key.len(), 4 + 4 + 1 + length + 5);
            assert_eq!(usize::from(u16::from_be_bytes([key[2], key[3]])), key.len() - 4);
            assert_eq!(usize::from(u16::from_be_bytes([key[6], key[7]])), length + 1);
            assert_eq!(modulus(&key).map(<[u8]>::len), Some(length));
        }
    }
    #[test]
    fn a_signature_that_fits_is_below_the_modulus_and_as_long() {
        let key = |modulus: &[u8]| PublicKey::new(KeyKind::Rsa, &[&[0x30, 8, 2, 3], modulus, &[2, 1, 3]].concat());
        for key in [key(&[0, 0x80, 1]), PublicKey::new(KeyKind::Rsa, &[0x30, 7, 2, 2, 0x80, 1, 2, 1, 3])] {
            let fits = [&[0x80, 0][..], &[0, 0], &[0x7F, 0xFF]];
            let others = [&[0x80, 1][..], &[0x80, 2], &[0x81, 0], &[0xFF, 0xFF], &[], &[0], &[0x80], &[0, 0x80, 0]];
            assert!(fits.iter().all(|signature| key.fits(signature)) && !others.iter().any(|other| key.fits(other)));
        }
        for der in [&[][..], &[0x30], &[0x30, 1, 2], &[0x30, 3, 2, 2, 1], &[0x31, 3, 2, 1, 1], &[0x30, 3, 4, 1, 1]] {
            assert!(!PublicKey::new(KeyKind::Rsa, der).fits(&[0]), "{der:?}");
        }
        // A length of three bytes, which is no length of 131 bytes.
        let long = [&[0x30, 0x83][..], &[0; 131]].concat();
        assert_eq!((tagged(&long, 0x30), tagged(&[0x30, 0x80, 0, 0], 0x30)), (None, None));
        let point = PublicKey::new(KeyKind::P384, b"");
        assert!(point.fits(&[0; 96]) && !point.fits(&[0; 95]) && !point.fits(&[0; 97]));
    }
}
