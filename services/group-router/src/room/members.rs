//! Who is in a live room, as far as its owner has to know: enough to count exactly and to answer
//! "is this user in", at a few bytes a member. Names and order of the latest ones are kept
//! elsewhere.

use std::collections::HashMap;

use rand::RngExt;
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Sessions of one user that are told apart; of more, the earliest are forgotten.
const MOST_SESSIONS: usize = 64;

/// Stands for a gateway: so few of them have guests at one time that their hashes differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GatewayTag(u32);

impl GatewayTag {
    /// Of the gateway with this ID.
    pub(crate) fn of(gateway: &str) -> Self {
        Self((xxh3_64_with_seed(gateway.as_bytes(), 0) >> 32) as u32)
    }
}

/// The sessions in a room. Joining and leaving twice changes nothing, so every caller may repeat.
#[derive(Debug)]
pub(crate) struct Members {
    /// Sessions of each user, by the hash of the user ID. Nearly everybody has one.
    users: HashMap<u64, SmallVec<[u32; 2]>>,
    /// The gateway of each guest. Nobody but it speaks for them.
    guests: HashMap<u32, GatewayTag>,
    /// Nobody can choose IDs that hash alike without it.
    seed: u64,
}

impl Default for Members {
    fn default() -> Self {
        let seed = rand::rng().random();
        Self { users: HashMap::new(), guests: HashMap::new(), seed }
    }
}

impl Members {
    /// Takes a session in that came by a gateway; `user` is empty for guests. True when it was not
    /// in.
    pub(crate) fn join(&mut self, user: &str, inst_id: u32, gateway: GatewayTag) -> bool {
        if user.is_empty() {
            return self.guests.insert(inst_id, gateway).is_none();
        }
        let sessions = self.users.entry(hash(self.seed, user)).or_default();
        let new = !sessions.contains(&inst_id);
        if new {
            if sessions.len() == MOST_SESSIONS {
                sessions.remove(0);
            }
            sessions.push(inst_id);
        }
        new
    }

    /// Takes a session out. True when the user has no other session here.
    pub(crate) fn leave(&mut self, user: &str, inst_id: u32) -> bool {
        if user.is_empty() {
            return self.guests.remove(&inst_id).is_some();
        }
        let user = hash(self.seed, user);
        let Some(sessions) = self.users.get_mut(&user) else {
            return false;
        };
        sessions.retain(|session| *session != inst_id);
        sessions.is_empty() && self.users.remove(&user).is_some()
    }

    /// Takes all sessions of a user out. True when there was one.
    pub(crate) fn expel(&mut self, user: &str) -> bool {
        self.users.remove(&hash(self.seed, user)).is_some()
    }

    /// Takes all guests of a gateway out.
    pub(crate) fn expel_guests(&mut self, gone: GatewayTag) {
        self.guests.retain(|_, gateway| *gateway != gone);
    }

    /// Whether a session of the user is in.
    pub(crate) fn contains_user(&self, user: &str) -> bool {
        self.users.contains_key(&hash(self.seed, user))
    }

    /// Users in the room, guests included.
    pub(crate) fn online(&self) -> u32 {
        u32::try_from(self.users.len() + self.guests.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.guests.is_empty()
    }
}

fn hash(seed: u64, user: &str) -> u64 {
    xxh3_64_with_seed(user.as_bytes(), seed)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        /// User, session, gateway.
        Join(u8, u32, u8),
        Leave(u8, u32),
        Gone(u8),
        Expel(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..6u8, 0..5u32, 0..3u8).prop_map(|(user, session, gateway)| Step::Join(user, session, gateway)),
            4 => (0..6u8, 0..5u32).prop_map(|(user, session)| Step::Leave(user, session)),
            1 => (1..6u8).prop_map(Step::Expel),
            1 => (0..3u8).prop_map(Step::Gone),
        ];
        proptest::collection::vec(step, 0..80)
    }

    /// User 0 stands for guests.
    fn name(user: u8) -> String {
        if user == 0 { String::new() } else { format!("user{user}") }
    }

    fn gateway(number: u8) -> GatewayTag {
        GatewayTag::of(&format!("gateway-{number}"))
    }

    proptest! {
        /// The model is the plain set of sessions.
        #[test]
        fn counts_are_those_of_the_set_of_sessions(steps in steps()) {
            let mut members = Members::default();
            let mut model: BTreeSet<(u8, u32)> = BTreeSet::new();
            let mut gateways: BTreeMap<u32, u8> = BTreeMap::new();
            for step in steps {
                let has = |model: &BTreeSet<(u8, u32)>, user| model.iter().any(|one| one.0 == user);
                match step {
                    Step::Join(user, session, by) => {
                        let new = model.insert((user, session));
                        if user == 0 {
                            gateways.insert(session, by);
                        }
                        prop_assert_eq!(members.join(&name(user), session, gateway(by)), new);
                    }
                    Step::Gone(gone) => {
                        model.retain(|(user, session)| *user > 0 || gateways[session] != gone);
                        members.expel_guests(gateway(gone));
                    }
                    Step::Leave(user, session) => {
                        let was_in = model.remove(&(user, session));
                        let last = was_in && (user == 0 || !has(&model, user));
                        prop_assert_eq!(members.leave(&name(user), session), last);
                    }
                    Step::Expel(user) => {
                        let was_in = has(&model, user);
                        model.retain(|one| one.0 != user);
                        prop_assert_eq!(members.expel(&name(user)), was_in);
                    }
                }
                let users: BTreeSet<u8> = model.iter().map(|one| one.0).filter(|one| *one > 0).collect();
                let guests = model.iter().filter(|one| one.0 == 0).count();
                prop_assert_eq!(members.online() as usize, users.len() + guests);
                prop_assert_eq!(members.is_empty(), model.is_empty());
                for user in 1..6 {
                    prop_assert_eq!(members.contains_user(&name(user)), users.contains(&user));
                }
            }
        }
    }

    #[test]
    fn the_sessions_of_one_user_are_bounded() {
        let mut members = Members::default();
        for session in 0..10_000 {
            members.join("ann", session, gateway(0));
        }
        assert!(members.users.values().all(|sessions| sessions.len() == MOST_SESSIONS));
        assert!(!members.leave("ann", 0), "forgotten");
        assert_eq!(members.online(), 1);
    }

    #[test]
    fn a_user_with_two_sessions_counts_once_and_leaves_with_the_last() {
        let mut members = Members::default();
        assert!(members.join("ann", 1, gateway(0)));
        assert!(members.join("ann", 2, gateway(0)));
        assert!(!members.join("ann", 2, gateway(0)), "a repeated join changes nothing");
        assert_eq!(members.online(), 1);
        assert!(!members.leave("ann", 1));
        assert!(!members.leave("ann", 1), "a repeated leave changes nothing");
        assert!(members.contains_user("ann"));
        assert!(members.leave("ann", 2));
        assert!(members.is_empty());
    }

    #[test]
    fn guests_count_one_by_one() {
        let mut members = Members::default();
        members.join("", 7, gateway(0));
        members.join("", 8, gateway(0));
        members.join("bob", 7, gateway(0));
        assert_eq!(members.online(), 3);
        members.leave("", 7);
        assert_eq!(members.online(), 2);
        assert!(members.contains_user("bob"));
    }

    #[test]
    fn somebody_expelled_is_out_with_all_sessions() {
        let mut members = Members::default();
        members.join("ann", 1, gateway(0));
        members.join("ann", 2, gateway(0));
        assert!(members.expel("ann"));
        assert_eq!(members.online(), 0);
        assert!(!members.contains_user("ann"));
        assert!(!members.leave("ann", 1), "late news of a session's end is harmless");
        assert!(
            members.join("ann", 1, gateway(0)),
            "the same session counts again once it may come back"
        );
    }
}
