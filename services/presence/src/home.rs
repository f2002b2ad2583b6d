//! Which users this node decides about.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use throng_node::cluster::lease::LeaseState;
use throng_node::cluster::{self, HomeList, Homes, not_begun};
use throng_proto::Link;
use throng_protocol::ids::{AppId, user_hash};
use tokio::sync::watch;
use tonic::Status;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The place of this node among the presence nodes.
#[derive(Debug, Clone)]
pub struct Home {
    member: Option<Member>,
    homes: Homes,
    /// Version of the list up to which this node has drawn its conclusions.
    drawn: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
struct Member {
    name: Arc<str>,
    lease: watch::Receiver<LeaseState>,
}

impl Home {
    /// There is no other node: everybody is at home here.
    #[must_use]
    pub fn alone() -> Self {
        Self { member: None, homes: Homes::one(Link::unconnected()), drawn: Arc::default() }
    }

    /// One of several. It decides about its users while it holds its lease.
    #[must_use]
    pub fn among(
        homes: Homes,
        name: impl Into<Arc<str>>,
        lease: watch::Receiver<LeaseState>,
    ) -> Self {
        let member = Some(Member { name: name.into(), lease });
        Self { member, homes, drawn: Arc::default() }
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.member.is_none()
    }

    /// How it is at this moment.
    pub(crate) fn now(&self) -> Here {
        let list = self.homes.now();
        let me = self.member.as_ref().map(|member| {
            let lease = *member.lease.borrow();
            Me {
                name: Arc::clone(&member.name),
                incarnation: lease.incarnation,
                covered: lease.covers(list.version),
                concluded: list.version <= self.drawn.load(Ordering::Acquire),
            }
        });
        Here { list, me }
    }

    /// The node has done what a list up to this version asks of it; before that it decides nothing by
    /// such a list.
    pub(crate) fn draw(&self, version: u64) {
        self.drawn.fetch_max(version, Ordering::AcqRel);
    }

    /// Whether the user is at home here.
    pub(crate) fn is_mine(&self, app: u32, user: &str) -> bool {
        self.member.is_none() || self.now().is_mine(app, user)
    }

    /// Refuses calls about users who are not.
    pub(crate) fn check(&self, app: u32, user: &str) -> Result<(), Status> {
        if self.is_mine(app, user) { Ok(()) } else { Err(elsewhere()) }
    }

    /// Whether this node has left the cluster for good: whoever waits here for a home of its users
    /// waits better elsewhere.
    pub(crate) fn has_ended(&self) -> bool {
        self.member.as_ref().is_some_and(|member| member.lease.has_changed().is_err())
    }

    /// Returns when something changed since the last call, or else when it next does.
    pub(crate) async fn changed(&mut self) {
        let Some(member) = &mut self.member else {
            return std::future::pending().await;
        };
        let incarnation = member.lease.borrow_and_update().incarnation;
        let began_anew = member.lease.wait_for(|lease| lease.incarnation != incarnation);
        tokio::select! {
            () = self.homes.changed() => {}
            Ok(_) = began_anew => {}
        }
    }
}

/// The answer to who asks for a user of another node.
pub(crate) fn elsewhere() -> Status {
    not_begun("the user is at home on another presence node")
}

/// The place of this node at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    list: Arc<HomeList>,
    me: Option<Me>,
}

#[derive(Debug, Clone)]
struct Me {
    name: Arc<str>,
    incarnation: u64,
    /// Its lease covers the list.
    covered: bool,
    /// What the list asks of the node is done.
    concluded: bool,
}

/// Users by where they are at home.
#[derive(Debug, Default)]
pub(crate) struct Split {
    pub(crate) mine: Vec<String>,
    /// By node.
    pub(crate) theirs: Vec<(cluster::Home, Vec<String>)>,
    /// Nobody decides about them now.
    pub(crate) nobodys: Vec<String>,
}

impl Here {
    pub(crate) fn version(&self) -> u64 {
        self.list.version
    }

    /// Whether this node may decide about anybody.
    pub(crate) fn decides(&self) -> bool {
        self.me.as_ref().is_none_or(|me| me.covered && me.concluded)
    }

    /// Whether the node has done what the list asks of it.
    pub(crate) fn is_concluded(&self) -> bool {
        self.me.as_ref().is_none_or(|me| me.concluded)
    }

    /// Whether the user is at home here, and the node may decide.
    pub(crate) fn is_mine(&self, app: u32, user: &str) -> bool {
        self.decides() && self.is_placed_here(app, user)
    }

    /// Whether the list places the user here, whatever becomes of the lease.
    pub(crate) fn is_placed_here(&self, app: u32, user: &str) -> bool {
        let Some(me) = &self.me else { return true };
        let home = self.list.of(user_hash(AppId(app), user));
        home.is_some_and(|home| home.name == me.name && home.incarnation == me.incarnation)
    }

    /// Whether this node, in its present life, is on the list.
    pub(crate) fn is_listed(&self) -> bool {
        let Some(me) = &self.me else { return true };
        let mut nodes = self.list.nodes.iter();
        nodes.any(|node| node.name == me.name && node.incarnation == me.incarnation)
    }

    /// Whether some node of this list is not on the other one.
    pub(crate) fn has_more_than(&self, other: &Self) -> bool {
        self.list.nodes.iter().any(|node| !other.has(&node.name, node.incarnation))
    }

    /// Whether that life of a node is on the list.
    pub(crate) fn has(&self, name: &str, incarnation: u64) -> bool {
        let mut nodes = self.list.nodes.iter();
        nodes.any(|node| *node.name == *name && node.incarnation == incarnation)
    }

    /// Which life of this node it is.
    pub(crate) fn life(&self) -> Option<u64> {
        self.me.as_ref().map(|me| me.incarnation)
    }

    /// Names the nodes of the list in their present lives: the same number everywhere, another one as
    /// soon as anybody may be at home elsewhere. Never 0.
    pub(crate) fn homes(&self) -> u64 {
        let number =
            |node: &cluster::Home| xxh3_64_with_seed(node.name.as_bytes(), node.incarnation);
        self.list.nodes.iter().map(number).fold(0, u64::wrapping_add).max(1)
    }

    /// All nodes of the list. `None` is this one.
    pub(crate) fn nodes(&self) -> Vec<Option<cluster::Home>> {
        let Some(me) = &self.me else { return vec![None] };
        let is_me = |node: &cluster::Home| {
            node.name == me.name && node.incarnation == me.incarnation && self.decides()
        };
        let nodes = self.list.nodes.iter();
        nodes.map(|node| if is_me(node) { None } else { Some(node.clone()) }).collect()
    }

    /// The place in [`nodes`](Self::nodes) of a user's home. `None` while there is no node.
    pub(crate) fn place_of(&self, app: u32, user: &str) -> Option<usize> {
        if self.me.is_none() {
            return Some(0);
        }
        let home = self.list.of(user_hash(AppId(app), user))?;
        self.list.nodes.iter().position(|node| node.name == home.name)
    }

    pub(crate) fn split(&self, app: u32, users: Vec<String>) -> Split {
        let mut split = Split::default();
        let Some(me) = &self.me else {
            split.mine = users;
            return split;
        };
        let mut places: HashMap<&Arc<str>, usize> = HashMap::new();
        for user in users {
            match self.list.of(user_hash(AppId(app), &user)) {
                None => split.nobodys.push(user),
                Some(home) if home.name == me.name => {
                    let mine = self.decides() && home.incarnation == me.incarnation;
                    if mine { split.mine.push(user) } else { split.nobodys.push(user) }
                }
                Some(home) => {
                    let place = *places.entry(&home.name).or_insert(split.theirs.len());
                    if place == split.theirs.len() {
                        split.theirs.push((home.clone(), Vec::new()));
                    }
                    split.theirs[place].1.push(user);
                }
            }
        }
        split
    }
}
