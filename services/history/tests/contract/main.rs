//! History through its contract, as the other services call it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no users")]

mod conversations;
mod groups;
mod merged;
mod owners;

use std::sync::Arc;

use throng_history::{Config, Deps, History};
use throng_node::secret::Secret;
use throng_proto::Link;
use throng_proto::v1;
use throng_proto::v1::history_client::HistoryClient;
use throng_store::MemoryStore;
use tonic::Code;

const START: i64 = 1_800_000_000;

fn client() -> HistoryClient<Link> {
    client_of(Link::unconnected())
}

fn deps(store: Arc<MemoryStore>, group_router: Link) -> Deps {
    Deps { store, group_router, secret: Secret::new(&[7; 32]) }
}

fn client_of(group_router: Link) -> HistoryClient<Link> {
    let store = Arc::new(MemoryStore::new());
    let history = History::build(&Config::default(), deps(store, group_router)).unwrap();
    let link = Link::unconnected();
    link.connect_server(history.server());
    HistoryClient::new(link)
}

fn append(group_id: &str, messages: Vec<v1::StoredMessage>) -> v1::AppendRoomRequest {
    v1::AppendRoomRequest { app: 1, group_id: group_id.to_owned(), messages, fence: None }
}

fn read(group_id: &str) -> v1::ReadRoomRequest {
    let group_id = group_id.to_owned();
    v1::ReadRoomRequest { app: 1, group_id, limit: 1000, ..v1::ReadRoomRequest::default() }
}

#[tokio::test]
async fn the_largest_answer_fits_into_one_grpc_message() {
    let mut history = client();
    for part in 0..4u32 {
        let messages = (1..=200).map(|number| v1::StoredMessage {
            msg_seq: part * 200 + number,
            msg_time: START,
            msg_body: vec![b'x'; 12 * 1024].into(),
            ..v1::StoredMessage::default()
        });
        history.append_room(append("room", messages.collect())).await.unwrap();
    }
    let reply = history.read_room(read("room")).await.unwrap().into_inner();
    assert!(!reply.complete);
    assert!(reply.messages.len() > 200, "{}", reply.messages.len());
    assert_eq!(reply.messages[0].msg_seq, 800);
    let msg_seqs = (1..=200).collect();
    let request = v1::GetRoomMessagesRequest { app: 1, group_id: "room".to_owned(), msg_seqs };
    let reply = history.get_room_messages(request).await.unwrap().into_inner();
    assert_eq!(reply.messages.len(), 200);
}

#[tokio::test]
async fn a_recalled_message_is_marked_or_left_out() {
    let mut history = client();
    let messages = (1..=3).map(|msg_seq| v1::StoredMessage {
        msg_seq,
        msg_time: START,
        ..v1::StoredMessage::default()
    });
    history.append_room(append("room", messages.collect())).await.unwrap();
    let recall = v1::RecallRoomMessagesRequest {
        app: 1,
        group_id: "room".to_owned(),
        msg_seqs: vec![2],
        revoker: "admin".to_owned(),
        fence: None,
    };
    history.recall_room_messages(recall).await.unwrap();
    let marked = history.read_room(read("room")).await.unwrap().into_inner();
    let marks: Vec<_> = marked.messages.iter().map(|message| message.recalled).collect();
    assert_eq!(marks, [false, true, false]);
    let request = v1::ReadRoomRequest { skip_recalled: true, ..read("room") };
    let rest = history.read_room(request).await.unwrap().into_inner();
    assert_eq!(rest.messages.iter().map(|message| message.msg_seq).collect::<Vec<_>>(), [3, 1]);
    assert!(rest.complete);
}

/// Its sender may have repeated the message to the next owner, who did not see it.
#[tokio::test]
async fn a_late_append_of_an_earlier_owner_is_refused_once_the_next_one_has_read() {
    let mut history = client();
    let by = |epoch, msg_seq| {
        let message = v1::StoredMessage { msg_seq, msg_time: START, ..Default::default() };
        let fence = Some(v1::Fence { epoch, write_time: i64::from(msg_seq) });
        v1::AppendRoomRequest { fence, ..append("room", vec![message]) }
    };
    history.append_room(by(1, 1)).await.unwrap();
    let of_next_owner = v1::ReadRoomRequest { owner_epoch: 2, ..read("room") };
    assert_eq!(history.read_room(of_next_owner).await.unwrap().into_inner().messages.len(), 1);
    let late = history.append_room(by(1, 2)).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    history.append_room(by(2, 501)).await.unwrap();
    let numbers: Vec<_> = history.read_room(read("room")).await.unwrap().into_inner().messages;
    assert_eq!(numbers.iter().map(|message| message.msg_seq).collect::<Vec<_>>(), [501, 1]);
}

#[tokio::test]
async fn mistakes_of_callers_are_told_as_such() {
    let mut history = client();
    let refused = |result: Result<(), tonic::Status>| {
        assert_eq!(result.unwrap_err().code(), Code::InvalidArgument);
    };
    let unnamed = append("", vec![v1::StoredMessage::default()]);
    refused(history.append_room(unnamed).await.map(drop));
    let zero = append("room", vec![v1::StoredMessage::default()]);
    refused(history.append_room(zero).await.map(drop));
    let nothing = v1::ReadRoomRequest { limit: 0, ..read("room") };
    refused(history.read_room(nothing).await.map(drop));
    let msg_seqs = (1..=201).collect();
    let request = v1::GetRoomMessagesRequest { app: 1, group_id: "room".to_owned(), msg_seqs };
    refused(history.get_room_messages(request).await.map(drop));
}

#[tokio::test]
async fn commands_answer_in_the_envelope() {
    let mut history = client();
    let request = v1::CommandRequest {
        app: 1,
        caller: Some(v1::Caller::default()),
        origin: Some(v1::Origin::default()),
        command: "openim.getmsg".to_owned(),
        body: r#"{"Cookie":"","SyncFlag":0}"#.into(),
        ..v1::CommandRequest::default()
    };
    let reply = history.execute(request).await.unwrap().into_inner();
    let expected = concat!(
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","#,
        r#""Cookie":"0","SyncFlag":2,"MsgList":[]}"#,
    );
    assert_eq!((reply.code, &*reply.body), (0, expected.as_bytes()));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let store = Arc::new(MemoryStore::new());
    let config = Config { room_seconds: 0 };
    let error = History::build(&config, deps(store, Link::unconnected())).unwrap_err();
    assert_eq!(error.to_string(), "history: room_seconds must be between one second and a week");
}
