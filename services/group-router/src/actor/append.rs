//! Keeps a room's messages in history, beside the room's stream: a history that stalls or fails holds
//! up nobody but the senders of the messages it does not take.

use std::mem;
use std::time::Duration;

use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::history_client::HistoryClient;
use throng_protocol::error::Code;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::{Failure, GroupKey, Reply};
use crate::clients::{Clients, within};
use crate::core::dedupe::Ticket;
use crate::placement::Tenure;
use crate::room::{SendAnswer, Sent};

/// Messages of one room that may be out and not yet kept. Above, new ones are refused: a sender must
/// learn that history does not keep up, and memory is bounded.
pub(crate) const MOST_UNKEPT: usize = 2048;
/// Appends of one room under way at once.
const APPENDS: usize = 4;
/// Messages and bytes of one append: what fits one gRPC message with room to spare.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;
/// Time for one append. A client gives up on its request after 15 s.
const APPEND_TIME: Duration = Duration::from_secs(10);

/// A message to keep, and its sender, who is answered when that is done.
pub(crate) struct Kept {
    pub(crate) message: v1::StoredMessage,
    pub(crate) reply: Option<Reply<Sent>>,
    pub(crate) mark: KeptMark,
}

/// What the room has to know when a message was kept, or was not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptMark {
    /// The life of the room that the message belongs to.
    pub(crate) stream: u64,
    /// Its entry among the duplicates.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) answer: SendAnswer,
}

/// The outcome of an append.
pub(crate) struct Appended {
    pub(crate) marks: Vec<KeptMark>,
    pub(crate) error: Option<Failure>,
}

impl Appended {
    /// Whether the group was lost meanwhile.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.error, Some(Failure::NotBegun | Failure::Unknown))
    }
}

enum Work {
    Keep(Vec<Kept>),
    /// The group was dismissed: what follows belongs to another one under the same ID, and must not
    /// race with what came before.
    NewLife,
}

/// The committer's end of the appender.
pub(super) struct Appender {
    work: mpsc::Sender<Work>,
    task: JoinHandle<()>,
}

impl Appender {
    pub(super) fn start(
        key: &GroupKey,
        tenure: &Tenure,
        clients: &Clients,
        done: mpsc::Sender<Appended>,
    ) -> Self {
        // Each entry holds a message of the bounded number, or ends a life, which is rare.
        let (work, receiver) = mpsc::channel(MOST_UNKEPT);
        let carrier = Carrier {
            app: key.app.0,
            group_id: key.group_id.to_string(),
            tenure: tenure.clone(),
            history: clients.history.clone(),
            done,
            appends: JoinSet::new(),
        };
        Self { work, task: tokio::spawn(carrier.run(receiver)) }
    }

    pub(super) async fn keep(&self, kept: Vec<Kept>) {
        let _ = self.work.send(Work::Keep(kept)).await;
    }

    pub(super) async fn new_life(&self) {
        let _ = self.work.send(Work::NewLife).await;
    }

    /// Waits until everything is kept, or given up.
    pub(super) async fn finish(self) {
        drop(self.work);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "appender ended badly");
        }
    }
}

struct Carrier {
    app: u32,
    group_id: String,
    tenure: Tenure,
    history: HistoryClient<Link>,
    done: mpsc::Sender<Appended>,
    appends: JoinSet<()>,
}

impl Carrier {
    async fn run(mut self, mut work: mpsc::Receiver<Work>) {
        let mut waiting = Vec::new();
        while work.recv_many(&mut waiting, BATCH).await > 0 {
            let mut batch = Vec::new();
            let mut bytes = 0;
            for work in waiting.drain(..) {
                match work {
                    Work::Keep(kept) => {
                        for one in kept {
                            let size = size(&one.message);
                            if batch.len() == BATCH || (bytes + size > BATCH_BYTES && bytes > 0) {
                                self.append(mem::take(&mut batch)).await;
                                bytes = 0;
                            }
                            bytes += size;
                            batch.push(one);
                        }
                    }
                    Work::NewLife => {
                        self.append(mem::take(&mut batch)).await;
                        bytes = 0;
                        while self.appends.join_next().await.is_some() {}
                    }
                }
            }
            self.append(batch).await;
        }
        while self.appends.join_next().await.is_some() {}
    }

    async fn append(&mut self, batch: Vec<Kept>) {
        if batch.is_empty() {
            return;
        }
        while self.appends.len() >= APPENDS {
            self.appends.join_next().await;
        }
        let mut messages = Vec::with_capacity(batch.len());
        let mut senders = Vec::with_capacity(batch.len());
        for Kept { message, reply, mark } in batch {
            messages.push(message);
            senders.push((reply, mark));
        }
        let request = v1::AppendRoomRequest {
            app: self.app,
            group_id: self.group_id.clone(),
            messages,
            fence: None,
        };
        let (history, tenure, done) =
            (self.history.clone(), self.tenure.clone(), self.done.clone());
        self.appends.spawn(async move {
            let error = append(history, &tenure, request).await.err();
            let mut marks = Vec::with_capacity(senders.len());
            for (reply, mark) in senders {
                match (reply, &error) {
                    (Some(reply), None) => reply.send(Ok(Sent::Answer(mark.answer))),
                    (Some(reply), Some(failure)) => reply.refuse(failure.clone()),
                    (None, _) => {}
                }
                marks.push(mark);
            }
            // The actor may have ended; then nobody asks for these any more.
            let _ = done.send(Appended { marks, error }).await;
        });
    }
}

/// When it succeeds, the messages were durable while the group was this node's. They are out already,
/// so nobody can say of a failure that nothing has happened.
async fn append(
    mut history: HistoryClient<Link>,
    tenure: &Tenure,
    mut request: v1::AppendRoomRequest,
) -> Result<(), Failure> {
    request.fence = Some(tenure.fence_soon().await.ok_or(Failure::Unknown)?);
    let appended = timeout(APPEND_TIME, history.append_room(within(APPEND_TIME, request))).await;
    if !tenure.is_current_soon().await {
        return Err(Failure::Unknown);
    }
    match appended {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(status)) => Err(not_kept(status.message())),
        Err(_) => Err(not_kept("history did not answer in time")),
    }
}

fn size(message: &v1::StoredMessage) -> usize {
    message.msg_body.len() + message.cloud_custom_data.len() + 256
}

fn not_kept(why: &str) -> Failure {
    tracing::warn!(why, "messages of a room could not be kept");
    Failure::Refused(Code::GROUP_INTERNAL.with("the message could not be kept, try again"))
}
