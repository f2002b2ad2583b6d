//! The numbered messages of all presence nodes to this gateway: which came, which are missing. They are
//! carried out in order.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use throng_bus::subjects::GATEWAY_PARTITIONS;
use throng_proto::v1;

use super::tracker::{Arrival, Tracker};

/// Streams that are remembered. Each presence node has one, and each of its starts another.
const MOST: usize = 64;
/// Missing messages of a partition that are asked for together.
const MOST_MISSING: usize = 256;

/// One number for each partition.
pub(crate) type Numbers = [u64; GATEWAY_PARTITIONS as usize];

type Partitions<T> = [Mutex<Tracker<T>>; GATEWAY_PARTITIONS as usize];

/// Where a message belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) stream: u64,
    pub(crate) partition: u32,
    pub(crate) number: u64,
}

/// All streams, the latest last.
#[derive(Debug)]
pub(crate) struct Streams<T> {
    known: RwLock<VecDeque<(u64, Arc<Partitions<T>>)>>,
}

impl<T> Default for Streams<T> {
    fn default() -> Self {
        Self { known: RwLock::default() }
    }
}

impl<T> Streams<T> {
    /// A message, and its bytes, came. `next` carries out all whose turn it is.
    pub(super) fn arrived(
        &self,
        place: Place,
        message: (T, usize),
        mut next: impl FnMut(T),
    ) -> Arrival {
        let partitions = self.find_or_add(place.stream);
        match partitions.get(place.partition as usize) {
            Some(tracker) => tracker.lock().arrived(place.number, message, next),
            None => {
                next(message.0);
                Arrival::InOrder
            }
        }
    }

    /// Whoever could say what is missing is not there: nothing waits for it any longer.
    pub(crate) fn release(&self, stream: u64, next: impl FnMut(T)) {
        let found = self.known.read().iter().find(|(other, _)| *other == stream).cloned();
        release(found, next);
    }

    /// The same for all streams.
    pub(crate) fn release_all(&self, next: impl FnMut(T)) {
        let all = self.known.read().clone();
        release(all, next);
    }

    /// What came of a stream that was at these numbers for long enough.
    pub(super) fn positions(&self, stream: u64, sent: &Numbers) -> Vec<v1::StreamPosition> {
        if stream == 0 {
            return Vec::new();
        }
        let partitions = self.find_or_add(stream);
        let position = |(tracker, sent): (&Mutex<Tracker<T>>, &u64)| {
            let tracker = tracker.lock();
            let missing = tracker.missing(*sent, MOST_MISSING);
            v1::StreamPosition { complete: tracker.complete(), missing }
        };
        partitions.iter().zip(sent).map(position).collect()
    }

    /// Messages up to these numbers are not to be had any more. Returns how many of each partition
    /// are lost for good.
    pub(crate) fn give_up(
        &self,
        stream: u64,
        forgotten: &Numbers,
        mut next: impl FnMut(T),
    ) -> Numbers {
        let partitions = self.find_or_add(stream);
        let mut lost = Numbers::default();
        for ((lost, tracker), forgotten) in lost.iter_mut().zip(&*partitions).zip(forgotten) {
            let mut tracker = tracker.lock();
            tracker.give_up(*forgotten, &mut next);
            *lost = tracker.take_given_up();
        }
        lost
    }

    fn find_or_add(&self, stream: u64) -> Arc<Partitions<T>> {
        let find = |known: &VecDeque<(u64, Arc<Partitions<T>>)>| {
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
        let partitions: Arc<Partitions<T>> = Arc::default();
        known.push_back((stream, Arc::clone(&partitions)));
        partitions
    }
}

fn release<T>(
    streams: impl IntoIterator<Item = (u64, Arc<Partitions<T>>)>,
    mut next: impl FnMut(T),
) {
    for (_, partitions) in streams {
        for tracker in &*partitions {
            tracker.lock().release(&mut next);
        }
    }
}
