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

use crate::clients::{Clients, routed};

/// Deliveries that may wait; then the group waits too.
const QUEUE: usize = 1024;
/// Users and bytes of items of one call.
const USERS: usize = 2000;
const BYTES: usize = 256 * 1024;
/// Time for one call. Presence nodes come and go; after that the users find what they missed in
/// history, or not at all.
const CALL_TIME: Duration = Duration::from_secs(10);
/// Time that the end of a group gives to what still waits.
const END_TIME: Duration = Duration::from_secs(1);

/// Items for all online sessions of some users.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) users: Arc<[String]>,
    /// Entries of `EventArray`, without the brackets.
    pub(crate) items: Bytes,
    pub(crate) guarantee: Guarantee,
    /// A session that gets nothing; 0 for none.
    pub(crate) except_inst_id: u32,
}

impl Delivery {
    /// Whether both may go in one call.
    fn goes_with(&self, next: &Self) -> bool {
        Arc::ptr_eq(&self.users, &next.users)
            && self.guarantee == next.guarantee
            && self.except_inst_id == next.except_inst_id
    }
}

/// The committer's end of the deliveries of one group. It costs a task from the first one on.
pub(super) struct Deliveries {
    app: AppId,
    clients: Clients,
    drain: Drain,
    worker: Option<(mpsc::Sender<Delivery>, JoinHandle<()>)>,
}

impl Deliveries {
    pub(super) fn new(app: AppId, clients: Clients, drain: Drain) -> Self {
        Self { app, clients, drain, worker: None }
    }

    /// Sends them out after all earlier ones.
    pub(super) async fn send(&mut self, deliveries: impl IntoIterator<Item = Delivery>) {
        for delivery in deliveries {
            if delivery.users.is_empty() {
                continue;
            }
            let (app, clients, drain) = (self.app, &self.clients, &self.drain);
            let (queue, _) = self.worker.get_or_insert_with(|| {
                let (queue, waiting) = mpsc::channel(QUEUE);
                (queue, drain.spawn(work(app, clients.clone(), waiting)))
            });
            let _ = queue.send(delivery).await;
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

async fn work(app: AppId, clients: Clients, mut waiting: mpsc::Receiver<Delivery>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, QUEUE).await > 0 {
        for delivery in joined(batch.drain(..)) {
            deliver(app, &clients, delivery).await;
        }
    }
}

/// What follows each other and goes to the same users, in one.
fn joined(batch: impl Iterator<Item = Delivery>) -> Vec<Delivery> {
    let mut batch = batch.peekable();
    let mut joined = Vec::new();
    while let Some(first) = batch.next() {
        let mut items = vec![first.items.clone()];
        let mut bytes = first.items.len();
        while let Some(next) =
            batch.next_if(|next| first.goes_with(next) && bytes + next.items.len() < BYTES)
        {
            bytes += next.items.len();
            items.push(next.items);
        }
        let items = if items.len() == 1 { first.items } else { items.join(&b","[..]).into() };
        joined.push(Delivery { items, ..first });
    }
    joined
}

async fn deliver(app: AppId, clients: &Clients, delivery: Delivery) {
    for users in delivery.users.chunks(USERS) {
        // Any presence node shares it out; users are at home on several.
        let home = users.first().map(|user| user_hash(app, user)).unwrap_or_default();
        let request = v1::DeliverRequest {
            app: app.0,
            users: users.to_vec(),
            event_items: delivery.items.clone(),
            guarantee: delivery.guarantee.into(),
            except_inst_id: delivery.except_inst_id,
            ..v1::DeliverRequest::default()
        };
        let mut presence = clients.presence.clone();
        let call = presence.deliver(routed(Route::hash(home), CALL_TIME, request));
        let why = match timeout(CALL_TIME, call).await {
            Ok(Ok(_)) => continue,
            Ok(Err(status)) => status.message().to_owned(),
            Err(_) => "not in time".to_owned(),
        };
        metrics::counter!("throng_group_router_delivery_failures_total").increment(1);
        tracing::warn!(why, "members of a group were not told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_the_same_users_goes_in_one_call_in_order() {
        let [all, some]: [Arc<[String]>; 2] =
            [Arc::new(["ann".to_owned(), "bob".to_owned()]), Arc::new(["ann".to_owned()])];
        let to = |users: &Arc<[String]>, items: &'static str| Delivery {
            users: Arc::clone(users),
            items: Bytes::from_static(items.as_bytes()),
            guarantee: Guarantee::Gateway,
            except_inst_id: 0,
        };
        let reliable = Delivery { guarantee: Guarantee::Client, ..to(&all, "e") };
        let batch = vec![
            to(&all, "a"),
            to(&all, "b"),
            to(&some, "c"),
            to(&all, "d"),
            reliable,
            to(&all, "f"),
        ];
        let joined: Vec<_> =
            joined(batch.into_iter()).iter().map(|one| one.items.clone()).collect();
        assert_eq!(joined, ["a,b", "c", "d", "e", "f"]);
        let large = vec![b'x'; BYTES / 2];
        let batch = (0..4).map(|_| Delivery { items: large.clone().into(), ..to(&all, "") });
        assert_eq!(super::joined(batch).len(), 4, "a call is bounded");
    }
}
