//! Gateways: their beats, what they tell of their sessions, and their ends.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use throng_proto::v1;
use tonic::Status;

use crate::core::{Effect, Index, Login, Now, Policy, Retold};
use crate::roll::Beat;
use crate::rpc::{key, room};
use crate::service::Inner;

/// Sessions in one call.
const MOST: usize = 1000;
/// Sessions of one call that are looked at together: their users may have to be read from the store.
const AT_ONCE: usize = 128;
/// A session that came so shortly before a round, in milliseconds, may be missing in it: its login was
/// still under way at the gateway.
const MARGIN: u64 = 60_000;

impl Inner {
    /// A gateway called. Returns what the two call their bond.
    pub(crate) fn heard(&self, gateway: &str) -> u64 {
        if gateway.is_empty() { 0 } else { self.roll.heard(self.shards.now().mono, gateway) }
    }

    pub(crate) fn beat(&self, request: &v1::GatewayBeatRequest) -> v1::GatewayBeatReply {
        if request.leaving {
            if self.roll.remove(&request.gateway) {
                self.end_gateway(&request.gateway, self.shards.now().mono + 1, "left");
            }
            return v1::GatewayBeatReply::default();
        }
        let beat = Beat { stream: request.stream, told: request.told };
        let (known, post) = self.roll.beat(self.shards.now().mono, &request.gateway, beat);
        let (sent, missed) = post.receipt(request.stream, &request.received);
        if !missed.is_empty() {
            metrics::counter!("throng_presence_messages_repeated_total")
                .increment(missed.len() as u64);
        }
        v1::GatewayBeatReply { bond: known.bond, stream: known.stream, sent, missed }
    }

    /// A gateway is gone: its sessions have lost their connections, and nobody speaks for its guests.
    /// Of sessions that it told of since `before` it is not gone: it has come back already.
    pub(crate) fn end_gateway(&self, gateway: &str, before: u64, reason: &'static str) {
        let lowered = self.shards.lower_all(gateway, before);
        metrics::counter!("throng_presence_gateways_gone_total", "reason" => reason).increment(1);
        tracing::info!(gateway, reason, sessions = lowered, "a gateway is gone");
        self.carrier.publish_gone(gateway);
    }

    pub(crate) async fn restore(
        &self,
        request: v1::RestoreRequest,
    ) -> Result<v1::RestoreReply, Status> {
        let v1::RestoreRequest { gateway, sessions, round, last } = request;
        if gateway.is_empty() || sessions.len() > MOST {
            return Err(Status::invalid_argument("no gateway, or too many sessions"));
        }
        let bond = self.heard(&gateway);
        let now = self.shards.now().mono;
        let began = if round == 0 { now } else { self.roll.round(now, &gateway, round) };
        let mut policies = HashMap::new();
        for session in &sessions {
            let app = session.session.as_ref().map_or(0, |session| session.app);
            if let std::collections::hash_map::Entry::Vacant(place) = policies.entry(app) {
                place.insert(self.policy(app).await);
            }
        }
        let gateway: Arc<str> = Arc::from(gateway);
        let told = sessions.into_iter().map(|session| {
            let app = session.session.as_ref().map_or(0, |session| session.app);
            let policy = policies.get(&app).copied().unwrap_or(Policy::NONE);
            self.restore_one(Arc::clone(&gateway), session, policy)
        });
        let outcomes: Vec<_> = stream::iter(told).buffered(AT_ONCE).collect().await;

        let mut reply = v1::RestoreReply { bond, ..v1::RestoreReply::default() };
        for (place, outcome) in (0..).zip(outcomes) {
            let mut kick_type = 0;
            let label = match outcome {
                Ok(Retold::Online) => "online",
                Ok(Retold::Returned) => {
                    reply.returned.push(place);
                    "returned"
                }
                Ok(Retold::Kicked(way)) => {
                    kick_type = way;
                    "kicked"
                }
                Ok(Retold::Moved) => {
                    reply.moved.push(place);
                    "moved"
                }
                Err(_) => {
                    reply.elsewhere.push(place);
                    "elsewhere"
                }
            };
            metrics::counter!("throng_presence_sessions_restored_total", "outcome" => label)
                .increment(1);
            reply.kick_types.push(kick_type);
        }
        if last && round != 0 {
            let before = began.saturating_sub(MARGIN);
            let lowered = self.shards.lower_all(&gateway, before);
            if lowered > 0 {
                metrics::counter!("throng_presence_sessions_unspoken_total")
                    .increment(lowered as u64);
                tracing::warn!(sessions = lowered, "sessions that their gateway does not have");
            }
        }
        Ok(reply)
    }

    async fn restore_one(
        &self,
        gateway: Arc<str>,
        request: v1::RegisterRequest,
        policy: Policy,
    ) -> Result<Retold, Status> {
        let session = key(request.session)?;
        let login = Login {
            inst_id: session.inst_id,
            gateway,
            connection: request.connection,
            instance: request.instance.into(),
            platform: request.platform,
            issued_at: request.issued_at,
            fresh: false,
        };
        let rooms = request.rooms.into_iter().map(room).collect();
        let (app, user) = (session.app, session.user.as_str());
        let decision = |index: &mut Index, now: Now, out: &mut Vec<Effect>| {
            index.retell(now, (app, user), login, rooms, policy, out)
        };
        self.decide(app, user, decision).await
    }
}
