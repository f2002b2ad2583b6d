//! Telling presence nodes of sessions again: of those that a node does not know of yet, at once, and
//! of all from time to time, so that both agree whatever got lost.

use std::sync::Arc;
use std::time::Duration;

use throng_proto::{Route, v1};
use tokio::time::{sleep, timeout};

use super::node::Node;
use super::times;
use crate::context::Context;
use crate::session::{Identity, Session};

/// Sessions in one call.
const BATCH: usize = 500;
/// Time for one call: users may have to be read from the store.
const ANSWERED: Duration = Duration::from_secs(15);
/// Not all gateways at the same moment.
const SPREAD: Duration = Duration::from_millis(300);
/// Pause after a call, while a node is told of many.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause before the next attempt.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(3);
/// The part of a round's period in which all sessions are told of.
const SPREAD_OF_ROUND: f64 = 0.7;
/// How often a part of a round is tried.
const ROUND_TRIES: u32 = 5;

/// Sessions with their identities.
type Batch = Vec<(Arc<Session>, Arc<Identity>)>;

/// Why not all was told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("{0}")]
    Status(#[from] tonic::Status),
    #[error("no answer in time")]
    Late,
    #[error("the node has another idea of who is at home there")]
    Elsewhere,
}

/// Tells the node of sessions that it does not know of, until it is gone.
pub(super) async fn catch_up(context: &Arc<Context>, node: &Node) {
    let mut retry = FIRST_RETRY;
    loop {
        node.untold.notified().await;
        sleep(times(SPREAD, 0.0..1.0)).await;
        let bond = node.bond();
        if bond == 0 {
            // Its first answer comes here again.
            continue;
        }
        match tell_untold(context, node, bond).await {
            Ok(version) => {
                retry = FIRST_RETRY;
                node.has_told(bond, version);
            }
            Err(why) => {
                tracing::debug!(node = &*node.name, %why, "sessions could not be told of");
                sleep(times(retry, 0.5..1.5)).await;
                retry = (retry * 2).min(LONGEST_RETRY);
                node.untold.notify_one();
            }
        }
    }
}

/// Tells of all sessions that were not told to this acquaintance. Returns the version of the list by
/// which that is so.
async fn tell_untold(context: &Arc<Context>, node: &Node, bond: u64) -> Result<u64, Untold> {
    let list = context.presence.homes.now();
    let mut batch = Batch::new();
    let mut complete = true;
    for place in 0..context.sessions.places() {
        for session in context.sessions.at(place) {
            let Some(identity) = session.online() else { continue };
            let at_home = list.of(identity.home).is_some_and(|home| home.name == node.name);
            if at_home && !identity.was_told_to(bond) {
                batch.push((session, identity));
            }
            if batch.len() == BATCH {
                complete &= tell(context, node, std::mem::take(&mut batch), 0).await?;
                sleep(PAUSE).await;
            }
        }
        tokio::task::yield_now().await;
    }
    complete &= tell(context, node, batch, 0).await?;
    if complete { Ok(list.version) } else { Err(Untold::Elsewhere) }
}

/// Tells the node of all sessions again and again, slowly.
pub(super) async fn rounds(context: &Arc<Context>, node: &Node) {
    let period = context.config.presence_round;
    let mut round = 0;
    loop {
        sleep(times(period, 0.6..1.4)).await;
        round += 1;
        if tell_all(context, node, round).await.is_none() {
            tracing::info!(node = &*node.name, "not all sessions could be told of again");
        }
    }
}

async fn tell_all(context: &Arc<Context>, node: &Node, round: u64) -> Option<()> {
    let list = context.presence.homes.now();
    let (bond, places) = (node.bond(), context.sessions.places());
    let step = context.config.presence_round.mul_f64(SPREAD_OF_ROUND) / places.max(1) as u32;
    // It begins with a call, so that whoever comes while it goes on comes after it began.
    tell_part(context, node, Batch::new(), round).await?;
    for place in 0..places {
        let mut batch = Batch::new();
        for session in context.sessions.at(place) {
            let Some(identity) = session.online() else { continue };
            if list.of(identity.home).is_some_and(|home| home.name == node.name) {
                batch.push((session, identity));
            }
        }
        while !batch.is_empty() {
            let rest = batch.split_off(batch.len().min(BATCH));
            tell_part(context, node, batch, round).await?;
            batch = rest;
        }
        sleep(step).await;
    }
    if node.bond() != bond {
        // It began anew meanwhile, and did not hear the first part.
        return None;
    }
    let request = v1::RestoreRequest {
        gateway: context.gateway_id.clone(),
        sessions: Vec::new(),
        round,
        last: true,
    };
    let mut client = node.client();
    let last = client.restore(Route::ANY.once().request(request));
    matches!(timeout(ANSWERED, last).await, Ok(Ok(_))).then_some(())
}

async fn tell_part(context: &Arc<Context>, node: &Node, batch: Batch, round: u64) -> Option<()> {
    let mut retry = FIRST_RETRY;
    for _ in 0..ROUND_TRIES {
        if tell(context, node, batch.clone(), round).await.is_ok() {
            return Some(());
        }
        sleep(times(retry, 0.5..1.5)).await;
        retry = (retry * 2).min(LONGEST_RETRY);
    }
    None
}

/// Tells the node of some sessions, and carries out what it says of them. False: some are not at home
/// there, as it thinks.
async fn tell(
    context: &Arc<Context>,
    node: &Node,
    batch: Batch,
    round: u64,
) -> Result<bool, Untold> {
    if batch.is_empty() && round == 0 {
        return Ok(true);
    }
    let told = batch.iter().map(|(session, identity)| session.as_told(identity));
    let request = v1::RestoreRequest {
        gateway: context.gateway_id.clone(),
        sessions: told.collect(),
        round,
        last: false,
    };
    let mut client = node.client();
    let telling = client.restore(Route::ANY.once().request(request));
    let reply = match timeout(ANSWERED, telling).await {
        Ok(reply) => reply?.into_inner(),
        Err(_) => return Err(Untold::Late),
    };
    metrics::counter!("throng_gateway_sessions_retold_total").increment(batch.len() as u64);
    node.learn_bond(reply.bond);
    let has = |places: &[u32], place: usize| places.iter().any(|known| *known as usize == place);
    for (place, (session, identity)) in batch.into_iter().enumerate() {
        if has(&reply.elsewhere, place) {
            continue;
        }
        let kick_type = reply.kick_types.get(place).copied().unwrap_or(0);
        if kick_type != 0 || has(&reply.moved, place) {
            session.kick(&identity.order(kick_type));
            continue;
        }
        identity.has_told(reply.bond);
        if has(&reply.returned, place) {
            session.sit_again(&identity);
        }
        session.doubt(&identity);
    }
    Ok(reply.elsewhere.is_empty())
}
