//! The life of one actor: read the group, run jobs, watch the clock, end when idle. When something
//! could not be saved, the state is thrown away and read again; who is in the room is not in the
//! store and stays.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::commit::Committer;
use super::{Appended, GroupKey, Job, Now, Rooms, Turn, Unit};
use crate::room::Room;

/// Jobs that one turn of the loop runs before it hands their effects on.
const BATCH: usize = 256;
/// Time to read a group, history included.
const LOAD_TIME: Duration = Duration::from_secs(10);

/// Runs until the group is idle or gone, the process drains, or the group cannot be read. When it
/// returns, everything that it decided is carried out or refused.
pub(crate) async fn run_actor(
    rooms: &Rooms,
    key: &GroupKey,
    epoch: u64,
    mut jobs: mpsc::Receiver<Job>,
) {
    let start = Instant::now();
    let mut before: Option<Box<Room>> = None;
    let mut batch = Vec::with_capacity(16);
    loop {
        let load = Room::load(rooms, key, epoch, Now::since(start));
        let mut slot = match timeout(LOAD_TIME, load).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => {
                tracing::error!(%error, "group could not be read");
                // Dropping the jobs answers their callers.
                return;
            }
            Err(_) => {
                tracing::error!("group could not be read in time");
                return;
            }
        };
        if let (Some(room), Some(before)) = (&mut slot, before.take()) {
            room.take_over(*before, Now::since(start));
        }
        let (committer, appended) =
            Committer::start(key.clone(), rooms.clients().clone(), rooms.drain().clone());
        let mut life = Life { rooms, key, epoch, start, slot, committer, appended };
        match life.run(&mut jobs, &mut batch).await {
            Ended::Done => return life.wind_down(jobs).await,
            Ended::Failed => before = life.give_up().await,
        }
    }
}

/// Why a life of an actor is over.
enum Ended {
    /// Nothing is left to do.
    Done,
    /// What is in memory is not what is in the store.
    Failed,
}

/// An actor between two readings of its group.
struct Life<'a> {
    rooms: &'a Rooms,
    key: &'a GroupKey,
    epoch: u64,
    /// When the actor's clock began.
    start: Instant,
    slot: Option<Box<Room>>,
    committer: Committer,
    appended: mpsc::Receiver<Appended>,
}

impl Life<'_> {
    /// Works until there is nothing to do. `batch` holds jobs that the last life left.
    async fn run(&mut self, jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) -> Ended {
        let drain = self.rooms.drain();
        let idle = Duration::from_secs(self.rooms.config().idle_seconds.max(1));
        let mut draining = std::pin::pin!(drain.draining());
        let mut listening = false;
        loop {
            if self.slot.is_some() && !listening {
                listening = true;
                self.rooms.listen_to_broadcasts(self.key.app).await;
            }
            let wake = self.next_wake(idle);
            let mut unit = Unit::default();
            tokio::select! {
                biased;
                () = std::future::ready(()), if !batch.is_empty() => {}
                () = self.committer.failed() => return Ended::Failed,
                () = &mut draining => return Ended::Done,
                Some(appended) = self.appended.recv() => self.note(appended, &mut unit),
                received = jobs.recv_many(batch, BATCH) => {
                    if received == 0 {
                        return Ended::Done;
                    }
                }
                () = sleep(wake) => {
                    if wake >= idle && self.is_idle() && jobs.is_empty() {
                        return Ended::Done;
                    }
                }
            }
            if self.turn(batch, unit).await.is_err() {
                return Ended::Failed;
            }
            if self.slot.is_none() && jobs.is_empty() {
                return Ended::Done;
            }
        }
    }

    /// Runs jobs, and what is due by now, and hands the effects on.
    async fn turn(&mut self, batch: &mut Vec<Job>, mut unit: Unit) -> Result<(), Panicked> {
        let now = Now::since(self.start);
        batch.reverse();
        while let Some(job) = batch.pop() {
            if let Err(panicked) = self.run_job(job, now, &mut unit) {
                // The others find the group as it is stored.
                batch.reverse();
                return Err(panicked);
            }
            if unit.dismissed {
                // What comes after the end of a group belongs to another one.
                self.committer.carry_out(std::mem::take(&mut unit)).await;
            }
        }
        guarded(|| {
            if let Some(room) = self.slot.as_deref_mut() {
                room.tick(now, &mut unit);
            }
        })?;
        if !unit.is_empty() {
            self.committer.carry_out(unit).await;
        }
        Ok(())
    }

    fn run_job(&mut self, job: Job, now: Now, out: &mut Unit) -> Result<(), Panicked> {
        let (rooms, key, slot, epoch) = (self.rooms, self.key, &mut self.slot, self.epoch);
        guarded(|| job(&mut Turn { rooms, key, slot, now, out, epoch }))
    }

    /// Messages were kept, or were not.
    fn note(&mut self, appended: Appended, unit: &mut Unit) {
        if let Some(room) = self.slot.as_deref_mut() {
            room.note_appended(appended, unit);
        }
    }

    /// How long there is nothing to do unless somebody asks.
    fn next_wake(&self, idle: Duration) -> Duration {
        let due = self.slot.as_deref().and_then(Room::next_deadline);
        let now = Now::since(self.start);
        due.map_or(idle, |due| Duration::from_millis(due.saturating_sub(now.ms)).min(idle))
    }

    fn is_idle(&self) -> bool {
        self.slot.as_deref().is_none_or(|room| room.is_idle(Now::since(self.start)))
    }

    /// The orderly end: jobs that came in the last moment still run, and all of it is carried out.
    async fn wind_down(mut self, mut jobs: mpsc::Receiver<Job>) {
        // From here on senders wait for the end and come to a fresh actor.
        jobs.close();
        while let Some(job) = jobs.recv().await {
            if self.turn(&mut vec![job], Unit::default()).await.is_err() {
                self.give_up().await;
                return;
            }
        }
        let mut unit = Unit::default();
        if let Some(room) = self.slot.as_deref_mut() {
            room.end(Now::since(self.start), &mut unit);
        }
        self.committer.carry_out(unit).await;
        self.committer.finish().await;
        // Those that repeated a message wait for what became of it.
        let mut unit = Unit::default();
        while let Some(appended) = self.appended.recv().await {
            if let Some(room) = self.slot.as_deref_mut() {
                room.note_appended(appended, &mut unit);
            }
        }
        for answer in unit.answers {
            answer(Ok(()));
        }
    }

    /// Ends with a state that must not be used any more; what has been handed on is still carried
    /// out, up to what failed.
    async fn give_up(self) -> Option<Box<Room>> {
        self.committer.finish().await;
        self.slot
    }
}

/// A job has a mistake; the state that it worked on may be half changed.
struct Panicked;

fn guarded(work: impl FnOnce()) -> Result<(), Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        // The panic itself is in the log already.
        metrics::counter!("throng_group_job_panics_total").increment(1);
        Panicked
    })
}

#[cfg(test)]
mod tests;
