//! What is behind a room's lock: who sits there, and how an event reaches them.

use std::collections::HashMap;
use std::sync::Arc;

use throng_proto::v1::{RoomEvent, room_event::Membership};
use tokio::time::Instant;

use super::attendee::{Attendee, PollSeat, Seat};
use super::position::Position;
use super::ring::{Event, Page, Ring};
use super::room::Room;

/// From where on a member is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// It has just joined here.
    Joined(Position),
    /// It comes back and had been sent this `MsgSeq`; 0 when that is not known.
    Seq(u32),
}

#[derive(Debug)]
pub(super) struct State {
    /// Out of the hub: nobody may sit down any more.
    pub(super) closed: bool,
    /// The ring was filled from the owner's; before that nobody is sent anything.
    pub(super) ready: bool,
    pub(super) head: Position,
    pub(super) ring: Ring,
    pub(super) push: Vec<PushMember>,
    /// Attendee → place in `push`.
    pub(super) push_index: HashMap<u64, usize>,
    pub(super) polls: HashMap<PollSeat, PollMember>,
    /// The last page made: those who wait at the head all get the same.
    pub(super) page: Option<(Position, Arc<Page>)>,
}

#[derive(Debug)]
pub(super) struct PushMember {
    pub(super) attendee: Arc<Attendee>,
    pub(super) since: Since,
    /// The place that `since` means.
    pub(super) from: Position,
    /// Events up to here are not for it, or were sent when it was caught up.
    pub(super) after: Position,
}

#[derive(Debug)]
pub(super) struct PollMember {
    pub(super) attendee: Arc<Attendee>,
    pub(super) since: Since,
    /// Where its last poll began: it has everything up to there.
    pub(super) has: Option<Position>,
    pub(super) polled: Instant,
    pub(super) holding: usize,
}

impl State {
    pub(super) fn new(ring: Ring) -> Self {
        Self {
            closed: false,
            ready: false,
            head: Position::default(),
            ring,
            push: Vec::new(),
            push_index: HashMap::new(),
            polls: HashMap::new(),
            page: None,
        }
    }

    pub(super) fn add_push(&mut self, attendee: &Arc<Attendee>, since: Since) {
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

    pub(super) fn remove_push(&mut self, id: u64) -> Option<PushMember> {
        let at = self.push_index.remove(&id)?;
        let member = self.push.swap_remove(at);
        if let Some(moved) = self.push.get(at) {
            self.push_index.insert(moved.attendee.id, at);
        }
        Some(member)
    }

    /// Keeps an event and hands it to everybody it is for; returns who is out of the room by it.
    pub(super) fn deliver(
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
    pub(super) fn catch_up(&mut self, ring: &Ring, head: Position) {
        self.from = match self.since {
            Since::Joined(position) => position,
            Since::Seq(seq) => ring.place_of_seq(seq),
        };
        let is_for =
            |event: &&Event| !event.event.frame.is_empty() && event.is_for(&self.attendee.user);
        for event in ring.after(self.from).filter(is_for) {
            let _ = self.attendee.outbox.room(&event.event.frame, event.event.priority);
        }
        // Later than the head if it joined before its own event came by.
        self.after = self.from.max(head);
    }
}
