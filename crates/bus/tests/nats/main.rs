//! The bus over a real NATS server: the conformance suite, and servers that die, freeze and come
//! back. Needs the server's binary, named by `THRONG_TEST_NATS_SERVER`; without it every test says
//! so and passes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod outages;
mod server;
mod startup;

use std::sync::Arc;

use throng_bus::conformance::Pair;

use server::Server;

async fn open() -> Option<(Pair, Server)> {
    let server = Server::start().await?;
    let (here, there) = (server.bus().await, server.bus().await);
    Some((Pair { here: Arc::new(here), there: Arc::new(there) }, server))
}

mod conformance {
    use super::open;

    throng_bus::bus_conformance_tests!(open);
}
