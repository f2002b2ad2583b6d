//! What a job sees of the world, and what it leaves behind.

use std::sync::Arc;

use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::GroupType;
use throng_store::Op;
use tokio::time::Instant;

use super::{Delivery, Errand, Failure, GroupKey, Kept, LogLife, Reply, Rooms};
use crate::core::rules::Members;
use crate::placement::Tenure;
use crate::room::Room;
use crate::storage::{Annotation, ProfileRow, UserEntry};

/// Carried out after the effects of its job; the argument says whether that worked.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// The time of a turn: one reading for everything in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Milliseconds on the actor's monotonic clock: limits and pacing.
    pub(crate) ms: u64,
    /// Seconds since 1970: what the outside sees.
    pub(crate) seconds: i64,
}

impl Now {
    pub(crate) fn since(start: Instant) -> Self {
        let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self { ms, seconds: now_seconds() }
    }
}

/// The effects of jobs, carried out together and in the order of the jobs.
#[derive(Default)]
pub(crate) struct Unit {
    /// The group is new: its entry in the app's list is durable before anything else.
    pub(crate) created: Option<GroupType>,
    /// Rows of the group's partition. Durable before anything below happens.
    pub(crate) ops: Vec<Op>,
    /// What members add to messages, durable likewise. Rows of one change are of one message, and are
    /// written together.
    pub(crate) annotations: Vec<Vec<Annotation>>,
    /// Entries for the group in lists of users: those that come are durable before the rows are, those
    /// that go do so after them.
    pub(crate) index: Vec<UserEntry>,
    /// The group ends: all its rows go. No job runs into a unit after this was set.
    pub(crate) dismissed: bool,
    /// Messages and tips for the group's log, numbered without a gap. Durable before anything below
    /// happens.
    pub(crate) stored: Vec<v1::StoredMessage>,
    /// Changes of messages that are in the log already, in order. Durable after `stored` and before
    /// anything below happens.
    pub(crate) amended: Vec<v1::GroupAmendment>,
    /// Which log that is.
    pub(crate) log: Option<LogLife>,
    /// Events for the room, in order.
    pub(crate) events: Vec<Arc<v1::RoomEvent>>,
    /// Where the room's stream stands, for gateways that lost its last event. Goes out after events,
    /// or not at all.
    pub(crate) beacon: Option<v1::RoomEvent>,
    /// Messages to keep, with their senders. Nobody else waits for them.
    pub(crate) kept: Vec<Kept>,
    /// Items for users' sessions, and who the members are whom they go to, in order.
    pub(crate) deliveries: Vec<Errand>,
    /// Results for callers.
    pub(crate) answers: Vec<Answer>,
}

impl Unit {
    pub(crate) fn is_empty(&self) -> bool {
        self.created.is_none()
            && self.ops.is_empty()
            && self.annotations.is_empty()
            && self.index.is_empty()
            && !self.dismissed
            && self.events.is_empty()
            && self.beacon.is_none()
            && self.kept.is_empty()
            && self.stored.is_empty()
            && self.amended.is_empty()
            && self.log.is_none()
            && self.deliveries.is_empty()
            && self.answers.is_empty()
    }

    /// How much there is to carry out, answers aside.
    pub(crate) fn effects(&self) -> usize {
        let single = [self.created.is_some(), self.dismissed, self.log.is_some()];
        single.into_iter().map(usize::from).sum::<usize>()
            + self.ops.len()
            + self.annotations.len()
            + self.index.len()
            + self.stored.len()
            + self.amended.len()
            + self.events.len()
            + self.kept.len()
            + self.deliveries.len()
    }

    /// Sends items to sessions once everything before is carried out.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        self.deliveries.push(Errand::Deliver(delivery));
    }

    /// Answers with `result` once the unit is carried out.
    pub(crate) fn answer<R: Send + 'static>(
        &mut self,
        reply: Reply<R>,
        result: Result<R, CommandError>,
    ) {
        self.answers.push(Box::new(move |done| match done {
            Ok(()) => reply.send(result),
            Err(failure) => reply.refuse(failure),
        }));
    }
}

/// One run of one job.
pub(crate) struct Turn<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) key: &'a GroupKey,
    /// `None` when there is no such group.
    pub(crate) slot: &'a mut Option<Box<Room>>,
    pub(crate) now: Now,
    pub(crate) out: &'a mut Unit,
    /// The right to serve the group.
    pub(crate) tenure: &'a Tenure,
}

impl Turn<'_> {
    /// The group, or the error that it does not exist.
    pub(crate) fn room(&mut self) -> Result<(&mut Room, Now, &mut Unit), CommandError> {
        match self.slot.as_deref_mut() {
            Some(room) => Ok((room, self.now, self.out)),
            None => Err(Code::GROUP_NOT_FOUND
                .with(format!("GroupId: no group {} (or it was dismissed)", self.key.group_id))),
        }
    }

    /// Makes a group that did not exist before; the caller has looked.
    ///
    /// # Errors
    /// 10002 for a type that this server does not know.
    pub(crate) fn make_room(
        &mut self,
        policy: v1::RoomPolicy,
        profile: ProfileRow,
    ) -> Result<(&mut Room, Now, &mut Unit), CommandError> {
        let epoch = self.tenure.epoch();
        let room = Room::create(self.rooms, self.key, epoch, policy, profile, self.out)?;
        Ok((self.slot.insert(room), self.now, self.out))
    }

    /// The group, if it is a live room; 10007 if it is something else.
    pub(crate) fn live(&mut self) -> Result<(&mut Room, Now, &mut Unit), CommandError> {
        let (room, now, unit) = self.room()?;
        if room.rules.members == Members::Stored {
            let info = format!("GroupId: not for groups of type {}", room.kind);
            return Err(Code::GROUP_FORBIDDEN.with(info));
        }
        Ok((room, now, unit))
    }
}
