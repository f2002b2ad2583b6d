//! Messages to all live rooms.

use serde_json::Value;

use crate::support::*;

fn body(random: u32) -> Value {
    let mut body = message("", random);
    body.as_object_mut().unwrap().remove("GroupId");
    body
}

#[tokio::test]
async fn every_room_with_members_hears_it() {
    let world = World::new();
    let mut heard = Vec::new();
    for number in 0..100 {
        let id = format!("room{number}");
        world.create(&id).await;
        world.join("ann", &id).await;
        heard.push(world.events(&id).await);
    }
    world.create("empty").await;
    let mut empty = world.events("empty").await;
    ok(&world.rest("send_broadcast_msg", body(9)).await);
    for events in &mut heard {
        let event = events.next().await;
        let text = String::from_utf8(event.frame.to_vec()).unwrap();
        assert!(text.contains(r#""Event":17"#) && text.contains("text 9"), "{text}");
    }
    empty.none().await;
    // It takes a number of the room's, and no part of its budget.
    ok(&world.send("ann", "room0", 1).await);
    heard[0].next_message().await;
}

#[tokio::test]
async fn a_room_is_heard_from_its_first_moment() {
    let world = World::new();
    world.create("live").await;
    let world = world.restart().await;
    world.attach("ann", "live", 0).await;
    let mut events = world.events("live").await;
    ok(&world.rest("send_broadcast_msg", body(9)).await);
    assert_eq!(events.next_message().await["MsgRandom"], 9);
}
