//! Latencies in a histogram: 2 digits from a microsecond to two minutes, some 20 KB.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// As pairs of a value in microseconds and its count, of those that there are.
impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.0.iter_recorded();
        serializer.collect_seq(values.map(|it| (it.value_iterated_to(), it.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let mut latency = Self::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(source)? {
            latency.0.saturating_record_n(value, count);
        }
        Ok(latency)
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_gets_the_same() {
        let mut latency = Latency::default();
        for value in (0..100_000).map(|n| n * 77_777) {
            latency.record(value);
        }
        let text = serde_json::to_string(&latency).unwrap();
        let copy: Latency = serde_json::from_str(&text).unwrap();
        assert_eq!(copy.quantiles(), latency.quantiles());
    }

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
