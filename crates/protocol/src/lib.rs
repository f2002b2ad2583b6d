//! The outside language: commands, envelopes, elements, error codes, UserSig, limits.
//!
//! Everything that a client or an app server can see on the wire is described here, once, and knows
//! nothing of any one service. The gateway reads [`frame`]s, finds the [`catalogue`] row and
//! forwards; the owning service reads the body with [`envelope::parse`] and answers with
//! [`envelope::ok`] or [`envelope::fail`].

mod app;
pub mod catalogue;
pub mod compress;
pub mod elements;
pub mod envelope;
pub mod error;
pub mod frame;
pub mod ids;
mod json;
pub mod limits;
pub mod token;
pub mod usersig;

pub use app::{NamedApp, NamedAppError};
pub use error::{Code, CommandError};
pub use ids::{AppId, GroupType};
