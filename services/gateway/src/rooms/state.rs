//! What is behind a room's lock: who sits there, and how an event reaches them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use throng_proto::v1::{RoomEvent, room_event::Membership};
use tokio::time::Instant;

use super::attendee::{Attendee, PollSeat, Seat};
use super::position::Position;
use super::ring::{Event, Page, Ring};
use super::room::Room;
use crate::connection::Shard;

/// Number of the next room.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// From where on a member is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// It has just joined here.
    Joined(Position),
    /// It comes back.
    Back {
        /// The `MsgSeq` that it had been sent; 0 when that is not known.
        seq: u32,
        /// Where the room stood when its owner said that it still is a member.
        attached: Position,
    },
    /// It comes back, and what it missed was sent to it beside the room's stream.
    Told {
        /// The `MsgSeq` that it had been sent before; 0 when that is not known.
        seq: u32,
        /// Up to where it was told.
        attached: Position,
        /// When.
        at: Instant,
    },
}

impl Since {
    /// From where on an event may take it out of the room.
    pub(super) fn member_at(self) -> Position {
        match self {
            Since::Joined(position) => position,
            Since::Back { attached, .. } | Since::Told { attached, .. } => attached,
        }
    }
}

#[derive(Debug)]
pub(super) struct State {
    /// Out of the hub: nobody may sit down any more.
    pub(super) closed: bool,
    /// The ring was filled from the owner's; before that nobody is sent anything.
    pub(super) ready: bool,
    pub(super) head: Position,
    pub(super) ring: Ring,
    /// Names the room to those who write.
    number: u64,
    /// Those who write to members, and to how many each.
    shards: Vec<(Shard, usize)>,
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
    /// Events up to here are not for it, or were sent when it was caught up. `None`: it gets none yet.
    pub(super) after: Option<Position>,
}

#[derive(Debug)]
pub(super) struct PollMember {
    pub(super) attendee: Arc<Attendee>,
    pub(super) since: Since,
    /// Where its last poll began: it has everything up to there.
    pub(super) has: Option<Position>,
    /// In whole seconds.
    pub(super) polled: u32,
    /// Different for every member of this process.
    pub(super) number: u64,
    /// A guest that is looked at from time to time.
    pub(super) watched: bool,
    pub(super) holding: usize,
}

impl State {
    pub(super) fn new(ring: Ring) -> Self {
        Self {
            closed: false,
            ready: false,
            head: Position::default(),
            ring,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            shards: Vec::new(),
            push: Vec::new(),
            push_index: HashMap::new(),
            polls: HashMap::new(),
            page: None,
        }
    }

    /// Takes a member in, unless an event that was here before it took it out already.
    pub(super) fn add_push(&mut self, attendee: &Arc<Attendee>, since: Since) -> bool {
        let mut member = PushMember {
            attendee: Arc::clone(attendee),
            since,
            from: Position::default(),
            after: None,
        };
        if self.ready && !member.catch_up(&self.ring, self.head, self.number) {
            return false;
        }
        let shard = attendee.outbox.shard();
        match self.shards.iter_mut().find(|(known, _)| Arc::ptr_eq(known, shard)) {
            Some((_, members)) => *members += 1,
            None => self.shards.push((Arc::clone(shard), 1)),
        }
        self.push_index.insert(attendee.id, self.push.len());
        self.push.push(member);
        true
    }

    /// Whether an event that was here before it took a member that polls out already.
    pub(super) fn is_out(&self, user: &str, since: Since) -> bool {
        self.ready && self.ring.after(since.member_at()).any(|event| takes_out(event, user))
    }

    /// Brings everybody who waited for the ring up to date; returns who is out of the room by what
    /// is in it.
    pub(super) fn catch_up_all(&mut self, room: &Arc<Room>) -> Vec<Arc<Attendee>> {
        let Self { push, ring, head, number, .. } = self;
        let gone: Vec<u64> = push
            .iter_mut()
            .filter_map(|member| {
                (!member.catch_up(ring, *head, *number)).then_some(member.attendee.id)
            })
            .collect();
        let polling: Vec<PollSeat> = self
            .polls
            .iter()
            .filter(|(place, member)| self.is_out(&place.user, member.since))
            .map(|(place, _)| place.clone())
            .collect();
        self.remove_all(room, gone, polling)
    }

    fn remove_all(
        &mut self,
        room: &Arc<Room>,
        pushed: Vec<u64>,
        polling: Vec<PollSeat>,
    ) -> Vec<Arc<Attendee>> {
        let mut out = Vec::with_capacity(pushed.len() + polling.len());
        for id in pushed {
            if let Some(member) = self.remove_push(id) {
                member.attendee.stand_up(room, &Seat::Push);
                out.push(member.attendee);
            }
        }
        for place in polling {
            if let Some(member) = self.polls.remove(&place) {
                member.attendee.stand_up(room, &Seat::Poll(place));
                out.push(member.attendee);
            }
        }
        out
    }

    pub(super) fn remove_push(&mut self, id: u64) -> Option<PushMember> {
        let at = self.push_index.remove(&id)?;
        let member = self.push.swap_remove(at);
        member.attendee.outbox.part(self.number);
        let shard = member.attendee.outbox.shard();
        if let Some(place) = self.shards.iter().position(|(known, _)| Arc::ptr_eq(known, shard)) {
            self.shards[place].1 -= 1;
            if self.shards[place].1 == 0 {
                self.shards.swap_remove(place);
            }
        }
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
                for (shard, _) in &self.shards {
                    shard.publish(self.number, position, frame, priority);
                }
            } else {
                for member in &self.push {
                    if member.after.is_some_and(|after| after < position)
                        && event.is_for(&member.attendee.user)
                    {
                        // One whose connection is gone is taken out by its own task.
                        let _ = member.attendee.outbox.in_order(frame);
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
        let is_out = |user: &str| ends(membership, user);
        let pushed: Vec<u64> = self
            .push
            .iter()
            .filter(|member| is_out(&member.attendee.user))
            .map(|member| member.attendee.id)
            .collect();
        let polling: Vec<PollSeat> =
            self.polls.keys().filter(|place| is_out(&place.user)).cloned().collect();
        self.remove_all(room, pushed, polling)
    }
}

fn ends(membership: &Membership, user: &str) -> bool {
    match membership {
        Membership::Closed(_) => true,
        Membership::Removed(removed) => removed.users.iter().any(|one| one == user),
    }
}

fn takes_out(event: &Event, user: &str) -> bool {
    event.event.membership.as_ref().is_some_and(|membership| ends(membership, user))
}

impl PushMember {
    /// Sends what the member has missed, and nothing of it again. False: the last of it took the
    /// member out of the room.
    pub(super) fn catch_up(&mut self, ring: &Ring, head: Position, room: u64) -> bool {
        self.from = match self.since {
            Since::Joined(position) | Since::Told { attached: position, .. } => position,
            Since::Back { seq, .. } => ring.place_of_seq(seq),
        };
        let user = &self.attendee.user;
        let member_at = self.since.member_at();
        for event in ring.after(self.from) {
            if !event.event.frame.is_empty() && event.is_for(user) {
                let _ = self.attendee.outbox.in_order(&event.event.frame);
            }
            if event.position > member_at && takes_out(event, user) {
                return false;
            }
        }
        // Later than the head if it joined before its own event came by.
        let after = self.from.max(head);
        self.after = Some(after);
        self.attendee.outbox.join(room, after);
        true
    }
}
