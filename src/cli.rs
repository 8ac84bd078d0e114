//! The command line as it is typed; `commands` makes domain values out of it.
//!
//! A first word that is not a subcommand is the command to guard, and everything after it belongs to that command.
//! So the line is read in two steps: safe-test's own options up to the first word, then either a subcommand with its
//! own options or the guarded command untouched.

mod placement;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

/// Subcommands to come: their words are kept free for them.
const LATER: [&str; 5] = ["health", "init", "hooks", "schedule", "completions"];

const AFTER_HELP: &str = "\
A first word that is none of these is the command to guard: `safe-test npm test`.
`safe-test -- check` guards a program called check.

Exit status: the command's own; 120 refused, 121 no snapshot, 122 restore after the run failed,
125 safe-test itself failed, 126 cannot be executed, 127 not found.";

/// Runs a test, migration or seed command so that it cannot touch a production database, and so that it can be
/// undone.
#[derive(Debug, Parser)]
#[command(
    name = "safe-test",
    version,
    disable_help_subcommand = true,
    override_usage = "safe-test [OPTIONS] [--] <COMMAND> [ARGS]...\n       safe-test [OPTIONS] <SUBCOMMAND>"
)]
struct Line {
    #[command(flatten)]
    before: Before,
    #[command(flatten)]
    shared: Shared,
    /// The command to guard, with its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    rest: Vec<OsString>,
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

/// Options that are taken before and after a subcommand.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Shared {
    /// How to print
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Say less
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN")]
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

/// How to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
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

#[derive(Debug, Parser)]
#[command(name = "safe-test", disable_help_subcommand = true)]
struct SubcommandLine {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    subcommand: Action,
}

/// What a subcommand asks for.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Action {
    /// Judge only: verdict, targets, findings, where each value came from
    Check {
        #[command(flatten)]
        shared: Shared,
        /// The command to judge for; without it, test and development runs are both considered
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Take verified snapshots now
    Snapshot {
        #[command(flatten)]
        shared: Shared,
    },
    /// List the snapshots, newest first
    List {
        #[command(flatten)]
        shared: Shared,
    },
    /// Put a database back; takes a safety snapshot first
    Restore {
        #[command(flatten)]
        shared: Shared,
        /// A snapshot's name or file, or `latest`
        #[arg(default_value = "latest", value_name = "ID")]
        id: OsString,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Check snapshots again
    Verify {
        #[command(flatten)]
        shared: Shared,
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
    Prune {
        #[command(flatten)]
        shared: Shared,
        /// Show what would be kept and dropped, and why
        #[arg(long)]
        dry_run: bool,
    },
    /// Read the audit log
    Log {
        #[command(flatten)]
        shared: Shared,
        #[command(subcommand)]
        what: Option<LogAction>,
    },
    /// Say for each target whether it is reachable and how it would be saved
    Doctor {
        #[command(flatten)]
        shared: Shared,
    },
    /// Approve what .safe-test.toml loosens; at a terminal only
    Trust {
        #[command(flatten)]
        shared: Shared,
    },
}

/// What to do with the audit log besides reading it.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum LogAction {
    /// Prove that the log is intact
    Verify {
        #[command(flatten)]
        shared: Shared,
    },
    /// Accept a log that was damaged; at a terminal only
    Accept {
        #[command(flatten)]
        shared: Shared,
    },
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Guard a command; never empty.
    Guard(Vec<OsString>),
    /// One of safe-test's own actions.
    Act(Action),
}

/// A command line, read.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The options before the first word.
    pub(crate) before: Before,
    /// The options that may stand on either side of a subcommand, the later one winning.
    pub(crate) shared: Shared,
    /// What to do.
    pub(crate) request: Request,
}

/// Reads a command line, the program's name first.
///
/// # Errors
///
/// What clap says of it, help and version included.
pub(crate) fn read(arguments: &[OsString]) -> Result<Asked, clap::Error> {
    // Made once: this is a good part of what a short call costs.
    let subcommands = SubcommandLine::command();
    let matches = complete_command(&subcommands).try_get_matches_from(arguments)?;
    let line = Line::from_arg_matches(&matches)?;
    let Some(first) = line.rest.first() else {
        return Err(complete_command(&subcommands)
            .error(ErrorKind::MissingRequiredArgument, "a command to guard, or a subcommand, is needed"));
    };
    let was_separated = arguments.len() > line.rest.len() && arguments[arguments.len() - line.rest.len() - 1] == "--";
    if !was_separated && first.as_encoded_bytes().starts_with(b"-") {
        let message = format!("there is no option `{}`", first.display());
        return Err(complete_command(&subcommands).error(ErrorKind::UnknownArgument, message));
    }
    if !was_separated && LATER.iter().any(|later| first == later) {
        let message = format!(
            "`{0}` is not part of this version yet; `safe-test -- {0}` guards a program of that name",
            first.display()
        );
        return Err(complete_command(&subcommands).error(ErrorKind::InvalidSubcommand, message));
    }
    if was_separated || !is_subcommand(first, &subcommands) {
        return Ok(Asked { before: line.before, shared: line.shared, request: Request::Guard(line.rest) });
    }
    let name = OsString::from("safe-test");
    let matches = subcommands
        .try_get_matches_from(std::iter::once(&name).chain(&line.rest))
        .map_err(|error| placement::misplaced(error, first))?;
    let inner = SubcommandLine::from_arg_matches(&matches)?;
    placement::heeded(&line.before, &inner.subcommand, first)?;
    let mut shared = line.shared.overridden_by(inner.shared).overridden_by(inner.subcommand.shared().clone());
    if let Action::Log { what: Some(LogAction::Verify { shared: last } | LogAction::Accept { shared: last }), .. } =
        &inner.subcommand
    {
        shared = shared.overridden_by(last.clone());
    }
    Ok(Asked { before: line.before, shared, request: Request::Act(inner.subcommand) })
}

fn complete_command(subcommands: &clap::Command) -> clap::Command {
    let subcommands: Vec<String> = subcommands
        .get_subcommands()
        .map(|known| {
            format!("  {:10} {}", known.get_name(), known.get_about().map(ToString::to_string).unwrap_or_default())
        })
        .collect();
    Line::command().after_help(format!("Subcommands:\n{}\n\n{AFTER_HELP}", subcommands.join("\n")))
}

fn is_subcommand(word: &OsStr, subcommands: &clap::Command) -> bool {
    subcommands.get_subcommands().any(|known| word == known.get_name())
}

impl Action {
    fn shared(&self) -> &Shared {
        match self {
            Action::Check { shared, .. }
            | Action::Snapshot { shared }
            | Action::List { shared }
            | Action::Restore { shared, .. }
            | Action::Verify { shared, .. }
            | Action::Prune { shared, .. }
            | Action::Log { shared, .. }
            | Action::Doctor { shared }
            | Action::Trust { shared } => shared,
        }
    }
}

impl Shared {
    fn overridden_by(self, later: Shared) -> Shared {
        Shared {
            format: later.format.or(self.format),
            quiet: later.quiet || self.quiet,
            verbose: later.verbose || self.verbose,
            color: later.color.or(self.color),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        read(&arguments).unwrap()
    }

    fn guarded(line: &str) -> Vec<OsString> {
        match asked(line).request {
            Request::Guard(command) => command,
            Request::Act(action) => panic!("{line}: {action:?}"),
        }
    }

    #[test]
    fn everything_after_the_first_word_belongs_to_the_command() {
        assert_eq!(guarded("safe-test npm test -- --format json -q"), ["npm", "test", "--", "--format", "json", "-q"]);
        assert_eq!(guarded("safe-test -q --format json npm --version"), ["npm", "--version"]);
        assert!(asked("safe-test -q npm test").shared.quiet);
        assert!(!asked("safe-test npm test -q").shared.quiet);
    }

    #[test]
    fn a_separator_makes_a_subcommands_name_a_command() {
        assert_eq!(guarded("safe-test -- check --format json"), ["check", "--format", "json"]);
        assert_eq!(guarded("safe-test -v -- log"), ["log"]);
    }

    #[test]
    fn subcommands_take_the_shared_options_on_either_side() {
        for line in [
            "safe-test --format json check",
            "safe-test check --format json",
            "safe-test check --format json -- npm test",
        ] {
            let asked = asked(line);
            assert_eq!(asked.shared.format, Some(Format::Json), "{line}");
            assert!(matches!(asked.request, Request::Act(Action::Check { .. })), "{line}");
        }
        assert!(matches!(
            asked("safe-test log verify").request,
            Request::Act(Action::Log { what: Some(LogAction::Verify { .. }), .. })
        ));
        for line in ["safe-test log --format json verify", "safe-test log verify --format json"] {
            assert_eq!(asked(line).shared.format, Some(Format::Json), "{line}");
        }
    }

    #[test]
    fn options_before_a_subcommand_are_kept() {
        let asked = asked("safe-test -C somewhere --env-file a --env-file b check");
        assert_eq!((asked.before.folder, asked.before.env_files.len()), (Some("somewhere".into()), 2));
    }

    #[test]
    fn nothing_to_do_is_an_error() {
        for line in ["safe-test", "safe-test -q", "safe-test health", "safe-test --unknown npm", "safe-test list extra"]
        {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(read(&arguments).is_err(), "{line}");
        }
    }
}
