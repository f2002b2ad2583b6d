//! What is pushed to a session that came back waits until the client knows what it missed. The SDK asks
//! for the list of conversations after the login, some time later compares it with the newest message
//! that it has of each group, and then reads what lies between: a push before that would be the newest,
//! and hide everything before it (SDK protocol notes 01, 3.2). So would a message of its own, which it
//! repeats on the new connection even before it logs in: the answers to those wait too. That it has
//! compared shows in what it asks for next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::sleep;

use super::Session;

/// What the SDK asks for once it has compared: messages of groups and chats that are behind, recalls in
/// the other groups, and in any case new messages of chats.
const NEXT: [&str; 4] = [
    "group_open_http_svc.group_msg_get",
    "group_open_http_svc.batch_get_group_notify",
    "openim.getroammsg",
    "openim.getmsg",
];
/// What it begins with.
const FIRST: &str = "recentcontact.page_get";
/// How long the first frame waits for a client that does not even begin: not every client asks.
const UNASKED: Duration = Duration::from_secs(3);
/// How much longer for one that has begun. Rather late than lost: a client on a slow machine, or one whose
/// list takes long, hides everything that it missed if a push comes before it has compared. But answers
/// wait, too, and a client gives up after 15 seconds.
const ASKED: Duration = Duration::from_secs(6);
/// Frames that wait, and their bytes; with more they go out.
const MOST: usize = 256;
const MOST_BYTES: usize = 256 * 1024;

/// The frames that wait.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    /// Whether there may be any: saves everybody else the lock.
    under_way: AtomicBool,
    /// The client has begun to ask.
    asked: AtomicBool,
    waiting: Mutex<Option<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: Vec<Bytes>,
    bytes: usize,
}

impl Session {
    /// From now on pushes wait.
    pub(super) fn begin_catch_up(&self) {
        self.catch_up.waiting.lock().get_or_insert_default();
        self.catch_up.asked.store(false, Ordering::Relaxed);
        self.catch_up.under_way.store(true, Ordering::Release);
    }

    /// Nothing waits any longer, and what waited is for nobody.
    pub(super) fn drop_catch_up(&self) {
        self.catch_up.under_way.store(false, Ordering::Release);
        *self.catch_up.waiting.lock() = None;
    }

    /// Writes a frame, now or when the client has caught up.
    pub(super) fn push(self: &Arc<Self>, frame: &Bytes) {
        if self.catch_up.under_way.load(Ordering::Acquire) {
            let mut waiting = self.catch_up.waiting.lock();
            if let Some(pushes) = &mut *waiting {
                pushes.bytes += frame.len();
                pushes.frames.push(frame.clone());
                match pushes.frames.len() {
                    1 => self.end_catch_up_in_time(),
                    MOST.. => self.release(&mut waiting),
                    _ if pushes.bytes > MOST_BYTES => self.release(&mut waiting),
                    _ => {}
                }
                return;
            }
        }
        let _ = self.outbox.control(frame);
    }

    /// The client asks for something.
    pub(super) fn follow_catch_up(&self, command: &str) {
        if !self.catch_up.under_way.load(Ordering::Acquire) {
            return;
        }
        if command == FIRST {
            self.catch_up.asked.store(true, Ordering::Relaxed);
        } else if NEXT.contains(&command) && self.catch_up.asked.load(Ordering::Relaxed) {
            // Without the list it is what the last connection did not answer, and says nothing.
            self.end_catch_up();
        }
    }

    /// Nothing waits any longer.
    pub(super) fn end_catch_up(&self) {
        self.release(&mut self.catch_up.waiting.lock());
    }

    fn end_catch_up_in_time(self: &Arc<Self>) {
        let session = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep(UNASKED).await;
            let asked = |session: Arc<Self>| session.catch_up.asked.load(Ordering::Relaxed);
            if session.upgrade().is_some_and(asked) {
                sleep(ASKED).await;
            }
            if let Some(session) = session.upgrade() {
                session.end_catch_up();
            }
        });
    }

    /// Under the lock, so that no later push overtakes these.
    fn release(&self, waiting: &mut Option<Waiting>) {
        for frame in waiting.take().unwrap_or_default().frames {
            let _ = self.outbox.control(&frame);
        }
        self.catch_up.under_way.store(false, Ordering::Release);
    }
}
