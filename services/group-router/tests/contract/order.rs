//! Numbered messages of one connection enter in their order.

use futures_util::future::join_all;
use proptest::prelude::*;
use throng_proto::v1;

use crate::support::*;

fn numbered(world: &World, number: u32, settled: u32) -> v1::CommandRequest {
    let body = message("live", number);
    let order = Some(v1::SendOrder { stream: 5, number, settled });
    v1::CommandRequest { order, ..world.client_request("ann", "send_group_msg", &body) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn ord_1_messages_of_one_connection_keep_their_order(
        arrivals in Just((1..=30u32).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let heard = runtime.block_on(async {
            let world = World::new();
            world.create("live").await;
            world.join("ann", "live").await;
            let mut events = world.events("live").await;
            join_all(arrivals.iter().map(|number| world.execute(numbered(&world, *number, 0))))
                .await;
            let mut heard = Vec::new();
            while heard.len() < arrivals.len() {
                heard.push(events.next_message().await["MsgRandom"].as_u64().unwrap());
            }
            heard
        });
        prop_assert_eq!(heard, (1..=30).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_refused_holds_up_nobody() {
    let world = World::new();
    world.create("live").await;
    world.join("ann", "live").await;
    let start = tokio::time::Instant::now();
    let mut refused = numbered(&world, 1, 0);
    refused.caller.as_mut().unwrap().user = "nobody".to_owned();
    let (first, second) =
        tokio::join!(world.execute(refused), world.execute(numbered(&world, 2, 0)),);
    assert_eq!((first.code, second.code), (10019, 0));
    assert_eq!(start.elapsed(), std::time::Duration::ZERO);
}
