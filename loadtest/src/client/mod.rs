//! Clients that speak as the vendor's SDK does, cheap enough to have 19,000 in a process: a client is a
//! few hundred bytes of state and no task, no timer and no buffer of its own.
//!
//! In the order of the data: [`address`] says where connections come from, [`websocket`] makes and takes
//! frames apart, [`inbound`] reads what is in them (a frame that goes to a whole room once), [`wire`]
//! makes requests ([`burst`]: those that follow a login), and [`session`] decides what a client says next, and tells
//! what [`happened`]; [`common`] is what all of them share. None of them does I/O.

pub mod address;
pub mod burst;
pub mod common;
pub mod happened;
pub mod inbound;
pub mod session;
pub mod websocket;
pub mod wire;
