//! History: keeps messages and hands them out again.
//!
//! `rooms` is the 24 hours of live rooms: append, read, find, recall; `groups` is what durable groups
//! keep for good, `merged` the lists of long merged messages. `rpc` serves the other services, `commands` the clients and administrators.
//! Sequence numbers come from the owners of groups; history only keeps them in order.

mod commands;
mod config;
mod epochs;
mod groups;
mod merged;
mod rooms;
mod rpc;
mod service;

pub use config::{Config, ConfigError};
pub use rpc::Rpc;
pub use service::{Deps, History, Server};

/// The tables that it keeps.
#[must_use]
pub fn tables() -> &'static [&'static throng_store::Table] {
    static TABLES: [&throng_store::Table; 8] = [
        &rooms::ROOM_MESSAGES,
        &rooms::ROOM_RECALLS,
        &rooms::ROOM_BUCKETS,
        &groups::tables::GROUP_MESSAGES,
        &groups::tables::GROUP_AMENDMENTS,
        &groups::tables::GROUP_HIDDEN,
        &groups::tables::GROUP_RECALLS,
        &merged::MERGED_LISTS,
    ];
    &TABLES
}
