//! Apps, administrators, accounts, profiles and relations.
//!
//! A request comes in through `grpc`; a command goes on to its handler in `commands`. What they
//! read and write lies in `apps`, `accounts` and `profiles`, which keep rows of the store (`tables`,
//! `records`) through the cache in `rows`.

mod accounts;
mod apps;
mod commands;
pub mod config;
mod directory;
mod grpc;
mod notices;
mod profiles;
mod records;
mod rows;
mod tables;
mod tags;

pub use config::Config;
pub use directory::{Deps, Directory, DirectoryError};

/// The tables that it keeps.
#[must_use]
pub fn tables() -> &'static [&'static throng_store::Table] {
    &tables::TABLES
}
