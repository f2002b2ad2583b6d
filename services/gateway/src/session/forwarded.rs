//! Commands that another service answers.

use std::sync::Arc;
use std::time::Duration;

use throng_proto::v1::session_effect::Effect;
use throng_proto::v1::{self, origin::Kind};
use throng_protocol::catalogue;
use tokio::time::Instant;

use super::Session;
use super::dispatch::{Answer, Caller, Request};
use super::send_order::Place;
use crate::rooms::{Attendee, PollSeat};

/// How soon after a join a quit of the same room belongs to it.
const REJOIN: Duration = Duration::from_millis(1500);

const JOIN: &str = "group_open_http_svc.apply_join_group";
const QUIT: &str = "group_open_http_svc.quit_group";

/// The last join of a connection.
#[derive(Debug)]
pub(super) struct RecentJoin {
    group: String,
    at: Instant,
    was_member: bool,
}

fn joins(effect: &v1::SessionEffect, group: &str) -> bool {
    matches!(&effect.effect, Some(Effect::Joined(room)) if room.group_id == group)
}

/// Counts answered joins and quits of which presence does not know yet.
struct Untold;

impl Untold {
    fn begin() -> Self {
        metrics::gauge!("throng_gateway_memberships_untold").increment(1.0);
        Self
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        metrics::gauge!("throng_gateway_memberships_untold").decrement(1.0);
    }
}

impl Session {
    pub(super) async fn forward(self: &Arc<Self>, request: Request) {
        let attendee = match &request.caller {
            Caller::Session(identity) => Arc::clone(&identity.attendee),
            Caller::Guest => self.guest(),
        };
        if self.belongs_to_rejoin(&request, &attendee) {
            return self.respond(&request, &Answer::ok(&()));
        }
        let envelope = match self.envelope(&request, &attendee).await {
            Ok(envelope) => envelope,
            Err(error) => return self.respond(&request, &Answer::fail(&error)),
        };
        let reply = self.context.forwarder.execute(envelope, request.command).await;
        let answer = Answer { code: reply.code, body: reply.body };
        if let Some(record) = &request.record {
            record.in_live_room(|group| {
                attendee.is_in(group) || reply.effects.iter().any(|effect| joins(effect, group))
            });
        }
        if reply.effects.is_empty() {
            return match &request.place {
                // Live rooms have no list to compare with.
                Some(place) if !attendee.is_in(place.group()) => {
                    self.respond_in_order(&request, &answer);
                }
                _ => self.respond(&request, &answer),
            };
        }
        match &request.caller {
            Caller::Session(identity) => {
                let untold = Untold::begin();
                self.before_answer(&attendee, &reply.effects);
                self.respond(&request, &answer);
                // In another session's name nothing happens here: presence tells that session.
                if self.is_current(identity) {
                    self.after_answer(&attendee, &reply.effects);
                }
                self.track(identity, &reply.effects).await;
                let surplus = self.leave_surplus_rooms(&attendee).await;
                if !surplus.is_empty() {
                    self.track(identity, &surplus).await;
                }
                drop(untold);
            }
            Caller::Guest => {
                self.respond(&request, &answer);
                self.after_answer(&attendee, &reply.effects);
                self.leave_surplus_rooms(&attendee).await;
            }
        }
    }

    /// Takes a session out of the rooms that it joined first when it is in more than the app
    /// allows. A join is never refused for that: a client that moves joins the new room before it
    /// quits the old one, and the owner of a room forgets it without a word (SDK protocol notes 02,
    /// 1.7).
    async fn leave_surplus_rooms(&self, attendee: &Attendee) -> Vec<v1::SessionEffect> {
        let Ok(settings) = self.context.forwarder.apps().get(self.peer.app).await else {
            return Vec::new();
        };
        let most = settings.rooms.unwrap_or_default().rooms_per_session.max(1);
        let surplus = attendee.surplus(usize::try_from(most).unwrap_or(usize::MAX));
        for group in &surplus {
            self.context.hub.leave(attendee, group);
            self.context.hub.detach(
                attendee.app,
                group.clone(),
                PollSeat { user: attendee.user.clone(), inst_id: attendee.inst_id },
            );
        }
        surplus
            .into_iter()
            .map(|group_id| v1::SessionEffect {
                effect: Some(Effect::Left(v1::RoomLeft { group_id })),
            })
            .collect()
    }

    async fn envelope(
        &self,
        request: &Request,
        attendee: &Attendee,
    ) -> Result<v1::CommandRequest, throng_protocol::CommandError> {
        let (caller, kind) = match &request.caller {
            Caller::Guest => (v1::Caller::default(), Kind::Guest),
            Caller::Session(identity) => {
                let settings = self.context.forwarder.apps().get(self.peer.app).await?;
                let caller = v1::Caller {
                    user: identity.token.user.clone(),
                    tiny_id: identity.token.tiny_id,
                    admin: settings.admins.contains(&identity.token.user),
                };
                (caller, Kind::Client)
            }
        };
        let deadline = self.context.config.command_timeout.as_millis();
        Ok(v1::CommandRequest {
            app: self.peer.app.0,
            caller: Some(caller),
            origin: Some(self.origin(kind, attendee.inst_id)),
            command: request.echo.command(),
            body: request.body.clone(),
            deadline_ms: u32::try_from(deadline).unwrap_or(u32::MAX),
            trace: String::new(),
            order: request.place.as_ref().and_then(Place::order),
        })
    }

    /// Whether this quit is the tail of a join, which must not be carried out.
    ///
    /// A client that wrongly thinks it left a room X, while it is in it, joins X again and then
    /// quits "the room it was in before": X (SDK protocol notes 02, 8, trap 2). It believes to be in
    /// X afterwards, so it has to be. A quit that follows the first join of X is what its user wants:
    /// a client sends the join of a room it is a member of in no other case.
    fn belongs_to_rejoin(&self, request: &Request, attendee: &Attendee) -> bool {
        let name = request.command.name;
        if name != JOIN && name != QUIT {
            return false;
        }
        let Ok(group) = catalogue::routing_group(request.command.key, &request.body) else {
            return false;
        };
        let mut state = self.state.lock();
        if name == QUIT {
            return state
                .recent_join
                .take_if(|join| join.group == *group)
                .is_some_and(|join| join.was_member && join.at.elapsed() < REJOIN);
        }
        let was_member = attendee.is_in(&group);
        state.recent_join =
            Some(RecentJoin { group: group.into_owned(), at: Instant::now(), was_member });
        false
    }
}
