//! A history that keeps messages in memory, fails when told to, and stalls when told to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use throng_proto::v1;
use throng_proto::v1::history_server::History;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Works,
    Fails,
    Stalls,
    StallsRecalls,
    /// What is appended to logs, or changed beside them, is kept, but nobody is told so.
    Unheard,
    /// What is appended to logs, or changed beside them, comes there with [`FakeHistory::late_appends_arrive`].
    Late,
}

/// Names a log: a group and its incarnation.
type LogKey = (String, u64);

/// Messages by number.
pub type Log = BTreeMap<u32, LogRow>;

#[derive(Debug, Clone)]
pub struct LogRow {
    /// The life that wrote it, and when.
    epoch: u64,
    write_time: i64,
    pub message: v1::StoredMessage,
}

pub struct FakeHistory {
    rooms: Mutex<HashMap<String, BTreeMap<u32, v1::StoredMessage>>>,
    /// Messages of durable groups by group and incarnation.
    logs: Mutex<HashMap<(String, u64), Log>>,
    /// What was changed of their messages, and when.
    amended: Mutex<HashMap<(LogKey, u32), (i64, v1::GroupAmendment)>>,
    /// What users do not want to see.
    hidden: Mutex<HashSet<(LogKey, String, u32)>>,
    amendments: AtomicUsize,
    late: Mutex<Vec<v1::AppendGroupRequest>>,
    late_amendments: Mutex<Vec<v1::AmendGroupRequest>>,
    mood: watch::Sender<Mood>,
    /// Messages of one answer at most, as the real one bounds its answers by bytes.
    pub page: Mutex<usize>,
    recalls: AtomicUsize,
    /// Sizes of the appends that came.
    pub appends: Mutex<Vec<usize>>,
}

impl Default for FakeHistory {
    fn default() -> Self {
        Self {
            rooms: Mutex::default(),
            logs: Mutex::default(),
            amended: Mutex::default(),
            hidden: Mutex::default(),
            amendments: AtomicUsize::default(),
            late: Mutex::default(),
            late_amendments: Mutex::default(),
            mood: watch::Sender::new(Mood::Works),
            page: Mutex::new(1000),
            recalls: AtomicUsize::default(),
            appends: Mutex::default(),
        }
    }
}

impl FakeHistory {
    pub fn works(&self) {
        self.mood.send_replace(Mood::Works);
    }

    pub fn fails(&self) {
        self.mood.send_replace(Mood::Fails);
    }

    pub fn stalls(&self) {
        self.mood.send_replace(Mood::Stalls);
    }

    pub fn stall_recalls(&self) {
        self.mood.send_replace(Mood::StallsRecalls);
    }

    pub fn turn_to(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// The rows of the newest log of a group, ghosts among them.
    pub fn log(&self, group_id: &str) -> Vec<v1::StoredMessage> {
        let logs = self.logs.lock();
        let newest = logs.iter().filter(|((id, _), _)| id == group_id).max_by_key(|(key, _)| key.1);
        newest
            .into_iter()
            .flat_map(|(_, rows)| rows.values())
            .map(|row| row.message.clone())
            .collect()
    }

    pub fn late_appends_arrive(&self) {
        for request in std::mem::take(&mut *self.late.lock()) {
            self.append_to_log(request);
        }
        for request in std::mem::take(&mut *self.late_amendments.lock()) {
            self.amend_log(request);
        }
    }

    /// Of two writes of a row the later one stays, whichever comes last.
    fn append_to_log(&self, request: v1::AppendGroupRequest) {
        let v1::AppendGroupRequest { log, messages, fence } = request;
        let v1::Fence { epoch, write_time } = fence.expect("appends to logs are fenced");
        assert!(write_time > 0, "and have a write time");
        let mut logs = self.logs.lock();
        let rows = logs.entry(log_key(log)).or_default();
        for message in messages {
            let row = LogRow { epoch, write_time, message };
            let there = rows.entry(row.message.msg_seq).or_insert_with(|| row.clone());
            if there.write_time <= write_time {
                *there = row;
            }
        }
    }

    /// Of two changes of a message the later one stays, whichever comes last.
    fn amend_log(&self, request: v1::AmendGroupRequest) {
        let v1::AmendGroupRequest { log, amendments, fence } = request;
        let v1::Fence { write_time, .. } = fence.expect("changes are fenced");
        let key = log_key(log);
        let mut amended = self.amended.lock();
        for amendment in amendments {
            let there = amended
                .entry((key.clone(), amendment.msg_seq))
                .or_insert_with(|| (write_time, amendment.clone()));
            if there.0 <= write_time {
                *there = (write_time, amendment);
            }
        }
    }

    /// How often messages of logs were to be changed.
    pub fn asked_to_amend(&self) -> usize {
        self.amendments.load(Ordering::SeqCst)
    }

    pub fn asked_to_recall(&self) -> bool {
        self.recalls.load(Ordering::SeqCst) > 0
    }

    pub fn messages(&self, group_id: &str) -> Vec<v1::StoredMessage> {
        let rooms = self.rooms.lock();
        rooms.get(group_id).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Changes a kept message.
    pub fn edit(&self, group_id: &str, msg_seq: u32, edit: impl FnOnce(&mut v1::StoredMessage)) {
        edit(self.rooms.lock().get_mut(group_id).unwrap().get_mut(&msg_seq).unwrap());
    }

    pub fn put(&self, group_id: &str, message: v1::StoredMessage) {
        self.rooms.lock().entry(group_id.to_owned()).or_default().insert(message.msg_seq, message);
    }

    async fn in_the_mood(&self) -> Result<(), Status> {
        let mut mood = self.mood.subscribe();
        let now = *mood.wait_for(|mood| *mood != Mood::Stalls).await.expect("never dropped");
        match now {
            Mood::Fails => Err(Status::unavailable("history is out of order")),
            Mood::Works | Mood::Stalls | Mood::StallsRecalls | Mood::Unheard | Mood::Late => Ok(()),
        }
    }
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl History for FakeHistory {
    async fn execute(&self, _: Request<v1::CommandRequest>) -> Reply<v1::CommandReply> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn append_room(
        &self,
        request: Request<v1::AppendRoomRequest>,
    ) -> Reply<v1::AppendRoomReply> {
        let v1::AppendRoomRequest { group_id, messages, .. } = request.into_inner();
        self.appends.lock().push(messages.len());
        self.in_the_mood().await?;
        for message in messages {
            self.put(&group_id, message);
        }
        Ok(Response::new(v1::AppendRoomReply {}))
    }

    async fn read_room(&self, request: Request<v1::ReadRoomRequest>) -> Reply<v1::ReadRoomReply> {
        self.in_the_mood().await?;
        let request = request.into_inner();
        let last = if request.before_or_at == 0 { u32::MAX } else { request.before_or_at };
        let mut messages = self.messages(&request.group_id);
        messages.reverse();
        messages.retain(|message| {
            message.msg_seq <= last
                && message.msg_time >= request.not_before
                && !(request.skip_recalled && message.recalled)
        });
        let most = (request.limit as usize).min(*self.page.lock());
        let complete = messages.len() <= most;
        messages.truncate(most);
        Ok(Response::new(v1::ReadRoomReply { messages, complete }))
    }

    async fn get_room_messages(
        &self,
        request: Request<v1::GetRoomMessagesRequest>,
    ) -> Reply<v1::GetRoomMessagesReply> {
        self.in_the_mood().await?;
        let request = request.into_inner();
        let mut messages = self.messages(&request.group_id);
        messages.retain(|message| request.msg_seqs.contains(&message.msg_seq));
        Ok(Response::new(v1::GetRoomMessagesReply { messages }))
    }

    async fn recall_room_messages(
        &self,
        request: Request<v1::RecallRoomMessagesRequest>,
    ) -> Reply<v1::RecallRoomMessagesReply> {
        self.recalls.fetch_add(1, Ordering::SeqCst);
        let mut mood = self.mood.subscribe();
        _ = mood.wait_for(|mood| *mood != Mood::StallsRecalls).await;
        self.in_the_mood().await?;
        let request = request.into_inner();
        for msg_seq in request.msg_seqs {
            self.edit(&request.group_id, msg_seq, |message| {
                message.recalled = true;
                message.revoker.clone_from(&request.revoker);
            });
        }
        Ok(Response::new(v1::RecallRoomMessagesReply {}))
    }

    async fn append_group(
        &self,
        request: Request<v1::AppendGroupRequest>,
    ) -> Reply<v1::AppendGroupReply> {
        self.appends.lock().push(request.get_ref().messages.len());
        self.in_the_mood().await?;
        let lost = || Err(Status::unavailable("the answer is lost"));
        match *self.mood.borrow() {
            Mood::Late => {
                self.late.lock().push(request.into_inner());
                return lost();
            }
            Mood::Unheard => {
                self.append_to_log(request.into_inner());
                return lost();
            }
            _ => self.append_to_log(request.into_inner()),
        }
        Ok(Response::new(v1::AppendGroupReply {}))
    }

    async fn read_group(
        &self,
        request: Request<v1::ReadGroupRequest>,
    ) -> Reply<v1::ReadGroupReply> {
        self.in_the_mood().await?;
        let v1::ReadGroupRequest { log, first, last, limit, ascending, viewer } =
            request.into_inner();
        let key = log_key(log);
        let logs = self.logs.lock();
        let rows = logs.get(&key).into_iter().flatten();
        let amended = self.amended.lock();
        let hidden = self.hidden.lock();
        let mut messages: Vec<_> = rows
            .filter(|(seq, _)| (first..=last).contains(*seq))
            .map(|(seq, row)| {
                let mut message = row.message.clone();
                if let Some((_, amendment)) = amended.get(&(key.clone(), *seq)) {
                    amend(&mut message, amendment);
                }
                let recipients = &message.recipients;
                let directed = !recipients.is_empty()
                    && message.from != viewer
                    && !recipients.contains(&viewer);
                let gone = hidden.contains(&(key.clone(), viewer.clone(), *seq));
                message.hidden = !viewer.is_empty() && (directed || gone);
                message
            })
            .collect();
        if !ascending {
            messages.reverse();
        }
        let most = (limit as usize).min(*self.page.lock());
        let complete = messages.len() <= most;
        messages.truncate(most);
        Ok(Response::new(v1::ReadGroupReply { messages, complete }))
    }

    async fn recover_group(
        &self,
        request: Request<v1::RecoverGroupRequest>,
    ) -> Reply<v1::RecoverGroupReply> {
        self.in_the_mood().await?;
        let v1::RecoverGroupRequest { log, noted_head, noted_epoch } = request.into_inner();
        let logs = self.logs.lock();
        let rows = logs.get(&log_key(log)).cloned().unwrap_or_default();
        let mut head = noted_head;
        while rows.get(&(head + 1)).is_some_and(|row| row.epoch == noted_epoch) {
            head += 1;
        }
        Ok(Response::new(v1::RecoverGroupReply { head }))
    }

    async fn amend_group(
        &self,
        request: Request<v1::AmendGroupRequest>,
    ) -> Reply<v1::AmendGroupReply> {
        self.amendments.fetch_add(1, Ordering::SeqCst);
        self.in_the_mood().await?;
        let lost = || Err(Status::unavailable("the answer is lost"));
        match *self.mood.borrow() {
            Mood::Late => {
                self.late_amendments.lock().push(request.into_inner());
                lost()
            }
            Mood::Unheard => {
                self.amend_log(request.into_inner());
                lost()
            }
            _ => {
                self.amend_log(request.into_inner());
                Ok(Response::new(v1::AmendGroupReply {}))
            }
        }
    }

    async fn read_recalls(
        &self,
        request: Request<v1::ReadRecallsRequest>,
    ) -> Reply<v1::ReadRecallsReply> {
        self.in_the_mood().await?;
        let v1::ReadRecallsRequest { log, since, until, limit } = request.into_inner();
        let key = log_key(log);
        let amended = self.amended.lock();
        let of_log = amended.iter().filter(|((log, _), _)| *log == key);
        let mut recalls: Vec<_> = of_log.map(|(_, (_, amendment))| amendment.clone()).collect();
        recalls.retain(|recall| {
            recall.recalled_at > 0 && (since..=until).contains(&recall.recalled_at)
        });
        recalls.sort_by_key(|recall| recall.recalled_at);
        let next = recalls.get(limit as usize).map_or(0, |recall| recall.recalled_at);
        recalls.truncate(limit as usize);
        Ok(Response::new(v1::ReadRecallsReply { recalls, next }))
    }

    async fn hide_messages(
        &self,
        request: Request<v1::HideMessagesRequest>,
    ) -> Reply<v1::HideMessagesReply> {
        self.in_the_mood().await?;
        let v1::HideMessagesRequest { log, user, msg_seqs, .. } = request.into_inner();
        let key = log_key(log);
        let rows = msg_seqs.into_iter().map(|seq| (key.clone(), user.clone(), seq));
        self.hidden.lock().extend(rows);
        Ok(Response::new(v1::HideMessagesReply {}))
    }

    async fn drop_group(
        &self,
        request: Request<v1::DropGroupRequest>,
    ) -> Reply<v1::DropGroupReply> {
        self.logs.lock().remove(&log_key(request.into_inner().log));
        Ok(Response::new(v1::DropGroupReply {}))
    }
}

fn amend(message: &mut v1::StoredMessage, amendment: &v1::GroupAmendment) {
    message.msg_version = amendment.msg_version;
    if amendment.recalled {
        message.recalled = true;
        message.revoker.clone_from(&amendment.revoker);
        message.recall_reason.clone_from(&amendment.reason);
    } else {
        message.msg_body = amendment.msg_body.clone();
        message.cloud_custom_data.clone_from(&amendment.cloud_custom_data);
    }
}

fn log_key(log: Option<v1::GroupLog>) -> LogKey {
    let log = log.expect("a log is named");
    (log.group_id, log.incarnation)
}
