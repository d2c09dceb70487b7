//! MODP groups (RFC 3526; readings R15, R17), in constant time over crypto-bigint.
//!
//! Private values are short. For the 2048-bit group RFC 3526 section 8 asks for 220 or 320 bits, by two estimates of its
//! strength (110 and 160 bits); NIST SP 800-56A puts the strength at 112 bits and asks for 224 or more. Ours have 256 bits,
//! drawn as SP 800-56A 5.6.1.1.4 allows: 1 to 2^256-1, and zero is drawn again.
//!
//! Memory: an exchange of 2048 bits holds about 1.3 KB, most of it the group's Montgomery parameters.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048, Uint};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::algorithm::{self, Algorithm};
use crate::crypto::{CryptoError, DhExchange, DhGroup, Random, RandomError, Secret};

/// 2048-bit MODP group.
pub const MODP_2048: &dyn DhGroup = &GROUP_14;

static GROUP_14: Modp<{ U2048::LIMBS }> = Modp::new(
    &algorithm::MODP_2048,
    concat!(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
        "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
        "15728e5a8aacaa68ffffffffffffffff"
    ),
    32,
);

/// Draws of a private value before the random source is called broken; one is nearly always enough.
const DRAWS: u8 = 8;

/// The generator of every group of RFC 3526.
const GENERATOR: u8 = 2;

struct Modp<const LIMBS: usize> {
    identifier: u32,
    /// The prime, made ready for Montgomery multiplication by the compiler.
    params: FixedMontyParams<LIMBS>,
    /// Bytes of a private value of ours.
    private_length: usize,
}

impl<const LIMBS: usize> Modp<LIMBS> {
    const BYTES: usize = Uint::<LIMBS>::BYTES;

    /// The group of a row of Table K5, its prime in hexadecimal.
    const fn new(row: &Algorithm, prime: &str, private_length: usize) -> Self {
        let params = FixedMontyParams::new_vartime(Odd::<Uint<LIMBS>>::from_be_hex(prime));
        Self { identifier: row.identifier, params, private_length }
    }
}

/// A number from at most as many bytes as `LIMBS` has; the copy in between is wiped.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Result<Uint<LIMBS>, CryptoError> {
    let missing = Uint::<LIMBS>::BYTES.checked_sub(bytes.len()).ok_or(CryptoError::Length)?;
    let mut padded = Secret::zeroed(Uint::<LIMBS>::BYTES);
    padded.expose_mut().get_mut(missing..).ok_or(CryptoError::Length)?.copy_from_slice(bytes);
    Ok(Uint::from_be_slice(padded.expose()))
}

/// A public value: as long as the prime, and 1 < y < p-1 (reading R17).
fn public_value<const LIMBS: usize>(
    params: &FixedMontyParams<LIMBS>,
    bytes: &[u8],
) -> Result<Uint<LIMBS>, CryptoError> {
    if bytes.len() != Uint::<LIMBS>::BYTES {
        return Err(CryptoError::Length);
    }
    let value = number(bytes)?;
    let last = params.modulus().get().wrapping_sub(&Uint::ONE);
    if value > Uint::ONE && value < last { Ok(value) } else { Err(CryptoError::Refused) }
}

/// `base` to the power of `private` in constant time; only the private value's length is not secret.
fn power<const LIMBS: usize>(
    params: &FixedMontyParams<LIMBS>,
    base: &Uint<LIMBS>,
    private: &Secret,
) -> Result<Secret, CryptoError> {
    let bits = u32::try_from(private.len().saturating_mul(8)).map_err(|_| CryptoError::Length)?;
    let mut exponent = number(private.expose())?;
    let mut form = FixedMontyForm::new(base, params).pow_amm_bounded_exp(&exponent, bits);
    exponent.zeroize();
    let mut power = form.retrieve();
    form.zeroize();
    let mut encoded = power.to_be_bytes();
    power.zeroize();
    let bytes = Secret::copy_of(encoded.as_slice());
    encoded.zeroize();
    Ok(bytes)
}

impl<const LIMBS: usize> DhGroup for Modp<LIMBS> {
    fn identifier(&self) -> u32 {
        self.identifier
    }

    fn public_length(&self) -> usize {
        Self::BYTES
    }

    fn shared_length(&self) -> usize {
        Self::BYTES
    }

    fn private_length(&self) -> usize {
        self.private_length
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        public_value(&self.params, public).map(|_| ())
    }

    fn draw_private(&self, random: &mut dyn Random) -> Result<Secret, RandomError> {
        for _ in 0..DRAWS {
            let private = random.dh_private(self.private_length)?;
            if !is_zero(&private) {
                return Ok(private);
            }
        }
        Err(RandomError)
    }

    fn start(&self, private: Secret) -> Result<Box<dyn DhExchange>, CryptoError> {
        if private.len() > Self::BYTES {
            return Err(CryptoError::Refused);
        }
        let public = power(&self.params, &Uint::from_u8(GENERATOR), &private)?.expose().to_vec();
        // Zero and multiples of the subgroup's order make a public value of 1, and a shared secret that anybody can guess.
        public_value(&self.params, &public)?;
        Ok(Box::new(Exchange { params: self.params, private, public }))
    }
}

/// True for a value of zero bytes only, without telling where others are.
fn is_zero(private: &Secret) -> bool {
    private.expose().iter().fold(0, |seen, byte| seen | byte).ct_eq(&0).into()
}

struct Exchange<const LIMBS: usize> {
    params: FixedMontyParams<LIMBS>,
    private: Secret,
    public: Vec<u8>,
}

impl<const LIMBS: usize> DhExchange for Exchange<LIMBS> {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        let base = public_value(&self.params, peer)?;
        power(&self.params, &base, &self.private)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use std::{format, string::String, vec, vec::Vec};

    use super::*;
    use crate::crypto::Purpose;

    /// arctan(1/x) in units of 2^-bits, by its series.
    fn arctan_of_inverse(x: u32, bits: u32) -> BigInt {
        let mut term = (BigInt::from(1) << bits) / x;
        let mut sum = BigInt::ZERO;
        for odd in (1..).step_by(2) {
            if term == BigInt::ZERO {
                break;
            }
            if odd % 4 == 1 {
                sum += &term / odd;
            } else {
                sum -= &term / odd;
            }
            term /= x * x;
        }
        sum
    }

    /// The formula of RFC 3526: 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + c); pi by Machin's formula.
    fn prime_of_the_formula(n: u32, c: u32) -> String {
        let spare = 64;
        let bits = n - 130 + spare;
        let pi: BigInt = 4 * (4 * arctan_of_inverse(5, bits) - arctan_of_inverse(239, bits));
        let one = BigInt::from(1);
        let prime: BigInt = (&one << n) - (&one << (n - 64)) - &one + (((pi >> spare) + c) << 64);
        format!("{prime:x}")
    }

    /// RFC 3526 section 3.
    #[test]
    fn the_prime_is_that_of_the_published_formula() {
        let modulus = GROUP_14.params.modulus().get();
        assert_eq!(format!("{modulus:x}"), prime_of_the_formula(2048, 124_476));
    }

    /// Nothing but the row and the prime makes another group (RFC 3526 section 4; samples of group 15).
    #[test]
    fn another_group_is_only_data() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/primitives/modp.json");
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let record = file["groups"].as_array().unwrap().iter().find(|group| group["group"] == 15).unwrap();
        let bytes = |name: &str| {
            let text = record["sample"][name].as_str().unwrap().as_bytes();
            let pairs = text.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap());
            pairs.collect::<Vec<_>>()
        };
        let prime = prime_of_the_formula(3072, 1_690_314);
        assert_eq!(record["p"].as_str().unwrap(), prime);
        let group = Modp::<{ crypto_bigint::U3072::LIMBS }>::new(&algorithm::MODP_3072, &prime, 40);
        assert_eq!((group.identifier(), group.public_length(), group.shared_length()), (15, 384, 384));
        let exchange = group.start(Secret::from(bytes("xa"))).unwrap();
        assert_eq!(exchange.public(), bytes("A"));
        assert_eq!(exchange.agree(&bytes("B")).unwrap().expose(), bytes("shared"));
    }

    /// q = (p-1)/2 is the order of 2: such an exponent would agree on 1 or p-1 with everybody.
    #[test]
    fn the_subgroup_order_is_no_private_value() {
        let order = GROUP_14.params.modulus().get() >> 1;
        let start = |value: &U2048| MODP_2048.start(Secret::copy_of(value.to_be_bytes().as_slice())).err();
        assert_eq!(start(&order), Some(CryptoError::Refused));
        assert_eq!(start(&(order << 1)), Some(CryptoError::Refused));
        assert_eq!(start(&order.wrapping_sub(&Uint::from_u8(3))), None);
    }

    /// Answers each draw with the next of its values, and fails when there are none.
    struct Replay(Vec<[u8; 32]>);

    impl Random for Replay {
        fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), RandomError> {
            assert_eq!(purpose, Purpose::DhPrivate);
            out.copy_from_slice(&self.0.pop().ok_or(RandomError)?);
            Ok(())
        }
    }

    #[test]
    fn zero_is_drawn_again_but_not_for_ever() {
        let mut last = [0; 32];
        last[31] = 1;
        let drawn = MODP_2048.draw_private(&mut Replay(vec![last, [0; 32], [0; 32]])).unwrap();
        assert_eq!(drawn.expose(), last);
        let mut zeros = Replay(vec![[0; 32]; 100]);
        assert_eq!(MODP_2048.draw_private(&mut zeros), Err(RandomError));
        assert_eq!(zeros.0.len(), 92);
        assert_eq!(MODP_2048.draw_private(&mut Replay(vec![])), Err(RandomError));
    }
}
