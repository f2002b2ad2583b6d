//! Members of large groups: which of them are online, so that what goes to all costs as much as those
//! do; and which state of the members a node has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::index::Index;
use super::route::Routes;

/// Names an audience within a node, and never another one.
pub(crate) type AudienceId = u64;

/// The members of all audiences, as far as their sessions are in one index.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    known: HashMap<AudienceId, Part>,
    /// By app and user.
    of_users: HashMap<u32, HashMap<Arc<str>, Vec<AudienceId>>>,
    online: usize,
}

#[derive(Debug)]
struct Part {
    app: u32,
    /// Whether each wants no messages.
    members: HashMap<Arc<str>, bool>,
    /// Those of them who have a session.
    online: HashMap<Arc<str>, bool>,
}

/// To whom of an audience something goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Among<'a> {
    pub(crate) discarding_too: bool,
    pub(crate) except_users: &'a HashSet<&'a str>,
    /// A session that gets nothing; 0 for none.
    pub(crate) except_inst_id: u32,
}

impl Among<'_> {
    fn has(&self, user: &str, discards: bool) -> bool {
        (self.discarding_too || !discards) && !self.except_users.contains(user)
    }
}

impl Audiences {
    /// A user has a first session, or none any more.
    pub(super) fn note(&mut self, app: u32, user: &Arc<str>, online: bool) {
        let Some(ids) = self.of_users.get(&app).and_then(|users| users.get(user)) else { return };
        for id in ids {
            let Some(part) = self.known.get_mut(id) else { continue };
            if online {
                let discards = part.members.get(user).copied().unwrap_or_default();
                let news = part.online.insert(Arc::clone(user), discards).is_none();
                self.online += usize::from(news);
            } else {
                self.online -= usize::from(part.online.remove(user).is_some());
            }
        }
    }

    fn join(
        &mut self,
        id: AudienceId,
        (app, user): (u32, &str),
        discards: bool,
        online: bool,
    ) -> bool {
        let members = HashMap::new();
        let part = self.known.entry(id).or_insert(Part { app, members, online: HashMap::new() });
        if let Some(known) = part.members.get_mut(user) {
            *known = discards;
            if let Some(known) = part.online.get_mut(user) {
                *known = discards;
            }
            return false;
        }
        let users = self.of_users.entry(app).or_default();
        let name = users.get_key_value(user).map(|(name, _)| Arc::clone(name));
        let name = name.unwrap_or_else(|| Arc::from(user));
        let ids = users.entry(Arc::clone(&name)).or_default();
        // Most users are in few large groups.
        ids.reserve_exact(1);
        ids.push(id);
        if online {
            part.online.insert(Arc::clone(&name), discards);
            self.online += 1;
        }
        part.members.insert(name, discards);
        true
    }

    fn leave(&mut self, id: AudienceId, user: &str) -> bool {
        let Some(part) = self.known.get_mut(&id) else { return false };
        let left = part.members.remove(user).is_some();
        if left {
            self.online -= usize::from(part.online.remove(user).is_some());
            let app = part.app;
            self.unlink(id, app, user);
        }
        left
    }

    fn unlink(&mut self, id: AudienceId, app: u32, user: &str) {
        let Some(users) = self.of_users.get_mut(&app) else { return };
        if let Some(ids) = users.get_mut(user) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                users.remove(user);
            }
        }
        if users.is_empty() {
            self.of_users.remove(&app);
        }
    }

    fn drop(&mut self, id: AudienceId) {
        let Some(part) = self.known.remove(&id) else { return };
        self.online -= part.online.len();
        for user in part.members.keys() {
            self.unlink(id, part.app, user);
        }
    }
}

impl Index {
    /// A user is a member of an audience from now on, or wants something else than before. True: it
    /// was none.
    pub(crate) fn join_audience(
        &mut self,
        id: AudienceId,
        app: u32,
        user: &str,
        discards: bool,
    ) -> bool {
        let online = self.is_online(app, user);
        self.audiences.join(id, (app, user), discards, online)
    }

    /// A user is a member no more. False: it was none.
    pub(crate) fn leave_audience(&mut self, id: AudienceId, user: &str) -> bool {
        self.audiences.leave(id, user)
    }

    /// Forgets an audience.
    pub(crate) fn drop_audience(&mut self, id: AudienceId) {
        self.audiences.drop(id);
    }

    /// Adds the way to all connected sessions of an audience. Costs as much as the members who are
    /// online.
    pub(crate) fn route_audience(&self, id: AudienceId, among: Among<'_>, routes: &mut Routes) {
        let Some(part) = self.audiences.known.get(&id) else { return };
        for (user, discards) in &part.online {
            if among.has(user, *discards) {
                self.route_user(part.app, user, among.except_inst_id, routes);
            }
        }
    }

    /// Adds the names of an audience, online or not.
    pub(crate) fn name_audience(&self, id: AudienceId, among: Among<'_>, names: &mut Vec<String>) {
        let Some(part) = self.audiences.known.get(&id) else { return };
        let members = part.members.iter().filter(|(user, discards)| among.has(user, **discards));
        names.extend(members.map(|(user, _)| user.to_string()));
    }

    /// How often members of audiences are online: once for each audience.
    pub(crate) fn audience_online(&self) -> usize {
        self.audiences.online
    }
}

/// Why a node has no part in a registration or delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It does not know the audience, or not all of it.
    Unknown,
    /// It has another state of it.
    Version,
    /// The users have other homes than they had, or the node decides about none now.
    Homes,
    /// The group has had another owner, or another life, since.
    Term,
    /// More names than the node may keep.
    Full,
}

/// Which state of an audience a node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) term: u64,
    pub(crate) version: u64,
    /// The list of nodes by which its members are at home here.
    pub(crate) homes: u64,
    /// Parts of the registration that came.
    parts: u32,
    complete: bool,
    /// The last delivery that was carried out.
    delivered: u64,
}

/// What becomes of a part of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first one: what was known before is void.
    Begin,
    /// The next one.
    Go,
    /// It came before.
    Again,
}

impl Standing {
    /// Of a registration that begins, after what was known before.
    pub(crate) fn begin(term: u64, version: u64, homes: u64, before: Option<&Self>) -> Self {
        let same = before.filter(|before| before.term == term && before.homes == homes);
        let delivered = same.map_or(0, |before| before.delivered);
        Self { term, version, homes, parts: 0, complete: false, delivered }
    }

    /// What to do with a part of a registration where this is what is known.
    pub(crate) fn judge(
        before: Option<&Self>,
        (term, version, homes): (u64, u64, u64),
        place: u32,
    ) -> Result<Step, Refusal> {
        let Some(before) = before else {
            return if place == 0 { Ok(Step::Begin) } else { Err(Refusal::Unknown) };
        };
        if before.term > term {
            return Err(Refusal::Term);
        }
        let same_term = before.term == term;
        if same_term && before.version > version {
            // It was overtaken.
            return Err(Refusal::Version);
        }
        if same_term && before.version == version && before.homes == homes {
            return match place {
                _ if place == before.parts && !before.complete => Ok(Step::Go),
                _ if place < before.parts => Ok(Step::Again),
                _ => Err(Refusal::Unknown),
            };
        }
        if place == 0 { Ok(Step::Begin) } else { Err(Refusal::Unknown) }
    }

    /// A part is taken in.
    pub(crate) fn took(&mut self, last: bool) {
        self.parts += 1;
        self.complete = last;
    }

    /// Whether a delivery may go by this, and whether the changes that come with it are new.
    pub(crate) fn check(
        &self,
        (term, homes): (u64, u64),
        from: u64,
        to: u64,
    ) -> Result<bool, Refusal> {
        if self.term != term {
            return Err(Refusal::Term);
        }
        if self.homes != homes {
            return Err(Refusal::Homes);
        }
        if !self.complete {
            return Err(Refusal::Unknown);
        }
        match self.version {
            version if version == to => Ok(false),
            version if version == from => Ok(true),
            _ => Err(Refusal::Version),
        }
    }

    /// The changes up to a version are in.
    pub(crate) fn changed(&mut self, version: u64) {
        self.version = version;
    }

    /// Whether a delivery is to be carried out, once.
    pub(crate) fn deliver(&mut self, number: u64) -> bool {
        let news = number > self.delivered;
        self.delivered = self.delivered.max(number);
        news
    }
}
