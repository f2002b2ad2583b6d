//! The socket of a connection, shared by the task that reads it and the shard that writes it.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;

use socket2::SockRef;
use tokio::net::TcpStream;

/// What a shard writes to. Never waits.
pub(crate) trait Write: Send + Sync + 'static {
    /// Writes as much as fits.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits; anything else is the end of the socket.
    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Nothing more will be written.
    fn finish(&self);
}

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Stream {
    tcp: TcpStream,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { tcp }
    }

    /// Resolves when something may be read. For one task at a time, which keeps nothing to wait here.
    pub(super) fn readable(&self) -> impl Future<Output = io::Result<()>> {
        poll_fn(|context| self.tcp.poll_read_ready(context))
    }

    /// Reads what is there.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.try_read(buffer)
    }

    /// Resolves when something may be written, or the socket is broken.
    pub(super) async fn writable(&self) {
        let _ = self.tcp.writable().await;
    }
}

impl Write for Stream {
    fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.tcp.try_write_vectored(parts)
    }

    fn finish(&self) {
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Write);
    }
}
