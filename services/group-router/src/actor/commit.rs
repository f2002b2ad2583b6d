//! Carries out the effects of a group's jobs in order: what has to be durable first, then what goes
//! out, then the answers. Units that pile up meanwhile share one write (group commit).

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use throng_bus::subjects;
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_store::{Batch, Op};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::turn::Answer;
use super::{GroupKey, Unit};
use crate::clients::Clients;
use crate::storage::{GROUP_STATE, state_partition, unlist};

/// Units that may wait; then the actor waits too.
const QUEUE: usize = 64;
/// Appends of one group under way at once.
const APPENDS: usize = 4;

/// The actor's end of the committer.
pub(crate) struct Committer {
    units: mpsc::Sender<Unit>,
    failed: CancellationToken,
    task: JoinHandle<()>,
}

impl Committer {
    pub(crate) fn start(key: GroupKey, clients: Clients) -> Self {
        let (units, receiver) = mpsc::channel(QUEUE);
        let failed = CancellationToken::new();
        let carrier = Carrier {
            subject: subjects::room(key.app, &key.group_id),
            key,
            clients,
            failed: failed.clone(),
            appends: JoinSet::new(),
        };
        Self { units, failed, task: tokio::spawn(carrier.run(receiver)) }
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

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_cancelled()
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
    failed: CancellationToken,
    appends: JoinSet<()>,
}

impl Carrier {
    async fn run(mut self, mut units: mpsc::Receiver<Unit>) {
        let mut batch = Vec::new();
        while units.recv_many(&mut batch, QUEUE).await > 0 {
            if let Err(error) = self.carry_out_in_lives(&mut batch).await {
                tracing::error!(%error, "group state could not be saved");
                self.failed.cancel();
                units.close();
                refuse(batch.drain(..), &error);
                while let Some(unit) = units.recv().await {
                    refuse(std::iter::once(unit), &error);
                }
                break;
            }
        }
        while self.appends.join_next().await.is_some() {}
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
        }
        self.carry_out(batch).await
    }

    async fn carry_out(&mut self, batch: &mut Vec<Unit>) -> Result<(), CommandError> {
        self.save(batch).await?;
        for unit in batch.iter_mut() {
            for event in unit.events.drain(..) {
                self.publish(&event);
            }
        }
        self.deliver(batch.iter_mut().flat_map(|unit| unit.notices.drain(..)).collect());
        let mut messages = Vec::new();
        let mut waiting = Vec::new();
        for unit in batch.drain(..) {
            if unit.appends.is_empty() {
                for answer in unit.answers {
                    answer(Ok(()));
                }
            } else {
                messages.extend(unit.appends);
                waiting.extend(unit.answers);
            }
        }
        if !messages.is_empty() {
            self.append(messages, waiting).await;
        }
        Ok(())
    }

    /// One durable write for the rows of all units; a later unit's row replaces an earlier one's.
    async fn save(&self, batch: &mut [Unit]) -> Result<(), CommandError> {
        let partition = state_partition(self.key.app, &self.key.group_id);
        let internal = |error: throng_store::StoreError| {
            Code::GROUP_INTERNAL.with(format!("the group's state could not be saved: {error}"))
        };
        let mut ops: Vec<Op> = Vec::new();
        let mut places = HashMap::new();
        for op in batch.iter_mut().flat_map(|unit| unit.ops.drain(..)) {
            match places.entry(op.clustering().clone()) {
                std::collections::hash_map::Entry::Occupied(place) => ops[*place.get()] = op,
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(ops.len());
                    ops.push(op);
                }
            }
        }
        let dismissed = batch.iter().any(|unit| unit.dismissed);
        let store = &*self.clients.store;
        for chunk in ops.chunks(Batch::MAX_OPS) {
            let rows = chunk.iter().cloned().fold(Batch::durable(partition.clone()), Batch::with);
            store.write(rows).await.map_err(internal)?;
        }
        if dismissed {
            store.delete_partition(&GROUP_STATE, &partition).await.map_err(internal)?;
            unlist(store, self.key.app, &self.key.group_id).await.map_err(internal)?;
        }
        Ok(())
    }

    fn publish(&self, event: &v1::RoomEvent) {
        let payload = Bytes::from(event.encode_to_vec());
        if let Err(error) = self.clients.bus.publish(&self.subject, payload) {
            // Gateways see the hole in the numbers and fetch.
            tracing::warn!(%error, "room event was not published");
        }
    }

    /// Notices go out beside the room's stream; presence retries what has to arrive.
    fn deliver(&self, notices: Vec<v1::DeliverRequest>) {
        if notices.is_empty() {
            return;
        }
        let mut presence = self.clients.presence.clone();
        tokio::spawn(async move {
            for notice in notices {
                if let Err(status) = presence.deliver(notice).await {
                    tracing::warn!(code = %status.code(), "notice was not delivered");
                }
            }
        });
    }

    /// Keeps messages, then answers their senders. Several appends may be under way.
    async fn append(&mut self, messages: Vec<v1::StoredMessage>, waiting: Vec<Answer>) {
        while self.appends.len() >= APPENDS {
            self.appends.join_next().await;
        }
        let mut history = self.clients.history.clone();
        let (app, group_id) = (self.key.app.0, self.key.group_id.to_string());
        self.appends.spawn(async move {
            let request = v1::AppendRoomRequest { app, group_id, messages };
            let outcome = history.append_room(request).await.map(|_| ()).map_err(|status| {
                let info = format!("the message could not be kept: {}", status.message());
                Code::GROUP_INTERNAL.with(info)
            });
            for answer in waiting {
                answer(outcome.clone());
            }
        });
    }
}

fn refuse(units: impl Iterator<Item = Unit>, error: &CommandError) {
    for answer in units.flat_map(|unit| unit.answers) {
        answer(Err(error.clone()));
    }
}
