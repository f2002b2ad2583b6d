//! A session that presence ended: displaced by another login, or by an administrator (SDK protocol
//! notes 01, 3.4).

use serde_json::json;
use throng_proto::v1;
use throng_protocol::frame;

use super::Session;

/// Who is not welcome on this connection any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kicked {
    pub(super) inst_id: u32,
    pub(super) kick_type: u32,
}

impl Session {
    /// Tells the client and forgets the session. The connection stays open: the client logs out on
    /// it, and may log in again.
    pub(super) fn kick(&self, kick: &v1::SessionKick) {
        let identity = {
            let mut state = self.state.lock();
            let identity = state
                .identity
                .take_if(|one| one.token.user == kick.user && one.token.inst_id == kick.inst_id);
            if identity.is_some() {
                state.kicked = Some(Kicked { inst_id: kick.inst_id, kick_type: kick.kick_type });
            }
            identity
        };
        let Some(identity) = identity else { return };
        let token = &identity.token;
        self.context.sessions.remove(token.app, &token.user, token.inst_id, self);
        self.acks.lock().clear();
        // Presence takes the session out of its rooms at their owners.
        self.close_seats(&identity);
        let _ = self.outbox.control(kick_frame(kick.kick_type));
    }
}

fn kick_frame(kick_type: u32) -> bytes::Bytes {
    let notice = json!({"KickType": kick_type, "NewInstInfo": {"Platform": "Web"}});
    let body = json!({"EventArray": [
        {"Event": 13, "C2cNotifyMsgArray": [{"KickoutMsgNotify": notice}]},
    ]});
    frame::push("im_open_status.stat_forceoffline", body.to_string().as_bytes())
}
