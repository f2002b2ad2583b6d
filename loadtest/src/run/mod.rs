//! Carrying a plan out: [`run`](fn@run) makes the rooms, starts workers and collects what they saw; a worker
//! is one thread with one event loop that owns its clients. REST and metrics have small threads of their
//! own.

mod client;
mod connection;
mod coordinate;
mod crew;
mod deeds;
mod gateways;
mod http;
mod process;
mod reactions;
mod rest_load;
mod scrape;
mod serve;
mod setup;
mod together;
mod turns;
mod worker;

pub use coordinate::{Counts, Outcome, RunError, Settings, Stage, WorkerUse, run};
pub use process::{HELPER, help};
pub use rest_load::RestOutcome;
pub use scrape::Where;
pub use setup::RestError;
pub use worker::WorkerOutcome;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan::Nanos;

/// The clock of a run: nanoseconds since it began. Another process on this machine gets the same clock by the
/// time of day at which the run began, right to some microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
    unix_began: Duration,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now(), unix_began: time_of_day() }
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub fn now(&self) -> Nanos {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The same moment as clients' state wants it.
    #[must_use]
    pub fn coarse(&self, now: Nanos) -> crate::client::common::Now {
        let second = u32::try_from(now / crate::plan::SECOND).unwrap_or(u32::MAX);
        crate::client::common::Now { second, unix_s: self.unix_began_s() + i64::from(second) }
    }

    /// Seconds since 1970 when it began.
    #[must_use]
    pub fn unix_began_s(&self) -> i64 {
        i64::try_from(self.unix_began.as_secs()).unwrap_or(i64::MAX)
    }
}

fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.unix_began.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let unix_began = Duration::deserialize(source)?;
        let ago = time_of_day().saturating_sub(unix_began);
        let now = Instant::now();
        Ok(Self { began: now.checked_sub(ago).unwrap_or(now), unix_began })
    }
}
