//! The load tool: what real clients do, by the thousand, and an exact account of what they got.
//!
//! A [`profile`] says what happens; the [`plan`] makes of it who sends what at which moment. The
//! workers in [`run`] carry that out with cheap [`client`]s, whatever the server's answers do to the
//! moments (open loop), and note everything that arrives in the tables of [`check`] and the
//! histograms of [`measure`]. [`report`] judges both and writes them down.
//!
//! [`check`], [`plan`] and the clients' state are plain code without I/O; sockets are in [`run`].

pub mod check;
pub mod client;
pub mod measure;
pub mod plan;
pub mod profile;
pub mod report;
pub mod run;
