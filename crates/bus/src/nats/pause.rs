//! How long to wait before a connection is made anew.

use std::time::Duration;

/// The pause before attempt number `attempt`, counted from 1. `chance` is random from 0 to 1: the
/// clients of a server that died must not all come back at once. The first pause is any part of
/// `min`, so that most are quick; later ones double, and lie between half and all of that.
pub(super) fn pause(attempt: usize, min: Duration, max: Duration, chance: f64) -> Duration {
    if attempt <= 1 {
        return min.mul_f64(chance);
    }
    let doublings = u32::try_from(attempt - 1).unwrap_or(u32::MAX);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    min.saturating_mul(factor).min(max).mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(2);

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest = |attempt| pause(attempt, MIN, MAX, 1.0).as_millis();
        assert_eq!([1, 2, 3, 5, 6, 7, 1000].map(longest), [100, 200, 400, 1600, 2000, 2000, 2000]);
        let shortest = |attempt| pause(attempt, MIN, MAX, 0.0).as_millis();
        assert_eq!([1, 2, 3, 1000].map(shortest), [0, 100, 200, 1000]);
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_longest(attempt: usize, chance in 0.0..1.0_f64) {
            prop_assert!(pause(attempt, MIN, MAX, chance) <= MAX);
        }
    }
}
