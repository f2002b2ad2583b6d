//! The indexes, split by user so that decisions about different users seldom wait for each other,
//! each with its journal. Brings users in from the store and writes journals out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use parking_lot::Mutex;
use throng_node::time;
use throng_store::{Batch, Op, Page, Store, StoreError};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::config::Config;
use crate::core::{Among, AudienceId, Effect, Index, Now, Routes, Settings, Stay, StoredState};
use crate::journal::{Change, Journal, Part};
use crate::row;

const SHARDS: usize = 64;
/// Users being brought in from the store at the same time.
const LOADING: usize = 256;
/// A login does not wait longer for what the store knows.
const LOAD_TIMEOUT: Duration = Duration::from_secs(2);
/// Users whose rows are written in one round of a shard.
const ROUND: usize = 1024;
/// Sessions that one turn of the timers looks at before it lets others in.
const EXPIRE_TURN: usize = 500;
/// Rooms that are tracked of one session; the app's own limit is lower.
const MAX_ROOMS: usize = 1000;

/// One part of the users.
#[derive(Debug)]
struct Shard {
    index: Index,
    journal: Journal,
}

/// All users.
#[derive(Debug)]
pub(crate) struct Shards {
    shards: Vec<Mutex<Shard>>,
    /// Held while a user is brought in, so that two requests do not do it twice.
    loading: Vec<tokio::sync::Mutex<()>>,
    /// Rounds of writing do not overlap.
    flushing: tokio::sync::Mutex<()>,
    store: Arc<dyn Store>,
    started: Instant,
    room_memory: Duration,
    kick_memory: Duration,
}

impl Shards {
    pub(crate) fn new(config: &Config, store: Arc<dyn Store>) -> Self {
        let settings = Settings {
            grace: millis(config.grace()),
            refresh: millis(config.room_memory()) / 2,
            kick_memory: millis(config.kick_memory()),
            max_rooms: MAX_ROOMS,
            max_watched: config.watches_per_session as usize,
        };
        let shard = || Shard { index: Index::new(settings), journal: Journal::default() };
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            loading: (0..LOADING).map(|_| tokio::sync::Mutex::new(())).collect(),
            flushing: tokio::sync::Mutex::new(()),
            store,
            started: Instant::now(),
            room_memory: config.room_memory(),
            kick_memory: config.kick_memory(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: millis(self.started.elapsed()), wall: time::now_seconds() }
    }

    /// Looks something up about a user, in memory only.
    pub(crate) fn look<R>(&self, app: u32, user: &str, look: impl FnOnce(&Index) -> R) -> R {
        look(&self.shard(app, user).lock().index)
    }

    /// Changes what is known of a user beside the sessions.
    pub(crate) fn change<R>(
        &self,
        app: u32,
        user: &str,
        change: impl FnOnce(&mut Index) -> R,
    ) -> R {
        change(&mut self.shard(app, user).lock().index)
    }

    /// The way to all of an audience: see [`Index::route_audience`].
    pub(crate) fn route_audience(&self, id: AudienceId, among: Among<'_>) -> Routes {
        let mut routes = Routes::default();
        for shard in &self.shards {
            shard.lock().index.route_audience(id, among, &mut routes);
        }
        routes
    }

    /// All names of an audience: see [`Index::name_audience`].
    pub(crate) fn name_audience(&self, id: AudienceId, among: Among<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for shard in &self.shards {
            shard.lock().index.name_audience(id, among, &mut names);
        }
        names
    }

    /// Forgets an audience.
    pub(crate) fn drop_audience(&self, id: AudienceId) {
        for shard in &self.shards {
            shard.lock().index.drop_audience(id);
        }
    }

    /// See [`Index::audience_online`].
    pub(crate) fn audience_online(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().index.audience_online()).sum()
    }

    /// Decides something about a user, bringing in first what the store knows. Where the store does
    /// not answer, nothing is known: a login succeeds all the same.
    pub(crate) async fn decide<R>(
        &self,
        app: u32,
        user: &str,
        decision: impl FnOnce(&mut Index, Now, &mut Vec<Effect>) -> R,
    ) -> (R, Vec<Effect>) {
        let shard = self.shard(app, user);
        {
            let mut shard = shard.lock();
            if shard.index.knows(app, user) {
                return self.conclude(&mut shard, decision);
            }
        }
        let _turn = self.loading[hash(app, user) as usize % LOADING].lock().await;
        let mut tries = 0;
        loop {
            let rounds = shard.lock().journal.rounds();
            let mut rows = self.read(app, user).await;
            let mut shard = shard.lock();
            tries += 1;
            if shard.journal.rounds() != rounds && tries < 3 {
                continue;
            }
            let mut effects = Vec::new();
            if !shard.index.knows(app, user) {
                shard.journal.overlay(app, user, &mut rows);
                let memory = row::decode(rows);
                shard.index.restore(self.now(), app, user, memory, &mut effects);
            }
            self.settle(&mut shard.journal, &mut effects);
            let (result, more) = self.conclude(&mut shard, decision);
            effects.extend(more);
            return (result, effects);
        }
    }

    fn conclude<R>(
        &self,
        shard: &mut Shard,
        decision: impl FnOnce(&mut Index, Now, &mut Vec<Effect>) -> R,
    ) -> (R, Vec<Effect>) {
        let mut effects = Vec::new();
        let result = decision(&mut shard.index, self.now(), &mut effects);
        self.settle(&mut shard.journal, &mut effects);
        (result, effects)
    }

    /// Moves what is to be stored into the journal; under the same lock as the decision, so that the
    /// order of decisions is the order of writes.
    fn settle(&self, journal: &mut Journal, effects: &mut Vec<Effect>) {
        let wall = time::now_micros();
        let before = journal.len();
        effects.retain(|effect| match effect {
            Effect::Save { session, stored } => {
                let ttl = match stored.state {
                    StoredState::Live | StoredState::Lapsed => self.room_memory,
                    StoredState::Kicked(_) => self.kick_memory,
                };
                let change = Change::Put { value: row::encode_session(stored), ttl };
                journal.note(wall, (session.app, &session.user), session.inst_id, change);
                false
            }
            Effect::Erase { session } => {
                let user = (session.app, &session.user);
                journal.note(wall, user, session.inst_id, Change::Delete);
                false
            }
            Effect::SaveUser { app, user, not_before, custom_status } => {
                let value = row::encode_user(*not_before, custom_status);
                let change = Change::Put { value, ttl: self.kick_memory };
                journal.note(wall, (*app, user), row::USER_ROW, change);
                false
            }
            Effect::Kick { .. }
            | Effect::Detach { .. }
            | Effect::Watch { .. }
            | Effect::Unwatch { .. }
            | Effect::Status { .. }
            | Effect::Mention { .. } => true,
        });
        unwritten(before, journal.len());
    }

    async fn read(&self, app: u32, user: &str) -> BTreeMap<u32, Bytes> {
        let partition = row::partition(app, user);
        let page = self.store.page(&row::PRESENCE_ROOMS, &partition, Page::forward(row::MAX_ROWS));
        let rows = match tokio::time::timeout(LOAD_TIMEOUT, page).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => {
                tracing::warn!(%error, "sessions of a user could not be read");
                return BTreeMap::new();
            }
            Err(_) => {
                tracing::warn!("sessions of a user could not be read in time");
                return BTreeMap::new();
            }
        };
        rows.into_iter().filter_map(|row| Some((row.clustering.get_u32(0)?, row.value))).collect()
    }

    /// Ends grace periods that are due. Effects are handed over turn by turn, while there is room for
    /// them; the rest stays due.
    pub(crate) fn expire(
        &self,
        stay: &impl Stay,
        has_room: impl Fn() -> bool,
        carry: impl Fn(Vec<Effect>),
    ) {
        for shard in &self.shards {
            while has_room() {
                let mut shard = shard.lock();
                let mut effects = Vec::new();
                let looked = shard.index.expire(self.now(), EXPIRE_TURN, stay, &mut effects);
                self.settle(&mut shard.journal, &mut effects);
                drop(shard);
                carry(effects);
                if looked < EXPIRE_TURN {
                    break;
                }
            }
        }
    }

    /// Sessions lose their connections: see [`Index::lower_all`].
    pub(crate) fn lower_all(&self, gateway: &str, before: u64) -> usize {
        let lower =
            |shard: &Mutex<Shard>| shard.lock().index.lower_all(self.now(), gateway, before);
        self.shards.iter().map(lower).sum()
    }

    /// Forgets users who are at home elsewhere: see [`Index::forget`]. What is to be written of them
    /// still is.
    pub(crate) fn forget(
        &self,
        is_theirs: impl Fn(u32, &str) -> bool,
        carry: impl Fn(Vec<Effect>),
    ) -> usize {
        let mut forgotten = 0;
        for shard in &self.shards {
            let mut effects = Vec::new();
            forgotten += shard.lock().index.forget(self.now(), &is_theirs, &mut effects);
            carry(effects);
        }
        forgotten
    }

    /// Forgets one user.
    pub(crate) fn forget_user(&self, app: u32, user: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.shard(app, user).lock().index.forget_one(self.now(), app, user, &mut effects);
        effects
    }

    /// Writes what waits, once. False: the store did not take all of it.
    pub(crate) async fn flush(&self) -> bool {
        let _turn = self.flushing.lock().await;
        let mut complete = true;
        for shard in &self.shards {
            loop {
                let round = shard.lock().journal.begin_round(ROUND);
                if round.is_empty() {
                    break;
                }
                let full = round.len() == ROUND;
                let failed = self.write(round).await;
                complete &= failed.is_empty();
                let mut shard = shard.lock();
                let before = shard.journal.len();
                shard.journal.end_round(&failed);
                unwritten(before, shard.journal.len());
                let lost = shard.journal.take_lost();
                if lost > 0 {
                    metrics::counter!("throng_presence_writes_lost_total").increment(lost);
                }
                if !full || !failed.is_empty() {
                    break;
                }
            }
        }
        complete
    }

    async fn write(&self, round: Vec<Part>) -> Vec<(u32, Arc<str>)> {
        let writes = round.into_iter().map(|(app, user, pending)| async move {
            let mut batch = Batch::behind(row::partition(app, &user)).at(pending.at);
            for (inst_id, change) in pending.changes {
                let key = throng_store::key![inst_id];
                batch.push(match change {
                    Change::Put { value, ttl } => {
                        Op::put(&row::PRESENCE_ROOMS, key, value).ttl(ttl)
                    }
                    Change::Delete => Op::delete(&row::PRESENCE_ROOMS, key),
                });
            }
            let written: Result<(), StoreError> = self.store.write(batch).await;
            written.err().map(|error| ((app, user), error))
        });
        let failed: Vec<_> = join_all(writes).await.into_iter().flatten().collect();
        if let Some((_, error)) = failed.first() {
            tracing::warn!(%error, users = failed.len(), "sessions could not be written");
        }
        failed.into_iter().map(|(key, _)| key).collect()
    }

    /// Sessions online or within their grace period.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().index.len()).sum()
    }

    /// Sessions with a connection.
    pub(crate) fn connected(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().index.connected()).sum()
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.shards.iter().all(|shard| shard.lock().journal.is_empty())
    }

    fn shard(&self, app: u32, user: &str) -> &Mutex<Shard> {
        &self.shards[hash(app, user) as usize % SHARDS]
    }
}

/// The number of changes that wait has become another one.
fn unwritten(before: usize, now: usize) {
    if before != now {
        metrics::gauge!("throng_presence_unwritten").increment(now as f64 - before as f64);
    }
}

fn hash(app: u32, user: &str) -> u32 {
    // The upper half: cut down on purpose, it only spreads.
    (xxh3_64_with_seed(user.as_bytes(), app.into()) >> 32) as u32
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
