//! Group actors: one task a hot group, made on demand, dropped when idle. An actor runs short
//! synchronous jobs one after the other and never waits inside one; what a job decided leaves it as
//! a [`Unit`] of effects, which the group's committer carries out in order (rows durable, then
//! events out, then answers). Messages that are kept go on to the appender, which nothing but their
//! own senders waits for.

mod append;
mod commit;
mod registry;
mod run;
mod turn;

use std::sync::Arc;

use throng_protocol::error::CommandError;
use throng_protocol::ids::AppId;
use tokio::sync::oneshot;

pub(crate) use append::{Appended, Kept, KeptMark, MOST_UNKEPT};
pub(crate) use registry::Rooms;
pub(crate) use turn::{Now, Turn, Unit};

/// Names a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    pub(crate) app: AppId,
    pub(crate) group_id: Arc<str>,
}

/// Something to do on a group's actor.
pub(crate) type Job = Box<dyn FnOnce(&mut Turn<'_>) + Send>;

/// Where the result of a job goes once its effects are carried out. Dropping it answers 10002.
pub(crate) struct Reply<R>(pub(crate) oneshot::Sender<Result<R, CommandError>>);

impl<R> Reply<R> {
    /// Sends the result; nobody may be waiting any more.
    pub(crate) fn send(self, result: Result<R, CommandError>) {
        let _ = self.0.send(result);
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}
