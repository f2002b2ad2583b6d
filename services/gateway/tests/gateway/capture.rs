//! What a gateway writes down of its traffic.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use throng_capture::{Command, Record, What, read};
use throng_gateway::{CaptureConfig, Config};
use tokio::time::timeout;

use crate::support::{Client, Cluster, GATEWAY, KEY, LONG, code, signature};

fn config(folder: &Path) -> Config {
    let capture = CaptureConfig { directory: Some(folder.to_owned()), ..CaptureConfig::default() };
    Config { capture, drain_window: Duration::from_millis(100), ..Config::default() }
}

/// The records of the only file, by connection and place, and its text.
fn records(folder: &Path) -> (Vec<Record>, String) {
    let mut files = std::fs::read_dir(folder).unwrap();
    let path = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    let text = std::fs::read_to_string(path).unwrap();
    let mut records = read(text.as_bytes()).unwrap().records;
    records.sort_by_key(|record| (record.line, record.place));
    (records, text)
}

fn commands(records: &[Record], line: u64) -> Vec<Command> {
    let commands = records.iter().filter(|record| record.line == line);
    let commands = commands.filter_map(|record| match &record.what {
        What::Command(command) => Some(command.clone()),
        _ => None,
    });
    commands.collect()
}

async fn ended(cluster: Cluster) {
    cluster.drain.begin();
    timeout(LONG, cluster.serving).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_session_from_its_login_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::with(config(folder.path())).await;
    let mut ann = cluster.login("ann").await;
    ann.ask("group_open_http_svc.apply_join_group", &json!({"GroupId": "the room"})).await;
    ann.ask("heartbeat.alive", &json!({})).await;
    let body = json!({
        "GroupId": "the room", "Random": 7, "MsgPriority": "Low", "From_Account": "ann",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "a private word"}}],
    });
    ann.ask("group_open_http_svc.send_group_msg", &body).await;
    let login = ann.login.clone();
    ann.close(1000).await;
    let mut again = Client::connect(cluster.address, "/binfo", "instance-of-ann").await;
    assert_eq!(code(&again.come_back(&login).await), 0);
    again.ask("group_open_http_svc.send_group_msg", &body).await;
    again.close(4000).await;
    ended(cluster).await;

    let (records, text) = records(folder.path());
    assert!(matches!(records.iter().find(|it| it.line == 1).unwrap().what, What::Open));
    let names: Vec<String> =
        commands(&records, 1).iter().map(|command| command.name.to_string()).collect();
    let expected = [
        "im_open_status.wslogin",
        "group_open_http_svc.apply_join_group",
        "group_open_http_svc.send_group_msg",
    ];
    assert_eq!(names, expected, "and no heartbeat");
    let [login_1, join, send] = &commands(&records, 1)[..] else { panic!() };
    assert!(!login_1.again && login_1.took.is_some());
    assert!(join.live && send.live && join.group.is_some() && join.group == send.group);
    let message = send.message.as_ref().unwrap();
    assert_eq!(message.priority.as_deref(), Some("Low"));
    assert_eq!((message.elements.len(), message.elements[0].bytes), (1, 14));

    let second = commands(&records, 2);
    assert!(second[0].again);
    assert_eq!(second[1].message.as_ref().unwrap().id, message.id, "it was sent again");
    let ends: Vec<bool> = records
        .iter()
        .filter_map(|record| match record.what {
            What::Close { for_good } => Some(for_good),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [false, true]);
    let user = records.iter().find_map(|record| record.user);
    assert!(records.iter().filter(|it| it.line != 0).all(|record| record.user == user));
    assert!(records.iter().any(|record| record.what == What::End));
    let sig = signature("ann");
    for hidden in ["ann", "the room", "private", "127.0.0.1", GATEWAY, KEY, &login.a2, &sig] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}

#[tokio::test]
async fn guests_and_refused_logins() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::with(config(folder.path())).await;
    let mut guest = cluster.connect().await;
    guest.ask("group_open_http_svc.get_group_info", &json!({"GroupIdList": ["r"]})).await;
    let mut bob = cluster.connect().await;
    assert_ne!(code(&bob.log_in("bob", "no signature").await), 0);
    ended(cluster).await;
    let (records, _) = records(folder.path());
    assert!(commands(&records, 1).is_empty(), "guests are not captured");
    assert_ne!(commands(&records, 2)[0].code, 0);
}

#[tokio::test]
#[should_panic(expected = "capture.directory")]
async fn a_file_that_cannot_be_written_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let capture = CaptureConfig { directory: Some(file), ..CaptureConfig::default() };
    Cluster::with(Config { capture, ..Config::default() }).await;
}
