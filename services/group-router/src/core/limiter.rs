//! The message limit of a live room: who passes at once, who waits, who is dropped.
//!
//! Plain decisions without clock or I/O. The room's actor passes in the time and carries the
//! verdicts out. What an operator or app developer can rely on is in `docs/limiter.md`.
//!
//! # Rules
//!
//! - At most `budget` messages in any second: a message may go out at `t` only if fewer than
//!   `budget` went out in `(t - 1000, t]` (milliseconds).
//! - While nothing waits and budget is free, a message passes at once.
//! - Otherwise it draws a random ticket and waits. Whenever budget frees, the best waiting message
//!   goes out: the highest priority, and within it the highest ticket.
//! - A full queue drops the worst of all that wait, the newcomer included: the lowest priority, and
//!   within it the lowest ticket.
//! - What still waits one second after it came is dropped.
//!
//! The ticket is drawn once and kept, which is what makes the chance fair. A coin tossed anew for
//! each newcomer would favour late arrivals: of 400 messages that meet a full queue of 40, the
//! first would survive with probability `(40/41)^360`, the last with `40/41`. With tickets the
//! survivors are the best 40 of all 400, whatever their order.
//!
//! # Late calls
//!
//! A timer fires late now and then. So [`Limiter::poll`] and [`Limiter::offer`] first go through
//! what should have happened since the last call, in order: a message whose turn came while it was
//! still entitled goes out, although its second is over by the time of the call. It counts in the
//! budget at the time of the call, when it really goes out.

use std::collections::VecDeque;

use rand::Rng;
use throng_node::invariant;
use throng_protocol::limits;

mod priority;
mod queue;
mod verdict;

#[cfg(test)]
mod tests;

pub use priority::Priority;
use queue::{WaitQueue, Waiting};
use verdict::dropped;
pub use verdict::{DropReason, Verdict};

/// Length of the sliding window of the budget, milliseconds.
pub const WINDOW_MS: u64 = 1_000;

/// How long a message may wait for budget, milliseconds. Not below [`WINDOW_MS`]: a message that
/// meets an exhausted budget must live to see it free again.
pub const MAX_WAIT_MS: u64 = 1_000;

/// Messages per second of a room unless set otherwise (REST notes 01, 4.5; CN 1629).
pub const DEFAULT_BUDGET: u32 = limits::GROUP_MESSAGES_PER_SECOND;

/// Largest budget: it bounds the memory of one room. Larger values count as this one.
pub const MAX_BUDGET: u32 = 100_000;

/// Longest queue. Larger values count as this one.
pub const MAX_QUEUE: u32 = 65_536;

/// The limit of one room. `T` is whatever stands for a message.
///
/// Times are milliseconds of one monotonic clock; one that lies before an earlier one counts as
/// the earlier one. Verdicts go to the callback of the call that brings them about. After each
/// call that takes a callback, call [`poll`](Self::poll) again at
/// [`next_deadline`](Self::next_deadline).
///
/// An offer takes constant time while budget lasts. A message that waits costs a search and a
/// shift in the sorted queue of its priority, so logarithmic plus a copy of at most half that
/// queue. Nothing is allocated once the queue and the record of deliveries have reached their
/// size.
#[derive(Debug)]
pub struct Limiter<T> {
    budget: usize,
    capacity: usize,
    now: u64,
    /// Times of the latest deliveries, the oldest first: as many as the budget, or more for a while
    /// after it was lowered.
    delivered: VecDeque<u64>,
    queue: WaitQueue<T>,
    /// What one call delivers from the queue, until it is in order.
    batch: Vec<Waiting<T>>,
}

impl<T> Limiter<T> {
    /// A limiter of `budget` messages per second (0: everything is dropped) with room for
    /// `queue_capacity` waiting ones. It allocates when first used.
    #[must_use]
    pub fn new(budget: u32, queue_capacity: u32) -> Self {
        Self {
            budget: budget.min(MAX_BUDGET) as usize,
            capacity: queue_capacity.min(MAX_QUEUE) as usize,
            now: 0,
            delivered: VecDeque::new(),
            queue: WaitQueue::new(),
            batch: Vec::new(),
        }
    }

    /// Messages per second.
    #[must_use]
    pub fn budget(&self) -> u32 {
        self.budget as u32
    }

    /// How many messages wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// A message came. Its verdict may come in this call, beside those of others, or in a later
    /// one.
    pub fn offer(
        &mut self,
        now: u64,
        priority: Priority,
        item: T,
        rng: &mut (impl Rng + ?Sized),
        out: &mut impl FnMut(Verdict<T>),
    ) {
        self.poll(now, out);
        if self.budget == 0 {
            out(dropped(item, priority, 0, DropReason::Closed));
        } else if self.free_at() <= self.now {
            // Nothing waits, or it would have taken the budget just now.
            self.record_delivery();
            out(Verdict::Deliver { item, priority, waited: 0 });
        } else {
            self.enqueue(priority, rng.next_u64(), item, out);
        }
    }

    /// Time went by: delivers what the budget allows and drops what waited too long.
    pub fn poll(&mut self, now: u64, out: &mut impl FnMut(Verdict<T>)) {
        self.now = self.now.max(now);
        if self.queue.is_empty() || self.budget == 0 {
            return;
        }
        loop {
            let free_at = self.free_at();
            if free_at > self.now {
                break;
            }
            // Whose second was over before this piece of budget came free had no claim to it.
            self.expire(|deadline| deadline < free_at, out);
            let Some(best) = self.queue.pop_best() else {
                break;
            };
            self.record_delivery();
            self.batch.push(best);
        }
        // What goes out together goes in the order people wrote it, priority by priority.
        self.batch.sort_unstable_by_key(|waiting| (waiting.priority, waiting.order));
        for waiting in self.batch.drain(..) {
            out(Verdict::Deliver {
                waited: self.now - waiting.arrived,
                item: waiting.item,
                priority: waiting.priority,
            });
        }
        let now = self.now;
        self.expire(|deadline| deadline <= now, out);
    }

    /// When to call [`poll`](Self::poll) again at the latest; `None` while nothing waits. Always
    /// later than the last call.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        let oldest = self.queue.oldest_arrival()?;
        Some(deadline(oldest).min(self.free_at()))
    }

    /// Changes budget and queue capacity. A larger budget lets waiting messages out at once, a
    /// smaller queue drops the worst, a budget of 0 drops all.
    pub fn set_budget(
        &mut self,
        now: u64,
        budget: u32,
        queue_capacity: u32,
        out: &mut impl FnMut(Verdict<T>),
    ) {
        self.poll(now, out);
        self.budget = budget.min(MAX_BUDGET) as usize;
        self.capacity = queue_capacity.min(MAX_QUEUE) as usize;
        if self.budget == 0 {
            self.drain_all(out);
            return;
        }
        self.poll(now, out);
        while self.queue.len() > self.capacity {
            self.drop_worst(out);
        }
    }

    /// Drops all that wait, the worst first. The limiter stays usable.
    pub fn drain_all(&mut self, out: &mut impl FnMut(Verdict<T>)) {
        while let Some(waiting) = self.queue.pop_worst() {
            let waited = self.now - waiting.arrived;
            out(dropped(waiting.item, waiting.priority, waited, DropReason::Closed));
        }
    }

    /// When the next message may go out; a time gone by if at once. The budget must not be 0.
    fn free_at(&self) -> u64 {
        self.delivered
            .len()
            .checked_sub(self.budget)
            .and_then(|place| self.delivered.get(place))
            .map_or(0, |time| time.saturating_add(WINDOW_MS))
    }

    fn record_delivery(&mut self) {
        invariant!(Lim1, self.free_at() <= self.now, "over the budget at {}", self.now);
        // All but the last `budget` are outside the window, or there would be no budget now.
        while self.delivered.len() >= self.budget {
            self.delivered.pop_front();
        }
        self.delivered.push_back(self.now);
    }

    fn enqueue(
        &mut self,
        priority: Priority,
        ticket: u64,
        item: T,
        out: &mut impl FnMut(Verdict<T>),
    ) {
        if self.queue.len() >= self.capacity {
            let newcomer_stays = self.queue.worst().is_some_and(|(class, lowest)| {
                priority < class || (priority == class && ticket > lowest)
            });
            if !newcomer_stays {
                out(dropped(item, priority, 0, DropReason::QueueFull));
                return;
            }
            self.drop_worst(out);
        }
        self.queue.push(priority, ticket, self.now, item);
    }

    fn drop_worst(&mut self, out: &mut impl FnMut(Verdict<T>)) {
        if let Some(worst) = self.queue.pop_worst() {
            let waited = self.now - worst.arrived;
            out(dropped(worst.item, worst.priority, waited, DropReason::QueueFull));
        }
    }

    /// Drops those whose deadline is over, the oldest first.
    fn expire(&mut self, over: impl Fn(u64) -> bool, out: &mut impl FnMut(Verdict<T>)) {
        while self.queue.oldest_arrival().is_some_and(|arrived| over(deadline(arrived))) {
            let Some(waiting) = self.queue.pop_oldest() else {
                return;
            };
            let waited = self.now - waiting.arrived;
            out(dropped(waiting.item, waiting.priority, waited, DropReason::Waited));
        }
    }
}

/// When a message that came at `arrived` is dropped if it still waits.
fn deadline(arrived: u64) -> u64 {
    arrived.saturating_add(MAX_WAIT_MS)
}
