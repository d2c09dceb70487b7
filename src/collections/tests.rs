//! The containers against simple ones that search: whatever is done, both tell the same.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::Cell;

use proptest::prelude::*;

use super::{Array, Groups, Index, Order};

/// What has been done to a thing.
#[derive(Debug, Clone, Copy)]
enum Step {
    Insert { number: u64, rank: u64, group: u8 },
    Rank { at: usize, rank: Option<u64> },
    Number { at: usize, number: Option<u64> },
    Group { at: usize, group: Option<u8> },
    Remove { at: usize },
    RemoveFirst,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || prop_oneof![0..20_u64, any::<u64>(), (0..50_u64).prop_map(|n| n << 40)];
    let rank = || prop_oneof![0..30_u64, any::<u64>()];
    let at = || any::<usize>();
    let step = prop_oneof![
        5 => (number(), rank(), 0..6_u8).prop_map(|(number, rank, group)| Step::Insert { number, rank, group }),
        2 => (at(), proptest::option::weighted(0.8, rank())).prop_map(|(at, rank)| Step::Rank { at, rank }),
        1 => (at(), proptest::option::weighted(0.8, number())).prop_map(|(at, number)| Step::Number { at, number }),
        1 => (at(), proptest::option::weighted(0.8, 0..6_u8)).prop_map(|(at, group)| Step::Group { at, group }),
        3 => at().prop_map(|at| Step::Remove { at }),
        1 => Just(Step::RemoveFirst),
    ];
    proptest::collection::vec(step, 0..300)
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Thing {
    number: Option<u64>,
    rank: Option<u64>,
    group: Option<u8>,
}

/// All columns, beside the things themselves.
struct World {
    things: Array<u64>,
    index: Index,
    order: Order,
    groups: Groups,
    /// What is at each place, by the name that it got.
    model: BTreeMap<u64, Thing>,
    names: u64,
}

/// Two groups have the same number.
fn number_of(group: u8) -> u64 {
    u64::from(group / 2)
}

impl World {
    fn new() -> Self {
        let (things, index, order, groups) = (Array::new(), Index::new(), Order::new(), Groups::new());
        Self { things, index, order, groups, model: BTreeMap::new(), names: 0 }
    }

    fn thing(&self, place: usize) -> Thing {
        self.model[self.things.get(place).unwrap()]
    }

    fn leader(&self, group: u8) -> Option<usize> {
        self.groups.leader(number_of(group), |leader| self.thing(leader).group == Some(group))
    }

    fn leave(&mut self, place: usize) {
        if let Some(group) = self.thing(place).group {
            let leader = self.leader(group).unwrap();
            self.groups.leave(place, leader);
        }
    }

    fn join(&mut self, place: usize, group: u8) {
        let leader = self.leader(group);
        self.groups.join(place, number_of(group), leader);
    }

    fn remove(&mut self, place: usize) {
        self.leave(place);
        self.groups.swap_remove(place);
        self.order.swap_remove(place);
        self.index.swap_remove(place);
        let name = self.things.swap_remove(place).unwrap();
        self.model.remove(&name).unwrap();
    }

    fn change(&mut self, place: usize, change: impl FnOnce(&mut Thing)) {
        change(self.model.get_mut(self.things.get(place).unwrap()).unwrap());
    }

    fn step(&mut self, step: Step) {
        let place = |at: usize| at.checked_rem(self.things.len());
        match step {
            Step::Insert { number, rank, group } => {
                let place = self.things.len();
                self.names += 1;
                self.things.push(self.names).unwrap();
                self.index.push().unwrap();
                self.order.push().unwrap();
                self.groups.push().unwrap();
                self.index.set(place, number);
                self.order.set(place, rank);
                self.join(place, group);
                let thing = Thing { number: Some(number), rank: Some(rank), group: Some(group) };
                self.model.insert(self.names, thing);
            }
            Step::Rank { at, rank } => {
                let Some(place) = place(at) else { return };
                match rank {
                    Some(rank) => self.order.set(place, rank),
                    None => self.order.clear(place),
                }
                self.change(place, |thing| thing.rank = rank);
            }
            Step::Number { at, number } => {
                let Some(place) = place(at) else { return };
                match number {
                    Some(number) => self.index.set(place, number),
                    None => self.index.clear(place),
                }
                self.change(place, |thing| thing.number = number);
            }
            Step::Group { at, group } => {
                let Some(place) = place(at) else { return };
                self.leave(place);
                self.change(place, |thing| thing.group = None);
                if let Some(group) = group {
                    self.join(place, group);
                    self.change(place, |thing| thing.group = Some(group));
                }
            }
            Step::Remove { at } => {
                let Some(place) = place(at) else { return };
                self.remove(place);
            }
            Step::RemoveFirst => {
                let Some((_, place)) = self.order.first() else { return };
                self.remove(place);
            }
        }
    }

    /// Everything that can be asked is answered as by a search.
    fn check(&self) {
        assert_eq!(self.things.len(), self.model.len());
        assert!(self.things.iter().copied().eq((0..self.things.len()).map(|place| *self.things.get(place).unwrap())));
        let all = || (0..self.things.len()).map(|place| (place, self.thing(place)));
        for (place, thing) in all() {
            assert_eq!(self.index.number(place), thing.number);
            assert_eq!(self.order.get(place), thing.rank);
            if let Some(number) = thing.number {
                assert_eq!(self.index.find_if(number, |found| found == place), Some(place));
                assert_eq!(self.index.find(number).and_then(|found| self.index.number(found)), Some(number));
            }
        }
        assert_eq!(self.index.find(u64::MAX - 12_345), None);
        let ranks = || all().filter_map(|(place, thing)| Some((thing.rank?, place)));
        assert_eq!(self.order.len(), ranks().count());
        assert_eq!(self.order.first().map(|(rank, _)| rank), ranks().map(|(rank, _)| rank).min());
        let first = self.order.first().map(|(_, place)| place);
        let others = ranks().filter(|(_, place)| Some(*place) != first).map(|(rank, _)| rank);
        assert_eq!(self.order.first_beside(first).map(|(rank, _)| rank), others.min());
        assert_eq!(self.order.first_beside(None), self.order.first());
        for group in 0..6 {
            let members: Vec<usize> = all().filter(|(_, t)| t.group == Some(group)).map(|(place, _)| place).collect();
            let leader = self.leader(group);
            assert_eq!(leader.map_or(0, |leader| self.groups.count(leader)), members.len());
            let mut ring: Vec<usize> =
                core::iter::successors(leader, |member| self.groups.after(*member)).take(members.len()).collect();
            ring.sort_unstable();
            assert_eq!(ring, members);
        }
    }
}

proptest! {
    #[test]
    fn columns_answer_as_a_search_does(steps in steps()) {
        let mut world = World::new();
        for (at, step) in steps.into_iter().enumerate() {
            world.step(step);
            if at % 4 == 0 {
                world.check();
            }
        }
        while !world.model.is_empty() {
            world.remove(0);
            world.check();
        }
    }
}

/// Blocks are where the places say, from the first to one far away, and go again.
#[test]
fn an_array_grows_and_shrinks_by_blocks() {
    let mut array = Array::new();
    let mut large = Array::new();
    for n in 0..100_000_usize {
        array.push(n).unwrap();
        large.push([n; 16]).unwrap();
    }
    assert!(array.iter().copied().eq(0..100_000) && large.iter().map(|n| n[15]).eq(0..100_000));
    assert_eq!((array.get(99_999), array.get(100_000), array.get(usize::MAX)), (Some(&99_999), None, None));
    assert_eq!(array.swap_remove(5), Some(5));
    assert_eq!((array.get(5), array.len()), (Some(&99_999), 99_999));
    assert_eq!(array.swap_remove(99_999), None);
    while array.len() > 0 {
        array.swap_remove(array.len() / 2).unwrap();
    }
    assert_eq!((array.pop(), array.swap_remove(0)), (None, None));
    array.push(7).unwrap();
    assert_eq!(array.get(0), Some(&7));
}

/// Room to spare, in elements, is at most about twice the square root of the number, and one block more after removals.
#[test]
fn an_array_takes_little_more_than_it_needs() {
    let mut array = Array::<[u64; 16]>::new();
    let bound = |len: usize| len + 3 * (len.isqrt() + 2);
    for n in 0..20_000 {
        array.push([n; 16]).unwrap();
        assert!(array.capacity() <= bound(array.len()), "{n}");
    }
    while array.len() > 0 {
        array.swap_remove(0).unwrap();
        assert!(array.capacity() <= bound(array.len()), "{}", array.len());
    }
}

/// What was reserved needs no memory any more.
#[test]
fn what_is_reserved_is_there() {
    let mut array = Array::<u8>::new();
    assert!(array.reserve(usize::MAX).is_err(), "as much as an address can count");
    for n in 0..1000 {
        array.reserve(n + 1).unwrap();
        assert!(array.capacity() > n);
    }
    array.fit(500);
    assert!((500..600).contains(&array.capacity()));
}

/// A number is found by looking at about as many places as a chain has, however many there are.
#[test]
fn chains_stay_short() {
    let looked = Cell::new(0_usize);
    for stride in [1, 4096, 1 << 32, 0x9E37_79B9_7F4A_7C15] {
        let mut index = Index::new();
        for size in [1000_usize, 10_000, 100_000] {
            while index.len() < size {
                let number = u64::try_from(index.len()).unwrap().wrapping_mul(stride);
                index.push().unwrap();
                index.set(index.len() - 1, number);
            }
            looked.set(0);
            for place in 0..size {
                looked.set(looked.get() + index.distance(place));
            }
            assert!(looked.get() < 2 * size, "{stride}: {} of {size}", looked.get());
        }
        while index.len() > 10 {
            index.swap_remove(index.len() / 3);
        }
        assert!(index.chains() <= 21, "{}", index.chains());
    }
}

/// A place that has a rank from the start, and moves to the end each time: a timer that begins anew.
#[test]
fn a_new_rank_moves_few_others() {
    for size in [1000_usize, 10_000, 100_000] {
        let mut order = Order::new();
        for place in 0..size {
            order.push().unwrap();
            order.set(place, u64::try_from(place).unwrap());
        }
        let levels = 1 + size.ilog(4);
        let mut most = 0;
        let moved_by_setting: usize = (0..size)
            .map(|n| {
                let before = order.moves();
                order.set(n.wrapping_mul(7919) % size, u64::try_from(size + n).unwrap());
                most = most.max(order.moves() - before);
                order.moves() - before
            })
            .sum();
        // One level down on the average, and never more than there are.
        assert!(moved_by_setting < 3 * size, "{size}: {moved_by_setting}");
        assert!(most <= usize::try_from(levels).unwrap() + 2, "{size}: {most}");
        let before = order.moves();
        for _ in 0..size {
            let (_, first) = order.first().unwrap();
            order.clear(first);
        }
        let each = (order.moves() - before) / size;
        assert!(each <= usize::try_from(levels).unwrap() + 2, "{size}: {each}");
        assert_eq!(order.first(), None);
    }
}
