//! Takes a snapshot: the client writes, and what it writes is read back as it grows.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::own_tools::ToolEnvironment;
use crate::snapshot::dump_reading::DumpFile;
use crate::snapshot::dump_stream::{Writing, open_private, write_compressed};
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::by_hand::by_hand;
use crate::snapshot::redis::check::read_checked;
use crate::snapshot::redis::connection::Connection;
use crate::snapshot::redis::obstacles::{obstacles, of_file};
use crate::snapshot::redis::rdb::Held;
use crate::snapshot::redis::session::{Info, Session, ask};
use crate::snapshot::redis::whole::listed;
use crate::snapshot::threads;
use crate::snapshot::tool_process::{Running, ToolError, attended};
use crate::snapshot::{Server, Taken, Tool, VerificationLevel, Watch};
use crate::text::shown;

/// What every manifest says.
const WHOLE_SERVER: &str = "The file holds the whole server, all of its databases; a restore puts all of them back.";
const TIMES: &str = "Keys whose time runs out do so at the moment that was set, also in the file: what was due by the time of a \
                     restore does not come back.";
const LEFT_OUT: &str = "Settings and users of the server are not in it.";

/// How long the mark is that a client writes behind a file whose end the server did not know beforehand.
const MARK: usize = 40;

/// What proves later that nothing was written since: as long as a server keeps the history of its changes, each one moves the
/// offset in it, and one that is kept out of it on purpose is counted all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// This life of the server.
    run_id: String,
    /// The history of its changes, and the offset in it.
    history: String,
    offset: u64,
    /// When the server itself last saved, and the changes since.
    last_saved: u64,
    changes: u64,
}

impl State {
    /// Reads how far a server's changes have come; `None` where it keeps no history, or has modules, whose changes may be in
    /// none.
    pub(crate) fn of(info: &Info) -> Option<State> {
        if info.text("repl_backlog_active") != "1" || !info.text("module").is_empty() {
            return None;
        }
        Some(State {
            run_id: info.text("run_id").to_owned(),
            history: info.text("master_replid").to_owned(),
            offset: info.number("master_repl_offset")?,
            last_saved: info.number("rdb_last_save_time")?,
            changes: info.number("rdb_changes_since_last_save")?,
        })
    }

    /// Tells whether it is that of the file.
    fn is_of(&self, held: &Held) -> bool {
        held.offset.as_ref().is_some_and(|(history, offset)| *history == self.history && *offset == self.offset)
    }
}

/// Saves a server as it was planned, and reads the file back whole.
///
/// The file is created or emptied, readable by its owner only, and synced when this returns.
///
/// # Errors
///
/// Any [`RedisError`]. The file is left to the caller; nothing was written to the server, and nothing of ours runs any more.
pub(crate) fn take(
    session: &Session,
    database: &str,
    environment: &ToolEnvironment,
    command: &DumpCommand,
    watch: &dyn Watch,
) -> Result<Taken, RedisError> {
    let partial = command.output.as_path();
    let connection = &session.connection;
    let file = open_private(partial).map_err(RedisError::file("write", partial))?;
    let writing = Writing::default();
    let following = writing.follow(partial).map_err(RedisError::file("read", partial))?;
    let mut dump = start(connection, command)?;
    let (stdout, stopper) = (dump.stdout(), dump.stopper());
    let (written, dumped, read) = attended::<_, RedisError>(watch, std::slice::from_ref(&stopper), || {
        thread::scope(|scope| {
            let reading = threads::start(scope, || read_checked(partial, following, Some(&connection.tools), watch))
                .map_err(ToolError::NoThread)?;
            let written =
                write_compressed(stdout.map(WithoutMark::of), &file).map_err(RedisError::file("write", partial));
            writing.end();
            if written.is_err() {
                stopper.stop(false);
            }
            let synced = file.sync_all().map_err(RedisError::file("sync", partial));
            let dumped = finish(&mut dump, connection);
            Ok((written.and_then(|written| synced.map(|()| written)), dumped, threads::joined(reading)))
        })
    })?;
    let (size, sha256) = written?;
    dumped?;
    let (held, found) = read?;
    DumpFile { path: partial, sha256: &sha256 }.expect(&found)?;
    let held = held?;
    // A server that cannot be asked any more proves nothing.
    let state = ask(connection).ok().and_then(|info| State::of(&info)).filter(|state| state.is_of(&held));
    let mut all = obstacles(session, environment)?;
    all.extend(of_file(&held, database));
    Ok(Taken {
        size,
        sha256,
        verified: VerificationLevel::Read,
        compression: Some("zstd".to_owned()),
        tool: Tool {
            program: command.label.to_owned(),
            version: connection.tools.version.clone(),
            arguments: command.arguments.iter().map(|word| shown(word).into_owned()).collect(),
        },
        server: Some(Server { version: session.info.named(), fingerprint: session.fingerprint.clone() }),
        tables: listed(&held),
        state: state.and_then(|state| serde_json::to_value(state).ok()),
        obstacles: all,
        whereabouts: None,
        notes: [WHOLE_SERVER, TIMES, LEFT_OUT].map(str::to_owned).to_vec(),
        by_hand: by_hand(session),
        copy: None,
    })
}

/// Starts a client that writes the file to its output.
pub(crate) fn start(connection: &Connection, command: &DumpCommand) -> Result<Running, ToolError> {
    Running::start(command.label, connection.planned(command), cleaned, connection.secrets())
}

/// Waits for its end.
///
/// # Errors
///
/// What the server has against it.
pub(crate) fn finish(dump: &mut Running, connection: &Connection) -> Result<(), RedisError> {
    dump.finish().map_err(|error| match &error {
        ToolError::Failed { message, .. } => connection.refused(message).unwrap_or(RedisError::Tool(error)),
        _ => error.into(),
    })
}

/// Keeps what a client says of its failure, not how far it came.
fn cleaned(messages: &str) -> String {
    let is_of_progress = |line: &&str| !line.starts_with("sending ") && !line.starts_with("SYNC sent");
    let lines: Vec<&str> = messages.lines().map(str::trim).filter(is_of_progress).take(3).collect();
    lines.join("; ").chars().take(300).collect()
}

/// What a client writes, without the mark at its end. A file ends with a byte that no mark has, and its checksum.
pub(crate) struct WithoutMark<R> {
    from: R,
    /// What may be the mark, or the file's end.
    last: VecDeque<u8>,
    is_over: bool,
}

impl<R: Read> WithoutMark<R> {
    pub(crate) fn of(from: R) -> Self {
        WithoutMark { from, last: VecDeque::with_capacity(MARK), is_over: false }
    }
}

impl<R: Read> Read for WithoutMark<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_over {
            // The last bytes stay behind, whatever they are.
            let ready = self.last.len().saturating_sub(MARK).min(buffer.len());
            if ready > 0 {
                return self.last.read(&mut buffer[..ready]);
            }
            let read = self.from.read(buffer)?;
            self.last.extend(&buffer[..read]);
            if read == 0 {
                self.is_over = true;
                if self.last.len() == MARK && self.last.iter().all(u8::is_ascii_hexdigit) {
                    self.last.clear();
                }
            }
        }
        self.last.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives bytes in pieces of this many.
    struct Pieces<'b>(&'b [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.1.min(buffer.len()).min(self.0.len());
            self.0.read(&mut buffer[..size])
        }
    }

    #[test]
    fn the_mark_behind_a_file_is_left_out_and_nothing_else() {
        let file = [vec![b'a'; 200], vec![0xff], vec![b'0'; 8]].concat();
        let marked = [file.clone(), vec![b'5'; MARK]].concat();
        for (bytes, expected) in [(&file, &file), (&marked, &file), (&vec![1; 7], &vec![1; 7]), (&vec![], &vec![])] {
            for piece in [1, 7, 39, 40, 41, 1000] {
                let mut found = Vec::new();
                WithoutMark::of(Pieces(bytes, piece)).read_to_end(&mut found).unwrap();
                assert_eq!(found, *expected, "{piece}");
            }
        }
    }

    #[test]
    fn what_failed_is_kept_and_not_how_far_it_came() {
        let said = "sending REPLCONF capa eof\nsending REPLCONF rdb-only 1\nSYNC with master failed: -NOPERM no\n";
        assert_eq!(cleaned(said), "SYNC with master failed: -NOPERM no");
    }
}
