//! The REST front door: `POST /v4/SERVICE/COMMAND`, called by app servers.
//!
//! A request passes its gates in this order: `parameters` of the URL, `signatures` (whose it is),
//! administrator, `rates`, `body`, the catalogue; then the forwarder has it executed. Whatever
//! happens, the answer is HTTP 200 with the interface's envelope (REST notes 02, 1).

mod answer;
mod body;
mod client_ip;
mod config;
mod door;
mod parameters;
mod rates;
mod signatures;
#[cfg(test)]
pub(crate) mod tests;
mod window;

pub use client_ip::{BadProxy, TrustedProxies};
pub use config::RestConfig;
pub(crate) use door::router;

pub(crate) use window::WindowCounter;
