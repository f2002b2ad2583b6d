//! The gateways that this node knows: which of them live, and which have said what sessions they
//! have. Plain code: the clock comes from outside, and so does chance.

use std::collections::HashMap;
use std::sync::Arc;

/// Gateways that are known; there are far fewer.
const MOST: usize = 4096;
/// When all fall silent at once, it is rather this node that hears nothing: it waits so many leases.
const DEAF: u64 = 3;

/// Periods in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// A gateway that was silent for so long is gone.
    pub(crate) lease: u64,
    /// After the node became the home of more users: so long gateways may take to make themselves
    /// known.
    pub(crate) settle: u64,
}

/// All gateways.
#[derive(Debug)]
pub(crate) struct Gateways {
    patience: Patience,
    known: HashMap<Arc<str>, Gateway>,
    /// How often the node forgot users.
    renewals: u64,
    gained: Option<Gained>,
}

/// The node became the home of more users, and does not know yet which sessions they have.
#[derive(Debug, Clone, Copy)]
struct Gained {
    at: u64,
    /// The list of nodes that made it so.
    version: u64,
}

#[derive(Debug)]
struct Gateway {
    stream: u64,
    heard: u64,
    /// It spoke itself; others are known from stored sessions only.
    spoke: bool,
    /// Version of the list of nodes up to which it told of all its sessions.
    told: u64,
    /// The telling of all its sessions that is under way, and when that began.
    round: (u64, u64),
}

/// What the node and a gateway call their acquaintance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// Names the numbered messages to it. New with each acquaintance.
    pub(crate) stream: u64,
    /// New with each acquaintance, and when the node forgot users.
    pub(crate) bond: u64,
}

impl Gateways {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, known: HashMap::new(), renewals: 0, gained: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.known.values().filter(|gateway| gateway.spoke).count()
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// A gateway spoke. `chance` names the acquaintance where it is a new one.
    pub(crate) fn heard(&mut self, now: u64, name: &str, chance: u64) -> Known {
        let renewals = self.renewals;
        let gateway = self.find_or_add(now, name, chance);
        gateway.heard = now;
        gateway.spoke = true;
        gateway.known(renewals)
    }

    /// A gateway beat: it told of all its sessions up to this version, if it means this
    /// acquaintance.
    pub(crate) fn beat(
        &mut self,
        now: u64,
        name: &str,
        (stream, told): (u64, u64),
        chance: u64,
    ) -> Known {
        let known = self.heard(now, name, chance);
        if stream == known.stream
            && let Some(gateway) = self.known.get_mut(name)
        {
            gateway.told = told;
        }
        known
    }

    /// The store told of a gateway: it has to speak before long.
    pub(crate) fn mention(&mut self, now: u64, name: &str, chance: u64) {
        self.find_or_add(now, name, chance);
    }

    fn find_or_add(&mut self, now: u64, name: &str, chance: u64) -> &mut Gateway {
        if self.known.len() >= MOST && !self.known.contains_key(name) {
            let oldest = self.known.iter().min_by_key(|(_, gateway)| gateway.heard);
            if let Some(oldest) = oldest.map(|(name, _)| Arc::clone(name)) {
                self.known.remove(&oldest);
            }
        }
        self.known.entry(Arc::from(name)).or_insert(Gateway {
            stream: chance,
            heard: now,
            spoke: false,
            told: 0,
            round: (0, 0),
        })
    }

    /// A gateway that left is known no longer. False: it was not.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.known.remove(name).is_some()
    }

    /// Gives up who was silent for too long, and says who.
    pub(crate) fn silent(&mut self, now: u64) -> Vec<Arc<str>> {
        let lease = self.patience.lease;
        let is_silent = |gateway: &Gateway, lease: u64| gateway.heard + lease <= now;
        let spoke = || self.known.values().filter(|gateway| gateway.spoke);
        let deaf = spoke().count() > 1 && spoke().all(|gateway| is_silent(gateway, lease));
        let lease = if deaf { lease * DEAF } else { lease };
        let silent = self.known.iter().filter(|(_, gateway)| is_silent(gateway, lease));
        let silent: Vec<_> = silent.map(|(name, _)| Arc::clone(name)).collect();
        for name in &silent {
            self.known.remove(name);
        }
        silent
    }

    /// The node itself stood still for so long: it could hear nobody.
    pub(crate) fn forgive(&mut self, pause: u64) {
        for gateway in self.known.values_mut() {
            gateway.heard += pause;
        }
        if let Some(gained) = &mut self.gained {
            gained.at += pause;
        }
    }

    /// The node forgot users: gateways have to tell of all their sessions again.
    pub(crate) fn renew_bonds(&mut self) {
        self.renewals += 1;
    }

    /// The node became the home of more users with this list.
    pub(crate) fn gained(&mut self, now: u64, version: u64) {
        self.gained = Some(Gained { at: now, version });
    }

    /// Whether every gateway said which sessions it has. Once it is so it stays so, until the node
    /// becomes the home of more users.
    pub(crate) fn settle(&mut self, now: u64) -> bool {
        let Some(gained) = self.gained else {
            return true;
        };
        let waited = now.saturating_sub(gained.at) >= self.patience.settle;
        if waited && self.unsettled().next().is_none() {
            self.gained = None;
        }
        self.gained.is_none()
    }

    /// Gateways that may have sessions which the node does not know.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Arc<str>> {
        let version = self.gained.map_or(0, |gained| gained.version);
        let unsettled =
            self.known.iter().filter(move |(_, gateway)| gateway.spoke && gateway.told < version);
        unsettled.map(|(name, _)| name)
    }

    /// Whether this gateway may yet say of a stored session that it has a connection there.
    pub(crate) fn is_awaited(&self, name: &str) -> bool {
        let told = self.known.get(name).map_or(0, |gateway| gateway.told);
        self.gained.is_some_and(|gained| told < gained.version)
    }

    /// When the telling of all its sessions began that a gateway calls by this number.
    pub(crate) fn round(&mut self, now: u64, name: &str, number: u64) -> u64 {
        let Some(gateway) = self.known.get_mut(name) else {
            return now;
        };
        if gateway.round.0 != number {
            gateway.round = (number, now);
        }
        gateway.round.1
    }
}

impl Gateway {
    fn known(&self, renewals: u64) -> Known {
        Known { stream: self.stream, bond: self.stream.wrapping_add(renewals) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateways() -> Gateways {
        Gateways::new(Patience { lease: 5_000, settle: 3_000 })
    }

    fn names(names: &[Arc<str>]) -> Vec<String> {
        let mut names: Vec<_> = names.iter().map(ToString::to_string).collect();
        names.sort();
        names
    }

    #[test]
    fn a_silent_gateway_is_given_up_and_comes_back_as_another() {
        let mut gateways = gateways();
        let first = gateways.heard(1_000, "a", 7);
        assert_eq!(gateways.heard(1_500, "a", 8), first);
        gateways.heard(5_000, "b", 9);
        assert!(gateways.silent(6_499).is_empty());
        assert_eq!(names(&gateways.silent(6_500)), ["a"]);
        assert!(gateways.silent(6_500).is_empty(), "once");
        let again = gateways.heard(6_600, "a", 10);
        assert!(again.stream != first.stream && again.bond != first.bond);
    }

    #[test]
    fn a_node_that_hears_nobody_doubts_itself_first() {
        let mut gateways = gateways();
        gateways.heard(0, "a", 1);
        gateways.heard(0, "b", 2);
        assert!(gateways.silent(14_999).is_empty());
        gateways.heard(14_999, "b", 3);
        assert_eq!(names(&gateways.silent(14_999)), ["a"], "one that speaks shows who does not");
        assert_eq!(
            names(&gateways.silent(20_000)),
            ["b"],
            "of a single one nothing can be concluded"
        );
    }

    #[test]
    fn who_could_not_listen_gives_nobody_up() {
        let mut gateways = gateways();
        gateways.heard(0, "a", 1);
        gateways.forgive(60_000);
        assert!(gateways.silent(60_100).is_empty());
        assert_eq!(names(&gateways.silent(65_000)), ["a"]);
    }

    #[test]
    fn a_gateway_of_stored_sessions_has_to_speak() {
        let mut gateways = gateways();
        gateways.mention(0, "a", 1);
        gateways.mention(0, "b", 2);
        gateways.heard(100, "b", 3);
        assert_eq!(gateways.len(), 1);
        assert_eq!(names(&gateways.silent(5_000)), ["a"]);
    }

    #[test]
    fn a_new_home_is_settled_once_all_have_told() {
        let mut gateways = gateways();
        let known = gateways.heard(0, "a", 1);
        assert!(gateways.settle(0), "it gained nobody");
        gateways.gained(0, 5);
        gateways.heard(0, "b", 2);
        assert!(!gateways.settle(3_000));
        assert!(gateways.is_awaited("a") && gateways.is_awaited("stranger"));
        gateways.beat(3_000, "a", (known.stream, 5), 0);
        assert!(!gateways.is_awaited("a"));
        gateways.beat(3_000, "b", (999, 5), 0);
        assert!(!gateways.settle(3_000), "b means another acquaintance");
        assert_eq!(gateways.unsettled().map(|name| &**name).collect::<Vec<_>>(), ["b"]);
        gateways.beat(3_000, "b", (2, 6), 0);
        assert!(gateways.settle(3_000));
        gateways.heard(4_000, "c", 3);
        assert!(gateways.settle(4_000), "it stays so");
        gateways.gained(5_000, 7);
        assert!(!gateways.settle(9_000));
    }

    #[test]
    fn forgetting_users_renews_bonds_and_nothing_else() {
        let mut gateways = gateways();
        let before = gateways.heard(0, "a", 1);
        gateways.renew_bonds();
        let after = gateways.heard(0, "a", 2);
        assert!(after.stream == before.stream && after.bond != before.bond);
    }

    #[test]
    fn a_round_begins_with_its_first_part() {
        let mut gateways = gateways();
        gateways.heard(0, "a", 1);
        assert_eq!(gateways.round(10, "a", 1), 10);
        assert_eq!(gateways.round(90, "a", 1), 10);
        assert_eq!(gateways.round(95, "a", 2), 95);
        assert_eq!(gateways.round(99, "stranger", 1), 99);
    }

    #[test]
    fn the_number_of_gateways_is_bounded() {
        let mut gateways = gateways();
        for number in 0..10_000 {
            gateways.mention(number, &format!("g{number}"), number);
        }
        assert_eq!(gateways.known.len(), MOST);
        assert!(gateways.known.contains_key("g9999"));
    }
}
