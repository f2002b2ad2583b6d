//! Questions and orders about many users: shared out by where each is at home, to all nodes at once,
//! and again to the then right node for whoever got no answer.

use std::time::Duration;

use futures_util::future::{BoxFuture, join, join_all};
use rand::RngExt;
use throng_node::cluster;
use throng_proto::Link;
use throng_proto::v1::presence_client::PresenceClient;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tonic::Status;

use crate::home::{Home, elsewhere};

/// Time for everything.
const ALL: Duration = Duration::from_secs(8);
/// Time for one node to answer.
const ONE: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What is asked of each node about its users.
pub(crate) trait Share: Sync {
    type Reply: Send;

    /// Here, about users who are at home here.
    fn here(&self, users: Vec<String>) -> BoxFuture<'_, Self::Reply>;

    /// There, about users who should be at home there.
    fn there(
        &self,
        node: PresenceClient<Link>,
        users: Vec<String>,
    ) -> BoxFuture<'_, Result<Self::Reply, Status>>;
}

/// What came of it.
pub(crate) struct Shared<T> {
    pub(crate) replies: Vec<T>,
    /// Users whom nobody answered for in time.
    pub(crate) left: Vec<String>,
}

impl Home {
    /// Shares users out until each had an answer, or it takes too long.
    pub(crate) async fn share<S: Share>(
        &self,
        app: u32,
        users: Vec<String>,
        share: &S,
    ) -> Shared<S::Reply> {
        let deadline = Instant::now() + ALL;
        let mut watch = self.clone();
        let mut shared = Shared { replies: Vec::new(), left: users };
        let mut pause = FIRST_PAUSE;
        loop {
            let split = self.now().split(app, std::mem::take(&mut shared.left));
            shared.left = split.nobodys;
            let mine = async {
                match split.mine.is_empty() {
                    true => None,
                    false => Some(self.ask_here(app, split.mine, share).await),
                }
            };
            let theirs = split.theirs.into_iter().map(|(node, users)| self.ask(node, users, share));
            let (mine, theirs) = join(mine, timeout_at(deadline, join_all(theirs))).await;
            for answer in mine.into_iter().chain(theirs.into_iter().flatten()) {
                match answer {
                    Ok(reply) => shared.replies.push(reply),
                    Err(users) => shared.left.extend(users),
                }
            }
            if shared.left.is_empty() || self.has_ended() || Instant::now() + pause >= deadline {
                return shared;
            }
            let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.5));
            tokio::select! {
                () = sleep(jittered) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = watch.changed() => pause = FIRST_PAUSE,
            }
        }
    }

    /// Answers a share that another node made. What is not at home here is not shared again: the other
    /// node does, as the placement then is.
    pub(crate) async fn answer_part<S: Share>(
        &self,
        app: u32,
        users: Vec<String>,
        share: &S,
    ) -> Result<S::Reply, Status> {
        let here = self.now();
        if !users.iter().all(|user| here.is_mine(app, user)) {
            return Err(elsewhere());
        }
        self.ask_here(app, users, share).await.map_err(|_| elsewhere())
    }

    /// The users come back where their home changed meanwhile.
    async fn ask_here<S: Share>(
        &self,
        app: u32,
        users: Vec<String>,
        share: &S,
    ) -> Result<S::Reply, Vec<String>> {
        if self.is_alone() {
            return Ok(share.here(users).await);
        }
        let reply = share.here(users.clone()).await;
        let here = self.now();
        if users.iter().all(|user| here.is_mine(app, user)) { Ok(reply) } else { Err(users) }
    }

    async fn ask<S: Share>(
        &self,
        node: cluster::Home,
        users: Vec<String>,
        share: &S,
    ) -> Result<S::Reply, Vec<String>> {
        let asked = share.there(PresenceClient::new(node.link.clone()), users.clone());
        self.part(&node, asked).await.ok_or(users)
    }

    /// What another node answers to its share of a call; `None` where that is nothing good.
    pub(crate) async fn part<T>(
        &self,
        node: &cluster::Home,
        asked: impl Future<Output = Result<T, Status>>,
    ) -> Option<T> {
        let answer = tokio::select! {
            answer = timeout(ONE, asked) => answer,
            () = self.gives_up(node) => Ok(Err(elsewhere())),
        };
        let outcome = match answer {
            Ok(Ok(_)) => "answered",
            Ok(Err(_)) => "refused",
            Err(_) => "late",
        };
        metrics::counter!("throng_presence_parts_total", "outcome" => outcome).increment(1);
        match answer {
            Ok(Ok(reply)) => Some(reply),
            Ok(Err(status)) => {
                tracing::debug!(node = &*node.name, %status, "a presence node did not answer");
                None
            }
            Err(_) => {
                tracing::debug!(node = &*node.name, "a presence node did not answer in time");
                None
            }
        }
    }

    /// Resolves when a node is on the list no more: one that stands still does not say so.
    async fn gives_up(&self, node: &cluster::Home) {
        let mut watch = self.clone();
        while self.now().has(&node.name, node.incarnation) {
            watch.changed().await;
        }
    }
}
