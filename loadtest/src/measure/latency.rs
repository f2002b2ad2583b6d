//! Latencies in a histogram: 2 digits from a microsecond to two minutes, some 20 KB.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::plan::Nanos;

const LONGEST_MICROS: u64 = 120_000_000;

/// Many latencies.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

/// Their distribution, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Default)]
pub struct Quantiles {
    /// How many there were.
    pub count: u64,
    /// Half were faster.
    pub p50_ms: f64,
    /// 90 of 100.
    pub p90_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// 999 of 1,000.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Default for Latency {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_MICROS, 2);
        Self(histogram.expect("the bounds are constants that fit"))
    }
}

impl Latency {
    /// Notes one; what is longer than two minutes counts as two minutes.
    #[inline]
    pub fn record(&mut self, latency: Nanos) {
        self.0.saturating_record(latency / 1_000);
    }

    /// Adds all of another one.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value that this part of all is not above, milliseconds; 0 if there are none.
    #[must_use]
    pub fn quantile_ms(&self, part: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { millis(self.0.value_at_quantile(part)) }
    }

    /// The distribution.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.count(),
            p50_ms: self.quantile_ms(0.5),
            p90_ms: self.quantile_ms(0.9),
            p99_ms: self.quantile_ms(0.99),
            p999_ms: self.quantile_ms(0.999),
            max_ms: millis(self.0.max()),
        }
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_milliseconds() {
        let mut latency = Latency::default();
        assert_eq!(latency.quantiles(), Quantiles::default());
        for ms in 1..=100 {
            latency.record(ms * 1_000_000);
        }
        latency.record(Nanos::MAX);
        let found = latency.quantiles();
        assert_eq!(found.count, 101);
        assert!((found.p50_ms - 51.0).abs() < 1.0, "{found:?}");
        assert!(found.max_ms >= 100_000.0);
    }
}
