//! One live room at this gateway: its members here, its recent events, where it stands. Everything
//! is behind one lock that is held for as long as one event takes to reach all outboxes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use throng_proto::v1::{RoomEvent, room_event::Membership};
use throng_protocol::ids::AppId;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attendee::{Attendee, PollSeat, Seat};
use super::position::Position;
use super::ring::{Event, Page, Ring};

/// A room that this gateway has members in.
#[derive(Debug)]
pub(crate) struct Room {
    app: AppId,
    group: String,
    state: Mutex<State>,
    /// Something came, or the room became ready: for polls that wait.
    pub(super) changed: Notify,
    /// Ends the room's subscription.
    pub(super) stop: CancellationToken,
}

#[derive(Debug)]
struct State {
    /// Out of the hub: nobody may sit down any more.
    closed: bool,
    /// The ring was filled from the owner's; before that nobody is sent anything.
    ready: bool,
    head: Position,
    ring: Ring,
    push: Vec<PushMember>,
    /// Attendee → place in `push`.
    push_index: HashMap<u64, usize>,
    polls: HashMap<PollSeat, PollMember>,
    /// The last page made: those who wait at the head all get the same.
    page: Option<(Position, Arc<Page>)>,
}

/// From where on a member is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// It has just joined here.
    Joined(Position),
    /// It comes back and had been sent this `MsgSeq`; 0 when that is not known.
    Seq(u32),
}

#[derive(Debug)]
struct PushMember {
    attendee: Arc<Attendee>,
    since: Since,
    /// The place that `since` means.
    from: Position,
    /// Events up to here are not for it, or were sent when it was caught up.
    after: Position,
}

#[derive(Debug)]
struct PollMember {
    attendee: Arc<Attendee>,
    since: Since,
    polled: Instant,
    holding: usize,
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
            app,
            group,
            state: Mutex::new(State {
                closed: false,
                ready: false,
                head: Position::default(),
                ring,
                push: Vec::new(),
                push_index: HashMap::new(),
                polls: HashMap::new(),
                page: None,
            }),
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
    /// it again from the hub), else whether the member sits: not if its connection is gone.
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
            Seat::Push if taken => {}
            Seat::Push => state.add_push(attendee, since),
            Seat::Poll(place) => {
                let member = PollMember {
                    attendee: Arc::clone(attendee),
                    since,
                    polled: Instant::now(),
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

    /// Gives up a seat, if this attendee holds it.
    pub(super) fn leave(self: &Arc<Self>, attendee: &Attendee, seat: &Seat) -> Option<Left> {
        let mut state = self.state.lock();
        let last_seq = match seat {
            Seat::Push => {
                let member = state.remove_push(attendee.id)?;
                match member.since {
                    Since::Seq(seq) if !state.ready => seq,
                    _ => state.ring.certain_seq(member.from, Instant::now()),
                }
            }
            Seat::Poll(place) => {
                if state.polls.get(place)?.attendee.id != attendee.id {
                    return None;
                }
                state.polls.remove(place);
                0
            }
        };
        attendee.stand_up(self, seat);
        Some(Left { group: self.group.clone(), seat: seat.clone(), last_seq })
    }

    /// Fills the ring with the owner's recent events; from now on members are served.
    pub(super) fn make_ready(self: &Arc<Self>, events: Vec<RoomEvent>, head: Position) {
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
        let State { push, ring, head, .. } = &mut *state;
        for member in push {
            member.catch_up(ring, *head);
        }
        drop(state);
        self.changed.notify_waiters();
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

    /// Notes a poll. The place is served on this connection from now on. False: nobody has it.
    pub(super) fn begin_poll(self: &Arc<Self>, place: &PollSeat, attendee: &Arc<Attendee>) -> bool {
        let mut state = self.state.lock();
        let Some(member) = state.polls.get_mut(place) else { return false };
        member.polled = Instant::now();
        if member.attendee.id != attendee.id {
            let mut seats = attendee.seats.lock();
            if seats.closed {
                return true;
            }
            let seat = Seat::Poll(place.clone());
            seats.list.push((Arc::clone(self), seat.clone()));
            drop(seats);
            let before = std::mem::replace(&mut member.attendee, Arc::clone(attendee));
            before.stand_up(self, &seat);
        }
        member.holding += 1;
        true
    }

    /// Notes that a poll was answered.
    pub(super) fn end_poll(&self, place: &PollSeat) {
        if let Some(member) = self.state.lock().polls.get_mut(place) {
            member.polled = Instant::now();
            member.holding = member.holding.saturating_sub(1);
        }
    }

    /// What a poll gets now: nothing before the room is ready. `start` is the client's cursor.
    pub(super) fn page(&self, place: &PollSeat, start: u64) -> Option<Arc<Page>> {
        let mut state = self.state.lock();
        if !state.ready {
            return None;
        }
        let after = Position::from_cursor(start, state.head).unwrap_or_else(|| {
            match state.polls.get(place).map(|member| member.since) {
                Some(Since::Joined(position)) => position,
                Some(Since::Seq(seq)) => state.ring.place_of_seq(seq),
                None => state.head,
            }
        });
        if let Some((made_for, page)) = &state.page
            && *made_for == after
        {
            return Some(Arc::clone(page));
        }
        let page = Arc::new(state.ring.page(after, &place.user));
        if page.for_all {
            state.page = Some((after, Arc::clone(&page)));
        }
        Some(page)
    }

    /// Takes guests out that have not polled since `before`.
    pub(super) fn expire_guests(self: &Arc<Self>, before: Instant) -> Vec<PollSeat> {
        let mut state = self.state.lock();
        let gone: Vec<PollSeat> = state
            .polls
            .iter()
            .filter(|(place, member)| {
                place.user.is_empty() && member.holding == 0 && member.polled < before
            })
            .map(|(place, _)| place.clone())
            .collect();
        for place in &gone {
            if let Some(member) = state.polls.remove(place) {
                member.attendee.stand_up(self, &Seat::Poll(place.clone()));
            }
        }
        gone
    }
}

impl State {
    fn add_push(&mut self, attendee: &Arc<Attendee>, since: Since) {
        let mut member = PushMember {
            attendee: Arc::clone(attendee),
            since,
            from: Position::default(),
            after: Position::default(),
        };
        if self.ready {
            member.catch_up(&self.ring, self.head);
        }
        self.push_index.insert(attendee.id, self.push.len());
        self.push.push(member);
    }

    fn remove_push(&mut self, id: u64) -> Option<PushMember> {
        let at = self.push_index.remove(&id)?;
        let member = self.push.swap_remove(at);
        if let Some(moved) = self.push.get(at) {
            self.push_index.insert(moved.attendee.id, at);
        }
        Some(member)
    }

    /// Keeps an event and hands it to everybody it is for; returns who is out of the room by it.
    fn deliver(
        &mut self,
        room: &Arc<Room>,
        position: Position,
        event: RoomEvent,
    ) -> Vec<Arc<Attendee>> {
        self.head = position;
        self.page = None;
        let event = self.ring.push(position, event, Instant::now());
        if !event.event.frame.is_empty() {
            let frame = &event.event.frame;
            let priority = event.event.priority;
            if event.event.recipients.is_empty() {
                for member in &self.push {
                    if member.after < position {
                        // One whose connection is gone is taken out by its own task.
                        let _ = member.attendee.outbox.room(frame, priority);
                    }
                }
            } else {
                for member in &self.push {
                    if member.after < position && event.is_for(&member.attendee.user) {
                        let _ = member.attendee.outbox.room(frame, priority);
                    }
                }
            }
        }
        match event.event.membership.clone() {
            None => Vec::new(),
            Some(membership) => self.take_out(room, &membership),
        }
    }

    fn take_out(&mut self, room: &Arc<Room>, membership: &Membership) -> Vec<Arc<Attendee>> {
        let is_out = |user: &str| match membership {
            Membership::Closed(_) => true,
            Membership::Removed(removed) => removed.users.iter().any(|one| one == user),
        };
        let mut out = Vec::new();
        let pushed: Vec<u64> = self
            .push
            .iter()
            .filter(|member| is_out(&member.attendee.user))
            .map(|member| member.attendee.id)
            .collect();
        for id in pushed {
            if let Some(member) = self.remove_push(id) {
                member.attendee.stand_up(room, &Seat::Push);
                out.push(member.attendee);
            }
        }
        let polling: Vec<PollSeat> =
            self.polls.keys().filter(|place| is_out(&place.user)).cloned().collect();
        for place in polling {
            if let Some(member) = self.polls.remove(&place) {
                member.attendee.stand_up(room, &Seat::Poll(place));
                out.push(member.attendee);
            }
        }
        out
    }
}

impl PushMember {
    /// Sends what the member has missed, and nothing of it again.
    fn catch_up(&mut self, ring: &Ring, head: Position) {
        self.from = match self.since {
            Since::Joined(position) => position,
            Since::Seq(seq) => ring.place_of_seq(seq),
        };
        let is_for = |event: &&Event| {
            !event.event.frame.is_empty() && event.is_for(&self.attendee.user)
        };
        for event in ring.after(self.from).filter(is_for) {
            let _ = self.attendee.outbox.room(&event.event.frame, event.event.priority);
        }
        // Later than the head if it joined before its own event came by.
        self.after = self.from.max(head);
    }
}
