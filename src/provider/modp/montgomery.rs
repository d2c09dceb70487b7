//! Montgomery multiplication modulo the primes of RFC 3526, and powers by windows of the exponent, in constant time.
//!
//! It is ours because the primes let it be less: their lowest 64 bits are ones, so that -1/p is 1 modulo a limb's size, and the
//! factor of each step of the reduction is the lowest limb as it is. Squares have a code of their own. There is one code for
//! all groups: numbers are slices of limbs, all of the prime's length, lowest first.
//!
//! With R = 2^(bits of the prime), numbers between the operations are any below R, for the product of two of them, reduced, is
//! below R + p: the prime is subtracted at most once, where it does not fit in the limbs.
//!
//! No branch and no index depends on a number or an exponent, but for the lengths.

use core::slice::ChunksExact;

use crypto_bigint::{Limb, Word};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

/// Powers in a window's table: all of four bits.
pub(super) const WINDOW: usize = 16;

/// What a calculation needs besides the numbers: room for a product, and for a factor looked up in a table. Wiped when dropped.
pub(super) struct Scratch<const LIMBS: usize> {
    product: [[Limb; LIMBS]; 2],
    factor: [Limb; LIMBS],
}

impl<const LIMBS: usize> Scratch<LIMBS> {
    pub(super) const fn new() -> Self {
        Self { product: [[Limb::ZERO; LIMBS]; 2], factor: [Limb::ZERO; LIMBS] }
    }

    /// The room for a product, twice the prime's length, and that for a factor.
    pub(super) const fn split(&mut self) -> (&mut [Limb], &mut [Limb]) {
        (self.product.as_flattened_mut(), &mut self.factor)
    }
}

impl<const LIMBS: usize> Drop for Scratch<LIMBS> {
    fn drop(&mut self) {
        self.product.as_flattened_mut().zeroize();
        self.factor.zeroize();
    }
}

/// A prime of RFC 3526.
#[derive(Clone, Copy)]
pub(super) struct Modulus<'a> {
    /// The prime.
    pub(super) prime: &'a [Limb],
    /// R^2 modulo the prime.
    pub(super) square_of_r: &'a [Limb],
}

impl Modulus<'_> {
    /// R modulo the prime, which is the Montgomery form of one: R - p, since p is more than R/2.
    pub(super) fn one(self, out: &mut [Limb]) {
        let mut carry = Limb::ONE;
        for (out, prime) in out.iter_mut().zip(self.prime) {
            (*out, carry) = Limb(!prime.0).carrying_add(Limb::ZERO, carry);
        }
    }

    /// To Montgomery form.
    pub(super) fn enter(self, a: &mut [Limb], product: &mut [Limb]) {
        self.multiply(a, self.square_of_r, product);
    }

    /// From Montgomery form. The result is below the prime: the number times one, reduced, is at most p, and p only if the
    /// number is a multiple of p, which no power of a public value is.
    pub(super) fn leave(self, a: &mut [Limb], product: &mut [Limb]) {
        product.fill(Limb::ZERO);
        copy(a, product);
        self.reduce(a, product);
    }

    /// a * b / R.
    pub(super) fn multiply(self, a: &mut [Limb], b: &[Limb], product: &mut [Limb]) {
        product.fill(Limb::ZERO);
        let lowest = a.first().copied().unwrap_or(Limb::ZERO);
        let mut rest = &mut *product;
        for [x, y] in b.as_chunks().0 {
            let Some((first, others)) = rest.split_first_mut() else { break };
            let (sum, carry) = x.carrying_mul_add(lowest, *first, Limb::ZERO);
            *first = sum;
            add_two_rows(others, a, [*x, *y], [carry, Limb::ZERO], Limb::ZERO);
            rest = others.get_mut(1..).unwrap_or_default();
        }
        self.reduce(a, product);
    }

    /// a * a / R. Products of different limbs are calculated once and doubled.
    pub(super) fn square(self, a: &mut [Limb], product: &mut [Limb]) {
        product.fill(Limb::ZERO);
        let mut rest = product.get_mut(1..).unwrap_or_default();
        let mut limbs = &*a;
        while let ([x, y, tail @ ..], [first, second, others @ ..]) = (limbs, rest) {
            let carry;
            (*first, carry) = x.carrying_mul_add(*y, *first, Limb::ZERO);
            let next = tail.first().copied().unwrap_or(Limb::ZERO);
            let (sum, carry) = x.carrying_mul_add(next, *second, carry);
            *second = sum;
            add_two_rows(others, tail, [*x, *y], [carry, Limb::ZERO], Limb::ZERO);
            (limbs, rest) = (tail, others.get_mut(2..).unwrap_or_default());
        }
        let (mut carry, mut shifted) = (Limb::ZERO, Limb::ZERO);
        for ([low, high], x) in product.as_chunks_mut().0.iter_mut().zip(&*a) {
            let (square_low, square_high) = x.carrying_mul_add(*x, Limb::ZERO, Limb::ZERO);
            let twice_low = Limb(low.0 << 1 | shifted.0);
            let twice_high = Limb(high.0 << 1 | low.0 >> HIGHEST_BIT);
            shifted = Limb(high.0 >> HIGHEST_BIT);
            (*low, carry) = square_low.carrying_add(twice_low, carry);
            (*high, carry) = square_high.carrying_add(twice_high, carry);
        }
        self.reduce(a, product);
    }

    /// product / R, below R if the product is below R^2.
    fn reduce(self, out: &mut [Limb], product: &mut [Limb]) {
        let [_, multiplier @ ..] = self.prime else { return };
        let second_of_prime = multiplier.first().copied().unwrap_or(Limb::ZERO);
        let mut carry = Limb::ZERO;
        let mut rest = product;
        for _ in self.prime.as_chunks::<2>().0 {
            let [first, second, others @ ..] = rest else { break };
            // The prime's lowest limb is all ones: x times it makes the limb zero, and carries x.
            let x = *first;
            let (y, carry_of_x) = x.carrying_mul_add(second_of_prime, *second, x);
            carry = add_two_rows(others, multiplier, [x, y], [carry_of_x, y], carry);
            rest = others;
        }
        let mask = all_ones_if(carry.0.ct_eq(&1));
        let mut borrow = Limb::ZERO;
        for ((out, limb), prime) in out.iter_mut().zip(rest).zip(self.prime) {
            (*out, borrow) = limb.borrowing_sub(Limb(prime.0 & mask.0), borrow);
        }
    }

    /// The powers of `base` from 0 to 15, in Montgomery form, for [`Modulus::power`].
    pub(super) fn powers(self, base: &[Limb], table: &mut [Limb], product: &mut [Limb]) {
        let length = self.prime.len();
        for index in 0..WINDOW {
            let Some((done, rest)) = table.split_at_mut_checked(length.wrapping_mul(index)) else { break };
            let power = rest.get_mut(..length).unwrap_or_default();
            let mut done = entries(done, length);
            match index {
                0 => self.one(power),
                1 => {
                    copy(base, power);
                    self.enter(power, product);
                }
                _ if index % 2 == 0 => {
                    copy(done.nth(index / 2).unwrap_or_default(), power);
                    self.square(power, product);
                }
                _ => {
                    copy(done.nth(1).unwrap_or_default(), power);
                    self.multiply(power, done.last().unwrap_or_default(), product);
                }
            }
        }
    }

    /// The power of a table of [`Modulus::powers`], in Montgomery form; the exponent is big-endian, and may be empty.
    pub(super) fn power(
        self,
        table: &[Limb],
        exponent: &[u8],
        power: &mut [Limb],
        (product, factor): (&mut [Limb], &mut [Limb]),
    ) {
        let mut windows = exponent.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        select(table, windows.next().unwrap_or(0), power);
        for window in windows {
            for _ in 0..4 {
                self.square(power, product);
            }
            select(table, window, factor);
            self.multiply(power, factor, product);
        }
    }
}

/// The entries of a table; a length of zero, which there is not, would be a panic.
fn entries(table: &[Limb], length: usize) -> ChunksExact<'_, Limb> {
    table.chunks_exact(length.max(1))
}

/// Copies as much as there is; `copy_from_slice` would have a panic for other lengths.
fn copy(from: &[Limb], to: &mut [Limb]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// The number of a limb's highest bit.
const HIGHEST_BIT: u32 = Limb::BITS.wrapping_sub(1);

/// Adds x * u at t and y * u one limb higher, where the lowest product of x was added before: t is at its second product.
///
/// `carries` are those of the two rows so far; `carry` is that of the two rows before these, and the result that of these.
/// Two rows at once are two chains of additions that do not wait for each other, and each limb of t is read and written once.
fn add_two_rows(
    t: &mut [Limb],
    u: &[Limb],
    [x, y]: [Limb; 2],
    [mut carry_x, mut carry_y]: [Limb; 2],
    carry: Limb,
) -> Limb {
    let Some((first, others)) = u.split_first() else { return carry };
    let Some((body, [end, last, ..])) = t.split_at_mut_checked(others.len()) else { return carry };
    let mut before = *first;
    for (t, now) in body.iter_mut().zip(others) {
        let sum;
        (sum, carry_x) = x.carrying_mul_add(*now, *t, carry_x);
        (*t, carry_y) = y.carrying_mul_add(before, sum, carry_y);
        before = *now;
    }
    let (sum, carry) = end.carrying_add(carry_x, carry);
    (*end, carry_y) = y.carrying_mul_add(before, sum, carry_y);
    let (sum, carry) = last.carrying_add(carry_y, carry);
    *last = sum;
    carry
}

/// A limb of ones, or zero. The compiler does not know that there are only two masks, and cannot make branches of them.
fn all_ones_if(choice: Choice) -> Limb {
    Limb(Word::conditional_select(&0, &Word::MAX, choice))
}

/// Entries of the longest table.
const LONGEST: usize = 32;
/// Limbs that are gathered at a time: as many as stay in registers.
const STRIPE: usize = 8;

/// Copies an entry of the table, every entry of which is read: which one it is shows in no address. The table has at most 32.
pub(super) fn select(table: &[Limb], index: u8, out: &mut [Limb]) {
    let length = out.len();
    let mut masks = [Limb::ZERO; LONGEST];
    masks.iter_mut().zip(0_u8..).for_each(|(mask, entry)| *mask = all_ones_if(entry.ct_eq(&index)));
    for (at, out) in out.as_chunks_mut::<STRIPE>().0.iter_mut().enumerate() {
        let mut found = [Limb::ZERO; STRIPE];
        for (entry, mask) in entries(table, length).zip(&masks) {
            let stripe = entry.as_chunks::<STRIPE>().0.get(at);
            for (found, limb) in found.iter_mut().zip(stripe.into_iter().flatten()) {
                found.0 |= limb.0 & mask.0;
            }
        }
        *out = found;
        found.zeroize();
    }
    masks.zeroize();
}
