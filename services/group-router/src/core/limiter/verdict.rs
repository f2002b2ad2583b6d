//! What the limiter says of each message.

use super::Priority;

/// Why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The queue was full and this was the worst of all that waited.
    QueueFull,
    /// It waited its second and better ones took the budget.
    Waited,
    /// The budget is 0, or the limiter was emptied by
    /// [`Limiter::drain_all`](super::Limiter::drain_all).
    Closed,
}

impl DropReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::QueueFull, Self::Waited, Self::Closed];

    /// Value of metric labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Waited => "waited",
            Self::Closed => "closed",
        }
    }
}

/// What becomes of a message. Each offered message gets exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It goes out now.
    Deliver {
        /// The message.
        item: T,
        /// Its priority.
        priority: Priority,
        /// How long it waited, milliseconds; 0 if it passed at once.
        waited: u64,
    },
    /// It is dropped: not delivered, not stored, and its sender is told success.
    Drop {
        /// The message.
        item: T,
        /// Its priority.
        priority: Priority,
        /// How long it waited, milliseconds.
        waited: u64,
        /// Why.
        reason: DropReason,
    },
}

/// A drop, for the limiter.
pub(super) fn dropped<T>(
    item: T,
    priority: Priority,
    waited: u64,
    reason: DropReason,
) -> Verdict<T> {
    Verdict::Drop { item, priority, waited, reason }
}
