//! The audiences that this node holds: the members of large groups who are at home here, in the state
//! in which the group's owner told of them. What does not fit any more is dropped, and told anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use throng_proto::v1;

use crate::core::{AudienceId, Refusal, Standing, Step};
use crate::shards::Shards;

/// An audience that nothing went to for so long is dropped, in milliseconds: its group is not in its
/// owner's memory any more.
const IDLE: u64 = 5 * 60_000;

type Key = (u32, Arc<str>);

/// All of them.
#[derive(Debug)]
pub(crate) struct Audiences {
    shards: Arc<Shards>,
    /// Names that may be held.
    most: usize,
    names: AtomicUsize,
    next: AtomicU64,
    held: Mutex<HashMap<Key, Arc<Held>>>,
}

/// One of them.
#[derive(Debug)]
struct Held {
    id: AudienceId,
    app: u32,
    /// The list of nodes by which its members are at home here.
    homes: u64,
    /// On the clock of [`Shards::now`].
    used: AtomicU64,
    /// Held while something is done with it, so that one thing follows the other.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    standing: Standing,
    names: usize,
    /// Nobody finds it any more.
    dropped: bool,
}

impl Audiences {
    pub(crate) fn new(shards: Arc<Shards>, most: usize) -> Self {
        Self {
            shards,
            most,
            names: AtomicUsize::new(0),
            next: AtomicU64::new(1),
            held: Mutex::default(),
        }
    }

    /// Takes a part of a registration in; its members are at home here by the list `homes`.
    pub(crate) fn register(
        &self,
        homes: u64,
        request: &v1::RegisterAudienceRequest,
    ) -> Result<(), Refusal> {
        let audience = request.audience.as_ref().ok_or(Refusal::Unknown)?;
        let held = self.find_or_begin(homes, audience, request.place)?;
        let mut state = held.state.lock();
        if state.dropped {
            return Err(Refusal::Unknown);
        }
        let named = (audience.term, audience.version, homes);
        match Standing::judge(Some(&state.standing), named, request.place)? {
            Step::Again => return Ok(()),
            // Somebody else did meanwhile.
            Step::Begin => return Err(Refusal::Version),
            Step::Go => {}
        }
        let more = request.members.len();
        if state.names + more > self.most || !self.make_room(&held, more) {
            drop(state);
            self.drop_one(&held, "full");
            return Err(Refusal::Full);
        }
        for member in &request.members {
            self.join(&held, &mut state, member);
        }
        state.standing.took(request.last);
        Ok(())
    }

    fn find_or_begin(
        &self,
        homes: u64,
        audience: &v1::Audience,
        place: u32,
    ) -> Result<Arc<Held>, Refusal> {
        let key: Key = (audience.app, Arc::from(audience.group_id.as_str()));
        let known = self.held.lock().get(&key).cloned();
        let before = known.as_ref().map(|held| held.state.lock().standing.clone());
        let named = (audience.term, audience.version, homes);
        match (Standing::judge(before.as_ref(), named, place)?, known) {
            (Step::Go | Step::Again, Some(held)) => return Ok(held),
            (_, Some(held)) => self.drop_one(&held, "renewed"),
            (_, None) => {}
        }
        let standing = Standing::begin(audience.term, audience.version, homes, before.as_ref());
        let held = Arc::new(Held {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            app: audience.app,
            homes,
            used: AtomicU64::new(self.shards.now().mono),
            state: Mutex::new(State { standing, names: 0, dropped: false }),
        });
        let other = self.held.lock().insert(key, Arc::clone(&held));
        if let Some(other) = other {
            self.clear(&other, "renewed");
        }
        Ok(held)
    }

    /// Makes the changes that come with a delivery, and has it carried out unless that was done.
    /// Nothing else happens to the audience meanwhile.
    pub(crate) fn deliver<R: Default>(
        &self,
        homes: u64,
        request: &v1::DeliverToAudienceRequest,
        carry_out: impl FnOnce(AudienceId) -> R,
    ) -> Result<R, Refusal> {
        let audience = request.audience.as_ref().ok_or(Refusal::Unknown)?;
        let key: Key = (audience.app, Arc::from(audience.group_id.as_str()));
        let held = self.held.lock().get(&key).cloned().ok_or(Refusal::Unknown)?;
        held.used.store(self.shards.now().mono, Ordering::Relaxed);
        let mut state = held.state.lock();
        if state.dropped {
            return Err(Refusal::Unknown);
        }
        let checked = state.standing.check((audience.term, homes), request.from, audience.version);
        if checked == Err(Refusal::Homes) {
            drop(state);
            self.drop_one(&held, "moved");
            return Err(Refusal::Homes);
        }
        if checked? {
            if !self.make_room(&held, request.changed.len()) {
                return Err(Refusal::Full);
            }
            for user in &request.gone {
                self.leave(&held, &mut state, user);
            }
            for member in &request.changed {
                self.join(&held, &mut state, member);
            }
            state.standing.changed(audience.version);
        }
        let news = request.number != 0 && state.standing.deliver(request.number);
        Ok(if news { carry_out(held.id) } else { R::default() })
    }

    fn join(&self, held: &Held, state: &mut State, member: &v1::AudienceMember) {
        let came = self.shards.change(held.app, &member.user, |index| {
            index.join_audience(held.id, held.app, &member.user, member.discards)
        });
        if came {
            state.names += 1;
            self.names.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn leave(&self, held: &Held, state: &mut State, user: &str) {
        if self.shards.change(held.app, user, |index| index.leave_audience(held.id, user)) {
            state.names -= 1;
            self.names.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Drops those that were used least lately, until there is room for more names of this one. False:
    /// there is none.
    fn make_room(&self, of: &Held, more: usize) -> bool {
        while self.names.load(Ordering::Relaxed) + more > self.most {
            let oldest = {
                let held = self.held.lock();
                let others = held.values().filter(|other| other.id != of.id);
                others.min_by_key(|other| other.used.load(Ordering::Relaxed)).cloned()
            };
            // One that is in use may wait for this one in turn.
            let Some(oldest) = oldest else { return false };
            let Some(state) = oldest.state.try_lock() else { return false };
            self.forget(&oldest);
            self.empty(&oldest, state, "full");
        }
        true
    }

    /// Drops what was not used for long, and what was shared out by another list of nodes.
    pub(crate) fn tidy(&self, homes: u64) {
        let now = self.shards.now().mono;
        let held: Vec<Arc<Held>> = self.held.lock().values().cloned().collect();
        for held in held {
            if held.used.load(Ordering::Relaxed) + IDLE <= now {
                self.drop_one(&held, "idle");
            } else if held.homes != homes {
                self.drop_one(&held, "moved");
            }
        }
    }

    fn drop_one(&self, held: &Arc<Held>, why: &'static str) {
        self.forget(held);
        self.clear(held, why);
    }

    /// Takes it out of the list, where it is still the one there.
    fn forget(&self, held: &Arc<Held>) {
        self.held.lock().retain(|_, other| other.id != held.id);
    }

    fn clear(&self, held: &Held, why: &'static str) {
        self.empty(held, held.state.lock(), why);
    }

    fn empty(&self, held: &Held, mut state: parking_lot::MutexGuard<'_, State>, why: &'static str) {
        if std::mem::replace(&mut state.dropped, true) {
            return;
        }
        self.shards.drop_audience(held.id);
        self.names.fetch_sub(state.names, Ordering::Relaxed);
        metrics::counter!("throng_presence_audiences_dropped_total", "reason" => why).increment(1);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.held.lock().len()
    }

    /// How many names they have together.
    pub(crate) fn names(&self) -> usize {
        self.names.load(Ordering::Relaxed)
    }
}
