//! `profile`.

use prost::Message as _;
use serde_json::{Value, json};
use throng_bus::{Delivery, subjects};
use throng_proto::v1;

use crate::fixture::{ADMIN, APP, Fixture};

fn set_nick(user: &str, nick: &str) -> String {
    json!({"From_Account": user, "ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": nick}]})
        .to_string()
}

#[tokio::test]
async fn a_profile_set_by_its_user_is_read_by_others() {
    let f = Fixture::new();
    f.account("ann").await;
    f.account("bob").await;
    let items = json!([
        {"Tag": "Tag_Profile_IM_Nick", "Value": "Ann"},
        {"Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Female"},
        {"Tag": "Tag_Profile_IM_Level", "Value": 12},
        {"Tag": "Tag_Profile_Custom_Color", "Value": "red"},
    ]);
    let body = json!({"From_Account": "ann", "ProfileItem": items}).to_string();
    let answer = f.client("ann", "profile.portrait_set", &body).await;
    assert_eq!((&answer["ErrorCode"], &answer["ErrorDisplay"]), (&json!(0), &json!("")));

    let body = json!({"From_Account": "bob", "UserItem": [
        {"To_Account": "ann", "StandardSequence": 0, "CustomSequence": 0},
        {"To_Account": ""}, {}, {"To_Account": "nobody"}, {"To_Account": "bob"},
    ]});
    let answer = f.client("bob", "profile.portrait_get_all", &body.to_string()).await;
    let profiles = answer["UserProfileItem"].as_array().unwrap();
    assert_eq!(profiles.len(), 2, "unknown users and empty entries are left out");
    assert_eq!(profiles[0]["To_Account"], "ann");
    let sorted = |value: &Value| {
        let mut items = value.as_array().unwrap().clone();
        items.sort_by_key(|item| item["Tag"].to_string());
        items
    };
    assert_eq!(sorted(&profiles[0]["ProfileItem"]), sorted(&items));
    assert_eq!(
        (&profiles[1]["To_Account"], &profiles[1]["ProfileItem"]),
        (&json!("bob"), &json!([]))
    );
    assert_eq!(f.briefs(&["ann"]).await[0].level, 12);
}

#[tokio::test]
async fn app_servers_get_the_fields_they_ask_for() {
    let f = Fixture::new();
    f.account("ann").await;
    f.rest("profile.portrait_set", &set_nick("ann", "Ann")).await;
    let body = json!({
        "To_Account": ["ann", "nobody"],
        "TagList": ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Image"],
    });
    let answer = f.rest("profile.portrait_get", &body.to_string()).await;
    assert_eq!(answer["ErrorDisplay"], "");
    let profiles = &answer["UserProfileItem"];
    let nick = json!([{"Tag": "Tag_Profile_IM_Nick", "Value": "Ann"}]);
    assert_eq!((&profiles[0]["ProfileItem"], &profiles[0]["ResultCode"]), (&nick, &json!(0)));
    assert_eq!(
        (&profiles[1]["ProfileItem"], &profiles[1]["ResultCode"]),
        (&json!([]), &json!(40003))
    );
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
    let body = json!({"To_Account": ["ann"], "TagList": ["Tag_Profile_IM_Nick"]});
    let answer = f.rest("profile.portrait_get", &body.to_string()).await;
    assert!(answer.get("Fail_Account").is_none(), "left out when nobody failed");
}

#[tokio::test]
async fn a_change_is_pushed_and_announced() {
    let f = Fixture::new();
    f.account("ann").await;
    let mut announced = f.bus.subscribe(&subjects::profiles(APP)).await.unwrap();
    f.client("ann", "profile.portrait_set", &set_nick("ann", "Ann")).await;
    {
        let delivered = f.presence.delivered.lock();
        assert_eq!(delivered.len(), 1);
        assert_eq!((delivered[0].app, &delivered[0].users[..]), (APP.0, &["ann".to_owned()][..]));
        assert_eq!(delivered[0].except_inst_id, 5, "not to the session that did it");
        let item: Value = serde_json::from_slice(&delivered[0].event_items).unwrap();
        let list = json!([{"Tag": "Tag_Profile_IM_Nick", "ValueBytes": "Ann"}]);
        let change = json!([{"PushType": 1, "Profile_Account": "ann", "ProfileList": list}]);
        assert_eq!(item, json!({"Event": 8, "ProfileDataMod": change}));
    }
    let Some(Delivery::Message(payload)) = announced.recv().await else { panic!("lost") };
    assert_eq!(v1::ProfileChanged::decode(payload).unwrap().user, "ann");

    f.client("ann", "profile.portrait_set", &set_nick("ann", "Ann")).await;
    assert_eq!(f.presence.delivered.lock().len(), 1, "nothing changed");
    f.rest("profile.portrait_set", &set_nick("ann", "Anna")).await;
    assert_eq!(f.presence.delivered.lock()[1].except_inst_id, 0);
}

/// A push is help; the change itself is written and answered.
#[tokio::test]
async fn a_change_does_not_depend_on_presence() {
    let f = Fixture::new();
    f.account("ann").await;
    *f.presence.broken.lock() = true;
    let answer = f.client("ann", "profile.portrait_set", &set_nick("ann", "Ann")).await;
    assert_eq!(answer["ErrorCode"], 0);
    assert_eq!(f.briefs(&["ann"]).await[0].nick, "Ann");
}

#[tokio::test]
async fn wrong_requests_get_the_documented_code_and_change_nothing() {
    let f = Fixture::new();
    f.account("ann").await;
    f.account("bob").await;
    let set = |tag: &str, value: Value| {
        let items = json!([
            {"Tag": "Tag_Profile_IM_Image", "Value": "u"},
            {"Tag": tag, "Value": value},
        ]);
        json!({"From_Account": "ann", "ProfileItem": items}).to_string()
    };
    for (body, code, part) in [
        (set("Tag_Profile_IM_Nope", json!("x")), 40009, "Tag_Profile_IM_Nope"),
        (set("Tag_Profile_IM_Nick", json!(1)), 40610, "Tag_Profile_IM_Nick"),
        (set("Tag_Profile_IM_Nick", json!("x".repeat(501))), 40601, "Tag_Profile_IM_Nick"),
        (set("Tag_Profile_IM_AllowType", json!("any")), 40605, "Tag_Profile_IM_AllowType"),
        (set_nick("bob", "Bob"), 40004, "From_Account"),
        (set_nick("", "Bob"), 40001, "From_Account"),
        (json!({"From_Account": "ann", "ProfileItem": []}).to_string(), 40001, "ProfileItem"),
        (json!({"From_Account": "ann"}).to_string(), 40001, "ProfileItem"),
        (json!({"From_Account": "ann", "ProfileItem": [{"Tag": "x"}]}).to_string(), 40001, "Value"),
        ("[]".to_owned(), 40001, "object"),
    ] {
        let answer = f.client("ann", "profile.portrait_set", &body).await;
        assert_eq!(answer["ErrorCode"], code, "{body}");
        assert!(answer["ErrorInfo"].as_str().unwrap().contains(part), "{answer}");
        assert_eq!(answer["ErrorDisplay"], "");
    }
    assert_eq!(f.briefs(&["ann"]).await[0].avatar, "", "all or nothing");
    let unknown = f.rest("profile.portrait_set", &set_nick("nobody", "x")).await;
    assert_eq!(unknown["ErrorCode"], 40003);
    let admin = f.rest("profile.portrait_set", &set_nick(ADMIN, "Boss")).await;
    assert_eq!(admin["ErrorCode"], 0, "an administrator needs no login to have a profile");

    let many: Vec<_> = (0..101).map(|n| json!({"To_Account": format!("u{n}")})).collect();
    let body = json!({"UserItem": many}).to_string();
    let answer = f.client("ann", "profile.portrait_get_all", &body).await;
    assert_eq!(answer["ErrorCode"], 40001);
    for (body, code) in [
        (json!({"To_Account": [], "TagList": ["Tag_Profile_IM_Nick"]}), 40002),
        (json!({"To_Account": ["ann"], "TagList": []}), 40001),
        (json!({"To_Account": ["ann"], "TagList": ["Nick"]}), 40009),
        (json!({"To_Account": "ann", "TagList": ["Tag_Profile_IM_Nick"]}), 40001),
    ] {
        let answer = f.rest("profile.portrait_get", &body.to_string()).await;
        assert_eq!(answer["ErrorCode"], code, "{body}");
    }
}

#[tokio::test]
async fn a_profile_survives_and_another_directory_sees_changes() {
    let f = Fixture::new();
    f.account("ann").await;
    f.client("ann", "profile.portrait_set", &set_nick("ann", "Ann")).await;
    let other = Fixture::over(f.store.clone(), f.bus.clone());
    let drain = other.run();
    assert_eq!(other.briefs(&["ann"]).await[0].nick, "Ann");

    // The other directory has it cached now, and hears of the change on the bus once it listens.
    let mut attempt = 0;
    while other.briefs(&["ann"]).await[0].nick != format!("Ann{attempt}") {
        attempt += 1;
        f.client("ann", "profile.portrait_set", &set_nick("ann", &format!("Ann{attempt}"))).await;
        tokio::task::yield_now().await;
        assert!(attempt < 10_000, "the change was never seen");
    }
    drain.begin();
    drain.finished().await;
}
