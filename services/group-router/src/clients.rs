//! The services that the group router calls, and what it remembers of their answers for moments.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use moka::Equivalent;
use moka::future::Cache;
use parking_lot::Mutex;
use prost::Message;
use throng_bus::{Bus, Delivery, subjects};
use throng_node::apps::Apps;
use throng_node::secret::Secret;
use throng_proto::v1;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::history_client::HistoryClient;
use throng_proto::v1::presence_client::PresenceClient;
use throng_proto::{Link, Route};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::{AppId, tiny_id};
use throng_protocol::limits;
use throng_store::Store;

use crate::Deps;
use crate::searches::Searches;
use crate::wire::MemberInfo;

/// Senders whose nickname and avatar are kept at hand.
const BRIEFS: u64 = 200_000;
/// Users in one question who is online.
const ASKED_AT_ONCE: usize = 2000;
/// Large groups of which it is known how many members are online, and for how long.
const ONLINE: u64 = 10_000;
const ONLINE_AGE: Duration = Duration::from_secs(limits::ONLINE_NUMBER_SECONDS);
/// How old they may be where the news of a change got lost.
const BRIEF_AGE: Duration = Duration::from_secs(60);

/// Looks up a brief without a copy of the user's ID. Hashes as the key of the cache does.
#[derive(Hash)]
struct BriefKey<'a>(AppId, &'a str);

impl Equivalent<(AppId, String)> for BriefKey<'_> {
    fn equivalent(&self, key: &(AppId, String)) -> bool {
        (self.0, self.1) == (key.0, key.1.as_str())
    }
}

/// Everything outside this service that a group needs. Clones share it.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) history: HistoryClient<Link>,
    pub(crate) presence: PresenceClient<Link>,
    pub(crate) directory: DirectoryClient<Link>,
    /// Owners of groups that are not this node's.
    pub(crate) groups: GroupRouterClient<Link>,
    pub(crate) apps: Apps,
    pub(crate) secret: Secret,
    pub(crate) searches: Searches,
    /// How many members of large groups were online a moment ago.
    online: Cache<(AppId, String), u32>,
    briefs: Cache<(AppId, String), Arc<MemberInfo>>,
    watched: Arc<Mutex<HashSet<AppId>>>,
}

impl Clients {
    pub(crate) fn new(deps: Deps) -> Self {
        Self {
            store: deps.store,
            bus: deps.bus,
            history: HistoryClient::new(deps.history),
            presence: PresenceClient::new(deps.presence),
            directory: DirectoryClient::new(deps.directory),
            groups: GroupRouterClient::new(deps.group_router),
            apps: deps.apps,
            secret: deps.secret,
            searches: Searches::new(),
            online: Cache::builder().max_capacity(ONLINE).time_to_live(ONLINE_AGE).build(),
            briefs: Cache::builder().max_capacity(BRIEFS).time_to_live(BRIEF_AGE).build(),
            watched: Arc::default(),
        }
    }

    /// The number of a user.
    pub(crate) fn tiny_id(&self, app: AppId, user: &str) -> u64 {
        tiny_id(self.secret.tiny_key(), app, user)
    }

    /// Nickname and avatar of a user; 10019 when there is no such account.
    pub(crate) async fn brief(
        &self,
        app: AppId,
        user: &str,
    ) -> Result<Arc<MemberInfo>, CommandError> {
        if let Some(brief) = self.briefs.get(&BriefKey(app, user)).await {
            return Ok(brief);
        }
        self.watch_profiles(app).await;
        let mut found = self.fetch_briefs(app, vec![user.to_owned()]).await?;
        let Some(brief) = found.pop() else {
            return Err(Code::GROUP_UNKNOWN_ACCOUNT.with(format!("no account {user}")));
        };
        let brief = Arc::new(brief);
        self.briefs.insert((app, user.to_owned()), Arc::clone(&brief)).await;
        Ok(brief)
    }

    /// How many of a large group's members are online. They are listed, and presence is asked, once a
    /// minute, however many want to know.
    pub(crate) async fn online_of_large(
        &self,
        app: AppId,
        group_id: &str,
        members: impl Future<Output = Result<Arc<[String]>, CommandError>>,
    ) -> Result<u32, CommandError> {
        let count = async { self.count_online(app, &members.await?).await };
        let count = async { count.await.map_err(Arc::new) };
        let counted = self.online.try_get_with((app, group_id.to_owned()), count).await;
        counted.map_err(|error| CommandError::clone(&error))
    }

    /// How many of some users are online.
    pub(crate) async fn count_online(
        &self,
        app: AppId,
        members: &[String],
    ) -> Result<u32, CommandError> {
        let mut online = 0;
        for users in members.chunks(ASKED_AT_ONCE) {
            let request = v1::FilterOnlineRequest {
                app: app.0,
                users: users.to_vec(),
                ..v1::FilterOnlineRequest::default()
            };
            let mut presence = self.presence.clone();
            let reply = presence.filter_online(within(CALL_TIME, request)).await;
            online += reply.map_err(unavailable)?.into_inner().users.len();
        }
        Ok(u32::try_from(online).unwrap_or(u32::MAX))
    }

    /// Nicknames and avatars of those users that exist, in the order asked for.
    pub(crate) async fn fetch_briefs(
        &self,
        app: AppId,
        users: Vec<String>,
    ) -> Result<Vec<MemberInfo>, CommandError> {
        let request = v1::GetBriefsRequest { app: app.0, users };
        let mut directory = self.directory.clone();
        let reply = directory.get_briefs(within(CALL_TIME, request)).await.map_err(unavailable)?;
        let member = |brief: v1::UserBrief| MemberInfo {
            user: brief.user,
            nick: brief.nick,
            avatar: brief.avatar,
        };
        Ok(reply.into_inner().briefs.into_iter().map(member).collect())
    }

    /// Drops briefs when their owners change them, from the first use of an app on.
    async fn watch_profiles(&self, app: AppId) {
        if !self.watched.lock().insert(app) {
            return;
        }
        let Ok(mut changes) = self.bus.subscribe(&subjects::profiles(app)).await else {
            self.watched.lock().remove(&app);
            return;
        };
        let (briefs, watched) = (self.briefs.clone(), Arc::clone(&self.watched));
        tokio::spawn(async move {
            while let Some(delivery) = changes.recv().await {
                match delivery {
                    Delivery::Message(payload) => {
                        if let Ok(change) = v1::ProfileChanged::decode(payload) {
                            briefs.invalidate(&(app, change.user)).await;
                        }
                    }
                    Delivery::Lagged(_) => briefs.invalidate_all(),
                }
            }
            watched.lock().remove(&app);
        });
    }
}

/// Time for one question to another service: several tries of the link, and less than a client waits
/// for its answer.
pub(crate) const CALL_TIME: Duration = Duration::from_secs(5);

/// A request to any node of a service that has to be answered within some time.
pub(crate) fn within<T>(time: Duration, message: T) -> tonic::Request<T> {
    routed(Route::ANY, time, message)
}

/// A request to one node of a service that has to be answered within some time.
pub(crate) fn routed<T>(route: Route, time: Duration, message: T) -> tonic::Request<T> {
    let mut request = route.request(message);
    request.set_timeout(time);
    request
}

/// The error of a service that does not answer.
#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
pub(crate) fn unavailable(status: tonic::Status) -> CommandError {
    tracing::warn!(code = ?status.code(), text = status.message(), "a service did not answer");
    Code::GROUP_INTERNAL.with("a service did not answer, try again")
}
