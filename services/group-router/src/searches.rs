//! How much is searched at a time: a search looks at much that others own.

use std::sync::Arc;

use parking_lot::Mutex;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;
use throng_protocol::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::core::pace::Pace;

/// Searches of one user at once, before the rate counts: somebody who types.
const BURST: u32 = 10;
/// Searches of this node at a time.
const AT_A_TIME: usize = 32;

/// Lets searches begin. Clones share it.
#[derive(Clone)]
pub(crate) struct Searches {
    start: Instant,
    paces: Arc<Mutex<Pace<(AppId, String)>>>,
    places: Arc<Semaphore>,
}

impl Searches {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            paces: Arc::new(Mutex::new(Pace::new(BURST, limits::SEARCHES_PER_SECOND))),
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
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !self.paces.lock().take((app, user.to_owned()), now) {
            let most = limits::SEARCHES_PER_SECOND;
            let info = format!("more than {most} searches a second, after the first {BURST}");
            return Err(Code::TOO_MANY_REQUESTS.with(info));
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| Code::TOO_MANY_REQUESTS.with("too many searches at a time: try again"))
    }
}
