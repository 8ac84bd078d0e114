//! No test waits without end: what does not come fails the test by name.
//!
//! The bound is far above what anything here takes on a slow and busy machine: it ends hangs and measures nothing.

use std::fmt::Debug;
use std::io::{self, Write};
use std::process::{Child, Command, ExitStatus, Output};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How long a killed process's outputs may stay open before the whole test program is given up.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Waits until something is so.
///
/// # Panics
///
/// If it is not so after [`PATIENCE`].
#[track_caller]
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command to its end; gives what it said where that was not led elsewhere.
///
/// # Panics
///
/// If it does not end: it is killed.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    let words = format!("{command:?}");
    let child = command.spawn().unwrap_or_else(|error| panic!("{words}: {error}"));
    ended(words, child)
}

/// Awaits the end of a command that was started, and the rest of what it says; as [`output`].
#[track_caller]
pub(crate) fn ended(what: impl Debug, child: Child) -> Output {
    let watch = Deadline::of(what, Some(child.id()));
    let output = child.wait_with_output().unwrap();
    watch.expect_kept();
    output
}

/// Awaits the end of a command that was started; as [`output`].
#[track_caller]
pub(crate) fn awaited(what: impl Debug, child: &mut Child) -> ExitStatus {
    let watch = Deadline::of(what, Some(child.id()));
    let status = child.wait().unwrap();
    watch.expect_kept();
    status
}

/// Something under way that must end. While it does not, nothing is done; where it never does, its process is killed
/// and, should that not help, the test program ends, naming the test.
pub(crate) struct Deadline {
    what: String,
    over: mpsc::Sender<()>,
    killed: mpsc::Receiver<()>,
}

impl Deadline {
    pub(crate) fn of(what: impl Debug, process: Option<u32>) -> Self {
        let what = format!("{what:?}");
        let (over, is_over) = mpsc::channel();
        let (kill, killed) = mpsc::channel();
        let told = format!("{} hangs: {what}", thread::current().name().unwrap_or("a test"));
        thread::spawn(move || {
            let timed_out = |patience| is_over.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout);
            if !timed_out(PATIENCE) {
                return;
            }
            if let Some(process) = process.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
                let _ = kill.send(());
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
                if !timed_out(LAST_PATIENCE) {
                    return;
                }
            }
            // Past what the test harness catches.
            let _ = writeln!(io::stderr(), "{told}");
            std::process::abort();
        });
        Deadline { what, over, killed }
    }

    #[track_caller]
    fn expect_kept(self) {
        drop(self.over);
        assert!(self.killed.try_recv().is_err(), "not over after {PATIENCE:?}, and killed: {}", self.what);
    }
}
