//! Carries out the effects of a group's jobs in order: what has to be durable first, rows before the
//! log that speaks of them, changes of messages after the messages, then what goes out, then the answers. Units that pile up meanwhile share
//! one write and one append (group commit).

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use throng_bus::subjects;
use throng_node::drain::Drain;
use throng_node::invariant;
use throng_proto::v1;
use throng_protocol::error::Code;
use throng_store::Batch;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::append::Appender;
use super::deliver::Deliveries;
use super::log::Log;
use super::save::{Saver, Unsaved};
use super::{Appended, Failure, GroupKey, MOST_UNKEPT, Unit};
use crate::clients::Clients;
use crate::placement::Tenure;
use crate::storage::{Annotations, RowKind, TipsRow, put_row};
use crate::wire::EVENT_TIP;

/// Units that may wait; then the actor waits too.
const QUEUE: usize = 64;

/// The actor's end of the committer.
pub(crate) struct Committer {
    units: mpsc::Sender<Unit>,
    failed: CancellationToken,
    task: JoinHandle<()>,
}

impl Committer {
    /// Starts it; what comes of appends is told by the receiver, which closes when all is done.
    pub(crate) fn start(
        key: GroupKey,
        tenure: Tenure,
        clients: Clients,
        drain: Drain,
    ) -> (Self, mpsc::Receiver<Appended>) {
        let (units, receiver) = mpsc::channel(QUEUE);
        let (done, appended) = mpsc::channel(MOST_UNKEPT);
        let failed = CancellationToken::new();
        let carrier = Carrier {
            subject: subjects::room(key.app, &key.group_id),
            appender: Appender::start(&key, &tenure, &clients, done),
            log: None,
            deliveries: Deliveries::new(key.clone(), clients.clone(), drain.clone()),
            drain,
            key,
            tenure,
            clients,
            failed: failed.clone(),
            published: v1::RoomPosition::default(),
        };
        (Self { units, failed, task: tokio::spawn(carrier.run(receiver)) }, appended)
    }

    /// Hands a unit on; it is carried out after all earlier ones.
    pub(crate) async fn carry_out(&self, unit: Unit) {
        // Refused only after a failure; dropping the unit answers its callers.
        let _ = self.units.send(unit).await;
    }

    /// Resolves when something could not be saved, or went out no more: the state in memory is ahead
    /// of what others know, and has to be thrown away.
    pub(crate) async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Waits until everything is carried out.
    pub(crate) async fn finish(self) {
        drop(self.units);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "committer ended badly");
        }
    }
}

struct Carrier {
    key: GroupKey,
    tenure: Tenure,
    subject: String,
    clients: Clients,
    drain: Drain,
    failed: CancellationToken,
    appender: Appender,
    /// The group's log, once this committer has to do with it.
    log: Option<Log>,
    deliveries: Deliveries,
    /// Where the event stands that went out last.
    published: v1::RoomPosition,
}

impl Carrier {
    async fn run(mut self, mut units: mpsc::Receiver<Unit>) {
        let mut batch = Vec::new();
        let mut in_order = true;
        while units.recv_many(&mut batch, QUEUE).await > 0 {
            if let Err(failure) = self.carry_out_in_lives(&mut batch).await {
                in_order = false;
                self.failed.cancel();
                units.close();
                refuse(batch.drain(..), &failure);
                while let Some(unit) = units.recv().await {
                    refuse(std::iter::once(unit), &failure);
                }
                break;
            }
        }
        self.appender.finish().await;
        if in_order && let Some(note) = self.log.as_ref().and_then(Log::closing_note) {
            let mut saver = Saver::new(&*self.clients.store, &self.tenure);
            if let Err(error) = saver.save_rows(&self.key, vec![note]).await {
                // The next owner finds the end all the same, by one more write.
                tracing::debug!(%error, "a log was not closed");
            }
        }
        self.deliveries.finish().await;
    }

    /// A group may be dismissed and made again within one batch: each life is carried out whole,
    /// or the end of the first would take the rows of the second. And so is as much as one write of rows
    /// takes.
    ///
    /// # Errors
    /// What becomes of the units that are left in the batch, and of all that follow.
    async fn carry_out_in_lives(&mut self, batch: &mut Vec<Unit>) -> Result<(), Failure> {
        while !batch.is_empty() {
            let later = batch.split_off(together(batch));
            let units = std::mem::replace(batch, later);
            let dismissed = units.iter().any(|unit| unit.dismissed);
            self.carry_out(units).await?;
            if dismissed {
                self.appender.new_life().await;
                if let Some(log) = self.log.take() {
                    self.forget_annotations(&log);
                    log.forget(&self.tenure).await;
                }
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, mut units: Vec<Unit>) -> Result<(), Failure> {
        if let Err(error) = self.make_durable(&mut units).await {
            let (these, later) = self.failures(&error);
            refuse(units.into_iter(), &these);
            return Err(later);
        }
        for unit in &mut units {
            for event in unit.events.drain(..) {
                self.publish(&event);
            }
            if let Some(beacon) = unit.beacon.take() {
                self.send_out(&beacon);
            }
        }
        let mut deliveries = Vec::new();
        let mut kept = Vec::new();
        for unit in units {
            deliveries.extend(unit.deliveries);
            kept.extend(unit.kept);
            for answer in unit.answers {
                answer(Ok(()));
            }
        }
        self.deliveries.send(deliveries).await;
        if !kept.is_empty() {
            self.appender.keep(kept).await;
        }
        Ok(())
    }

    /// When it succeeds, the group was this node's all the while.
    async fn make_durable(&mut self, units: &mut [Unit]) -> Result<(), Unsaved> {
        let (mut messages, mut amendments) = (Vec::new(), Vec::new());
        for unit in &mut *units {
            let open = self.log.as_ref().map(|log| log.life().epoch);
            if let Some(life) = unit.log.filter(|life| open != Some(life.epoch)) {
                self.log = Some(Log::open(&self.key, &self.clients, life));
            }
            messages.append(&mut unit.stored);
            amendments.append(&mut unit.amended);
        }
        if !messages.is_empty()
            && let (Some(log), Some(unit)) = (&mut self.log, units.last_mut())
        {
            unit.ops.extend(log.due_note());
            let tips: Vec<_> =
                messages.iter().filter(|message| message.event == EVENT_TIP).cloned().collect();
            if !tips.is_empty() {
                let row = TipsRow { epoch: log.life().epoch, tips };
                unit.ops.push(put_row(RowKind::Tips, "", &row));
            }
        }
        let mut saver = Saver::new(&*self.clients.store, &self.tenure);
        saver.save(&self.key, units).await?;
        let Some(log) = &mut self.log else { return Ok(()) };
        let mut begun_before = saver.has_begun();
        let lost = |begun_before: bool, error| match error {
            Unsaved::Lost { begun } => Unsaved::Lost { begun: begun || begun_before },
            other => other,
        };
        if !messages.is_empty() {
            let appended = log.append(&self.tenure, messages).await;
            appended.map_err(|error| lost(begun_before, error))?;
            begun_before = true;
        }
        if !amendments.is_empty() {
            let amended = log.amend(&self.tenure, amendments).await;
            amended.map_err(|error| lost(begun_before, error))?;
        }
        Ok(())
    }

    /// Has what was added to the messages of a dismissed group deleted, while others go on: nobody
    /// asks for it again, so what cannot be deleted takes up room, no more.
    fn forget_annotations(&self, log: &Log) {
        let (log, head) = (log.life().log(&self.key), log.head());
        let (store, at) = (Arc::clone(&self.clients.store), self.tenure.stamp());
        self.drain.spawn(async move {
            if let Err(error) = Annotations::of(store, log).forget(head, at).await {
                metrics::counter!("throng_group_router_logs_left_behind_total").increment(1);
                tracing::warn!(%error, "annotations of a dismissed group were not deleted");
            }
        });
    }

    /// What an error means for the units that were to be saved, and for those that follow: they were
    /// decided upon a state that nobody has.
    fn failures(&self, error: &Unsaved) -> (Failure, Failure) {
        let begun = match error {
            Unsaved::Store(_) | Unsaved::Log(_) => {
                tracing::error!(%error, "group state could not be saved");
                metrics::counter!("throng_group_router_commit_failures_total").increment(1);
                if self.tenure.is_current() {
                    let text = "the group's state could not be saved, try again";
                    let refused = Failure::Refused(Code::GROUP_INTERNAL.with(text));
                    return (refused.clone(), refused);
                }
                true
            }
            Unsaved::Lost { begun } => {
                tracing::debug!(begun, "a group is not served here any more");
                metrics::counter!("throng_group_router_commits_lost_total").increment(1);
                *begun
            }
        };
        (if begun { Failure::Unknown } else { Failure::NotBegun }, Failure::NotBegun)
    }

    fn publish(&mut self, event: &v1::RoomEvent) {
        let position = event.position.unwrap_or_default();
        invariant!(Rec1, follows(self.published, position), "{position:?} goes out too early");
        self.published = position;
        self.send_out(event);
    }

    fn send_out(&self, event: &v1::RoomEvent) {
        let payload = Bytes::from(event.encode_to_vec());
        if let Err(error) = self.clients.bus.publish(&self.subject, payload) {
            // Gateways see the hole in the numbers and fetch.
            tracing::warn!(%error, "room event was not published");
        }
    }
}

/// How many of the first units are carried out together: up to the end of a life, and while their rows fit
/// into one batch, which is all or nothing.
fn together(units: &[Unit]) -> usize {
    // A note, and tips.
    const ADDED: usize = 2;
    let mut ops = ADDED;
    let mut number = 0;
    for unit in units {
        ops += unit.ops.len();
        if number > 0 && ops > Batch::MAX_OPS {
            break;
        }
        number += 1;
        if unit.dismissed {
            break;
        }
    }
    number
}

/// Whether an event is the next one of its stream, or the first of a later one.
fn follows(before: v1::RoomPosition, position: v1::RoomPosition) -> bool {
    let next = if before.epoch == position.epoch { before.event_no + 1 } else { 1 };
    position.epoch >= before.epoch && position.event_no == next
}

/// None of their effects is carried out.
fn refuse(units: impl Iterator<Item = Unit>, failure: &Failure) {
    for unit in units {
        for answer in unit.answers {
            answer(Err(failure.clone()));
        }
        for reply in unit.kept.into_iter().filter_map(|kept| kept.reply) {
            reply.refuse(failure.clone());
        }
    }
}
