//! `sns`, and what else clients ask at login.

use serde_json::{Value, json};

use crate::fixture::Fixture;

#[tokio::test]
async fn the_answers_at_login_have_what_the_client_reads() {
    let f = Fixture::new();
    f.account("ann").await;
    let own = r#"{"From_Account":"ann","StartIndex":0,"MaxLimited":1000}"#;
    for (command, fields) in [
        (
            "sns.black_list_get",
            json!({"BlackListItem": [], "StartIndex": 0, "CurruentSequence": 0}),
        ),
        (
            "sns.friend_get",
            json!({"UserDataItem": [], "CompleteFlag": 1, "NextStartIndex": 0, "FriendNum": 0,
                "StandardSequence": 0, "CustomSequence": 0}),
        ),
        ("sns.group_get", json!({"ResultItem": [], "CurrentSequence": 0})),
        (
            "sns.pendency_get",
            json!({"PendencyItem": [], "UnreadPendencyCount": 0, "StartTime": 0, "CurrentSequence": 0}),
        ),
        ("openim.get_c2c_peer_mute_notifications", json!({"MuteNotificationsList": []})),
    ] {
        let answer = f.client("ann", command, own).await;
        assert_eq!(answer["ErrorCode"], 0, "{command}");
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(answer.get(name), Some(value), "{command} {name}");
        }
    }
}

#[tokio::test]
async fn relations_of_others_are_for_administrators() {
    let f = Fixture::new();
    f.account("ann").await;
    let of = |user: &str| json!({"From_Account": user, "StartIndex": 0}).to_string();
    let code = |answer: Value| answer["ErrorCode"].as_u64().unwrap();
    assert_eq!(code(f.client("bob", "sns.friend_get", &of("ann")).await), 30004);
    assert_eq!(code(f.rest("sns.friend_get", &of("ann")).await), 0);
    assert_eq!(code(f.rest("sns.friend_get", &of("nobody")).await), 30003);
    assert_eq!(code(f.rest("sns.friend_get", "{}").await), 30001);
    let not_yet = f.client("ann", "sns.friend_add", &of("ann")).await;
    assert_eq!((&not_yet["ErrorCode"], &not_yet["ErrorDisplay"]), (&json!(60020), &json!("")));
}
