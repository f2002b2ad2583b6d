//! The gRPC contracts between the services, generated from `proto/throng/v1`, and the type-erased
//! [`Link`] over which every client of them talks: to a server in the same process or to a channel.

mod link;
mod route;

pub use link::{Link, LinkError};
pub use route::{Route, Target};

/// The generated messages, clients and servers.
#[allow(missing_docs, clippy::all, unreachable_pub, rust_2018_idioms)]
pub mod v1 {
    tonic::include_proto!("throng.v1");
}

/// Bits of a stream's epoch below the epoch of ownership: they count the lives that a room has in
/// its owner's memory.
pub const LIFE_BITS: u32 = 40;

impl v1::RoomPosition {
    /// The epoch of ownership in which the position's stream began.
    #[must_use]
    pub fn ownership(&self) -> u64 {
        self.epoch >> LIFE_BITS
    }
}
