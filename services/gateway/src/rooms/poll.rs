//! Live rooms for clients that poll: guests, and apps that chose so (SDK protocol notes 02, 1.3). The
//! loop of a client stands on its key alone, which any gateway can read.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::token::PollKey;
use tokio::time::{Instant, sleep_until};

use super::ring::Page;
use super::{Attendee, Hub, PollSeat, Position, Room, Seat, Since};
use crate::connection::Coarse;

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

impl Room {
    /// Notes a poll. The place is served on this connection from now on. False: nobody has it.
    pub(super) fn begin_poll(self: &Arc<Self>, place: &PollSeat, attendee: &Arc<Attendee>) -> bool {
        let mut state = self.state.lock();
        let Some(member) = state.polls.get_mut(place) else {
            return false;
        };
        member.polled = Coarse::now();
        if member.attendee.id != attendee.id {
            let mut seats = attendee.seats.lock();
            if seats.closed {
                return true;
            }
            let seat = Seat::Poll(place.clone());
            seats.list.push((Arc::clone(self), seat.clone()));
            drop(seats);
            let before = std::mem::replace(&mut member.attendee, Arc::clone(attendee));
            before.stand_up(self, &seat);
        }
        member.holding += 1;
        true
    }

    /// Notes that a poll was answered.
    pub(super) fn end_poll(&self, place: &PollSeat) {
        if let Some(member) = self.state.lock().polls.get_mut(place) {
            member.polled = Coarse::now();
            member.holding = member.holding.saturating_sub(1);
        }
    }

    /// What a poll gets now: nothing before the room is ready. `start` is the client's cursor.
    pub(super) fn page(&self, place: &PollSeat, start: u64) -> Option<Arc<Page>> {
        let mut state = self.state.lock();
        if !state.ready {
            return None;
        }
        let cursor = Position::from_cursor(start, state.head);
        if let Some(member) = state.polls.get_mut(place) {
            member.has = cursor.or(member.has);
        }
        let after =
            cursor.unwrap_or_else(|| match state.polls.get(place).map(|member| member.since) {
                Some(Since::Joined(position) | Since::Told { attached: position, .. }) => position,
                Some(Since::Back { seq, .. }) => state.ring.place_of_seq(seq),
                None => state.head,
            });
        if let Some((made_for, page)) = &state.page
            && *made_for == after
        {
            return Some(Arc::clone(page));
        }
        let page = Arc::new(state.ring.page(after, &place.user));
        if page.for_all {
            state.page = Some((after, Arc::clone(&page)));
        }
        Some(page)
    }

    /// The number of a guest that nobody has watched until now.
    pub(super) fn watch_guest(&self, place: &PollSeat) -> Option<u64> {
        let mut state = self.state.lock();
        let member = state.polls.get_mut(place).filter(|member| !member.watched)?;
        member.watched = true;
        Some(member.number)
    }

    /// Looks at a guest, and takes it out if it has not polled for too long.
    pub(super) fn look_at_guest(
        self: &Arc<Self>,
        place: &PollSeat,
        number: u64,
        is_over: impl Fn(u32) -> bool,
    ) -> Looked {
        let mut state = self.state.lock();
        let Some(member) = state.polls.get(place).filter(|member| member.number == number) else {
            return Looked::Gone;
        };
        if member.holding > 0 {
            return Looked::Polls(Coarse::now());
        }
        if !is_over(member.polled) {
            return Looked::Polls(member.polled);
        }
        if let Some(member) = state.polls.remove(place) {
            member.attendee.stand_up(self, &Seat::Poll(place.clone()));
        }
        Looked::TakenOut
    }
}

/// What became of a guest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// It polled last in that second.
    Polls(u32),
    TakenOut,
    /// It had left, or left and come back.
    Gone,
}

/// A poll that is held, until it is answered or given up.
struct Held<'a> {
    room: &'a Room,
    place: &'a PollSeat,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.room.end_poll(self.place);
    }
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
        let Some(room) = self.find(key.app, &key.group_id) else {
            return Polled::Unknown;
        };
        if !room.begin_poll(&place, attendee) {
            return Polled::Unknown;
        }
        let _held = Held { room: &room, place: &place };
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
        let key =
            PollKey { app: AppId(1), group_id: "room".to_owned(), user: String::new(), inst_id: 7 };
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
