//! What waits to be written to one connection, and what it loses when it is too slow. Plain code:
//! no task, no clock.

use std::collections::VecDeque;

use bytes::Bytes;

/// Priority of what may not be lost: answers, notices, tips, attributes.
pub(crate) const NEVER_DROPPED: u32 = 0;
/// Priorities: 0 is never dropped, then 1 High to 4 Lowest.
pub(crate) const PRIORITIES: usize = 5;

/// Frames that an empty lane keeps memory for; more was needed in a moment that has passed.
const KEPT_LANE: usize = 16;

/// Frames in the order they came, bounded by bytes.
#[derive(Debug)]
pub(crate) struct Queue {
    /// One lane for each priority; every frame carries its place in the common order, so that taking
    /// and dropping both work at the front of a lane.
    lanes: [VecDeque<(u64, Bytes)>; PRIORITIES],
    next: u64,
    bytes: usize,
    lane_bytes: [usize; PRIORITIES],
    budget: usize,
}

/// How many frames of each priority had to go.
pub(crate) type Dropped = [u32; PRIORITIES];

/// The queue is full of what may not be lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Queue {
    /// An empty queue that holds up to `budget` bytes.
    pub(crate) fn new(budget: usize) -> Self {
        Self { lanes: Default::default(), next: 0, bytes: 0, lane_bytes: [0; PRIORITIES], budget }
    }

    /// Adds a frame. When there is no room for it, the oldest frames of the lowest priority go first;
    /// a frame never displaces one that is more important, it goes itself.
    ///
    /// # Errors
    /// [`Full`] when the frame may not be dropped and even dropping all others makes no room.
    pub(crate) fn push(&mut self, frame: Bytes, priority: u32) -> Result<Dropped, Full> {
        let lane = lane_of(priority);
        let mut dropped = Dropped::default();
        let yielding = lane.max(1)..PRIORITIES;
        let fixed = self.bytes - self.lane_bytes[yielding.clone()].iter().sum::<usize>();
        if fixed + frame.len() > self.budget {
            if lane == 0 {
                return Err(Full);
            }
            dropped[lane] = 1;
            return Ok(dropped);
        }
        for victim in yielding.rev() {
            while self.bytes + frame.len() > self.budget
                && let Some((_, old)) = self.lanes[victim].pop_front()
            {
                self.forget(victim, &old);
                dropped[victim] += 1;
            }
        }
        self.bytes += frame.len();
        self.lane_bytes[lane] += frame.len();
        self.lanes[lane].push_back((self.next, frame));
        self.next += 1;
        Ok(dropped)
    }

    /// The oldest frame.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let oldest = (0..PRIORITIES)
            .filter_map(|lane| self.lanes[lane].front().map(|(place, _)| (*place, lane)))
            .min();
        let (_, lane) = oldest?;
        let (_, frame) = self.lanes[lane].pop_front()?;
        self.forget(lane, &frame);
        if self.lanes[lane].is_empty() && self.lanes[lane].capacity() > KEPT_LANE {
            self.lanes[lane] = VecDeque::new();
        }
        Some(frame)
    }

    fn forget(&mut self, lane: usize, frame: &Bytes) {
        self.bytes -= frame.len();
        self.lane_bytes[lane] -= frame.len();
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.lanes = Default::default();
        self.bytes = 0;
        self.lane_bytes = [0; PRIORITIES];
    }
}

/// Numbers that no event should carry count as the lowest priority.
pub(crate) fn lane_of(priority: u32) -> usize {
    usize::try_from(priority).map_or(PRIORITIES - 1, |lane| lane.min(PRIORITIES - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn frames_leave_in_the_order_they_came() {
        let mut queue = Queue::new(100);
        for (text, priority) in [("a", 0), ("b", 4), ("c", 1), ("d", 0), ("e", 9)] {
            assert_eq!(queue.push(frame(text), priority), Ok(Dropped::default()));
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["a", "b", "c", "d", "e"].map(frame));
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn the_oldest_of_the_lowest_priority_goes_first() {
        let mut queue = Queue::new(4);
        for (text, priority) in [("h", 1), ("1", 4), ("2", 4), ("n", 2)] {
            queue.push(frame(text), priority).unwrap();
        }
        assert_eq!(queue.push(frame("H"), 1), Ok([0, 0, 0, 0, 1]));
        assert_eq!(queue.push(frame("3"), 4), Ok([0, 0, 0, 0, 1]), "takes its own kind's place");
        assert_eq!(queue.push(frame("NN"), 2), Ok([0, 0, 1, 0, 1]));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [frame("h"), frame("H"), frame("NN")]);
    }

    #[test]
    fn a_frame_does_not_displace_more_important_ones() {
        let mut queue = Queue::new(2);
        queue.push(frame("h"), 1).unwrap();
        queue.push(frame("a"), 0).unwrap();
        assert_eq!(queue.push(frame("x"), 2), Ok([0, 0, 1, 0, 0]));
        assert_eq!(queue.push(frame("b"), 0), Ok([0, 1, 0, 0, 0]));
        assert_eq!(queue.push(frame("c"), 0), Err(Full));
    }

    /// Frames were dropped for one that did not fit even so, and not counted (DRP-1).
    #[test]
    fn nothing_is_dropped_in_vain() {
        let mut queue = Queue::new(4);
        for (text, priority) in [("aa", 0), ("h", 1), ("l", 4)] {
            queue.push(frame(text), priority).unwrap();
        }
        assert_eq!(queue.push(frame("xxx"), 2), Ok([0, 0, 1, 0, 0]));
        assert_eq!(queue.push(frame("xxx"), 0), Err(Full));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [frame("aa"), frame("h"), frame("l")]);
    }

    /// What a burst had needed stayed with an idle connection.
    #[test]
    fn an_empty_queue_gives_memory_back() {
        let mut queue = Queue::new(1 << 20);
        for number in 0..5000 {
            queue.push(frame("x"), number % 3).unwrap();
        }
        while queue.pop().is_some() {}
        assert!(queue.lanes.iter().all(|lane| lane.capacity() <= KEPT_LANE));
    }

    proptest! {
        #[test]
        fn within_budget_ordered_and_every_loss_reported(
            pushes in prop::collection::vec((0u32..6, 1usize..40, prop::bool::weighted(0.2)), 1..200),
        ) {
            let mut queue = Queue::new(100);
            let (mut pushed, mut popped, mut lost) = (0u32, 0u32, 0u32);
            let mut last = None;
            for (number, (priority, size, pop)) in pushes.into_iter().enumerate() {
                let mut body = vec![0; size.max(4)];
                body[..4].copy_from_slice(&(number as u32).to_be_bytes());
                if let Ok(dropped) = queue.push(body.into(), priority) {
                    pushed += 1;
                    lost += dropped.iter().sum::<u32>();
                    prop_assert_eq!(dropped[0], 0);
                }
                prop_assert!(queue.bytes <= 100);
                if pop && let Some(frame) = queue.pop() {
                    popped += 1;
                    let number = u32::from_be_bytes(frame[..4].try_into().unwrap());
                    prop_assert!(last.is_none_or(|last| last < number));
                    last = Some(number);
                }
            }
            while queue.pop().is_some() {
                popped += 1;
            }
            prop_assert_eq!(queue.bytes, 0);
            prop_assert_eq!(pushed, popped + lost);
        }
    }
}
