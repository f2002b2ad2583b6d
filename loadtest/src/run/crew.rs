//! The workers as the coordinator sees them: orders go out, reports come in, in whatever process they are.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::coordinate::{PATIENCE, RunError, Stage, WorkerUse};
use super::process::{Brief, Helper, Order};
use super::worker::{Report, Shared, Worker, WorkerOutcome};
use crate::measure::{Second, Tick, Used, process_memory};
use crate::plan::{Nanos, Plan, SECOND};

/// The workers, as the coordinator sees them.
pub(super) struct Crew {
    shared: Arc<Shared>,
    helpers: Vec<Helper>,
    workers: usize,
    clients: u32,
    reports: Receiver<Report>,
    filled: usize,
    quiet: usize,
    cut_off: bool,
    done: Vec<WorkerOutcome>,
    /// Seconds, and how many workers told of each.
    seconds: BTreeMap<i64, (Second, usize)>,
    present: Vec<u64>,
    ticks: Vec<Vec<(i64, Used, u64)>>,
}

/// Starts workers as threads of this process.
pub(super) fn start_threads(
    shared: &Arc<Shared>,
    numbers: Range<u32>,
    reports: &SyncSender<Report>,
) -> io::Result<()> {
    for number in numbers {
        let (shared, reports) = (Arc::clone(shared), reports.clone());
        let work = move || match Worker::new(number, shared, reports.clone()) {
            Ok(worker) => worker.work(),
            Err(error) => {
                // Nobody listens any more: nothing to be done.
                let _ = reports.send(Report::Done(Err(error.to_string())));
            }
        };
        thread::Builder::new().name(format!("load-{number}")).spawn(work)?;
    }
    Ok(())
}

impl Crew {
    /// Starts all workers: as threads, or in processes of their own with an equal share each.
    pub(super) fn start(
        brief: &Brief,
        shared: &Arc<Shared>,
        processes: u32,
    ) -> Result<Self, RunError> {
        let (sender, reports) = sync_channel(256);
        let mut helpers = Vec::new();
        if processes <= 1 {
            start_threads(shared, 0..shared.workers, &sender)?;
        } else {
            let each = shared.workers / processes;
            for number in 0..processes {
                helpers.push(Helper::start(brief, number * each..(number + 1) * each, &sender)?);
            }
        }
        let workers = shared.workers as usize;
        Ok(Self {
            shared: Arc::clone(shared),
            helpers,
            workers,
            clients: shared.plan.clients,
            reports,
            filled: 0,
            quiet: 0,
            cut_off: false,
            done: Vec::new(),
            seconds: BTreeMap::new(),
            present: vec![0; workers],
            ticks: vec![Vec::new(); workers],
        })
    }

    /// Tells all workers.
    pub(super) fn order(&mut self, order: Order) {
        order.carry_out(&self.shared);
        for helper in &mut self.helpers {
            helper.order(order);
        }
    }

    /// Memory of this process and of those that help it, bytes.
    pub(super) fn memory(&self) -> Option<u64> {
        let helpers = self.helpers.iter().map(|helper| process_memory(Some(helper.pid())));
        helpers.chain(std::iter::once(process_memory(None))).sum()
    }

    /// Waits until all clients are in their rooms or given up; false when time is over before.
    pub(super) fn until_filled(
        &mut self,
        patience: Duration,
        progress: &mut dyn FnMut(&Stage<'_>),
    ) -> Result<bool, RunError> {
        let until = Instant::now() + patience;
        while self.filled < self.workers {
            if Instant::now() >= until {
                return Ok(false);
            }
            self.hear(progress)?;
        }
        Ok(true)
    }

    /// Why the rooms did not fill.
    pub(super) fn not_filled(&mut self) -> Result<RunError, RunError> {
        let present = self.present.iter().sum();
        let outcomes = self.finish()?;
        let all = outcomes.iter().flat_map(|outcome| &outcome.trouble);
        let trouble: Vec<String> =
            all.map(|(what, count)| format!("{what} ({count} times)")).collect();
        Ok(RunError::NotFilled { present, clients: self.clients, trouble: trouble.join("; ") })
    }

    pub(super) fn until_quiet(
        &mut self,
        patience: Duration,
        progress: &mut dyn FnMut(&Stage<'_>),
    ) -> Result<(), RunError> {
        let until = Instant::now() + patience;
        while self.quiet < self.workers {
            if Instant::now() >= until {
                return Err(RunError::Stuck);
            }
            self.hear(progress)?;
        }
        Ok(())
    }

    /// Goes on taking reports for a while.
    pub(super) fn listen_until(
        &mut self,
        end: Instant,
        progress: &mut dyn FnMut(&Stage<'_>),
    ) -> Result<(), RunError> {
        while Instant::now() < end {
            self.hear(progress)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<Vec<WorkerOutcome>, RunError> {
        let until = Instant::now() + PATIENCE;
        while self.done.len() < self.workers {
            if Instant::now() >= until {
                return Err(RunError::Stuck);
            }
            self.hear(&mut |_| {})?;
        }
        Ok(std::mem::take(&mut self.done))
    }

    /// Takes one report, or waits a while for it.
    fn hear(&mut self, progress: &mut dyn FnMut(&Stage<'_>)) -> Result<(), RunError> {
        match self.reports.recv_timeout(Duration::from_millis(200)) {
            Ok(Report::Filled) => self.filled += 1,
            Ok(Report::Quiet { cut_off }) => {
                self.quiet += 1;
                self.cut_off |= cut_off;
            }
            Ok(Report::Done(outcome)) => self.done.push(*outcome.map_err(RunError::Worker)?),
            Ok(Report::Tick(tick)) => self.note(&tick, progress),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(RunError::Stuck),
        }
        Ok(())
    }

    fn note(&mut self, tick: &Tick, progress: &mut dyn FnMut(&Stage<'_>)) {
        let worker = tick.worker as usize;
        self.present[worker] = tick.present;
        if tick.second < 0 {
            return progress(&Stage::Filling(self.present.iter().sum()));
        }
        self.ticks[worker].push((tick.second, tick.used, tick.wall));
        let (second, told) = self.seconds.entry(tick.second).or_default();
        second.add(tick);
        *told += 1;
        if *told == self.workers {
            progress(&Stage::Second(second));
        }
    }

    /// What each worker used while the traffic was measured.
    pub(super) fn worker_use(&self, plan: &Plan) -> Vec<WorkerUse> {
        let second = |at: Nanos| i64::try_from(at / SECOND).unwrap_or(i64::MAX);
        let measured = second(plan.measured_from)..second(plan.ends).max(1);
        let one = |ticks: &Vec<(i64, Used, u64)>| {
            let (mut running, mut waiting, mut wall) = (0, 0, 0);
            for (_, used, time) in ticks.iter().filter(|(at, _, _)| measured.contains(at)) {
                running += used.running;
                waiting += used.waiting;
                wall += time;
            }
            let share = |part: u64| if wall == 0 { 0.0 } else { part as f64 / wall as f64 };
            WorkerUse { cpu_share: share(running), waiting_share: share(waiting) }
        };
        self.ticks.iter().map(one).collect()
    }

    /// Whether the drain was over before all was quiet.
    pub(super) fn was_cut_off(&self) -> bool {
        self.cut_off
    }

    pub(super) fn into_seconds(self) -> Vec<Second> {
        self.seconds.into_values().map(|(second, _)| second).collect()
    }
}
