//! How much is searched at a time: a search looks at much that others own.

use std::sync::Arc;

use throng_node::pace::UserPaces;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use throng_protocol::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Searches of one user at once, before the rate counts: somebody who types.
const BURST: u32 = 10;
/// Searches of this node at a time.
const AT_A_TIME: usize = 32;

/// Lets searches begin. Clones share it.
#[derive(Clone)]
pub(crate) struct Searches {
    paces: UserPaces,
    places: Arc<Semaphore>,
}

impl Searches {
    pub(crate) fn new() -> Self {
        Self {
            paces: UserPaces::new("searches", BURST, limits::SEARCHES_PER_SECOND),
            places: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// A search of a user's may run for as long as the permit is kept.
    ///
    /// # Errors
    /// 60018 for too many.
    pub(crate) fn begin(
        &self,
        app: AppId,
        user: &str,
    ) -> Result<OwnedSemaphorePermit, CommandError> {
        self.paces.take(app, user)?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| Code::TOO_MANY_REQUESTS.with("too many searches at a time: try again"))
    }
}
