//! The harness of the transparency tests: a command is run bare and wrapped, and both are compared.

use crate::support::{PATIENCE, awaited, output, with_default_signals, write_program};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

/// What stands before a command: nothing, or us.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(pub(crate) Vec<OsString>);

impl Prefix {
    pub(crate) fn bare() -> Prefix {
        Prefix(Vec::new())
    }

    pub(crate) fn wrapped() -> Prefix {
        Prefix(vec![env!("CARGO_BIN_EXE_safe-test").into(), "-q".into(), "--".into()])
    }

    pub(crate) fn both() -> [Prefix; 2] {
        [Prefix::bare(), Prefix::wrapped()]
    }

    /// The whole command line.
    pub(crate) fn words<W: AsRef<OsStr>>(&self, words: &[W]) -> Vec<OsString> {
        self.0.iter().cloned().chain(words.iter().map(|word| word.as_ref().to_owned())).collect()
    }

    /// The prefix as shell text, with a blank behind it.
    pub(crate) fn shell(&self) -> String {
        self.0.iter().map(|word| format!("'{}' ", word.display())).collect()
    }
}

/// A project of its own with a small database, and nothing of the caller's environment but `PATH`.
pub(crate) struct Sandbox(pub(crate) tempfile::TempDir);

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox(tempfile::tempdir().unwrap());
        fs::create_dir(sandbox.path("home")).unwrap();
        fs::write(sandbox.path(".env"), "DATABASE_URL=sqlite:./app_test.db\n").unwrap();
        let database = rusqlite::Connection::open(sandbox.path("app_test.db")).unwrap();
        database.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1);").unwrap();
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, words: &[OsString]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.0.path()).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.path("home")).env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        with_default_signals(&mut command);
        command
    }

    pub(crate) fn script(&self, name: &str, text: &str, mode: u32) {
        write_program(&self.path(name), text, mode);
    }
}

/// How a command ended and what it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) signal: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Ended {
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Ended {
        let output = output(command);
        let (status, signal) = numbers(output.status);
        Ended { status, signal, stdout: output.stdout, stderr: output.stderr }
    }

    pub(crate) fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr))
    }
}

/// Exit status and signal, -1 for what is not there.
pub(crate) fn numbers(status: ExitStatus) -> (i32, i32) {
    (status.code().unwrap_or(-1), status.signal().unwrap_or(-1))
}

/// Runs a command bare and wrapped, and gives back the bare end after comparing both.
pub(crate) fn same<W: AsRef<OsStr>>(sandbox: &Sandbox, words: &[W], prepare: impl Fn(&mut Command)) -> Ended {
    compared(Prefix::both().map(|prefix| {
        let mut command = sandbox.command(&prefix.words(words));
        prepare(&mut command);
        Ended::of(&mut command)
    }))
}

/// Like [`same`], started by Perl code that has the command line in `@ARGV` and ends in `exec @ARGV`.
pub(crate) fn same_after<W: AsRef<OsStr>>(sandbox: &Sandbox, launcher: &str, words: &[W]) -> Ended {
    compared(Prefix::both().map(|prefix| {
        let mut launched = vec!["perl".into(), "-MPOSIX".into(), "-e".into(), launcher.into()];
        launched.extend(prefix.words(words));
        Ended::of(&mut sandbox.command(&launched))
    }))
}

fn compared([bare, wrapped]: [Ended; 2]) -> Ended {
    assert!(
        bare == wrapped,
        "bare {} / {}: {}\nwrapped {} / {}: {}",
        bare.status,
        bare.signal,
        bare.text(),
        wrapped.status,
        wrapped.signal,
        wrapped.text()
    );
    bare
}

/// A running command that talks in lines, and is ended with the value.
pub(crate) struct Running {
    pub(crate) child: Child,
    output: mpsc::Receiver<Vec<u8>>,
}

impl Running {
    /// Starts the command in a process group of its own, so that what it sends to its group does not meet the other tests.
    pub(crate) fn start(command: &mut Command) -> Running {
        let mut child = command.stderr(Stdio::inherit()).process_group(0).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            loop {
                let mut line = Vec::new();
                let is_end = stdout.read_until(b'\n', &mut line).is_ok_and(|read| read == 0);
                if is_end || sender.send(line).is_err() {
                    break;
                }
            }
        });
        Running { child, output }
    }

    /// The next line without its end, empty when there is no more.
    pub(crate) fn line(&mut self) -> String {
        self.next().map(|line| line.trim_end().to_owned()).unwrap_or_default()
    }

    fn next(&mut self) -> Option<String> {
        match self.output.recv_timeout(PATIENCE) {
            Ok(line) => Some(String::from_utf8(line).unwrap()),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing was said for {:?}", PATIENCE),
        }
    }

    pub(crate) fn kill(&self, signal: i32) {
        // SAFETY: the process is our child and not yet collected.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    /// The rest of its output, and its end.
    pub(crate) fn end(mut self) -> (String, (i32, i32)) {
        let rest = std::iter::from_fn(|| self.next()).collect();
        (rest, numbers(awaited("the command", &mut self.child)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // SAFETY: the group is that of our child, which is not yet collected.
            unsafe { libc::kill(-self.child.id().cast_signed(), libc::SIGKILL) };
            self.child.wait().unwrap();
        }
    }
}

/// Starts Perl code bare and wrapped, leads each through `talk`, and expects the same of both.
pub(crate) fn both_come_to<T: PartialEq + std::fmt::Debug>(
    launcher: &str,
    code: &str,
    expected: T,
    talk: impl Fn(Running) -> T,
) {
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let mut words = vec!["perl".into(), "-MPOSIX".into(), "-e".into(), format!("{launcher} exec @ARGV").into()];
        words.extend(prefix.words(&["perl", "-MPOSIX", "-e", &format!("$| = 1; {code}")]));
        let mut command = sandbox.command(&words);
        let came_to = talk(Running::start(&mut command));
        assert_eq!(came_to, expected, "{prefix:?}");
    }
}
