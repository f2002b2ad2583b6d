//! Carrying a plan out: [`coordinate`] makes the rooms, starts workers and collects what they saw; a worker
//! is one thread with one event loop that owns its clients. REST and metrics have small threads of their
//! own.

mod connection;
mod coordinate;
mod deeds;
mod http;
mod rest_load;
mod scrape;
mod serve;
mod setup;
mod worker;

pub use coordinate::{Counts, Outcome, RunError, Settings, Stage, WorkerUse, run};
pub use rest_load::RestOutcome;
pub use scrape::Where;
pub use setup::RestError;
pub use worker::WorkerOutcome;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::plan::Nanos;

/// The clock of a run: nanoseconds since it began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
    unix_began_s: i64,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Self { began: Instant::now(), unix_began_s: i64::try_from(unix).unwrap_or(0) }
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub fn now(&self) -> Nanos {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The same moment as clients' state wants it.
    #[must_use]
    pub fn coarse(&self, now: Nanos) -> crate::client::session::Now {
        let second = u32::try_from(now / crate::plan::SECOND).unwrap_or(u32::MAX);
        crate::client::session::Now { second, unix_s: self.unix_began_s + i64::from(second) }
    }

    /// Seconds since 1970 when it began.
    #[must_use]
    pub fn unix_began_s(&self) -> i64 {
        self.unix_began_s
    }
}
