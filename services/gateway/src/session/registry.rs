//! The sessions that are logged in at this gateway, by user.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;
use throng_protocol::ids::AppId;

use super::Session;

const SHARDS: usize = 64;

type Users = HashMap<String, SmallVec<[(u32, Arc<Session>); 1]>>;

/// Finds sessions.
#[derive(Debug)]
pub(crate) struct Registry {
    shards: Vec<Mutex<HashMap<AppId, Users>>>,
    hasher: RandomState,
}

impl Default for Registry {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl Registry {
    /// Enters a session; returns the connection that it had until now, if it is another one.
    pub(super) fn enter(
        &self,
        app: AppId,
        user: &str,
        inst_id: u32,
        session: &Arc<Session>,
    ) -> Option<Arc<Session>> {
        let mut shard = self.shard(app, user).lock();
        let sessions = shard.entry(app).or_default().entry(user.to_owned()).or_default();
        match sessions.iter_mut().find(|(other, _)| *other == inst_id) {
            Some((_, present)) if Arc::ptr_eq(present, session) => None,
            Some((_, present)) => Some(std::mem::replace(present, Arc::clone(session))),
            None => {
                sessions.push((inst_id, Arc::clone(session)));
                None
            }
        }
    }

    /// Takes a session out, if it is entered with this connection.
    pub(super) fn remove(&self, app: AppId, user: &str, inst_id: u32, session: &Session) -> bool {
        let mut shard = self.shard(app, user).lock();
        let Some(users) = shard.get_mut(&app) else {
            return false;
        };
        let Some(sessions) = users.get_mut(user) else {
            return false;
        };
        let before = sessions.len();
        sessions.retain(|(other, present)| {
            *other != inst_id || !std::ptr::eq(Arc::as_ptr(present), session)
        });
        let removed = sessions.len() < before;
        if sessions.is_empty() {
            users.remove(user);
        }
        removed
    }

    /// The number of places over which sessions are spread.
    pub(crate) fn places(&self) -> usize {
        SHARDS
    }

    /// All sessions at one place.
    pub(crate) fn at(&self, place: usize) -> Vec<Arc<Session>> {
        let Some(shard) = self.shards.get(place) else {
            return Vec::new();
        };
        let shard = shard.lock();
        let sessions = shard.values().flat_map(HashMap::values).flatten();
        sessions.map(|(_, session)| Arc::clone(session)).collect()
    }

    /// The sessions of a user: these, or all if none is named, but for one (0: for none).
    pub(super) fn of(
        &self,
        app: AppId,
        user: &str,
        inst_ids: &[u32],
        except: u32,
    ) -> Vec<Arc<Session>> {
        let shard = self.shard(app, user).lock();
        let sessions = shard.get(&app).and_then(|users| users.get(user));
        sessions
            .into_iter()
            .flatten()
            .filter(|(inst_id, _)| inst_ids.is_empty() || inst_ids.contains(inst_id))
            .filter(|(inst_id, _)| except == 0 || *inst_id != except)
            .map(|(_, session)| Arc::clone(session))
            .collect()
    }

    fn shard(&self, app: AppId, user: &str) -> &Mutex<HashMap<AppId, Users>> {
        &self.shards[self.hasher.hash_one((app, user)) as usize % SHARDS]
    }
}
