//! TLS on a connection's socket. Records are made when something is written and opened when
//! something is read; what the socket does not take of them is the only thing that is kept, and it
//! is never more than one write.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConnection;

/// Plain bytes that are made into records at a time: the largest record. So much a socket that takes
/// nothing may cost, and so many bytes share one record's overhead.
const RECORD: usize = 16 * 1024;
/// Room for all that one look at the socket may give.
const READ: usize = 2 * RECORD;

/// A connection whose handshake is over.
#[derive(Debug)]
pub(super) struct Tls {
    connection: Mutex<ServerConnection>,
}

impl Tls {
    pub(super) fn new(mut connection: ServerConnection) -> Self {
        connection.set_buffer_limit(Some(RECORD));
        Self { connection: Mutex::new(connection) }
    }

    /// What was read behind the handshake.
    pub(super) fn early(&self) -> Vec<u8> {
        let mut early = Vec::new();
        // The end of what is there is an error of its own kind, and what was read stays.
        let _ = self.connection.lock().reader().read_to_end(&mut early);
        early
    }

    /// Reads what is there. Nothing that could be read stays behind in memory while the socket is
    /// said to be empty.
    pub(super) fn read(&self, tcp: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let mut connection = self.connection.lock();
        let mut size = 0;
        while buffer.len() - size >= READ {
            match connection.reader().read(&mut buffer[size..]) {
                // The other side has said goodbye.
                Ok(0) => break,
                Ok(read) => size += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match connection.read_tls(&mut Socket(tcp)) {
                        Ok(0) => break,
                        Ok(_) => open(&mut connection, tcp)?,
                        Err(error) if size == 0 => return Err(error),
                        Err(_) => break,
                    }
                }
                Err(error) if size == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(size)
    }

    /// Writes as much as fits, several parts in a record. What was taken and did not fit after all
    /// waits for [`Tls::flush`].
    pub(super) fn write(&self, tcp: &TcpStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut connection = self.connection.lock();
        send(&mut connection, tcp)?;
        let mut rest: SmallVec<[IoSlice<'_>; 8]> = parts.iter().copied().collect();
        let mut rest = &mut rest[..];
        let mut taken = 0;
        while !rest.is_empty() {
            let now = connection.writer().write_vectored(rest)?;
            if now == 0 {
                break;
            }
            taken += now;
            match send(&mut connection, tcp) {
                Ok(()) => IoSlice::advance_slices(&mut rest, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Sends what waits.
    pub(super) fn flush(&self, tcp: &TcpStream) -> io::Result<()> {
        send(&mut self.connection.lock(), tcp)
    }

    /// Says that nothing more will be written, as far as the socket takes that.
    pub(super) fn finish(&self, tcp: &TcpStream) {
        let mut connection = self.connection.lock();
        connection.send_close_notify();
        let _ = send(&mut connection, tcp);
    }
}

/// Opens the records that are whole.
fn open(connection: &mut ServerConnection, tcp: &TcpStream) -> io::Result<()> {
    let opened = connection.process_new_packets();
    // An alert, or the other half of a change of keys. What does not fit goes with the next write.
    let _ = send(connection, tcp);
    opened.map(|_| ()).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

fn send(connection: &mut ServerConnection, tcp: &TcpStream) -> io::Result<()> {
    while connection.wants_write() {
        if connection.write_tls(&mut Socket(tcp))? == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

/// The socket as TLS sees it.
struct Socket<'a>(&'a TcpStream);

impl io::Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl io::Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
