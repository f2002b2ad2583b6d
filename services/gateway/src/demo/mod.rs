//! The demo live room: a page built into the binary, and a signature for whoever looks at it.
//!
//! Only for one app, the demo app: anybody may be any of its users, but never an administrator.

mod config;
mod pages;
mod site;
#[cfg(test)]
mod tests;

pub use config::DemoConfig;
pub(crate) use site::router;
