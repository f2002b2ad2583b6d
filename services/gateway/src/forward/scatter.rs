//! Commands about several groups, which may have several owners: one request to each owner, and their
//! answers put together in the order that was asked for.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};
use throng_node::cluster::PlacementView;
use throng_proto::v1;
use throng_protocol::ids::{AppId, group_hash};
use throng_protocol::limits;

const GROUPS: &str = "GroupIdList";
const ANSWERS: &str = "GroupInfo";

/// A command that was split.
#[derive(Debug)]
pub(super) struct Scattered {
    /// The requests, each for one owner.
    pub(super) requests: Vec<v1::CommandRequest>,
    /// Which places of the list each of them asks for.
    places: Vec<Vec<usize>>,
}

/// Splits a command whose groups have several owners; `None` when one owner has them all. A body
/// that is not as it should be is left to the owner, who says so.
pub(super) fn scatter(view: &PlacementView, request: &v1::CommandRequest) -> Option<Scattered> {
    let body: Map<String, Value> = serde_json::from_slice(&request.body).ok()?;
    let groups: Vec<&str> =
        body.get(GROUPS)?.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    if groups.len() > limits::GROUPS_PER_REQUEST {
        return None;
    }
    let now = view.now();
    let mut by_owner: BTreeMap<Option<_>, Vec<usize>> = BTreeMap::new();
    for (place, group) in groups.iter().enumerate() {
        let owner = now.owner(group_hash(AppId(request.app), group));
        by_owner.entry(owner.map(|owner| owner.address)).or_default().push(place);
    }
    if by_owner.len() < 2 {
        return None;
    }
    let places: Vec<Vec<usize>> = by_owner.into_values().collect();
    let requests = places.iter().map(|places| {
        let part = places.iter().map(|place| Value::from(groups[*place])).collect();
        let mut body = body.clone();
        body.insert(GROUPS.to_owned(), Value::Array(part));
        v1::CommandRequest { body: Value::Object(body).to_string().into(), ..request.clone() }
    });
    Some(Scattered { requests: requests.collect(), places })
}

/// Puts the answers together. One that failed as a whole is the answer to all.
pub(super) fn gather(scattered: &Scattered, replies: &[v1::CommandReply]) -> v1::CommandReply {
    let count = scattered.places.iter().map(Vec::len).sum();
    let mut answers = vec![None; count];
    let mut whole: Option<Map<String, Value>> = None;
    for (places, reply) in scattered.places.iter().zip(replies) {
        let Ok(mut body) = serde_json::from_slice::<Map<String, Value>>(&reply.body) else {
            return reply.clone();
        };
        let Some(Value::Array(part)) = body.remove(ANSWERS).filter(|_| reply.code == 0) else {
            return reply.clone();
        };
        for (place, answer) in places.iter().zip(part) {
            answers[*place] = Some(answer);
        }
        whole.get_or_insert(body);
    }
    let mut whole = whole.unwrap_or_default();
    whole.insert(ANSWERS.to_owned(), Value::Array(answers.into_iter().flatten().collect()));
    let body = Bytes::from(Value::Object(whole).to_string());
    v1::CommandReply { code: 0, body, effects: Vec::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use throng_node::cluster::Placements;

    use super::*;

    fn view(owners: &[&str]) -> PlacementView {
        let view = PlacementView::still(Placements::default());
        let nodes = owners.iter().map(|name| v1::ClusterNode {
            name: (*name).to_owned(),
            role: v1::NodeRole::RoleGroupRouter.into(),
            address: (*name).to_owned(),
            incarnation: 1,
            leaving: false,
        });
        let shards = 64;
        let changed = (0..shards).map(|shard| v1::ShardPlacement {
            shard,
            owner: owners[shard as usize % owners.len()].to_owned(),
            epoch: 1,
        });
        view.update(v1::PlacementUpdate {
            version: 1,
            shards,
            nodes: nodes.collect(),
            changed: changed.collect(),
        });
        view
    }

    fn request(body: &Value) -> v1::CommandRequest {
        v1::CommandRequest { app: 1, body: body.to_string().into(), ..Default::default() }
    }

    #[test]
    fn answers_come_in_the_order_that_was_asked_for() {
        let groups: Vec<String> = (0..20).map(|number| format!("g{number}")).collect();
        let request = request(&json!({ "GroupIdList": groups, "Filter": 7 }));
        let scattered = scatter(&view(&["a", "b", "c"]), &request).unwrap();
        assert_eq!(scattered.requests.len(), 3);
        let replies = scattered.requests.iter().map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["Filter"], 7);
            let asked = body["GroupIdList"].as_array().unwrap();
            let infos: Vec<Value> = asked.iter().map(|id| json!({ "GroupId": id })).collect();
            let body = json!({ "ErrorCode": 0, "GroupInfo": infos }).to_string();
            v1::CommandReply { body: body.into(), ..Default::default() }
        });
        let whole = gather(&scattered, &replies.collect::<Vec<_>>());
        let body: Value = serde_json::from_slice(&whole.body).unwrap();
        let infos = body["GroupInfo"].as_array().unwrap();
        let got: Vec<&str> = infos.iter().map(|info| info["GroupId"].as_str().unwrap()).collect();
        assert_eq!(got, groups);
    }

    #[test]
    fn what_one_owner_has_is_not_split() {
        let body = json!({ "GroupIdList": ["a", "b", "c"] });
        assert!(scatter(&view(&["a"]), &request(&body)).is_none());
        let both = view(&["a", "b"]);
        assert!(scatter(&both, &request(&json!({ "GroupIdList": [1] }))).is_none());
        let many: Vec<String> = (0..51).map(|number| number.to_string()).collect();
        assert!(scatter(&both, &request(&json!({ "GroupIdList": many }))).is_none());
    }

    #[test]
    fn an_answer_that_failed_is_the_answer() {
        let body = json!({ "GroupIdList": (0..9).map(|n| n.to_string()).collect::<Vec<_>>() });
        let scattered = scatter(&view(&["a", "b"]), &request(&body)).unwrap();
        let good = v1::CommandReply { body: r#"{"GroupInfo":[]}"#.into(), ..Default::default() };
        let bad = v1::CommandReply { code: 10002, body: "{}".into(), ..Default::default() };
        assert_eq!(gather(&scattered, &[good, bad]).code, 10002);
    }
}
