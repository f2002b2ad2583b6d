//! Connections and HTTP: WebSocket sessions, the REST front door, room fan-out.
//!
//! A client's frame comes in through `http` and `connection`, `session` finds out whose it is and
//! answers it or hands it to `forward`; what the rest of the cluster has for clients comes in over
//! the bus, into `rooms` and `session`, and goes out through `connection`. `presence` keeps the
//! presence nodes informed of who is here. `capture` can write down what clients ask for.

mod addresses;
mod admission;
mod capture;
mod config;
mod connection;
mod context;
mod demo;
mod forward;
mod gateway;
mod http;
mod metrics;
mod presence;
mod rest;
mod rooms;
mod session;
mod wheel;

pub use capture::{CaptureConfig, CaptureError};
pub use config::{Config, ConfigError};
pub use demo::DemoConfig;
pub use forward::{Forwarder, Links};
pub use gateway::{BuildError, Deps, Gateway};
pub use http::TlsConfig;
pub use rest::{BadProxy, RestConfig, TrustedProxies};
