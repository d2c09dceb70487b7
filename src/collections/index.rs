//! Places by a number.

use super::{Array, Halves, NONE, place_of, stored};
use crate::memory::OutOfMemory;

/// Finds the places that have a number. Several may have the same one, and some none.
///
/// Linear hashing: there are about as many chains as places, one of which is split in two when a place is added, so that no
/// insertion rebuilds the table. Numbers are spread by a fixed function that no secret enters: an attacker must not choose many of
/// them freely.
#[derive(Debug)]
pub(crate) struct Index {
    /// By place.
    nodes: Array<Node>,
    /// The first place of each chain.
    chains: Array<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    number: Halves,
    /// The next place of the chain.
    next: u32,
}

/// Stands for the next place where the place is in no chain.
const ABSENT: u32 = u32::MAX - 1;

/// Spreads numbers that have something in common: the finalizer of MurmurHash3.
const fn spread(number: u64) -> u64 {
    let mut mixed = (number ^ number.unbounded_shr(33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    mixed = (mixed ^ mixed.unbounded_shr(33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    mixed ^ mixed.unbounded_shr(33)
}

/// The chain of a number, of so many.
fn chain_of(number: u64, chains: usize) -> usize {
    let mask = usize::MAX.unbounded_shr(chains.saturating_sub(1).leading_zeros());
    // What a narrow machine cuts off is not missed.
    let [.., a, b, c, d] = spread(number).to_be_bytes();
    let chain = place_of(u32::from_be_bytes([a, b, c, d])) & mask;
    if chain < chains { chain } else { chain & mask.unbounded_shr(1) }
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self { nodes: Array::new(), chains: Array::new() }
    }

    /// Room for one more place.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        let len = self.nodes.len().wrapping_add(1);
        // The greatest numbers of places stand for none.
        if u32::try_from(len).is_ok_and(|len| len < ABSENT) {
            self.nodes.reserve(len)?;
            return self.chains.reserve(self.chains.len().wrapping_add(1));
        }
        Err(OutOfMemory)
    }

    /// Adds a place without a number.
    pub(crate) fn push(&mut self) -> Result<(), OutOfMemory> {
        self.reserve()?;
        self.nodes.push(Node { number: Halves::of(0), next: ABSENT })?;
        if self.chains.len() < self.nodes.len() {
            self.split()?;
        }
        Ok(())
    }

    /// Gives a place a number, instead of the one that it had.
    pub(crate) fn set(&mut self, place: usize, number: u64) {
        self.clear(place);
        self.link(place, number);
    }

    /// Takes a place's number away.
    pub(crate) fn clear(&mut self, place: usize) {
        let Some(&Node { number, next }) = self.nodes.get(place).filter(|node| node.next != ABSENT) else { return };
        self.redirect(number.number(), place, next);
        if let Some(node) = self.nodes.get_mut(place) {
            node.next = ABSENT;
        }
    }

    /// The number of a place.
    pub(crate) fn number(&self, place: usize) -> Option<u64> {
        self.nodes.get(place).filter(|node| node.next != ABSENT).map(|node| node.number.number())
    }

    /// A place with that number.
    pub(crate) fn find(&self, number: u64) -> Option<usize> {
        self.find_if(number, |_| true)
    }

    /// A place with that number that is the right one.
    pub(crate) fn find_if(&self, number: u64, mut is_right: impl FnMut(usize) -> bool) -> Option<usize> {
        let wanted = Halves::of(number);
        let mut next = *self.chains.get(chain_of(number, self.chains.len()))?;
        loop {
            let place = place_of(next);
            let node = self.nodes.get(place)?;
            if node.number == wanted && is_right(place) {
                return Some(place);
            }
            next = node.next;
        }
    }

    /// Removes a place; the last one takes its number.
    pub(crate) fn swap_remove(&mut self, place: usize) {
        let Some(last) = self.nodes.len().checked_sub(1).filter(|last| place <= *last) else { return };
        self.clear(place);
        if let Some(moved) = self.number(last) {
            self.redirect(moved, last, stored(place));
        }
        self.nodes.swap_remove(place);
        // Two, so that the chains become few as fast as the places.
        for _ in 0..2 {
            if self.chains.len() / 2 > self.nodes.len() {
                self.join();
            }
        }
        self.chains.fit(0);
    }

    /// Puts a place that is in no chain into that of its number.
    fn link(&mut self, place: usize, number: u64) {
        let chain = chain_of(number, self.chains.len());
        if let (Some(first), Some(node)) = (self.chains.get_mut(chain), self.nodes.get_mut(place)) {
            *node = Node { number: Halves::of(number), next: *first };
            *first = stored(place);
        }
    }

    /// What leads to a place of the number's chain leads to another one.
    fn redirect(&mut self, number: u64, place: usize, to: u32) {
        let chain = chain_of(number, self.chains.len());
        let Some(first) = self.chains.get_mut(chain) else { return };
        if place_of(*first) == place {
            *first = to;
            return;
        }
        let mut before = place_of(*first);
        while let Some(node) = self.nodes.get_mut(before) {
            if place_of(node.next) == place {
                node.next = to;
                return;
            }
            before = place_of(node.next);
        }
    }

    /// One chain more: it takes over from the one that had its numbers.
    fn split(&mut self) -> Result<(), OutOfMemory> {
        let new = self.chains.len();
        self.chains.push(NONE)?;
        let mask = usize::MAX.unbounded_shr(new.leading_zeros());
        self.relink(new & mask.unbounded_shr(1));
        Ok(())
    }

    /// One chain fewer: its places go where they came from.
    fn join(&mut self) {
        let Some(first) = self.chains.pop() else { return };
        self.relink_from(first);
    }

    /// Sorts the places of a chain into the chains that there are now.
    fn relink(&mut self, chain: usize) {
        if let Some(first) = self.chains.get_mut(chain) {
            let first = core::mem::replace(first, NONE);
            self.relink_from(first);
        }
    }

    fn relink_from(&mut self, first: u32) {
        let mut next = first;
        while let Some(&Node { number, next: then }) = self.nodes.get(place_of(next)) {
            self.link(place_of(next), number.number());
            next = then;
        }
    }
}

/// What a test asks.
#[cfg(test)]
impl Index {
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) const fn chains(&self) -> usize {
        self.chains.len()
    }

    /// How many places are looked at to find this one.
    pub(super) fn distance(&self, place: usize) -> usize {
        let number = self.number(place).unwrap();
        let first = self.chains.get(chain_of(number, self.chains.len())).copied();
        let next = |at: &u32| self.nodes.get(place_of(*at)).map(|node| node.next);
        let before = core::iter::successors(first, next).take_while(|at| place_of(*at) != place);
        before.count() + 1
    }
}
