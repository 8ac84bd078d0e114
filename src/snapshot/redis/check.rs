//! Has the server's own program check a file while it is read.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ChildStdin;
use std::thread;

use crate::own_tools::ToolCommand;
use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::pull;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::installed::Tools;
use crate::snapshot::redis::rdb::{self, Held, Keeping};
use crate::snapshot::threads;
use crate::snapshot::tool_process::{Running, ToolError, attended};

/// What the program says of a file that is newer than itself.
const TOO_NEW: &str = "Can't handle RDB format version";

/// A file that passes on what is read of it.
struct Passing<'r> {
    from: &'r mut dyn Read,
    to: Option<ChildStdin>,
}

impl Read for Passing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        // One that has ended says why.
        if let Some(to) = &mut self.to
            && to.write_all(&buffer[..read]).is_err()
        {
            self.to = None;
        }
        Ok(read)
    }
}

/// Reads a compressed file whole, and has it checked by the program of these tools, where there is one that knows its form.
/// Gives what it holds, or what is wrong with it, and the hash of its bytes.
///
/// # Errors
///
/// Those of [`pull`]; the program cannot be started.
pub(crate) fn read_checked(
    path: &Path,
    file: impl Read + Send,
    tools: Option<&Tools>,
    watch: &dyn Watch,
) -> Result<(Result<Held, DumpError>, String), RedisError> {
    let checks = tools.and_then(|tools| Some((tools, tools.check.as_deref().filter(|_| tools.inside.is_none())?)));
    let Some((tools, program)) = checks else {
        return Ok(pull(path, file, |source| rdb::read(source, Keeping::Count), watch)?);
    };
    let mut command = ToolCommand::of(program, None, &[]);
    command.arg("/dev/stdin");
    let mut check = Running::start(tools.family.check(), command, str::to_owned, &[])?;
    let (stdin, stdout, stopper) = (check.stdin(), check.stdout(), check.stopper());
    attended::<_, RedisError>(watch, &[stopper], || {
        thread::scope(|scope| {
            let listening = threads::start(scope, || said(stdout)).map_err(ToolError::NoThread)?;
            let read = pull(
                path,
                file,
                |source| {
                    let mut passing = Passing { from: source, to: stdin };
                    let held = rdb::read(&mut passing, Keeping::Count);
                    drop(passing.to);
                    held
                },
                watch,
            );
            let checked = check.finish();
            let said = threads::joined(listening);
            let (held, hash) = read?;
            let held = held.and_then(|held| match checked {
                Err(error) if !said.contains(TOO_NEW) => {
                    let reason = format!("{error}{}", complaint(&said));
                    Err(DumpError::Damaged { path: path.to_owned(), reason })
                }
                _ => Ok(held),
            });
            Ok((held, hash))
        })
    })
}

/// Reads what the program says, to its end: it holds names of keys.
fn said(stdout: Option<impl Read>) -> String {
    let mut said = Vec::new();
    if let Some(mut stdout) = stdout {
        let _ = stdout.by_ref().take(1 << 20).read_to_end(&mut said);
        let _ = io::copy(&mut stdout, &mut io::sink());
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Gives the line that says what is wrong: `[offset 150] Unexpected EOF reading RDB file`.
fn complaint(said: &str) -> String {
    let mut lines = said.lines().skip_while(|line| !line.contains("ERROR DETECTED"));
    lines.nth(1).map(|line| format!(": {}", line.chars().take(200).collect::<String>())).unwrap_or_default()
}
