//! Keeps a `psql` open and asks it: one session of the server, with its transaction and settings.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::time::Duration;

use memchr::memchr;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::secret::ForeignText;
use crate::snapshot::digest::Lines;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::process;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::tool_process::{Cleaned, Running, Stopper, ToolError};

/// What a pipe holds on Linux.
const PIPE: usize = 64 * 1024;

/// How long nothing comes before psql is asked whether anything still will.
const SILENCE: Duration = Duration::from_secs(30);

/// An open `psql`. Closed by dropping it, upon which the server ends the session.
#[derive(Debug)]
pub(crate) struct Psql {
    // Dropped in this order: the closed stdin ends psql before it has to be told.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    running: Running,
    mark: String,
    silence: Duration,
    /// How many statements were sent, and how many answers were received.
    sent: u64,
    received: u64,
    /// The answer for which psql was last asked whether it still comes.
    asked_for: u64,
    has_lost_an_answer: bool,
}

/// The fields of an answer, row after row; NULL is an empty field.
pub(crate) type Fields = Vec<Vec<u8>>;

impl Psql {
    /// Starts a session; whether the server lets us in shows with the first question.
    pub(crate) fn start(tools: &Tools, connection: &Connection, mark: &str) -> Result<Self, PostgresError> {
        Self::start_saying(tools, connection, mark, process::cleaned)
    }

    /// Starts a session whose messages are `cleaned` in another way.
    pub(crate) fn start_saying(
        tools: &Tools,
        connection: &Connection,
        mark: &str,
        cleaned: Cleaned,
    ) -> Result<Self, PostgresError> {
        let mut command = connection.command(tools, "psql");
        // Not for pg_dump, which would write the dump in it instead of in the database's own encoding.
        command.env("PGCLIENTENCODING", "UTF8");
        // No start-up file, no prompt for a password, fields and rows ended by NUL bytes.
        command.args(["-X", "-w", "-q", "-A", "-t", "-z", "-0", "-v", "VERBOSITY=terse"]);
        let mut running = Running::start("psql", command, cleaned, connection.secrets())?;
        let (stdin, stdout) = (running.stdin(), running.stdout());
        let Some(stdout) = stdout else {
            return Err(PostgresError::ConnectionLost { message: running.messages() });
        };
        // The mark ends an answer: no data can hold it by chance.
        let (stdout, mark) = (BufReader::with_capacity(PIPE, stdout), format!("{mark} "));
        let (sent, received, asked_for) = (0, 0, 0);
        let silence = SILENCE;
        Ok(Psql { stdin, stdout, running, mark, silence, sent, received, asked_for, has_lost_an_answer: false })
    }

    /// Cancels its query from another thread.
    pub(crate) fn stopper(&self) -> Stopper {
        self.running.stopper().by_interrupt()
    }

    /// Ends it from another thread.
    pub(crate) fn terminator(&self) -> Stopper {
        self.running.stopper()
    }

    /// Gives it text that it does not answer.
    pub(crate) fn write(&mut self, text: &[u8]) -> Result<(), PostgresError> {
        match self.stdin.as_mut().map(|stdin| stdin.write_all(text)) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(PostgresError::ConnectionLost { message: ForeignText::default() }),
        }
    }

    /// Says that nothing more comes, and waits for its end.
    pub(crate) fn finish(&mut self) -> Result<(), ToolError> {
        drop(self.stdin.take());
        self.running.finish()
    }

    /// Asks one statement, or gives one command of psql.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Query`] if the server refuses it, after which the session can go on;
    /// [`PostgresError::ConnectionLost`] if it is over.
    pub(crate) fn ask(&mut self, statement: impl AsRef<[u8]>) -> Result<Fields, PostgresError> {
        self.send(statement)?;
        self.receive()
    }

    /// Sends a statement without waiting; its answer is the next one that [`Psql::receive`] gives.
    pub(crate) fn send(&mut self, statement: impl AsRef<[u8]>) -> Result<(), PostgresError> {
        let mut text = statement.as_ref().to_owned();
        text.extend_from_slice(b"\n;\\echo ");
        text.extend_from_slice(self.mark.as_bytes());
        text.extend_from_slice(b":ERROR :SQLSTATE :LAST_ERROR_MESSAGE ");
        text.extend_from_slice(self.mark.as_bytes());
        text.push(b'\n');
        self.sent += 1;
        let sent = self.stdin.as_mut().map(|stdin| stdin.write_all(&text).and_then(|()| stdin.flush()));
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(self.lost()),
        }
    }

    /// Receives the answer to the oldest statement that was sent and not yet answered.
    pub(crate) fn receive(&mut self) -> Result<Fields, PostgresError> {
        let mut fields = Fields::new();
        loop {
            match self.item() {
                Some(Item::Field(field)) => fields.push(field),
                Some(Item::End(end)) => {
                    self.received += 1;
                    return self.outcome(&end, fields);
                }
                None => return Err(self.lost()),
            }
        }
    }

    /// Receives the rows that a `COPY … TO STDOUT` gives, which was the oldest statement not yet answered.
    pub(crate) fn receive_lines(&mut self, lines: &mut Lines) -> Result<(), PostgresError> {
        // The beginning of a line that may be the one that ends the answer; what is no such line goes on at once.
        let (mut held, mut is_within) = (Vec::new(), false);
        loop {
            if self.fill().is_none() {
                return Err(self.lost());
            }
            let (buffer, mark) = (self.stdout.buffer(), self.mark.as_bytes());
            let end = memchr(b'\n', buffer);
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            let may_be_the_end = |line: &[u8]| line.starts_with(mark) || mark.starts_with(line);
            if !is_within && (!held.is_empty() || may_be_the_end(piece)) {
                held.extend_from_slice(piece);
                if end.is_some() && held.starts_with(mark) {
                    let said = String::from_utf8_lossy(&held[mark.len()..]).into_owned();
                    let used = piece.len() + 1;
                    self.stdout.consume(used);
                    held.clear();
                    if self.is_late(&said) {
                        continue;
                    }
                    let Some(said) = self.whole_end(said) else { return Err(self.lost()) };
                    self.received += 1;
                    return self.outcome(&said, Fields::new()).map(drop);
                }
                if end.is_some() {
                    lines.end(&held);
                    held.clear();
                } else if !may_be_the_end(&held) {
                    lines.part(&held);
                    held.clear();
                    is_within = true;
                }
            } else if end.is_some() {
                lines.end(piece);
                is_within = false;
            } else {
                lines.part(piece);
                is_within = true;
            }
            let used = piece.len() + usize::from(end.is_some());
            self.stdout.consume(used);
        }
    }

    /// Reads the next field, ended by a NUL byte, or the line that ends an answer; `None` if the session is over.
    fn item(&mut self) -> Option<Item> {
        let mut item = Vec::new();
        loop {
            self.fill()?;
            let buffer = self.stdout.buffer();
            for (at, byte) in buffer.iter().enumerate() {
                if *byte == 0 {
                    self.stdout.consume(at + 1);
                    return Some(Item::Field(item));
                }
                if *byte == b'\n' && item.starts_with(self.mark.as_bytes()) {
                    self.stdout.consume(at + 1);
                    let said = String::from_utf8_lossy(&item[self.mark.len()..]).into_owned();
                    if self.is_late(&said) {
                        return self.item();
                    }
                    return self.whole_end(said).map(Item::End);
                }
                item.push(*byte);
            }
            let used = buffer.len();
            self.stdout.consume(used);
        }
    }

    /// Reads on to the mark that closes the end of an answer: a message may have several lines.
    fn whole_end(&mut self, said: String) -> Option<String> {
        if self.has_lost_an_answer {
            return None;
        }
        let (mut said, mark) = (said.into_bytes(), format!(" {}", self.mark.trim_end()));
        loop {
            if let Some(whole) = said.trim_ascii_end().strip_suffix(mark.as_bytes()) {
                return Some(String::from_utf8_lossy(whole).into_owned());
            }
            said.push(b'\n');
            self.fill()?;
            let begins = said.len();
            self.stdout.read_until(b'\n', &mut said).ok()?;
            if said[begins..].starts_with(format!("{}?", self.mark).as_bytes()) {
                self.has_lost_an_answer = true;
                return None;
            }
        }
    }

    /// Waits until there is something to read; `None` if the session is over.
    ///
    /// A statement may take any time, and psql reads nothing more until it has ended. So after a silence psql is asked to
    /// say a word of its own after all answers: if that comes and the answer did not, it never will.
    fn fill(&mut self) -> Option<()> {
        while self.stdout.buffer().is_empty() && self.asked_for <= self.received {
            let mut fds = [PollFd::new(self.stdout.get_ref(), PollFlags::IN)];
            let silence = Timespec::try_from(self.silence).ok();
            match poll(&mut fds, silence.as_ref()) {
                Ok(0) => {
                    self.asked_for = self.sent.max(self.received + 1);
                    let question = format!("\\echo {}?{}\n", self.mark, self.asked_for);
                    self.stdin.as_mut()?.write_all(question.as_bytes()).ok()?;
                }
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        self.stdout.fill_buf().is_ok_and(|buffer| !buffer.is_empty()).then_some(())
    }

    /// Tells whether a line with the mark is the word that was asked for while an earlier answer was waited for.
    fn is_late(&mut self, said: &str) -> bool {
        let asked_for = said.strip_prefix('?').and_then(|number| number.trim().parse::<u64>().ok());
        self.has_lost_an_answer |= asked_for.is_some_and(|answer| answer > self.received);
        asked_for.is_some_and(|answer| answer <= self.received)
    }

    /// Tells what the line `false 00000` or `true 42P01 relation "x" does not exist` says of an answer.
    fn outcome(&self, end: &str, fields: Fields) -> Result<Fields, PostgresError> {
        let mut words = end.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("false"), _, _) => Ok(fields),
            (_, sqlstate, message) => {
                let sqlstate = sqlstate.unwrap_or_default().to_owned();
                let message = self.quote(message.unwrap_or_default());
                let message = message.shortened(|said| said.chars().take(300).collect());
                // 42501 is also a missing privilege: the setting is what tells row-level security apart.
                if sqlstate == "42501" && message.contains("row-level security") {
                    return Err(PostgresError::RowSecurity { message });
                }
                Err(PostgresError::Query { sqlstate, message })
            }
        }
    }

    /// Quotes what the server said.
    pub(crate) fn quote(&self, said: &str) -> ForeignText {
        self.running.quote(said)
    }

    fn lost(&mut self) -> PostgresError {
        drop(self.stdin.take());
        let message = match self.has_lost_an_answer {
            true => ForeignText::of("an answer of psql is missing"),
            false => self.running.messages(),
        };
        PostgresError::ConnectionLost { message }
    }
}

enum Item {
    Field(Vec<u8>),
    End(String),
}

/// Reads a field as text.
pub(crate) fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// Reads a field that is a number.
pub(crate) fn number<N: std::str::FromStr>(field: &[u8]) -> Option<N> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Writes a text as a literal of SQL; sessions of ours have `standard_conforming_strings` on.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Writes a name as an identifier of SQL.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::postgres::Session;
    use crate::snapshot::postgres::testing::{Server, environment};

    #[test]
    fn an_answer_that_never_comes_is_not_waited_for() {
        let server = Server::shared();
        let session = || {
            let mut session = Session::open(&server.target("postgres"), &environment()).unwrap();
            session.psql.silence = Duration::from_millis(50);
            session.psql
        };
        let is_missing = |error: PostgresError| error.to_string().contains("an answer of psql is missing");
        assert!(is_missing(session().receive().unwrap_err()));
        assert!(is_missing(session().receive_lines(&mut Lines::default()).unwrap_err()));
        // One whose end was cut off.
        let mut psql = session();
        let begun = format!("\\echo {}true 42P01 no such\n", psql.mark);
        psql.write(begun.as_bytes()).unwrap();
        assert!(is_missing(psql.receive().unwrap_err()));
    }

    #[test]
    fn an_answer_that_takes_its_time_is_waited_for() {
        let server = Server::shared();
        let mut session = Session::open(&server.target("postgres"), &environment()).unwrap();
        let psql = &mut session.psql;
        psql.silence = Duration::from_millis(20);
        for _ in 0..2 {
            psql.send("SELECT pg_catalog.pg_sleep(0.2), 'a'").unwrap();
            psql.send("SELECT 'b'").unwrap();
            assert_eq!(psql.receive().unwrap().last().unwrap(), b"a");
            assert_eq!(psql.receive().unwrap(), [b"b"]);
            let mut lines = Lines::default();
            psql.send("COPY (SELECT 'c', pg_catalog.pg_sleep(0.2)) TO STDOUT").unwrap();
            psql.receive_lines(&mut lines).unwrap();
            assert_eq!(lines.take().rows, 1);
        }
        assert_eq!(psql.ask("SELECT 'd'").unwrap(), [b"d"]);
    }
}
