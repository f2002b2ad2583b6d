//! Who wants to hear of whose status: the subscriptions of a session, and the way back from a user
//! to those who watch it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::Now;
use super::index::{Desk, Index};
use super::session::{Effect, SessionId};

impl Index {
    /// A session wants to hear of these users. One that is not there wants nothing.
    pub(crate) fn subscribe(
        &mut self,
        now: Now,
        (app, user): (u32, &str),
        inst_id: u32,
        users: &[String],
        out: &mut Vec<Effect>,
    ) {
        self.decide(now, app, user, out, |desk| desk.subscribe(inst_id, users));
    }

    /// A session wants to hear of these users no longer; of nobody, with `None`.
    pub(crate) fn unsubscribe(
        &mut self,
        now: Now,
        (app, user): (u32, &str),
        inst_id: u32,
        users: Option<&[String]>,
        out: &mut Vec<Effect>,
    ) {
        self.decide(now, app, user, out, |desk| desk.unsubscribe(inst_id, users));
    }
}

impl Desk<'_> {
    fn subscribe(&mut self, inst_id: u32, users: &[String]) {
        let Some(position) = self.user.position(inst_id) else {
            return;
        };
        let most = self.settings.max_watched;
        let (mut added, mut dropped) = (Vec::new(), Vec::new());
        let watching = &mut self.user.sessions[position].watching;
        for user in users {
            if watching.iter().any(|known| **known == **user) {
                continue;
            }
            let user: Arc<str> = Arc::from(user.as_str());
            watching.push_back(Arc::clone(&user));
            added.push(user);
            if watching.len() > most {
                dropped.extend(watching.pop_front());
            }
        }
        if added.is_empty() {
            return;
        }
        let session = self.id(inst_id);
        self.out.push(Effect::Watch { session: session.clone(), users: added });
        if !dropped.is_empty() {
            self.out.push(Effect::Unwatch { session, users: dropped });
        }
        self.save(position);
    }

    fn unsubscribe(&mut self, inst_id: u32, users: Option<&[String]>) {
        let Some(position) = self.user.position(inst_id) else {
            return;
        };
        let watching = &mut self.user.sessions[position].watching;
        let (gone, kept): (VecDeque<_>, VecDeque<_>) = watching.drain(..).partition(|known| {
            users.is_none_or(|users| users.iter().any(|user| **user == **known))
        });
        *watching = kept;
        if !gone.is_empty() {
            let session = self.id(inst_id);
            self.out.push(Effect::Unwatch { session, users: gone.into() });
            self.save(position);
        }
    }
}

/// From users to the sessions that watch them, as the effects say.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    watchers: HashMap<(u32, Arc<str>), HashSet<SessionId>>,
}

impl Watch {
    pub(crate) fn add(&mut self, session: &SessionId, users: Vec<Arc<str>>) {
        for user in users {
            self.watchers.entry((session.app, user)).or_default().insert(session.clone());
        }
    }

    pub(crate) fn remove(&mut self, session: &SessionId, users: Vec<Arc<str>>) {
        for user in users {
            let key = (session.app, user);
            if let Some(watchers) = self.watchers.get_mut(&key) {
                watchers.remove(session);
                if watchers.is_empty() {
                    self.watchers.remove(&key);
                }
            }
        }
    }

    pub(crate) fn watchers(&self, app: u32, user: &str) -> Vec<SessionId> {
        let watchers = self.watchers.get(&(app, Arc::from(user)));
        watchers.map(|watchers| watchers.iter().cloned().collect()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }
}
