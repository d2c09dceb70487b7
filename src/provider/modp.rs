//! MODP groups (RFC 3526; readings R15, R17), in constant time on the integers of crypto-bigint.
//!
//! What lives here: the groups, ranges, private values. What does not: multiplication and powers (`montgomery`), powers of the
//! generator by tables (`comb`, with the feature of that name).
//!
//! Private values are short, and have at least twice as many bits as the group has of strength by the estimates of NIST SP
//! 800-56A (112 to 200 bits) and by the lower ones of RFC 3526 section 8: 256 bits for the 2048-bit group, and 64 more for
//! each group after it. They are drawn as SP 800-56A 5.6.1.1.4 allows: 1 to 2^n-1, and zero is drawn again.
//!
//! Memory: the primes and a square for each are constants. While a power is calculated, 16 small powers and a few numbers
//! more are on the stack, about 22 times the modulus' length: 6 KiB for the 2048-bit group, 22 KiB for the 8192-bit one. The
//! heap is not used, but for the tables of `comb`.

#[cfg(feature = "comb")]
mod comb;
mod montgomery;

use crypto_bigint::modular::FixedMontyParams;
use crypto_bigint::{CtGt, CtLt, Limb, Odd, U2048, U3072, U4096, U6144, U8192, Uint, Word};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

#[cfg(feature = "comb")]
use self::comb::Comb;
use self::montgomery::{Modulus, Scratch, WINDOW};
use crate::algorithm::{self, Algorithm};
use crate::crypto::{CryptoError, DhGroup, Purpose, Random, RandomError};

/// 2048-bit MODP group.
pub const MODP_2048: &dyn DhGroup = &Group(&GROUP_14);
/// 3072-bit MODP group.
pub const MODP_3072: &dyn DhGroup = &Group(&GROUP_15);
/// 4096-bit MODP group.
pub const MODP_4096: &dyn DhGroup = &Group(&GROUP_16);
/// 6144-bit MODP group.
pub const MODP_6144: &dyn DhGroup = &Group(&GROUP_17);
/// 8192-bit MODP group.
pub const MODP_8192: &dyn DhGroup = &Group(&GROUP_18);

static GROUP_14: Parameters<{ U2048::LIMBS }> = Parameters::new(
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

static GROUP_15: Parameters<{ U3072::LIMBS }> = Parameters::new(
    &algorithm::MODP_3072,
    concat!(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
        "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
        "15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7",
        "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c",
        "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff"
    ),
    40,
);

static GROUP_16: Parameters<{ U4096::LIMBS }> = Parameters::new(
    &algorithm::MODP_4096,
    concat!(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
        "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
        "15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7",
        "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c",
        "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7",
        "88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6",
        "287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9",
        "93b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff"
    ),
    48,
);

static GROUP_17: Parameters<{ U6144::LIMBS }> = Parameters::new(
    &algorithm::MODP_6144,
    concat!(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
        "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
        "15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7",
        "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c",
        "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7",
        "88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6",
        "287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9",
        "93b4ea988d8fddc186ffb7dc90a6c08f4df435c93402849236c3fab4d27c7026c1d4dcb2602646dec9751e763dba37bd",
        "f8ff9406ad9e530ee5db382f413001aeb06a53ed9027d831179727b0865a8918da3edbebcf9b14ed44ce6cbaced4bb1b",
        "db7f1447e6cc254b332051512bd7af426fb8f401378cd2bf5983ca01c64b92ecf032ea15d1721d03f482d7ce6e74fef6",
        "d55e702f46980c82b5a84031900b1c9e59e7c97fbec7e8f323a97a7e36cc88be0f1d45b7ff585ac54bd407b22b4154aa",
        "cc8f6d7ebf48e1d814cc5ed20f8037e0a79715eef29be32806a1d58bb7c5da76f550aa3d8a1fbff0eb19ccb1a313d55c",
        "da56c9ec2ef29632387fe8d76e3c0468043e8f663f4860ee12bf2d5b0b7474d6e694f91e6dcc4024ffffffffffffffff"
    ),
    56,
);

static GROUP_18: Parameters<{ U8192::LIMBS }> = Parameters::new(
    &algorithm::MODP_8192,
    concat!(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
        "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
        "15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7",
        "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c",
        "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7",
        "88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6",
        "287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9",
        "93b4ea988d8fddc186ffb7dc90a6c08f4df435c93402849236c3fab4d27c7026c1d4dcb2602646dec9751e763dba37bd",
        "f8ff9406ad9e530ee5db382f413001aeb06a53ed9027d831179727b0865a8918da3edbebcf9b14ed44ce6cbaced4bb1b",
        "db7f1447e6cc254b332051512bd7af426fb8f401378cd2bf5983ca01c64b92ecf032ea15d1721d03f482d7ce6e74fef6",
        "d55e702f46980c82b5a84031900b1c9e59e7c97fbec7e8f323a97a7e36cc88be0f1d45b7ff585ac54bd407b22b4154aa",
        "cc8f6d7ebf48e1d814cc5ed20f8037e0a79715eef29be32806a1d58bb7c5da76f550aa3d8a1fbff0eb19ccb1a313d55c",
        "da56c9ec2ef29632387fe8d76e3c0468043e8f663f4860ee12bf2d5b0b7474d6e694f91e6dbe115974a3926f12fee5e4",
        "38777cb6a932df8cd8bec4d073b931ba3bc832b68d9dd300741fa7bf8afc47ed2576f6936ba424663aab639c5ae4f568",
        "3423b4742bf1c978238f16cbe39d652de3fdb8befc848ad922222e04a4037c0713eb57a81a23f0c73473fc646cea306b",
        "4bcbc8862f8385ddfa9d4b7fa2c087e879683303ed5bdd3a062b3cf5b3a278a66d2a13f83f44f82ddf310ee074ab6a36",
        "4597e899a0255dc164f31cc50846851df9ab48195ded7ea1b1d510bd7ee74d73faf36bc31ecfa268359046f4eb879f92",
        "4009438b481c6cd7889a002ed5ee382bc9190da6fc026e479558e4475677e9aa9e3050e2765694dfc81f56e880b96e71",
        "60c980dd98edd3dfffffffffffffffff"
    ),
    64,
);

/// Draws of a private value before the random source is called broken; one is nearly always enough.
const DRAWS: u8 = 8;

/// The generator of every group of RFC 3526.
const GENERATOR: u8 = 2;

/// What a group is made of.
struct Parameters<const LIMBS: usize> {
    identifier: u32,
    prime: Uint<LIMBS>,
    /// R^2 modulo the prime, calculated by the compiler.
    square_of_r: Uint<LIMBS>,
    /// Bytes of a private value of ours.
    private_length: usize,
    #[cfg(feature = "comb")]
    comb: Comb<LIMBS>,
}

impl<const LIMBS: usize> Parameters<LIMBS> {
    /// The group of a row of Table K5, its prime in hexadecimal.
    const fn new(row: &Algorithm, hex: &str, private_length: usize) -> Self {
        let prime = Uint::from_be_hex(hex);
        let square_of_r = *FixedMontyParams::new_vartime(Odd::<Uint<LIMBS>>::from_be_hex(hex)).r2();
        Self {
            identifier: row.identifier,
            prime,
            square_of_r,
            private_length,
            #[cfg(feature = "comb")]
            comb: Comb::new(),
        }
    }

    const fn modulus(&self) -> Modulus<'_> {
        Modulus { prime: self.prime.as_limbs(), square_of_r: self.square_of_r.as_limbs() }
    }
}

/// A group: a reference, since its parameters are several times as long as the modulus.
struct Group<const LIMBS: usize>(&'static Parameters<LIMBS>);

impl<const LIMBS: usize> Group<LIMBS> {
    const BYTES: usize = Uint::<LIMBS>::BYTES;

    /// A public value: as long as the prime, and 1 < y < p-1 (reading R17).
    fn public_value(&self, bytes: &[u8]) -> Result<Uint<LIMBS>, CryptoError> {
        if bytes.len() != Self::BYTES {
            return Err(CryptoError::Length);
        }
        let value = number(bytes);
        if self.is_in_range(&value) { Ok(value) } else { Err(CryptoError::Refused) }
    }

    /// 1 < y < p-1.
    fn is_in_range(&self, value: &Uint<LIMBS>) -> bool {
        let last = self.0.prime.wrapping_sub(&Uint::ONE);
        (value.ct_gt(&Uint::ONE) & value.ct_lt(&last)).into()
    }

    /// The generator to the power of `private`, in Montgomery form; `false` where the comb is not used.
    #[cfg(feature = "comb")]
    fn by_comb(&self, private: &[u8], power: &mut [Limb; LIMBS], scratch: &mut Scratch<LIMBS>) -> bool {
        self.0.comb.power(self.0.modulus(), private, self.0.private_length, power, scratch)
    }

    #[cfg(not(feature = "comb"))]
    fn by_comb(&self, _: &[u8], _: &mut [Limb; LIMBS], _: &mut Scratch<LIMBS>) -> bool {
        false
    }

    /// `base` to the power of `private`, in Montgomery form.
    fn by_windows(&self, base: &Uint<LIMBS>, private: &[u8], power: &mut [Limb; LIMBS], scratch: &mut Scratch<LIMBS>) {
        let mut table = [[Limb::ZERO; LIMBS]; WINDOW];
        self.0.modulus().powers(base.as_limbs(), table.as_flattened_mut(), scratch.split().0);
        self.0.modulus().power(table.as_flattened(), private, power, scratch.split());
        table.as_flattened_mut().zeroize();
    }

    /// Writes a power of one's private value out of its Montgomery form, and wipes it.
    fn finish(
        &self,
        power: &mut [Limb; LIMBS],
        scratch: &mut Scratch<LIMBS>,
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.modulus().leave(power, scratch.split().0);
        // Zero and multiples of the subgroup's order make a power that anybody can guess (SP 800-56A 5.7.1.1).
        let mut value = Uint::new(*power);
        power.zeroize();
        let is_in_range = self.is_in_range(&value);
        for (limb, bytes) in value.as_limbs().iter().rev().zip(out.as_chunks_mut().0) {
            *bytes = limb.0.to_be_bytes();
        }
        value.zeroize();
        if is_in_range { Ok(()) } else { Err(CryptoError::Refused) }
    }

    /// A private value may be as long as the prime, and has a buffer of the prime's length for what becomes of it.
    const fn check_lengths(private: &[u8], out: &[u8]) -> Result<(), CryptoError> {
        if private.len() > Self::BYTES {
            return Err(CryptoError::Refused);
        }
        if out.len() == Self::BYTES { Ok(()) } else { Err(CryptoError::Length) }
    }
}

/// A number from big-endian bytes, at most as many as `LIMBS` has.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Uint<LIMBS> {
    let mut number = Uint::ZERO;
    for (limb, bytes) in number.as_mut_limbs().iter_mut().zip(bytes.rchunks(Limb::BYTES)) {
        bytes.iter().for_each(|byte| limb.0 = limb.0 << 8 | Word::from(*byte));
    }
    number
}

impl<const LIMBS: usize> DhGroup for Group<LIMBS> {
    fn identifier(&self) -> u32 {
        self.0.identifier
    }

    fn public_length(&self) -> usize {
        Self::BYTES
    }

    fn shared_length(&self) -> usize {
        Self::BYTES
    }

    fn private_length(&self) -> usize {
        self.0.private_length
    }

    fn check_public(&self, public: &[u8]) -> Result<(), CryptoError> {
        self.public_value(public).map(|_| ())
    }

    fn draw_private(&self, random: &mut dyn Random, out: &mut [u8]) -> Result<(), RandomError> {
        for _ in 0..DRAWS {
            random.fill(Purpose::DhPrivate, out)?;
            if !is_zero(out) {
                return Ok(());
            }
        }
        Err(RandomError)
    }

    fn public(&self, private: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        Self::check_lengths(private, out)?;
        let (mut power, mut scratch) = ([Limb::ZERO; LIMBS], Scratch::new());
        if !self.by_comb(private, &mut power, &mut scratch) {
            self.by_windows(&Uint::from_u8(GENERATOR), private, &mut power, &mut scratch);
        }
        self.finish(&mut power, &mut scratch, out)
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let base = self.public_value(peer)?;
        Self::check_lengths(private, out)?;
        let (mut power, mut scratch) = ([Limb::ZERO; LIMBS], Scratch::new());
        self.by_windows(&base, private, &mut power, &mut scratch);
        self.finish(&mut power, &mut scratch, out)
    }
}

/// True for a value of zero bytes only, without telling where others are.
fn is_zero(private: &[u8]) -> bool {
    private.iter().fold(0, |seen, byte| seen | byte).ct_eq(&0).into()
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use std::{format, string::String, vec, vec::Vec};

    use super::*;

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

    fn prime<const LIMBS: usize>(group: &Parameters<LIMBS>) -> String {
        format!("{:x}", group.prime)
    }

    /// RFC 3526 sections 3 to 7.
    #[test]
    fn the_primes_are_those_of_the_published_formula() {
        assert_eq!(prime(&GROUP_14), prime_of_the_formula(2048, 124_476));
        assert_eq!(prime(&GROUP_15), prime_of_the_formula(3072, 1_690_314));
        assert_eq!(prime(&GROUP_16), prime_of_the_formula(4096, 240_904));
        assert_eq!(prime(&GROUP_17), prime_of_the_formula(6144, 929_484));
        assert_eq!(prime(&GROUP_18), prime_of_the_formula(8192, 4_743_158));
    }

    /// q = (p-1)/2 is the order of 2: such an exponent would agree on 1 or p-1 with everybody.
    #[test]
    fn the_subgroup_order_is_no_private_value() {
        let order = GROUP_14.prime >> 1;
        let public = |value: &U2048| MODP_2048.public(value.to_be_bytes().as_slice(), &mut [0; 256]);
        assert_eq!(public(&order), Err(CryptoError::Refused));
        assert_eq!(public(&(order << 1)), Err(CryptoError::Refused));
        assert_eq!(public(&order.wrapping_sub(&Uint::from_u8(3))), Ok(()));
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
        let mut drawn = [0; 32];
        MODP_2048.draw_private(&mut Replay(vec![last, [0; 32], [0; 32]]), &mut drawn).unwrap();
        assert_eq!(drawn, last);
        let mut zeros = Replay(vec![[0; 32]; 100]);
        assert_eq!(MODP_2048.draw_private(&mut zeros, &mut drawn), Err(RandomError));
        assert_eq!(zeros.0.len(), 92);
        assert_eq!(MODP_2048.draw_private(&mut Replay(vec![]), &mut drawn), Err(RandomError));
    }
}
