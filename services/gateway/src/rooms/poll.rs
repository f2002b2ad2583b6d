//! Live rooms for clients that poll: guests, and apps that chose so (SDK protocol notes 02, 1.3). The
//! loop of a client stands on its key alone, which any gateway can read.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::token::PollKey;
use tokio::time::{Instant, sleep_until};

use super::{Attendee, Hub, PollSeat, Position, Seat, Since};

/// What a client asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PollRequest {
    /// The cursor of the last answer; 0 at first.
    #[serde(default)]
    pub(crate) start_seq: u64,
    /// What the answer to the join had as `LongPollingKey`.
    pub(crate) key: String,
}

/// What it gets: the cursor moves only if both are there.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PollAnswer<'a> {
    key: &'a str,
    next_seq: u64,
}

impl PollRequest {
    /// Reads the request and the place that its key names.
    ///
    /// # Errors
    /// 10004 if a field is missing or the key is not one of ours.
    pub(crate) fn open(body: &[u8], key: &[u8; 32]) -> Result<(Self, PollKey), CommandError> {
        let request: PollRequest = envelope::parse(body, Code::GROUP_BAD_PARAMETER)?;
        let place = PollKey::open(&request.key, key)
            .ok_or_else(|| Code::GROUP_BAD_PARAMETER.with("Key: not valid, join again"))?;
        Ok((request, place))
    }

    /// The answer with these items, JSON texts separated by commas.
    pub(crate) fn answer(&self, items: &[u8], next_seq: u64) -> bytes::Bytes {
        const LIST: &[u8] = b",\"RspMsgList\":[";
        let head = envelope::ok(&PollAnswer { key: &self.key, next_seq });
        let mut body = Vec::with_capacity(head.len() + LIST.len() + items.len() + 1);
        body.extend_from_slice(head.strip_suffix(b"}").unwrap_or(&head));
        body.extend_from_slice(LIST);
        body.extend_from_slice(items);
        body.extend_from_slice(b"]}");
        body.into()
    }
}

/// What became of a poll.
#[derive(Debug)]
pub(crate) enum Polled {
    /// The body of the answer.
    Answer(bytes::Bytes),
    /// Nobody here has the place of this key.
    Unknown,
}

impl Hub {
    /// Waits until there is something for the place of this key, for `hold` at most.
    pub(crate) async fn poll(
        &self,
        request: &PollRequest,
        key: &PollKey,
        attendee: &Arc<Attendee>,
        hold: Duration,
    ) -> Polled {
        let place = PollSeat { user: key.user.clone(), inst_id: key.inst_id };
        let Some(room) = self.find(key.app, &key.group_id) else { return Polled::Unknown };
        if !room.begin_poll(&place, attendee) {
            return Polled::Unknown;
        }
        let deadline = Instant::now() + hold;
        let mut next = request.start_seq;
        let body = loop {
            let changed = room.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            if let Some(page) = room.page(&place, next) {
                next = page.next.cursor();
                if !page.items.is_empty() {
                    break request.answer(&page.items, next);
                }
            }
            tokio::select! {
                () = changed => {}
                () = sleep_until(deadline) => break request.answer(b"", next),
                () = attendee.outbox.closing() => break request.answer(b"", next),
            }
        };
        room.end_poll(&place);
        Polled::Answer(body)
    }

    /// Gives the place of this key to an attendee, as it was when its owner let it in.
    pub(crate) fn sit_at(
        self: &Arc<Self>,
        attendee: &Arc<Attendee>,
        key: &PollKey,
        position: Position,
    ) -> bool {
        let place = PollSeat { user: key.user.clone(), inst_id: key.inst_id };
        self.sit(attendee, &key.group_id, &Seat::Poll(place), Since::Joined(position))
    }
}

#[cfg(test)]
mod tests {
    use throng_protocol::ids::AppId;

    use super::*;

    #[test]
    fn an_answer_has_key_cursor_and_items() {
        let key = PollKey {
            app: AppId(1),
            group_id: "room".to_owned(),
            user: String::new(),
            inst_id: 7,
        };
        let secret = [3; 32];
        let body = format!(r#"{{"USP":1,"StartSeq":0,"Key":"{}"}}"#, key.seal(&secret));
        let (request, place) = PollRequest::open(body.as_bytes(), &secret).unwrap();
        assert_eq!(place, key);
        let answer: serde_json::Value =
            serde_json::from_slice(&request.answer(b"{\"Event\":3},{}", 9)).unwrap();
        assert_eq!(answer["ErrorCode"], 0);
        assert_eq!(answer["Key"], request.key.as_str());
        assert_eq!(answer["NextSeq"], 9);
        assert_eq!(answer["RspMsgList"].as_array().unwrap().len(), 2);
        let other = PollRequest::open(body.as_bytes(), &[4; 32]).unwrap_err();
        assert_eq!(other.code, Code::GROUP_BAD_PARAMETER);
    }
}
