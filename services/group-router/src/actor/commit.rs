//! Carries out the effects of a group's jobs in order: what has to be durable first, then what goes
//! out, then the answers. Units that pile up meanwhile share one write (group commit).

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use throng_bus::subjects;
use throng_node::drain::Drain;
use throng_node::invariant;
use throng_proto::Route;
use throng_proto::v1;
use throng_protocol::error::Code;
use throng_protocol::ids::{AppId, user_hash};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::append::Appender;
use super::save::{Saver, Unsaved};
use super::{Appended, Failure, GroupKey, MOST_UNKEPT, Unit};
use crate::clients::{Clients, routed};
use crate::placement::Tenure;

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
            key,
            tenure,
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
    /// The notices that went out last; the next ones follow them.
    notices: Option<JoinHandle<()>>,
    /// Where the event stands that went out last.
    published: v1::RoomPosition,
}

impl Carrier {
    async fn run(mut self, mut units: mpsc::Receiver<Unit>) {
        let mut batch = Vec::new();
        while units.recv_many(&mut batch, QUEUE).await > 0 {
            if let Err(failure) = self.carry_out_in_lives(&mut batch).await {
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
    }

    /// A group may be dismissed and made again within one batch: each life is carried out whole,
    /// or the end of the first would take the rows of the second.
    ///
    /// # Errors
    /// What becomes of the units that are left in the batch, and of all that follow.
    async fn carry_out_in_lives(&mut self, batch: &mut Vec<Unit>) -> Result<(), Failure> {
        loop {
            let end = batch.iter().position(|unit| unit.dismissed);
            let Some(end) = end else { break };
            let next_life = batch.split_off(end + 1);
            self.carry_out(std::mem::replace(batch, next_life)).await?;
            self.appender.new_life().await;
        }
        self.carry_out(std::mem::take(batch)).await
    }

    async fn carry_out(&mut self, mut units: Vec<Unit>) -> Result<(), Failure> {
        let saved =
            Saver::new(&*self.clients.store, &self.tenure).save(&self.key, &mut units).await;
        if let Err(error) = saved {
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
        let mut notices = Vec::new();
        let mut kept = Vec::new();
        for unit in units {
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

    /// What an error means for the units that were to be saved, and for those that follow: they were
    /// decided upon a state that nobody has.
    fn failures(&self, error: &Unsaved) -> (Failure, Failure) {
        let begun = match error {
            Unsaved::Store(error) => {
                tracing::error!(%error, "group state could not be saved");
                metrics::counter!("throng_group_commit_failures_total").increment(1);
                if self.tenure.is_current() {
                    let text = "the group's state could not be saved, try again";
                    let refused = Failure::Refused(Code::GROUP_INTERNAL.with(text));
                    return (refused.clone(), refused);
                }
                true
            }
            Unsaved::Lost { begun } => {
                tracing::debug!(begun, "a group is not served here any more");
                metrics::counter!("throng_group_lost_commits_total").increment(1);
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
                // It shares the notice out where its users are at home on several nodes.
                let hash = notice.users.first().map(|user| user_hash(AppId(notice.app), user));
                let home = Route::hash(hash.unwrap_or_default());
                let request = routed(home, NOTICE_TIME, notice);
                match timeout(NOTICE_TIME, presence.deliver(request)).await {
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
