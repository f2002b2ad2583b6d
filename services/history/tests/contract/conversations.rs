//! The list of conversations, in the shapes that the SDK reads (SDK protocol notes 3, 11).

use serde_json::{Value, json};
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::history_client::HistoryClient;

use super::client_of;
use super::owners::Owners;

fn group(number: u32, last: Option<v1::StoredMessage>) -> v1::DescribeGroupReply {
    let profile = v1::GroupProfile {
        group_id: format!("group-{number:03}"),
        group_type: "Public".to_owned(),
        name: "Chess".to_owned(),
        face_url: "https://127.0.0.1/f.png".to_owned(),
        next_msg_seq: 8,
        ..v1::GroupProfile::default()
    };
    let member = v1::Membership { unread: 3, ..v1::Membership::default() };
    let (profile, member) = (Some(profile), Some(member));
    v1::DescribeGroupReply { profile, member, last, ..v1::DescribeGroupReply::default() }
}

fn message() -> v1::StoredMessage {
    v1::StoredMessage {
        msg_seq: 7,
        msg_time: 1_800_000_000,
        from: "bob".to_owned(),
        nick: "Bob".to_owned(),
        random: 99,
        msg_body: r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]"#.into(),
        cloud_custom_data: "c".to_owned(),
        ..v1::StoredMessage::default()
    }
}

fn tip() -> v1::StoredMessage {
    let msg_body = r#"{"OpType":1,"Operator_Account":"bob"}"#.into();
    v1::StoredMessage { event: 4, from: "@TIM#SYSTEM".to_owned(), msg_body, ..message() }
}

fn of(groups: Vec<v1::DescribeGroupReply>) -> Owners {
    Owners { groups, ..Owners::default() }
}

async fn call(history: &mut HistoryClient<Link>, user: &str, command: &str, body: Value) -> Value {
    call_service(history, user, &format!("recentcontact.{command}"), body).await
}

async fn call_service(
    history: &mut HistoryClient<Link>,
    user: &str,
    command: &str,
    body: Value,
) -> Value {
    let request = v1::CommandRequest {
        app: 1,
        caller: Some(v1::Caller { user: user.to_owned(), ..v1::Caller::default() }),
        origin: Some(v1::Origin::default()),
        command: command.to_owned(),
        body: body.to_string().into(),
        ..v1::CommandRequest::default()
    };
    let reply = history.execute(request).await.unwrap().into_inner();
    serde_json::from_slice(&reply.body).unwrap()
}

fn from_the_start() -> Value {
    json!({ "From_Account": "ann", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0,
        "TopStartIndex": 0, "OrderType": 1, "AssistFlags": 31 })
}

#[tokio::test]
async fn groups_with_messages_are_conversations() {
    let owners = of(vec![group(1, Some(message())), group(2, None), group(3, Some(tip()))]);
    let mut history = client_of(owners.link());
    let answer = call(&mut history, "ann", "page_get", from_the_start()).await;
    assert_eq!((&answer["ErrorCode"], &answer["CompleteFlag"]), (&json!(0), &json!(1)));
    assert_eq!(answer["GroupItem"], json!([]));
    let items = answer["SessionItem"].as_array().unwrap();
    assert_eq!(items.len(), 2, "a group nobody spoke in is none");
    let expected = json!({
        "Type": 2, "ToAccount": "group-001", "GroupType": "Public", "GroupNick": "Chess",
        "GroupImage": "https://127.0.0.1/f.png", "MsgTime": 1_800_000_000,
        "MsgTimeStamp": 1_800_000_000, "MsgSeq": 7, "GroupNextMsgSeq": 8,
        "MsgGroupFrom_Account": "bob", "MsgGroupFromNickName": "Bob", "UnreadMsgCount": 3, "MsgRecvOption": 0,
        "LastMsg": { "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "hi" } }],
            "CloudCustomData": "c" },
    });
    assert_eq!(items[0], expected);
    let last = &items[1]["LastMsg"];
    assert_eq!(last["Event"], 4);
    assert_eq!(last["GroupTips"]["MsgBody"]["OpType"], 1);
    assert_eq!(last["GroupTips"]["GroupInfo"]["GroupId"], "group-003");
    let listed = call(&mut history, "admin", "get_list", from_the_start()).await;
    let first =
        json!({ "Type": 2, "GroupId": "group-001", "MsgTime": 1_800_000_000, "TopFlag": 0 });
    assert_eq!((&listed["SessionItem"][0], &listed["CompleteFlag"]), (&first, &json!(1)));
}

#[tokio::test]
async fn a_recalled_last_message_is_told_without_its_text() {
    let last = v1::StoredMessage { recalled: true, revoker: "bob".to_owned(), ..message() };
    let mut history = client_of(of(vec![group(1, Some(last))]).link());
    let answer = call(&mut history, "ann", "page_get", from_the_start()).await;
    let item = &answer["SessionItem"][0];
    let expected = json!({ "MsgBody": [], "RevokerInfo": { "Revoker_Account": "bob" } });
    assert_eq!((&item["LastMsgFlags"], &item["LastMsg"]), (&json!(2), &expected));
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_end() {
    let groups = (1..=250).map(|number| group(number, Some(message())));
    let mut history = client_of(of(groups.collect()).link());
    let mut position = from_the_start();
    let mut seen = Vec::new();
    loop {
        let answer = call(&mut history, "ann", "page_get", position.clone()).await;
        let items = answer["SessionItem"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["ToAccount"].as_str().unwrap().to_owned()));
        for field in ["TimeStamp", "StartIndex", "TopTimeStamp", "TopStartIndex"] {
            position[field] = answer[field].clone();
        }
        if answer["CompleteFlag"] == 1 {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 250);
    assert_eq!(position["StartIndex"], 0, "the next walk begins anew");
}

#[tokio::test]
async fn who_is_in_no_group_has_an_empty_list() {
    let mut history = client_of(Owners::default().link());
    let answer = call(&mut history, "bob", "page_get", from_the_start()).await;
    assert_eq!((&answer["SessionItem"], &answer["CompleteFlag"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn owners_that_do_not_answer_are_an_error_and_no_empty_list() {
    let mut history = client_of(Link::unconnected());
    let answer = call(&mut history, "ann", "page_get", from_the_start()).await;
    assert_eq!(answer["ActionStatus"], "FAIL", "{answer}");
}

#[tokio::test]
async fn who_was_mentioned_is_told_at_the_next_sync() {
    let mention = |text: &str| v1::DescribeGroupReply {
        mentions: vec![format!(r#"{{"Event":12,"GroupTips":["{text}"]}}"#).into()],
        ..group(1, None)
    };
    let owners = of(vec![mention("one"), group(2, None), mention("two")]);
    let forgotten = std::sync::Arc::clone(&owners.forgotten);
    let mut history = client_of(owners.link());
    let first = json!({ "Cookie": "", "SyncFlag": 0 });
    let answer = call_service(&mut history, "ann", "openim.getmsg", first).await;
    assert_eq!((&answer["SyncFlag"], &answer["MsgList"]), (&json!(2), &json!([])));
    let entries = answer["EventArray"].as_array().unwrap();
    assert_eq!(
        entries.iter().map(|entry| &entry["GroupTips"][0]).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert!(answer["Cookie"].as_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000);

    let entry = |group: &str, seq: u32| {
        json!({ "From_Account": "bob", "To_Account": "ann", "MsgSeq": seq, "MsgRandom": 1,
            "GroupId": group })
    };
    let notice = json!({ "From_Account": "@TIM#SYSTEM", "MsgSeq": 3, "MsgRandom": 1 });
    let list = json!([entry("a", 7), entry("b", 5), entry("a", 2), notice]);
    let read = json!({ "DelMsgList": list });
    let answer = call_service(&mut history, "ann", "openim.deletemsg", read).await;
    assert_eq!(answer["ErrorCode"], 0);
    let of = |group: &str, seq| (group.to_owned(), "ann".to_owned(), seq);
    assert_eq!(*forgotten.lock().unwrap(), [of("a", 7), of("b", 5)]);
}
