//! The life of one actor: read the group, run jobs, watch the clock, end when idle.

use std::time::{Duration, Instant};

use throng_node::drain::Drain;
use tokio::sync::mpsc;

use super::commit::Committer;
use super::{GroupKey, Job, Now, Turn, Unit};
use crate::clients::Clients;
use crate::config::Config;
use crate::room::Room;

/// Jobs that one turn of the loop runs before it hands their effects on.
const BATCH: usize = 256;

/// Runs until the group is idle or gone, the process drains, or its state could not be saved.
/// When it returns, everything that it decided is carried out or refused.
pub(crate) async fn run_actor(
    key: &GroupKey,
    epoch: u64,
    config: &Config,
    clients: &Clients,
    drain: &Drain,
    mut jobs: mpsc::Receiver<Job>,
) {
    let mut slot = match Room::load(key, epoch, config, clients).await {
        Ok(loaded) => loaded,
        Err(error) => {
            tracing::error!(%error, "group could not be read");
            // Dropping the jobs answers their callers.
            jobs.close();
            return;
        }
    };
    let committer = Committer::start(key.clone(), clients.clone());
    let start = Instant::now();
    let idle = Duration::from_secs(config.idle_seconds);
    let mut batch = Vec::with_capacity(16);
    let mut draining = std::pin::pin!(drain.draining());
    loop {
        let now = Now::since(start);
        let wake = next_wake(slot.as_deref(), now, idle);
        tokio::select! {
            biased;
            () = committer.failed() => break,
            received = jobs.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    break;
                }
            }
            () = &mut draining => break,
            () = tokio::time::sleep(wake) => {
                if batch.is_empty() && may_end(slot.as_deref(), Now::since(start), wake, idle) && jobs.is_empty() {
                    break;
                }
            }
        }
        let now = Now::since(start);
        let mut unit = Unit::default();
        for job in batch.drain(..) {
            let out = &mut unit;
            job(&mut Turn { key, slot: &mut slot, now, out, epoch, config });
        }
        if let Some(room) = slot.as_deref_mut() {
            room.tick(now, &mut unit);
        }
        if !unit.is_empty() {
            committer.carry_out(unit).await;
        }
        if slot.is_none() && jobs.is_empty() {
            break;
        }
    }
    // From here on senders wait for the end and come to a fresh actor.
    jobs.close();
    let mut unit = Unit::default();
    if !committer.has_failed() {
        while let Ok(job) = jobs.try_recv() {
            let (now, out) = (Now::since(start), &mut unit);
            job(&mut Turn { key, slot: &mut slot, now, out, epoch, config });
        }
        if let Some(room) = slot.as_deref_mut() {
            room.end(Now::since(start), &mut unit);
        }
        committer.carry_out(unit).await;
    }
    committer.finish().await;
}

/// How long there is nothing to do unless somebody asks.
fn next_wake(room: Option<&Room>, now: Now, idle: Duration) -> Duration {
    let due = room.and_then(Room::next_deadline);
    due.map_or(idle, |due| Duration::from_millis(due.saturating_sub(now.ms)).min(idle))
}

/// Whether a wait of `waited` without jobs ends the actor: it was the idle time, and nobody is in.
fn may_end(room: Option<&Room>, now: Now, waited: Duration, idle: Duration) -> bool {
    waited >= idle && room.is_none_or(|room| room.is_idle(now))
}
