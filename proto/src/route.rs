//! Which of a service's nodes a call belongs to. A caller puts it on the request; a link to a server
//! in the same process ignores it, a link into the cluster goes by it.

use tonic::Request;

/// The place of a call, carried as an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Whose call it is.
    pub target: Target,
    /// A call that may have been carried out, but was not answered, may be made again. Otherwise only
    /// one is repeated that nobody can have begun.
    pub repeatable: bool,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Any node of the service.
    Any,
    /// The node that the hash of a group (for group routers) or of a user (for presence) is placed
    /// on. See `throng_protocol::ids::{group_hash, user_hash}`.
    Hash(u64),
}

impl Route {
    /// To any node; may be repeated.
    pub const ANY: Self = Self { target: Target::Any, repeatable: true };

    /// To the node of this hash; may be repeated.
    #[must_use]
    pub const fn hash(hash: u64) -> Self {
        Self { target: Target::Hash(hash), repeatable: true }
    }

    /// The same, for a call that must not be carried out twice.
    #[must_use]
    pub const fn once(self) -> Self {
        Self { repeatable: false, ..self }
    }

    /// A request with this message and route.
    pub fn request<T>(self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(self);
        request
    }
}
