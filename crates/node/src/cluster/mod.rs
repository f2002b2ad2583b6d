//! Nodes of a cluster finding and calling each other: where the nodes of a service are, who owns what,
//! and the transport below the generated clients, which brings each call to the right node.

mod not_begun;
mod rendezvous;

pub use not_begun::{NOT_BEGUN, is_not_begun, not_begun};
pub use rendezvous::rendezvous;
