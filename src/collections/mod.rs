//! Containers of the device server: no operation looks at more than a few elements,
//! however many there are, and memory may be refused.
//!
//! A thing that is found in several ways, a security association by its DS_SAI, by when it runs out and by whose it is, lies
//! at a *place* in an [`Array`], and each way of finding it is a *column* beside that array: an [`Index`] finds it by a number,
//! an [`Order`] finds the first of all, [`Groups`] find what belongs together. The places are `0..n` without holes: what is
//! removed is replaced by what stands at the last place, in the array and in each of its columns.
//!
//! Every column has three kinds of methods. `push` makes one more place and may fail, for it takes memory; `reserve` makes
//! sure that the next one does not, so that several columns grow together or not at all. What puts a place into the column, moves
//! it or takes it out cannot fail. `swap_remove` removes a place and gives memory back. Nothing is ever copied into a
//! larger table: growing costs every insertion the same, and no command waits for it.
//!
//! What lives here: containers. What does not: what they contain.
//!
//! Memory, for each place: an array its element; an index 12 bytes and up to twice 4; an order 16; groups 12 and an index. Besides,
//! an array has room to spare for as many elements as the square root of their number, and 24 bytes for each such number of them.

mod array;
mod groups;
mod index;
mod order;
#[cfg(test)]
mod tests;

pub(crate) use array::Array;
#[cfg(test)]
pub(crate) use array::looks;
pub(crate) use groups::Groups;
pub(crate) use index::Index;
pub(crate) use order::Order;

/// The place that a stored number names.
fn place_of(stored: u32) -> usize {
    usize::try_from(stored).unwrap_or(usize::MAX)
}

/// The number that is stored for a place; no column has as many places as would not fit.
fn stored(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// What stands for no place in a column.
const NONE: u32 = u32::MAX;

/// A number in halves, so that what holds it needs no more than their alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Halves {
    high: u32,
    low: u32,
}

impl Halves {
    fn of(number: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        Self { high: u32::from_be_bytes([a, b, c, d]), low: u32::from_be_bytes([e, f, g, h]) }
    }

    fn number(self) -> u64 {
        u64::from(self.high).unbounded_shl(32) | u64::from(self.low)
    }
}
