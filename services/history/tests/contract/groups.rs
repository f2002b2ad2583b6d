//! Messages of durable groups.

use throng_proto::v1;
use tonic::Code;

use super::client;

fn log() -> Option<v1::GroupLog> {
    Some(v1::GroupLog { app: 1, group_id: "group".to_owned(), incarnation: 1 })
}

fn append(msg_seqs: std::ops::RangeInclusive<u32>, epoch: u64) -> v1::AppendGroupRequest {
    let message = |msg_seq| v1::StoredMessage { msg_seq, ..v1::StoredMessage::default() };
    v1::AppendGroupRequest {
        log: log(),
        messages: msg_seqs.map(message).collect(),
        fence: Some(v1::Fence { epoch, write_time: 0 }),
    }
}

#[tokio::test]
async fn a_group_is_appended_to_read_recovered_and_dropped() {
    let mut history = client();
    history.append_group(append(1..=3, 5)).await.unwrap();
    history.append_group(append(4..=4, 6)).await.unwrap();
    let recover = v1::RecoverGroupRequest { log: log(), noted_head: 3, noted_epoch: 6 };
    let head = history.recover_group(recover).await.unwrap().into_inner().head;
    assert_eq!(head, 4);
    let read =
        v1::ReadGroupRequest { log: log(), first: 2, last: head, limit: 2, ascending: false };
    let page = history.read_group(read.clone()).await.unwrap().into_inner();
    let seqs: Vec<_> = page.messages.iter().map(|message| message.msg_seq).collect();
    assert_eq!((seqs, page.complete), (vec![4, 3], false));
    let page = history.read_group(v1::ReadGroupRequest { last: 2, ..read }).await.unwrap();
    assert!(page.into_inner().complete);
    let drop = v1::DropGroupRequest { log: log(), head, fence: None };
    history.drop_group(drop).await.unwrap();
    let recover = v1::RecoverGroupRequest { log: log(), noted_head: 0, noted_epoch: 5 };
    assert_eq!(history.recover_group(recover).await.unwrap().into_inner().head, 0);
}

#[tokio::test]
async fn mistakes_and_late_owners_are_told_apart() {
    let mut history = client();
    history.append_group(append(1..=1, 5)).await.unwrap();
    let refused = |result: Result<(), tonic::Status>| result.unwrap_err().code();
    let late = history.append_group(append(2..=2, 4)).await.map(drop);
    assert_eq!(refused(late), Code::FailedPrecondition);
    let zero = history.append_group(append(0..=0, 5)).await.map(drop);
    assert_eq!(refused(zero), Code::InvalidArgument);
    let unnamed = v1::AppendGroupRequest { log: None, ..append(2..=2, 5) };
    assert_eq!(refused(history.append_group(unnamed).await.map(drop)), Code::InvalidArgument);
    let nothing = v1::ReadGroupRequest { log: log(), ..v1::ReadGroupRequest::default() };
    assert_eq!(refused(history.read_group(nothing).await.map(drop)), Code::InvalidArgument);
}
