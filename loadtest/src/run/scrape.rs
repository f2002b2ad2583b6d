//! A thread that asks the server for its metrics once a second.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::http::HttpLine;
use crate::measure::{Sample, TargetSample, parse_metrics, process_cpu, process_memory};

/// Where to ask.
#[derive(Debug, Clone, Default)]
pub struct Where {
    /// Address, host and path of the metrics.
    pub metrics: Option<(SocketAddr, String, String)>,
    /// The server's process on this machine.
    pub pid: Option<u32>,
}

/// The thread and what it found.
pub(super) struct Scraper {
    samples: Arc<Mutex<Vec<(Instant, Sample)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scraper {
    pub(super) fn start(place: Where) -> Self {
        let samples = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = (place.metrics.is_some() || place.pid.is_some()).then(|| {
            let (samples, stop) = (Arc::clone(&samples), Arc::clone(&stop));
            thread::spawn(move || scrape(&place, &samples, &stop))
        });
        Self { samples, stop, thread }
    }

    /// Ends it; `began` is when the traffic began.
    pub(super) fn finish(mut self, began: Instant) -> Vec<TargetSample> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        let samples = std::mem::take(&mut *lock(&self.samples));
        let second = |at: Instant| match at.checked_duration_since(began) {
            Some(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            None => -1 - i64::try_from((began - at).as_secs()).unwrap_or(i64::MAX),
        };
        samples.iter().map(|(at, sample)| TargetSample::new(second(*at), sample)).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn scrape(place: &Where, samples: &Mutex<Vec<(Instant, Sample)>>, stop: &AtomicBool) {
    let mut line = None;
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now < next {
            thread::park_timeout(next - now);
            continue;
        }
        next += Duration::from_secs(1);
        let mut sample = ask(place, &mut line).unwrap_or_default();
        if let Some(pid) = place.pid {
            let mut put = |name: &str, value: Option<f64>| {
                if let Some(value) = value {
                    sample.insert(name.to_owned(), value);
                }
            };
            put("process_cpu_seconds_total", process_cpu(pid));
            put("process_resident_memory_bytes", process_memory(Some(pid)).map(|it| it as f64));
        }
        if !sample.is_empty() {
            lock(samples).push((now, sample));
        }
    }
}

fn ask(place: &Where, line: &mut Option<HttpLine>) -> Option<Sample> {
    let (address, host, path) = place.metrics.as_ref()?;
    if line.is_none() {
        *line = HttpLine::connect(*address, host).ok();
    }
    if let Ok((200, body)) = line.as_mut()?.exchange(path, None) {
        return Some(parse_metrics(&String::from_utf8_lossy(&body)));
    }
    *line = None;
    None
}
