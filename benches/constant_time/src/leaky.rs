//! What nobody should write: each class of leak once, so that the checks can show that they find it.

use std::hint::black_box;

/// A comparison that ends at the first difference.
#[inline(never)]
pub fn early_exit_equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    for (left, right) in left.iter().zip(right) {
        // Keeps the compiler from comparing whole words.
        if black_box(*left) != black_box(*right) {
            return false;
        }
    }
    true
}

/// A prime below 2^61 (a Mersenne prime): the leak does not depend on the size of the numbers.
const MODULUS: u64 = (1 << 61) - 1;

fn multiplied(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    u64::try_from(product % u128::from(MODULUS)).unwrap_or(0)
}

/// Square and multiply: the multiplication is left out where the exponent has a zero.
#[inline(never)]
pub fn branching_power(base: u64, exponent: &[u8]) -> u64 {
    let mut power = 1;
    for byte in exponent {
        for bit in (0..8).rev() {
            power = multiplied(power, power);
            if black_box(byte >> bit & 1) == 1 {
                power = multiplied(black_box(power), base);
            }
        }
    }
    power
}

/// A power by a window of four bits, whose table is read at the place that the secret tells.
#[inline(never)]
pub fn power_by_table(base: u64, exponent: &[u8]) -> u64 {
    let mut table = [1; 16];
    for index in 1..table.len() {
        table[index] = multiplied(table[index - 1], base);
    }
    let table = black_box(table);
    let mut power = 1;
    for nibble in exponent.iter().flat_map(|byte| [byte >> 4, byte & 0xF]) {
        for _ in 0..4 {
            power = multiplied(power, power);
        }
        power = multiplied(power, table[usize::from(nibble)]);
    }
    power
}

/// Reads a large table at the places that the secret tells: what is read again and again is in a cache.
#[inline(never)]
pub fn look_up(table: &[u8], places: &[u8]) -> u8 {
    let mut sum = 0_u8;
    for place in places.as_chunks::<4>().0 {
        let index = usize::try_from(u32::from_be_bytes(*place)).unwrap_or(0);
        sum = sum.wrapping_add(table[index % table.len()]);
    }
    sum
}

/// A padding check in clear order of its bytes, that ends at the first wrong one: 01h, 02h, 03h and so on, then PAD LENGTH.
#[inline(never)]
pub fn padding_is_good(plaintext: &[u8]) -> bool {
    let Some((length, rest)) = plaintext.split_last() else { return false };
    let length = usize::from(black_box(*length));
    let Some(start) = rest.len().checked_sub(length) else { return false };
    rest[start..].iter().zip(1..).all(|(byte, counted): (&u8, u8)| black_box(*byte) == counted)
}
