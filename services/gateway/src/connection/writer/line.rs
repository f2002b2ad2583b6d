//! One connection as its shard has it: what waits for it alone, where it stands in its rooms, and how
//! all of that goes into one write.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Buf, Bytes};
use smallvec::SmallVec;

use super::lane::{Batch, Lane};
use super::lanes::Lanes;
use crate::connection::Kind;
use crate::connection::dropped::Dropped;
use crate::connection::outbox::Shared;
use crate::connection::stream::Write;
use crate::rooms::Position;

/// Slices of one write.
const SLICES: usize = 64;

/// A connection.
#[derive(Debug)]
pub(super) struct Line<S> {
    pub(super) shared: Arc<Shared<S>>,
    stream: Arc<S>,
    /// As in `shared`, which a pass does not have to look at.
    kind: Kind,
    /// The second of the last frame, as `shared` knows it.
    active: u32,
    /// What is for it alone, or was begun. The first may be written in part.
    waiting: VecDeque<Own>,
    /// The first of them is written in part: it has to go on.
    begun: bool,
    pub(super) seats: SmallVec<[Seat; 1]>,
    /// Its place among the lines whose sockets take nothing, if it is one.
    pub(super) blocked: Option<u32>,
    /// It is on the list of those that have something of their own.
    pub(super) listed: bool,
    /// Ends when everything is out.
    pub(super) ending: bool,
    /// The pass that wrote it last.
    pub(super) pass: u64,
}

/// A frame in a line's own queue.
#[derive(Debug)]
struct Own {
    bytes: Bytes,
    /// Counts in the connection's budget, with this size.
    size: usize,
}

/// A line in a room.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) lane: u32,
    /// Its place among the lane's members.
    pub(super) member: u32,
    /// The first event that it has not.
    pub(super) next: u64,
    /// Events up to here are not for it.
    pub(super) after: Position,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    All,
    /// The socket took no more.
    Blocked,
    /// The socket is broken.
    Broken,
}

/// What a pass counts.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) writes: u64,
    /// Events of rooms, each once for every line that got it.
    pub(crate) deliveries: u64,
    /// Those that lines lost because they are too slow.
    pub(crate) dropped: Dropped,
}

impl<S: Write> Line<S> {
    pub(super) fn new(shared: Arc<Shared<S>>, stream: Arc<S>) -> Self {
        Self {
            kind: shared.kind,
            active: 0,
            shared,
            stream,
            waiting: VecDeque::new(),
            begun: false,
            seats: SmallVec::new(),
            blocked: None,
            listed: false,
            ending: false,
            pass: 0,
        }
    }

    pub(super) fn seat(&self, lane: u32) -> Option<usize> {
        self.seats.iter().position(|seat| seat.lane == lane)
    }

    /// Adds a frame that counts in the budget.
    pub(super) fn add(&mut self, frame: Bytes) {
        let size = frame.len();
        self.waiting.push_back(Own { bytes: frame, size });
    }

    /// Moves what a room has for it into its own queue, so that something may follow it.
    pub(super) fn take_over(&mut self, lane: &mut Lane, seat: usize) {
        for framed in self.batch(lane, seat).iter() {
            // What piles up at a socket that takes nothing counts.
            let size = if self.is_blocked() { framed.bytes.len() } else { 0 };
            self.shared.hold(size);
            self.waiting.push_back(Own { bytes: framed.bytes.clone(), size });
        }
        self.seats[seat].next = lane.head();
    }

    fn batch(&mut self, lane: &mut Lane, seat: usize) -> Batch {
        let seat = &mut self.seats[seat];
        if seat.after > Position::default() {
            seat.next = lane.skip_until(seat.next, seat.after);
        }
        lane.batch(self.kind, seat.next)
    }

    /// Its socket took nothing for too long: of what rooms have for it, only what is never dropped
    /// waits on; the rest is counted.
    pub(super) fn skip(&mut self, lane: &Lane, seat: usize, written: &mut Written) {
        let from = lane.skip_until(self.seats[seat].next, self.seats[seat].after);
        let (framed, dropped) = lane.essence(self.kind, from);
        for framed in framed {
            let size = framed.bytes.len();
            self.shared.hold(size);
            self.waiting.push_back(Own { bytes: framed.bytes, size });
        }
        self.seats[seat].next = lane.head();
        for (total, dropped) in written.dropped.iter_mut().zip(dropped) {
            *total += dropped;
        }
    }

    /// A frame went out in this second.
    pub(super) fn note_active(&mut self, now: u32) {
        if now != self.active {
            self.active = now;
            self.shared.active.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    pub(super) fn has_own(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Nothing that waits is written, but for what was begun.
    pub(super) fn forget_own(&mut self) {
        self.waiting.truncate(usize::from(self.begun));
    }

    /// The last frame.
    pub(super) fn add_last(&mut self, frame: Bytes) {
        self.waiting.push_back(Own { bytes: frame, size: 0 });
        self.ending = true;
    }

    /// Writes what is its own, then what its rooms have for it.
    pub(super) fn write(&mut self, lanes: &mut Lanes, written: &mut Written) -> Wrote {
        if let Err(error) = self.stream.flush() {
            return failed(&error);
        }
        loop {
            let mut batches: SmallVec<[(usize, Batch); 2]> = SmallVec::new();
            for seat in 0..self.seats.len() {
                let lane = lanes.get_mut(self.seats[seat].lane);
                if self.seats[seat].next < lane.head() {
                    batches.push((seat, self.batch(lane, seat)));
                }
            }
            let own = self.waiting.iter().map(|own| &own.bytes);
            let rooms =
                batches.iter().flat_map(|(_, batch)| batch.iter().map(|framed| &framed.bytes));
            let mut slices: SmallVec<[IoSlice<'_>; 4]> = SmallVec::new();
            let mut size = 0;
            for bytes in own.chain(rooms).take(SLICES) {
                size += bytes.len();
                slices.push(IoSlice::new(bytes));
            }
            if size == 0 {
                drop(slices);
                // Events that are not for it.
                self.note_taken(lanes, &batches, usize::MAX, written);
                return Wrote::All;
            }
            match self.stream.try_write(&slices) {
                Ok(0) => return Wrote::Broken,
                Ok(taken) => {
                    drop(slices);
                    written.writes += 1;
                    written.bytes += taken as u64;
                    let left = self.note_own(taken, written);
                    self.note_taken(lanes, &batches, left, written);
                    if taken < size {
                        return Wrote::Blocked;
                    }
                    if !self.has_more(lanes) {
                        return self
                            .stream
                            .flush()
                            .map_or_else(|error| failed(&error), |()| Wrote::All);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return failed(&error),
            }
        }
    }

    fn has_more(&self, lanes: &Lanes) -> bool {
        self.has_own() || self.seats.iter().any(|seat| seat.next < lanes.get(seat.lane).head())
    }

    /// So many bytes were taken; returns how many are left behind its own frames.
    fn note_own(&mut self, mut taken: usize, written: &mut Written) -> usize {
        while taken > 0
            && let Some(own) = self.waiting.front_mut()
        {
            if taken < own.bytes.len() {
                own.bytes.advance(taken);
                self.begun = true;
                return 0;
            }
            taken -= own.bytes.len();
            self.begun = false;
            written.frames += 1;
            if own.size > 0 {
                self.shared.waiting.fetch_sub(own.size, Ordering::Relaxed);
            }
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        taken
    }

    /// The same for what rooms have. A frame that was begun becomes its own.
    fn note_taken(
        &mut self,
        lanes: &Lanes,
        batches: &[(usize, Batch)],
        mut taken: usize,
        written: &mut Written,
    ) {
        for (seat, batch) in batches {
            for framed in batch.iter() {
                if taken == 0 {
                    return;
                }
                self.seats[*seat].next = framed.end;
                written.deliveries += u64::from(framed.events);
                if taken < framed.bytes.len() {
                    let bytes = framed.bytes.slice(taken..);
                    self.waiting.push_front(Own { bytes, size: 0 });
                    self.begun = true;
                    return;
                }
                taken -= framed.bytes.len();
                written.frames += 1;
            }
            if taken > 0 || batch.is_empty() {
                self.seats[*seat].next = lanes.get(self.seats[*seat].lane).head();
            }
        }
    }

    /// Nothing more will be written.
    pub(super) fn finish(&self) {
        self.stream.finish();
        self.shared.is_written();
    }

    pub(super) fn stream(&self) -> &Arc<S> {
        &self.stream
    }
}

fn failed(error: &io::Error) -> Wrote {
    if error.kind() == ErrorKind::WouldBlock { Wrote::Blocked } else { Wrote::Broken }
}
