//! The one thread that writes records. It takes what waits, writes it at once, and then waits for more:
//! the more there is, the fewer writes it takes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use metrics::{Counter, counter};
use throng_capture::{Record, What, line};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::files::Files;
use super::micros;

/// Bytes that are written at once.
const BUFFER: usize = 64 * 1024;

/// What goes through the queue.
#[derive(Debug)]
pub(super) enum Entry {
    Record(Record),
    /// Nothing follows that counts.
    End(oneshot::Sender<()>),
}

/// The writer's side of a capture.
#[derive(Debug)]
pub(super) struct Writer {
    files: Files,
    lost: Arc<AtomicU64>,
    began: Instant,
    buffer: Vec<u8>,
    /// Records in the buffer, those included that its `dropped` records count.
    waiting: u64,
    failed_before: bool,
    written: Counter,
    disk_failed: Counter,
}

impl Writer {
    pub(super) fn new(files: Files, lost: Arc<AtomicU64>, began: Instant) -> Self {
        Self {
            files,
            lost,
            began,
            buffer: Vec::new(),
            waiting: 0,
            failed_before: false,
            written: counter!("throng_gateway_capture_records_total"),
            disk_failed: counter!("throng_gateway_capture_records_dropped_total", "reason" => "disk"),
        }
    }

    /// Writes until the end of the capture, or of everybody who could add to it.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Entry>) {
        loop {
            let entry = match queue.try_recv() {
                Ok(entry) => Some(entry),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    self.flush();
                    queue.blocking_recv()
                }
            };
            match entry {
                Some(Entry::Record(record)) => self.add(&record),
                Some(Entry::End(done)) => {
                    self.end();
                    let _ = done.send(());
                    return;
                }
                None => return self.end(),
            }
        }
    }

    fn add(&mut self, record: &Record) {
        self.tell_lost();
        self.buffer.extend(line(record));
        self.waiting += 1;
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// A reader has to know where records are missing.
    fn tell_lost(&mut self) {
        let count = self.lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            self.buffer.extend(line(&self.remark(What::Dropped { count })));
            self.waiting += count;
        }
    }

    fn remark(&self, what: What) -> Record {
        Record { at: micros(self.began.elapsed()), line: 0, place: 0, user: None, what }
    }

    fn end(&mut self) {
        self.flush();
        self.tell_lost();
        self.buffer.extend(line(&self.remark(What::End)));
        self.flush();
        let synced = self.files.sync();
        self.note(synced);
    }

    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let result = self.files.write(&self.buffer);
        if result.is_ok() {
            self.written.increment(self.waiting);
        } else {
            self.lost.fetch_add(self.waiting, Ordering::Relaxed);
            self.disk_failed.increment(self.waiting);
        }
        self.note(result);
        self.buffer.clear();
        self.waiting = 0;
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && !std::mem::replace(&mut self.failed_before, true)
        {
            tracing::error!(%error, "the capture of traffic cannot be written; records are left out");
        }
    }
}
