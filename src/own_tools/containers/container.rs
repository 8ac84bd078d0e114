//! Runs programs of ours inside a container of this machine.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, OnceLock};

use crate::own_tools::{ToolCommand, ask, command};
use crate::text::{shell_word, shown};

/// What a shell of the container does before it becomes the program: it carries out what it is given on its standard input, up
/// to a line with a dot; each line before has a blank ahead. What it is given is in no argument and on no disk; where it breaks
/// off nothing is run. Then the program's number is said, and what is in `handed` given to it as [`HANDED_FILE`](crate::own_tools::HANDED_FILE).
///
/// A document of the shell's own (`<<`) would be a file in older versions of bash.
const INTO: &str = r#"given=
while IFS= read -r line || exit 1; [ "$line" != . ]; do given="$given${line#?}
"; done
handed=
eval "$given"
unset given line
[ -n "$handed" ] || { echo "safe-test-process $$" >&2; exec "$@"; }
exec 4<&0
printf '%s\n' "$handed" | sh -c 'echo "safe-test-process $$" >&2; exec "$@" 3<&0 0<&4 4<&-' sh "$@""#;

/// Begins the line in which a program's number is said.
pub(crate) const NUMBER: &str = "safe-test-process ";

/// Drops the environment of the container, which may hold the tools' own variables, but for where programs and their
/// libraries are.
const BARE: &str =
    r#"exec env -i PATH="$PATH" ${LD_LIBRARY_PATH:+LD_LIBRARY_PATH="$LD_LIBRARY_PATH"} sh -c "$0" sh "$@""#;

/// Sends a signal to a process of the container.
const SIGNAL: &str = r#"kill -s "$0" "$1""#;

/// A program that an engine is spoken to by, and how: on this machine, whatever its settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cli {
    /// `docker`, `podman` or `nerdctl`.
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
}

/// A container that runs on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    cli: Cli,
    id: String,
    name: String,
    /// What it said of its tools.
    listing: Arc<OnceLock<Vec<u8>>>,
}

impl Container {
    pub(super) fn new(cli: Cli, id: &str, name: &str) -> Container {
        Container { cli, id: id.to_owned(), name: name.to_owned(), listing: Arc::default() }
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

    /// Makes the process of a program inside that works for a while. Its environment is `variables`, and nothing else but
    /// where programs and libraries are.
    pub(in crate::own_tools) fn command(&self, program: &Path, variables: &[(OsString, OsString)]) -> ToolCommand {
        let mut engines = command(&self.cli.program, &self.cli.variables);
        engines.args(&self.cli.words).args(["exec", "-i", &self.id, "sh", "-c", BARE, INTO]).arg(program);
        ToolCommand::inside(self.clone(), engines, variables)
    }

    /// Lists the tools inside by a script of a shell, once: what the script writes. Nothing where it takes longer than five
    /// seconds, ends with another status than 0, or there is no shell; then it is asked again the next time.
    pub(crate) fn listing(&self, script: &str) -> Vec<u8> {
        if let Some(known) = self.listing.get() {
            return known.clone();
        }
        let said = self.cli.ask(&["exec", &self.id, "sh", "-c", script].map(OsStr::new));
        said.map_or_else(|_| Vec::new(), |said| self.listing.get_or_init(|| said).clone())
    }

    /// Sends a signal to a process by its number inside: `TERM`. That it has ended already is what is wanted.
    pub(crate) fn signal(&self, signal: &str, process: u32) {
        let process = process.to_string();
        let _ = self.cli.ask(&["exec", &self.id, "sh", "-c", SIGNAL, signal, &process].map(OsStr::new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Container {
        /// One whose programs are those of a folder of this machine, and whose environment has a variable of its own.
        pub(crate) fn with_programs_of(folder: &Path) -> Container {
            let words = ["-c", "shift; [ \"$1\" = -i ] && shift; shift; ONE=other exec \"$@\"", "engine"];
            let path = format!("{}:/usr/bin:/bin", folder.display());
            let variables = vec![("PATH".into(), path.into())];
            let cli = Cli { program: "/bin/sh".into(), words: words.map(OsString::from).into(), variables };
            Container::new(cli, "57c138084fdd", "saved")
        }
    }
}
