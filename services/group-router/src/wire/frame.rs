//! The frame around one item.

use bytes::Bytes;
use serde::Serialize;
use throng_proto::v1;
use throng_protocol::frame::{PUSH_END, PUSH_START};

use super::EVENT_MESSAGE;

/// An item inside its finished frame.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    /// The client frame.
    pub(crate) frame: Bytes,
    /// Where the item begins.
    pub(crate) start: usize,
    /// How long it is.
    pub(crate) len: usize,
}

impl Encoded {
    /// The item alone.
    pub(crate) fn item(&self) -> Bytes {
        self.frame.slice(self.start..self.start + self.len)
    }

    /// The entry of `EventArray` that the item stands in.
    pub(crate) fn entry(&self) -> Bytes {
        self.frame.slice(PUSH_START.len()..self.frame.len() - PUSH_END.len())
    }

    /// Puts frame and item into a room event.
    pub(crate) fn into_event(self) -> v1::RoomEvent {
        v1::RoomEvent {
            item_start: u32::try_from(self.start).unwrap_or(u32::MAX),
            item_len: u32::try_from(self.len).unwrap_or(u32::MAX),
            frame: self.frame,
            ..v1::RoomEvent::default()
        }
    }
}

/// Several message items as one entry of `EventArray`.
pub(crate) fn messages_entry<'a>(items: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut entry = br#"{"Event":3,"GroupMsgArray":["#.to_vec();
    for (place, item) in items.enumerate() {
        if place > 0 {
            entry.push(b',');
        }
        entry.extend_from_slice(item);
    }
    entry.extend_from_slice(b"]}");
    entry
}

/// The frame of a finished message item.
pub(crate) fn message_frame(item: &Bytes) -> Encoded {
    encode(EVENT_MESSAGE, "GroupMsgArray", |frame| frame.extend_from_slice(item))
}

/// Encodes `{"Event":event,KEY:[item]}` inside a push frame. The head needs only the command, and
/// nothing in the frame depends on who receives it (SDK protocol notes 02, 1.2 and 1.10).
pub(crate) fn encode_event(event: u32, key: &str, item: &impl Serialize) -> Encoded {
    encode(event, key, |frame| write_json(frame, item))
}

/// [`encode_event`] of an item whose `MsgBody` is JSON text already.
pub(super) fn encode_with_body(
    event: u32,
    key: &str,
    item: &impl Serialize,
    body: &[u8],
) -> Encoded {
    encode(event, key, |frame| {
        frame.reserve(body.len() + 512);
        write_json(frame, item);
        let brace = frame.pop();
        debug_assert_eq!(brace, Some(b'}'), "an item is an object");
        frame.extend_from_slice(b",\"MsgBody\":");
        frame.extend_from_slice(body);
        frame.push(b'}');
    })
}

fn write_json(frame: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(frame, value).expect("items hold only strings and numbers");
}

/// Encodes `{"Event":event,KEY:object}`, for what comes alone and in no list.
pub(crate) fn encode_object(event: u32, key: &str, object: &impl Serialize) -> Encoded {
    encode_between(event, key, ("", ""), |frame| write_json(frame, object))
}

fn encode(event: u32, key: &str, item: impl FnOnce(&mut Vec<u8>)) -> Encoded {
    encode_between(event, key, ("[", "]"), item)
}

fn encode_between(
    event: u32,
    key: &str,
    (open, close): (&str, &str),
    item: impl FnOnce(&mut Vec<u8>),
) -> Encoded {
    let mut frame = Vec::with_capacity(1024);
    frame.extend_from_slice(PUSH_START);
    frame.extend_from_slice(br#"{"Event":"#);
    write_json(&mut frame, &event);
    frame.extend_from_slice(b",\"");
    frame.extend_from_slice(key.as_bytes());
    frame.extend_from_slice(b"\":");
    frame.extend_from_slice(open.as_bytes());
    let start = frame.len();
    item(&mut frame);
    let len = frame.len() - start;
    frame.extend_from_slice(close.as_bytes());
    frame.push(b'}');
    frame.extend_from_slice(PUSH_END);
    Encoded { frame: Bytes::from(frame), start, len }
}
