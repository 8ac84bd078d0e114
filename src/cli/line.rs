//! The options and subcommands, as clap reads them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::help;

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
pub(crate) struct Line {
    #[command(flatten)]
    pub(crate) before: Before,
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
    /// The command to guard, with its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) guarded: Vec<OsString>,
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
pub(crate) enum VerificationChoice {
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
    /// List the snapshots, newest first, and what restores have left on servers; -q prints the snapshots' names alone, -v what is in them
    #[command(after_help = help::LIST)]
    List,
    /// Put a database back; what it replaces is kept
    #[command(after_help = help::RESTORE)]
    Restore {
        /// A snapshot's name or file, `latest`, or the name of a database that a restore has replaced
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
        /// Every snapshot, and files that killed calls left
        #[arg(long)]
        all: bool,
        /// How far
        #[arg(long, value_name = "LEVEL", default_value = "read")]
        level: VerificationChoice,
    },
    /// Remove old snapshots, and what restores have left on servers, as every run does
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
    /// Say for each target whether it is reachable, how it would be saved and whether it could be put back; -q prints what is wrong alone
    Doctor,
    /// Approve what .safe-test.toml loosens; at a terminal only
    Trust,
    /// Answer a coding agent that is about to run a command; reads the agent's JSON on standard input
    #[command(after_help = help::HOOK)]
    Hook {
        /// Who asks, where what is sent does not tell: claude, cursor, codex, …
        #[arg(long, value_name = "NAME")]
        agent: Option<OsString>,
        /// What happens; without it, a command is about to run
        #[arg(value_name = "EVENT")]
        event: Option<HookEvent>,
    },
    /// Let git run the project's tests under safe-test before each push, and tell coding agents of it
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

/// What an agent may tell besides that it is about to run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HookEvent {
    /// A session begins: say what holds in this project
    SessionStart,
}

/// What to do with the hooks of git and of coding agents.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum HooksAction {
    /// Put safe-test where git or a coding agent runs it; what others have put there stays
    Install(HooksChange),
    /// Take it out again
    Remove(HooksChange),
    /// Say where it is, and whether it works
    Status {
        /// `git`, the name of an agent, or `all`, which is what is looked at without it
        #[arg(value_name = "git|AGENT|all")]
        names: Vec<String>,
    },
    /// Print what is put there, for those who keep their settings by other means
    Show {
        /// `git` or the name of an agent
        #[arg(value_name = "git|AGENT", default_value = "git")]
        name: String,
    },
}

/// Where hooks are brought to, or taken from.
#[derive(Debug, Clone, Args)]
pub(crate) struct HooksChange {
    /// `git`, which is what is meant without it, the name of an agent, or `all` that are in use here
    #[arg(value_name = "git|AGENT|all")]
    pub(crate) names: Vec<String>,
    /// In the settings of the user, for all projects
    #[arg(long)]
    pub(crate) user: bool,
    /// Show what would be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
}
