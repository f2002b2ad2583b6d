//! What all clients of a worker share: the app, names, the clock, the bytes that are on their way out.

use throng_protocol::AppId;

use super::websocket::{Kind, put_frame};

/// What all clients of a run have in common.
#[derive(Debug, Clone)]
pub struct Common {
    /// The app.
    pub app: AppId,
    /// Its secret key, to sign users with.
    pub key: String,
    /// Names of users begin with this, their number follows.
    pub user_prefix: String,
    /// IDs of groups begin with this, their number follows.
    pub group_prefix: String,
    /// Keeps instances of different runs apart.
    pub salt: u64,
    /// The text of messages; one takes as much of it as it is long.
    pub text: String,
    /// Ask for all that the SDK asks for after a login.
    pub burst: bool,
}

impl Common {
    /// The name of a user.
    #[must_use]
    pub fn user(&self, client: u32) -> String {
        format!("{}{client}", self.user_prefix)
    }

    /// The ID of a group.
    #[must_use]
    pub fn group(&self, room: u32) -> String {
        format!("{}{room}", self.group_prefix)
    }
}

/// The time, twice.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Whole seconds of the run.
    pub second: u32,
    /// Seconds since 1970.
    pub unix_s: i64,
}

/// Bytes to be written, of whatever connection is being served.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// The bytes.
    pub bytes: Vec<u8>,
    frames: u32,
}

impl Outgoing {
    /// Appends a frame.
    pub fn frame(&mut self, kind: Kind, payload: &[u8]) {
        // Masks need not be secret here, but servers have to undo them.
        self.frames = self.frames.wrapping_add(0x9E37_79B9);
        put_frame(&mut self.bytes, kind, payload, self.frames);
    }
}
