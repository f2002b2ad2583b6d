//! A gateway on a port of its own, with the other services played by the test, and clients that speak
//! WebSocket to it as the vendor's SDK does.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admission;
mod bad_input;
mod capture;
mod commands;
mod compression;
mod drain;
mod login;
mod polling;
mod presence;
mod pushes;
mod rooms;
mod strangers;
mod support;
mod takeover;
mod tls;
mod tokens;
