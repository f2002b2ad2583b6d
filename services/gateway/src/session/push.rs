//! What the server tells a client without being asked (SDK protocol notes 01, 4).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use throng_protocol::frame;
use tokio::time::Instant;

use super::Session;

/// The push that knows every kind of item.
const PUSH: &str = "im_open_push.msg_push";

/// A frame with these items: JSON texts, separated by commas. It is the same for everybody.
pub(crate) fn items_frame(items: &[u8]) -> Bytes {
    frame::push(PUSH, &body("", items))
}

fn body(before: &str, items: &[u8]) -> Vec<u8> {
    const START: &[u8] = b"\"EventArray\":[";
    let mut body = Vec::with_capacity(before.len() + START.len() + items.len() + 3);
    body.push(b'{');
    body.extend_from_slice(before.as_bytes());
    body.extend_from_slice(START);
    body.extend_from_slice(items);
    body.extend_from_slice(b"]}");
    body
}

impl Session {
    /// Pushes items and asks the client to acknowledge them; they go out again until it does.
    pub(super) fn push_reliably(self: &Arc<Self>, items: &[u8]) {
        let mut acks = self.acks.lock();
        let watched = std::mem::replace(&mut acks.watched, true);
        let (frame, given_up) = acks.push(Instant::now(), |number| {
            let before = format!("\"NeedAck\":1,\"SessionData\":\"{number}\",");
            frame::push(PUSH, &body(&before, items))
        });
        drop(acks);
        self.context.metrics.acks_missed.increment(given_up);
        if !watched {
            self.context.acks.watch(self);
        }
        let _ = self.outbox.control(&frame);
    }

    /// Asks the client not to send a command for some time (SDK protocol notes 01, 3.8).
    pub(super) fn notify_overload(&self, servcmd: &str, delay: Duration) {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body<'a> {
            over_load_serv_cmd: &'a str,
            delay_secs: u64,
        }
        let body = Body { over_load_serv_cmd: servcmd, delay_secs: delay.as_secs() };
        if let Ok(body) = serde_json::to_vec(&body) {
            let _ = self.outbox.control(&frame::push("OverLoadPush.notify2", &body));
        }
    }
}
