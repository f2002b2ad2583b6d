//! Events of rooms as their owner makes them.

use throng_proto::v1;

use super::APP;

/// An event with a message of this text.
pub(crate) fn event(group: &str, epoch: u64, event_no: u64, text: &str) -> v1::RoomEvent {
    let item = format!(
        r#"{{"Event":3,"ToGroupId":"{group}","MsgSeq":{event_no},"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{text}"}}}}]}}"#
    );
    let before = r#"{"head":{"servcmd":"im_open_push.msg_push"},"body":{"EventArray":[{"Event":3,"GroupMsgArray":["#;
    let frame = format!("{before}{item}]}}]}}}}");
    v1::RoomEvent {
        app: APP.0,
        group_id: group.to_owned(),
        position: Some(v1::RoomPosition { epoch, event_no }),
        msg_seq: u32::try_from(event_no).unwrap(),
        frame: frame.into(),
        item_start: u32::try_from(before.len()).unwrap(),
        item_len: u32::try_from(item.len()).unwrap(),
        priority: 2,
        ..v1::RoomEvent::default()
    }
}
