//! Chance by a seed: moments, senders, priorities.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Nanos, Priority, SECOND};
use crate::profile::Priorities;

/// Numbers drawn from a seed.
pub(super) struct Draw(StdRng);

impl Draw {
    /// `stream` keeps what is drawn for different purposes apart.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self(StdRng::seed_from_u64(seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0.random_range(0..end.max(1))
    }

    /// From 0 up to below 1.
    pub(super) fn part(&mut self) -> f64 {
        self.0.random()
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.part() < share
    }

    pub(super) fn priority(&mut self, shares: Priorities) -> Priority {
        let Priorities { high, normal, low, lowest } = shares;
        let drawn = self.below(high + normal + low + lowest);
        match drawn {
            _ if drawn < high => Priority::High,
            _ if drawn < high + normal => Priority::Normal,
            _ if drawn < high + normal + low => Priority::Low,
            _ => Priority::Lowest,
        }
    }
}

/// Something that happens again and again at a rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) from: Nanos,
    pub(super) until: Nanos,
    pub(super) per_second: f64,
    pub(super) poisson: bool,
}

impl Stream {
    /// The moments in which it happens. Evenly spaced ones begin somewhere in the first interval, so
    /// that streams do not beat in time.
    pub(super) fn moments(self, draw: &mut Draw) -> Vec<Nanos> {
        let mut moments = Vec::new();
        if self.per_second <= 0.0 {
            return moments;
        }
        #[expect(clippy::cast_precision_loss, reason = "a second is far below 2^52 ns")]
        let interval = SECOND as f64 / self.per_second;
        let mut after = interval * draw.part();
        loop {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
            let at = self.from + after as u64;
            if at >= self.until {
                return moments;
            }
            moments.push(at);
            // The gap before the next: 1 − part is above 0.
            after += if self.poisson { -(1.0 - draw.part()).ln() * interval } else { interval };
        }
    }
}
