//! One live room at this gateway: its members here, its recent events, where it stands. Everything
//! is behind one lock that is held for as long as one event takes to reach all outboxes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use throng_proto::v1::{GatewayMember, RoomEvent};
use throng_protocol::ids::{AppId, group_hash};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attendee::{Attendee, Seat};
use super::position::Position;
use super::ring::{Ring, UNCERTAIN};
use super::state::{PollMember, Since, State};
use super::takeover::Takeover;
use crate::connection::Coarse;

/// Numbers of members that poll.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A room that this gateway has members in.
#[derive(Debug)]
pub(crate) struct Room {
    app: AppId,
    group: String,
    /// What the group is placed by.
    pub(super) hash: u64,
    pub(super) takeover: Takeover,
    pub(super) state: Mutex<State>,
    /// Something came, or the room became ready: for polls that wait.
    pub(super) changed: Notify,
    /// Ends the room's subscription.
    pub(super) stop: CancellationToken,
}

/// What became of an event that came over the bus.
#[derive(Debug)]
pub(crate) enum Offered {
    /// Delivered; these are out of the room now.
    Delivered(Vec<Arc<Attendee>>),
    /// Seen before.
    Old,
    /// There are events between the last one and this one.
    Hole(RoomEvent),
}

/// A seat that was given up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) group: String,
    pub(crate) seat: Seat,
    /// `MsgSeq` that the member has for certain, 0 when unknown.
    pub(crate) last_seq: u32,
}

impl Room {
    pub(super) fn new(app: AppId, group: String, ring: Ring) -> Self {
        Self {
            hash: group_hash(app, &group),
            app,
            group,
            takeover: Takeover::default(),
            state: Mutex::new(State::new(ring)),
            changed: Notify::new(),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) fn app(&self) -> AppId {
        self.app
    }

    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    /// Where the room stands.
    pub(super) fn head(&self) -> Position {
        self.state.lock().head
    }

    /// Takes a member in. What it missed is sent at once. Returns `None` when the room is closed (get
    /// it again from the hub), else whether the member sits: not if its connection is gone, or if
    /// what it missed took it out of the room.
    pub(super) fn sit(
        self: &Arc<Self>,
        attendee: &Arc<Attendee>,
        seat: &Seat,
        since: Since,
    ) -> Option<bool> {
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        let mut seats = attendee.seats.lock();
        if seats.closed {
            return Some(false);
        }
        let taken = seats.list.iter().any(|(room, held)| Arc::ptr_eq(room, self) && held == seat);
        if !taken {
            seats.list.push((Arc::clone(self), seat.clone()));
        }
        drop(seats);
        match seat {
            _ if taken => {}
            Seat::Push if state.add_push(attendee, since) => {}
            Seat::Push => {
                attendee.stand_up(self, seat);
                return Some(false);
            }
            Seat::Poll(place) if state.is_out(&place.user, since) => {
                attendee.stand_up(self, seat);
                return Some(false);
            }
            Seat::Poll(place) => {
                let member = PollMember {
                    attendee: Arc::clone(attendee),
                    since,
                    has: None,
                    polled: Coarse::now(),
                    number: NEXT.fetch_add(1, Ordering::Relaxed),
                    watched: false,
                    holding: 0,
                };
                if let Some(before) = state.polls.insert(place.clone(), member)
                    && before.attendee.id != attendee.id
                {
                    before.attendee.stand_up(self, seat);
                }
            }
        }
        Some(true)
    }

    /// Whether a member that was sent this `MsgSeq` last can be sent the rest from here.
    pub(super) fn can_replay(&self, last_seq: u32) -> bool {
        let state = self.state.lock();
        state.ready && state.ring.reaches(last_seq)
    }

    /// Gives up a seat, if this attendee holds it.
    pub(super) fn leave(self: &Arc<Self>, attendee: &Attendee, seat: &Seat) -> Option<Left> {
        let mut state = self.state.lock();
        let last_seq = match seat {
            Seat::Push => {
                let member = state.remove_push(attendee.id)?;
                match member.since {
                    Since::Back { seq, .. } if !state.ready => seq,
                    // What it was told may have been lost with its connection.
                    Since::Told { seq, at, .. } if at.elapsed() <= UNCERTAIN => seq,
                    _ => state.ring.certain_seq(member.from, Instant::now()),
                }
            }
            Seat::Poll(place) => {
                if state.polls.get(place)?.attendee.id != attendee.id {
                    return None;
                }
                let has = state.polls.remove(place).and_then(|member| member.has);
                has.map_or(0, |has| state.ring.seq_at(has))
            }
        };
        attendee.stand_up(self, seat);
        Some(Left { group: self.group.clone(), seat: seat.clone(), last_seq })
    }

    /// Fills the ring with the owner's recent events; from now on members are served. Returns those
    /// whom one of the events took out of the room after they had joined.
    pub(super) fn make_ready(
        self: &Arc<Self>,
        events: Vec<RoomEvent>,
        head: Position,
    ) -> Vec<Arc<Attendee>> {
        let mut state = self.state.lock();
        for event in events {
            let position = Position::from(event.position.unwrap_or_default());
            if position > state.head {
                state.head = position;
                state.ring.push(position, event, Instant::now());
            }
        }
        state.head = state.head.max(head);
        state.ready = true;
        let out = state.catch_up_all(self);
        drop(state);
        self.changed.notify_waiters();
        out
    }

    /// Delivers an event that follows the last one.
    pub(super) fn offer(self: &Arc<Self>, event: RoomEvent) -> Offered {
        let position = Position::from(event.position.unwrap_or_default());
        let mut state = self.state.lock();
        let head = state.head;
        if position <= head {
            return Offered::Old;
        }
        let follows = if position.epoch == head.epoch { head.event_no + 1 } else { 1 };
        if position.event_no != follows {
            return Offered::Hole(event);
        }
        let out = state.deliver(self, position, event);
        drop(state);
        self.changed.notify_waiters();
        Offered::Delivered(out)
    }

    /// Delivers an event whatever is missing before it: that is gone for good.
    pub(super) fn force(self: &Arc<Self>, event: RoomEvent) -> Vec<Arc<Attendee>> {
        let position = Position::from(event.position.unwrap_or_default());
        let mut state = self.state.lock();
        if position <= state.head {
            return Vec::new();
        }
        let out = state.deliver(self, position, event);
        drop(state);
        self.changed.notify_waiters();
        out
    }

    /// Delivers an event that has no place of its own behind the last one.
    pub(super) fn append(self: &Arc<Self>, event: RoomEvent) -> Vec<Arc<Attendee>> {
        let mut state = self.state.lock();
        let Position { epoch, event_no } = state.head;
        let out = state.deliver(self, Position { epoch, event_no: event_no + 1 }, event);
        drop(state);
        self.changed.notify_waiters();
        out
    }

    /// Who sits here, and the last `MsgSeq` that they were sent.
    pub(super) fn members(&self) -> (Vec<GatewayMember>, u32) {
        let state = self.state.lock();
        let member = |user: &str, inst_id| GatewayMember { user: user.to_owned(), inst_id };
        let pushed = state.push.iter().map(|one| (&one.attendee.user, one.attendee.inst_id));
        let polling = state.polls.keys().map(|place| (&place.user, place.inst_id));
        let members = pushed.chain(polling).map(|(user, inst_id)| member(user, inst_id)).collect();
        (members, state.ring.seq_at(state.head))
    }

    /// Notes that nothing is missing up to here, though no event says so.
    pub(super) fn advance(&self, head: Position) {
        let mut state = self.state.lock();
        state.head = state.head.max(head);
    }

    /// Whether nobody sits here; then the room is closed.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut state = self.state.lock();
        if !state.push.is_empty() || !state.polls.is_empty() {
            return false;
        }
        state.closed = true;
        self.stop.cancel();
        true
    }

    /// How many sit here.
    pub(super) fn size(&self) -> usize {
        let state = self.state.lock();
        state.push.len() + state.polls.len()
    }
}
