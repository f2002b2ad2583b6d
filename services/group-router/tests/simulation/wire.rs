//! What goes from one process to another.

use std::rc::Rc;

pub(crate) use throng_group_router::placement::core::command::Proposal;
use throng_group_router::placement::core::command::Released;
use throng_group_router::placement::core::lease::Answer;
use throng_group_router::placement::core::member::Ticket;
use throng_group_router::placement::core::state::{Incarnation, Node};

use crate::raft::RaftMessage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Router(usize),
    Gateway(usize),
    /// A client, behind one of the gateways.
    Client {
        client: usize,
        gateway: usize,
    },
}

/// A message of a client. Whoever sends the same again uses the same `random`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) client: usize,
    pub(crate) random: u32,
}

/// An event of a room's stream; without a message it is a beacon, which has no number of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomEvent {
    pub(crate) group: usize,
    pub(crate) position: Position,
    pub(crate) message: Option<(u64, Message)>,
}

/// Where a room's stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    pub(crate) epoch: u64,
    pub(crate) event_no: u64,
}

/// Bits of a stream's epoch below the epoch of ownership.
pub(crate) const LIFE_BITS: u32 = 20;

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Raft(RaftMessage),
    Renew {
        ticket: Ticket,
        who: Incarnation,
        node: Node,
    },
    /// `None`: it does not lead.
    Renewed {
        ticket: Ticket,
        answer: Option<Answer>,
    },
    Release {
        owner: Incarnation,
        shards: Vec<Released>,
    },
    Leave {
        who: Incarnation,
    },
    Watch,
    /// Owners and epochs as the asked router knows them.
    Watched {
        shards: Rc<Vec<(Option<usize>, u64)>>,
    },
    Send {
        group: usize,
        message: Message,
    },
    /// The sequence number, or `None`: not the owner.
    Sent {
        random: u32,
        seq: Option<u64>,
    },
    Event(RoomEvent),
    Fetch {
        group: usize,
        after: Position,
    },
    /// Events after the asked position, or `None` when not all of them are in the ring.
    Fetched {
        group: usize,
        position: Position,
        events: Option<Vec<RoomEvent>>,
    },
    Attach {
        group: usize,
        after: u64,
    },
    Attached {
        group: usize,
        position: Position,
        messages: Vec<(u64, Message)>,
    },
}
