//! Processes of a cluster finding and calling each other: where the nodes of a service are, who owns
//! what, the transport below the generated clients, which brings each call to the right node, and the
//! server on the other side.

mod channels;
mod choice;
mod config;
mod discovery;
mod homes;
mod leader;
pub mod lease;
mod not_begun;
mod rendezvous;
mod server;
mod transport;
mod view;

pub use channels::{Channels, channel};
pub use config::{ClusterConfig, ClusterConfigError, HiddenText};
pub use discovery::Discovery;
pub use homes::{Home, HomeList, Homes};
pub use leader::{LEADER, PlacementLeader};
pub use not_begun::{NOT_BEGUN, is_not_begun, not_begun};
pub use rendezvous::rendezvous;
pub use server::serve;
pub use transport::Transport;
pub use view::{Node, Owner, PlacementView, Placements};
