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
/// The future is small: every connection has one for all of its life.
pub(crate) fn serve(
    stream: Stream,
    early: Bytes,
    session: Arc<Session>,
) -> impl Future<Output = ()> + Send {
    let stream = Arc::new(stream);
    let outbox = session.outbox().clone();
    outbox.open(Arc::clone(&stream));
    session.metrics().opened(outbox.kind().path());
    let mut reader = Reader {
        stream,
        outbox,
        frame_bytes: session.frame_bytes(),
        parser: Parser::default(),
        read: VecDeque::new(),
        for_good: false,
    };
    if !early.is_empty() {
        reader.parse(&mut early.to_vec());
    }
    // Even an empty one keeps the buffer that the handshake was read into.
    drop(early);
    async move {
        reader.run(&session).await;
        // On the heap, so that the task of a connection that lives has no place for its end.
        Box::pin(reader.end(session)).await;
    }
}

/// What was read and not looked at.
enum Read {
    Message(Bytes),
    /// Nothing after it counts. True: the client does not come back.
    End(Close, bool),
}

/// Resolves when one of the commands that run is done.
async fn one_of<C: Future<Output = ()>>(running: &mut Option<FuturesUnordered<C>>) {
    if let Some(commands) = running {
        commands.next().await;
        if commands.is_empty() {
            *running = None;
        }
    }
}

fn has_room<C>(running: Option<&FuturesUnordered<C>>, session: &Session) -> bool {
    running.is_none_or(|commands| commands.len() < session.in_flight_limit())
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
        // None while nothing runs: most of a connection's life.
        let mut running: Option<FuturesUnordered<_>> = None;
        loop {
            tokio::select! {
                biased;
                () = session.outbox().closing_for_reader() => break,
                // First of all what runs: a command has started before the next frame is looked at.
                () = one_of(&mut running), if running.is_some() => {}
                read = self.next(), if has_room(running.as_ref(), session) => match read {
                    None => {}
                    Some(Read::Message(message)) => match Arc::clone(session).accept(&message) {
                        Ok(Some(command)) => running.get_or_insert_default().push(command),
                        Ok(None) => {}
                        Err(close) => session.outbox().close(close),
                    },
                    Some(Read::End(close, for_good)) => {
                        self.for_good = for_good;
                        session.outbox().close(close);
                    }
                }
            }
        }
        if let Some(mut running) = running {
            let finish = async { while running.next().await.is_some() {} };
            let _ = timeout(FINISH, finish).await;
        }
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
    async fn end(mut self, session: Arc<Session>) {
        let for_good = self.for_good;
        let goodbye = async {
            self.outbox.written_for_reader().await;
            if self.outbox.close_reason() != Some(Close::PEER) {
                let _ = timeout(GOODBYE, self.until_silent()).await;
            }
        };
        tokio::join!(session.end(for_good), goodbye);
        let outbox = session.outbox();
        let reason = outbox.close_reason().map_or("peer", |close| close.reason);
        session.metrics().closed(outbox.kind().path(), reason);
    }

    /// Reads until the other side has closed too. To leave while it still sends would reset the
    /// connection, and the client might never see why it was closed.
    async fn until_silent(&mut self) {
        self.read.clear();
        // What follows a broken frame is nothing any more, not even the other side's goodbye.
        let broken = matches!(self.outbox.close_reason(), Some(Close::TOO_LARGE | Close::PROTOCOL));
        while self.stream.readable().await.is_ok() {
            let ended = if broken {
                self.discard()
            } else {
                self.take();
                self.read.drain(..).any(|read| matches!(read, Read::End(..)))
            };
            if ended {
                return;
            }
        }
    }

    /// Throws away what is there; true at the end of the stream.
    fn discard(&self) -> bool {
        BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
            Ok(size) => size == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        })
    }
}
