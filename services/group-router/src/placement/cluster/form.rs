//! How the Raft group begins. Every voter may begin it, with the same members. But a voter that knows
//! nothing may also be one that lost its disk: it must neither begin a second group beside the one
//! that is there, nor vote before it was brought up to date. So it asks the other voters first.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use throng_proto::v1;
use throng_proto::v1::placement_client::PlacementClient;
use tokio::time::{sleep, timeout};

use super::Node;

/// Pause before the others are asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// Time for one to answer.
const ANSWER_TIME: Duration = Duration::from_millis(800);

/// What another voter knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knows {
    /// There is a placement already.
    Placement,
    Nothing,
}

/// Brings a voter that knows nothing into the Raft group, the first or the present one.
pub(super) async fn form(node: Node) {
    while !node.gate.is_open() {
        let answers = ask_voters(&node).await;
        match decide(node.voters.len(), &answers) {
            Some(Knows::Placement) => {
                tracing::warn!(
                    "the other voters have a placement and this one has none: \
                     it votes again once the leader has brought it up to date"
                );
                return;
            }
            Some(Knows::Nothing) => return begin(&node).await,
            None => sleep(PAUSE).await,
        }
    }
}

/// What to do, given what the other voters that could be reached say; this one knows nothing.
fn decide(voters: usize, answers: &[Knows]) -> Option<Knows> {
    if answers.contains(&Knows::Placement) {
        Some(Knows::Placement)
    } else {
        // Entries that count are with a majority: it has to be a majority that has none.
        (answers.len() + 1 > voters / 2).then_some(Knows::Nothing)
    }
}

async fn begin(node: &Node) {
    node.gate.open(&node.raft).await;
    match node.raft.initialize((*node.voters).clone()).await {
        Ok(()) => tracing::info!(voters = node.voters.len(), "a new placement begins"),
        // Another voter was first.
        Err(error) => tracing::debug!(%error, "not initialised"),
    }
}

async fn ask_voters(node: &Node) -> Vec<Knows> {
    let others = node.voters.iter().filter(|(id, _)| **id != node.id);
    let answers = others.map(|(_, voter)| async {
        let address: Arc<str> = voter.address.as_str().into();
        let mut client = PlacementClient::new(node.channels.get(&address).ok()?);
        let describe = client.describe(v1::DescribePlacementRequest {});
        let reply = timeout(ANSWER_TIME, describe).await.ok()?.ok()?.into_inner();
        Some(if reply.version > 0 { Knows::Placement } else { Knows::Nothing })
    });
    join_all(answers).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_begins_only_where_a_majority_knows_nothing() {
        use Knows::{Nothing, Placement};
        assert_eq!(decide(1, &[]), Some(Nothing));
        assert_eq!(decide(3, &[]), None);
        assert_eq!(decide(3, &[Nothing]), Some(Nothing));
        assert_eq!(decide(3, &[Nothing, Placement]), Some(Placement));
        assert_eq!(decide(5, &[Nothing]), None);
        assert_eq!(decide(5, &[Placement]), Some(Placement));
        assert_eq!(decide(5, &[Nothing, Nothing]), Some(Nothing));
    }
}
