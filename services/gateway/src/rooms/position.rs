//! A place in a room's stream of events, and the number that stands for it in a poll.

use throng_proto::v1;
use throng_protocol::token::{
    CURSOR_EPOCH_MASK as EPOCH_MASK, CURSOR_EVENT_BITS as EVENT_BITS, poll_cursor,
};

/// Orders by epoch, then by event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    /// Rises with each owner and with each life of the room in memory.
    pub(crate) epoch: u64,
    /// Number of the last event seen, 0 before the first.
    pub(crate) event_no: u64,
}

impl Position {
    /// The number that a client polls with.
    pub(crate) fn cursor(self) -> u64 {
        poll_cursor(self.epoch, self.event_no)
    }

    /// The place of a cursor, given where the room is now: the newest epoch that it can mean.
    /// Nothing for 0, with which clients begin, and for what no cursor can be.
    pub(crate) fn from_cursor(cursor: u64, head: Position) -> Option<Position> {
        let low = cursor >> EVENT_BITS;
        if cursor == 0 || low > EPOCH_MASK {
            return None;
        }
        let same_turn = (head.epoch & !EPOCH_MASK) | low;
        let epoch =
            if same_turn > head.epoch { same_turn.checked_sub(EPOCH_MASK + 1)? } else { same_turn };
        Some(Position { epoch, event_no: cursor & u64::from(u32::MAX) })
    }
}

impl From<v1::RoomPosition> for Position {
    fn from(position: v1::RoomPosition) -> Self {
        Self { epoch: position.epoch, event_no: position.event_no }
    }
}

impl From<Position> for v1::RoomPosition {
    fn from(position: Position) -> Self {
        Self { epoch: position.epoch, event_no: position.event_no }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_of_an_epoch_in_the_future_is_of_the_turn_before() {
        let head = Position { epoch: (3 << 20) | 1, event_no: 9 };
        let cursor = Position { epoch: (2 << 20) | 5, event_no: 7 }.cursor();
        let expected = Position { epoch: (2 << 20) | 5, event_no: 7 };
        assert_eq!(Position::from_cursor(cursor, head), Some(expected));
        assert_eq!(Position::from_cursor(cursor, Position { epoch: 1, event_no: 0 }), None);
        assert_eq!(Position::from_cursor(0, head), None);
        assert_eq!(Position::from_cursor(1 << 53, head), None);
    }

    proptest! {
        #[test]
        fn cursors_come_back_and_fit_a_double(
            epoch in 1u64..1 << 40, back in 0u64..1000, event_no in 0u64..=u64::from(u32::MAX),
        ) {
            let place = Position { epoch: epoch.saturating_sub(back), event_no };
            prop_assume!(place.cursor() != 0);
            prop_assert!(place.cursor() < 1 << 53);
            let head = Position { epoch, event_no: 0 };
            prop_assert_eq!(Position::from_cursor(place.cursor(), head), Some(place));
        }
    }
}
