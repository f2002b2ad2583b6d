//! Wall-clock time for what the outside sees. Leases, limits and time-outs use monotonic time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
#[must_use]
pub fn now_seconds() -> i64 {
    now_millis() / 1000
}

/// Milliseconds since 1970.
#[must_use]
pub fn now_millis() -> i64 {
    now_micros() / 1000
}

/// Microseconds since 1970.
#[must_use]
pub fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
