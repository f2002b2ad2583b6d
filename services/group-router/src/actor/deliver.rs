//! What a group sends to users rather than into its stream: to the members of groups that are
//! delivered by presence, and notices to anybody. One thing after the other, so that what goes to a
//! user keeps its order; what piles up for the same users goes in one call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throng_node::drain::Drain;
use throng_proto::Route;
use throng_proto::v1;
use throng_proto::v1::deliver_request::Guarantee;
use throng_protocol::ids::{AppId, user_hash};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::GroupKey;
use super::audience::Gathered;
use crate::clients::{Clients, routed};
use crate::core::audience::Names;

/// Deliveries that may wait; then the group waits too.
const QUEUE: usize = 1024;
/// Users and bytes of items of one call.
pub(super) const USERS: usize = 2000;
const BYTES: usize = 256 * 1024;
/// Time for one call. Presence nodes come and go; after that the users find what they missed in
/// history, or not at all.
pub(super) const CALL_TIME: Duration = Duration::from_secs(10);
/// Time that the end of a group gives to what still waits.
const END_TIME: Duration = Duration::from_secs(1);

/// One of the things that are done one after the other.
#[derive(Debug)]
pub(crate) enum Errand {
    Deliver(Delivery),
    /// Who all members are, in a life of the group; from now on every change of them is told.
    Gather {
        term: u64,
        members: Names,
    },
    /// Who came or wants something else now, or, with `None`, went.
    Change {
        user: Arc<str>,
        discards: Option<bool>,
    },
}

/// Items for all online sessions of some users.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) to: To,
    /// Entries of `EventArray`, without the brackets.
    pub(crate) items: Bytes,
    pub(crate) guarantee: Guarantee,
    /// A session that gets nothing; 0 for none.
    pub(crate) except_inst_id: u32,
}

/// Whose sessions.
#[derive(Debug, Clone)]
pub(crate) enum To {
    Users(Arc<[String]>),
    /// All members who were gathered, but for a few.
    All {
        discarding_too: bool,
        except: Arc<[String]>,
    },
}

impl Delivery {
    /// Whether both may go in one call.
    fn goes_with(&self, next: &Self) -> bool {
        let same_users = match (&self.to, &next.to) {
            (To::Users(these), To::Users(those)) => Arc::ptr_eq(these, those),
            (To::All { discarding_too, except }, To::All { discarding_too: too, except: but }) => {
                discarding_too == too && except == but
            }
            _ => false,
        };
        same_users && self.guarantee == next.guarantee && self.except_inst_id == next.except_inst_id
    }
}

/// The committer's end of the deliveries of one group. It costs a task from the first one on.
pub(super) struct Deliveries {
    key: GroupKey,
    clients: Clients,
    drain: Drain,
    worker: Option<(mpsc::Sender<Errand>, JoinHandle<()>)>,
}

impl Deliveries {
    pub(super) fn new(key: GroupKey, clients: Clients, drain: Drain) -> Self {
        Self { key, clients, drain, worker: None }
    }

    /// Sends them out after all earlier ones.
    pub(super) async fn send(&mut self, errands: impl IntoIterator<Item = Errand>) {
        for errand in errands {
            if let Errand::Deliver(Delivery { to: To::Users(users), .. }) = &errand
                && users.is_empty()
            {
                continue;
            }
            let (queue, _) = self.worker.get_or_insert_with(|| {
                let (queue, waiting) = mpsc::channel(QUEUE);
                let worker =
                    Worker { key: self.key.clone(), clients: self.clients.clone(), gathered: None };
                (queue, self.drain.spawn(worker.run(waiting)))
            });
            let _ = queue.send(errand).await;
        }
    }

    /// Waits for what still waits, but not for long.
    pub(super) async fn finish(self) {
        if let Some((queue, worker)) = self.worker {
            drop(queue);
            if timeout(END_TIME, worker).await.is_err() {
                tracing::warn!("deliveries of a group go on after its end");
            }
        }
    }
}

struct Worker {
    key: GroupKey,
    clients: Clients,
    gathered: Option<Gathered>,
}

impl Worker {
    async fn run(mut self, mut waiting: mpsc::Receiver<Errand>) {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, QUEUE).await > 0 {
            for errand in joined(batch.drain(..)) {
                match errand {
                    Errand::Deliver(delivery) => self.deliver(&delivery).await,
                    Errand::Gather { term, members } => {
                        self.gathered = Some(Gathered::new(self.key.clone(), term, members));
                    }
                    Errand::Change { user, discards } => {
                        if let Some(gathered) = &mut self.gathered {
                            gathered.change(user, discards);
                        }
                    }
                }
            }
        }
    }

    async fn deliver(&mut self, delivery: &Delivery) {
        match &delivery.to {
            To::Users(users) => {
                for users in users.chunks(USERS) {
                    deliver_to(self.key.app, &self.clients, users.to_vec(), delivery).await;
                }
            }
            To::All { .. } => match &mut self.gathered {
                Some(gathered) => gathered.deliver(&self.clients, delivery).await,
                None => tracing::error!("a group delivers to members who were not gathered"),
            },
        }
    }
}

/// What follows each other and goes to the same users, in one.
fn joined(batch: impl Iterator<Item = Errand>) -> Vec<Errand> {
    let mut batch = batch.peekable();
    let mut joined = Vec::new();
    while let Some(errand) = batch.next() {
        let Errand::Deliver(first) = errand else {
            joined.push(errand);
            continue;
        };
        let mut items = vec![first.items.clone()];
        let mut bytes = first.items.len();
        let fits = |next: &Errand, bytes: usize| {
            matches!(next, Errand::Deliver(next)
                if first.goes_with(next) && bytes + next.items.len() < BYTES)
        };
        while let Some(Errand::Deliver(next)) = batch.next_if(|next| fits(next, bytes)) {
            bytes += next.items.len();
            items.push(next.items);
        }
        let items = if items.len() == 1 { items.remove(0) } else { items.join(&b","[..]).into() };
        joined.push(Errand::Deliver(Delivery { items, ..first }));
    }
    joined
}

/// One call to presence for some users.
pub(super) async fn deliver_to(
    app: AppId,
    clients: &Clients,
    users: Vec<String>,
    delivery: &Delivery,
) {
    // Any presence node shares it out; users are at home on several.
    let home = users.first().map(|user| user_hash(app, user)).unwrap_or_default();
    let request = v1::DeliverRequest {
        app: app.0,
        users,
        event_items: delivery.items.clone(),
        guarantee: delivery.guarantee.into(),
        except_inst_id: delivery.except_inst_id,
        ..v1::DeliverRequest::default()
    };
    let mut presence = clients.presence.clone();
    let call = presence.deliver(routed(Route::hash(home), CALL_TIME, request));
    let why = match timeout(CALL_TIME, call).await {
        Ok(Ok(_)) => return,
        Ok(Err(status)) => status.message().to_owned(),
        Err(_) => "not in time".to_owned(),
    };
    metrics::counter!("throng_group_router_delivery_failures_total").increment(1);
    tracing::warn!(why, "members of a group were not told");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(batch: Vec<Errand>) -> Vec<String> {
        let items = joined(batch.into_iter()).into_iter().map(|errand| match errand {
            Errand::Deliver(one) => String::from_utf8(one.items.to_vec()).unwrap(),
            Errand::Gather { .. } | Errand::Change { .. } => "change".to_owned(),
        });
        items.collect()
    }

    fn to(to: &To, items: &[u8]) -> Delivery {
        Delivery {
            to: to.clone(),
            items: Bytes::copy_from_slice(items),
            guarantee: Guarantee::Gateway,
            except_inst_id: 0,
        }
    }

    #[test]
    fn what_goes_to_the_same_users_goes_in_one_call_in_order() {
        let [all, some]: [To; 2] = [
            To::Users(Arc::new(["ann".to_owned(), "bob".to_owned()])),
            To::Users(Arc::new(["ann".to_owned()])),
        ];
        let reliable = Delivery { guarantee: Guarantee::Client, ..to(&all, b"e") };
        let batch = vec![
            to(&all, b"a"),
            to(&all, b"b"),
            to(&some, b"c"),
            to(&all, b"d"),
            reliable,
            to(&all, b"f"),
        ];
        let batch = batch.into_iter().map(Errand::Deliver).collect();
        assert_eq!(items(batch), ["a,b", "c", "d", "e", "f"]);
        let large = vec![b'x'; BYTES / 2];
        let batch = (0..4).map(|_| Errand::Deliver(to(&all, &large))).collect();
        assert_eq!(items(batch).len(), 4, "a call is bounded");
    }

    #[test]
    fn what_goes_to_all_members_goes_together_while_they_are_the_same() {
        let [all, more, but] = [(false, &[][..]), (true, &[]), (false, &["ann".to_owned()])]
            .map(|(discarding_too, except)| To::All { discarding_too, except: except.into() });
        let came = || Errand::Change { user: "bob".into(), discards: Some(false) };
        let all = |items: &[u8]| Errand::Deliver(to(&all, items));
        let batch = vec![
            all(b"a"),
            all(b"b"),
            came(),
            all(b"c"),
            Errand::Deliver(to(&more, b"d")),
            Errand::Deliver(to(&but, b"e")),
            Errand::Deliver(to(&but, b"f")),
        ];
        assert_eq!(items(batch), ["a,b", "change", "c", "d", "e,f"]);
    }
}
