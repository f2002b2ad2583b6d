//! One request through all gates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response};
use axum::routing::any;
use bytes::Bytes;
use throng_node::command;
use throng_proto::v1;
use throng_protocol::catalogue::{self, Callers, Command};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids;
use tokio::time::{Instant, timeout_at};

use super::parameters::Parameters;
use super::rates::Rates;
use super::signatures::{Claim, Signatures};
use super::{RestConfig, TrustedProxies, answer, body};
use crate::forward::Forwarder;
use crate::metrics::code_label;

/// Bytes of a `traceparent` header.
const TRACE_BYTES: usize = 55;

/// The routes below `/v4`. The peer's address is taken from the request's [`ConnectInfo`].
pub(crate) fn router(config: &RestConfig, forwarder: Forwarder) -> Router {
    let door = Door {
        rates: Rates::new(config.requests_per_second),
        signatures: Signatures::new(forwarder.directory(), config.failures_per_minute),
        proxies: config.trusted_proxies.clone(),
        deadline: Duration::from_millis(config.deadline_ms.into()),
        forwarder,
    };
    Router::new().route("/v4/{*path}", any(handle)).with_state(Arc::new(door))
}

#[derive(Debug)]
struct Door {
    rates: Rates,
    signatures: Signatures,
    proxies: TrustedProxies,
    deadline: Duration,
    forwarder: Forwarder,
}

async fn handle(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    let started = Instant::now();
    let (reply, label) = door.serve(request, started + door.deadline).await;
    let code = code_label(reply.code);
    metrics::counter!("throng_gateway_rest_requests_total", "command" => label, "code" => code)
        .increment(1);
    metrics::histogram!("throng_gateway_rest_request_seconds", "command" => label)
        .record(started.elapsed().as_secs_f64());
    answer::json(reply.body)
}

/// A request that passed the gates before its body.
struct Admitted {
    request: v1::CommandRequest,
    command: Option<&'static Command>,
}

impl Door {
    /// The reply, and the command's name for the metrics.
    async fn serve(&self, request: Request, deadline: Instant) -> (v1::CommandReply, &'static str) {
        let (head, body) = request.into_parts();
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let from = self.proxies.client_ip(peer, &head.headers);
        let caller = Caller { method: &head.method, headers: &head.headers, from };
        let admitted = timeout_at(deadline, self.admit(&head.uri, caller)).await;
        match admitted.unwrap_or_else(|_| Err(too_slow())) {
            Ok(admitted) => {
                let label = admitted.command.map_or("unknown", |command| command.name);
                let served = timeout_at(deadline, self.execute(admitted, body, deadline)).await;
                let served = served.unwrap_or_else(|_| Err(too_slow()));
                (served.unwrap_or_else(|error| command::reply(Err(error))), label)
            }
            Err(error) => {
                // The refusal does not depend on whether the body comes.
                let _ = timeout_at(deadline, body::discard(body)).await;
                (command::reply(Err(error)), "refused")
            }
        }
    }

    /// The gates before the body: URL, signature, administrator, rates.
    ///
    /// Only administrators draw on the app's rates: nobody else can use them up.
    async fn admit(&self, uri: &http::Uri, caller: Caller<'_>) -> Result<Admitted, CommandError> {
        if caller.method != Method::POST {
            return Err(Code::BAD_URL.with("only POST is answered"));
        }
        let parameters = Parameters::parse(uri)?;
        let Parameters { service, command: name, app, ref identifier, ref usersig } = parameters;
        let settings = self.forwarder.apps().get(app).await?;
        let claim = Claim { app, identifier, usersig, from: caller.from };
        self.signatures.check(claim, &settings).await?;
        let command = catalogue::lookup(service, name);
        self.rates.take(app, command)?;

        let tiny_id = ids::tiny_id(self.forwarder.secret().tiny_key(), app, identifier);
        let request = v1::CommandRequest {
            app: app.0,
            caller: Some(v1::Caller { user: identifier.clone(), tiny_id, admin: true }),
            origin: Some(v1::Origin {
                kind: v1::origin::Kind::Rest.into(),
                ip: caller.from.to_string(),
                ..v1::Origin::default()
            }),
            command: format!("{service}.{name}"),
            body: Bytes::new(),
            deadline_ms: 0,
            trace: caller.trace(),
            order: None,
        };
        Ok(Admitted { request, command })
    }

    /// The body's gate and the catalogue's; then the owner answers.
    async fn execute(
        &self,
        admitted: Admitted,
        body: Body,
        deadline: Instant,
    ) -> Result<v1::CommandReply, CommandError> {
        let Admitted { mut request, command } = admitted;
        let bad_json = command.map_or(Code::BODY_NOT_JSON, |command| command.family.bad_json());
        let body = body::read(body).await?;
        body::check(&body, bad_json)?;
        let (service, name) = request.command.split_once('.').unwrap_or_default();
        let command = command.ok_or_else(|| catalogue::unknown(service, name))?;
        if !command.callers.contains(Callers::REST) {
            let info = format!("{}: cannot be called over REST", command.name);
            return Err(Code::UNKNOWN_COMMAND.with(info));
        }
        request.body = body;
        let left = deadline.saturating_duration_since(Instant::now());
        request.deadline_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        Ok(self.forwarder.execute(request, command).await)
    }
}

/// What HTTP says of the caller.
#[derive(Clone, Copy)]
struct Caller<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    from: std::net::IpAddr,
}

impl Caller<'_> {
    /// The trace that the caller's request belongs to, or nothing.
    fn trace(&self) -> String {
        let trace = self.headers.get("traceparent").and_then(|value| value.to_str().ok());
        trace.filter(|trace| trace.len() == TRACE_BYTES).unwrap_or_default().to_owned()
    }
}

fn too_slow() -> CommandError {
    Code::TIMEOUT.with("the request was not answered in time")
}
