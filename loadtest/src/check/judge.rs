//! The verdict on a room, once everything that will come has come.

use serde::Serialize;

use super::{Fate, Member, Outcome, Witness};
use crate::plan::Nanos;
use crate::profile::RoomKind;

/// Examples that are written out.
const EXAMPLES: usize = 20;

/// What was found in all rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Deliveries that had to be: messages times members.
    pub owed: u64,
    /// Deliveries that were, each message once a member.
    pub delivered: u64,
    /// Owed and not delivered.
    pub lost: u64,
    /// Delivered twice on one connection.
    pub doubled: u64,
    /// Delivered again on a later connection; clients drop it.
    pub heard_again: u64,
    /// Delivered behind one with a higher number.
    pub reordered: u64,
    /// Delivered or acknowledged under different numbers.
    pub disagreeing: u64,
    /// Messages in a room into which nobody sent them.
    pub invented: u64,
    /// Numbers of durable groups that nobody saw, between others that somebody saw.
    pub holes: u64,
    /// Messages that were answered as dropped and reached somebody.
    pub dropped_but_seen: u64,
    /// Not acknowledged, and delivered to some members only. No violation.
    pub uneven: u64,
    /// The first violations, in words.
    pub examples: Vec<String>,
}

impl Findings {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations().iter().all(|(_, count)| *count == 0)
    }

    /// Every kind of violation with its number.
    #[must_use]
    pub fn violations(&self) -> [(&'static str, u64); 7] {
        [
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("reordered", self.reordered),
            ("disagreeing numbers", self.disagreeing),
            ("invented", self.invented),
            ("holes", self.holes),
            ("dropped but seen", self.dropped_but_seen),
        ]
    }

    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text());
        }
    }
}

/// What is known of one room.
#[derive(Debug, Clone, Copy)]
pub struct RoomFacts<'a> {
    /// Its number.
    pub room: u32,
    /// Its kind.
    pub kind: RoomKind,
    /// What became of its messages, by their place.
    pub fates: &'a [Fate],
    /// What its members saw together.
    pub witness: &'a Witness,
}

/// Judges one room, and adds to `findings`. Members come with their client's number.
pub fn judge<'a>(
    room: RoomFacts<'_>,
    members: impl Iterator<Item = (u32, &'a Member)>,
    findings: &mut Findings,
) {
    judge_together(room, findings);
    let kept = Kept::of(room.fates, room.witness);
    for (client, member) in members {
        findings.delivered += u64::from(member.delivered);
        findings.doubled += u64::from(member.doubled);
        findings.heard_again += u64::from(member.heard_again);
        findings.reordered += u64::from(member.reordered);
        if member.doubled + member.reordered > 0 {
            let (doubled, reordered) = (member.doubled, member.reordered);
            findings.example(|| {
                let room = room.room;
                format!("room {room}, client {client}: {doubled} doubled, {reordered} reordered")
            });
        }
        judge_member(room, &kept, client, member, findings);
    }
}

/// The messages that are owed, as bits, and when they were on their way; and those of which nothing is
/// known, but that somebody got.
struct Kept {
    open: Vec<usize>,
    bits: Vec<u64>,
    count: u64,
    first: Nanos,
    last: Nanos,
}

impl Kept {
    fn of(fates: &[Fate], witness: &Witness) -> Self {
        let mut kept = Self {
            open: Vec::new(),
            bits: vec![0; fates.len().div_ceil(64)],
            count: 0,
            first: Nanos::MAX,
            last: 0,
        };
        for (place, fate) in fates.iter().enumerate() {
            if matches!(fate.outcome, Outcome::Kept(_)) {
                kept.bits[place / 64] |= 1 << (place % 64);
                kept.count += 1;
                kept.first = kept.first.min(fate.sent);
                kept.last = kept.last.max(fate.settled);
            } else if matches!(fate.outcome, Outcome::Open | Outcome::Failed)
                && witness.seqs[place] != 0
            {
                kept.open.push(place);
            }
        }
        kept
    }
}

fn judge_member(
    room: RoomFacts<'_>,
    kept: &Kept,
    client: u32,
    member: &Member,
    findings: &mut Findings,
) {
    let whole = member.was_in(kept.first, kept.last);
    if whole {
        findings.owed += kept.count;
        let missing = kept.bits.iter().zip(&member.seen).any(|(kept, seen)| kept & !seen != 0);
        if !missing {
            return judge_uneven(room, &kept.open, member, findings);
        }
    }
    let mut lost: Vec<(usize, u32)> = Vec::new();
    for (place, fate) in room.fates.iter().enumerate() {
        let Outcome::Kept(seq) = fate.outcome else {
            continue;
        };
        let owed = whole || member.was_in(fate.sent, fate.settled);
        findings.owed += u64::from(owed && !whole);
        if owed && !member.has(place) {
            lost.push((place, seq));
        }
    }
    findings.lost += lost.len() as u64;
    if let (Some((first, first_seq)), Some((last, last_seq))) = (lost.first(), lost.last()) {
        findings.example(|| {
            let (room, count) = (room.room, lost.len());
            format!(
                "room {room}, client {client}: {count} lost, from message {first} (MsgSeq {first_seq}) \
                 to {last} (MsgSeq {last_seq})"
            )
        });
    }
    judge_uneven(room, &kept.open, member, findings);
}

fn judge_uneven(room: RoomFacts<'_>, open: &[usize], member: &Member, findings: &mut Findings) {
    for place in open.iter().copied().filter(|place| !member.has(*place)) {
        findings.uneven += u64::from(member.was_in(room.fates[place].sent, Nanos::MAX));
    }
}

/// What does not depend on one member.
fn judge_together(room: RoomFacts<'_>, findings: &mut Findings) {
    let witness = room.witness;
    findings.disagreeing += witness.disagreeing;
    findings.invented += witness.invented;
    let number = room.room;
    let mut numbers: Vec<u32> = witness.tips.iter().copied().collect();
    for (place, (fate, seen)) in room.fates.iter().zip(&witness.seqs).enumerate() {
        numbers.push(*seen);
        match fate.outcome {
            Outcome::Kept(seq) => {
                numbers.push(seq);
                if *seen != 0 && *seen != seq {
                    findings.disagreeing += 1;
                    findings.example(|| {
                        format!("room {number}: message {place} is {seq} to its sender, {seen} to others")
                    });
                }
            }
            Outcome::Dropped if *seen != 0 => {
                findings.dropped_but_seen += 1;
                findings.example(|| format!("room {number}: message {place} was dropped and seen"));
            }
            _ => {}
        }
    }
    if room.kind == RoomKind::Public {
        numbers.retain(|seq| *seq != 0);
        numbers.sort_unstable();
        numbers.dedup();
        for pair in numbers.windows(2) {
            let gap = pair[1] - pair[0] - 1;
            if gap > 0 {
                findings.holes += u64::from(gap);
                findings.example(|| {
                    format!("room {number}: nothing between MsgSeq {} and {}", pair[0], pair[1])
                });
            }
        }
    }
}
