//! Calls about many users: deliveries, and who of them is online or in a room. Whichever node gets one
//! shares it out by where the users are at home.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::presence_client::PresenceClient;
use tokio::time::timeout;
use tonic::Status;

use crate::core::{Effect, Index, Now, Routes};
use crate::home::elsewhere;
use crate::service::Inner;
use crate::share::{Share, Shared};

/// Users who are brought in from the store at the same time for one question.
const LOADED_AT_ONCE: usize = 32;
/// A question about users whom a new home does not know waits so long for gateways to tell of them.
const SETTLING: Duration = Duration::from_secs(2);

/// A delivery.
struct Delivery<'a> {
    inner: &'a Inner,
    /// Without its users.
    request: v1::DeliverRequest,
}

/// The question who is online, and how.
struct Online<'a> {
    inner: &'a Inner,
    app: u32,
    with_status: bool,
}

/// The question who is in a room.
struct Members<'a> {
    inner: &'a Inner,
    app: u32,
    group_id: String,
}

impl Inner {
    /// Delivers items to all sessions of users that have a connection. Returns how many users have
    /// one.
    pub(crate) async fn deliver(&self, mut request: v1::DeliverRequest) -> Result<u32, Status> {
        let users = std::mem::take(&mut request.users);
        let (app, part) = (request.app, request.part);
        let delivery = Delivery { inner: self, request };
        if part {
            return self.home.answer_part(app, users, &delivery).await;
        }
        let reached = complete(self.home.share(app, users, &delivery).await)?;
        Ok(reached.into_iter().sum())
    }

    pub(crate) async fn filter_online(
        &self,
        request: v1::FilterOnlineRequest,
    ) -> Result<v1::FilterOnlineReply, Status> {
        let v1::FilterOnlineRequest { app, users, part, with_status } = request;
        let question = Online { inner: self, app, with_status };
        if part {
            return self.home.answer_part(app, users, &question).await;
        }
        let asked = users.clone();
        let replies = complete(self.home.share(app, users, &question).await)?;
        Ok(in_order(&asked, replies))
    }

    /// Status of those users who are online. Who cannot be asked counts as offline.
    pub(crate) async fn statuses(&self, app: u32, users: &[String]) -> v1::FilterOnlineReply {
        let question = Online { inner: self, app, with_status: true };
        let shared = self.home.share(app, users.to_vec(), &question).await;
        if !shared.left.is_empty() {
            tracing::warn!(users = shared.left.len(), "nobody knows whether users are online");
        }
        in_order(users, shared.replies)
    }

    pub(crate) async fn filter_room_members(
        &self,
        request: v1::FilterRoomMembersRequest,
    ) -> Result<Vec<String>, Status> {
        let v1::FilterRoomMembersRequest { app, group_id, users, part } = request;
        let question = Members { inner: self, app, group_id };
        if part {
            return self.home.answer_part(app, users, &question).await;
        }
        let asked = users.clone();
        let inside = complete(self.home.share(app, users, &question).await)?.concat();
        let inside: std::collections::HashSet<String> = inside.into_iter().collect();
        Ok(asked.into_iter().filter(|user| inside.contains(user)).collect())
    }

    /// Gateways whose sessions this node may not know yet get a delivery for all users.
    pub(crate) fn add_unsettled(&self, routes: &mut Routes, users: impl FnOnce() -> Vec<String>) {
        let unsettled = self.roll.unsettled();
        if unsettled.is_empty() {
            return;
        }
        let target = |user| v1::DeliveryTarget { user, inst_ids: Vec::new() };
        let everybody: Vec<_> = users().into_iter().map(target).collect();
        for post in unsettled {
            routes.gateways.insert(Arc::clone(&post.gateway), everybody.clone());
        }
    }

    /// Waits for gateways to tell of their sessions where somebody may be missing without them.
    async fn settled(&self) {
        let _ = timeout(SETTLING, self.roll.settled()).await;
    }
}

/// All replies, or the error of a call that has some only.
fn complete<T>(shared: Shared<T>) -> Result<Vec<T>, Status> {
    if shared.left.is_empty() {
        return Ok(shared.replies);
    }
    if shared.replies.is_empty() {
        return Err(elsewhere());
    }
    // Not "unavailable": what was done is not to be done again.
    Err(Status::deadline_exceeded(format!("{} users have no home that answers", shared.left.len())))
}

/// One answer, in the order of the question.
fn in_order(asked: &[String], replies: Vec<v1::FilterOnlineReply>) -> v1::FilterOnlineReply {
    let mut found = std::collections::HashMap::new();
    for reply in replies {
        let mut statuses = reply.statuses.into_iter();
        for user in reply.users {
            found.insert(user, statuses.next());
        }
    }
    let mut ordered = v1::FilterOnlineReply::default();
    for user in asked {
        if let Some((user, status)) = found.remove_entry(user) {
            ordered.users.push(user);
            ordered.statuses.extend(status);
        }
    }
    ordered
}

impl Share for Delivery<'_> {
    type Reply = u32;

    fn here(&self, users: Vec<String>) -> BoxFuture<'_, u32> {
        Box::pin(async move {
            let app = self.request.app;
            self.inner.roll.opened().await;
            let mut routes = Routes::default();
            for user in &users {
                self.inner.shards.look(app, user, |index| {
                    index.route_user(app, user, self.request.except_inst_id, &mut routes);
                });
            }
            let reached = routes.reached;
            self.inner.add_unsettled(&mut routes, || users);
            self.inner.carrier.deliver(&self.request, routes);
            reached
        })
    }

    fn there(
        &self,
        mut node: PresenceClient<Link>,
        users: Vec<String>,
    ) -> BoxFuture<'_, Result<u32, Status>> {
        let request = v1::DeliverRequest { users, part: true, ..self.request.clone() };
        Box::pin(async move { Ok(node.deliver(request).await?.into_inner().reached) })
    }
}

impl Share for Online<'_> {
    type Reply = v1::FilterOnlineReply;

    fn here(&self, users: Vec<String>) -> BoxFuture<'_, v1::FilterOnlineReply> {
        Box::pin(async move {
            let (app, shards) = (self.app, &self.inner.shards);
            let is_online =
                |user: &String| shards.look(app, user, |index| index.is_online(app, user));
            if !self.inner.roll.is_settled() && !users.iter().all(is_online) {
                self.inner.settled().await;
            }
            let mut reply = v1::FilterOnlineReply::default();
            for user in users {
                let Some((platforms, custom_status)) =
                    shards.look(app, &user, |index| index.status(app, &user))
                else {
                    continue;
                };
                reply.users.push(user);
                if self.with_status {
                    let custom_status = custom_status.to_string();
                    reply.statuses.push(v1::OnlineStatus { platforms, custom_status });
                }
            }
            reply
        })
    }

    fn there(
        &self,
        mut node: PresenceClient<Link>,
        users: Vec<String>,
    ) -> BoxFuture<'_, Result<v1::FilterOnlineReply, Status>> {
        let (app, with_status) = (self.app, self.with_status);
        let request = v1::FilterOnlineRequest { app, users, part: true, with_status };
        Box::pin(async move { Ok(node.filter_online(request).await?.into_inner()) })
    }
}

impl Members<'_> {
    /// After a restart the store alone may know: a client repeats its pending sends before it logs in
    /// again.
    async fn is_member(&self, user: &str) -> bool {
        let (app, group_id) = (self.app, &self.group_id);
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.user_in_room(now, app, user, group_id, out)
        };
        let (inside, effects) = self.inner.shards.decide(app, user, decision).await;
        self.inner.carry(effects).await;
        inside
    }

    async fn members(&self, users: Vec<String>) -> (Vec<String>, Vec<String>) {
        let judged = stream::iter(users)
            .map(|user| async move { (self.is_member(&user).await, user) })
            .buffered(LOADED_AT_ONCE);
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (is_member, user) in judged.collect::<Vec<_>>().await {
            if is_member { inside.push(user) } else { outside.push(user) }
        }
        (inside, outside)
    }
}

impl Share for Members<'_> {
    type Reply = Vec<String>;

    fn here(&self, users: Vec<String>) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async move {
            let (mut inside, outside) = self.members(users).await;
            if !self.inner.roll.is_settled() && !outside.is_empty() {
                self.inner.settled().await;
                inside.extend(self.members(outside).await.0);
            }
            inside
        })
    }

    fn there(
        &self,
        mut node: PresenceClient<Link>,
        users: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<String>, Status>> {
        let (app, group_id) = (self.app, self.group_id.clone());
        let request = v1::FilterRoomMembersRequest { app, group_id, users, part: true };
        Box::pin(async move { Ok(node.filter_room_members(request).await?.into_inner().users) })
    }
}
