//! `group_reaction_add`, `_del`, `_multi_stat` and `_iterate`: reactions to messages (SDK protocol notes
//! 02, 2.4; CN 100226).

use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;
use throng_store::StoreError;

use super::annotated::{self, Added, Changed, Tell, View, no_message, no_topic, unreadable, view};
use super::{Answer, Call, check_list};
use crate::actor::Now;
use crate::core::hot::Hot;
use crate::core::reactions::{Reactions, Refusal};
use crate::group::{Annotated, Durable};
use crate::room::Room;
use crate::storage::{Annotations, reaction_row};
use crate::wire::Summary;

/// Users that a summary names of each reaction where the caller does not say.
const SHOWN: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    topic_id: Option<String>,
    msg_seq: u32,
    reaction: String,
    /// Always the caller alone.
    #[serde(rename = "Add_Account", alias = "Del_Account", default)]
    users: Vec<String>,
}

impl Added for Reactions {
    fn hot(durable: &mut Durable) -> &mut Hot<Annotated<Self>> {
        &mut durable.reactions
    }

    fn weight(&self) -> usize {
        self.weight()
    }

    fn check_group(room: &Room) -> Result<(), CommandError> {
        if room.rules.extensions {
            return Ok(());
        }
        let info = format!("GroupId: no reactions in groups of type {}", room.kind);
        Err(Code::GROUP_FORBIDDEN.with(info))
    }

    async fn read(annotations: &Annotations, msg_seq: u32) -> Result<Self, StoreError> {
        annotations.reactions(msg_seq).await
    }
}

fn refusal(refusal: Refusal) -> CommandError {
    match refusal {
        Refusal::TooMany => {
            let info = format!("Reaction: the message has {} already", limits::REACTIONS);
            Code::REACTION_TOO_MANY.with(info)
        }
        Refusal::TooManyUsers => {
            let info = format!("Reaction: {} users gave it already", limits::REACTION_USERS);
            Code::REACTION_TOO_MANY_USERS.with(info)
        }
        Refusal::Already => Code::REACTION_EXISTS.with("Reaction: given already"),
        Refusal::Unknown => Code::REACTION_NOT_FOUND.with("Reaction: nobody gave it"),
        Refusal::NotGiven => Code::REACTION_NOT_GIVEN.with("Reaction: not given by the caller"),
    }
}

fn check_name(name: &str) -> Result<(), CommandError> {
    if name.is_empty() || name.len() > limits::REACTION_BYTES {
        let info = format!("Reaction: 1 to {} bytes", limits::REACTION_BYTES);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    Ok(())
}

/// The caller reacts to a message.
pub(super) async fn group_reaction_add(call: &Call<'_>) -> Answer {
    react(call, true).await
}

/// The caller takes a reaction back.
pub(super) async fn group_reaction_del(call: &Call<'_>) -> Answer {
    react(call, false).await
}

async fn react(call: &Call<'_>, give: bool) -> Answer {
    let request: Request = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    check_name(&request.reaction)?;
    let caller = &call.context.caller.user;
    if request.users.iter().any(|user| user != caller) {
        let info = "Add_Account, Del_Account: only the caller's own reactions";
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    let (msg_seq, user, name) = (request.msg_seq, caller.clone(), request.reaction);
    let change = move |reactions: &mut Reactions, log: &v1::GroupLog, _: Now| {
        let left = if give {
            Some(reactions.add(&name, &user).map_err(refusal)?.clone())
        } else {
            reactions.remove(&name, &user).map_err(refusal)?.cloned()
        };
        let rows = vec![reaction_row(log, msg_seq, &name, left.as_ref())];
        let tell: Tell = Box::new(move |room, to, unit| {
            room.tell_reaction(to, &name, left.as_ref(), &user, give, unit);
        });
        Ok(Changed { answer: (), rows, tell: Some(tell) })
    };
    annotated::change(call, (&request.group_id, msg_seq), change).await?;
    call.done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatRequest {
    group_id: String,
    topic_id: Option<String>,
    msg_seq_list: Vec<u32>,
    count: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stats<'a> {
    results: Vec<Stat<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stat<'a> {
    msg_seq: u32,
    msg_reaction_summary: Vec<Summary<'a>>,
}

/// Reactions to some messages, with the first users of each.
pub(super) async fn group_reaction_multi_stat(call: &Call<'_>) -> Answer {
    let request: StatRequest = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    check_list("MsgSeqList", &request.msg_seq_list, limits::REACTION_MESSAGES)?;
    let shown = request.count.unwrap_or(SHOWN).min(limits::REACTION_USERS);
    let view = call_view(call, &request.group_id).await?;
    let mut msg_seqs = request.msg_seq_list;
    msg_seqs.retain(|seq| view.shows(*seq));
    let there = call.read_messages(&view.log, msg_seqs.clone()).await?;
    msg_seqs.retain(|seq| there.contains_key(seq));
    let read = call.annotations(&view.log).reactions_of(msg_seqs).await.map_err(unreadable)?;
    let caller = &call.context.caller.user;
    call.ok(&Stats { results: read.iter().map(|read| stat_of(read, shown, caller)).collect() })
}

fn stat_of<'a>((msg_seq, reactions): &'a (u32, Reactions), shown: usize, caller: &str) -> Stat<'a> {
    let all = reactions.all().iter();
    let summary = all.map(|reaction| Summary::of(reaction, shown, Some(reaction.is_by(caller))));
    Stat { msg_seq: *msg_seq, msg_reaction_summary: summary.collect() }
}

async fn call_view(call: &Call<'_>, group_id: &str) -> Result<View, CommandError> {
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, group_id, move |turn| {
            let (room, now, _) = turn.room()?;
            view::<Reactions>(room, &context, now.seconds)
        })
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IterateRequest {
    group_id: String,
    topic_id: Option<String>,
    msg_seq: u32,
    reaction: String,
    #[serde(default)]
    next_seq: u32,
    count: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Users<'a> {
    #[serde(rename = "Reaction_Account")]
    users: Vec<&'a str>,
    next_seq: u32,
}

/// Users who gave a reaction, page by page.
pub(super) async fn group_reaction_iterate(call: &Call<'_>) -> Answer {
    let request: IterateRequest = call.parse()?;
    no_topic(request.topic_id.as_deref())?;
    check_name(&request.reaction)?;
    let most = limits::REACTION_USERS;
    let count = request.count.unwrap_or(most);
    if count == 0 || count > most {
        return Err(Code::GROUP_BAD_PARAMETER.with(format!("Count: 1 to {most}")));
    }
    let view = call_view(call, &request.group_id).await?;
    if !view.shows(request.msg_seq) {
        return Err(no_message());
    }
    call.read_message(&view.log, request.msg_seq).await?.ok_or_else(no_message)?;
    let read = call.annotations(&view.log).reactions(request.msg_seq).await;
    let reactions = read.map_err(unreadable)?;
    let reaction = reactions.get(&request.reaction);
    let (users, next_seq) =
        reaction.map_or((Vec::new(), 0), |reaction| reaction.page(request.next_seq, count));
    call.ok(&Users { users, next_seq })
}
