//! The names under which processes meet. Group IDs may hold any printable character, so they are
//! written in hexadecimal.

use std::fmt::Write as _;

use throng_protocol::ids::AppId;

/// Events of one room, from its owner to the gateways that have members there.
#[must_use]
pub fn room(app: AppId, group_id: &str) -> String {
    let mut subject = String::with_capacity(24 + group_id.len() * 2);
    let _ = write!(subject, "throng.room.{}.", app.0);
    for byte in group_id.bytes() {
        let _ = write!(subject, "{byte:02x}");
    }
    subject
}

/// What one gateway has to do for sessions of its own.
#[must_use]
pub fn gateway(gateway_id: &str) -> String {
    format!("throng.gateway.{gateway_id}")
}

/// Changes of profiles, to whoever caches them.
#[must_use]
pub fn profiles(app: AppId) -> String {
    format!("throng.profiles.{}", app.0)
}

/// Messages to all live rooms of an app, to the rooms' owners.
#[must_use]
pub fn rooms_broadcast(app: AppId) -> String {
    format!("throng.broadcast.{}", app.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_id_cannot_forge_a_subject() {
        assert_eq!(room(AppId(7), "a.*"), "throng.room.7.612e2a");
        assert_ne!(room(AppId(7), "A"), room(AppId(7), "a"));
    }
}
