//! The same rules written for clarity, not speed: goes through every instant at which something can
//! happen, with lists and full scans.

use super::super::{DropReason, MAX_WAIT_MS, Priority, WINDOW_MS};

#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    pub(super) id: usize,
    pub(super) priority: Priority,
    pub(super) ticket: u64,
    pub(super) arrived: u64,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) budget: usize,
    pub(super) capacity: usize,
    pub(super) last: u64,
    /// Times of all deliveries.
    pub(super) deliveries: Vec<u64>,
    /// In order of arrival.
    pub(super) waiting: Vec<Waiter>,
    pub(super) delivered: Vec<usize>,
    pub(super) dropped: Vec<(usize, DropReason)>,
}

impl Model {
    /// Deliveries in the second that ends with `instant`, counting those stamped later.
    fn spent(&self, instant: u64) -> usize {
        let in_window = |time: &&u64| **time + WINDOW_MS > instant;
        self.deliveries.iter().filter(in_window).count()
    }

    /// Does a message that comes now have to wait?
    pub(super) fn must_wait(&self, now: u64) -> bool {
        !self.waiting.is_empty() || self.spent(now) >= self.budget
    }

    /// When budget is free.
    pub(super) fn free_at(&self, now: u64) -> u64 {
        let ends = self.deliveries.iter().map(|time| time + WINDOW_MS);
        let mut instants: Vec<u64> = ends.filter(|end| *end > now).collect();
        instants.push(now);
        instants.sort_unstable();
        let free = |instant: &u64| self.spent(*instant) < self.budget;
        instants.into_iter().find(free).expect("budget is not 0")
    }

    pub(super) fn advance(&mut self, now: u64) {
        let ends = self.deliveries.iter().map(|time| time + WINDOW_MS);
        let deadlines = self.waiting.iter().map(|waiter| waiter.arrived + MAX_WAIT_MS);
        let mut instants: Vec<u64> = ends.chain(deadlines).collect();
        instants.retain(|instant| (self.last..now).contains(instant));
        instants.push(now);
        instants.sort_unstable();
        let mut batch: Vec<(Priority, usize)> = Vec::new();
        for instant in instants {
            while self.spent(instant) < self.budget
                && let Some(place) = self.best()
            {
                let waiter = self.waiting.remove(place);
                self.deliveries.push(now);
                batch.push((waiter.priority, waiter.id));
            }
            self.drop_where(DropReason::Waited, |waiter| waiter.arrived + MAX_WAIT_MS <= instant);
        }
        batch.sort_unstable();
        self.delivered.extend(batch.into_iter().map(|(_, id)| id));
        self.last = now;
    }

    /// A message that must wait.
    pub(super) fn wait(&mut self, waiter: Waiter) {
        self.waiting.push(waiter);
        self.shrink();
    }

    pub(super) fn pass(&mut self, now: u64, id: usize) {
        self.deliveries.push(now);
        self.delivered.push(id);
    }

    pub(super) fn shrink(&mut self) {
        while self.waiting.len() > self.capacity {
            let worst = (0..self.waiting.len())
                .max_by_key(|place| self.rank(*place))
                .expect("more than the capacity");
            let waiter = self.waiting.remove(worst);
            self.dropped.push((waiter.id, DropReason::QueueFull));
        }
    }

    pub(super) fn drop_where(&mut self, reason: DropReason, over: impl Fn(&Waiter) -> bool) {
        for waiter in self.waiting.extract_if(.., |waiter| over(waiter)) {
            self.dropped.push((waiter.id, reason));
        }
    }

    fn best(&self) -> Option<usize> {
        (0..self.waiting.len()).min_by_key(|place| self.rank(*place))
    }

    /// The smaller, the better.
    fn rank(&self, place: usize) -> (Priority, std::cmp::Reverse<u64>) {
        let waiter = &self.waiting[place];
        (waiter.priority, std::cmp::Reverse(waiter.ticket))
    }
}
