//! The fields of a profile and their defaults. Times are in seconds and may have fractions.

use serde::{Deserialize, Serialize};

/// A whole profile.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of this schema.
    pub version: u32,
    /// The profile's name, in reports.
    pub name: String,
    /// What it is for, in a sentence or two.
    #[serde(default)]
    pub about: String,
    /// Who sends when is drawn from this; the same number, the same run.
    #[serde(default = "one")]
    pub seed: u64,
    /// The rooms and who is in them.
    #[serde(default)]
    pub rooms: Rooms,
    /// How clients log in, and clients that do nothing else.
    #[serde(default)]
    pub login: Login,
    /// How long each part of the run takes.
    #[serde(default)]
    pub phases: Phases,
    /// The stream of messages.
    #[serde(default)]
    pub traffic: Traffic,
    /// More messages for some time.
    #[serde(default)]
    pub bursts: Vec<Burst>,
    /// Members who leave and come again.
    pub churn: Option<Churn>,
    /// Moments in which connections break.
    #[serde(default)]
    pub cuts: Vec<Cut>,
    /// Requests over REST beside all this.
    pub rest: Option<Rest>,
    /// What the run must reach.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// When the tool itself was too slow for the run to count.
    #[serde(default)]
    pub generator: Generator,
}

/// Kinds of groups that can be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
pub enum RoomKind {
    /// A live room: `MsgSeq` rises, gaps mean nothing.
    #[default]
    AVChatRoom,
    /// A durable group: `MsgSeq` has no gap.
    Public,
}

impl RoomKind {
    /// The group type on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::AVChatRoom => "AVChatRoom",
            Self::Public => "Public",
        }
    }
}

/// The rooms and who is in them. Each client is in one room.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rooms {
    /// Their kind.
    pub kind: RoomKind,
    /// How many; 0 for a run over REST alone.
    pub count: u32,
    /// Members of each.
    pub members: u32,
}

/// How clients log in, and clients that do nothing else.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Login {
    /// Clients that are in no room, beside those that are: they log in and stay.
    pub clients: u32,
    /// After its login a client asks for all that the SDK asks for, and the traffic begins when all have
    /// all the answers. Without it clients ask for no more than they need.
    pub sdk_burst: bool,
}

/// How long each part of the run takes.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phases {
    /// New connections a second while the rooms fill, over all workers.
    pub connects_per_second: u32,
    /// Traffic that is checked but not measured.
    pub warmup_seconds: f64,
    /// Traffic that is measured.
    pub measure_seconds: f64,
    /// The longest wait for what is still on its way.
    pub drain_seconds: f64,
    /// At the end all members leave their rooms, evenly over so long; 0: their connections just end.
    pub leave_seconds: f64,
}

impl Default for Phases {
    fn default() -> Self {
        Self {
            connects_per_second: 500,
            warmup_seconds: 2.0,
            measure_seconds: 20.0,
            drain_seconds: 10.0,
            leave_seconds: 0.0,
        }
    }
}

/// The stream of messages.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Traffic {
    /// Messages a second in each room.
    pub messages_per_second: f64,
    /// Moments are drawn (as of people who know nothing of each other) instead of evenly spaced.
    pub poisson: bool,
    /// Members of each room that send, the first ones; at most all.
    pub senders: u32,
    /// Bytes of each text.
    pub body_bytes: usize,
    /// Shares of the priorities.
    pub priorities: Priorities,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            messages_per_second: 0.0,
            poisson: false,
            senders: 20,
            body_bytes: 60,
            priorities: Priorities::default(),
        }
    }
}

/// Weights of the four priorities; only their proportions count.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Priorities {
    /// Gifts.
    pub high: u32,
    /// Comments.
    pub normal: u32,
    /// Reactions.
    pub low: u32,
    /// Likes.
    pub lowest: u32,
}

impl Default for Priorities {
    fn default() -> Self {
        Self { high: 0, normal: 1, low: 0, lowest: 0 }
    }
}

/// More messages for some time, on top of the stream.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// When it begins, from the start of the measured part.
    pub at_seconds: f64,
    /// How long it lasts.
    pub for_seconds: f64,
    /// Messages a second in each room.
    pub messages_per_second: f64,
    /// Shares of the priorities.
    #[serde(default)]
    pub priorities: Priorities,
}

/// Members who leave and come again, over the whole of the traffic. Senders stay.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Members of each room that leave each second.
    pub leaves_per_second: f64,
    /// After how long each is back.
    pub away_seconds: f64,
}

/// A moment in which connections break; the clients come back as the SDK does.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// When, from the start of the measured part.
    pub at_seconds: f64,
    /// Which part of all clients, above 0 and up to 1.
    pub share: f64,
}

/// Requests of the app's server over REST. They ask for the profile of a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// Requests a second.
    pub requests_per_second: f64,
    /// Connections that they share.
    #[serde(default = "eight")]
    pub connections: u32,
}

/// What the run must reach. Lost, doubled and reordered messages fail a run in any case.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// From the intended moment of a send to its arrival at a member, milliseconds.
    pub delivery_p50_ms: Option<f64>,
    /// The same, 99 of 100.
    pub delivery_p99_ms: Option<f64>,
    /// From the intended moment of a send to its answer, milliseconds.
    pub ack_p99_ms: Option<f64>,
    /// Part of the messages that the server may drop by its rate limit.
    pub dropped_share: Option<f64>,
    /// Sends that may fail, or get no answer in 15 s. Default: none.
    pub failed_sends: u64,
    /// Clients that may be missing at the end. Default: none.
    pub lost_clients: u64,
    /// From the moment at which a client is to dial first to the answer of its login, milliseconds.
    pub login_p99_ms: Option<f64>,
    /// From the intended moment of a REST request to its answer, milliseconds.
    pub rest_p99_ms: Option<f64>,
    /// REST requests that may fail. Default: none.
    pub failed_requests: u64,
}

/// When the tool itself was too slow for the run to count.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Generator {
    /// How late 99 of 100 deeds may be done, milliseconds.
    pub lag_p99_ms: f64,
    /// Part of a core that one worker may use.
    pub cpu_share: f64,
}

impl Default for Generator {
    fn default() -> Self {
        Self { lag_p99_ms: 50.0, cpu_share: 0.9 }
    }
}

fn one() -> u64 {
    1
}

fn eight() -> u32 {
    8
}
