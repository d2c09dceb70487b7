//! ECP groups: P-256, P-384, P-521 (RFC 4753 as RFC 5903 corrects it; readings R15, R17), in constant time over the crates of
//! the curves.
//!
//! A public value is x and y without a byte for the point's format, a shared secret is x alone. Private values are
//! drawn as NIST SP 800-56A 5.6.1.2.2 has it: uniform below the next power of two, and drawn again unless above zero and
//! below the order.
//!
//! Memory: the curves' crates need no heap.

use core::marker::PhantomData;

use p256::NistP256;
use p256::elliptic_curve::array::Array;
use p256::elliptic_curve::array::typenum::Unsigned;
use p256::elliptic_curve::ff::PrimeField;
use p256::elliptic_curve::group::Curve as _;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::{
    AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, Group, NonZeroScalar, ProjectivePoint, Scalar,
};
use p384::NistP384;
use p521::NistP521;
use zeroize::Zeroizing;

use crate::algorithm::{self, Algorithm, Sizes};
use crate::crypto::{CryptoError, DhGroup, Purpose, Random, RandomError};

/// P-256.
pub const ECP_256: &dyn DhGroup = &Ecp::<NistP256>::new(&algorithm::ECP_256);
/// P-384.
pub const ECP_384: &dyn DhGroup = &Ecp::<NistP384>::new(&algorithm::ECP_384);
/// P-521.
pub const ECP_521: &dyn DhGroup = &Ecp::<NistP521>::new(&algorithm::ECP_521);

/// Draws of a private value before the random source is called broken; one is nearly always enough.
const DRAWS: u8 = 8;

struct Ecp<C> {
    identifier: u32,
    public_length: usize,
    coordinate: usize,
    curve: PhantomData<fn() -> C>,
}

impl<C> Ecp<C> {
    /// The group of a row of Table K5.
    const fn new(row: &Algorithm) -> Self {
        let (public_length, coordinate) = match row.sizes {
            Sizes::DiffieHellman { public, shared } => (public, shared),
            _ => (0, 0),
        };
        Self { identifier: row.identifier, public_length, coordinate, curve: PhantomData }
    }
}

/// The point with these coordinates, x and then y. The identity has none.
pub(super) fn point<C: CurveArithmetic>(bytes: &[u8]) -> Result<AffinePoint<C>, CryptoError> {
    let (x, y) = bytes.split_at_checked(FieldBytesSize::<C>::USIZE).ok_or(CryptoError::Length)?;
    let coordinate = |bytes: &[u8]| Array::try_from(bytes).map_err(|_| CryptoError::Length);
    let point = AffinePoint::<C>::from_coordinates(&coordinate(x)?, &coordinate(y)?);
    point.into_option().ok_or(CryptoError::Refused)
}

/// A private value above zero and below the order, of any length up to the order's.
fn scalar<C: CurveArithmetic>(private: &[u8]) -> Result<Zeroizing<NonZeroScalar<C>>, CryptoError> {
    let missing = FieldBytesSize::<C>::USIZE.checked_sub(private.len()).ok_or(CryptoError::Refused)?;
    let mut padded = Zeroizing::new(FieldBytes::<C>::default());
    padded.get_mut(missing..).ok_or(CryptoError::Refused)?.copy_from_slice(private);
    NonZeroScalar::from_repr(*padded).into_option().map(Zeroizing::new).ok_or(CryptoError::Refused)
}

/// The bits that the order has in its first byte.
fn first_byte<C: CurveArithmetic>() -> u8 {
    match Scalar::<C>::NUM_BITS % 8 {
        0 => u8::MAX,
        bits => u8::MAX.wrapping_shr(8_u32.saturating_sub(bits)),
    }
}

impl<C: CurveArithmetic> DhGroup for Ecp<C> {
    fn identifier(&self) -> u32 {
        self.identifier
    }

    fn public_length(&self) -> usize {
        self.public_length
    }

    fn shared_length(&self) -> usize {
        self.coordinate
    }

    fn private_length(&self) -> usize {
        self.coordinate
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        point::<C>(public).map(|_| ())
    }

    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        for _ in 0..DRAWS {
            random.fill(Purpose::DhPrivate, out)?;
            if out.len() == self.coordinate
                && let Some(first) = out.first_mut()
            {
                *first &= first_byte::<C>();
            }
            if scalar::<C>(out).is_ok() {
                return Ok(());
            }
        }
        Err(RandomError)
    }

    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let public = ProjectivePoint::<C>::mul_by_generator(&*scalar::<C>(private)?).to_affine();
        let (x, y) = out.split_at_mut_checked(self.coordinate).ok_or(CryptoError::Length)?;
        coordinate(&public.x(), x)?;
        coordinate(&public.y(), y)
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let peer = ProjectivePoint::<C>::from(point::<C>(peer)?);
        let scalar = scalar::<C>(private)?;
        // The order is prime, the point no identity, the scalar not zero: the product is no identity either.
        #[allow(clippy::arithmetic_side_effects, reason = "the multiples of a point are points: nothing can overflow")]
        let product = Zeroizing::new(peer * **scalar);
        let shared = Zeroizing::new(product.to_affine());
        coordinate(&Zeroizing::new(shared.x()), out)
    }
}

/// Writes a coordinate to a buffer of its length.
fn coordinate(coordinate: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    if out.len() != coordinate.len() {
        return Err(CryptoError::Length);
    }
    out.copy_from_slice(coordinate);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::tested::{ECP_256, ECP_384, ECP_521};

    #[test]
    fn the_crates_have_the_sizes_of_the_table() {
        let sizes = |group: &dyn DhGroup| (group.public_length(), group.shared_length(), group.private_length());
        for (group, size) in [
            (ECP_256, FieldBytesSize::<NistP256>::USIZE),
            (ECP_384, FieldBytesSize::<NistP384>::USIZE),
            (ECP_521, FieldBytesSize::<NistP521>::USIZE),
        ] {
            assert_eq!(sizes(group), (2 * size, size, size));
        }
        assert_eq!([first_byte::<NistP256>(), first_byte::<NistP384>(), first_byte::<NistP521>()], [0xFF, 0xFF, 1]);
    }

    /// Fills each draw with the next of its bytes, and fails when there are none.
    struct Replay(Vec<u8>);

    impl Random for Replay {
        fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
            assert_eq!(purpose, Purpose::DhPrivate);
            out.fill(self.0.pop().ok_or(RandomError)?);
            Ok(())
        }
    }

    /// Zero is too small; nothing but ones is above each order, that of P-521 included, which begins with 256 ones and
    /// lacks the seven bits before them, which are dropped.
    #[test]
    fn values_out_of_range_are_drawn_again_but_not_for_ever() {
        for group in [ECP_256, ECP_384, ECP_521] {
            let mut drawn = vec![0; group.private_length()];
            group.draw_private(&mut Replay(vec![0x55, 0xFF, 0]), &mut drawn).unwrap();
            assert_eq!(drawn[1..], vec![0x55; group.private_length() - 1]);
            assert_eq!(group.public(&drawn, &mut vec![0; group.public_length()]), Ok(()));
            let mut broken = Replay(vec![0xFF; 100]);
            assert_eq!(group.draw_private(&mut broken, &mut drawn), Err(RandomError));
            assert_eq!(broken.0.len(), 92);
            assert_eq!(group.draw_private(&mut Replay(vec![]), &mut drawn), Err(RandomError));
        }
    }
}
