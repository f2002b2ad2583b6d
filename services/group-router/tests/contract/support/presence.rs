//! A presence that knows the members that the test named, and remembers what it had to deliver.

use std::collections::{BTreeMap, HashMap, HashSet};

use parking_lot::Mutex;
use serde_json::Value;
use throng_proto::v1;
use throng_proto::v1::presence_server::Presence;
use tonic::{Request, Response, Status};

#[derive(Default)]
pub struct FakePresence {
    /// Users who are in all rooms as far as presence knows.
    pub members: Mutex<HashSet<String>>,
    /// What there was to deliver, to whomever it went in the end.
    pub delivered: Mutex<Vec<v1::DeliverRequest>>,
    /// Users who are online; `None`: it cannot say.
    pub online: Mutex<Option<HashSet<String>>>,
    /// How many users each question named.
    pub asked: Mutex<Vec<usize>>,
    /// How many users each call named, the parts of registrations aside.
    pub named: Mutex<Vec<usize>>,
    /// Parts of registrations.
    pub registered: Mutex<Vec<v1::RegisterAudienceRequest>>,
    /// The next calls about audiences are refused.
    pub refusals: Mutex<u32>,
    audiences: Mutex<HashMap<String, Audience>>,
}

#[derive(Default)]
struct Audience {
    named: v1::Audience,
    parts: u32,
    complete: bool,
    delivered: u64,
    /// Whether they want no messages.
    members: BTreeMap<String, bool>,
}

/// The list of homes that it shares out by.
const HOMES: u64 = 77;

impl Audience {
    fn take_part(&mut self, request: &v1::RegisterAudienceRequest) -> bool {
        let named = request.audience.clone().unwrap();
        if named.term < self.named.term {
            return false;
        }
        if request.place == 0 {
            let newer = (named.term, named.version) > (self.named.term, self.named.version);
            assert!(newer, "a version is told once: {named:?} after {:?}", self.named);
            let same_term = named.term == self.named.term;
            let delivered = if same_term { self.delivered } else { 0 };
            *self = Self { named: named.clone(), delivered, ..Self::default() };
        } else {
            assert_eq!(request.homes, HOMES);
        }
        if named != self.named || request.place != self.parts {
            return false;
        }
        let members = request.members.iter();
        self.members.extend(members.map(|member| (member.user.clone(), member.discards)));
        self.parts += 1;
        self.complete = request.last;
        true
    }

    /// Whom a delivery is for; `None`: it is refused.
    fn receivers(&mut self, request: &v1::DeliverToAudienceRequest) -> Option<Vec<String>> {
        let named = request.audience.clone().unwrap();
        let is_known = self.complete
            && named.term == self.named.term
            && [request.from, named.version].contains(&self.named.version);
        if !is_known {
            return None;
        }
        for user in &request.gone {
            assert!(self.members.remove(user).is_some(), "{user} was in");
        }
        for member in &request.changed {
            self.members.insert(member.user.clone(), member.discards);
        }
        self.named = named;
        if request.number <= self.delivered {
            return Some(Vec::new());
        }
        self.delivered = request.number;
        let meant = |(user, discards): &(&String, &bool)| {
            (request.discarding_too || !**discards) && !request.except_users.contains(user)
        };
        Some(self.members.iter().filter(meant).map(|(user, _)| user.clone()).collect())
    }
}

impl FakePresence {
    /// It was started anew: it knows no members.
    pub fn forget(&self) {
        for audience in self.audiences.lock().values_mut() {
            audience.complete = false;
        }
    }

    fn refuses(&self) -> bool {
        let mut refusals = self.refusals.lock();
        let refuses = *refusals > 0;
        *refusals = refusals.saturating_sub(1);
        refuses
    }

    /// What there was to deliver, in order: users and entry.
    pub fn told(&self) -> Vec<(Vec<String>, Value)> {
        let entries = |request: v1::DeliverRequest| {
            let text = [b"[".as_slice(), &request.event_items, b"]"].concat();
            let entries: Vec<Value> = serde_json::from_slice(&text).unwrap();
            entries.into_iter().map(move |entry| (request.users.clone(), entry))
        };
        self.delivered.lock().clone().into_iter().flat_map(entries).collect()
    }
}

type Reply<T> = Result<Response<T>, Status>;

fn never<T>() -> Reply<T> {
    Err(Status::unimplemented("nobody asks"))
}

#[tonic::async_trait]
impl Presence for FakePresence {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        never()
    }
    async fn register(&self, _: Request<v1::RegisterRequest>) -> Reply<v1::RegisterReply> {
        never()
    }
    async fn hello(&self, _: Request<v1::HelloRequest>) -> Reply<v1::HelloReply> {
        never()
    }
    async fn unregister(&self, _: Request<v1::UnregisterRequest>) -> Reply<v1::UnregisterReply> {
        never()
    }
    async fn disconnect(&self, _: Request<v1::DisconnectRequest>) -> Reply<v1::DisconnectReply> {
        never()
    }
    async fn track_rooms(&self, _: Request<v1::TrackRoomsRequest>) -> Reply<v1::TrackRoomsReply> {
        never()
    }
    async fn kick_user(&self, _: Request<v1::KickUserRequest>) -> Reply<v1::KickUserReply> {
        never()
    }
    async fn filter_online(
        &self,
        request: Request<v1::FilterOnlineRequest>,
    ) -> Reply<v1::FilterOnlineReply> {
        let asked = request.into_inner().users;
        self.asked.lock().push(asked.len());
        let online = self.online.lock().clone().ok_or_else(|| Status::unavailable("down"))?;
        let users = asked.into_iter().filter(|user| online.contains(user)).collect();
        Ok(Response::new(v1::FilterOnlineReply { users, ..v1::FilterOnlineReply::default() }))
    }

    async fn register_audience(
        &self,
        request: Request<v1::RegisterAudienceRequest>,
    ) -> Reply<v1::AudienceReply> {
        let request = request.into_inner();
        let group_id = request.audience.as_ref().unwrap().group_id.clone();
        let taken = !self.refuses()
            && self.audiences.lock().entry(group_id).or_default().take_part(&request);
        self.registered.lock().push(request);
        Ok(Response::new(v1::AudienceReply { refused: !taken, homes: HOMES, reached: 0 }))
    }

    async fn deliver_to_audience(
        &self,
        request: Request<v1::DeliverToAudienceRequest>,
    ) -> Reply<v1::AudienceReply> {
        let request = request.into_inner();
        let named = request.changed.len() + request.gone.len() + request.except_users.len();
        self.named.lock().push(named);
        let group_id = request.audience.as_ref().unwrap().group_id.clone();
        let mut audiences = self.audiences.lock();
        let receivers = match self.refuses() {
            true => None,
            false => audiences.entry(group_id).or_default().receivers(&request),
        };
        let refused = receivers.is_none();
        let users = receivers.unwrap_or_default();
        if !users.is_empty() && request.number > 0 {
            self.delivered.lock().push(v1::DeliverRequest {
                app: request.audience.unwrap().app,
                users,
                event_items: request.event_items,
                guarantee: request.guarantee,
                except_inst_id: request.except_inst_id,
                part: false,
            });
        }
        Ok(Response::new(v1::AudienceReply { refused, homes: HOMES, reached: 1 }))
    }

    async fn deliver(&self, request: Request<v1::DeliverRequest>) -> Reply<v1::DeliverReply> {
        self.named.lock().push(request.get_ref().users.len());
        self.delivered.lock().push(request.into_inner());
        Ok(Response::new(v1::DeliverReply { reached: 1 }))
    }

    async fn filter_room_members(
        &self,
        request: Request<v1::FilterRoomMembersRequest>,
    ) -> Reply<v1::FilterRoomMembersReply> {
        let members = self.members.lock();
        let users =
            request.into_inner().users.into_iter().filter(|user| members.contains(user)).collect();
        Ok(Response::new(v1::FilterRoomMembersReply { users }))
    }

    async fn gateway_beat(
        &self,
        _request: Request<v1::GatewayBeatRequest>,
    ) -> Result<Response<v1::GatewayBeatReply>, Status> {
        Ok(Response::new(v1::GatewayBeatReply::default()))
    }

    async fn restore(
        &self,
        request: Request<v1::RestoreRequest>,
    ) -> Result<Response<v1::RestoreReply>, Status> {
        let kick_types = vec![0; request.get_ref().sessions.len()];
        Ok(Response::new(v1::RestoreReply { kick_types, ..v1::RestoreReply::default() }))
    }
}
