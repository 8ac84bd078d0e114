//! Reads a command line: a subcommand with its options, or the command to guard, untouched.

use std::ffi::{OsStr, OsString};
use std::mem;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::line::{Action, Before, Line, Shared};
use crate::cli::usage;
use crate::cli::usage::UsageError;

/// Subcommands to come: their words are kept free for them.
const LATER: [&str; 4] = ["health", "init", "schedule", "completions"];

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
pub(crate) struct CommandLine {
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
pub(crate) fn read(arguments: &[OsString]) -> Result<CommandLine, Unasked> {
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
    // The tree of options and their help is thousands of small pieces: the end of the process frees them all at once.
    mem::forget(clap);
    Ok(CommandLine { before, shared, request })
}

/// Reads what is right of a wrong line that answers an agent; `None` for every other line. An agent takes a failure for an
/// answer, to every command: settings that many share may have been written for another version.
pub(crate) fn read_hook(arguments: &[OsString]) -> Option<CommandLine> {
    let matches = Line::command().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    let Line { before, shared, action, .. } = Line::from_arg_matches(&matches).ok()?;
    let action = action.filter(|action| matches!(action, Action::Hook { .. }))?;
    Some(CommandLine { before, shared, request: Request::Act(action) })
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
    use std::os::unix::ffi::OsStringExt;

    use crate::cli::{ColorChoice, Format, LogAction};

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn asked(line: &str) -> CommandLine {
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
