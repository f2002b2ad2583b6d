//! Arbitrary histories: the guarantees of `docs/limiter.md`, and agreement with the model.

use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::{DropReason, Limiter, MAX_WAIT_MS, Priority, Verdict, WINDOW_MS};
use super::model::{Model, Waiter};

#[derive(Debug, Clone, Copy)]
enum Op {
    Offer(Priority),
    Poll,
    SetBudget(u32, u32),
}

/// What happened to one message, and where in the log of events.
#[derive(Debug, Clone, Copy)]
struct Fate {
    priority: Priority,
    arrived: u64,
    arrived_at: usize,
    /// Place in the log, time, and the reason of a drop.
    verdict: Option<(usize, u64, Option<DropReason>)>,
}

/// Runs a history on the limiter and on the model and checks every guarantee on the way.
struct Run {
    limiter: Limiter<usize>,
    model: Model,
    rng: SmallRng,
    tickets: SmallRng,
    now: u64,
    /// Time of the call before this one, and what it said about the next.
    due: Option<u64>,
    fates: Vec<Fate>,
    log: usize,
    /// The budget that held for the verdict at hand.
    budget: usize,
    /// Times of all deliveries with the budget that held.
    deliveries: Vec<(u64, usize)>,
}

impl Run {
    fn new(budget: u32, capacity: u32, seed: u64) -> Self {
        let model =
            Model { budget: budget as usize, capacity: capacity as usize, ..Model::default() };
        Self {
            limiter: Limiter::new(budget, capacity),
            model,
            rng: SmallRng::seed_from_u64(seed),
            tickets: SmallRng::seed_from_u64(seed),
            now: 0,
            due: None,
            fates: Vec::new(),
            log: 0,
            budget: budget as usize,
            deliveries: Vec::new(),
        }
    }

    fn step(&mut self, now: u64, op: Op) {
        self.now = now;
        let mut verdicts = Vec::new();
        let mut out = |verdict| verdicts.push(verdict);
        match op {
            Op::Offer(priority) => {
                let id = self.fates.len();
                self.limiter.offer(now, priority, id, &mut self.rng, &mut out);
            }
            Op::Poll => self.limiter.poll(now, &mut out),
            Op::SetBudget(budget, capacity) => {
                self.limiter.set_budget(now, budget, capacity, &mut out);
            }
        }
        let due_before = self.follow(now, op);
        self.compare(&verdicts);
        for verdict in &verdicts[..due_before] {
            self.judge(verdict);
        }
        if let Op::Offer(priority) = op {
            self.log += 1;
            self.fates.push(Fate { priority, arrived: now, arrived_at: self.log, verdict: None });
        }
        self.budget = self.model.budget;
        for verdict in &verdicts[due_before..] {
            self.judge(verdict);
        }
        self.at_rest();
    }

    /// The same step in the model. Gives the number of verdicts that were due before it.
    fn follow(&mut self, now: u64, op: Op) -> usize {
        self.model.delivered.clear();
        self.model.dropped.clear();
        if self.model.budget > 0 {
            self.model.advance(now);
        }
        let due_before = self.model.delivered.len() + self.model.dropped.len();
        match op {
            Op::Poll => {}
            Op::Offer(_) if self.model.budget == 0 => {
                let id = self.fates.len();
                self.model.dropped.push((id, DropReason::Closed));
            }
            Op::Offer(priority) => {
                let id = self.fates.len();
                if self.model.must_wait(now) {
                    self.model.wait(Waiter {
                        id,
                        priority,
                        ticket: self.tickets.next_u64(),
                        arrived: now,
                    });
                } else {
                    self.model.pass(now, id);
                }
            }
            Op::SetBudget(budget, capacity) => {
                self.model.budget = budget as usize;
                self.model.capacity = capacity as usize;
                if budget == 0 {
                    self.model.drop_where(DropReason::Closed, |_| true);
                } else {
                    self.model.advance(now);
                    self.model.shrink();
                }
            }
        }
        due_before
    }

    fn compare(&self, verdicts: &[Verdict<usize>]) {
        let mut delivered = Vec::new();
        let mut dropped = Vec::new();
        for verdict in verdicts {
            match verdict {
                Verdict::Deliver { item, .. } => delivered.push(*item),
                Verdict::Drop { item, reason, .. } => dropped.push((*item, *reason)),
            }
        }
        assert_eq!(delivered, self.model.delivered, "delivered at {}", self.now);
        let mut expected = self.model.dropped.clone();
        expected.sort_unstable_by_key(|(id, _)| *id);
        dropped.sort_unstable_by_key(|(id, _)| *id);
        assert_eq!(dropped, expected, "dropped at {}", self.now);
    }

    /// The guarantees for one verdict.
    fn judge(&mut self, verdict: &Verdict<usize>) {
        self.log += 1;
        let (id, priority, waited, reason) = match verdict {
            Verdict::Deliver { item, priority, waited } => (*item, *priority, *waited, None),
            Verdict::Drop { item, priority, waited, reason } => {
                (*item, *priority, *waited, Some(*reason))
            }
        };
        let fate = &mut self.fates[id];
        assert!(fate.verdict.is_none(), "second verdict for {id}");
        assert_eq!((fate.priority, fate.arrived + waited), (priority, self.now));
        fate.verdict = Some((self.log, self.now, reason));

        // A wait ends within the second, unless this call was later than asked for.
        let late = self.due.map_or(0, |due| self.now.saturating_sub(due));
        assert!(waited <= MAX_WAIT_MS + late, "{id} waited {waited}");

        let undecided = |fate: &&Fate| fate.verdict.is_none();
        match reason {
            None => {
                let higher = |fate: &&Fate| fate.priority < priority;
                let passed_over = self.fates.iter().filter(undecided).find(higher);
                assert!(passed_over.is_none(), "{id} overtook {passed_over:?}");
                self.deliveries.push((self.now, self.budget));
            }
            Some(DropReason::QueueFull) => {
                let lower = |fate: &&Fate| fate.priority > priority;
                let spared = self.fates.iter().filter(undecided).find(lower);
                assert!(spared.is_none(), "{id} dropped before {spared:?}");
            }
            Some(DropReason::Waited) => assert!(waited >= MAX_WAIT_MS, "{id} waited {waited}"),
            Some(DropReason::Closed) => assert_eq!(self.budget, 0),
        }
    }

    /// What holds between calls.
    fn at_rest(&mut self) {
        let waiting = self.fates.iter().filter(|fate| fate.verdict.is_none());
        assert_eq!(waiting.clone().count(), self.limiter.waiting());
        assert!(self.limiter.waiting() <= self.model.capacity);
        let deadlines = waiting.map(|fate| fate.arrived + MAX_WAIT_MS);
        let due = deadlines.min().map(|deadline| {
            let free_at = self.model.free_at(self.now);
            assert!(free_at > self.now, "budget lies idle while {} wait", self.limiter.waiting());
            deadline.min(free_at)
        });
        assert_eq!(self.limiter.next_deadline(), due);
        assert!(due.is_none_or(|due| due > self.now));
        self.due = due;
    }

    /// Lets all waiting ones come to an end, and looks back on the whole history.
    fn finish(mut self) {
        while let Some(due) = self.limiter.next_deadline() {
            self.step(due, Op::Poll);
        }
        for (place, (time, budget)) in self.deliveries.iter().enumerate() {
            let before = self.deliveries[..=place].iter().rev();
            let within = before.take_while(|(earlier, _)| earlier + WINDOW_MS > *time);
            assert!(within.count() <= *budget, "too many in the second up to {time}");
        }
        for (id, fate) in self.fates.iter().enumerate() {
            let (dropped_at, _, reason) = fate.verdict.expect("every message gets a verdict");
            if reason.is_none() {
                continue;
            }
            let unjust = self.fates.iter().find(|other| {
                other.priority > fate.priority
                    && matches!(other.verdict, Some((at, _, None))
                        if (fate.arrived_at..dropped_at).contains(&at))
            });
            assert!(unjust.is_none(), "{id} dropped {reason:?}, but {unjust:?}");
        }
    }
}

fn priorities() -> impl Strategy<Value = Priority> {
    (1..=4_u32).prop_map(|number| Priority::from_wire(number).expect("1 to 4"))
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => priorities().prop_map(Op::Offer),
        3 => Just(Op::Poll),
        1 => (0..8_u32, 0..8_u32).prop_map(|(budget, capacity)| Op::SetBudget(budget, capacity)),
    ]
}

/// Time between two calls: bursts, a busy room, pauses, a process that stood still.
fn pauses() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => Just(0_u64),
        6 => 1..120_u64,
        2 => 100..1_100_u64,
        1 => prop_oneof![Just(999_u64), Just(1_000), Just(1_001), 1_000..5_000_u64],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn guarantees_hold_with_late_calls(
        budget in 0..8_u32,
        capacity in 0..10_u32,
        seed in any::<u64>(),
        history in prop::collection::vec((pauses(), ops()), 0..150),
    ) {
        let mut run = Run::new(budget, capacity, seed);
        let mut now = 0;
        for (pause, op) in history {
            now += pause;
            run.step(now, op);
        }
        run.finish();
    }

    /// `judge` then allows no wait over a second at all.
    #[test]
    fn guarantees_hold_with_a_punctual_timer(
        budget in 1..8_u32,
        capacity in 0..10_u32,
        seed in any::<u64>(),
        history in prop::collection::vec((pauses(), ops()), 0..150),
    ) {
        let mut run = Run::new(budget, capacity, seed);
        let mut now = 0;
        for (pause, op) in history {
            now += pause;
            while let Some(due) = run.limiter.next_deadline().filter(|due| *due <= now) {
                run.step(due, Op::Poll);
            }
            run.step(now, op);
        }
        run.finish();
    }
}
