//! Marks of a live room's members, and its robots (REST notes 01, 3.50, 3.53; SDK protocol notes 02,
//! 1.9).
//!
//! A mark is a number that the app gives a meaning: the member list can be asked for all who have
//! it. Two numbers have a meaning of their own: 500 shows a user in front of the member list,
//! inside or not, for three days (a robot: for good), and 600 hides a member from the list.
//!
//! Whether a user is inside is known elsewhere: set marks only on those who are (500 excepted), and
//! call [`Marks::leave`] when one leaves.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use throng_protocol::limits;

#[cfg(test)]
mod tests;

/// Shown in front of the list, inside or not. For app admins only.
pub const ALWAYS_ONLINE: u32 = limits::MARK_ALWAYS_ONLINE;
/// Not shown in the list. For app admins only.
pub const HIDDEN: u32 = limits::MARK_HIDDEN;
/// The least of the numbers that are the app's.
pub const FIRST_CUSTOM: u32 = limits::MARK_LOWEST;
/// Different marks of the app in one group; the two special ones do not count.
pub const MAX_MARKS: usize = limits::MARKS_PER_GROUP;
/// Users with the same mark in one group, robots among those with 500.
pub const MAX_USERS_PER_MARK: usize = limits::USERS_PER_MARK;
/// How long [`ALWAYS_ONLINE`] holds, seconds.
pub const ALWAYS_ONLINE_S: u64 = 3 * 24 * 60 * 60;

/// Why marks were not set. Then none of that user's was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not a mark's number (10004).
    BadMark,
    /// 500 and 600 are the app admin's (10007).
    AdminOnly,
    /// There would be more than [`MAX_MARKS`] different ones (10005).
    TooManyMarks,
    /// There would be more than [`MAX_USERS_PER_MARK`] with the same one (10005).
    TooManyUsers,
}

/// Who sets or removes marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A client of the room.
    Client,
    /// The app admin.
    Admin,
}

/// A user with a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked<'a, U> {
    /// Who.
    pub user: &'a U,
    /// When the user came, as told when the first mark was set; seconds since 1970.
    pub joined: u32,
}

#[derive(Debug)]
struct Holder {
    joined: u32,
    /// Place in the order of first marks.
    stamp: u32,
    /// Sorted.
    marks: Vec<u32>,
    /// When [`ALWAYS_ONLINE`] ends, seconds; for ever if the maximum.
    online_until: u64,
}

/// The marks of one room. `U` is a user ID, cheap to clone. Times are seconds since 1970.
#[derive(Debug)]
pub struct Marks<U> {
    holders: HashMap<U, Holder>,
    /// For each mark its users, by stamp.
    by_mark: BTreeMap<u32, BTreeMap<u32, U>>,
    last_stamp: u32,
}

impl<U> Default for Marks<U> {
    fn default() -> Self {
        Self { holders: HashMap::new(), by_mark: BTreeMap::new(), last_stamp: 0 }
    }
}

impl<U: Clone + Eq + Hash> Marks<U> {
    /// Adds marks to a user who came at `joined`. Marks he has stay; [`ALWAYS_ONLINE`] begins anew.
    ///
    /// # Errors
    /// A [`Refusal`]; then nothing changed.
    pub fn set(
        &mut self,
        now: u64,
        by: By,
        user: &U,
        joined: u32,
        marks: &[u32],
    ) -> Result<(), Refusal> {
        check(by, marks)?;
        let mut fresh = 0;
        for (place, mark) in marks.iter().enumerate() {
            match self.by_mark.get(mark) {
                None if *mark >= FIRST_CUSTOM && !marks[..place].contains(mark) => {
                    fresh += 1;
                    if fresh > MAX_MARKS {
                        return Err(Refusal::TooManyMarks);
                    }
                }
                None => {}
                Some(users) if self.has(user, *mark) || users.len() < MAX_USERS_PER_MARK => {}
                Some(_) => return Err(Refusal::TooManyUsers),
            }
        }
        if self.by_mark.range(FIRST_CUSTOM..).count() + fresh > MAX_MARKS {
            return Err(Refusal::TooManyMarks);
        }
        for mark in marks {
            let until = now.saturating_add(ALWAYS_ONLINE_S);
            self.add(user, joined, *mark, until);
        }
        Ok(())
    }

    /// Removes marks from a user. True if he had one of them.
    ///
    /// # Errors
    /// [`Refusal::BadMark`], [`Refusal::AdminOnly`]; then nothing changed.
    pub fn remove(&mut self, by: By, user: &U, marks: &[u32]) -> Result<bool, Refusal> {
        check(by, marks)?;
        let mut had = false;
        for mark in marks {
            had |= self.take(user, *mark);
        }
        Ok(had)
    }

    /// Makes users robots: in front of the list for good.
    ///
    /// # Errors
    /// [`Refusal::TooManyUsers`]; then nothing changed.
    pub fn add_robots(&mut self, now: u64, users: &[U]) -> Result<(), Refusal> {
        let held = self.by_mark.get(&ALWAYS_ONLINE).map_or(0, BTreeMap::len);
        let new = users.iter().filter(|user| !self.has(*user, ALWAYS_ONLINE));
        if held + new.collect::<HashSet<_>>().len() > MAX_USERS_PER_MARK {
            return Err(Refusal::TooManyUsers);
        }
        let joined = u32::try_from(now).unwrap_or(u32::MAX);
        for user in users {
            self.add(user, joined, ALWAYS_ONLINE, u64::MAX);
        }
        Ok(())
    }

    /// Takes a robot, or one who is always online, from the front of the list. True if he was
    /// there.
    pub fn remove_robot(&mut self, user: &U) -> bool {
        self.take(user, ALWAYS_ONLINE)
    }

    /// Adds all marks of another set but its robots, who are known elsewhere.
    pub fn take_over(&mut self, other: &Self) {
        let mut holders: Vec<_> = other.holders.iter().collect();
        holders.sort_unstable_by_key(|(_, holder)| holder.stamp);
        for (user, holder) in holders {
            let robot = holder.online_until == u64::MAX;
            for mark in holder.marks.iter().filter(|mark| **mark != ALWAYS_ONLINE || !robot) {
                self.add(user, holder.joined, *mark, holder.online_until);
            }
        }
    }

    /// A user is no longer inside: all his marks go, but [`ALWAYS_ONLINE`].
    pub fn leave(&mut self, user: &U) {
        let marks = match self.holders.get(user) {
            Some(holder) => holder.marks.clone(),
            None => return,
        };
        for mark in marks {
            if mark != ALWAYS_ONLINE {
                self.take(user, mark);
            }
        }
    }

    /// Ends [`ALWAYS_ONLINE`] for those whose time is over.
    pub fn expire(&mut self, now: u64) {
        let online = self.by_mark.get(&ALWAYS_ONLINE);
        let over: Vec<U> = online
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|user| {
                let holder = self.holders.get(*user);
                holder.is_some_and(|holder| holder.online_until <= now)
            })
            .cloned()
            .collect();
        for user in over {
            self.take(&user, ALWAYS_ONLINE);
        }
    }

    /// The marks of a user, sorted.
    #[must_use]
    pub fn of<Q>(&self, user: &Q) -> &[u32]
    where
        U: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.holders.get(user).map_or(&[], |holder| holder.marks.as_slice())
    }

    /// Whether a user has a mark.
    #[must_use]
    pub fn has<Q>(&self, user: &Q, mark: u32) -> bool
    where
        U: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.of(user).binary_search(&mark).is_ok()
    }

    /// Those in front of the list: robots and who is always online, in the order of their first
    /// marks. Call [`expire`](Self::expire) before.
    pub fn in_front(&self) -> impl Iterator<Item = Marked<'_, U>> {
        let users = self.by_mark.get(&ALWAYS_ONLINE);
        users.into_iter().flat_map(BTreeMap::values).map(|user| self.marked(user))
    }

    /// Users with a mark, the latest marked first: at most `size` from `cursor`, 0 for the first
    /// page. The number that comes with them is the cursor of the next page, 0 after the last one.
    #[must_use]
    pub fn page(&self, mark: u32, cursor: u32, size: usize) -> (Vec<Marked<'_, U>>, u32) {
        let Some(users) = self.by_mark.get(&mark) else {
            return (Vec::new(), 0);
        };
        let end = if cursor == 0 { u32::MAX } else { cursor };
        let mut rest = users.range(..end).rev();
        let mut last = 0;
        let page = rest.by_ref().take(size.max(1)).map(|(stamp, user)| {
            last = *stamp;
            self.marked(user)
        });
        let page = page.collect();
        let next = if rest.next().is_some() { last } else { 0 };
        (page, next)
    }

    fn marked<'a>(&'a self, user: &'a U) -> Marked<'a, U> {
        let holder = self.holders.get(user);
        Marked { user, joined: holder.map_or(0, |holder| holder.joined) }
    }

    fn add(&mut self, user: &U, joined: u32, mark: u32, online_until: u64) {
        let holder = match self.holders.get_mut(user) {
            Some(holder) => holder,
            None => {
                // The cursors of the pages: unique, and looking like times as in the member list.
                self.last_stamp = joined.max(self.last_stamp.saturating_add(1));
                let holder =
                    Holder { joined, stamp: self.last_stamp, marks: Vec::new(), online_until: 0 };
                self.holders.entry(user.clone()).or_insert(holder)
            }
        };
        if mark == ALWAYS_ONLINE {
            holder.online_until = holder.online_until.max(online_until);
        }
        if let Err(place) = holder.marks.binary_search(&mark) {
            holder.marks.insert(place, mark);
            let users = self.by_mark.entry(mark).or_default();
            users.insert(holder.stamp, user.clone());
        }
    }

    fn take(&mut self, user: &U, mark: u32) -> bool {
        let Some(holder) = self.holders.get_mut(user) else {
            return false;
        };
        let Ok(place) = holder.marks.binary_search(&mark) else {
            return false;
        };
        holder.marks.remove(place);
        if mark == ALWAYS_ONLINE {
            holder.online_until = 0;
        }
        let (stamp, bare) = (holder.stamp, holder.marks.is_empty());
        if bare {
            self.holders.remove(user);
        }
        if let Some(users) = self.by_mark.get_mut(&mark) {
            users.remove(&stamp);
            if users.is_empty() {
                self.by_mark.remove(&mark);
            }
        }
        true
    }
}

/// Checks numbers and rights.
///
/// # Errors
/// [`Refusal::BadMark`], [`Refusal::AdminOnly`].
pub fn check(by: By, marks: &[u32]) -> Result<(), Refusal> {
    for mark in marks {
        match *mark {
            ALWAYS_ONLINE | HIDDEN if by == By::Client => return Err(Refusal::AdminOnly),
            ALWAYS_ONLINE | HIDDEN | FIRST_CUSTOM.. => {}
            _ => return Err(Refusal::BadMark),
        }
    }
    Ok(())
}
