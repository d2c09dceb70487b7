//! Powers of two, the generator, by a comb (Lim and Lee): products of powers that are calculated once for each group.
//!
//! The exponent's bits are the teeth of a comb that moves down by one bit at a time, and all of them in one position choose the
//! next factor: there are ten teeth, in two tables of 32 entries each, and 64 times the modulus' length of memory for a group
//! (16 KiB for the 2048-bit group, 24, 32, 48 and 64 KiB for the others), which is taken from the heap at the first use of the
//! group and never given back. Which tables there are depends on no secret. Where there is no memory for them, powers of two
//! are calculated as those of other numbers.

use alloc::boxed::Box;

use crypto_bigint::Limb;
use once_cell::race::OnceBox;

use super::montgomery::{Modulus, Scratch, select};
use crate::memory;

/// Teeth of a table.
const TEETH: usize = 5;
/// Entries of a table: one for each set of its teeth.
const ENTRIES: usize = 1 << TEETH;
/// Tables.
const TABLES: usize = 2;

type Tables<const LIMBS: usize> = [[Limb; LIMBS]; TABLES * ENTRIES];

/// The comb of a group; empty at first.
pub(super) struct Comb<const LIMBS: usize>(OnceBox<Tables<LIMBS>>);

/// Bits from one tooth to the next, for exponents of so many bytes.
const fn spacing(bytes: usize) -> usize {
    bytes.saturating_mul(8).div_ceil(TEETH * TABLES)
}

impl<const LIMBS: usize> Comb<LIMBS> {
    pub(super) const fn new() -> Self {
        Self(OnceBox::new())
    }

    /// Two to the power of a big-endian exponent, in Montgomery form; `false` for an exponent longer than `longest` bytes, which
    /// is always the same, and without memory.
    pub(super) fn power(
        &self,
        modulus: Modulus<'_>,
        exponent: &[u8],
        longest: usize,
        power: &mut [Limb; LIMBS],
        scratch: &mut Scratch<LIMBS>,
    ) -> bool {
        if exponent.len() > longest {
            return false;
        }
        let spacing = spacing(longest);
        let Ok(tables) = self.0.get_or_try_init(|| build(modulus, spacing).ok_or(())) else { return false };
        let (product, factor) = scratch.split();
        modulus.one(power);
        for position in (0..spacing).rev() {
            modulus.square(power, product);
            for (number, table) in tables.chunks_exact(ENTRIES).enumerate() {
                select(table.as_flattened(), index(exponent, spacing, position, number), factor);
                modulus.multiply(power, factor, product);
            }
        }
        true
    }
}

/// The entry that the exponent has in a table at a position.
fn index(exponent: &[u8], spacing: usize, position: usize, table: usize) -> u8 {
    (0..TEETH).rev().fold(0, |index, tooth| {
        let at = tooth.wrapping_mul(TABLES).wrapping_add(table).wrapping_mul(spacing).wrapping_add(position);
        let byte = exponent.iter().rev().nth(at / 8).copied().unwrap_or(0);
        index << 1 | (byte >> (at % 8) & 1)
    })
}

/// Calculates the tables, or gives up without memory.
fn build<const LIMBS: usize>(modulus: Modulus<'_>, spacing: usize) -> Option<Box<Tables<LIMBS>>> {
    let mut tables = memory::with_capacity(TABLES.wrapping_mul(ENTRIES)).ok()?;
    tables.resize(TABLES.wrapping_mul(ENTRIES), [Limb::ZERO; LIMBS]);
    let mut scratch = Scratch::<LIMBS>::new();
    let (product, tooth) = scratch.split();
    *tooth.first_mut()? = Limb(2);
    modulus.enter(tooth, product);
    for table in tables.chunks_exact_mut(ENTRIES) {
        modulus.one(table.first_mut()?);
    }
    for number in 0..TEETH {
        for table in tables.chunks_exact_mut(ENTRIES) {
            let (done, rest) = table.split_at_mut_checked(1 << number)?;
            for (entry, without) in rest.iter_mut().zip(done) {
                *entry = *without;
                modulus.multiply(entry, tooth, product);
            }
            for _ in 0..spacing {
                modulus.square(tooth, product);
            }
        }
    }
    tables.into_boxed_slice().try_into().ok()
}
