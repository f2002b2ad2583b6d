//! The last resort after a loss that nobody can make good: clients are asked to log in again, on the
//! same connection, which makes them fetch what they missed (SDK protocol notes 01, 3.4).

use std::sync::Arc;
use std::time::Duration;

use throng_bus::subjects::{GATEWAY_PARTITIONS, gateway_partition};
use throng_protocol::frame;
use tokio::time::sleep;

use crate::context::Context;

/// Sessions that are asked together, and the pause after them: a login costs something.
const STEP: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Asks the sessions of these partitions that are at home on a node.
pub(super) fn begin(
    context: &Arc<Context>,
    node: &Arc<str>,
    partitions: [bool; GATEWAY_PARTITIONS as usize],
) {
    let (context, node) = (Arc::clone(context), Arc::clone(node));
    tokio::spawn(async move {
        let list = context.presence.homes.now();
        let frame = frame::push("StatSvc.KickOther", b"{}");
        let mut asked = 0;
        for place in 0..context.sessions.places() {
            for session in context.sessions.at(place) {
                let Some(identity) = session.online() else { continue };
                let partition = gateway_partition(identity.token.app, &identity.token.user);
                if !partitions[usize::from(partition)]
                    || list.of(identity.home).is_none_or(|home| home.name != node)
                {
                    continue;
                }
                let _ = session.outbox().control(&frame);
                asked += 1;
                if asked % STEP == 0 {
                    sleep(PAUSE).await;
                }
            }
        }
        tracing::warn!(sessions = asked, "sessions were asked to log in again after a loss");
    });
}
