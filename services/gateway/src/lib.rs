//! Connections and HTTP: WebSocket sessions, the REST front door, room fan-out.

mod forward;

pub use forward::{Forwarder, Links};
