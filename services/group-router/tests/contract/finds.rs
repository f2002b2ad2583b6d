//! What users find: unread messages of many groups read at once, groups and members by words.

use serde_json::{Value, json};

use crate::support::*;

const READ_ALL: &str = "openim.read_all_unread_msg";
const GROUPS: &str = "group_search.query";
const MEMBERS: &str = "group_member_search.query";

#[tokio::test]
async fn many_groups_are_read_at_once_with_a_code_each() {
    let world = World::new();
    for group in ["a", "b", "foreign"] {
        public_group(&world, group, &["ann"]).await;
        for random in 1..4 {
            ok(&world.send("owner", group, random).await);
        }
    }
    world.create("live").await;
    let gone = json!({ "GroupId": "foreign", "MemberToDel_Account": ["ann"] });
    ok(&world.rest("delete_group_member", gone).await);
    world.around.presence.delivered.lock().clear();
    let reads = json!([{ "GroupId": "a", "MsgSeq": 3 }, { "GroupId": "none", "MsgSeq": 1 },
        { "GroupId": "b", "MsgSeq": 99 }, { "GroupId": "foreign", "MsgSeq": 2 },
        { "GroupId": "live", "MsgSeq": 2 }, { "GroupId": "", "MsgSeq": 2 }]);
    let body = json!({ "C2CReadAllMsg": 1, "GroupReadInfo": reads });
    let answer = world.client("ann", READ_ALL, body.clone()).await;
    let read = ok(&answer)["GroupReadInfoArray"].as_array().unwrap();
    let codes: Vec<_> = read.iter().map(|entry| entry["RetCode"].clone()).collect();
    assert_eq!(
        (codes, answer["C2CReadAllMsg"].as_u64()),
        (vec![json!(0), json!(10010), json!(0), json!(10007), json!(0), json!(10015)], Some(1),)
    );
    assert_eq!((&read[2]["GroupId"], &read[2]["MsgSeq"]), (&json!("b"), &json!(99)));
    // Other sessions of the user are told what was read, and nobody else is told anything.
    let told = world.around.presence.told();
    let mut seqs: Vec<_> = told
        .iter()
        .map(|(users, entry)| {
            assert_eq!(users, &["ann"]);
            let read = &entry["GroupTips"][0]["MsgBody"]["GroupReadInfoArray"][0];
            (read["GroupId"].as_str().unwrap().to_owned(), read["LastReadMsgSeq"].as_u64().unwrap())
        })
        .collect();
    seqs.sort();
    assert_eq!(seqs, [("a".to_owned(), 3), ("b".to_owned(), 3)]);
    // Read once more, it changes nothing.
    ok(&world.client("ann", READ_ALL, body).await);
    assert_eq!(world.around.presence.told().len(), 2);
    let world = world.crash();
    for (group, read) in [("a", 3), ("b", 3)] {
        let list = world.rest("get_group_member_info", in_group(group)).await;
        let members = ok(&list)["MemberList"].as_array().unwrap();
        let ann = members.iter().find(|member| member["Member_Account"] == "ann").unwrap();
        assert_eq!(ann["MsgSeq"], read);
    }
    let many = vec![json!({ "GroupId": "a", "MsgSeq": 1 }); 5_001];
    refused(&world.client("ann", READ_ALL, json!({ "GroupReadInfo": many })).await, 20001);
    ok(&world.client("ann", READ_ALL, json!({ "C2CReadAllMsg": 1 })).await);
}

#[tokio::test]
async fn a_page_of_members_says_who_is_online_if_asked() {
    let world = World::new();
    public_group(&world, "g", &["ann", "bob", "cem"]).await;
    *world.around.presence.online.lock() = Some(["ann".to_owned(), "owner".to_owned()].into());
    let mut body =
        json!({ "GroupId": "g", "Limit": 3, "MemberInfoFilter": ["Role", "OnlineStatus"] });
    let statuses = |answer: &Value| {
        let members = ok(answer)["MemberList"].as_array().unwrap();
        members.iter().map(|member| member["OnlineStatus"].clone()).collect::<Vec<_>>()
    };
    let answer = world.client("ann", "get_group_member_info", body.clone()).await;
    assert_eq!(statuses(&answer), ["Online", "Offline", "Offline"]);
    assert_eq!(*world.around.presence.asked.lock(), [3], "one question, about the page alone");
    let named = json!({ "GroupId": "g", "Member_List_Account": ["cem", "ann"], "MemberInfoFilter": ["OnlineStatus"] });
    let answer = world.client("ann", "get_specified_group_member_info", named).await;
    assert_eq!(statuses(&answer), ["Offline", "Online"]);
    // Without an answer there is none, and who did not ask gets none.
    *world.around.presence.online.lock() = None;
    let answer = world.client("ann", "get_group_member_info", body.clone()).await;
    assert_eq!(statuses(&answer), [(); 3].map(|()| Value::Null));
    body["MemberInfoFilter"] = json!(["Role"]);
    world.around.presence.asked.lock().clear();
    ok(&world.client("ann", "get_group_member_info", body).await);
    assert!(world.around.presence.asked.lock().is_empty());
}

#[tokio::test]
async fn profiles_come_with_members_if_asked() {
    let world = World::new();
    public_group(&world, "g", &["ann"]).await;
    let huge = json!({ "Type": "Community", "Name": "n", "GroupId": "@TGS#_huge", "Owner_Account": "ann" });
    ok(&world.rest("create_group", huge).await);
    world.create("live").await;
    let card = json!({ "GroupId": "g", "Member_Account": "ann", "NameCard": "A",
        "AppMemberDefinedData": [{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }] });
    ok(&world.rest("modify_group_member_info", card).await);
    let info = async |filter: Value| {
        let body =
            json!({ "GroupIdList": ["g", "@TGS#_huge", "live", "none"], "ResponseFilter": filter });
        let answer = world.rest("get_group_info", body).await;
        let groups = ok(&answer)["GroupInfo"].as_array().unwrap();
        groups.iter().map(|group| group["MemberList"].clone()).collect::<Vec<_>>()
    };
    let lists = info(json!({ "GroupBaseInfoFilter": ["Name"], "MemberInfoFilter": ["Account", "Role", "NameCard"],
        "AppDefinedDataFilter_GroupMember": ["b"] })).await;
    let [owner, ann] = [("owner", "Owner", "", json!([])), ("ann", "Member", "A", json!([{ "Key": "b", "Value": "2" }]))]
        .map(|(user, role, card, custom)| json!({ "Member_Account": user, "Role": role, "NameCard": card, "AppMemberDefinedData": custom }));
    assert_eq!(lists, [json!([ann, owner]), Value::Null, Value::Null, Value::Null]);
    assert_eq!(info(json!({ "GroupBaseInfoFilter": ["Name"] })).await[0], Value::Null);
    let lists = info(json!({ "MemberInfoFilter": ["MuteUntil", "LastSendMsgTime"] })).await;
    assert_eq!(
        lists[0][0],
        json!({ "Member_Account": "ann", "MuteUntil": 0, "ShutUpUntil": 0, "LastSendMsgTime": 0 })
    );
}

/// Searches page by page; what was found, by one field, and the total of each page.
async fn search(
    world: &World,
    user: &str,
    command: &str,
    mut body: Value,
) -> (Vec<String>, Vec<u64>) {
    let (list, field) = match command {
        GROUPS => ("Groups", "GroupID"),
        _ => ("GroupMembers", "GroupMemberUserID"),
    };
    let (mut found, mut totals) = (Vec::new(), Vec::new());
    loop {
        let answer = world.client(user, command, body.clone()).await;
        let page = ok(&answer)[list].as_array().unwrap();
        assert!(page.len() as u64 <= body["Count"].as_u64().unwrap_or(20));
        found.extend(page.iter().map(|entry| entry[field].as_str().unwrap().to_owned()));
        totals.push(answer["TotalCount"].as_u64().unwrap());
        match answer["Cursor"].as_str().unwrap() {
            "" => return (found, totals),
            cursor => body["Cursor"] = json!(cursor),
        }
    }
}

async fn named_group(world: &World, kind: &str, id: &str, name: &str, members: &[&str]) {
    let members: Vec<_> = members.iter().map(|user| json!({ "Member_Account": user })).collect();
    let body = json!({ "Type": kind, "Name": name, "GroupId": id, "Owner_Account": "owner",
        "MemberList": members });
    ok(&world.rest("create_group", body).await);
}

#[tokio::test]
async fn a_user_finds_groups_of_his_by_name_and_others_by_their_id() {
    let world = World::new();
    for (id, name) in [("g1", "Chess Club"), ("g2", "chess and go"), ("g3", "Go"), ("chess4", "x")]
    {
        named_group(&world, "Public", id, name, &["ann"]).await;
    }
    named_group(&world, "Public", "foreign", "Chess elsewhere", &["bob"]).await;
    named_group(&world, "Private", "closed", "Chess at home", &["bob"]).await;
    named_group(&world, "Private", "silent", "Chess without a word", &["ann"]).await;
    world.create("live").await;
    let find = async |words: &[&str], all: u32, count: u32| {
        let body = json!({ "Keywords": words, "KeywordMatchType": all, "Count": count });
        search(&world, "ann", GROUPS, body).await
    };
    assert_eq!(
        find(&["CHESS"], 0, 20).await,
        (vec!["chess4".into(), "g1".into(), "g2".into()], vec![3])
    );
    assert_eq!(find(&["chess", "GO"], 1, 20).await.0, ["g2"]);
    let (found, totals) = find(&["chess", "go"], 0, 2).await;
    assert_eq!(
        (found, totals),
        (["chess4", "g1", "g2", "g3"].map(String::from).into(), vec![4, 4])
    );
    assert_eq!(
        find(&["foreign", "closed", "live", "none", "g3"], 0, 20).await.0,
        ["foreign", "g3"]
    );
    assert_eq!(find(&["foreign", "elsewhere"], 1, 20).await.0, ["foreign"]);
    let body = json!({ "Keywords": ["g1"] });
    let answer = world.client("ann", GROUPS, body).await;
    let entry = &ok(&answer)["Groups"][0];
    assert_eq!(
        entry,
        &json!({ "GroupID": "g1", "GroupName": "Chess Club", "GroupType": "Public",
        "GroupFaceUrl": "", "GroupIntroduction": "", "GroupOwnerUserID": "owner",
        "GroupMemberNum": 2, "GroupAddOption": "NeedPermission",
        "GroupInviteOption": "DisableInvite" })
    );
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused_and_so_is_too_much() {
    let world = World::new();
    for body in [
        json!({}),
        json!({ "Keywords": [] }),
        json!({ "Keywords": [""] }),
        json!({ "Keywords": ["a", "b", "c", "d", "e", "f"] }),
        json!({ "Keywords": ["a"], "Count": 0 }),
        json!({ "Keywords": ["a"], "Count": 101 }),
        json!({ "Keywords": ["a"], "KeywordMatchType": 2 }),
        json!({ "Keywords": ["a"], "Cursor": "mine" }),
        json!({ "Keywords": ["a"], "GroupIdList": vec!["g"; 51] }),
    ] {
        for command in [GROUPS, MEMBERS] {
            refused(&world.client("ann", command, body.clone()).await, 27003);
        }
    }
    let mut codes = Vec::new();
    for _ in 0..30 {
        codes.push(
            world.client("ann", GROUPS, json!({ "Keywords": ["a"] })).await["ErrorCode"].clone(),
        );
    }
    assert!(codes[..10].iter().all(|code| *code == 0), "{codes:?}");
    assert!(codes.contains(&json!(60018)), "{codes:?}");
    ok(&world.client("bob", MEMBERS, json!({ "Keywords": ["a"] })).await);
}

#[tokio::test]
async fn a_user_finds_members_of_his_groups_by_id_nickname_and_card() {
    let world = World::new();
    public_group(&world, "a", &["ann", "bob", "cleo"]).await;
    public_group(&world, "b", &["ann", "bobby"]).await;
    public_group(&world, "foreign", &["bobo"]).await;
    let card =
        json!({ "GroupId": "a", "Member_Account": "cleo", "NameCard": "Bob\u{2019}s friend" });
    ok(&world.rest("modify_group_member_info", card).await);
    let find = async |words: &[&str], all: u32, groups: &[&str], count: u32| {
        let body = json!({ "Keywords": words, "KeywordMatchType": all, "GroupIdList": groups, "Count": count });
        search(&world, "ann", MEMBERS, body).await
    };
    assert_eq!(
        find(&["BOB"], 0, &[], 20).await,
        (["bob", "cleo", "bobby"].map(String::from).into(), vec![3])
    );
    assert_eq!(find(&["bob"], 0, &["b", "foreign"], 20).await.0, ["bobby"]);
    assert_eq!(find(&["friend", "cle"], 1, &[], 20).await.0, ["cleo"]);
    let (found, totals) = find(&["nick of"], 0, &[], 2).await;
    let all = ["owner", "ann", "bob", "cleo", "owner", "ann", "bobby"];
    let mut sorted = found.clone();
    sorted.sort();
    let mut expected = all.map(String::from);
    expected.sort();
    assert_eq!((sorted, totals), (expected.to_vec(), vec![7; 4]));
    let answer = world.client("ann", MEMBERS, json!({ "Keywords": ["cleo"] })).await;
    assert_eq!(
        ok(&answer)["GroupMembers"][0],
        json!({ "GroupID": "a", "GroupName": "Chess",
        "GroupType": "Public", "GroupFaceUrl": "", "GroupMemberUserID": "cleo",
        "GroupMemberUserName": "Nick of cleo", "GroupMemberNameCard": "Bob\u{2019}s friend",
        "GroupMemberAvatar": "https://127.0.0.1/a.png" })
    );
    assert_eq!(search(&world, "dan", MEMBERS, json!({ "Keywords": ["o"] })).await.0.len(), 0);
}

/// No request looks at all members of a huge group.
#[tokio::test]
async fn a_huge_group_is_searched_part_by_part() {
    let world = World::new();
    let body = json!({ "Type": "Community", "Name": "Huge", "GroupId": "@TGS#_huge",
        "Owner_Account": "ann" });
    ok(&world.rest("create_group", body).await);
    for part in 0..20 {
        let member = |number: u32| json!({ "Member_Account": format!("m{part:02}x{number:03}") });
        let members: Vec<_> = (0..250).map(member).collect();
        let body = json!({ "GroupId": "@TGS#_huge", "MemberList": members });
        ok(&world.rest("import_group_member", body).await);
    }
    let word = |word: &str| json!({ "Keywords": [word] });
    let (found, totals) = search(&world, "ann", MEMBERS, word("M19X249")).await;
    assert_eq!(found, ["m19x249"]);
    assert!(totals.len() > 2 && totals[0] == 0, "{totals:?}");
    let (found, _) = search(&world, "ann", MEMBERS, word("x007")).await;
    assert_eq!(found.len(), 20);
    let answer = world.client("ann", MEMBERS, json!({ "Keywords": ["m"], "Count": 100 })).await;
    let total = ok(&answer)["TotalCount"].as_u64().unwrap();
    assert!((1_000..=2_200).contains(&total), "{total}");
}
