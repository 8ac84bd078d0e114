//! A tool at work: its messages capped and cleaned, its end awaited, never left behind.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::secret::Secret;
use crate::snapshot::Watch;
use crate::snapshot::postgres::PostgresError;

/// How much of a tool's messages is kept: the first error is what matters.
const KEPT_MESSAGES: usize = 8 * 1024;
/// How long a tool may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// A tool that was started. Dropping it ends and reaps it.
#[derive(Debug)]
pub(crate) struct Running {
    tool: &'static str,
    child: Child,
    messages: Option<JoinHandle<Vec<u8>>>,
    password: Option<Secret>,
}

impl Running {
    /// Starts a tool with its stdin, stdout and stderr in our hands.
    pub(crate) fn start(
        tool: &'static str,
        mut command: Command,
        password: Option<Secret>,
    ) -> Result<Self, PostgresError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|source| PostgresError::ToolNotStarted { tool: command.get_program().into(), source })?;
        let messages = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
                while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                    let room = KEPT_MESSAGES.saturating_sub(kept.len()).min(read);
                    kept.extend_from_slice(&buffer[..room]);
                }
                kept
            })
        });
        Ok(Running { tool, child, messages, password })
    }

    /// Its stdin, once.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its stdout, once.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// A handle to end it from another thread, valid as long as this value lives.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper { pid: i32::try_from(self.child.id()).ok().and_then(Pid::from_raw), politely: Signal::TERM }
    }

    /// Waits for its end; anything but exit status 0 is an error with what it said.
    pub(crate) fn finish(&mut self) -> Result<(), PostgresError> {
        drop(self.child.stdin.take());
        let status =
            self.child.wait().map_err(|source| PostgresError::ToolNotStarted { tool: self.tool.into(), source })?;
        let message = self.messages();
        if status.success() {
            return Ok(());
        }
        Err(PostgresError::ToolFailed { tool: self.tool, status: describe(status), message })
    }

    /// What it said on stderr, once it closed it; without data and passwords. A second call gives nothing.
    pub(crate) fn messages(&mut self) -> String {
        let bytes = self.messages.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        presentable(&String::from_utf8_lossy(&bytes), self.password.as_ref())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        drop(self.child.stdin.take());
        drop(self.child.stdout.take());
        let stopper = self.stopper();
        stopper.stop(false);
        // It takes a tool well under a millisecond to end: the first looks are close together.
        let (deadline, mut pause) = (Instant::now() + GRACE, Duration::from_micros(100));
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        stopper.stop(true);
        // Killed: nothing that wait could report would change what we do.
        let _ = self.child.wait();
    }
}

/// Ends a tool from another thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopper {
    pid: Option<Pid>,
    politely: Signal,
}

impl Stopper {
    /// The same by an interrupt, upon which `psql` cancels its query on the server and goes on.
    pub(crate) fn by_interrupt(self) -> Self {
        Stopper { politely: Signal::INT, ..self }
    }

    /// Asks it to end, upon which the tools of PostgreSQL cancel what the server does for them; or kills it.
    pub(crate) fn stop(self, kill: bool) {
        if let Some(pid) = self.pid {
            // Already gone is what is wanted.
            let _ = kill_process(pid, if kill { Signal::KILL } else { self.politely });
        }
    }
}

/// Does `work` on a thread of its own, and ends `tools` when the one who waits asks to stop.
///
/// # Errors
///
/// [`PostgresError::Interrupted`] if it was asked to stop, whatever `work` made of that.
pub(crate) fn attended<T: Send>(
    watch: &dyn Watch,
    tools: &[Stopper],
    work: impl FnOnce() -> Result<T, PostgresError> + Send,
) -> Result<T, PostgresError> {
    thread::scope(|scope| {
        let (done, finished) = mpsc::channel();
        scope.spawn(move || done.send(work()));
        let mut asked: Option<Instant> = None;
        loop {
            match finished.recv_timeout(Duration::from_millis(50)) {
                Ok(_) if asked.is_some() || watch.interrupted() => return Err(PostgresError::Interrupted),
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(PostgresError::Interrupted),
                Err(mpsc::RecvTimeoutError::Timeout) if asked.is_some() || watch.interrupted() => {
                    let since = *asked.get_or_insert_with(Instant::now);
                    tools.iter().for_each(|tool| tool.stop(since.elapsed() > GRACE));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    })
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// What a tool said, as far as it may be shown: the errors themselves, never their context, detail or statement, which
/// quote rows; a few lines, each cut; passwords masked.
pub(crate) fn presentable(messages: &str, password: Option<&Secret>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in messages.lines() {
        let line = line.trim();
        let kept = ["error: ", "FATAL: ", "ERROR: ", "PANIC: ", "detail: Error message"]
            .iter()
            .any(|mark| line.contains(mark));
        let quoting =
            ["CONTEXT", "DETAIL", "Command was", "STATEMENT", "LINE "].iter().any(|mark| line.starts_with(mark));
        if kept && !quoting && lines.len() < 4 {
            lines.push(line.chars().take(300).collect());
        }
    }
    let text = lines.join("; ");
    password.map_or(text.clone(), |password| password.redact_in(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_passwords_are_not_shown() {
        let said = "pg_restore: error: could not execute query: ERROR:  duplicate key\nDETAIL:  Key (mail)=(a@b.c) exists.\n\
                    CONTEXT:  COPY users, line 1: \"1 secret row\"\nCommand was: COPY public.users\npg_restore: error: hunter2";
        let shown = presentable(said, Some(&Secret::new("hunter2")));
        assert_eq!(shown, "pg_restore: error: could not execute query: ERROR:  duplicate key; pg_restore: error: ***");
    }

    #[test]
    fn a_dropped_tool_is_gone() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let running = Running::start("sleep", command, None).unwrap();
        let pid = running.stopper().pid.unwrap();
        drop(running);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn a_failing_tool_is_an_error_with_its_status_and_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'sh: error: no such thing' >&2; exit 3"]);
        let error = Running::start("sh", command, None).unwrap().finish().unwrap_err();
        assert_eq!(error.to_string(), "sh exited with status 3: sh: error: no such thing");
    }
}
