//! The task of one connection that reads its frames and runs its commands. Commands start in the
//! order they arrive, so that two messages of one client keep theirs; answers leave as they are
//! ready. Between frames it keeps no buffer: all tasks of a thread read into the same one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

use super::stream::Stream;
use super::wire::{Broken, Input, Parser, op};
use super::{Close, Outbox};
use crate::session::Session;

/// How long commands of a connection that ended may go on: what they do must not stop half way.
const FINISH: Duration = Duration::from_secs(5);
/// How long the other side may take to answer a close frame.
const GOODBYE: Duration = Duration::from_secs(2);
/// The client's code for "for good" (SDK protocol notes 01, 3.2).
const FINAL: u16 = 4000;
/// Bytes of one read.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

/// Serves a connection until it ends, its session included. `early` came with the handshake.
pub(crate) async fn serve(stream: Stream, early: Bytes, session: Arc<Session>) {
    let stream = Arc::new(stream);
    let (outbox, metrics) = (session.outbox().clone(), Arc::clone(session.metrics()));
    let path = outbox.kind().path();
    outbox.open(Arc::clone(&stream));
    metrics.opened(path);
    let mut reader = Reader {
        stream,
        outbox: outbox.clone(),
        frame_bytes: session.frame_bytes(),
        parser: Parser::default(),
        read: VecDeque::new(),
        for_good: false,
    };
    if !early.is_empty() {
        reader.parse(&mut early.to_vec());
    }
    reader.run(&session).await;
    // On the heap, so that the task of a connection that lives has no place for its end.
    Box::pin(reader.end(&session)).await;
    metrics.closed(path, outbox.close_reason().map_or("peer", |close| close.reason));
}

/// What was read and not looked at.
enum Read {
    Message(Bytes),
    /// Nothing after it counts. True: the client does not come back.
    End(Close, bool),
}

struct Reader {
    stream: Arc<Stream>,
    outbox: Outbox,
    /// Bytes of the largest message.
    frame_bytes: usize,
    parser: Parser,
    read: VecDeque<Read>,
    for_good: bool,
}

impl Reader {
    /// Reads and runs until the connection ends.
    async fn run(&mut self, session: &Arc<Session>) {
        let outbox = self.outbox.clone();
        let mut running = FuturesUnordered::new();
        let closing = outbox.closing();
        tokio::pin!(closing);
        loop {
            tokio::select! {
                biased;
                () = &mut closing => break,
                // First of all what runs: a command has started before the next frame is looked at.
                Some(()) = running.next(), if !running.is_empty() => {}
                read = self.next(), if running.len() < session.in_flight_limit() => match read {
                    None => {}
                    Some(Read::Message(message)) => match Arc::clone(session).accept(&message) {
                        Ok(Some(command)) => running.push(command),
                        Ok(None) => {}
                        Err(close) => outbox.close(close),
                    },
                    Some(Read::End(close, for_good)) => {
                        self.for_good = for_good;
                        outbox.close(close);
                    }
                }
            }
        }
        let finish = async { while running.next().await.is_some() {} };
        let _ = timeout(FINISH, finish).await;
    }

    /// The next message, or the end; `None` when nothing of that was read.
    async fn next(&mut self) -> Option<Read> {
        if self.read.is_empty() {
            if self.stream.readable().await.is_err() {
                return Some(Read::End(Close::PEER, false));
            }
            self.take();
        }
        let next = self.read.pop_front();
        if self.read.is_empty() {
            self.read = VecDeque::new();
        }
        next
    }

    /// Takes what is there.
    fn take(&mut self) {
        BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
            Ok(size) if size > 0 => self.parse(&mut buffer[..size]),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(_) | Err(_) => self.read.push_back(Read::End(Close::PEER, false)),
        });
    }

    fn parse(&mut self, bytes: &mut [u8]) {
        let Self { parser, outbox, read, frame_bytes, .. } = self;
        let parsed = parser.feed(bytes, *frame_bytes, &mut |input| match input {
            Input::Message(message) => read.push_back(Read::Message(message)),
            Input::Ping(payload) => outbox.protocol(op::PONG, &payload),
            Input::Pong => {}
            Input::Close(code) => read.push_back(Read::End(Close::PEER, code == Some(FINAL))),
        });
        match parsed {
            Ok(()) => {}
            Err(Broken::TooLong) => read.push_back(Read::End(Close::TOO_LARGE, false)),
            Err(Broken::Protocol) => read.push_back(Read::End(Close::PROTOCOL, false)),
        }
        outbox.touch();
    }

    /// Ends the session; waits until the other side has heard the last words.
    async fn end(mut self, session: &Arc<Session>) {
        let for_good = self.for_good;
        let goodbye = async {
            self.outbox.written().await;
            if self.outbox.close_reason() != Some(Close::PEER) {
                let _ = timeout(GOODBYE, self.until_silent()).await;
            }
        };
        tokio::join!(session.end(for_good), goodbye);
    }

    /// Reads until the other side has closed too.
    async fn until_silent(&mut self) {
        self.read.clear();
        while self.stream.readable().await.is_ok() {
            self.take();
            if self.read.drain(..).any(|read| matches!(read, Read::End(..))) {
                return;
            }
        }
    }
}
