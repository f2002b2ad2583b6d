//! Clocks of machines, and how long the store takes.

use crate::env::{Env, MS, Time};
use crate::profile::Profile;
use crate::rng::Rng;

/// The wall clock at the beginning of a run, microseconds since 1970.
const BEGINNING: i64 = 1_790_000_000_000_000;

#[derive(Debug)]
pub(crate) struct Clock {
    origin_ms: u64,
    /// How fast the monotonic clock runs, millionths of true time.
    rate: u64,
    /// By how much the wall clock is wrong, microseconds.
    skew: i64,
}

impl Clock {
    pub(crate) fn draw(rng: &mut Rng, profile: &Profile) -> Self {
        let drift = rng.between(0, 2 * profile.drift_ppm);
        let mut clock = Self {
            origin_ms: rng.below(1_000_000),
            rate: 1_000_000 + drift - profile.drift_ppm,
            skew: 0,
        };
        clock.set_wall(rng, profile.wall_skew);
        clock
    }

    /// Milliseconds.
    pub(crate) fn monotonic(&self, now: Time) -> u64 {
        self.origin_ms + now * self.rate / 1_000_000 / MS
    }

    /// Microseconds since 1970.
    pub(crate) fn wall(&self, now: Time) -> i64 {
        BEGINNING + i64::try_from(now).expect("a short run") + self.skew
    }

    /// Somebody sets the wall clock, as wrong as `most`.
    pub(crate) fn set_wall(&mut self, rng: &mut Rng, most: u64) {
        let wrong = i64::try_from(rng.below(most + 1)).expect("a small skew");
        self.skew = if rng.permille(500) { wrong } else { -wrong };
    }
}

/// How long a request takes to the store or an answer back, or `None` if it is lost.
pub(crate) fn store_delay(env: &mut Env) -> Option<Time> {
    if env.chaos {
        if env.rng.permille(env.profile.store_lost) {
            return None;
        }
        if env.rng.permille(env.profile.store_slow) {
            return Some(env.rng.scaled(20 * MS, 8_000 * MS));
        }
    }
    Some(env.rng.between(MS / 2, 6 * MS))
}
