//! The load tool: what real clients do, by the thousand, and an exact account of what they got.
//!
//! A [`profile`] says what happens; the [`plan`] makes of it who sends what at which moment. The
//! workers in [`run`] carry that out with cheap [`client`]s, whatever the server's answers do to the
//! moments (open loop), and note everything that arrives in the tables of [`check`] and the
//! histograms of [`measure`]. [`report`] judges both and writes them down.
//!
//! A plan can also come from a [`capture`] of real traffic; [`replay`] makes it, and compares what came of
//! it with what the capture says.
//!
//! [`check`], [`plan`], [`replay`] and the clients' state are plain code without I/O; sockets are in [`run`].

pub mod capture;
pub mod check;
pub mod client;
pub mod measure;
pub mod plan;
pub mod profile;
pub mod replay;
pub mod report;
pub mod run;
