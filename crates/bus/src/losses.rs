//! News for publishers: what they published lately may not have arrived.

use tokio::sync::watch;

/// See [`Bus::losses`](crate::Bus::losses).
#[derive(Debug, Clone)]
pub struct Losses {
    /// `None` where nothing is ever lost.
    count: Option<watch::Receiver<u64>>,
}

impl Losses {
    pub(crate) fn never() -> Self {
        Self { count: None }
    }

    #[cfg(feature = "nats")]
    pub(crate) fn of(count: &watch::Sender<u64>) -> Self {
        Self { count: Some(count.subscribe()) }
    }

    /// Returns when messages may have been lost that were published before now; once for several
    /// losses that nobody waited for. Never returns when the bus loses nothing, or is gone.
    /// Cancel-safe.
    pub async fn next(&mut self) {
        if let Some(count) = &mut self.count
            && count.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
