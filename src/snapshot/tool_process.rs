//! Runs an engine's tool for as long as it takes: its messages are capped and cleaned, its end is awaited, it is never
//! left behind.
//!
//! `duct`, which asks what answers at once (`own_tools/ask.rs`), knows one way to end a process: to kill it. A dump tool is
//! asked first, by the signal upon which it cancels what the server does for it; a client that stays open is interrupted
//! and goes on. Both need the process's number and its pipes in our hands, so this part is built on std.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, ExitStatus};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::Explain;
use crate::exit::Exit;
use crate::own_tools::containers::container::Container;
use crate::own_tools::containers::shell::NUMBER;
use crate::own_tools::{Given, Killer, Process, ToolCommand};
use crate::secret::{ForeignText, Secret};
use crate::snapshot::Watch;
use crate::snapshot::threads;
use crate::text::shown;

/// How much of a tool's messages is kept, half of it from their beginning and half from their end: most tools end at their
/// first error, others tell it last.
const KEPT_MESSAGES: usize = 8 * 1024;
/// How long a tool may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// What can go wrong with a tool. No variant holds a password or a row of data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    /// It could not be started.
    #[error("cannot start {}", shown(tool))]
    NotStarted {
        /// The program.
        tool: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended with a failure.
    #[error("{tool} {status}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Failed {
        /// The program's name.
        tool: &'static str,
        /// How it ended: `exited with status 1`, `was ended by signal 15`.
        status: String,
        /// What it said.
        message: ForeignText,
    },
    /// Nothing can be run inside the container that the server runs in.
    #[error("nothing can be run inside the container {container}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Silent {
        /// Its name.
        container: String,
        /// How a person starts a program inside.
        by_hand: String,
        /// What its engine said.
        said: ForeignText,
    },
    /// A thread that attends to tools could not be started.
    #[error("cannot attend to the tools")]
    NoThread(#[source] io::Error),
    /// The person or a signal asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Explain for ToolError {
    fn hint(&self) -> Option<String> {
        match self {
            ToolError::NotStarted { .. } => {
                Some("check that the program may be executed, or install the client anew".to_owned())
            }
            ToolError::Failed { .. } => Some("`safe-test doctor` shows which tool and server were used".to_owned()),
            ToolError::Silent { by_hand, .. } => Some(format!(
                "does `{by_hand}sh` start a shell there? Or install the client of the database on this machine"
            )),
            ToolError::NoThread(_) => Some("is a limit reached? `ulimit -a` shows what there is".to_owned()),
            ToolError::Interrupted => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            ToolError::NotStarted { .. }
            | ToolError::Failed { .. }
            | ToolError::Silent { .. }
            | ToolError::NoThread(_)
            | ToolError::Interrupted => Exit::NoSnapshot,
        }
    }
}

/// Cleans what a tool said: keeps the errors themselves, and nothing that quotes data.
pub(crate) type Cleaned = fn(&str) -> String;

/// A tool that was started. Dropping it ends and reaps it.
#[derive(Debug)]
pub(crate) struct Running {
    tool: &'static str,
    child: Process,
    messages: Option<JoinHandle<Vec<u8>>>,
    cleaned: Cleaned,
    secrets: Vec<Secret>,
    within: Option<Arc<Within>>,
    was_cut_off: bool,
    /// Whether its end was awaited, also that of the one inside.
    is_over: bool,
}

/// A tool inside a container: the child is the engine or its program, which passes on what is said.
#[derive(Debug)]
struct Within {
    container: Container,
    /// Its number inside, which it says first; none comes where the engine did not start it.
    process: OnceLock<u32>,
}

impl Running {
    /// Starts a tool with its stdin, stdout and stderr in our hands. What it says is redacted and `cleaned` before anybody
    /// sees it.
    pub(crate) fn start(
        tool: &'static str,
        command: ToolCommand,
        cleaned: Cleaned,
        secrets: &[Secret],
    ) -> Result<Self, ToolError> {
        let program = command.program();
        let not_started = |source| ToolError::NotStarted { tool: program.clone(), source };
        let (mut child, inside) = command.spawn().map_err(not_started)?;
        let stderr = child.stderr.take();
        let (within, given) = match inside {
            Some(Given { container, first }) => (Some(Arc::new(Within { container, process: OnceLock::new() })), first),
            None => (None, Vec::new()),
        };
        let own = within.clone();
        // Dropped, and so ended, where what it says cannot be listened to.
        let mut running = Running {
            tool,
            child,
            messages: None,
            cleaned,
            secrets: secrets.to_vec(),
            within,
            was_cut_off: false,
            is_over: false,
        };
        if let Some(stderr) = stderr {
            let listening = thread::Builder::new().spawn(move || listen(stderr, own.as_deref()));
            running.messages = Some(listening.map_err(|error| ToolError::NoThread(threads::not_started(error)))?);
        }
        // Less than a pipe holds. One that has ended already says why.
        if let Some(stdin) = running.child.stdin.as_mut().filter(|_| !given.is_empty())
            && let Err(error) = stdin.write_all(&given)
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(not_started(error));
        }
        Ok(running)
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
        Stopper { killer: self.child.killer(), politely: Signal::TERM, within: self.within.clone() }
    }

    /// Waits for its end; anything but exit status 0 is an error with what it said.
    pub(crate) fn finish(&mut self) -> Result<(), ToolError> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|source| ToolError::NotStarted { tool: self.tool.into(), source })?;
        let message = self.messages();
        self.is_over = status.success();
        if self.is_over {
            return Ok(());
        }
        // By the engines' own statuses: it was not started, or ended by somebody else (`docker-run(1)`, "Exit status").
        self.was_cut_off = self.within.is_some() && status.code().is_none_or(|code| code >= 125);
        self.is_over = !self.was_cut_off;
        Err(ToolError::Failed { tool: self.tool, status: describe(status), message })
    }

    /// Tells whether its container or its engine is why it failed, and not what it was given.
    pub(crate) fn was_cut_off(&self) -> bool {
        self.was_cut_off || self.within.as_ref().is_some_and(|within| within.process.get().is_none())
    }

    /// Returns what it said on stderr, once it closed it; without data. A second call gives nothing.
    pub(crate) fn messages(&mut self) -> ForeignText {
        let bytes = self.messages.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let said = self.quote(&String::from_utf8_lossy(&bytes));
        // The words of an engine that started nothing: they quote no data.
        let is_the_engine_s = self.within.as_ref().is_some_and(|within| within.process.get().is_none());
        said.shortened(if is_the_engine_s { engine_said } else { self.cleaned })
    }

    /// Quotes what it said anywhere else.
    pub(crate) fn quote(&self, said: &str) -> ForeignText {
        ForeignText::new(said, &self.secrets)
    }

    /// Waits for its end, but no longer than that; tells whether it ended.
    fn ends_within(&mut self, patience: Duration) -> bool {
        // It takes a tool well under a millisecond to end: the first looks are close together.
        let (deadline, mut pause) = (Instant::now() + patience, Duration::from_micros(100));
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        false
    }
}

/// Reads what a tool says to its end, and keeps its beginning and end. One inside a container says its number first, behind
/// what the engine's program may warn of.
fn listen(stderr: impl Read, within: Option<&Within>) -> Vec<u8> {
    let (mut stderr, mut kept, mut buffer) = (BufReader::new(stderr), Vec::new(), [0; 4096]);
    while let Some(within) = within.filter(|within| within.process.get().is_none() && kept.len() < KEPT_MESSAGES / 2) {
        let begins = kept.len();
        let limit = (KEPT_MESSAGES / 2) as u64;
        if !matches!(stderr.by_ref().take(limit).read_until(b'\n', &mut kept), Ok(1..)) {
            return kept;
        }
        let said = std::str::from_utf8(&kept[begins..]).ok().and_then(|line| line.strip_prefix(NUMBER));
        if let Some(number) = said.and_then(|number| number.trim().parse().ok()) {
            within.process.get_or_init(|| number);
            kept.truncate(begins);
        }
    }
    while let Ok(read @ 1..) = stderr.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > KEPT_MESSAGES {
            kept.drain(KEPT_MESSAGES / 2..kept.len() - KEPT_MESSAGES / 2);
        }
    }
    kept
}

/// Keeps the first lines of what an engine of containers says.
pub(crate) fn engine_said(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(2).collect();
    lines.join("; ").chars().take(300).collect()
}

impl Drop for Running {
    fn drop(&mut self) {
        // The engine's program ends with the one inside, and says so by its status; or by itself, and leaves that one alone.
        let is_gone = |running: &mut Running| match running.child.try_wait() {
            Ok(Some(status)) => running.within.is_none() || running.is_over || status.success(),
            Ok(None) | Err(_) => false,
        };
        if is_gone(self) {
            return;
        }
        drop(self.child.stdin.take());
        drop(self.child.stdout.take());
        let stopper = self.stopper();
        // To tell one inside takes another program; mostly it ends by the closed pipes.
        if self.within.is_some() && self.ends_within(GRACE / 4) && is_gone(self) {
            return;
        }
        stopper.stop(false);
        if self.ends_within(GRACE) {
            return;
        }
        stopper.stop(true);
        // Killed: nothing that wait could report would change what we do.
        let _ = self.child.wait();
    }
}

/// Ends a tool from another thread.
#[derive(Debug, Clone)]
pub(crate) struct Stopper {
    killer: Killer,
    politely: Signal,
    within: Option<Arc<Within>>,
}

impl Stopper {
    /// Makes a stopper that interrupts: a client that stays open cancels its query on the server and goes on.
    pub(crate) fn by_interrupt(self) -> Self {
        Stopper { politely: Signal::INT, ..self }
    }

    /// Asks it to end, upon which a dump tool cancels what the server does for it; or kills it.
    pub(crate) fn stop(&self, kill: bool) {
        let signal = if kill { Signal::KILL } else { self.politely };
        let inside = self.within.as_ref().and_then(|within| Some((&within.container, *within.process.get()?)));
        if let Some((container, process)) = inside {
            let name = match signal {
                Signal::KILL => "KILL",
                Signal::INT => "INT",
                _ => "TERM",
            };
            container.signal(name, process);
        }
        // The engine's program ends with the one inside; one that started nothing, or whose engine is gone, is told itself.
        if kill || inside.is_none() {
            self.killer.signal(signal);
        }
    }
}

/// Does `work` on a thread of its own, and ends `tools` when the one who waits asks to stop.
///
/// # Errors
///
/// [`ToolError::Interrupted`] if it was asked to stop, whatever `work` made of that.
pub(crate) fn attended<T: Send, E: From<ToolError> + Send>(
    watch: &dyn Watch,
    tools: &[Stopper],
    work: impl FnOnce() -> Result<T, E> + Send,
) -> Result<T, E> {
    thread::scope(|scope| {
        let (done, finished) = mpsc::channel();
        let working = threads::start(scope, move || done.send(work())).map_err(ToolError::NoThread)?;
        let mut asked: Option<Instant> = None;
        loop {
            match finished.recv_timeout(Duration::from_millis(50)) {
                Ok(_) if asked.is_some() || watch.interrupted() => return Err(ToolError::Interrupted.into()),
                Ok(result) => return result,
                // It panicked.
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    threads::joined(working).map_err(|_| ToolError::Interrupted)?;
                    return Err(ToolError::Interrupted.into());
                }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustix::process::Pid;

    use super::*;

    #[test]
    fn a_dropped_tool_is_gone() {
        let mut command = ToolCommand::of(Path::new("/bin/sleep"), None, &[]);
        command.arg("60");
        let running = Running::start("sleep", command, str::to_owned, &[]).unwrap();
        let Killer::Process(Some(pid)) = running.stopper().killer else { panic!("{running:?}") };
        drop(running);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    /// A script of a shell, as a tool inside a container whose engine's program says something first.
    fn inside(script: &str) -> ToolCommand {
        let container = Container::with_programs_of(Path::new("/usr/bin"));
        let mut command = ToolCommand::of(Path::new("/bin/sh"), Some(&container), &[]);
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_tool_inside_is_told_by_its_number_behind_what_the_engine_warns_of() {
        let said = b"Emulating, says the engine\nsafe-test-process 4711\nERROR: a row\n".as_slice();
        let container = Container::with_programs_of(Path::new("/usr/bin"));
        let within = Within { container, process: OnceLock::new() };
        assert_eq!(listen(said, Some(&within)), b"Emulating, says the engine\nERROR: a row\n");
        assert_eq!(within.process.get(), Some(&4711));
        let none = Within { process: OnceLock::new(), ..within };
        assert_eq!(listen(b"no such container".as_slice(), Some(&none)), b"no such container");
        assert_eq!(none.process.get(), None);
    }

    #[test]
    fn a_tool_inside_that_is_dropped_is_gone_and_one_that_is_over_is_not_looked_for() {
        let running = Running::start("sleep", inside("exec sleep 60"), str::to_owned, &[]).unwrap();
        let within = running.within.clone().unwrap();
        while within.process.get().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        let pid = Pid::from_raw(i32::try_from(*within.process.get().unwrap()).unwrap()).unwrap();
        drop(running);
        assert!(rustix::process::test_kill_process(pid).is_err());
        let mut failing = Running::start("sh", inside("exit 3"), str::to_owned, &[]).unwrap();
        let error = failing.finish().unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), failing.is_over, failing.was_cut_off()),
            ("sh exited with status 3", true, false)
        );
        let mut ended = Running::start("sh", inside("kill -KILL $$"), str::to_owned, &[]).unwrap();
        ended.finish().unwrap_err();
        assert_eq!((ended.is_over, ended.was_cut_off()), (false, true));
    }

    #[test]
    fn more_than_a_pipe_holds_is_not_handed_to_a_tool_inside() {
        let mut command = inside("exit 0");
        command.env("LONG", "x".repeat(64 * 1024));
        let error = Running::start("sh", command, str::to_owned, &[]).unwrap_err();
        assert!(
            matches!(error, ToolError::NotStarted { source, .. } if source.kind() == io::ErrorKind::ArgumentListTooLong)
        );
    }

    #[test]
    fn a_failing_tool_is_an_error_with_its_status_and_words() {
        let mut command = ToolCommand::of(Path::new("/bin/sh"), None, &[]);
        command.args(["-c", "printf 'no such thing as hunter2' >&2; exit 3"]);
        let password = [Secret::new("hunter2")];
        // A cut through the password.
        let cut: Cleaned = |said| said.chars().take("no such thing as hun".len()).collect();
        let error = Running::start("sh", command, cut, &password).unwrap().finish().unwrap_err();
        assert_eq!(error.to_string(), "sh exited with status 3: no such thing as ***");
    }
}
