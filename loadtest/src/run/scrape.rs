//! Threads that look at the processes of the server once a second, one for each: one that does not answer holds
//! up no other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::http::HttpLine;
use crate::measure::{Sample, TargetSample, Watched, parse_metrics, process_cpu, process_memory};

const CPU: &str = "process_cpu_seconds_total";
const MEMORY: &str = "process_resident_memory_bytes";

/// Where a process of the server tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Where {
    /// Its name in reports.
    pub name: String,
    /// Address, host and path of its metrics.
    pub metrics: Option<(SocketAddr, String, String)>,
    /// The process on this machine, for what its metrics do not tell.
    pub pid: Option<u32>,
}

type Looks = Vec<(Instant, Sample)>;

/// The threads and what they found.
pub(super) struct Scraper {
    stop: Arc<AtomicBool>,
    threads: Vec<(String, JoinHandle<Looks>)>,
}

impl Scraper {
    pub(super) fn start(watched: Vec<Where>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |place: Where| {
            let stop = Arc::clone(&stop);
            (place.name.clone(), thread::spawn(move || look_until(&place, &stop)))
        };
        let threads = watched.into_iter().map(start).collect();
        Self { stop, threads }
    }

    /// Ends them after a last look; `began` is when the traffic began.
    pub(super) fn finish(self, began: Instant) -> Vec<Watched> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.iter().for_each(|(_, thread)| thread.thread().unpark());
        let second = |at: Instant| match at.checked_duration_since(began) {
            Some(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            None => -1 - i64::try_from((began - at).as_secs()).unwrap_or(i64::MAX),
        };
        let gather = |(name, thread): (String, JoinHandle<Looks>)| {
            let looks = thread.join().unwrap_or_default();
            let sample = |(at, sample): &(Instant, Sample)| TargetSample::new(second(*at), sample);
            Watched { name, samples: looks.iter().map(sample).collect() }
        };
        self.threads.into_iter().map(gather).collect()
    }
}

fn look_until(place: &Where, stop: &AtomicBool) -> Looks {
    let (mut looks, mut line) = (Looks::new(), None);
    let mut next = Instant::now();
    loop {
        let last = stop.load(Ordering::Relaxed);
        let now = Instant::now();
        if now < next && !last {
            thread::park_timeout(next - now);
            continue;
        }
        next += Duration::from_secs(1);
        let mut sample = ask(place, &mut line).unwrap_or_default();
        if let Some(pid) = place.pid {
            let mut put = |name: &str, value: Option<f64>| {
                if let Some(value) = value {
                    sample.entry(name.to_owned()).or_insert(value);
                }
            };
            put(CPU, process_cpu(pid));
            put(MEMORY, process_memory(Some(pid)).map(|it| it as f64));
        }
        if !sample.is_empty() {
            looks.push((now, sample));
        }
        if last {
            return looks;
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
