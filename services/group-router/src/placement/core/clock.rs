//! Write times: microseconds by which the store tells which of two writes is the later one. Those of
//! an epoch are above all of earlier epochs, whatever the wall clocks of the owners say.

/// Write times below the limit that are not spent by following the wall clock, microseconds. An owner
/// whose clock is ahead of the leader's has these left, one for each write, until its next renewal.
const RESERVE: i64 = 1_000_000;

/// The time of the next write, or `None` if the lease allows no more.
///
/// It follows the wall clock, never falls below `floor`, rises with every write (`last` is the
/// greatest that was used in this epoch) and stays below `limit`.
#[must_use]
pub fn next_write_time(floor: i64, last: i64, wall: i64, limit: i64) -> Option<i64> {
    let wall = wall.min(limit.saturating_sub(RESERVE));
    let time = wall.max(floor).max(last.checked_add(1)?);
    (time < limit).then_some(time)
}

/// The leader's idea of real time. It goes on with the monotonic clock where the wall clock falls
/// back or was set late: owners need new write times all the while.
#[derive(Debug, Clone, Copy)]
pub struct LeaderClock {
    at: Now,
}

/// What the clocks of a process say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic clock, milliseconds.
    pub ms: u64,
    /// Wall clock, microseconds since 1970.
    pub wall: i64,
}

impl LeaderClock {
    /// Begins at the wall clock, but not before `earliest`.
    #[must_use]
    pub fn new(now: Now, earliest: i64) -> Self {
        Self { at: Now { wall: now.wall.max(earliest), ..now } }
    }

    /// Microseconds since 1970.
    pub fn read(&mut self, now: Now) -> i64 {
        let gone = i64::try_from(now.ms.saturating_sub(self.at.ms)).unwrap_or(i64::MAX);
        let wall = self.at.wall.saturating_add(gone.saturating_mul(1_000)).max(now.wall);
        self.at = Now { ms: now.ms.max(self.at.ms), wall };
        wall
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn write_times_follow_the_wall_clock() {
        assert_eq!(next_write_time(0, 5 * SECOND, 7 * SECOND, 20 * SECOND), Some(7 * SECOND));
        assert_eq!(next_write_time(9 * SECOND, 0, 7 * SECOND, 20 * SECOND), Some(9 * SECOND));
        let last = 9 * SECOND;
        assert_eq!(next_write_time(0, last, 7 * SECOND, 20 * SECOND), Some(last + 1));
    }

    #[test]
    fn a_clock_that_is_ahead_leaves_a_reserve() {
        let limit = 20 * SECOND;
        let last = next_write_time(0, 0, 500 * SECOND, limit).unwrap();
        assert_eq!(last, limit - RESERVE);
        assert_eq!(next_write_time(0, last, 501 * SECOND, limit), Some(last + 1));
        assert_eq!(next_write_time(0, limit - 1, 501 * SECOND, limit), None);
        assert_eq!(
            next_write_time(limit, 0, SECOND, limit),
            None,
            "a floor that is not granted yet"
        );
    }

    #[test]
    fn the_leader_goes_on_when_its_wall_clock_does_not() {
        let at = |ms, wall| Now { ms, wall };
        let mut clock = LeaderClock::new(at(0, 5 * SECOND), 9 * SECOND);
        assert_eq!(clock.read(at(500, 5 * SECOND)), 9 * SECOND + 500_000);
        assert_eq!(clock.read(at(1_000, 30 * SECOND)), 30 * SECOND);
        assert_eq!(clock.read(at(2_000, 0)), 31 * SECOND);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn write_times_keep_their_bounds(
            floor in -10..1_000_000_i64, limit in 0..2_000_000_i64,
            walls in prop::collection::vec(i64::MIN..i64::MAX, 1..50),
        ) {
            let mut last = 0;
            for wall in walls {
                if let Some(time) = next_write_time(floor, last, wall, limit) {
                    prop_assert!(time >= floor && time > last && time < limit);
                    last = time;
                } else {
                    prop_assert!(floor.max(last + 1) >= limit);
                }
            }
        }
    }
}
