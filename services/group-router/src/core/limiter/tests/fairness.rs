//! Equal chances for equal messages. Fixed seeds, so a run is repeatable; a failure prints them.

use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::super::{Limiter, Priority, Verdict};
use super::Script;

/// A room whose budget was spent at time 0.
fn exhausted(budget: u32) -> Limiter<usize> {
    let mut limiter = Limiter::new(budget, budget);
    let mut rng = Script::new([]);
    for _ in 0..budget {
        limiter.offer(0, Priority::Normal, usize::MAX, &mut rng, &mut |_| ());
    }
    limiter
}

/// How much counts that should be equal differ: with `n` counts about `n`, give or take
/// `sqrt(2 n)`, if each trial picks `picked` of the `n` by chance.
fn unevenness(counts: &[u32], trials: u32, picked: f64) -> f64 {
    let n = counts.len() as f64;
    let share = picked / n;
    let expected = f64::from(trials) * share;
    let squares = counts.iter().map(|count| (f64::from(*count) - expected).powi(2));
    squares.sum::<f64>() / (expected * (1.0 - share))
}

fn assert_even(counts: &[u32], trials: u32, picked: f64, seed: u64) {
    let n = counts.len() as f64;
    let measured = unevenness(counts, trials, picked);
    let limit = n + 5.0 * (2.0 * n).sqrt();
    assert!(measured < limit, "seed {seed}: {measured:.0} over {limit:.0}: {counts:?}");
}

/// Times that each of `arrivals` (milliseconds after the budget was spent) was delivered.
fn deliveries(arrivals: &[u64], budget: u32, trials: u32, seed: u64) -> Vec<u32> {
    let mut counts = vec![0; arrivals.len()];
    for trial in 0..trials {
        let mut limiter = exhausted(budget);
        let mut rng = SmallRng::seed_from_u64(seed + u64::from(trial));
        let mut out = |verdict| {
            if let Verdict::Deliver { item, .. } = verdict {
                counts[item] += 1;
            }
        };
        for (item, arrived) in arrivals.iter().enumerate() {
            limiter.offer(*arrived, Priority::Normal, item, &mut rng, &mut out);
        }
        while let Some(due) = limiter.next_deadline() {
            limiter.poll(due, &mut out);
        }
    }
    counts
}

#[test]
fn each_of_a_burst_has_the_same_chance() {
    let counts = deliveries(&[500; 400], 40, 4_000, 11);
    assert_eq!(counts.iter().sum::<u32>(), 40 * 4_000);
    assert_even(&counts, 4_000, 40.0, 11);
}

/// Not at one instant, but within the second that all of them have to share.
#[test]
fn each_of_a_crowded_second_has_the_same_chance() {
    let arrivals: Vec<u64> = (0..400).map(|item| 1 + item * 998 / 400).collect();
    let counts = deliveries(&arrivals, 40, 4_000, 12);
    assert_eq!(counts.iter().sum::<u32>(), 40 * 4_000);
    assert_even(&counts, 4_000, 40.0, 12);
}

/// Minutes of overload at ten times the budget: no phase of the second is better than another.
#[test]
fn lasting_overload_favours_no_one() {
    let seed = 13;
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut limiter = Limiter::new(40, 40);
    let (mut offered, mut delivered) = ([0_u32; 20], [0_u32; 20]);
    for now in 0..1_200_000_u64 {
        let mut out = |verdict| {
            if let Verdict::Deliver { item: arrived, .. } = verdict {
                delivered[arrived as usize % 1_000 / 50] += 1;
            }
        };
        limiter.poll(now, &mut out);
        if rng.random_bool(0.4) {
            offered[now as usize % 1_000 / 50] += 1;
            limiter.offer(now, Priority::Low, now, &mut rng, &mut out);
        }
    }
    let total: u32 = delivered.iter().sum();
    assert!((47_900..=48_000).contains(&total), "seed {seed}: {total} in 1200 s");
    for (phase, (offered, delivered)) in offered.iter().zip(&delivered).enumerate() {
        let share = f64::from(*delivered) / f64::from(*offered);
        assert!((0.08..0.12).contains(&share), "seed {seed}: {share} in phase {phase}");
    }
}

proptest! {
    /// Exactly, not only on average: who of a burst goes out depends on priorities and tickets,
    /// never on the order of arrival.
    #[test]
    fn order_within_a_burst_decides_nothing(
        burst in prop::collection::vec((1..=4_u32, any::<u64>()), 0..60)
            .prop_map(|burst| burst.into_iter().enumerate().collect::<Vec<_>>()),
        budget in 1..20_u32,
        shuffle in any::<u64>(),
    ) {
        let survivors = |burst: &[(usize, (u32, u64))]| {
            let mut limiter = exhausted(budget);
            let mut rng = Script::new(burst.iter().map(|(_, (_, ticket))| *ticket));
            let mut delivered = Vec::new();
            let mut out = |verdict| {
                if let Verdict::Deliver { item, .. } = verdict {
                    delivered.push(item);
                }
            };
            for (item, (number, _)) in burst {
                let priority = Priority::from_wire(*number).expect("1 to 4");
                limiter.offer(500, priority, *item, &mut rng, &mut out);
            }
            limiter.poll(1_000, &mut out);
            delivered.sort_unstable();
            delivered
        };
        let mut shuffled = burst.clone();
        let mut rng = SmallRng::seed_from_u64(shuffle);
        for place in (1..shuffled.len()).rev() {
            shuffled.swap(place, rng.random_range(0..=place));
        }
        let mut best = burst.clone();
        best.sort_unstable_by_key(|(_, (number, ticket))| (*number, std::cmp::Reverse(*ticket)));
        let mut best: Vec<usize> =
            best.iter().take(budget as usize).map(|(item, _)| *item).collect();
        best.sort_unstable();
        prop_assert_eq!(&survivors(&burst), &best);
        prop_assert_eq!(&survivors(&shuffled), &best);
    }
}
