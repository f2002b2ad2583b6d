//! The beats: this gateway lives, this is what came, and the answer brings what did not.

use std::sync::Arc;
use std::time::Duration;

use throng_proto::{Route, v1};
use tokio::time::{sleep, timeout};

use super::node::Node;
use super::streams::Numbers;
use super::times;
use crate::context::Context;

/// A beat every second, on average. Presence counts on it.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two beats where there is more to say.
const HURRY: Duration = Duration::from_millis(50);
/// Time for the answer; a late one is worth less than the next beat.
const ANSWERED: Duration = Duration::from_secs(2);
/// Time for the farewell.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the answers of a node said about its stream.
#[derive(Debug, Default)]
struct Heard {
    stream: u64,
    /// The last numbers of the answer before: messages up to them had time to arrive.
    sent: Numbers,
}

/// Beats until the node is gone.
pub(super) async fn beat(context: &Arc<Context>, node: &Node) {
    let mut heard = Heard::default();
    loop {
        let more = match timeout(ANSWERED, beat_once(context, node, &mut heard)).await {
            Ok(Ok(more)) => more,
            Ok(Err(status)) => {
                tracing::debug!(node = &*node.name, %status, "a beat was not taken");
                failed(context, &heard);
                false
            }
            Err(_) => {
                failed(context, &heard);
                false
            }
        };
        sleep(HURRY).await;
        if !more {
            tokio::select! {
                () = sleep(times(PERIOD, 0.7..1.2)) => {}
                () = node.hurry.notified() => {}
            }
        }
    }
}

fn failed(context: &Context, heard: &Heard) {
    metrics::counter!("throng_gateway_beat_failures_total").increment(1);
    context.release(heard.stream);
}

/// Returns whether more of what is missing may be had at once.
async fn beat_once(
    context: &Arc<Context>,
    node: &Node,
    heard: &mut Heard,
) -> Result<bool, tonic::Status> {
    let streams = &context.presence.streams;
    let request = v1::GatewayBeatRequest {
        gateway: context.gateway_id.clone(),
        leaving: false,
        stream: heard.stream,
        told: node.told(),
        received: streams.positions(heard.stream, &heard.sent),
    };
    let request = Route::ANY.once().request(request);
    let reply = node.client().gateway_beat(request).await?.into_inner();
    node.learn_bond(reply.bond);
    if reply.stream != heard.stream {
        context.release(heard.stream);
        // Nothing of the new stream is late yet.
        *heard = Heard { stream: reply.stream, sent: Numbers::default() };
    }
    let mut repeated = 0;
    for message in reply.missed {
        repeated += u64::from(context.take(message));
    }
    let (mut sent, mut forgotten) = (Numbers::default(), Numbers::default());
    for (place, state) in reply.sent.iter().enumerate().take(sent.len()) {
        (sent[place], forgotten[place]) = (state.last, state.forgotten);
    }
    heard.sent = sent;
    let lost = match heard.stream {
        0 => Numbers::default(),
        stream => context.give_up(stream, &forgotten),
    };
    let all: u64 = lost.iter().sum();
    if repeated > 0 {
        metrics::counter!("throng_gateway_messages_repeated_total").increment(repeated);
    }
    if all > 0 {
        metrics::counter!("throng_gateway_messages_lost_total").increment(all);
        tracing::error!(lost = all, node = &*node.name, "messages to sessions were lost");
        super::resync::begin(context, &node.name, lost.map(|lost| lost > 0));
    }
    Ok(repeated > 0)
}

/// The last beat to a node.
pub(super) async fn say_farewell(context: &Context, node: &Node) {
    let request = v1::GatewayBeatRequest {
        gateway: context.gateway_id.clone(),
        leaving: true,
        ..v1::GatewayBeatRequest::default()
    };
    let mut client = node.client();
    let farewell = client.gateway_beat(Route::ANY.once().request(request));
    if !matches!(timeout(FAREWELL, farewell).await, Ok(Ok(_))) {
        tracing::debug!(node = &*node.name, "a presence node was not told of the end");
    }
}
