//! Places that belong together.

use super::{Array, Index, NONE, place_of, stored};
use crate::memory::OutOfMemory;

/// Divides places into groups, and knows how many each has. Not every place is in a group.
///
/// A group has a leader, which is found by a number that is made of what its members have in common; other groups may have the
/// same number.
#[derive(Debug)]
pub(crate) struct Groups {
    /// By place: the members of a group stand in a ring.
    members: Array<Member>,
    leaders: Index,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    before: u32,
    after: u32,
    /// Of a leader the members of the group, it with them.
    count: u32,
}

impl Member {
    const NOWHERE: Self = Self { before: NONE, after: NONE, count: 0 };
}

impl Groups {
    pub(crate) const fn new() -> Self {
        Self { members: Array::new(), leaders: Index::new() }
    }

    /// Room for one more place.
    pub(crate) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        self.members.reserve(self.members.len().wrapping_add(1))?;
        self.leaders.reserve()
    }

    /// Adds a place without a group.
    pub(crate) fn push(&mut self) -> Result<(), OutOfMemory> {
        self.reserve()?;
        self.leaders.push()?;
        self.members.push(Member::NOWHERE)
    }

    /// The leader of the group with that number whose leader is a right one.
    pub(crate) fn leader(&self, number: u64, is_right: impl FnMut(usize) -> bool) -> Option<usize> {
        self.leaders.find_if(number, is_right)
    }

    /// How many members the group of a leader has.
    pub(crate) fn count(&self, leader: usize) -> usize {
        self.members.get(leader).map_or(0, |member| place_of(member.count))
    }

    /// The member that follows, in the group's ring.
    pub(crate) fn after(&self, member: usize) -> Option<usize> {
        self.members.get(member).map(|member| place_of(member.after))
    }

    /// Puts a place that has no group into that of a leader, or into a new one with that number.
    pub(crate) fn join(&mut self, place: usize, number: u64, leader: Option<usize>) {
        let own = stored(place);
        let led = leader.and_then(|leader| Some((leader, self.members.get(leader)?.before)));
        let Some((leader, last)) = led else {
            self.change(own, |member| *member = Member { before: own, after: own, count: 1 });
            self.leaders.set(place, number);
            return;
        };
        self.change(own, |member| *member = Member { before: last, after: stored(leader), count: 0 });
        self.change(last, |member| member.after = own);
        self.change(stored(leader), |member| {
            member.before = own;
            member.count = member.count.wrapping_add(1);
        });
    }

    /// Takes a place out of its group, whose leader is told. Another member leads when the leader goes.
    pub(crate) fn leave(&mut self, place: usize, leader: usize) {
        let member = self.members.get(place).filter(|member| member.before != NONE);
        let Some(&Member { before, after, count }) = member else { return };
        self.change(before, |member| member.after = after);
        self.change(after, |member| member.before = before);
        let of_leader = self.members.get(leader).map_or(0, |leader| leader.count);
        let (led, heir) = if place == leader { (count, after) } else { (of_leader, stored(leader)) };
        if let Some(number) = self.leaders.number(place) {
            self.leaders.clear(place);
            if place_of(after) != place {
                self.leaders.set(place_of(after), number);
            }
        }
        self.change(heir, |member| member.count = led.wrapping_sub(1));
        self.change(stored(place), |member| *member = Member::NOWHERE);
    }

    /// Removes a place, which has left its group; the last one takes it.
    pub(crate) fn swap_remove(&mut self, place: usize) {
        let last = self.members.len().checked_sub(1).and_then(|last| self.members.get(last));
        if let Some(&Member { before, after, .. }) = last.filter(|last| last.before != NONE) {
            self.change(before, |member| member.after = stored(place));
            self.change(after, |member| member.before = stored(place));
        }
        self.members.swap_remove(place);
        self.leaders.swap_remove(place);
    }

    fn change(&mut self, place: u32, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(place_of(place)) {
            change(member);
        }
    }
}
