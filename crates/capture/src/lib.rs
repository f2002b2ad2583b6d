//! The format of traffic captures, for those who write them (the gateway, converters) and those who
//! read them (the load tool). `docs/capture.md` describes it for people.
//!
//! A capture says who did what when, and what came of it, but not in whose name: [`Key`] makes
//! [`Pseudonym`]s of IDs, and of a message only its [`Shape`] is kept. Plain code without files.

mod pseudonym;
mod read;
mod record;
mod shape;

pub use pseudonym::{Key, Pseudonym};
pub use read::{Contents, Problem, read};
pub use record::{Bodies, Command, Element, Header, Message, Record, VERSION, What, line};
pub use shape::Shape;
