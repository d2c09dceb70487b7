//! Places by rank: the least is known.

use super::{Array, Halves, NONE, place_of, stored};
use crate::memory::OutOfMemory;

/// Ranks places by a number, and knows the first. Not every place has a rank.
///
/// A heap with [`Order::ARITY`] children for each node, and for each place its node: a rank that changes moves its own node only,
/// and one that becomes the last, as that of a timer which begins anew, hardly moves it at all.
#[derive(Debug)]
pub(crate) struct Order {
    heap: Array<Node>,
    /// By place.
    nodes: Array<u32>,
    /// How often a node was written.
    #[cfg(test)]
    moves: usize,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    rank: Halves,
    place: u32,
}

impl Order {
    /// With four, the children of a node share a cache line or two.
    const ARITY: usize = 4;

    pub(crate) const fn new() -> Self {
        Self {
            heap: Array::new(),
            nodes: Array::new(),
            #[cfg(test)]
            moves: 0,
        }
    }

    /// How many places have a rank.
    pub(crate) const fn len(&self) -> usize {
        self.heap.len()
    }

    /// Room for one more place.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        let len = self.nodes.len().wrapping_add(1);
        if u32::try_from(len).is_err() {
            return Err(OutOfMemory);
        }
        self.nodes.reserve(len)?;
        // For a rank of each place, so that giving it takes no memory.
        self.heap.reserve(len)
    }

    /// Adds a place without a rank.
    pub(crate) fn push(&mut self) -> Result<(), OutOfMemory> {
        self.reserve()?;
        self.nodes.push(NONE)
    }

    /// Ranks a place.
    pub(crate) fn set(&mut self, place: usize, rank: u64) {
        let rank = Halves::of(rank);
        let Some(node) = self.nodes.get(place).map(|node| place_of(*node)) else { return };
        if let Some(old) = self.heap.get_mut(node) {
            let is_later = rank > old.rank;
            old.rank = rank;
            if is_later {
                self.sink(node);
            } else {
                self.rise(node);
            }
            return;
        }
        let node = self.heap.len();
        // There is room for every place.
        if self.heap.push(Node { rank, place: stored(place) }).is_ok() {
            self.tell(node);
            self.rise(node);
        }
    }

    /// The rank of a place.
    pub(crate) fn get(&self, place: usize) -> Option<u64> {
        let node = self.nodes.get(place)?;
        self.heap.get(place_of(*node)).map(|node| node.rank.number())
    }

    /// Takes a place's rank away.
    pub(crate) fn clear(&mut self, place: usize) {
        let Some(node) = self.nodes.get_mut(place).map(|node| core::mem::replace(node, NONE)) else { return };
        let node = place_of(node);
        if node >= self.heap.len() {
            return;
        }
        let Some(last) = self.heap.pop() else { return };
        let Some(gap) = self.heap.get_mut(node) else { return };
        let is_later = last.rank > gap.rank;
        *gap = last;
        self.tell(node);
        if is_later { self.sink(node) } else { self.rise(node) }
    }

    /// The least rank, and its place.
    pub(crate) fn first(&self) -> Option<(u64, usize)> {
        self.heap.get(0).map(|node| (node.rank.number(), place_of(node.place)))
    }

    /// The least rank of other places than this one, and its place.
    pub(crate) fn first_beside(&self, place: Option<usize>) -> Option<(u64, usize)> {
        let first = self.first()?;
        if Some(first.1) != place {
            return Some(first);
        }
        let second = self.least_child(0)?;
        self.heap.get(second).map(|node| (node.rank.number(), place_of(node.place)))
    }

    /// Removes a place; the last one takes its rank.
    pub(crate) fn swap_remove(&mut self, place: usize) {
        self.clear(place);
        self.nodes.swap_remove(place);
        let moved = self.nodes.get(place).map(|node| place_of(*node));
        if let Some(moved) = moved.and_then(|node| self.heap.get_mut(node)) {
            moved.place = stored(place);
        }
        self.heap.fit(self.nodes.len());
    }

    /// Writes down for a node's place where it is.
    fn tell(&mut self, node: usize) {
        let Some(place) = self.heap.get(node).map(|node| place_of(node.place)) else { return };
        if let Some(told) = self.nodes.get_mut(place) {
            *told = stored(node);
        }
        #[cfg(test)]
        {
            self.moves += 1;
        }
    }

    /// Puts a node where a node is.
    fn put(&mut self, at: usize, node: Node) {
        if let Some(old) = self.heap.get_mut(at) {
            *old = node;
            self.tell(at);
        }
    }

    fn rise(&mut self, node: usize) {
        let Some(&rising) = self.heap.get(node) else { return };
        let mut at = node;
        while let Some(above) = at.checked_sub(1).map(|before| before / Self::ARITY)
            && let Some(&parent) = self.heap.get(above).filter(|parent| parent.rank > rising.rank)
        {
            self.put(at, parent);
            at = above;
        }
        if at != node {
            self.put(at, rising);
        }
    }

    fn sink(&mut self, node: usize) {
        let Some(&sinking) = self.heap.get(node) else { return };
        let mut at = node;
        while let Some(below) = self.least_child(at)
            && let Some(&child) = self.heap.get(below).filter(|child| child.rank < sinking.rank)
        {
            self.put(at, child);
            at = below;
        }
        if at != node {
            self.put(at, sinking);
        }
    }

    fn least_child(&self, node: usize) -> Option<usize> {
        let first = node.checked_mul(Self::ARITY)?.checked_add(1)?;
        let children = first..first.saturating_add(Self::ARITY);
        let ranked = children.filter_map(|child| self.heap.get(child).map(|node| (node.rank, child)));
        ranked.min().map(|(_, child)| child)
    }
}

#[cfg(test)]
impl Order {
    /// How often a node was written.
    pub(super) const fn moves(&self) -> usize {
        self.moves
    }
}
