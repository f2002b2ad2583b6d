//! One socket: which stage it is in, and the few bytes that have to wait. An idle one has no buffer.

use std::io::{self, Read as _, Write as _};

use mio::net::TcpStream;

use crate::plan::Nanos;

/// Bytes that are read at once, into memory that all connections of a worker share.
pub(super) const SCRATCH: usize = 256 * 1024;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// TCP is being connected.
    Dialling,
    /// The WebSocket is asked for.
    Shaking,
    /// Frames go both ways.
    Open,
}

/// A socket and what waits at it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) stage: Stage,
    /// When it was dialled.
    pub(super) since: Nanos,
    /// The beginning of a frame whose end has not come.
    partial: Vec<u8>,
    /// What the system did not take yet.
    backlog: Vec<u8>,
}

/// What a read brought.
pub(super) enum Got {
    /// So many bytes at the beginning of the scratch memory; whether there may be more.
    Bytes(usize, bool),
    /// Nothing more for now.
    Nothing,
    /// The other side closed.
    End,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, since: Nanos) -> Self {
        let (partial, backlog) = (Vec::new(), Vec::new());
        Self { stream, stage: Stage::Dialling, since, partial, backlog }
    }

    /// Whether TCP is connected by now.
    pub(super) fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes what it can and keeps the rest.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.backlog.is_empty() {
            self.backlog.extend_from_slice(bytes);
            return Ok(());
        }
        let written = write_some(&mut self.stream, bytes)?;
        self.backlog.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.backlog.is_empty() {
            let waiting = std::mem::take(&mut self.backlog);
            let written = write_some(&mut self.stream, &waiting)?;
            self.backlog = waiting[written..].to_vec();
        }
        Ok(())
    }

    /// Reads into `scratch`, behind what was kept of an incomplete frame.
    pub(super) fn read(&mut self, scratch: &mut Vec<u8>) -> io::Result<Got> {
        let kept = self.partial.len();
        if scratch.len() < kept + SCRATCH / 2 {
            scratch.resize(kept + SCRATCH, 0);
        }
        scratch[..kept].copy_from_slice(&self.partial);
        let read = loop {
            match self.stream.read(&mut scratch[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(0) => Ok(Got::End),
            Ok(count) => {
                self.partial = Vec::new();
                Ok(Got::Bytes(kept + count, kept + count == scratch.len()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Got::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Keeps the beginning of a frame until the rest comes.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.partial = bytes.to_vec();
        }
    }
}

fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
