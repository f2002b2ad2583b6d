//! A capture, done again: [`Replay`] makes a plan of it that the workers of [`crate::run`] carry out, and
//! [`Sequence`] compares what came of it with what the capture says. Plain code.

mod build;
mod sequence;
mod settings;

pub use build::{Captured, Order, Replay, ReplayError};
pub use sequence::Sequence;
pub use settings::{Limits, LimitsError};
