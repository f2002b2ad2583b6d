//! The way from a command to the service that owns it: one envelope over gRPC, within the time that
//! the caller gave. Sockets and REST both go through here.

mod route;
mod scatter;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use throng_node::apps::Apps;
use throng_node::cluster::PlacementView;
use throng_node::command;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::history_client::HistoryClient;
use throng_proto::v1::presence_client::PresenceClient;
use throng_protocol::catalogue::{Command, Owner, RoutingKey, Support};
use throng_protocol::error::{Code, CommandError};
use tokio::time::{Instant, timeout_at};

use scatter::{gather, scatter};

/// Time for one round of calls to the owners of several groups, before they are looked up again.
const SCATTER_TIME: Duration = Duration::from_secs(1);

/// Where the other services are.
#[derive(Debug, Clone)]
pub struct Links {
    /// Owns groups.
    pub group_router: Link,
    /// Keeps messages.
    pub history: Link,
    /// Knows sessions.
    pub presence: Link,
    /// Knows apps and accounts.
    pub directory: Link,
}

/// Forwards commands. Clones share everything.
#[derive(Debug, Clone)]
pub struct Forwarder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    group_router: GroupRouterClient<Link>,
    history: HistoryClient<Link>,
    presence: PresenceClient<Link>,
    directory: DirectoryClient<Link>,
    apps: Apps,
    secret: Secret,
    placement: Option<PlacementView>,
}

impl Forwarder {
    /// Over links that may be connected later; calls before that are refused. `placement` is there
    /// in a cluster.
    #[must_use]
    pub fn new(links: Links, apps: Apps, secret: Secret, placement: Option<PlacementView>) -> Self {
        Self {
            inner: Arc::new(Inner {
                group_router: GroupRouterClient::new(links.group_router),
                history: HistoryClient::new(links.history),
                presence: PresenceClient::new(links.presence),
                directory: DirectoryClient::new(links.directory),
                apps,
                secret,
                placement,
            }),
        }
    }

    /// Settings of apps, cached.
    #[must_use]
    pub fn apps(&self) -> &Apps {
        &self.inner.apps
    }

    /// The cluster's keys.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.inner.secret
    }

    /// Who owns what, in a cluster.
    #[must_use]
    pub fn placement(&self) -> Option<&PlacementView> {
        self.inner.placement.as_ref()
    }

    /// A client of the groups' owners.
    #[must_use]
    pub fn group_router(&self) -> GroupRouterClient<Link> {
        self.inner.group_router.clone()
    }

    /// A client of presence.
    #[must_use]
    pub fn presence(&self) -> PresenceClient<Link> {
        self.inner.presence.clone()
    }

    /// A client of the directory.
    #[must_use]
    pub fn directory(&self) -> DirectoryClient<Link> {
        self.inner.directory.clone()
    }

    /// Has a command executed by its owner and returns the owner's answer, or one that says why
    /// there is none: it always comes within `request.deadline_ms`.
    ///
    /// An owner that cannot answer is tried again until the deadline where that does no harm.
    pub async fn execute(
        &self,
        request: v1::CommandRequest,
        command: &'static Command,
    ) -> v1::CommandReply {
        match self.try_execute(request, command).await {
            Ok(reply) => reply,
            Err(error) => command::reply(Err(error)),
        }
    }

    async fn try_execute(
        &self,
        request: v1::CommandRequest,
        command: &'static Command,
    ) -> Result<v1::CommandReply, CommandError> {
        if matches!(command.state, Support::NotYet) {
            return Err(command.not_yet());
        }
        let deadline = Instant::now() + Duration::from_millis(request.deadline_ms.into());
        if command.key == RoutingKey::FirstOfGroupIdList
            && let Some(view) = &self.inner.placement
        {
            return self.execute_for_each_owner(view, request, command, deadline).await;
        }
        self.call(request, command, deadline).await.map_err(|failed| failed.into_error(command))
    }

    /// Owners may change between the split and the answers: then it is split anew.
    async fn execute_for_each_owner(
        &self,
        view: &PlacementView,
        request: v1::CommandRequest,
        command: &'static Command,
        deadline: Instant,
    ) -> Result<v1::CommandReply, CommandError> {
        loop {
            let round = deadline.min(Instant::now() + SCATTER_TIME);
            let failed = match scatter(view, &request) {
                None => match self.call(request.clone(), command, round).await {
                    Ok(reply) => return Ok(reply),
                    Err(failed) => failed,
                },
                Some(scattered) => {
                    let calls = scattered.requests.iter();
                    let calls = calls.map(|part| self.call(part.clone(), command, round));
                    match try_join_all(calls).await {
                        Ok(replies) => return Ok(gather(&scattered, &replies)),
                        Err(failed) => failed,
                    }
                }
            };
            if round == deadline || !failed.may_pass() {
                return Err(failed.into_error(command));
            }
        }
    }

    /// One call to the node that the command's route names. The transport finds that node and tries
    /// again while it cannot answer.
    async fn call(
        &self,
        mut request: v1::CommandRequest,
        command: &'static Command,
        deadline: Instant,
    ) -> Result<v1::CommandReply, Failed> {
        let route = route::route(command, &request).map_err(Failed::Refused)?;
        let left = deadline.saturating_duration_since(Instant::now());
        request.deadline_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        let mut request = route.request(request);
        request.set_timeout(left);
        let answer = async {
            match command.owner {
                Owner::GroupRouter => self.group_router().execute(request).await,
                Owner::History => self.inner.history.clone().execute(request).await,
                Owner::Presence => self.presence().execute(request).await,
                Owner::Directory => self.directory().execute(request).await,
                Owner::Gateway => {
                    Err(tonic::Status::unimplemented("only on a client's connection"))
                }
            }
        };
        match timeout_at(deadline, answer).await {
            Ok(Ok(reply)) => Ok(reply.into_inner()),
            Ok(Err(status)) => Err(Failed::Status(status)),
            Err(_) => Err(Failed::Late),
        }
    }
}

/// Why a call has no answer.
enum Failed {
    /// The request cannot be routed.
    Refused(CommandError),
    Status(tonic::Status),
    Late,
}

impl Failed {
    /// Whether the same call may succeed a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Late => true,
            Self::Status(status) => {
                matches!(status.code(), tonic::Code::Unavailable | tonic::Code::DeadlineExceeded)
            }
        }
    }

    fn into_error(self, command: &Command) -> CommandError {
        match self {
            Self::Refused(error) => error,
            Self::Status(status) => refused(command, &status),
            Self::Late => timed_out(command),
        }
    }
}

fn timed_out(command: &Command) -> CommandError {
    Code::TIMEOUT.with(format!("{} was not answered in time", command.name))
}

/// What the caller is told of a gRPC status. Details are for the log: they may hold addresses.
fn refused(command: &Command, status: &tonic::Status) -> CommandError {
    tracing::warn!(command = command.name, code = ?status.code(), text = status.message(), "call failed");
    match status.code() {
        tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => timed_out(command),
        tonic::Code::Unimplemented => {
            Code::UNKNOWN_COMMAND.with(format!("{} cannot be called here", command.name))
        }
        _ => command.family.internal().with(format!("{} failed: try again", command.name)),
    }
}
