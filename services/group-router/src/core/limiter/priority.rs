//! The four priorities of messages, in numbers and names.

/// Priority of a message (SDK protocol notes 02, 3.2; REST notes 01, 4.5). The smaller, the more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// Gifts and the like.
    High = 1,
    /// Text, and whatever names no priority.
    Normal = 2,
    /// Likes.
    Low = 3,
    /// What goes first when there is too much.
    Lowest = 4,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::High, Self::Normal, Self::Low, Self::Lowest];

    /// From the number in message items: 1 High to 4 Lowest.
    #[must_use]
    pub fn from_wire(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::High),
            2 => Some(Self::Normal),
            3 => Some(Self::Low),
            4 => Some(Self::Lowest),
            _ => None,
        }
    }

    /// From the name in send requests (`MsgPriority`).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.name() == name)
    }

    /// The number in message items: 1 High to 4 Lowest.
    #[must_use]
    pub fn wire(self) -> u32 {
        self as u32
    }

    /// The name in send requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Normal => "Normal",
            Self::Low => "Low",
            Self::Lowest => "Lowest",
        }
    }

    /// Place in an array with one entry for each priority.
    pub(super) fn index(self) -> usize {
        self as usize - 1
    }
}
