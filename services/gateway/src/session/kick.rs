//! A session that presence ended: displaced by another login, or by an administrator (SDK protocol
//! notes 01, 3.4).

use std::sync::Arc;

use serde_json::json;
use throng_proto::v1;
use throng_protocol::frame;

use super::Session;
use super::auth::Identity;
use crate::connection::Close;

/// `KickType` for what an administrator did.
pub(super) const BY_REST: u32 = 3;

/// Who is not welcome on this connection any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kicked {
    pub(super) inst_id: u32,
    /// `None`: it logged out.
    pub(super) kick_type: Option<u32>,
}

impl Session {
    /// Tells the client and forgets the session. The connection stays open: the client logs out on
    /// it, and may log in again.
    /// Returns who it was.
    pub(crate) fn kick(&self, kick: &v1::SessionKick) -> Option<Arc<Identity>> {
        if kick.connection != 0 && kick.connection != self.number {
            return None;
        }
        let kicked = Kicked { inst_id: kick.inst_id, kick_type: Some(kick.kick_type) };
        let identity = self.end_identity(&kick.user, kicked)?;
        if kick.kick_type == 0 {
            self.outbox.close(Close::REPLACED);
        } else {
            let _ = self.outbox.control(&kick_frame(kick.kick_type));
        }
        Some(identity)
    }

    /// The session is over here, if it is this connection's: its token is refused from now on.
    pub(super) fn end_identity(&self, user: &str, kicked: Kicked) -> Option<Arc<Identity>> {
        let identity = {
            let mut state = self.state.lock();
            let identity = state
                .identity
                .take_if(|one| one.token.user == user && one.token.inst_id == kicked.inst_id)?;
            state.kicked = Some(kicked);
            identity
        };
        let token = &identity.token;
        self.context.sessions.remove(token.app, &token.user, token.inst_id, self);
        self.acks.lock().clear();
        self.drop_catch_up();
        // Presence takes the session out of its rooms at their owners.
        self.close_seats(&identity);
        Some(identity)
    }
}

fn kick_frame(kick_type: u32) -> bytes::Bytes {
    let notice = json!({"KickType": kick_type, "NewInstInfo": {"Platform": "Web"}});
    let body = json!({"EventArray": [
        {"Event": 13, "C2cNotifyMsgArray": [{"KickoutMsgNotify": notice}]},
    ]});
    frame::push("im_open_status.stat_forceoffline", body.to_string().as_bytes())
}
