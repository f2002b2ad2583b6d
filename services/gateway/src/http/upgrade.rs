//! The WebSocket handshake (RFC 6455, 4.2; SDK protocol notes 01, 1.1): who may connect, then the
//! switch from HTTP to frames.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Query, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use sha1_smol::Sha1;
use throng_node::drain::Drain;
use throng_protocol::ids::AppId;
use tokio::time::timeout;

use crate::connection::{self, Kind, Outbox, Stream};
use crate::context::Context;
use crate::session::{Peer, Session};

/// From RFC 6455, 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Between the answer and the first frame stands only this process.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an `instanceid` that are kept; real ones have 32.
const INSTANCE_BYTES: usize = 64;

/// What connections are made of.
#[derive(Debug, Clone)]
pub(super) struct Sockets {
    pub(super) context: Arc<Context>,
    pub(super) drain: Drain,
}

/// The URL's query; what else is in it does not matter.
#[derive(Debug, Deserialize)]
struct Parameters {
    sdkappid: u32,
    #[serde(default)]
    instanceid: String,
    #[serde(default)]
    platform: u32,
    /// `gzip` of clients that can inflate.
    #[serde(default)]
    compress: String,
}

/// Answers a request for a WebSocket.
pub(super) async fn upgrade(sockets: Sockets, kind: Kind, mut request: Request) -> Response<Body> {
    let accept = match accept_key(request.headers()) {
        Ok(accept) => accept,
        Err((status, text)) => return refuse(status, text),
    };
    let Ok(Query(parameters)) = Query::<Parameters>::try_from_uri(request.uri()) else {
        return refuse(StatusCode::BAD_REQUEST, "sdkappid: missing or not a number");
    };
    if sockets.drain.is_draining() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "going away");
    }
    let Sockets { context, drain } = sockets;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let ip = context.config.rest.trusted_proxies.client_ip(peer, request.headers());
    let kind = match kind {
        Kind::Binary if parameters.compress == "gzip" => Kind::Compressed,
        kind => kind,
    };
    let outbox = Outbox::new(context.writers.choose(), kind, context.config.outbox_bytes);
    let place = match context.admission.admit(ip, outbox.clone()) {
        Ok(place) => place,
        Err(refused) => {
            context.metrics.refused(refused.0);
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many connections");
        }
    };
    let peer = Peer {
        app: AppId(parameters.sdkappid),
        platform: parameters.platform,
        instance: parameters.instanceid.chars().take(INSTANCE_BYTES).collect(),
        ip: ip.to_string(),
    };
    let session = Arc::new(Session::new(context, peer, outbox, place));
    let switched = hyper::upgrade::on(&mut request);
    let tasks = drain.clone();
    drain.spawn(async move {
        let Ok(Ok(upgraded)) = timeout(SWITCH_TIMEOUT, switched).await else {
            return;
        };
        match Stream::from_http(upgraded) {
            // In a task of its own, without what the handshake took.
            Some((stream, early)) => {
                tasks.spawn(connection::serve(stream, early, session));
            }
            None => tracing::error!("a connection is of an unknown kind"),
        }
    });
    switching(&accept)
}

/// What a client proves the server's understanding with, if its request is a handshake.
fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, (StatusCode, &'static str)> {
    let has = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word)))
    };
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        return Err((StatusCode::UPGRADE_REQUIRED, "this is for WebSocket connections"));
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err((StatusCode::UPGRADE_REQUIRED, "only version 13 is spoken"));
    }
    let bad_key = (StatusCode::BAD_REQUEST, "Sec-WebSocket-Key: missing or not valid");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(bad_key)?.as_bytes();
    if STANDARD.decode(key).ok().is_none_or(|nonce| nonce.len() != 16) {
        return Err(bad_key);
    }
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let accept = STANDARD.encode(hash.digest().bytes());
    HeaderValue::from_str(&accept).map_err(|_| bad_key)
}

fn switching(accept: &HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.clone());
    response
}

fn refuse(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    match status {
        StatusCode::UPGRADE_REQUIRED => {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(changes: &[(header::HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let given = [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "WebSocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for (name, value) in given.iter().chain(changes) {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(accept_key(&handshake(&[])).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn anything_else_is_no_handshake() {
        let status = |change| accept_key(&handshake(&[change])).unwrap_err().0;
        let required = StatusCode::UPGRADE_REQUIRED;
        assert_eq!(status((header::CONNECTION, "close")), required);
        assert_eq!(status((header::UPGRADE, "h2c")), required);
        assert_eq!(status((header::SEC_WEBSOCKET_VERSION, "8")), required);
        assert_eq!(status((header::SEC_WEBSOCKET_KEY, "c2hvcnQ=")), StatusCode::BAD_REQUEST);
    }
}
