//! A process that works for us: one of this machine, or one that an engine of containers runs and passes on.

use std::io;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

use crate::own_tools::containers::exec::{Cutter, Exec, Started};

/// A process with pipes to its three outlets. Dropping it leaves it alone.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Child(Child),
    Exec(Exec),
}

impl From<Child> for Process {
    fn from(mut child: Child) -> Process {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Process { stdin, stdout, stderr, kind: Kind::Child(child) }
    }
}

impl From<Started> for Process {
    fn from(started: Started) -> Process {
        let Started { stdin, stdout, stderr, exec } = started;
        Process { stdin: Some(stdin), stdout: Some(stdout), stderr: Some(stderr), kind: Kind::Exec(exec) }
    }
}

impl Process {
    /// Tells how it ended, if it has.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match &mut self.kind {
            Kind::Child(child) => child.try_wait(),
            Kind::Exec(exec) => Ok(exec.status()),
        }
    }

    /// Closes its stdin and waits for its end.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        match &mut self.kind {
            Kind::Child(child) => child.wait(),
            Kind::Exec(exec) => Ok(exec.wait()),
        }
    }

    /// Gives it as what an engine runs; `None` where it is none.
    pub(super) fn exec(&self) -> Option<&Exec> {
        match &self.kind {
            Kind::Child(_) => None,
            Kind::Exec(exec) => Some(exec),
        }
    }

    /// Gives what ends it from another thread, for as long as it is not waited for.
    pub(crate) fn killer(&self) -> Killer {
        match &self.kind {
            Kind::Child(child) => Killer::Process(i32::try_from(child.id()).ok().and_then(Pid::from_raw)),
            Kind::Exec(exec) => Killer::Exec(exec.cutter()),
        }
    }
}

/// Ends a [`Process`], as far as that is in our hands.
#[derive(Debug, Clone)]
pub(crate) enum Killer {
    Process(Option<Pid>),
    Exec(Cutter),
}

impl Killer {
    /// Sends it a signal. A program that an engine runs gets none: it is listened to no longer, and has an end of input.
    pub(crate) fn signal(&self, signal: Signal) {
        match self {
            // Already gone is what is wanted.
            Killer::Process(pid) => drop(pid.map(|pid| kill_process(pid, signal))),
            Killer::Exec(cutter) => cutter.cut(),
        }
    }
}
