//! Events that wait, in a build for many (feature `scale`).

use core::fmt;

use super::super::Event;
use super::super::event::{EventKind, Worth};
use crate::collections::Array;
use crate::time::Instant;

/// Events in order, of bounded number: of those that are worth least the oldest is lost first, and the loss is told.
///
/// There is a list for each worth, so that nothing is searched. An event for which there is no memory is lost, too.
pub(in crate::server) struct EventQueue {
    pub(super) cells: Array<Cell>,
    /// By worth, the least first.
    lists: [List; Worth::ALL.len()],
    /// The first cell without an event.
    free: Option<u32>,
    /// Events that wait.
    pub(super) len: usize,
    limit: usize,
    /// How many have come.
    count: u64,
    lost: u64,
    pub(super) lost_at: Instant,
}

pub(super) struct Cell {
    event: Option<Event>,
    /// Which event of all that have come it is.
    number: u64,
    /// The next cell of the list.
    next: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct List {
    first: Option<u32>,
    last: Option<u32>,
}

fn place(cell: u32) -> usize {
    usize::try_from(cell).unwrap_or(usize::MAX)
}

impl EventQueue {
    pub(in crate::server) const fn new(limit: usize) -> Self {
        let list = List { first: None, last: None };
        let lists = [list; Worth::ALL.len()];
        let lost_at = Instant::from_millis(0);
        Self { cells: Array::new(), lists, free: None, len: 0, limit, count: 0, lost: 0, lost_at }
    }

    pub(in crate::server) fn push(&mut self, event: Event) {
        let worth = event.kind.worth();
        if self.len >= self.limit {
            self.lose(event.at);
            // Everything that waits may be worth more.
            let cheaper = Worth::ALL.into_iter().filter(|other| *other <= worth);
            if !cheaper.map(|other| self.take(other)).any(|lost| lost.is_some()) {
                return;
            }
        }
        let at = event.at;
        if self.put(event, worth).is_none() {
            self.lose(at);
        }
    }

    pub(in crate::server) fn pop(&mut self) -> Option<Event> {
        let count = core::mem::take(&mut self.lost);
        if count != 0 {
            return Some(Event { at: self.lost_at, nexus: None, kind: EventKind::Lost { count } });
        }
        let number = |worth: &Worth| Some((self.cell(self.list(*worth)?.first?)?.number, *worth));
        let (_, oldest) = Worth::ALL.iter().filter_map(number).min()?;
        self.take(oldest)
    }

    fn lose(&mut self, at: Instant) {
        self.lost = self.lost.saturating_add(1);
        self.lost_at = at;
    }

    fn list(&self, worth: Worth) -> Option<&List> {
        self.lists.get(worth.index())
    }

    fn cell(&self, cell: u32) -> Option<&Cell> {
        self.cells.get(place(cell))
    }

    /// Puts an event at the end of its list; `None` if there is no memory.
    fn put(&mut self, event: Event, worth: Worth) -> Option<()> {
        let number = self.count;
        let new = Cell { event: Some(event), number, next: None };
        let at = match self.free {
            Some(at) => {
                let cell = self.cells.get_mut(place(at))?;
                self.free = cell.next;
                *cell = new;
                at
            }
            None => {
                let at = u32::try_from(self.cells.len()).ok()?;
                self.cells.push(new).ok()?;
                at
            }
        };
        self.count = self.count.wrapping_add(1);
        self.len = self.len.saturating_add(1);
        let list = self.lists.get_mut(worth.index())?;
        match list.last.replace(at).and_then(|last| self.cells.get_mut(place(last))) {
            Some(last) => last.next = Some(at),
            None => list.first = Some(at),
        }
        Some(())
    }

    /// Takes the oldest event of a worth.
    fn take(&mut self, worth: Worth) -> Option<Event> {
        let list = self.lists.get_mut(worth.index())?;
        let at = list.first?;
        let cell = self.cells.get_mut(place(at))?;
        let event = cell.event.take();
        list.first = core::mem::replace(&mut cell.next, self.free);
        if list.first.is_none() {
            list.last = None;
        }
        self.free = Some(at);
        self.len = self.len.saturating_sub(1);
        if self.len == 0 {
            // Of what a burst took, one block stays.
            while self.cells.pop().is_some() {}
            self.cells.fit(0);
            self.free = None;
        }
        event
    }
}

impl fmt::Debug for EventQueue {
    /// The events, by worth and age, and the loss.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |list: &List| core::iter::successors(list.first, |cell| self.cell(*cell)?.next);
        let events = self.lists.iter().flat_map(of).filter_map(|cell| self.cell(cell)?.event.as_ref());
        f.debug_list().entries(events).finish()?;
        write!(f, ", {} lost", self.lost)
    }
}
