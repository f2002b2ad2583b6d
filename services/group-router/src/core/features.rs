//! What members may do with messages once they are sent, by type of group: the one place that says so
//! (REST notes 01, 4.1). Live rooms have none of it.

use throng_protocol::ids::GroupType;

/// Messages may ask who reads them. Communities are too large for it.
#[must_use]
pub fn has_receipts(kind: GroupType) -> bool {
    matches!(kind, GroupType::Private | GroupType::Public | GroupType::ChatRoom)
}

/// Messages may carry keys and values, and reactions.
#[must_use]
pub fn has_extensions(kind: GroupType) -> bool {
    kind != GroupType::AvChatRoom
}

/// Any member pins messages. The documents do not say who may: where a group has admins it is their
/// business and the owner's, and a group of friends has none.
#[must_use]
pub fn all_may_pin(kind: GroupType) -> bool {
    kind == GroupType::Private
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_features() {
        let of = |kind| (has_receipts(kind), has_extensions(kind), all_may_pin(kind));
        assert_eq!(of(GroupType::Private), (true, true, true));
        assert_eq!(of(GroupType::Public), (true, true, false));
        assert_eq!(of(GroupType::ChatRoom), (true, true, false));
        assert_eq!(of(GroupType::Community), (false, true, false));
        assert_eq!(of(GroupType::AvChatRoom), (false, false, false));
    }
}
