//! Speaks MongoDB's protocol over one connection: a command, its answer.
//!
//! Source: MongoDB documentation, "MongoDB Wire Protocol" (`OP_MSG`).

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::reach::Place;
use crate::snapshot::mongodb::bson::Writing;

/// How long a connection may take, and the first answer on it.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long every later answer may take: the longest is that to dropping a database.
const ANSWERING: Duration = Duration::from_secs(120);

/// The number of the only kind of message that is sent and understood.
const OP_MSG: i32 = 2013;

/// The most bytes of an answer.
const LONGEST: usize = 48 * 1_000_000;

/// A message that says more is to come has this flag.
const MORE_TO_COME: u32 = 1 << 1;

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    sent: i32,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Wire {
    /// Connects to a place; nothing is said yet. Until [`Wire::trust`] an answer has to come as soon as a connection.
    ///
    /// # Errors
    ///
    /// Nobody listens there.
    pub(crate) fn connect(at: &Place, default_port: u16) -> io::Result<Wire> {
        let stream = match at {
            Place::Host { name, port } => {
                let mut refused = io::Error::from(io::ErrorKind::NotFound);
                let addresses = (name.as_str(), port.unwrap_or(default_port)).to_socket_addrs()?;
                let mut connected = None;
                for address in addresses {
                    match TcpStream::connect_timeout(&address, CONNECTING) {
                        Ok(stream) => {
                            connected = Some(stream);
                            break;
                        }
                        Err(error) => refused = error,
                    }
                }
                let stream = connected.ok_or(refused)?;
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(CONNECTING))?;
                Stream::Tcp(stream)
            }
            Place::Socket { path, .. } => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(CONNECTING))?;
                Stream::Unix(stream)
            }
            Place::File { .. } | Place::Memory | Place::Instance { .. } => {
                return Err(io::ErrorKind::Unsupported.into());
            }
        };
        stream.wait_for_answers(CONNECTING)?;
        Ok(Wire { stream, sent: 0 })
    }

    /// Waits as long for answers as a server may work on them: one has greeted.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub(crate) fn trust(&self) -> io::Result<()> {
        self.stream.wait_for_answers(ANSWERING)
    }

    /// Sends a command to a database, and gives the document that answers it.
    ///
    /// # Errors
    ///
    /// The connection broke, or what came is no answer.
    pub(crate) fn ask(&mut self, database: &str, command: Writing) -> io::Result<Vec<u8>> {
        let body = command.text("$db", database).done();
        self.sent = self.sent.wrapping_add(1);
        let length = i32::try_from(16 + 4 + 1 + body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut message = Vec::with_capacity(body.len() + 21);
        for number in [length, self.sent, 0, OP_MSG, 0] {
            message.extend_from_slice(&number.to_le_bytes());
        }
        message.push(0);
        message.extend_from_slice(&body);
        self.stream.write_all(&message)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Vec<u8>> {
        let strange = || io::Error::new(io::ErrorKind::InvalidData, "what answers does not speak MongoDB's protocol");
        let mut head = [0; 16];
        self.stream.read_exact(&mut head)?;
        let number = |at: usize| head[at..].first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
        let length = usize::try_from(number(0)).ok().filter(|length| (21..=LONGEST).contains(length));
        let (Some(length), true) = (length, number(8) == self.sent && number(12) == OP_MSG) else {
            return Err(strange());
        };
        let mut body = vec![0; length - 16];
        self.stream.read_exact(&mut body)?;
        let flags = body.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let (0, Some(0)) = (flags & MORE_TO_COME, body.get(4)) else { return Err(strange()) };
        let document = &body[5..];
        let own = document.first_chunk().and_then(|bytes| usize::try_from(i32::from_le_bytes(*bytes)).ok());
        // A checksum may follow.
        let document = own.and_then(|length| document.get(..length)).ok_or_else(strange)?;
        Ok(document.to_vec())
    }
}

impl Stream {
    fn wait_for_answers(&self, patience: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(Some(patience)),
            Stream::Unix(stream) => stream.set_read_timeout(Some(patience)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(buffer),
            Stream::Unix(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
