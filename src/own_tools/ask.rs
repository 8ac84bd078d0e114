//! Runs a program of ours that answers at once.
//!
//! A tool that dumps or restores for a while is run by its engine (`snapshot/tool_process.rs`), which can end it.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, Read};
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::own_tools::START;

/// How long an answer may take: a repository's settings can name a file that never ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of an answer on either output.
const MOST_BYTES: usize = 1 << 20;

/// Runs a program, with no input, and gives all that it wrote and how it ended. Its environment is `variables` and nothing
/// else, its folder the root.
///
/// # Errors
///
/// It cannot be started, takes longer than five seconds, or says more than a megabyte: then it is killed. A status that is
/// not 0 is no error here.
pub(crate) fn ask(program: &Path, arguments: &[&OsStr], variables: &[(OsString, OsString)]) -> io::Result<Output> {
    answer_within(PATIENCE, Path::new(START), program, arguments, variables, Vec::new())
}

/// As [`ask`], in a folder and with an input: for a program that others start so, and that is to be tried.
///
/// # Errors
///
/// As for [`ask`].
pub(crate) fn ask_in(
    folder: &Path,
    program: &Path,
    arguments: &[&OsStr],
    variables: &[(OsString, OsString)],
    input: Vec<u8>,
) -> io::Result<Output> {
    answer_within(PATIENCE, folder, program, arguments, variables, input)
}

fn answer_within(
    patience: Duration,
    folder: &Path,
    program: &Path,
    arguments: &[&OsStr],
    variables: &[(OsString, OsString)],
    input: Vec<u8>,
) -> io::Result<Output> {
    let deadline = Instant::now() + patience;
    let ((out, into_out), (err, into_err)) = (io::pipe()?, io::pipe()?);
    let command = duct::cmd(program, arguments);
    let command = if input.is_empty() { command.stdin_null() } else { command.stdin_bytes(input) };
    let handle = command
        .full_env(variables.iter().map(|(name, value)| (name, value)))
        .dir(folder)
        .stdout_file(into_out)
        .stderr_file(into_err)
        .unchecked()
        .start()?;
    let said = gather([out, err], deadline);
    let ended = said.and_then(|said| match handle.wait_deadline(deadline)? {
        Some(output) => Ok((said, output.status)),
        None => Err(io::ErrorKind::TimedOut.into()),
    });
    match ended {
        Ok(([stdout, stderr], status)) => Ok(Output { status, stdout, stderr }),
        Err(error) => {
            handle.kill()?;
            Err(error)
        }
    }
}

/// Reads both outputs to their ends.
fn gather(pipes: [PipeReader; 2], deadline: Instant) -> io::Result<[Vec<u8>; 2]> {
    let mut said = [Vec::new(), Vec::new()];
    let mut open: Vec<(PipeReader, &mut Vec<u8>)> = pipes.into_iter().zip(&mut said).collect();
    let mut piece = vec![0; 16 * 1024];
    while !open.is_empty() {
        let mut waiting: Vec<PollFd<'_>> = open.iter().map(|(pipe, _)| PollFd::new(pipe, PollFlags::IN)).collect();
        wait_for(&mut waiting, deadline)?;
        let ready: Vec<bool> = waiting.iter().map(|pipe| !pipe.revents().is_empty()).collect();
        let mut ended = Vec::new();
        for (at, (pipe, said)) in open.iter_mut().enumerate().filter(|(at, _)| ready[*at]) {
            let read = pipe.read(&mut piece)?;
            said.extend_from_slice(&piece[..read]);
            if read == 0 {
                ended.push(at);
            }
            if said.len() > MOST_BYTES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        for at in ended.into_iter().rev() {
            open.remove(at);
        }
    }
    Ok(said)
}

/// Waits until one of the pipes can be read, or has ended.
///
/// # Errors
///
/// [`io::ErrorKind::TimedOut`], and what the system says.
pub(super) fn wait_for(pipes: &mut [PollFd<'_>], deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(io::ErrorKind::TimedOut)?;
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(pipes, Some(&left)) {
            Err(rustix::io::Errno::INTR) | Ok(0) => {}
            polled => return Ok(polled.map(drop)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(patience: Duration, script: &str) -> io::Result<Output> {
        let set = [("ONE".into(), "1".into()), ("PATH".into(), "/usr/bin:/bin".into())];
        let (folder, shell) = (Path::new(START), Path::new("/bin/sh"));
        answer_within(patience, folder, shell, &["-c".as_ref(), script.as_ref()], &set, Vec::new())
    }

    #[test]
    fn an_answer_has_both_outputs_and_the_status_and_nothing_is_inherited() {
        let answer = sh(PATIENCE, "cat; echo \"$ONE$HOME $(pwd)\"; echo no >&2; exit 3").unwrap();
        assert_eq!((answer.status.code(), &*answer.stdout, &*answer.stderr), (Some(3), &b"1 /\n"[..], &b"no\n"[..]));
        assert!(ask(Path::new("/nonexistent/tool"), &[], &[]).is_err());
    }

    #[test]
    fn a_program_that_is_tried_gets_its_folder_and_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let script = "cat; pwd";
        let real = folder.path().canonicalize().unwrap();
        let answer = ask_in(&real, Path::new("/bin/sh"), &["-c".as_ref(), script.as_ref()], &[], b"in".into()).unwrap();
        assert_eq!(String::from_utf8(answer.stdout).unwrap(), format!("in{}\n", real.to_str().unwrap()));
        // One that does not read it is no error.
        let unread = vec![b'x'; 1 << 20];
        let answer = ask_in(&real, Path::new("/bin/sh"), &["-c".as_ref(), "exit 3".as_ref()], &[], unread).unwrap();
        assert_eq!(answer.status.code(), Some(3));
    }

    #[test]
    fn an_answer_that_does_not_end_is_not_waited_for() {
        for (script, kind) in [
            ("yes", io::ErrorKind::FileTooLarge),
            ("yes >&2", io::ErrorKind::FileTooLarge),
            ("sleep 60", io::ErrorKind::TimedOut),
            ("exec >/dev/null 2>&1; exec sleep 60", io::ErrorKind::TimedOut),
            ("sleep 60 &", io::ErrorKind::TimedOut),
        ] {
            let asked = Instant::now();
            let patience = if kind == io::ErrorKind::TimedOut { Duration::from_millis(200) } else { PATIENCE };
            assert_eq!(sh(patience, script).unwrap_err().kind(), kind, "{script}");
            assert!(asked.elapsed() < Duration::from_secs(4), "{script}");
        }
    }
}
