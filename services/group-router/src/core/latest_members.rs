//! The latest members of a room, for the member list of a live room (REST notes 01, 3.48;
//! SDK protocol notes 02, 1.9).
//!
//! Nobody holds all members of a live room: gateways know theirs, and the room's owner keeps those
//! who came last. A user is in the list once, from the first of his instances to come until the
//! last one to go.
//!
//! Twice as many as are listed are kept, so that the list stays full while some leave. Whoever was
//! pushed out by later ones is forgotten; when another instance of his comes he counts as new.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use throng_protocol::limits;

#[cfg(test)]
mod tests;

/// Members listed unless the app may have more.
pub const DEFAULT_LIMIT: usize = limits::LIVE_MEMBERS;
/// Members listed at most.
pub const MAX_LIMIT: usize = limits::LIVE_MEMBERS_LARGE;
/// Members in one page.
pub const PAGE: usize = limits::LIVE_MEMBERS_PAGE;
/// Instances counted of one user. Of more, the earliest are forgotten.
pub const MAX_INSTANCES: usize = 32;

/// One line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a, U> {
    /// Who.
    pub user: &'a U,
    /// When the user came, seconds since 1970.
    pub joined: u32,
}

/// One page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a, U> {
    /// The latest first.
    pub members: Vec<Member<'a, U>>,
    /// Where the next page begins (`NextTimestamp`), 0 after the last one.
    pub next: u32,
}

#[derive(Debug)]
struct Known {
    stamp: u32,
    joined: u32,
    instances: Vec<u32>,
}

/// The latest members of one room. `U` is a user ID, cheap to clone; guests are none of them.
#[derive(Debug)]
pub struct LatestMembers<U> {
    limit: usize,
    known: HashMap<U, Known>,
    /// Users by the order in which they came. A stamp is the second of the join, or one more than
    /// the last if that is taken: unique, so that a page can end anywhere, and still looking like
    /// a time.
    order: BTreeMap<u32, U>,
    last_stamp: u32,
}

impl<U: Clone + Eq + Hash> LatestMembers<U> {
    /// Lists up to `limit` members, at most [`MAX_LIMIT`].
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.min(MAX_LIMIT),
            known: HashMap::new(),
            order: BTreeMap::new(),
            last_stamp: 0,
        }
    }

    /// Changes how many are listed.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MAX_LIMIT);
        self.forget_oldest();
    }

    /// An instance of a user came at `now`, seconds since 1970. True if the user was not known to
    /// be inside. An instance that comes again counts once.
    pub fn join(&mut self, now: u32, user: &U, instance: u32) -> bool {
        if let Some(known) = self.known.get_mut(user) {
            if !known.instances.contains(&instance) {
                if known.instances.len() == MAX_INSTANCES {
                    known.instances.remove(0);
                }
                known.instances.push(instance);
            }
            return false;
        }
        let stamp = now.max(self.last_stamp.saturating_add(1));
        self.last_stamp = stamp;
        let known = Known { stamp, joined: now, instances: vec![instance] };
        self.known.insert(user.clone(), known);
        self.order.insert(stamp, user.clone());
        self.forget_oldest();
        true
    }

    /// An instance of a user went. True if it was the last one known of him.
    pub fn leave<Q>(&mut self, user: &Q, instance: u32) -> bool
    where
        U: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(known) = self.known.get_mut(user) else {
            return false;
        };
        known.instances.retain(|known| *known != instance);
        known.instances.is_empty() && self.remove(user)
    }

    /// A user went with all instances, or was banned. True if he was known.
    pub fn remove<Q>(&mut self, user: &Q) -> bool
    where
        U: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.known.remove(user) {
            Some(known) => self.order.remove(&known.stamp).is_some(),
            None => false,
        }
    }

    /// When a user came, seconds since 1970, if he is known to be inside.
    #[must_use]
    pub fn joined<Q>(&self, user: &Q) -> Option<u32>
    where
        U: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.known.get(user).map(|known| known.joined)
    }

    /// A page of at most `size` lines from `cursor`: 0 for the first page, then [`Page::next`].
    ///
    /// `front` stands before all others in the first page, with its join times (robots; a page
    /// full of them at most); its members must not be listed a second time by `listed`, which says
    /// of each other member whether he is shown. Who comes or goes between two pages moves nobody
    /// else.
    pub fn page<'a>(
        &'a self,
        cursor: u32,
        size: usize,
        front: impl IntoIterator<Item = Member<'a, U>>,
        listed: impl Fn(&U) -> bool,
    ) -> Page<'a, U> {
        let size = size.clamp(1, PAGE);
        let mut members = Vec::new();
        let mut next = cursor;
        if cursor == 0 {
            members.extend(front.into_iter().take(size));
            next = self.last_stamp.saturating_add(1);
        }
        let start = next;
        // The limit is a matter of the whole list, whatever this page begins with.
        let newest = self.order.iter().rev();
        let shown = newest
            .filter(|(_, user)| listed(user))
            .take(self.limit)
            .filter(|(stamp, _)| **stamp < start);
        for (stamp, user) in shown {
            if members.len() == size {
                return Page { members, next };
            }
            let joined = self.known.get(user).map_or(*stamp, |known| known.joined);
            members.push(Member { user, joined });
            next = *stamp;
        }
        Page { members, next: 0 }
    }

    fn forget_oldest(&mut self) {
        while self.order.len() > 2 * self.limit {
            if let Some((_, user)) = self.order.pop_first() {
                self.known.remove(&user);
            }
        }
    }
}
