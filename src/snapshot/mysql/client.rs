//! Keeps a client program open and asks it: one session of the server, with its transaction, settings and locks.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};

use crate::secret::ForeignText;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::connection::Connection;
use crate::snapshot::mysql::dump::DELIMITER;
use crate::snapshot::mysql::process;
use crate::snapshot::tool_process::{Running, Stopper, ToolError};

/// An open client. It ends at the first statement that the server refuses, and by being dropped; the server then ends the
/// session.
#[derive(Debug)]
pub(crate) struct Client {
    // Dropped in this order: the closed stdin ends the client before it has to be told.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    running: Running,
    mark: String,
}

/// The rows of an answer, each with its fields; NULL reads `NULL`, so that questions make something else of it.
pub(crate) type Rows = Vec<Vec<String>>;

impl Client {
    /// Starts a session; whether the server lets us in shows with the first question. `mark` is a word that no data holds.
    pub(crate) fn start(connection: &Connection, database: Option<&str>, mark: &str) -> Result<Self, MysqlError> {
        let mut command = connection.client_command(database);
        command.args(["--skip-column-names", "--unbuffered"]);
        let mut running = process::start(connection.client_name(), command, connection.secrets())?;
        let (stdin, stdout) = (running.stdin(), running.stdout());
        let Some(stdout) = stdout else {
            return Err(MysqlError::ConnectionLost { message: running.messages() });
        };
        let mut client = Client { stdin, stdout: BufReader::new(stdout), running, mark: format!("safe-test-{mark}") };
        // A statement may hold semicolons.
        if client.write(format!("DELIMITER {DELIMITER}\n").as_bytes()).is_err() {
            return Err(client.lost());
        }
        Ok(client)
    }

    /// Ends it from another thread; the server rolls back what it was at.
    pub(crate) fn stopper(&self) -> Stopper {
        self.running.stopper()
    }

    /// Asks one statement.
    ///
    /// # Errors
    ///
    /// [`MysqlError::Query`] if the server refuses it, [`MysqlError::ConnectionLost`] if the session is over: after either it is.
    pub(crate) fn ask(&mut self, statement: impl AsRef<str>) -> Result<Rows, MysqlError> {
        self.send(statement)?;
        self.receive()
    }

    /// Sends a statement without waiting; its answer is the next one that [`Client::receive`] gives.
    pub(crate) fn send(&mut self, statement: impl AsRef<str>) -> Result<(), MysqlError> {
        let mark = &self.mark;
        let text = format!("{}\n{DELIMITER}\nSELECT '{mark}'\n{DELIMITER}\n", statement.as_ref());
        self.write(text.as_bytes()).map_err(|()| self.lost())
    }

    /// Receives the answer to the oldest statement that was sent and not yet answered.
    pub(crate) fn receive(&mut self) -> Result<Rows, MysqlError> {
        let (mut rows, mut line) = (Rows::new(), Vec::new());
        loop {
            line.clear();
            let is_whole = self.stdout.read_until(b'\n', &mut line).is_ok() && line.pop() == Some(b'\n');
            if !is_whole {
                return Err(self.lost());
            }
            if line == self.mark.as_bytes() {
                return Ok(rows);
            }
            rows.push(line.split(|byte| *byte == b'\t').map(unescaped).collect());
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), ()> {
        let stdin = self.stdin.as_mut().ok_or(())?;
        stdin.write_all(text).and_then(|()| stdin.flush()).map_err(drop)
    }

    /// Quotes what the server said.
    pub(crate) fn quote(&self, said: &str) -> ForeignText {
        self.running.quote(said)
    }

    /// Tells why the session is over.
    fn lost(&mut self) -> MysqlError {
        drop(self.stdin.take());
        let said = match self.running.finish() {
            Err(ToolError::Failed { message, .. }) => message,
            Err(error) => return error.into(),
            Ok(()) => ForeignText::default(),
        };
        match process::error_in(&said) {
            (code @ 1..2000, message) => MysqlError::Query { code, message },
            (code @ 3000.., message) => MysqlError::Query { code, message },
            (_, _) => MysqlError::ConnectionLost { message: said },
        }
    }
}

/// Reads a field as the client writes it without a terminal: `\t`, `\n`, `\0` and `\\` stand for what they name.
fn unescaped(field: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next() {
                Some(b't') => bytes.push(b'\t'),
                Some(b'n') => bytes.push(b'\n'),
                Some(b'0') => bytes.push(0),
                Some(other) => bytes.push(*other),
                None => bytes.push(b'\\'),
            },
            other => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes a text as a literal of SQL, as sessions of ours read it: their `sql_mode` is empty, so that `\` escapes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Writes a name as an identifier of SQL.
pub(crate) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_literals_are_what_they_stand_for() {
        for (written, expected) in [("a\\tb\\nc\\\\d\\0", "a\tb\nc\\d\0"), ("plain", "plain"), ("", ""), ("\\", "\\")] {
            assert_eq!(unescaped(written.as_bytes()), expected, "{written}");
        }
        assert_eq!(literal(r"it's \ here"), r"'it''s \\ here'");
        assert_eq!(identifier("a`b"), "`a``b`");
    }
}
