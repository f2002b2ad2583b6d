//! The messages that wait for one subscriber: bounded, and honest about what it loses.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::Delivery;

/// Room for messages that an empty ring keeps.
const KEPT_CAPACITY: usize = 32;

/// A queue of messages that loses the oldest ones when it is full.
#[derive(Debug)]
pub(super) struct Ring {
    messages: VecDeque<Bytes>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
    /// Messages lost since the receiver was told.
    lost: u64,
    /// Something was lost elsewhere, nobody knows how much.
    gap: bool,
}

impl Ring {
    pub(super) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, max_messages, max_bytes, lost: 0, gap: false }
    }

    /// Adds a message and returns how many had to go for it. A message that is too large for the
    /// whole ring still stays, alone.
    pub(super) fn push(&mut self, message: Bytes) -> u64 {
        self.bytes += message.len();
        self.messages.push_back(message);
        let mut lost = 0;
        while self.messages.len() > 1
            && (self.messages.len() > self.max_messages || self.bytes > self.max_bytes)
        {
            self.pop();
            lost += 1;
        }
        self.lost += lost;
        lost
    }

    /// Has the receiver told that messages may be missing.
    pub(super) fn mark_gap(&mut self) {
        self.gap = true;
    }

    /// What the receiver gets next. It hears of losses before it gets the messages that are left:
    /// it then fetches what is missing, and knows those of them that it fetched.
    pub(super) fn take(&mut self) -> Option<Delivery> {
        if self.lost > 0 || self.gap {
            self.gap = false;
            return Some(Delivery::Lagged(std::mem::take(&mut self.lost)));
        }
        let message = self.pop()?;
        if self.messages.is_empty() && self.messages.capacity() > KEPT_CAPACITY {
            // Most rooms are quiet most of the time.
            self.messages.shrink_to(KEPT_CAPACITY);
        }
        Some(Delivery::Message(message))
    }

    fn pop(&mut self) -> Option<Bytes> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_oldest_go_and_are_counted() {
        let mut ring = Ring::new(3, 1000);
        let lost: u64 = (0..5_u8).map(|n| ring.push(Bytes::from(vec![n]))).sum();
        assert_eq!(lost, 2);
        assert_eq!(ring.take(), Some(Delivery::Lagged(2)));
        for n in 2..5_u8 {
            assert_eq!(ring.take(), Some(Delivery::Message(Bytes::from(vec![n]))));
        }
        assert_eq!(ring.take(), None);
    }

    #[test]
    fn bytes_are_bounded_too_but_one_message_stays() {
        let mut ring = Ring::new(100, 10);
        assert_eq!(ring.push(Bytes::from_static(&[0; 6])), 0);
        assert_eq!(ring.push(Bytes::from_static(&[1; 4])), 0);
        assert_eq!(ring.push(Bytes::from_static(&[2; 50])), 2);
        assert_eq!(ring.take(), Some(Delivery::Lagged(2)));
        assert_eq!(ring.take(), Some(Delivery::Message(Bytes::from_static(&[2; 50]))));
        assert_eq!(ring.bytes, 0);
    }

    #[test]
    fn a_gap_is_told_once_and_first() {
        let mut ring = Ring::new(10, 10);
        ring.push(Bytes::from_static(b"a"));
        ring.mark_gap();
        ring.mark_gap();
        assert_eq!(ring.take(), Some(Delivery::Lagged(0)));
        assert_eq!(ring.take(), Some(Delivery::Message(Bytes::from_static(b"a"))));
        assert_eq!(ring.take(), None);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(u8),
        Take,
        Gap,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..40_u8).prop_map(Step::Push),
            3 => Just(Step::Take),
            1 => Just(Step::Gap),
        ]
    }

    proptest! {
        /// Every message comes out once and in order, or is counted as lost before any later one
        /// comes out.
        #[test]
        fn nothing_goes_silently(steps in prop::collection::vec(step(), 0..300)) {
            let mut ring = Ring::new(4, 64);
            let (mut pushed, mut next) = (0_u64, 0_u64);
            let mut gap = false;
            let mut check = |ring: &mut Ring, gap: &mut bool| {
                let delivery = ring.take();
                match &delivery {
                    Some(Delivery::Message(message)) => {
                        prop_assert!(!*gap);
                        prop_assert_eq!(&message[..8], &next.to_le_bytes()[..]);
                        next += 1;
                    }
                    Some(Delivery::Lagged(lost)) => {
                        prop_assert!(*lost > 0 || *gap);
                        *gap = false;
                        next += lost;
                    }
                    None => {}
                }
                Ok(delivery.is_some())
            };
            for step in steps {
                match step {
                    Step::Push(padding) => {
                        let mut message = pushed.to_le_bytes().to_vec();
                        message.resize(8 + usize::from(padding), 0);
                        ring.push(message.into());
                        pushed += 1;
                    }
                    Step::Take => {
                        check(&mut ring, &mut gap)?;
                    }
                    Step::Gap => {
                        ring.mark_gap();
                        gap = true;
                    }
                }
                prop_assert!(ring.messages.len() <= 4 && ring.bytes <= 64);
            }
            while check(&mut ring, &mut gap)? {}
            prop_assert_eq!(next, pushed);
            prop_assert_eq!(ring.bytes, 0);
        }
    }
}
