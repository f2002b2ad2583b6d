//! Lists of long merged messages (SDK protocol notes 3, 16).

use serde_json::{Value, json};
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::history_client::HistoryClient;

use super::client;

async fn call(
    history: &mut HistoryClient<Link>,
    app: u32,
    command: &str,
    body: Value,
) -> (u32, Value) {
    let request = v1::CommandRequest {
        app,
        caller: Some(v1::Caller { user: "ann".to_owned(), ..v1::Caller::default() }),
        origin: Some(v1::Origin::default()),
        command: format!("im_long_msg.{command}"),
        body: body.to_string().into(),
        ..v1::CommandRequest::default()
    };
    let reply = history.execute(request).await.unwrap().into_inner();
    (reply.code, serde_json::from_slice(&reply.body).unwrap())
}

fn entry(from: &str, text: &str) -> Value {
    json!({
        "From_Account": from,
        "GroupId": "memo",
        "MsgSeq": 4,
        "CloudCustomData": "",
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } }],
    })
}

#[tokio::test]
async fn a_list_comes_back_as_it_was_with_the_numbers_of_its_senders() {
    let mut history = client();
    let list = json!([entry("ann", "one"), entry("ben", "two"), entry("ann", "three")]);
    let (code, saved) =
        call(&mut history, 1, "save_relay_json_msg", json!({ "MsgList": list })).await;
    assert_eq!(code, 0, "{saved}");
    let asked = json!({ "JsonMsgKey": saved["JsonMsgKey"] });
    let (code, mut found) = call(&mut history, 1, "get_relay_json_msg", asked.clone()).await;
    assert_eq!(code, 0, "{found}");
    let entries = found["MsgList"].as_array_mut().unwrap().iter_mut();
    let numbers: Vec<Value> =
        entries.map(|entry| entry.as_object_mut().unwrap().remove("TinyId").unwrap()).collect();
    assert_eq!(found["MsgList"], list);
    assert!(numbers[0].is_string() && numbers[0] == numbers[2] && numbers[0] != numbers[1]);
    let (code, _) = call(&mut history, 2, "get_relay_json_msg", asked).await;
    assert_eq!(code, 20022, "another app has no such list");
}

#[tokio::test]
async fn what_is_no_list_of_messages_is_refused_by_field() {
    let mut history = client();
    let of = |list: Value| json!({ "MsgList": list });
    let (nobodys, empty) = (entry("ann", "x")["MsgBody"].clone(), of(json!([])));
    for (body, field) in [
        (json!({}), "MsgList"),
        (empty, "MsgList"),
        (of(json!(["text"])), "MsgList"),
        (of(json!([{ "MsgBody": nobodys }])), "MsgList.From_Account"),
        (of(json!([{ "From_Account": "ann", "MsgBody": "text" }])), "MsgList.MsgBody"),
        (of(vec![entry("ann", "x"); 301].into()), "MsgList"),
    ] {
        let (code, answer) = call(&mut history, 1, "save_relay_json_msg", body).await;
        assert_eq!(code, 20001, "{answer}");
        assert!(answer["ErrorInfo"].as_str().unwrap().starts_with(field), "{answer}");
    }
}

#[tokio::test]
async fn a_user_leaves_few_lists_at_a_time() {
    let mut history = client();
    let body = json!({ "MsgList": [entry("ann", "one")] });
    let mut codes = Vec::new();
    for _ in 0..30 {
        codes.push(call(&mut history, 1, "save_relay_json_msg", body.clone()).await.0);
    }
    assert_eq!(codes[..10], [0; 10]);
    assert!(codes.contains(&60018), "{codes:?}");
}
