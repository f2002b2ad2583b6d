//! From a capture to a plan: users become clients, groups become rooms, and what clients did becomes
//! messages and steps at the same moments, faster or slower.

use std::collections::{BTreeMap, HashMap, HashSet};

use throng_capture::{Command, Message as Sent, Pseudonym, Record, What};

use crate::capture::command;
use crate::plan::{Message, Move, Nanos, Plan, Priority, Seat, Seats, Step, Turns};
use crate::profile::RoomKind;

/// Bytes of the longest text that is sent.
const MOST_BYTES: u32 = 8_000;
/// Bytes of a message whose body was not captured.
const SOME_BYTES: u32 = 60;

/// In which order messages of a group go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Each at its moment.
    #[default]
    Timed,
    /// Each at its moment, but not before the one with the number before it was answered.
    Strict,
}

/// What the capture says of a message of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Captured {
    /// The number that it got, if it got one.
    pub seq: Option<u32>,
}

/// A capture as a plan.
#[derive(Debug, Clone)]
pub struct Replay {
    /// What the workers carry out.
    pub plan: Plan,
    /// What the capture says of the plan's messages, by number.
    pub captured: Vec<Captured>,
    /// What is not done again, and how often.
    pub left_out: BTreeMap<String, u64>,
    /// How messages go out.
    pub order: Order,
}

/// A capture that cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There is no connection and no message.
    #[error("nothing in it can be replayed")]
    Nothing,
    /// It cannot be told what to wait for.
    #[error("no message in it has a number: there is no order to keep")]
    NoOrder,
    /// Beyond the numbers that are used here.
    #[error("too many records")]
    TooMany,
}

/// A user, while records are looked at.
#[derive(Default)]
struct User {
    seats: Vec<Seat>,
    /// Connected when it begins.
    there: bool,
    /// Something of it was seen.
    seen: bool,
    lines: HashSet<u64>,
}

#[derive(Default)]
struct Builder {
    speed: f64,
    users: HashMap<Pseudonym, u32>,
    groups: HashMap<Pseudonym, u32>,
    clients: Vec<User>,
    live: Vec<bool>,
    messages: Vec<(Message, Captured)>,
    /// Where a message is, that may come again.
    known: HashMap<Pseudonym, usize>,
    steps: Vec<Step>,
    left_out: BTreeMap<String, u64>,
}

impl Replay {
    /// Makes a plan of records that are in the order of time, `speed` times as fast.
    ///
    /// # Errors
    /// [`ReplayError`] when there is nothing to do.
    pub fn new(records: &[Record], speed: f64, order: Order) -> Result<Self, ReplayError> {
        if u32::try_from(records.len()).is_err() {
            return Err(ReplayError::TooMany);
        }
        let mut builder = Builder { speed, ..Builder::default() };
        let began = records.iter().find(|it| it.user.is_some()).map_or(0, |record| record.at);
        for record in records {
            builder.take(record, began);
        }
        if order == Order::Strict {
            let all = builder.messages.len();
            builder.messages.retain(|(_, captured)| captured.seq.is_some());
            builder.leave_out("messages without a number", (all - builder.messages.len()) as u64);
            if builder.messages.is_empty() {
                return Err(ReplayError::NoOrder);
            }
        }
        if builder.clients.is_empty() {
            return Err(ReplayError::Nothing);
        }
        Ok(builder.finish(order))
    }

    /// How long it takes, seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.plan.ends as f64 / crate::plan::SECOND as f64
    }
}

impl Builder {
    fn take(&mut self, record: &Record, began: u64) {
        let Some(user) = record.user else {
            if let What::Dropped { count } = record.what {
                self.leave_out("records that the capture is missing", count);
            }
            return;
        };
        let at = (record.at.saturating_sub(began) as f64 * 1_000.0 / self.speed) as Nanos;
        let next = self.users.len() as u32;
        let client = *self.users.entry(user).or_insert(next);
        if client == next {
            self.clients.push(User::default());
        }
        let state = &mut self.clients[client as usize];
        match &record.what {
            What::Open => {
                // While one line stands a second one is another device, for which nothing is done.
                if state.lines.is_empty() && (!state.there || state.seen) {
                    self.steps.push(Step { at, client, what: Move::Dial });
                }
                state.lines.insert(record.line);
            }
            What::Close { .. } => {
                if state.lines.remove(&record.line) && state.lines.is_empty() {
                    self.steps.push(Step { at, client, what: Move::Hang });
                }
            }
            What::Command(command) => {
                if state.lines.insert(record.line) && state.lines.len() == 1 {
                    // Its beginning is not in the capture.
                    if state.seen {
                        self.steps.push(Step { at, client, what: Move::Dial });
                    } else {
                        state.there = true;
                    }
                }
                state.seen = true;
                self.command(at, client, command);
            }
            What::Dropped { .. } | What::End => {}
        }
        self.clients[client as usize].seen = true;
    }

    fn command(&mut self, at: Nanos, client: u32, command: &Command) {
        let name = &*command.name;
        let Some(group) =
            command.group.filter(|_| [command::JOIN, command::QUIT, command::SEND].contains(&name))
        else {
            if ![command::LOGIN, "im_open_status.wslogout"].contains(&name) {
                self.leave_out(name, 1);
            }
            return;
        };
        if command.code != 0 {
            return self.leave_out(&format!("{name}, refused"), 1);
        }
        if command.took.is_none() && name != command::SEND {
            return self.leave_out(&format!("{name}, not answered"), 1);
        }
        let next = self.groups.len() as u32;
        let room = *self.groups.entry(group).or_insert(next);
        if room == next {
            self.live.push(false);
        }
        self.live[room as usize] |= command.live;
        let seats = &mut self.clients[client as usize].seats;
        let is_new = seats.iter().all(|seat| seat.room != room);
        if is_new {
            // Who speaks or leaves without having joined was in before it all began.
            seats.push(Seat { room, first: name != command::JOIN });
        }
        match &command.message {
            Some(sent) if name == command::SEND => self.message(at, client, room, sent),
            _ if name == command::JOIN => {
                self.steps.push(Step { at, client, what: Move::Join(room) });
            }
            _ if name == command::QUIT => {
                self.steps.push(Step { at, client, what: Move::Leave(room) });
            }
            _ => self.leave_out(&format!("{name}, without its message"), 1),
        }
    }

    fn message(&mut self, at: Nanos, client: u32, room: u32, sent: &Sent) {
        let seq = Some(sent.seq).filter(|seq| *seq != 0 && !sent.dropped);
        // A client that got no answer sends the same again; after minutes it may use a number anew.
        if let Some(known) = self.known.get(&sent.id) {
            let captured = &mut self.messages[*known].1;
            if captured.seq.is_none() || seq.is_none() || captured.seq == seq {
                captured.seq = captured.seq.or(seq);
                return self.leave_out("messages that were sent again", 1);
            }
        }
        let lengths = sent.elements.iter().map(|element| element.bytes);
        let bytes = if sent.elements.is_empty() {
            SOME_BYTES
        } else {
            lengths.fold(0, u32::saturating_add).clamp(1, MOST_BYTES)
        };
        let priority = match sent.priority.as_deref() {
            Some("High") => Priority::High,
            Some("Low") => Priority::Low,
            Some("Lowest") => Priority::Lowest,
            _ => Priority::Normal,
        };
        self.known.insert(sent.id, self.messages.len());
        let message = Message { at, room, place: 0, sender: client, priority, bytes };
        self.messages.push((message, Captured { seq }));
    }

    fn leave_out(&mut self, what: &str, count: u64) {
        if count > 0 {
            *self.left_out.entry(what.to_owned()).or_default() += count;
        }
    }

    fn finish(mut self, order: Order) -> Replay {
        // As the plan sorts them: so its messages and what is known of them keep together.
        self.messages.sort_by_key(|(message, _)| (message.at, message.room));
        let last_message = self.messages.last().map_or(0, |(message, _)| message.at);
        let last_step = self.steps.iter().map(|step| step.at).max().unwrap_or(0);
        let seats = self.clients.into_iter().map(|user| {
            let first = user.seats.iter().any(|seat| seat.first);
            (user.seats, user.there || first)
        });
        let (messages, captured): (Vec<_>, Vec<_>) = self.messages.into_iter().unzip();
        let kind = |live: bool| if live { RoomKind::AVChatRoom } else { RoomKind::Public };
        let mut plan = Plan {
            rooms: self.groups.len() as u32,
            kinds: self.live.into_iter().map(kind).collect(),
            clients: self.users.len() as u32,
            seats: Seats::Lists(seats.collect()),
            messages,
            steps: self.steps,
            measured_from: 0,
            ends: last_message.max(last_step) + 1,
            in_order: true,
            turns: None,
        };
        plan.sort();
        if order == Order::Strict {
            plan.turns = Some(turns(&plan, &captured));
        }
        Replay { plan, captured, left_out: self.left_out, order }
    }
}

fn turns(plan: &Plan, captured: &[Captured]) -> Turns {
    let mut order: Vec<Vec<u32>> = vec![Vec::new(); plan.rooms as usize];
    for (number, message) in (0..).zip(&plan.messages) {
        order[message.room as usize].push(number);
    }
    let mut place = vec![0; plan.messages.len()];
    for room in &mut order {
        room.sort_by_key(|number| captured[*number as usize].seq);
        for (at, number) in (0..).zip(room) {
            place[*number as usize] = at;
        }
    }
    Turns { order, place }
}

#[cfg(test)]
mod tests;
