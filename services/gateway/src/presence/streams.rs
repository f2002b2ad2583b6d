//! The numbered messages of all presence nodes to this gateway: which came, which are missing.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use throng_bus::subjects::GATEWAY_PARTITIONS;
use throng_proto::v1;

use super::tracker::Tracker;

/// Streams that are remembered. Each presence node has one, and each of its starts another.
const MOST: usize = 64;
/// Missing messages of a partition that are asked for together.
const MOST_MISSING: usize = 256;

/// One number for each partition.
pub(super) type Numbers = [u64; GATEWAY_PARTITIONS as usize];

type Partitions = [Mutex<Tracker>; GATEWAY_PARTITIONS as usize];

/// All streams, the latest last.
#[derive(Debug, Default)]
pub(super) struct Streams {
    known: RwLock<VecDeque<(u64, Arc<Partitions>)>>,
}

impl Streams {
    /// A message came. False: it had come before.
    pub(super) fn arrived(&self, stream: u64, partition: u32, number: u64) -> bool {
        let partitions = self.find_or_add(stream);
        let tracker = partitions.get(partition as usize);
        tracker.is_none_or(|tracker| tracker.lock().arrived(number))
    }

    /// What came of a stream that was at these numbers for long enough.
    pub(super) fn positions(&self, stream: u64, sent: &Numbers) -> Vec<v1::StreamPosition> {
        if stream == 0 {
            return Vec::new();
        }
        let partitions = self.find_or_add(stream);
        let position = |(tracker, sent): (&Mutex<Tracker>, &u64)| {
            let tracker = tracker.lock();
            let missing = tracker.missing(*sent, MOST_MISSING);
            v1::StreamPosition { complete: tracker.complete(), missing }
        };
        partitions.iter().zip(sent).map(position).collect()
    }

    /// Messages up to these numbers are not to be had any more. Returns how many of each partition
    /// are lost for good.
    pub(super) fn give_up(&self, stream: u64, forgotten: &Numbers) -> Numbers {
        let partitions = self.find_or_add(stream);
        let mut lost = Numbers::default();
        for ((lost, tracker), forgotten) in lost.iter_mut().zip(&*partitions).zip(forgotten) {
            let mut tracker = tracker.lock();
            tracker.give_up(*forgotten);
            *lost = tracker.take_given_up();
        }
        lost
    }

    fn find_or_add(&self, stream: u64) -> Arc<Partitions> {
        let find = |known: &VecDeque<(u64, Arc<Partitions>)>| {
            let found = known.iter().rev().find(|(other, _)| *other == stream);
            found.map(|(_, partitions)| Arc::clone(partitions))
        };
        if let Some(found) = find(&self.known.read()) {
            return found;
        }
        let mut known = self.known.write();
        if let Some(found) = find(&known) {
            return found;
        }
        if known.len() >= MOST {
            known.pop_front();
        }
        let partitions: Arc<Partitions> = Arc::default();
        known.push_back((stream, Arc::clone(&partitions)));
        partitions
    }
}
