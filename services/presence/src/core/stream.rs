//! Numbered messages to one gateway over a bus that may lose some: kept until the gateway says that
//! they came.

use std::collections::VecDeque;

use bytes::Bytes;

/// Messages that are kept; with more the oldest is forgotten.
const MOST: usize = 4096;
/// Bytes of them.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The messages of one stream, numbered from 1.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    last: u64,
    /// Those up to `last`, the oldest first.
    kept: VecDeque<Bytes>,
    bytes: usize,
}

impl Stream {
    /// The number of the next message.
    pub(crate) fn next(&self) -> u64 {
        self.last + 1
    }

    /// Keeps the next message. Returns how many were forgotten for it that may not have come.
    pub(crate) fn push(&mut self, message: Bytes) -> u64 {
        self.last += 1;
        self.bytes += message.len();
        self.kept.push_back(message);
        let mut forgotten = 0;
        while self.kept.len() > MOST || (self.bytes > MOST_BYTES && self.kept.len() > 1) {
            self.drop_oldest();
            forgotten += 1;
        }
        forgotten
    }

    /// Everything up to this number came.
    pub(crate) fn acknowledge(&mut self, complete: u64) {
        while !self.kept.is_empty() && self.forgotten() < complete {
            self.drop_oldest();
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Bytes> {
        let place = number.checked_sub(self.forgotten() + 1)?;
        self.kept.get(usize::try_from(place).ok()?)
    }

    /// Number of the last message; 0 when there was none.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Messages up to this number are not kept any more.
    pub(crate) fn forgotten(&self) -> u64 {
        self.last - self.kept.len() as u64
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64) -> Bytes {
        number.to_string().into()
    }

    #[test]
    fn messages_are_kept_until_they_came() {
        let mut stream = Stream::default();
        for number in 1..=5 {
            assert_eq!(stream.next(), number);
            assert_eq!(stream.push(message(number)), 0);
        }
        stream.acknowledge(2);
        assert_eq!((stream.last(), stream.forgotten()), (5, 2));
        let kept: Vec<_> = (0..8).filter_map(|number| stream.get(number).cloned()).collect();
        assert_eq!(kept, [message(3), message(4), message(5)]);
        stream.acknowledge(99);
        assert_eq!((stream.last(), stream.forgotten(), stream.bytes), (5, 5, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut stream = Stream::default();
        let forgotten: u64 = (0..5000).map(|number| stream.push(message(number))).sum();
        assert_eq!((forgotten, stream.forgotten()), (5000 - 4096, 5000 - 4096));
        let large = Bytes::from(vec![0; 3 * 1024 * 1024]);
        stream.push(large.clone());
        stream.push(large);
        assert_eq!(stream.forgotten(), 5001, "one is always kept");
    }
}
