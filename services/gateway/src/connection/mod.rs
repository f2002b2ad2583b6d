//! One WebSocket: a task that reads frames and runs commands, a shard of the writers that writes, and
//! the [`Outbox`] between them and everybody who has something for this client. Sessions and rooms see
//! the outbox only.

mod clock;
mod dropped;
mod outbox;
mod packing;
mod reader;
mod stream;
mod tls;
mod wire;
mod writer;

pub(crate) use clock::Coarse;
pub(crate) use dropped::Dropped;
pub(crate) use outbox::Outbox;
pub(crate) use reader::serve;
pub(crate) use stream::Stream;
pub(crate) use writer::{Pacing, Writers, Written};

/// Where a room's events go: one for each shard that somebody in the room is written by.
pub(crate) type Shard = std::sync::Arc<writer::Inbox<Stream>>;

/// The kind of frames that a client understands; the address that it dials tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `/binfo`.
    Binary,
    /// The same with `compress=gzip`: compressed ones too.
    Compressed,
    /// `/info`.
    Text,
}

impl Kind {
    /// The path, as the label of metrics.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Kind::Binary | Kind::Compressed => "binfo",
            Kind::Text => "info",
        }
    }

    /// The same without compression.
    fn plain(self) -> Self {
        match self {
            Kind::Binary | Kind::Compressed => Kind::Binary,
            Kind::Text => Kind::Text,
        }
    }

    fn opcode(self) -> u8 {
        match self {
            Kind::Binary | Kind::Compressed => wire::op::BINARY,
            Kind::Text => wire::op::TEXT,
        }
    }
}

/// Why a connection ends from this side: a WebSocket close code, a text for the client and a word
/// for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    /// Close code of RFC 6455.
    pub(crate) code: u16,
    /// At most 123 bytes.
    pub(crate) text: &'static str,
    /// Label of the counter.
    pub(crate) reason: &'static str,
}

impl Close {
    /// Cannot take an answer or a notice any more.
    pub(crate) const SLOW: Close = Close { code: 1008, text: "reads too slowly", reason: "slow" };
    /// No frame in either direction.
    pub(crate) const IDLE: Close = Close { code: 1001, text: "idle", reason: "idle" };
    /// The process ends.
    pub(crate) const DRAIN: Close = Close { code: 1001, text: "going away", reason: "drain" };
    /// The client closed, or its socket broke; nothing is sent.
    pub(crate) const PEER: Close = Close { code: 1000, text: "", reason: "peer" };
    /// What was said to its session meanwhile may have gone to other gateways alone.
    pub(crate) const OUT_OF_TOUCH: Close =
        Close { code: 1001, text: "going away", reason: "out_of_touch" };
    /// The same session is on another connection now.
    pub(crate) const REPLACED: Close =
        Close { code: 1000, text: "replaced by a new connection", reason: "replaced" };
    /// Acted for a session that never logged in here.
    pub(crate) const NOT_LOGGED_IN: Close =
        Close { code: 1008, text: "log in first", reason: "not_logged_in" };
    /// Tried to log in again and again.
    pub(crate) const TOO_MANY_LOGINS: Close =
        Close { code: 1008, text: "too many failed logins", reason: "failed_logins" };
    /// Sent a frame over the limit.
    pub(crate) const TOO_LARGE: Close =
        Close { code: 1009, text: "the frame is too large", reason: "too_large" };
    /// Does not keep to the WebSocket protocol.
    pub(crate) const PROTOCOL: Close =
        Close { code: 1002, text: "protocol error", reason: "protocol" };
    /// Logins are refused; a client that comes back later finds room.
    pub(crate) const OVERLOADED: Close =
        Close { code: 1013, text: "overloaded", reason: "overloaded" };
}
