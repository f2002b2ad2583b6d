//! The members of a large group as the one who delivers to them knows them, and how far presence was
//! told: everything once, and then what changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Whether each member wants no messages.
pub type Names = Vec<(Arc<str>, bool)>;

/// All of them.
#[derive(Debug, Default)]
pub struct Audience {
    members: HashMap<Arc<str>, bool>,
    /// What presence does not know yet, where it knows the rest; `None`: who went.
    untold: BTreeMap<Arc<str>, Option<bool>>,
    /// The last state that it may have been told of.
    version: u64,
    told: bool,
    deliveries: u64,
}

/// Changes from one state to the next.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The version that they are about.
    pub from: u64,
    /// And the one that they lead to; the same where there are none.
    pub to: u64,
    /// Who came, or wants something else now.
    pub changed: Names,
    /// Who went.
    pub gone: Vec<Arc<str>>,
}

impl Audience {
    /// As they are in the beginning.
    #[must_use]
    pub fn new(members: Names) -> Self {
        Self { members: members.into_iter().collect(), ..Self::default() }
    }

    /// Somebody came or wants something else, or, with `None`, went.
    pub fn change(&mut self, user: Arc<str>, discards: Option<bool>) {
        let before = match discards {
            Some(discards) => self.members.insert(Arc::clone(&user), discards),
            None => self.members.remove(&user),
        };
        if self.told && before != discards {
            self.untold.insert(user, discards);
        }
    }

    /// Whether presence was told of a state of it, and has not refused since.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// Presence does not know it any more, or only parts of it.
    pub fn forgotten(&mut self) {
        self.told = false;
        self.untold.clear();
    }

    /// A state that presence is to be told of whole; never one that it was told of before.
    pub fn begin(&mut self) -> u64 {
        self.forgotten();
        self.version += 1;
        self.version
    }

    /// It was.
    pub fn is_there(&mut self) {
        self.told = true;
    }

    /// What presence has to be told before it is up to date, at most so many changes at once.
    pub fn take_changes(&mut self, most: usize) -> Changes {
        let mut changes = Changes { from: self.version, ..Changes::default() };
        while changes.changed.len() + changes.gone.len() < most {
            let Some((user, discards)) = self.untold.pop_first() else { break };
            match discards {
                Some(discards) => changes.changed.push((user, discards)),
                None => changes.gone.push(user),
            }
        }
        if !changes.changed.is_empty() || !changes.gone.is_empty() {
            self.version += 1;
        }
        changes.to = self.version;
        changes
    }

    /// Whether there are changes that presence was not told of.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.untold.is_empty()
    }

    /// The number of the next delivery.
    pub fn next_delivery(&mut self) -> u64 {
        self.deliveries += 1;
        self.deliveries
    }

    /// All members, in an order that stays while nobody comes or goes.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, bool)> {
        self.members.iter().map(|(user, discards)| (user, *discards))
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Change(u8, Option<bool>),
        Register,
        /// Presence refuses.
        Forget,
        Tell(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0..12u8, prop::option::weighted(0.6, any::<bool>()))
                .prop_map(|(user, discards)| Step::Change(user, discards)),
            1 => Just(Step::Register),
            1 => Just(Step::Forget),
            3 => (1..4usize).prop_map(Step::Tell),
        ];
        prop::collection::vec(step, 0..80)
    }

    fn sorted(audience: &Audience) -> BTreeMap<Arc<str>, bool> {
        audience.iter().map(|(user, discards)| (Arc::clone(user), discards)).collect()
    }

    proptest! {
        /// Who goes by registrations and changes alone has the same members, under versions that rise.
        #[test]
        fn what_is_told_is_what_is(steps in steps()) {
            let mut audience = Audience::new(vec![("user0".into(), false), ("user1".into(), true)]);
            let mut told: BTreeMap<Arc<str>, bool> = BTreeMap::new();
            let mut version = 0;
            for step in steps {
                match step {
                    Step::Change(user, discards) => {
                        audience.change(format!("user{user}").into(), discards);
                    }
                    Step::Register => {
                        let next = audience.begin();
                        prop_assert!(next > version);
                        version = next;
                        told = sorted(&audience);
                        audience.is_there();
                    }
                    Step::Forget => audience.forgotten(),
                    Step::Tell(most) => {
                        if !audience.is_told() {
                            continue;
                        }
                        let changes = audience.take_changes(most);
                        prop_assert!(changes.changed.len() + changes.gone.len() <= most);
                        prop_assert_eq!(changes.from, version);
                        let news = !changes.changed.is_empty() || !changes.gone.is_empty();
                        prop_assert_eq!(changes.to, version + u64::from(news));
                        version = changes.to;
                        told.extend(changes.changed);
                        told.retain(|user, _| !changes.gone.contains(user));
                        if !audience.has_changes() {
                            prop_assert_eq!(&told, &sorted(&audience));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_change_that_changes_nothing_is_not_told() {
        let mut audience = Audience::new(vec![("ann".into(), false)]);
        audience.begin();
        audience.is_there();
        audience.change("ann".into(), Some(false));
        audience.change("bob".into(), None);
        assert!(!audience.has_changes());
        assert_eq!((audience.next_delivery(), audience.next_delivery()), (1, 2));
    }
}
