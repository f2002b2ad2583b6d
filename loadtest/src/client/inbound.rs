//! What is in a frame of the server. A push to a room is the same bytes for all its members, so it is
//! parsed once and then known by its hash: a delivery costs a hash and a look-up, not a JSON parser.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read as _;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

/// Pushes that are remembered, twice: the young ones and those before them.
const REMEMBERED: usize = 512;
/// Bytes that a compressed frame may become.
const MOST_INFLATED: u64 = 16 * 1024 * 1024;

/// A frame that cannot be read: the vendor's SDK would throw or ignore it.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not the JSON that is expected.
    #[error("not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// `COMP` and then neither zlib nor gzip.
    #[error("not inflatable: {0}")]
    Compressed(#[from] std::io::Error),
}

/// One thing in a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// The room, by the number it has in the plan; `None` is a group of somebody else.
    pub room: Option<u32>,
    /// `MsgSeq`.
    pub seq: u32,
    /// `MsgRandom`: of a message of the plan, its number and one.
    pub random: u32,
}

/// What items are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A message (`GroupMsgArray`).
    Message,
    /// A tip (`GroupTips`, `Event` 4 and 6), which has a number of the same counter.
    Tip,
    /// A notice (`GroupTips`, any other `Event`).
    Notice,
}

/// A frame that answers nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// `SessionData` if the server wants it back.
    pub ack: Option<Box<str>>,
    /// What it brings, in its order.
    pub items: Vec<Item>,
    /// The server ends the session.
    pub kicked: bool,
}

/// An answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// `head.seq` of the request.
    pub seq: u64,
    /// The fields of the body that any request here needs.
    pub body: AnswerBody,
}

/// The fields of an answer that any request here needs.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
pub struct AnswerBody {
    /// 0 is success.
    pub error_code: i64,
    /// The text to it.
    pub error_info: String,
    /// Session token of a login.
    #[serde(rename = "A2Key")]
    pub a2_key: Option<Box<str>>,
    /// The user's number, of a login.
    pub tiny_id: Option<Box<str>>,
    /// The instance, of a login.
    pub inst_id: u32,
    /// Seconds between hellos, of a login.
    pub hello_interval: u32,
    /// `MsgSeq` of a message that was sent.
    pub msg_seq: u32,
    /// Why it was dropped, if it was.
    pub msg_drop_reason: String,
}

/// A frame of the server.
#[derive(Debug)]
pub enum Inbound {
    /// Nobody asked.
    Push(Rc<Push>),
    /// Somebody asked.
    Answer(Answer),
}

/// Reads frames, and remembers pushes.
#[derive(Debug)]
pub struct Reader {
    /// Group IDs begin with this; the number of the room follows.
    group_prefix: String,
    young: HashMap<u64, Rc<Push>>,
    old: HashMap<u64, Rc<Push>>,
}

impl Reader {
    /// A reader that knows rooms by `group_prefix` and their number.
    #[must_use]
    pub fn new(group_prefix: &str) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self { group_prefix: group_prefix.to_owned(), young, old }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`Unreadable`] when the SDK would not understand it either.
    pub fn read(&mut self, frame: &[u8]) -> Result<Inbound, Unreadable> {
        let hash = xxh3_64(frame);
        if let Some(push) = self.recall(hash) {
            return Ok(Inbound::Push(push));
        }
        let inflated;
        let text = match frame.strip_prefix(b"COMP") {
            Some(compressed) => {
                inflated = inflate(compressed)?;
                &inflated[..]
            }
            None => frame,
        };
        let outer: Outer<'_> = serde_json::from_slice(text)?;
        if outer.head.seq != 0 {
            let body = serde_json::from_str(outer.body.get())?;
            return Ok(Inbound::Answer(Answer { seq: outer.head.seq, body }));
        }
        let push = Rc::new(self.push(&outer)?);
        self.remember(hash, &push);
        Ok(Inbound::Push(push))
    }

    fn recall(&mut self, hash: u64) -> Option<Rc<Push>> {
        if let Some(push) = self.young.get(&hash) {
            return Some(Rc::clone(push));
        }
        let push = self.old.remove(&hash)?;
        self.remember(hash, &push);
        Some(push)
    }

    fn remember(&mut self, hash: u64, push: &Rc<Push>) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, Rc::clone(push));
    }

    fn push(&self, outer: &Outer<'_>) -> Result<Push, Unreadable> {
        let body: PushBody<'_> = serde_json::from_str(outer.body.get())?;
        let mut push =
            Push { ack: (body.need_ack == 1).then(|| body.session_data.into()), ..Push::default() };
        for entry in &body.event_array {
            let messages = entry.messages.iter().map(|item| (ItemKind::Message, item));
            let tip = if matches!(entry.event, 4 | 6) { ItemKind::Tip } else { ItemKind::Notice };
            let tips = entry.tips.iter().map(|item| (tip, item));
            push.items.extend(messages.chain(tips).map(|(kind, item)| Item {
                kind,
                room: self.room(&item.group),
                seq: item.seq,
                random: item.random,
            }));
            push.kicked |= entry.c2c_notices.iter().any(|notice| notice.kick.is_some());
        }
        Ok(push)
    }

    fn room(&self, group: &str) -> Option<u32> {
        group.strip_prefix(&self.group_prefix)?.parse().ok()
    }
}

/// The two formats that the SDK takes.
fn inflate(compressed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    if compressed.starts_with(&[0x1F, 0x8B]) {
        flate2::read::GzDecoder::new(compressed).take(MOST_INFLATED).read_to_end(&mut out)?;
    } else {
        flate2::read::ZlibDecoder::new(compressed).take(MOST_INFLATED).read_to_end(&mut out)?;
    }
    Ok(out)
}

#[derive(Deserialize)]
struct Outer<'a> {
    head: Head,
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    seq: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PushBody<'a> {
    #[serde(default)]
    need_ack: u32,
    #[serde(default, borrow)]
    session_data: Cow<'a, str>,
    #[serde(default, borrow)]
    event_array: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "Event", default)]
    event: u32,
    #[serde(rename = "GroupMsgArray", default, borrow)]
    messages: Vec<RawItem<'a>>,
    #[serde(rename = "GroupTips", default, borrow)]
    tips: Vec<RawItem<'a>>,
    #[serde(rename = "C2cNotifyMsgArray", default)]
    c2c_notices: Vec<C2cNotice>,
}

#[derive(Deserialize)]
struct C2cNotice {
    #[serde(rename = "KickoutMsgNotify")]
    kick: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(rename = "ToGroupId", default, borrow)]
    group: Cow<'a, str>,
    #[serde(rename = "MsgSeq", default)]
    seq: u32,
    #[serde(rename = "MsgRandom", default)]
    random: u32,
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const BATCH: &str = r#"{"head":{"servcmd":"im_open_push.msg_push"},"body":{"EventArray":[
        {"Event":3,"GroupMsgArray":[
            {"Event":3,"From_Account":"a","ToGroupId":"load-x-0","MsgSeq":7,"MsgRandom":1,
             "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"\"MsgSeq\":99,"}}]},
            {"ToGroupId":"load-x-12","MsgSeq":8,"MsgRandom":2,"MsgBody":[]}]},
        {"Event":4,"GroupTips":[{"ToGroupId":"other","MsgSeq":9,"MsgRandom":3}]},
        {"Event":5,"GroupTips":[{"ToGroupId":"load-x-0","MsgSeq":10}]}]}}"#;

    fn push(reader: &mut Reader, frame: &[u8]) -> Rc<Push> {
        match reader.read(frame).unwrap() {
            Inbound::Push(push) => push,
            Inbound::Answer(answer) => panic!("{answer:?}"),
        }
    }

    #[test]
    fn several_entries_and_items_of_one_frame() {
        let mut reader = Reader::new("load-x-");
        let push = push(&mut reader, BATCH.as_bytes());
        let found: Vec<_> =
            push.items.iter().map(|item| (item.kind, item.room, item.seq, item.random)).collect();
        assert_eq!(
            found,
            [
                (ItemKind::Message, Some(0), 7, 1),
                (ItemKind::Message, Some(12), 8, 2),
                (ItemKind::Tip, None, 9, 3),
                (ItemKind::Notice, Some(0), 10, 0),
            ]
        );
        assert!(push.ack.is_none() && !push.kicked);
    }

    #[test]
    fn a_known_frame_is_not_parsed_again() {
        let mut reader = Reader::new("load-x-");
        let first = push(&mut reader, BATCH.as_bytes());
        assert!(Rc::ptr_eq(&first, &push(&mut reader, BATCH.as_bytes())));
        for n in 0..3 * REMEMBERED {
            let frame = format!(r#"{{"head":{{"servcmd":"a.b"}},"body":{{"N":{n}}}}}"#);
            push(&mut reader, frame.as_bytes());
        }
        assert!(!Rc::ptr_eq(&first, &push(&mut reader, BATCH.as_bytes())), "it was forgotten");
        assert!(reader.young.len() + reader.old.len() <= 2 * REMEMBERED);
    }

    #[test]
    fn answers_acks_and_kicks() {
        let mut reader = Reader::new("g");
        let answer = br#"{"head":{"servcmd":"a.b","seq":5},"body":{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgSeq":3,"MsgTime":1,"MsgDropReason":"frequency limit"}}"#;
        let Inbound::Answer(answer) = reader.read(answer).unwrap() else { panic!() };
        assert_eq!((answer.seq, answer.body.msg_seq), (5, 3));
        assert_eq!(answer.body.msg_drop_reason, "frequency limit");

        let wants = br#"{"head":{"servcmd":"a.b"},"body":{"NeedAck":1,"SessionData":"17","EventArray":[]}}"#;
        assert_eq!(push(&mut reader, wants).ack.as_deref(), Some("17"));
        let kick = br#"{"head":{"servcmd":"im_open_status.stat_forceoffline"},"body":{"EventArray":[{"Event":13,"C2cNotifyMsgArray":[{"KickoutMsgNotify":{"KickType":1}}]}]}}"#;
        assert!(push(&mut reader, kick).kicked);
        assert!(reader.read(b"{}").is_err());
    }

    #[test]
    fn compressed_frames() {
        let mut frame = b"COMP".to_vec();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(BATCH.as_bytes()).unwrap();
        frame.extend(zlib.finish().unwrap());
        assert_eq!(push(&mut Reader::new("load-x-"), &frame).items.len(), 4);
    }
}
