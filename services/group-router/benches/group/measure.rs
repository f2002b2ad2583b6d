//! What was counted and used: the process's own metrics and processor time, and what the disk can do
//! without anything above it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// How often each histogram was recorded to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    histograms: Arc<Mutex<HashMap<String, Arc<Count>>>>,
}

#[derive(Debug, Default)]
struct Count(std::sync::atomic::AtomicU64);

impl HistogramFn for Count {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Counts {
    /// Makes it the process's recorder.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let counts = Self::default();
        metrics::set_global_recorder(counts.clone()).context("a recorder is there already")?;
        Ok(counts)
    }

    /// How often a histogram was recorded to so far.
    pub(crate) fn of(&self, name: &str) -> u64 {
        let histograms = self.histograms.lock().unwrap_or_else(PoisonError::into_inner);
        histograms.get(name).map_or(0, |count| count.0.load(std::sync::atomic::Ordering::Relaxed))
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let mut histograms = self.histograms.lock().unwrap_or_else(PoisonError::into_inner);
        Histogram::from_arc(Arc::clone(histograms.entry(key.name().to_owned()).or_default()))
    }
}

/// A stretch of time: its length, and what happened in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// Of all threads.
    pub(crate) processor: Duration,
    pub(crate) syncs: u64,
    pub(crate) appends: u64,
}

/// The beginning of one.
pub(crate) struct Watch<'a> {
    counts: &'a Counts,
    began: Instant,
    before: (Duration, u64, u64),
}

impl<'a> Watch<'a> {
    pub(crate) fn start(counts: &'a Counts) -> Self {
        Self { counts, began: Instant::now(), before: totals(counts) }
    }

    pub(crate) fn stop(self) -> Spent {
        let wall = self.began.elapsed();
        let (processor, syncs, appends) = totals(self.counts);
        Spent {
            wall,
            processor: processor.saturating_sub(self.before.0),
            syncs: syncs - self.before.1,
            appends: appends - self.before.2,
        }
    }
}

fn totals(counts: &Counts) -> (Duration, u64, u64) {
    let syncs = counts.of("throng_store_sync_seconds");
    (processor_time(), syncs, counts.of("throng_history_append_seconds"))
}

/// Processor time of this process so far, where the system is Linux.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name may hold spaces; user and system time are the 12th and 13th field after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).flat_map(str::parse::<u64>);
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// How many times a second the disk takes 4 KiB more of a file for good.
pub(crate) fn syncs_alone(dir: &Path) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(dir)?;
    let mut file = File::create(folder.path().join("alone"))?;
    let (mut times, began) = (0, Instant::now());
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times += 1;
    }
    Ok(f64::from(times) / began.elapsed().as_secs_f64())
}
