//! MODP groups (RFC 3526; readings R15, R17), in constant time over crypto-bigint.
//!
//! Private values are short: for the 2048-bit group, whose strength RFC 3526 section 8 puts at up to 160 bits, 256 bits,
//! drawn as NIST SP 800-56A 5.6.1.1.4 allows (a value in 1..2^N-1, N at least twice the strength, zero drawn again).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048, Uint};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::algorithm;
use crate::crypto::{CryptoError, DhExchange, DhGroup, Random, RandomError, Secret};

/// 2048-bit MODP group.
pub const MODP_2048: &dyn DhGroup = &Modp::<{ U2048::LIMBS }> {
    identifier: algorithm::MODP_2048.identifier,
    prime: concat!(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd",
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed",
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f",
        "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b",
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510",
        "15728e5a8aacaa68ffffffffffffffff"
    ),
    private_length: 32,
};

/// Draws of a private value before the random source is called broken; one is nearly always enough.
const DRAWS: u8 = 8;

struct Modp<const LIMBS: usize> {
    identifier: u32,
    /// The prime in hexadecimal.
    prime: &'static str,
    /// Bytes of a private value of ours.
    private_length: usize,
}

impl<const LIMBS: usize> Modp<LIMBS> {
    const BYTES: usize = Uint::<LIMBS>::BYTES;

    const fn prime(&self) -> Odd<Uint<LIMBS>> {
        Odd::<Uint<LIMBS>>::from_be_hex(self.prime)
    }

    /// A number from at most as many bytes as the modulus has.
    fn number(bytes: &[u8]) -> Result<Uint<LIMBS>, CryptoError> {
        let missing = Self::BYTES.checked_sub(bytes.len()).ok_or(CryptoError::Length)?;
        let mut padded = Secret::zeroed(Self::BYTES);
        padded.expose_mut().get_mut(missing..).ok_or(CryptoError::Length)?.copy_from_slice(bytes);
        Ok(Uint::from_be_slice(padded.expose()))
    }

    /// `base` to the power of `private` in constant time; only the private value's length is not secret.
    fn power(params: &FixedMontyParams<LIMBS>, base: &Uint<LIMBS>, private: &Secret) -> Result<Secret, CryptoError> {
        let bits = u32::try_from(private.len().saturating_mul(8)).map_err(|_| CryptoError::Length)?;
        let mut exponent = Self::number(private.expose())?;
        let mut form = FixedMontyForm::new(base, params).pow_amm_bounded_exp(&exponent, bits);
        exponent.zeroize();
        let mut power = form.retrieve();
        form.zeroize();
        let mut encoded = power.to_be_bytes();
        power.zeroize();
        let bytes = Secret::copy_of(encoded.as_ref());
        encoded.zeroize();
        Ok(bytes)
    }
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
        if public.len() != Self::BYTES {
            return Err(CryptoError::Length);
        }
        let value = Self::number(public)?;
        let last = self.prime().get().wrapping_sub(&Uint::ONE);
        if value > Uint::ONE && value < last { Ok(()) } else { Err(CryptoError::Refused) }
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
        if private.is_empty() || is_zero(&private) {
            return Err(CryptoError::Refused);
        }
        let params = FixedMontyParams::new_vartime(self.prime());
        let public = Self::power(&params, &Uint::from_u8(2), &private)?.expose().to_vec();
        Ok(Box::new(Exchange { params, private, public, prime: self.prime() }))
    }
}

/// True for a value of zero bytes only, without telling where others are.
fn is_zero(private: &Secret) -> bool {
    private.expose().iter().fold(0, |seen, byte| seen | byte).ct_eq(&0).into()
}

struct Exchange<const LIMBS: usize> {
    params: FixedMontyParams<LIMBS>,
    prime: Odd<Uint<LIMBS>>,
    private: Secret,
    public: Vec<u8>,
}

impl<const LIMBS: usize> DhExchange for Exchange<LIMBS> {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        if peer.len() != Uint::<LIMBS>::BYTES {
            return Err(CryptoError::Length);
        }
        let base = Modp::<LIMBS>::number(peer)?;
        let last = self.prime.get().wrapping_sub(&Uint::ONE);
        if base <= Uint::ONE || base >= last {
            return Err(CryptoError::Refused);
        }
        Modp::power(&self.params, &base, &self.private)
    }
}
