//! A shell inside a container, which answers questions and then becomes a program.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ChildStdout;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use crate::own_tools::ask::wait_for;
use crate::own_tools::containers::container::Cli;
use crate::own_tools::containers::process::Process;

/// What a shell of the container does before it becomes the program: it carries out what it is given on its standard input, up
/// to a line with a dot; each line before has a blank ahead. What it is given is in no argument of this machine's and on no
/// disk; where it breaks off nothing is run. Where that leaves a question in `asked`, it answers by what the script there
/// writes and a line behind, and goes on. Else the program's number is said, and what is in `handed` given to it as
/// [`HANDED_FILE`](crate::own_tools::HANDED_FILE).
///
/// A document of the shell's own (`<<`) would be a file in older versions of bash.
const INTO: &str = r#"while :; do
given=
while IFS= read -r line || exit 1; [ "$line" != . ]; do given="$given${line#?}
"; done
handed=
asked=
eval "$given"
[ -n "$asked" ] || break
sh -c "$asked" </dev/null || exit 1
echo safe-test-answered
done
unset given line asked
[ -n "$handed" ] || { echo "safe-test-process $$" >&2; exec "$@"; }
exec 4<&0
printf '%s\n' "$handed" | sh -c 'echo "safe-test-process $$" >&2; exec "$@" 3<&0 0<&4 4<&-' sh "$@""#;

/// Begins the line in which a program's number is said.
pub(crate) const NUMBER: &str = "safe-test-process ";

/// The line behind an answer.
const ANSWERED: &[u8] = b"safe-test-answered\n";

/// Drops the environment of the container, which may hold the tools' own variables, but for where programs and their
/// libraries are.
const BARE: &str = r#"exec env -i PATH="$PATH" ${LD_LIBRARY_PATH:+LD_LIBRARY_PATH="$LD_LIBRARY_PATH"} sh -c "$0" sh"#;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of an answer.
const MOST_BYTES: usize = 1 << 20;
/// How long the engine's program may take to end once nothing is asked of it any more.
const GRACE: Duration = Duration::from_millis(500);

/// A shell inside a container that waits. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Shell {
    process: Option<Process>,
}

impl Shell {
    /// Starts one, without waiting until it is there; after `before`, as far as an engine is asked.
    ///
    /// # Errors
    ///
    /// Those of [`Cli::exec`].
    pub(super) fn start(cli: &Cli, id: &str, before: Option<&Shell>) -> io::Result<Shell> {
        let before = before.and_then(|shell| shell.process.as_ref());
        Ok(Shell { process: Some(cli.exec(id, &["sh", "-c", BARE, INTO], before)?) })
    }

    /// Asks it by a script of a shell, and gives what that writes.
    ///
    /// # Errors
    ///
    /// It says more than a megabyte, no answer comes in five seconds, or the script ends with another status than 0: then the
    /// shell is over.
    pub(super) fn ask(&mut self, script: &str) -> io::Result<Vec<u8>> {
        let process = self.process.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let (Some(stdin), Some(stdout)) = (&mut process.stdin, &mut process.stdout) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        stdin.write_all(&given(&[assigned(b"asked", script.as_bytes())]))?;
        answer(stdout, Instant::now() + PATIENCE)
    }

    /// Ends it, and gives what it said of itself.
    pub(super) fn last_words(mut self) -> String {
        let Some(mut process) = self.process.take() else { return String::new() };
        let stderr = process.stderr.take();
        drop(Shell { process: Some(process) });
        let (mut said, deadline) = (Vec::new(), Instant::now() + GRACE);
        if let Some(mut stderr) = stderr {
            // Whoever holds it longer than that has nothing to say.
            while said.len() < MOST_BYTES && matches!(read_some(&mut stderr, &mut said, deadline), Ok(1..)) {}
        }
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Tells whether it is still there.
    pub(super) fn waits(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// Gives its process, which becomes a program once it is [given](crate::own_tools::ToolCommand) one.
    pub(super) fn into_process(mut self) -> Option<Process> {
        self.process.take()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // Its input's end is its own; one whose engine's program were killed might be left.
        drop(process.stdin.take());
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        process.killer().signal(Signal::KILL);
        let _ = process.wait();
    }
}

/// Reads up to the line behind an answer.
fn answer(stdout: &mut ChildStdout, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    loop {
        let read = read_some(stdout, &mut said, deadline)?;
        if let Some(answer) =
            said.strip_suffix(ANSWERED).filter(|answer| answer.last().is_none_or(|last| *last == b'\n'))
        {
            return Ok(answer.to_vec());
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if said.len() > MOST_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
}

/// Reads what comes next; 0 bytes at the end.
fn read_some(pipe: &mut (impl Read + AsFd), said: &mut Vec<u8>, deadline: Instant) -> io::Result<usize> {
    wait_for(&mut [PollFd::new(&*pipe, PollFlags::IN)], deadline)?;
    let mut piece = [0; 4096];
    let read = pipe.read(&mut piece)?;
    said.extend_from_slice(&piece[..read]);
    Ok(read)
}

/// Writes what a shell is to carry out.
pub(in crate::own_tools) fn given(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut given = Vec::new();
    for line in lines.concat().split_inclusive(|byte| *byte == b'\n') {
        given.push(b' ');
        given.extend_from_slice(line);
    }
    given.extend_from_slice(b".\n");
    given
}

/// Writes an assignment.
pub(in crate::own_tools) fn assigned(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", &quoted(value), b"\n"].concat()
}

/// Quotes a word.
pub(in crate::own_tools) fn quoted(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in word {
        quoted.extend_from_slice(if *byte == b'\'' { b"'\\''" } else { std::slice::from_ref(byte) });
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::own_tools::Killer;
    use crate::own_tools::containers::container::Container;

    #[test]
    fn a_shell_answers_again_and_again_and_one_that_is_dropped_is_gone() {
        let container = Container::with_programs_of(Path::new("/usr/bin"));
        let mut shell = container.started().unwrap();
        assert_eq!(shell.ask("echo one; echo it\\'s two").unwrap(), b"one\nit's two\n");
        assert_eq!(shell.ask(":").unwrap(), b"");
        assert_eq!(shell.ask("cat; echo \"$ONE\"").unwrap(), b"\n");
        assert_eq!(shell.ask("yes").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let Killer::Process(Some(process)) = shell.process.as_ref().unwrap().killer() else { panic!("{shell:?}") };
        drop(shell);
        assert!(rustix::process::test_kill_process(process).is_err());
    }

    #[test]
    fn a_shell_that_is_gone_has_no_answer() {
        let mut shell = Container::with_programs_of(Path::new("/usr/bin")).started().unwrap();
        assert_eq!(shell.ask("echo half; exit 3").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(shell.ask("echo").is_err());
    }
}
