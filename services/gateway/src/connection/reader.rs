//! The task of one connection that reads its frames and runs its commands. Commands start in the
//! order they arrive, so that two messages of one client keep theirs; answers leave as they are
//! ready.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{FuturesUnordered, SplitStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_websockets::{CloseCode, Error, Message, WebSocketStream};

use super::writer::write;
use super::{Close, Kind, Outbox};
use crate::session::Session;

/// How long commands of a connection that ended may go on: what they do must not stop half way.
const FINISH: Duration = Duration::from_secs(5);
/// How long the other side may take to answer a close frame.
const GOODBYE: Duration = Duration::from_secs(2);
/// The client's code for "for good" (SDK protocol notes 01, 3.2).
const FINAL: u16 = 4000;

/// Serves a connection until it ends, its session included.
pub(crate) async fn serve<T>(socket: WebSocketStream<T>, kind: Kind, session: Arc<Session>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sink, mut frames) = socket.split();
    let outbox = session.outbox().clone();
    let metrics = Arc::clone(session.metrics());
    let writer = tokio::spawn({
        let (outbox, metrics) = (outbox.clone(), Arc::clone(&metrics));
        async move { write(sink, kind, outbox, &metrics).await }
    });
    metrics.opened(kind.path());

    let for_good = read(&mut frames, &session).await;
    let goodbye = timeout(GOODBYE, async { while frames.next().await.is_some() {} });
    // On the heap, so that the task of a connection that lives has no place for its end.
    let ((), _) = tokio::join!(Box::pin(session.end(for_good)), goodbye);
    // The writer gives up by itself soon after the outbox closed.
    let _ = writer.await;
    metrics.closed(kind.path(), outbox.close_reason().map_or("peer", |close| close.reason));
}

/// Reads and runs until the connection ends; tells whether the client closed for good.
async fn read<T>(frames: &mut SplitStream<WebSocketStream<T>>, session: &Arc<Session>) -> bool
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let outbox = session.outbox().clone();
    let mut running = FuturesUnordered::new();
    let closing = outbox.closing();
    tokio::pin!(closing);
    let mut for_good = false;
    loop {
        tokio::select! {
            biased;
            () = &mut closing => break,
            // First of all what runs: a command has started before the next frame is looked at.
            Some(()) = running.next(), if !running.is_empty() => {}
            frame = frames.next(), if running.len() < session.in_flight_limit() => {
                match classify(frame, &outbox) {
                    Read::Frame(frame) => match Arc::clone(session).accept(&frame) {
                        Ok(Some(command)) => running.push(command),
                        Ok(None) => {}
                        Err(close) => outbox.close(close),
                    },
                    Read::Nothing => {}
                    Read::End(close, good) => {
                        for_good = good;
                        outbox.close(close);
                    }
                }
            }
        }
    }
    let finish = async { while running.next().await.is_some() {} };
    let _ = timeout(FINISH, finish).await;
    for_good
}

enum Read {
    Frame(Bytes),
    Nothing,
    End(Close, bool),
}

fn classify(frame: Option<Result<Message, Error>>, outbox: &Outbox) -> Read {
    match frame {
        Some(Ok(message)) => {
            outbox.touch();
            if let Some((code, _)) = message.as_close() {
                return Read::End(Close::PEER, code == final_code());
            }
            // Either kind is read on either path; answers go out in the path's kind.
            if message.is_binary() || message.is_text() {
                return Read::Frame(message.into_payload().into());
            }
            Read::Nothing
        }
        Some(Err(Error::PayloadTooLong { .. })) => Read::End(
            Close { code: 1009, text: "the frame is too large", reason: "too_large" },
            false,
        ),
        Some(Err(Error::Protocol(_))) => {
            Read::End(Close { code: 1002, text: "protocol error", reason: "protocol" }, false)
        }
        Some(Err(_)) | None => Read::End(Close::PEER, false),
    }
}

fn final_code() -> CloseCode {
    CloseCode::try_from(FINAL).unwrap_or(CloseCode::NORMAL_CLOSURE)
}
