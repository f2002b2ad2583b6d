//! The life of one actor: read the group, run jobs, watch the clock, end when idle or when the group
//! goes to another node. When something could not be saved, the state is thrown away and read again;
//! who is in the room is not in the store and stays.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rand::RngExt;
use throng_protocol::error::Code;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::commit::Committer;
use super::{Appended, Failure, GroupKey, Job, Now, Rooms, Turn, Unit};
use crate::placement::Tenure;
use crate::room::Room;

/// Jobs that one turn of the loop runs before it hands their effects on.
const BATCH: usize = 256;
/// Rows of a unit with which it is full: those of one more job, at most, still go with them into one batch.
const FULL: usize = 400;
/// Time to read a group, history included.
const LOAD_TIME: Duration = Duration::from_secs(10);
/// Pause before a group that could not be read is read again.
const READ_PAUSE: Duration = Duration::from_millis(500);
/// Pause before what is due is looked at again while the lease is away.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Runs until the group is idle or gone, the group's shard or the process comes to its end, or the
/// group cannot be read. When it returns, everything that it decided is carried out or refused.
pub(crate) async fn run_actor(
    rooms: &Rooms,
    key: &GroupKey,
    tenure: &Tenure,
    jobs: mpsc::Receiver<Job>,
) {
    let mut actor = Actor { rooms, key, tenure, start: Instant::now(), jobs, batch: Vec::new() };
    let mut before: Option<Box<Room>> = None;
    loop {
        if !actor.until_current().await {
            return actor.refuse_all(&Failure::NotBegun).await;
        }
        let mut slot = match read(rooms, key, tenure, actor.now()).await {
            Ok(slot) => slot,
            Err(failure) => {
                // Nobody else knows who is in.
                let has_members = before.as_ref().is_some_and(|room| !room.members.is_empty());
                if has_members && actor.refuse_for_a_while(&failure).await {
                    continue;
                }
                return actor.refuse_all(&failure).await;
            }
        };
        if let (Some(room), Some(before)) = (&mut slot, before.take()) {
            room.take_over(*before, actor.now());
        }
        let (committer, appended) = Committer::start(
            key.clone(),
            tenure.clone(),
            rooms.clients().clone(),
            rooms.drain().clone(),
        );
        let mut life = Life { actor, slot, committer, appended };
        match life.run().await {
            Ended::Done => return life.wind_down().await,
            Ended::Failed => (actor, before) = life.give_up().await,
        }
    }
}

/// What an actor keeps while its group is read again.
struct Actor<'a> {
    rooms: &'a Rooms,
    key: &'a GroupKey,
    tenure: &'a Tenure,
    /// When its clock began.
    start: Instant,
    jobs: mpsc::Receiver<Job>,
    /// Jobs that are to run next.
    batch: Vec<Job>,
}

impl Actor<'_> {
    fn now(&self) -> Now {
        Now::since(self.start)
    }

    /// Waits until the group may be served; false if it has to end. Who comes meanwhile is sent to
    /// ask again.
    async fn until_current(&mut self) -> bool {
        if self.tenure.is_current() {
            return true;
        }
        refuse(&mut self.batch, &Failure::NotBegun);
        let mut regained = std::pin::pin!(self.tenure.regained());
        loop {
            tokio::select! {
                regained = &mut regained => return regained,
                () = self.tenure.ending() => return self.tenure.is_current(),
                () = self.rooms.ending() => return false,
                received = self.jobs.recv_many(&mut self.batch, BATCH) => {
                    if received == 0 {
                        return false;
                    }
                    if self.tenure.is_current() {
                        return true;
                    }
                    refuse(&mut self.batch, &Failure::NotBegun);
                }
            }
        }
    }

    /// False if the group has to end.
    async fn refuse_for_a_while(&mut self, failure: &Failure) -> bool {
        refuse(&mut self.batch, failure);
        let pause = READ_PAUSE.mul_f64(rand::rng().random_range(0.5..1.5));
        let mut pause = std::pin::pin!(sleep(pause));
        loop {
            tokio::select! {
                () = &mut pause => return true,
                () = self.tenure.ending() => return false,
                () = self.rooms.ending() => return false,
                Some(job) = self.jobs.recv() => job(Err(failure.clone())),
            }
        }
    }

    /// Ends without a state.
    async fn refuse_all(mut self, failure: &Failure) {
        self.jobs.close();
        refuse(&mut self.batch, failure);
        while let Some(job) = self.jobs.recv().await {
            job(Err(failure.clone()));
        }
    }
}

async fn read(
    rooms: &Rooms,
    key: &GroupKey,
    tenure: &Tenure,
    now: Now,
) -> Result<Option<Box<Room>>, Failure> {
    let _permit = rooms.reading().await;
    let why = match timeout(LOAD_TIME, Room::load(rooms, key, tenure, now)).await {
        Ok(Ok(loaded)) => return Ok(loaded),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "not in time".to_owned(),
    };
    if !tenure.is_current() {
        return Err(Failure::NotBegun);
    }
    tracing::error!(why, "group could not be read");
    let text = "the group could not be read or saved, try again";
    Err(Failure::Refused(Code::GROUP_INTERNAL.with(text)))
}

fn refuse(jobs: &mut Vec<Job>, failure: &Failure) {
    jobs.drain(..).for_each(|job| job(Err(failure.clone())));
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
    actor: Actor<'a>,
    slot: Option<Box<Room>>,
    committer: Committer,
    appended: mpsc::Receiver<Appended>,
}

impl<'a> Life<'a> {
    /// Works until there is nothing to do.
    async fn run(&mut self) -> Ended {
        let rooms = self.actor.rooms;
        let idle = Duration::from_secs(rooms.config().idle_seconds.max(1));
        let tenure = self.actor.tenure;
        let mut ending = std::pin::pin!(async {
            tokio::select! {
                () = tenure.ending() => {}
                () = rooms.ending() => {}
            }
        });
        let mut listening = false;
        loop {
            if self.slot.is_some() && !listening {
                listening = true;
                rooms.listen(self.actor.key.app).await;
            }
            let wake = self.next_wake(idle);
            let mut unit = Unit::default();
            tokio::select! {
                biased;
                () = std::future::ready(()), if !self.actor.batch.is_empty() => {}
                () = self.committer.failed() => return Ended::Failed,
                () = &mut ending => return Ended::Done,
                Some(appended) = self.appended.recv() => {
                    if appended.is_lost() {
                        // Nobody knows which of them are kept.
                        return Ended::Failed;
                    }
                    self.note(appended, &mut unit);
                }
                received = self.actor.jobs.recv_many(&mut self.actor.batch, BATCH) => {
                    if received == 0 {
                        return Ended::Done;
                    }
                }
                () = sleep(wake) => {
                    if wake >= idle && self.is_idle() && self.actor.jobs.is_empty() {
                        return Ended::Done;
                    }
                }
            }
            if self.turn(unit).await.is_err() {
                return Ended::Failed;
            }
            if self.slot.is_none() && self.actor.jobs.is_empty() {
                return Ended::Done;
            }
        }
    }

    /// Runs the batch, and what is due by now, and hands the effects on. While the lease is away,
    /// nothing new is begun.
    async fn turn(&mut self, mut unit: Unit) -> Result<(), Panicked> {
        if !self.actor.tenure.is_current() {
            refuse(&mut self.actor.batch, &Failure::NotBegun);
            if !unit.is_empty() {
                self.committer.carry_out(unit).await;
            }
            return Ok(());
        }
        let now = self.actor.now();
        if let Some(room) = self.slot.as_deref_mut() {
            room.retell(&mut unit);
        }
        self.actor.batch.reverse();
        while let Some(job) = self.actor.batch.pop() {
            if let Err(panicked) = self.run_job(job, now, &mut unit) {
                // The others find the group as it is stored.
                self.actor.batch.reverse();
                return Err(panicked);
            }
            if unit.dismissed || unit.ops.len() >= FULL {
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
        let Actor { rooms, key, tenure, .. } = self.actor;
        let slot = &mut self.slot;
        guarded(|| job(Ok(&mut Turn { rooms, key, slot, now, out, tenure })))
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
        let now = self.actor.now();
        let wake =
            due.map_or(idle, |due| Duration::from_millis(due.saturating_sub(now.ms)).min(idle));
        if self.actor.tenure.is_current() { wake } else { wake.max(LOOK_AGAIN) }
    }

    fn is_idle(&self) -> bool {
        self.slot.as_deref().is_none_or(|room| room.is_idle(self.actor.now()))
    }

    /// The orderly end: jobs that came in the last moment still run, and all of it is carried out.
    async fn wind_down(mut self) {
        // From here on senders wait for the end and come to a fresh actor.
        self.actor.jobs.close();
        while let Some(job) = self.actor.jobs.recv().await {
            self.actor.batch.push(job);
            if self.turn(Unit::default()).await.is_err() {
                self.give_up().await;
                return;
            }
        }
        let mut unit = Unit::default();
        if let Some(room) = self.slot.as_deref_mut() {
            if self.actor.rooms.has_successor() {
                room.hand_back();
            }
            if self.actor.tenure.is_current() {
                room.retell(&mut unit);
                room.end(self.actor.now(), &mut unit);
            }
        }
        self.committer.carry_out(unit).await;
        self.committer.finish().await;
        // Those that repeated a message wait for what became of it.
        let mut unit = Unit::default();
        while let Some(appended) = self.appended.recv().await {
            if let Some(room) = self.slot.as_deref_mut().filter(|_| !appended.is_lost()) {
                room.note_appended(appended, &mut unit);
            }
        }
        let current = self.actor.tenure.is_current_soon().await;
        for answer in unit.answers {
            answer(if current { Ok(()) } else { Err(Failure::Unknown) });
        }
    }

    /// Ends with a state that must not be used any more; what has been handed on is still carried
    /// out, up to what failed.
    async fn give_up(self) -> (Actor<'a>, Option<Box<Room>>) {
        self.committer.finish().await;
        (self.actor, self.slot)
    }
}

/// A job has a mistake; the state that it worked on may be half changed.
struct Panicked;

fn guarded(work: impl FnOnce()) -> Result<(), Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        // The panic itself is in the log already.
        metrics::counter!("throng_group_router_job_panics_total").increment(1);
        Panicked
    })
}

#[cfg(test)]
mod tests;
