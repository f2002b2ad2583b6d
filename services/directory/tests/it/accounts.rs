//! `im_open_login_svc`.

use serde_json::{Value, json};
use throng_node::time::now_seconds;

use crate::fixture::{ADMIN, Fixture};

async fn status(f: &Fixture, user: &str) -> Value {
    let body = json!({"CheckItem": [{"UserID": user}]}).to_string();
    let answer = f.rest("im_open_login_svc.account_check", &body).await;
    assert_eq!(answer["ResultItem"][0]["UserID"], user);
    assert_eq!(answer["ResultItem"][0]["ResultCode"], 0);
    answer["ResultItem"][0]["AccountStatus"].clone()
}

#[tokio::test]
async fn an_import_makes_the_account_and_its_profile() {
    let f = Fixture::new();
    assert_eq!(status(&f, "ann").await, "NotImported");
    let body = r#"{"UserID":"ann","Nick":"Ann","FaceUrl":"https://a/1"}"#;
    f.rest("im_open_login_svc.account_import", body).await;
    assert_eq!(status(&f, "ann").await, "Imported");
    assert_eq!(status(&f, ADMIN).await, "Imported", "administrators exist");
    let briefs = f.briefs(&["ann", "nobody", ADMIN]).await;
    assert_eq!(briefs.len(), 2);
    assert_eq!((briefs[0].nick.as_str(), briefs[0].avatar.as_str()), ("Ann", "https://a/1"));
    assert_eq!((briefs[1].user.as_str(), briefs[1].nick.as_str()), (ADMIN, ""));

    let again =
        f.rest("im_open_login_svc.account_import", r#"{"UserID":"ann","Nick":"Anna"}"#).await;
    assert_eq!(again["ErrorCode"], 0);
    let briefs = f.briefs(&["ann"]).await;
    assert_eq!((briefs[0].nick.as_str(), briefs[0].avatar.as_str()), ("Anna", "https://a/1"));
}

#[tokio::test]
async fn both_shapes_of_a_batch_are_taken() {
    let f = Fixture::new();
    let old = r#"{"Accounts":["a","b",""]}"#;
    let answer = f.rest("im_open_login_svc.multiaccount_import", old).await;
    assert_eq!((&answer["ErrorCode"], &answer["FailAccounts"]), (&json!(0), &json!([""])));
    let long = "x".repeat(501);
    let new = json!({"AccountList": [
        {"UserID": "a", "Nick": "A"},
        {"UserID": "c", "Nick": long},
        {"UserID": "d", "FaceUrl": "u"},
    ]});
    let answer = f.rest("im_open_login_svc.multiaccount_import", &new.to_string()).await;
    assert_eq!(answer["FailAccounts"], json!(["c"]));
    assert_eq!(f.briefs(&["a"]).await[0].nick, "A");
    for (user, expected) in
        [("a", "Imported"), ("b", "Imported"), ("c", "NotImported"), ("d", "Imported")]
    {
        assert_eq!(status(&f, user).await, expected, "{user}");
    }
}

#[tokio::test]
async fn a_kick_revokes_older_signatures_and_ends_the_sessions() {
    let f = Fixture::new();
    f.account("ann").await;
    for (body, kicks) in [(r#"{"UserID":"ann"}"#, 1), (r#"{"Identifier":"ann"}"#, 2)] {
        let before = now_seconds();
        let answer = f.rest("im_open_login_svc.kick", body).await;
        assert_eq!(answer["ErrorCode"], 0);
        let not_before = f.not_before("ann").await;
        assert!((before..=now_seconds()).contains(&not_before), "{not_before}");
        assert_eq!(f.presence.kicked.lock().len(), kicks);
    }
    let unknown = f.rest("im_open_login_svc.kick", r#"{"UserID":"bob"}"#).await;
    assert_eq!(unknown["ErrorCode"], 70107);
    let admin = f.rest("im_open_login_svc.kick", r#"{"UserID":"administrator"}"#).await;
    assert_eq!(admin["ErrorCode"], 0);
}

/// The signatures are revoked even when the sessions could not be ended; the caller tries again.
#[tokio::test]
async fn a_kick_is_durable_before_sessions_end() {
    let f = Fixture::new();
    f.account("ann").await;
    *f.presence.broken.lock() = true;
    let answer = f.rest("im_open_login_svc.kick", r#"{"UserID":"ann"}"#).await;
    assert_eq!(answer["ErrorCode"], 70500);
    assert!(f.not_before("ann").await > 0);
    let restarted = Fixture::over(f.store.clone(), f.bus.clone());
    assert!(restarted.not_before("ann").await > 0);
}

#[tokio::test]
async fn a_deleted_account_is_gone_with_its_profile_and_its_signatures() {
    let f = Fixture::new();
    f.rest("im_open_login_svc.account_import", r#"{"UserID":"ann","Nick":"Ann"}"#).await;
    let body = r#"{"DeleteItem":[{"UserID":"ann"},{"UserID":"bob"},{"UserID":"administrator"}]}"#;
    let answer = f.rest("im_open_login_svc.account_delete", body).await;
    let codes: Vec<_> =
        answer["ResultItem"].as_array().unwrap().iter().map(|i| &i["ResultCode"]).collect();
    assert_eq!(codes, [&json!(0), &json!(70107), &json!(70402)]);
    assert_eq!(*f.presence.kicked.lock(), ["ann"]);
    assert_eq!(status(&f, "ann").await, "NotImported");
    assert!(f.briefs(&["ann"]).await.is_empty());
    f.account("ann").await;
    assert_eq!(f.briefs(&["ann"]).await[0].nick, "");
    assert!(f.not_before("ann").await > 0, "signatures from before stay worthless");
}

#[tokio::test]
async fn wrong_fields_get_the_documented_code_and_are_named() {
    let f = Fixture::new();
    let many: Vec<_> = (0..101).map(|n| json!({"UserID": format!("u{n}")})).collect();
    let long = "x".repeat(501);
    for (command, body, code, part) in [
        ("account_import", json!({}), 70402, "UserID"),
        ("account_import", json!({"UserID": 5}), 70402, "UserID"),
        ("account_import", json!({"UserID": ""}), 70402, "UserID"),
        ("account_import", json!({"UserID": "x".repeat(33)}), 70402, "UserID"),
        ("account_import", json!({"UserID": "a", "Nick": long}), 40601, "Nick"),
        ("account_import", json!({"UserID": "a", "FaceUrl": 1}), 70402, "FaceUrl"),
        ("multiaccount_import", json!({}), 70402, "AccountList"),
        ("multiaccount_import", json!({"Accounts": []}), 70206, "Accounts"),
        ("multiaccount_import", json!({"AccountList": many}), 70206, "AccountList"),
        ("multiaccount_import", json!({"Accounts": [1]}), 70402, "Accounts[0]"),
        ("account_check", json!({"CheckItem": []}), 70206, "CheckItem"),
        ("account_check", json!({"CheckItem": [{"UserId": "a"}]}), 70402, "CheckItem[0].UserID"),
        ("account_delete", json!({"DeleteItem": many}), 70206, "DeleteItem"),
        ("kick", json!({"User": "a"}), 70402, "UserID"),
        ("no_such", json!({}), 60009, "no_such"),
    ] {
        let answer = f.rest(&format!("im_open_login_svc.{command}"), &body.to_string()).await;
        assert_eq!(answer["ErrorCode"], code, "{command} {body}");
        assert!(answer["ErrorInfo"].as_str().unwrap().contains(part), "{answer}");
    }
}
