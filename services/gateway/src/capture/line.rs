//! A connection in the capture: whether its user is captured, and the records of its commands.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use throng_capture::{Bodies, Message, Pseudonym, Record, Shape, What};
use throng_protocol::catalogue::{self, Command, RoutingKey};
use throng_protocol::ids::{self, AppId};

use super::Capture;

const SEND: &str = "group_open_http_svc.send_group_msg";
/// What every client does by itself, however it is used. Heartbeats, acknowledgements and telemetry do
/// not come this far.
const BY_ITSELF: [&str; 2] = ["im_open_status.wshello", "group_open_long_polling_http_svc.get_msg"];

/// A connection.
#[derive(Debug)]
pub(crate) struct Line {
    capture: Arc<Capture>,
    number: u64,
    opened: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Who acted last; requests of one connection are nearly always of one user.
    user: String,
    /// The same, if it is captured.
    known_as: Option<Pseudonym>,
    /// Records so far.
    records: u32,
}

/// A command that was not answered yet. Without an answer it is written down as it is when it ends.
#[derive(Debug)]
pub(crate) struct Pending {
    capture: Arc<Capture>,
    group: Option<Box<str>>,
    record: Mutex<Option<Record>>,
}

impl Line {
    pub(super) fn new(capture: Arc<Capture>, number: u64, opened: u64) -> Self {
        Self { capture, number, opened, state: Mutex::default() }
    }

    /// A command came; `None` if it is none of those that are captured.
    pub(crate) fn begin(
        &self,
        app: AppId,
        user: &str,
        command: &'static Command,
        body: &[u8],
        again: bool,
    ) -> Option<Box<Pending>> {
        let at = self.capture.now();
        if BY_ITSELF.contains(&command.name) {
            return None;
        }
        let (user, place) = self.enter(app, user)?;
        let key = &self.capture.key;
        let group = catalogue::routing_group(command.key, body).ok();
        let group = group.filter(|group| !group.is_empty());
        let group_as = group.as_ref().map(|group| key.group(app, group));
        let peer = match command.key {
            RoutingKey::User(field) => Some(catalogue::routing_user(field, body, "")),
            _ => None,
        };
        let peer = peer.filter(|peer| !peer.is_empty()).map(|peer| key.user(app, &peer));
        let message = group_as.filter(|_| command.name == SEND).map(|group| {
            let shape = Shape::of(body);
            let elements = match self.capture.bodies {
                Bodies::Shape => shape.elements,
                Bodies::None => Vec::new(),
            };
            Message {
                id: key.message(user, group, shape.random),
                priority: shape.priority.map(Into::into),
                elements,
                seq: 0,
                dropped: false,
            }
        });
        let command = throng_capture::Command {
            name: command.name.into(),
            group: group_as,
            peer: peer.filter(|peer| *peer != user),
            again,
            message,
            ..throng_capture::Command::default()
        };
        let what = What::Command(command);
        let record = Record { at, line: self.number, place, user: Some(user), what };
        Some(Box::new(Pending {
            capture: Arc::clone(&self.capture),
            group: group.map(|group| group.into_owned().into()),
            record: Mutex::new(Some(record)),
        }))
    }

    /// The user as the capture knows it, if it is captured, and the place of its next record.
    fn enter(&self, app: AppId, user: &str) -> Option<(Pseudonym, u32)> {
        let mut state = self.state.lock();
        if state.user != user {
            // Whatever strangers write there.
            ids::user_id(user).ok()?;
            let known_as = self.capture.key.user(app, user);
            user.clone_into(&mut state.user);
            state.known_as =
                self.capture.key.takes(known_as, self.capture.share).then_some(known_as);
        }
        let user = state.known_as?;
        if state.records == 0 {
            state.records = 1;
            self.put(self.opened, 0, user, What::Open);
        }
        let place = state.records;
        state.records += 1;
        Some((user, place))
    }

    /// The connection is over.
    pub(crate) fn end(&self, for_good: bool) {
        let state = self.state.lock();
        if let Some(user) = state.known_as {
            self.put(self.capture.now(), state.records, user, What::Close { for_good });
        }
    }

    fn put(&self, at: u64, place: u32, user: Pseudonym, what: What) {
        self.capture.put(Record { at, line: self.number, place, user: Some(user), what });
    }
}

impl Pending {
    /// Asks whether its group is a live room.
    pub(crate) fn in_live_room(&self, is_live: impl FnOnce(&str) -> bool) {
        if let Some(group) = &self.group
            && is_live(group)
            && let Some(Record { what: What::Command(command), .. }) = &mut *self.record.lock()
        {
            command.live = true;
        }
    }

    /// The answer is there.
    pub(crate) fn answered(&self, code: u32, body: &[u8]) {
        let Some(mut record) = self.record.lock().take() else {
            return;
        };
        let at = record.at;
        if let What::Command(command) = &mut record.what {
            command.took = Some(self.capture.now().saturating_sub(at));
            command.code = code;
            if let Some(message) = command.message.as_mut().filter(|_| code == 0) {
                let sent: Sent<'_> = serde_json::from_slice(body).unwrap_or_default();
                message.seq = sent.msg_seq;
                message.dropped = !sent.msg_drop_reason.is_empty();
            }
        }
        self.capture.put(record);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(record) = self.record.lock().take() {
            self.capture.put(record);
        }
    }
}

/// The answer to a message.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Sent<'a> {
    msg_seq: u32,
    #[serde(borrow)]
    msg_drop_reason: std::borrow::Cow<'a, str>,
}
