//! History: keeps messages and hands them out again.
//!
//! `rooms` is the 24 hours of live rooms: append, read, find, recall. `rpc` serves the other
//! services, `commands` the clients and administrators. Sequence numbers come from the owners of
//! groups; history only keeps them in order.

mod commands;
mod config;
mod rooms;
mod rpc;
mod service;

pub use config::{Config, ConfigError};
pub use rpc::Rpc;
pub use service::{Deps, History, Server};

/// The tables that it keeps.
#[must_use]
pub fn tables() -> &'static [&'static throng_store::Table] {
    &rooms::TABLES
}
