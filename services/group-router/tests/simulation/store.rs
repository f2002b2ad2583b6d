//! The store: rows with write times, of which the greatest wins, and writes that arrive when they
//! arrive.

use std::collections::BTreeMap;

use crate::profile::Broken;
use crate::wire::Message;

/// What a router asks of the store.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) router: usize,
    pub(crate) life: u32,
    /// Names the answer.
    pub(crate) number: u64,
    pub(crate) group: usize,
    pub(crate) kind: RequestKind,
}

#[derive(Debug, Clone)]
pub(crate) enum RequestKind {
    Read,
    /// All of it or nothing.
    Write {
        time: i64,
        change: Change,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Messages of a stored group, and the life of the group that writes them.
    Rows { life: u64, rows: Vec<(u64, Message)> },
    /// What a life of a stored group leaves beside it.
    Note(Note),
    /// How far the numbers of a live room are reserved.
    Reserve(u64),
    /// Messages of a live room; their numbers are given out once, so they need no time.
    Keep(Vec<(u64, Message)>),
}

/// All messages up to `head` are there, and behind it those of `life` count, as far as there is no
/// hole. Closed: nothing is on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Note {
    pub(crate) head: u64,
    pub(crate) life: u64,
    pub(crate) closed: bool,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) number: u64,
    pub(crate) group: usize,
    /// What there is, if it was a read.
    pub(crate) rows: Option<Rows>,
}

#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) reserved: u64,
    pub(crate) closed: bool,
    pub(crate) messages: Vec<(u64, Message)>,
}

#[derive(Debug, Default)]
struct Group {
    /// Life, message and write time.
    rows: BTreeMap<u64, (u64, Message, i64)>,
    note: (Note, i64),
    reserved: (u64, i64),
    kept: BTreeMap<u64, Message>,
}

#[derive(Debug)]
pub(crate) struct Store {
    groups: Vec<Group>,
    /// Write times count.
    fenced: bool,
    /// Notes count.
    noted: bool,
    arrived: i64,
}

impl Store {
    pub(crate) fn new(groups: usize, broken: Broken) -> Self {
        let groups = (0..groups).map(|_| Group::default()).collect();
        Self { groups, fenced: !broken.no_fencing, noted: !broken.no_notes, arrived: 0 }
    }

    /// False: later writes are there already.
    pub(crate) fn write(&mut self, group: usize, time: i64, change: &Change) -> bool {
        self.arrived += 1;
        let time = if self.fenced { time } else { self.arrived };
        let group = &mut self.groups[group];
        match change {
            Change::Rows { life, rows } => {
                let mut counts = true;
                for (seq, message) in rows {
                    if group.rows.get(seq).is_none_or(|(_, _, before)| *before < time) {
                        group.rows.insert(*seq, (*life, *message, time));
                    } else {
                        counts = false;
                    }
                }
                return counts;
            }
            Change::Note(note) if time > group.note.1 => group.note = (*note, time),
            Change::Reserve(to) if time > group.reserved.1 => group.reserved = (*to, time),
            Change::Note(_) | Change::Reserve(_) => return false,
            Change::Keep(rows) => group.kept.extend(rows.iter().copied()),
        }
        true
    }

    pub(crate) fn read(&self, group: usize) -> Rows {
        let Group { reserved, kept, note, .. } = &self.groups[group];
        let kept = kept.iter().map(|(seq, message)| (*seq, *message));
        let messages = self.stored(group).chain(kept).collect();
        Rows { reserved: reserved.0, closed: note.0.closed, messages }
    }

    /// The messages of a stored group that count.
    pub(crate) fn stored(&self, group: usize) -> impl Iterator<Item = (u64, Message)> {
        let Group { rows, note: (note, _), .. } = &self.groups[group];
        let counts = move |(expected, (seq, (life, ..))): &(u64, (&u64, &(u64, Message, i64)))| {
            let follows = expected == *seq && (*life == note.life || !self.noted);
            **seq <= note.head || follows
        };
        (1..).zip(rows).take_while(counts).map(|(_, (seq, (_, message, _)))| (*seq, *message))
    }

    /// A message, if a reader sees it.
    pub(crate) fn get(&self, group: usize, seq: u64) -> Option<Message> {
        let kept = self.groups[group].kept.get(&seq).copied();
        kept.or_else(|| self.stored(group).find(|(at, _)| *at == seq).map(|(_, message)| message))
    }
}
