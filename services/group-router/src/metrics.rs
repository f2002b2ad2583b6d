//! What rooms count for each message: handles made once, since looking them up costs more than
//! counting.

use metrics::{Counter, counter};

use crate::core::limiter::{DropReason, Priority};

/// Class of a room in metrics, by its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoomClass {
    /// Below 100 members.
    Small,
    /// Below 10,000.
    Medium,
    Large,
}

impl RoomClass {
    const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    pub(crate) fn of(online: u32) -> Self {
        match online {
            0..=99 => Self::Small,
            100..=9_999 => Self::Medium,
            _ => Self::Large,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// A priority in metrics: small letters, as gateways write them.
fn label(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
        Priority::Lowest => "lowest",
    }
}

/// Handles of the recorder that was installed when they were made.
pub(crate) struct RoomMetrics {
    delivered: [Counter; RoomClass::ALL.len()],
    /// By class, priority and reason (DRP-1).
    dropped: [[[Counter; DropReason::ALL.len()]; Priority::ALL.len()]; RoomClass::ALL.len()],
    pub(crate) not_kept: Counter,
    pub(crate) tips_suppressed: Counter,
}

impl RoomMetrics {
    pub(crate) fn new() -> Self {
        let dropped = |class: RoomClass, priority: Priority, reason: DropReason| {
            counter!(
                "throng_group_router_room_messages_dropped_total",
                "class" => class.name(), "priority" => label(priority), "reason" => reason.name(),
            )
        };
        Self {
            delivered: RoomClass::ALL.map(|class| {
                counter!("throng_group_router_room_messages_total", "class" => class.name())
            }),
            dropped: RoomClass::ALL.map(|class| {
                Priority::ALL
                    .map(|priority| DropReason::ALL.map(|reason| dropped(class, priority, reason)))
            }),
            not_kept: counter!("throng_group_router_room_messages_not_kept_total"),
            tips_suppressed: counter!("throng_group_router_room_tips_suppressed_total"),
        }
    }

    pub(crate) fn delivered(&self, class: RoomClass) {
        self.delivered[class as usize].increment(1);
    }

    pub(crate) fn dropped(&self, class: RoomClass, priority: Priority, reason: DropReason) {
        let priority = priority as usize - Priority::High as usize;
        self.dropped[class as usize][priority][reason as usize].increment(1);
    }
}
