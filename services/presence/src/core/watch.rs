//! Who wants to hear of whose status.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::session::SessionId;

/// Subscriptions of sessions to users' status. They end with the session.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Users one session may watch; the oldest subscription makes room.
    most: usize,
    watchers: HashMap<(u32, Arc<str>), HashSet<SessionId>>,
    watched: HashMap<SessionId, VecDeque<Arc<str>>>,
}

impl Watch {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, watchers: HashMap::new(), watched: HashMap::new() }
    }

    pub(crate) fn subscribe(&mut self, session: &SessionId, users: &[String]) {
        for user in users {
            let user: Arc<str> = Arc::from(user.as_str());
            let key = (session.app, Arc::clone(&user));
            if !self.watchers.entry(key).or_default().insert(session.clone()) {
                continue;
            }
            let list = self.watched.entry(session.clone()).or_default();
            list.push_back(user);
            let oldest = if list.len() > self.most { list.pop_front() } else { None };
            if let Some(oldest) = oldest {
                self.forget_watcher(session, oldest);
            }
        }
    }

    pub(crate) fn unsubscribe(&mut self, session: &SessionId, users: &[String]) {
        let Some(list) = self.watched.get_mut(session) else {
            return;
        };
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            list.drain(..).partition(|user| users.iter().any(|other| **other == **user));
        if kept.is_empty() {
            self.watched.remove(session);
        } else {
            *list = kept;
        }
        for user in gone {
            self.forget_watcher(session, user);
        }
    }

    /// The session watches nobody any more.
    pub(crate) fn drop_session(&mut self, session: &SessionId) {
        for user in self.watched.remove(session).unwrap_or_default() {
            self.forget_watcher(session, user);
        }
    }

    pub(crate) fn watchers(&self, app: u32, user: &Arc<str>) -> Vec<SessionId> {
        let watchers = self.watchers.get(&(app, Arc::clone(user)));
        watchers.map(|watchers| watchers.iter().cloned().collect()).unwrap_or_default()
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.watchers.is_empty() && self.watched.is_empty()
    }

    fn forget_watcher(&mut self, session: &SessionId, user: Arc<str>) {
        let key = (session.app, user);
        if let Some(watchers) = self.watchers.get_mut(&key) {
            watchers.remove(session);
            if watchers.is_empty() {
                self.watchers.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(inst_id: u32) -> SessionId {
        SessionId { app: 1, user: Arc::from("ann"), inst_id }
    }

    fn names(users: &[&str]) -> Vec<String> {
        users.iter().map(|user| (*user).to_owned()).collect()
    }

    #[test]
    fn a_session_hears_of_whom_it_watches_until_it_ends() {
        let mut watch = Watch::new(10);
        watch.subscribe(&session(1), &names(&["bob", "cid", "bob"]));
        watch.subscribe(&session(2), &names(&["bob"]));
        assert_eq!(watch.watchers(1, &Arc::from("bob")).len(), 2);
        assert!(watch.watchers(2, &Arc::from("bob")).is_empty(), "another app");
        watch.unsubscribe(&session(1), &names(&["bob", "nobody"]));
        assert_eq!(watch.watchers(1, &Arc::from("bob")), vec![session(2)]);
        assert_eq!(watch.watchers(1, &Arc::from("cid")), vec![session(1)]);
        watch.drop_session(&session(1));
        watch.drop_session(&session(2));
        assert!(watch.is_empty());
    }

    #[test]
    fn the_oldest_subscription_makes_room() {
        let mut watch = Watch::new(2);
        watch.subscribe(&session(1), &names(&["a", "b", "c"]));
        assert!(watch.watchers(1, &Arc::from("a")).is_empty());
        assert_eq!(watch.watchers(1, &Arc::from("c")), vec![session(1)]);
        watch.drop_session(&session(1));
        assert!(watch.is_empty());
    }
}
