//! The command line as it is typed; `commands` makes domain values out of it.
//!
//! A first word that is not a subcommand is the command to guard, and everything after it belongs to that command.

mod help;
mod usage;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub(crate) use usage::UsageError;

/// Subcommands to come: their words are kept free for them.
const LATER: [&str; 4] = ["health", "init", "schedule", "completions"];

/// Runs a test, migration or seed command so that it cannot touch a production database, and so that it can be
/// undone.
#[derive(Debug, Parser)]
#[command(
    name = "safe-test",
    version,
    after_help = help::LINE,
    override_usage = "safe-test [OPTIONS] [--] <COMMAND> [ARGS]...\n       safe-test [OPTIONS] <SUBCOMMAND>",
    subcommand_help_heading = "Subcommands",
    subcommand_value_name = "SUBCOMMAND"
)]
struct Line {
    #[command(flatten)]
    before: Before,
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    action: Option<Action>,
    /// The command to guard, with its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    guarded: Vec<OsString>,
}

/// Options that stand before the command or the subcommand.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Before {
    /// Judge and run in this folder
    #[arg(short = 'C', value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Add a file to what is judged; it is not passed on (repeatable)
    #[arg(long = "env-file", value_name = "FILE")]
    pub(crate) env_files: Vec<PathBuf>,
    /// When to put the databases back after the command
    #[arg(long, value_name = "WHEN")]
    pub(crate) restore: Option<RestoreChoice>,
    /// Judge and plan, and say what would be done; run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Options that are taken before and after a subcommand, the later one winning.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Shared {
    /// Print for people or for programs
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Say less
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to use colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN")]
    pub(crate) color: Option<ColorChoice>,
}

/// When the databases are put back after the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RestoreChoice {
    /// Only by `safe-test restore`
    Never,
    /// When the command does not succeed
    Failure,
    /// After every run
    Always,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// How far to verify.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyLevel {
    /// Read the whole dump back and compare its hash
    #[default]
    Read,
    /// Restore it into a scratch database and compare tables and rows
    Restore,
}

/// What a subcommand asks for.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Action {
    /// Judge only: verdict, targets, findings, where each value came from
    #[command(after_help = help::CHECK)]
    Check {
        /// The command to judge for; without it, test and development runs are both considered
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Take verified snapshots now
    #[command(after_help = help::SNAPSHOT)]
    Snapshot,
    /// List the snapshots, newest first; -q prints the names alone, -v what is in them
    #[command(after_help = help::LIST)]
    List,
    /// Put a database back; takes a safety snapshot first
    #[command(after_help = help::RESTORE)]
    Restore {
        /// A snapshot's name or file, or `latest`
        #[arg(default_value = "latest", value_name = "ID")]
        id: OsString,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Check snapshots again; -q prints the bad ones alone, -v what was compared
    #[command(after_help = help::VERIFY)]
    Verify {
        /// A snapshot's name or file, or `latest`, which is what is checked without it
        #[arg(value_name = "ID", conflicts_with = "all")]
        id: Option<OsString>,
        /// Every snapshot, and leftovers
        #[arg(long)]
        all: bool,
        /// How far
        #[arg(long, value_name = "LEVEL", default_value = "read")]
        level: VerifyLevel,
    },
    /// Remove old snapshots as the policy says
    #[command(after_help = help::PRUNE)]
    Prune {
        /// Show what would be kept and dropped, and why
        #[arg(long)]
        dry_run: bool,
    },
    /// Read the audit log
    #[command(after_help = help::LOG)]
    Log {
        #[command(subcommand)]
        what: Option<LogAction>,
    },
    /// Say for each target whether it is reachable and how it would be saved
    Doctor,
    /// Approve what .safe-test.toml loosens; at a terminal only
    Trust,
    /// Run the project's tests under safe-test before each git push
    #[command(after_help = help::HOOKS)]
    Hooks {
        #[command(subcommand)]
        what: HooksAction,
    },
}

/// What to do with the audit log besides reading it.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum LogAction {
    /// Prove that the log is intact
    Verify,
    /// Accept a log that was damaged; at a terminal only
    Accept,
}

/// What to do with the git hook.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum HooksAction {
    /// Put the pre-push hook into this repository; a hook of somebody else's stays
    Install,
    /// Take it out again
    Uninstall,
    /// Print it, for those who keep their hooks by other means
    Show,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Guard a command.
    Guard {
        /// The command with its arguments; never empty.
        command: Vec<OsString>,
        /// The subcommand that its first word is a slip of the finger away from.
        meant: Option<String>,
    },
    /// One of safe-test's own actions.
    Act(Action),
}

/// A command line, read.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) before: Before,
    pub(crate) shared: Shared,
    pub(crate) request: Request,
}

/// Why a command line asks for nothing that could be done.
#[derive(Debug)]
pub(crate) enum Unasked {
    /// Help or the version was asked for; this prints it.
    Shown(clap::Error),
    /// It is wrong.
    Wrong(UsageError),
}

/// Reads a command line, the program's name first.
///
/// # Errors
///
/// [`Unasked`]: help, the version, or what is wrong with it.
pub(crate) fn read(arguments: &[OsString]) -> Result<Asked, Unasked> {
    let mut clap = Line::command().subcommand(clap::Command::new("version").about("Print the version"));
    let line = clap.try_get_matches_from_mut(arguments).and_then(|matches| match matches.subcommand_name() {
        Some("version") => Line::from_arg_matches(&clap.try_get_matches_from_mut(["safe-test", "--version"])?),
        _ => Line::from_arg_matches(&matches),
    });
    let Line { before, shared, action, guarded } = line.map_err(|error| match error.use_stderr() {
        true => Unasked::Wrong(UsageError::from_clap(&error, arguments, &clap)),
        false => Unasked::Shown(error),
    })?;
    if shared.quiet && shared.verbose {
        return Err(UsageError::new("`--quiet` and `--verbose` contradict each other").into());
    }
    let request = match (action, guarded.first()) {
        (Some(action), _) => {
            usage::heeded(&before, &action)?;
            Request::Act(action)
        }
        (None, Some(first)) => {
            let is_separated = arguments[arguments.len() - guarded.len() - 1] == "--";
            if !is_separated && LATER.iter().any(|later| first == later) {
                return Err(UsageError::later(first).into());
            }
            let meant = if is_separated { None } else { usage::resembled(first, &clap) };
            Request::Guard { command: guarded, meant }
        }
        (None, None) => return Err(UsageError::nothing_to_do().into()),
    };
    Ok(Asked { before, shared, request })
}

impl From<UsageError> for Unasked {
    fn from(error: UsageError) -> Self {
        Unasked::Wrong(error)
    }
}

/// Reads an option's value out of a line that could not be read as a whole: how to complain is known all the same.
pub(crate) fn typed_value<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let before_separator = arguments.split(|word| word == "--").next().unwrap_or_default();
    let mut values = before_separator.iter().enumerate().filter_map(|(at, word)| {
        let rest = word.to_str()?.strip_prefix(option)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(OsStr::new(value)),
            None if rest.is_empty() => before_separator.get(at + 1).map(OsString::as_os_str),
            None => None,
        }
    });
    values.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn asked(line: &str) -> Asked {
        read(&words(line)).unwrap_or_else(|unasked| panic!("{line}: {unasked:?}"))
    }

    fn guarded(line: &str) -> Vec<OsString> {
        match asked(line).request {
            Request::Guard { command, .. } => command,
            Request::Act(action) => panic!("{line}: {action:?}"),
        }
    }

    fn action(line: &str) -> Action {
        match asked(line).request {
            Request::Act(action) => action,
            Request::Guard { command, .. } => panic!("{line}: {command:?}"),
        }
    }

    #[test]
    fn everything_after_the_first_word_belongs_to_the_command() {
        for (line, command) in [
            ("safe-test npm test -- --format json -q", &["npm", "test", "--", "--format", "json", "-q"][..]),
            ("safe-test -q --format json npm --version", &["npm", "--version"]),
            ("safe-test npm test -- --help", &["npm", "test", "--", "--help"]),
            ("safe-test git --version", &["git", "--version"]),
            ("safe-test npm check", &["npm", "check"]),
            ("safe-test npm help", &["npm", "help"]),
            ("safe-test -C somewhere npm -C elsewhere", &["npm", "-C", "elsewhere"]),
            ("safe-test npm -", &["npm", "-"]),
        ] {
            assert_eq!(guarded(line), command, "{line}");
        }
        assert!(asked("safe-test -q npm test").shared.quiet);
        assert!(!asked("safe-test npm test -q").shared.quiet);
    }

    #[test]
    fn words_need_not_be_utf_8() {
        let arguments = [b"safe-test".to_vec(), b"./caf\xe9".to_vec(), b"\xff".to_vec()].map(OsString::from_vec);
        let Request::Guard { command, .. } = read(&arguments).unwrap().request else { panic!("no command") };
        assert_eq!(command, arguments[1..]);
    }

    #[test]
    fn a_separator_makes_a_subcommands_name_a_command() {
        for (line, command) in [
            ("safe-test -- check --format json", &["check", "--format", "json"][..]),
            ("safe-test -v -- log", &["log"]),
            ("safe-test -- health", &["health"]),
            ("safe-test -- help", &["help"]),
            ("safe-test -- npm -- test", &["npm", "--", "test"]),
            ("safe-test -- --odd-name", &["--odd-name"]),
        ] {
            assert_eq!(guarded(line), command, "{line}");
        }
    }

    #[test]
    fn shared_options_stand_on_either_side_of_a_subcommand_and_the_later_one_wins() {
        for line in [
            "safe-test --format json check",
            "safe-test check --format json",
            "safe-test --format text check --format json",
            "safe-test check --format json -- npm test",
            "safe-test log --format json verify",
            "safe-test log verify --format json",
        ] {
            assert_eq!(asked(line).shared.format, Some(Format::Json), "{line}");
        }
        for line in ["safe-test -q list", "safe-test list -q", "safe-test log -q verify"] {
            assert!(asked(line).shared.quiet, "{line}");
        }
        assert_eq!(asked("safe-test list --color never").shared.color, Some(ColorChoice::Never));
        assert!(matches!(action("safe-test log verify"), Action::Log { what: Some(LogAction::Verify) }));
        assert!(matches!(action("safe-test check -- npm -q"), Action::Check { command } if command == ["npm", "-q"]));
    }

    #[test]
    fn options_before_a_subcommand_are_kept() {
        let asked = asked("safe-test -C somewhere --env-file a --env-file b check");
        assert_eq!((asked.before.folder, asked.before.env_files.len()), (Some("somewhere".into()), 2));
    }

    #[test]
    fn help_and_version_are_shown_in_every_spelling() {
        for (line, says) in [
            ("safe-test --help", "Subcommands:"),
            ("safe-test -h", "Examples:"),
            ("safe-test help", "Subcommands:"),
            ("safe-test help check", "safe-test check --"),
            ("safe-test check --help", "safe-test check --"),
            ("safe-test log help verify", "Prove"),
            ("safe-test --version", env!("CARGO_PKG_VERSION")),
            ("safe-test version", env!("CARGO_PKG_VERSION")),
        ] {
            let Err(Unasked::Shown(shown)) = read(&words(line)) else { panic!("{line}") };
            assert!(shown.to_string().contains(says), "{line}\n{shown}");
            assert!(!shown.use_stderr(), "{line}");
        }
    }

    #[test]
    fn how_to_complain_is_read_out_of_a_wrong_line() {
        for (line, value) in [
            ("safe-test --nope --format json npm", Some("json")),
            ("safe-test --format=json --nope", Some("json")),
            ("safe-test list extra --format json", Some("json")),
            ("safe-test --nope -- npm --format json", None),
            ("safe-test --formatted json", None),
            ("safe-test --format", None),
        ] {
            assert_eq!(typed_value(&words(line), "--format"), value.map(OsStr::new), "{line}");
        }
    }
}
