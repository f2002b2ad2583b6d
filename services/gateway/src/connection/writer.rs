//! The task that writes one connection's frames: what is ready goes out with one flush.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt};
use tokio_websockets::{CloseCode, Error, Message};

use super::{Close, Kind, Outbox};
use crate::metrics::Metrics;

/// How long a connection that is ending may take to accept what still waits.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// A batch's memory above this is given back.
const KEPT_BATCH: usize = 16;

/// Writes until the outbox is closed and empty, or the socket breaks.
pub(super) async fn write<S>(mut sink: S, kind: Kind, outbox: Outbox, metrics: &Metrics)
where
    S: Sink<Message, Error = Error> + Unpin,
{
    let out_of_time = async {
        outbox.closing().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        result = pump(&mut sink, kind, &outbox, metrics) => {
            if result.is_err() {
                outbox.close(Close::PEER);
            }
        }
        () = out_of_time => {}
    }
}

async fn pump<S>(sink: &mut S, kind: Kind, outbox: &Outbox, metrics: &Metrics) -> Result<(), Error>
where
    S: Sink<Message, Error = Error> + Unpin,
{
    let mut batch: Vec<Bytes> = Vec::new();
    loop {
        if let Some(close) = outbox.take(&mut batch).await {
            if close != Close::PEER {
                let code = CloseCode::try_from(close.code).unwrap_or(CloseCode::NORMAL_CLOSURE);
                sink.send(Message::close(Some(code), close.text)).await?;
            }
            return Ok(());
        }
        let bytes: usize = batch.iter().map(Bytes::len).sum();
        metrics.frames_out.increment(batch.len() as u64);
        metrics.bytes_out.increment(bytes as u64);
        for frame in batch.drain(..) {
            sink.feed(kind.message(frame)).await?;
        }
        sink.flush().await?;
        outbox.touch();
        if batch.capacity() > KEPT_BATCH {
            batch = Vec::new();
        }
    }
}
