//! Events of rooms that connections lose because they are too slow, by priority.

/// Priorities: 0 is never dropped, then 1 High to 4 Lowest.
const PRIORITIES: usize = 5;

/// How many events of each priority had to go.
pub(crate) type Dropped = [u32; PRIORITIES];

/// Numbers that no event should carry count as the lowest priority.
pub(super) fn priority_of(priority: u32) -> usize {
    usize::try_from(priority).map_or(PRIORITIES - 1, |number| number.min(PRIORITIES - 1))
}
