//! What carries calls between processes: a service below the generated clients that finds the node
//! for each call, and makes the call again at the then right node when that one is gone, is not the
//! right one any more, or did not begin, until the call's deadline.

use std::error::Error as _;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use rand::RngExt;
use throng_proto::{LinkError, Route, Target};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Service, ServiceExt as _};

use super::channels::Channels;
use super::choice::{Alike, Choice};
use super::discovery::Discovery;
use super::not_begun::NOT_BEGUN;
use super::view::PlacementView;

/// Time for a call that names none.
const DEFAULT_TIME: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
const GRPC_TIMEOUT: &str = "grpc-timeout";
const GRPC_STATUS: &str = "grpc-status";

/// Carries unary calls to one service of the cluster. Clones share it.
#[derive(Debug, Clone)]
pub struct Transport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    service: &'static str,
    choice: Choice,
    channels: Channels,
}

impl Transport {
    /// To a service whose nodes are all alike.
    #[must_use]
    pub fn alike(service: &'static str, nodes: Discovery, channels: Channels) -> Self {
        Self::new(service, Choice::Alike(Alike::new(nodes)), channels)
    }

    /// To group routers: a [`Target::Hash`] is that of a group.
    #[must_use]
    pub fn owners(view: PlacementView, channels: Channels) -> Self {
        Self::new("group-router", Choice::Owners(view, Arc::default()), channels)
    }

    /// To presence: a [`Target::Hash`] is that of a user.
    #[must_use]
    pub fn homes(view: PlacementView, channels: Channels) -> Self {
        Self::new("presence", Choice::Homes(view, Arc::default()), channels)
    }

    fn new(service: &'static str, choice: Choice, channels: Channels) -> Self {
        Self { inner: Arc::new(Inner { service, choice, channels }) }
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = LinkError;
    type Future = BoxFuture<'static, Result<Response<Body>, LinkError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.carry(request).await.map_err(LinkError::from) })
    }
}

/// What came of one attempt.
enum Attempt {
    /// For the caller, success or not.
    Answered(Response<Body>),
    /// It has to be made again, if it may be.
    Failed { status: Status, begun: bool },
    /// It can be answered no more; whether it was begun is unknown.
    Moved,
}

impl Inner {
    async fn carry(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (mut parts, body) = request.into_parts();
        let route = parts.extensions.remove::<Route>().unwrap_or(Route::ANY);
        let time = parts.headers.get(GRPC_TIMEOUT).and_then(parse_timeout).unwrap_or(DEFAULT_TIME);
        let deadline = Instant::now() + time;
        let body = body.collect().await?.to_bytes();
        let call = Call { parts, body, route, deadline };
        let mut changes = self.choice.changes();
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(changes) = &mut changes {
                changes.borrow_and_update();
            }
            let (status, begun) = match self.attempt(&call, &mut changes).await {
                Attempt::Answered(response) => return Ok(response),
                Attempt::Failed { status, begun } => (status, begun),
                Attempt::Moved => (Status::unavailable("its node was given up"), true),
            };
            let late = Instant::now() + pause >= deadline;
            if late || (begun && !route.repeatable) {
                return Err(status);
            }
            metrics::counter!("throng_rpc_repeats_total", "role" => self.service).increment(1);
            // Everybody who waits for the same node would come back at the same moment.
            let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.5));
            tokio::select! {
                () = sleep(jittered) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = changed(&mut changes) => pause = FIRST_PAUSE,
            }
        }
    }

    async fn attempt(&self, call: &Call, changes: &mut Option<watch::Receiver<u64>>) -> Attempt {
        let Some(address) = self.choice.pick(call.route.target) else {
            let status = Status::unavailable(format!("no {} node is known", self.service));
            return Attempt::Failed { status, begun: false };
        };
        let channel = match self.channels.get(&address) {
            Ok(channel) => channel,
            Err(error) => {
                let status = Status::unavailable(error.to_string());
                return Attempt::Failed { status, begun: false };
            }
        };
        let answer = timeout_at(call.deadline, channel.oneshot(call.request()));
        let answer = tokio::select! {
            answer = answer => answer,
            () = self.moves(call, &address, changes) => return Attempt::Moved,
        };
        match answer {
            Err(_) => Attempt::Answered(late()),
            Ok(Ok(response)) => judge(response),
            // The channel keeps the time too, and may be the first to say so.
            Ok(Err(_)) if call.deadline <= Instant::now() + Duration::from_millis(2) => {
                Attempt::Answered(late())
            }
            Ok(Err(error)) => {
                self.choice.failed(&address);
                let begun = !is_refused(&error);
                let status = Status::unavailable(format!("{}: {error}", self.service));
                Attempt::Failed { status, begun }
            }
        }
    }

    /// Resolves when the call belongs somewhere else by now: a node that stands still does not say so.
    async fn moves(
        &self,
        call: &Call,
        address: &Arc<str>,
        changes: &mut Option<watch::Receiver<u64>>,
    ) {
        if !call.route.repeatable || call.route.target == Target::Any {
            return std::future::pending().await;
        }
        loop {
            changed(changes).await;
            let now = self.choice.pick(call.route.target);
            if now.is_some_and(|now| now != *address) {
                return;
            }
        }
    }
}

async fn changed(changes: &mut Option<watch::Receiver<u64>>) {
    if let Some(changes) = changes
        && changes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// A call, to be made as often as needed.
struct Call {
    parts: http::request::Parts,
    body: Bytes,
    route: Route,
    deadline: Instant,
}

impl Call {
    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::new(Full::new(self.body.clone())));
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = self.parts.uri.clone();
        *request.version_mut() = self.parts.version;
        *request.headers_mut() = self.parts.headers.clone();
        let left = self.deadline.saturating_duration_since(Instant::now()).as_millis();
        let left = HeaderValue::from_str(&format!("{}m", left.min(99_999_999)));
        if let Ok(left) = left {
            request.headers_mut().insert(GRPC_TIMEOUT, left);
        }
        request
    }
}

fn late() -> Response<Body> {
    Status::deadline_exceeded("no answer in time").into_http()
}

/// A server says that it cannot answer now in the head of its response.
fn judge(response: Response<Body>) -> Attempt {
    let unavailable = i32::from(Code::Unavailable);
    let status = response.headers().get(GRPC_STATUS).and_then(|status| status.to_str().ok());
    if status.and_then(|status| status.parse().ok()) != Some(unavailable) {
        return Attempt::Answered(response);
    }
    let begun = !response.headers().contains_key(NOT_BEGUN);
    let status = Status::from_header_map(response.headers())
        .unwrap_or_else(|| Status::unavailable("not available"));
    Attempt::Failed { status, begun }
}

/// Nobody listened: nothing was begun.
fn is_refused(error: &tonic::transport::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() == std::io::ErrorKind::ConnectionRefused;
        }
        source = error.source();
    }
    false
}

/// The value of a `grpc-timeout` header: up to eight digits and a unit.
fn parse_timeout(value: &HeaderValue) -> Option<Duration> {
    let (digits, unit) = value.to_str().ok()?.split_at_checked(value.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}
