//! An array that grows and shrinks by blocks: no element ever moves to make room.

use alloc::vec::Vec;

use crate::memory::{self, OutOfMemory};

/// Elements in order, in blocks whose length grows with the square root of their number (Brodnik and others, "Resizable Arrays
/// in Optimal Time and Space"): block lengths are 2, 2, 4, 4, 4, 4, 4, 4, 8 and so on, one power of two as often as the place of
/// its bit says, so that block and offset of a place follow from its highest bit.
#[derive(Debug)]
pub(crate) struct Array<T> {
    blocks: Vec<Vec<T>>,
    len: usize,
}

/// Where an element is.
struct Spot {
    block: usize,
    offset: usize,
    /// Elements of the block.
    length: usize,
}

impl<T> Array<T> {
    /// The bit at which counting begins: the first blocks have 2 elements, or 4 small ones.
    const FIRST_BIT: u32 = if size_of::<T>() < 64 { 4 } else { 2 };

    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new(), len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Blocks before those that a bit counts, and as many more for every bit.
    const fn blocks_before(bit: u32) -> usize {
        let share: usize = if bit.is_multiple_of(2) { 2 } else { 3 };
        share.unbounded_shl(bit / 2)
    }

    fn spot(place: usize) -> Option<Spot> {
        let rank = place.checked_add(1_usize.unbounded_shl(Self::FIRST_BIT))?;
        let bit = rank.checked_ilog2()?;
        // Of the bits below the highest one the upper half tells the block, the lower half the element.
        let lower = bit.div_ceil(2);
        let length = 1_usize.unbounded_shl(lower);
        let first = Self::blocks_before(bit).wrapping_sub(Self::blocks_before(Self::FIRST_BIT));
        let block = rank.unbounded_shr(lower).wrapping_sub(1_usize.unbounded_shl(bit / 2)).wrapping_add(first);
        Some(Spot { block, offset: rank & length.wrapping_sub(1), length })
    }

    /// Makes sure that as many elements as `len` have room; only one block at a time can be missing.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<(), OutOfMemory> {
        let Some(last) = len.checked_sub(1) else { return Ok(()) };
        self.reserve_spot(&Self::spot(last).ok_or(OutOfMemory)?)
    }

    fn reserve_spot(&mut self, spot: &Spot) -> Result<(), OutOfMemory> {
        if self.blocks.len() > spot.block {
            return Ok(());
        }
        if self.blocks.len() < spot.block {
            return Err(OutOfMemory);
        }
        let block = memory::with_capacity(spot.length)?;
        if self.blocks.len() == self.blocks.capacity() {
            let as_many = self.blocks.len().max(1);
            memory::reserve_exact(&mut self.blocks, as_many)?;
        }
        memory::push(&mut self.blocks, block)
    }

    /// Gives back blocks of which not one element is needed for `len` elements, but for one block: who takes and gives in turns should not
    /// meet the allocator each time.
    pub(crate) fn fit(&mut self, len: usize) {
        let needed = len.max(self.len).checked_sub(1).and_then(Self::spot).map_or(0, |spot| spot.block.wrapping_add(1));
        while self.blocks.len() > needed.saturating_add(1) {
            self.blocks.pop();
        }
    }

    /// Puts an element at the end.
    pub(crate) fn push(&mut self, element: T) -> Result<(), OutOfMemory> {
        let spot = Self::spot(self.len).ok_or(OutOfMemory)?;
        self.reserve_spot(&spot)?;
        let block = self.blocks.get_mut(spot.block).ok_or(OutOfMemory)?;
        if block.len() == block.capacity() {
            return Err(OutOfMemory);
        }
        block.push(element);
        self.len = self.len.wrapping_add(1);
        Ok(())
    }

    /// Takes the last element; gives no memory back.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let element = self.blocks.get_mut(Self::spot(last)?.block)?.pop()?;
        self.len = last;
        Some(element)
    }

    /// Takes an element, puts the last one into its place, and gives memory back.
    pub(crate) fn swap_remove(&mut self, place: usize) -> Option<T> {
        if place >= self.len {
            return None;
        }
        let last = self.pop()?;
        self.fit(0);
        match self.get_mut(place) {
            Some(element) => Some(core::mem::replace(element, last)),
            None => Some(last),
        }
    }

    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        #[cfg(test)]
        looked_at(1);
        let spot = Self::spot(place)?;
        self.blocks.get(spot.block)?.get(spot.offset)
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        #[cfg(test)]
        looked_at(1);
        let spot = Self::spot(place)?;
        self.blocks.get_mut(spot.block)?.get_mut(spot.offset)
    }

    /// The elements by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        #[cfg(test)]
        looked_at(self.len);
        self.blocks.iter().flatten()
    }
}

#[cfg(test)]
std::thread_local! {
    /// Elements of arrays that this thread has looked at.
    static LOOKED_AT: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

#[cfg(test)]
fn looked_at(elements: usize) {
    LOOKED_AT.with(|looked| looked.set(looked.get() + elements));
}

/// How many elements of arrays are looked at, one that is looked at twice counted twice.
#[cfg(test)]
pub(crate) fn looks(work: impl FnOnce()) -> usize {
    let before = LOOKED_AT.get();
    work();
    LOOKED_AT.get() - before
}

#[cfg(test)]
impl<T> Array<T> {
    /// Elements that there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.blocks.iter().map(Vec::capacity).sum()
    }
}
