//! MODP groups (RFC 3526; readings R15, R17), in constant time over crypto-bigint.
//!
//! Private values are short, and have at least twice as many bits as the group has of strength by the estimates of NIST SP
//! 800-56A (112 to 200 bits) and by the lower ones of RFC 3526 section 8: 256 bits for the 2048-bit group, and 64 more for
//! each group after it. They are drawn as SP 800-56A 5.6.1.1.4 allows: 1 to 2^n-1, and zero is drawn again.
//!
//! Memory: the groups' Montgomery parameters are constants. While a power is calculated, its small powers are on the
//! stack: about 20 times the modulus' length.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048, U3072, U4096, U6144, U8192, Uint};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::algorithm::{self, Algorithm};
use crate::crypto::{CryptoError, DhGroup, Purpose, Random, RandomError, Secret};

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
    /// The prime, made ready for Montgomery multiplication by the compiler.
    montgomery: FixedMontyParams<LIMBS>,
    /// Bytes of a private value of ours.
    private_length: usize,
}

impl<const LIMBS: usize> Parameters<LIMBS> {
    /// The group of a row of Table K5, its prime in hexadecimal.
    const fn new(row: &Algorithm, prime: &str, private_length: usize) -> Self {
        let montgomery = FixedMontyParams::new_vartime(Odd::<Uint<LIMBS>>::from_be_hex(prime));
        Self { identifier: row.identifier, montgomery, private_length }
    }
}

/// A group: its exchanges keep a reference, since the parameters are several times as long as the modulus.
struct Group<const LIMBS: usize>(&'static Parameters<LIMBS>);

impl<const LIMBS: usize> Group<LIMBS> {
    const BYTES: usize = Uint::<LIMBS>::BYTES;
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
    private: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    if private.len() > Uint::<LIMBS>::BYTES {
        return Err(CryptoError::Refused);
    }
    if out.len() != Uint::<LIMBS>::BYTES {
        return Err(CryptoError::Length);
    }
    let bits = u32::try_from(private.len().saturating_mul(8)).map_err(|_| CryptoError::Length)?;
    let mut exponent = number(private)?;
    let mut form = FixedMontyForm::new(base, params).pow_amm_bounded_exp(&exponent, bits);
    exponent.zeroize();
    let mut power = form.retrieve();
    form.zeroize();
    let mut encoded = power.to_be_bytes();
    power.zeroize();
    out.copy_from_slice(encoded.as_slice());
    encoded.zeroize();
    // Zero and multiples of the subgroup's order make a power that anybody can guess (SP 800-56A 5.7.1.1).
    public_value(params, out).map(|_| ())
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
        public_value(&self.0.montgomery, public).map(|_| ())
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
        power(&self.0.montgomery, &Uint::from_u8(GENERATOR), private, out)
    }

    fn agree(&self, private: &[u8], peer: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
        let base = public_value(&self.0.montgomery, peer)?;
        power(&self.0.montgomery, &base, private, out)
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
        format!("{:x}", group.montgomery.modulus().get())
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
        let order = GROUP_14.montgomery.modulus().get() >> 1;
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
