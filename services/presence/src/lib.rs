//! Presence: which sessions a user has, on which gateways, and which live rooms each is in.
//!
//! Users fall to the presence nodes by hash ([`Home`]). `core` decides; the other modules carry out:
//! `row` and `journal` keep what has to survive a restart (written behind), `shards` holds the indexes
//! and brings users in from the store, `roll` knows the gateways, `carrier` tells them and the owners
//! of rooms. `rpc` answers the other services about one user, `many` and `share` about many, `reach`
//! delivers to `audiences`, which are large groups, `retold` takes what gateways say, `commands` answers clients and administrators, `housekeeping` is what
//! happens without a request. `service` ties them together.

mod audiences;
mod carrier;
mod commands;
mod config;
mod core;
mod home;
mod housekeeping;
mod journal;
mod many;
mod reach;
mod retold;
mod roll;
mod row;
mod rpc;
mod service;
mod shards;
mod share;

pub use config::{Config, ConfigError};
pub use home::Home;
pub use service::{Deps, Presence, Server};

/// The tables that it keeps.
#[must_use]
pub fn tables() -> &'static [&'static throng_store::Table] {
    &[&row::PRESENCE_ROOMS]
}
