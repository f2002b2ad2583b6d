//! The waiting messages of a [`Limiter`](super::Limiter): best and worst by priority and ticket,
//! oldest by arrival, each found without a search.

use std::collections::VecDeque;

use super::Priority;

/// No slot.
const NONE: u32 = u32::MAX;

/// A message taken out of the queue.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub(super) item: T,
    pub(super) priority: Priority,
    /// When it came, milliseconds.
    pub(super) arrived: u64,
    /// Its place in the order of arrival.
    pub(super) order: u64,
}

/// One waiting message and its neighbours in the order of arrival. Slots are used again.
#[derive(Debug)]
struct Slot<T> {
    waiting: Option<Waiting<T>>,
    ticket: u64,
    older: u32,
    newer: u32,
}

/// Sorts by ticket; the slot makes it unique.
type Rank = (u64, u32);

#[derive(Debug)]
pub(super) struct WaitQueue<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// For each priority its messages, the lowest ticket first.
    classes: [VecDeque<Rank>; Priority::ALL.len()],
    oldest: u32,
    newest: u32,
    len: usize,
    arrivals: u64,
}

impl<T> WaitQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            classes: Default::default(),
            oldest: NONE,
            newest: NONE,
            len: 0,
            arrivals: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When the longest waiting one came.
    pub(super) fn oldest_arrival(&self) -> Option<u64> {
        let slot = self.slots.get(self.oldest as usize)?;
        slot.waiting.as_ref().map(|waiting| waiting.arrived)
    }

    /// Priority and ticket of the one to drop first.
    pub(super) fn worst(&self) -> Option<(Priority, u64)> {
        Priority::ALL.into_iter().rev().find_map(|priority| {
            let (ticket, _) = self.classes[priority.index()].front()?;
            Some((priority, *ticket))
        })
    }

    /// Adds one. Arrival times must not go down from call to call.
    pub(super) fn push(&mut self, priority: Priority, ticket: u64, arrived: u64, item: T) {
        let slot = Slot {
            waiting: Some(Waiting { item, priority, arrived, order: self.arrivals }),
            ticket,
            older: self.newest,
            newer: NONE,
        };
        self.arrivals += 1;
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        match self.slots.get_mut(self.newest as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
        let class = &mut self.classes[priority.index()];
        let at = class.partition_point(|rank| *rank < (ticket, place));
        class.insert(at, (ticket, place));
        self.len += 1;
    }

    /// Takes the one to deliver first.
    pub(super) fn pop_best(&mut self) -> Option<Waiting<T>> {
        let (_, place) = self.classes.iter_mut().find_map(VecDeque::pop_back)?;
        self.unlink(place)
    }

    /// Takes the one to drop first.
    pub(super) fn pop_worst(&mut self) -> Option<Waiting<T>> {
        let (_, place) = self.classes.iter_mut().rev().find_map(VecDeque::pop_front)?;
        self.unlink(place)
    }

    /// Takes the longest waiting one.
    pub(super) fn pop_oldest(&mut self) -> Option<Waiting<T>> {
        let place = self.oldest;
        let slot = self.slots.get(place as usize)?;
        let class = &mut self.classes[slot.waiting.as_ref()?.priority.index()];
        if let Ok(at) = class.binary_search(&(slot.ticket, place)) {
            class.remove(at);
        }
        self.unlink(place)
    }

    /// Frees a slot that is in no class any more.
    fn unlink(&mut self, place: u32) -> Option<Waiting<T>> {
        let slot = self.slots.get_mut(place as usize)?;
        let (older, newer) = (slot.older, slot.newer);
        let waiting = slot.waiting.take()?;
        match self.slots.get_mut(older as usize) {
            Some(before) => before.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer as usize) {
            Some(after) => after.older = older,
            None => self.newest = older,
        }
        self.free.push(place);
        self.len -= 1;
        Some(waiting)
    }
}

#[cfg(test)]
impl<T> WaitQueue<T> {
    /// Places held in memory: slots, free slots, ranks.
    pub(super) fn allocated(&self) -> (usize, usize, usize) {
        let ranks = self.classes.iter().map(VecDeque::capacity).sum();
        (self.slots.capacity(), self.free.capacity(), ranks)
    }
}
