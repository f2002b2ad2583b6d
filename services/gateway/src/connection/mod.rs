//! One WebSocket: a task that reads frames and runs commands, a task that writes, and the
//! [`Outbox`] between them and everybody who has something for this client. Sessions and rooms see
//! the outbox only, so what is behind it can change.

mod clock;
mod outbox;
mod queue;
mod reader;
mod writer;

use bytes::Bytes;
use tokio_websockets::Message;

pub(crate) use outbox::{Close, Outbox};
pub(crate) use queue::Dropped;
pub(crate) use reader::serve;

/// The kind of frames that a client understands; the path of its connection tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `/binfo`.
    Binary,
    /// `/info`.
    Text,
}

impl Kind {
    /// The path, as the label of metrics.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Kind::Binary => "binfo",
            Kind::Text => "info",
        }
    }

    fn message(self, frame: Bytes) -> Message {
        match self {
            Kind::Binary => Message::binary(frame),
            Kind::Text => Message::text(frame),
        }
    }
}
