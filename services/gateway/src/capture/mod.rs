//! Writes down what clients ask for and what came of it, without their names and texts
//! (`docs/capture.md`), so that the load tool can do it all again. Off unless it is configured.
//!
//! A [`Line`] belongs to a connection and makes records; they go through a queue that is never waited
//! for to the one [`writer`], which puts them into [`files`].

mod config;
mod files;
mod line;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::{Counter, counter};
use throng_capture::{Bodies, Header, Key, Pseudonym, Record, VERSION};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

pub use config::CaptureConfig;
use files::Files;
pub(crate) use line::{Line, Pending};
use writer::{Entry, Writer};

/// How long the end of a process waits for the last records.
const FINISH: Duration = Duration::from_secs(5);

/// The capture cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("gateway: capture.directory: {}: {error}", path.display())]
pub struct CaptureError {
    path: PathBuf,
    error: std::io::Error,
}

/// The capture of this process.
#[derive(Debug)]
pub(crate) struct Capture {
    key: Key,
    share: f64,
    bodies: Bodies,
    began: Instant,
    lines: AtomicU64,
    entries: mpsc::Sender<Entry>,
    /// Records that were left out and that the file does not tell of yet.
    lost: Arc<AtomicU64>,
    queue_full: Counter,
}

impl Capture {
    /// Makes the first file and starts the writer; `None` where nothing is to be captured.
    pub(crate) fn start(config: &CaptureConfig) -> Result<Option<Arc<Self>>, CaptureError> {
        let Some(directory) = &config.directory else {
            return Ok(None);
        };
        let failed = |error| CaptureError { path: directory.clone(), error };
        let key = match &config.secret {
            Some(secret) => Key::from_secret(&secret.0),
            None => Key::random(),
        };
        let began = Instant::now();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = Header {
            version: VERSION,
            source: Pseudonym(rand::random()),
            part: 0,
            began_unix_us: micros(since_1970),
            key: key.fingerprint(),
            share: config.share,
            bodies: config.bodies,
            made_by: concat!("throng-gateway ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let files =
            Files::begin(directory, header, config.file_bytes, config.files).map_err(failed)?;
        let (entries, queue) = mpsc::channel(config.queue);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer::new(files, Arc::clone(&lost), began);
        let work = move || writer.run(queue);
        thread::Builder::new().name("capture".to_owned()).spawn(work).map_err(failed)?;
        tracing::info!(directory = %directory.display(), share = config.share, "traffic is captured");
        Ok(Some(Arc::new(Self {
            key,
            share: config.share,
            bodies: config.bodies,
            began,
            lines: AtomicU64::new(0),
            entries,
            lost,
            queue_full: counter!("throng_gateway_capture_records_dropped_total", "reason" => "queue"),
        })))
    }

    /// For a new connection.
    pub(crate) fn line(self: &Arc<Self>) -> Line {
        let number = self.lines.fetch_add(1, Ordering::Relaxed) + 1;
        Line::new(Arc::clone(self), number, self.now())
    }

    fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }

    fn put(&self, record: Record) {
        match self.entries.try_send(Entry::Record(record)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                self.queue_full.increment(1);
            }
            // After the end.
            Err(TrySendError::Closed(_)) => {}
        }
    }

    /// Has everything written that was captured, and ends the file.
    pub(crate) async fn finish(&self) {
        let (done, written) = oneshot::channel();
        let all = async {
            if self.entries.send(Entry::End(done)).await.is_ok() {
                let _ = written.await;
            }
        };
        if timeout(FINISH, all).await.is_err() {
            tracing::warn!("the capture of traffic could not be written to its end");
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
