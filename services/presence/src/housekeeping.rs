//! What presence does without being asked: time passes, changes are written, homes move, statuses
//! arrive, and sessions that only the store remembers are looked for.

use std::time::{Duration, Instant};

use throng_bus::{Delivery, subjects};
use throng_node::drain::Drain;
use throng_store::Key;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::core::{Effect, Index, Now, SessionId, Stay};
use crate::home::Here;
use crate::row::PRESENCE_ROOMS;
use crate::service::Inner;

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(250);
/// Between two looks the process stood still if they are so far apart.
const STOOD_STILL: Duration = Duration::from_secs(1);
/// The drain waits for gateways to say good-bye to their sessions until nothing has come for so
/// long.
const QUIET: Duration = Duration::from_millis(300);
/// Pause before the bus is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// Users of the store that one step of the search looks at, and the pause after it.
const SEARCHED: usize = 200;
const SEARCH_PAUSE: Duration = Duration::from_millis(500);

/// Who may stay although the grace period is over.
struct Rules<'a> {
    here: Here,
    inner: &'a Inner,
}

impl Stay for Rules<'_> {
    fn is_mine(&self, session: &SessionId) -> bool {
        self.here.is_mine(session.app, &session.user)
    }

    fn is_awaited(&self, gateway: &str) -> bool {
        self.inner.roll.is_awaited(gateway)
    }
}

impl Inner {
    /// Ends grace periods, and gateways that were silent for too long.
    pub(crate) async fn keep_time(&self, drain: &Drain) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = drain.draining() => return,
            }
            let pause = last.elapsed();
            last = Instant::now();
            if pause > STOOD_STILL {
                self.roll.forgive(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            }
            self.look_at_clock();
        }
    }

    fn look_at_clock(&self) {
        let here = self.home.now();
        // A node that the cluster does not count on says nothing about others.
        if here.decides() {
            let now = self.shards.now().mono;
            for gateway in self.roll.silent(now) {
                self.end_gateway(&gateway, now, "silent");
            }
        }
        self.roll.settle(self.shards.now().mono);
        self.audiences.tidy(here.homes());
        self.shards.expire(
            &Rules { here, inner: self },
            || self.carrier.has_room(),
            |effects| self.carrier.carry(effects),
        );
        metrics::gauge!("throng_presence_sessions").set(self.shards.len() as f64);
        metrics::gauge!("throng_presence_connected_sessions").set(self.shards.connected() as f64);
        metrics::gauge!("throng_presence_audiences").set(self.audiences.len() as f64);
        metrics::gauge!("throng_presence_audience_names").set(self.audiences.names() as f64);
        let online = self.shards.audience_online() as f64;
        metrics::gauge!("throng_presence_audience_online").set(online);
        metrics::gauge!("throng_presence_gateways").set(self.roll.len() as f64);
        let settled = if self.roll.is_settled() { 1.0 } else { 0.0 };
        metrics::gauge!("throng_presence_settled").set(settled);
    }

    /// Writes changes to the store.
    pub(crate) async fn keep_writing(&self, drain: &Drain) {
        let pause = self.config.write_behind();
        while !drain.is_draining() {
            tokio::select! {
                () = sleep(pause) => {}
                () = drain.draining() => break,
            }
            if !self.shards.flush().await {
                // The store does not take it now; asking more often does not help.
                sleep(pause * 4).await;
            }
        }
        let mut quiet = Duration::ZERO;
        while quiet < QUIET {
            quiet = if self.shards.is_clean() { quiet + pause } else { Duration::ZERO };
            if !self.shards.flush().await {
                break;
            }
            sleep(pause).await;
        }
        self.written_at_once.store(true, std::sync::atomic::Ordering::Release);
        self.shards.flush().await;
    }

    /// Follows who is at home where.
    pub(crate) async fn keep_home(&self, drain: &Drain) {
        let mut watch = self.home.clone();
        let mut before = self.home.now();
        if before.is_listed() {
            self.gain(&before, true);
        }
        self.home.draw(before.version());
        loop {
            tokio::select! {
                () = watch.changed() => {}
                () = drain.draining() => return,
            }
            let now = self.home.now();
            let lost = self.move_home(&before, &now);
            self.home.draw(now.version());
            if lost {
                // The others read what this node wrote.
                self.shards.flush().await;
            }
            before = now;
        }
    }

    /// Forgets users who are at home elsewhere now, and prepares for those who are new here. True:
    /// some were lost.
    fn move_home(&self, before: &Here, now: &Here) -> bool {
        let anew = before.life() != now.life();
        let lost = anew || before.is_listed() && (!now.is_listed() || now.has_more_than(before));
        if lost {
            let forgotten = self.shards.forget(
                |app, user| !now.is_placed_here(app, user),
                |effects| self.carrier.carry(effects),
            );
            self.roll.renew_bonds();
            metrics::counter!("throng_presence_users_moved_total").increment(forgotten as u64);
            tracing::info!(users = forgotten, "users are at home elsewhere now");
        }
        let is_new = anew || !before.is_listed();
        if now.is_listed() && (is_new || before.has_more_than(now)) {
            self.gain(now, is_new);
        }
        lost
    }

    fn gain(&self, now: &Here, is_new: bool) {
        if self.home.is_alone() {
            return;
        }
        tracing::info!(version = now.version(), "this node is the home of more users");
        self.roll.gained(self.shards.now().mono, now.version(), is_new);
        self.search.notify_one();
    }

    /// Tells the sessions of this node that watch users of their statuses.
    pub(crate) async fn keep_statuses(&self, drain: &Drain) {
        if self.home.is_alone() {
            return;
        }
        let until = drain.draining();
        let listen = async {
            loop {
                match self.carrier.bus().subscribe(subjects::user_statuses()).await {
                    Ok(mut statuses) => {
                        while let Some(delivery) = statuses.recv().await {
                            // What is lost is told with the next change.
                            if let Delivery::Message(payload) = delivery {
                                self.carrier.hear_status(&payload);
                            }
                        }
                    }
                    Err(error) => tracing::warn!(%error, "statuses of users do not arrive"),
                }
                sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = listen => {}
            () = until => {}
        }
    }

    /// After another node was lost: brings in users whom the store remembers as online, so that the
    /// grace period ends for those who never come back. Slowly, for this is nobody's hurry.
    pub(crate) async fn keep_searching(&self, drain: &Drain) {
        loop {
            tokio::select! {
                () = self.search.notified() => {}
                () = drain.draining() => return,
            }
            tokio::select! {
                () = self.look_for_lost() => {}
                () = drain.draining() => return,
            }
        }
    }

    async fn look_for_lost(&self) {
        // Those who are there are told of by their gateways first.
        self.roll.settled().await;
        let mut after: Option<Key> = None;
        let mut found: usize = 0;
        loop {
            sleep(SEARCH_PAUSE).await;
            let scan = self.store.scan_partitions(&PRESENCE_ROOMS, after.as_ref(), SEARCHED);
            let users = match scan.await {
                Ok(users) => users,
                Err(error) => {
                    tracing::warn!(%error, "lost sessions cannot be looked for now");
                    sleep(RETRY * 10).await;
                    continue;
                }
            };
            for key in &users {
                let (Some(app), Some(user)) = (key.get_u32(0), key.get_text(1)) else { continue };
                if !self.home.is_mine(app, user)
                    || self.shards.look(app, user, |index| index.knows(app, user))
                {
                    continue;
                }
                let nothing = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
                    index.refused(now, app, user, (0, 0), out);
                    index.knows(app, user)
                };
                found += usize::from(self.decide(app, user, nothing).await.unwrap_or(false));
            }
            match users.into_iter().last() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        if found > 0 {
            metrics::counter!("throng_presence_users_found_total").increment(found as u64);
            tracing::info!(users = found, "the store remembered users whom no gateway told of");
        }
    }
}
