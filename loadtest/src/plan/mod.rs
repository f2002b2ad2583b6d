//! The exact course of a run: who does what at which moment. Plain code; the same profile gives the same
//! plan in every worker, so workers need not talk to each other. [`crate::replay`] makes plans of what was
//! captured.

mod draw;

use crate::profile::{Profile, RoomKind};
use draw::{Draw, Stream};

/// A moment, in nanoseconds since the traffic began.
pub type Nanos = u64;

/// Nanoseconds of a second.
pub const SECOND: Nanos = 1_000_000_000;

/// From the last message until all begin to leave: what is on its way is owed to them.
pub const BEFORE_LEAVING: Nanos = 5 * SECOND;

/// The four priorities of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Gifts.
    High,
    /// Comments.
    Normal,
    /// Reactions.
    Low,
    /// Likes.
    Lowest,
}

impl Priority {
    /// The name on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Normal => "Normal",
            Self::Low => "Low",
            Self::Lowest => "Lowest",
        }
    }
}

/// A message of the plan. Its place in [`Plan::messages`] is its number everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// When it is to be sent.
    pub at: Nanos,
    /// The room.
    pub room: u32,
    /// Its place among the messages of its room.
    pub place: u32,
    /// The client that sends it.
    pub sender: u32,
    /// Its priority.
    pub priority: Priority,
    /// Bytes of its text.
    pub bytes: u32,
}

/// What a client does beside sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Leaves a room.
    Leave(u32),
    /// Joins a room.
    Join(u32),
    /// Loses its connection.
    Break,
    /// Closes its connection and stays away.
    Hang,
    /// Connects, for the first time or again.
    Dial,
}

/// A room that a client is in at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// The room.
    pub room: u32,
    /// It is in from the beginning.
    pub first: bool,
}

/// Who is in which room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seats {
    /// So many members in each: client `n` is in room `n / members`, and all are there when it begins.
    OneEach(u32),
    /// Each client's own, and whether it is there when it begins.
    Lists(Vec<(Vec<Seat>, bool)>),
}

/// A message goes out only when the one before it in its room is settled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turns {
    /// The numbers of each room's messages, in the order in which they must go.
    pub order: Vec<Vec<u32>>,
    /// The place of each message in that order.
    pub place: Vec<u32>,
}

/// A [`Move`] with its moment and client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Nanos,
    /// Who.
    pub client: u32,
    /// What.
    pub what: Move,
}

/// The course of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Rooms.
    pub rooms: u32,
    /// Their kinds.
    pub kinds: Vec<RoomKind>,
    /// How many clients there are.
    pub clients: u32,
    /// Who is in which room.
    pub seats: Seats,
    /// All messages, by time.
    pub messages: Vec<Message>,
    /// Everything else, by time.
    pub steps: Vec<Step>,
    /// When the measured part begins.
    pub measured_from: Nanos,
    /// When the last message may be sent.
    pub ends: Nanos,
    /// What a client does it does in the order of the plan, however late it is with it.
    pub in_order: bool,
    /// The messages of a room go out one after the other.
    pub turns: Option<Turns>,
}

impl Plan {
    /// Draws the course of a profile from its seed.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let measured_from = nanos(profile.phases.warmup_seconds);
        let mut plan = Self {
            rooms: profile.rooms.count,
            kinds: vec![profile.rooms.kind; profile.rooms.count as usize],
            clients: profile.clients(),
            seats: seats(profile),
            messages: Vec::new(),
            steps: Vec::new(),
            measured_from,
            ends: measured_from + nanos(profile.phases.measure_seconds),
            in_order: false,
            turns: None,
        };
        for room in 0..plan.rooms {
            plan.add_messages(profile, room);
            plan.add_churn(profile, room);
        }
        plan.add_cuts(profile);
        plan.add_leaves(profile);
        plan.sort();
        plan
    }

    /// Puts messages and steps in the order of their moments, and counts messages in their rooms.
    pub fn sort(&mut self) {
        self.messages.sort_by_key(|message| (message.at, message.room));
        let mut places = vec![0; self.rooms as usize];
        for message in &mut self.messages {
            let next: &mut u32 = &mut places[message.room as usize];
            message.place = *next;
            *next += 1;
        }
        self.steps.sort_by_key(|step| step.at);
    }

    /// The rooms that a client is in at some time.
    pub fn seats_of(&self, client: u32) -> impl Iterator<Item = Seat> {
        let (one, list) = match &self.seats {
            Seats::OneEach(members) => {
                (Some(Seat { room: client / (*members).max(1), first: true }), &[][..])
            }
            Seats::Lists(lists) => (None, &*lists[client as usize].0),
        };
        one.into_iter().chain(list.iter().copied())
    }

    /// Whether a client is connected when it begins.
    #[must_use]
    pub fn is_there(&self, client: u32) -> bool {
        match &self.seats {
            Seats::OneEach(_) => true,
            Seats::Lists(lists) => lists[client as usize].1,
        }
    }

    /// How many members each room has in all.
    #[must_use]
    pub fn members_of_rooms(&self) -> Vec<u32> {
        let mut counts = vec![0; self.rooms as usize];
        for seat in (0..self.clients).flat_map(|client| self.seats_of(client)) {
            counts[seat.room as usize] += 1;
        }
        counts
    }

    /// How many messages each room gets.
    #[must_use]
    pub fn messages_of_rooms(&self) -> Vec<u32> {
        let mut counts = vec![0; self.rooms as usize];
        for message in &self.messages {
            counts[message.room as usize] += 1;
        }
        counts
    }

    fn add_messages(&mut self, profile: &Profile, room: u32) {
        let traffic = &profile.traffic;
        let members = profile.rooms.members;
        let senders = traffic.senders.min(members);
        let bytes = u32::try_from(traffic.body_bytes).unwrap_or(u32::MAX);
        let mut draw = Draw::new(profile.seed, u64::from(room) << 8);
        let mut parts = vec![(0, self.ends, traffic.messages_per_second, traffic.priorities)];
        for burst in &profile.bursts {
            let from = self.measured_from + nanos(burst.at_seconds);
            let until = (from + nanos(burst.for_seconds)).min(self.ends);
            parts.push((from, until, burst.messages_per_second, burst.priorities));
        }
        for (from, until, rate, priorities) in parts {
            let stream = Stream { from, until, per_second: rate, poisson: traffic.poisson };
            for at in stream.moments(&mut draw) {
                let sender = room * members + draw.below(senders);
                let priority = draw.priority(priorities);
                self.messages.push(Message { at, room, place: 0, sender, priority, bytes });
            }
        }
    }

    /// Members leave in turn, so that nobody is asked to leave who is away.
    fn add_churn(&mut self, profile: &Profile, room: u32) {
        let Some(churn) = &profile.churn else {
            return;
        };
        let mut draw = Draw::new(profile.seed, (u64::from(room) << 8) + 1);
        let members = profile.rooms.members;
        let stays = profile.traffic.senders.min(members);
        let movers = members.saturating_sub(stays);
        let away = nanos(churn.away_seconds);
        let stream = Stream {
            from: 0,
            until: self.ends.saturating_sub(away),
            per_second: churn.leaves_per_second,
            poisson: profile.traffic.poisson,
        };
        let mut free_from = vec![0; movers as usize];
        let mut turn = 0;
        for at in stream.moments(&mut draw) {
            if movers == 0 || free_from[turn as usize] > at {
                continue;
            }
            let client = room * members + stays + turn;
            self.steps.push(Step { at, client, what: Move::Leave(room) });
            self.steps.push(Step { at: at + away, client, what: Move::Join(room) });
            free_from[turn as usize] = at + 2 * away + SECOND;
            turn = (turn + 1) % movers;
        }
    }

    fn add_leaves(&mut self, profile: &Profile) {
        let time = nanos(profile.phases.leave_seconds);
        if time == 0 || self.clients == 0 {
            return;
        }
        let from = self.ends + BEFORE_LEAVING;
        for client in 0..self.clients {
            let at = from + time / u64::from(self.clients) * u64::from(client);
            let rooms: Vec<u32> = self.seats_of(client).map(|seat| seat.room).collect();
            let leave = |room| Step { at, client, what: Move::Leave(room) };
            self.steps.extend(rooms.into_iter().map(leave));
        }
    }

    fn add_cuts(&mut self, profile: &Profile) {
        let mut draw = Draw::new(profile.seed, u64::MAX);
        for cut in &profile.cuts {
            let at = self.measured_from + nanos(cut.at_seconds);
            for client in 0..self.clients {
                if at < self.ends && draw.chance(cut.share) {
                    self.steps.push(Step { at, client, what: Move::Break });
                }
            }
        }
    }
}

fn seats(profile: &Profile) -> Seats {
    let each = profile.rooms.members;
    if profile.login.clients == 0 {
        return Seats::OneEach(each);
    }
    let seated =
        (0..profile.members()).map(|client| vec![Seat { room: client / each, first: true }]);
    let others = (0..profile.login.clients).map(|_| Vec::new());
    Seats::Lists(seated.chain(others).map(|seats| (seats, true)).collect())
}

/// Whole nanoseconds of seconds; what is negative is 0.
#[must_use]
pub fn nanos(seconds: f64) -> Nanos {
    std::time::Duration::try_from_secs_f64(seconds)
        .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(extra: &str) -> Plan {
        let text = format!(
            "version = 1\nname = 'x'\n[rooms]\ncount = 3\nmembers = 10\n\
             [phases]\nwarmup_seconds = 1\nmeasure_seconds = 9\n\
             [traffic]\nmessages_per_second = 20\nsenders = 4\n{extra}"
        );
        Plan::new(&Profile::parse(&text).unwrap())
    }

    #[test]
    fn every_room_gets_its_rate() {
        for poisson in ["", "poisson = true\n"] {
            let plan = plan(poisson);
            for count in plan.messages_of_rooms() {
                assert!((150..=250).contains(&count), "{count}");
            }
            assert!(plan.messages.is_sorted_by_key(|message| message.at));
            assert!(plan.messages.iter().all(|message| message.at < plan.ends));
            for message in &plan.messages {
                let seat = plan.seats_of(message.sender).next().unwrap();
                assert_eq!((seat.room, seat.first), (message.room, true));
                assert!(message.sender % 10 < 4);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_plan() {
        assert_eq!(plan("poisson = true\n").messages, plan("poisson = true\n").messages);
    }

    #[test]
    fn who_left_comes_back_before_leaving_again() {
        let plan = plan("[churn]\nleaves_per_second = 2\naway_seconds = 1\n");
        assert!(plan.steps.len() > 20);
        for client in 0..plan.clients {
            let steps: Vec<_> = plan.steps.iter().filter(|step| step.client == client).collect();
            for pair in steps.chunks(2) {
                let room = client / 10;
                assert_eq!((pair[0].what, pair[1].what), (Move::Leave(room), Move::Join(room)));
                assert_eq!(pair[1].at, pair[0].at + SECOND);
            }
            assert!(client % 10 >= 4 || steps.is_empty(), "senders stay");
        }
    }

    #[test]
    fn all_leave_when_what_was_on_its_way_has_come() {
        let profile = "version = 1\nname = 'x'\n[rooms]\ncount = 2\nmembers = 5\n\
                       [phases]\nwarmup_seconds = 1\nmeasure_seconds = 2\nleave_seconds = 4\n";
        let plan = Plan::new(&Profile::parse(profile).unwrap());
        assert_eq!(plan.steps.len(), 10);
        for (client, step) in (0..).zip(&plan.steps) {
            assert_eq!((step.client, step.what), (client, Move::Leave(client / 5)));
            assert!((8 * SECOND..12 * SECOND).contains(&step.at), "{step:?}");
        }
    }

    #[test]
    fn bursts_and_cuts_come_in_their_time() {
        let plan = plan(
            "[[bursts]]\nat_seconds = 2\nfor_seconds = 1\nmessages_per_second = 100\n\
             priorities = { high = 1, normal = 0 }\n[[cuts]]\nat_seconds = 4\nshare = 1\n",
        );
        let high: Vec<_> =
            plan.messages.iter().filter(|message| message.priority == Priority::High).collect();
        assert_eq!(high.len(), 300);
        assert!(high.iter().all(|message| (3 * SECOND..4 * SECOND).contains(&message.at)));
        assert_eq!(plan.steps.len(), 30);
        assert!(plan.steps.iter().all(|step| step.at == 5 * SECOND && step.what == Move::Break));
    }
}
