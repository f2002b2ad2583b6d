//! What became of a message at its sender.

use serde::{Deserialize, Serialize};

use crate::plan::Nanos;

/// A message at its sender. Times count from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fate {
    /// When it was sent first.
    pub sent: Nanos,
    /// When its answer came.
    pub settled: Nanos,
    /// What the answer was.
    pub outcome: Outcome,
}

/// The answer to a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Outcome {
    /// It was never sent.
    #[default]
    Unsent,
    /// There was none yet.
    Open,
    /// Acknowledged under this `MsgSeq`.
    Kept(u32),
    /// Acknowledged with a `MsgDropReason`.
    Dropped,
    /// Refused, or not answered in time. It may have reached members all the same.
    Failed,
}
