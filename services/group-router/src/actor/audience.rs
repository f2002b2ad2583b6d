//! Deliveries to all members of a large group. Presence is told once who they are, and then who comes
//! and goes; a delivery names nobody. Where presence does not know the members any more, since one of its
//! nodes was lost or users have other homes, it is told anew, and if that does not work either, this
//! one delivery names them all.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use throng_proto::Route;
use throng_proto::v1;
use throng_protocol::ids::group_hash;
use tokio::time::{Instant, sleep, timeout};

use super::GroupKey;
use super::deliver::{CALL_TIME, Delivery, To, USERS, deliver_to};
use crate::clients::{Clients, routed};
use crate::core::audience::{Audience, Names};

/// How often a delivery is tried before it names everybody.
const TRIES: u32 = 3;
/// Time for one call of a try: as long as the nodes ask each other, and a bit.
const TRY_TIME: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(50);
/// After a delivery that named everybody the next ones do so too, for so long; each time longer.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The members of a group in one of its lives.
pub(super) struct Gathered {
    key: GroupKey,
    term: u64,
    audience: Audience,
    /// Until then presence is not asked to go by the audience.
    resting: Option<Instant>,
    rest: Duration,
}

/// Presence does not go by the audience, for this reason.
struct Refused(String);

impl Gathered {
    pub(super) fn new(key: GroupKey, term: u64, members: Names) -> Self {
        let audience = Audience::new(members);
        Self { key, term, audience, resting: None, rest: FIRST_REST }
    }

    pub(super) fn change(&mut self, user: Arc<str>, discards: Option<bool>) {
        self.audience.change(user, discards);
    }

    pub(super) async fn deliver(&mut self, clients: &Clients, delivery: &Delivery) {
        let rests = self.resting.is_some_and(|until| Instant::now() < until);
        if rests || !self.try_to_deliver(clients, delivery).await {
            metrics::counter!("throng_group_router_audience_deliveries_total", "way" => "names")
                .increment(1);
            self.name_all(clients, delivery).await;
            return;
        }
        self.resting = None;
        self.rest = FIRST_REST;
        metrics::counter!("throng_group_router_audience_deliveries_total", "way" => "audience")
            .increment(1);
    }

    /// False: it has to name everybody.
    async fn try_to_deliver(&mut self, clients: &Clients, delivery: &Delivery) -> bool {
        let number = self.audience.next_delivery();
        let deadline = Instant::now() + CALL_TIME;
        let mut refused = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                let jitter = rand::rng().random_range(0.5..1.5);
                sleep((PAUSE * attempt).mul_f64(jitter)).await;
            }
            match self.attempt(clients, delivery, number).await {
                Ok(()) => return true,
                Err(Refused(why)) => refused = why,
            }
            self.audience.forgotten();
            if Instant::now() >= deadline {
                break;
            }
        }
        tracing::info!(why = refused, "presence does not go by what it was told of a large group");
        self.resting = Some(Instant::now() + self.rest);
        self.rest = (self.rest * 2).min(LONGEST_REST);
        false
    }

    async fn attempt(
        &mut self,
        clients: &Clients,
        delivery: &Delivery,
        number: u64,
    ) -> Result<(), Refused> {
        if !self.audience.is_told() {
            let outcome = self.register(clients).await;
            let label = if outcome.is_ok() { "told" } else { "refused" };
            metrics::counter!("throng_group_router_audiences_told_total", "outcome" => label)
                .increment(1);
            outcome?;
        }
        loop {
            let mut request = self.changes();
            let last = !self.audience.has_changes();
            if last {
                let To::All { discarding_too, except } = &delivery.to else { return Ok(()) };
                request.number = number;
                request.event_items = delivery.items.clone();
                request.guarantee = delivery.guarantee.into();
                request.except_inst_id = delivery.except_inst_id;
                request.except_users = except.to_vec();
                request.discarding_too = *discarding_too;
            }
            let mut presence = clients.presence.clone();
            let route = self.route();
            answer(presence.deliver_to_audience(routed(route, TRY_TIME, request))).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// Tells presence who all members are.
    async fn register(&mut self, clients: &Clients) -> Result<(), Refused> {
        let version = self.audience.begin();
        let audience = self.named(version);
        let mut homes = 0;
        let mut parts = (0..).zip(self.parts(USERS)).peekable();
        while let Some((place, members)) = parts.next() {
            let request = v1::RegisterAudienceRequest {
                audience: Some(audience.clone()),
                place,
                last: parts.peek().is_none(),
                members,
                homes,
                part: false,
            };
            let mut presence = clients.presence.clone();
            let call = presence.register_audience(routed(self.route(), TRY_TIME, request));
            homes = answer(call).await?.homes;
        }
        drop(parts);
        self.audience.is_there();
        Ok(())
    }

    /// All members, so many at once; at least one part, which may be empty.
    fn parts(&self, most: usize) -> impl Iterator<Item = Vec<v1::AudienceMember>> {
        let mut members = self.audience.iter().map(|(user, discards)| member(user, discards));
        let count = self.audience.len().div_ceil(most).max(1);
        (0..count).map(move |_| members.by_ref().take(most).collect())
    }

    /// What presence does not know yet, or a part of it.
    fn changes(&mut self) -> v1::DeliverToAudienceRequest {
        let changes = self.audience.take_changes(USERS);
        let changed = changes.changed.iter().map(|(user, discards)| member(user, *discards));
        v1::DeliverToAudienceRequest {
            audience: Some(self.named(changes.to)),
            from: changes.from,
            changed: changed.collect(),
            gone: changes.gone.iter().map(ToString::to_string).collect(),
            ..v1::DeliverToAudienceRequest::default()
        }
    }

    fn named(&self, version: u64) -> v1::Audience {
        let GroupKey { app, group_id } = &self.key;
        v1::Audience { app: app.0, group_id: group_id.to_string(), term: self.term, version }
    }

    /// Any node would do; with the same one each time all parts are shared out by the same list.
    fn route(&self) -> Route {
        Route::hash(group_hash(self.key.app, &self.key.group_id))
    }

    async fn name_all(&self, clients: &Clients, delivery: &Delivery) {
        let To::All { discarding_too, except } = &delivery.to else { return };
        let meant = |(user, discards): &(&Arc<str>, bool)| {
            (*discarding_too || !discards) && !except.iter().any(|other| **other == ***user)
        };
        let mut users = self.audience.iter().filter(meant).map(|(user, _)| user.to_string());
        loop {
            let part: Vec<String> = users.by_ref().take(USERS).collect();
            if part.is_empty() {
                return;
            }
            deliver_to(self.key.app, clients, part, delivery).await;
        }
    }
}

fn member(user: &Arc<str>, discards: bool) -> v1::AudienceMember {
    v1::AudienceMember { user: user.to_string(), discards }
}

/// What all nodes say together.
async fn answer(
    call: impl Future<Output = Result<tonic::Response<v1::AudienceReply>, tonic::Status>>,
) -> Result<v1::AudienceReply, Refused> {
    match timeout(TRY_TIME, call).await {
        Ok(Ok(reply)) if !reply.get_ref().refused => Ok(reply.into_inner()),
        Ok(Ok(_)) => Err(Refused("a node refused".to_owned())),
        Ok(Err(status)) => Err(Refused(status.message().to_owned())),
        Err(_) => Err(Refused("not in time".to_owned())),
    }
}
