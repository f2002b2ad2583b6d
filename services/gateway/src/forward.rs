//! The way from a command to the service that owns it: one envelope over gRPC, within the time that
//! the caller gave. Sockets and REST both go through here.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use throng_node::apps::Apps;
use throng_node::command;
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::directory_client::DirectoryClient;
use throng_proto::v1::group_router_client::GroupRouterClient;
use throng_proto::v1::history_client::HistoryClient;
use throng_proto::v1::presence_client::PresenceClient;
use throng_protocol::catalogue::{self, Command, Owner, Support};
use throng_protocol::error::{Code, CommandError};
use tokio::time::{Instant, timeout_at};

/// First pause before a call is tried again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

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
}

impl Forwarder {
    /// Over links that may be connected later; calls before that wait for their deadline.
    #[must_use]
    pub fn new(links: Links, apps: Apps, secret: Secret) -> Self {
        Self {
            inner: Arc::new(Inner {
                group_router: GroupRouterClient::new(links.group_router),
                history: HistoryClient::new(links.history),
                presence: PresenceClient::new(links.presence),
                directory: DirectoryClient::new(links.directory),
                apps,
                secret,
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
    /// An owner that is not reachable is tried again until the deadline. That is safe: an owner
    /// answers a message that it took already with the first answer.
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
        mut request: v1::CommandRequest,
        command: &'static Command,
    ) -> Result<v1::CommandReply, CommandError> {
        if matches!(command.state, Support::NotYet) {
            return Err(command.not_yet());
        }
        // There is one owner today; a request that names no group has none in any case.
        catalogue::routing_group(command.key, &request.body)?;
        let deadline = Instant::now() + Duration::from_millis(request.deadline_ms.into());
        let mut pause = FIRST_PAUSE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            request.deadline_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
            let call = self.call(request.clone(), command.owner, left);
            let status = match timeout_at(deadline, call).await {
                Err(_) => return Err(timed_out(command)),
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(status)) => status,
            };
            if status.code() != tonic::Code::Unavailable {
                return Err(refused(command, &status));
            }
            // Everybody who waits for the same owner would come back at the same moment.
            let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.5));
            if Instant::now() + jittered >= deadline {
                return Err(refused(command, &status));
            }
            tokio::time::sleep(jittered).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn call(
        &self,
        request: v1::CommandRequest,
        owner: Owner,
        left: Duration,
    ) -> Result<v1::CommandReply, tonic::Status> {
        let mut request = tonic::Request::new(request);
        request.set_timeout(left);
        let reply = match owner {
            Owner::GroupRouter => self.group_router().execute(request).await,
            Owner::History => self.inner.history.clone().execute(request).await,
            Owner::Presence => self.presence().execute(request).await,
            Owner::Directory => self.directory().execute(request).await,
            Owner::Gateway => {
                return Err(tonic::Status::unimplemented("only on a client's connection"));
            }
        };
        reply.map(tonic::Response::into_inner)
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
