//! Whether the groups of a replay have the sequences of the capture. A sequence of a group is its messages
//! in the order of their numbers; a message is known by its sender and its place among the sender's.
//!
//! What is proved: `overtaken` breaks what every server must keep, whatever the capture says. A server
//! gives a message a number before it answers, so a message that is sent after another one was answered
//! has the higher number. `out_of_order` (a sender's messages in another order than it sent them in) breaks
//! what durable groups keep; in a live room over its limit chance decides. `inverted_pairs` compares with
//! the capture: without waiting for answers, messages of different senders a few milliseconds apart may
//! change places, and that is nobody's fault. With strict order nothing may differ.

use serde::Serialize;

use super::{Order, Replay};
use crate::check::{Fate, Outcome};
use crate::plan::Nanos;
use crate::profile::RoomKind;

/// Examples that are written out.
const EXAMPLES: usize = 10;

/// What became of the sequences.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// Only the strict order promises that nothing differs.
    pub strict: bool,
    /// Groups with messages in the capture or the replay.
    pub groups: u64,
    /// Groups whose sequence is exactly that of the capture.
    pub same_groups: u64,
    /// Messages that got a number in both.
    pub compared: u64,
    /// Messages that got one in the capture alone.
    pub missing: u64,
    /// Messages that got one in the replay alone.
    pub extra: u64,
    /// Pairs of messages of one group whose order changed.
    pub inverted_pairs: u64,
    /// Of all such pairs, those of one sender, whatever the capture says.
    pub out_of_order: u64,
    /// The same in durable groups, which promise that order.
    pub out_of_order_durable: u64,
    /// Messages with a lower number than one that was answered before they were sent.
    pub overtaken: u64,
    /// Groups that differ, in words.
    pub examples: Vec<String>,
}

/// A message that got a number in the replay.
#[derive(Clone, Copy)]
struct Kept {
    number: u32,
    sender: u32,
    seq: u32,
    captured: Option<u32>,
    sent: Nanos,
    settled: Nanos,
}

impl Sequence {
    /// Compares; `fates` are those of the plan's messages.
    #[must_use]
    pub fn compare(replay: &Replay, fates: &[Fate]) -> Self {
        let mut found = Self { strict: replay.order == Order::Strict, ..Self::default() };
        let rooms = replay.plan.rooms as usize;
        let (mut kept, mut missing) = (vec![Vec::new(); rooms], vec![0; rooms]);
        let messages = (0..).zip(&replay.plan.messages).zip(&replay.captured).zip(fates);
        for (((number, message), captured), fate) in messages {
            let room = message.room as usize;
            match fate.outcome {
                Outcome::Kept(seq) => kept[room].push(Kept {
                    number,
                    sender: message.sender,
                    seq,
                    captured: captured.seq,
                    sent: fate.sent,
                    settled: fate.settled,
                }),
                _ => missing[room] += u64::from(captured.seq.is_some()),
            }
        }
        for (room, (kept, missing)) in kept.iter_mut().zip(missing).enumerate() {
            found.room(room, replay.plan.kinds[room], kept, missing);
        }
        found
    }

    fn room(&mut self, room: usize, kind: RoomKind, kept: &mut [Kept], missing: u64) {
        if kept.is_empty() && missing == 0 {
            return;
        }
        let extra = kept.iter().filter(|it| it.captured.is_none()).count() as u64;
        let mut both: Vec<&Kept> = kept.iter().filter(|it| it.captured.is_some()).collect();
        both.sort_by_key(|it| it.captured);
        let inverted = inversions(&mut both.iter().map(|it| it.seq).collect::<Vec<_>>());
        self.groups += 1;
        self.compared += both.len() as u64;
        self.missing += missing;
        self.extra += extra;
        self.inverted_pairs += inverted;
        let same = missing + extra + inverted == 0;
        self.same_groups += u64::from(same);
        if !same && self.examples.len() < EXAMPLES {
            self.examples.push(format!(
                "group {room}: {inverted} pairs inverted of {} messages, {missing} missing, {extra} extra",
                both.len()
            ));
        }

        kept.sort_by_key(|it| (it.sender, it.sent, it.number));
        let senders = kept.chunk_by(|one, other| one.sender == other.sender);
        let own = senders.map(|of| inversions(&mut of.iter().map(|it| it.seq).collect::<Vec<_>>()));
        let own: u64 = own.sum();
        self.out_of_order += own;
        if kind == RoomKind::Public {
            self.out_of_order_durable += own;
        }

        kept.sort_by_key(|it| std::cmp::Reverse(it.seq));
        let mut answered = Nanos::MAX;
        for it in kept.iter() {
            // In strict order an answer may let the next message go in the same turn of the clock.
            let before = answered < it.sent || (self.strict && answered == it.sent);
            self.overtaken += u64::from(before);
            answered = answered.min(it.settled);
        }
    }

    /// What breaks a promise, in words; nothing if all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.overtaken > 0 {
            let count = self.overtaken;
            reasons.push(format!("{count} messages have a lower number than one answered before"));
        }
        if self.out_of_order_durable > 0 {
            let count = self.out_of_order_durable;
            reasons.push(format!("{count} pairs of one sender in durable groups are out of order"));
        }
        if self.strict && self.same_groups < self.groups {
            let (differ, all) = (self.groups - self.same_groups, self.groups);
            reasons
                .push(format!("the sequence of {differ} of {all} groups differs from the capture"));
        }
        reasons
    }
}

/// Pairs that are in the wrong order; sorts them on the way.
fn inversions(values: &mut [u32]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let middle = values.len() / 2;
    let (left, right) = values.split_at_mut(middle);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut one, mut other) = (0, 0);
    while one < left.len() || other < right.len() {
        if other == right.len() || (one < left.len() && left[one] <= right[other]) {
            merged.push(left[one]);
            one += 1;
        } else {
            count += (left.len() - one) as u64;
            merged.push(right[other]);
            other += 1;
        }
    }
    values.copy_from_slice(&merged);
    count
}

#[cfg(test)]
mod tests;
