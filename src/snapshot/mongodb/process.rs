//! Starts the tools, and says what of their messages may be shown.

use std::io::Read;

use crate::own_tools::ToolCommand;
use crate::secret::Secret;
use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::DumpText;
use crate::snapshot::dump_stream::PIECE;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::{ArchiveReader, Held};
use crate::snapshot::mongodb::client::without_values;
use crate::snapshot::mongodb::session::Session;
use crate::snapshot::tool_process::{Running, ToolError, attended};

/// Starts one of the tools.
pub(crate) fn start(tool: &'static str, command: ToolCommand, secrets: &[Secret]) -> Result<Running, ToolError> {
    Running::start(tool, command, cleaned, secrets)
}

/// Keeps what a tool says of its failure, not how far it came, and nothing that quotes a document.
fn cleaned(messages: &str) -> String {
    let failure = |line: &str| {
        let (_, said) = line.split_once("Failed: ").or_else(|| line.split_once("error parsing "))?;
        Some(without_values(said.trim()))
    };
    messages.lines().filter_map(failure).take(2).collect::<Vec<_>>().join("; ")
}

/// Dumps a database as it is now, and gives what that holds.
///
/// # Errors
///
/// Those of the tool; [`DumpError::Damaged`] where what it writes is not whole.
pub(crate) fn look(session: &Session, database: &str, watch: &dyn Watch) -> Result<Held, MongoError> {
    let connection = &session.connection;
    let planned = connection.dump(database, "-".as_ref());
    let mut dump = start(planned.label, connection.planned(&planned), connection.secrets())?;
    let (stdout, stopper) = (dump.stdout(), dump.stopper());
    attended::<_, MongoError>(watch, &[stopper], || {
        let (mut reader, mut piece) = (ArchiveReader::of(database), vec![0; PIECE]);
        if let Some(mut stdout) = stdout {
            while let read @ 1.. = stdout.read(&mut piece).map_err(MongoError::file("read", database.as_ref()))? {
                watch.advance(read as u64);
                reader.feed(&piece[..read]);
            }
        }
        dump.finish()?;
        reader.finish().map_err(|reason| MongoError::Dump(DumpError::Damaged { path: database.into(), reason }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_kept_and_no_document() {
        let said = "2026-11-28T02:18:13.204+0000\tpreparing collections to restore from\n\
                    2026-11-28T02:18:13.659+0000\tFailed: shop.users: error: E11000 duplicate key error index: mail dup key: { mail: \"a@b.test\" }\n\
                    2026-11-28T02:18:13.659+0000\t1 document(s) restored successfully. 0 document(s) failed to restore.\n";
        assert_eq!(cleaned(said), "shop.users: error: E11000 duplicate key error index: mail");
        let option = "2026-11-28T02:18:13.204+0000\terror parsing command line options: unknown option \"x\"\n";
        assert_eq!(cleaned(option), "command line options: unknown option \"x\"");
        assert_eq!(cleaned(""), "");
    }
}
