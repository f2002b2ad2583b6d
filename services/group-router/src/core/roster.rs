//! The stored members of a group: who they are, in the order in which they came, and how far each
//! has read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What a group knows of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Member {
    /// May manage the group. The owner is no admin.
    pub admin: bool,
    /// When the user came, seconds since 1970.
    pub joined: i64,
    /// What comes after this number is for the user to see.
    pub since: u32,
    /// Read up to this number; never below `since`.
    pub read: u32,
}

impl Member {
    /// Messages that the user has not read, of a group whose last one is `head`.
    #[must_use]
    pub fn unread(&self, head: u32) -> u32 {
        head.saturating_sub(self.read.max(self.since))
    }
}

/// All members of a group.
#[derive(Debug, Default)]
pub struct Roster {
    members: HashMap<Arc<str>, Member>,
    order: BTreeSet<(i64, Arc<str>)>,
    /// The names, for whom everything goes to; made when asked for.
    names: Option<Arc<[String]>>,
}

impl Roster {
    /// Takes a member in, or changes one.
    pub fn put(&mut self, user: &str, member: Member) {
        let user = match self.members.get_key_value(user) {
            Some((known, before)) => {
                let known = Arc::clone(known);
                self.order.remove(&(before.joined, Arc::clone(&known)));
                known
            }
            None => {
                self.names = None;
                Arc::from(user)
            }
        };
        self.order.insert((member.joined, Arc::clone(&user)));
        self.members.insert(user, member);
    }

    /// Takes a member out.
    pub fn remove(&mut self, user: &str) -> Option<Member> {
        let (user, member) = self.members.remove_entry(user)?;
        self.order.remove(&(member.joined, user));
        self.names = None;
        Some(member)
    }

    /// What is known of a member.
    #[must_use]
    pub fn get(&self, user: &str) -> Option<&Member> {
        self.members.get(user)
    }

    /// Notes that a member has read up to a number. `None`: not a member, or that far already.
    pub fn read(&mut self, user: &str, seq: u32) -> Option<&Member> {
        let member = self.members.get_mut(user)?;
        if seq <= member.read {
            return None;
        }
        member.read = seq;
        Some(member)
    }

    /// Says how far a member has read, further or less far than was known. `None`: not a member.
    pub fn set_read(&mut self, user: &str, seq: u32) -> Option<&Member> {
        let member = self.members.get_mut(user)?;
        member.read = seq;
        Some(member)
    }

    /// All members have read up to a number.
    pub fn read_by_all(&mut self, seq: u32) {
        for member in self.members.values_mut() {
            member.read = member.read.max(seq);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Members in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Member)> {
        self.order.iter().filter_map(|(_, user)| self.members.get_key_value(user))
    }

    /// The names of all members. Cheap unless somebody came or went since the last call.
    pub fn names(&mut self) -> Arc<[String]> {
        let members = &self.members;
        let names =
            self.names.get_or_insert_with(|| members.keys().map(ToString::to_string).collect());
        Arc::clone(names)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Put(u8, i64),
        Remove(u8),
        Read(u8, u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..8u8, 0..4i64).prop_map(|(user, joined)| Step::Put(user, joined)),
            2 => (0..8u8).prop_map(Step::Remove),
            2 => (0..8u8, 0..9u32).prop_map(|(user, seq)| Step::Read(user, seq)),
        ];
        prop::collection::vec(step, 0..60)
    }

    fn name(user: u8) -> String {
        format!("user{user}")
    }

    proptest! {
        #[test]
        fn a_roster_is_a_map_in_order_of_arrival(steps in steps()) {
            let mut roster = Roster::default();
            let mut model: BTreeMap<u8, Member> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Put(user, joined) => {
                        let member = Member { joined, ..Member::default() };
                        roster.put(&name(user), member);
                        model.insert(user, member);
                    }
                    Step::Remove(user) => {
                        prop_assert_eq!(roster.remove(&name(user)), model.remove(&user));
                    }
                    Step::Read(user, seq) => {
                        let moved = model.get_mut(&user).filter(|member| member.read < seq);
                        let moved = moved.map(|member| { member.read = seq; *member });
                        prop_assert_eq!(roster.read(&name(user), seq).copied(), moved);
                    }
                }
                let mut expected: Vec<_> =
                    model.iter().map(|(user, member)| (member.joined, name(*user))).collect();
                expected.sort();
                let listed: Vec<_> =
                    roster.iter().map(|(user, member)| (member.joined, user.to_string())).collect();
                prop_assert_eq!(listed, expected);
                let mut names = roster.names().to_vec();
                names.sort();
                prop_assert_eq!(names, model.keys().map(|user| name(*user)).collect::<Vec<_>>());
                prop_assert_eq!((roster.len(), roster.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }

    #[test]
    fn what_was_said_before_somebody_came_is_not_unread() {
        let member = Member { since: 5, read: 5, ..Member::default() };
        assert_eq!(member.unread(5), 0);
        assert_eq!(member.unread(8), 3);
        assert_eq!(Member { read: 7, ..member }.unread(8), 1);
        assert_eq!(Member { read: 9, ..member }.unread(8), 0);
    }
}
