//! Coarse timers for very many things that seldom come to their end. Plain code, time comes from
//! outside in whole seconds. Nothing is moved when a thing lives on: it is looked at again when its
//! slot comes up.

/// Slots at most: what is due later comes up in between.
const SLOTS: u32 = 512;

/// A wheel with a slot for each second.
#[derive(Debug)]
pub(crate) struct Wheel<K> {
    slots: Vec<Vec<K>>,
    /// The second whose slot came up last.
    turned: u32,
}

impl<K> Wheel<K> {
    /// For times that are mostly up to `span` seconds away.
    pub(crate) fn new(span: u32, now: u32) -> Self {
        let slots = span.saturating_add(1).clamp(2, SLOTS);
        Self { slots: (0..slots).map(|_| Vec::new()).collect(), turned: now }
    }

    /// Puts something where it comes up at that second, or as late before it as the wheel reaches.
    pub(crate) fn put(&mut self, due: u32, key: K) {
        let last = self.turned.saturating_add(self.slots());
        let at = due.clamp(self.turned.saturating_add(1), last);
        self.slot(at).push(key);
    }

    /// What is in the next slot that came up until now; `None` when all did.
    pub(crate) fn turn(&mut self, now: u32) -> Option<Vec<K>> {
        if self.turned >= now {
            return None;
        }
        self.turned += 1;
        let turned = self.turned;
        Some(std::mem::take(self.slot(turned)))
    }

    fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(SLOTS)
    }

    fn slot(&mut self, second: u32) -> &mut Vec<K> {
        let at = second % self.slots();
        &mut self.slots[at as usize]
    }
}

/// The seconds for which nothing may happen to a thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(u32);

impl Limit {
    /// Whether it is too long ago that something last happened.
    pub(crate) fn is_over(self, active: u32, now: u32) -> bool {
        self.ends(active) <= now
    }

    /// The second in which it is certain that the limit is over: `active` may be the end of its own.
    fn ends(self, active: u32) -> u32 {
        active.saturating_add(self.0).saturating_add(1)
    }
}

/// Things that end when nothing happened to them for too long.
#[derive(Debug)]
pub(crate) struct Idle<K> {
    limit: Limit,
    wheel: Wheel<K>,
}

impl<K> Idle<K> {
    pub(crate) fn new(limit: u32, now: u32) -> Self {
        Self { limit: Limit(limit), wheel: Wheel::new(limit.saturating_add(2), now) }
    }

    pub(crate) fn limit(&self) -> Limit {
        self.limit
    }

    /// Something begins, or something that was looked at goes on. `active` is the second in which
    /// something last happened to it.
    pub(crate) fn watch(&mut self, active: u32, key: K) {
        self.wheel.put(self.limit.ends(active), key);
    }

    /// What has to be looked at; `None` when that is all.
    pub(crate) fn due(&mut self, now: u32) -> Option<Vec<K>> {
        self.wheel.turn(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs things that something happens to at these times (in milliseconds); returns when each
    /// ended. The wheel is turned at the beginning of each second.
    fn run(limit: u32, start: u32, times: &[Vec<u32>]) -> Vec<u32> {
        let second = |millis: u32| start + millis / 1000;
        let mut idle = Idle::new(limit, start);
        let mut ended = vec![None; times.len()];
        let mut began = vec![false; times.len()];
        let mut now = 0;
        while ended.iter().any(Option::is_none) {
            // Those that began in the second that is over.
            for (key, times) in times.iter().enumerate() {
                if !began[key] && times[0] < now {
                    began[key] = true;
                    idle.watch(second(times[0]), key);
                }
            }
            while let Some(due) = idle.due(second(now)) {
                for key in due {
                    let last = times[key].iter().rfind(|time| **time < now).copied().unwrap();
                    if idle.limit().is_over(second(last), second(now)) {
                        assert_eq!(ended[key].replace(now), None);
                    } else {
                        idle.watch(second(last), key);
                    }
                }
            }
            now += 1000;
        }
        ended.into_iter().map(Option::unwrap).collect()
    }

    proptest! {
        #[test]
        fn everything_ends_within_two_slots_of_its_limit_and_nothing_before(
            limit in prop_oneof![1u32..30, 500u32..1200],
            start in 0u32..1000,
            gaps in prop::collection::vec(prop::collection::vec(0u32..40_000, 1..8), 1..20),
        ) {
            let times: Vec<Vec<u32>> = gaps
                .iter()
                .map(|gaps| {
                    let mut at = 0;
                    // A gap that is too long would be the end.
                    gaps.iter().map(|gap| { at += (*gap).min(limit * 1000); at }).collect()
                })
                .collect();
            let limit = limit * 1000;
            for (ended, times) in run(limit / 1000, start, &times).into_iter().zip(times) {
                let idle = ended - times.last().unwrap();
                prop_assert!((limit..=limit + 2000).contains(&idle), "{idle} of {limit}");
            }
        }
    }

    #[test]
    fn what_is_far_away_and_what_is_late_come_up() {
        let mut wheel = Wheel::new(10, 0);
        wheel.put(1_000_000, "far");
        wheel.put(0, "late");
        let first = wheel.turn(1);
        assert_eq!((first, wheel.turn(1)), (Some(vec!["late"]), None));
        let rest: Vec<_> = std::iter::from_fn(|| wheel.turn(100)).flatten().collect();
        assert_eq!(rest, ["far"]);
    }
}
