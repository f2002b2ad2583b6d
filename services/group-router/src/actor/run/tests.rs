use std::sync::Arc;

use prost::Message as _;
use throng_bus::{Delivery, LocalBus, subjects};
use throng_node::apps::Apps;
use throng_node::drain::Drain;
use throng_node::secret::Secret;
use throng_proto::{Link, v1};
use throng_protocol::error::Code;
use throng_protocol::ids::AppId;
use throng_store::MemoryStore;

use crate::Deps;
use crate::actor::Rooms;
use crate::clients::Clients;
use crate::config::Config;
use crate::placement::Placement;
use crate::room::GatewayTag;
use crate::storage::ProfileRow;
use crate::wire::MemberInfo;

const APP: AppId = AppId(1);

/// Rooms of a node that knows no other service.
fn rooms(config: Config) -> Rooms {
    let link = Link::unconnected;
    let placement = Placement::alone(8, 1);
    let clients = Clients::new(Deps {
        store: Arc::new(MemoryStore::new()),
        bus: Arc::new(LocalBus::new()),
        history: link(),
        presence: link(),
        directory: link(),
        group_router: link(),
        apps: Apps::new(link()),
        secret: Secret::new(&[7; 32]),
        placement: placement.clone(),
    });
    Rooms::new(config, placement, clients, Drain::new())
}

/// Regression: a job with a mistake took the actor down, and all who waited for it.
#[tokio::test]
async fn a_job_that_panics_costs_its_own_caller_the_answer() {
    let rooms = rooms(Config::default());
    let fine = |answer: u32| rooms.run(APP, "group", move |_| Ok(answer));
    let broken = rooms.run(APP, "group", |_| -> Result<u32, _> { panic!("as it should") });
    // All in one batch.
    let (first, panicked, second, third) = tokio::join!(fine(1), broken, fine(2), fine(3));
    assert_eq!(panicked.unwrap_err().code, Code::GROUP_INTERNAL);
    assert_eq!(first.unwrap_err().code, Code::GROUP_INTERNAL, "it shares the effects");
    assert_eq!((second, third), (Ok(2), Ok(3)));
    assert_eq!(fine(4).await, Ok(4));
}

#[tokio::test]
async fn a_full_mailbox_refuses_and_loses_nobody() {
    let rooms = rooms(Config { mailbox: 2, ..Config::default() });
    let calls = (0..5).map(|number| rooms.run(APP, "group", move |_| Ok(number)));
    let answers = futures_util::future::join_all(calls).await;
    let refused =
        |code| answers.iter().filter(|answer| answer.as_ref().err() == Some(code)).count();
    let code = Code::GROUP_SEND_FREQUENCY.with("too many requests for this group");
    assert_eq!(refused(&code), 3, "{answers:?}");
    assert!(answers[..2].iter().all(Result::is_ok), "{answers:?}");
}

/// Regression: settings of 0 made the channel panic, or the actor spin.
#[tokio::test]
async fn settings_of_zero_are_survived() {
    let zero = Config {
        shards: 0,
        mailbox: 0,
        idle_seconds: 0,
        ring_events: 0,
        ring_bytes: 0,
        tip_size: 0,
        tip_interval_ms: 0,
        ..Config::default()
    };
    assert_eq!(rooms(zero).run(APP, "group", |turn| Ok(turn.slot.is_none())).await, Ok(true));
}

#[tokio::test]
async fn actors_of_groups_that_do_not_exist_end_at_once() {
    let rooms = rooms(Config::default());
    for number in 0..100 {
        let id = format!("group{number}");
        assert_eq!(rooms.run(APP, &id, |turn| Ok(turn.room().is_err())).await, Ok(true));
    }
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while !rooms.hot(APP).is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "still hot: {}", rooms.hot(APP).len());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rec_1_rooms_say_where_they_stand_when_the_bus_may_have_lost_something() {
    let rooms = rooms(Config::default());
    let subject = subjects::room(APP, "group");
    let mut heard = rooms.clients().bus.subscribe(&subject).await.unwrap();
    let mut next = async || {
        let Some(Delivery::Message(payload)) = heard.recv().await else {
            panic!("the bus is gone")
        };
        v1::RoomEvent::decode(payload).unwrap()
    };
    let made = rooms.run(APP, "group", |turn| {
        let group_type = "AVChatRoom".to_owned();
        let profile = ProfileRow { group_type, ..ProfileRow::default() };
        let (room, now, unit) = turn.make_room(v1::RoomPolicy::default(), profile)?;
        let ann = MemberInfo { user: "ann".to_owned(), ..MemberInfo::default() };
        room.member_joins(ann, 1, GatewayTag::of("gateway"), now, unit);
        Ok(room.position())
    });
    let position = Some(made.await.unwrap());
    let tip = next().await;
    assert_eq!((tip.position, tip.beacon), (position, false));
    rooms.tell_positions().await;
    let beacon = next().await;
    assert_eq!((beacon.position, beacon.beacon), (position, true));
}
