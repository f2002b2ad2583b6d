//! Group actors: one task a hot group, made on demand, dropped when idle. An actor runs short
//! synchronous jobs one after the other and never waits inside one; what a job decided leaves it as
//! a [`Unit`] of effects, which the group's committer carries out in order (rows and log durable,
//! then everything out, then answers). Messages of live rooms that are kept go on to the appender,
//! which nothing but their own senders waits for.
//!
//! An actor lives within one tenure of its shard. What it writes bears write times of that tenure,
//! and before anything is published or answered it looks whether the group is still its own: what
//! was acknowledged was durable while nobody else could own the group.

mod append;
mod audience;
mod commit;
mod deliver;
mod listen;
mod log;
mod outcome;
mod registry;
mod run;
mod save;
mod turn;

use std::sync::Arc;

use throng_protocol::error::CommandError;
use throng_protocol::ids::AppId;
use tokio::sync::oneshot;

pub(crate) use append::{Appended, Kept, KeptMark, MOST_UNKEPT};
pub(crate) use deliver::{Delivery, Errand, To};
pub(crate) use log::{Log, LogLife};
pub(crate) use outcome::{Failure, Fate};
pub(crate) use registry::Rooms;
pub(crate) use turn::{Now, Turn, Unit};

/// Names a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    pub(crate) app: AppId,
    pub(crate) group_id: Arc<str>,
}

/// Something to do on a group's actor, or the reason why it is not done.
pub(crate) type Job = Box<dyn FnOnce(Result<&mut Turn<'_>, Failure>) + Send>;

/// Where the result of a job goes once its effects are carried out. Dropping it answers 10002, or
/// that the group was lost.
pub(crate) struct Reply<R>(oneshot::Sender<Result<R, Failure>>);

impl<R> Reply<R> {
    /// Sends the result; nobody may be waiting any more.
    pub(crate) fn send(self, result: Result<R, CommandError>) {
        let _ = self.0.send(result.map_err(Failure::Refused));
    }

    /// There is no result.
    pub(crate) fn refuse(self, failure: Failure) {
        let _ = self.0.send(Err(failure));
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}
