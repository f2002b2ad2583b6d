//! The socket of a connection, plain or with TLS, shared by the task that reads it and the shard that
//! writes it.

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::tls::Tls;

/// What a shard writes to. Never waits.
pub(crate) trait Write: Send + Sync + 'static {
    /// Writes as much as fits. What was taken is on its way only when [`Write::flush`] says so.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits; anything else is the end of the socket.
    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Sends what was taken.
    ///
    /// # Errors
    /// `WouldBlock` when not all of it fits; anything else is the end of the socket.
    fn flush(&self) -> io::Result<()>;

    /// Nothing more will be written.
    fn finish(&self);
}

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Stream {
    tcp: TcpStream,
    /// On the heap: a plain connection has no room for it.
    tls: Option<Box<Tls>>,
}

impl Stream {
    /// Takes the socket out of the HTTP connection that it was, with what came behind the request.
    /// `None`: it is of another kind than those that HTTP is served on.
    pub(crate) fn from_http(upgraded: Upgraded) -> Option<(Self, Bytes)> {
        let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => {
                let stream = Self { tcp: parts.io.into_inner(), tls: None };
                return Some((stream, parts.read_buf));
            }
            Err(upgraded) => upgraded,
        };
        let parts = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().ok()?;
        let (tcp, connection) = parts.io.into_inner().into_inner();
        let tls = Box::new(Tls::new(connection));
        let mut early = parts.read_buf.to_vec();
        early.append(&mut tls.early());
        Some((Self { tcp, tls: Some(tls) }, early.into()))
    }

    /// Resolves when something may be read. For one task at a time, which keeps nothing to wait here.
    pub(super) fn readable(&self) -> impl Future<Output = io::Result<()>> {
        poll_fn(|context| self.tcp.poll_read_ready(context))
    }

    /// Reads what is there.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.tls {
            None => self.tcp.try_read(buffer),
            Some(tls) => tls.read(&self.tcp, buffer),
        }
    }

    /// Past the runtime, whose state of this socket nobody else needs while it takes everything: to
    /// look at it would cost each write of a pass another miss of the cache.
    fn write_plain(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = SockRef::from(&self.tcp);
        let sent = match parts {
            [part] => socket.send(part),
            parts => socket.send_vectored(parts),
        };
        match sent {
            // Only what the runtime has seen can it wait for.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.tcp.try_write_vectored(parts)
            }
            sent => sent,
        }
    }

    /// Resolves when something may be written, or the socket is broken.
    pub(super) async fn writable(&self) {
        let _ = self.tcp.writable().await;
    }
}

impl Write for Stream {
    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.tls {
            None => self.write_plain(parts),
            Some(tls) => tls.write(&self.tcp, parts),
        }
    }

    fn flush(&self) -> io::Result<()> {
        match &self.tls {
            None => Ok(()),
            Some(tls) => tls.flush(&self.tcp),
        }
    }

    fn finish(&self) {
        if let Some(tls) = &self.tls {
            tls.finish(&self.tcp);
        }
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Write);
    }
}
