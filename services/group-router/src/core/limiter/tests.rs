//! Rules one by one. Arbitrary histories are in `properties`, chances in `fairness`.

use std::collections::VecDeque;
use std::convert::Infallible;

use rand::TryRng;
use rand::rngs::SmallRng;

use super::*;

mod fairness;
mod model;
mod properties;

/// Hands out the given tickets.
struct Script(VecDeque<u64>);

impl Script {
    fn new(tickets: impl IntoIterator<Item = u64>) -> Self {
        Self(tickets.into_iter().collect())
    }
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("tickets are 64 bits")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.pop_front().expect("more tickets drawn than scripted"))
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        unreachable!("tickets are 64 bits")
    }
}

/// A limiter, its randomness, and the verdicts since they were last looked at.
struct Room {
    limiter: Limiter<u32>,
    rng: Script,
    delivered: Vec<u32>,
    dropped: Vec<(u32, DropReason)>,
}

impl Room {
    fn new(budget: u32, capacity: u32, tickets: impl IntoIterator<Item = u64>) -> Self {
        Self {
            limiter: Limiter::new(budget, capacity),
            rng: Script::new(tickets),
            delivered: Vec::new(),
            dropped: Vec::new(),
        }
    }

    fn with(
        &mut self,
        call: impl FnOnce(&mut Limiter<u32>, &mut Script, &mut dyn FnMut(Verdict<u32>)),
    ) {
        let (delivered, dropped) = (&mut self.delivered, &mut self.dropped);
        call(&mut self.limiter, &mut self.rng, &mut |verdict| match verdict {
            Verdict::Deliver { item, .. } => delivered.push(item),
            Verdict::Drop { item, reason, .. } => dropped.push((item, reason)),
        });
    }

    fn offer(&mut self, now: u64, priority: Priority, item: u32) {
        self.with(|limiter, rng, mut out| limiter.offer(now, priority, item, rng, &mut out));
    }

    fn poll(&mut self, now: u64) {
        self.with(|limiter, _, mut out| limiter.poll(now, &mut out));
    }

    fn set_budget(&mut self, now: u64, budget: u32, capacity: u32) {
        self.with(|limiter, _, mut out| limiter.set_budget(now, budget, capacity, &mut out));
    }

    fn delivered(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.delivered)
    }

    fn dropped(&mut self) -> Vec<(u32, DropReason)> {
        std::mem::take(&mut self.dropped)
    }
}

use DropReason::{Closed, QueueFull, Waited};
use Priority::{High, Low, Lowest, Normal};

#[test]
fn priorities_have_numbers_and_names() {
    for (number, name, priority) in
        [(1, "High", High), (2, "Normal", Normal), (3, "Low", Low), (4, "Lowest", Lowest)]
    {
        assert_eq!(Priority::from_wire(number), Some(priority));
        assert_eq!(Priority::from_name(name), Some(priority));
        assert_eq!((priority.wire(), priority.name()), (number, name));
    }
    for number in [0, 5, u32::MAX] {
        assert_eq!(Priority::from_wire(number), None);
    }
    for name in ["", "high", "Urgent"] {
        assert_eq!(Priority::from_name(name), None);
    }
}

#[test]
fn passes_at_once_while_budget_lasts() {
    let mut room = Room::new(3, 3, [1]);
    for item in 0..4 {
        room.offer(50, Low, item);
    }
    assert_eq!(room.delivered(), [0, 1, 2]);
    assert_eq!(room.limiter.waiting(), 1);
    assert_eq!(room.limiter.next_deadline(), Some(1_050));
    room.poll(1_049);
    assert!(room.delivered().is_empty());
    room.poll(1_050);
    assert_eq!(room.delivered(), [3]);
    assert_eq!(room.limiter.next_deadline(), None);
    assert_eq!(room.dropped(), []);
}

/// A window that starts anew each second would let four out between 900 and 1000.
#[test]
fn the_window_slides() {
    let mut room = Room::new(2, 4, [1, 2]);
    room.offer(900, Normal, 0);
    room.offer(950, Normal, 1);
    room.offer(1_000, Normal, 2);
    room.offer(1_000, Normal, 3);
    assert_eq!(room.delivered(), [0, 1]);
    room.poll(1_900);
    assert_eq!(room.delivered(), [3]);
    room.poll(1_950);
    assert_eq!(room.delivered(), [2]);
}

#[test]
fn higher_priorities_go_first_and_then_the_higher_ticket() {
    let mut room = Room::new(1, 8, [9, 1, 2, 8, 0]);
    room.offer(0, Lowest, 0);
    for (item, priority) in [(1, Lowest), (2, High), (3, High), (4, Low), (5, Normal)] {
        room.offer(0, priority, item);
    }
    assert_eq!(room.delivered(), [0]);
    room.poll(1_000);
    assert_eq!(room.delivered(), [3]);
    room.set_budget(1_000, 4, 8);
    assert!(room.delivered().is_empty());
}

#[test]
fn what_goes_out_together_goes_in_order_of_arrival_within_a_priority() {
    let mut room = Room::new(5, 5, [3, 9, 1, 5, 7]);
    for item in 0..5 {
        room.offer(0, Low, item);
    }
    for (item, priority) in [(10, Low), (11, High), (12, Low), (13, High), (14, Low)] {
        room.offer(1, priority, item);
    }
    assert_eq!(room.delivered(), [0, 1, 2, 3, 4]);
    room.poll(1_000);
    assert_eq!(room.delivered(), [11, 13, 10, 12, 14]);
}

#[test]
fn a_full_queue_drops_the_lowest_ticket_of_the_lowest_priority() {
    let mut room = Room::new(1, 2, [5, 6, 4, 7, 1, 0]);
    room.offer(0, Normal, 0);
    room.offer(1, Normal, 1);
    room.offer(1, Normal, 2);
    assert_eq!(room.dropped(), []);
    room.offer(2, Normal, 3); // Ticket 4: loses against 5 and 6.
    assert_eq!(room.dropped(), [(3, QueueFull)]);
    room.offer(2, Normal, 4); // Ticket 7: beats 5.
    assert_eq!(room.dropped(), [(1, QueueFull)]);
    room.offer(2, High, 5); // Ticket 1, but above them all.
    assert_eq!(room.dropped(), [(2, QueueFull)]);
    room.offer(2, Low, 6);
    assert_eq!(room.dropped(), [(6, QueueFull)]);
    room.poll(1_000);
    assert_eq!(room.delivered(), [0, 5]);
}

#[test]
fn without_a_queue_what_is_over_the_budget_drops() {
    let mut room = Room::new(1, 0, [1, 2]);
    room.offer(0, Normal, 0);
    room.offer(0, High, 1);
    assert_eq!(room.dropped(), [(1, QueueFull)]);
    assert_eq!(room.limiter.next_deadline(), None);
}

#[test]
fn waits_one_second_at_most() {
    let mut room = Room::new(1, 4, [1, 2]);
    room.offer(0, Normal, 0);
    room.offer(300, Normal, 1);
    room.offer(400, High, 2);
    room.poll(1_000);
    assert_eq!(room.delivered(), [0, 2]);
    assert_eq!(room.limiter.next_deadline(), Some(1_300));
    room.poll(1_299);
    assert_eq!(room.dropped(), []);
    room.poll(1_300);
    assert_eq!(room.dropped(), [(1, Waited)]);
}

/// What came at the very instant that exhausted the budget has its turn at the end of its second,
/// even if the timer is late by a few milliseconds.
#[test]
fn a_late_timer_costs_nobody_his_turn() {
    let mut room = Room::new(2, 4, [4, 3, 2, 1]);
    for item in 0..6 {
        room.offer(0, Normal, item);
    }
    assert_eq!(room.delivered(), [0, 1]);
    room.poll(1_007);
    assert_eq!(room.delivered(), [2, 3]);
    assert_eq!(room.dropped(), [(4, Waited), (5, Waited)]);
}

#[test]
fn budget_that_came_free_after_its_second_saves_nobody() {
    let mut room = Room::new(2, 4, [1, 2, 3]);
    room.offer(0, Normal, 0);
    room.offer(100, Normal, 1);
    room.offer(100, Low, 2);
    room.offer(100, High, 3);
    room.poll(1_000);
    room.offer(1_050, High, 4);
    assert_eq!(room.delivered(), [0, 1, 3]);
    // Budget was free again at 1100, for 4, and at 2000, when 2 was over.
    room.poll(2_500);
    assert_eq!(room.delivered(), [4]);
    assert_eq!(room.dropped(), [(2, Waited)]);
}

/// Late deliveries count when they really happen.
#[test]
fn a_late_call_does_not_bend_the_window() {
    let mut room = Room::new(2, 4, [1, 2, 3]);
    for item in 0..4 {
        room.offer(0, Normal, item);
    }
    room.poll(1_600);
    assert_eq!(room.delivered(), [0, 1, 2, 3]);
    room.offer(2_100, Normal, 4);
    room.poll(2_599);
    assert!(room.delivered().is_empty());
    room.poll(2_600);
    assert_eq!(room.delivered(), [4]);
}

#[test]
fn time_never_runs_backwards() {
    let mut room = Room::new(1, 1, [1]);
    room.offer(5_000, Normal, 0);
    room.offer(10, Normal, 1);
    assert_eq!(room.limiter.next_deadline(), Some(6_000));
    room.poll(0);
    room.poll(6_000);
    assert_eq!(room.delivered(), [0, 1]);
    room.poll(u64::MAX);
    room.offer(u64::MAX, Normal, 2);
    assert_eq!(room.delivered(), [2]);
}

#[test]
fn a_larger_budget_lets_waiting_messages_out() {
    let mut room = Room::new(1, 4, [1, 2, 3]);
    for item in 0..4 {
        room.offer(0, Normal, item);
    }
    room.set_budget(10, 3, 4);
    assert_eq!(room.delivered(), [0, 2, 3]);
    room.poll(1_000);
    assert_eq!(room.delivered(), [1]);
}

#[test]
fn a_smaller_budget_holds_from_the_next_message() {
    let mut room = Room::new(4, 4, [1, 2]);
    for time in [0, 100, 200, 300] {
        room.offer(time, Normal, time as u32);
    }
    room.set_budget(400, 2, 4);
    room.offer(400, Normal, 401);
    room.offer(400, Normal, 402);
    assert_eq!(room.delivered(), [0, 100, 200, 300]);
    room.poll(1_199);
    assert!(room.delivered().is_empty());
    room.poll(1_200);
    assert_eq!(room.delivered(), [402]);
    room.poll(1_300);
    assert_eq!(room.delivered(), [401]);
}

#[test]
fn a_shorter_queue_drops_the_worst() {
    let mut room = Room::new(1, 4, [7, 8, 2, 1]);
    room.offer(0, Normal, 0);
    for (item, priority) in [(1, Low), (2, Normal), (3, Normal), (4, High)] {
        room.offer(0, priority, item);
    }
    room.set_budget(1, 1, 2);
    assert_eq!(room.dropped(), [(1, QueueFull), (3, QueueFull)]);
}

#[test]
fn a_budget_of_zero_closes_the_room() {
    let mut room = Room::new(1, 4, [1, 2]);
    room.offer(0, Normal, 0);
    room.offer(0, Normal, 1);
    room.set_budget(10, 0, 4);
    room.offer(20, High, 2);
    assert_eq!(room.dropped(), [(1, Closed), (2, Closed)]);
    assert_eq!(room.limiter.next_deadline(), None);
    room.set_budget(30, 1, 4);
    room.offer(30, High, 3);
    room.poll(999);
    assert_eq!(room.delivered(), [0]);
    room.poll(1_000);
    assert_eq!(room.delivered(), [3]);
}

#[test]
fn draining_drops_all() {
    let mut room = Room::new(1, 4, [1, 2]);
    for (item, priority) in [(0, Normal), (1, High), (2, Low)] {
        room.offer(0, priority, item);
    }
    room.with(|limiter, _, mut out| limiter.drain_all(&mut out));
    assert_eq!(room.dropped(), [(2, Closed), (1, Closed)]);
    assert_eq!(room.limiter.waiting(), 0);
}

#[test]
fn memory_stays_what_it_was_after_the_first_seconds() {
    let mut limiter = Limiter::new(40, 40);
    let mut rng: SmallRng = rand::SeedableRng::seed_from_u64(1);
    let sizes = |limiter: &Limiter<u64>| {
        let queue = limiter.queue.allocated();
        (queue, limiter.delivered.capacity(), limiter.batch.capacity())
    };
    let mut before = None;
    for time in 0..20_000 {
        limiter.offer(time, Priority::ALL[(time % 4) as usize], time, &mut rng, &mut |_| ());
        if time == 10_000 {
            before = Some(sizes(&limiter));
        }
    }
    assert_eq!(before, Some(sizes(&limiter)));
    assert!(limiter.delivered.len() <= 40 && limiter.waiting() <= 40);
}
