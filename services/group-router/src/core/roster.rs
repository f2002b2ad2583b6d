//! The stored members of a group: who they are, in the order in which they came, and how far each
//! has read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::rules::Receive;

/// What a group knows of a member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// May manage the group. The owner is no admin.
    pub admin: bool,
    /// When the user came, seconds since 1970.
    pub joined: i64,
    /// What comes after this number is for the user to see.
    pub since: u32,
    /// Read up to this number; never below `since`.
    pub read: u32,
    /// When the user spoke last, seconds since 1970; 0: never.
    pub spoke: i64,
    /// What the user wants of the group's messages.
    pub receive: Receive,
    /// What few members have.
    pub card: Option<Box<Card>>,
}

/// How a member shows itself in the group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// Its name here.
    pub name: String,
    /// Custom fields.
    pub custom: BTreeMap<String, String>,
}

impl Member {
    /// Changes the card; an empty one takes no room.
    pub fn change_card(&mut self, change: impl FnOnce(&mut Card)) {
        let mut card = self.card.take().unwrap_or_default();
        change(&mut card);
        self.card = (*card != Card::default()).then_some(card);
    }

    /// Whether the user wants nothing of the group's messages.
    #[must_use]
    pub fn discards(&self) -> bool {
        self.receive == Receive::Discard
    }

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
    /// By the time at which they came, sorted. Who comes now goes to the end; pages begin anywhere.
    order: Vec<(i64, Arc<str>)>,
    /// The names, for whom everything goes to; made when asked for.
    names: Option<Arc<[String]>>,
    /// The same without those who want nothing.
    receivers: Option<Arc<[String]>>,
    /// How many want nothing.
    discarding: usize,
}

impl Roster {
    /// Takes a member in, or changes one.
    pub fn put(&mut self, user: &str, member: Member) {
        let discarded = self.members.get(user).is_some_and(Member::discards);
        if member.discards() != discarded {
            self.receivers = None;
            self.discarding = self.discarding - usize::from(discarded) + usize::from(!discarded);
        }
        let known = self.members.get_key_value(user);
        let known = known.map(|(known, before)| (before.joined, Arc::clone(known)));
        let user = match &known {
            Some((_, user)) => Arc::clone(user),
            None => {
                (self.names, self.receivers) = (None, None);
                Arc::from(user)
            }
        };
        let place = (member.joined, Arc::clone(&user));
        if known.as_ref() != Some(&place) {
            if let Some(known) = &known {
                self.take_from_order(known);
            }
            if let Err(at) = self.order.binary_search(&place) {
                self.order.insert(at, place);
            }
        }
        self.members.insert(user, member);
    }

    /// Of many at once, as they were stored.
    #[must_use]
    pub fn restore(members: impl IntoIterator<Item = (String, Member)>) -> Self {
        let mut roster = Self::default();
        for (user, member) in members {
            let user: Arc<str> = Arc::from(user);
            roster.order.push((member.joined, Arc::clone(&user)));
            roster.discarding += usize::from(member.discards());
            roster.members.insert(user, member);
        }
        roster.order.sort_unstable();
        roster
    }

    fn take_from_order(&mut self, place: &(i64, Arc<str>)) {
        if let Ok(at) = self.order.binary_search(place) {
            self.order.remove(at);
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, user: &str) -> Option<Member> {
        let (user, member) = self.members.remove_entry(user)?;
        self.take_from_order(&(member.joined, user));
        (self.names, self.receivers) = (None, None);
        self.discarding -= usize::from(member.discards());
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

    /// Notes that a member spoke; whether that is news.
    pub fn spoke(&mut self, user: &str, seq: u32, time: i64) -> bool {
        let Some(member) = self.members.get_mut(user) else { return false };
        let news = seq > member.read || time > member.spoke;
        member.read = member.read.max(seq);
        member.spoke = member.spoke.max(time);
        news
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
        self.from(0)
    }

    /// The same without the first ones, which costs nothing however many they are.
    pub fn from(&self, start: usize) -> impl Iterator<Item = (&Arc<str>, &Member)> {
        let rest = self.order.get(start..).unwrap_or_default();
        rest.iter().filter_map(|(_, user)| self.members.get_key_value(user))
    }

    /// Members who came after one who came then, in the order in which they came; all of them where
    /// none is named.
    pub fn behind(&self, place: Option<(i64, &str)>) -> impl Iterator<Item = (&Arc<str>, &Member)> {
        let start = place.map_or(0, |(joined, user)| {
            self.order.partition_point(|(at, name)| (*at, &**name) <= (joined, user))
        });
        self.from(start)
    }

    /// The names of all members. Cheap unless somebody came or went since the last call; of a large
    /// group nobody asks for them with each message (see [`super::audience`]).
    pub fn names(&mut self) -> Arc<[String]> {
        let members = &self.members;
        let names =
            self.names.get_or_insert_with(|| members.keys().map(ToString::to_string).collect());
        Arc::clone(names)
    }

    /// Whom messages go to: all but those who want nothing. As cheap.
    pub fn receivers(&mut self) -> Arc<[String]> {
        if self.discarding == 0 {
            return self.names();
        }
        let members = &self.members;
        let receivers = self.receivers.get_or_insert_with(|| {
            let wanting = members.iter().filter(|(_, member)| !member.discards());
            wanting.map(|(user, _)| user.to_string()).collect()
        });
        Arc::clone(receivers)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Put(u8, i64, Receive),
        Remove(u8),
        Read(u8, u32),
        Spoke(u8, u32, i64),
    }

    fn wish() -> impl Strategy<Value = Receive> {
        prop_oneof![3 => Just(Receive::AcceptAndNotify), 1 => Just(Receive::Discard)]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..8u8, 0..4i64, wish())
                .prop_map(|(user, joined, receive)| Step::Put(user, joined, receive)),
            2 => (0..8u8).prop_map(Step::Remove),
            2 => (0..8u8, 0..9u32).prop_map(|(user, seq)| Step::Read(user, seq)),
            1 => (0..8u8, 0..9u32, 0..5i64)
                .prop_map(|(user, seq, time)| Step::Spoke(user, seq, time)),
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
                    Step::Put(user, joined, receive) => {
                        let member = Member { joined, receive, ..Member::default() };
                        roster.put(&name(user), member.clone());
                        model.insert(user, member);
                    }
                    Step::Remove(user) => {
                        prop_assert_eq!(roster.remove(&name(user)), model.remove(&user));
                    }
                    Step::Read(user, seq) => {
                        let moved = model.get_mut(&user).filter(|member| member.read < seq);
                        let moved = moved.map(|member| { member.read = seq; member.clone() });
                        prop_assert_eq!(roster.read(&name(user), seq).cloned(), moved);
                    }
                    Step::Spoke(user, seq, time) => {
                        let before = model.get(&user).cloned();
                        if let Some(member) = model.get_mut(&user) {
                            member.read = member.read.max(seq);
                            member.spoke = member.spoke.max(time);
                        }
                        let news = roster.spoke(&name(user), seq, time);
                        prop_assert_eq!(news, before != model.get(&user).cloned());
                    }
                }
                let mut expected: Vec<_> =
                    model.iter().map(|(user, member)| (member.joined, name(*user))).collect();
                expected.sort();
                let restored = Roster::restore(
                    model.iter().map(|(user, member)| (name(*user), member.clone())),
                );
                prop_assert!(restored.iter().eq(roster.iter()));
                prop_assert_eq!(restored.discarding, roster.discarding);
                prop_assert!(roster.from(3).eq(roster.iter().skip(3)));
                let listed: Vec<_> =
                    roster.iter().map(|(user, member)| (member.joined, user.to_string())).collect();
                if let Some((joined, user)) = listed.get(listed.len() / 2).cloned() {
                    let behind: Vec<_> = roster
                        .behind(Some((joined, &user)))
                        .map(|(user, member)| (member.joined, user.to_string()))
                        .collect();
                    prop_assert_eq!(&behind[..], &expected[listed.len() / 2 + 1..]);
                }
                prop_assert_eq!(listed, expected);
                let mut names = roster.names().to_vec();
                names.sort();
                prop_assert_eq!(names, model.keys().map(|user| name(*user)).collect::<Vec<_>>());
                let mut receivers = roster.receivers().to_vec();
                receivers.sort();
                let wanting: Vec<_> = model
                    .iter()
                    .filter(|(_, member)| !member.discards())
                    .map(|(user, _)| name(*user))
                    .collect();
                prop_assert_eq!(receivers, wanting);
                prop_assert_eq!((roster.len(), roster.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }

    #[test]
    fn what_was_said_before_somebody_came_is_not_unread() {
        let member = Member { since: 5, read: 5, ..Member::default() };
        assert_eq!(member.unread(5), 0);
        assert_eq!(member.unread(8), 3);
        assert_eq!(Member { read: 7, ..member.clone() }.unread(8), 1);
        assert_eq!(Member { read: 9, ..member }.unread(8), 0);
    }
}
