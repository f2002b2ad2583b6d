//! Carries out the effects of a group's jobs in order: what has to be durable first, then what goes
//! out, then the answers. Units that pile up meanwhile share one write (group commit).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use throng_bus::subjects;
use throng_node::drain::Drain;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_store::{Batch, Op, StoreError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::append::Appender;
use super::{Appended, GroupKey, MOST_UNKEPT, Unit};
use crate::clients::Clients;
use crate::storage::{GROUP_STATE, list_op, listing_partition, state_partition, unlist};

/// Units that may wait; then the actor waits too.
const QUEUE: usize = 64;
/// Time that presence has to take one notice.
const NOTICE_TIME: Duration = Duration::from_secs(5);

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
        clients: Clients,
        drain: Drain,
    ) -> (Self, mpsc::Receiver<Appended>) {
        let (units, receiver) = mpsc::channel(QUEUE);
        let (done, appended) = mpsc::channel(MOST_UNKEPT);
        let failed = CancellationToken::new();
        let carrier = Carrier {
            subject: subjects::room(key.app, &key.group_id),
            appender: Appender::start(&key, &clients, done),
            key,
            clients,
            drain,
            failed: failed.clone(),
            notices: None,
            published: v1::RoomPosition::default(),
        };
        (Self { units, failed, task: tokio::spawn(carrier.run(receiver)) }, appended)
    }

    /// Hands a unit on; it is carried out after all earlier ones.
    pub(crate) async fn carry_out(&self, unit: Unit) {
        // Refused only after a failure; dropping the unit answers its callers.
        let _ = self.units.send(unit).await;
    }

    /// Resolves when something could not be saved: the state in memory is ahead of the store, and
    /// has to be thrown away.
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
    subject: String,
    clients: Clients,
    drain: Drain,
    failed: CancellationToken,
    appender: Appender,
    /// The notices that went out last; the next ones follow them.
    notices: Option<JoinHandle<()>>,
    /// Where the event stands that went out last.
    published: v1::RoomPosition,
}

impl Carrier {
    async fn run(mut self, mut units: mpsc::Receiver<Unit>) {
        let mut batch = Vec::new();
        while units.recv_many(&mut batch, QUEUE).await > 0 {
            if let Err(error) = self.carry_out_in_lives(&mut batch).await {
                tracing::error!(%error, "group state could not be saved");
                metrics::counter!("throng_group_commit_failures_total").increment(1);
                self.failed.cancel();
                units.close();
                refuse(batch.drain(..), &error);
                while let Some(unit) = units.recv().await {
                    refuse(std::iter::once(unit), &error);
                }
                break;
            }
        }
        self.appender.finish().await;
    }

    /// A group may be dismissed and made again within one batch: each life is carried out whole,
    /// or the end of the first would take the rows of the second.
    async fn carry_out_in_lives(&mut self, batch: &mut Vec<Unit>) -> Result<(), CommandError> {
        loop {
            let end = batch.iter().position(|unit| unit.dismissed);
            let Some(end) = end else { break };
            let next_life = batch.split_off(end + 1);
            let carried_out = self.carry_out(batch).await;
            batch.extend(next_life);
            carried_out?;
            self.appender.new_life().await;
        }
        self.carry_out(batch).await
    }

    async fn carry_out(&mut self, batch: &mut Vec<Unit>) -> Result<(), CommandError> {
        self.save(batch).await.map_err(|error| {
            tracing::debug!(%error, "a write failed");
            Code::GROUP_INTERNAL.with("the group's state could not be saved, try again")
        })?;
        for event in batch.iter_mut().flat_map(|unit| unit.events.drain(..)) {
            self.publish(&event);
        }
        let mut notices = Vec::new();
        let mut kept = Vec::new();
        for unit in batch.drain(..) {
            notices.extend(unit.notices);
            kept.extend(unit.kept);
            for answer in unit.answers {
                answer(Ok(()));
            }
        }
        if !notices.is_empty() {
            self.deliver(notices);
        }
        if !kept.is_empty() {
            self.appender.keep(kept).await;
        }
        Ok(())
    }

    /// One durable write for the rows of all units; a later unit's row replaces an earlier one's.
    async fn save(&self, batch: &mut [Unit]) -> Result<(), StoreError> {
        let GroupKey { app, group_id } = &self.key;
        let store = &*self.clients.store;
        let dismissed = batch.iter().any(|unit| unit.dismissed);
        let created = batch.iter().find_map(|unit| unit.created);
        if let Some(kind) = created {
            // The list first: an entry without a group is harmless, a group that no list shows is
            // lost.
            let listing = Batch::durable(listing_partition(*app, group_id));
            store.write(listing.with(list_op(group_id, kind.as_str()))).await?;
        }
        let ops = last_of_each_row(batch.iter_mut().flat_map(|unit| unit.ops.drain(..)));
        let partition = state_partition(*app, group_id);
        let mut rows = Batch::durable(partition.clone());
        for op in ops {
            if rows.len() == Batch::MAX_OPS {
                let full = std::mem::replace(&mut rows, Batch::durable(partition.clone()));
                store.write(full).await?;
            }
            rows.push(op);
        }
        if !rows.is_empty() {
            store.write(rows).await?;
        }
        if dismissed {
            store.delete_partition(&GROUP_STATE, &partition, None).await?;
            unlist(store, *app, group_id).await?;
        }
        Ok(())
    }

    fn publish(&mut self, event: &v1::RoomEvent) {
        let position = event.position.unwrap_or_default();
        debug_assert!(follows(self.published, position), "REC-1: {position:?} goes out too early");
        self.published = position;
        let payload = Bytes::from(event.encode_to_vec());
        if let Err(error) = self.clients.bus.publish(&self.subject, payload) {
            // Gateways see the hole in the numbers and fetch.
            tracing::warn!(%error, "room event was not published");
        }
    }

    /// Notices go out beside the room's stream, one after the other; presence repeats what has to
    /// arrive. The end of the process waits for them, the room does not.
    fn deliver(&mut self, notices: Vec<v1::DeliverRequest>) {
        let mut presence = self.clients.presence.clone();
        let before = self.notices.take();
        self.notices = Some(self.drain.spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            for notice in notices {
                match timeout(NOTICE_TIME, presence.deliver(notice)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(status)) => {
                        tracing::warn!(code = %status.code(), "notice was not delivered");
                    }
                    Err(_) => tracing::warn!("presence did not take a notice in time"),
                }
            }
        }));
    }
}

/// Whether an event is the next one of its stream, or the first of a later one.
fn follows(before: v1::RoomPosition, position: v1::RoomPosition) -> bool {
    let next = if before.epoch == position.epoch { before.event_no + 1 } else { 1 };
    position.epoch >= before.epoch && position.event_no == next
}

/// A batch may name a row only once: of several writes the last one counts.
fn last_of_each_row(all: impl Iterator<Item = Op>) -> Vec<Op> {
    let mut ops: Vec<Op> = Vec::new();
    let mut places = HashMap::new();
    for op in all {
        match places.entry(op.clustering().clone()) {
            Entry::Occupied(place) => ops[*place.get()] = op,
            Entry::Vacant(place) => {
                place.insert(ops.len());
                ops.push(op);
            }
        }
    }
    ops
}

fn refuse(units: impl Iterator<Item = Unit>, error: &CommandError) {
    for unit in units {
        for answer in unit.answers {
            answer(Err(error.clone()));
        }
        for reply in unit.kept.into_iter().filter_map(|kept| kept.reply) {
            reply.send(Err(error.clone()));
        }
    }
}
