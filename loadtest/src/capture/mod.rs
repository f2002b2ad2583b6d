//! Captures of traffic as files: [`load`] reads what gateways wrote, [`merge`](fn@merge) makes one capture of
//! it, [`Summary`] says what is in it, and [`convert`](fn@convert) makes a capture of a log of messages.

mod convert;
mod files;
mod merge;
mod summary;
mod time;

pub use convert::{Columns, ConvertError, Converted, LogFormat, TimeFormat, convert};
pub use files::{FileError, load, save};
pub use merge::{MergeError, Merged, Source, merge};
pub use summary::Summary;

/// Command by which a client logs in.
pub(crate) use crate::client::wire::command;
