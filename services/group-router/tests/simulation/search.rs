//! Runs many seeds, and shows the one that found something.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parking_lot::Mutex;

use crate::env::{Counts, MS, Time};
use crate::profile::Broken;
use crate::world::{Outcome, run};

/// What many runs came to.
#[derive(Debug)]
pub(crate) struct Found {
    /// The lowest seed whose run went wrong, and how.
    pub(crate) violation: Option<(u64, String)>,
    pub(crate) counts: Vec<(&'static str, u64)>,
    /// Milliseconds after the last fault until everything was well: median and longest.
    pub(crate) healed_in: (Time, Time),
}

/// Runs seeds on all processors, until one finds something.
pub(crate) fn search(seeds: Range<u64>, broken: Broken) -> Found {
    let next = AtomicU64::new(seeds.start);
    let violation: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let counts = Mutex::new(Counts::default().all().to_vec());
    let healed_in = Mutex::new(Vec::new());
    let is_lowest = |seed| violation.lock().as_ref().is_none_or(|(lowest, _)| seed < *lowest);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || !is_lowest(seed) {
                return;
            }
            let outcome = run(seed, broken, false);
            for (sum, (_, count)) in counts.lock().iter_mut().zip(outcome.counts.all()) {
                sum.1 += count;
            }
            healed_in.lock().extend(outcome.healed_in.map(|time| time / MS));
            if let Some(what) = outcome.violation
                && is_lowest(seed)
            {
                *violation.lock() = Some((seed, what));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut times = healed_in.into_inner();
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    Found {
        violation: violation.into_inner(),
        counts: counts.into_inner(),
        healed_in: (at(times.len() / 2), at(times.len().saturating_sub(1))),
    }
}

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Runs one seed, with its last events on standard error.
pub(crate) fn show(seed: u64) {
    let Outcome { violation, lines, .. } = run(seed, Broken::default(), true);
    let wanted = setting("THRONG_SIM_LINES").unwrap_or(120);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    for line in &lines[lines.len().saturating_sub(wanted)..] {
        eprintln!("{line}");
    }
    if let Some(violation) = violation {
        panic!(
            "seed {seed}: {violation}\nagain: THRONG_SIM_SEED={seed} cargo test \
             -p throng-group-router --test simulation the_invariants_hold"
        );
    }
}
