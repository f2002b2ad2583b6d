//! What every process needs, whatever its role: telemetry, health, the cluster's secret, the app
//! settings of the directory, the command envelope, and the way to an orderly end.

pub mod admin;
pub mod apps;
pub mod cluster;
pub mod command;
pub mod drain;
pub mod invariant;
pub mod pace;
mod process;
pub mod secret;
pub mod telemetry;
pub mod time;
