//! What this node's leader task is asked for, by other nodes over gRPC and by this one.

use tokio::sync::{mpsc, oneshot};

use super::super::core::command::{Command, Response};
use super::super::core::lease::Answer;
use super::super::core::state::{Incarnation, Node};

/// Requests that may wait for the leader task.
const MOST: usize = 1_024;

/// One request.
#[derive(Debug)]
pub(super) enum Ask {
    /// A node wants its lease.
    Renew { who: Incarnation, node: Node, reply: Reply<Answer> },
    /// A node wants this in the log.
    Propose { command: Command, reply: Reply<Response> },
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// Why a request came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Somebody else leads, or nobody.
    NotLeading,
    /// Not now.
    Busy,
}

/// The way to the leader task. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Asks {
    sender: mpsc::Sender<Ask>,
}

impl Asks {
    pub(super) fn new() -> (Self, mpsc::Receiver<Ask>) {
        let (sender, receiver) = mpsc::channel(MOST);
        (Self { sender }, receiver)
    }

    /// A node wants its lease.
    pub(super) async fn renew(&self, who: Incarnation, node: Node) -> Result<Answer, Refusal> {
        self.ask(|reply| Ask::Renew { who, node, reply }).await
    }

    /// A node wants this in the log. Answered once it is applied.
    pub(super) async fn propose(&self, command: Command) -> Result<Response, Refusal> {
        self.ask(|reply| Ask::Propose { command, reply }).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.sender.try_send(ask(reply)).map_err(|_| Refusal::Busy)?;
        answer.await.unwrap_or(Err(Refusal::NotLeading))
    }
}

impl Ask {
    pub(super) fn refuse(self, refusal: Refusal) {
        match self {
            Self::Renew { reply, .. } => drop(reply.send(Err(refusal))),
            Self::Propose { reply, .. } => drop(reply.send(Err(refusal))),
        }
    }
}
