//! The first logins of a run: how long each took from the moment it was meant for, and how long all did.

use serde::{Deserialize, Serialize};

use super::{Latency, Quantiles};
use crate::plan::{Nanos, SECOND};

/// The first logins that a worker saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Logins {
    /// From the intended dial to the answer of the login.
    answered: Latency,
    /// From the intended dial to the last answer of what the SDK asks for then.
    settled: Latency,
    /// Requests after a login that were refused or not answered in time.
    pub failed: u64,
    /// The first intended dial and the last answer, on the run's clock.
    span: Option<(Nanos, Nanos)>,
}

/// What is reported of them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct LoginTimes {
    /// From the intended dial to the answer of the login.
    pub answered: Quantiles,
    /// From the intended dial to the last answer of what the SDK asks for then.
    pub settled: Quantiles,
    /// Requests after a login that were refused or not answered in time.
    pub failed: u64,
    /// From the first intended dial to the last of these answers.
    pub seconds: f64,
}

impl LoginTimes {
    /// Logins a second over all of that time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.answered.count as f64 / self.seconds } else { 0.0 }
    }
}

impl Logins {
    /// A login that was meant to begin at `meant` is answered.
    pub fn answered(&mut self, meant: Nanos, now: Nanos) {
        self.answered.record(now.saturating_sub(meant));
        self.stretch(meant, now);
    }

    /// And all that the SDK asks for then.
    pub fn settled(&mut self, meant: Nanos, now: Nanos) {
        self.settled.record(now.saturating_sub(meant));
        self.stretch(meant, now);
    }

    fn stretch(&mut self, from: Nanos, until: Nanos) {
        let (first, last) = self.span.unwrap_or((from, until));
        self.span = Some((first.min(from), last.max(until)));
    }

    /// Adds those of another worker.
    pub fn add(&mut self, other: &Self) {
        self.answered.add(&other.answered);
        self.settled.add(&other.settled);
        self.failed += other.failed;
        if let Some((first, last)) = other.span {
            self.stretch(first, last);
        }
    }

    /// What there is to report.
    #[must_use]
    pub fn times(&self) -> LoginTimes {
        let (first, last) = self.span.unwrap_or_default();
        LoginTimes {
            answered: self.answered.quantiles(),
            settled: self.settled.quantiles(),
            failed: self.failed,
            seconds: (last - first) as f64 / SECOND as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_all_is_from_the_first_dial_to_the_last_answer_of_any_worker() {
        let (mut one, mut other) = (Logins::default(), Logins::default());
        one.answered(SECOND, 2 * SECOND);
        one.settled(SECOND, 3 * SECOND);
        other.answered(2 * SECOND, 5 * SECOND);
        one.add(&other);
        one.add(&Logins::default());
        let times = one.times();
        assert_eq!((times.answered.count, times.settled.count), (2, 1));
        assert!((times.seconds - 4.0).abs() < 1e-9 && (times.per_second() - 0.5).abs() < 1e-9);
        assert!(Logins::default().times().per_second().abs() < 1e-9);
    }
}
