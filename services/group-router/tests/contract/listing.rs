//! The list of an app's groups in pages.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

async fn walk(world: &World, limit: usize) -> Vec<String> {
    let (mut listed, mut next) = (Vec::new(), 0);
    loop {
        let body = json!({ "Limit": limit, "Next": next, "GroupType": "AVChatRoom" });
        let page = world.rest("get_appid_group_list", body).await;
        let ids = ok(&page)["GroupIdList"].as_array().unwrap();
        assert!(ids.len() <= limit);
        listed.extend(ids.iter().map(|entry| entry["GroupId"].as_str().unwrap().to_owned()));
        next = page["Next"].as_u64().unwrap();
        if next == 0 {
            return listed;
        }
        assert_eq!(ids.len(), limit, "only the last page is not full");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_group_is_listed_once_whatever_the_page(
        names in proptest::collection::btree_set("[a-zA-Z0-9 ]{1,12}", 1..60),
        gone in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        limit in 1usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            for name in &names {
                world.create(name).await;
            }
            let mut left: BTreeSet<String> = names.clone();
            for index in gone {
                let name = (*index.get(&names.iter().collect::<Vec<_>>())).clone();
                if left.remove(&name) {
                    ok(&world.rest("destroy_group", in_group(&name)).await);
                }
            }
            let listed = walk(&world, limit).await;
            let once: BTreeSet<String> = listed.iter().cloned().collect();
            assert_eq!(once.len(), listed.len(), "none twice");
            assert_eq!(once, left);
            let all = world.rest("get_appid_group_list", json!({})).await;
            assert_eq!(all["TotalCount"], left.len());
        });
    }
}
