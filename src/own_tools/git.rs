//! Asks git about the repository that the project is in, whose settings may be a stranger's.
//!
//! A repository's own settings name programs: for transports, hooks, editors, file monitors, and a folder that is committed
//! as a bare repository brings such settings with a clone. So git is kept from starting anything at all (its folder of
//! programs and its `PATH` are no folders), and each mechanism is switched off by its own setting besides: an older git does
//! not know all of them.
//!
//! Source: git documentation, "git", "Environment Variables", and "git-config".

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::own_tools::{ToolEnvironment, ask};

/// What the command line sets beats what the repository says.
const SETTINGS: [&str; 9] = [
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    "core.fsmonitor=false",
    "core.sshCommand=false",
    "core.askPass=false",
    "core.editor=false",
    "core.alternateRefsCommand=false",
    "credential.helper=",
    "diff.external=",
];

/// Where hooks lie. Not for a question about that place.
const NO_HOOKS: &str = "core.hooksPath=/dev/null";

const VARIABLES: [(&str, &str); 10] = [
    // Nothing that git would start is found.
    ("PATH", "/dev/null"),
    ("GIT_EXEC_PATH", "/dev/null"),
    ("GIT_NO_LAZY_FETCH", "1"),
    // A list of the transports that are allowed, with none in it.
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
];

/// Where the user's and the machine's own settings are: they say whose repositories are used at all (`safe.directory`).
/// No other variable of git's is handed on; those that a hook is given name the repository that is found anyhow.
const OF_THE_USER: [&str; 4] = ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"];

/// git, for questions about the repository that a folder is in.
pub(crate) struct Git {
    program: PathBuf,
    variables: Vec<(OsString, OsString)>,
    folder: PathBuf,
}

impl Git {
    /// Finds git; `None` where there is none.
    pub(crate) fn find(environment: &ToolEnvironment, folder: &Path) -> Option<Git> {
        let program = environment.find("git")?;
        let mut variables = environment.selected(|name| OF_THE_USER.contains(&name));
        // A relative one would be looked for in the repository.
        variables.retain(|(_, value)| Path::new(value).is_absolute());
        variables.extend(environment.selected(|name| name == "GIT_CONFIG_NOSYSTEM"));
        variables.extend(VARIABLES.map(|(name, value)| (name.into(), value.into())));
        Some(Git { program, variables, folder: folder.to_owned() })
    }

    /// Asks a question that changes nothing but git's settings.
    ///
    /// # Errors
    ///
    /// Those of [`ask()`].
    pub(crate) fn ask(&self, words: &[&str]) -> io::Result<Output> {
        self.ask_with(&[NO_HOOKS], words)
    }

    /// Asks for the folder that the repository has its hooks in, wherever `core.hooksPath` puts it.
    ///
    /// # Errors
    ///
    /// Those of [`ask()`].
    pub(crate) fn hooks_folder(&self) -> io::Result<Output> {
        self.ask_with(&[], &["rev-parse", "--git-path", "hooks"])
    }

    fn ask_with(&self, more: &[&str], words: &[&str]) -> io::Result<Output> {
        let settings = SETTINGS.iter().chain(more).flat_map(|setting| ["-c", setting]);
        let mut arguments = vec![OsStr::new("-C"), self.folder.as_os_str(), OsStr::new("--no-pager")];
        arguments.extend(settings.map(OsStr::new));
        arguments.extend(words.iter().map(OsStr::new));
        ask(&self.program, &arguments, &self.variables)
    }
}
