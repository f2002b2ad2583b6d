//! What one shard knows and decides: its connections, its rooms, what goes out when. It never waits;
//! its task ([`run`](super::task::run)) does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::time::{Duration, Instant};

use super::Pacing;
use super::lanes::Lanes;
use super::line::{Line, Seat, Written, Wrote};
use super::orders::{Order, RoomFrame};
use crate::connection::Close;
use crate::connection::clock::Coarse;
use crate::connection::outbox::{NOWHERE, Shared};
use crate::connection::stream::Write;
use crate::connection::wire;

/// How long a connection that is ending may take to accept what still waits.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A shard.
#[derive(Debug)]
pub(super) struct Shard<S> {
    pacing: Pacing,
    lines: Vec<Option<Line<S>>>,
    free: Vec<u32>,
    lanes: Lanes,
    /// Lines that have something of their own.
    own: Vec<u32>,
    /// Lanes that have something that has not gone out.
    dirty: Vec<u32>,
    /// Lines whose sockets take nothing.
    blocked: Vec<u32>,
    /// Of those, the ones that nobody waits for yet.
    newly_blocked: Vec<(Arc<Shared<S>>, Arc<S>)>,
    /// Lines that are ending, and by when; the same time is left to all.
    ending: std::collections::VecDeque<(Instant, Arc<Shared<S>>)>,
    /// Lanes of the pass that goes on, with the head that each had when it began and the members that
    /// are left.
    passing: Vec<(u32, u64, usize)>,
    pass: u64,
    pub(super) written: Written,
}

impl<S: Write> Shard<S> {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            lines: Vec::new(),
            free: Vec::new(),
            lanes: Lanes::new(pacing.compress_rooms),
            own: Vec::new(),
            dirty: Vec::new(),
            blocked: Vec::new(),
            newly_blocked: Vec::new(),
            ending: std::collections::VecDeque::new(),
            passing: Vec::new(),
            pass: 0,
            written: Written::default(),
        }
    }

    pub(super) fn obey(&mut self, order: Order<S>, now: Instant) {
        match order {
            Order::Open { line, stream } => self.open(line, stream),
            Order::Control { line, frame } => self.add(&line, frame),
            Order::AfterRooms { line, frame } => {
                if let Some(slot) = self.slot(&line) {
                    self.take_over_rooms(slot);
                    self.add(&line, frame);
                }
            }
            Order::Join { line, room, after } => {
                if let Some(slot) = self.slot(&line) {
                    self.join(slot, room, after, now);
                }
            }
            Order::Part { line, room } => {
                if let Some(slot) = self.slot(&line)
                    && let Some(lane) = self.lanes.find(room)
                {
                    self.part(slot, lane);
                }
            }
            Order::Event { room, event } => self.event(room, event, now),
            Order::Close { line } => self.close(&line, now),
            Order::Writable { line } => {
                if let Some(slot) = self.slot(&line) {
                    self.unblock(slot);
                    self.list(slot);
                }
            }
        }
    }

    fn open(&mut self, shared: Arc<Shared<S>>, stream: Arc<S>) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.lines.push(None);
            u32::try_from(self.lines.len() - 1).expect("fewer than 2^32 sockets are open")
        });
        shared.slot.store(slot, Ordering::Relaxed);
        self.lines[slot as usize] = Some(Line::new(shared, stream));
    }

    fn add(&mut self, shared: &Arc<Shared<S>>, frame: Bytes) {
        let Some(slot) = self.slot(shared) else {
            return;
        };
        self.line(slot).add(frame);
        self.list(slot);
    }

    fn join(&mut self, slot: u32, room: u64, after: crate::rooms::Position, now: Instant) {
        let number = self.lanes.find_or_add(room, now);
        if self.line(slot).seat(number).is_some() {
            return;
        }
        let lane = self.lanes.get_mut(number);
        let member = u32::try_from(lane.members.len()).expect("fewer than 2^32 lines");
        lane.members.push(slot);
        let seat = Seat { lane: number, member, next: lane.head(), after };
        self.line(slot).seats.push(seat);
    }

    fn part(&mut self, slot: u32, lane: u32) {
        let Some(seat) = self.line(slot).seat(lane) else {
            return;
        };
        self.take_over(slot, seat);
        self.list(slot);
        let Seat { member, .. } = self.line(slot).seats.swap_remove(seat);
        self.leave_lane(lane, member);
    }

    fn leave_lane(&mut self, number: u32, member: u32) {
        let lane = self.lanes.get_mut(number);
        lane.members.swap_remove(member as usize);
        let moved = lane.members.get(member as usize).copied();
        if lane.members.is_empty() {
            self.lanes.remove(number);
            self.dirty.retain(|other| *other != number);
            self.passing.retain(|(other, ..)| *other != number);
        } else if let Some(moved) = moved
            && let Some(seat) = self.line(moved).seats.iter_mut().find(|seat| seat.lane == number)
        {
            seat.member = member;
        }
    }

    fn event(&mut self, room: u64, event: RoomFrame, now: Instant) {
        let Some(number) = self.lanes.find(room) else {
            return;
        };
        let lane = self.lanes.get_mut(number);
        lane.push(event);
        if lane.pace.came(now, &self.pacing) {
            self.dirty.push(number);
        }
        let Pacing { ring_events, ring_bytes, .. } = self.pacing;
        if lane.len() > ring_events || lane.bytes() > ring_bytes {
            self.skip_blocked(number);
        }
    }

    /// Blocked lines let go of what a lane keeps for them.
    fn skip_blocked(&mut self, number: u32) {
        for &slot in &self.blocked {
            let line = self.lines[slot as usize].as_mut().expect("a listed line is there");
            if let Some(seat) = line.seat(number) {
                line.skip(self.lanes.get(number), seat, &mut self.written);
            }
        }
        let lane = self.lanes.get_mut(number);
        lane.forget_before(lane.low);
    }

    fn take_over(&mut self, slot: u32, seat: usize) {
        let line = self.lines[slot as usize].as_mut().expect("the slot is of a line");
        let lane = self.lanes.get_mut(line.seats[seat].lane);
        line.take_over(lane, seat);
    }

    fn take_over_rooms(&mut self, slot: u32) {
        for seat in 0..self.line(slot).seats.len() {
            self.take_over(slot, seat);
        }
    }

    fn close(&mut self, shared: &Arc<Shared<S>>, now: Instant) {
        let Some(slot) = self.slot(shared) else {
            return;
        };
        let close = shared.close_reason().unwrap_or(Close::PEER);
        if close == Close::SLOW || close == Close::PEER {
            self.line(slot).forget_own();
        } else {
            self.take_over_rooms(slot);
        }
        while let Some(seat) = self.line(slot).seats.pop() {
            self.leave_lane(seat.lane, seat.member);
        }
        let frame =
            wire::frame(wire::op::CLOSE, &[&close.code.to_be_bytes(), close.text.as_bytes()]);
        self.line(slot).add_last(frame);
        self.ending.push_back((now + LAST_WORDS, Arc::clone(shared)));
        self.list(slot);
    }

    /// Writes what lines have of their own.
    pub(super) fn write_own(&mut self) {
        let mut own = std::mem::take(&mut self.own);
        for slot in own.drain(..) {
            let Some(line) = self.lines[slot as usize].as_mut() else { continue };
            line.listed = false;
            if !line.is_blocked() {
                self.write(slot);
            }
        }
        // What came meanwhile cannot be: nobody else adds to it.
        self.own = own;
    }

    fn write(&mut self, slot: u32) {
        let line = self.lines[slot as usize].as_mut().expect("the slot is of a line");
        match line.write(&mut self.lanes, &mut self.written) {
            Wrote::All => {
                line.note_active(Coarse::now());
                if line.ending {
                    self.end(slot);
                }
            }
            Wrote::Blocked => {
                let place = u32::try_from(self.blocked.len()).expect("fewer than 2^32 lines");
                line.blocked = Some(place);
                self.newly_blocked.push((Arc::clone(&line.shared), Arc::clone(line.stream())));
                self.blocked.push(slot);
            }
            Wrote::Broken => {
                line.shared.break_off();
                self.end(slot);
            }
        }
    }

    /// The end of a line.
    fn end(&mut self, slot: u32) {
        while let Some(seat) = self.line(slot).seats.pop() {
            self.leave_lane(seat.lane, seat.member);
        }
        self.unblock(slot);
        if let Some(line) = self.lines[slot as usize].take() {
            line.finish();
            self.free.push(slot);
        }
    }

    /// The socket of a line takes something again, or is no more.
    fn unblock(&mut self, slot: u32) {
        let Some(place) = self.line(slot).blocked.take() else {
            return;
        };
        self.blocked.swap_remove(place as usize);
        if let Some(&moved) = self.blocked.get(place as usize) {
            self.line(moved).blocked = Some(place);
        }
    }

    /// When the next pass may begin.
    pub(super) fn next_pass(&self) -> Option<Instant> {
        self.dirty.iter().map(|lane| self.lanes.get(*lane).pace.due(&self.pacing)).min()
    }

    /// Begins a pass over the rooms that are due.
    pub(super) fn begin_pass(&mut self, now: Instant) {
        self.pass += 1;
        let Self { dirty, lanes, passing, pacing, .. } = self;
        dirty.retain(|number| {
            let lane = lanes.get_mut(*number);
            let is_due = lane.pace.due(pacing) <= now;
            if is_due {
                lane.pace.begins();
                passing.push((*number, lane.head(), lane.members.len()));
            }
            !is_due
        });
    }

    /// Writes to at most so many members. False: the pass is over.
    pub(super) fn pass(&mut self, mut most: usize, clock: impl Fn() -> Instant) -> bool {
        while let Some(&(number, head, left)) = self.passing.last() {
            let began = clock();
            // From the last to the first: who leaves is replaced by one who has been written.
            let mut left = left.min(self.lanes.get(number).members.len());
            while left > 0 && most > 0 {
                left -= 1;
                most -= 1;
                let slot = self.lanes.get(number).members[left];
                let pass = self.pass;
                let line = self.line(slot);
                if line.pass < pass && !line.is_blocked() {
                    line.pass = pass;
                    self.write(slot);
                }
                let Some(lane) = self.lanes.present(number) else { break };
                left = left.min(lane.members.len());
            }
            let now = clock();
            match self.lanes.present(number) {
                // The last member left in it, and the lane with it.
                None => {}
                Some(lane) => {
                    lane.pace.took(now, now - began);
                    if left > 0 {
                        if let Some(last) = self.passing.last_mut() {
                            last.2 = left;
                        }
                        return true;
                    }
                    self.passing.pop();
                    self.trim(number, head);
                }
            }
            if most == 0 && !self.passing.is_empty() {
                return true;
            }
        }
        false
    }

    /// All members of a lane but those that are blocked have what was before `low`.
    fn trim(&mut self, number: u32, low: u64) {
        let blocked = self.blocked.iter().filter_map(|slot| {
            let line = self.lines[*slot as usize].as_ref()?;
            Some(line.seats[line.seat(number)?].next)
        });
        let first = blocked.min().unwrap_or(low).min(low);
        let lane = self.lanes.get_mut(number);
        lane.low = low;
        lane.forget_before(first);
    }

    /// When the next line has to be done with its last words.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ending.front().map(|(due, _)| *due)
    }

    /// Ends those that are not.
    pub(super) fn end_late(&mut self, now: Instant) {
        while let Some((due, line)) = self.ending.front()
            && (*due <= now || line.slot.load(Ordering::Relaxed) == NOWHERE)
        {
            let slot = self.slot(line);
            self.ending.pop_front();
            if let Some(slot) = slot {
                self.end(slot);
            }
        }
    }

    /// Lines whose sockets have to be waited for.
    pub(super) fn newly_blocked(&mut self) -> Vec<(Arc<Shared<S>>, Arc<S>)> {
        std::mem::take(&mut self.newly_blocked)
    }

    fn slot(&self, shared: &Arc<Shared<S>>) -> Option<u32> {
        let slot = shared.slot.load(Ordering::Relaxed);
        let line = self.lines.get(slot as usize)?.as_ref()?;
        Arc::ptr_eq(&line.shared, shared).then_some(slot)
    }

    fn line(&mut self, slot: u32) -> &mut Line<S> {
        self.lines[slot as usize].as_mut().expect("the slot is of a line")
    }

    fn list(&mut self, slot: u32) {
        let line = self.line(slot);
        if !line.listed {
            line.listed = true;
            self.own.push(slot);
        }
    }
}
