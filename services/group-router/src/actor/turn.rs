//! What a job sees of the world, and what it leaves behind.

use std::time::Instant;

use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_store::Op;

use super::{GroupKey, Reply};
use crate::room::Room;

/// Carried out after the effects of its job; the argument says whether that worked.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), CommandError>) + Send>;

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

/// The effects of one job, carried out together and in the order of the jobs.
#[derive(Default)]
pub(crate) struct Unit {
    /// Rows of the group's partition. Durable before anything else of this unit happens.
    pub(crate) ops: Vec<Op>,
    /// The group ends: all its rows go.
    pub(crate) dismissed: bool,
    /// Events for the room, in order.
    pub(crate) events: Vec<v1::RoomEvent>,
    /// Messages to keep. Answers of the unit wait for them, events do not.
    pub(crate) appends: Vec<v1::StoredMessage>,
    /// Items for users' sessions.
    pub(crate) notices: Vec<v1::DeliverRequest>,
    /// Results for callers.
    pub(crate) answers: Vec<Answer>,
}

impl Unit {
    pub(crate) fn is_empty(&self) -> bool {
        self.ops.is_empty()
            && !self.dismissed
            && self.events.is_empty()
            && self.appends.is_empty()
            && self.notices.is_empty()
            && self.answers.is_empty()
    }

    /// Answers with `result` once the unit is carried out.
    pub(crate) fn answer<R: Send + 'static>(
        &mut self,
        reply: Reply<R>,
        result: Result<R, CommandError>,
    ) {
        self.answers.push(Box::new(move |done| reply.send(done.and(result))));
    }
}

/// One run of one job.
pub(crate) struct Turn<'a> {
    pub(crate) key: &'a GroupKey,
    /// `None` when there is no such group.
    pub(crate) slot: &'a mut Option<Box<Room>>,
    pub(crate) now: Now,
    pub(crate) out: &'a mut Unit,
    /// Ownership epoch of the group's shard.
    pub(crate) epoch: u64,
    /// The settings that rooms are kept by.
    pub(crate) config: &'a crate::config::Config,
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
}
