//! The port for clients: WebSocket connections, the REST front door and the demo page, over HTTP/1.1.

mod drain;
mod handshakes;
mod pace;
mod server;
mod tls;
mod upgrade;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use throng_node::drain::Drain;

pub(crate) use drain::close_connections;
pub(crate) use server::serve;
pub(crate) use tls::Tls;
pub use tls::TlsConfig;

use crate::connection::Kind;
use crate::context::Context;
use crate::{demo, rest};
use upgrade::{Sockets, upgrade};

/// All routes.
pub(crate) fn router(context: &Arc<Context>, drain: &Drain) -> Router {
    let config = &context.config;
    let sockets = Sockets { context: Arc::clone(context), drain: drain.clone() };
    let binary = sockets.clone();
    Router::new()
        .route("/binfo", get(move |request| upgrade(binary, Kind::Binary, request)))
        .route("/info", get(move |request| upgrade(sockets, Kind::Text, request)))
        .merge(rest::router(&config.rest, context.forwarder.clone()))
        .merge(demo::router(&config.demo, &config.rest.trusted_proxies, context.forwarder.clone()))
}
