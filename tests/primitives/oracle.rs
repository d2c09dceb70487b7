//! Powers of the MODP groups against num-bigint, which computes the same numbers by other code.
//!
//! The number of random cases for each group is `MODP_CASES` of the environment; without it there are few, for they are slow
//! without optimisation. The edges of the ranges are always all there.

use std::iter;

use ikev2_scsi::crypto::{CryptoError, DhGroup};
use ikev2_scsi::provider::{MODP_2048, MODP_3072, MODP_4096, MODP_6144, MODP_8192};
use num_bigint::BigUint;

use crate::groups::{prime, public_of, shared_with};

const FEW: usize = 24;

/// Numbers that look random (SplitMix64), the same in every run.
struct Numbers(u64);

impl Iterator for Numbers {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        Some((mixed ^ mixed >> 31).to_be_bytes()[0])
    }
}

impl Numbers {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        self.take(length).collect()
    }

    /// From 1 to `most`.
    fn up_to(&mut self, most: usize) -> usize {
        usize::from(u16::from_be_bytes([self.next().unwrap(), self.next().unwrap()])) % most + 1
    }
}

struct Oracle {
    group: &'static dyn DhGroup,
    p: BigUint,
    powers: usize,
}

impl Oracle {
    fn new(group: &'static dyn DhGroup) -> Self {
        Self { group, p: prime(group).0, powers: 0 }
    }

    fn padded(&self, value: &BigUint) -> Vec<u8> {
        let bytes = value.to_bytes_be();
        [vec![0; self.group.public_length() - bytes.len()], bytes].concat()
    }

    /// What the group makes of a power: one that anybody can guess is refused.
    fn expected(&self, base: &BigUint, private: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let power = base.modpow(&BigUint::from_bytes_be(private), &self.p);
        let one = BigUint::from(1_u8);
        if power == one || power == &self.p - &one { Err(CryptoError::Refused) } else { Ok(self.padded(&power)) }
    }

    fn check_public(&mut self, private: &[u8]) {
        let expected = self.expected(&BigUint::from(2_u8), private);
        assert_eq!(public_of(self.group, private), expected, "2 to the power of {private:02x?}");
        self.powers += 1;
    }

    fn check_shared(&mut self, base: &BigUint, private: &[u8]) {
        let expected = self.expected(base, private);
        assert_eq!(shared_with(self.group, private, &self.padded(base)), expected, "{base:x} to {private:02x?}");
        self.powers += 1;
    }

    /// Exponents of one bit, of ones, of the order, with zeros before them; bases at the ends of the range.
    fn check_edges(&mut self, is_short: bool) {
        let (length, two) = (self.group.private_length(), BigUint::from(2_u8));
        let order = &self.p >> 1_u8;
        let near_order = [&order - 1_u8, order.clone(), &order + 1_u8].map(|exponent| self.padded(&exponent));
        // The longest exponents take seconds without optimisation.
        let near_order = near_order.into_iter().filter(|order| !is_short || order.len() == 256);
        let ones = [1, 8, length - 1, length, length + 1].map(|length| vec![0xFF; length]);
        let zeros_before = [1, 5, length - 4].map(|zeros| [vec![0; zeros], vec![0xA5; 4]].concat());
        let zeros = [0, 1, length, length + 1].map(|length| vec![0; length]);
        let bits = (0..=8 * length).step_by(if is_short { 61 } else { 1 }).chain([8 * length - 1]);
        let single = bits.map(|bit| (BigUint::from(1_u8) << bit).to_bytes_be());
        let exponents: Vec<_> = single.chain(ones).chain(zeros_before).chain(zeros).chain(near_order).collect();
        for private in &exponents {
            self.check_public(private);
        }
        let last = &self.p - &two;
        for private in exponents.iter().rev().take(16) {
            for base in [&two, &last, &BigUint::from(3_u8), &(&self.p >> 64_u8)] {
                self.check_shared(base, private);
            }
        }
        for base in [BigUint::ZERO, BigUint::from(1_u8), &self.p - 1_u8, self.p.clone(), &self.p + 1_u8] {
            assert_eq!(shared_with(self.group, &[3], &self.padded(&base)), Err(CryptoError::Refused));
        }
    }

    /// Random bases; exponents of any length that transcripts have, most of them short to save time.
    fn check_random(&mut self, cases: usize) {
        let (length, drawn) = (self.group.public_length(), self.group.private_length());
        let mut numbers = Numbers(u64::from(self.group.identifier()));
        for case in 0..cases {
            let bytes = match case % 128 {
                1 => numbers.up_to(length / 2),
                of_drawn if of_drawn % 16 == 0 => drawn,
                of_any if of_any % 16 == 2 => numbers.up_to(drawn + 8),
                _ => numbers.up_to(8),
            };
            let base = BigUint::from_bytes_be(&numbers.bytes(length)) % (&self.p - 3_u8) + 2_u8;
            let private: Vec<u8> = iter::once(case.to_be_bytes()[7] | 1).chain(numbers.bytes(bytes - 1)).collect();
            self.check_public(&private);
            self.check_shared(&base, &private);
        }
    }
}

fn agrees(group: &'static dyn DhGroup) {
    let wanted = std::env::var("MODP_CASES").ok().map(|text| text.parse().unwrap());
    let cases = wanted.unwrap_or(FEW);
    let mut oracle = Oracle::new(group);
    oracle.check_edges(wanted.is_none());
    oracle.check_random(cases);
    println!(
        "{}-bit MODP: {cases} random cases, {} powers agree with num-bigint",
        group.public_length() * 8,
        oracle.powers
    );
    assert!(oracle.powers >= 2 * cases + 64);
}

#[test]
fn modp_2048() {
    agrees(MODP_2048);
}

#[test]
fn modp_3072() {
    agrees(MODP_3072);
}

#[test]
fn modp_4096() {
    agrees(MODP_4096);
}

#[test]
fn modp_6144() {
    agrees(MODP_6144);
}

#[test]
fn modp_8192() {
    agrees(MODP_8192);
}
