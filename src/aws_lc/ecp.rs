//! ECP groups: P-256, P-384, P-521 (RFC 4753 as RFC 5903 corrects it; readings R15, R17) by AWS-LC.
//!
//! A key object of AWS-LC has the public value in it, so making one costs a multiplication; the same object then agrees.
//! [`DhGroup::exchange`], which a device server calls, makes one for both. Private values are drawn and public ones checked
//! as in the RustCrypto provider, by the same code: the draw then takes the same bytes of a random source, and the check of a point
//! is an equation between public values.
//!
//! AWS-LC multiplies in constant time, and wipes a key's memory when it is freed.

use aws_lc_rs::agreement::{self, Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::crypto::{CryptoError, DhGroup, Random, RandomError};
use crate::provider;

/// P-256.
pub const ECP_256: &dyn DhGroup = &Ecp { algorithm: &ECDH_P256, sizes: provider::ECP_256 };
/// P-384.
pub const ECP_384: &dyn DhGroup = &Ecp { algorithm: &ECDH_P384, sizes: provider::ECP_384 };
/// P-521.
pub const ECP_521: &dyn DhGroup = &Ecp { algorithm: &ECDH_P521, sizes: provider::ECP_521 };

struct Ecp {
    algorithm: &'static Algorithm,
    sizes: &'static dyn DhGroup,
}

/// The field's length of the largest curve, P-521.
const LONGEST_FIELD: usize = 66;

impl Ecp {
    /// The key object of a private value above zero and below the order, of any length up to the order's.
    fn key(&self, private: &[u8]) -> Result<PrivateKey, CryptoError> {
        let length = self.private_length();
        let missing = length.checked_sub(private.len()).ok_or(CryptoError::Refused)?;
        let mut padded = Zeroizing::new([0; LONGEST_FIELD]);
        let padded = padded.get_mut(..length).ok_or(CryptoError::Length)?;
        padded.get_mut(missing..).ok_or(CryptoError::Refused)?.copy_from_slice(private);
        PrivateKey::from_private_key(self.algorithm, padded).map_err(|_| CryptoError::Refused)
    }

    fn write_public(&self, key: &PrivateKey, out: &mut [u8]) -> Result<(), CryptoError> {
        if out.len() != self.public_length() {
            return Err(CryptoError::Length);
        }
        let point = key.compute_public_key().map_err(|_| CryptoError::Device)?;
        // 04h, x, y: the wire has no byte for the point's format.
        out.copy_from_slice(point.as_ref().strip_prefix(&[0x04]).ok_or(CryptoError::Device)?);
        Ok(())
    }

    fn write_shared(&self, key: &PrivateKey, peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        if peer.len() != self.public_length() || out.len() != self.shared_length() {
            return Err(CryptoError::Length);
        }
        let mut point = [0x04; 1 + 2 * LONGEST_FIELD];
        let point = point.get_mut(..peer.len().saturating_add(1)).ok_or(CryptoError::Length)?;
        point.get_mut(1..).ok_or(CryptoError::Length)?.copy_from_slice(peer);
        let peer = UnparsedPublicKey::new(self.algorithm, &*point);
        agreement::agree(key, peer, CryptoError::Refused, |shared| {
            if shared.len() != out.len() {
                return Err(CryptoError::Device);
            }
            out.copy_from_slice(shared);
            Ok(())
        })
    }
}

impl DhGroup for Ecp {
    fn identifier(&self) -> u32 {
        self.sizes.identifier()
    }

    fn public_length(&self) -> usize {
        self.sizes.public_length()
    }

    fn shared_length(&self) -> usize {
        self.sizes.shared_length()
    }

    fn private_length(&self) -> usize {
        self.sizes.private_length()
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        self.sizes.check_public(public)
    }

    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        self.sizes.draw_private(random, out)
    }

    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        self.write_public(&self.key(private)?, out)
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        self.write_shared(&self.key(private)?, peer, out)
    }

    fn exchange(&self, private: &[u8], peer: &[u8], public: &mut [u8], shared: &mut [u8]) -> Result<(), CryptoError> {
        let key = self.key(private)?;
        self.write_public(&key, public)?;
        self.write_shared(&key, peer, shared)
    }
}
