//! HTTP/1.1 as far as REST calls and `/metrics` need it: one connection, one request after the other,
//! blocking.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::client::address::Gateway;

const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest answer that is read.
const MOST_BODY: usize = 16 * 1024 * 1024;

/// A connection that stays open between requests.
#[derive(Debug)]
pub(super) struct HttpLine {
    stream: BufReader<TcpStream>,
    host: String,
}

impl HttpLine {
    /// To the first gateway that takes the connection.
    pub(super) fn connect_to_any(gateways: &[Gateway]) -> io::Result<Self> {
        let mut result = Err(io::Error::other("no gateway is named"));
        for gateway in gateways {
            result = Self::connect(gateway.address, &gateway.host);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    pub(super) fn connect(address: SocketAddr, host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: host.to_owned() })
    }

    /// Sends a request (with a body: POST) and reads the answer: status and body.
    pub(super) fn exchange(
        &mut self,
        path: &str,
        body: Option<&[u8]>,
    ) -> io::Result<(u16, Vec<u8>)> {
        let (method, body) = body.map_or(("GET", &[][..]), |body| ("POST", body));
        let host = &self.host;
        let len = body.len();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {len}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<(u16, Vec<u8>)> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| bad("no HTTP status"))?;
        let (mut length, mut chunked) = (None, false);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| bad("bad header"))?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.trim().eq_ignore_ascii_case("chunked");
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(|_| bad("bad chunk"))?;
                self.take(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            self.take(length.ok_or_else(|| bad("no length"))?, &mut body)?;
        }
        Ok((status, body))
    }

    fn take(&mut self, size: usize, body: &mut Vec<u8>) -> io::Result<()> {
        let begin = body.len();
        if begin + size > MOST_BODY {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
        }
        body.resize(begin + size, 0);
        self.stream.read_exact(&mut body[begin..])
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
