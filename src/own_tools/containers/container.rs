//! Runs programs of ours inside a container of this machine.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::own_tools::containers::exec;
use crate::own_tools::containers::process::Process;
use crate::own_tools::containers::shell::Shell;
use crate::own_tools::{ask, command};
use crate::text::{shell_word, shown};

/// Sends a signal to a process of the container.
const SIGNAL: &str = r#"kill -s "$0" "$1""#;
/// How long it may take to send one.
const PATIENCE: Duration = Duration::from_secs(5);

/// How an engine is spoken to: by its socket, where there is one, else by a program; on this machine, whatever its settings
/// say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cli {
    pub(super) socket: Option<PathBuf>,
    /// `docker`, `podman` or `nerdctl`: with a socket, what a person would use.
    pub(super) program: PathBuf,
    /// The words before any subcommand.
    pub(super) words: Vec<OsString>,
    /// Its environment.
    pub(super) variables: Vec<(OsString, OsString)>,
}

impl Cli {
    /// Writes it as a person would, who may have another engine in use.
    fn shown(&self) -> Vec<String> {
        let program = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        [program].into_iter().chain(self.words.iter().map(|word| shown(word).into_owned())).collect()
    }

    /// Asks it what it can answer at once.
    ///
    /// # Errors
    ///
    /// Those of [`ask()`], and a status that is not 0.
    pub(super) fn ask(&self, words: &[&OsStr]) -> io::Result<Vec<u8>> {
        let all: Vec<&OsStr> = self.words.iter().map(OsString::as_os_str).chain(words.iter().copied()).collect();
        let Output { status, stdout, .. } = ask(&self.program, &all, &self.variables)?;
        if status.success() { Ok(stdout) } else { Err(io::Error::other(format!("it ends with {status}"))) }
    }

    /// Starts a program inside a container, without waiting until it is there: that takes an engine a tenth of a second. One
    /// that is asked for by its socket is asked after `before`.
    ///
    /// # Errors
    ///
    /// The system has no more pipes or threads, or the engine's program cannot be started. What the engine says against it,
    /// the process does.
    pub(super) fn exec(&self, container: &str, words: &[&str], before: Option<&Process>) -> io::Result<Process> {
        if let Some(socket) = &self.socket {
            return Ok(exec::start(socket, container, words, before.and_then(Process::exec))?.into());
        }
        let mut engines = command(&self.program, &self.variables);
        engines.args(&self.words).args(["exec", "-i", container]).args(words);
        engines.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What a terminal sends is for the program inside, whom the engine's would leave alone.
        engines.process_group(0);
        Ok(engines.spawn()?.into())
    }
}

/// A container that runs on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    cli: Cli,
    id: String,
    name: String,
    /// What it said of its tools.
    listing: Arc<OnceLock<Vec<u8>>>,
    /// Shells inside that wait for what they are to become. They end with the last value [in use](Container::in_use), and not
    /// with those that are only remembered: none may be there while the command runs.
    shells: Arc<Waiting>,
    /// Where those in use find each other's.
    shells_in_use: Arc<Mutex<Weak<Waiting>>>,
}

type Waiting = Mutex<Vec<Shell>>;

impl PartialEq for Container {
    fn eq(&self, other: &Container) -> bool {
        (&self.cli, &self.id) == (&other.cli, &other.id)
    }
}

impl Eq for Container {}

impl Container {
    pub(super) fn new(cli: Cli, id: &str, name: &str) -> Container {
        Container {
            cli,
            id: id.to_owned(),
            name: name.to_owned(),
            listing: Arc::default(),
            shells: Arc::default(),
            shells_in_use: Arc::default(),
        }
    }

    /// Gives the name that people know it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes how a person starts a program inside: `docker exec -i shop-db-1`.
    pub(crate) fn words(&self) -> Vec<String> {
        let own = ["exec", "-i", &self.name].map(str::to_owned);
        self.cli.shown().into_iter().chain(own).collect()
    }

    /// Writes how a person starts a program inside with variables of the shell handed on, with a blank behind.
    pub(crate) fn by_hand(&self, variables: &[&str]) -> String {
        let engine: Vec<String> = self.cli.shown().iter().map(|word| shell_word(word).into_owned()).collect();
        let handed: String = variables.iter().map(|name| format!(" -e {name}")).collect();
        format!("{} exec -i{handed} {} ", engine.join(" "), shell_word(&self.name))
    }

    /// Makes one to use, of one that is remembered.
    pub(super) fn in_use(&self) -> Container {
        let mut known = self.shells_in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let shells = known.upgrade().unwrap_or_default();
        *known = Arc::downgrade(&shells);
        Container { shells, ..self.clone() }
    }

    /// Begins with so many shells that will be needed soon: an engine takes a tenth of a second for each. One that cannot be
    /// started is started when it is needed, and says why.
    fn begin(&self, shells: usize) {
        let mut waiting = self.waiting();
        while waiting.len() < shells {
            // The first answers, so that it is to be there first.
            let Ok(shell) = Shell::start(&self.cli, &self.id, waiting.last()) else { return };
            waiting.push(shell);
        }
    }

    /// Gives the process of a shell inside, which becomes a program. Its three outlets are pipes.
    pub(in crate::own_tools) fn shell(&self) -> io::Result<Process> {
        self.started()?.into_process().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Gives a shell that waits, or a new one.
    pub(super) fn started(&self) -> io::Result<Shell> {
        let mut waiting = self.waiting();
        while !waiting.is_empty() {
            let mut first = waiting.remove(0);
            if first.waits() {
                return Ok(first);
            }
        }
        Shell::start(&self.cli, &self.id, None)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Shell>> {
        self.shells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the tools inside by a script of a shell, once: what the script writes. Of the shells for what is run `at_once`
    /// then, the first answers.
    ///
    /// # Errors
    ///
    /// It takes longer than five seconds, ends with another status than 0, or there is no shell: what the engine said. It is
    /// asked again the next time.
    pub(crate) fn listing(&self, script: &str, at_once: usize) -> Result<Vec<u8>, String> {
        if let Some(known) = self.listing.get() {
            return Ok(known.clone());
        }
        self.begin(at_once.max(1));
        let mut shell = self.started().map_err(|error| error.to_string())?;
        match shell.ask(script) {
            Ok(said) => {
                self.waiting().insert(0, shell);
                Ok(self.listing.get_or_init(|| said).clone())
            }
            Err(_) => Err(shell.last_words()),
        }
    }

    /// Sends a signal to a process by its number inside: `TERM`. That it has ended already is what is wanted.
    pub(crate) fn signal(&self, signal: &str, process: u32) {
        let process = process.to_string();
        let Ok(mut sending) = self.cli.exec(&self.id, &["sh", "-c", SIGNAL, signal, &process], None) else { return };
        let deadline = Instant::now() + PATIENCE;
        while matches!(sending.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                sending.killer().signal(Signal::KILL);
                let _ = sending.wait();
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    impl Container {
        /// One whose programs are those of a folder of this machine, and whose environment has a variable of its own.
        pub(crate) fn with_programs_of(folder: &Path) -> Container {
            let words = ["-c", "shift; [ \"$1\" = -i ] && shift; shift; ONE=other exec \"$@\"", "engine"];
            let path = format!("{}:/usr/bin:/bin", folder.display());
            let variables = vec![("PATH".into(), path.into())];
            let cli =
                Cli { socket: None, program: "/bin/sh".into(), words: words.map(OsString::from).into(), variables };
            Container::new(cli, "57c138084fdd", "saved")
        }
    }
}
