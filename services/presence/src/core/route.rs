//! The way from users to the gateways that hold their sessions.

use std::collections::HashMap;
use std::sync::Arc;

use throng_proto::v1::DeliveryTarget;

use super::index::Index;
use super::session::SessionId;

/// Targets by gateway.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    pub(crate) gateways: HashMap<Arc<str>, Vec<DeliveryTarget>>,
    /// Users with at least one session that has a connection.
    pub(crate) reached: u32,
}

impl Index {
    /// Adds the way to all connected sessions of a user, but for one (0: for none).
    ///
    /// A target names no sessions: the gateway knows best which there are, and leaves that one out.
    pub(crate) fn route_user(&self, app: u32, name: &str, except: u32, routes: &mut Routes) {
        let Some(user) = self.user(app, name) else {
            return;
        };
        let mut reached = false;
        for session in user.sessions.iter().filter(|session| session.is_up()) {
            if session.inst_id == except {
                continue;
            }
            reached = true;
            let targets = match routes.gateways.get_mut(&session.gateway) {
                Some(targets) => targets,
                None => routes.gateways.entry(Arc::clone(&session.gateway)).or_default(),
            };
            // A user's sessions are added one after another, so only the last target can be theirs.
            if targets.last().is_none_or(|target| target.user != name) {
                targets.push(DeliveryTarget { user: name.to_owned(), inst_ids: Vec::new() });
            }
        }
        routes.reached += u32::from(reached);
    }

    /// Adds the way to one session, if it has a connection.
    pub(crate) fn route_session(&self, session: &SessionId, routes: &mut Routes) {
        let user = self.user(session.app, &session.user);
        let found = user.and_then(|user| {
            user.sessions.iter().find(|known| known.inst_id == session.inst_id && known.is_up())
        });
        let Some(found) = found else { return };
        routes.gateways.entry(Arc::clone(&found.gateway)).or_default().push(DeliveryTarget {
            user: session.user.to_string(),
            inst_ids: vec![session.inst_id],
        });
    }

    /// Whether the user is online. A session in its grace period counts: it has not gone yet.
    pub(crate) fn is_online(&self, app: u32, name: &str) -> bool {
        self.user(app, name).is_some_and(|user| !user.sessions.is_empty())
    }

    /// Whether the session is there, online or in its grace period.
    #[cfg(test)]
    pub(crate) fn has(&self, app: u32, name: &str, inst_id: u32) -> bool {
        self.user(app, name).is_some_and(|user| user.position(inst_id).is_some())
    }

    /// Platform numbers of the user's sessions, and the custom status; `None` for offline.
    pub(crate) fn status(&self, app: u32, name: &str) -> Option<(Vec<u32>, Arc<str>)> {
        let user = self.user(app, name).filter(|user| !user.sessions.is_empty())?;
        let mut platforms: Vec<u32> = user.sessions.iter().map(|known| known.platform).collect();
        platforms.sort_unstable();
        platforms.dedup();
        Some((platforms, user.custom_status()))
    }
}
