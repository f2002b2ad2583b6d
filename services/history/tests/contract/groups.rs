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
    let read = v1::ReadGroupRequest {
        log: log(),
        first: 2,
        last: head,
        limit: 2,
        ..v1::ReadGroupRequest::default()
    };
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

#[tokio::test]
async fn what_was_changed_is_in_what_is_read_and_goes_with_the_group() {
    let mut history = client();
    history.append_group(append(1..=4, 5)).await.unwrap();
    let recalled_at = throng_node::time::now_micros();
    let recall = v1::GroupAmendment {
        msg_seq: 2,
        recalled: true,
        revoker: "ann".to_owned(),
        reason: "a slip".to_owned(),
        recalled_at,
        ..v1::GroupAmendment::default()
    };
    let edit = v1::GroupAmendment {
        msg_seq: 3,
        msg_body: "new".into(),
        msg_version: 1,
        ..v1::GroupAmendment::default()
    };
    let fence = Some(v1::Fence { epoch: 5, write_time: 0 });
    let amendments = vec![recall.clone(), edit];
    let amend = v1::AmendGroupRequest { log: log(), amendments, fence };
    history.amend_group(amend.clone()).await.unwrap();
    let hide = v1::HideMessagesRequest {
        log: log(),
        user: "bob".to_owned(),
        msg_seqs: vec![4],
        fence: None,
    };
    history.hide_messages(hide).await.unwrap();
    let read = v1::ReadGroupRequest {
        log: log(),
        last: 4,
        limit: 10,
        ascending: true,
        viewer: "bob".to_owned(),
        ..v1::ReadGroupRequest::default()
    };
    let page = history.read_group(read.clone()).await.unwrap().into_inner().messages;
    assert_eq!((page[1].recalled, &*page[1].recall_reason), (true, "a slip"));
    assert_eq!((page[2].msg_version, &page[2].msg_body[..]), (1, &b"new"[..]));
    assert_eq!((page[0].hidden, page[3].hidden), (false, true));

    let window = v1::ReadRecallsRequest { log: log(), since: 0, until: i64::MAX, limit: 20 };
    let listed = history.read_recalls(window).await.unwrap().into_inner();
    assert_eq!((listed.recalls, listed.next), (vec![recall], 0));
    let late =
        v1::AmendGroupRequest { fence: Some(v1::Fence { epoch: 4, write_time: 0 }), ..amend };
    let late = history.amend_group(late).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);

    let drop = v1::DropGroupRequest { log: log(), head: 4, fence: None };
    history.drop_group(drop).await.unwrap();
    history.append_group(append(1..=4, 6)).await.unwrap();
    let page = history.read_group(read).await.unwrap().into_inner().messages;
    assert!(page.iter().all(|message| !message.recalled && !message.hidden), "nothing is left");
}
