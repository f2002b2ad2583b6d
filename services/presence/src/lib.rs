//! Presence: which sessions a user has, on which gateways, and which live rooms each is in.
//!
//! `core` decides; the other modules carry out: `row` and `journal` keep what has to survive a
//! restart (written behind), `shards` holds the indexes and brings users in from the store,
//! `carrier` tells gateways and room owners, `rpc` answers the other services and `commands` the
//! clients and administrators. `service` ties them together.

mod carrier;
mod commands;
mod config;
mod core;
mod heard;
mod journal;
mod row;
mod rpc;
mod service;
mod shards;

pub use config::{Config, ConfigError};
pub use service::{Deps, Presence, Server};

/// The tables that it keeps.
#[must_use]
pub fn tables() -> &'static [&'static throng_store::Table] {
    &[&row::PRESENCE_ROOMS]
}
