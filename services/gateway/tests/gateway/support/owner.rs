//! An owner of all groups: keeps their events, answers joins, and notes what it is asked.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prost::Message as _;
use serde_json::{Value, json};
use throng_bus::{Bus, LocalBus, subjects};
use throng_node::secret::Secret;
use throng_proto::v1;
use throng_proto::v1::attach_member_reply::Outcome;
use throng_proto::v1::group_router_server::GroupRouter;
use throng_proto::v1::origin::Kind;
use throng_proto::v1::session_effect::Effect;
use throng_protocol::token::PollKey;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use super::events::event;
use super::{APP, eventually};

/// Answers to commands are kept back while this is the group.
pub(crate) const SLOW_GROUP: &str = "slow";
const EPOCH: u64 = 5;
/// The epoch of a stream in the n-th epoch of ownership.
pub(crate) fn stream_of(ownership: u64) -> u64 {
    (ownership << throng_proto::LIFE_BITS) | EPOCH
}

#[derive(Clone)]
pub(crate) struct Owner(pub(crate) Arc<FakeOwner>);

#[derive(Debug)]
pub(crate) struct FakeOwner {
    bus: LocalBus,
    secret: Secret,
    events: Mutex<HashMap<String, Vec<v1::RoomEvent>>>,
    pub(crate) commands: Mutex<Vec<v1::CommandRequest>>,
    pub(crate) attached: Mutex<Vec<v1::AttachMemberRequest>>,
    pub(crate) detached: Mutex<Vec<v1::DetachMemberRequest>>,
    pub(crate) gateways: Mutex<Vec<v1::AttachGatewayRequest>>,
    /// What members missed when an owner takes over.
    pub(crate) missed: Mutex<Vec<String>>,
    /// Of the streams of all rooms.
    pub(crate) epoch: Mutex<u64>,
    pub(crate) fetched: Mutex<Vec<v1::FetchEventsRequest>>,
    /// What attaching ends with.
    pub(crate) outcome: Mutex<Outcome>,
    /// Published between the answer to a join and the moment the gateway hears of it.
    pub(crate) at_join: Mutex<Option<String>>,
    /// Logged-in members poll.
    pub(crate) poll_mode: Mutex<bool>,
    /// Releases one answer of [`SLOW_GROUP`].
    pub(crate) release: Notify,
}

impl Owner {
    pub(crate) fn new(bus: LocalBus, secret: Secret) -> Self {
        Self(Arc::new(FakeOwner {
            bus,
            secret,
            events: Mutex::default(),
            commands: Mutex::default(),
            attached: Mutex::default(),
            detached: Mutex::default(),
            gateways: Mutex::default(),
            missed: Mutex::default(),
            epoch: Mutex::new(EPOCH),
            fetched: Mutex::default(),
            outcome: Mutex::new(Outcome::Attached),
            at_join: Mutex::default(),
            poll_mode: Mutex::default(),
            release: Notify::new(),
        }))
    }

    /// A message in a room.
    pub(crate) fn say(&self, group: &str, text: &str) {
        self.0.publish(&self.0.record(group, text));
    }

    /// An event that the bus loses.
    pub(crate) fn say_unheard(&self, group: &str, text: &str) {
        self.0.record(group, text);
    }

    /// The last event of a room changes membership too.
    pub(crate) fn say_and(&self, group: &str, text: &str, membership: v1::room_event::Membership) {
        self.0.record(group, text);
        let mut events = self.0.events.lock();
        let event = events.get_mut(group).and_then(|events| events.last_mut()).unwrap();
        event.membership = Some(membership);
        self.0.publish(event);
    }

    /// Another owner, with streams of its own.
    pub(crate) fn succeed(&self, ownership: u64) {
        *self.0.epoch.lock() = stream_of(ownership);
        self.0.events.lock().clear();
    }

    /// Says how far a room is, and nothing else.
    pub(crate) fn beacon(&self, group: &str) {
        let position = Some(self.0.head(group));
        self.0.publish(&v1::RoomEvent {
            app: APP.0,
            group_id: group.to_owned(),
            position,
            beacon: true,
            ..v1::RoomEvent::default()
        });
    }

    /// The names of the commands that came, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.commands.lock().iter().map(|request| request.command.clone()).collect()
    }

    /// Waits until a gateway has fetched a room's events, so that it hears what comes.
    pub(crate) async fn is_followed(&self, group: &str) {
        eventually("the gateway follows the room", || {
            self.0.fetched.lock().iter().any(|request| request.group_id == group)
        })
        .await;
    }
}

impl FakeOwner {
    fn record(&self, group: &str, text: &str) -> v1::RoomEvent {
        let mut events = self.events.lock();
        let events = events.entry(group.to_owned()).or_default();
        let event = event(group, *self.epoch.lock(), events.len() as u64 + 1, text);
        events.push(event.clone());
        event
    }

    fn publish(&self, event: &v1::RoomEvent) {
        let subject = subjects::room(APP, &event.group_id);
        self.bus.publish(&subject, event.encode_to_vec().into()).unwrap();
    }

    fn head(&self, group: &str) -> v1::RoomPosition {
        let number = self.events.lock().get(group).map_or(0, Vec::len);
        v1::RoomPosition { epoch: *self.epoch.lock(), event_no: number as u64 }
    }

    fn join(&self, group: &str, request: &v1::CommandRequest) -> (Value, Effect) {
        let origin = request.origin.as_ref().unwrap();
        let guest = origin.kind() == Kind::Guest;
        let poll = guest || *self.poll_mode.lock();
        let mut answer = json!({
            "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "",
            "JoinedStatus": "JoinedSuccess", "HugeGroupFlag": 1, "RspMsgList": [],
        });
        if poll {
            let key = PollKey {
                app: APP,
                group_id: group.to_owned(),
                user: request.caller.as_ref().unwrap().user.clone(),
                inst_id: origin.inst_id,
            };
            answer["LongPollingKey"] = key.seal(self.secret.token_key()).into();
        }
        let mode = if poll { v1::RoomMode::Poll } else { v1::RoomMode::Push };
        let joined = v1::RoomJoined {
            group_id: group.to_owned(),
            mode: mode.into(),
            position: Some(self.head(group)),
        };
        (answer, Effect::Joined(joined))
    }
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl GroupRouter for FakeOwner {
    async fn execute(&self, request: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        let request = request.into_inner();
        self.commands.lock().push(request.clone());
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let group = body["GroupId"].as_str().unwrap_or_default().to_owned();
        if group == SLOW_GROUP {
            self.release.notified().await;
        }
        let ok = json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""});
        let (answer, effect) = match request.command.split_once('.').unwrap().1 {
            "apply_join_group" => {
                let (answer, effect) = self.join(&group, &request);
                if let Some(text) = self.at_join.lock().take() {
                    self.publish(&self.record(&group, &text));
                }
                (answer, Some(effect))
            }
            "quit_group" => (ok, Some(Effect::Left(v1::RoomLeft { group_id: group }))),
            _ => (ok, None),
        };
        let effects = effect.map(|effect| v1::SessionEffect { effect: Some(effect) });
        Ok(Response::new(v1::CommandReply {
            code: 0,
            body: answer.to_string().into(),
            effects: effects.into_iter().collect(),
        }))
    }

    async fn attach_member(
        &self,
        request: Request<v1::AttachMemberRequest>,
    ) -> Reply<v1::AttachMemberReply> {
        let request = request.into_inner();
        let position = Some(self.head(&request.group_id));
        let events = self.events.lock().get(&request.group_id).cloned().unwrap_or_default();
        let missed: Vec<_> = events
            .iter()
            .filter(|event| event.msg_seq > request.last_seq)
            .map(|event| {
                let start = event.item_start as usize;
                let item = &event.frame[start..start + event.item_len as usize];
                format!("{{\"Event\":3,\"GroupMsgArray\":[{}]}}", String::from_utf8_lossy(item))
            })
            .collect();
        self.attached.lock().push(request);
        let outcome = *self.outcome.lock();
        let notice_items = match outcome {
            Outcome::Attached => Vec::new(),
            _ => br#"{"Event":5,"GroupTips":[{"MsgBody":{"ReportType":5}}]}"#.to_vec(),
        };
        Ok(Response::new(v1::AttachMemberReply {
            outcome: outcome.into(),
            position,
            notice_items: notice_items.into(),
            missed_items: missed.join(",").into(),
        }))
    }

    async fn detach_member(
        &self,
        request: Request<v1::DetachMemberRequest>,
    ) -> Reply<v1::DetachMemberReply> {
        self.detached.lock().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }

    async fn fetch_events(
        &self,
        request: Request<v1::FetchEventsRequest>,
    ) -> Reply<v1::FetchEventsReply> {
        let request = request.into_inner();
        let after = request.after.unwrap_or_default();
        let same = after.epoch == *self.epoch.lock();
        let from = if same { after.event_no as usize } else { 0 };
        let head = Some(self.head(&request.group_id));
        let events = self.events.lock().get(&request.group_id).cloned().unwrap_or_default();
        let events = events.into_iter().skip(from).collect();
        self.fetched.lock().push(request);
        Ok(Response::new(v1::FetchEventsReply { events, head, complete: true }))
    }

    async fn describe_group(
        &self,
        _: Request<v1::DescribeGroupRequest>,
    ) -> Reply<v1::DescribeGroupReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn list_members(
        &self,
        _: Request<v1::ListMembersRequest>,
    ) -> Reply<v1::ListMembersReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn forget_mentions(
        &self,
        _: Request<v1::ForgetMentionsRequest>,
    ) -> Result<Response<v1::ForgetMentionsReply>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn joined_groups(
        &self,
        _: Request<v1::JoinedGroupsRequest>,
    ) -> Reply<v1::JoinedGroupsReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn attach_gateway(
        &self,
        request: Request<v1::AttachGatewayRequest>,
    ) -> Reply<v1::AttachGatewayReply> {
        let request = request.into_inner();
        let outcome = *self.outcome.lock();
        let missed = std::mem::take(&mut *self.missed.lock());
        let missed = missed.into_iter().enumerate().map(|(number, text)| v1::RoomEvent {
            position: None,
            ..event(&request.group_id, 0, number as u64 + 100, &text)
        });
        let reply = v1::AttachGatewayReply {
            outcome: outcome.into(),
            position: Some(self.head(&request.group_id)),
            notice_items: r#"{"Event":5,"GroupTips":[{"MsgBody":{"ReportType":5}}]}"#.into(),
            missed: missed.collect(),
            ..v1::AttachGatewayReply::default()
        };
        self.gateways.lock().push(request);
        Ok(Response::new(reply))
    }
}
