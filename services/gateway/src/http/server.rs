//! Accepts connections and serves HTTP on them until one becomes a WebSocket.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use throng_node::drain::Drain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use super::handshakes::{Handshake, Handshakes, Room};
use super::pace::Pace;
use crate::addresses::Addresses;
use crate::config::Config;
use crate::context::Context;

/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 * 1024;
/// How long a request that is being served when the process ends may take, its answer included.
const LAST_REQUEST: Duration = Duration::from_secs(10);
/// Pause when the system has no more sockets.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(50);

/// Accepts until the process begins to drain.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    context: Arc<Context>,
    drain: Drain,
) {
    let config = &context.config;
    let door = Door {
        pace: Pace::new(config.accepts_per_second),
        handshakes: Handshakes::new(config.max_handshakes),
        places: Arc::new(Semaphore::new(config.max_connections)),
        addresses: Arc::new(Addresses::new(config.max_connections_per_address)),
        router,
        tls,
        context: Arc::clone(&context),
        drain: drain.clone(),
    };
    tokio::select! {
        biased;
        () = drain.draining() => {}
        () = door.take_in(&listener) => {}
    }
}

/// The way in.
struct Door {
    pace: Pace,
    handshakes: Arc<Handshakes>,
    /// For HTTP.
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    router: Router,
    tls: Option<TlsAcceptor>,
    context: Arc<Context>,
    drain: Drain,
}

impl Door {
    /// Takes in one after the other, never to return. While one waits for its turn those behind it
    /// stay in the system's queue, connected and unaware of it: a client that is refused dials again
    /// after seconds or a minute, one that waits is served as soon as there is room.
    async fn take_in(&self, listener: &TcpListener) {
        let metrics = &self.context.metrics;
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(OUT_OF_SOCKETS).await;
                    continue;
                }
            };
            if self.pace.turn().await {
                metrics.accepts_paced.increment(1);
            }
            if self.handshakes.room().await == Room::TakenFromAnother {
                metrics.refused("handshakes");
            }
            self.let_in(stream, peer);
        }
    }

    /// Serves a connection, unless it is one too many.
    fn let_in(&self, stream: TcpStream, peer: SocketAddr) {
        let Self { context, drain, .. } = self;
        let config = &context.config;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return context.metrics.refused("http");
        };
        // What comes through a proxy comes from many.
        let ip = peer.ip().to_canonical();
        let address = if config.rest.trusted_proxies.trusts(ip) {
            None
        } else if let Some(address) = self.addresses.take(ip) {
            Some(address)
        } else {
            return context.metrics.refused("http_address");
        };
        prepare(&stream, config);
        let handshake = self.handshakes.begin();
        let number = handshake.number();
        let http = Http {
            peer,
            router: self.router.clone(),
            time: config.handshake_timeout,
            handshake,
            drain: drain.clone(),
        };
        let held = (place, address);
        let task = match self.tls.clone() {
            None => drain.spawn(async move {
                http.serve(stream).await;
                drop(held);
            }),
            Some(tls) => {
                let failed = context.metrics.tls_failed.clone();
                drain.spawn(async move {
                    let accepted = tokio::select! {
                        accepted = timeout(http.time, tls.accept(stream)) => accepted,
                        () = http.drain.draining() => return,
                    };
                    match accepted {
                        Ok(Ok(stream)) => http.serve(stream).await,
                        Ok(Err(_)) | Err(_) => failed.increment(1),
                    }
                    drop(held);
                })
            }
        };
        self.handshakes.served_by(number, task.abort_handle());
    }
}

/// Sets what the system does for a socket, through its life as a WebSocket too.
fn prepare(stream: &TcpStream, config: &Config) {
    // Frames are flushed when they should leave.
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    // What one that takes nothing costs is bounded.
    let _ = socket.set_send_buffer_size(config.socket_send_bytes);
    // Otherwise one who asks and never reads keeps the answer's connection for ever.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(config.stall_timeout));
}

/// A connection on which requests come.
struct Http {
    peer: SocketAddr,
    router: Router,
    /// For the head of a request.
    time: Duration,
    handshake: Handshake,
    drain: Drain,
}

impl Http {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { peer, router, time, handshake, drain } = self;
        let handshake = Cell::new(Some(handshake));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            // From now on it is a request that is being worked on.
            drop(handshake.take());
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(time)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = drain.draining() => {
                connection.as_mut().graceful_shutdown();
                match timeout(LAST_REQUEST, connection).await {
                    Ok(result) => result,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "an HTTP connection broke");
        }
    }
}
